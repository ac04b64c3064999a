//! Sockets: listened on by us until somebody knocks, then handed to the service. systemd.socket(5).
//!
//! ```text
//!   Dead ─► StartPre ─► Opening ─► StartPost ─► Listening ⇄ Running
//!                                                  │
//!   Dead/Failed ◄── Killing(final) ◄── StopPost ◄──┴── StopPre, Killing(stop)
//! ```

mod stop;

use super::control::{Blow, Control, Rest, after, left_behind, strike, verdict};
use super::words;
use super::{Cx, Input, Level, Process, Reply, Restarts, Stage, Triggered, Triggers};
use crate::api::{
    Action, ActiveState, ExitStatus, Occupancy, Phase, ProcId, ServiceResult, Spawn, Told, Trouble, WatchExec,
};
use eudaemon_unit::config::Socket;
use eudaemon_unit::config::exec::{ExecCommand, Failure};
use eudaemon_unit::config::socket::Accept;
use eudaemon_unit::span::Span;
use serde::{Deserialize, Serialize};
use stop::{control_ended, deadline, enter_stop_pre, settle, stop};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    StartPre(Control),
    /// The host opens, binds and owns them.
    Opening {
        deadline: Option<u64>,
    },
    StartPost(Control),
    /// The first knock is awaited.
    Listening,
    /// The service has them.
    Running,
    StopPre(Control),
    Killing(Killing),
    StopPost(Control),
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Killing {
    pub step: KillStep,
    pub control: Option<Process>,
    pub rest: Rest,
    pub deadline: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillStep {
    StopSigterm,
    StopSigkill,
    FinalSigterm,
    FinalSigkill,
}

impl State {
    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::StartPre(_) | State::Opening { .. } | State::StartPost(_) => ActiveState::Activating,
            State::Listening | State::Running => ActiveState::Active,
            State::StopPre(_) | State::Killing(_) | State::StopPost(_) => ActiveState::Deactivating,
            State::Failed => ActiveState::Failed,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::StartPre(_) => "start-pre",
            State::Opening { .. } => "start-chown",
            State::StartPost(_) => "start-post",
            State::Listening => "listening",
            State::Running => "running",
            State::StopPre(_) => "stop-pre",
            State::Killing(killing) => match killing.step {
                KillStep::StopSigterm => "stop-pre-sigterm",
                KillStep::StopSigkill => "stop-pre-sigkill",
                KillStep::FinalSigterm => "final-sigterm",
                KillStep::FinalSigkill => "final-sigkill",
            },
            State::StopPost(_) => "stop-post",
            State::Failed => "failed",
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match self {
            State::StartPre(control)
            | State::StartPost(control)
            | State::StopPre(control)
            | State::StopPost(control) => control.deadline,
            State::Opening { deadline } => *deadline,
            State::Killing(killing) => killing.deadline,
            State::Dead | State::Listening | State::Running | State::Failed => None,
        }
    }

    pub(super) fn control(&self) -> Option<Process> {
        match self {
            State::StartPre(control)
            | State::StartPost(control)
            | State::StopPre(control)
            | State::StopPost(control) => Some(control.process),
            State::Killing(killing) => killing.control,
            State::Dead | State::Opening { .. } | State::Listening | State::Running | State::Failed => None,
        }
    }

    fn is_down(&self) -> bool {
        match self {
            State::Dead | State::Failed => true,
            State::StartPre(_)
            | State::Opening { .. }
            | State::StartPost(_)
            | State::Listening
            | State::Running
            | State::StopPre(_)
            | State::Killing(_)
            | State::StopPost(_) => false,
        }
    }

    /// `process` is there.
    fn seen(self, process: ProcId) -> State {
        match self {
            State::StartPre(control) => State::StartPre(control.seen(process)),
            State::StartPost(control) => State::StartPost(control.seen(process)),
            State::StopPre(control) => State::StopPre(control.seen(process)),
            State::StopPost(control) => State::StopPost(control.seen(process)),
            State::Dead
            | State::Opening { .. }
            | State::Listening
            | State::Running
            | State::Killing(_)
            | State::Failed => self,
        }
    }

    pub(super) fn waiting_for(&self, socket: &Socket, cx: &Cx) -> Vec<Action> {
        let unit = || cx.unit.clone();
        let asked = |phase, control: &Control| match control.process.stage {
            Stage::Asked => order(control.process, phase, control.index, socket, cx).into_iter().collect(),
            Stage::Spawned => Vec::new(),
        };
        match self {
            State::StartPre(control) => asked(Phase::StartPre, control),
            State::Opening { .. } => vec![Action::OpenSockets { unit: unit() }],
            State::StartPost(control) => asked(Phase::StartPost, control),
            State::Listening => vec![Action::WatchSockets { unit: unit() }],
            State::StopPre(control) => asked(Phase::StopPre, control),
            State::StopPost(control) => asked(Phase::StopPost, control),
            State::Killing(Killing { rest: Rest::Asked | Rest::Left, .. }) => {
                vec![Action::Survey { unit: unit() }]
            }
            State::Killing(Killing { rest: Rest::Spared, .. })
            | State::Dead
            | State::Running
            | State::Failed => Vec::new(),
        }
    }
}

