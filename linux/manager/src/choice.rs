//! What `up` runs: of a folder's units those that are meant to be started, or the one whose file was named.

use crate::units::{Loaded, Units};
use eudaemon_unit::config::LoadState;
use eudaemon_unit::folder;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the manager's own lines open with.
const OWN: &str = "eudaemon";

/// Columns; longer names stand out, so that the lines of all others keep their room. logd goes no further either.
const WIDEST: usize = 24;

#[derive(Debug, Default)]
pub struct Choice {
    pub start: Vec<UnitName>,
    /// The folder's others that nothing among those leads to.
    pub left_out: Vec<Loaded>,
}

/// The folder whose units are meant: where one unit's file was named, the folder it lies in.
pub fn folder(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (one_unit(&path), path.parent()) {
        (Some(_), Some(parent)) => parent.to_owned(),
        (Some(_), None) | (None, _) => path,
    }
}

fn one_unit(path: &Path) -> Option<UnitName> {
    let name = UnitName::parse(path.file_name()?.to_str()?).ok()?;
    path.is_file().then_some(name)
}

/// Columns that the names before a folder's lines will need; our own is among them.
pub fn column(path: &Path) -> usize {
    let names = names_in(&folder(path)).unwrap_or_default();
    let services = names.iter().filter_map(|name| name.as_str().strip_suffix(".service"));
    services.chain([OWN]).map(str::len).max().unwrap_or_default().min(WIDEST)
}

/// The error is one line for who typed `path`.
pub fn choose(units: &Units, path: &Path) -> Result<Choice, String> {
    if let Some(unit) = one_unit(path).filter(|name| !name.is_template()) {
        return Ok(Choice { start: vec![unit], left_out: Vec::new() });
    }
    let own = names_in(path).map_err(|trouble| format!("{}: {trouble}", path.display()))?;
    let choice = of_folder(units, &own);
    match choice.start.is_empty() {
        false => Ok(choice),
        true => Err(format!(
            "{}: no unit to run here: expected default.target, or service files such as web.service",
            path.display()
        )),
    }
}

fn names_in(path: &Path) -> Result<BTreeSet<UnitName>, String> {
    let entries = fs::read_dir(path).map_err(|error| unreadable(error.kind()))?;
    let names = entries.flatten().filter_map(|entry| UnitName::parse(entry.file_name().to_str()?).ok());
    Ok(names.filter(|name| !name.is_template()).collect())
}

fn unreadable(kind: io::ErrorKind) -> String {
    let expected = "expected a folder of unit files, or one unit file such as web.service";
    if kind == io::ErrorKind::NotFound {
        format!("no such directory: {expected}")
    } else if kind == io::ErrorKind::NotADirectory {
        format!("not a unit file: {expected}")
    } else {
        format!("cannot read the folder: {kind}")
    }
}

/// Of a folder's units those that are meant to be started, and the rest.
fn of_folder(units: &Units, own: &BTreeSet<UnitName>) -> Choice {
    let names: Vec<UnitName> = own.iter().cloned().collect();
    let mut loaded = units.closure(&names);
    loaded.retain(|one| one.config.load != LoadState::Masked && folder::is_in(own, &one.config));
    let start = folder::to_start(&loaded.iter().map(|one| &*one.config).collect::<Vec<_>>());
    let reached: BTreeSet<UnitName> =
        units.closure(&start).into_iter().map(|one| one.config.name.clone()).collect();
    loaded.retain(|one| !reached.contains(&one.config.name));
    Choice { start, left_out: loaded }
}
