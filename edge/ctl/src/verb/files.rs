//! Verbs that change unit files: enable, disable, mask and their kin. The manager does it where one runs; else
//! the files are changed here.

use super::names::mangled;
use super::{Failure, jobs, sysv};
use crate::bus::{CallError, Client};
use crate::disk::Disk;
use crate::line::{Line, Options, Scope};
use crate::running;
use crate::screen::Screen;
use crate::text::paint::Paint;
use crate::unit_name::{self, Globs};
use eudaemon_unit::files::{base_name, join};
use eudaemon_unit::install::{AddedDependency, Force, PresetMode, Request};

/// One change to the file system: `symlink` or `unlink`, where, and where to.
type Change = (String, String, String);

/// Which arguments the manager's method takes after the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Runtime,
    RuntimeAndForce,
}

/// Whether the answer begins with a word about `[Install]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Changes,
    InstallAndChanges,
}

/// How the library words the same request.
type AsRequest = fn(Vec<String>, &Options) -> Request;

fn force(options: &Options) -> Force {
    if options.force > 0 { Force::Yes } else { Force::No }
}

fn preset_mode(options: &Options) -> PresetMode {
    match options.preset_mode.as_str() {
        "enable-only" => PresetMode::EnableOnly,
        "disable-only" => PresetMode::DisableOnly,
        _ => PresetMode::Full,
    }
}

/// What `--now` starts or stops besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    Starts,
    Stops,
    Ignored,
}

/// One verb: the manager's method, and how to talk to it.
#[derive(Debug)]
pub struct Action {
    method: &'static str,
    word: &'static str,
    takes: Takes,
    answers: Answers,
    now: Now,
    request: AsRequest,
}

pub const ENABLE: Action = Action {
    method: "EnableUnitFiles",
    word: "enable",
    takes: Takes::RuntimeAndForce,
    answers: Answers::InstallAndChanges,
    now: Now::Starts,
    request: |names, options| Request::Enable { names, force: force(options) },
};
pub const DISABLE: Action = Action {
    method: "DisableUnitFiles",
    word: "disable",
    takes: Takes::Runtime,
    answers: Answers::Changes,
    now: Now::Stops,
    request: |names, _| Request::Disable { names },
};
pub const REENABLE: Action = Action {
    method: "ReenableUnitFiles",
    word: "reenable",
    now: Now::Ignored,
    request: |names, options| Request::Reenable { names, force: force(options) },
    ..ENABLE
};
pub const PRESET: Action = Action {
    method: "PresetUnitFiles",
    word: "preset",
    now: Now::Ignored,
    request: |names, options| Request::Preset { names, mode: preset_mode(options), force: force(options) },
    ..ENABLE
};
pub const MASK: Action = Action {
    method: "MaskUnitFiles",
    word: "mask",
    takes: Takes::RuntimeAndForce,
    request: |names, options| Request::Mask { names, force: force(options) },
    ..DISABLE
};
pub const UNMASK: Action = Action {
    method: "UnmaskUnitFiles",
    word: "unmask",
    now: Now::Ignored,
    request: |names, _| Request::Unmask { names },
    ..DISABLE
};
pub const LINK: Action = Action {
    method: "LinkUnitFiles",
    word: "link",
    answers: Answers::Changes,
    now: Now::Ignored,
    request: |paths, options| Request::Link { paths, force: force(options) },
    ..ENABLE
};
pub const REVERT: Action = Action {
    method: "RevertUnitFiles",
    word: "revert",
    takes: Takes::Nothing,
    now: Now::Ignored,
    request: |names, _| Request::Revert { names },
    ..DISABLE
};

