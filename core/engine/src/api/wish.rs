//! Wishes: what somebody wants, and why it is refused.

use super::{Freezer, JobId};
use crate::transaction::check_mode;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum JobKind {
    Start,
    VerifyActive,
    Stop,
    Reload,
    /// Reload if active, else start.
    ReloadOrStart,
    Restart,
    /// Restart if active, else nothing.
    TryRestart,
    /// Reload if active, else nothing.
    TryReload,
    Nop,
}

impl JobKind {
    /// Whether the unit is up when it is done, whatever it was before.
    pub fn brings_up(self) -> bool {
        match self {
            JobKind::Start | JobKind::ReloadOrStart | JobKind::Restart => true,
            JobKind::VerifyActive
            | JobKind::Stop
            | JobKind::Reload
            | JobKind::TryRestart
            | JobKind::TryReload
            | JobKind::Nop => false,
        }
    }

    /// As in `list-jobs` and the types of jobs on the bus.
    pub fn word(self) -> &'static str {
        match self {
            JobKind::Start => "start",
            JobKind::VerifyActive => "verify-active",
            JobKind::Stop => "stop",
            JobKind::Reload => "reload",
            JobKind::ReloadOrStart => "reload-or-start",
            JobKind::Restart => "restart",
            JobKind::TryRestart => "try-restart",
            JobKind::TryReload => "try-reload",
            JobKind::Nop => "nop",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillWhom {
    All,
    Main,
    Control,
    MainOrFail,
    ControlOrFail,
}

/// What `systemctl clean` can remove of a unit: systemctl(1), `--what=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Resource {
    Runtime,
    State,
    Cache,
    Logs,
    Configuration,
    FdStore,
}

impl Resource {
    pub const ALL: [Resource; 6] = [
        Resource::Runtime,
        Resource::State,
        Resource::Cache,
        Resource::Logs,
        Resource::Configuration,
        Resource::FdStore,
    ];

    /// As in `CanClean` and `--what=`.
    pub fn word(self) -> &'static str {
        match self {
            Resource::Runtime => "runtime",
            Resource::State => "state",
            Resource::Cache => "cache",
            Resource::Logs => "logs",
            Resource::Configuration => "configuration",
            Resource::FdStore => "fdstore",
        }
    }
}

/// A wish: something somebody wants. Every one is answered by exactly one [`Announcement::Answered`](super::Announcement::Answered).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    Job {
        unit: UnitName,
        kind: JobKind,
        mode: JobMode,
    },
    CancelJob(JobId),
    ClearJobs,
    Kill {
        unit: UnitName,
        whom: KillWhom,
        signal: i32,
    },
    /// `systemctl freeze` and `thaw`.
    SetFreezer {
        unit: UnitName,
        freezer: Freezer,
    },
    /// The unit is not to be forgotten until as many [`LetGo`](Request::LetGo)s follow. A new manager knows of none.
    Hold(UnitName),
    LetGo(UnitName),
    /// `systemctl clean`. Answered when it has begun: the unit is in maintenance until it is over.
    Clean {
        unit: UnitName,
        what: BTreeSet<Resource>,
    },
    /// `None`: all failed units.
    ResetFailed(Option<UnitName>),
    /// `systemctl exit N`: remembered for the end.
    SetExitCode(u8),
    /// End now, without jobs: the machine's last word.
    FinishNow(Finale),
}

impl Request {
    /// The unit that is to be loaded before this is heard, if nobody knows it: clients may ask for what is on disk.
    pub fn loads(&self) -> Option<&UnitName> {
        match self {
            Request::Job { unit, .. } | Request::Hold(unit) | Request::Clean { unit, .. } => Some(unit),
            Request::CancelJob(_)
            | Request::ClearJobs
            | Request::Kill { .. }
            | Request::SetFreezer { .. }
            | Request::LetGo(_)
            | Request::ResetFailed(_)
            | Request::SetExitCode(_)
            | Request::FinishNow(_) => None,
        }
    }
}

/// How everything ends; told to init.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finale {
    Exit(u8),
    PowerOff,
    Reboot,
    Halt,
    Kexec,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Job(JobId),
}

/// Why a request was refused: one variant per D-Bus error of org.freedesktop.systemd1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchUnit(UnitName),
    NotLoaded(UnitName),
    Masked(UnitName),
    BadSetting(UnitName),
    /// Its text is no unit file.
    Inconsistent {
        unit: UnitName,
        reason: String,
    },
    /// Its file could not be read.
    LoadFailed {
        unit: UnitName,
        reason: String,
    },
    OnlyByDependency {
        unit: UnitName,
        what: JobKind,
    },
    NoIsolation(UnitName),
    /// The transaction contradicts queued irreversible jobs.
    Destructive {
        /// What was asked for.
        asked: (UnitName, JobKind),
        unit: UnitName,
        wanted: JobKind,
        queued: JobKind,
    },
    NotApplicable {
        unit: UnitName,
        kind: JobKind,
    },
    /// The job mode goes with another kind of job alone.
    WrongMode {
        mode: JobMode,
        only: JobKind,
    },
    /// The names along the ordering cycle that could not be broken, each of which waits for the next.
    Cyclic(Vec<UnitName>),
    /// Two jobs of one unit that contradict each other and both matter, newest first.
    Conflicting {
        unit: UnitName,
        kinds: (JobKind, JobKind),
    },
    NoSuchJob(JobId),
    NoProcess {
        unit: UnitName,
        whom: KillWhom,
    },
    NotSupported {
        unit: UnitName,
        reason: String,
    },
    NotFrozen {
        unit: UnitName,
        why: NotFrozen,
    },
    NotCleaned {
        unit: UnitName,
        why: NotCleaned,
    },
    ShuttingDown,
    Overloaded(String),
}

