//! One step: an input is heard, what follows from it is queued, and the queues are emptied.
//!
//! ```text
//!   intake ─► life (a unit's kind takes its step; the change is told to job and neighbours)
//!               ├─► finish (its job ends, jobs that depended on it fail; tell says so)
//!               ├─► automatic (OnFailure=, Upholds=, BindsTo=, StopWhenUnneeded=, retroactive jobs)
//!               ├─► freezer (a unit that is suspended goes on before anything happens to it)
//!               ├─► exit_code (the unit's end may be the container's)
//!               └─► end (emergency actions, final targets)
//!   collect ─► units that nobody needs are forgotten, when nothing else is to be heard
//!   queue  ─► jobs are planned, put beside what is queued, and run when the order of units allows
//!   rings  ─► of jobs that wait for each other one is given up
//! ```
//!
//! No part calls back into a unit's kind while another unit's step is under way: such wishes are queued.

mod automatic;
mod clean;
mod collect;
mod end;
mod exit_code;
mod finish;
mod freezer;
mod intake;
mod life;
mod queue;
mod rings;
mod tell;
mod why;

pub use freezer::FreezerState;

use crate::api::{Announcement, Event, Input, Output};
use crate::engine::{Alarm, Engine, OwnWish};
use crate::graph::{Facets, UnitId};
use crate::job::Phase;
use crate::kind;
use crate::limits;
use crate::unit::StartLimit;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Running {
    Nothing,
    Jobs,
}

impl Running {
    /// What answers an order that a job gave is heard while jobs still run: systemd is answered at once.
    pub fn when_heard(input: &Input) -> Running {
        match input {
            Input::Fact(
                Event::Spawned { .. } | Event::ConditionsChecked { .. } | Event::SocketsOpened { .. },
            ) => Running::Jobs,
            Input::Fact(
                Event::Loaded(_)
                | Event::Exited { .. }
                | Event::SpawnFailed { .. }
                | Event::Executed { .. }
                | Event::SetupFailed { .. }
                | Event::BusName { .. }
                | Event::Mounts(_)
                | Event::MainFound { .. }
                | Event::MainMissing { .. }
                | Event::Notified { .. }
                | Event::Occupancy { .. }
                | Event::Freezer { .. }
                | Event::Cleaned { .. }
                | Event::Probed { .. }
                | Event::SocketReady { .. }
                | Event::OutOfMemory { .. },
            )
            | Input::Wish { .. }
            | Input::Tick => Running::Nothing,
        }
    }
}

impl Engine {
    /// The same, where what is heard tells a job that stops a unit whether anybody is left of it: systemd sees that itself.
    /// What the last step did not come to goes on where it was.
    pub(crate) fn running_when_heard(&self, input: &Input) -> Running {
        let answers_stop = match input {
            Input::Fact(Event::Occupancy { unit, occupancy: _ }) => self.graph.id(unit).is_some_and(|unit| {
                let unit = self.unit(unit);
                let job = unit.job.and_then(|job| self.jobs.get(&job));
                unit.life.held.is_some() && job.is_some_and(|job| job.facts.phase == Phase::Running)
            }),
            Input::Fact(_) | Input::Wish { .. } | Input::Tick => false,
        };
        if answers_stop || !self.queues.ready.is_empty() { Running::Jobs } else { Running::when_heard(input) }
    }

    /// Empties the queues. What is left after the limit waits for the next step.
    /// All jobs that can run do before anything is queued for what they left: systemd's two turns of one loop.
    pub(crate) fn settle(&mut self, mut running: Running) {
        for _ in 0..limits::EFFECTS_PER_STEP {
            if let Some((unit, triggered)) = self.queues.triggers.pop_front() {
                self.tell_trigger(unit, triggered);
            } else if let Some((unit, wish)) = self.queues.wishes.pop_front() {
                self.grant(unit, wish);
            } else if running == Running::Jobs {
                if !self.queues.suspects.is_empty() {
                    self.break_ring();
                    continue;
                }
                match self.queues.ready.pop_first() {
                    Some((_, job)) => self.run_job(job),
                    None => running = Running::Nothing,
                }
            } else if let Some(unit) = self.queues.upheld.pop_first() {
                self.check_upheld(unit);
            } else if let Some(unit) = self.queues.bound.pop_first() {
                self.check_bound(unit);
            } else if let Some(unit) = self.queues.unneeded.pop_first() {
                self.check_unneeded(unit);
            } else if !self.queues.ready.is_empty() || !self.queues.suspects.is_empty() {
                running = Running::Jobs;
            } else {
                self.finish_startup();
                return;
            }
        }
        self.say(None, 3, "more follows from this event than one step may do, going on with the next".into());
    }

    /// Strikes every alarm that is due.
    pub(crate) fn expire(&mut self) {
        for _ in 0..limits::EFFECTS_PER_STEP {
            let Some((deadline, alarm)) = self.deadlines.first().copied() else { return };
            if deadline > self.now.monotonic {
                return;
            }
            self.deadlines.pop_first();
            match alarm {
                Alarm::Unit(unit) => {
                    self.unit_mut(unit).deadline = None;
                    self.step_unit(unit, kind::Input::Deadline);
                    // A kind that keeps a deadline that has passed is asked again at the next step, not in a loop.
                    if self.unit(unit).deadline.is_some_and(|next| next <= self.now.monotonic) {
                        let next = self.now.monotonic + 1;
                        let old = self.unit(unit).deadline;
                        self.set_alarm(alarm, old, Some(next));
                        self.unit_mut(unit).deadline = Some(next);
                    }
                }
                Alarm::Job(job) => self.job_timed_out(job),
            }
        }
    }

    fn tell_trigger(&mut self, unit: UnitId, triggered: UnitId) {
        let of = self.unit(triggered);
        let news = match of.life.start_limit {
            StartLimit::Hit => Some(kind::Triggered::StartLimitHit),
            StartLimit::Within if of.job.is_some() => None,
            StartLimit::Within => of.state.as_ref().and_then(kind::State::for_triggers),
        };
        if let Some(news) = news {
            self.step_unit(unit, kind::Input::Triggered(news));
        }
    }

    fn grant(&mut self, unit: UnitId, wish: OwnWish) {
        match wish {
            OwnWish::Restart => self.restart_by_itself(unit),
            OwnWish::GiveUpRestart => self.give_up_restart(unit),
            OwnWish::Trigger => self.trigger(unit),
            OwnWish::PropagateReload => {
                let others: Vec<UnitId> = self.graph.neighbours(unit, Facets::PROPAGATE_RELOAD).collect();
                for other in others {
                    self.reload_too(other, unit);
                }
            }
        }
    }

    /// Ends the step: what changed is written down and announced.
    pub(crate) fn close(&mut self) -> Output {
        for unit in std::mem::take(&mut self.pen.changed_units) {
            let name = self.graph.name(unit).clone();
            self.announce(Announcement::UnitChanged(name));
        }
        self.write_records();
        std::mem::take(&mut self.pen.output)
    }
}
