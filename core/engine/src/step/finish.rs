//! Jobs end: because their unit got where they lead, or cannot, or somebody took them back. What depended on
//! a failed one fails too; a work list stands in for the recursion.

use super::end::Occasion;
use super::life::{Expected, How};
use crate::api::{ActiveState, Announcement, JobId, JobKind, JobResult};
use crate::engine::{Alarm, Engine, OwnWish, Turn};
use crate::graph::{Facets, UnitId, Word};
use crate::job::Phase;
use crate::job::algebra::{is_down, is_up};
use crate::kind::ReloadOutcome;
use crate::why::What;

/// Whether jobs that depended on a failed one fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    ToDependants,
    Nowhere,
}

/// Whether the operator reads of a job's end: of one that found its unit where it leads there is nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Told,
    Quiet,
}

/// What is to be done yet of the ends of jobs that follow from one.
enum Due {
    End(JobId, JobResult, Spread, Telling),
    /// The unit's job is gone, and those that depended on it.
    Follow(UnitId, JobKind, JobResult),
}

impl Engine {
    /// The unit is in `state` now: does that end its job, or contradict it?
    pub(super) fn meet(&mut self, id: JobId, state: ActiveState, how: How) -> Expected {
        let Some(job) = self.jobs.get(&id) else { return Expected::No };
        let (kind, phase) = (job.facts.kind, job.facts.phase);
        if phase == Phase::Waiting {
            self.wake(id);
        }
        let running = phase == Phase::Running;
        // What `ExecCondition=` skips is done, too: real systemd's word.
        let down = if state == ActiveState::Failed { JobResult::Failed } else { JobResult::Done };
        match kind {
            JobKind::Start | JobKind::VerifyActive => {
                if is_up(state) {
                    self.finish(id, JobResult::Done, Spread::ToDependants);
                } else if running && state != ActiveState::Activating {
                    if is_down(state) {
                        self.finish(id, down, Spread::ToDependants);
                    }
                    return Expected::No;
                }
            }
            JobKind::Reload | JobKind::ReloadOrStart | JobKind::TryReload if running => match state {
                ActiveState::Active => {
                    let result = match how.reload {
                        Some(ReloadOutcome::Failed) => JobResult::Failed,
                        Some(ReloadOutcome::Done) | None => JobResult::Done,
                    };
                    self.finish(id, result, Spread::ToDependants);
                }
                ActiveState::Activating | ActiveState::Reloading => {}
                ActiveState::Inactive | ActiveState::Failed => {
                    self.finish(id, down, Spread::ToDependants);
                    return Expected::No;
                }
                ActiveState::Deactivating | ActiveState::Maintenance => return Expected::No,
            },
            JobKind::Stop | JobKind::Restart | JobKind::TryRestart => {
                if is_down(state) {
                    self.finish(id, JobResult::Done, Spread::ToDependants);
                } else if running && state != ActiveState::Deactivating {
                    self.finish(id, JobResult::Failed, Spread::ToDependants);
                    return Expected::No;
                }
            }
            JobKind::Reload | JobKind::ReloadOrStart | JobKind::TryReload | JobKind::Nop => {}
        }
        Expected::Yes
    }

    /// Ends a job. A restart whose stop is done goes on as a start. What depended on a failed job ends before anything
    /// else follows from it.
    pub(crate) fn finish(&mut self, id: JobId, result: JobResult, spread: Spread) {
        self.finish_all(vec![Due::End(id, result, spread, Telling::Told)]);
    }

    /// Ends a job whose unit was where it leads before it began.
    pub(super) fn finish_idle(&mut self, id: JobId) {
        self.finish_all(vec![Due::End(id, JobResult::Done, Spread::ToDependants, Telling::Quiet)]);
    }

    fn finish_all(&mut self, mut open: Vec<Due>) {
        while let Some(due) = open.pop() {
            match due {
                Due::End(id, result, spread, telling) => {
                    self.tell_end(id, result, telling);
                    self.end_job(id, result, spread, &mut open);
                }
                Due::Follow(unit, kind, result) => self.follow_end(unit, kind, result),
            }
        }
    }