/// Why nothing of a unit is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCleaned {
    /// Such units have nothing of their own.
    Kind,
    /// It is not down, or it has a job, or it has no file.
    Busy,
    /// It has nothing of what was asked for.
    Nothing,
}

/// Why a unit is not frozen, or not thawed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFrozen {
    /// Such units have no processes to freeze.
    Kind,
    /// The last order to its freezer has not been carried out yet.
    Underway,
    /// Something else was to happen to the unit before it stood still.
    Cancelled,
    /// It has a job.
    Busy,
    Inactive,
}

/// See [`Refusal::weight`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A stop, or a reload, of something that is not there: nobody misses it.
    None,
    /// Packages want units of packages that are not there …
    Absent,
    /// … or that somebody does not want: nobody need read that.
    Little,
    Some,
}

impl Refusal {
    /// Of a request for a unit that no file and no other unit names.
    pub fn unknown(name: &UnitName, kind: JobKind, mode: JobMode) -> Refusal {
        match kind {
            JobKind::Stop => Refusal::NotLoaded(name.clone()),
            JobKind::Start
            | JobKind::VerifyActive
            | JobKind::Reload
            | JobKind::ReloadOrStart
            | JobKind::Restart
            | JobKind::TryRestart
            | JobKind::TryReload
            | JobKind::Nop => match check_mode(name, kind, mode, false) {
                Err(refusal) => refusal,
                Ok(()) => Refusal::NoSuchUnit(name.clone()),
            },
        }
    }

    /// How much it matters that a unit is not pulled in for this.
    pub(crate) fn weight(&self) -> Weight {
        match self {
            Refusal::NotApplicable { .. } => Weight::None,
            Refusal::NoSuchUnit(_) => Weight::Absent,
            Refusal::Masked(_) => Weight::Little,
            Refusal::NotLoaded(_)
            | Refusal::BadSetting(_)
            | Refusal::Inconsistent { .. }
            | Refusal::LoadFailed { .. }
            | Refusal::OnlyByDependency { .. }
            | Refusal::NoIsolation(_)
            | Refusal::Destructive { .. }
            | Refusal::WrongMode { .. }
            | Refusal::Conflicting { .. }
            | Refusal::Cyclic(_)
            | Refusal::NoSuchJob(_)
            | Refusal::NoProcess { .. }
            | Refusal::NotSupported { .. }
            | Refusal::NotFrozen { .. }
            | Refusal::NotCleaned { .. }
            | Refusal::Overloaded(_)
            | Refusal::ShuttingDown => Weight::Some,
        }
    }

    /// In words, for the log. Clients get their words from the bus.
    pub fn reason(&self) -> String {
        match self {
            Refusal::NoSuchUnit(unit) => format!("unit {unit} not found"),
            Refusal::NotLoaded(unit) => format!("unit {unit} not loaded"),
            Refusal::Masked(unit) => format!("unit {unit} is masked"),
            Refusal::BadSetting(unit) => format!("unit {unit} has a bad setting"),
            Refusal::Inconsistent { unit: _, reason } => reason.clone(),
            Refusal::LoadFailed { unit, reason } => format!("unit {unit} could not be loaded: {reason}"),
            Refusal::OnlyByDependency { unit, what } => {
                format!("{unit}: {} only as a dependency of another unit", what.word())
            }
            Refusal::NoIsolation(unit) => format!("{unit} may not be isolated"),
            Refusal::Destructive { asked: _, unit, wanted, queued } => {
                format!("{unit}: {} contradicts the queued {}", wanted.word(), queued.word())
            }
            Refusal::NotApplicable { unit, kind } => format!("{} does not apply to {unit}", kind.word()),
            Refusal::WrongMode { mode, only } => format!("job mode {mode:?} is for {} alone", only.word()),
            Refusal::Cyclic(units) => {
                let ring: Vec<&str> = units.iter().chain(units.first()).map(UnitName::as_str).collect();
                format!("ordering cycle {}", ring.join(" -> "))
            }
            Refusal::Conflicting { unit, kinds: (one, other) } => {
                format!("{unit}: {} and {} contradict each other", one.word(), other.word())
            }
            Refusal::NoSuchJob(job) => format!("no job {}", job.0),
            Refusal::NoProcess { unit, whom } => format!("{unit} has no such process ({whom:?})"),
            Refusal::NotSupported { unit, reason } => format!("{unit}: {reason}"),
            Refusal::NotFrozen { unit, why: NotFrozen::Kind } => format!("{unit} does not support freezing"),
            Refusal::NotFrozen { unit, why: NotFrozen::Underway } => {
                format!("{unit} is being frozen or thawed")
            }
            Refusal::NotFrozen { unit, why: NotFrozen::Cancelled } => {
                format!("{unit} was thawed before it was frozen")
            }
            Refusal::NotFrozen { unit, why: NotFrozen::Busy } => format!("{unit} has a pending job"),
            Refusal::NotFrozen { unit, why: NotFrozen::Inactive } => format!("{unit} is not active"),
            Refusal::NotCleaned { unit, why: NotCleaned::Kind } => {
                format!("{unit} does not support cleaning")
            }
            Refusal::NotCleaned { unit, why: NotCleaned::Busy } => {
                format!("{unit} is not inactive or has a pending job")
            }
            Refusal::NotCleaned { unit, why: NotCleaned::Nothing } => {
                format!("{unit} has nothing of that to be cleaned")
            }
            Refusal::ShuttingDown => "everything ends".to_owned(),
            Refusal::Overloaded(what) => format!("limit reached: {what}"),
        }
    }
}
