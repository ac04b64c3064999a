//! What changes the asking from outside: the freezer, a reload, a new manager.

use super::super::super::{Cx, Stage};
use super::super::{Reload, State};
use super::answer::{pass_gate, unwatched};
use super::{Turn, begin, gate};
use crate::api::Freezer;
use eudaemon_unit::config::Service;
use eudaemon_unit::config::health::Gate;

/// All its processes stand still, or go on.
pub(in crate::kind::service) fn freezer(
    mut state: State,
    freezer: Freezer,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let now = cx.now.monotonic;
    let Some(settings) = service.health.as_deref() else { return unwatched(state, service, cx) };
    if let Some(health) = state.health_mut() {
        match (freezer, &health.turn) {
            (Freezer::Frozen, Turn::Due(_) | Turn::Asking { .. } | Turn::Ending { .. }) => {
                health.turn = Turn::Held;
            }
            (Freezer::Running, Turn::Held) => {
                health.turn = Turn::Due(now.saturating_add(settings.interval.0));
            }
            (Freezer::Frozen, Turn::Held)
            | (Freezer::Running, Turn::Due(_) | Turn::Asking { .. } | Turn::Ending { .. }) => {}
        }
    }
    state
}

/// What the unit file says of health is another now.
pub(in crate::kind::service) fn reconfigured(mut state: State, service: &Service, cx: &mut Cx) -> State {
    let now = cx.now.monotonic;
    match state {
        State::Running(up) => state = State::Running(begin(up, Gate::Nothing, service, cx)),
        State::Reload(reload) => {
            state = State::Reload(Reload { up: begin(reload.up, Gate::Nothing, service, cx), ..reload });
        }
        State::StartPost(_)
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::Exited
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => {}
    }
    if service.health.is_none() || (state.is_at_gate() && gate(service) == Gate::Nothing) {
        return if service.health.is_none() {
            unwatched(state, service, cx)
        } else {
            pass_gate(state, service, cx)
        };
    }
    if let Some(health) = state.health_mut() {
        (health.failures, health.in_vain) = (0, 0);
        match &health.turn {
            Turn::Due(at) => health.turn = Turn::Due((*at).min(now)),
            Turn::Asking { .. } => health.turn = Turn::Due(now),
            Turn::Ending { .. } | Turn::Held => {}
        }
    }
    state
}

/// A new manager goes on, and has heard which processes there are: what is being asked has its whole time again.
pub(in crate::kind::service) fn recovered(mut state: State, service: &Service, cx: &mut Cx) -> State {
    let now = cx.now.monotonic;
    let Some(health) = state.health_mut() else { return state };
    match (&mut health.turn, &service.health) {
        (Turn::Asking { until, .. }, Some(settings)) => *until = now.saturating_add(settings.timeout.0),
        // It never was: its end will not come.
        (Turn::Ending { process, next, .. }, _) if process.stage == Stage::Asked => {
            health.turn = Turn::Due(*next);
        }
        (Turn::Asking { .. } | Turn::Ending { .. } | Turn::Due(_) | Turn::Held, _) => {}
    }
    state
}