pub fn change(line: &Line, screen: &mut Screen, action: &Action) -> Result<u8, Failure> {
    let names = file_names(&line.arguments, screen)?;
    let client = running::reach_if_running(line)?;
    let disk = Disk::read(&line.options);
    let (mut names, old_style) = sysv::split(&disk, names, action.word)?;
    match action.word {
        "disable" => names = plain_names(screen, names),
        "link" => names = link_paths(line, names)?,
        _ => {}
    }
    sysv::redirect(line, screen, &old_style, action.word)?;
    if names.is_empty() && !old_style.is_empty() {
        return match client {
            Some(mut client) => reload(&mut client, line).map(|()| 0),
            None => Ok(0),
        };
    }
    let Some(mut client) = client else {
        let request = (action.request)(names.clone(), &line.options);
        change_files(line, screen, &disk, &request, action.word)?;
        if line.options.now && line.options.root.is_some() && action.now != Now::Ignored {
            return Err(Failure::new("--now has no meaning with --root=: nothing runs there."));
        }
        // Without a manager nothing runs that could be stopped.
        return match action.now {
            Now::Starts if line.options.now && line.options.root.is_none() => {
                jobs::now(line, screen, &mut running::reach_or_start(line)?, jobs::START, &names)
            }
            Now::Starts | Now::Stops | Now::Ignored => Ok(0),
        };
    };
    let (install, changes) = ask(line, screen, &mut client, action, &names).inspect_err(|_| {
        // The manager's answer does not say which line is to blame.
        let request = (action.request)(names.clone(), &line.options);
        disk.odd(&request).iter().for_each(|line| screen.complain(line));
    })?;
    print_changes(line, screen, &changes);
    reload(&mut client, line)?;
    if install == Some(false) && action.word != "preset" {
        note_no_install(line, screen);
    }
    match action.now {
        Now::Starts if line.options.now => jobs::now(line, screen, &mut client, jobs::START, &names),
        Now::Stops if line.options.now => jobs::now(line, screen, &mut client, jobs::STOP, &names),
        Now::Starts | Now::Stops | Now::Ignored => Ok(0),
    }
}

/// The manager's answer: whether the units have an `[Install]` section, if it says so, and what was changed.
fn ask(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    action: &Action,
    names: &[String],
) -> Result<(Option<bool>, Vec<Change>), Failure> {
    if matches!(action.method, "MaskUnitFiles" | "UnmaskUnitFiles") {
        note_unknown(line, screen, client, names);
    }
    let (runtime, force) = (line.options.runtime, line.options.force > 0);
    let answer = match (action.answers, action.takes) {
        (Answers::InstallAndChanges, _) => with_install(line, client, action, names)
            .map(|(install, changes): (bool, Vec<Change>)| (Some(install), changes)),
        (Answers::Changes, Takes::Nothing) => {
            client.manager(action.method, &(names,)).map(|changes| (None, changes))
        }
        (Answers::Changes, Takes::Runtime) => {
            client.manager(action.method, &(names, runtime)).map(|changes| (None, changes))
        }
        (Answers::Changes, Takes::RuntimeAndForce) => {
            client.manager(action.method, &(names, runtime, force)).map(|changes| (None, changes))
        }
    };
    answer.map_err(|error| Failure::call(&format!("{} unit", action.word), &error))
}

/// The same without a manager.
fn change_files(
    line: &Line,
    screen: &mut Screen,
    disk: &Disk,
    request: &Request,
    word: &str,
) -> Result<(), Failure> {
    let changed = disk.change(request, word)?;
    changed.odd.iter().for_each(|line| screen.complain(line));
    let told = |is_failure: bool| is_failure || !line.options.quiet;
    changed
        .lines
        .iter()
        .filter(|(_, is_failure)| told(*is_failure))
        .for_each(|(text, _)| screen.complain(text));
    if let Some(refusal) = changed.refusal {
        // Where the lines tell of a failure already, no further one is told.
        let said = changed.lines.iter().any(|(_, is_failure)| *is_failure);
        return Err(Failure::new(if said { String::new() } else { refusal }));
    }
    if changed.asked_for == 0 && matches!(word, "enable" | "reenable") {
        note_no_install(line, screen);
    }
    Ok(())
}

fn note_no_install(line: &Line, screen: &mut Screen) {
    if !line.options.quiet && !line.options.no_warn {
        screen.complain(NO_INSTALL);
    }
}

fn with_install(
    line: &Line,
    client: &mut Client,
    action: &Action,
    names: &[String],
) -> Result<(bool, Vec<Change>), CallError> {
    let (runtime, force) = (line.options.runtime, line.options.force > 0);
    let mode = line.options.preset_mode.as_str();
    if action.method == PRESET.method && mode != "full" {
        return client.manager("PresetUnitFilesWithMode", &(names, mode, runtime, force));
    }
    client.manager(action.method, &(names, runtime, force))
}

