//! A socket goes down: its stop commands, and whatever of them must be killed.

use super::*;

pub(super) fn stop(state: State, socket: &Socket, cx: &mut Cx) -> State {
    match state {
        State::StartPre(control) | State::StartPost(control) => {
            kill(KillStep::StopSigterm, Some(control.process), socket, cx)
        }
        State::Opening { .. } => kill(KillStep::StopSigterm, None, socket, cx),
        State::Listening | State::Running => enter_stop_pre(ServiceResult::Success, socket, cx),
        State::Dead | State::StopPre(_) | State::Killing(_) | State::StopPost(_) | State::Failed => state,
    }
}

pub(super) fn enter_stop_pre(result: ServiceResult, socket: &Socket, cx: &mut Cx) -> State {
    cx.history.fail(result);
    cx.order(Action::UnwatchSockets { unit: cx.unit.clone() });
    match spawn(Phase::StopPre, 0, socket, cx) {
        Some(control) => State::StopPre(control),
        None => enter_stop_post(socket, cx),
    }
}

pub(super) fn enter_stop_post(socket: &Socket, cx: &mut Cx) -> State {
    cx.order(Action::CloseSockets { unit: cx.unit.clone() });
    match spawn(Phase::StopPost, 0, socket, cx) {
        Some(control) => State::StopPost(control),
        None => kill(KillStep::FinalSigterm, None, socket, cx),
    }
}

pub(super) fn control_ended(state: State, status: Option<ExitStatus>, socket: &Socket, cx: &mut Cx) -> State {
    let (phase, control) = match state {
        State::StartPre(control) => (Phase::StartPre, control),
        State::StartPost(control) => (Phase::StartPost, control),
        State::StopPre(control) => (Phase::StopPre, control),
        State::StopPost(control) => (Phase::StopPost, control),
        State::Killing(killing) => {
            if let Some(status) = status {
                cx.history.fail(verdict(status));
            }
            return settled(Killing { control: None, ..killing }, socket, cx);
        }
        State::Dead | State::Opening { .. } | State::Listening | State::Running | State::Failed => {
            return state;
        }
    };
    let ignored = commands(socket, phase)
        .get(control.index as usize)
        .is_some_and(|command| command.failure == Failure::Ignored);
    let result = match status {
        Some(_) if ignored => ServiceResult::Success,
        Some(status) => verdict(status),
        None => ServiceResult::Resources,
    };
    cx.history.fail(result);
    let success = result == ServiceResult::Success;
    if success && let Some(next) = spawn(phase, control.index + 1, socket, cx) {
        return match state_of(phase, next) {
            Some(state) => state,
            None => State::Failed,
        };
    }
    match phase {
        Phase::StartPre if success => open(socket, cx),
        Phase::StartPost if success => listen(socket, cx),
        Phase::StartPost => enter_stop_pre(result, socket, cx),
        Phase::StopPre => enter_stop_post(socket, cx),
        Phase::StartPre
        | Phase::StopPost
        | Phase::Condition
        | Phase::Start
        | Phase::Reload
        | Phase::Stop
        | Phase::Health => kill(KillStep::FinalSigterm, None, socket, cx),
    }
}

pub(super) fn state_of(phase: Phase, control: Control) -> Option<State> {
    match phase {
        Phase::StartPre => Some(State::StartPre(control)),
        Phase::StartPost => Some(State::StartPost(control)),
        Phase::StopPre => Some(State::StopPre(control)),
        Phase::StopPost => Some(State::StopPost(control)),
        Phase::Condition | Phase::Start | Phase::Reload | Phase::Stop | Phase::Health => None,
    }
}

impl State {
    /// What took longer than `TimeoutSec=` allows, as a clause.
    pub(crate) fn overdue(&self, socket: &Socket) -> Option<String> {
        let clause = |what: &str| Some(words::limit(what, "TimeoutSec", socket.timeout));
        match self {
            State::StartPre(_) => clause("a command of ExecStartPre="),
            State::Opening { .. } => clause("opening its sockets"),
            State::StartPost(_) => clause("a command of ExecStartPost="),
            State::StopPre(_) => clause("a command of ExecStopPre="),
            State::StopPost(_) => clause("a command of ExecStopPost="),
            State::Killing(_) => clause("the end of its processes"),
            State::Dead | State::Listening | State::Running | State::Failed => None,
        }
    }
}

