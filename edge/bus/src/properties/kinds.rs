//! The kinds of unit that run nothing of their own yet: their properties, without the parts they share.

use super::{Emits::*, UnitCx, UnitRow, none, num, row, text};
use eudaemon_unit::values::timespan::parse_timespan;
use zbus::Variant;

pub const MOUNT: &[UnitRow] = &[
    row("Where", "s", Const, |cx| text(&cx.mount().place)),
    row("What", "s", Value, |cx| text(&cx.mount().what)),
    row("Options", "s", Value, |cx| text(&cx.mount().options)),
    row("Type", "s", Value, |cx| text(&cx.mount().kind)),
    row("TimeoutUSec", "t", Const, |_| num(90_000_000_u64)),
    row("ControlPID", "u", Value, |_| num(0_u32)),
    row("DirectoryMode", "u", Const, |_| num(0o755_u32)),
    row("SloppyOptions", "b", Const, |_| num(false)),
    row("LazyUnmount", "b", Const, |_| num(false)),
    row("ForceUnmount", "b", Const, |_| num(false)),
    row("ReadWriteOnly", "b", Const, |_| num(false)),
    row("Result", "s", Value, |_| text("success")),
    row("UID", "u", Value, |_| num(u32::MAX)),
    row("GID", "u", Value, |_| num(u32::MAX)),
    row("ExecMount", "a(sasbttttuii)", Invalidates, |_| {
        none::<(String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32)>()
    }),
    row("ExecUnmount", "a(sasbttttuii)", Invalidates, |_| {
        none::<(String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32)>()
    }),
    row("ExecRemount", "a(sasbttttuii)", Invalidates, |_| {
        none::<(String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32)>()
    }),
];
pub const SWAP: &[UnitRow] = &[
    row("What", "s", Value, |cx| cx.word("What", "")),
    row("Priority", "i", Value, |_| num(-1_i32)),
    row("Options", "s", Value, |cx| cx.word("Options", "")),
    row("TimeoutUSec", "t", Const, |_| num(90_000_000_u64)),
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
    row("Where", "s", Const, |cx| cx.word("Where", "")),
    row("ExtraOptions", "s", Const, |cx| cx.word("ExtraOptions", "")),
    row("DirectoryMode", "u", Const, |_| num(0o755_u32)),
    row("Result", "s", Value, |_| text("success")),
    row("TimeoutIdleUSec", "t", Const, |_| num(0_u64)),
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
    row("AccuracyUSec", "t", Const, |_| num(60_000_000_u64)),
    row("RandomizedDelayUSec", "t", Const, |_| num(0_u64)),
    row("FixedRandomDelay", "b", Const, |cx| cx.flag("FixedRandomDelay")),
    row("Persistent", "b", Const, |cx| cx.flag("Persistent")),
    row("WakeSystem", "b", Const, |cx| cx.flag("WakeSystem")),
    row("RemainAfterElapse", "b", Const, |cx| cx.switch("RemainAfterElapse", true)),
];
pub const PATH: &[UnitRow] = &[
    row("Unit", "s", Const, |cx| cx.triggered()),
    row("Paths", "a(ss)", Const, paths),
    row("MakeDirectory", "b", Const, |cx| cx.flag("MakeDirectory")),
    row("DirectoryMode", "u", Const, |_| num(0o755_u32)),
    row("Result", "s", Value, |_| text("success")),
    row("TriggerLimitIntervalUSec", "t", Const, |_| num(2_000_000_u64)),
    row("TriggerLimitBurst", "u", Const, |_| num(200_u32)),
];
pub const SCOPE: &[UnitRow] = &[
    row("Controller", "s", Value, |_| text("")),
    row("TimeoutStopUSec", "t", Const, |_| num(90_000_000_u64)),
    row("Result", "s", Value, |_| text("success")),
    row("RuntimeMaxUSec", "t", Const, |_| num(u64::MAX)),
    row("RuntimeRandomizedExtraUSec", "t", Const, |_| num(0_u64)),
    row("OOMPolicy", "s", Const, |cx| cx.word("OOMPolicy", "stop")),
];
pub const DEVICE: &[UnitRow] = &[row("SysFSPath", "s", Value, |_| text(""))];

/// Base, span, and when it elapses next: not known before timers are acted on.
fn timers_monotonic(cx: &UnitCx<'_>) -> Variant<'static> {
    const BASES: [&str; 5] = ["OnActive", "OnBoot", "OnStartup", "OnUnitActive", "OnUnitInactive"];
    let timer = |base: &&str| {
        let span = parse_timespan(cx.kept(&format!("{base}Sec"))?).ok()?;
        Some((format!("{base}USec"), span.0, 0_u64))
    };
    Variant::from(BASES.iter().filter_map(timer).collect::<Vec<_>>())
}

fn timers_calendar(cx: &UnitCx<'_>) -> Variant<'static> {
    let calendar = cx.kept("OnCalendar").map(|text| ("OnCalendar".to_owned(), text.to_owned(), 0_u64));
    Variant::from(calendar.into_iter().collect::<Vec<_>>())
}

fn paths(cx: &UnitCx<'_>) -> Variant<'static> {
    const TESTS: [&str; 5] =
        ["PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"];
    let path = |test: &&str| Some(((*test).to_owned(), cx.kept(test)?.to_owned()));
    Variant::from(TESTS.iter().filter_map(path).collect::<Vec<_>>())
}
