//! Local time as people write it, and the point it stands for: found as mktime(3) of the GNU C library finds it, for
//! in the hour that a change of the clock skips or repeats the answer is the library's, not the calendar's.

use crate::limits::{LOCAL_TIME_PROBES_MAX, SEASON_FARTHEST, SEASON_STRIDE};
use jiff::Timestamp;
use jiff::tz::{Dst, TimeZone};

/// Fields of a date and a time; they may be out of range (day 0, month 13) until a zone puts them right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

/// Which of two clocks a local time was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Season {
    /// The text does not say.
    Either,
    Standard,
    Saving,
}

impl Civil {
    /// The seconds since 1970 in a zone that is UTC.
    pub fn seconds_in_utc(self) -> i64 {
        let months = self.year * 12 + self.month - 1;
        let days = days_before(months.div_euclid(12), months.rem_euclid(12)) + self.day - 1;
        ((days * 24 + self.hour) * 60 + self.minute) * 60 + self.second
    }

    pub fn of_seconds_in_utc(seconds: i64) -> Civil {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Four hundred years are 146097 days; the guess is at most one year too early.
        let mut year = 1970 + (days * 400).div_euclid(146_097) - 1;
        while days_before(year + 1, 0) <= days {
            year += 1;
        }
        let month = (1..12).take_while(|month| days_before(year, *month) <= days).count() as i64;
        Civil {
            year,
            month: month + 1,
            day: days - days_before(year, month) + 1,
            hour: rest / 3_600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// 0 is Monday.
    pub fn weekday(self) -> usize {
        (self.seconds_in_utc().div_euclid(86_400) + 3).rem_euclid(7) as usize
    }
}

/// Days from 1970 to the first of a month; month 0 is January.
fn days_before(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let past = year - 1;
    let leaps = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - 477;
    (year - 1970) * 365 + leaps + BEFORE[month as usize] + i64::from(leap && month > 1)
}

/// A zone's clock. It remembers the offset it last found: where two points have the same local time, the
/// library takes the one that it guesses first.
#[derive(Clone, Debug)]
pub struct Clock<'a> {
    zone: &'a TimeZone,
    offset: i64,
}

impl<'a> Clock<'a> {
    pub fn new(zone: &'a TimeZone) -> Clock<'a> {
        Clock { zone, offset: 0 }
    }

    /// What the clock shows at a point, in seconds since 1970.
    pub fn shows(&self, point: i64) -> Option<(Civil, Season)> {
        let (offset, season) = self.offset_at(point)?;
        Some((Civil::of_seconds_in_utc(point + offset), season))
    }

    /// Lets the next guess be the offset of a point.
    pub fn remember(&mut self, point: i64) {
        if let Some((offset, _)) = self.offset_at(point) {
            self.offset = offset;
        }
    }

    /// The point at which the clock shows this.
    pub fn point(&mut self, local: Civil, season: Season) -> Option<i64> {
        let local = local.seconds_in_utc();
        let point = self.search(local, season)?;
        self.offset = local - point;
        Some(point)
    }

    /// The fields as the clock would show them: the 30th of February is the 1st or 2nd of March.
    pub fn put_right(&mut self, local: Civil, season: Season) -> Option<Civil> {
        let point = self.point(local, season)?;
        self.shows(point).map(|(local, _)| local)
    }

    fn search(&self, local: i64, season: Season) -> Option<i64> {
        let mut guess = local - self.offset;
        let (mut last, mut before_last, mut last_saved) = (guess, guess, false);
        for _ in 0..=LOCAL_TIME_PROBES_MAX {
            let (offset, found) = self.offset_at(guess)?;
            let better = local - offset;
            if better == guess {
                return if season == Season::Either || season == found {
                    Some(guess)
                } else {
                    Some(self.in_season(local, guess, season))
                };
            }
            // Between two guesses for ever: the clock skips this time. The one whose season is not the asked one
            // is taken, or that of daylight saving.
            let prefers = match season {
                Season::Either => !last_saved || found == Season::Saving,
                Season::Standard | Season::Saving => found != season,
            };
            if guess == before_last && guess != last && prefers {
                return Some(guess);
            }
            (before_last, last, last_saved) = (last, guess, found == Season::Saving);
            guess = better;
        }
        None
    }

    /// The local time by the offset of the season, as it is at the nearest point that has that season; where it
    /// never was, daylight saving is one hour.
    fn in_season(&self, local: i64, point: i64, season: Season) -> i64 {
        let hour = if season == Season::Saving { -3_600 } else { 3_600 };
        let far = (1..).map(|step| step * SEASON_STRIDE).take_while(|far| *far < SEASON_FARTHEST);
        let points = far.flat_map(|far| [point - far, point + far]);
        let mut rules = points.filter_map(|point| self.offset_at(point));
        rules.find(|(_, found)| *found == season).map_or(point + hour, |(offset, _)| local - offset)
    }

    fn offset_at(&self, point: i64) -> Option<(i64, Season)> {
        let rules = self.zone.to_offset_info(Timestamp::from_second(point).ok()?);
        let season = match rules.dst() {
            Dst::Yes => Season::Saving,
            Dst::No => Season::Standard,
        };
        Some((i64::from(rules.offset().seconds()), season))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_both_ways() {
        for day in (-800_000..800_000i64).step_by(37) {
            let civil = Civil::of_seconds_in_utc(day * 86_400 + 3_723);
            assert_eq!(civil.seconds_in_utc(), day * 86_400 + 3_723, "{civil:?}");
            assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day), "{civil:?}");
        }
        let leap = Civil { year: 2024, month: 2, day: 29, hour: 0, minute: 0, second: 0 };
        assert_eq!((leap.seconds_in_utc(), leap.weekday()), (1_709_164_800, 3));
        let far = Civil { month: 14, day: 0, ..leap };
        assert_eq!(far.seconds_in_utc(), Civil { year: 2025, month: 1, day: 31, ..leap }.seconds_in_utc());
    }

    #[test]
    fn skipped_and_repeated_hours() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let at = |month, day, hour| Civil { year: 2024, month, day, hour, minute: 30, second: 0 };
        let mut clock = Clock::new(&berlin);
        assert_eq!(clock.put_right(at(3, 31, 2), Season::Either), Some(at(3, 31, 3)), "skipped");
        // Repeated: the guess decides, unless the season is said.
        clock.remember(1_729_983_600);
        assert_eq!(clock.point(at(10, 27, 2), Season::Either), Some(1_729_989_000));
        assert_eq!(clock.point(at(10, 27, 2), Season::Standard), Some(1_729_992_600));
        assert_eq!(clock.point(at(10, 27, 2), Season::Either), Some(1_729_992_600));
        assert_eq!(clock.point(at(10, 27, 2), Season::Saving), Some(1_729_989_000));
    }
}
