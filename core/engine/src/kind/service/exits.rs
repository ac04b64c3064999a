//! A process of the service ended, or never came to be.

use super::super::words::{self, ending};
use super::super::{Cx, Level, Process, RESOURCES, ReloadOutcome, setup};
use super::process::{command_of, program, seek, spawn_control, spawn_main, verdict_of};
use super::running::{after_reload, reload_failed};
use super::start::{
    enter_running, enter_start, enter_start_post, enter_start_pre, nothing_ran, parent_gone, started,
};
use super::stop::{enter_stop, gone, kill};
use super::{
    Cause, Control, KillStep, Killing, Main, Old, PostControl, Reload, Reloading, Sought, StartPost,
    Starting, State, after,
};
use crate::api::{Action, ExitStatus, Phase, ProcId, ServiceResult, Trouble};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::exec::Failure;
use eudaemon_unit::config::service::{ExitType, NotifyAccess, ServiceType};

pub(super) fn setup_failed(
    state: State,
    id: ProcId,
    code: u8,
    errno: i32,
    service: &Service,
    cx: &mut Cx,
) -> State {
    const EXEC: u8 = 203;
    const NO_SUCH_FILE: i32 = 2;
    // What systemd would have found out before it forked: the process never was.
    if code == RESOURCES {
        return spawn_failed(state, id, &Trouble::errno(errno), service, cx);
    }
    let ignored =
        command_of(id, service, cx.history).is_some_and(|command| command.failure == Failure::Ignored);
    let level = if ignored { Level::Info } else { Level::Error };
    let text =
        words::unborn(program(id, service, cx.history), &setup::trouble(code, errno, Some(&service.exec)));
    let asks = super::health::asks(&state, id);
    if asks && !ignored {
        return super::health::setup_failed(state, text, service, cx);
    }
    if !asks {
        cx.say(level, format!("{}: {text}", cx.unit));
    }
    if ignored && code == EXEC && errno == NO_SUCH_FILE {
        // A program that need not be there and is not counts as one that ran well.
        cx.history.command_ended(id, ExitStatus::Code(0), cx.now);
    }
    state
}

pub(super) fn exited(
    mut state: State,
    id: ProcId,
    status: ExitStatus,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let status = cx.history.known_end(id).unwrap_or(status);
    cx.history.command_ended(id, status, cx.now);
    if super::health::asks(&state, id) {
        return super::health::command_ended(state, id, Ok(status), service, cx);
    }
    if state.control().is_some_and(|control| control.id == id) {
        return control_ended(state, Some(status), service, cx);
    }
    if state.main().is_some_and(|main| main.id == id) {
        if let Some(state) = successor_sought(&mut state, status, service, cx) {
            return state;
        }
        return main_ended(state, status, service, cx);
    }
    state
}

