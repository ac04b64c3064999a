//! Jobs nobody asked for but the dependencies: systemd.unit(5), `OnFailure=`, `Upholds=`, `BindsTo=`,
//! `StopWhenUnneeded=`, and what follows when a unit comes or goes without a job.

use crate::api::{ActiveState, InvocationId, JobKind, Monitored};
use crate::engine::{Engine, Queues};
use crate::graph::{Facets, UnitId};
use crate::job::Phase;
use crate::job::algebra::{is_down, is_down_or_going, is_up, is_up_or_coming};
use crate::kind;
use crate::transaction::{Ask, Origin};
use crate::unit::Allowance;
use crate::why::{Errand, Root};
use eudaemon_unit::config::unit::JobMode;
use std::collections::BTreeSet;

impl Engine {
    /// The unit came up unasked: what it requires shall be up, what it conflicts with down.
    pub(super) fn start_retroactively(&mut self, unit: UnitId) {
        let absent = |engine: &Engine, other: &UnitId| {
            !engine.graph.related(unit, Facets::AFTER, *other)
                && !is_up_or_coming(engine.unit(*other).active())
        };
        for other in self.those(unit, Facets::RETROACTIVE_START, absent) {
            let root = self.followed(unit, Facets::RETROACTIVE_START, other);
            self.start_by_itself(other, JobMode::Replace, root);
        }
        for other in self.those(unit, Facets::RETROACTIVE_START_FAIL, absent) {
            let root = self.followed(unit, Facets::RETROACTIVE_START_FAIL, other);
            self.start_by_itself(other, JobMode::Fail, root);
        }
        let running = |engine: &Engine, other: &UnitId| !is_down_or_going(engine.unit(*other).active());
        for other in self.those(unit, Facets::RETROACTIVE_STOP_ON_START, running) {
            let root = self.followed(unit, Facets::RETROACTIVE_STOP_ON_START, other);
            self.stop_by_itself(other, JobMode::Replace, root);
        }
    }

    /// The unit went down unasked: what is bound to it shall go too.
    pub(super) fn stop_retroactively(&mut self, unit: UnitId) {
        let running = |engine: &Engine, other: &UnitId| !is_down_or_going(engine.unit(*other).active());
        for other in self.those(unit, Facets::RETROACTIVE_STOP_ON_STOP, running) {
            let root = self.followed(unit, Facets::RETROACTIVE_STOP_ON_STOP, other);
            self.stop_by_itself(other, JobMode::Replace, root);
        }
    }

    fn those(&self, unit: UnitId, facet: Facets, wanted: impl Fn(&Engine, &UnitId) -> bool) -> Vec<UnitId> {
        self.graph.neighbours(unit, facet).filter(|other| wanted(self, other)).collect()
    }

    /// `OnFailure=` or `OnSuccess=`.
    pub(super) fn start_after(&mut self, unit: UnitId, facet: Facets) {
        let others: Vec<UnitId> = self.graph.neighbours(unit, facet).collect();
        if others.is_empty() {
            return;
        }
        let config = std::sync::Arc::clone(self.graph.config(unit));
        let mode = match facet == Facets::ON_FAILURE {
            true => config.unit.on_failure_job_mode,
            false => config.unit.on_success_job_mode,
        };
        let life = &self.unit(unit).life;
        let monitored = Monitored {
            unit: config.name.clone(),
            invocation: life.run.invocation.unwrap_or(InvocationId([0; 16])),
            result: life.history.result,
            exit: life.history.main.status,
        };
        for other in others {
            let ask = Ask { unit: other, kind: JobKind::Start, mode, origin: Origin::Engine };
            self.follow_on(ask, Root::Ended(Box::new(monitored.clone())));
        }
    }

