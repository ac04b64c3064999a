//! Calendar expressions: systemd.time(7), "Calendar Events". Text in, a set of moments out, the next of them after any other.
//!
//! No clock and no zone is read here: what the offset from UTC is at an instant, the caller's [`Zone`] says.

mod next;
mod read;
mod show;

pub(super) use next::{civil, days, instants};
pub use read::parse;

/// The rules of a time zone.
pub trait Zone {
    /// Seconds east of UTC at an instant, in seconds since the epoch.
    fn offset(&self, utc: i64) -> i64;
}

/// UTC itself.
#[derive(Clone, Copy, Debug)]
pub struct Utc;

impl Zone for Utc {
    fn offset(&self, _: i64) -> i64 {
        0
    }
}

/// Which zone an expression is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// The machine's own.
    Local,
    Utc,
    /// By its name in the zoneinfo database.
    Named(String),
}

/// One value, or a range, with a step if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    pub start: u64,
    pub stop: Option<u64>,
    /// 0: none.
    pub repeat: u64,
}

/// Values of one field; `None` is any.
type Parts = Option<Vec<Part>>;

/// A calendar expression; seconds are counted in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Bit 0 is Monday; 0 is any day.
    weekdays: u8,
    year: Parts,
    month: Parts,
    day: Parts,
    /// Days are counted from the month's last.
    end_of_month: bool,
    hour: Parts,
    minute: Parts,
    second: Parts,
    pub zone: Where,
}

const SECOND: u64 = 1_000_000;

/// Months of a shortcut are single values.
fn only(values: &[u64]) -> Parts {
    Some(values.iter().map(|start| Part { start: *start, stop: None, repeat: 0 }).collect())
}

#[cfg(test)]
mod tests;