pub(super) fn deadline(state: State, socket: &Socket, cx: &mut Cx) -> State {
    match state {
        State::StartPre(control) => {
            cx.history.fail(ServiceResult::Timeout);
            kill(KillStep::FinalSigterm, Some(control.process), socket, cx)
        }
        State::Opening { .. } => enter_stop_pre(ServiceResult::Timeout, socket, cx),
        // Its command goes with the rest at the very end.
        State::StartPost(_) => enter_stop_pre(ServiceResult::Timeout, socket, cx),
        State::StopPre(control) => {
            cx.history.fail(ServiceResult::Timeout);
            kill(KillStep::StopSigterm, Some(control.process), socket, cx)
        }
        State::StopPost(control) => {
            cx.history.fail(ServiceResult::Timeout);
            kill(KillStep::FinalSigterm, Some(control.process), socket, cx)
        }
        State::Killing(killing) => {
            cx.history.fail(ServiceResult::Timeout);
            match killing.step {
                KillStep::StopSigterm if socket.kill.send_sigkill => {
                    kill(KillStep::StopSigkill, killing.control, socket, cx)
                }
                KillStep::StopSigterm | KillStep::StopSigkill => enter_stop_post(socket, cx),
                KillStep::FinalSigterm if socket.kill.send_sigkill => {
                    kill(KillStep::FinalSigkill, killing.control, socket, cx)
                }
                KillStep::FinalSigterm | KillStep::FinalSigkill => dead(socket, cx),
            }
        }
        State::Dead | State::Listening | State::Running | State::Failed => state,
    }
}

pub(super) fn kill(step: KillStep, control: Option<Process>, socket: &Socket, cx: &mut Cx) -> State {
    let hard = step == KillStep::StopSigkill || step == KillStep::FinalSigkill;
    let signal = if hard { socket.kill.final_signal } else { socket.kill.signal };
    let has_commands = [&socket.start_pre, &socket.start_post, &socket.stop_pre, &socket.stop_post]
        .iter()
        .any(|commands| !commands.is_empty());
    // Without commands there never was a process.
    let (named, rest) = match has_commands {
        true => {
            let blow = if hard { Blow::Kill } else { Blow::Term };
            let (named, rest) = strike(&socket.kill, blow, signal, control, cx);
            (named.first().copied(), rest)
        }
        false => (None, Rest::Spared),
    };
    let killing = Killing { step, control: named, rest, deadline: after(cx, socket.timeout) };
    if named.is_none() && rest == Rest::Spared {
        past(killing.step, socket, cx)
    } else {
        State::Killing(killing)
    }
}

pub(super) fn settle(state: State, occupancy: Occupancy, socket: &Socket, cx: &mut Cx) -> State {
    match state {
        State::Killing(killing) => match occupancy {
            Occupancy::Empty if killing.control.is_none() => past(killing.step, socket, cx),
            Occupancy::Empty | Occupancy::Occupied => State::Killing(killing),
        },
        State::Dead
        | State::StartPre(_)
        | State::Opening { .. }
        | State::StartPost(_)
        | State::Listening
        | State::Running
        | State::StopPre(_)
        | State::StopPost(_)
        | State::Failed => state,
    }
}

/// The command waited for has gone; at the very end the rest has to be gone as well.
pub(super) fn settled(killing: Killing, socket: &Socket, cx: &mut Cx) -> State {
    match (killing.step, killing.rest) {
        (KillStep::StopSigterm | KillStep::StopSigkill, Rest::Spared | Rest::Asked | Rest::Left)
        | (KillStep::FinalSigterm | KillStep::FinalSigkill, Rest::Spared) => past(killing.step, socket, cx),
        (KillStep::FinalSigterm | KillStep::FinalSigkill, Rest::Asked | Rest::Left) => {
            cx.order(Action::Survey { unit: cx.unit.clone() });
            State::Killing(killing)
        }
    }
}

pub(super) fn past(step: KillStep, socket: &Socket, cx: &mut Cx) -> State {
    match step {
        KillStep::StopSigterm | KillStep::StopSigkill => enter_stop_post(socket, cx),
        KillStep::FinalSigterm | KillStep::FinalSigkill => dead(socket, cx),
    }
}

pub(super) fn dead(socket: &Socket, cx: &mut Cx) -> State {
    cx.order(Action::Release { unit: cx.unit.clone(), directories: left_behind(&socket.exec) });
    if cx.history.result == ServiceResult::Success {
        return State::Dead;
    }
    let word = crate::kind::service::result_word(cx.history.result);
    cx.say(Level::Warning, format!("{}: failed with result '{word}'", cx.unit));
    State::Failed
}
