//! From the wish to start until the service is up.

use super::super::{Cx, Level, MainRecord, NotifyState, Process, Reply, Stage};
use super::end::dead;
use super::process::{commands, seek, spawn_control, spawn_main};
use super::stop::{enter_stop, kill};
use super::{
    Cause, Control, KillStep, Main, MayRestart, Old, PostControl, Reload, Reloading, Runtime, Sought,
    StartPost, Starting, State, Up, after,
};
use crate::api::{Action, Moment, Ownership, Phase, ProcId, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::health::Gate;
use eudaemon_unit::config::service::{ExitType, ServiceType};

pub(super) fn wished(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Dead | State::Failed => begin(service, cx),
        State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_) => state,
        // A unit has one job: the restart that was asked for gave way to this start, which does as well.
        State::AutoRestart { at: None } => begin(service, cx),
        // What is going down goes down first; and an automatic restart begins by a stop, so that its
        // dependents hear of it.
        State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::AutoRestart { at: Some(_) } => {
            cx.reply(Reply::Later);
            state
        }
    }
}

fn begin(service: &Service, cx: &mut Cx) -> State {
    let history = &mut *cx.history;
    history.begun = cx.now;
    history.result = ServiceResult::Success;
    history.reload_result = ServiceResult::Success;
    history.main = MainRecord::default();
    history.commands.clear();
    history.status_text.clear();
    history.status_errno = 0;
    history.bus_error.clear();
    history.notify = NotifyState::Unknown;
    history.watchdog_ping = Moment::default();
    history.watchdog_override = None;
    history.bus_name = None;
    if history.restarts_over {
        history.forget_restarts();
        history.restarts_over = false;
    }
    cx.begin();
    if service.kind == ServiceType::Dbus
        && let Some(name) = &service.bus_name
    {
        cx.order(Action::WatchBusName { name: name.clone() });
    }
    match spawn_control(Phase::Condition, 0, None, service.timeout_start, service, cx) {
        Some(control) => State::Condition(control),
        None => enter_start_pre(service, cx),
    }
}

pub(super) fn enter_start_pre(service: &Service, cx: &mut Cx) -> State {
    match spawn_control(Phase::StartPre, 0, None, service.timeout_start, service, cx) {
        Some(control) => State::StartPre(control),
        None => enter_start(service, cx),
    }
}

pub(super) fn enter_start(service: &Service, cx: &mut Cx) -> State {
    let deadline = after(cx, service.timeout_start);
    match service.kind {
        ServiceType::Simple | ServiceType::Idle => match spawn_main(0, service, cx) {
            Some(main) => State::Start(Starting::Launch { main }),
            None => enter_start_post(Main::Gone, service, cx),
        },
        ServiceType::Exec | ServiceType::Dbus | ServiceType::Notify | ServiceType::NotifyReload => {
            match spawn_main(0, service, cx) {
                Some(main) => State::Start(Starting::Await { main: Main::Alive(main), deadline }),
                None => enter_start_post(Main::Gone, service, cx),
            }
        }
        ServiceType::Oneshot => match spawn_main(0, service, cx) {
            Some(main) => State::Start(Starting::Oneshot { main, index: 0, deadline }),
            None => enter_start_post(Main::Gone, service, cx),
        },
        ServiceType::Forking => {
            match spawn_control(Phase::Start, 0, None, service.timeout_start, service, cx) {
                Some(control) => State::Start(Starting::Parent(control)),
                None => enter_start_post(Main::Gone, service, cx),
            }
        }
    }
}

/// The parent of a forking service has done its part: whom did it leave behind?
pub(super) fn parent_gone(deadline: Option<u64>, service: &Service, cx: &mut Cx) -> State {
    if service.pid_file.is_some() {
        if commands(service, Phase::StartPost).is_empty() {
            let main = seek(Old::Nobody, Sought::PidFile, service, cx);
            cx.order(Action::Survey { unit: cx.unit.clone() });
            return State::Start(Starting::Finding { main, deadline });
        }
        // With commands to follow, one of them may write the file.
        let main = seek(Old::Nobody, Sought::PidFileNow, service, cx);
        return State::Start(Starting::Finding { main, deadline });
    }
    if service.guess_main_pid {
        let main = seek(Old::Nobody, Sought::Guess, service, cx);
        return State::Start(Starting::Finding { main, deadline });
    }
    count(deadline, cx)
}

pub(super) fn count(deadline: Option<u64>, cx: &mut Cx) -> State {
    cx.order(Action::Survey { unit: cx.unit.clone() });
    State::Start(Starting::Counting { deadline })
}