pub fn preset_all(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let Some(mut client) = running::reach_if_running(line)? else {
        let request = Request::PresetAll { mode: preset_mode(&line.options), force: force(&line.options) };
        return change_files(line, screen, &Disk::read(&line.options), &request, "preset").map(|()| 0);
    };
    let mode = line.options.preset_mode.as_str();
    let body = (mode, line.options.runtime, line.options.force > 0);
    let changes = client.manager("PresetAllUnitFiles", &body);
    settle(line, screen, &mut client, changes, "preset all units")
}

pub fn add_dependency(line: &Line, screen: &mut Screen, kind: AddedDependency) -> Result<u8, Failure> {
    let target = target_name(line, screen)?;
    let names = file_names(&line.arguments[1..], screen)?;
    let Some(mut client) = running::reach_if_running(line)? else {
        let request = Request::AddDependency { names, target, kind, force: force(&line.options) };
        return change_files(line, screen, &Disk::read(&line.options), &request, "add dependency on")
            .map(|()| 0);
    };
    let word = match kind {
        AddedDependency::Wants => "Wants",
        AddedDependency::Requires => "Requires",
    };
    let body = (&names, target.as_str(), word, line.options.runtime, line.options.force > 0);
    let changes = client.manager("AddDependencyUnitFiles", &body);
    settle(line, screen, &mut client, changes, "add dependency")
}

pub fn get_default(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let target = match running::reach_if_running(line)? {
        Some(mut client) => {
            let target: Result<String, CallError> = client.manager("GetDefaultTarget", &());
            target.map_err(|error| Failure::call("get default target", &error))?
        }
        None => Disk::read(&line.options).default_target()?,
    };
    screen.line(&target);
    Ok(0)
}

pub fn set_default(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let target = target_name(line, screen)?;
    let Some(mut client) = running::reach_if_running(line)? else {
        let request = Request::SetDefault { name: target, force: Force::Yes };
        return change_files(line, screen, &Disk::read(&line.options), &request, "set default").map(|()| 0);
    };
    let changes = client.manager("SetDefaultTarget", &(target.as_str(), true));
    settle(line, screen, &mut client, changes, "set default target")
}

/// Prints what a call changed, and lets the manager read it.
fn settle(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    changes: Result<Vec<Change>, CallError>,
    what: &str,
) -> Result<u8, Failure> {
    print_changes(line, screen, &changes.map_err(|error| Failure::call(what, &error))?);
    reload(client, line).map(|()| 0)
}

pub fn is_enabled(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let names = file_names(&line.arguments, screen)?;
    let mut client = running::reach_if_running(line)?;
    let disk = Disk::read(&line.options);
    let (names, old_style) = sysv::split(&disk, names, "is-enabled")?;
    let mut code = 1;
    for script in &old_style {
        let enabled = sysv::is_enabled(line, &script.name)?;
        code = if enabled { 0 } else { code };
        if !line.options.quiet {
            screen.line(if enabled { "enabled" } else { "disabled" });
        }
    }
    for name in &names {
        let state = match &mut client {
            Some(client) => client.manager("GetUnitFileState", &name.as_str()).map_err(|error| {
                // The manager's answer does not say which line is to blame.
                disk.state(name).1.iter().for_each(|line| screen.complain(line));
                Failure::new(format!("Failed to get unit file state for {name}: {}", error.text()))
            })?,
            None => {
                let (state, odd) = disk.state(name);
                odd.iter().for_each(|line| screen.complain(line));
                state?.word().to_owned()
            }
        };
        if counts_as_enabled(&state) {
            code = 0;
        }
        if line.options.quiet {
            continue;
        }
        screen.line(&state);
        if line.options.full {
            let links: Vec<String> = match &mut client {
                Some(client) => client
                    .manager("GetUnitFileLinks", &(name.as_str(), line.options.runtime))
                    .unwrap_or_default(),
                None => disk.links_of(name),
            };
            links.iter().for_each(|link| screen.line(&format!("  {link}")));
        }
    }
    Ok(code)
}

pub fn counts_as_enabled(state: &str) -> bool {
    matches!(state, "enabled" | "enabled-runtime" | "static" | "alias" | "indirect" | "generated")
}

