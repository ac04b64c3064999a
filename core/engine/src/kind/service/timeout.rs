//! What took too long: starts, stops, reloads, signs of life, and the run itself.

use super::super::control::KILL;
use super::super::{Cx, Level, words};
use super::end::dead;
use super::health::deadline_of;
use super::running::reload_failed;
use super::start::enter_running;
use super::stop::{enter_stop, enter_stop_post, kill};
use super::{
    Cause, KillStep, Killing, MayRestart, PostControl, Reload, Reloading, StartPost, Starting, State, Up,
};
use crate::api::{Action, Phase, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::service::{ServiceType, TimeoutMode};
use eudaemon_unit::values::signal::signal_name;
use eudaemon_unit::values::timespan::format_timespan;

/// What took longer than which directive allows, as a clause; `None`: the deadline is no trouble.
pub fn overdue(state: &State, service: &Service, now: u64) -> Option<String> {
    let passed = |instant: Option<u64>| instant.is_some_and(|instant| instant <= now);
    let start = || {
        let waits = start_waits_for(state, service).map(|what| format!(": {what}")).unwrap_or_default();
        Some(words::limit("its start", "TimeoutStartSec", service.timeout_start) + &waits)
    };
    let watchdog = || {
        let limit = format_timespan(service.watchdog);
        Some(format!("no sign of life (WATCHDOG=1) came within WatchdogSec={limit}"))
    };
    let stop = |what: &str| {
        let (key, limit) = ("TimeoutStopSec", service.timeout_stop);
        Some(format!("{}: {what}", words::limit("its stop", key, limit)))
    };
    match state {
        State::StartPost(StartPost { up, .. }) | State::Running(up) | State::Reload(Reload { up, .. })
            if passed(deadline_of(up)) && !passed(state.deadline_but_health()) =>
        {
            None
        }
        State::Condition(_) | State::StartPre(_) | State::Start(_) => start(),
        State::StartPost(post) if passed(post.control.deadline()) => start(),
        State::StartPost(_) => watchdog(),
        State::Running(up) | State::Reload(Reload { up, .. }) if passed(up.watchdog) => watchdog(),
        State::Running(_) => Some(words::limit("its run", "RuntimeMaxSec", service.runtime_max)),
        State::Reload(_) => Some(words::limit("its reload", "TimeoutStartSec", service.timeout_start)),
        State::Stop { .. } => stop("a command of ExecStop= does not end"),
        State::StopPost { .. } => stop("a command of ExecStopPost= does not end"),
        State::Killing(Killing { step, .. }) => match step {
            KillStep::StopSigterm | KillStep::FinalSigterm => {
                let signal = signal_name(service.kill.signal);
                stop(&format!("its processes did not end at SIG{signal}"))
            }
            KillStep::StopWatchdog | KillStep::FinalWatchdog => {
                let limit = super::abort_timeout(service);
                Some(words::limit("its end by the watchdog's signal", "TimeoutAbortSec", limit))
            }
            KillStep::StopSigkill | KillStep::FinalSigkill => stop("its processes did not end at SIGKILL"),
        },
        State::AutoRestart { .. } | State::Dead | State::Exited | State::Failed => None,
    }
}

pub(super) fn deadline(state: State, service: &Service, cx: &mut Cx) -> State {
    let now = cx.now.monotonic;
    let passed = |instant: Option<u64>| instant.is_some_and(|instant| instant <= now);
    match state {
        State::StartPost(StartPost { ref up, .. })
        | State::Running(ref up)
        | State::Reload(Reload { ref up, .. })
            if passed(deadline_of(up)) && !passed(state.deadline_but_health()) =>
        {
            super::health::deadline(state, service, cx)
        }
        State::Condition(_) | State::StartPre(_) | State::Start(_) => start_timed_out(state, service, cx),
        State::StartPost(ref post) if passed(post.control.deadline()) => start_timed_out(state, service, cx),
        State::StartPost(_) => watchdog_expired(state, service, cx),
        State::Running(ref up) | State::Reload(Reload { ref up, .. }) if passed(up.watchdog) => {
            watchdog_expired(state, service, cx)
        }
        State::Running(up) => {
            cx.say(Level::Warning, format!("{}: has run as long as it may, stopping", cx.unit));
            cx.history.fail(ServiceResult::Timeout);
            enter_stop(up.main, Cause::Itself, service, cx)
        }
        State::Reload(Reload { up, by }) => reload_timed_out(up, by, service, cx),
        State::Stop { main, control, cause } => {
            cx.say(Level::Warning, format!("{}: stopping took too long", cx.unit));
            cx.history.fail(ServiceResult::Timeout);
            let step = match service.timeout_stop_failure_mode {
                TimeoutMode::Terminate => KillStep::StopSigterm,
                TimeoutMode::Abort => KillStep::StopWatchdog,
                TimeoutMode::Kill if service.kill.send_sigkill => KillStep::StopSigkill,
                TimeoutMode::Kill => return enter_stop_post(main, cause, service, cx),
            };
            kill(step, main, Some(control.left_over(Phase::Stop)), cause, service, cx)
        }
        State::StopPost { main, control, cause } => {
            cx.say(Level::Warning, format!("{}: stopping took too long", cx.unit));
            cx.history.fail(ServiceResult::Timeout);
            let step = match service.timeout_stop_failure_mode {
                TimeoutMode::Terminate => KillStep::FinalSigterm,
                TimeoutMode::Abort => KillStep::FinalWatchdog,
                TimeoutMode::Kill if service.kill.send_sigkill => KillStep::FinalSigkill,
                TimeoutMode::Kill => return dead(MayRestart::No, cause, service, cx),
            };
            kill(step, main, Some(control.left_over(Phase::StopPost)), cause, service, cx)
        }
        State::Killing(killing) => killing_timed_out(killing, service, cx),
        State::AutoRestart { at: _ } => {
            cx.history.restarts += 1;
            cx.history.restarts_in_a_row += 1;
            cx.restart_due();
            State::AutoRestart { at: None }
        }
        State::Dead | State::Exited | State::Failed => state,
    }
}

/// What a start still waits for, as a clause.
fn start_waits_for(state: &State, service: &Service) -> Option<String> {
    let command = |key: &str| Some(format!("a command of {key}= does not end"));
    let pid_file = || service.pid_file.as_ref().map(|path| format!("PIDFile={path} names no process of it"));
    match state {
        State::Start(Starting::Await { .. }) => match service.kind {
            ServiceType::Notify | ServiceType::NotifyReload => Some("no READY=1 came".to_owned()),
            ServiceType::Dbus => {
                service.bus_name.as_ref().map(|name| format!("nobody took the bus name {name}"))
            }
            ServiceType::Simple
            | ServiceType::Exec
            | ServiceType::Forking
            | ServiceType::Oneshot
            | ServiceType::Idle => None,
        },
        State::Start(Starting::Parent(_)) => Some("its first process does not end (Type=forking)".to_owned()),
        State::Start(Starting::Finding { .. })
        | State::StartPost(StartPost { control: PostControl::PidFile { .. }, .. }) => pid_file(),
        State::Condition(_) => command("ExecCondition"),
        State::StartPre(_) => command("ExecStartPre"),
        State::Start(Starting::Oneshot { .. }) => command("ExecStart"),
        State::StartPost(StartPost { control: PostControl::Command(_), .. }) => command("ExecStartPost"),
        State::StartPost(StartPost { up, control: PostControl::Health { .. } }) => {
            let trouble = up.health.as_ref().and_then(|health| health.trouble.as_ref());
            let trouble = trouble.map_or(String::new(), |trouble| format!(", {trouble}"));
            Some(format!("it is not healthy (Gate=start){trouble}"))
        }
        State::Start(Starting::Launch { .. } | Starting::Counting { .. })
        | State::Dead
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::StopPost { .. }
        | State::Killing(_)
        | State::Failed
        | State::AutoRestart { .. } => None,
    }
}

fn start_timed_out(state: State, service: &Service, cx: &mut Cx) -> State {
    let waited = start_waits_for(&state, service).map(|what| format!(": {what}")).unwrap_or_default();
    let (main, control) = state.parts();
    cx.say(Level::Warning, format!("{}: starting took too long{waited}", cx.unit));
    cx.history.fail(ServiceResult::Timeout);
    let step = match service.timeout_start_failure_mode {
        TimeoutMode::Terminate => KillStep::StopSigterm,
        TimeoutMode::Abort => KillStep::StopWatchdog,
        TimeoutMode::Kill if service.kill.send_sigkill => KillStep::StopSigkill,
        TimeoutMode::Kill => return enter_stop_post(main, Cause::Itself, service, cx),
    };
    kill(step, main, control, Cause::Itself, service, cx)
}

pub(super) fn watchdog_expired(state: State, service: &Service, cx: &mut Cx) -> State {
    let (main, control) = state.parts();
    cx.say(Level::Error, format!("{}: no sign of life in time", cx.unit));
    cx.history.fail(ServiceResult::Watchdog);
    kill(KillStep::StopWatchdog, main, control, Cause::Itself, service, cx)
}

fn reload_timed_out(up: Up, by: Reloading, service: &Service, cx: &mut Cx) -> State {
    cx.say(Level::Warning, format!("{}: reloading took too long", cx.unit));
    match by {
        Reloading::Command { control, .. } => {
            cx.order(Action::Signal { process: control.process.id, signal: KILL });
            reload_failed(up, ServiceResult::Timeout, service, cx)
        }
        Reloading::Signalled { .. } | Reloading::Notified { .. } => {
            reload_failed(up, ServiceResult::Timeout, service, cx)
        }
        // It has not said that it is done, so it goes on reloading.
        Reloading::Itself { .. } => {
            cx.history.reload_result = ServiceResult::Timeout;
            enter_running(up, service, cx)
        }
    }
}

fn killing_timed_out(killing: Killing, service: &Service, cx: &mut Cx) -> State {
    cx.history.fail(ServiceResult::Timeout);
    let Killing { step, main, control, rest: _, cause, deadline: _ } = killing;
    let harder = service.kill.send_sigkill;
    let abort = service.timeout_stop_failure_mode == TimeoutMode::Abort;
    let stronger = match step {
        KillStep::StopSigterm if abort => Some(KillStep::StopWatchdog),
        KillStep::StopSigterm | KillStep::StopWatchdog if harder => Some(KillStep::StopSigkill),
        KillStep::FinalSigterm if abort => Some(KillStep::FinalWatchdog),
        KillStep::FinalSigterm | KillStep::FinalWatchdog if harder => Some(KillStep::FinalSigkill),
        KillStep::StopSigterm
        | KillStep::StopWatchdog
        | KillStep::StopSigkill
        | KillStep::FinalSigterm
        | KillStep::FinalWatchdog
        | KillStep::FinalSigkill => None,
    };
    if let Some(step) = stronger {
        cx.say(Level::Warning, format!("{}: stopping took too long, sending a stronger signal", cx.unit));
        return kill(step, main, control, cause, service, cx);
    }
    cx.say(Level::Error, format!("{}: processes are left that could not be ended", cx.unit));
    match step {
        KillStep::StopSigterm | KillStep::StopWatchdog | KillStep::StopSigkill => {
            enter_stop_post(main, cause, service, cx)
        }
        KillStep::FinalSigterm | KillStep::FinalWatchdog => dead(MayRestart::No, cause, service, cx),
        KillStep::FinalSigkill => dead(MayRestart::Yes, cause, service, cx),
    }
}
