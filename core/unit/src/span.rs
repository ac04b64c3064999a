//! Lengths of time as systemd counts them: whole microseconds, with "infinity" as a value of its own.
//! Shapes and units: systemd.time(7). Parsing and printing live in `values::timespan`.

use serde::{Deserialize, Serialize};

/// systemd's units of time, in microseconds; months and years are those of an average one.
pub const MILLISECOND: u64 = 1_000;
pub const SECOND: u64 = 1_000_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;
pub const WEEK: u64 = 7 * DAY;
pub const MONTH: u64 = 2_629_800 * SECOND;
pub const YEAR: u64 = 31_557_600 * SECOND;

/// A length of time in microseconds; [`Span::INFINITY`] never elapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub u64);

impl Span {
    pub const ZERO: Span = Span(0);
    pub const INFINITY: Span = Span(u64::MAX);

    pub const fn seconds(seconds: u64) -> Span {
        Span(seconds.saturating_mul(SECOND))
    }
    pub const fn milliseconds(milliseconds: u64) -> Span {
        Span(milliseconds.saturating_mul(MILLISECOND))
    }
    pub const fn is_infinite(self) -> bool {
        self.0 == u64::MAX
    }
}
