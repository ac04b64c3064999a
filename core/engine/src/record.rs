//! What is written down after a step so that a new manager can go on: one record per unit and job that
//! changed, and one for the engine's counters. A later record of the same key replaces an earlier one.

use crate::api::JobId;
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

/// Which record this is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    Engine,
    Unit(UnitName),
    Job(JobId),
    /// Why a unit changed that was forgotten since.
    Past(UnitName),
}

/// A key and the state under it; `None` removes it. The state's encoding is the engine's own affair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub key: Key,
    pub state: Option<Vec<u8>>,
}
