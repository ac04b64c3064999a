//! Points in time, systemd.time(7) "Parsing timestamps": `Fri 2012-11-23 11:12:13`, `yesterday`, `5min ago`; and how
//! they are shown. Everything is microseconds since 1970.

use super::calendar::WEEKDAYS;
use super::civil::{Civil, Clock, Season};
use super::number::fraction;
use super::zones::{Zones, split_abbreviation, strip_word};
use super::{Bad, parse_timespan};
use crate::span::{DAY, HOUR, MINUTE, MONTH, SECOND, WEEK, YEAR};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The last point that is shown as a date: a day before the year 10000, so that no zone shows it with five digits.
const LAST: u64 = 253_402_214_399 * SECOND;

/// The point a text means at the time `now`.
pub fn parse_timestamp(text: &str, now: u64, zones: &dyn Zones) -> Result<u64, Bad> {
    // The manual page allows a zone by name, systemd 252 refuses every one but UTC.
    if text.rsplit_once(' ').is_some_and(|(_, zone)| !zone.eq_ignore_ascii_case("UTC") && zones.knows(zone)) {
        return Err(Bad::Syntax);
    }
    let later = |span: &str| now.checked_add(parse_timespan(span)?.0).ok_or(Bad::Syntax);
    let earlier = |span: &str| now.checked_sub(parse_timespan(span)?.0).ok_or(Bad::Syntax);
    match text.chars().next() {
        _ if text == "now" => return Ok(now),
        Some('+') => return later(&text[1..]),
        Some('-') => return earlier(&text[1..]),
        Some('@') => return parse_timespan(&text[1..]).map(|since| since.0),
        Some(_) | None => {}
    }
    if let Some(span) = text.strip_suffix(" ago") {
        return earlier(span);
    }
    if let Some(span) = text.strip_suffix(" left") {
        return later(span);
    }
    dated(text, now, zones)
}

/// A date, a time of day or a day's name, by the zone's clock.
fn dated(text: &str, now: u64, zones: &dyn Zones) -> Result<u64, Bad> {
    let (text, rules, season) = match strip_word(text, "UTC") {
        Some(text) => (text, TimeZone::UTC, Season::Either),
        None => match split_abbreviation(text, zones) {
            Some((text, word)) => (text, zones.local(), word.season),
            None => (text, zones.local(), Season::Either),
        },
    };
    let mut clock = Clock::new(&rules);
    let now = i64::try_from(now / SECOND).map_err(|_| Bad::Range)?;
    let (today, _) = clock.shows(now).ok_or(Bad::Range)?;
    let midnight = Civil { hour: 0, minute: 0, second: 0, ..today };
    let (local, part) = match text {
        "today" => (midnight, 0),
        "yesterday" => (Civil { day: today.day - 1, ..midnight }, 0),
        "tomorrow" => (Civil { day: today.day + 1, ..midnight }, 0),
        text => written(text, today)?,
    };
    let point = clock.point(local, season).and_then(|point| u64::try_from(point).ok()).ok_or(Bad::Syntax)?;
    let point = point.checked_mul(SECOND).and_then(|point| point.checked_add(part)).ok_or(Bad::Syntax)?;
    if point > LAST { Err(Bad::Syntax) } else { Ok(point) }
}

/// `[WEEKDAY ]DATE[ TIME]` or `[WEEKDAY ]TIME`, and the microseconds.
fn written(text: &str, today: Civil) -> Result<(Civil, u64), Bad> {
    let (weekday, text) = split_weekday(text);
    let years = [(0, 99, 2), (0, 9_999, 4)];
    let date = years.into_iter().find_map(|year| {
        let mut scan = Scan { rest: text };
        let date = scan.date(year, today)?;
        match scan.rest {
            "" => Some((Civil { hour: 0, minute: 0, second: 0, ..date }, 0)),
            _ => time(scan, date),
        }
    });
    let (local, part) = date.or_else(|| time(Scan { rest: text }, today)).ok_or(Bad::Syntax)?;
    match weekday {
        Some(weekday) if weekday != local.weekday() => Err(Bad::Syntax),
        Some(_) | None => Ok((local, part)),
    }
}