pub(super) fn enter_start_post(main: Main, service: &Service, cx: &mut Cx) -> State {
    let up = Up { main, watchdog: ping(service, cx), runtime: Runtime::NotYet, health: None };
    match spawn_control(Phase::StartPost, 0, up.main.alive(), service.timeout_start, service, cx) {
        Some(control) => State::StartPost(StartPost { up, control: PostControl::Command(control) }),
        None => started(up, after(cx, service.timeout_start), service, cx),
    }
}

/// All has been done that a start does: the service is up, or has yet to be healthy (`Gate=start`).
pub(super) fn started(up: Up, deadline: Option<u64>, service: &Service, cx: &mut Cx) -> State {
    let gate = super::health::gate(service);
    let well = cx.history.result == ServiceResult::Success;
    if gate == Gate::Nothing || !well || !lives(&up.main, service, cx) {
        return enter_running(up, service, cx);
    }
    let up = super::health::begin(up, gate, service, cx);
    State::StartPost(StartPost { up, control: PostControl::Health { deadline } })
}

/// A life sign: the instant the next one is due.
pub(super) fn ping(service: &Service, cx: &mut Cx) -> Option<u64> {
    let every = match cx.history.watchdog_override {
        Some(0 | u64::MAX) => None,
        Some(every) => Some(every),
        None => super::process::watchdog(service),
    };
    if every.is_some() {
        cx.history.watchdog_ping = cx.now;
    }
    every.map(|every| cx.now.monotonic.saturating_add(every))
}

/// The service is to be up: it is, or it has already ended, well or badly.
pub(super) fn enter_running(up: Up, service: &Service, cx: &mut Cx) -> State {
    if cx.history.result != ServiceResult::Success {
        return kill(KillStep::StopSigterm, up.main, None, Cause::Itself, service, cx);
    }
    if !lives(&up.main, service, cx) {
        return enter_ended(up.main, service, cx);
    }
    let up = super::health::begin(up, Gate::Nothing, service, cx);
    match cx.history.notify {
        NotifyState::Reloading => {
            cx.effects.reloads_itself = true;
            let deadline = after(cx, service.timeout_start);
            State::Reload(Reload { up, by: Reloading::Itself { deadline } })
        }
        NotifyState::Stopping => super::stop::stopping_itself(up.main, service, cx),
        NotifyState::Unknown | NotifyState::Ready => {
            let runtime = match up.runtime {
                Runtime::NotYet => after(cx, service.runtime_max).map_or(Runtime::Endless, Runtime::Until),
                Runtime::Endless | Runtime::Until(_) => up.runtime,
            };
            State::Running(Up { runtime, ..up })
        }
    }
}

/// What made the service a running one has ended.
pub(super) fn enter_ended(main: Main, service: &Service, cx: &mut Cx) -> State {
    if cx.history.result != ServiceResult::Success {
        kill(KillStep::StopSigterm, main, None, Cause::Itself, service, cx)
    } else if service.remain_after_exit {
        State::Exited
    } else {
        enter_stop(main, Cause::Itself, service, cx)
    }
}

/// Whether there is still what makes the service a running one. Where only its processes as a whole can
/// tell, they are asked for, and an empty answer ends it.
fn lives(main: &Main, service: &Service, cx: &mut Cx) -> bool {
    if service.kind == ServiceType::Dbus && cx.history.bus_name != Some(Ownership::Owned) {
        return false;
    }
    match main {
        Main::Alive(_) | Main::Sought { old: Old::Nobody | Old::Alive(_) | Old::Ended(..), .. } => true,
        Main::Gone if service.exit_type == ExitType::Main => false,
        Main::Unknown | Main::Gone => {
            cx.order(Action::Survey { unit: cx.unit.clone() });
            true
        }
    }
}

