//! From the wish (or the need) to stop until nothing is left, and what follows: dead, failed, or a restart.

use super::super::{Cx, Level, Reply, Restarts, StopFor, WentDown};
use super::process::{CONT, HUP, KILL, listed, settle, spawn_control};
use super::running::reload_failed;
use super::start::{enter_ended, enter_running, enter_start_post};
use super::{
    Cause, KillStep, Killing, Main, MayRestart, PostControl, Reload, Reloading, Rest, StartPost, Starting,
    State, Up, abort_timeout, after, result_word,
};
use crate::api::{Action, Directories, Occupancy, Phase, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::exec::{KillMode, Preserve};
use eudaemon_unit::config::service::{ExitType, Restart, ServiceType, TimeoutMode};
use eudaemon_unit::span::Span;

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
        State::Condition(control) | State::StartPre(control) => {
            kill(KillStep::StopSigterm, Main::Gone, Some(control.process), cause, service, cx)
        }
        State::Start(starting) => {
            let (main, control) = starting_processes(starting);
            kill(KillStep::StopSigterm, main, control, cause, service, cx)
        }
        State::StartPost(StartPost { up, control }) => {
            kill(KillStep::StopSigterm, up.main, post_process(&control), cause, service, cx)
        }
        State::Reload(Reload { up, by }) => {
            let control = match by {
                Reloading::Command { control, .. } => Some(control.process),
                Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => None,
            };
            kill(KillStep::StopSigterm, up.main, control, cause, service, cx)
        }
        State::Running(up) => enter_stop(up.main, cause, service, cx),
        State::Exited => enter_stop(Main::Gone, cause, service, cx),
        State::Stop { main, control, cause: _ } => State::Stop { main, control, cause },
        State::Killing(killing) => State::Killing(Killing { cause, ..killing }),
        State::StopPost { main, control, cause: _ } => State::StopPost { main, control, cause },
    }
}

fn starting_processes(starting: Starting) -> (Main, Option<super::Process>) {
    match starting {
        Starting::Launch { main } | Starting::Oneshot { main, .. } => (Main::Alive(main), None),
        Starting::Await { main, .. } | Starting::Finding { main, .. } => (main, None),
        Starting::Parent(control) => (Main::Unknown, Some(control.process)),
        Starting::Counting { .. } => (Main::Unknown, None),
    }
}

fn post_process(control: &PostControl) -> Option<super::Process> {
    match control {
        PostControl::Command(control) => Some(control.process),
        PostControl::PidFile { .. } => None,
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
    let rest = if watches_set(KillStep::FinalSigkill, service) { Rest::Left } else { Rest::Spared };
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
    control: Option<super::Process>,
    cause: Cause,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let main = settle(main, service, cx);
    let signal = signal_of(step, cause, service);
    let named = match service.kill.mode {
        KillMode::ControlGroup | KillMode::Mixed | KillMode::Process => {
            [main.alive(), control].into_iter().flatten().collect::<Vec<_>>()
        }
        KillMode::None => Vec::new(),
    };
    let hangup = service.kill.send_sighup && is_term(step) && signal != HUP;
    for process in &named {
        cx.order(Action::Signal { process: process.id, signal });
        if hangup {
            cx.order(Action::Signal { process: process.id, signal: HUP });
        }
        if signal != KILL && signal != CONT {
            // A stopped process could not obey.
            cx.order(Action::Signal { process: process.id, signal: CONT });
        }
    }
    let rest = if watches_set(step, service) {
        let but: Vec<_> = named.iter().map(|process| process.id).collect();
        if hangup {
            cx.order(Action::SignalSet { unit: cx.unit.clone(), signal: HUP, but: but.clone() });
        }
        cx.order(Action::SignalSet { unit: cx.unit.clone(), signal, but });
        Rest::Asked
    } else {
        Rest::Spared
    };
    let timeout = if is_abort(step) { abort_timeout(service) } else { service.timeout_stop };
    let killing = Killing { step, main, control, rest, cause, deadline: after(cx, timeout) };
    if named.is_empty() && rest == Rest::Spared {
        next(killing, service, cx)
    } else {
        State::Killing(killing)
    }
}

/// Whether a step's signal goes to all processes of the unit.
fn watches_set(step: KillStep, service: &Service) -> bool {
    match service.kill.mode {
        KillMode::ControlGroup => true,
        KillMode::Mixed => is_kill(step),
        KillMode::Process | KillMode::None => false,
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
            Cause::Asked(StopFor::Stop) | Cause::Itself => kill.signal,
        },
    }
}

