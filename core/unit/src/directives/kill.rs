//! systemd.kill(5): how processes are ended.

use super::{Directive, Draft, Kind, Line, Support};
use crate::config::KillMode;

const fn row(
    key: &'static str,
    kind: Kind,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Full, set, help }
}

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    row("FinalKillSignal", Kind::Signal, |d, l| signal(&mut d.kill.final_signal, l), "the signal after which nothing is left"),
    row("KillMode", Kind::Word("kill mode specification"), kill_mode, "which processes are signalled"),
    row("KillSignal", Kind::Signal, |d, l| signal(&mut d.kill.signal, l), "the signal that asks to stop"),
    row("RestartKillSignal", Kind::Signal, restart_signal, "the signal that asks to stop for a restart"),
    row("SendSIGHUP", Kind::Boolean, |d, l| super::unit::flag(&mut d.kill.send_sighup, l), "SIGHUP follows the signal that asks to stop"),
    row("SendSIGKILL", Kind::BooleanYes, |d, l| super::unit::flag(&mut d.kill.send_sigkill, l), "what does not stop in time is killed"),
    row("WatchdogSignal", Kind::Signal, |d, l| signal(&mut d.kill.watchdog_signal, l), "the signal for a service that missed its watchdog"),
];

fn signal(field: &mut i32, l: &mut Line<'_>) {
    if let Some(signal) = l.signal() {
        *field = signal;
    }
}

fn restart_signal(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(signal) = l.signal() {
        d.kill.restart_signal = Some(signal);
    }
}

fn kill_mode(d: &mut Draft, l: &mut Line<'_>) {
    let words = [
        ("control-group", KillMode::ControlGroup),
        ("mixed", KillMode::Mixed),
        ("process", KillMode::Process),
        ("none", KillMode::None),
    ];
    if l.is_empty() {
        d.kill.mode = KillMode::default();
        return;
    }
    let Some(mode) = l.word(&words) else { return };
    if mode == KillMode::None {
        l.note("Unit uses KillMode=none. What it leaves running is out of control.".into());
    }
    d.kill.mode = mode;
}
