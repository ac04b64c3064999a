//! A unit takes a step, and those around it hear of the change. The order of what follows a change is
//! systemd's: timestamps, the unit's own job, retroactive jobs, OnFailure=/OnSuccess=, the watchers.

use super::exit_code::is_end;
use super::why::{short, told_by};
use crate::api::{Action, ActiveState, Freezer, JobId, ServiceResult};
use crate::engine::{Alarm, Engine, OwnWish, Turn};
use crate::graph::{Facets, UnitId};
use crate::job::algebra::{is_down, is_down_or_going, is_up, is_up_or_coming};
use crate::kind::{self, Cx, Effects, HealthNews, Perhaps, ReloadOutcome, Reply, Restarts, WentDown};
use crate::unit::Held;
use crate::why::What;

/// What must be known of a change beyond the two states.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    pub reload: Option<ReloadOutcome>,
    pub down: Down,
}

/// Why a unit is down, where it matters to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Down {
    #[default]
    ToStay,
    /// An automatic restart follows: that is no reason for OnFailure=.
    ToRestart,
}

impl Engine {
    /// Lets the unit's kind hear `input`, and does all that it and the change want.
    pub(crate) fn step_unit(&mut self, unit: UnitId, input: kind::Input) -> Reply {
        let config = std::sync::Arc::clone(self.graph.config(unit));
        let next_invocation = self.next_invocation();
        let restarts = match self.unit(unit).job.and_then(|job| self.jobs.get(&job)) {
            Some(job) if job.facts.kind == crate::api::JobKind::Stop => Restarts::Barred,
            Some(_) | None => Restarts::Allowed,
        };
        let starts = matches!(input, kind::Input::Start);
        self.unit_mut(unit);
        let of = &mut self.units[unit.index()];
        let Some(state) = of.state.take() else {
            // A kind cannot be asked while it answers: such wishes are queued. Should it happen, nothing is lost
            // but this input.
            return Reply::Later;
        };
        let from = state.active_state();
        let what = told_by(&input, &state, &config, &of.life.history, self.now);
        let was_asked = state.health().is_some();
        let owned_before = state.processes();
        // As far as anybody was told it is up until then.
        let told = of.life.held.as_ref().map_or(from, |held| held.from);
        let was_up = of.life.times.was_up(told, self.now.monotonic);
        let life = &mut *of.life;
        let mut cx = Cx {
            now: self.now,
            unit: &config.name,
            run: &mut life.run,
            next_invocation,
            restarts,
            was_up,
            history: &mut life.history,
            process_ids: &mut self.counters.process_ids,
            effects: Effects::default(),
        };
        let state = kind::step(state, input, &config, &mut cx);
        let effects = cx.effects;
        let to = state.active_state();
        let owned_after = state.processes();
        let deadline = state.deadline();
        if life.run.invocation == Some(next_invocation) {
            self.counters.invocations += 1;
        }
        let old_deadline = std::mem::replace(&mut of.deadline, deadline);
        of.state = Some(state);
        self.set_alarm(Alarm::Unit(unit), old_deadline, deadline);
        for process in owned_before.iter().filter(|p| !owned_after.iter().any(|q| q.id == p.id)) {
            self.owners.remove(&process.id);
        }
        for process in owned_after {
            self.owners.insert(process.id, unit);
        }
        let reply = self.carry_out(unit, (from, to), effects, what, starts);
        if !was_asked && self.unit(unit).life.freezer.stands_still() {
            self.tell_health(unit, Freezer::Frozen);
        }
        self.loosen(unit);
        reply
    }

