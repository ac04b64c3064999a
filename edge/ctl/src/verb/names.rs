//! Words on the command line turned into the names of units.

use super::Failure;
use crate::bus::{CallError, Client};
use crate::line::Options;
use crate::screen::Screen;
use crate::unit_name::{self, Globs, Mangled};

/// One row of `ListUnits`.
pub type UnitRow = (
    String,
    String,
    String,
    String,
    String,
    String,
    zbus::OwnedObjectPath,
    u32,
    String,
    zbus::OwnedObjectPath,
);

/// A unit as listed, with the fields that are read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUnit {
    pub name: String,
    pub description: String,
    pub load: String,
    pub active: String,
    pub sub: String,
    pub following: String,
    pub path: String,
    pub job: Option<String>,
}

impl From<UnitRow> for ListedUnit {
    fn from(row: UnitRow) -> ListedUnit {
        let (name, description, load, active, sub, following, path, job, job_type, _) = row;
        let job = (job != 0).then_some(job_type);
        ListedUnit { name, description, load, active, sub, following, path: path.to_string(), job }
    }
}

/// What a word may be.
pub fn mangled(screen: &mut Screen, word: &str, suffix: &str, globs: Globs) -> Result<String, Failure> {
    match unit_name::mangle(word, suffix, globs) {
        Some(Mangled { name, warning }) => {
            if let Some(warning) = warning {
                screen.hint(&warning);
            }
            Ok(name)
        }
        None => Err(Failure::new(
            "Failed to mangle name: Invalid argument\nFailed to expand names: Invalid argument",
        )),
    }
}

/// The names meant: patterns stand for the units that `list-units` would list for them.
pub fn expand(
    client: &mut Client,
    screen: &mut Screen,
    options: &Options,
    words: &[String],
    suffix: &str,
) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut patterns = Vec::new();
    for word in words {
        let name = mangled(screen, word, suffix, Globs::Allowed)?;
        if unit_name::is_glob(&name) { patterns.push(name) } else { names.push(name) }
    }
    if !patterns.is_empty() {
        let listed = super::units::listed(client, options, &patterns)?;
        names.extend(listed.into_iter().map(|unit| unit.name));
    }
    Ok(names)
}

/// Units in memory, by state and pattern. Aliases and the followers of devices are the manager's to leave out.
pub fn list(
    client: &mut Client,
    states: &[String],
    patterns: &[String],
) -> Result<Vec<ListedUnit>, CallError> {
    let rows: Vec<UnitRow> = client.manager("ListUnitsByPatterns", &(states, patterns))?;
    Ok(rows.into_iter().map(ListedUnit::from).collect())
}
