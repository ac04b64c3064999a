//! What the server asks of the manager: one trait, implemented by the manager over its engine and its files,
//! and by a table of units in the tests. Reading is by value and cheap; wishes go out as the engine's own
//! [`Request`]s and are answered later, under the id given here, by [`crate::Server::hear`].

use crate::call::Credentials;
use crate::fault::Fault;
pub use eudaemon_engine::Checked;
use eudaemon_engine::FreezerState;
use eudaemon_engine::api::{
    ActiveState, ExitStatus, InvocationId, JobId, JobKind, Moment, Ownership, Phase, Request, RequestId,
    ServiceResult,
};
use eudaemon_engine::kind::service::Health;
use eudaemon_engine::transaction::account::Account;
use eudaemon_engine::why::Link;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::manager::Settings;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::values::mount_table::Mounted;
use std::sync::Arc;

pub trait Model {
    // ── reading ────────────────────────────────────────────────────────────────────────────────────────

    /// The unit's own name (`Id`), if the engine knows it under this name or alias. Loads nothing.
    fn loaded(&self, name: &UnitName) -> Option<UnitName>;

    /// As `loaded`, but loads the unit if it is not there yet. Every valid name has a unit, be it `not-found`;
    /// the answer is the name under which `unit` then finds it.
    fn load(&mut self, name: &UnitName) -> UnitName;

    /// All there is to say about a unit, by its own name: loaded by the engine, or by `load` a moment ago.
    fn unit(&self, id: &UnitName) -> Option<Unit>;

    /// The own names of all loaded units, sorted.
    fn units(&self) -> Vec<UnitName>;

    /// The units that stand in this relation to the unit, implicit and default ones and inverses included.
    fn related(&self, id: &UnitName, relation: Relation) -> Vec<UnitName>;

    fn jobs(&self) -> Vec<Job>;

    /// What the unit's cgroup says now; asked only when somebody reads it.
    fn resources(&self, id: &UnitName) -> Resources;

    /// What a percentage of memory or of tasks is taken of.
    fn capacity(&self) -> Capacity;

    /// The unit's processes, those of its sub-cgroups too; of a slice, those of all units within.
    fn processes(&self, id: &UnitName) -> Vec<Process>;

    fn unit_of_pid(&self, pid: u32) -> Option<UnitName>;

    fn unit_of_invocation(&self, invocation: InvocationId) -> Option<UnitName>;

    /// `path` is relative to the root of the hierarchy, as in `ControlGroup`.
    fn unit_of_cgroup(&self, path: &str) -> Option<UnitName>;

    /// The files of the unit changed on disk since it was loaded.
    fn needs_reload(&self, id: &UnitName) -> bool;

    /// The unit can be frozen, and there are cgroups at all.
    fn can_freeze(&self, id: &UnitName) -> bool;

    fn manager(&self) -> Manager;

    /// What the manager's own files say: systemd-system.conf(5).
    fn settings(&self) -> &Settings;

    /// Where services start that say nothing, of a user's manager: the user's home.
    fn home(&self) -> Option<&str>;

    /// What these requests would come to, one after the other. Units are read from disk for it as they would be; nothing
    /// is changed.
    fn plan(&mut self, requests: &[(UnitName, JobKind, JobMode)]) -> Vec<Account>;

    /// The last events with the state they met, as the engine writes a flight.
    fn flight(&self) -> Vec<u8>;

    /// Why the unit is what it is: its last change and what lies behind it, the root last.
    fn why(&self, id: &UnitName) -> Vec<Link>;

    /// `NAME=VALUE`, what services are given.
    fn environment(&self) -> Vec<String>;

    // ── unit files ─────────────────────────────────────────────────────────────────────────────────────

    /// Every unit file on the search path, path and state (`enabled`, `static` …); the word `UnitFileState` uses.
    fn unit_files(&self) -> Vec<UnitFile>;

    /// `UnitFileState` of one name; an error is `FileNotFound` or `InvalidArgs`.
    fn unit_file_state(&self, name: &str) -> Result<&'static str, Fault>;

    /// `enabled`, `disabled`, or empty where no preset can be told.
    fn unit_file_preset(&self, name: &UnitName) -> &'static str;

