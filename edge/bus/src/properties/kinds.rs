//! The kinds of unit that run nothing of their own yet: their properties, without the parts they share.

use super::words::oom_word;
use super::{Emits::*, UnitCx, UnitRow, none, num, row, text};
use eudaemon_unit::implicit::swapped;
use eudaemon_unit::values::timespan::parse_timespan;
use zbus::Variant;

pub const SWAP: &[UnitRow] = &[
    row("What", "s", Value, |cx| match cx.is_filled() {
        true => Variant::from(swapped(&cx.unit.config)),
        false => cx.free("What"),
    }),
    row("Priority", "i", Value, |cx| cx.number("Priority", -1_i32)),
    row("Options", "s", Value, |cx| cx.free("Options")),
    row("TimeoutUSec", "t", Const, |cx| cx.span("TimeoutSec", cx.defaults().timeout_start.0)),
    row("ControlPID", "u", Value, |_| num(0_u32)),
    row("Result", "s", Value, |_| text("success")),
    row("UID", "u", Value, |_| num(u32::MAX)),
    row("GID", "u", Value, |_| num(u32::MAX)),
    row("ExecActivate", "a(sasbttttuii)", Invalidates, |_| {
        none::<(String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32)>()
    }),
    row("ExecDeactivate", "a(sasbttttuii)", Invalidates, |_| {
        none::<(String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32)>()
    }),
];
pub const AUTOMOUNT: &[UnitRow] = &[
    row("Where", "s", Const, |cx| cx.free("Where")),
    row("ExtraOptions", "s", Const, |cx| cx.free("ExtraOptions")),
    row("DirectoryMode", "u", Const, |cx| cx.mode("DirectoryMode", 0o755)),
    row("Result", "s", Value, |_| text("success")),
    row("TimeoutIdleUSec", "t", Const, |cx| cx.span("TimeoutIdleSec", 0)),
];
pub const TIMER: &[UnitRow] = &[
    row("Unit", "s", Const, |cx| cx.triggered()),
    row("TimersMonotonic", "a(stt)", Invalidates, timers_monotonic),
    row("TimersCalendar", "a(sst)", Invalidates, timers_calendar),
    row("OnClockChange", "b", Const, |cx| cx.flag("OnClockChange")),
    row("OnTimezoneChange", "b", Const, |cx| cx.flag("OnTimezoneChange")),
    row("NextElapseUSecRealtime", "t", Value, |_| num(0_u64)),
    row("NextElapseUSecMonotonic", "t", Value, |_| num(u64::MAX)),
    row("LastTriggerUSec", "t", Value, |_| num(0_u64)),
    row("LastTriggerUSecMonotonic", "t", Value, |_| num(0_u64)),
    row("Result", "s", Value, |_| text("success")),
    row("AccuracyUSec", "t", Const, |cx| cx.span("AccuracySec", cx.defaults().timer_accuracy.0)),
    row("RandomizedDelayUSec", "t", Const, |cx| cx.span("RandomizedDelaySec", 0)),
    row("FixedRandomDelay", "b", Const, |cx| cx.flag("FixedRandomDelay")),
    row("Persistent", "b", Const, |cx| cx.flag("Persistent")),
    row("WakeSystem", "b", Const, |cx| cx.flag("WakeSystem")),
    row("RemainAfterElapse", "b", Const, |cx| cx.switch("RemainAfterElapse", true)),
];
pub const PATH: &[UnitRow] = &[
    row("Unit", "s", Const, |cx| cx.triggered()),
    row("Paths", "a(ss)", Const, paths),
    row("MakeDirectory", "b", Const, |cx| cx.flag("MakeDirectory")),
    row("DirectoryMode", "u", Const, |cx| cx.mode("DirectoryMode", 0o755)),
    row("Result", "s", Value, |_| text("success")),
    row("TriggerLimitIntervalUSec", "t", Const, |cx| {
        cx.span("TriggerLimitIntervalSec", if cx.is_filled() { 2_000_000 } else { u64::MAX })
    }),
    row("TriggerLimitBurst", "u", Const, |cx| {
        cx.number("TriggerLimitBurst", if cx.is_filled() { 200 } else { u32::MAX })
    }),
];
pub const SCOPE: &[UnitRow] = &[
    row("Controller", "s", Value, |_| text("")),
    row("TimeoutStopUSec", "t", Const, |cx| cx.span("TimeoutStopSec", cx.defaults().timeout_stop.0)),
    row("Result", "s", Value, |_| text("success")),
    row("RuntimeMaxUSec", "t", Const, |_| num(u64::MAX)),
    row("RuntimeRandomizedExtraUSec", "t", Const, |_| num(0_u64)),
    row("OOMPolicy", "s", Const, |cx| cx.filled("OOMPolicy", oom_word(cx.defaults().oom_policy))),
];
pub const DEVICE: &[UnitRow] = &[row("SysFSPath", "s", Value, |_| text(""))];

/// Base, span, and when it elapses next (not known before timers are acted on); the last written comes first.
fn timers_monotonic(cx: &UnitCx<'_>) -> Variant<'static> {
    const BASES: [&str; 5] =
        ["OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"];
    let timer = |(key, value): (&str, &str)| {
        let base = key.strip_suffix("Sec").filter(|_| BASES.contains(&key))?;
        Some((format!("{base}USec"), parse_timespan(value).ok()?.0, 0_u64))
    };
    Variant::from(newest_first(cx).filter_map(timer).collect::<Vec<_>>())
}

fn timers_calendar(cx: &UnitCx<'_>) -> Variant<'static> {
    let calendar = cx.every("OnCalendar").rev().map(|text| ("OnCalendar".to_owned(), text.to_owned(), 0_u64));
    Variant::from(calendar.collect::<Vec<_>>())
}

fn paths(cx: &UnitCx<'_>) -> Variant<'static> {
    const TESTS: [&str; 5] =
        ["PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"];
    let path = |(key, value): (&str, &str)| TESTS.contains(&key).then(|| (key.to_owned(), value.to_owned()));
    Variant::from(newest_first(cx).filter_map(path).collect::<Vec<_>>())
}

fn newest_first<'a>(cx: &'a UnitCx<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    cx.unit.config.kept.iter().rev().map(|kept| (kept.key.as_str(), kept.value.as_str()))
}
