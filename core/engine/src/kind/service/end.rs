//! The end of a run, and whether another follows by itself.

use super::super::{Cx, Level, Reply, Restarts, StopFor, WentDown};
use super::process::listed;
use super::{Cause, MayRestart, State, after, result_word};
use crate::api::{Action, Directories, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::exec::Preserve;
use eudaemon_unit::config::service::Restart;
use eudaemon_unit::span::Span;

/// The run is over.
pub(super) fn dead(may: MayRestart, cause: Cause, service: &Service, cx: &mut Cx) -> State {
    let failed = match cx.history.result {
        ServiceResult::Success | ServiceResult::ExecCondition => false,
        ServiceResult::Resources
        | ServiceResult::Protocol
        | ServiceResult::Timeout
        | ServiceResult::ExitCode
        | ServiceResult::Signal
        | ServiceResult::CoreDump
        | ServiceResult::Watchdog
        | ServiceResult::StartLimitHit
        | ServiceResult::OomKill
        | ServiceResult::TriggerLimitHit
        | ServiceResult::ServiceStartLimitHit => true,
    };
    if failed {
        let word = result_word(cx.history.result);
        cx.say(Level::Warning, format!("{}: failed with result '{word}'", cx.unit));
    }
    if may == MayRestart::Yes && restarts(cause, service, cx) {
        release(MayRestart::Yes, cause, service, cx);
        cx.effects.went_down = Some(if failed { WentDown::Failed } else { WentDown::Inactive });
        if cx.was_up >= service.restart_reset {
            cx.history.restarts_in_a_row = 0;
        }
        return State::AutoRestart { at: after(cx, restart_delay(service, cx.history.restarts_in_a_row)) };
    }
    release(MayRestart::No, cause, service, cx);
    cx.history.restarts_over = true;
    if failed { State::Failed } else { State::Dead }
}

/// Gives back what only a run in progress needs.
pub(super) fn release(may: MayRestart, cause: Cause, service: &Service, cx: &mut Cx) {
    let restarts = may == MayRestart::Yes || cause == Cause::Asked(StopFor::Restart);
    if let Some(path) = &service.pid_file {
        cx.order(Action::RemovePidFile { path: path.clone() });
    }
    if service.fd_store_max > 0 && !restarts {
        cx.order(Action::CloseStoredFds { unit: cx.unit.clone() });
    }
    let directories = match service.exec.runtime_directory_preserve {
        Preserve::Yes => Directories::Keep,
        Preserve::Restart if restarts => Directories::Keep,
        Preserve::Restart | Preserve::No => Directories::Remove,
    };
    cx.order(Action::Release { unit: cx.unit.clone(), directories });
}

/// `Restart=` with its lists of exit statuses: the table of systemd.service(5).
fn restarts(cause: Cause, service: &Service, cx: &Cx) -> bool {
    match cause {
        Cause::Asked(_) => return false,
        Cause::Itself => {}
    }
    if cx.restarts == Restarts::Barred {
        return false;
    }
    if let Some(status) = cx.history.main.status {
        if listed(status, &service.restart_prevent_exit_status) {
            return false;
        }
        if listed(status, &service.restart_force_exit_status) {
            return true;
        }
    }
    let result = cx.history.result;
    let skipped = result == ServiceResult::ExecCondition;
    let success = result == ServiceResult::Success;
    match service.restart {
        Restart::No => false,
        Restart::Always => !skipped,
        Restart::OnSuccess => success,
        Restart::OnFailure => !success && !skipped,
        Restart::OnAbnormal => !success && !skipped && result != ServiceResult::ExitCode,
        Restart::OnWatchdog => result == ServiceResult::Watchdog,
        Restart::OnAbort => result == ServiceResult::Signal || result == ServiceResult::CoreDump,
    }
}

/// `RestartSec=`, growing geometrically to `RestartMaxDelaySec=` over `RestartSteps=` restarts.
fn restart_delay(service: &Service, restarts: u32) -> Span {
    let (least, most, steps) = (service.restart_sec, service.restart_max_delay, service.restart_steps);
    if steps == 0 || most.is_infinite() || least.is_infinite() || most <= least || restarts == 0 {
        return least;
    }
    if restarts >= steps {
        return most;
    }
    let base = least.0.max(1) as f64;
    let factor = (most.0 as f64 / base).powf(f64::from(restarts) / f64::from(steps));
    Span((base * factor).round() as u64)
}

pub(super) fn restart_refused(state: State, cx: &mut Cx) -> State {
    match state {
        State::AutoRestart { .. } => {
            cx.history.fail(ServiceResult::Resources);
            cx.history.restarts_over = true;
            State::Failed
        }
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed => state,
    }
}

pub(super) fn start_limit_hit(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Dead | State::Failed => {
            if service.fd_store_max > 0 {
                cx.order(Action::CloseStoredFds { unit: cx.unit.clone() });
            }
            cx.history.fail(ServiceResult::StartLimitHit);
            cx.history.restarts_over = true;
            if cx.history.result == ServiceResult::ExecCondition { State::Dead } else { State::Failed }
        }
        State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::AutoRestart { .. } => {
            cx.reply(Reply::Later);
            state
        }
    }
}

pub(super) fn reset_failed(state: State, cx: &mut Cx) -> State {
    cx.history.result = ServiceResult::Success;
    cx.history.reload_result = ServiceResult::Success;
    cx.history.forget_restarts();
    match state {
        State::Failed => State::Dead,
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::AutoRestart { .. } => state,
    }
}
