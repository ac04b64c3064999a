//! `[Service]`: systemd.service(5).

use super::exec::{Exec, ExecCommand, Kill};
use super::health::Health;
use crate::name::UnitName;
use crate::span::Span;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceType {
    #[default]
    Simple,
    Exec,
    Forking,
    Oneshot,
    Dbus,
    Notify,
    NotifyReload,
    Idle,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitType {
    #[default]
    Main,
    Cgroup,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Restart {
    #[default]
    No,
    OnSuccess,
    OnFailure,
    OnAbnormal,
    OnWatchdog,
    OnAbort,
    Always,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotifyAccess {
    /// Not set: `main` for the notify types, else none.
    #[default]
    None,
    Main,
    Exec,
    All,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OomPolicy {
    Continue,
    #[default]
    Stop,
    Kill,
}

/// What to do when a start or stop takes too long (`TimeoutStartFailureMode=` …).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeoutMode {
    #[default]
    Terminate,
    Abort,
    Kill,
}

/// A list of exit codes and signals, as in `SuccessExitStatus=`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatuses {
    pub codes: Vec<u8>,
    pub signals: Vec<i32>,
}

/// The phases of a service's life in which commands run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    pub condition: Vec<ExecCommand>,
    pub start_pre: Vec<ExecCommand>,
    pub start: Vec<ExecCommand>,
    pub start_post: Vec<ExecCommand>,
    pub reload: Vec<ExecCommand>,
    pub stop: Vec<ExecCommand>,
    pub stop_post: Vec<ExecCommand>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub kind: ServiceType,
    pub exit_type: ExitType,
    pub commands: Commands,
    pub restart: Restart,
    pub restart_sec: Span,
    pub restart_steps: u32,
    pub restart_max_delay: Span,
    /// `X-RestartResetSec=`; infinite: the delay never begins anew.
    pub restart_reset: Span,
    pub success_exit_status: ExitStatuses,
    pub restart_prevent_exit_status: ExitStatuses,
    pub restart_force_exit_status: ExitStatuses,
    pub timeout_start: Span,
    pub timeout_stop: Span,
    /// `None`: as `timeout_stop`.
    pub timeout_abort: Option<Span>,
    pub timeout_start_failure_mode: TimeoutMode,
    pub timeout_stop_failure_mode: TimeoutMode,
    pub runtime_max: Span,
    pub watchdog: Span,
    pub remain_after_exit: bool,
    pub guess_main_pid: bool,
    /// Absolute.
    pub pid_file: Option<String>,
    pub bus_name: Option<String>,
    pub notify_access: NotifyAccess,
    /// `Sockets=` beside the one of the same name.
    pub sockets: Vec<UnitName>,
    pub non_blocking: bool,
    pub fd_store_max: u32,
    pub oom_policy: OomPolicy,
    pub permissions_start_only: bool,
    pub root_directory_start_only: bool,
    pub reload_signal: i32,
    /// `[X-Health]`; `None`: it is not asked.
    pub health: Option<Box<Health>>,
    pub exec: Exec,
    pub kill: Kill,
}

impl Default for Service {
    fn default() -> Service {
        Service {
            kind: ServiceType::Simple,
            exit_type: ExitType::Main,
            commands: Commands::default(),
            restart: Restart::No,
            restart_sec: Span::milliseconds(100),
            restart_steps: 0,
            restart_max_delay: Span::INFINITY,
            restart_reset: Span::INFINITY,
            success_exit_status: ExitStatuses::default(),
            restart_prevent_exit_status: ExitStatuses::default(),
            restart_force_exit_status: ExitStatuses::default(),
            timeout_start: Span::seconds(90),
            timeout_stop: Span::seconds(90),
            timeout_abort: None,
            timeout_start_failure_mode: TimeoutMode::Terminate,
            timeout_stop_failure_mode: TimeoutMode::Terminate,
            runtime_max: Span::INFINITY,
            watchdog: Span::ZERO,
            remain_after_exit: false,
            guess_main_pid: true,
            pid_file: None,
            bus_name: None,
            notify_access: NotifyAccess::None,
            sockets: Vec::new(),
            non_blocking: false,
            fd_store_max: 0,
            oom_policy: OomPolicy::Stop,
            permissions_start_only: false,
            root_directory_start_only: false,
            reload_signal: 1,
            health: None,
            exec: Exec::default(),
            kill: Kill::default(),
        }
    }
}