pub(super) fn step(state: State, input: Input, socket: &Socket, cx: &mut Cx) -> State {
    match input {
        Input::Start => start(state, socket, cx),
        Input::Stop(_) => stop(state, socket, cx),
        Input::StartLimitHit => {
            if state.is_down() {
                cx.history.fail(ServiceResult::StartLimitHit);
                return State::Failed;
            }
            state
        }
        Input::ResetFailed => {
            cx.history.result = ServiceResult::Success;
            if state == State::Failed { State::Dead } else { state }
        }
        // It is passed on to others; here nothing is to be done.
        Input::Reload => state,
        Input::Spawned { process } => state.seen(process),
        Input::SpawnFailed { process, trouble } => {
            if state.control().is_some_and(|control| control.id == process) {
                cx.say(Level::Error, format!("{}: {}", cx.unit, words::unborn(None, &trouble)));
                return control_ended(state, None, socket, cx);
            }
            state
        }
        Input::Exited { process, status } => {
            cx.history.command_ended(process, status, cx.now);
            if state.control().is_some_and(|control| control.id == process) {
                return control_ended(state, Some(status), socket, cx);
            }
            state
        }
        Input::Occupancy(occupancy) => settle(state, occupancy, socket, cx),
        Input::SocketsOpened(outcome) => opened(state, outcome, socket, cx),
        Input::SocketReady => knocked(state, socket, cx),
        Input::Triggered(triggered) => service_changed(state, triggered, socket, cx),
        Input::TriggerRefused => {
            if state == State::Running {
                cx.say(Level::Warning, format!("{}: the service could not be started", cx.unit));
                return enter_stop_pre(ServiceResult::Resources, socket, cx);
            }
            state
        }
        Input::Deadline => deadline(state, socket, cx),
        Input::Executed { .. }
        | Input::SetupFailed { .. }
        | Input::MainFound { .. }
        | Input::MainMissing { .. }
        | Input::Notified { .. }
        | Input::BusName(_)
        | Input::Mount(_)
        | Input::OutOfMemory
        | Input::Clean(_)
        | Input::Cleaned(_)
        | Input::Health(_)
        | Input::RestartRefused => state,
    }
}

fn start(state: State, socket: &Socket, cx: &mut Cx) -> State {
    match state {
        State::Dead | State::Failed => match socket.accept {
            Accept::Yes => {
                cx.unsupported(Level::Notice, "Accept=yes is not supported yet");
                state
            }
            Accept::No => {
                cx.history.result = ServiceResult::Success;
                cx.history.commands.clear();
                cx.begin();
                match spawn(Phase::StartPre, 0, socket, cx) {
                    Some(control) => State::StartPre(control),
                    None => open(socket, cx),
                }
            }
        },
        State::StartPre(_)
        | State::Opening { .. }
        | State::StartPost(_)
        | State::Listening
        | State::Running => state,
        State::StopPre(_) | State::Killing(_) | State::StopPost(_) => {
            cx.reply(Reply::Later);
            state
        }
    }
}

fn open(socket: &Socket, cx: &mut Cx) -> State {
    cx.order(Action::OpenSockets { unit: cx.unit.clone() });
    State::Opening { deadline: after(cx, socket.timeout) }
}

fn opened(state: State, outcome: Result<(), Trouble>, socket: &Socket, cx: &mut Cx) -> State {
    match state {
        State::Opening { deadline: _ } => match outcome {
            Ok(()) => match spawn(Phase::StartPost, 0, socket, cx) {
                Some(control) => State::StartPost(control),
                None => listen(socket, cx),
            },
            Err(trouble) => {
                cx.say(Level::Error, format!("{}: {}", cx.unit, words::trouble(&trouble)));
                enter_stop_pre(ServiceResult::Resources, socket, cx)
            }
        },
        State::Dead
        | State::StartPre(_)
        | State::StartPost(_)
        | State::Listening
        | State::Running
        | State::StopPre(_)
        | State::Killing(_)
        | State::StopPost(_)
        | State::Failed => state,
    }
}

