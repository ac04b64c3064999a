//! Services: systemd.service(5), systemd.kill(5).
//!
//! ```text
//!   Dead ─► Condition ─► StartPre ─► Start ─► StartPost ─► Running ⇄ Reload
//!    ▲                                                       │  (or Exited)
//!    │                                                       ▼
//!    ├── AutoRestart / Failed ◄── Killing(final) ◄── StopPost ◄── Killing(stop) ◄── Stop
//! ```
//!
//! Anything that goes wrong before `Running` jumps to `Killing(stop)`. A command runs as *control process*; what
//! the service is stands in *main*. Each file holds one side of the life and every (state, input) pair of it:
//! `start` (up to running), `running` (reload, bus name, memory), `notify` (what the service says of itself),
//! `stop` (the wish and the signals), `exits` (a process ended), `occupancy` (how many are left), `timeout`
//! (what took too long), `health` (whether it is well), `end` (the end of a run and the restart after it).

mod end;
mod exits;
mod health;
mod notify;
mod occupancy;
mod process;
mod reading;
mod running;
mod start;
mod stop;
mod timeout;

pub use health::{Health, Verdict};
pub use process::program;
pub use timeout::overdue;

use super::control::after;
pub use super::control::{Control, Rest};
use super::{Cx, HealthNews, Input, Process, StopFor};
use crate::api::{ExitStatus, FindHow, Phase, ProcId, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::span::Span;
use serde::{Deserialize, Serialize};

/// A service's place in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    Condition(Control),
    StartPre(Control),
    Start(Starting),
    StartPost(StartPost),
    Running(Up),
    /// Nothing runs, and that is as it should be (`RemainAfterExit=`).
    Exited,
    Reload(Reload),
    /// `ExecStop=` runs.
    Stop {
        main: Main,
        control: Control,
        cause: Cause,
    },
    Killing(Killing),
    StopPost {
        main: Main,
        control: Control,
        cause: Cause,
    },
    Failed,
    /// Until the instant, then until the restart job that was asked for comes.
    AutoRestart {
        at: Option<u64>,
    },
}

/// The main process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Main {
    /// There may be one, nobody could tell which: the service lives while it has processes.
    Unknown,
    Alive(Process),
    Gone,
    /// Somebody is being judged for the place.
    Sought {
        old: Old,
        new: ProcId,
        how: Sought,
    },
}

/// Who held the place of the main process until another is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Old {
    Nobody,
    Alive(Process),
    /// Its end counts only if nobody follows.
    Ended(Process, ExitStatus),
}

/// By what a main process is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sought {
    PidFile,
    /// In the pid file as it is now: a daemon may put a successor there before it goes.
    PidFileNow,
    Guess,
    Notified(crate::api::Candidate),
}

/// `ExecStart=` is under way; each type of service has its own idea of what ends this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Starting {
    /// `simple`, `idle`: until the process is there.
    Launch { main: Process },
    /// `exec`, `dbus`, `notify`, `notify-reload`: until exec, the bus name, READY=1.
    Await { main: Main, deadline: Option<u64> },
    /// `oneshot`: one command after the other.
    Oneshot { main: Process, index: u32, deadline: Option<u64> },
    /// `forking`: the process that is to fork and exit.
    Parent(Control),
    /// `forking`: it has; the daemon is looked for.
    Finding { main: Main, deadline: Option<u64> },
    /// `forking`: no main process could be told; is there any process at all?
    Counting { deadline: Option<u64> },
}

/// `ExecStartPost=` runs, or the pid file is still awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartPost {
    pub up: Up,
    pub control: PostControl,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PostControl {
    Command(Control),
    PidFile {
        deadline: Option<u64>,
    },
    /// Until it is healthy (`Gate=start`).
    Health {
        deadline: Option<u64>,
    },
}

/// What holds while the service is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Up {
    pub main: Main,
    /// When the next life sign is due.
    pub watchdog: Option<u64>,
    pub runtime: Runtime,
    /// From when it has started on, if it is asked.
    pub health: Option<Box<Health>>,
}

/// `RuntimeMaxSec=` counts from the first instant in `Running`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    NotYet,
    Endless,
    Until(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    pub up: Up,
    pub by: Reloading,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reloading {
    /// `ExecReload=`; then, for `notify-reload`, what the service says counts (`signalled`: when it was told).
    Command { control: Control, signalled: Option<u64> },
    /// `notify-reload`: the signal is sent, RELOADING=1 with a later stamp is awaited.
    Signalled { since: u64, deadline: Option<u64> },
    /// RELOADING=1 was heard after the signal, READY=1 is awaited.
    Notified { deadline: Option<u64> },
    /// The service reloads by its own doing; nobody waits for it.
    Itself { deadline: Option<u64> },
}

/// Why the service stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// It ended, failed or hung.
    Itself,
    /// A stop or restart job.
    Asked(StopFor),
    /// `OnUnhealthy=`: with or without a restart.
    Unhealthy(StopFor),
}