    /// The symlinks that disabling this unit would remove.
    fn unit_file_links(&self, name: &str, place: Place) -> Result<Vec<String>, Fault>;

    fn default_target(&self) -> Result<String, Fault>;

    /// Changes symlinks on disk, at once; nothing is reloaded by it.
    fn change_files(&mut self, change: FileChange) -> Result<FileChanges, Fault>;

    // ── wishes ─────────────────────────────────────────────────────────────────────────────────────────

    /// Hands a request to the engine (units it needs are loaded first). The answer comes by `Server::hear`;
    /// it may come before this returns only if the manager queues it.
    /// `by` is who asks, for those who want to know why something happened; `None`: the bus, for somebody who calls a name.
    fn submit(&mut self, by: Option<Credentials>, request: Request) -> RequestId;

    /// `daemon-reload`: generators, then all unit files. Answered like a request when it is finished.
    fn reload(&mut self) -> RequestId;

    /// `daemon-reexec`: the connections end with this process; nothing is answered.
    fn reexecute(&mut self);

    /// Forgets the names in `unset`, then takes the assignments; all are well-formed.
    fn set_environment(&mut self, unset: &[String], set: &[String]);

    /// Log level and target by name, show-status, watchdogs: what may be set at run time.
    fn set(&mut self, setting: Setting) -> Result<(), Fault>;

    /// A bus name watched by `Server::watch_name` got or lost its owner.
    fn bus_name(&mut self, name: &str, owner: Ownership);
}

/// One unit at one instant.
#[derive(Clone, Debug)]
pub struct Unit {
    pub config: Arc<Config>,
    pub active: ActiveState,
    /// `SubState`: `running`, `dead`, `listening` …
    pub sub: &'static str,
    pub state_changed: Moment,
    pub inactive_exit: Moment,
    pub active_enter: Moment,
    pub active_exit: Moment,
    pub inactive_enter: Moment,
    pub condition: Checked,
    pub assertion: Checked,
    pub job: Option<JobId>,
    pub invocation: Option<InvocationId>,
    /// The unit's cgroup relative to the hierarchy's root, empty while it has none.
    pub cgroup: String,
    pub freezer: FreezerState,
    /// It exists without a file and is never unloaded (`-.slice`, `init.scope`).
    pub perpetual: bool,
    /// Made at run time, not from a file of the operator.
    pub transient: bool,
    pub run: Run,
}

/// What only units of one kind have.
#[derive(Clone, Debug)]
pub enum Run {
    Service(Box<ServiceRun>),
    Socket(SocketRun),
    Mount(MountRun),
    /// Its state says it all.
    Plain,
}

#[derive(Clone, Debug, Default)]
pub struct ServiceRun {
    /// 0: none.
    pub main_pid: u32,
    pub control_pid: u32,
    pub status_text: String,
    pub status_errno: i32,
    pub result: ServiceResult,
    pub reload_result: ServiceResult,
    pub clean_result: ServiceResult,
    pub restarts: u32,
    /// The credentials it really runs with, once known.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// The last main process, kept after its end.
    pub main: CommandRun,
    /// The last run of each command, by phase and index.
    pub commands: Vec<(Phase, u32, CommandRun)>,
    pub watchdog_ping: Moment,
    /// The effective watchdog: a notify message may have changed it.
    pub watchdog_usec: u64,
    pub stored_fds: u32,
    /// While it is up and asked (`[X-Health]`).
    pub health: Option<Health>,
}

/// One process's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandRun {
    pub pid: u32,
    pub started: Moment,
    pub exited: Moment,
    pub status: Option<ExitStatus>,
}

#[derive(Clone, Debug, Default)]
pub struct SocketRun {
    pub control_pid: u32,
    pub result: ServiceResult,
    pub commands: Vec<(Phase, u32, CommandRun)>,
    pub connections: u32,
    pub accepted: u32,
    pub refused: u32,
}

#[derive(Clone, Debug, Default)]
pub struct MountRun {
    pub control_pid: u32,
    pub result: ServiceResult,
    pub commands: Vec<(Phase, u32, CommandRun)>,
    /// What the kernel says, while there is a mount.
    pub mounted: Option<Mounted>,
}