fn is_abort(step: KillStep) -> bool {
    match step {
        KillStep::StopWatchdog | KillStep::FinalWatchdog => true,
        KillStep::StopSigterm | KillStep::StopSigkill | KillStep::FinalSigterm | KillStep::FinalSigkill => {
            false
        }
    }
}

fn is_term(step: KillStep) -> bool {
    match step {
        KillStep::StopSigterm | KillStep::FinalSigterm => true,
        KillStep::StopWatchdog | KillStep::StopSigkill | KillStep::FinalWatchdog | KillStep::FinalSigkill => {
            false
        }
    }
}

fn is_kill(step: KillStep) -> bool {
    match step {
        KillStep::StopSigkill | KillStep::FinalSigkill => true,
        KillStep::StopWatchdog | KillStep::StopSigterm | KillStep::FinalWatchdog | KillStep::FinalSigterm => {
            false
        }
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
        KillStep::StopWatchdog | KillStep::StopSigterm | KillStep::StopSigkill
            if service.exit_type == ExitType::Main || rest == Rest::Spared =>
        {
            enter_stop_post(main, cause, service, cx)
        }
        KillStep::StopWatchdog
        | KillStep::StopSigterm
        | KillStep::StopSigkill
        | KillStep::FinalWatchdog
        | KillStep::FinalSigterm
        | KillStep::FinalSigkill => match rest {
            Rest::Spared => dead(MayRestart::Yes, cause, service, cx),
            Rest::Asked | Rest::Left => {
                cx.order(Action::Survey { unit: cx.unit.clone() });
                State::Killing(Killing { step, main, control, rest, cause, deadline })
            }
        },
    }
}

/// How many are left of the unit's processes. Those the state names by themselves are heard of by themselves.
pub(super) fn occupancy(state: State, occupancy: Occupancy, service: &Service, cx: &mut Cx) -> State {
    match occupancy {
        Occupancy::Empty => empty(state, service, cx),
        Occupancy::Occupied => occupied(state, service, cx),
    }
}

