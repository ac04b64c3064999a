//! Points in time and spans, as systemd.time(7) has them. Everything is microseconds.

use crate::line::Timestamps;
use eudaemon_unit::values::timestamp::format_distance;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub const INFINITY: u64 = u64::MAX;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
const MONTH: u64 = 2_629_800 * SECOND;
const YEAR: u64 = 31_557_600 * SECOND;

const UNITS: &[(u64, &str)] = &[
    (YEAR, "y"),
    (MONTH, "month"),
    (WEEK, "w"),
    (DAY, "d"),
    (HOUR, "h"),
    (MINUTE, "min"),
    (SECOND, "s"),
    (1000, "ms"),
    (1, "us"),
];

/// The clock and the zone against which times are shown.
#[derive(Clone, Debug)]
pub struct Clock {
    pub now: u64,
    /// CLOCK_MONOTONIC at the same instant.
    pub monotonic: u64,
    zone: TimeZone,
    style: Timestamps,
}

impl Clock {
    pub fn of_this_machine(style: Timestamps) -> Clock {
        let now = Timestamp::now().as_microsecond();
        let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let whole = u64::try_from(monotonic.tv_sec).unwrap_or(0) * SECOND;
        Clock {
            now: u64::try_from(now).unwrap_or(0),
            monotonic: whole + u64::try_from(monotonic.tv_nsec).unwrap_or(0) / 1000,
            zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
            style,
        }
    }

    /// `Sun 2026-11-22 05:56:06 UTC`; `None` for "never".
    pub fn point(&self, at: u64) -> Option<String> {
        if at == 0 || at == INFINITY {
            return None;
        }
        let timestamp = Timestamp::from_microsecond(i64::try_from(at).ok()?).ok()?;
        let (zone, format) = match self.style {
            Timestamps::Pretty => (self.zone.clone(), "%a %Y-%m-%d %H:%M:%S %Z"),
            Timestamps::PrettyMicroseconds => (self.zone.clone(), "%a %Y-%m-%d %H:%M:%S.%6f %Z"),
            Timestamps::Utc => (TimeZone::UTC, "%a %Y-%m-%d %H:%M:%S UTC"),
            Timestamps::UtcMicroseconds => (TimeZone::UTC, "%a %Y-%m-%d %H:%M:%S.%6f UTC"),
            Timestamps::Unix => return Some(format!("@{}", at / SECOND)),
        };
        Some(timestamp.to_zoned(zone).strftime(format).to_string())
    }

    /// `36min ago`, `23min left`; `None` for "never".
    pub fn distance(&self, at: u64) -> Option<String> {
        format_distance(at, self.now)
    }

    /// The wall-clock time of a monotonic one.
    pub fn of_monotonic(&self, monotonic: u64) -> u64 {
        match monotonic {
            0 | INFINITY => monotonic,
            _ if monotonic >= self.monotonic => self.now + (monotonic - self.monotonic),
            _ => self.now.saturating_sub(self.monotonic - monotonic),
        }
    }
}

/// A span in full: `1min 30s`, `infinity`. What is smaller than `accuracy` is cut away, and under a minute the
/// rest is a decimal fraction.
pub fn span(span: u64, accuracy: u64) -> String {
    if span == INFINITY {
        return "infinity".to_owned();
    }
    if span == 0 {
        return "0".to_owned();
    }
    let mut rest = span;
    let mut text = String::new();
    for (unit, word) in UNITS {
        if rest == 0 || rest < accuracy && !text.is_empty() {
            break;
        }
        if rest < *unit {
            continue;
        }
        let separator = if text.is_empty() { "" } else { " " };
        if rest < MINUTE && *unit > 1 && *unit <= SECOND && !rest.is_multiple_of(*unit) {
            let digits = fraction(rest, *unit, accuracy);
            if let Some(digits) = digits {
                text.push_str(&format!("{separator}{}.{digits}{word}", rest / unit));
                return text;
            }
        }
        text.push_str(&format!("{separator}{}{word}", rest / unit));
        rest %= unit;
    }
    text
}

/// The digits behind the point, down to `accuracy`; `None` where none is left.
fn fraction(rest: u64, unit: u64, accuracy: u64) -> Option<String> {
    let mut places = 0;
    let mut step = unit;
    while step > 1 && step > accuracy {
        step /= 10;
        places += 1;
    }
    let digits = rest % unit / step.max(1);
    (places > 0 && digits > 0).then(|| format!("{digits:0places$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        let now = 1_795_327_566 * SECOND;
        Clock { now, monotonic: 5_000 * SECOND, zone: TimeZone::UTC, style: Timestamps::Pretty }
    }

    #[test]
    fn spans_in_full() {
        for (microseconds, accuracy, expected) in [
            (100_000, 0, "100ms"),
            (90 * SECOND, 0, "1min 30s"),
            (0, 0, "0"),
            (INFINITY, 0, "infinity"),
            (4_431_805_423, 0, "1h 13min 51.805423s"),
            (3_269, 1000, "3ms"),
            (1_234_567, 1000, "1.234s"),
            (61 * SECOND + 5, 1000, "1min 1s"),
            (YEAR + MONTH, 0, "1y 1month"),
        ] {
            assert_eq!(span(microseconds, accuracy), expected, "{microseconds}");
        }
    }

    #[test]
    fn points_and_distances() {
        let clock = clock();
        assert_eq!(clock.point(clock.now).as_deref(), Some("Sun 2026-11-22 06:06:06 UTC"));
        assert_eq!(clock.point(0), None);
        assert_eq!(clock.distance(clock.now - 57_000).as_deref(), Some("57ms ago"));
        assert_eq!(clock.distance(clock.now - 36 * MINUTE).as_deref(), Some("36min ago"));
        assert_eq!(clock.distance(clock.now + 27 * HOUR).as_deref(), Some("1 day 3h left"));
        assert_eq!(clock.of_monotonic(4_999 * SECOND), clock.now - SECOND);
    }
}
