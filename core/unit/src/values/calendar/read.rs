//! Text → calendar.

use super::{Calendar, Part, Parts, SECOND, Where, only};
use crate::values::Bad;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `is_zone` says whether a name is one of the zoneinfo database.
pub fn parse(text: &str, is_zone: impl Fn(&str) -> bool) -> Result<Calendar, Bad> {
    let (text, zone) = split_zone(text, is_zone);
    if text.is_empty() {
        return Err(Bad::Syntax);
    }
    let mut calendar = match shortcut(text) {
        Some(calendar) => calendar,
        None => expression(text)?,
    };
    if zone != Where::Local {
        calendar.zone = zone;
    }
    calendar.tidy();
    calendar.check()?;
    Ok(calendar)
}

fn split_zone(text: &str, is_zone: impl Fn(&str) -> bool) -> (&str, Where) {
    match text.rsplit_once(' ') {
        Some((rest, zone)) if zone.eq_ignore_ascii_case("UTC") => (rest, Where::Utc),
        Some((rest, zone)) if !zone.is_empty() && is_zone(zone) => (rest, Where::Named(zone.to_owned())),
        Some(_) | None => (text, Where::Local),
    }
}

fn any() -> Calendar {
    Calendar {
        weekdays: 0,
        year: None,
        month: None,
        day: None,
        end_of_month: false,
        hour: None,
        minute: None,
        second: None,
        zone: Where::Local,
    }
}

fn shortcut(text: &str) -> Option<Calendar> {
    let zero = || only(&[0]);
    let minutely = Calendar { second: zero(), ..any() };
    let hourly = Calendar { minute: zero(), ..minutely.clone() };
    let daily = Calendar { hour: zero(), ..hourly.clone() };
    let monthly = Calendar { day: only(&[1]), ..daily.clone() };
    Some(match text.to_ascii_lowercase().as_str() {
        "minutely" => minutely,
        "hourly" => hourly,
        "daily" => daily,
        "weekly" => Calendar { weekdays: 1, ..daily },
        "monthly" => monthly,
        "quarterly" => Calendar { month: only(&[1, 4, 7, 10]), ..monthly },
        "semiannually" | "semi-annually" | "biannually" | "bi-annually" => {
            Calendar { month: only(&[1, 7]), ..monthly }
        }
        "yearly" | "annually" | "anually" => Calendar { month: only(&[1]), ..monthly },
        _ => return None,
    })
}

fn expression(text: &str) -> Result<Calendar, Bad> {
    let mut calendar = any();
    let mut rest = weekdays(text, &mut calendar)?;
    if let Some(seconds) = rest.strip_prefix('@') {
        return epoch(seconds, calendar);
    }
    if let Some(after) = date(rest, &mut calendar)? {
        rest = after;
    }
    rest = time(rest, &mut calendar)?;
    if rest.is_empty() { Ok(calendar) } else { Err(Bad::Syntax) }
}

/// Days, ranges of days, commas between; then blanks or the end.
fn weekdays<'t>(text: &'t str, calendar: &mut Calendar) -> Result<&'t str, Bad> {
    let mut rest = text;
    let mut bits = 0;
    let mut open: Option<usize> = None;
    loop {
        let Some((day, after)) = weekday(rest) else {
            // Nothing has been read yet: there are no weekdays here. A comma may end the text.
            return match bits == 0 && open.is_none() || rest.is_empty() && open.is_none() {
                true => {
                    calendar.weekdays = bits;
                    Ok(rest)
                }
                false => Err(Bad::Syntax),
            };
        };
        match open.take() {
            Some(first) if first > day => return Err(Bad::Syntax),
            Some(first) => (first..=day).for_each(|day| bits |= 1 << day),
            None => bits |= 1 << day,
        }
        if let Some(after) = after.strip_prefix("..").or_else(|| after.strip_prefix('-')) {
            open = Some(day);
            rest = after;
        } else if let Some(after) = after.strip_prefix(',') {
            rest = after;
            if let Some(date) = rest.strip_prefix(' ') {
                calendar.weekdays = bits;
                return Ok(date.trim_start_matches(' '));
            }
        } else if after.is_empty() || after.starts_with(' ') {
            calendar.weekdays = bits;
            return Ok(after.trim_start_matches(' '));
        } else {
            return Err(Bad::Syntax);
        }
    }
}

