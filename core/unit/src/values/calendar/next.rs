//! When a calendar elapses next: days are walked in the zone's own calendar, and each time of a day is looked up in it.

use super::{Calendar, Part, Parts, SECOND, Zone};

const DAY: i64 = 86_400;
const LAST_YEAR: i64 = 2199;

impl Calendar {
    /// The first moment after `after`, both in microseconds since the epoch. What the zone's clocks skip is no moment; what they
    /// show twice is the first one that is still ahead.
    pub fn next_after(&self, after: u64, zone: &impl Zone) -> Option<u64> {
        let from = i64::try_from(after.checked_add(1)?).ok()?;
        let micros = SECOND as i64;
        let local = from + zone.offset(from.div_euclid(micros)) * micros;
        let today = local.div_euclid(DAY * micros);
        let mut day = today;
        loop {
            day = self.next_day(day)?;
            let begin = if day == today { local.rem_euclid(DAY * micros) as u64 } else { 0 };
            let mut time = self.next_time(begin);
            while let Some(found) = time {
                let civil = day * DAY + (found / SECOND) as i64;
                let of = |instant: i64| instant * micros + (found % SECOND) as i64;
                if let Some(instant) = instants(civil, zone).into_iter().map(of).find(|at| *at >= from) {
                    return u64::try_from(instant).ok();
                }
                time = self.next_time(found + 1);
            }
            day += 1;
        }
    }

    /// The first day from this one on that the date and the weekday allow.
    fn next_day(&self, mut day: i64) -> Option<i64> {
        loop {
            let (year, month, of_month) = civil(day);
            if year > LAST_YEAR {
                return None;
            }
            let next_year = next(&self.year, u64::try_from(year).ok()?, LAST_YEAR as u64)?;
            if next_year as i64 != year {
                day = days(next_year as i64, 1, 1);
                continue;
            }
            match next(&self.month, month, 12) {
                Some(found) if found == month => {}
                Some(found) => {
                    day = days(year, found, 1);
                    continue;
                }
                None => {
                    day = days(year + 1, 1, 1);
                    continue;
                }
            }
            let weekday = (day + 3).rem_euclid(7);
            let on_weekday = self.weekdays == 0 || self.weekdays & 1 << weekday != 0;
            if on_weekday && self.is_day(of_month, length(year, month)) {
                return Some(day);
            }
            day += 1;
        }
    }

    fn is_day(&self, day: u64, length: u64) -> bool {
        let Some(parts) = &self.day else { return true };
        let holds = |part: &Part| match (self.end_of_month, part.stop) {
            (false, _) => part.next(day, length) == Some(day),
            // From the end: the last day is 1. Without an end the steps go on towards it.
            (true, Some(_)) => part.next(length - day + 1, length) == Some(length - day + 1),
            (true, None) => {
                let behind = length - day + 1;
                behind <= part.start
                    && if part.repeat == 0 {
                        behind == part.start
                    } else {
                        (part.start - behind).is_multiple_of(part.repeat)
                    }
            }
        };
        parts.iter().any(holds)
    }

    /// The first time of day from this one on, in microseconds.
    fn next_time(&self, from: u64) -> Option<u64> {
        const MINUTE: u64 = 60 * SECOND;
        const HOUR: u64 = 60 * MINUTE;
        let mut at = from;
        while at < 24 * HOUR {
            let hour = next(&self.hour, at / HOUR, 23)?;
            at = at.max(hour * HOUR);
            let Some(minute) = next(&self.minute, at % HOUR / MINUTE, 59) else {
                at = (hour + 1) * HOUR;
                continue;
            };
            at = at.max(hour * HOUR + minute * MINUTE);
            let begin = at % MINUTE;
            let second = match &self.second {
                // Any whole second.
                None => Some(begin.div_ceil(SECOND) * SECOND).filter(|second| *second < MINUTE),
                Some(_) => next(&self.second, begin, MINUTE - 1),
            };
            match second {
                Some(second) => return Some(hour * HOUR + minute * MINUTE + second),
                None => at = hour * HOUR + (minute + 1) * MINUTE,
            }
        }
        None
    }
}

/// The first value from this one on, up to `most`.
fn next(parts: &Parts, from: u64, most: u64) -> Option<u64> {
    match parts {
        None => Some(from).filter(|value| *value <= most),
        Some(parts) => parts.iter().filter_map(|part| part.next(from, most)).min(),
    }
}

impl Part {
    fn next(&self, from: u64, most: u64) -> Option<u64> {
        let most = self.stop.unwrap_or(most).min(most);
        let value = match (self.start >= from, self.repeat) {
            (true, _) => self.start,
            (false, 0) => return None,
            (false, repeat) => self.start + (from - self.start).div_ceil(repeat) * repeat,
        };
        Some(value).filter(|value| *value <= most)
    }
}

/// The instants at which the zone's clocks show this civil time, in order: none, one or two.
pub fn instants(civil: i64, zone: &impl Zone) -> Vec<i64> {
    let offsets = [zone.offset(civil - DAY), zone.offset(civil + DAY)];
    let mut found: Vec<i64> = offsets
        .into_iter()
        .filter(|offset| zone.offset(civil - offset) == *offset)
        .map(|offset| civil - offset)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn length(year: i64, month: u64) -> u64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a date of the Gregorian calendar; years begin in March here, so that leap days come last.
pub fn days(year: i64, month: u64, day: u64) -> i64 {
    let (year, month) = if month > 2 { (year, month as i64 - 3) } else { (year - 1, month as i64 + 9) };
    let of_year = (153 * month + 2) / 5 + day as i64 - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + of_year - 719_468
}

/// Year, month and day of so many days since the epoch.
pub fn civil(day: i64) -> (i64, u64, u64) {
    let mut year = 1970 + day.div_euclid(366);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    (year, month, (day - days(year, month, 1) + 1) as u64)
}
