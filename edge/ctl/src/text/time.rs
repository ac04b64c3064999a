//! Points in time and spans, as systemd.time(7) has them. Everything is microseconds.

use crate::line::Timestamps;
use eudaemon_unit::span::{SECOND, Span};
use eudaemon_unit::values::format_timespan_to;
use eudaemon_unit::values::timestamp::format_distance;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub const INFINITY: u64 = u64::MAX;

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

/// A span in full: `1min 30s`, `infinity`. What is smaller than `accuracy` is cut away.
pub fn span(span: u64, accuracy: u64) -> String {
    format_timespan_to(Span(span), Span(accuracy))
}

/// The same for a sentence: to the millisecond, and without noughts at its end, as in `1.5s`.
pub fn spoken(span: u64) -> String {
    let text = self::span(span, 1000);
    let Some((whole, fraction)) = text.rsplit_once('.') else { return text };
    let fraction = fraction.trim_end_matches('s').trim_end_matches('0');
    if fraction.is_empty() { format!("{whole}s") } else { format!("{whole}.{fraction}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_unit::span::{HOUR, MINUTE};

    fn clock() -> Clock {
        let now = 1_795_327_566 * SECOND;
        Clock { now, monotonic: 5_000 * SECOND, zone: TimeZone::UTC, style: Timestamps::Pretty }
    }

    #[test]
    fn spans_in_sentences() {
        for (microseconds, expected) in [
            (1_500_000, "1.5s"),
            (10_000_000, "10s"),
            (61_250_000, "1min 1.25s"),
            (20_500_123, "20.5s"),
            (2_000_400, "2s"),
            (57_000, "57ms"),
            (120_000_000, "2min"),
            (INFINITY, "infinity"),
        ] {
            assert_eq!(spoken(microseconds), expected);
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