    fn end_job(&mut self, id: JobId, result: JobResult, spread: Spread, open: &mut Vec<Due>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let (unit, kind) = (job.unit, job.facts.kind);
        self.pen.dirty_jobs.insert(id);
        self.pen.changed_units.insert(unit);
        if result == JobResult::Done && kind == JobKind::Restart {
            job.facts.kind = JobKind::Start;
            job.facts.phase = Phase::Waiting;
            self.queues.suspects.insert(id);
            self.wake(id);
            return self.wake_blocked(unit);
        }
        if matches!(result, JobResult::Failed | JobResult::Invalid) {
            self.counters.failed_jobs = self.counters.failed_jobs.saturating_add(1);
        }
        // That somebody looked whether it is up (`Requisite=`) is nothing that happened to it.
        if kind == JobKind::Start && result != JobResult::Done {
            self.note_vain_start(unit, What::JobEnded(result));
        }
        self.remove_job(id, result);
        open.push(Due::Follow(unit, kind, result));
        self.fail_dependants(unit, kind, result, spread, open);
    }

    fn follow_end(&mut self, unit: UnitId, kind: JobKind, result: JobResult) {
        if matches!(result, JobResult::Timeout | JobResult::Dependency) {
            self.start_after(unit, Facets::ON_FAILURE);
        }
        if self.unit(unit).active() == ActiveState::Activating {
            self.queues.wishes.push_back((unit, OwnWish::GiveUpRestart));
        }
        self.tell_triggers_later(unit);
        self.wake_blocked(unit);
        self.queues.upheld.insert(unit);
        self.queues.bound.insert(unit);
        self.queues.unneeded.insert(unit);
        self.loosen(unit);
        self.loosen_bequeathers(unit);
        self.did_not_come_up(unit, kind, result);
        self.end_of_final_job(unit, kind, result);
    }

    fn remove_job(&mut self, id: JobId, result: JobResult) {
        let Some(job) = self.jobs.remove(&id) else { return };
        self.set_alarm(Alarm::Job(id), job.facts.deadline, None);
        self.queues.ready.remove(&(Turn::of(self.graph.config(job.unit)), id));
        let of = &mut self.units[job.unit.index()];
        if of.job == Some(id) {
            of.job = None;
        }
        if job.facts.kind == JobKind::Nop {
            of.nops -= 1;
        }
        let unit = self.graph.name(job.unit).clone();
        self.announce(Announcement::JobRemoved { job: id, unit, kind: job.facts.kind, result });
    }

    fn fail_dependants(
        &mut self,
        unit: UnitId,
        kind: JobKind,
        result: JobResult,
        spread: Spread,
        open: &mut Vec<Due>,
    ) {
        if spread == Spread::Nowhere {
            return;
        }
        let up = is_up(self.unit(unit).active());
        let facet = match (result, kind) {
            // It ended well, and yet the unit is not up: what demanded that it be has to fail.
            (JobResult::Done, JobKind::Start | JobKind::Reload) if !up => Facets::PROPAGATE_INACTIVE_START,
            (JobResult::Done, _) => return,
            (_, JobKind::Start | JobKind::VerifyActive) => Facets::PROPAGATE_START_FAILURE,
            (_, JobKind::Stop) => Facets::PROPAGATE_STOP_FAILURE,
            (
                _,
                JobKind::Reload
                | JobKind::ReloadOrStart
                | JobKind::Restart
                | JobKind::TryRestart
                | JobKind::TryReload
                | JobKind::Nop,
            ) => return,
        };
        let others: Vec<(Word, UnitId)> = self.graph.ties(unit, facet).collect();
        // The last to be put on the list is the first to be taken off it.
        for (word, other) in others.into_iter().rev() {
            let Some(id) = self.unit(other).job else { continue };
            let starts = self
                .jobs
                .get(&id)
                .is_some_and(|job| matches!(job.facts.kind, JobKind::Start | JobKind::VerifyActive));
            if starts {
                let failed = self.graph.name(unit).clone();
                self.note_vain_start(other, What::Dependency(failed, Some(word.inverse())));
                open.push(Due::End(id, JobResult::Dependency, Spread::ToDependants, Telling::Told));
            }
        }
    }

    /// Looks again at the jobs that waited for this unit's.
    pub(crate) fn wake_blocked(&mut self, unit: UnitId) {
        for job in self.blocked.remove(&unit).unwrap_or_default() {
            if let Some(waiting) = self.jobs.get_mut(&job)
                && waiting.blocked_by == Some(unit)
            {
                waiting.blocked_by = None;
                self.wake(job);
            }
        }
    }

    pub(super) fn job_timed_out(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.facts.deadline = None;
        let unit = job.unit;
        self.say(Some(unit), 4, format!("{}: job timed out", self.graph.name(unit)));
        self.finish(id, JobResult::Timeout, Spread::ToDependants);
        let action = self.graph.config(unit).unit.job_timeout_action;
        self.act(Some(unit), action, None, Occasion::JobTimeout);
    }
}