fn weekday(text: &str) -> Option<(usize, &str)> {
    let word = text.find(|c: char| !c.is_ascii_alphabetic()).map_or(text, |end| &text[..end]);
    let lower = word.to_ascii_lowercase();
    let day = DAYS.iter().position(|day| *day == lower || (lower.len() == 3 && day.starts_with(&lower)))?;
    Some((day, &text[word.len()..]))
}

/// `@SECONDS`: one moment, in UTC.
fn epoch(seconds: &str, calendar: Calendar) -> Result<Calendar, Bad> {
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 =
        if digits { seconds.parse().map_err(|_| Bad::Range)? } else { return Err(Bad::Syntax) };
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u64);
    let (year, month, day) = super::next::civil(day);
    let year = u64::try_from(year).map_err(|_| Bad::Range)?;
    Ok(Calendar {
        year: only(&[year]),
        month: only(&[month]),
        day: only(&[day]),
        hour: only(&[of_day / 3600]),
        minute: only(&[of_day / 60 % 60]),
        second: only(&[of_day % 60 * SECOND]),
        zone: Where::Utc,
        ..calendar
    })
}

/// `Y-M-D`, `M-D`, with `~` before days that count from the month's end; `None` if it was a time.
fn date<'t>(text: &'t str, calendar: &mut Calendar) -> Result<Option<&'t str>, Bad> {
    if text.is_empty() {
        return Ok(None);
    }
    let (first, rest) = chain(text, 1)?;
    if rest.starts_with(':') {
        return Ok(None);
    }
    let (mut from_end, rest) = between(rest).ok_or(Bad::Syntax)?;
    let (second, rest) = chain(rest, 1)?;
    let (year, month, day, rest) = match between(rest) {
        Some(_) if from_end => return Err(Bad::Syntax),
        Some((tilde, rest)) => {
            from_end = tilde;
            let (third, rest) = chain(rest, 1)?;
            (first, second, third, rest)
        }
        None => (None, first, second, rest),
    };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(Bad::Syntax);
    }
    (calendar.year, calendar.month, calendar.day) = (year, month, day);
    calendar.end_of_month = from_end;
    Ok(Some(rest.trim_start_matches(' ')))
}

/// Whether a `~` stands there, and what follows it or a `-`.
fn between(text: &str) -> Option<(bool, &str)> {
    text.strip_prefix('-').map(|rest| (false, rest)).or_else(|| Some((true, text.strip_prefix('~')?)))
}

fn time<'t>(text: &'t str, calendar: &mut Calendar) -> Result<&'t str, Bad> {
    (calendar.hour, calendar.minute, calendar.second) = (only(&[0]), only(&[0]), only(&[0]));
    if text.is_empty() {
        return Ok(text);
    }
    let rest;
    (calendar.hour, rest) = chain(text, 1)?;
    let rest = rest.strip_prefix(':').ok_or(Bad::Syntax)?;
    let after;
    (calendar.minute, after) = chain(rest, 1)?;
    let Some(rest) = after.strip_prefix(':') else { return Ok(after) };
    let after;
    (calendar.second, after) = chain(rest, SECOND)?;
    Ok(after)
}

/// `*`, or values with commas between; `unit` is what one is, and only one larger than 1 has fractions.
fn chain(text: &str, unit: u64) -> Result<(Parts, &str), Bad> {
    if let Some(rest) = text.strip_prefix('*') {
        return Ok((None, rest));
    }
    let (mut parts, mut rest) = (Vec::new(), text);
    loop {
        let (one, after) = part(rest, unit)?;
        parts.push(one);
        match after.strip_prefix(',') {
            Some(after) if parts.len() < crate::limits::LIST_MAX => rest = after,
            Some(_) => return Err(Bad::Range),
            None => return Ok((Some(parts), after)),
        }
    }
}