/// Signals are sent, the end of those who got them is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Killing {
    pub step: KillStep,
    pub main: Main,
    pub control: Option<Leftover>,
    pub rest: Rest,
    pub cause: Cause,
    pub deadline: Option<u64>,
}

/// A control process that is to go; what its end is worth depends on the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    pub process: Process,
    pub phase: Phase,
    pub index: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillStep {
    StopWatchdog,
    StopSigterm,
    StopSigkill,
    FinalWatchdog,
    FinalSigterm,
    FinalSigkill,
}

/// Whether an automatic restart may follow this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MayRestart {
    Yes,
    No,
}

pub(super) fn step(state: State, input: Input, service: &Service, cx: &mut Cx) -> State {
    let (asking, said) = (state.health_turn(), health::last_word(&input));
    if health::is_concerned(&state, &input, cx) {
        cx.effects.health = HealthNews::Same;
    }
    let state = hear(state, input, service, cx);
    health::give_up(asking, said, &state, cx);
    state
}

fn hear(state: State, input: Input, service: &Service, cx: &mut Cx) -> State {
    match input {
        Input::Start => start::wished(state, service, cx),
        Input::StartLimitHit => end::start_limit_hit(state, service, cx),
        Input::Stop(purpose) => stop::wished(state, purpose, service, cx),
        Input::Reload => running::reload_wished(state, service, cx),
        Input::ResetFailed => end::reset_failed(state, cx),
        Input::Spawned { process } => start::spawned(state, process, service, cx),
        Input::SpawnFailed { process, trouble } => exits::spawn_failed(state, process, &trouble, service, cx),
        Input::Executed { process } => start::executed(state, process, service, cx),
        Input::SetupFailed { process, code, errno } => {
            exits::setup_failed(state, process, code, errno, service, cx)
        }
        Input::Exited { process, status } => exits::exited(state, process, status, service, cx),
        Input::MainFound { process } => start::main_found(state, process, service, cx),
        Input::MainMissing { process, reason } => start::main_missing(state, process, &reason, service, cx),
        Input::Notified { sender, message } => notify::notified(state, sender, *message, service, cx),
        Input::Occupancy(occupancy) => occupancy::occupancy(state, occupancy, service, cx),
        Input::BusName(owner) => running::bus_name(state, owner, service, cx),
        Input::OutOfMemory => running::out_of_memory(state, service, cx),
        Input::Health(input) => health::hear(state, input, service, cx),
        Input::Deadline => timeout::deadline(state, service, cx),
        Input::RestartRefused => end::restart_refused(state, cx),
        Input::Clean(_)
        | Input::Cleaned(_)
        | Input::SocketsOpened(_)
        | Input::SocketReady
        | Input::Mount(_)
        | Input::TriggerRefused
        | Input::Triggered(_) => state,
    }
}

pub(super) fn can_reload(service: &Service) -> bool {
    !service.commands.reload.is_empty() || service.kind == ServiceType::NotifyReload
}

impl Sought {
    fn how(&self, service: &Service) -> FindHow {
        let file = || service.pid_file.clone().unwrap_or_default();
        match self {
            Sought::PidFile => FindHow::PidFile(file()),
            Sought::PidFileNow => FindHow::PidFileNow(file()),
            Sought::Guess => FindHow::Guess,
            Sought::Notified(candidate) => FindHow::Candidate(*candidate),
        }
    }
}

/// The instant a span from now ends; `None`: never.
fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, None) => one,
        (None, other) => other,
    }
}

/// The timeout for a phase that has hung: what `Timeout…FailureMode=abort` waits for.
fn abort_timeout(service: &Service) -> Span {
    service.timeout_abort.unwrap_or(service.timeout_stop)
}

/// Systemd's word for a result, as in `Result=` and `$SERVICE_RESULT`.
pub fn result_word(result: ServiceResult) -> &'static str {
    match result {
        ServiceResult::Success => "success",
        ServiceResult::Resources => "resources",
        ServiceResult::Protocol => "protocol",
        ServiceResult::Timeout => "timeout",
        ServiceResult::ExitCode => "exit-code",
        ServiceResult::Signal => "signal",
        ServiceResult::CoreDump => "core-dump",
        ServiceResult::Watchdog => "watchdog",
        ServiceResult::StartLimitHit => "start-limit-hit",
        ServiceResult::OomKill => "oom-kill",
        ServiceResult::ExecCondition => "exec-condition",
        ServiceResult::TriggerLimitHit => "trigger-limit-hit",
        ServiceResult::ServiceStartLimitHit => "service-start-limit-hit",
    }
}

impl Control {
    fn left_over(&self, phase: Phase) -> Leftover {
        Leftover { process: self.process, phase, index: self.index }
    }
}
