//! Commands and processes of a service: which commands a phase has, how one is ordered, what an end is worth.

use super::super::control::HUP;
use super::super::{Cx, History, Process, Stage};
use super::{Control, Main, Old, PostControl, Reloading, Rest, Sought, Starting, State};
use crate::api::{Action, ExitStatus, Phase, ProcId, ServiceResult, Spawn, Told, WatchExec};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::exec::{ExecCommand, Failure};
use eudaemon_unit::config::service::{ExitStatuses, ServiceType};
use eudaemon_unit::span::Span;

pub(super) fn commands(service: &Service, phase: Phase) -> &[ExecCommand] {
    match phase {
        Phase::Condition => &service.commands.condition,
        Phase::StartPre => &service.commands.start_pre,
        Phase::Start => &service.commands.start,
        Phase::StartPost => &service.commands.start_post,
        Phase::Reload => &service.commands.reload,
        Phase::Stop => &service.commands.stop,
        Phase::StopPost => &service.commands.stop_post,
        Phase::Health => service.health.as_ref().map_or(&[], |health| &health.exec),
        Phase::StopPre => &[],
    }
}

/// Orders a command as control process; `None`: the phase has no such command.
pub(super) fn spawn_control(
    phase: Phase,
    index: u32,
    main: Option<Process>,
    timeout: Span,
    service: &Service,
    cx: &mut Cx,
) -> Option<Control> {
    let process = spawn(phase, index, main, service, cx)?;
    Some(Control { process, index, deadline: super::after(cx, timeout) })
}

/// Orders a command of `ExecStart=` as main process.
pub(super) fn spawn_main(index: u32, service: &Service, cx: &mut Cx) -> Option<Process> {
    let process = spawn(Phase::Start, index, None, service, cx)?;
    cx.history.main_started(process.id, cx.now);
    Some(process)
}

/// Orders a command of `[X-Health]`.
pub(super) fn ask_by_command(
    index: u32,
    main: Option<Process>,
    service: &Service,
    cx: &mut Cx,
) -> Option<Process> {
    spawn(Phase::Health, index, main, service, cx)
}

fn spawn(phase: Phase, index: u32, main: Option<Process>, service: &Service, cx: &mut Cx) -> Option<Process> {
    if index as usize >= commands(service, phase).len() {
        return None;
    }
    let process = Process { id: cx.fresh(), stage: Stage::Asked };
    cx.history.command_started(phase, index, process.id, cx.now);
    let order = order(process.id, phase, index, main, service, cx)?;
    cx.order(order);
    Some(process)
}

pub(super) fn order(
    process: ProcId,
    phase: Phase,
    index: u32,
    main: Option<Process>,
    service: &Service,
    cx: &Cx,
) -> Option<Action> {
    let command = commands(service, phase).get(index as usize)?.clone();
    Some(Action::Spawn(Box::new(Spawn {
        process,
        unit: cx.unit.clone(),
        phase,
        index,
        command,
        invocation: cx.run.invocation.unwrap_or(cx.next_invocation),
        watch_exec: if phase == Phase::Start && service.kind == ServiceType::Exec {
            WatchExec::Yes
        } else {
            WatchExec::No
        },
        told: told(phase, main, cx),
        watchdog_usec: if phase == Phase::Start { watchdog(service).unwrap_or(0) } else { 0 },
    })))
}

fn told(phase: Phase, main: Option<Process>, cx: &Cx) -> Told {
    let ending = match phase {
        Phase::Stop | Phase::StopPost => true,
        Phase::Condition
        | Phase::StartPre
        | Phase::Start
        | Phase::StartPost
        | Phase::Reload
        | Phase::StopPre
        | Phase::Health => false,
    };
    let monitors = matches!(phase, Phase::StartPre | Phase::Start);
    Told {
        main: main.map(|process| process.id),
        result: ending.then_some(cx.history.result),
        exit: if ending { cx.history.main.status } else { None },
        monitored: if monitors { cx.run.monitored.clone() } else { None },
        trigger: cx.run.trigger.clone(),
    }
}

/// How often a life sign is due by configuration, microseconds.
pub(super) fn watchdog(service: &Service) -> Option<u64> {
    let span = service.watchdog;
    if span == Span::ZERO || span.is_infinite() { None } else { Some(span.0) }
}

/// What the end of a process is worth. Signals by which daemons are ended are no failure of what may be a
/// daemon: `ExecStart=`, except of a oneshot. systemd.service(5), `SuccessExitStatus=`.
fn verdict(phase: Phase, status: ExitStatus, service: &Service) -> ServiceResult {
    let success = &service.success_exit_status;
    let daemon = phase == Phase::Start && service.kind != ServiceType::Oneshot;
    match status {
        ExitStatus::Code(0) => ServiceResult::Success,
        ExitStatus::Code(code) if success.codes.contains(&code) => ServiceResult::Success,
        ExitStatus::Code(_) | ExitStatus::Unknown => ServiceResult::ExitCode,
        ExitStatus::Signal(signal) if success.signals.contains(&signal) => ServiceResult::Success,
        ExitStatus::Signal(HUP | INT | TERM | PIPE) if daemon => ServiceResult::Success,
        ExitStatus::Signal(_) => ServiceResult::Signal,
        ExitStatus::Dumped(_) => ServiceResult::CoreDump,
    }
}

const INT: i32 = 2;
const PIPE: i32 = 13;
const TERM: i32 = 15;

/// `verdict`, unless the command's `-` says that its failure does not count.
pub(super) fn verdict_of(phase: Phase, index: u32, status: ExitStatus, service: &Service) -> ServiceResult {
    match commands(service, phase).get(index as usize).map(|command| command.failure) {
        Some(Failure::Ignored) => ServiceResult::Success,
        Some(Failure::Counts) | None => verdict(phase, status, service),
    }
}

