//! Calendar expressions, systemd.time(7) "Calendar events": `Mon..Fri *-*-* 08,12:00/20 Europe/Berlin`.

mod chain;
mod next;
mod print;
mod read;

use super::Bad;
use super::zones::{Abbreviation, Zones};
use chain::Chain;
use jiff::tz::TimeZone;

/// Fields and their sums are signed.
const SECOND: i64 = crate::span::SECOND.cast_signed();

/// The first and the last year of the calendar.
const YEARS: (i64, i64) = (1970, 2199);

/// Points in time by the fields of their date and time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    weekdays: Weekdays,
    year: Chain,
    month: Chain,
    day: Chain,
    days_from: DaysFrom,
    hour: Chain,
    minute: Chain,
    /// Counted in microseconds.
    second: Chain,
    zone: Zone,
}

/// A bit for each day of the week, Monday's first; all seven and none mean any day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Weekdays(u8);

/// The days of the week, in short and in full.
pub(super) const WEEKDAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

/// Which end of the month days are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DaysFrom {
    First,
    /// `~1` is the last day.
    Last,
}

/// Whose clock is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Zone {
    Local,
    /// The local one, in one of its seasons: `CEST`.
    Season(Abbreviation),
    Utc,
    Named(String),
}

impl Calendar {
    pub fn parse(text: &str, zones: &dyn Zones) -> Result<Calendar, Bad> {
        read::calendar(text, zones)
    }

    /// The rules of the zone that this is about; none if it is gone since the expression was read.
    pub fn rules(&self, zones: &dyn Zones) -> Option<TimeZone> {
        match &self.zone {
            Zone::Local | Zone::Season(_) => Some(zones.local()),
            Zone::Utc => Some(TimeZone::UTC),
            Zone::Named(name) => zones.named(name),
        }
    }

    /// The first point after `after`, both in microseconds since 1970; none if there is no more. `rules` are
    /// those of [`Calendar::rules`].
    pub fn next(&self, after: u64, rules: &TimeZone) -> Option<u64> {
        next::next(self, after, rules)
    }
}

impl Weekdays {
    fn add(&mut self, day: usize) {
        self.0 |= 1 << day;
    }

    fn is_any(self) -> bool {
        self.0 == 0 || self.0 == 0b111_1111
    }

    fn has(self, day: usize) -> bool {
        self.is_any() || self.0 & (1 << day) != 0
    }
}

#[cfg(test)]
mod tests;
