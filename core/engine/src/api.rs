//! What the engine hears and what it answers: the contract between it and a world (`host` on Linux, `sim`
//! in tests). Facts are [`Event`]s, wishes are [`Request`]s, orders are [`Action`]s, and what others may
//! want to know is an [`Announcement`]; no type is two of these.
//!
//! Orders that are answered: `Spawn` → `Spawned`/`SpawnFailed`, then `Executed` (if watched), `SetupFailed`,
//! `Exited`; `FindMain` → `MainFound`/`MainMissing`; `CheckConditions` → `ConditionsChecked`; `OpenSockets` →
//! `SocketsOpened`; `SignalSet` and `Survey` → `Occupancy`. The engine's state says what each unit waits for,
//! so after a crash the recovered engine gives these orders again, under the same ids. All other orders are
//! done once and not answered; the last batch of them is repeated after a crash, and all bear repeating.

use eudaemon_unit::config::Config;
use eudaemon_unit::config::exec::ExecCommand;
use eudaemon_unit::config::unit::{Condition, JobMode};
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
#[derive(Clone, Debug)]
pub enum Input {
    Fact(Event),
    Wish {
        request: RequestId,
        wish: Request,
    },
    /// Nothing happened but time: a deadline given by `Engine::next_deadline` has passed.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occupancy {
    Empty,
    Occupied,
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
#[derive(Clone, Debug)]
pub enum Event {
    /// Units as they are on disk now: a request's closure, or all of them after daemon-reload.
    Loaded(Vec<Arc<Config>>),
    Spawned {
        process: ProcId,
    },
    /// init could not fork, or refused.
    SpawnFailed {
        process: ProcId,
        errno: i32,
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

/// An error number with the step it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub errno: i32,
    pub step: String,
}

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillWhom {
    All,
    Main,
    Control,
    MainOrFail,
    ControlOrFail,
}

/// A wish: something somebody wants. Every one is answered by exactly one [`Announcement::Answered`].
#[derive(Clone, Debug)]
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
    /// `None`: all failed units.
    ResetFailed(Option<UnitName>),
    /// `systemctl exit N`: remembered for the end.
    SetExitCode(u8),
    /// End now, without jobs: the machine's last word.
    FinishNow(Finale),
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
        unit: UnitName,
        wanted: JobKind,
        queued: JobKind,
    },
    NotApplicable {
        unit: UnitName,
        kind: JobKind,
    },
    /// The names along the ordering cycle that could not be broken.
    Cyclic(Vec<UnitName>),
    Conflicting(UnitName),
    NoSuchJob(JobId),
    NoProcess {
        unit: UnitName,
        whom: KillWhom,
    },
    NotSupported {
        unit: UnitName,
        reason: String,
    },
    ShuttingDown,
    Overloaded(String),
}

impl Refusal {
    /// In words, for the log. Clients get their words from the bus.
    pub fn reason(&self) -> String {
        match self {
            Refusal::NoSuchUnit(unit) => format!("unit {unit} not found"),
            Refusal::NotLoaded(unit) => format!("unit {unit} not loaded"),
            Refusal::Masked(unit) => format!("unit {unit} is masked"),
            Refusal::BadSetting(unit) => format!("unit {unit} has a bad setting"),
            Refusal::LoadFailed { unit, reason } => format!("unit {unit} could not be loaded: {reason}"),
            Refusal::OnlyByDependency { unit, what } => {
                format!("{unit}: {what:?} only as a dependency of another unit")
            }
            Refusal::NoIsolation(unit) => format!("{unit} may not be isolated"),
            Refusal::Destructive { unit, wanted, queued } => {
                format!("{unit}: {wanted:?} contradicts the queued {queued:?}")
            }
            Refusal::NotApplicable { unit, kind } => format!("{kind:?} does not apply to {unit}"),
            Refusal::Cyclic(units) => {
                let ring: Vec<&str> = units.iter().map(UnitName::as_str).collect();
                format!("ordering cycle {}", ring.join(" -> "))
            }
            Refusal::Conflicting(unit) => format!("contradicting jobs for {unit}"),
            Refusal::NoSuchJob(job) => format!("no job {}", job.0),
            Refusal::NoProcess { unit, whom } => format!("{unit} has no such process ({whom:?})"),
            Refusal::NotSupported { unit, reason } => format!("{unit}: {reason}"),
            Refusal::ShuttingDown => "everything ends".to_owned(),
            Refusal::Overloaded(what) => format!("limit reached: {what}"),
        }
    }
}

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
    StoreFds {
        unit: UnitName,
        parcel: Parcel,
        name: String,
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
    /// The last order: init stops what is left and ends.
    Finish(Finale),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Directories {
    Keep,
    Remove,
}

/// What others may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    Answered {
        request: RequestId,
        outcome: Result<Answer, Refusal>,
    },
    UnitAdded(UnitName),
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
