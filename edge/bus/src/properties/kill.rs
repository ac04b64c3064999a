//! How processes are ended: systemd.kill(5).

use super::{Emits::*, UnitRow, num, row, text};
use eudaemon_unit::config::KillMode;

pub const KILL: &[UnitRow] = &[
    row("KillMode", "s", Const, |cx| text(kill_mode_word(cx.kill().mode))),
    row("KillSignal", "i", Const, |cx| num(cx.kill().signal)),
    row("RestartKillSignal", "i", Const, |cx| num(cx.kill().restart_signal.unwrap_or(cx.kill().signal))),
    row("FinalKillSignal", "i", Const, |cx| num(cx.kill().final_signal)),
    row("SendSIGKILL", "b", Const, |cx| num(cx.kill().send_sigkill)),
    row("SendSIGHUP", "b", Const, |cx| num(cx.kill().send_sighup)),
    row("WatchdogSignal", "i", Const, |cx| num(cx.kill().watchdog_signal)),
];

fn kill_mode_word(mode: KillMode) -> &'static str {
    match mode {
        KillMode::ControlGroup => "control-group",
        KillMode::Mixed => "mixed",
        KillMode::Process => "process",
        KillMode::None => "none",
    }
}
