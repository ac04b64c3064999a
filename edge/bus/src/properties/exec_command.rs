//! Command lines with the story of their last run, as `ExecStart` and its like show them.

use super::UnitCx;
use crate::model::CommandRun;
use eudaemon_engine::api::{ExitStatus, Phase};
use eudaemon_unit::config::exec::{ExecCommand, Expansion, Failure, Privileges};
use zbus::Variant;

/// `a(sasbttttuii)`: path, argv, "a failure is ignored", start and exit on both clocks, pid, code, status.
pub fn commands(cx: &UnitCx<'_>, commands: &[ExecCommand], phase: Phase) -> Variant<'static> {
    let items = commands.iter().zip(0..).map(|(command, index)| {
        let run = last_run(cx, phase, index);
        let (code, status) = ended(run.status);
        (
            command.path.clone(),
            command.argv.clone(),
            command.failure == Failure::Ignored,
            run.started.realtime,
            run.started.monotonic,
            run.exited.realtime,
            run.exited.monotonic,
            run.pid,
            code,
            status,
        )
    });
    Variant::from(items.collect::<Vec<_>>())
}

/// The same with the prefixes as words instead of the one flag.
pub fn commands_ex(cx: &UnitCx<'_>, commands: &[ExecCommand], phase: Phase) -> Variant<'static> {
    let items = commands.iter().zip(0..).map(|(command, index)| {
        let run = last_run(cx, phase, index);
        let (code, status) = ended(run.status);
        (
            command.path.clone(),
            command.argv.clone(),
            prefixes(command),
            run.started.realtime,
            run.started.monotonic,
            run.exited.realtime,
            run.exited.monotonic,
            run.pid,
            code,
            status,
        )
    });
    Variant::from(items.collect::<Vec<_>>())
}

fn last_run(cx: &UnitCx<'_>, phase: Phase, index: u32) -> CommandRun {
    let found = cx.command_runs().iter().rev().find(|(of, at, _)| *of == phase && *at == index);
    found.map(|(_, _, run)| *run).unwrap_or_default()
}

fn prefixes(command: &ExecCommand) -> Vec<String> {
    let failure = match command.failure {
        Failure::Counts => None,
        Failure::Ignored => Some("ignore-failure"),
    };
    let privileges = match command.privileges {
        Privileges::AsConfigured => None,
        Privileges::Full => Some("privileged"),
        Privileges::NoSetuid => Some("no-setuid"),
        Privileges::AmbientMagic => Some("ambient"),
    };
    let expansion = match command.expansion {
        Expansion::Variables => None,
        Expansion::None => Some("no-env-expand"),
    };
    [failure, privileges, expansion].into_iter().flatten().map(str::to_owned).collect()
}

/// `si_code` and `si_status` of waitid(2); zeros while it runs, or where nobody learnt how it ended.
pub fn ended(status: Option<ExitStatus>) -> (i32, i32) {
    const CLD_EXITED: i32 = 1;
    const CLD_KILLED: i32 = 2;
    const CLD_DUMPED: i32 = 3;
    match status {
        None | Some(ExitStatus::Unknown) => (0, 0),
        Some(ExitStatus::Code(code)) => (CLD_EXITED, i32::from(code)),
        Some(ExitStatus::Signal(signal)) => (CLD_KILLED, signal),
        Some(ExitStatus::Dumped(signal)) => (CLD_DUMPED, signal),
    }
}
