//! Lengths of time: systemd.time(7). `1h 30min`, `500ms`, `2.5s`, `infinity`.

use super::Bad;
use crate::span::Span;

const MICROSECONDS: [(&str, u64); 30] = [
    ("seconds", 1_000_000),
    ("second", 1_000_000),
    ("sec", 1_000_000),
    ("s", 1_000_000),
    ("minutes", 60_000_000),
    ("minute", 60_000_000),
    ("min", 60_000_000),
    ("months", 2_629_800_000_000),
    ("month", 2_629_800_000_000),
    ("M", 2_629_800_000_000),
    ("msec", 1_000),
    ("ms", 1_000),
    ("m", 60_000_000),
    ("hours", 3_600_000_000),
    ("hour", 3_600_000_000),
    ("hr", 3_600_000_000),
    ("h", 3_600_000_000),
    ("days", 86_400_000_000),
    ("day", 86_400_000_000),
    ("d", 86_400_000_000),
    ("weeks", 604_800_000_000),
    ("week", 604_800_000_000),
    ("w", 604_800_000_000),
    ("years", 31_557_600_000_000),
    ("year", 31_557_600_000_000),
    ("y", 31_557_600_000_000),
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
        Bare::Seconds => 1_000_000,
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
    const UNITS: [(&str, u64); 9] = [
        ("y", 31_557_600_000_000),
        ("month", 2_629_800_000_000),
        ("w", 604_800_000_000),
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("min", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
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
        let (count, rest) = (left / unit, left % unit);
        if count == 0 {
            continue;
        }
        // Below a minute the rest is written as a decimal fraction and nothing follows.
        if left < 60_000_000 && rest > 0 {
            let places = if unit == 1_000_000 { 6 } else { 3 };
            words.push(format!("{count}.{rest:0places$}{name}"));
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
    fn a_bare_number_takes_the_unit_of_its_place() {
        assert_eq!(parse("5", Bare::Microseconds), Ok(Span(5)));
        assert_eq!(parse_nanoseconds("1s"), Ok(1_000_000_000));
        assert_eq!(parse_nanoseconds("50"), Ok(50));
        assert_eq!(parse_timespan("infinity "), Ok(Span::INFINITY));
    }
}
