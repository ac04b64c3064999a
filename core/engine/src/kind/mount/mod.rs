//! Mounts: made and undone by mount(8) and umount(8), and there only if the kernel says so. systemd.mount(5).
//!
//! ```text
//!   Dead ─► Mounting ─► MountingDone ─► Mounted ⇄ Remounting
//!    ▲                                     │
//!    └── Failed ◄── Killing ◄── Unmounting ◄
//! ```
//!
//! What a command says of itself is half the truth: when it has ended the kernel's table is looked at, and that says
//! whether the unit is up ([`Work::Ended`]). What others mount and unmount is followed.

mod command;
mod end;

use super::control::{Blow, Control, after, strike};
use super::{Cx, Input, Level, Presence, Process, ReloadOutcome, Reply, Stage};
use super::{RESOURCES, words};
use crate::api::{Action, ActiveState, Phase, ProcId, ServiceResult};
pub use command::command;
pub(super) use command::program;
use command::{order, spawn};
use end::{dead, settle, up};
use eudaemon_unit::config::{Config, Mount};
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    Mounting(Work),
    /// It is mounted, and mount(8) has not ended yet.
    MountingDone(Work),
    Mounted,
    /// The root: there as long as anything is.
    Perpetual,
    Remounting(Work),
    Unmounting {
        work: Work,
        /// How often umount(8) went well and there still was a mount: they can be stacked.
        tries: u32,
    },
    Killing {
        step: KillStep,
        work: Work,
    },
    Failed,
}

/// The command at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    Runs(Control),
    /// It is over, and so it went; what is mounted is looked at.
    Ended(ServiceResult),
}

/// What a command that has ended says it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Mounted,
    Otherwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillStep {
    RemountSigterm,
    RemountSigkill,
    UnmountSigterm,
    UnmountSigkill,
}

