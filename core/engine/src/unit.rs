//! What the engine keeps of one unit beside its configuration: the kind's own state, how its run went, when it
//! changed, and what is counted against its limits.

use crate::api::{ActiveState, JobId, Moment};
use crate::job::algebra::{is_down, is_up};
use crate::kind::{self, History, Run};
use crate::limits;
use crate::step::FreezerState;
use crate::why::{Turns, What};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::span::Span;
use serde::{Deserialize, Serialize};

#[derive(Debug)]
pub(crate) struct Unit {
    /// `None` only while its kind takes a step, and where there is no unit.
    pub state: Option<kind::State>,
    /// The unit's job. `nop` jobs have a place of their own.
    pub job: Option<JobId>,
    /// How many `nop` jobs there are for it.
    pub nops: u32,
    /// How often somebody holds it, so that it is not forgotten.
    pub holds: u32,
    /// The deadline that stands in the engine's list for it.
    pub deadline: Option<u64>,
    pub life: Box<Life>,
}

/// What is written down beside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Life {
    pub run: Run,
    pub history: History,
    pub times: Times,
    pub condition: Checked,
    pub assertion: Checked,
    pub starts: Bucket,
    pub start_limit: StartLimit,
    /// Starts and stops nobody asked for but dependencies (Upholds=, BindsTo=, StopWhenUnneeded=).
    pub automatic: Bucket,
    /// Jobs queued for it because another unit came or went.
    pub consequences: Bucket,
    pub freezer: FreezerState,
    pub undecided: Undecided,
    /// Why it came up and went down last.
    pub turns: Turns,
    /// A change that was not told yet.
    pub held: Option<Box<Held>>,
}

impl Life {
    /// Of tests that read otherwise than when they were asked, only what came of all of them is known.
    pub fn forget_verdicts(&mut self, before: &Config, now: &Config) {
        if before.unit.conditions != now.unit.conditions {
            self.condition.each = Each::Unknown;
        }
        if before.unit.asserts != now.unit.asserts {
            self.assertion.each = Each::Unknown;
        }
    }
}

/// Whether the unit may stay up hangs on conditions that are being looked at: it is asked again when they are known.
/// systemd knows them at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Undecided {
    /// Of what it is bound to.
    pub bound: bool,
    /// Of what would need it.
    pub unneeded: bool,
}

/// Where the unit was before a change of which it is not known yet whether it is one, and what set it going.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub from: ActiveState,
    pub what: What,
}

/// When the unit changed: the five timestamps clients read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    pub state_change: Moment,
    pub inactive_exit: Moment,
    pub active_enter: Moment,
    pub active_exit: Moment,
    pub inactive_enter: Moment,
}

impl Times {
    /// How long the unit, being in `state`, was up in its run: from its last coming up to its going, or to now.
    pub fn was_up(&self, state: ActiveState, now: u64) -> Span {
        let since = self.active_enter.monotonic;
        if is_up(state) {
            return Span(now.saturating_sub(since));
        }
        // A run that began after the last coming up never got there.
        let got_there = since >= self.inactive_exit.monotonic;
        Span(if got_there { self.active_exit.monotonic.saturating_sub(since) } else { 0 })
    }
}

/// The verdict of `Condition…=` or `Assert…=`, and when it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub holds: bool,
    pub at: Moment,
    pub each: Each,
}

/// What came of each test in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Each {
    #[default]
    Unknown,
    /// Bit N: the Nth test does not hold. Of those beyond the 64th it is not known.
    Unmet(u64),
}

impl Checked {
    /// What came of so many tests, each with its negation taken in, and of all of them together. A verdict that is missing
    /// does not hold.
    pub fn of(count: usize, verdicts: &[bool], holds: bool, at: Moment) -> Checked {
        let fails = |place: &usize| !verdicts.get(*place).copied().unwrap_or(false);
        let unmet =
            (0..count.min(u64::BITS as usize)).filter(fails).fold(0, |unmet, place| unmet | 1 << place);
        Checked { holds, at, each: Each::Unmet(unmet) }
    }

    /// All tests hold, or there are none.
    pub fn passed(at: Moment) -> Checked {
        Checked { holds: true, at, each: Each::Unmet(0) }
    }

    /// Whether the test at this place held when it was asked last; `None`: it was not asked, or nobody knows.
    pub fn verdict(&self, place: usize) -> Option<bool> {
        match self.each {
            Each::Unmet(unmet) if place < u64::BITS as usize => Some(unmet >> place & 1 == 0),
            Each::Unmet(_) | Each::Unknown => None,
        }
    }
}

/// How often something happened within a window that opens with the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    opened: Option<u64>,
    count: u32,
}

/// How the last start fared against `StartLimitBurst=`. The unit's result may tell of what came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StartLimit {
    #[default]
    Within,
    Hit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    Within,
    Exhausted,
}

