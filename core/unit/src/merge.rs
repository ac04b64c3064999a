//! Fragment and drop-ins to one [`Config`]: systemd.unit(5). Files in order, lists add up, an empty assignment
//! takes back, later wins; then the defaults that depend on the rest, and systemd's checks of the whole.

mod check;
mod defaults;

use crate::config::service::ServiceType;
use crate::config::{Bad, Body, Config, Dependency, LoadState, Processes};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::directives::{Draft, Line, Outcome, locate, sections};
use crate::files::{Found, Fragment, needs_no_file};
use crate::name::{UnitKind, UnitName};
use crate::specifier::{Allowed, Context, Scope};
use crate::syntax::{Assignment, Event, Lexer};
use crate::values::mount_table::Mounted;

/// The text of one file: the fragment of [`Found`], or one of its drop-ins.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub path: &'a str,
    pub text: &'a [u8],
}

#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    pub config: Config,
    pub diagnostics: Vec<Diagnostic>,
}

/// How far a file is read that has a line for which its unit cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Up to that line: what comes after it changes nothing.
    UpToTheFault,
    /// To its end, and the drop-ins with it: for who wants to know all that is wrong.
    Whole,
}

/// Whose word it is that the unit is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    Files,
    /// The kernel's: this is mounted.
    Kernel(&'a Mounted),
}