    /// Something active that upholds the unit starts it again.
    pub(super) fn check_upheld(&mut self, unit: UnitId) {
        if !self.unit(unit).is_down() || self.unit(unit).job.is_some() {
            return;
        }
        let mut holders = self.graph.neighbours(unit, Facets::UPHELD_BY);
        let up = |holder: &UnitId| is_up(self.unit(*holder).active()) && self.unit(*holder).job.is_none();
        let holder = holders.find(up);
        drop(holders);
        if let Some(holder) = holder
            && self.may_act_on(unit)
        {
            let root = self.followed(holder, Facets::CHECK_UPHELD, unit);
            self.start_by_itself(unit, JobMode::Fail, root);
        }
    }

    /// The unit cannot stay up without something that is down.
    pub(super) fn check_bound(&mut self, unit: UnitId) {
        if self.unit(unit).active() != ActiveState::Active || self.unit(unit).job.is_some() {
            return;
        }
        let bonds: Vec<UnitId> = self.graph.neighbours(unit, Facets::BOUND).collect();
        let lost = bonds
            .iter()
            .copied()
            .find(|other| self.unit(*other).is_down() && self.unit(*other).job.is_none());
        let undecided = bonds.iter().any(|other| self.unit(*other).is_down() && self.is_checking(*other));
        if self.unit(unit).life.undecided.bound != undecided {
            self.unit_mut(unit).life.undecided.bound = undecided;
        }
        if let Some(lost) = lost
            && self.may_act_on(unit)
        {
            let root = self.followed(lost, Facets::CHECK_BOUND, unit);
            self.stop_by_itself(unit, JobMode::Replace, root);
        }
    }

    /// Nobody needs the unit, and it says that it wants to go then.
    pub(super) fn check_unneeded(&mut self, unit: UnitId) {
        if !self.graph.config(unit).unit.stop_when_unneeded
            || self.unit(unit).active() != ActiveState::Active
            || self.unit(unit).job.is_some()
        {
            return;
        }
        let needing: Vec<UnitId> = self.graph.neighbours(unit, Facets::NEEDED_BY).collect();
        let needs = |other: &UnitId| self.unit(*other).job.is_some() || !is_down(self.unit(*other).active());
        let needed = needing.iter().any(needs);
        let undecided = needing.iter().any(|other| self.is_checking(*other));
        if self.unit(unit).life.undecided.unneeded != undecided {
            self.unit_mut(unit).life.undecided.unneeded = undecided;
        }
        if !needed && self.may_act_on(unit) {
            self.stop_by_itself(unit, JobMode::Fail, Root::Unneeded);
        }
    }

    /// Conditions of the unit's start are being looked at.
    fn is_checking(&self, unit: UnitId) -> bool {
        let job = self.unit(unit).job.and_then(|job| self.jobs.get(&job));
        job.is_some_and(|job| job.facts.phase == Phase::Checking)
    }

    /// The unit's conditions are known: whoever came up meanwhile is looked at again.
    pub(super) fn decide_onlookers(&mut self, unit: UnitId) {
        let bound =
            self.those(unit, Facets::CHECK_BOUND, |engine, other| engine.unit(*other).life.undecided.bound);
        self.queues.bound.extend(bound);
        let unneeded = self
            .those(unit, Facets::CHECK_UNNEEDED, |engine, other| engine.unit(*other).life.undecided.unneeded);
        self.queues.unneeded.extend(unneeded);
    }

    fn may_act_on(&mut self, unit: UnitId) -> bool {
        let now = self.now.monotonic;
        let allowance = self.unit_mut(unit).life.automatic.take_automatic(now);
        if allowance == Allowance::Exhausted {
            let name = self.graph.name(unit);
            let text = format!("{name}: started or stopped too often by its dependencies, left as it is");
            self.say(Some(unit), 4, text);
        }
        allowance == Allowance::Within
    }