pub(super) fn spawned(mut state: State, id: ProcId, service: &Service, cx: &mut Cx) -> State {
    let there = Process { id, stage: Stage::Spawned };
    let is = |process: &Process| process.id == id;
    if let Some(Main::Alive(main) | Main::Sought { old: Old::Alive(main), .. }) = state.main_of_mut()
        && is(main)
    {
        *main = there;
        return state;
    }
    if super::health::asks(&state, id) {
        super::health::spawned(&mut state);
        return state;
    }
    let seen = |control: Control| control.seen(id);
    match state {
        State::Start(Starting::Launch { main }) if is(&main) => {
            enter_start_post(Main::Alive(there), service, cx)
        }
        State::Start(Starting::Oneshot { main, index, deadline }) if is(&main) => {
            State::Start(Starting::Oneshot { main: there, index, deadline })
        }
        State::Start(Starting::Parent(control)) => State::Start(Starting::Parent(seen(control))),
        State::Condition(control) => State::Condition(seen(control)),
        State::StartPre(control) => State::StartPre(seen(control)),
        State::StartPost(StartPost { up, control: PostControl::Command(control) }) => {
            State::StartPost(StartPost { up, control: PostControl::Command(seen(control)) })
        }
        State::Reload(Reload { up, by: Reloading::Command { control, signalled } }) => {
            State::Reload(Reload { up, by: Reloading::Command { control: seen(control), signalled } })
        }
        State::Stop { main, control, cause } => State::Stop { main, control: seen(control), cause },
        State::StopPost { main, control, cause } => State::StopPost { main, control: seen(control), cause },
        State::Killing(mut killing) => {
            if let Some(left) = &mut killing.control
                && is(&left.process)
            {
                left.process = there;
            }
            State::Killing(killing)
        }
        State::Start(
            Starting::Launch { .. }
            | Starting::Oneshot { .. }
            | Starting::Await { .. }
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

pub(super) fn executed(state: State, id: ProcId, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Start(Starting::Await { main, deadline }) => {
            let it = main.alive().is_some_and(|process| process.id == id);
            if it && service.kind == ServiceType::Exec {
                enter_start_post(main, service, cx)
            } else {
                State::Start(Starting::Await { main, deadline })
            }
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
        | State::StartPost(_)
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

pub(super) fn main_found(mut state: State, id: ProcId, service: &Service, cx: &mut Cx) -> State {
    let Some(main) = state.main_of_mut() else { return state };
    match main {
        Main::Sought { new, .. } if *new == id => {
            *main = Main::Alive(Process { id, stage: Stage::Spawned });
            cx.history.main_started(id, cx.now);
        }
        Main::Sought { .. } | Main::Unknown | Main::Alive(_) | Main::Gone => return state,
    }
    match state {
        State::Start(Starting::Finding { main, deadline: _ }) => enter_start_post(main, service, cx),
        State::StartPost(StartPost { up, control: PostControl::PidFile { deadline } }) => {
            started(up, deadline, service, cx)
        }
        State::StartPost(StartPost {
            control: PostControl::Command(_) | PostControl::Health { .. }, ..
        })
        | State::Start(
            Starting::Await { .. }
            | Starting::Launch { .. }
            | Starting::Oneshot { .. }
            | Starting::Parent(_)
            | Starting::Counting { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
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

pub(super) fn main_missing(
    mut state: State,
    id: ProcId,
    reason: &str,
    service: &Service,
    cx: &mut Cx,
) -> State {
    let starting = matches!(state, State::Start(_) | State::StartPost(_));
    let Some(main) = state.main_of_mut() else { return state };
    let (old, how) = match main {
        Main::Sought { old, new, how } if *new == id => (old.clone(), how.clone()),
        Main::Sought { .. } | Main::Unknown | Main::Alive(_) | Main::Gone => return state,
    };
    let level = if how == Sought::PidFileNow { Level::Debug } else { Level::Warning };
    cx.say(level, format!("{}: main process not told: {reason}", cx.unit));
    if how == Sought::PidFile && starting {
        // The file may still come to name the right one: the start's timeout decides.
        return state;
    }
    if let Old::Ended(process, status) = old {
        *main = Main::Alive(process);
        return super::exits::main_ended(state, status, service, cx);
    }
    *main = match old {
        Old::Alive(process) => Main::Alive(process),
        Old::Nobody | Old::Ended(..) => Main::Unknown,
    };
    match state {
        State::Start(Starting::Finding { main, deadline: _ }) if how == Sought::PidFileNow => {
            enter_start_post(main, service, cx)
        }
        State::Start(Starting::Finding { main: _, deadline }) => count(deadline, cx),
        State::StartPost(StartPost { up, control: PostControl::PidFile { deadline } }) => {
            started(up, deadline, service, cx)
        }
        State::Running(up) => enter_running(up, service, cx),
        State::StartPost(StartPost {
            control: PostControl::Command(_) | PostControl::Health { .. }, ..
        })
        | State::Start(
            Starting::Await { .. }
            | Starting::Launch { .. }
            | Starting::Oneshot { .. }
            | Starting::Parent(_)
            | Starting::Counting { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

/// A command before the start could not even be forked: no process of this run was there, so nothing has to
/// be cleaned up after it.
pub(super) fn nothing_ran(service: &Service, cx: &mut Cx) -> State {
    dead(MayRestart::Yes, Cause::Itself, service, cx)
}
