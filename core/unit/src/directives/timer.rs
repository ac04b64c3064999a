//! `[Timer]`: systemd.timer(5). Read and kept; timers are not served yet.

use super::{Directive, Draft, Kind, Line, Support, keep};
use crate::name::UnitName;
use crate::values::calendar::Calendar;
use crate::values::{Bad, format_timespan, parse_timespan};

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const fn time(key: &'static str, help: &'static str) -> Directive {
    Directive { key, kind: Kind::Lines, support: Support::NotYet, set: elapse, help }
}

const SEC: Kind = Kind::Span("sec value");

/// Keys that say when a timer elapses.
pub(crate) const TIMES: &[&str] =
    &["OnActiveSec", "OnBootSec", "OnCalendar", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"];

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    kept("AccuracySec", SEC, "how late it may elapse"),
    kept("DeferReactivation", Kind::Boolean, "a calendar time that passes while the unit runs is not made up for at once"),
    kept("FixedRandomDelay", Kind::Boolean, "the random delay is the same each time"),
    time("OnActiveSec", "this long after the timer has started"),
    time("OnBootSec", "this long after the machine has started"),
    time("OnCalendar", "at these times of the calendar"),
    kept("OnClockChange", Kind::Boolean, "whenever the clock is set"),
    time("OnStartupSec", "this long after the manager has started"),
    kept("OnTimezoneChange", Kind::Boolean, "whenever the time zone changes"),
    time("OnUnitActiveSec", "this long after the unit was last started"),
    time("OnUnitInactiveSec", "this long after the unit last stopped"),
    kept("Persistent", Kind::Boolean, "calendar times missed while the machine was off are made up for"),
    kept("RandomizedDelaySec", SEC, "a random time is added each time, up to this"),
    kept("RandomizedOffsetSec", SEC, "a time that is random by machine is added, up to this"),
    kept("RemainAfterElapse", Kind::BooleanYes, "an elapsed timer stays loaded"),
    Directive { key: "Unit", kind: Kind::Units, support: Support::NotYet, set: triggered, help: "the unit it starts" },
    kept("WakeSystem", Kind::Boolean, "wakes the machine from sleep"),
];

/// `Unit=` of a timer or path: the first counts.
pub(super) fn triggered(d: &mut Draft, l: &mut Line<'_>) {
    if d.kept.has(l.key) {
        return l.warn(format!("Multiple units to trigger specified, ignoring: {}", l.value));
    }
    let Some(name) = l.unit_name() else { return };
    if UnitName::parse(&name).is_err() {
        return l.warn(format!("Unit type not valid, ignoring: {}", l.value));
    }
    match super::unit::instance_for(l.scope.name, &name) {
        Some(name) => l.keep_one(d, name.to_string()),
        None => l.warn(format!("Failed to add trigger on {name}, ignoring: {}", Bad::Syntax)),
    }
}

/// Times add up; an empty one of any kind takes all of them back.
fn elapse(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        TIMES.iter().for_each(|key| d.kept.reset(l.section, key));
        return;
    }
    let Some(text) = l.text() else { return };
    if l.key == "OnCalendar" {
        match Calendar::parse(&text, l.scope.cx.zones.0) {
            Ok(calendar) => l.keep_more(d, vec![calendar.to_string()]),
            Err(_) => l.warn(format!("Failed to parse calendar specification, ignoring: {text}")),
        }
        return;
    }
    match parse_timespan(&text) {
        Ok(span) => l.keep_more(d, vec![format_timespan(span)]),
        Err(_) => l.warn(format!("Failed to parse timer value, ignoring: {text}")),
    }
}