/// The dependency lists of org.freedesktop.systemd1.Unit, one word each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    Requires,
    Requisite,
    Wants,
    BindsTo,
    PartOf,
    Upholds,
    RequiredBy,
    RequisiteOf,
    WantedBy,
    BoundBy,
    UpheldBy,
    ConsistsOf,
    Conflicts,
    ConflictedBy,
    Before,
    After,
    OnSuccess,
    OnSuccessOf,
    OnFailure,
    OnFailureOf,
    Triggers,
    TriggeredBy,
    PropagatesReloadTo,
    ReloadPropagatedFrom,
    PropagatesStopTo,
    StopPropagatedFrom,
    JoinsNamespaceOf,
    SliceOf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub unit: UnitName,
    pub kind: JobKind,
    pub running: JobState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Waiting,
    Running,
}

/// How much the machine, or the container, has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    pub memory_bytes: u64,
    pub tasks: u64,
}

/// `None`: not measured here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    pub cgroup_id: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub memory_available_bytes: Option<u64>,
    pub cpu_nsec: Option<u64>,
    pub tasks: Option<u64>,
    pub io_read_bytes: Option<u64>,
    pub io_read_operations: Option<u64>,
    pub io_write_bytes: Option<u64>,
    pub io_write_operations: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The cgroup it is in, relative to the hierarchy's root, as `Unit::cgroup`.
    pub cgroup: String,
    pub pid: u32,
    pub command_line: String,
}

/// The manager itself, at one instant.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    /// As real systemd's, since clients compare it: `252 (eudaemon 0.1.0)`.
    pub version: String,
    pub features: String,
    /// systemd-detect-virt(1)'s word; empty on bare metal.
    pub virtualization: String,
    pub architecture: String,
    pub tainted: String,
    /// When the kernel began; nothing where that is not this manager's to tell: in a container, of a user.
    pub kernel: Moment,
    pub userspace: Moment,
    pub finish: Moment,
    pub generators_start: Moment,
    pub generators_finish: Moment,
    pub units_load_start: Moment,
    pub units_load_finish: Moment,
    /// The last load by a reload.
    pub units_load: Moment,
    /// syslog(3)'s word.
    pub log_level: String,
    pub log_target: String,
    pub names: u32,
    pub failed_units: u32,
    pub installed_jobs: u32,
    pub failed_jobs: u32,
    /// 0 to 1, of the first transaction.
    pub progress: f64,
    /// It is the machine's manager, and no user's.
    pub has_machine: bool,
    pub show_status: bool,
    pub service_watchdogs: bool,
    pub unit_path: Vec<String>,
    pub control_group: String,
    /// `initializing`, `starting`, `running`, `degraded`, `maintenance`, `stopping`.
    pub system_state: &'static str,
    pub exit_code: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFile {
    pub path: String,
    pub state: &'static str,
}

/// Where links are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/etc`.
    Persistent,
    /// `/run`.
    Runtime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    No,
    /// Links that are in the way are replaced.
    Yes,
}

/// `--preset-mode=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresetMode {
    Full,
    EnableOnly,
    DisableOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedDependency {
    Wants,
    Requires,
}

/// One change of unit files. Names are as the client sent them: unit names or absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    Enable { names: Vec<String>, place: Place, force: Force },
    Disable { names: Vec<String>, place: Place },
    Reenable { names: Vec<String>, place: Place, force: Force },
    Link { paths: Vec<String>, place: Place, force: Force },
    Preset { names: Vec<String>, mode: PresetMode, place: Place, force: Force },
    PresetAll { mode: PresetMode, place: Place, force: Force },
    Mask { names: Vec<String>, place: Place, force: Force },
    Unmask { names: Vec<String>, place: Place },
    Revert { names: Vec<String> },
    SetDefault { name: String, force: Force },
    AddDependency { names: Vec<String>, target: String, kind: AddedDependency, place: Place, force: Force },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// Some of the units have an `[Install]` section: systemctl explains itself when none has.
    pub carries_install: bool,
    pub changes: Vec<FileStep>,
}

/// One link made or removed (or a hint), in the client's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStep {
    /// `symlink`, `unlink`, `masked`, `dangling` …
    pub kind: &'static str,
    pub path: String,
    /// What the link points to; empty for `unlink`.
    pub source: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    LogLevel(String),
    LogTarget(String),
    ShowStatus(bool),
    ServiceWatchdogs(bool),
}
