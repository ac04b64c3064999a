//! While the service is up: reload, its bus name, memory running out.

use super::super::{Cx, NotifyState, ReloadOutcome, Reply};
use super::process::spawn_control;
use super::start::{enter_running, enter_start_post};
use super::stop::{enter_stop, kill};
use super::{Cause, KillStep, Main, Reload, Reloading, Runtime, Starting, State, Up, after};
use crate::api::{Action, Ownership, Phase, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::service::{OomPolicy, ServiceType};

pub(super) fn reload_wished(state: State, service: &Service, cx: &mut Cx) -> State {
    let up = match state {
        State::Running(up) => up,
        State::Exited => Up { main: Main::Gone, watchdog: None, runtime: Runtime::Endless, health: None },
        State::Reload(_) => {
            cx.reply(Reply::Later);
            return state;
        }
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => {
            cx.reply(Reply::Invalid);
            return state;
        }
    };
    cx.history.reload_result = ServiceResult::Success;
    let signalled = if service.kind == ServiceType::NotifyReload
        && let Some(main) = up.main.alive()
    {
        cx.order(Action::Signal { process: main.id, signal: service.reload_signal });
        cx.history.notify = NotifyState::Unknown;
        Some(cx.now.monotonic)
    } else {
        None
    };
    let timeout = service.timeout_start;
    match spawn_control(Phase::Reload, 0, up.main.alive(), timeout, service, cx) {
        Some(control) => State::Reload(Reload { up, by: Reloading::Command { control, signalled } }),
        None => after_reload(up, signalled, service, cx),
    }
}

/// The commands of a reload have ended well; what the service says of itself may still be awaited.
pub(super) fn after_reload(up: Up, signalled: Option<u64>, service: &Service, cx: &mut Cx) -> State {
    match signalled {
        Some(since) if up.main.alive().is_some() => {
            let deadline = after(cx, service.timeout_start);
            State::Reload(Reload { up, by: Reloading::Signalled { since, deadline } })
        }
        Some(_) | None => reload_done(up, service, cx),
    }
}

pub(super) fn reload_done(up: Up, service: &Service, cx: &mut Cx) -> State {
    cx.effects.reload = Some(ReloadOutcome::Done);
    enter_running(up, service, cx)
}

/// A failed reload leaves the service running.
pub(super) fn reload_failed(up: Up, result: ServiceResult, service: &Service, cx: &mut Cx) -> State {
    cx.history.reload_result = result;
    cx.effects.reload = Some(ReloadOutcome::Failed);
    enter_running(up, service, cx)
}

pub(super) fn bus_name(state: State, owner: Ownership, service: &Service, cx: &mut Cx) -> State {
    if service.kind != ServiceType::Dbus {
        return state;
    }
    cx.history.bus_name = Some(owner);
    match (state, owner) {
        (State::Start(Starting::Await { main, deadline: _ }), Ownership::Owned) => {
            enter_start_post(main, service, cx)
        }
        (State::Running(up), Ownership::Free) => enter_running(up, service, cx),
        (state @ State::Start(_), Ownership::Owned | Ownership::Free)
        | (state @ State::Running(_), Ownership::Owned)
        | (
            state @ (State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::StartPost(_)
            | State::Exited
            | State::Reload(_)
            | State::Stop { .. }
            | State::Killing(_)
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. }),
            Ownership::Owned | Ownership::Free,
        ) => state,
    }
}

/// `OOMPolicy=`.
pub(super) fn out_of_memory(state: State, service: &Service, cx: &mut Cx) -> State {
    let step = match service.oom_policy {
        OomPolicy::Continue => return state,
        OomPolicy::Stop => KillStep::StopSigterm,
        OomPolicy::Kill => KillStep::FinalSigkill,
    };
    let oom = ServiceResult::OomKill;
    match state {
        State::Condition(_) | State::StartPre(_) | State::Start(_) | State::StartPost(_) => {
            cx.history.fail(oom);
            let (main, control) = state.parts();
            kill(step, main, control, Cause::Itself, service, cx)
        }
        State::Stop { main, control, cause } => {
            cx.history.fail(oom);
            kill(step, main, Some(control.left_over(Phase::Stop)), cause, service, cx)
        }
        State::Running(Up { main, .. }) => {
            cx.history.fail(oom);
            match service.oom_policy {
                OomPolicy::Stop | OomPolicy::Continue => enter_stop(main, Cause::Itself, service, cx),
                OomPolicy::Kill => kill(step, main, None, Cause::Itself, service, cx),
            }
        }
        State::Exited => {
            cx.history.fail(oom);
            match service.oom_policy {
                OomPolicy::Stop | OomPolicy::Continue => enter_stop(Main::Gone, Cause::Itself, service, cx),
                OomPolicy::Kill => kill(step, Main::Gone, None, Cause::Itself, service, cx),
            }
        }
        State::Killing(killing) => {
            cx.history.fail(oom);
            let step = match killing.step {
                KillStep::StopWatchdog | KillStep::StopSigterm => KillStep::StopSigkill,
                KillStep::FinalWatchdog | KillStep::FinalSigterm => KillStep::FinalSigkill,
                KillStep::StopSigkill | KillStep::FinalSigkill => return State::Killing(killing),
            };
            kill(step, killing.main, killing.control, killing.cause, service, cx)
        }
        State::StopPost { main, control, cause } => {
            cx.history.fail(oom);
            let left = control.left_over(Phase::StopPost);
            kill(KillStep::FinalSigkill, main, Some(left), cause, service, cx)
        }
        State::Dead | State::Reload(_) | State::Failed | State::AutoRestart { .. } => state,
    }
}
