//! Facts: what happened.

use super::{ExitStatus, ProcId};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occupancy {
    Empty,
    Occupied,
}

/// What cgroup.freeze says of a unit's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Freezer {
    Running,
    Frozen,
}

/// Which of a unit's processes sent a notify message, judged by kernel credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotifySender {
    Main,
    Control,
    /// Another process of the unit.
    Member,
}

/// A process the host saw and the engine may adopt by `FindMain`; opaque to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate(pub u32);

/// Descriptors that came with a notify message; the host holds them until the batch of orders is done,
/// and closes those that no `StoreFds` claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel(pub u64);

/// sd_notify(3), parsed. Fields that were not sent are `None` or false in the protocol's own sense.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub ready: bool,
    pub reloading: bool,
    pub stopping: bool,
    /// `MONOTONIC_USEC=` beside `RELOADING=1`.
    pub monotonic_usec: Option<u64>,
    pub status: Option<String>,
    pub errno: Option<i32>,
    pub bus_error: Option<String>,
    pub main: Option<Candidate>,
    pub watchdog: Option<Watchdog>,
    pub watchdog_usec: Option<u64>,
    pub extend_timeout_usec: Option<u64>,
    pub fd_store: Option<Parcel>,
    pub fd_store_remove: bool,
    pub fd_name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watchdog {
    Ping,
    Trigger,
}

/// A fact: something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// Units as they are on disk now: a request's closure, or all of them after daemon-reload.
    Loaded(Vec<Arc<Config>>),
    Spawned {
        process: ProcId,
    },
    /// init could not fork, or refused; or what the process needs could not be made ready.
    SpawnFailed {
        process: ProcId,
        trouble: Trouble,
    },
    /// The command itself runs: exec succeeded.
    Executed {
        process: ProcId,
    },
    /// A step before exec failed; `Exited` with that code follows. `code` is systemd.exec(5)'s 200-243.
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
        unit: UnitName,
        process: ProcId,
    },
    /// No main process could be told (guessing failed, or the pid file names a stranger); the text says why.
    MainMissing {
        unit: UnitName,
        process: ProcId,
        reason: String,
    },
    Notified {
        unit: UnitName,
        sender: NotifySender,
        message: Notification,
    },
    Occupancy {
        unit: UnitName,
        occupancy: Occupancy,
    },
    /// All the unit's processes stand still, or go on; or that cannot be had.
    Freezer {
        unit: UnitName,
        outcome: Result<Freezer, Trouble>,
    },
    /// What a probe came to: it went well, or what went wrong.
    Probed {
        process: ProcId,
        outcome: Result<(), String>,
    },
    /// What was to be removed of a unit's directories is gone; or it is not, or not all of it.
    Cleaned {
        unit: UnitName,
        outcome: Result<(), Trouble>,
    },
    /// Verdicts in the order asked, `true`: the test (with its negation) holds.
    ConditionsChecked {
        unit: UnitName,
        conditions: Vec<bool>,
        asserts: Vec<bool>,
    },
    SocketsOpened {
        unit: UnitName,
        outcome: Result<(), Trouble>,
    },
    /// A connection or datagram waits on a watched socket.
    SocketReady {
        unit: UnitName,
    },
    /// A bus name got or lost its owner.
    BusName {
        name: String,
        owner: Ownership,
    },
    /// What is mounted, by mount unit name: the whole list.
    Mounts(Vec<UnitName>),
    /// The kernel killed a process of the unit for want of memory.
    OutOfMemory {
        unit: UnitName,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    Owned,
    Free,
}

/// An error number with the step it came from: either may say it all, the other is 0 or empty then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub errno: i32,
    pub step: String,
}

impl Trouble {
    /// There is nothing to tell but the number.
    pub fn errno(errno: i32) -> Trouble {
        Trouble { errno, step: String::new() }
    }
}
