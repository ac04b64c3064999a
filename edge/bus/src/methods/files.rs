//! Methods on unit files: enable and its kin. What is changed on disk is the model's business; here are
//! arguments and answers.

use super::{Served, listing::matches_any};
use crate::call::Outcome;
use crate::fault::Fault;
use crate::limits;
use crate::model::{AddedDependency, FileChange, FileChanges, Force, Place, PresetMode};
use eudaemon_unit::name::UnitName;

pub fn enable(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, runtime, force): (Vec<String>, bool, bool) = served.call.arguments()?;
    carrying(served, FileChange::Enable { names, place: place(runtime), force: forced(force) })
}

pub fn reenable(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, runtime, force): (Vec<String>, bool, bool) = served.call.arguments()?;
    carrying(served, FileChange::Reenable { names, place: place(runtime), force: forced(force) })
}

pub fn preset(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, runtime, force): (Vec<String>, bool, bool) = served.call.arguments()?;
    let (place, force) = (place(runtime), forced(force));
    carrying(served, FileChange::Preset { names, mode: PresetMode::Full, place, force })
}

pub fn preset_with_mode(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, mode, runtime, force): (Vec<String>, String, bool, bool) = served.call.arguments()?;
    let mode = preset_mode(&mode)?;
    carrying(served, FileChange::Preset { names, mode, place: place(runtime), force: forced(force) })
}

pub fn preset_all(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (mode, runtime, force): (String, bool, bool) = served.call.arguments()?;
    let mode = preset_mode(&mode)?;
    plain(served, FileChange::PresetAll { mode, place: place(runtime), force: forced(force) })
}

/// Flags: 1 runtime, 2 force (org.freedesktop.systemd1(5)).
pub fn enable_with_flags(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, flags): (Vec<String>, u64) = served.call.arguments()?;
    let (runtime, force) = flagged(flags)?;
    carrying(served, FileChange::Enable { names, place: place(runtime), force: forced(force) })
}

pub fn disable(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, runtime): (Vec<String>, bool) = served.call.arguments()?;
    plain(served, FileChange::Disable { names, place: place(runtime) })
}

pub fn disable_with_flags(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, flags): (Vec<String>, u64) = served.call.arguments()?;
    let (runtime, _) = flagged(flags)?;
    plain(served, FileChange::Disable { names, place: place(runtime) })
}

pub fn link(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (paths, runtime, force): (Vec<String>, bool, bool) = served.call.arguments()?;
    plain(served, FileChange::Link { paths, place: place(runtime), force: forced(force) })
}

pub fn mask(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, runtime, force): (Vec<String>, bool, bool) = served.call.arguments()?;
    plain(served, FileChange::Mask { names, place: place(runtime), force: forced(force) })
}

pub fn unmask(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, runtime): (Vec<String>, bool) = served.call.arguments()?;
    plain(served, FileChange::Unmask { names, place: place(runtime) })
}

pub fn revert(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let names: Vec<String> = served.call.arguments()?;
    plain(served, FileChange::Revert { names })
}

pub fn set_default(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (name, force): (String, bool) = served.call.arguments()?;
    plain(served, FileChange::SetDefault { name, force: forced(force) })
}

pub fn add_dependency(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, target, kind, runtime, force): (Vec<String>, String, String, bool, bool) =
        served.call.arguments()?;
    let kind = match kind.as_str() {
        "Wants" => AddedDependency::Wants,
        "Requires" => AddedDependency::Requires,
        _ => return Err(Fault::invalid_args("Invalid argument")),
    };
    plain(
        served,
        FileChange::AddDependency { names, target, kind, place: place(runtime), force: forced(force) },
    )
}

/// The answer begins with whether any of the units has an `[Install]` section.
fn carrying(served: &mut Served<'_>, change: FileChange) -> Result<Outcome, Fault> {
    let done = apply(served, change)?;
    served.reply(&(done.carries_install, steps(&done)))
}

fn plain(served: &mut Served<'_>, change: FileChange) -> Result<Outcome, Fault> {
    let done = apply(served, change)?;
    served.reply(&steps(&done))
}

fn apply(served: &mut Served<'_>, change: FileChange) -> Result<FileChanges, Fault> {
    let names = match &change {
        FileChange::Enable { names, .. }
        | FileChange::Disable { names, .. }
        | FileChange::Reenable { names, .. }
        | FileChange::Preset { names, .. }
        | FileChange::Mask { names, .. }
        | FileChange::Unmask { names, .. }
        | FileChange::Revert { names }
        | FileChange::AddDependency { names, .. } => names.len(),
        FileChange::Link { paths, .. } => paths.len(),
        FileChange::PresetAll { .. } | FileChange::SetDefault { .. } => 1,
    };
    if names > limits::NAMES {
        return Err(Fault::limits_exceeded("Too many names in one call."));
    }
    let done = served.model.change_files(change)?;
    if !done.changes.is_empty() {
        served.clients.unit_files_changed();
    }
    Ok(done)
}

/// `a(sss)`: what was done, to which path, pointing where.
fn steps(done: &FileChanges) -> Vec<(&str, &str, &str)> {
    done.changes.iter().map(|step| (step.kind, step.path.as_str(), step.source.as_str())).collect()
}

fn place(runtime: bool) -> Place {
    if runtime { Place::Runtime } else { Place::Persistent }
}

fn forced(force: bool) -> Force {
    if force { Force::Yes } else { Force::No }
}

fn flagged(flags: u64) -> Result<(bool, bool), Fault> {
    match flags {
        0..=3 => Ok((flags & 1 != 0, flags & 2 != 0)),
        _ => Err(Fault::invalid_args("Invalid argument")),
    }
}

fn preset_mode(word: &str) -> Result<PresetMode, Fault> {
    match word {
        "" | "full" => Ok(PresetMode::Full),
        "enable-only" => Ok(PresetMode::EnableOnly),
        "disable-only" => Ok(PresetMode::DisableOnly),
        _ => Err(Fault::invalid_args("Invalid argument")),
    }
}

pub fn list(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    listed(served, &[], &[])
}

pub fn list_by_patterns(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (states, patterns): (Vec<String>, Vec<String>) = served.call.arguments()?;
    listed(served, &states, &patterns)
}

/// `a(ss)`: path and state.
fn listed(served: &mut Served<'_>, states: &[String], patterns: &[String]) -> Result<Outcome, Fault> {
    let mut files = served.model.unit_files();
    files.retain(|file| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        (states.is_empty() || states.iter().any(|state| state == file.state)) && matches_any(patterns, name)
    });
    let lines: Vec<(&str, &str)> = files.iter().map(|file| (file.path.as_str(), file.state)).collect();
    served.reply(&lines)
}

pub fn state(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let name: String = served.call.arguments()?;
    UnitName::parse(&name).map_err(|_| Fault::invalid_args("Invalid argument"))?;
    served.reply(&served.model.unit_file_state(&name)?)
}

pub fn links(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (name, runtime): (String, bool) = served.call.arguments()?;
    UnitName::parse(&name).map_err(|_| Fault::invalid_args("Invalid argument"))?;
    served.reply(&served.model.unit_file_links(&name, place(runtime))?)
}

pub fn get_default(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.reply(&served.model.default_target()?)
}