/// A main process that ends while another is being judged for its place, or that may have left a successor's
/// pid in the pid file: its end counts only if nobody follows.
fn successor_sought(state: &mut State, status: ExitStatus, service: &Service, cx: &mut Cx) -> Option<State> {
    let up = match state {
        State::Start(Starting::Await { .. }) | State::StartPost(_) | State::Running(_) | State::Reload(_) => {
            true
        }
        State::Start(
            Starting::Launch { .. }
            | Starting::Oneshot { .. }
            | Starting::Parent(_)
            | Starting::Finding { .. }
            | Starting::Counting { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Exited
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => false,
    };
    let main = state.main_of_mut()?;
    match main {
        Main::Alive(process) if up && service.pid_file.is_some() => {
            *main = seek(Old::Ended(*process, status), Sought::PidFileNow, service, cx);
        }
        Main::Sought { old, .. } => match old {
            Old::Alive(process) => *old = Old::Ended(*process, status),
            Old::Nobody | Old::Ended(..) => return None,
        },
        Main::Alive(_) | Main::Unknown | Main::Gone => return None,
    }
    Some(state.clone())
}

/// The main process has ended for good.
pub(super) fn main_ended(state: State, status: ExitStatus, service: &Service, cx: &mut Cx) -> State {
    if let Some(main) = state.main() {
        cx.history.main_ended(main.id, status, cx.now);
    }
    let index = match &state {
        State::Start(Starting::Oneshot { index, .. }) => *index,
        State::Start(
            Starting::Launch { .. }
            | Starting::Await { .. }
            | Starting::Parent(_)
            | Starting::Finding { .. }
            | Starting::Counting { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => 0,
    };
    let result = verdict_of(Phase::Start, index, status, service);
    let level = if result == ServiceResult::Success { Level::Debug } else { Level::Notice };
    cx.say(level, format!("{}: main process {}", cx.unit, ending(status)));
    cx.history.fail(result);
    without_main(state, result, service, cx)
}

/// Goes on after the main process, whose end was worth `result`.
fn without_main(mut state: State, result: ServiceResult, service: &Service, cx: &mut Cx) -> State {
    // With ExitType=cgroup the last process counts, whichever it is.
    if service.exit_type == ExitType::Cgroup
        && !matches!(state, State::Start(Starting::Launch { .. }))
        && let Some(main) = state.main_of_mut()
    {
        *main = Main::Gone;
        cx.order(Action::Survey { unit: cx.unit.clone() });
        return state;
    }
    match state {
        State::Start(Starting::Launch { main: _ }) => enter_start_post(Main::Gone, service, cx),
        State::Start(Starting::Oneshot { main: _, index, deadline }) => {
            if result != ServiceResult::Success {
                return kill(KillStep::StopSigterm, Main::Gone, None, Cause::Itself, service, cx);
            }
            match spawn_main(index + 1, service, cx) {
                Some(main) => State::Start(Starting::Oneshot { main, index: index + 1, deadline }),
                None => enter_start_post(Main::Gone, service, cx),
            }
        }
        State::Start(Starting::Await { main: _, deadline }) => without_awaited(result, deadline, service, cx),
        State::StartPost(mut post) => {
            post.up.main = Main::Gone;
            match post.control {
                PostControl::Command(_) => State::StartPost(post),
                // Neither main nor control process: nothing is left that could end this.
                PostControl::PidFile { .. } => enter_stop(Main::Gone, Cause::Itself, service, cx),
                PostControl::Health { .. } => super::health::ended_at_gate(post.up, service, cx),
            }
        }
        State::Running(mut up) => {
            up.main = Main::Gone;
            enter_running(up, service, cx)
        }
        State::Reload(Reload { mut up, by }) => {
            up.main = Main::Gone;
            match by {
                Reloading::Command { .. } => State::Reload(Reload { up, by }),
                Reloading::Signalled { .. } | Reloading::Notified { .. } => {
                    cx.effects.reload = Some(ReloadOutcome::Failed);
                    enter_stop(up.main, Cause::Itself, service, cx)
                }
                Reloading::Itself { .. } => enter_stop(up.main, Cause::Itself, service, cx),
            }
        }
        State::Stop { main: _, control, cause } => State::Stop { main: Main::Gone, control, cause },
        State::Killing(killing) => gone(Killing { main: Main::Gone, ..killing }, service, cx),
        State::StopPost { main: _, control, cause } => State::StopPost { main: Main::Gone, control, cause },
        State::Start(Starting::Parent(_) | Starting::Finding { .. } | Starting::Counting { .. })
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Exited
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

/// The main process ended before the start was complete.
fn without_awaited(result: ServiceResult, deadline: Option<u64>, service: &Service, cx: &mut Cx) -> State {
    match service.kind {
        ServiceType::Notify | ServiceType::NotifyReload => {
            // Another process may still say READY=1, where the unit lets it.
            let others_may_speak = service.remain_after_exit && service.notify_access != NotifyAccess::Main;
            if result == ServiceResult::Success && others_may_speak {
                cx.order(Action::Survey { unit: cx.unit.clone() });
                return State::Start(Starting::Await { main: Main::Gone, deadline });
            }
            cx.history.fail(ServiceResult::Protocol);
            kill(KillStep::StopSigterm, Main::Gone, None, Cause::Itself, service, cx)
        }
        ServiceType::Exec
        | ServiceType::Dbus
        | ServiceType::Simple
        | ServiceType::Idle
        | ServiceType::Oneshot
        | ServiceType::Forking => {
            let runtime = super::Runtime::NotYet;
            let up = super::Up { main: Main::Gone, watchdog: None, runtime, health: None };
            enter_running(up, service, cx)
        }
    }
}

/// A command ended; `None`: it could not be started.
fn control_ended(state: State, status: Option<ExitStatus>, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Condition(control) => condition_ended(control, status, service, cx),
        State::StartPre(control) => start_pre_ended(control, status, service, cx),
        State::Start(Starting::Parent(control)) => {
            let result = judge(Phase::Start, &control, status, service, cx);
            if result == ServiceResult::Success {
                parent_gone(control.deadline, service, cx)
            } else {
                kill(KillStep::StopSigterm, Main::Unknown, None, Cause::Itself, service, cx)
            }
        }
        State::StartPost(StartPost { up, control: PostControl::Command(control) }) => {
            post_ended(up, control, status, service, cx)
        }
        State::Reload(Reload { up, by: Reloading::Command { control, signalled } }) => {
            reload_command_ended(up, control, signalled, status, service, cx)
        }
        State::Stop { main, control, cause } => {
            match next_of(Phase::Stop, &main, control, status, service, cx) {
                Some(control) => State::Stop { main, control, cause },
                None => kill(KillStep::StopSigterm, main, None, cause, service, cx),
            }
        }
        State::StopPost { main, control, cause } => {
            match next_of(Phase::StopPost, &main, control, status, service, cx) {
                Some(control) => State::StopPost { main, control, cause },
                None => kill(KillStep::FinalSigterm, main, None, cause, service, cx),
            }
        }
        State::Killing(killing) => {
            if let (Some(status), Some(left)) = (status, killing.control) {
                cx.history.fail(verdict_of(left.phase, left.index, status, service));
            }
            gone(Killing { control: None, ..killing }, service, cx)
        }
        State::Start(
            Starting::Launch { .. }
            | Starting::Await { .. }
            | Starting::Oneshot { .. }
            | Starting::Finding { .. }
            | Starting::Counting { .. },
        )
        | State::StartPost(StartPost {
            control: PostControl::PidFile { .. } | PostControl::Health { .. },
            ..
        })
        | State::Reload(Reload {
            by: Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. },
            ..
        })
        | State::Dead
        | State::Running(_)
        | State::Exited
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn start_pre_ended(control: Control, status: Option<ExitStatus>, service: &Service, cx: &mut Cx) -> State {
    let result = judge(Phase::StartPre, &control, status, service, cx);
    if result != ServiceResult::Success {
        return failed_start(control.index, status, Main::Gone, service, cx);
    }
    match spawn_control(Phase::StartPre, control.index + 1, None, service.timeout_start, service, cx) {
        Some(next) => State::StartPre(next),
        None => enter_start(service, cx),
    }
}

fn reload_command_ended(
    up: super::Up,
    control: Control,
    signalled: Option<u64>,
    status: Option<ExitStatus>,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let result = worth(Phase::Reload, control.index, status, service);
    if result != ServiceResult::Success {
        return reload_failed(up, result, service, cx);
    }
    let (timeout, main) = (service.timeout_start, up.main.alive());
    match spawn_control(Phase::Reload, control.index + 1, main, timeout, service, cx) {
        Some(control) => State::Reload(Reload { up, by: Reloading::Command { control, signalled } }),
        None => after_reload(up, signalled, service, cx),
    }
}

/// The next command of a stop phase; none follows a failed one.
fn next_of(
    phase: Phase,
    main: &Main,
    control: Control,
    status: Option<ExitStatus>,
    service: &Service,
    cx: &mut Cx,
) -> Option<Control> {
    let result = judge(phase, &control, status, service, cx);
    if result != ServiceResult::Success {
        return None;
    }
    spawn_control(phase, control.index + 1, main.alive(), service.timeout_stop, service, cx)
}

/// `ExecCondition=`: 1 to 254 skip the unit, 255 and signals fail it.
fn condition_ended(control: Control, status: Option<ExitStatus>, service: &Service, cx: &mut Cx) -> State {
    let plain = worth(Phase::Condition, control.index, status, service);
    let skips =
        plain == ServiceResult::ExitCode && matches!(status, Some(ExitStatus::Code(code)) if code < 255);
    let result = if skips { ServiceResult::ExecCondition } else { plain };
    cx.history.fail(result);
    if result != ServiceResult::Success {
        return failed_start(control.index, status, Main::Gone, service, cx);
    }
    match spawn_control(Phase::Condition, control.index + 1, None, service.timeout_start, service, cx) {
        Some(next) => State::Condition(next),
        None => enter_start_pre(service, cx),
    }
}

fn post_ended(
    up: super::Up,
    control: Control,
    status: Option<ExitStatus>,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let result = worth(Phase::StartPost, control.index, status, service);
    cx.history.fail(result);
    if result != ServiceResult::Success {
        return match status {
            Some(_) => kill(KillStep::StopSigterm, up.main, None, Cause::Itself, service, cx),
            None => enter_stop(up.main, Cause::Itself, service, cx),
        };
    }
    let timeout = service.timeout_start;
    let forks = service.kind == ServiceType::Forking;
    match spawn_control(Phase::StartPost, control.index + 1, up.main.alive(), timeout, service, cx) {
        Some(next) => State::StartPost(StartPost { up, control: PostControl::Command(next) }),
        // Whatever the type: the file counts from here on.
        None if service.pid_file.is_some() && (up.main == Main::Unknown || !forks) => {
            let old = match up.main {
                Main::Alive(process) => Old::Alive(process),
                Main::Unknown | Main::Gone | Main::Sought { .. } => Old::Nobody,
            };
            let main = seek(old, Sought::PidFile, service, cx);
            cx.order(Action::Survey { unit: cx.unit.clone() });
            let control = PostControl::PidFile { deadline: control.deadline };
            State::StartPost(StartPost { up: super::Up { main, ..up }, control })
        }
        None => started(up, after(cx, timeout), service, cx),
    }
}

/// A command before the main process failed: whatever it left is cleaned up, unless it never ran.
fn failed_start(index: u32, status: Option<ExitStatus>, main: Main, service: &Service, cx: &mut Cx) -> State {
    if status.is_none() && index == 0 {
        nothing_ran(service, cx)
    } else {
        kill(KillStep::StopSigterm, main, None, Cause::Itself, service, cx)
    }
}

/// What a command's end is worth; a failure counts for the run.
fn judge(
    phase: Phase,
    control: &Control,
    status: Option<ExitStatus>,
    service: &Service,
    cx: &mut Cx,
) -> ServiceResult {
    let result = worth(phase, control.index, status, service);
    if let Some(status) = status
        && result != ServiceResult::Success
    {
        cx.say(Level::Notice, format!("{}: control process {}", cx.unit, ending(status)));
    }
    cx.history.fail(result);
    result
}

fn worth(phase: Phase, index: u32, status: Option<ExitStatus>, service: &Service) -> ServiceResult {
    match status {
        Some(status) => verdict_of(phase, index, status, service),
        None => ServiceResult::Resources,
    }
}

/// A process was ordered and could not be forked.
pub(super) fn spawn_failed(
    state: State,
    id: ProcId,
    trouble: &Trouble,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let is = |process: Option<Process>| process.is_some_and(|process| process.id == id);
    if super::health::asks(&state, id) {
        let text = words::unborn(program(id, service, cx.history), trouble);
        return super::health::command_ended(state, id, Err(text), service, cx);
    }
    let (control, main) = (is(state.control()), is(state.main()));
    if !control && !main {
        return state;
    }
    let words = words::unborn(program(id, service, cx.history), trouble);
    cx.say(Level::Error, format!("{}: {words}", cx.unit));
    if control {
        return control_ended(state, None, service, cx);
    }
    cx.history.main = super::super::MainRecord::default();
    cx.history.fail(ServiceResult::Resources);
    match state {
        State::Start(_) => kill(KillStep::StopSigterm, Main::Gone, None, Cause::Itself, service, cx),
        State::Killing(killing) => gone(Killing { main: Main::Gone, ..killing }, service, cx),
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => without_main(state, ServiceResult::Resources, service, cx),
    }
}
