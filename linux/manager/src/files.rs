//! Unit files as clients see and change them.

use crate::units::Units;
use eudaemon_bus::{Fault, FileChange, FileChanges, Place, UnitFile};
use eudaemon_unit::name::UnitName;

const LATER: &str = "Unit files cannot be asked about or changed through the manager yet.";

pub fn list(_units: &Units) -> Vec<UnitFile> {
    Vec::new()
}

pub fn state(_units: &Units, _name: &str) -> Result<&'static str, Fault> {
    Err(Fault::not_supported(LATER))
}

pub fn preset(_units: &Units, _name: &UnitName) -> &'static str {
    ""
}

pub fn links(_units: &Units, _name: &str, _place: Place) -> Result<Vec<String>, Fault> {
    Err(Fault::not_supported(LATER))
}

pub fn default_target(_units: &Units) -> Result<String, Fault> {
    Err(Fault::not_supported(LATER))
}

pub fn change(_units: &Units, _change: FileChange) -> Result<FileChanges, Fault> {
    Err(Fault::not_supported(LATER))
}
