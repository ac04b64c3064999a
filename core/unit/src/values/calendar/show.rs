//! Calendar → the normalized text of `systemd-analyze calendar`.

use super::{Calendar, Part, Parts, SECOND, Where};
use std::fmt::{Display, Formatter, Result};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Display for Calendar {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.weekdays != 0 {
            weekdays(self.weekdays, f)?;
            f.write_str(" ")?;
        }
        parts(&self.year, 1, 4, f)?;
        f.write_str("-")?;
        parts(&self.month, 1, 2, f)?;
        f.write_str(if self.end_of_month { "~" } else { "-" })?;
        parts(&self.day, 1, 2, f)?;
        f.write_str(" ")?;
        parts(&self.hour, 1, 2, f)?;
        f.write_str(":")?;
        parts(&self.minute, 1, 2, f)?;
        f.write_str(":")?;
        parts(&self.second, SECOND, 2, f)?;
        match &self.zone {
            Where::Local => Ok(()),
            Where::Utc => f.write_str(" UTC"),
            Where::Named(name) => write!(f, " {name}"),
        }
    }
}

/// Three days or more in a row are a range.
fn weekdays(bits: u8, f: &mut Formatter<'_>) -> Result {
    let mut day = 0;
    let mut separator = "";
    while day < 7 {
        if bits & 1 << day == 0 {
            day += 1;
            continue;
        }
        let run = (day..7).take_while(|day| bits & 1 << day != 0).count();
        match run {
            1 | 2 => (day..day + run).try_for_each(|day| {
                write!(f, "{separator}{}", DAYS[day])?;
                separator = ",";
                Ok(())
            })?,
            _ => write!(f, "{separator}{}..{}", DAYS[day], DAYS[day + run - 1])?,
        }
        separator = ",";
        day += run;
    }
    Ok(())
}

fn parts(parts: &Parts, unit: u64, width: usize, f: &mut Formatter<'_>) -> Result {
    let Some(parts) = parts else { return f.write_str("*") };
    if unit > 1 && parts[..] == [(Part { start: 0, stop: None, repeat: unit })] {
        return f.write_str("*");
    }
    let number = |value: u64, width: usize, f: &mut Formatter<'_>| {
        write!(f, "{:0width$}", value / unit)?;
        if value.is_multiple_of(unit) { Ok(()) } else { write!(f, ".{:06}", value % unit) }
    };
    for (at, Part { start, stop, repeat }) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(",")?;
        }
        number(*start, width, f)?;
        if let Some(stop) = stop {
            f.write_str("..")?;
            number(*stop, width, f)?;
        }
        if *repeat > 0 && !(stop.is_some() && *repeat == unit) {
            f.write_str("/")?;
            number(*repeat, 1, f)?;
        }
    }
    Ok(())
}
