//! `unit-paths` and `cat-config`: where units and configuration lie, and what is in it.

use crate::Options;
use crate::times::Judge;
use eudaemon_unit::files::{self, Environment, SearchPath};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Whose units or configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    System,
    User,
    /// What all users share.
    Global,
}

/// Where configuration lies, most important first.
const PREFIXES: &[&str] = &["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"];

/// Folders of configuration whose files do not end in `.conf`.
const ENDINGS: &[(&str, &str)] = &[
    ("udev/rules.d", ".rules"),
    ("udev/hwdb.d", ".hwdb"),
    ("kernel/install.d", ".install"),
    ("systemd/ntp-units.d", ".list"),
    ("systemd/relabel-extra.d", ".relabel"),
    ("systemd/system-preset", ".preset"),
    ("systemd/user-preset", ".preset"),
];

/// What the caller's environment says of search paths.
pub fn environment() -> Environment {
    eudaemon_verify::environment("")
}

pub fn unit_paths(options: &Options, _: &[String], _: &Judge) -> ExitCode {
    let environment = environment();
    let runtime = environment.runtime_directory.is_some();
    // Without a runtime directory a user's manager has none of its own below /run either.
    let own = |path: &&String| runtime || !path.starts_with("/run/user/");
    let mut search = match options.scope {
        None | Some(Scope::System) => SearchPath::new(files::Scope::System, &environment),
        Some(Scope::User) => SearchPath::new(files::Scope::User, &environment),
        Some(Scope::Global) => {
            files::ALL_USERS.iter().for_each(|path| outln!("{path}"));
            return ExitCode::SUCCESS;
        }
    };
    search.leave_out_vendor();
    search.directories.iter().filter(own).for_each(|path| outln!("{path}"));
    ExitCode::SUCCESS
}

pub fn cat_config(options: &Options, names: &[String], _: &Judge) -> ExitCode {
    let root = Path::new(options.root.as_deref().unwrap_or("/"));
    for (at, given) in names.iter().enumerate() {
        if at > 0 {
            out!("\n\n");
        }
        let name = match given.starts_with('/') {
            false => given.as_str(),
            true => match below_prefix(given) {
                Some(name) => name,
                None => {
                    eprintln!("Path {given} does not start with any known prefix.");
                    return ExitCode::FAILURE;
                }
            },
        };
        if let Err(text) = show(root, name) {
            eprintln!("{text}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn below_prefix(path: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)?.strip_prefix('/'))
}

/// A file with its drop-ins, or a folder that is all drop-ins.
fn show(root: &Path, name: &str) -> Result<(), String> {
    if name.is_empty() || name.split('/').any(|part| part == "..") {
        return Err(format!("{name:?} names no configuration"));
    }
    let place = |prefix: &&str| root.join(prefix.trim_start_matches('/')).join(name);
    let ending = ENDINGS.iter().find(|(folder, _)| *folder == name).map(|(_, ending)| *ending);
    let mut shown = Vec::new();
    if let (None, false) = (ending, name.ends_with(".d")) {
        match PREFIXES.iter().map(place).find(|path| path.exists()) {
            Some(path) => shown.push(path),
            None => outln!("# Main configuration file {name} not found"),
        }
        shown.extend(fragments(root, &format!("{name}.d"), ".conf"));
    } else {
        shown.extend(fragments(root, name, ending.unwrap_or(".conf")));
    }
    for (at, path) in shown.iter().enumerate() {
        if at > 0 {
            outln!();
        }
        let text = fs::read(path).map_err(|error| format!("Failed to cat {}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&text);
        outln!("# {}", path.display());
        out!("{text}{}", if text.is_empty() || text.ends_with('\n') { "" } else { "\n" });
    }
    Ok(())
}

/// The files of a folder under all prefixes, by name; the first of a name hides the others, and a link to
/// `/dev/null` hides them all.
fn fragments(root: &Path, folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for prefix in PREFIXES {
        let Ok(entries) = fs::read_dir(root.join(prefix.trim_start_matches('/')).join(folder)) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(ending) {
                found.entry(name).or_insert_with(|| entry.path());
            }
        }
    }
    let hidden = |path: &PathBuf| fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null"));
    found.into_values().filter(|path| !hidden(path)).collect()
}