impl State {
    pub(super) fn initial(name: &UnitName) -> State {
        match name.as_str() {
            "-.mount" => State::Perpetual,
            _other => State::Dead,
        }
    }

    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Mounting(_) | State::MountingDone(_) => ActiveState::Activating,
            State::Mounted | State::Perpetual => ActiveState::Active,
            State::Remounting(_) => ActiveState::Reloading,
            State::Unmounting { .. } => ActiveState::Deactivating,
            State::Killing { step, work: _ } => match step {
                KillStep::RemountSigterm | KillStep::RemountSigkill => ActiveState::Reloading,
                KillStep::UnmountSigterm | KillStep::UnmountSigkill => ActiveState::Deactivating,
            },
            State::Failed => ActiveState::Failed,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Mounting(_) => "mounting",
            State::MountingDone(_) => "mounting-done",
            State::Mounted | State::Perpetual => "mounted",
            State::Remounting(_) => "remounting",
            State::Unmounting { .. } => "unmounting",
            State::Killing { step, work: _ } => match step {
                KillStep::RemountSigterm => "remounting-sigterm",
                KillStep::RemountSigkill => "remounting-sigkill",
                KillStep::UnmountSigterm => "unmounting-sigterm",
                KillStep::UnmountSigkill => "unmounting-sigkill",
            },
            State::Failed => "failed",
        }
    }

    fn work(&self) -> Option<&Work> {
        match self {
            State::Mounting(work)
            | State::MountingDone(work)
            | State::Remounting(work)
            | State::Unmounting { work, tries: _ }
            | State::Killing { step: _, work } => Some(work),
            State::Dead | State::Mounted | State::Perpetual | State::Failed => None,
        }
    }

    fn with_work(self, change: impl FnOnce(Work) -> Work) -> State {
        match self {
            State::Mounting(work) => State::Mounting(change(work)),
            State::MountingDone(work) => State::MountingDone(change(work)),
            State::Remounting(work) => State::Remounting(change(work)),
            State::Unmounting { work, tries } => State::Unmounting { work: change(work), tries },
            State::Killing { step, work } => State::Killing { step, work: change(work) },
            State::Dead | State::Mounted | State::Perpetual | State::Failed => self,
        }
    }

    fn runs(&self) -> Option<&Control> {
        match self.work()? {
            Work::Runs(control) => Some(control),
            Work::Ended(_) => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.runs()?.deadline
    }

    pub(super) fn control(&self) -> Option<Process> {
        Some(self.runs()?.process)
    }

    fn is_down(&self) -> bool {
        matches!(self, State::Dead | State::Failed)
    }

    /// Whether the unit has to hear what is mounted: it asked, or it is otherwise than it is held to be.
    pub fn heeds(&self, presence: Presence) -> bool {
        match self {
            State::Dead | State::Failed => presence == Presence::Present,
            State::Mounted => presence == Presence::Absent,
            State::Perpetual => false,
            State::Mounting(Work::Runs(_)) => presence == Presence::Present,
            State::MountingDone(Work::Runs(_)) => false,
            State::Remounting(Work::Runs(_))
            | State::Unmounting { work: Work::Runs(_), .. }
            | State::Killing { work: Work::Runs(_), .. } => false,
            State::Mounting(Work::Ended(_))
            | State::MountingDone(Work::Ended(_))
            | State::Remounting(Work::Ended(_))
            | State::Unmounting { work: Work::Ended(_), .. }
            | State::Killing { work: Work::Ended(_), .. } => true,
        }
    }

    /// What the command says whose work is looked at; `None`: none is.
    pub(crate) fn says(&self) -> Option<Says> {
        let Work::Ended(result) = self.work()? else { return None };
        let mounts = matches!(self, State::Mounting(_) | State::MountingDone(_));
        Some(if mounts && *result == ServiceResult::Success { Says::Mounted } else { Says::Otherwise })
    }

    /// Which of its commands is at work: `ExecMount`, `ExecRemount`, `ExecUnmount`. One that is told to end was ordered before.
    fn phase(&self) -> Option<Phase> {
        match self {
            State::Mounting(_) | State::MountingDone(_) => Some(Phase::Start),
            State::Remounting(_) => Some(Phase::Reload),
            State::Unmounting { .. } => Some(Phase::Stop),
            State::Dead | State::Mounted | State::Perpetual | State::Killing { .. } | State::Failed => None,
        }
    }

    pub(super) fn waiting_for(&self, config: &Config, mount: &Mount, cx: &Cx) -> Vec<Action> {
        match (self.work(), self.phase()) {
            (Some(Work::Runs(control)), Some(phase)) if control.process.stage == Stage::Asked => {
                order(control.process, phase, config, mount, cx).into_iter().collect()
            }
            (Some(Work::Ended(_)), _) => vec![Action::LookAtMounts],
            (Some(Work::Runs(_)) | None, _) => Vec::new(),
        }
    }

    /// What took longer than `TimeoutSec=` allows, as a clause.
    pub(crate) fn overdue(&self, mount: &Mount) -> Option<String> {
        let clause = |what: &str| Some(words::limit(what, "TimeoutSec", mount.timeout));
        match self {
            State::Mounting(_) | State::MountingDone(_) => clause("mounting"),
            State::Remounting(_) => clause("remounting"),
            State::Unmounting { .. } => clause("unmounting"),
            State::Killing { .. } => clause("the end of its command"),
            State::Dead | State::Mounted | State::Perpetual | State::Failed => None,
        }
    }
}