fn part(text: &str, unit: u64) -> Result<(Part, &str), Bad> {
    let (start, mut rest) = number(text, unit)?;
    let (mut stop, mut repeat, mut is_one) = (None, 0, false);
    if let Some(after) = rest.strip_prefix("..") {
        let last;
        (last, rest) = number(after, unit)?;
        match last {
            last if last == start => is_one = true,
            last => (stop, repeat) = (Some(last), unit),
        }
        // Whether a range goes forward is known once years have their centuries.
        if stop.is_some_and(|stop| stop > start && start + repeat > stop) && !rest.starts_with('/') {
            return Err(Bad::Syntax);
        }
    }
    if let Some(after) = rest.strip_prefix('/') {
        let step;
        (step, rest) = number(after, unit)?;
        if step == 0 {
            return Err(Bad::Range);
        }
        repeat = step;
        if is_one {
            repeat = 0;
        }
    }
    let ends = |c: char| " ,-~:".contains(c);
    if !rest.is_empty() && !rest.starts_with(ends) {
        return Err(Bad::Syntax);
    }
    Ok((Part { start, stop, repeat }, rest))
}

fn number(text: &str, unit: u64) -> Result<(u64, &str), Bad> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    if whole.is_empty() {
        return Err(Bad::Syntax);
    }
    let value: u64 = whole.parse().map_err(|_| Bad::Range)?;
    let value = value.checked_mul(unit).filter(|value| *value <= i64::MAX as u64 / 4).ok_or(Bad::Range)?;
    let Some(fraction) = rest.strip_prefix('.').filter(|after| unit > 1 && !after.starts_with('.')) else {
        return Ok((value, rest));
    };
    let (fraction, rest) = fraction.split_at(digits(fraction));
    if fraction.is_empty() {
        return Err(Bad::Syntax);
    }
    // Six digits count, and the seventh rounds.
    let digit = |at: usize| u64::from(fraction.as_bytes().get(at).map_or(0, |digit| digit - b'0'));
    let micros = (0..6).fold(0, |sum, at| sum * 10 + digit(at)) + u64::from(digit(6) >= 5);
    Ok((value + micros, rest))
}

impl Calendar {
    fn check(&self) -> Result<(), Bad> {
        let forward = |part: &Part| part.stop.is_none_or(|stop| stop >= part.start);
        let fields = [
            (&self.year, 1970, 2200),
            (&self.month, 1, 13),
            (&self.hour, 0, 24),
            (&self.minute, 0, 60),
            (&self.second, 0, 60 * SECOND),
            (&self.day, 0, u64::MAX),
        ];
        for (parts, from, to) in fields {
            let fits = |part: &Part| {
                forward(part)
                    && (from..to).contains(&part.start)
                    && part.start + part.repeat < to
                    && part.stop.is_none_or(|stop| stop < to)
            };
            if !parts.iter().flatten().all(fits) {
                return Err(Bad::Syntax);
            }
        }
        let of_month = |part: &Part| {
            (1..=31).contains(&part.start)
                && part.start + part.repeat <= 31
                && part.stop.is_none_or(|stop| stop <= 31)
        };
        // Four weeks back at most, and steps go on before the month's end. systemd holds only the first value to that.
        let from_end = |part: &Part| {
            let within = |day: u64| (1..=28).contains(&day);
            within(part.start)
                && part.stop.is_none_or(within)
                && (part.stop.is_some() || part.start > part.repeat)
        };
        let fits = |(at, part)| if at == 0 && self.end_of_month { from_end(part) } else { of_month(part) };
        if self.day.iter().flatten().enumerate().all(fits) { Ok(()) } else { Err(Bad::Syntax) }
    }

    /// Years of two digits are of this or the last century; values are sorted, each said once; ranges end with a step.
    fn tidy(&mut self) {
        let century = |year: u64| match year {
            0..=69 => year + 2000,
            70..=99 => year + 1900,
            _ => year,
        };
        for part in self.year.iter_mut().flatten() {
            part.start = century(part.start);
            part.stop = part.stop.map(century);
        }
        let fields = [
            &mut self.year,
            &mut self.month,
            &mut self.day,
            &mut self.hour,
            &mut self.minute,
            &mut self.second,
        ];
        for parts in fields.into_iter().flatten() {
            for part in parts.iter_mut() {
                if let (Some(stop), 1..) = (part.stop, part.repeat)
                    && stop >= part.start
                {
                    let last = stop - (stop - part.start) % part.repeat;
                    (part.stop, part.repeat) =
                        if last == part.start { (None, 0) } else { (Some(last), part.repeat) };
                }
            }
            parts.sort_unstable();
            parts.dedup();
        }
        if self.weekdays == 0b111_1111 {
            self.weekdays = 0;
        }
        self.end_of_month &= self.day.is_some();
    }
}
