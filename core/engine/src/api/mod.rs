//! What the engine hears and what it answers: the contract between it and a world (`host` on Linux, `sim`
//! in tests). Facts are [`Event`]s, wishes are [`Request`]s, orders are [`Action`]s, and what others may
//! want to know is an [`Announcement`]; no type is two of these.
//!
//! Orders that are answered: `Spawn` → `Spawned`/`SpawnFailed`, then `Executed` (if watched), `SetupFailed`,
//! `Exited`; `FindMain` → `MainFound`/`MainMissing`; `CheckConditions` → `ConditionsChecked`; `OpenSockets` →
//! `SocketsOpened`; `SignalSet` and `Survey` → `Occupancy`; `SetFreezer` → `Freezer`; `Probe` → `Probed`; `Clean` → `Cleaned`; `Load` →
//! `Loaded`. The engine's state says what each unit waits for,
//! so after a crash the recovered engine gives these orders again, under the same ids. All other orders are
//! done once and not answered; the last batch of them is repeated after a crash, and all bear repeating.

mod fact;
mod order;
mod wish;

pub use crate::why::Asker;
use eudaemon_unit::name::UnitName;
pub use fact::{
    Candidate, Event, Freezer, Notification, NotifySender, Occupancy, Ownership, Parcel, Trouble, Watchdog,
};
pub use order::{Action, Directories, FindHow, Monitored, Phase, Spawn, Target, Told, WatchExec};
use serde::{Deserialize, Serialize};
pub(crate) use wish::Weight;
pub use wish::{Answer, Finale, JobKind, KillWhom, NotCleaned, NotFrozen, Refusal, Request, Resource};

/// A process the engine asked for. Pids exist only in init and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(pub u32);

/// Given by whoever asks; the answer carries it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// `INVOCATION_ID`: one run of a unit, from start to inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InvocationId(pub [u8; 16]);

/// One instant on both clocks, microseconds. Zero means "never".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    pub monotonic: u64,
    pub realtime: u64,
}

/// One thing the engine hears.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    Fact(Event),
    Wish {
        request: RequestId,
        by: Asker,
        wish: Request,
    },
    /// Nothing happened but time: a deadline given by `Engine::next_deadline` has passed, and there is nothing else to hear.
    Tick,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    Code(u8),
    Signal(i32),
    /// Killed by the signal, with a core dump.
    Dumped(i32),
    /// It is gone, and nobody could learn how (never our child). Never taken for success.
    Unknown,
}

/// What others may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    Answered {
        request: RequestId,
        outcome: Result<Answer, Refusal>,
    },
    UnitAdded(UnitName),
    /// It is forgotten: a request for it has it loaded anew.
    UnitRemoved(UnitName),
    /// Something a client can read of it changed; at most once per step and unit.
    UnitChanged(UnitName),
    JobAdded {
        job: JobId,
        unit: UnitName,
    },
    JobRemoved {
        job: JobId,
        unit: UnitName,
        kind: JobKind,
        result: JobResult,
    },
    /// For the log and the console: who, how bad (syslog level), what.
    Said {
        unit: Option<UnitName>,
        level: u8,
        text: String,
    },
    /// The first default target (or what stood for it) was reached.
    StartupFinished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobResult {
    Done,
    Canceled,
    Timeout,
    Failed,
    Dependency,
    Skipped,
    Invalid,
    Assert,
    Unsupported,
    Collected,
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ActiveState {
    Active,
    Reloading,
    Inactive,
    Failed,
    Activating,
    Deactivating,
    Maintenance,
}

/// `Result=` of a service (sockets use the same words).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceResult {
    #[default]
    Success,
    Resources,
    Protocol,
    Timeout,
    ExitCode,
    Signal,
    CoreDump,
    Watchdog,
    StartLimitHit,
    OomKill,
    ExecCondition,
    /// Sockets: `trigger-limit-hit`, `service-start-limit-hit`.
    TriggerLimitHit,
    ServiceStartLimitHit,
}

/// One order with its number; numbers only grow, over restarts of the manager too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub number: u64,
    pub action: Action,
}

/// What one step gave. A world first writes `changed` and `orders` down, then performs the orders, then announces.
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub changed: Vec<crate::record::Record>,
    pub orders: Vec<Order>,
    pub announcements: Vec<Announcement>,
}

/// What a new manager learnt about a process its predecessor asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Alive,
    /// Ended, not yet forgotten by init.
    Ended(ExitStatus),
    /// init never heard of it, or has forgotten it.
    Unheard,
}
