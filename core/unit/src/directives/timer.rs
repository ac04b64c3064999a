//! `[Timer]`: systemd.timer(5). Read and kept; timers are not served yet.

use super::{Directive, Kind, Support, keep};

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const SEC: Kind = Kind::Span("sec value");

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    kept("AccuracySec", SEC, "how late it may elapse"),
    kept("DeferReactivation", Kind::Boolean, "a calendar time that passes while the unit runs is not made up for at once"),
    kept("FixedRandomDelay", Kind::Boolean, "the random delay is the same each time"),
    kept("OnActiveSec", Kind::Lines, "this long after the timer has started"),
    kept("OnBootSec", Kind::Lines, "this long after the machine has started"),
    kept("OnCalendar", Kind::Lines, "at these times of the calendar"),
    kept("OnClockChange", Kind::Boolean, "whenever the clock is set"),
    kept("OnStartupSec", Kind::Lines, "this long after the manager has started"),
    kept("OnTimezoneChange", Kind::Boolean, "whenever the time zone changes"),
    kept("OnUnitActiveSec", Kind::Lines, "this long after the unit was last started"),
    kept("OnUnitInactiveSec", Kind::Lines, "this long after the unit last stopped"),
    kept("Persistent", Kind::Boolean, "calendar times missed while the machine was off are made up for"),
    kept("RandomizedDelaySec", SEC, "a random time is added each time, up to this"),
    kept("RandomizedOffsetSec", SEC, "a time that is random by machine is added, up to this"),
    kept("RemainAfterElapse", Kind::Boolean, "an elapsed timer stays loaded"),
    kept("Unit", Kind::Text, "the unit it starts"),
    kept("WakeSystem", Kind::Boolean, "wakes the machine from sleep"),
];
