//! The one way to write an expression.

use super::chain::{Chain, Values};
use super::{Calendar, DaysFrom, SECOND, WEEKDAYS, Weekdays, Zone};
use std::fmt::{self, Display, Formatter};

impl Display for Calendar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.weekdays.is_any() {
            write!(f, "{} ", self.weekdays)?;
        }
        let before_day = match self.days_from {
            DaysFrom::First => '-',
            DaysFrom::Last => '~',
        };
        let field = |chain, width| Field { chain, width, unit: 1 };
        let second = Field { chain: &self.second, width: 2, unit: SECOND };
        write!(f, "{}-{}{before_day}", field(&self.year, 4), field(&self.month, 2))?;
        write!(f, "{} {}:{}:{second}", field(&self.day, 2), field(&self.hour, 2), field(&self.minute, 2))?;
        match &self.zone {
            Zone::Local => Ok(()),
            Zone::Season(word) => write!(f, " {}", word.name),
            Zone::Utc => f.write_str(" UTC"),
            Zone::Named(name) => write!(f, " {name}"),
        }
    }
}

impl Display for Weekdays {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut day = 0;
        let mut comma = "";
        while day < 7 {
            let run = (day..7).take_while(|day| self.has(*day)).count();
            let name = |day: usize| WEEKDAYS[day].0;
            match run {
                0 => {}
                1 => write!(f, "{comma}{}", name(day))?,
                2 => write!(f, "{comma}{},{}", name(day), name(day + 1))?,
                3.. => write!(f, "{comma}{}..{}", name(day), name(day + run - 1))?,
            }
            if run > 0 {
                comma = ",";
            }
            day += run + 1;
        }
        Ok(())
    }
}

struct Field<'a> {
    chain: &'a Chain,
    width: usize,
    /// The field is written in this many of what it is counted in.
    unit: i64,
}

impl Display for Field<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Field { chain, width, unit } = *self;
        // A field that is counted finer than it is written has no word for "any": it says each.
        let each = [Values { start: 0, stop: None, step: unit }];
        if chain.is_any() || unit > 1 && chain.0 == each {
            return f.write_str("*");
        }
        let number = |f: &mut Formatter<'_>, number: i64, width: usize| match number % unit {
            0 => write!(f, "{:0width$}", number / unit),
            part => write!(f, "{:0width$}.{part:06}", number / unit),
        };
        for (at, values) in chain.0.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            number(f, values.start, width)?;
            if let Some(stop) = values.stop {
                f.write_str("..")?;
                number(f, stop, width)?;
            }
            if values.step > 0 && !(values.stop.is_some() && values.step == unit) {
                f.write_str("/")?;
                number(f, values.step, 1)?;
            }
        }
        Ok(())
    }
}
