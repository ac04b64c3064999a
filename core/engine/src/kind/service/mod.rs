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
//! (what took too long), `end` (the end of a run and the restart after it).

mod end;
mod exits;
mod notify;
mod occupancy;
mod process;
mod running;
mod start;
mod stop;
mod timeout;

use super::{Cx, Input, Process, Stage, StopFor, Triggered};
use crate::api::{Action, ActiveState, ExitStatus, FindHow, Phase, ProcId, ServiceResult};
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

/// A command in progress, which one of its phase, and until when it may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub process: Process,
    pub index: u32,
    pub deadline: Option<u64>,
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
    PidFile { deadline: Option<u64> },
}

/// What holds while the service is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Up {
    pub main: Main,
    /// When the next life sign is due.
    pub watchdog: Option<u64>,
    pub runtime: Runtime,
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

/// The unit's processes beside main and control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rest {
    /// `KillMode=` leaves them alone.
    Spared,
    /// They got the signal; whether there are any is not known yet.
    Asked,
    Left,
}

/// Whether an automatic restart may follow this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MayRestart {
    Yes,
    No,
}

pub(super) fn step(state: State, input: Input, service: &Service, cx: &mut Cx) -> State {
    match input {
        Input::Start => start::wished(state, service, cx),
        Input::StartLimitHit => end::start_limit_hit(state, service, cx),
        Input::Stop(purpose) => stop::wished(state, purpose, service, cx),
        Input::Reload => running::reload_wished(state, service, cx),
        Input::ResetFailed => end::reset_failed(state, cx),
        Input::Spawned { process } => start::spawned(state, process, service, cx),
        Input::SpawnFailed { process, errno } => exits::spawn_failed(state, process, errno, service, cx),
        Input::Executed { process } => start::executed(state, process, service, cx),
        Input::SetupFailed { process: _, code, errno } => {
            exits::setup_failed(code, errno, cx);
            state
        }
        Input::Exited { process, status } => exits::exited(state, process, status, service, cx),
        Input::MainFound { process } => start::main_found(state, process, service, cx),
        Input::MainMissing { process, reason } => start::main_missing(state, process, &reason, service, cx),
        Input::Notified { sender, message } => notify::notified(state, sender, *message, service, cx),
        Input::Occupancy(occupancy) => occupancy::occupancy(state, occupancy, service, cx),
        Input::BusName(owner) => running::bus_name(state, owner, service, cx),
        Input::OutOfMemory => running::out_of_memory(state, service, cx),
        Input::Deadline => timeout::deadline(state, service, cx),
        Input::RestartRefused => end::restart_refused(state, cx),
        Input::SocketsOpened(_)
        | Input::SocketReady
        | Input::Mount(_)
        | Input::TriggerRefused
        | Input::Triggered(_) => state,
    }
}

pub(super) fn can_reload(service: &Service) -> bool {
    !service.commands.reload.is_empty() || service.kind == ServiceType::NotifyReload
}

