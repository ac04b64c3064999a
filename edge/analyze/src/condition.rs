//! `condition`: whether conditions and asserts hold here and now, written down or a unit's. systemd-analyze(1).

use crate::times::Judge;
use crate::{Options, places};
use eudaemon_host::abilities;
use eudaemon_host::condition::{Circumstances, verdict};
use eudaemon_host::place;
use eudaemon_unit::config::unit::Condition;
use eudaemon_unit::config::{Config, LoadState, UnitSection};
use eudaemon_unit::diagnostic::Code;
use eudaemon_unit::files::{Found, Fragment, Scope};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::merge::{Source, bad_setting, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_verify::{Disk, Ground, environment, specifiers};
use std::process::ExitCode;

/// The unit that conditions of the command line are said of.
const UNIT: &str = "test.service";
/// And its file.
const FILE: &str = "(cmdline)";

pub fn condition(options: &Options, words: &[String], _: &Judge) -> ExitCode {
    match asked(options, words) {
        Ok((name, section)) => tell(&name, &section, &circumstances(scope(options))),
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn scope(options: &Options) -> Scope {
    match options.scope {
        Some(places::Scope::User) => Scope::User,
        None | Some(places::Scope::System | places::Scope::Global) => Scope::System,
    }
}

fn asked(options: &Options, words: &[String]) -> Result<(String, UnitSection), String> {
    match (&options.unit, words) {
        (Some(_), [_, ..]) => Err("No conditions can be passed if --unit= is used.".to_owned()),
        (Some(unit), []) => of_unit(options, unit),
        (None, []) => Err("Too few arguments for condition".to_owned()),
        (None, words) => of_words(options, words),
    }
}

/// Read as lines of a unit file, so that all holds for them that holds there.
fn of_words(options: &Options, words: &[String]) -> Result<(String, UnitSection), String> {
    let name = UnitName::parse(UNIT).map_err(|error| error.to_string())?;
    let scope = scope(options);
    let cx = specifiers(scope, &environment(""));
    let mut text = "[Unit]\n".to_owned();
    for word in words {
        let unparsed = format!("Cannot parse \"{word}\".");
        let begins = ["Condition", "Assert"].iter().any(|prefix| word.starts_with(prefix));
        if !begins || !word.contains('=') || word.contains('\n') {
            return Err(unparsed);
        }
        let one = parsed(&name, &format!("[Unit]\n{word}\n"), &cx);
        if one.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::UnknownKey) {
            return Err(unparsed);
        }
        one.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.line > 0)
            .for_each(|diagnostic| eprintln!("{FILE}: {}", diagnostic.text));
        text += word;
        text.push('\n');
    }
    Ok((UNIT.to_owned(), parsed(&name, &text, &cx).config.unit))
}

fn parsed(
    name: &UnitName,
    text: &str,
    cx: &eudaemon_unit::specifier::Context,
) -> eudaemon_unit::merge::Merged {
    let found = Found {
        name: name.clone(),
        aliases: Vec::new(),
        fragment: Fragment::File(FILE.to_owned()),
        dropins: Vec::new(),
        dependencies: Vec::new(),
    };
    merge(name, &[Source { path: FILE, text: text.as_bytes() }], &found, cx)
}

fn of_unit(options: &Options, unit: &str) -> Result<(String, UnitSection), String> {
    let root = options.root.as_deref().unwrap_or("");
    let name = UnitName::parse(unit)
        .or_else(|_| UnitName::parse(&format!("{unit}.service")))
        .map_err(|error| error.to_string())?;
    let (disk, environment, scope) = (Disk::of(root), environment(root), scope(options));
    let ground = Ground::new(&disk.tree, &disk, &[], &environment, scope, specifiers(scope, &environment));
    let loader = Loader {
        tree: ground.tree,
        index: &ground.index,
        cx: &ground.cx,
        scope,
        surroundings: Surroundings::Machine,
    };
    let Config { name, load, unit, .. } = loader.load(&name).config;
    match load {
        LoadState::Loaded => Ok((name.as_str().to_owned(), unit)),
        LoadState::NotFound => Err(format!("Unit {name} not found.")),
        LoadState::Masked => Err(format!("Unit {name} is masked.")),
        LoadState::BadSetting(_) => Err(bad_setting(&name)),
        LoadState::Inconsistent(text) | LoadState::Unreadable(text) => {
            Err(format!("Unit {name} cannot be loaded: {text}"))
        }
    }
}

fn circumstances(scope: Scope) -> Circumstances {
    Circumstances {
        scope: match scope {
            Scope::System => place::Scope::System,
            Scope::User => place::Scope::User,
        },
        container: abilities::container(),
        virtual_machine: abilities::virtual_machine(),
        environment: std::env::vars().map(|(name, value)| format!("{name}={value}")).collect(),
        capabilities: abilities::bounding_set(),
        controllers: abilities::controllers(),
    }
}

fn tell(unit: &str, section: &UnitSection, circumstances: &Circumstances) -> ExitCode {
    let asserts = hold(unit, "Assert", &section.asserts, circumstances);
    let conditions = hold(unit, "Condition", &section.conditions, circumstances);
    if asserts && conditions { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The latest is looked at first, and nothing more after a plain one that does not hold.
fn hold(unit: &str, kind: &str, all: &[Condition], circumstances: &Circumstances) -> bool {
    if all.is_empty() {
        return true;
    }
    let mut triggered = None;
    let mut plain = true;
    for one in all.iter().rev() {
        let verdict = verdict(one, circumstances);
        let (trigger, not) = (if one.triggering { "|" } else { "" }, if one.negated { "!" } else { "" });
        let text = format!("{kind}{}={trigger}{not}{}", one.test, one.value);
        match verdict {
            Some(true) => eprintln!("{unit}: {text} succeeded."),
            Some(false) => eprintln!("{unit}: {text} failed."),
            None => {
                eprintln!("{unit}: Couldn't determine result for {text}, assuming failed: Invalid argument")
            }
        }
        let holds = verdict.unwrap_or(false);
        if one.triggering {
            triggered = Some(triggered.unwrap_or(false) || holds);
        } else if !holds {
            plain = false;
            break;
        }
    }
    let holds = plain && triggered.unwrap_or(true);
    eprintln!("{kind}s {}.", if holds { "succeeded" } else { "failed" });
    holds
}
