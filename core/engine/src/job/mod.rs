//! One thing to be done with one unit. At most one job per unit is queued; it waits for the jobs of units it
//! is ordered against, runs, and ends with a result. `algebra` says how kinds of job combine.

pub mod algebra;

use crate::api::{JobId, JobKind};
use crate::graph::UnitId;
use crate::transaction::waves::Ordered;
use crate::transaction::{Order, Queued, Strength};
use crate::why::Errand;
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub unit: UnitId,
    pub facts: Facts,
    /// The unit whose job goes first: this one is looked at again when that is gone. Found anew after a crash.
    pub blocked_by: Option<UnitId>,
    /// Where among the unit's neighbours that one stands: the search goes on there, not from the beginning.
    pub place: u32,
}

/// What is written down of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub kind: JobKind,
    pub phase: Phase,
    pub order: Order,
    pub strength: Strength,
    pub errand: Errand,
    /// Monotonic, microseconds: when the job's timeout strikes.
    pub deadline: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Waiting,
    /// A start that may go: its unit's conditions are being looked at.
    Checking,
    Running,
}

impl Job {
    pub fn ordered(&self) -> Ordered {
        Ordered { unit: self.unit, kind: self.facts.kind, order: self.facts.order }
    }

    pub fn queued(&self) -> Queued {
        Queued { kind: self.facts.kind, strength: self.facts.strength, order: self.facts.order }
    }
}

/// A job as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    pub id: JobId,
    pub unit: UnitName,
    pub kind: JobKind,
    pub phase: Phase,
}