fn occupied(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Start(Starting::Counting { deadline: _ }) => enter_start_post(Main::Unknown, service, cx),
        State::Killing(mut killing) => {
            if killing.rest == Rest::Asked {
                killing.rest = Rest::Left;
                let but =
                    [killing.main.alive(), killing.control].into_iter().flatten().map(|it| it.id).collect();
                if !is_kill(killing.step) {
                    cx.order(Action::SignalSet { unit: cx.unit.clone(), signal: CONT, but });
                }
            }
            State::Killing(killing)
        }
        State::Start(
            Starting::Launch { .. }
            | Starting::Await { .. }
            | Starting::Oneshot { .. }
            | Starting::Parent(_)
            | Starting::Finding { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn empty(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Start(Starting::Counting { deadline: _ }) => enter_start_post(Main::Gone, service, cx),
        State::Start(Starting::Finding { main, deadline }) => match main {
            Main::Sought { how: super::Sought::PidFile, .. } => {
                let main = no_pid_file(main, service, cx);
                kill(KillStep::StopSigterm, main, None, Cause::Itself, service, cx)
            }
            Main::Sought { .. } | Main::Unknown | Main::Alive(_) | Main::Gone => {
                State::Start(Starting::Finding { main, deadline })
            }
        },
        State::Start(Starting::Await { main, deadline }) => {
            let speaks = matches!(service.kind, ServiceType::Notify | ServiceType::NotifyReload);
            if main == Main::Gone && speaks {
                cx.history.fail(ServiceResult::Protocol);
                return kill(KillStep::StopSigterm, main, None, Cause::Itself, service, cx);
            }
            if main == Main::Gone {
                return enter_start_post(main, service, cx);
            }
            State::Start(Starting::Await { main, deadline })
        }
        State::StartPost(StartPost { up, control: PostControl::PidFile { .. } }) => {
            let main = no_pid_file(up.main, service, cx);
            enter_stop(main, Cause::Itself, service, cx)
        }
        State::Running(up) => match up.main {
            Main::Unknown | Main::Gone => enter_ended(Main::Gone, service, cx),
            Main::Alive(_) | Main::Sought { .. } => State::Running(up),
        },
        State::Killing(killing) => {
            if killing.main.alive().is_some() || killing.control.is_some() || killing.rest == Rest::Spared {
                return State::Killing(killing);
            }
            match killing.step {
                KillStep::StopWatchdog | KillStep::StopSigterm | KillStep::StopSigkill => {
                    match spawn_control(Phase::StopPost, 0, None, service.timeout_stop, service, cx) {
                        Some(control) => {
                            State::StopPost { main: killing.main, control, cause: killing.cause }
                        }
                        // Nothing was left, and nothing has been started since.
                        None => dead(MayRestart::Yes, killing.cause, service, cx),
                    }
                }
                KillStep::FinalWatchdog | KillStep::FinalSigterm | KillStep::FinalSigkill => {
                    dead(MayRestart::Yes, killing.cause, service, cx)
                }
            }
        }
        State::StartPost(StartPost { mut up, control: PostControl::Command(control) }) => {
            if up.main == Main::Unknown && service.pid_file.is_none() {
                up.main = Main::Gone;
            }
            State::StartPost(StartPost { up, control: PostControl::Command(control) })
        }
        State::Start(Starting::Launch { .. } | Starting::Oneshot { .. } | Starting::Parent(_))
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn no_pid_file(main: Main, service: &Service, cx: &mut Cx) -> Main {
    cx.say(Level::Warning, format!("{}: the daemon ended without writing its pid file", cx.unit));
    cx.history.fail(ServiceResult::Protocol);
    settle(main, service, cx)
}

pub(super) fn deadline(state: State, service: &Service, cx: &mut Cx) -> State {
    let now = cx.now.monotonic;
    let passed = |instant: Option<u64>| instant.is_some_and(|instant| instant <= now);
    match state {
        State::Condition(control) | State::StartPre(control) => {
            start_timed_out(Main::Gone, Some(control.process), service, cx)
        }
        State::Start(starting) => {
            let (main, control) = starting_processes(starting);
            start_timed_out(main, control, service, cx)
        }
        State::StartPost(StartPost { up, control }) => {
            if passed(control.deadline()) {
                return start_timed_out(up.main, post_process(&control), service, cx);
            }
            watchdog_expired(up.main, post_process(&control), service, cx)
        }
        State::Running(up) => {
            if passed(up.watchdog) {
                return watchdog_expired(up.main, None, service, cx);
            }
            cx.say(Level::Warning, format!("{}: has run as long as it may, stopping", cx.unit));
            cx.history.fail(ServiceResult::Timeout);
            enter_stop(up.main, Cause::Itself, service, cx)
        }
        State::Reload(Reload { up, by }) => {
            if passed(up.watchdog) {
                let control = match &by {
                    Reloading::Command { control, .. } => Some(control.process),
                    Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => {
                        None
                    }
                };
                return watchdog_expired(up.main, control, service, cx);
            }
            reload_timed_out(up, by, service, cx)
        }
        State::Stop { main, control, cause } => {
            cx.say(Level::Warning, format!("{}: stopping took too long", cx.unit));
            cx.history.fail(ServiceResult::Timeout);
            let step = match service.timeout_stop_failure_mode {
                TimeoutMode::Terminate => KillStep::StopSigterm,
                TimeoutMode::Abort => KillStep::StopWatchdog,
                TimeoutMode::Kill if service.kill.send_sigkill => KillStep::StopSigkill,
                TimeoutMode::Kill => return enter_stop_post(main, cause, service, cx),
            };
            kill(step, main, Some(control.process), cause, service, cx)
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
            kill(step, main, Some(control.process), cause, service, cx)
        }
        State::Killing(killing) => killing_timed_out(killing, service, cx),
        State::AutoRestart { at: _ } => {
            cx.history.restarts += 1;
            cx.restart_due();
            State::AutoRestart { at: None }
        }
        State::Dead | State::Exited | State::Failed => state,
    }
}

fn start_timed_out(main: Main, control: Option<super::Process>, service: &Service, cx: &mut Cx) -> State {
    cx.say(Level::Warning, format!("{}: starting took too long", cx.unit));
    cx.history.fail(ServiceResult::Timeout);
    let step = match service.timeout_start_failure_mode {
        TimeoutMode::Terminate => KillStep::StopSigterm,
        TimeoutMode::Abort => KillStep::StopWatchdog,
        TimeoutMode::Kill if service.kill.send_sigkill => KillStep::StopSigkill,
        TimeoutMode::Kill => return enter_stop_post(main, Cause::Itself, service, cx),
    };
    kill(step, main, control, Cause::Itself, service, cx)
}

pub(super) fn watchdog_expired(
    main: Main,
    control: Option<super::Process>,
    service: &Service,
    cx: &mut Cx,
) -> State {
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
        return State::AutoRestart { at: after(cx, restart_delay(service, cx.history.restarts)) };
    }
    release(MayRestart::No, cause, service, cx);
    cx.history.restarts_over = true;
    if failed { State::Failed } else { State::Dead }
}

/// Gives back what only a run in progress needs.
fn release(may: MayRestart, cause: Cause, service: &Service, cx: &mut Cx) {
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
    Span((base * factor) as u64)
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
    cx.history.restarts = 0;
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