impl Bucket {
    /// Counts one more. A length or number of nought is no limit.
    pub fn take(&mut self, now: u64, interval: Span, burst: u32) -> Allowance {
        if interval == Span::ZERO || burst == 0 {
            return Allowance::Within;
        }
        let open = self.opened.is_some_and(|opened| now.saturating_sub(opened) <= interval.0);
        if !open {
            *self = Bucket { opened: Some(now), count: 1 };
            Allowance::Within
        } else if self.count < burst {
            self.count += 1;
            Allowance::Within
        } else {
            Allowance::Exhausted
        }
    }

    pub fn take_automatic(&mut self, now: u64) -> Allowance {
        self.take(now, Span(limits::AUTOMATIC_INTERVAL_USEC), limits::AUTOMATIC_BURST)
    }

    pub fn take_consequence(&mut self, now: u64) -> Allowance {
        self.take(now, Span(limits::CONSEQUENCE_INTERVAL_USEC), limits::CONSEQUENCE_BURST)
    }

    pub fn reset(&mut self) {
        *self = Bucket::default();
    }
}

impl Unit {
    pub fn new(config: &Config) -> Unit {
        Unit { state: Some(kind::State::initial(config)), ..Unit::vacant() }
    }

    /// What stands at the place of a unit that was forgotten.
    pub fn vacant() -> Unit {
        Unit { state: None, job: None, nops: 0, holds: 0, deadline: None, life: Box::default() }
    }

    pub fn active(&self) -> ActiveState {
        self.state.as_ref().map_or(ActiveState::Maintenance, kind::State::active_state)
    }

    pub fn has_job(&self) -> bool {
        self.job.is_some() || self.nops > 0
    }

    pub fn is_down(&self) -> bool {
        is_down(self.active())
    }
}

/// There before any job and never stopped: `-.slice`, `init.scope`, `-.mount`.
pub fn is_perpetual(config: &Config) -> bool {
    kind::State::initial(config).active_state() == ActiveState::Active
}

/// The targets whose start ends everything.
pub(crate) const FINAL_TARGETS: [&str; 6] =
    ["exit.target", "poweroff.target", "reboot.target", "soft-reboot.target", "halt.target", "kexec.target"];

/// Whether a job can bring the unit up; a device or a scope comes by itself.
pub fn can_start(config: &Config) -> bool {
    match &config.body {
        Body::Device | Body::Scope => false,
        Body::Service(_)
        | Body::Socket(_)
        | Body::Target
        | Body::Slice
        | Body::Mount(_)
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => true,
    }
}

/// Which kinds count their starts against `StartLimitBurst=`.
pub(crate) fn limits_starts(config: &Config) -> bool {
    match &config.body {
        Body::Service(_)
        | Body::Socket(_)
        | Body::Mount(_)
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => true,
        Body::Target | Body::Slice | Body::Scope | Body::Device => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_keeps_its_verdict() {
        let checked = Checked::of(4, &[true, false, true], false, Moment { monotonic: 5, realtime: 6 });
        let each = [0, 1, 2, 3].map(|place| checked.verdict(place));
        assert_eq!(each, [Some(true), Some(false), Some(true), Some(false)]);
        assert_eq!(Checked::default().verdict(0), None);
    }

    #[test]
    fn of_tests_beyond_the_64th_only_the_whole_is_known() {
        let mut verdicts = [true; 70];
        verdicts[63] = false;
        verdicts[69] = false;
        let checked = Checked::of(70, &verdicts, false, Moment { monotonic: 1, realtime: 1 });
        assert_eq!((checked.holds, checked.each), (false, Each::Unmet(1 << 63)));
        assert_eq!(checked.verdict(69), None);
    }

    #[test]
    fn a_test_that_reads_otherwise_has_no_verdict() {
        let mut life = Life::default();
        let of = |verdict| Checked::of(1, &[verdict], verdict, Moment { monotonic: 1, realtime: 1 });
        (life.condition, life.assertion) = (of(false), of(true));
        let name = eudaemon_unit::name::UnitName::parse("a.service").unwrap();
        let before = Config::bare(name, eudaemon_unit::config::LoadState::Loaded);
        let mut now = before.clone();
        now.unit.conditions.push(eudaemon_unit::config::unit::Condition {
            test: "Host".to_owned(),
            value: "here".to_owned(),
            negated: false,
            triggering: false,
        });
        life.forget_verdicts(&before, &now);
        assert_eq!((life.condition.verdict(0), life.condition.holds), (None, false));
        assert_eq!(life.assertion.verdict(0), Some(true));
    }

    #[test]
    fn a_window_opens_with_the_first_and_closes_after_the_interval() {
        let mut bucket = Bucket::default();
        let mut take = |now| bucket.take(now, Span(10), 2);
        assert_eq!(
            [take(0), take(5), take(10), take(11), take(12), take(13)].map(|a| a == Allowance::Within),
            [true, true, false, true, true, false]
        );
    }
}
