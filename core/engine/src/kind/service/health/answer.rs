//! What is answered, or is not in time, and what follows.

use super::super::super::words::ending;
use super::super::super::{Cx, HealthInput, HealthNews, Level, Process, StopFor};
use super::super::process::{program, verdict_of};
use super::super::start::enter_running;
use super::super::stop::{enter_stop, kill};
use super::super::{Cause, KillStep, PostControl, StartPost, State, Up};
use super::ask::ask;
use super::change::{freezer, reconfigured, recovered};
use super::{Failure, Probe, Turn, Verdict};
use crate::api::{ExitStatus, Phase, ProcId, ServiceResult};
use crate::limits;
use eudaemon_unit::config::Service;
use eudaemon_unit::config::health::{Check, Health as Settings, OnUnhealthy};
use eudaemon_unit::values::format_timespan;

/// An instant of the asking has come.
pub(in crate::kind::service) fn deadline(mut state: State, service: &Service, cx: &mut Cx) -> State {
    let Some(settings) = service.health.as_deref() else { return unwatched(state, service, cx) };
    let (now, main, at_gate) = (cx.now.monotonic, state.main(), state.is_at_gate());
    let Some(health) = state.health_mut() else { return state };
    match health.turn.clone() {
        Turn::Due(_) => {
            let counts = !at_gate && (health.verdict != Verdict::Starting || now >= health.grace);
            let failure = if counts { Failure::Counts } else { Failure::Ignored };
            let until = now.saturating_add(settings.timeout.0);
            health.turn = match ask(0, main, settings, service, cx) {
                Some(probe) => Turn::Asking { probe, check: 0, failure, until },
                None => Turn::Due(now.saturating_add(settings.interval.0)),
            };
            state
        }
        Turn::Asking { check, .. } => {
            let trouble =
                format!("{} within {}", unheard(check, settings), format_timespan(settings.timeout));
            let left = state.command_asking();
            failed(state, trouble, left, service, cx)
        }
        Turn::Ending { process, .. } => {
            let program = program(process.id, service, cx.history).unwrap_or("a command");
            let trouble = format!("{program} was killed and has not ended");
            failed(state, trouble, Some(process), service, cx)
        }
        Turn::Held => state,
    }
}

/// What did not come.
fn unheard(check: u32, settings: &Settings) -> String {
    match settings.check(check) {
        Some(Check::Tcp(at)) => format!("{at} took no connection"),
        Some(Check::Http(url)) => format!("GET {} was not answered", url.text),
        Some(Check::Exec(index)) => {
            let program = settings.exec.get(index as usize).map_or("the command", |command| &command.path);
            format!("{program} did not end")
        }
        None => "nothing was answered".to_owned(),
    }
}

pub(in crate::kind::service) fn hear(
    state: State,
    input: HealthInput,
    service: &Service,
    cx: &mut Cx,
) -> State {
    match input {
        HealthInput::Probed { process, outcome } => probed(state, process, outcome, service, cx),
        HealthInput::Freezer(now) => freezer(state, now, service, cx),
        HealthInput::Reconfigured => reconfigured(state, service, cx),
        HealthInput::Recovered => recovered(state, service, cx),
    }
}

/// The host's word of what it asked.
fn probed(state: State, id: ProcId, outcome: Result<(), String>, service: &Service, cx: &mut Cx) -> State {
    if !state.asking().is_some_and(|probe| probe == Probe::Net(id)) {
        return state;
    }
    match outcome {
        Ok(()) => went_well(state, service, cx),
        Err(trouble) => failed(state, trouble, None, service, cx),
    }
}

/// A command that asked has ended; else: why it could not be started.
pub(in crate::kind::service) fn command_ended(
    mut state: State,
    id: ProcId,
    status: Result<ExitStatus, String>,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let Some(health) = state.health_mut() else { return state };
    if let Turn::Ending { next, .. } = health.turn {
        health.turn = Turn::Due(next.max(cx.now.monotonic));
        return state;
    }
    let status = match status {
        Ok(status) => status,
        Err(trouble) => return failed(state, trouble, None, service, cx),
    };
    let path = program(id, service, cx.history).unwrap_or("a command");
    let index =
        cx.history.commands.iter().find(|record| record.process == id).map_or(0, |record| record.index);
    match verdict_of(Phase::Health, index, status, service) {
        ServiceResult::Success => went_well(state, service, cx),
        ServiceResult::Resources
        | ServiceResult::Protocol
        | ServiceResult::Timeout
        | ServiceResult::ExitCode
        | ServiceResult::Signal
        | ServiceResult::CoreDump
        | ServiceResult::Watchdog
        | ServiceResult::StartLimitHit
        | ServiceResult::OomKill
        | ServiceResult::ExecCondition
        | ServiceResult::TriggerLimitHit
        | ServiceResult::ServiceStartLimitHit => {
            let trouble = format!("{path} {}", ending(status));
            failed(state, trouble, None, service, cx)
        }
    }
}

/// A command that was to ask did not come so far; its end follows.
pub(in crate::kind::service) fn setup_failed(
    state: State,
    trouble: String,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let left = state.command_asking();
    failed(state, trouble, left, service, cx)
}