    /// `Restart=`: the unit and what a restart of it concerns.
    pub(super) fn restart_by_itself(&mut self, unit: UnitId) {
        let ask = Ask { unit, kind: JobKind::Restart, mode: JobMode::Replace, origin: Origin::Engine };
        let queued = self.unit(unit).job.and_then(|job| self.jobs.get(&job));
        // The stop that is queued ends the waiting for the restart.
        if queued.is_some_and(|job| job.facts.kind == JobKind::Stop) {
            return;
        }
        match self.try_enqueue(ask, Root::Restart) {
            Queued::Refused => {
                self.step_unit(unit, kind::Input::RestartRefused);
            }
            Queued::Yes => {
                let (name, count) = (self.graph.name(unit), self.unit(unit).life.history.restarts);
                let text = format!("{name}: is to be started again, restart {count}");
                self.say(Some(unit), 6, text);
            }
        }
    }

    /// A unit that waits for the restart job it asked for waits no longer when that was cancelled.
    pub(super) fn give_up_restart(&mut self, unit: UnitId) {
        let of = self.unit(unit);
        let waits =
            of.state.as_ref().is_some_and(|s| s.sub_state() == "auto-restart" && s.deadline().is_none());
        if waits && of.job.is_none() {
            self.step_unit(unit, kind::Input::RestartRefused);
        }
    }

    /// Activity on a socket starts its service.
    pub(super) fn trigger(&mut self, unit: UnitId) {
        let triggered = self.graph.neighbours(unit, Facets::TRIGGERS).next();
        let Some(other) = triggered else {
            self.step_unit(unit, kind::Input::TriggerRefused);
            return;
        };
        if is_up_or_coming(self.unit(other).active()) {
            return;
        }
        let ask = Ask { unit: other, kind: JobKind::Start, mode: JobMode::Replace, origin: Origin::Engine };
        let root = Root::Triggered(self.graph.name(unit).clone());
        if self.try_enqueue(ask, root) == Queued::Refused {
            self.step_unit(unit, kind::Input::TriggerRefused);
        }
    }

    /// `by` reloads of its own accord.
    pub(super) fn reload_too(&mut self, unit: UnitId, by: UnitId) {
        let ask = Ask { unit, kind: JobKind::TryReload, mode: JobMode::Fail, origin: Origin::Engine };
        let root = self.followed(by, Facets::PROPAGATE_RELOAD, unit);
        self.follow_on(ask, root);
    }

    fn start_by_itself(&mut self, unit: UnitId, mode: JobMode, root: Root) {
        self.follow_on(Ask { unit, kind: JobKind::Start, mode, origin: Origin::Engine }, root);
    }

    fn stop_by_itself(&mut self, unit: UnitId, mode: JobMode, root: Root) {
        self.follow_on(Ask { unit, kind: JobKind::Stop, mode, origin: Origin::Engine }, root);
    }

    /// The `other` unit has a job since `unit`, which has one of these words for it, came or went.
    fn followed(&self, unit: UnitId, facets: Facets, other: UnitId) -> Root {
        match self.word_for(unit, facets, other) {
            Some(word) => Root::Followed { unit: self.graph.name(unit).clone(), word },
            None => Root::Unneeded,
        }
    }

    /// A job that follows from what happened to another unit.
    fn follow_on(&mut self, ask: Ask, root: Root) {
        let now = self.now.monotonic;
        if self.unit_mut(ask.unit).life.consequences.take_consequence(now) == Allowance::Exhausted {
            let text = format!("{}: job not queued, too many follow on others", self.graph.name(ask.unit));
            self.say(Some(ask.unit), 4, text);
            return;
        }
        self.try_enqueue(ask, root);
    }

    fn try_enqueue(&mut self, ask: Ask, root: Root) -> Queued {
        match self.enqueue(ask, Errand::of(root, self.now)) {
            Ok(_) => Queued::Yes,
            Err(refusal) => {
                let text = format!("{}: job not queued: {}", self.graph.name(ask.unit), refusal.reason());
                self.say(Some(ask.unit), 4, text);
                Queued::Refused
            }
        }
    }

    pub(super) fn queue_neighbours(
        &mut self,
        unit: UnitId,
        facet: Facets,
        queue: impl Fn(&mut Queues) -> &mut BTreeSet<UnitId>,
    ) {
        let queue = queue(&mut self.queues);
        queue.extend(self.graph.neighbours(unit, facet));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    Yes,
    Refused,
}
