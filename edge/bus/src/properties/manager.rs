//! org.freedesktop.systemd1.Manager and org.freedesktop.LogControl1.

use super::exec::stdio_word;
use super::limits;
use super::words::oom_word;
use super::{Emits::*, ManagerCx, ManagerRow, manager_row, num, text, words, writable};
use eudaemon_engine::api::Moment;
use eudaemon_unit::config::exec::Resource;
use zbus::Variant;

pub const MANAGER: &[ManagerRow] = &[
    manager_row("Version", "s", Const, |cx| text(&cx.facts.version)),
    manager_row("Features", "s", Const, |cx| text(&cx.facts.features)),
    manager_row("Virtualization", "s", Const, |cx| text(&cx.facts.virtualization)),
    manager_row("Architecture", "s", Const, |cx| text(&cx.facts.architecture)),
    manager_row("Tainted", "s", Const, |cx| text(&cx.facts.tainted)),
    manager_row("FirmwareTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("FirmwareTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("LoaderTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("LoaderTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("KernelTimestamp", "t", Const, |cx| num(cx.facts.kernel.realtime)),
    manager_row("KernelTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("InitRDTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("UserspaceTimestamp", "t", Const, |cx| num(cx.facts.userspace.realtime)),
    manager_row("UserspaceTimestampMonotonic", "t", Const, |cx| num(cx.facts.userspace.monotonic)),
    manager_row("FinishTimestamp", "t", Const, |cx| num(cx.facts.finish.realtime)),
    manager_row("FinishTimestampMonotonic", "t", Const, |cx| num(cx.facts.finish.monotonic)),
    manager_row("SecurityStartTimestamp", "t", Const, |cx| num(security(cx).realtime)),
    manager_row("SecurityStartTimestampMonotonic", "t", Const, |cx| num(security(cx).monotonic)),
    manager_row("SecurityFinishTimestamp", "t", Const, |cx| num(security(cx).realtime)),
    manager_row("SecurityFinishTimestampMonotonic", "t", Const, |cx| num(security(cx).monotonic)),
    manager_row("GeneratorsStartTimestamp", "t", Const, |cx| num(cx.facts.generators_start.realtime)),
    manager_row("GeneratorsStartTimestampMonotonic", "t", Const, |cx| {
        num(cx.facts.generators_start.monotonic)
    }),
    manager_row("GeneratorsFinishTimestamp", "t", Const, |cx| num(cx.facts.generators_finish.realtime)),
    manager_row("GeneratorsFinishTimestampMonotonic", "t", Const, |cx| {
        num(cx.facts.generators_finish.monotonic)
    }),
    manager_row("UnitsLoadStartTimestamp", "t", Const, |cx| num(cx.facts.units_load_start.realtime)),
    manager_row("UnitsLoadStartTimestampMonotonic", "t", Const, |cx| {
        num(cx.facts.units_load_start.monotonic)
    }),
    manager_row("UnitsLoadFinishTimestamp", "t", Const, |cx| num(cx.facts.units_load_finish.realtime)),
    manager_row("UnitsLoadFinishTimestampMonotonic", "t", Const, |cx| {
        num(cx.facts.units_load_finish.monotonic)
    }),
    manager_row("UnitsLoadTimestamp", "t", Const, |cx| num(cx.facts.units_load.realtime)),
    manager_row("UnitsLoadTimestampMonotonic", "t", Const, |cx| num(cx.facts.units_load.monotonic)),
    manager_row("InitRDSecurityStartTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDSecurityStartTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("InitRDSecurityFinishTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDSecurityFinishTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("InitRDGeneratorsStartTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDGeneratorsStartTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("InitRDGeneratorsFinishTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDGeneratorsFinishTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("InitRDUnitsLoadStartTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDUnitsLoadStartTimestampMonotonic", "t", Const, |_| num(0_u64)),
    manager_row("InitRDUnitsLoadFinishTimestamp", "t", Const, |_| num(0_u64)),
    manager_row("InitRDUnitsLoadFinishTimestampMonotonic", "t", Const, |_| num(0_u64)),
    writable("LogLevel", "s", No, |cx| text(&cx.facts.log_level)),
    writable("LogTarget", "s", No, |cx| text(&cx.facts.log_target)),
    manager_row("NNames", "u", No, |cx| num(cx.facts.names)),
    manager_row("NFailedUnits", "u", Value, |cx| num(cx.facts.failed_units)),
    manager_row("NJobs", "u", No, |cx| num(cx.jobs())),
    manager_row("NInstalledJobs", "u", No, |cx| num(cx.facts.installed_jobs)),
    manager_row("NFailedJobs", "u", No, |cx| num(cx.facts.failed_jobs)),
    manager_row("Progress", "d", No, |cx| num(cx.facts.progress)),
    manager_row("Environment", "as", No, |cx| Variant::from(cx.model.environment())),
    manager_row("ConfirmSpawn", "b", Const, |cx| num(cx.settings().confirm_spawn)),
    manager_row("ShowStatus", "b", No, |cx| num(cx.facts.show_status)),
    manager_row("UnitPath", "as", Const, |cx| words(&cx.facts.unit_path)),
    manager_row("DefaultStandardOutput", "s", Const, |cx| text(stdio_word(&cx.defaults().standard_output))),
    manager_row("DefaultStandardError", "s", Const, |cx| text(stdio_word(&cx.defaults().standard_error))),
    manager_row("WatchdogDevice", "s", Const, |cx| text(&cx.settings().watchdog_device)),
    manager_row("WatchdogLastPingTimestamp", "t", No, |_| num(u64::MAX)),
    manager_row("WatchdogLastPingTimestampMonotonic", "t", No, |_| num(u64::MAX)),
    writable("RuntimeWatchdogUSec", "t", No, |cx| cx.watchdog(cx.settings().runtime_watchdog)),
    writable("RuntimeWatchdogPreUSec", "t", No, |cx| cx.watchdog(cx.settings().runtime_watchdog_pre)),
    writable("RuntimeWatchdogPreGovernor", "s", No, |cx| text(&cx.settings().runtime_watchdog_pre_governor)),
    writable("RebootWatchdogUSec", "t", No, |cx| cx.watchdog(cx.settings().reboot_watchdog)),
    writable("KExecWatchdogUSec", "t", No, |cx| cx.watchdog(cx.settings().kexec_watchdog)),
    writable("ServiceWatchdogs", "b", No, |cx| num(cx.facts.service_watchdogs)),
    manager_row("ControlGroup", "s", No, |cx| text(&cx.facts.control_group)),
    manager_row("SystemState", "s", No, |cx| text(cx.facts.system_state)),
    manager_row("ExitCode", "y", No, |cx| num(cx.facts.exit_code)),
    manager_row("DefaultTimerAccuracyUSec", "t", Const, |cx| num(cx.defaults().timer_accuracy.0)),
    manager_row("DefaultTimeoutStartUSec", "t", Const, |cx| num(cx.defaults().timeout_start.0)),
    manager_row("DefaultTimeoutStopUSec", "t", Const, |cx| num(cx.defaults().timeout_stop.0)),
    manager_row("DefaultTimeoutAbortUSec", "t", No, |cx| {
        num(cx.defaults().timeout_abort.unwrap_or(cx.defaults().timeout_stop).0)
    }),
    manager_row("DefaultDeviceTimeoutUSec", "t", Const, |cx| num(cx.defaults().device_timeout.0)),
    manager_row("DefaultRestartUSec", "t", Const, |cx| num(cx.defaults().restart.0)),
    manager_row("DefaultStartLimitIntervalUSec", "t", Const, |cx| num(cx.defaults().start_limit_interval.0)),
    manager_row("DefaultStartLimitBurst", "u", Const, |cx| num(cx.defaults().start_limit_burst)),
    manager_row("DefaultCPUAccounting", "b", Const, |cx| num(cx.defaults().cpu_accounting)),
    manager_row("DefaultBlockIOAccounting", "b", Const, |cx| num(cx.defaults().block_io_accounting)),
    manager_row("DefaultMemoryAccounting", "b", Const, |cx| num(cx.defaults().memory_accounting)),
    manager_row("DefaultTasksAccounting", "b", Const, |cx| num(cx.defaults().tasks_accounting)),
    manager_row("DefaultLimitCPU", "t", Const, |cx| num(cx.limit(Resource::Cpu).hard)),
    manager_row("DefaultLimitCPUSoft", "t", Const, |cx| num(cx.limit(Resource::Cpu).soft)),
    manager_row("DefaultLimitFSIZE", "t", Const, |cx| num(cx.limit(Resource::Fsize).hard)),
    manager_row("DefaultLimitFSIZESoft", "t", Const, |cx| num(cx.limit(Resource::Fsize).soft)),
    manager_row("DefaultLimitDATA", "t", Const, |cx| num(cx.limit(Resource::Data).hard)),
    manager_row("DefaultLimitDATASoft", "t", Const, |cx| num(cx.limit(Resource::Data).soft)),
    manager_row("DefaultLimitSTACK", "t", Const, |cx| num(cx.limit(Resource::Stack).hard)),
    manager_row("DefaultLimitSTACKSoft", "t", Const, |cx| num(cx.limit(Resource::Stack).soft)),
    manager_row("DefaultLimitCORE", "t", Const, |cx| num(cx.limit(Resource::Core).hard)),
    manager_row("DefaultLimitCORESoft", "t", Const, |cx| num(cx.limit(Resource::Core).soft)),
    manager_row("DefaultLimitRSS", "t", Const, |cx| num(cx.limit(Resource::Rss).hard)),
    manager_row("DefaultLimitRSSSoft", "t", Const, |cx| num(cx.limit(Resource::Rss).soft)),
    manager_row("DefaultLimitNOFILE", "t", Const, |cx| num(cx.limit(Resource::Nofile).hard)),
    manager_row("DefaultLimitNOFILESoft", "t", Const, |cx| num(cx.limit(Resource::Nofile).soft)),
    manager_row("DefaultLimitAS", "t", Const, |cx| num(cx.limit(Resource::As).hard)),
    manager_row("DefaultLimitASSoft", "t", Const, |cx| num(cx.limit(Resource::As).soft)),
    manager_row("DefaultLimitNPROC", "t", Const, |cx| num(cx.limit(Resource::Nproc).hard)),
    manager_row("DefaultLimitNPROCSoft", "t", Const, |cx| num(cx.limit(Resource::Nproc).soft)),
    manager_row("DefaultLimitMEMLOCK", "t", Const, |cx| num(cx.limit(Resource::Memlock).hard)),
    manager_row("DefaultLimitMEMLOCKSoft", "t", Const, |cx| num(cx.limit(Resource::Memlock).soft)),
    manager_row("DefaultLimitLOCKS", "t", Const, |cx| num(cx.limit(Resource::Locks).hard)),
    manager_row("DefaultLimitLOCKSSoft", "t", Const, |cx| num(cx.limit(Resource::Locks).soft)),
    manager_row("DefaultLimitSIGPENDING", "t", Const, |cx| num(cx.limit(Resource::Sigpending).hard)),
    manager_row("DefaultLimitSIGPENDINGSoft", "t", Const, |cx| num(cx.limit(Resource::Sigpending).soft)),
    manager_row("DefaultLimitMSGQUEUE", "t", Const, |cx| num(cx.limit(Resource::Msgqueue).hard)),
    manager_row("DefaultLimitMSGQUEUESoft", "t", Const, |cx| num(cx.limit(Resource::Msgqueue).soft)),
    manager_row("DefaultLimitNICE", "t", Const, |cx| num(cx.limit(Resource::Nice).hard)),
    manager_row("DefaultLimitNICESoft", "t", Const, |cx| num(cx.limit(Resource::Nice).soft)),
    manager_row("DefaultLimitRTPRIO", "t", Const, |cx| num(cx.limit(Resource::Rtprio).hard)),
    manager_row("DefaultLimitRTPRIOSoft", "t", Const, |cx| num(cx.limit(Resource::Rtprio).soft)),
    manager_row("DefaultLimitRTTIME", "t", Const, |cx| num(cx.limit(Resource::Rttime).hard)),
    manager_row("DefaultLimitRTTIMESoft", "t", Const, |cx| num(cx.limit(Resource::Rttime).soft)),
    manager_row("DefaultTasksMax", "t", No, |cx| num(cx.defaults().tasks_max.of(cx.model.capacity().tasks))),
    manager_row("TimerSlackNSec", "t", Const, |cx| num(cx.settings().timer_slack_nsec)),
    manager_row("DefaultOOMPolicy", "s", Const, |cx| text(oom_word(cx.defaults().oom_policy))),
    manager_row("DefaultOOMScoreAdjust", "i", Const, |cx| {
        num(i32::from(cx.defaults().oom_score_adjust.unwrap_or_else(limits::own_score)))
    }),
    manager_row("CtrlAltDelBurstAction", "s", Const, |cx| {
        text(cx.settings().ctrl_alt_del_burst_action.word())
    }),
];

/// LogControl1 is the same two levers under another name.
pub const LOG_CONTROL: &[ManagerRow] = &[
    writable("LogLevel", "s", No, |cx| text(&cx.facts.log_level)),
    writable("LogTarget", "s", No, |cx| text(&cx.facts.log_target)),
    manager_row("SyslogIdentifier", "s", No, |_| text("systemd")),
];

/// Clients tell by it whether the kernel's time counts. There is no security policy to be loaded, so it takes no time.
fn security(cx: &ManagerCx<'_>) -> Moment {
    if cx.facts.kernel == Moment::default() { Moment::default() } else { cx.facts.userspace }
}