/// A check went well: the next, or the service is healthy.
pub(in crate::kind::service) fn went_well(mut state: State, service: &Service, cx: &mut Cx) -> State {
    let Some(settings) = service.health.as_deref() else { return unwatched(state, service, cx) };
    let main = state.main();
    let Some(health) = state.health_mut() else { return state };
    if let Turn::Asking { check, failure, until, .. } = health.turn
        && let Some(probe) = ask(check + 1, main, settings, service, cx)
    {
        health.turn = Turn::Asking { probe, check: check + 1, failure, until };
        return state;
    }
    let before = std::mem::replace(&mut health.verdict, Verdict::Healthy);
    if before != Verdict::Healthy {
        health.since = cx.now;
        let again = if before == Verdict::Unhealthy { " again" } else { "" };
        let level = if before == Verdict::Unhealthy { Level::Notice } else { Level::Info };
        cx.say(level, format!("{}: healthy{again}", cx.unit));
    }
    if health.trouble.take().is_some() || before != Verdict::Healthy {
        cx.effects.health = HealthNews::Changed;
    }
    (health.failures, health.in_vain, health.grace) = (0, 0, 0);
    health.turn = Turn::Due(cx.now.monotonic.saturating_add(settings.interval.0));
    pass_gate(state, service, cx)
}

/// The gate is open, if the service stands before it.
pub(in crate::kind::service) fn pass_gate(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::StartPost(StartPost { up, control: PostControl::Health { .. } }) => {
            enter_running(up, service, cx)
        }
        State::StartPost(StartPost {
            control: PostControl::Command(_) | PostControl::PidFile { .. },
            ..
        })
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

/// The probe failed; a command that is `left` has yet to end.
pub(in crate::kind::service) fn failed(
    mut state: State,
    trouble: String,
    left: Option<Process>,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let Some(settings) = service.health.as_deref() else { return unwatched(state, service, cx) };
    let (now, at_gate) = (cx.now.monotonic, state.is_at_gate());
    let Some(health) = state.health_mut() else { return state };
    let failure = match &health.turn {
        Turn::Asking { failure, .. } => *failure,
        Turn::Ending { .. } if at_gate || (health.verdict == Verdict::Starting && now < health.grace) => {
            Failure::Ignored
        }
        Turn::Ending { .. } => Failure::Counts,
        Turn::Due(_) | Turn::Held => return state,
    };
    let trouble: String = trouble.chars().take(limits::TOLD_TEXT).collect();
    let wait = match failure {
        Failure::Counts => {
            health.failures = health.failures.saturating_add(1);
            settings.interval.0
        }
        Failure::Ignored => {
            let wait = limits::FIRST_PROBE_WAIT << health.in_vain.min(8);
            health.in_vain = health.in_vain.saturating_add(1);
            wait.min(limits::LONGEST_PROBE_WAIT).min(settings.interval.0)
        }
    };
    let next = now.saturating_add(wait);
    health.turn = match left {
        Some(process) => Turn::Ending { process, next },
        None => Turn::Due(next),
    };
    if health.trouble.as_ref() != Some(&trouble) {
        cx.effects.health = HealthNews::Changed;
    }
    health.trouble = Some(trouble.clone());
    if failure == Failure::Ignored || health.failures != settings.retries {
        return state;
    }
    if health.verdict != Verdict::Unhealthy {
        (health.verdict, health.since) = (Verdict::Unhealthy, cx.now);
        cx.effects.health = HealthNews::Changed;
        let times = match settings.retries {
            1 => String::new(),
            times => format!(", {times} probes in a row failed"),
        };
        cx.say(Level::Warning, format!("{}: unhealthy{times}: {trouble}", cx.unit));
    }
    let purpose = match settings.on_unhealthy {
        OnUnhealthy::Nothing => return state,
        OnUnhealthy::Stop => StopFor::Stop,
        OnUnhealthy::Restart => StopFor::Restart,
    };
    cx.effects.unhealthy = Some(trouble);
    cx.history.fail(ServiceResult::Watchdog);
    end(state, Cause::Unhealthy(purpose), service, cx)
}

fn end(state: State, cause: Cause, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Running(up) => enter_stop(up.main, cause, service, cx),
        State::Reload(_) => {
            let (main, control) = state.parts();
            kill(KillStep::StopSigterm, main, control, cause, service, cx)
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
        | State::AutoRestart { .. } => state,
    }
}

/// The main process went before it was healthy: as if it had gone before it said that it was ready.
pub(in crate::kind::service) fn ended_at_gate(up: Up, service: &Service, cx: &mut Cx) -> State {
    if !service.remain_after_exit {
        cx.history.fail(ServiceResult::Protocol);
    }
    enter_running(up, service, cx)
}

/// The unit says no more that it is to be asked.
pub(in crate::kind::service) fn unwatched(mut state: State, service: &Service, cx: &mut Cx) -> State {
    if let Some(health) = state.health_of_mut() {
        *health = None;
    }
    pass_gate(state, service, cx)
}
