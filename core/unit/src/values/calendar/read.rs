//! The grammar: weekdays, a date, a time of day, a zone; each may be left out.

use super::chain::{Chain, Values};
use super::{Calendar, DaysFrom, SECOND, WEEKDAYS, Weekdays, YEARS, Zone};
use crate::limits::{CALENDAR_FARTHEST, CALENDAR_VALUES_MAX};
use crate::values::Bad;
use crate::values::civil::Civil;
use crate::values::number::fraction;
use crate::values::zones::{Zones, split_abbreviation, strip_word};

const MINUTE: i64 = 60 * SECOND;

pub(super) fn calendar(text: &str, zones: &dyn Zones) -> Result<Calendar, Bad> {
    let (text, zone) = split_zone(text, zones);
    let mut calendar = match text {
        "" => return Err(Bad::Syntax),
        text => match shorthand(text) {
            Some(calendar) => calendar,
            None => Reader { rest: text }.calendar()?,
        },
    };
    // A point in seconds since 1970 is one of UTC, whatever zone is said.
    if calendar.zone != Zone::Utc {
        calendar.zone = zone;
    }
    calendar.put_in_order();
    if calendar.is_valid() { Ok(calendar) } else { Err(Bad::Syntax) }
}

fn split_zone<'t>(text: &'t str, zones: &dyn Zones) -> (&'t str, Zone) {
    if let Some(rest) = strip_word(text, "UTC") {
        return (rest, Zone::Utc);
    }
    if let Some((rest, word)) = split_abbreviation(text, zones) {
        return (rest, Zone::Season(word));
    }
    match text.rsplit_once(' ') {
        Some((rest, name)) if zones.knows(name) => (rest, Zone::Named(name.to_owned())),
        Some(_) | None => (text, Zone::Local),
    }
}

/// `daily` and its like.
fn shorthand(text: &str) -> Option<Calendar> {
    let midnight = || Calendar { hour: Chain::of(&[0]), ..every_hour() };
    let first = || Calendar { day: Chain::of(&[1]), ..midnight() };
    let in_months = |months: &[i64]| Calendar { month: Chain::of(months), ..first() };
    Some(match text.to_ascii_lowercase().as_str() {
        "minutely" => Calendar { minute: Chain::default(), ..every_hour() },
        "hourly" => every_hour(),
        "daily" => midnight(),
        "weekly" => Calendar { weekdays: Weekdays(1), ..midnight() },
        "monthly" => first(),
        "quarterly" => in_months(&[1, 4, 7, 10]),
        "biannually" | "bi-annually" | "semiannually" | "semi-annually" => in_months(&[1, 7]),
        // The second spelling is systemd's own slip, which its manual page does not repeat.
        "annually" | "anually" | "yearly" => in_months(&[1]),
        _ => return None,
    })
}

fn every_hour() -> Calendar {
    Calendar {
        weekdays: Weekdays::default(),
        year: Chain::default(),
        month: Chain::default(),
        day: Chain::default(),
        days_from: DaysFrom::First,
        hour: Chain::default(),
        minute: Chain::of(&[0]),
        second: Chain::of(&[0]),
        zone: Zone::Local,
    }
}

impl Calendar {
    fn put_in_order(&mut self) {
        if self.day.is_any() {
            self.days_from = DaysFrom::First;
        }
        let century = |year: i64| match year {
            0..70 => year + 2000,
            70..100 => year + 1900,
            _ => year,
        };
        for years in &mut self.year.0 {
            years.start = century(years.start);
            years.stop = years.stop.map(century);
        }
        let dates = [&mut self.year, &mut self.month, &mut self.day];
        let times = [&mut self.hour, &mut self.minute, &mut self.second];
        dates.into_iter().chain(times).for_each(Chain::put_in_order);
    }

