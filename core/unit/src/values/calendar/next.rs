//! The next point: field by field from the year down, each set to its next value, and all below it to their first
//! when it moved. After each step the zone is asked whether such a local time exists.

use super::chain::Chain;
use super::{Calendar, DaysFrom, SECOND, YEARS, Zone};
use crate::limits::CALENDAR_ROUNDS_MAX;
use crate::values::civil::{Civil, Clock, Season};
use jiff::tz::TimeZone;
use std::cmp::Ordering;

pub(super) fn next(calendar: &Calendar, after: u64, rules: &TimeZone) -> Option<u64> {
    let from = i64::try_from(after).ok()?.checked_add(1)?;
    let (point, microsecond) = (from / SECOND, from % SECOND);
    let season = match &calendar.zone {
        Zone::Season(word) => word.season,
        Zone::Local | Zone::Utc | Zone::Named(_) => Season::Either,
    };
    let mut clock = Clock::new(rules);
    clock.remember(point);
    let (at, _) = clock.shows(point)?;
    let mut search = Search { calendar, clock, season, at, microsecond };
    for round in 0..CALENDAR_ROUNDS_MAX {
        if round > 0 {
            search.put_right();
        }
        match search.round() {
            Round::Found => {
                let point = search.clock.point(search.at, season)?;
                let point = point.checked_mul(SECOND)?.checked_add(search.microsecond)?;
                return u64::try_from(point).ok();
            }
            Round::Again => {}
            Round::Never => return None,
        }
    }
    None
}

struct Search<'a> {
    calendar: &'a Calendar,
    clock: Clock<'a>,
    season: Season,
    at: Civil,
    microsecond: i64,
}

enum Round {
    Found,
    /// The date moved: from the year on again.
    Again,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

const FIELDS: [Field; 6] = [Field::Year, Field::Month, Field::Day, Field::Hour, Field::Minute, Field::Second];

impl Search<'_> {
    fn round(&mut self) -> Round {
        for field in FIELDS {
            let now = self.value(field);
            let Some(wanted) = self.first_from(field, now) else {
                return self.carry(field);
            };
            if wanted != now {
                self.set(field, wanted);
            }
            match self.stands() {
                Some(Ordering::Equal) => {}
                Some(Ordering::Less | Ordering::Greater) | None if field == Field::Year => {
                    return Round::Never;
                }
                // There is no such time, and a later one in its place.
                Some(Ordering::Greater) => return Round::Again,
                Some(Ordering::Less) | None => return self.carry(field),
            }
            if field == Field::Day && !self.is_on_weekday() {
                return self.carry(Field::Hour);
            }
        }
        Round::Found
    }

    /// Turns an overflow of the last round into a date. A zone whose daylight saving is negative would go back where
    /// its clock skips an hour, and round and round: the other season goes on.
    fn put_right(&mut self) {
        let asked = self.at;
        let goes_on = |shown: &Civil| shown.seconds_in_utc() >= asked.seconds_in_utc();
        let shown = self.clock.put_right(asked, self.season);
        let other = || self.clock.clone().put_right(asked, Season::Saving).filter(goes_on);
        self.at = shown.filter(goes_on).or_else(other).or(shown).unwrap_or(asked);
    }

    fn value(&self, field: Field) -> i64 {
        match field {
            Field::Year => self.at.year,
            Field::Month => self.at.month,
            Field::Day => self.at.day,
            Field::Hour => self.at.hour,
            Field::Minute => self.at.minute,
            Field::Second => self.at.second * SECOND + self.microsecond,
        }
    }

    fn first_from(&mut self, field: Field, now: i64) -> Option<i64> {
        let calendar = self.calendar;
        match field {
            Field::Year => calendar.year.first_from(now),
            Field::Month => calendar.month.first_from(now),
            Field::Day => match calendar.days_from {
                DaysFrom::First => calendar.day.first_from(now),
                DaysFrom::Last => self.days_of_this_month().first_from(now),
            },
            Field::Hour => calendar.hour.first_from(now),
            Field::Minute => calendar.minute.first_from(now),
            Field::Second => calendar.second.first_from(now),
        }
    }

    fn days_of_this_month(&mut self) -> Chain {
        let (at, season) = (self.at, self.season);
        let clock = &mut self.clock;
        self.calendar.day.counted_up(|from_last| {
            let day = Civil { month: at.month + 1, day: 1 - from_last, ..at };
            clock.put_right(day, season).filter(|day| day.month == at.month).map(|day| day.day)
        })
    }

    /// Sets a field, and what is below it to where it begins.
    fn set(&mut self, field: Field, value: i64) {
        match field {
            Field::Year => self.at.year = value,
            Field::Month => self.at.month = value,
            Field::Day => self.at.day = value,
            Field::Hour => self.at.hour = value,
            Field::Minute => self.at.minute = value,
            Field::Second => {
                (self.at.second, self.microsecond) = (value / SECOND, value % SECOND);
                return;
            }
        }
        let begin = |below: Field, first: i64, value: &mut i64| {
            if field < below {
                *value = first;
            }
        };
        begin(Field::Month, 1, &mut self.at.month);
        begin(Field::Day, 1, &mut self.at.day);
        begin(Field::Hour, 0, &mut self.at.hour);
        begin(Field::Minute, 0, &mut self.at.minute);
        begin(Field::Second, 0, &mut self.at.second);
        self.microsecond = 0;
    }

    /// A field has no more values: the one above goes on by one.
    fn carry(&mut self, field: Field) -> Round {
        let above = match field {
            Field::Year => return Round::Never,
            Field::Month => Field::Year,
            Field::Day => Field::Month,
            Field::Hour => Field::Day,
            Field::Minute => Field::Hour,
            Field::Second => Field::Minute,
        };
        self.set(above, self.value(above) + 1);
        Round::Again
    }

    /// How what the clock would show compares to what is asked; none where that is no point of the calendar. A later
    /// time is taken over, from the beginning of the highest field that moved.
    fn stands(&mut self) -> Option<Ordering> {
        if self.at.year > YEARS.1 {
            return None;
        }
        let asked = self.at;
        let mut shown = self.clock.put_right(asked, self.season)?;
        let order = shown.cmp(&asked);
        if order == Ordering::Greater {
            // As systemd does it: what is below the next field is left, so of 27 o'clock on New Year's Eve 3 remains.
            match () {
                () if shown.year != asked.year => shown.month = 1,
                () if shown.month != asked.month => shown.day = 1,
                () if shown.day != asked.day => shown.hour = 0,
                () if shown.hour != asked.hour => shown.minute = 0,
                () if shown.minute != asked.minute => shown.second = 0,
                () => {}
            }
            self.at = shown;
        }
        Some(order)
    }

    fn is_on_weekday(&mut self) -> bool {
        let day = self.clock.put_right(self.at, self.season);
        self.calendar.weekdays.is_any() || day.is_some_and(|day| self.calendar.weekdays.has(day.weekday()))
    }
}