fn split_weekday(text: &str) -> (Option<usize>, &str) {
    let names = WEEKDAYS.iter().enumerate().flat_map(|(day, (short, long))| [(day, *long), (day, *short)]);
    let mut found = names.filter_map(|(day, name)| {
        text.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name))?;
        Some((day, text[name.len()..].strip_prefix(' ')?))
    });
    found.next().map_or((None, text), |(day, rest)| (Some(day), rest))
}

/// What is left of the text as a time of day.
fn time(mut scan: Scan<'_>, date: Civil) -> Option<(Civil, u64)> {
    let hour = scan.number(0, 23, 2)?;
    let minute = scan.after(':')?.number(0, 59, 2)?;
    let minutes = Civil { hour, minute, second: 0, ..date };
    if scan.rest.is_empty() {
        return Some((minutes, 0));
    }
    // Two leap seconds were thought possible once.
    let second = scan.after(':')?.number(0, 61, 2)?;
    let part = match scan.rest.strip_prefix('.') {
        None if scan.rest.is_empty() => 0,
        None => return None,
        Some(digits) => match fraction(digits).ok()? {
            (part, "") => u64::try_from(part).ok()?,
            (_, _) => return None,
        },
    };
    Some((Civil { second, ..minutes }, part))
}

/// Numbers and separators as strptime(3) takes them: any white space before a number, and as many digits as can
/// still be a number in range.
struct Scan<'t> {
    rest: &'t str,
}

impl Scan<'_> {
    fn after(&mut self, separator: char) -> Option<&mut Self> {
        self.rest = self.rest.strip_prefix(separator)?;
        Some(self)
    }

    fn number(&mut self, from: i64, to: i64, digits: usize) -> Option<i64> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let mut number = 0;
        let mut read = 0;
        for digit in self.rest.bytes().take(digits).take_while(u8::is_ascii_digit) {
            if read > 0 && number * 10 > to {
                break;
            }
            number = number * 10 + i64::from(digit - b'0');
            read += 1;
        }
        self.rest = &self.rest[read..];
        (read > 0 && (from..=to).contains(&number)).then_some(number)
    }

    fn date(&mut self, (from, to, digits): (i64, i64, usize), today: Civil) -> Option<Civil> {
        let year = match (self.number(from, to, digits)?, digits) {
            (year @ ..69, 2) => year + 2000,
            (year, 2) => year + 1900,
            (year, _) => year,
        };
        let month = self.after('-')?.number(1, 12, 2)?;
        let day = self.after('-')?.number(1, 31, 2)?;
        Some(Civil { year, month, day, ..today })
    }
}

/// `Sun 2026-11-22 05:56:06 UTC`; none for "never".
pub fn format_timestamp(point: u64, rules: &TimeZone) -> Option<String> {
    match point {
        0 | u64::MAX => return None,
        1..=LAST => {}
        _ => return Some("--- XXXX-XX-XX XX:XX:XX".to_owned()),
    }
    let second = i64::try_from(point / SECOND).ok()?;
    let (local, _) = Clock::new(rules).shows(second)?;
    let zone = rules.to_offset_info(Timestamp::from_second(second).ok()?);
    let (weekday, zone) = (WEEKDAYS[local.weekday()].0, zone.abbreviation().to_owned());
    let Civil { year, month, day, hour, minute, second } = local;
    Some(format!("{weekday} {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} {zone}"))
}

/// `36min ago`, `1 month 2 days left`: the two largest units of the way from `now`; none for "never".
pub fn format_distance(point: u64, now: u64) -> Option<String> {
    match point {
        0 | u64::MAX => None,
        _ if point <= now => Some(format!("{} ago", coarse(now - point))),
        _ => Some(format!("{} left", coarse(point - now))),
    }
}