pub(super) fn step(state: State, input: Input, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    match input {
        Input::Start => start(state, config, mount, cx),
        Input::Stop(_) => stop(state, config, mount, cx),
        Input::Reload => reload(state, config, mount, cx),
        Input::StartLimitHit => {
            if state.is_down() {
                cx.history.fail(ServiceResult::StartLimitHit);
                return State::Failed;
            }
            state
        }
        Input::ResetFailed => {
            cx.history.result = ServiceResult::Success;
            cx.history.reload_result = ServiceResult::Success;
            if state == State::Failed { State::Dead } else { state }
        }
        Input::Mount(presence) => settle(state, presence, config, mount, cx),
        Input::Spawned { process } => state.with_work(|work| match work {
            Work::Runs(control) => Work::Runs(control.seen(process)),
            Work::Ended(result) => Work::Ended(result),
        }),
        Input::SpawnFailed { process, trouble } if is_at_work(&state, process) => {
            cx.say(
                Level::Error,
                format!("{}: {}", cx.unit, super::unborn(process, &trouble, config, cx.history)),
            );
            never_was(state, process, cx)
        }
        Input::SetupFailed { process, code, errno } if is_at_work(&state, process) => {
            let text = super::not_set_up(process, code, errno, config, cx.history);
            cx.say(Level::Error, format!("{}: {text}", cx.unit));
            // What systemd would have found out before it forked: the process never was.
            if code == RESOURCES { never_was(state, process, cx) } else { state }
        }
        Input::Exited { process, status } => {
            cx.history.command_ended(process, status, cx.now);
            if !is_at_work(&state, process) {
                return state;
            }
            let result = super::control::verdict(status);
            if result != ServiceResult::Success {
                let program = program(process, cx.history).unwrap_or("its command");
                cx.say(Level::Notice, format!("{}: {program} {}", cx.unit, words::ending(status)));
            }
            over(state, result, cx)
        }
        Input::Deadline => deadline(state, mount, cx),
        Input::SpawnFailed { .. }
        | Input::SetupFailed { .. }
        | Input::Executed { .. }
        | Input::MainFound { .. }
        | Input::MainMissing { .. }
        | Input::Notified { .. }
        | Input::Occupancy(_)
        | Input::SocketsOpened(_)
        | Input::SocketReady
        | Input::BusName(_)
        | Input::OutOfMemory
        | Input::Clean(_)
        | Input::Cleaned(_)
        | Input::Health(_)
        | Input::RestartRefused
        | Input::TriggerRefused
        | Input::Triggered(_) => state,
    }
}

fn is_at_work(state: &State, process: ProcId) -> bool {
    state.control().is_some_and(|control| control.id == process)
}

/// The command is over, one way or another: what is mounted now says what came of it.
fn over(state: State, result: ServiceResult, cx: &mut Cx) -> State {
    cx.order(Action::LookAtMounts);
    state.with_work(|_| Work::Ended(result))
}

/// There is nothing to tell of a command that never ran.
fn never_was(state: State, process: ProcId, cx: &mut Cx) -> State {
    cx.history.commands.retain(|run| run.process != process);
    over(state, ServiceResult::Resources, cx)
}

fn start(state: State, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    match state {
        State::Dead | State::Failed => {
            begin(cx);
            match spawn(Phase::Start, config, mount, cx) {
                Some(work) => State::Mounting(work),
                None => {
                    unwritten("mount", cx);
                    dead(ServiceResult::Resources, mount, cx)
                }
            }
        }
        State::Mounting(_)
        | State::MountingDone(_)
        | State::Mounted
        | State::Perpetual
        | State::Remounting(_)
        | State::Killing { step: KillStep::RemountSigterm | KillStep::RemountSigkill, .. } => state,
        State::Unmounting { .. }
        | State::Killing { step: KillStep::UnmountSigterm | KillStep::UnmountSigkill, .. } => {
            cx.reply(Reply::Later);
            state
        }
    }
}

/// A new run; of the last one nothing is left.
fn begin(cx: &mut Cx) {
    cx.history.result = ServiceResult::Success;
    cx.history.reload_result = ServiceResult::Success;
    cx.history.commands.clear();
    cx.begin();
}

fn unwritten(what: &str, cx: &mut Cx) {
    cx.say(Level::Warning, format!("{}: cannot {what}: no unit file says how", cx.unit));
}

fn reload(state: State, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    match state {
        State::Mounted | State::Perpetual => {
            cx.history.reload_result = ServiceResult::Success;
            match spawn(Phase::Reload, config, mount, cx) {
                Some(work) => State::Remounting(work),
                None => {
                    unwritten("remount", cx);
                    cx.history.reload_result = ServiceResult::Resources;
                    cx.effects.reload = Some(ReloadOutcome::Failed);
                    state
                }
            }
        }
        State::Remounting(_)
        | State::Killing { step: KillStep::RemountSigterm | KillStep::RemountSigkill, .. } => {
            cx.reply(Reply::Later);
            state
        }
        State::Dead
        | State::Mounting(_)
        | State::MountingDone(_)
        | State::Unmounting { .. }
        | State::Killing { step: KillStep::UnmountSigterm | KillStep::UnmountSigkill, .. }
        | State::Failed => {
            cx.reply(Reply::Invalid);
            state
        }
    }
}