fn target_name(line: &Line, screen: &mut Screen) -> Result<String, Failure> {
    mangled(screen, &line.arguments[0], ".target", Globs::Refused)
        .map_err(|_| Failure::new("Failed to mangle unit name: Invalid argument"))
}

/// Names or paths of unit files. A path may be relative to where the caller stands.
fn file_names(words: &[String], screen: &mut Screen) -> Result<Vec<String>, Failure> {
    let name = |word: &String| {
        if !word.contains('/') {
            return mangled(screen, word, ".service", Globs::Refused).map_err(|_| {
                Failure::new(format!("Failed to mangle unit name or path '{word}': Invalid argument"))
            });
        }
        if word.starts_with('/') {
            return Ok(word.clone());
        }
        let here = std::env::current_dir()
            .map_err(|error| Failure::new(format!("Failed to determine path of {word}: {error}")))?;
        Ok(join(&here.to_string_lossy(), word))
    };
    words.iter().map(name).collect()
}

/// Of paths, the name at the end: disabling goes by names.
fn plain_names(screen: &mut Screen, names: Vec<String>) -> Vec<String> {
    if names.iter().any(|name| name.contains('/')) {
        screen
            .complain("Warning: Can't execute disable on the unit file path. Proceeding with the unit name.");
    }
    names.iter().map(|name| base_name(name).to_owned()).collect()
}

/// Linking goes by paths.
fn link_paths(line: &Line, names: Vec<String>) -> Result<Vec<String>, Failure> {
    match names.iter().find(|name| !name.starts_with('/')) {
        None => Ok(names),
        Some(name) if line.options.root.is_some() => {
            Err(Failure::new(format!("Non-absolute paths are not allowed when --root is used: {name}")))
        }
        Some(name) => Err(Failure::new(format!(
            "Link argument must contain at least one directory component.\nIf you intended to link a file in the current directory, try ./{name} instead."
        ))),
    }
}

fn note_unknown(line: &Line, screen: &mut Screen, client: &mut Client, names: &[String]) {
    if line.options.quiet {
        return;
    }
    for name in names {
        let path = unit_name::object_path(name);
        let load = client.property(&path, crate::bus::UNIT, "LoadState");
        if load.is_ok_and(|state| state.text() == Some("not-found")) {
            screen.complain(&format!("Unit {name} does not exist, proceeding anyway."));
        }
    }
}

/// Lets the manager read what has changed, unless told not to.
fn reload(client: &mut Client, line: &Line) -> Result<(), Failure> {
    if line.options.no_reload {
        return Ok(());
    }
    let answer: Result<(), CallError> = client.manager("Reload", &());
    answer.map_err(|error| Failure::new(format!("Reload daemon failed: {}", error.text())))
}

fn print_changes(line: &Line, screen: &mut Screen, changes: &[Change]) {
    if !line.options.quiet {
        for change in changes {
            if let Some(text) = describe(change, screen.paint) {
                screen.complain(&text);
            }
        }
    }
}

/// One change in words.
fn describe((kind, path, source): &Change, paint: Paint) -> Option<String> {
    match kind.as_str() {
        "symlink" => Some(format!("Created symlink {path} {} {source}.", paint.arrow())),
        "unlink" => Some(format!("Removed \"{path}\".")),
        "masked" => Some(format!("Unit {path} is masked, ignoring.")),
        "dangling" => Some(format!("Unit {path} is an alias to a unit that is not present, ignoring.")),
        "destination" => {
            Some(format!("Unit {path} is added as a dependency to a non-existent unit {source}."))
        }
        _ => None,
    }
}

/// The advice that goes with a unit whose file is newer than what the manager read.
pub fn changed_on_disk(line: &Line, unit: &str) -> String {
    let user = if line.options.scope == Scope::User { " --user" } else { "" };
    let word = line.called_as.word();
    format!(
        "Warning: The unit file, source configuration file or drop-ins of {unit} changed on disk. Run '{word}{user} daemon-reload' to reload units."
    )
}

/// An error of the system in its own words, without Rust's number behind it.
pub fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

const NO_INSTALL: &str = "\
The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be enabled using systemctl.
 
Possible reasons for having this kind of units are:
• A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
• A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
• A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
• In case of template units, the unit is meant to be enabled with some
  instance name specified.";
