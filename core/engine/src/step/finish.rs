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
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitKind;

/// Whether jobs that depended on a failed one fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    ToDependants,
    Nowhere,
}

/// What is to be done yet of the ends of jobs that follow from one.
enum Due {
    End(JobId, JobResult, Spread),
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
        let mut open = vec![Due::End(id, result, spread)];
        while let Some(due) = open.pop() {
            match due {
                Due::End(id, result, spread) => self.end_job(id, result, spread, &mut open),
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
        if matches!(kind, JobKind::Start | JobKind::VerifyActive) && result != JobResult::Done {
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
        self.tell_outcome(job.unit, job.facts.kind, result);
        let unit = self.graph.name(job.unit).clone();
        self.announce(Announcement::JobRemoved { job: id, unit, result });
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
                open.push(Due::End(id, JobResult::Dependency, Spread::ToDependants));
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

    /// The line an operator sees when a job ends.
    fn tell_outcome(&mut self, unit: UnitId, kind: JobKind, result: JobResult) {
        let up = is_up(self.unit(unit).active());
        let ran = is_oneshot(self.graph.config(unit)) && self.unit(unit).life.condition.holds;
        let (level, verb) = match (kind, result) {
            (JobKind::Start, JobResult::Done) if ran => (6, "Finished"),
            (JobKind::Start, JobResult::Done) if up => (6, started(self.graph.name(unit).kind())),
            (JobKind::Start, JobResult::Done) => return,
            (JobKind::Start, JobResult::Timeout) => (3, "Timed out starting"),
            (JobKind::Start | JobKind::VerifyActive, JobResult::Dependency) => (4, "Dependency failed for"),
            (JobKind::Start, JobResult::Assert) => (4, "Assertion failed for"),
            (JobKind::Start, JobResult::Failed | JobResult::Invalid) => (3, "Failed to start"),
            // Why, was said.
            (JobKind::Start, JobResult::Unsupported) => return,
            (JobKind::Stop | JobKind::Restart, JobResult::Done) => (6, stopped(self.graph.name(unit).kind())),
            (JobKind::Stop | JobKind::Restart, JobResult::Failed) => (3, "Failed while stopping"),
            (JobKind::Stop | JobKind::Restart, JobResult::Timeout) => (3, "Timed out stopping"),
            (JobKind::Reload, JobResult::Done) => (6, "Reloaded"),
            (JobKind::Reload, JobResult::Failed) => (3, "Reload failed for"),
            (JobKind::Reload, JobResult::Timeout) => (3, "Timed out reloading"),
            (
                JobKind::Start
                | JobKind::VerifyActive
                | JobKind::Stop
                | JobKind::Reload
                | JobKind::ReloadOrStart
                | JobKind::Restart
                | JobKind::TryRestart
                | JobKind::TryReload
                | JobKind::Nop,
                _,
            ) => return,
        };
        let text = format!("{verb} {}.", self.title(unit));
        self.say(Some(unit), level, text);
    }

    /// `ssh.service - OpenBSD Secure Shell server`, or just the name.
    pub(crate) fn title(&self, unit: UnitId) -> String {
        let config = self.graph.config(unit);
        match config.unit.description.as_str() {
            "" => config.name.to_string(),
            description if description == config.name.as_str() => description.to_owned(),
            description => format!("{} - {description}", config.name),
        }
    }
}

/// What people read under systemd, for each kind.
fn started(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Service | UnitKind::Scope | UnitKind::Timer | UnitKind::Path | UnitKind::Device => {
            "Started"
        }
        UnitKind::Target => "Reached target",
        UnitKind::Slice => "Created slice",
        UnitKind::Socket => "Listening on",
        UnitKind::Mount => "Mounted",
        UnitKind::Automount => "Set up automount",
        UnitKind::Swap => "Activated swap",
    }
}

fn stopped(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Service | UnitKind::Scope | UnitKind::Timer | UnitKind::Path | UnitKind::Device => {
            "Stopped"
        }
        UnitKind::Target => "Stopped target",
        UnitKind::Slice => "Removed slice",
        UnitKind::Socket => "Closed",
        UnitKind::Mount => "Unmounted",
        UnitKind::Automount => "Unset automount",
        UnitKind::Swap => "Deactivated swap",
    }
}

/// Whose start is over when its commands have run.
fn is_oneshot(config: &Config) -> bool {
    matches!(&config.body, Body::Service(service) if service.kind == ServiceType::Oneshot)
}
