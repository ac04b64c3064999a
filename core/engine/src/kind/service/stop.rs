//! From the wish (or the need) to stop until the processes are gone: systemd.kill(5).

use super::super::control::{Blow, strike, strikes_all};
use super::super::{Cx, StopFor};
use super::end::{dead, release};
use super::process::{settle, spawn_control};
use super::{Cause, KillStep, Killing, Leftover, Main, MayRestart, Rest, State, abort_timeout, after};
use crate::api::{Action, Phase};
use eudaemon_unit::config::Service;

pub(super) fn wished(state: State, purpose: StopFor, service: &Service, cx: &mut Cx) -> State {
    let cause = Cause::Asked(purpose);
    match state {
        State::Dead | State::Failed => state,
        State::AutoRestart { .. } => {
            if purpose == StopFor::Stop {
                release(MayRestart::No, cause, service, cx);
                cx.history.restarts_over = true;
            }
            State::Dead
        }
        State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Reload(_) => {
            let (main, control) = state.parts();
            kill(KillStep::StopSigterm, main, control, cause, service, cx)
        }
        State::Running(up) => enter_stop(up.main, cause, service, cx),
        State::Exited => enter_stop(Main::Gone, cause, service, cx),
        State::Stop { main, control, cause: _ } => State::Stop { main, control, cause },
        State::Killing(killing) => State::Killing(Killing { cause, ..killing }),
        State::StopPost { main, control, cause: _ } => State::StopPost { main, control, cause },
    }
}

/// `ExecStop=`, then signals.
pub(super) fn enter_stop(main: Main, cause: Cause, service: &Service, cx: &mut Cx) -> State {
    match spawn_control(Phase::Stop, 0, main.alive(), service.timeout_stop, service, cx) {
        Some(control) => State::Stop { main, control, cause },
        None => kill(KillStep::StopSigterm, main, None, cause, service, cx),
    }
}

/// The service said that it stops: it is given the time, no signal is sent.
pub(super) fn stopping_itself(main: Main, service: &Service, cx: &mut Cx) -> State {
    let deadline = after(cx, service.timeout_stop);
    let main = settle(main, service, cx);
    let rest = if strikes_all(&service.kill, Blow::Kill) { Rest::Left } else { Rest::Spared };
    State::Killing(Killing {
        step: KillStep::StopSigterm,
        main,
        control: None,
        rest,
        cause: Cause::Itself,
        deadline,
    })
}

/// `ExecStopPost=`, then whatever is left is ended.
pub(super) fn enter_stop_post(main: Main, cause: Cause, service: &Service, cx: &mut Cx) -> State {
    match spawn_control(Phase::StopPost, 0, main.alive(), service.timeout_stop, service, cx) {
        Some(control) => State::StopPost { main, control, cause },
        None => kill(KillStep::FinalSigterm, main, None, cause, service, cx),
    }
}

/// Sends the signals of a step to those `KillMode=` says, and waits for them; with nobody to wait for the
/// next step follows at once.
pub(super) fn kill(
    step: KillStep,
    main: Main,
    control: Option<Leftover>,
    cause: Cause,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let main = settle(main, service, cx);
    let signal = signal_of(step, cause, service);
    let candidates = [main.alive(), control.map(|left| left.process)].into_iter().flatten();
    let (named, rest) = strike(&service.kill, blow(step), signal, candidates, cx);
    let timeout = if blow(step) == Blow::Abort { abort_timeout(service) } else { service.timeout_stop };
    let killing = Killing { step, main, control, rest, cause, deadline: after(cx, timeout) };
    if named.is_empty() && rest == Rest::Spared {
        next(killing, service, cx)
    } else {
        State::Killing(killing)
    }
}

fn signal_of(step: KillStep, cause: Cause, service: &Service) -> i32 {
    let kill = &service.kill;
    match step {
        KillStep::StopWatchdog | KillStep::FinalWatchdog => kill.watchdog_signal,
        KillStep::StopSigkill | KillStep::FinalSigkill => kill.final_signal,
        KillStep::FinalSigterm => kill.signal,
        KillStep::StopSigterm => match cause {
            Cause::Asked(StopFor::Restart) => kill.restart_signal.unwrap_or(kill.signal),
            Cause::Asked(StopFor::Stop) | Cause::Itself | Cause::Unhealthy(_) => kill.signal,
        },
    }
}

pub(super) fn blow(step: KillStep) -> Blow {
    match step {
        KillStep::StopSigterm | KillStep::FinalSigterm => Blow::Term,
        KillStep::StopWatchdog | KillStep::FinalWatchdog => Blow::Abort,
        KillStep::StopSigkill | KillStep::FinalSigkill => Blow::Kill,
    }
}

/// Nobody to wait for after a step's signals: harder, or on.
fn next(killing: Killing, service: &Service, cx: &mut Cx) -> State {
    let Killing { step, main, control, rest: _, cause, deadline: _ } = killing;
    let harder = service.kill.send_sigkill;
    match step {
        KillStep::StopWatchdog | KillStep::StopSigterm if harder => {
            kill(KillStep::StopSigkill, main, control, cause, service, cx)
        }
        KillStep::StopWatchdog | KillStep::StopSigterm | KillStep::StopSigkill => {
            enter_stop_post(main, cause, service, cx)
        }
        KillStep::FinalWatchdog | KillStep::FinalSigterm if harder => {
            kill(KillStep::FinalSigkill, main, control, cause, service, cx)
        }
        KillStep::FinalWatchdog | KillStep::FinalSigterm | KillStep::FinalSigkill => {
            dead(MayRestart::Yes, cause, service, cx)
        }
    }
}

/// One of those waited for has gone. In the stop part the main and control processes decide; at the very end
/// the rest has to be gone as well.
pub(super) fn gone(killing: Killing, service: &Service, cx: &mut Cx) -> State {
    if killing.main.alive().is_some() || killing.control.is_some() {
        return State::Killing(killing);
    }
    let Killing { step, main, control, rest, cause, deadline } = killing;
    match step {
        KillStep::StopWatchdog | KillStep::StopSigterm | KillStep::StopSigkill => {
            enter_stop_post(main, cause, service, cx)
        }
        KillStep::FinalWatchdog | KillStep::FinalSigterm | KillStep::FinalSigkill => match rest {
            Rest::Spared => dead(MayRestart::Yes, cause, service, cx),
            Rest::Asked | Rest::Left => {
                cx.order(Action::Survey { unit: cx.unit.clone() });
                State::Killing(Killing { step, main, control, rest, cause, deadline })
            }
        },
    }
}
