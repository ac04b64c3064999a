//! The values one field may take: `1,5..9,20/3`.

/// Values that add up; none at all means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain(pub Vec<Values>);

/// One value, or those from it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Values {
    pub start: i64,
    pub stop: Option<i64>,
    /// From one value to the next; 0 where there is but one.
    pub step: i64,
}

impl Chain {
    pub fn of(values: &[i64]) -> Chain {
        Chain(values.iter().copied().map(Values::one).collect())
    }

    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Cuts each range to its last value, sorts, and drops what stands twice.
    pub fn put_in_order(&mut self) {
        self.0.iter_mut().for_each(Values::cut);
        self.0.sort_unstable();
        self.0.dedup();
    }

    pub fn is_valid(&self, from: i64, to: i64) -> bool {
        self.0
            .iter()
            .all(|values| values.fits(from, to, values.start + values.step <= values.stop.unwrap_or(to)))
    }

    /// As [`Chain::is_valid`], for days that are counted from the end of a month of unknown length. That takes three
    /// days off what may be asked; systemd takes them off again for each further value, and so do we.
    pub fn is_valid_from_last(&self) -> bool {
        let counts_down = |values: &Values| match values.stop {
            Some(stop) => values.start + values.step <= stop,
            None => values.start - values.step >= 1,
        };
        let farthest = |at: usize| 28 - 3 * i64::try_from(at).unwrap_or(28);
        self.0.iter().enumerate().all(|(at, values)| values.fits(1, farthest(at), counts_down(values)))
    }

    /// The first value that is not below `from`.
    pub fn first_from(&self, from: i64) -> Option<i64> {
        if self.is_any() {
            return Some(from);
        }
        self.0.iter().filter_map(|values| values.first_from(from)).min()
    }

    /// As days of the month, where they are counted from its end; `day` turns one number into the other, or into
    /// none where the month is too short.
    pub fn counted_up(&self, mut day: impl FnMut(i64) -> Option<i64>) -> Chain {
        let turned = self.0.iter().map(|values| {
            // A start that the month does not have lies before its first day.
            let start = day(values.start).unwrap_or(-1);
            match values.stop.map(&mut day) {
                Some(Some(stop)) => Values { start: stop, stop: Some(start), ..*values },
                Some(None) | None => Values { start, stop: None, ..*values },
            }
        });
        Chain(turned.collect())
    }
}

impl Values {
    pub fn one(start: i64) -> Values {
        Values { start, stop: None, step: 0 }
    }

    fn cut(&mut self) {
        let Some(mut stop) = self.stop else { return };
        if stop > self.start && self.step > 0 {
            stop -= (stop - self.start) % self.step;
        }
        let step = if self.start + self.step > stop { 0 } else { self.step };
        *self = match stop == self.start {
            true => Values::one(self.start),
            false => Values { start: self.start, stop: Some(stop), step },
        };
    }

    fn fits(&self, from: i64, to: i64, comes_to_a_second: bool) -> bool {
        let inside = |value| (from..=to).contains(&value);
        inside(self.start) && self.stop.is_none_or(inside) && self.step <= to - from && comes_to_a_second
    }

    fn first_from(&self, from: i64) -> Option<i64> {
        if self.start >= from {
            return Some(self.start);
        }
        if self.step == 0 {
            return None;
        }
        let past = (from - self.start).rem_euclid(self.step);
        let value = if past == 0 { from } else { from + self.step - past };
        self.stop.is_none_or(|stop| value <= stop).then_some(value)
    }
}