fn stop(state: State, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    match state {
        State::Mounted => unmount(0, config, mount, cx),
        State::Mounting(Work::Runs(control))
        | State::MountingDone(Work::Runs(control))
        | State::Remounting(Work::Runs(control)) => kill(KillStep::UnmountSigterm, control, mount, cx),
        // What there is to be undone will be known in a moment.
        State::Mounting(Work::Ended(_))
        | State::MountingDone(Work::Ended(_))
        | State::Remounting(Work::Ended(_)) => {
            cx.reply(Reply::Later);
            state
        }
        State::Killing { step: KillStep::RemountSigterm, work } => {
            State::Killing { step: KillStep::UnmountSigterm, work }
        }
        State::Killing { step: KillStep::RemountSigkill, work } => {
            State::Killing { step: KillStep::UnmountSigkill, work }
        }
        State::Unmounting { .. }
        | State::Killing { step: KillStep::UnmountSigterm | KillStep::UnmountSigkill, .. }
        | State::Dead
        | State::Perpetual
        | State::Failed => state,
    }
}

fn unmount(tries: u32, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    match spawn(Phase::Stop, config, mount, cx) {
        Some(work) => State::Unmounting { work, tries },
        // What is mounted can be unmounted, whoever did it.
        None => up(ServiceResult::Resources, cx),
    }
}

fn deadline(state: State, mount: &Mount, cx: &mut Cx) -> State {
    if let Some(clause) = state.overdue(mount).filter(|_| state.runs().is_some()) {
        cx.say(Level::Warning, format!("{}: {clause}, terminating it", cx.unit));
    }
    match state {
        State::Mounting(Work::Runs(control))
        | State::MountingDone(Work::Runs(control))
        | State::Unmounting { work: Work::Runs(control), tries: _ } => {
            cx.history.fail(ServiceResult::Timeout);
            kill(KillStep::UnmountSigterm, control, mount, cx)
        }
        State::Remounting(Work::Runs(control)) => {
            cx.history.reload_result = ServiceResult::Timeout;
            kill(KillStep::RemountSigterm, control, mount, cx)
        }
        State::Killing { step, work: Work::Runs(control) } => {
            match step {
                KillStep::RemountSigterm | KillStep::RemountSigkill => {
                    cx.history.reload_result = ServiceResult::Timeout;
                }
                KillStep::UnmountSigterm | KillStep::UnmountSigkill => {
                    cx.history.fail(ServiceResult::Timeout);
                }
            }
            harder(step, control, mount, cx)
        }
        State::Mounting(Work::Ended(_))
        | State::MountingDone(Work::Ended(_))
        | State::Remounting(Work::Ended(_))
        | State::Unmounting { work: Work::Ended(_), .. }
        | State::Killing { work: Work::Ended(_), .. }
        | State::Dead
        | State::Mounted
        | State::Perpetual
        | State::Failed => state,
    }
}

/// Has the command end, and waits for it; where nobody may be told, the next step follows at once.
fn kill(step: KillStep, control: Control, mount: &Mount, cx: &mut Cx) -> State {
    let kill = &mount.processes.kill;
    let (blow, signal) = match step {
        KillStep::RemountSigterm | KillStep::UnmountSigterm => (Blow::Term, kill.signal),
        KillStep::RemountSigkill | KillStep::UnmountSigkill => (Blow::Kill, kill.final_signal),
    };
    let (told, _) = strike(kill, blow, signal, [control.process], cx);
    let deadline = after(cx, mount.timeout);
    match told.is_empty() {
        true => harder(step, control, mount, cx),
        false => State::Killing { step, work: Work::Runs(Control { deadline, ..control }) },
    }
}

/// What follows when a signal did not help. After the last it is as it is, and the command is left to itself.
fn harder(step: KillStep, control: Control, mount: &Mount, cx: &mut Cx) -> State {
    let harder = match step {
        KillStep::RemountSigterm => Some(KillStep::RemountSigkill),
        KillStep::UnmountSigterm => Some(KillStep::UnmountSigkill),
        KillStep::RemountSigkill | KillStep::UnmountSigkill => None,
    };
    match harder.filter(|_| mount.processes.kill.send_sigkill) {
        Some(step) => kill(step, control, mount, cx),
        None => {
            let state = State::Killing { step, work: Work::Runs(control) };
            over(state, ServiceResult::Success, cx)
        }
    }
}
