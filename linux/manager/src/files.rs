//! Unit files as clients see and change them: the bus's words for what `eudaemon_unit::install` decides, and
//! the real file system it is done on.

use crate::units::Units;
use eudaemon_bus::{self as bus, Fault, FileChange, FileChanges, FileStep, UnitFile};
use eudaemon_unit::install::{
    self, Change, Note, PresetMode, Presets, Refusal, Request, State, Unreadable, as_told,
};
use eudaemon_unit::name::UnitName;

pub fn list(units: &Units) -> Vec<UnitFile> {
    let files = install::list(units.tree(), units.ground());
    // The units our binary carries are no files anybody can see.
    let real = files.into_iter().filter(|(path, _)| !path.starts_with("/usr/lib/eudaemon/"));
    real.map(|(path, state)| UnitFile { path, state: state.word() }).collect()
}

pub fn state(units: &Units, name: &str) -> Result<&'static str, Fault> {
    match install::state(units.tree(), units.ground(), name) {
        Ok(State::Bad) => Err(Fault::bad_unit_setting("Invalid argument")),
        Ok(state) => Ok(state.word()),
        Err(why) => Err(unreadable(why)),
    }
}

fn unreadable(why: Unreadable) -> Fault {
    match why {
        Unreadable::BadName => Fault::invalid_args("Invalid argument"),
        Unreadable::NotFound => Fault::file_not_found("No such file or directory"),
        Unreadable::DeadEnd => Fault::failed("Link has been severed"),
        Unreadable::Other(reason) => Fault::failed(reason),
    }
}

pub fn preset(units: &Units, name: &UnitName) -> &'static str {
    Presets::read(units.tree(), units.search()).word(name.as_str())
}

pub fn links(units: &Units, name: &str, place: bus::Place) -> Result<Vec<String>, Fault> {
    UnitName::parse(name).map_err(|error| Fault::invalid_args(error.to_string()))?;
    Ok(install::links_of(units.tree(), units.ground(), of_place(place), name))
}

pub fn default_target(units: &Units) -> Result<String, Fault> {
    install::default_target(units.tree(), units.ground()).map_err(unreadable)
}

/// Decides, and does what was decided before a refusal too, as systemd does.
pub fn change(units: &Units, change: FileChange) -> Result<FileChanges, Fault> {
    let (place, request) = asked(change);
    let plan = install::plan(units.tree(), units.ground(), place, &request);
    units
        .tree()
        .inner()
        .apply(&plan.changes)
        .map_err(|(path, error)| Fault::failed(format!("Failed to change {path}: {error}")))?;
    match plan.refusal {
        Some(refusal) => Err(fault(&refusal)),
        None => Ok(FileChanges {
            carries_install: plan.asked_for > 0,
            changes: plan.changes.iter().filter_map(step).collect(),
        }),
    }
}

fn step(change: &Change) -> Option<FileStep> {
    let said = |kind, path: &str, source: &str| {
        Some(FileStep { kind, path: path.to_owned(), source: source.to_owned() })
    };
    match change {
        Change::Symlink { path, target } => said("symlink", path, &as_told(target)),
        Change::Unlink { path } => said("unlink", path, ""),
        Change::RemoveDirectory { .. } => None,
        Change::Note(Note::Masked { path }) => said("masked", path, ""),
        Change::Note(Note::Dangling { path }) => said("dangling", path, ""),
        Change::Note(Note::DestinationMissing { wanted, unit }) => {
            said("destination not present", wanted, &as_told(unit))
        }
        Change::Note(Note::AuxiliaryFailed { unit }) => said("auxiliary unit failed", unit, ""),
        // The whole is refused for it, or it goes without saying.
        Change::Note(Note::Failed(_) | Note::NoFolder { .. }) => None,
    }
}

/// The bus's error names, which must outlive us all.
const NAMES: &[&str] = &[
    "org.freedesktop.systemd1.UnitExists",
    "org.freedesktop.systemd1.UnitMasked",
    "org.freedesktop.systemd1.UnitGenerated",
    "org.freedesktop.systemd1.BadUnitSetting",
    "org.freedesktop.systemd1.UnitLinked",
    "org.freedesktop.systemd1.NoSuchUnit",
    "org.freedesktop.systemd1.UnitBadPath",
    "org.freedesktop.DBus.Error.InvalidArgs",
    "org.freedesktop.DBus.Error.Failed",
];

fn fault(refusal: &Refusal) -> Fault {
    let (name, text) = refusal.over_the_bus();
    let known = NAMES.iter().find(|known| known.strip_prefix("org.freedesktop.") == Some(name));
    Fault { name: known.unwrap_or(&"org.freedesktop.DBus.Error.Failed"), text: text.into() }
}

fn of_place(place: bus::Place) -> install::Place {
    match place {
        bus::Place::Persistent => install::Place::Persistent,
        bus::Place::Runtime => install::Place::Runtime,
    }
}

fn of_force(force: bus::Force) -> install::Force {
    match force {
        bus::Force::No => install::Force::No,
        bus::Force::Yes => install::Force::Yes,
    }
}

fn of_mode(mode: bus::PresetMode) -> PresetMode {
    match mode {
        bus::PresetMode::Full => PresetMode::Full,
        bus::PresetMode::EnableOnly => PresetMode::EnableOnly,
        bus::PresetMode::DisableOnly => PresetMode::DisableOnly,
    }
}

fn asked(change: FileChange) -> (install::Place, Request) {
    let persistent = install::Place::Persistent;
    match change {
        FileChange::Enable { names, place, force } => {
            (of_place(place), Request::Enable { names, force: of_force(force) })
        }
        FileChange::Disable { names, place } => (of_place(place), Request::Disable { names }),
        FileChange::Reenable { names, place, force } => {
            (of_place(place), Request::Reenable { names, force: of_force(force) })
        }
        FileChange::Link { paths, place, force } => {
            (of_place(place), Request::Link { paths, force: of_force(force) })
        }
        FileChange::Preset { names, mode, place, force } => {
            (of_place(place), Request::Preset { names, mode: of_mode(mode), force: of_force(force) })
        }
        FileChange::PresetAll { mode, place, force } => {
            (of_place(place), Request::PresetAll { mode: of_mode(mode), force: of_force(force) })
        }
        FileChange::Mask { names, place, force } => {
            (of_place(place), Request::Mask { names, force: of_force(force) })
        }
        FileChange::Unmask { names, place } => (of_place(place), Request::Unmask { names }),
        FileChange::Revert { names } => (persistent, Request::Revert { names }),
        FileChange::SetDefault { name, force } => {
            (persistent, Request::SetDefault { name, force: of_force(force) })
        }
        FileChange::AddDependency { names, target, kind, place, force } => {
            let kind = match kind {
                bus::AddedDependency::Wants => install::AddedDependency::Wants,
                bus::AddedDependency::Requires => install::AddedDependency::Requires,
            };
            (of_place(place), Request::AddDependency { names, target, kind, force: of_force(force) })
        }
    }
}