fn coarse(span: u64) -> String {
    let count = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match span {
        YEAR.. => format!("{} {}", count(span / YEAR, "year"), count(span % YEAR / MONTH, "month")),
        MONTH.. => format!("{} {}", count(span / MONTH, "month"), count(span % MONTH / DAY, "day")),
        WEEK.. => format!("{} {}", count(span / WEEK, "week"), count(span % WEEK / DAY, "day")),
        _ if span >= 2 * DAY => count(span / DAY, "day"),
        _ if span >= 25 * HOUR => format!("1 day {}h", (span - DAY) / HOUR),
        _ if span >= 6 * HOUR => format!("{}h", span / HOUR),
        _ if span >= HOUR => format!("{}h {}min", span / HOUR, span % HOUR / MINUTE),
        _ if span >= 5 * MINUTE => format!("{}min", span / MINUTE),
        _ if span >= MINUTE => format!("{}min {}s", span / MINUTE, span % MINUTE / SECOND),
        _ if span >= SECOND => format!("{}s", span / SECOND),
        _ if span >= 1_000 => format!("{}ms", span / 1_000),
        _ => format!("{span}us"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::zones::OnTrust;
    use super::*;

    /// Fri 2026-11-27 05:20:00 UTC
    const NOW: u64 = 1_795_756_800 * SECOND;

    fn check(text: &str, expected: Option<&str>) {
        let point = parse_timestamp(text, NOW, &OnTrust);
        let shown = point.ok().and_then(|point| format_timestamp(point, &TimeZone::UTC));
        assert_eq!(shown.as_deref(), expected, "{text}");
    }

    #[test]
    fn points() {
        check("now", Some("Fri 2026-11-27 05:20:00 UTC"));
        check("today", Some("Fri 2026-11-27 00:00:00 UTC"));
        check("yesterday", Some("Thu 2026-11-26 00:00:00 UTC"));
        check("tomorrow UTC", Some("Sat 2026-11-28 00:00:00 UTC"));
        check("+3h30min", Some("Fri 2026-11-27 08:50:00 UTC"));
        check("-5s", Some("Fri 2026-11-27 05:19:55 UTC"));
        check("11min ago", Some("Fri 2026-11-27 05:09:00 UTC"));
        check("1d left", Some("Sat 2026-11-28 05:20:00 UTC"));
        check("@1395716396", Some("Tue 2014-03-25 02:59:56 UTC"));
        check("11:12", Some("Fri 2026-11-27 11:12:00 UTC"));
        check("Fri 11:12:13", Some("Fri 2026-11-27 11:12:13 UTC"));
        check("Fri 2012-11-23 11:12:13", Some("Fri 2012-11-23 11:12:13 UTC"));
        check("12-11-23", Some("Fri 2012-11-23 00:00:00 UTC"));
        check("2023-02-29", Some("Wed 2023-03-01 00:00:00 UTC"));
    }

    #[test]
    fn no_points() {
        for text in [
            "",
            " ",
            "Mon 11:12",
            "Fri today",
            "-60y",
            "+infinity",
            "12:00 Z",
            "2012-11-23T11:12",
            "1969-12-31",
        ] {
            check(text, None);
        }
        assert_eq!(parse_timestamp("2012-11-23 11:12:13.1234567", NOW, &OnTrust), Ok(1_353_669_133_123_457));
        assert_eq!(parse_timestamp("@1.5", NOW, &OnTrust), Ok(1_500_000));
    }

    #[test]
    fn distances() {
        for (span, expected) in [
            (57_000, "57ms ago"),
            (36 * 60 * SECOND, "36min ago"),
            (27 * 3_600 * SECOND, "1 day 3h ago"),
            (86_400 * 14 * SECOND, "2 weeks 0 days ago"),
            (86_400 * 400 * SECOND, "1 year 1 month ago"),
        ] {
            assert_eq!(format_distance(NOW - span, NOW).as_deref(), Some(expected));
        }
    }
}
