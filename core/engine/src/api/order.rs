//! Orders: what the engine wants done.

use super::{Candidate, ExitStatus, Finale, Freezer, InvocationId, Parcel, ProcId, Resource, ServiceResult};
use eudaemon_unit::config::exec::ExecCommand;
use eudaemon_unit::config::unit::Condition;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::values::endpoint::Url;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// Which commands of a service (or socket) a process belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    Condition,
    StartPre,
    Start,
    StartPost,
    Reload,
    Stop,
    StopPost,
    /// Sockets' own.
    StopPre,
    /// `Exec=` of `[X-Health]`.
    Health,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WatchExec {
    No,
    Yes,
}

/// What a phase's commands are told beyond the configured environment: contract of systemd.exec(5),
/// "Environment Variables Set on the Service Manager's behalf".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// `$MAINPID`.
    pub main: Option<ProcId>,
    /// `$SERVICE_RESULT`, in stop phases.
    pub result: Option<ServiceResult>,
    /// `$EXIT_CODE`, `$EXIT_STATUS`: once the main process is gone.
    pub exit: Option<ExitStatus>,
    /// `$MONITOR_…` of the unit whose end started this one by OnFailure=/OnSuccess=.
    pub monitored: Option<Box<Monitored>>,
    /// `$TRIGGER_UNIT`.
    pub trigger: Option<UnitName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitored {
    pub unit: UnitName,
    pub invocation: InvocationId,
    pub result: ServiceResult,
    pub exit: Option<ExitStatus>,
}

/// One process to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawn {
    pub process: ProcId,
    pub unit: UnitName,
    pub phase: Phase,
    /// Which command of the phase, from 0.
    pub index: u32,
    pub command: ExecCommand,
    pub invocation: InvocationId,
    pub watch_exec: WatchExec,
    pub told: Told,
    /// The effective watchdog of a main process (`WATCHDOG_USEC`), 0: none.
    pub watchdog_usec: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindHow {
    /// Wait for the file, and judge the process it names.
    PidFile(String),
    /// Judge the process the file names at this moment: an old main process may have left its successor there.
    PidFileNow(String),
    /// The only process left in the unit, if there is just one.
    Guess,
    /// What a notify message named by `MAINPID=`.
    Candidate(Candidate),
}

/// Who is asked over the network whether a service is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Well if it takes a connection.
    Tcp(SocketAddr),
    /// Well if it answers with 200 to 399.
    Http(Url),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Spawn(Box<Spawn>),
    /// To one process the engine knows.
    Signal {
        process: ProcId,
        signal: i32,
    },
    /// To all processes of the unit but the named ones; answered with whether any but those is left.
    SignalSet {
        unit: UnitName,
        signal: i32,
        but: Vec<ProcId>,
    },
    /// Is any process of the unit left? Answered by `Occupancy`.
    Survey {
        unit: UnitName,
    },
    /// Suspend all processes of the unit, or let them go on. Answered by `Freezer` when they have.
    SetFreezer {
        unit: UnitName,
        freezer: Freezer,
    },
    /// Ask, from where `main` sees the network; answered by `Probed`.
    Probe {
        unit: UnitName,
        process: ProcId,
        main: Option<ProcId>,
        target: Target,
    },
    /// Nobody waits for the answer any more.
    StopProbe {
        process: ProcId,
    },
    /// Remove the unit's directories of these kinds. Answered by `Cleaned`.
    Clean {
        unit: UnitName,
        what: BTreeSet<Resource>,
    },
    /// Remove no more of them. Answered by `Cleaned` as well, once for both.
    StopCleaning {
        unit: UnitName,
    },
    /// Find and watch the main process; it will be `process`.
    FindMain {
        unit: UnitName,
        process: ProcId,
        how: FindHow,
    },
    /// Give up a pending `FindMain`.
    StopFinding {
        unit: UnitName,
    },
    /// The exit of this process is written down; init may forget it.
    Forget {
        process: ProcId,
    },
    CheckConditions {
        unit: UnitName,
        conditions: Vec<Condition>,
        asserts: Vec<Condition>,
    },
    OpenSockets {
        unit: UnitName,
    },
    /// Report `SocketReady` once, at the next connection or datagram.
    WatchSockets {
        unit: UnitName,
    },
    UnwatchSockets {
        unit: UnitName,
    },
    CloseSockets {
        unit: UnitName,
    },
    /// Take in waiting connections and drop them (`FlushPending=`, or a start limit was hit).
    FlushSockets {
        unit: UnitName,
    },
    /// Of those that came with the message, as many as the unit's store has room for.
    StoreFds {
        unit: UnitName,
        parcel: Parcel,
        name: String,
        /// `FileDescriptorStoreMax=`.
        most: u32,
    },
    RemoveStoredFds {
        unit: UnitName,
        name: String,
    },
    CloseStoredFds {
        unit: UnitName,
    },
    RemovePidFile {
        path: String,
    },
    /// The unit's run is over: its cgroup, runtime directories (if `directories` says so) and published files go.
    Release {
        unit: UnitName,
        directories: Directories,
    },
    /// A new run begins: publish the invocation id.
    Begin {
        unit: UnitName,
        invocation: InvocationId,
    },
    /// Answered by `BusName` with the owner as it is now, then at every change.
    WatchBusName {
        name: String,
    },
    /// The unit is to be loaded with all it leads to; answered by `Loaded`, with the unit in it though nothing was found.
    Load {
        unit: UnitName,
    },
    /// The kernel's table of mounts is to be read; answered by `Mounts`.
    LookAtMounts,
    /// The last order: init stops what is left and ends.
    Finish(Finale),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Directories {
    Keep,
    Remove,
}
