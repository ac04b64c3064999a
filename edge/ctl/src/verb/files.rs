//! Verbs that change unit files: enable, disable, mask and their kin, through the manager.

use super::names::mangled;
use super::{Failure, jobs};
use crate::bus::{CallError, Client};
use crate::line::{Line, Scope};
use crate::running;
use crate::screen::Screen;
use crate::text::paint::Paint;
use crate::unit_name::{self, Globs};

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
}

pub const ENABLE: Action = Action {
    method: "EnableUnitFiles",
    word: "enable",
    takes: Takes::RuntimeAndForce,
    answers: Answers::InstallAndChanges,
    now: Now::Starts,
};
pub const DISABLE: Action = Action {
    method: "DisableUnitFiles",
    word: "disable",
    takes: Takes::Runtime,
    answers: Answers::Changes,
    now: Now::Stops,
};
pub const REENABLE: Action = Action { method: "ReenableUnitFiles", word: "reenable", ..ENABLE };
pub const PRESET: Action = Action { method: "PresetUnitFiles", word: "preset", now: Now::Ignored, ..ENABLE };
pub const MASK: Action =
    Action { method: "MaskUnitFiles", word: "mask", takes: Takes::RuntimeAndForce, ..DISABLE };
pub const UNMASK: Action = Action { method: "UnmaskUnitFiles", word: "unmask", now: Now::Ignored, ..DISABLE };
pub const LINK: Action =
    Action { method: "LinkUnitFiles", word: "link", answers: Answers::Changes, now: Now::Ignored, ..ENABLE };
pub const REVERT: Action =
    Action { method: "RevertUnitFiles", word: "revert", takes: Takes::Nothing, now: Now::Ignored, ..DISABLE };

pub fn change(line: &Line, screen: &mut Screen, action: &Action) -> Result<u8, Failure> {
    let names = file_names(line, screen)?;
    let mut client = running::reach(line)?;
    let what = format!("{} unit", action.word);
    if matches!(action.method, "MaskUnitFiles" | "UnmaskUnitFiles") {
        note_unknown(line, screen, &mut client, &names);
    }
    let (runtime, force) = (line.options.runtime, line.options.force > 0);
    let answer = match (action.answers, action.takes) {
        (Answers::InstallAndChanges, _) => {
            with_install(line, &mut client, action, &names).map(|(install, changes)| (Some(install), changes))
        }
        (Answers::Changes, Takes::Nothing) => {
            client.manager(action.method, &(&names,)).map(|changes| (None, changes))
        }
        (Answers::Changes, Takes::Runtime) => {
            client.manager(action.method, &(&names, runtime)).map(|changes| (None, changes))
        }
        (Answers::Changes, Takes::RuntimeAndForce) => {
            client.manager(action.method, &(&names, runtime, force)).map(|changes| (None, changes))
        }
    };
    let (install, changes): (Option<bool>, Vec<Change>) =
        answer.map_err(|error| Failure::call(&what, &error))?;
    print_changes(line, screen, &changes);
    if !line.options.no_reload {
        reload(&mut client)?;
    }
    if install == Some(false) && changes.is_empty() && !line.options.quiet && !line.options.no_warn {
        screen.complain(&no_install(action.word));
    }
    match action.now {
        Now::Starts if line.options.now => jobs::now(line, screen, &mut client, jobs::START, &names),
        Now::Stops if line.options.now => jobs::now(line, screen, &mut client, jobs::STOP, &names),
        Now::Starts | Now::Stops | Now::Ignored => Ok(0),
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
    let mut client = running::reach(line)?;
    let mode = line.options.preset_mode.as_str();
    let changes: Result<Vec<Change>, CallError> =
        client.manager("PresetAllUnitFiles", &(mode, line.options.runtime, line.options.force > 0));
    print_changes(line, screen, &changes.map_err(|error| Failure::call("preset all units", &error))?);
    if !line.options.no_reload {
        reload(&mut client)?;
    }
    Ok(0)
}

pub fn add_dependency(line: &Line, screen: &mut Screen, kind: &str) -> Result<u8, Failure> {
    let target = mangled(screen, &line.arguments[0], ".target", Globs::Refused)?;
    let mut names = Vec::new();
    for word in &line.arguments[1..] {
        names.push(mangled(screen, word, ".service", Globs::Refused)?);
    }
    let mut client = running::reach(line)?;
    let body = (&names, target.as_str(), kind, line.options.runtime, line.options.force > 0);
    let changes: Result<Vec<Change>, CallError> = client.manager("AddDependencyUnitFiles", &body);
    print_changes(line, screen, &changes.map_err(|error| Failure::call("add dependency", &error))?);
    if !line.options.no_reload {
        reload(&mut client)?;
    }
    Ok(0)
}

pub fn get_default(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let mut client = running::reach(line)?;
    let target: Result<String, CallError> = client.manager("GetDefaultTarget", &());
    screen.line(&target.map_err(|error| Failure::call("get default target", &error))?);
    Ok(0)
}

pub fn set_default(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let target = mangled(screen, &line.arguments[0], ".target", Globs::Refused)?;
    let mut client = running::reach(line)?;
    let changes: Result<Vec<Change>, CallError> =
        client.manager("SetDefaultTarget", &(target.as_str(), true));
    print_changes(line, screen, &changes.map_err(|error| Failure::call("set default target", &error))?);
    if !line.options.no_reload {
        reload(&mut client)?;
    }
    Ok(0)
}

pub fn is_enabled(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let names = file_names(line, screen)?;
    let mut client = running::reach(line)?;
    let mut code = 1;
    for name in &names {
        let state: Result<String, CallError> = client.manager("GetUnitFileState", &name.as_str());
        let state = state.map_err(|error| {
            Failure::new(format!("Failed to get unit file state for {name}: {}", error.text()))
        })?;
        if counts_as_enabled(&state) {
            code = 0;
        }
        if !line.options.quiet {
            screen.line(&state);
        }
        if line.options.full && !line.options.quiet {
            let links: Result<Vec<String>, CallError> =
                client.manager("GetUnitFileLinks", &(name.as_str(), line.options.runtime));
            links.unwrap_or_default().iter().for_each(|link| screen.line(&format!("  {link}")));
        }
    }
    Ok(code)
}

pub fn counts_as_enabled(state: &str) -> bool {
    matches!(state, "enabled" | "enabled-runtime" | "static" | "alias" | "indirect" | "generated")
}

/// Names or paths of unit files. A path may be relative to where the caller stands.
fn file_names(line: &Line, screen: &mut Screen) -> Result<Vec<String>, Failure> {
    line.arguments
        .iter()
        .map(|word| {
            let is_file = word.contains('/') && unit_name::type_of(word).is_some();
            if !is_file {
                return mangled(screen, word, ".service", Globs::Refused);
            }
            let path = std::path::absolute(word)
                .map_err(|error| Failure::new(format!("Failed to determine path of {word}: {error}")))?;
            Ok(path.to_string_lossy().into_owned())
        })
        .collect()
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

fn reload(client: &mut Client) -> Result<(), Failure> {
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

fn no_install(word: &str) -> String {
    let word = if word == "preset" { "enabled or disabled" } else { "enabled" };
    format!("{NO_INSTALL}{word} {NO_INSTALL_REASONS}")
}

const NO_INSTALL: &str = "\
The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be ";

const NO_INSTALL_REASONS: &str = "\
using systemctl.
 
Possible reasons for having this kind of units are:
• A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
• A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
• A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
• In case of template units, the unit is meant to be enabled with some
  instance name specified.";