impl State {
    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::StartPost(_)
            | State::AutoRestart { .. } => ActiveState::Activating,
            State::Running(_) | State::Exited => ActiveState::Active,
            State::Reload(_) => ActiveState::Reloading,
            State::Stop { .. } | State::Killing(_) | State::StopPost { .. } => ActiveState::Deactivating,
            State::Failed => ActiveState::Failed,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Condition(_) => "condition",
            State::StartPre(_) => "start-pre",
            State::Start(_) => "start",
            State::StartPost(_) => "start-post",
            State::Running(_) => "running",
            State::Exited => "exited",
            State::Reload(reload) => match reload.by {
                Reloading::Command { .. } | Reloading::Itself { .. } => "reload",
                Reloading::Signalled { .. } => "reload-signal",
                Reloading::Notified { .. } => "reload-notify",
            },
            State::Stop { .. } => "stop",
            State::Killing(killing) => match killing.step {
                KillStep::StopWatchdog => "stop-watchdog",
                KillStep::StopSigterm => "stop-sigterm",
                KillStep::StopSigkill => "stop-sigkill",
                KillStep::FinalWatchdog => "final-watchdog",
                KillStep::FinalSigterm => "final-sigterm",
                KillStep::FinalSigkill => "final-sigkill",
            },
            State::StopPost { .. } => "stop-post",
            State::Failed => "failed",
            State::AutoRestart { .. } => "auto-restart",
        }
    }

    pub(super) fn for_triggers(&self) -> Option<Triggered> {
        match self {
            State::Dead | State::Failed | State::AutoRestart { .. } => Some(Triggered::Inactive),
            State::Running(_) => Some(Triggered::Active),
            State::Killing(killing) => match killing.step {
                KillStep::FinalSigterm | KillStep::FinalSigkill => Some(Triggered::Inactive),
                KillStep::StopWatchdog
                | KillStep::StopSigterm
                | KillStep::StopSigkill
                | KillStep::FinalWatchdog => None,
            },
            State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::StartPost(_)
            | State::Exited
            | State::Reload(_)
            | State::Stop { .. }
            | State::StopPost { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match self {
            State::Dead | State::Exited | State::Failed => None,
            State::Condition(control) | State::StartPre(control) => control.deadline,
            State::Start(starting) => match starting {
                Starting::Launch { main: _ } => None,
                Starting::Await { main: _, deadline }
                | Starting::Oneshot { main: _, index: _, deadline }
                | Starting::Finding { main: _, deadline }
                | Starting::Counting { deadline } => *deadline,
                Starting::Parent(control) => control.deadline,
            },
            State::StartPost(post) => earlier(post.control.deadline(), post.up.watchdog),
            State::Running(up) => earlier(up.runtime.end(), up.watchdog),
            State::Reload(reload) => earlier(reload.by.deadline(), reload.up.watchdog),
            State::Stop { control, .. } | State::StopPost { control, .. } => control.deadline,
            State::Killing(killing) => killing.deadline,
            State::AutoRestart { at } => *at,
        }
    }

    pub(super) fn main(&self) -> Option<Process> {
        match self {
            State::Start(Starting::Launch { main } | Starting::Oneshot { main, .. }) => Some(*main),
            State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Start(
                Starting::Await { .. }
                | Starting::Parent(_)
                | Starting::Finding { .. }
                | Starting::Counting { .. },
            )
            | State::StartPost(_)
            | State::Running(_)
            | State::Exited
            | State::Reload(_)
            | State::Stop { .. }
            | State::Killing(_)
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. } => self.main_of().and_then(Main::alive),
        }
    }

    pub(super) fn awaited_main(&self) -> Option<Process> {
        match self.main_of()? {
            Main::Sought { old: _, new, how: _ } => Some(Process { id: *new, stage: Stage::Spawned }),
            Main::Unknown | Main::Alive(_) | Main::Gone => None,
        }
    }

    /// The `Main` a state holds, where it holds one.
    fn main_of(&self) -> Option<&Main> {
        match self {
            State::Start(Starting::Await { main, .. } | Starting::Finding { main, .. }) => Some(main),
            State::StartPost(post) => Some(&post.up.main),
            State::Running(up) => Some(&up.main),
            State::Reload(reload) => Some(&reload.up.main),
            State::Stop { main, .. } | State::StopPost { main, .. } => Some(main),
            State::Killing(killing) => Some(&killing.main),
            State::Start(
                Starting::Launch { .. }
                | Starting::Oneshot { .. }
                | Starting::Parent(_)
                | Starting::Counting { .. },
            )
            | State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Exited
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    fn main_of_mut(&mut self) -> Option<&mut Main> {
        match self {
            State::Start(Starting::Await { main, .. } | Starting::Finding { main, .. }) => Some(main),
            State::StartPost(post) => Some(&mut post.up.main),
            State::Running(up) => Some(&mut up.main),
            State::Reload(reload) => Some(&mut reload.up.main),
            State::Stop { main, .. } | State::StopPost { main, .. } => Some(main),
            State::Killing(killing) => Some(&mut killing.main),
            State::Start(
                Starting::Launch { .. }
                | Starting::Oneshot { .. }
                | Starting::Parent(_)
                | Starting::Counting { .. },
            )
            | State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Exited
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    pub(super) fn control(&self) -> Option<Process> {
        match self {
            State::Condition(control)
            | State::StartPre(control)
            | State::Start(Starting::Parent(control))
            | State::Stop { control, .. }
            | State::StopPost { control, .. } => Some(control.process),
            State::StartPost(post) => match &post.control {
                PostControl::Command(control) => Some(control.process),
                PostControl::PidFile { .. } => None,
            },
            State::Reload(reload) => match &reload.by {
                Reloading::Command { control, .. } => Some(control.process),
                Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => None,
            },
            State::Killing(killing) => killing.control.map(|left| left.process),
            State::Start(
                Starting::Launch { .. }
                | Starting::Await { .. }
                | Starting::Oneshot { .. }
                | Starting::Finding { .. }
                | Starting::Counting { .. },
            )
            | State::Dead
            | State::Running(_)
            | State::Exited
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    /// The main and control processes of a state that is given up.
    fn parts(self) -> (Main, Option<Leftover>) {
        match self {
            State::Dead | State::Exited | State::Failed | State::AutoRestart { .. } => (Main::Gone, None),
            State::Condition(control) => (Main::Gone, Some(control.left_over(Phase::Condition))),
            State::StartPre(control) => (Main::Gone, Some(control.left_over(Phase::StartPre))),
            State::Start(starting) => match starting {
                Starting::Launch { main } | Starting::Oneshot { main, .. } => (Main::Alive(main), None),
                Starting::Await { main, .. } | Starting::Finding { main, .. } => (main, None),
                Starting::Parent(control) => (Main::Unknown, Some(control.left_over(Phase::Start))),
                Starting::Counting { .. } => (Main::Unknown, None),
            },
            State::StartPost(StartPost { up, control }) => match control {
                PostControl::Command(control) => (up.main, Some(control.left_over(Phase::StartPost))),
                PostControl::PidFile { .. } => (up.main, None),
            },
            State::Running(up) => (up.main, None),
            State::Reload(Reload { up, by }) => match by {
                Reloading::Command { control, .. } => (up.main, Some(control.left_over(Phase::Reload))),
                Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => {
                    (up.main, None)
                }
            },
            State::Stop { main, control, .. } => (main, Some(control.left_over(Phase::Stop))),
            State::Killing(killing) => (killing.main, killing.control),
            State::StopPost { main, control, .. } => (main, Some(control.left_over(Phase::StopPost))),
        }
    }

    pub(super) fn waiting_for(&self, service: &Service, cx: &Cx) -> Vec<Action> {
        process::unanswered(self, service, cx)
    }
}

impl Main {
    fn alive(&self) -> Option<Process> {
        match self {
            Main::Alive(process) => Some(*process),
            Main::Sought { old: Old::Alive(process), .. } => Some(*process),
            Main::Unknown | Main::Gone | Main::Sought { old: Old::Nobody | Old::Ended(..), .. } => None,
        }
    }
}

impl PostControl {
    fn deadline(&self) -> Option<u64> {
        match self {
            PostControl::Command(control) => control.deadline,
            PostControl::PidFile { deadline } => *deadline,
        }
    }
}

impl Runtime {
    fn end(self) -> Option<u64> {
        match self {
            Runtime::NotYet | Runtime::Endless => None,
            Runtime::Until(instant) => Some(instant),
        }
    }
}

impl Reloading {
    fn deadline(&self) -> Option<u64> {
        match self {
            Reloading::Command { control, .. } => control.deadline,
            Reloading::Signalled { deadline, .. }
            | Reloading::Notified { deadline }
            | Reloading::Itself { deadline } => *deadline,
        }
    }
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
fn after(cx: &Cx, span: Span) -> Option<u64> {
    if span.is_infinite() { None } else { Some(cx.now.monotonic.saturating_add(span.0)) }
}

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

    /// `process` is there.
    pub(super) fn seen(self, process: ProcId) -> Control {
        if self.process.id == process {
            Control { process: Process { id: process, stage: Stage::Spawned }, ..self }
        } else {
            self
        }
    }
}
