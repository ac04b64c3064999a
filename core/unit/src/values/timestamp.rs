//! Timestamps: systemd.time(7), "Parsing Timestamps". Now and the zone are the caller's; see [`Zone`].

use super::Bad;
use super::calendar::{Utc, Zone, civil, days, instants};
use super::timespan::parse_timespan;

const SECOND: u64 = 1_000_000;
const DAY: i64 = 86_400;

/// Microseconds since the epoch.
pub fn parse_timestamp(text: &str, now: u64, zone: &impl Zone) -> Result<u64, Bad> {
    match text.rsplit_once(' ') {
        Some((rest, word)) if word.eq_ignore_ascii_case("UTC") => point(rest, now, &Utc),
        Some(_) | None => relative(text, now).unwrap_or_else(|| point(text, now, zone)),
    }
}

/// `now`, `+SPAN`, `-SPAN`, `SPAN ago`, `SPAN left`, `@SECONDS`: the zone does not matter.
fn relative(text: &str, now: u64) -> Option<Result<u64, Bad>> {
    let span = |text: &str| parse_timespan(text).map(|span| span.0).map_err(|_| Bad::Syntax);
    if text == "now" {
        return Some(Ok(now));
    }
    if let Some(ahead) = text.strip_prefix('+').or_else(|| text.strip_suffix(" left")) {
        return Some(span(ahead).and_then(|span| now.checked_add(span).ok_or(Bad::Range)));
    }
    if let Some(past) = text.strip_prefix('-').or_else(|| text.strip_suffix(" ago")) {
        return Some(span(past).map(|span| now.saturating_sub(span)));
    }
    let seconds = text.strip_prefix('@')?;
    Some(match seconds.starts_with(|first: char| first.is_ascii_digit()) {
        true => span(seconds),
        false => Err(Bad::Syntax),
    })
}

/// A day, a time, or both.
fn point(text: &str, now: u64, zone: &impl Zone) -> Result<u64, Bad> {
    let second = i64::try_from(now / SECOND).map_err(|_| Bad::Range)?;
    let today = (second + zone.offset(second)).div_euclid(DAY);
    let (weekday, text) = weekday(text);
    let (day, time, micros) = match text {
        "today" => (today, 0, 0),
        "yesterday" => (today - 1, 0, 0),
        "tomorrow" => (today + 1, 0, 0),
        _ => {
            let text = text.trim_start_matches(' ');
            let (date, rest) = date(text).map_or((None, text), |(day, rest)| (Some(day), rest));
            match (date, rest) {
                (Some(day), "") => (day, 0, 0),
                (Some(day), rest) => {
                    let rest = rest.strip_prefix(' ').ok_or(Bad::Syntax)?;
                    let (time, micros) = time(rest.trim_start_matches(' '))?;
                    (day, time, micros)
                }
                (None, rest) => {
                    let (time, micros) = time(rest)?;
                    (today, time, micros)
                }
            }
        }
    };
    if weekday.is_some_and(|wanted| wanted != (day + 3).rem_euclid(7)) {
        return Err(Bad::Syntax);
    }
    let civil = day * DAY + time;
    // A time that the clocks skip is as far behind their jump as it was written behind what they showed before.
    let instant = instants(civil, zone).first().copied().unwrap_or_else(|| civil - zone.offset(civil - DAY));
    let seconds = u64::try_from(instant).map_err(|_| Bad::Syntax)?;
    seconds.checked_mul(SECOND).map(|whole| whole + micros).ok_or(Bad::Range)
}

/// The day's number, Monday's being 0, and what stands behind it.
fn weekday(text: &str) -> (Option<i64>, &str) {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let named = text.split_once(' ').and_then(|(word, rest)| {
        let word = word.to_ascii_lowercase();
        let is = |day: &&str| **day == word || word.len() == 3 && day.starts_with(&word);
        Some((DAYS.iter().position(is)? as i64, rest))
    });
    named.map_or((None, text), |(day, rest)| (Some(day), rest))
}

/// `YYYY-MM-DD` or `YY-MM-DD`. A day that the month does not have is one of the next.
fn date(text: &str) -> Option<(i64, &str)> {
    let (year, rest) = digits(text, 4)?;
    let year = match (year, text.len() - rest.len()) {
        (year @ 0..=68, 1 | 2) => year + 2000,
        (year, 1 | 2) => year + 1900,
        (year, _) => year,
    };
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then(|| (days(year, month as u64, 1) + day - 1, rest))
}

/// `HH:MM`, `HH:MM:SS`, with a fraction; a leap second counts into the next minute.
fn time(text: &str) -> Result<(i64, u64), Bad> {
    let parts = || {
        let (hour, rest) = digits(text, 2)?;
        let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
        let (second, rest) = match rest.strip_prefix(':') {
            Some(rest) => digits(rest, 2)?,
            None if rest.is_empty() => (0, rest),
            None => return None,
        };
        Some((hour, minute, second, rest))
    };
    let (hour, minute, second, rest) = parts().ok_or(Bad::Syntax)?;
    if hour > 23 || minute > 59 || second > 61 {
        return Err(Bad::Syntax);
    }
    let micros = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        Some(fraction) if !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            fraction
                .bytes()
                .chain(std::iter::repeat(b'0'))
                .take(6)
                .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
        }
        Some(_) | None => return Err(Bad::Syntax),
    };
    Ok((hour * 3600 + minute * 60 + second, micros))
}

/// A number of at most so many digits.
fn digits(text: &str, most: usize) -> Option<(i64, &str)> {
    let end = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

/// `Thu 2024-02-29 12:34:56 UTC`, the zone under the name it is given; `-` for the epoch itself, which stands for never.
pub fn format_timestamp(micros: u64, zone: &impl Zone, name: &str) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    if micros == 0 {
        return "-".to_owned();
    }
    let utc = (micros / SECOND) as i64;
    let local = utc + zone.offset(utc);
    let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (year, month, of_month) = civil(day);
    let weekday = DAYS[(day + 3).rem_euclid(7) as usize];
    format!(
        "{weekday} {year:04}-{month:02}-{of_month:02} {:02}:{:02}:{:02} {name}",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_709_210_096 * SECOND;

    fn shown(text: &str) -> String {
        match parse_timestamp(text, NOW, &Utc) {
            Ok(micros) => format_timestamp(micros, &Utc, "UTC"),
            Err(bad) => bad.to_string(),
        }
    }

    #[test]
    fn points_in_time() {
        for (text, wanted) in [
            ("now", "Thu 2024-02-29 12:34:56 UTC"),
            ("today", "Thu 2024-02-29 00:00:00 UTC"),
            ("tomorrow UTC", "Fri 2024-03-01 00:00:00 UTC"),
            ("+1h", "Thu 2024-02-29 13:34:56 UTC"),
            ("1d ago", "Wed 2024-02-28 12:34:56 UTC"),
            ("10:30", "Thu 2024-02-29 10:30:00 UTC"),
            ("24-2-30", "Fri 2024-03-01 00:00:00 UTC"),
            ("Fri 2024-03-01 1:2:3.5", "Fri 2024-03-01 01:02:03 UTC"),
            ("@1", "Thu 1970-01-01 00:00:01 UTC"),
            ("1970-01-01", "-"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
        for text in
            ["", "Fri 2024-02-29", "2024-13-01", "25:00", "12:", "@-1", "2024-02-29T12:00", "1969-12-31"]
        {
            assert_eq!(shown(text), Bad::Syntax.to_string(), "{text}");
        }
    }
}