/// A unit from its texts, which come in the order they are merged: the fragment first, if there is one.
pub fn merge(name: &UnitName, sources: &[Source<'_>], found: &Found, cx: &Context) -> Merged {
    merge_reading(name, sources, found, cx, Reading::UpToTheFault, Origin::Files)
}

pub(crate) fn merge_reading(
    name: &UnitName,
    sources: &[Source<'_>],
    found: &Found,
    cx: &Context,
    reading: Reading,
    origin: Origin<'_>,
) -> Merged {
    let mut draft = Draft::new(name.kind(), &cx.defaults);
    let mut diagnostics = Report::default();
    draft.unit.ignore_on_isolate = name.kind().stays_on_isolate();
    let (fragment, mut load) = match &found.fragment {
        Fragment::File(path) => (Some(path.as_str()), LoadState::Loaded),
        Fragment::Missing if needs_no_file(name) || matches!(origin, Origin::Kernel(_)) => {
            (None, LoadState::Loaded)
        }
        Fragment::Missing => (None, LoadState::NotFound),
        Fragment::Masked(path) => (Some(path.as_str()), LoadState::Masked),
        Fragment::Cycle => {
            let text = "the names of this unit lead in a circle";
            let cycle = Diagnostic::of_unit(name.as_str(), Severity::Error, text);
            diagnostics.push(cycle.coded(Code::AliasCycle));
            (None, LoadState::NotFound)
        }
    };
    let scope = Scope { name, fragment: fragment.unwrap_or(""), cx };
    let mut dropins = Dropins::Count;
    for source in sources {
        let outcome = read(&mut draft, source, scope, &mut diagnostics, reading);
        // A drop-in that cannot be read to its end takes nothing away from the unit.
        if Some(source.path) == fragment && outcome != Outcome::Fine {
            load = match outcome {
                Outcome::Fine | Outcome::Fatal => fatal(name, &mut diagnostics),
                Outcome::Broken(reason) => broken(name, reason, &mut diagnostics),
            };
            if reading == Reading::Whole {
                continue;
            }
            // Nor is there anything to add to a unit that cannot be used.
            dropins = Dropins::DoNot;
            break;
        }
    }
    if load == LoadState::NotFound {
        dropins = Dropins::DoNot;
    }
    drop_own_name(&mut draft, name, &mut diagnostics);
    if let Origin::Kernel(mounted) = origin {
        draft.found_mounted(mounted);
    }
    if load == LoadState::Loaded {
        defaults::fill(&mut draft, name, &cx.defaults);
        if let Err(refusal) = check::verify(&draft, name, &mut diagnostics) {
            load = refuse(name, refusal, &mut diagnostics);
        }
    } else {
        defaults::leave_out(&mut draft, name, &cx.defaults);
    }
    let mut config = assemble(draft, name, found, load);
    if dropins == Dropins::DoNot {
        config.dropins.clear();
    }
    Merged { config, diagnostics: diagnostics.finish(name.as_str()) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dropins {
    Count,
    DoNot,
}

/// One file into the draft; what the first line came to that did not go well.
fn read(
    draft: &mut Draft,
    source: &Source<'_>,
    scope: Scope<'_>,
    diagnostics: &mut Report,
    reading: Reading,
) -> Outcome {
    let mut first = Outcome::Fine;
    for event in Lexer::new(source.path, source.text, sections(scope.name.kind())) {
        let outcome = match event {
            Event::Assignment(assignment) => assign(draft, &assignment, scope, diagnostics),
            Event::Odd(odd) => {
                diagnostics.push(odd);
                Outcome::Fine
            }
            Event::Broken(broken, reason) => {
                diagnostics.push(broken);
                Outcome::Broken(reason)
            }
        };
        if first == Outcome::Fine {
            first = outcome;
        }
        if first != Outcome::Fine && reading == Reading::UpToTheFault {
            break;
        }
    }
    first
}

fn assign(
    draft: &mut Draft,
    assignment: &Assignment<'_>,
    scope: Scope<'_>,
    diagnostics: &mut Report,
) -> Outcome {
    let Assignment { section, key, value, at } = assignment;
    let Some((section, row)) = locate(section, key) else {
        if !key.starts_with("X-") {
            let text = format!("Unknown key '{key}' in section [{section}], ignoring.");
            let unknown = at.diagnostic(Severity::Warning, text, "a key of that section".into());
            diagnostics.push(unknown.coded(Code::UnknownKey));
        }
        return Outcome::Fine;
    };
    let (key, kind, specifiers, outcome) = (row.key, row.kind, Allowed::All, Outcome::Fine);
    let mut line = Line { kind, specifiers, section, key, value, at, scope, diagnostics, outcome };
    (row.set)(draft, &mut line);
    line.outcome
}

fn fatal(name: &UnitName, diagnostics: &mut Report) -> LoadState {
    let text = "Unit configuration has fatal error, unit will not be started.";
    let said = Diagnostic::of_unit(name.as_str(), Severity::Error, text);
    diagnostics.push(said.coded(Code::Consequence));
    LoadState::BadSetting(Bad::Line)
}

/// systemd's sentence about such a unit.
pub fn bad_setting(name: &UnitName) -> String {
    format!("Unit {name} has a bad unit file setting.")
}

/// With the system's word for the reason.
pub fn not_loaded(name: &UnitName, reason: &str) -> String {
    let what = "failed to load properly, please adjust/correct and reload service manager";
    format!("Unit {name} {what}: {reason}")
}

fn broken(name: &UnitName, reason: &str, diagnostics: &mut Report) -> LoadState {
    let text = not_loaded(name, reason);
    let said = Diagnostic::of_unit(name.as_str(), Severity::Error, text.clone());
    diagnostics.push(said.coded(Code::Consequence));
    LoadState::Inconsistent(text)
}

fn refuse(name: &UnitName, refusal: &str, diagnostics: &mut Report) -> LoadState {
    diagnostics.push(Diagnostic::of_unit(name.as_str(), Severity::Error, refusal));
    LoadState::BadSetting(Bad::Whole)
}

/// Why a dependency is none, given what kinds of units there are.
fn impossible(kind: UnitKind, word: Dependency, other: &UnitName) -> Option<String> {
    if word == Dependency::OnFailure && !kind.can_fail() {
        let text =
            format!("Requested dependency OnFailure={other} ignored ({} units cannot fail).", kind.suffix());
        return Some(text);
    }
    (word == Dependency::Before && other.kind() == UnitKind::Device)
        .then(|| format!("Dependency Before={other} ignored (.device units cannot be delayed)"))
}

/// A unit that names itself means nothing by it; of some words that is worth a remark. What no unit of its kind can mean goes too.
fn drop_own_name(draft: &mut Draft, name: &UnitName, diagnostics: &mut Report) {
    draft.unit.dependencies.retain(|(word, other)| {
        let is_odd = match word {
            Dependency::Conflicts
            | Dependency::Before
            | Dependency::After
            | Dependency::OnFailure
            | Dependency::OnSuccess => true,
            Dependency::Requires
            | Dependency::Requisite
            | Dependency::Wants
            | Dependency::BindsTo
            | Dependency::PartOf
            | Dependency::Upholds
            | Dependency::PropagatesReloadTo
            | Dependency::ReloadPropagatedFrom
            | Dependency::PropagatesStopTo
            | Dependency::StopPropagatedFrom
            | Dependency::JoinsNamespaceOf
            | Dependency::Triggers
            | Dependency::InSlice => false,
        };
        if let Some(why) = impossible(name.kind(), *word, other) {
            diagnostics.push(Diagnostic::of_unit(name.as_str(), Severity::Warning, why));
            return false;
        }
        if other == name && is_odd {
            let text = format!("Dependency {word:?}={name} is dropped.");
            diagnostics.push(Diagnostic::of_unit(name.as_str(), Severity::Note, text));
        }
        other != name
    });
}

fn assemble(draft: Draft, name: &UnitName, found: &Found, load: LoadState) -> Config {
    let Draft { mut unit, install, mut service, mut socket, mut mount, exec, kill, source, kept, said: _ } =
        draft;
    unit.dependencies.extend(found.dependencies.iter().cloned());
    let mut seen = std::collections::BTreeSet::new();
    unit.dependencies.retain(|edge| edge.1 != *name && seen.insert(edge.clone()));
    let body = match name.kind() {
        UnitKind::Service => {
            (service.exec, service.kill) = (exec, kill);
            let lasts = service.kind != ServiceType::Oneshot;
            service.health = service.health.filter(|health| lasts && health.check(0).is_some());
            Body::Service(Box::new(service))
        }
        UnitKind::Socket => {
            (socket.exec, socket.kill) = (exec, kill);
            Body::Socket(Box::new(socket))
        }
        UnitKind::Mount => {
            *mount.processes = Processes { exec, kill };
            Body::Mount(Box::new(mount))
        }
        UnitKind::Swap => Body::Swap(Box::new(Processes { exec, kill })),
        kind @ (UnitKind::Target
        | UnitKind::Device
        | UnitKind::Automount
        | UnitKind::Timer
        | UnitKind::Path
        | UnitKind::Slice
        | UnitKind::Scope) => Body::empty(kind),
    };
    let fragment = match &found.fragment {
        Fragment::File(path) | Fragment::Masked(path) => Some(path.clone()),
        Fragment::Missing | Fragment::Cycle => None,
    };
    let (aliases, dropins) = (found.aliases.clone(), found.dropins.clone());
    Config {
        name: name.clone(),
        aliases,
        load,
        fragment,
        source,
        dropins,
        unit,
        install,
        body,
        kept: kept.into_kept(),
    }
}
