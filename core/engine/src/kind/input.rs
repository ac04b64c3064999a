//! What one unit hears: wishes of its jobs, and facts.

use crate::api::{
    Event, ExitStatus, Freezer, Notification, NotifySender, Occupancy, Ownership, ProcId, Resource, Trouble,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a stop is for: `RestartKillSignal=` and what is kept for the next run depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopFor {
    Stop,
    Restart,
}

/// How the unit that a socket triggers is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Triggered {
    /// It went down (or its start job is gone and it is not up).
    Inactive,
    /// Its start limit was hit: further connections would be refused as well.
    StartLimitHit,
    /// It came up, by whatever cause.
    Active,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    Present,
    Absent,
}

/// What concerns the asking of a service for its health, and nothing else.
#[derive(Clone, Debug)]
pub enum HealthInput {
    Probed {
        process: ProcId,
        outcome: Result<(), String>,
    },
    /// Its processes are being suspended, or go on.
    Freezer(Freezer),
    /// `[X-Health]` says something else than before.
    Reconfigured,
    /// A new manager goes on, and has told what was heard meanwhile.
    Recovered,
}

/// What one unit hears. The first six are wishes of the engine's jobs, the others facts.
#[derive(Clone, Debug)]
pub enum Input {
    /// A start job runs: conditions hold, the start limit is not hit.
    Start,
    /// A start was refused by the unit's start limit.
    StartLimitHit,
    Stop(StopFor),
    Reload,
    ResetFailed,
    Clean(BTreeSet<Resource>),

    Spawned {
        process: ProcId,
    },
    SpawnFailed {
        process: ProcId,
        trouble: Trouble,
    },
    Executed {
        process: ProcId,
    },
    SetupFailed {
        process: ProcId,
        code: u8,
        errno: i32,
    },
    Exited {
        process: ProcId,
        status: ExitStatus,
    },
    MainFound {
        process: ProcId,
    },
    MainMissing {
        process: ProcId,
        reason: String,
    },
    Notified {
        sender: NotifySender,
        message: Box<Notification>,
    },
    Occupancy(Occupancy),
    SocketsOpened(Result<(), Trouble>),
    SocketReady,
    /// The bus name of the unit's own `BusName=`.
    BusName(Ownership),
    /// Whether the host has this mount.
    Mount(Presence),
    OutOfMemory,
    /// Where a service is asked whether it is well.
    Health(HealthInput),
    /// What [`Action::Clean`](crate::api::Action::Clean) came to.
    Cleaned(Result<(), Trouble>),
    /// The deadline of the state has passed.
    Deadline,
    /// The restart asked for by [`Cx::restart_due`](super::Cx::restart_due) could not be queued.
    RestartRefused,
    /// The start asked for by [`Cx::trigger`](super::Cx::trigger) could not be queued.
    TriggerRefused,
    Triggered(Triggered),
}

impl Input {
    /// The fact of an event that concerns one unit, for that unit; `None`: the event is the engine's own affair.
    pub fn of(event: Event) -> Option<Input> {
        match event {
            Event::Spawned { process } => Some(Input::Spawned { process }),
            Event::SpawnFailed { process, trouble } => Some(Input::SpawnFailed { process, trouble }),
            Event::Executed { process } => Some(Input::Executed { process }),
            Event::SetupFailed { process, code, errno } => Some(Input::SetupFailed { process, code, errno }),
            Event::Exited { process, status } => Some(Input::Exited { process, status }),
            Event::MainFound { unit: _, process } => Some(Input::MainFound { process }),
            Event::MainMissing { unit: _, process, reason } => Some(Input::MainMissing { process, reason }),
            Event::Notified { unit: _, sender, message } => {
                Some(Input::Notified { sender, message: Box::new(message) })
            }
            Event::Occupancy { unit: _, occupancy } => Some(Input::Occupancy(occupancy)),
            Event::SocketsOpened { unit: _, outcome } => Some(Input::SocketsOpened(outcome)),
            Event::SocketReady { unit: _ } => Some(Input::SocketReady),
            Event::BusName { name: _, owner } => Some(Input::BusName(owner)),
            Event::OutOfMemory { unit: _ } => Some(Input::OutOfMemory),
            Event::Probed { process, outcome } => {
                Some(Input::Health(HealthInput::Probed { process, outcome }))
            }
            Event::Cleaned { unit: _, outcome } => Some(Input::Cleaned(outcome)),
            Event::Loaded(_) | Event::ConditionsChecked { .. } | Event::Mounts(_) | Event::Freezer { .. } => {
                None
            }
        }
    }
}