fn listen(socket: &Socket, cx: &mut Cx) -> State {
    if socket.flush_pending {
        cx.order(Action::FlushSockets { unit: cx.unit.clone() });
    }
    cx.order(Action::WatchSockets { unit: cx.unit.clone() });
    State::Listening
}

/// Somebody knocks: the service is to come up, unless this happens too often.
fn knocked(state: State, socket: &Socket, cx: &mut Cx) -> State {
    match state {
        // A stop job waits for others: nobody is taken in any more, who knocks is sent away.
        State::Listening if cx.restarts == Restarts::Barred => {
            cx.order(Action::FlushSockets { unit: cx.unit.clone() });
            cx.order(Action::WatchSockets { unit: cx.unit.clone() });
            State::Listening
        }
        State::Listening => {
            if too_often(socket, cx) {
                cx.say(Level::Error, format!("{}: triggered too often, no further activation", cx.unit));
                return enter_stop_pre(ServiceResult::TriggerLimitHit, socket, cx);
            }
            cx.trigger();
            State::Running
        }
        State::Dead
        | State::StartPre(_)
        | State::Opening { .. }
        | State::StartPost(_)
        | State::Running
        | State::StopPre(_)
        | State::Killing(_)
        | State::StopPost(_)
        | State::Failed => state,
    }
}

/// `TriggerLimitIntervalSec=`, `TriggerLimitBurst=`.
fn too_often(socket: &Socket, cx: &mut Cx) -> bool {
    let (interval, burst) = (socket.trigger_limit_interval, socket.trigger_limit_burst);
    if interval == Span::ZERO || burst == 0 {
        return false;
    }
    let now = cx.now.monotonic;
    let triggers = &mut cx.history.triggers;
    if triggers.count == 0 || triggers.since.saturating_add(interval.0) < now {
        *triggers = Triggers { since: now, count: 0 };
    }
    if triggers.count >= burst {
        return true;
    }
    triggers.count += 1;
    false
}

fn service_changed(state: State, triggered: Triggered, socket: &Socket, cx: &mut Cx) -> State {
    match (state, triggered) {
        (State::Running, Triggered::Inactive) => listen(socket, cx),
        (State::Listening, Triggered::Active) => {
            cx.order(Action::UnwatchSockets { unit: cx.unit.clone() });
            State::Running
        }
        (State::Running | State::Listening, Triggered::StartLimitHit) => {
            enter_stop_pre(ServiceResult::ServiceStartLimitHit, socket, cx)
        }
        (State::Listening, Triggered::Inactive) => State::Listening,
        (State::Running, Triggered::Active) => State::Running,
        (
            state @ (State::Dead
            | State::StartPre(_)
            | State::Opening { .. }
            | State::StartPost(_)
            | State::StopPre(_)
            | State::Killing(_)
            | State::StopPost(_)
            | State::Failed),
            Triggered::Inactive | Triggered::StartLimitHit | Triggered::Active,
        ) => state,
    }
}

fn commands(socket: &Socket, phase: Phase) -> &[ExecCommand] {
    match phase {
        Phase::StartPre => &socket.start_pre,
        Phase::StartPost => &socket.start_post,
        Phase::StopPre => &socket.stop_pre,
        Phase::StopPost => &socket.stop_post,
        Phase::Condition | Phase::Start | Phase::Reload | Phase::Stop | Phase::Health => &[],
    }
}

fn spawn(phase: Phase, index: u32, socket: &Socket, cx: &mut Cx) -> Option<Control> {
    if index as usize >= commands(socket, phase).len() {
        return None;
    }
    let process = Process { id: cx.fresh(), stage: Stage::Asked };
    cx.history.command_started(phase, index, process.id, cx.now);
    let order = order(process, phase, index, socket, cx)?;
    cx.order(order);
    Some(Control { process, index, deadline: after(cx, socket.timeout) })
}

fn order(process: Process, phase: Phase, index: u32, socket: &Socket, cx: &Cx) -> Option<Action> {
    let command = commands(socket, phase).get(index as usize)?.clone();
    Some(Action::Spawn(Box::new(Spawn {
        process: process.id,
        unit: cx.unit.clone(),
        phase,
        index,
        command,
        invocation: cx.run.invocation.unwrap_or(cx.next_invocation),
        watch_exec: WatchExec::No,
        told: Told { trigger: cx.run.trigger.clone(), ..Told::default() },
        watchdog_usec: 0,
    })))
}