pub(super) fn listed(status: ExitStatus, list: &ExitStatuses) -> bool {
    match status {
        ExitStatus::Code(code) => list.codes.contains(&code),
        ExitStatus::Signal(signal) | ExitStatus::Dumped(signal) => list.signals.contains(&signal),
        ExitStatus::Unknown => false,
    }
}

/// The command a process of this run was ordered for.
pub(super) fn command_of<'a>(
    process: ProcId,
    service: &'a Service,
    history: &History,
) -> Option<&'a ExecCommand> {
    let record = history.commands.iter().find(|record| record.process == process)?;
    commands(service, record.phase).get(record.index as usize)
}

/// The program a process of this run was to become.
pub fn program<'a>(process: ProcId, service: &'a Service, history: &History) -> Option<&'a str> {
    command_of(process, service, history).map(|command| command.path.as_str())
}

/// The orders of a state that nothing has answered yet, as they were given.
pub(super) fn unanswered(state: &State, service: &Service, cx: &Cx) -> Vec<Action> {
    let mut orders: Vec<Action> = Vec::new();
    let main = state.main();
    let control = |phase, control: &Control, orders: &mut Vec<Action>| {
        if control.process.stage == Stage::Asked {
            orders.extend(order(control.process.id, phase, control.index, main, service, cx));
        }
    };
    match state {
        State::Condition(command) => control(Phase::Condition, command, &mut orders),
        State::StartPre(command) => control(Phase::StartPre, command, &mut orders),
        State::Start(starting) => unanswered_start(starting, service, cx, &mut orders),
        State::StartPost(post) => match &post.control {
            PostControl::Command(command) => control(Phase::StartPost, command, &mut orders),
            PostControl::PidFile { .. } => orders.push(Action::Survey { unit: cx.unit.clone() }),
            PostControl::Health { .. } => match post.up.main {
                Main::Unknown | Main::Gone => orders.push(Action::Survey { unit: cx.unit.clone() }),
                Main::Alive(_) | Main::Sought { .. } => {}
            },
        },
        State::Reload(reload) => match &reload.by {
            Reloading::Command { control: command, .. } => control(Phase::Reload, command, &mut orders),
            Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => {}
        },
        State::Running(up) => match up.main {
            Main::Unknown | Main::Gone => orders.push(Action::Survey { unit: cx.unit.clone() }),
            Main::Alive(_) | Main::Sought { .. } => {}
        },
        State::Stop { control: command, .. } => control(Phase::Stop, command, &mut orders),
        State::StopPost { control: command, .. } => control(Phase::StopPost, command, &mut orders),
        State::Killing(killing) => match killing.rest {
            Rest::Asked | Rest::Left => orders.push(Action::Survey { unit: cx.unit.clone() }),
            // The last of its processes is awaited though no signal went to it (`ExitType=cgroup`).
            Rest::Spared if main.is_none() && killing.control.is_none() => {
                orders.push(Action::Survey { unit: cx.unit.clone() });
            }
            Rest::Spared => {}
        },
        State::Dead | State::Exited | State::Failed | State::AutoRestart { .. } => {}
    }
    orders.extend(super::health::unanswered(state, service, cx));
    if let Some(Main::Sought { old: Old::Nobody | Old::Alive(_) | Old::Ended(..), new, how }) =
        state.main_of()
    {
        orders.push(find(*new, how, service, cx));
    }
    orders
}

fn unanswered_start(starting: &Starting, service: &Service, cx: &Cx, orders: &mut Vec<Action>) {
    let asked = |process: &Process, index, orders: &mut Vec<Action>| {
        if process.stage == Stage::Asked {
            orders.extend(order(process.id, Phase::Start, index, None, service, cx));
        }
    };
    match starting {
        Starting::Launch { main } => asked(main, 0, orders),
        Starting::Oneshot { main, index, .. } => asked(main, *index, orders),
        Starting::Parent(control) => asked(&control.process, control.index, orders),
        Starting::Await { main, .. } => {
            if let Some(process) = main.alive() {
                // Exec is heard of once only, so for `exec` the order stands until it is.
                let stage = if service.kind == ServiceType::Exec { Stage::Asked } else { process.stage };
                asked(&Process { id: process.id, stage }, 0, orders);
            } else {
                orders.push(Action::Survey { unit: cx.unit.clone() });
            }
        }
        Starting::Counting { .. } | Starting::Finding { .. } => {
            orders.push(Action::Survey { unit: cx.unit.clone() });
        }
    }
}

/// Begins to look for a main process.
pub(super) fn seek(old: Old, how: Sought, service: &Service, cx: &mut Cx) -> Main {
    let new = cx.fresh();
    let order = find(new, &how, service, cx);
    cx.order(order);
    Main::Sought { old, new, how }
}

fn find(new: ProcId, how: &Sought, service: &Service, cx: &Cx) -> Action {
    Action::FindMain { unit: cx.unit.clone(), process: new, how: how.how(service) }
}

/// Gives up the search, if there is one: whoever held the place keeps it.
pub(super) fn settle(main: Main, service: &Service, cx: &mut Cx) -> Main {
    match main {
        Main::Unknown | Main::Alive(_) | Main::Gone => main,
        Main::Sought { old, new: _, how: _ } => {
            cx.order(Action::StopFinding { unit: cx.unit.clone() });
            match old {
                Old::Nobody => Main::Unknown,
                Old::Alive(process) => Main::Alive(process),
                Old::Ended(process, status) => {
                    cx.history.main_ended(process.id, status, cx.now);
                    cx.history.fail(verdict_of(Phase::Start, 0, status, service));
                    Main::Gone
                }
            }
        }
    }
}