    fn carry_out(
        &mut self,
        unit: UnitId,
        (from, to): (ActiveState, ActiveState),
        effects: Effects,
        what: What,
        starts: bool,
    ) -> Reply {
        for action in effects.orders {
            let released = matches!(action, Action::Release { .. });
            self.order(action);
            if released {
                self.freezer_released(unit);
            }
        }
        for (level, text) in effects.said {
            self.say(Some(unit), level as u8, text);
        }
        if effects.restart_due {
            self.queues.wishes.push_back((unit, OwnWish::Restart));
        }
        if effects.trigger {
            self.queues.wishes.push_back((unit, OwnWish::Trigger));
        }
        if effects.reloads_itself {
            self.queues.wishes.push_back((unit, OwnWish::PropagateReload));
        }
        if effects.reply != Reply::Taken {
            return effects.reply;
        }
        let what = effects.unhealthy.map_or(what, |trouble| What::Unhealthy(short(trouble)));
        if from == to && effects.health != HealthNews::None {
            if effects.health == HealthNews::Changed {
                self.pen.changed_units.insert(unit);
            }
            return Reply::Taken;
        }
        let perhaps = self.unit(unit).state.as_ref().map(kind::State::stops_perhaps);
        let (from, what) = match self.unit_mut(unit).life.held.take() {
            Some(held) => (held.from, held.what),
            None => (from, what),
        };
        if perhaps == Some(Perhaps::Stops) && from != to {
            self.unit_mut(unit).life.held = Some(Box::new(Held { from, what }));
            return Reply::Taken;
        }
        let skipped = self.unit(unit).life.history.result == ServiceResult::ExecCondition;
        if skipped && is_down_or_going(to) {
            // What the command said counts as a condition that does not hold.
            self.unit_mut(unit).life.condition.holds = false;
        }
        let how = How { reload: effects.reload, down: Down::ToStay };
        match effects.went_down {
            Some(through) => {
                let through = match through {
                    WentDown::Inactive => ActiveState::Inactive,
                    WentDown::Failed => ActiveState::Failed,
                };
                self.note_turn(unit, from, through, what);
                self.note_turn(unit, through, to, What::Restart);
                self.changed(unit, from, through, How { down: Down::ToRestart, ..how });
                self.changed(unit, through, to, How::default());
            }
            // It came up and went down within the step: nobody may take that for nothing having happened.
            None if starts && is_down(from) && is_down(to) => {
                self.note_turn(unit, ActiveState::Activating, to, what);
                self.changed(unit, from, ActiveState::Activating, How::default());
                self.changed(unit, ActiveState::Activating, to, how);
            }
            None => {
                self.note_turn(unit, from, to, what);
                self.changed(unit, from, to, how);
            }
        }
        Reply::Taken
    }

    /// Tells everybody concerned that the unit went `from` one state `to` another; they may be the same.
    pub(crate) fn changed(&mut self, unit: UnitId, from: ActiveState, to: ActiveState, how: How) {
        self.stamp(unit, from, to);
        let expected = match self.unit(unit).job {
            Some(job) => self.meet(job, to, how),
            None => Expected::No,
        };
        if expected == Expected::No {
            if is_down(from) && is_up_or_coming(to) {
                self.start_retroactively(unit);
            } else if is_up_or_coming(from) && is_down_or_going(to) {
                self.stop_retroactively(unit);
            }
        }
        if from == to {
            return;
        }
        if is_down(to) {
            self.queue_neighbours(unit, Facets::CHECK_UNNEEDED, |queues| &mut queues.unneeded);
            self.queue_neighbours(unit, Facets::CHECK_BOUND, |queues| &mut queues.bound);
        }
        if is_up(to) && !is_up(from) {
            self.queue_neighbours(unit, Facets::CHECK_UPHELD, |queues| &mut queues.upheld);
        }
        if to == ActiveState::Failed && how.down != Down::ToRestart {
            self.start_after(unit, Facets::ON_FAILURE);
        }
        if to == ActiveState::Inactive
            && !is_down(from)
            && from != ActiveState::Maintenance
            && how.down != Down::ToRestart
        {
            self.start_after(unit, Facets::ON_SUCCESS);
        }
        self.tell_triggers_later(unit);
        self.queues.upheld.insert(unit);
        self.queues.unneeded.insert(unit);
        self.queues.bound.insert(unit);
        if to == ActiveState::Failed && from != ActiveState::Failed && how.down != Down::ToRestart {
            self.act_on_failure(unit);
        } else if to == ActiveState::Inactive && !is_down(from) && how.down != Down::ToRestart {
            self.act_on_success(unit);
        }
        if how.down != Down::ToRestart && is_end(from, to) {
            self.went_down(unit);
        }
    }

    /// Sockets and the like hear how what they trigger is doing.
    pub(crate) fn tell_triggers_later(&mut self, unit: UnitId) {
        let triggers: Vec<UnitId> = self.graph.neighbours(unit, Facets::TRIGGERED_BY).collect();
        self.queues.triggers.extend(triggers.into_iter().map(|trigger| (trigger, unit)));
    }

    fn stamp(&mut self, unit: UnitId, from: ActiveState, to: ActiveState) {
        let now = self.now;
        let times = &mut self.unit_mut(unit).life.times;
        times.state_change = now;
        match (is_down(from), is_down(to)) {
            (true, false) => times.inactive_exit = now,
            (false, true) => times.inactive_enter = now,
            (true, true) | (false, false) => {}
        }
        match (is_up(from), is_up(to)) {
            (false, true) => times.active_enter = now,
            (true, false) => times.active_exit = now,
            (true, true) | (false, false) => {}
        }
    }

    /// Wakes the unit's own job if it waits for another state.
    pub(crate) fn wake(&mut self, job: JobId) {
        if let Some(unit) = self.jobs.get(&job).map(|job| job.unit) {
            self.queues.ready.insert((Turn::of(self.graph.config(unit)), job));
        }
    }
}

/// Whether a change of state is what the unit's job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Yes,
    No,
}
