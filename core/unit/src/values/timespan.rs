//! Lengths of time: systemd.time(7). `1h 30min`, `500ms`, `2.5s`, `infinity`.

use super::Bad;
use crate::span::{DAY, HOUR, MILLISECOND, MINUTE, MONTH, SECOND, Span, WEEK, YEAR};

const MICROSECONDS: [(&str, u64); 30] = [
    ("seconds", SECOND),
    ("second", SECOND),
    ("sec", SECOND),
    ("s", SECOND),
    ("minutes", MINUTE),
    ("minute", MINUTE),
    ("min", MINUTE),
    ("months", MONTH),
    ("month", MONTH),
    ("M", MONTH),
    ("msec", MILLISECOND),
    ("ms", MILLISECOND),
    ("m", MINUTE),
    ("hours", HOUR),
    ("hour", HOUR),
    ("hr", HOUR),
    ("h", HOUR),
    ("days", DAY),
    ("day", DAY),
    ("d", DAY),
    ("weeks", WEEK),
    ("week", WEEK),
    ("w", WEEK),
    ("years", YEAR),
    ("year", YEAR),
    ("y", YEAR),
    ("usec", 1),
    ("us", 1),
    ("\u{b5}s", 1),
    ("\u{3bc}s", 1),
];

/// The unit of a bare number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    Seconds,
    Microseconds,
}

/// A length of time; a bare number counts seconds.
pub fn parse_timespan(text: &str) -> Result<Span, Bad> {
    parse(text, Bare::Seconds)
}

pub fn parse(text: &str, bare: Bare) -> Result<Span, Bad> {
    let bare = match bare {
        Bare::Seconds => SECOND,
        Bare::Microseconds => 1,
    };
    total(text, &MICROSECONDS, bare).map(Span)
}

/// Nanoseconds, for `TimerSlackNSec=`; a bare number counts nanoseconds.
pub fn parse_nanoseconds(text: &str) -> Result<u64, Bad> {
    let mut units: Vec<(&str, u64)> =
        MICROSECONDS.iter().map(|(name, unit)| (*name, unit.saturating_mul(1_000))).collect();
    units.extend([("nsec", 1), ("ns", 1)]);
    total(text, &units, 1)
}

/// The sum of `NUMBER [UNIT]` pairs; `u64::MAX` for "infinity".
fn total(text: &str, units: &[(&str, u64)], bare: u64) -> Result<u64, Bad> {
    let mut rest = skip(text);
    if let Some(after) = rest.strip_prefix("infinity") {
        return if skip(after).is_empty() { Ok(u64::MAX) } else { Err(Bad::Syntax) };
    }
    let mut sum = 0u64;
    let mut terms = 0u32;
    while !rest.is_empty() {
        if rest.starts_with('-') {
            return Err(Bad::Range);
        }
        let unsigned = rest.strip_prefix('+').filter(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        let (whole, after) = digits(unsigned.unwrap_or(rest));
        let (fraction, after) = match after.strip_prefix('.').map(digits) {
            Some(("", _)) => return Err(Bad::Syntax),
            Some((fraction, after)) => (fraction, after),
            None if whole.is_empty() => return Err(Bad::Syntax),
            None => ("", after),
        };
        let unit_at = skip(after);
        let named = units.iter().find_map(|(name, unit)| Some((unit_at.strip_prefix(name)?, *unit)));
        let (next, unit) = named.unwrap_or((unit_at, bare));
        if next.len() == after.len() && !next.is_empty() {
            return Err(Bad::Syntax);
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Bad::Range)? };
        let term = u64::try_from(whole).unwrap_or(0).checked_mul(unit).ok_or(Bad::Range)?;
        let term = term.checked_add(part(fraction, unit)).ok_or(Bad::Range)?;
        sum = sum.checked_add(term).filter(|sum| *sum < u64::MAX).ok_or(Bad::Range)?;
        terms += 1;
        rest = skip(next);
    }
    if terms == 0 { Err(Bad::Syntax) } else { Ok(sum) }
}

/// The decimal fraction of a unit, rounded down digit by digit as systemd does.
fn part(fraction: &str, unit: u64) -> u64 {
    let mut weight = unit / 10;
    let mut sum = 0;
    for digit in fraction.bytes() {
        sum += u64::from(digit - b'0') * weight;
        weight /= 10;
        if weight == 0 {
            break;
        }
    }
    sum
}

fn skip(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

fn digits(text: &str) -> (&str, &str) {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(length)
}

/// As `systemctl show` prints it: `1h 30min`, `5.005000s`, `infinity`, `0`.
pub fn format_timespan(span: Span) -> String {
    format_timespan_to(span, Span::ZERO)
}

/// What is smaller than `accuracy`, a power of ten, is cut away, unless it is all there is: `1min 30.123s`.
pub fn format_timespan_to(span: Span, accuracy: Span) -> String {
    const UNITS: [(&str, u64); 9] = [
        ("y", YEAR),
        ("month", MONTH),
        ("w", WEEK),
        ("d", DAY),
        ("h", HOUR),
        ("min", MINUTE),
        ("s", SECOND),
        ("ms", MILLISECOND),
        ("us", 1),
    ];
    if span.is_infinite() {
        return "infinity".into();
    }
    if span == Span::ZERO {
        return "0".into();
    }
    let mut words: Vec<String> = Vec::new();
    let mut left = span.0;
    for (name, unit) in UNITS {
        if left < accuracy.0 && !words.is_empty() {
            break;
        }
        let (count, rest) = (left / unit, left % unit);
        if count == 0 {
            continue;
        }
        // Below a minute the rest is written as a decimal fraction and nothing follows.
        let cut = accuracy.0.max(1);
        if left < MINUTE && rest > 0 && unit > cut {
            let places = (unit / cut).ilog10() as usize;
            words.push(format!("{count}.{:0places$}{name}", rest / cut));
            break;
        }
        words.push(format!("{count}{name}"));
        left = rest;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let mut seed = 7u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let span = Span(seed >> (seed % 50));
            if span.0 < u64::MAX / 2 {
                assert_eq!(parse_timespan(&format_timespan(span)), Ok(span), "{}", format_timespan(span));
            }
        }
    }

    #[test]
    fn what_is_smaller_than_the_accuracy_is_cut_away() {
        for (span, accuracy, expected) in [
            (1_000_500, 1_000, "1.000s"),
            (61_000_005, 1_000, "1min 1.000s"),
            (3_269, 1_000, "3ms"),
            (500, 1_000, "500us"),
            (1_234_567, 1_000, "1.234s"),
            (60_000_001, 1_000, "1min"),
            (60_500_000, 1_000, "1min 500ms"),
            (90_061_001_001, 1_000, "1d 1h 1min 1.001s"),
            (1_500_000, 1_000_000, "1s"),
            (0, 1_000, "0"),
            (u64::MAX, 1_000, "infinity"),
            (4_431_805_423, 0, "1h 13min 51.805423s"),
            (YEAR + MONTH, 0, "1y 1month"),
        ] {
            assert_eq!(format_timespan_to(Span(span), Span(accuracy)), expected, "{span} to {accuracy}");
        }
    }

    #[test]
    fn a_bare_number_takes_the_unit_of_its_place() {
        assert_eq!(parse("5", Bare::Microseconds), Ok(Span(5)));
        assert_eq!(parse_nanoseconds("1s"), Ok(1_000_000_000));
        assert_eq!(parse_nanoseconds("50"), Ok(50));
        assert_eq!(parse_timespan("infinity "), Ok(Span::INFINITY));
    }
}