    fn is_valid(&self) -> bool {
        let days = match self.days_from {
            DaysFrom::First => self.day.is_valid(1, 31),
            DaysFrom::Last => self.day.is_valid_from_last(),
        };
        let times = self.hour.is_valid(0, 23) && self.minute.is_valid(0, 59);
        let dates = self.year.is_valid(YEARS.0, YEARS.1) && self.month.is_valid(1, 12) && days;
        dates && times && self.second.is_valid(0, MINUTE - 1)
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn calendar(mut self) -> Result<Calendar, Bad> {
        let weekdays = self.weekdays()?;
        let mut calendar = Calendar { weekdays, ..every_hour() };
        if self.takes("@") {
            self.point(&mut calendar)?;
        } else {
            self.date(&mut calendar)?;
            self.time(&mut calendar)?;
        }
        if self.rest.is_empty() { Ok(calendar) } else { Err(Bad::Syntax) }
    }

    fn takes(&mut self, what: &str) -> bool {
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn at_end_of_word(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(' ')
    }

    /// `Mon`, `Mon,Wed..Fri`, with the older `-` for a range too; none if the text begins with something else.
    fn weekdays(&mut self) -> Result<Weekdays, Bad> {
        let mut days = Weekdays::default();
        let mut range: Option<usize> = None;
        loop {
            let Some(day) = self.weekday() else {
                return if days == Weekdays::default() { Ok(days) } else { Err(Bad::Syntax) };
            };
            let first = range.unwrap_or(day);
            if first > day {
                return Err(Bad::Syntax);
            }
            (first..=day).for_each(|day| days.add(day));
            let opens = self.takes("..") || self.takes("-");
            if opens && range.is_some() || !opens && !self.at_end_of_word() && !self.takes(",") {
                return Err(Bad::Syntax);
            }
            range = opens.then_some(day);
            // A comma may end the list, a range may not.
            if self.at_end_of_word() {
                self.spaces();
                return if opens { Err(Bad::Syntax) } else { Ok(days) };
            }
        }
    }

    fn weekday(&mut self) -> Option<usize> {
        let (day, length) = WEEKDAYS.iter().enumerate().find_map(|(day, (short, long))| {
            let begins = |name: &str| {
                self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            };
            [long, short].into_iter().find(|name| begins(name)).map(|name| (day, name.len()))
        })?;
        self.rest = &self.rest[length..];
        Some(day)
    }

    /// The seconds since 1970 behind an `@`.
    fn point(&mut self, calendar: &mut Calendar) -> Result<(), Bad> {
        let text = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let text = text.strip_prefix('+').unwrap_or(text);
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(length);
        if digits.is_empty() {
            return Err(Bad::Syntax);
        }
        let seconds: u64 = digits.parse().map_err(|_| Bad::Range)?;
        let point =
            i64::try_from(seconds).ok().filter(|seconds| *seconds < CALENDAR_FARTHEST).ok_or(Bad::Syntax)?;
        let local = Civil::of_seconds_in_utc(point);
        calendar.year = Chain::of(&[local.year]);
        calendar.month = Chain::of(&[local.month]);
        calendar.day = Chain::of(&[local.day]);
        calendar.hour = Chain::of(&[local.hour]);
        calendar.minute = Chain::of(&[local.minute]);
        calendar.second = Chain::of(&[local.second * SECOND]);
        calendar.zone = Zone::Utc;
        self.rest = rest;
        Ok(())
    }

    /// `YEAR-MONTH-DAY`, `MONTH-DAY`, with `~` for days from the end; nothing where a time follows at once.
    fn date(&mut self, calendar: &mut Calendar) -> Result<(), Bad> {
        let start = self.rest;
        if start.is_empty() {
            return Ok(());
        }
        let first = self.chain(Count::Whole)?;
        if self.rest.is_empty() || self.rest.starts_with(':') {
            self.rest = start;
            return Ok(());
        }
        calendar.days_from = self.date_separator()?;
        let second = self.chain(Count::Whole)?;
        if self.at_end_of_word() {
            (calendar.month, calendar.day) = (first, second);
        } else {
            if calendar.days_from == DaysFrom::Last {
                return Err(Bad::Syntax);
            }
            calendar.days_from = self.date_separator()?;
            (calendar.year, calendar.month, calendar.day) = (first, second, self.chain(Count::Whole)?);
            if !self.at_end_of_word() {
                return Err(Bad::Syntax);
            }
        }
        self.spaces();
        Ok(())
    }

    fn date_separator(&mut self) -> Result<DaysFrom, Bad> {
        match () {
            () if self.takes("~") => Ok(DaysFrom::Last),
            () if self.takes("-") => Ok(DaysFrom::First),
            () => Err(Bad::Syntax),
        }
    }

    /// `HOUR:MINUTE`, `HOUR:MINUTE:SECOND`; midnight where there is none.
    fn time(&mut self, calendar: &mut Calendar) -> Result<(), Bad> {
        calendar.hour = Chain::of(&[0]);
        if self.rest.is_empty() {
            return Ok(());
        }
        calendar.hour = self.chain(Count::Whole)?;
        if !self.takes(":") {
            return Err(Bad::Syntax);
        }
        calendar.minute = self.chain(Count::Whole)?;
        if self.takes(":") {
            calendar.second = self.chain(Count::Microseconds)?;
        }
        Ok(())
    }

    fn chain(&mut self, count: Count) -> Result<Chain, Bad> {
        if self.takes("*") {
            return Ok(match count {
                Count::Whole => Chain::default(),
                Count::Microseconds => Chain(vec![Values { start: 0, stop: None, step: SECOND }]),
            });
        }
        let mut chain = Vec::new();
        loop {
            if chain.len() > CALENDAR_VALUES_MAX {
                return Err(Bad::TooMany);
            }
            chain.push(self.values(count)?);
            if !self.takes(",") {
                return Ok(Chain(chain));
            }
        }
    }

    /// `5`, `5..9`, `5/2`, `5..9/2`.
    fn values(&mut self, count: Count) -> Result<Values, Bad> {
        let mut values = Values::one(self.number(count)?);
        if self.takes("..") {
            values.stop = Some(self.number(count)?);
            values.step = count.unit();
        }
        if self.takes("/") {
            values.step = self.number(count)?;
            if values.step == 0 {
                return Err(Bad::Range);
            }
        } else if count == Count::Microseconds
            && values.stop.is_some_and(|stop| values.start + values.step > stop)
        {
            // A range without a step goes by whole seconds, so it has to hold one.
            return Err(Bad::Syntax);
        }
        let ends = self.at_end_of_word() || self.rest.starts_with([',', '-', '~', ':']);
        if ends { Ok(values) } else { Err(Bad::Syntax) }
    }

    /// A number, or with a fraction in microseconds.
    fn number(&mut self, count: Count) -> Result<i64, Bad> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        if digits.is_empty() {
            return Err(Bad::Syntax);
        }
        self.rest = rest;
        let whole: i64 = digits.parse().map_err(|_| Bad::Range)?;
        let mut number = whole.checked_mul(count.unit()).ok_or(Bad::Range)?;
        // One dot is a decimal point, two are a range.
        if count == Count::Microseconds && rest.starts_with('.') && !rest.starts_with("..") {
            let (part, rest) = fraction(&rest[1..])?;
            number = number.saturating_add(part);
            self.rest = rest;
        }
        if number > i64::from(i32::MAX) { Err(Bad::Range) } else { Ok(number) }
    }
}

/// What a field counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Whole,
    Microseconds,
}

impl Count {
    fn unit(self) -> i64 {
        match self {
            Count::Whole => 1,
            Count::Microseconds => SECOND,
        }
    }
}
