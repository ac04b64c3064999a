//! What a thread that keeps an entry knows of the daemon: whether it still wants it, whether it is well, and where lines go.

use crate::limits::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::log::{Log, Priority};
use crate::pulse::Pulse;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For as long as an entry is wanted.
#[derive(Debug)]
pub(super) struct Term {
    /// At its end when the entry is to be taken back.
    pub(super) bell: UnixStream,
    pub(super) log: Arc<Log>,
    pub(super) pulse: Arc<Pulse>,
}

/// What came of a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Rested,
    /// The term is over.
    Over,
}

impl Term {
    /// Rests, unless the term ends meanwhile.
    #[cfg_attr(not(feature = "consul"), allow(dead_code))]
    pub(super) fn rest(&self, time: Duration) -> Rest {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
            match poll(&mut [PollFd::new(&self.bell, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return Rest::Rested,
                Ok(_) => return Rest::Over,
                Err(_) if left.is_zero() => return Rest::Rested,
                Err(_) => {}
            }
        }
    }
}

/// Pauses that grow.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Pauses {
        Pauses(FIRST_PAUSE)
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// What is told of a registry that is away: once that it is, and once that it is back.
#[derive(Debug)]
pub(super) struct Trouble<'a> {
    log: &'a Log,
    /// `web at Consul's agent …`
    what: String,
    told: Told,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Trouble,
}

impl<'a> Trouble<'a> {
    pub(super) fn new(log: &'a Log, what: String) -> Trouble<'a> {
        Trouble { log, what, told: Told::Nothing }
    }

    pub(super) fn begins(&mut self, reason: &str) {
        if self.told == Told::Nothing {
            self.told = Told::Trouble;
            let text = format!("cannot announce {}: {}; tries again", self.what, one_line(reason));
            self.log.line(Priority::Warning, text);
        }
    }

    pub(super) fn is_over(&mut self) {
        if self.told == Told::Trouble {
            self.told = Told::Nothing;
            self.log.line(Priority::Notice, format!("announced {} after all", self.what));
        }
    }

    /// The last word: the entry may be left.
    pub(super) fn lasts(&self, reason: &str) {
        self.log.line(Priority::Warning, format!("cannot take back {}: {}", self.what, one_line(reason)));
    }
}

/// Others' words, without their ends of lines.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_one_line() {
        assert_eq!(one_line("Cannot do activation\n with no user\n"), "Cannot do activation with no user");
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let mut pauses = Pauses::new();
        let pauses: Vec<u128> = (0..9).map(|_| pauses.next().as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    }
}
