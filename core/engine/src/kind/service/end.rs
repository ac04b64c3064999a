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
        Cause::Asked(_) | Cause::Unhealthy(StopFor::Stop) => return false,
        Cause::Itself | Cause::Unhealthy(StopFor::Restart) => {}
    }
    if cx.restarts == Restarts::Barred {
        return false;
    }
    if cause == Cause::Unhealthy(StopFor::Restart) {
        return true;
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

/// `RestartSec=`, growing geometrically to `RestartMaxDelaySec=` over `RestartSteps=` restarts: systemd.service(5) since
/// version 254. Whole microseconds, the rest dropped; no time at all grows to nothing.
fn restart_delay(service: &Service, restarts: u32) -> Span {
    let (least, most, steps) = (service.restart_sec, service.restart_max_delay, service.restart_steps);
    if steps == 0 || most.is_infinite() || least == Span::ZERO || most <= least || restarts == 0 {
        return least.min(most);
    }
    if restarts >= steps {
        return most;
    }
    let factor = (most.0 as f64 / least.0 as f64).powf(f64::from(restarts) / f64::from(steps));
    // What is whole in truth is not to end a hair below.
    const HAIR: f64 = 1.0 + 1e-12;
    Span((least.0 as f64 * factor * HAIR) as u64)
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

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_unit::span::SECOND;

    /// `RestartSec=`, `RestartMaxDelaySec=`, `RestartSteps=`, and the delays from the first restart on, in microseconds. Those
    /// between the ends were computed with powl(3) in 80 bits, as systemd computes them.
    const SERIES: &[(u64, u64, u32, &[u64])] = &[
        (SECOND, 8 * SECOND, 3, &[1_000_000, 2_000_000, 4_000_000, 8_000_000, 8_000_000]),
        (
            100_000,
            60 * SECOND,
            5,
            &[100_000, 359_443, 1_291_994, 4_643_984, 16_692_485, 60_000_000, 60_000_000],
        ),
        (
            5 * SECOND,
            300 * SECOND,
            10,
            &[
                5_000_000,
                7_529_829,
                11_339_665,
                17_077_149,
                25_717_603,
                38_729_833,
                58_325_806,
                87_836_673,
                132_279_030,
                199_207_703,
                300_000_000,
            ],
        ),
        (
            SECOND,
            2 * SECOND,
            7,
            &[
                1_000_000, 1_104_089, 1_219_013, 1_345_900, 1_485_994, 1_640_670, 1_811_447, 2_000_000,
                2_000_000,
            ],
        ),
        // One step: at once to the longest.
        (SECOND, 60 * SECOND, 1, &[1_000_000, 60_000_000, 60_000_000]),
        // Only both together count.
        (SECOND, 60 * SECOND, 0, &[1_000_000, 1_000_000, 1_000_000]),
        (SECOND, u64::MAX, 4, &[1_000_000, 1_000_000, 1_000_000]),
        // Nothing to grow from, or to.
        (0, 60 * SECOND, 4, &[0, 0, 0, 0, 0]),
        (SECOND, SECOND, 4, &[1_000_000, 1_000_000]),
        // The longest is never exceeded, whatever the shortest says.
        (60 * SECOND, SECOND, 4, &[1_000_000, 1_000_000]),
        (u64::MAX, SECOND, 0, &[1_000_000, 1_000_000]),
        (u64::MAX, u64::MAX, 4, &[u64::MAX, u64::MAX]),
    ];

    #[test]
    fn delays_grow_as_the_series_says() {
        for (least, most, steps, delays) in SERIES {
            let service = Service {
                restart_sec: Span(*least),
                restart_max_delay: Span(*most),
                restart_steps: *steps,
                ..Service::default()
            };
            let got: Vec<u64> = (0..).take(delays.len()).map(|n| restart_delay(&service, n).0).collect();
            assert_eq!(got, *delays, "{least} to {most} in {steps}");
        }
    }

    #[test]
    fn each_delay_is_at_least_the_one_before() {
        let service = Service {
            restart_sec: Span(1),
            restart_max_delay: Span(u64::MAX - 1),
            restart_steps: u32::MAX,
            ..Service::default()
        };
        let restarts = (0..32).map(|bit| 1u32 << bit).chain([u32::MAX]);
        let delays: Vec<u64> = restarts.map(|n| restart_delay(&service, n).0).collect();
        assert!(delays.is_sorted(), "{delays:?}");
        assert_eq!(delays.last(), Some(&(u64::MAX - 1)));
    }
}
