//! org.freedesktop.systemd1.Service, without the parts other kinds share: systemd.service(5).

use super::exec_command::{commands, commands_ex, ended};
use super::words::{
    exit_type_word, notify_access_word, oom_word, restart_word, result_word, timeout_word, type_word,
};
use super::{Emits::*, UnitCx, UnitRow, num, row, text};
use eudaemon_engine::api::Phase;
use eudaemon_unit::config::service::ExitStatuses;
use zbus::Variant;

pub const SERVICE: &[UnitRow] = &[
    row("Type", "s", Const, |cx| cx.filled("Type", type_word(cx.service().kind))),
    row("ExitType", "s", Const, |cx| text(exit_type_word(cx.service().exit_type))),
    row("Restart", "s", Const, |cx| text(restart_word(cx.service().restart))),
    row("PIDFile", "s", Const, |cx| text(cx.service().pid_file.as_deref().unwrap_or_default())),
    row("NotifyAccess", "s", Const, |cx| text(notify_access_word(cx.service()))),
    row("RestartUSec", "t", Const, |cx| num(cx.service().restart_sec.0)),
    row("TimeoutStartUSec", "t", Const, |cx| num(cx.service().timeout_start.0)),
    row("TimeoutStopUSec", "t", Const, |cx| num(cx.service().timeout_stop.0)),
    row("TimeoutAbortUSec", "t", No, |cx| {
        num(cx.service().timeout_abort.unwrap_or(cx.service().timeout_stop).0)
    }),
    row("TimeoutStartFailureMode", "s", Const, |cx| {
        text(timeout_word(cx.service().timeout_start_failure_mode))
    }),
    row("TimeoutStopFailureMode", "s", Const, |cx| {
        text(timeout_word(cx.service().timeout_stop_failure_mode))
    }),
    row("RuntimeMaxUSec", "t", Const, |cx| num(cx.service().runtime_max.0)),
    row("RuntimeRandomizedExtraUSec", "t", Const, |cx| cx.span("RuntimeRandomizedExtraSec", 0)),
    row("WatchdogUSec", "t", No, |cx| num(watchdog_usec(cx))),
    row("WatchdogTimestamp", "t", No, |cx| num(cx.run().watchdog_ping.realtime)),
    row("WatchdogTimestampMonotonic", "t", No, |cx| num(cx.run().watchdog_ping.monotonic)),
    row("RootDirectoryStartOnly", "b", Const, |cx| num(cx.service().root_directory_start_only)),
    row("RemainAfterExit", "b", Const, |cx| num(cx.service().remain_after_exit)),
    row("GuessMainPID", "b", Const, |cx| num(cx.service().guess_main_pid)),
    row("RestartPreventExitStatus", "(aiai)", Const, |cx| {
        statuses(&cx.service().restart_prevent_exit_status)
    }),
    row("RestartForceExitStatus", "(aiai)", Const, |cx| statuses(&cx.service().restart_force_exit_status)),
    row("SuccessExitStatus", "(aiai)", Const, |cx| statuses(&cx.service().success_exit_status)),
    row("MainPID", "u", Value, |cx| num(cx.run().main_pid)),
    row("ControlPID", "u", Value, |cx| num(cx.run().control_pid)),
    row("BusName", "s", Const, |cx| text(cx.service().bus_name.as_deref().unwrap_or_default())),
    row("FileDescriptorStoreMax", "u", Const, |cx| num(cx.service().fd_store_max)),
    row("NFileDescriptorStore", "u", No, |cx| num(cx.run().stored_fds)),
    row("StatusText", "s", Value, |cx| text(&cx.run().status_text)),
    row("StatusErrno", "i", Value, |cx| num(cx.run().status_errno)),
    row("Result", "s", Value, |cx| text(result_word(cx.run().result))),
    row("ReloadResult", "s", Value, |cx| text(result_word(cx.run().reload_result))),
    row("CleanResult", "s", Value, |cx| text(result_word(cx.run().clean_result))),
    row("USBFunctionDescriptors", "s", Const, |cx| cx.free("USBFunctionDescriptors")),
    row("USBFunctionStrings", "s", Const, |cx| cx.free("USBFunctionStrings")),
    row("UID", "u", Value, |cx| num(cx.run().uid.unwrap_or(u32::MAX))),
    row("GID", "u", Value, |cx| num(cx.run().gid.unwrap_or(u32::MAX))),
    row("NRestarts", "u", Value, |cx| num(cx.run().restarts)),
    row("OOMPolicy", "s", Const, |cx| cx.filled("OOMPolicy", oom_word(cx.service().oom_policy))),
    row("ExecMainStartTimestamp", "t", Value, |cx| num(cx.run().main.started.realtime)),
    row("ExecMainStartTimestampMonotonic", "t", Value, |cx| num(cx.run().main.started.monotonic)),
    row("ExecMainExitTimestamp", "t", Value, |cx| num(cx.run().main.exited.realtime)),
    row("ExecMainExitTimestampMonotonic", "t", Value, |cx| num(cx.run().main.exited.monotonic)),
    row("ExecMainPID", "u", Value, |cx| num(cx.run().main.pid)),
    row("ExecMainCode", "i", Value, |cx| num(ended(cx.run().main.status).0)),
    row("ExecMainStatus", "i", Value, |cx| num(ended(cx.run().main.status).1)),
    row("ExecCondition", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.condition, Phase::Condition)
    }),
    row("ExecConditionEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.condition, Phase::Condition)
    }),
    row("ExecStartPre", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.start_pre, Phase::StartPre)
    }),
    row("ExecStartPreEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.start_pre, Phase::StartPre)
    }),
    row("ExecStart", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.start, Phase::Start)
    }),
    row("ExecStartEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.start, Phase::Start)
    }),
    row("ExecStartPost", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.start_post, Phase::StartPost)
    }),
    row("ExecStartPostEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.start_post, Phase::StartPost)
    }),
    row("ExecReload", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.reload, Phase::Reload)
    }),
    row("ExecReloadEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.reload, Phase::Reload)
    }),
    row("ExecStop", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.stop, Phase::Stop)
    }),
    row("ExecStopEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.stop, Phase::Stop)
    }),
    row("ExecStopPost", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.service().commands.stop_post, Phase::StopPost)
    }),
    row("ExecStopPostEx", "a(sasasttttuii)", Invalidates, |cx| {
        commands_ex(cx, &cx.service().commands.stop_post, Phase::StopPost)
    }),
];

/// What is watched now; before a start, what is configured.
fn watchdog_usec(cx: &UnitCx<'_>) -> u64 {
    match cx.run().watchdog_usec {
        // Said by each start anew, and kept after the end.
        _ if cx.unit.inactive_exit.monotonic == 0 => u64::MAX,
        0 => cx.service().watchdog.0,
        effective => effective,
    }
}

fn statuses(statuses: &ExitStatuses) -> Variant<'static> {
    let codes: Vec<i32> = statuses.codes.iter().map(|code| i32::from(*code)).collect();
    Variant::from((codes, statuses.signals.clone()))
}
