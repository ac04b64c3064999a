//! Jobs come in and run: a planned transaction is put beside what is queued, and each job starts when no job
//! of a unit it is ordered against goes first.

use super::end::Occasion;
use super::finish::Spread;
use super::why::short;
use crate::api::{Action, ActiveState, Announcement, JobId, JobKind, JobResult, Refusal, Weight};
use crate::engine::{Alarm, Engine, Startup};
use crate::graph::{Facets, UnitId, Word};
use crate::job::algebra::{self, conflict, includes, is_down, is_up, joins_running};
use crate::job::{Facts, Job, Phase};
use crate::kind::{self, Reply, StopFor};
use crate::limits;
use crate::transaction::waves::goes_before;
use crate::transaction::{self, Ask, Others, Planned, Remark, Transaction};
use crate::why::{Errand, Lack, Root, What};
use eudaemon_unit::config::LoadState;
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::span::Span;
use std::collections::BTreeSet;

impl Engine {
    /// Plans and installs all that `ask` comes to; gives back the job of the asked unit.
    pub(crate) fn enqueue(&mut self, ask: Ask, errand: Errand) -> Result<JobId, Refusal> {
        if self.counters.finale.is_some() {
            return Err(Refusal::ShuttingDown);
        }
        match transaction::plan(&self.graph, self, ask) {
            Ok(transaction) => Ok(self.install_all(transaction, errand)),
            Err(refusal) => {
                self.note_refusal(ask, &refusal, errand);
                Err(refusal)
            }
        }
    }

    fn install_all(&mut self, transaction: Transaction, errand: Errand) -> JobId {
        self.tell_remarks(&transaction, &errand);
        if transaction.others == Others::Cancelled {
            let planned: BTreeSet<UnitId> = transaction.jobs.iter().map(|job| job.unit).collect();
            let stale = |job: &Job| {
                !planned.contains(&job.unit) && !self.graph.config(job.unit).unit.ignore_on_isolate
            };
            let stale: Vec<JobId> =
                self.jobs.iter().filter(|(_, job)| stale(job)).map(|(id, _)| *id).collect();
            for job in stale {
                self.finish(job, JobResult::Canceled, Spread::Nowhere);
            }
        }
        if self.counters.startup == Startup::Ahead {
            self.counters.startup = Startup::Underway;
        }
        let mut anchor = JobId(0);
        for planned in transaction.jobs {
            let is_anchor = planned.unit == transaction.anchor;
            let through = planned.through.map(|(unit, word)| (self.graph.name(unit).clone(), word));
            let without = self.lack_of(planned.unit, &transaction.remarks);
            let job = self.install(planned, errand.beside(through, without));
            if is_anchor {
                anchor = job;
            }
        }
        anchor
    }

    /// Puts a job beside the unit's queued one: in its place, into it, or as the first.
    fn install(&mut self, planned: Planned, errand: Errand) -> JobId {
        let Planned { unit, kind, strength, order, .. } = planned;
        let state = self.unit(unit).active();
        let queued = self.unit(unit).job.filter(|_| kind != JobKind::Nop);
        if let Some((id, job)) = queued.and_then(|id| self.jobs.get_mut(&id).map(|job| (id, job))) {
            let merged = algebra::merge_and_collapse(job.facts.kind, kind, state);
            if let (Some(merged), false) = (merged, conflict(job.facts.kind, kind)) {
                let goes_on = job.facts.phase != Phase::Waiting
                    && joins_running(kind)
                    && includes(job.facts.kind, kind);
                job.facts.kind = merged;
                job.facts.strength = job.facts.strength.max(strength);
                job.facts.order = job.facts.order.max(order);
                // What it is now may be ordered otherwise than what it was.
                job.blocked_by = None;
                if !goes_on {
                    job.facts.phase = Phase::Waiting;
                }
                self.pen.dirty_jobs.insert(id);
                self.queues.suspects.insert(id);
                self.wake(id);
                self.wake_blocked(unit);
                return id;
            }
            if job.facts.kind == JobKind::Start {
                self.note_vain_start_of(unit, What::Overtaken(kind), Some(errand.clone()));
            }
            self.finish(id, JobResult::Canceled, Spread::Nowhere);
        }
        self.add_job(unit, Facts { kind, phase: Phase::Waiting, order, strength, errand, deadline: None })
    }

    fn add_job(&mut self, unit: UnitId, mut facts: Facts) -> JobId {
        let id = JobId(self.counters.next_job);
        self.counters.next_job = self.counters.next_job.checked_add(1).unwrap_or(1);
        self.counters.installed_jobs = self.counters.installed_jobs.saturating_add(1);
        facts.deadline = after(self.now.monotonic, self.graph.config(unit).unit.job_timeout);
        self.set_alarm(Alarm::Job(id), None, facts.deadline);
        match facts.kind {
            JobKind::Nop => self.units[unit.index()].nops += 1,
            JobKind::Start
            | JobKind::VerifyActive
            | JobKind::Stop
            | JobKind::Reload
            | JobKind::ReloadOrStart
            | JobKind::Restart
            | JobKind::TryRestart
            | JobKind::TryReload => self.units[unit.index()].job = Some(id),
        }
        self.jobs.insert(id, Job { unit, facts, blocked_by: None, place: 0 });
        self.pen.dirty_jobs.insert(id);
        self.pen.changed_units.insert(unit);
        let name = self.graph.name(unit).clone();
        self.announce(Announcement::JobAdded { job: id, unit: name });
        self.queues.suspects.insert(id);
        self.wake(id);
        id
    }

    /// Runs a job if nothing goes before it.
    pub(super) fn run_job(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        if job.facts.phase != Phase::Waiting || job.blocked_by.is_some() {
            return;
        }
        let (unit, kind) = (job.unit, job.facts.kind);
        if let Some((place, blocker)) = self.blocker(job) {
            self.blocked.entry(blocker).or_default().push(id);
            if let Some(job) = self.jobs.get_mut(&id) {
                job.blocked_by = Some(blocker);
                job.place = place;
            }
            return;
        }
        self.set_phase(id, Phase::Running);
        let state = self.unit(unit).active();
        match kind {
            JobKind::Nop => self.finish(id, JobResult::Done, Spread::ToDependants),
            JobKind::VerifyActive if is_up(state) => self.finish_idle(id),
            JobKind::VerifyActive if state == ActiveState::Activating => self.set_phase(id, Phase::Waiting),
            JobKind::VerifyActive => self.fail_verification(id, unit),
            JobKind::Start => self.run_start(id, unit),
            JobKind::Stop => self.run_stop(id, unit, StopFor::Stop),
            JobKind::Restart => self.run_stop(id, unit, StopFor::Restart),
            JobKind::Reload => self.run_reload(id, unit),
            JobKind::ReloadOrStart | JobKind::TryRestart | JobKind::TryReload => {
                // Planning collapses these; a record of another version may still hold one.
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.facts.kind = algebra::collapse(kind, state);
                }
                self.set_phase(id, Phase::Waiting);
                self.wake(id);
            }
        }
    }

    /// The unit is not up. A start that depends on it and may yet turn out to be nothing, by its conditions, is
    /// not failed before they are known.
    fn fail_verification(&mut self, id: JobId, unit: UnitId) {
        let checking = |other: &UnitId| {
            let job = self.unit(*other).job.and_then(|job| self.jobs.get(&job));
            job.is_some_and(|job| job.facts.phase == Phase::Checking)
        };
        let undecided = self.graph.neighbours(unit, Facets::PROPAGATE_START_FAILURE).find(checking);
        let Some(other) = undecided else {
            return self.finish(id, JobResult::Skipped, Spread::ToDependants);
        };
        self.set_phase(id, Phase::Waiting);
        self.blocked.entry(other).or_default().push(id);
        if let Some(job) = self.jobs.get_mut(&id) {
            job.blocked_by = Some(other);
        }
    }

    /// A unit whose job goes before this one, and its place among the neighbours.
    pub(super) fn blocker(&self, job: &Job) -> Option<(u32, UnitId)> {
        let ordered = Facets::AFTER.and(Facets::BEFORE);
        let mut neighbours = self.graph.neighbours_from(job.unit, ordered, job.place);
        neighbours.find(|(_, other)| self.goes_before(job, *other))
    }

    /// Whether the `other` unit's job, if it has one, has to end before this one may run.
    pub(crate) fn goes_before(&self, job: &Job, other: UnitId) -> bool {
        let Some(theirs) = self.unit(other).job.and_then(|id| self.jobs.get(&id)) else { return false };
        goes_before(&self.graph, theirs.ordered(), job.ordered())
    }

    pub(super) fn set_phase(&mut self, id: JobId, phase: Phase) {
        let now = self.now.monotonic;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if phase == Phase::Waiting {
            self.queues.suspects.insert(id);
        }
        job.facts.phase = phase;
        self.pen.dirty_jobs.insert(id);
        let unit = job.unit;
        self.pen.changed_units.insert(unit);
        let running = after(now, self.graph.config(unit).unit.job_running_timeout);
        if let (Phase::Running, Some(running)) = (phase, running) {
            let old = self.jobs.get(&id).and_then(|job| job.facts.deadline);
            let new = Some(old.map_or(running, |old| old.min(running)));
            self.set_alarm(Alarm::Job(id), old, new);
            if let Some(job) = self.jobs.get_mut(&id) {
                job.facts.deadline = new;
            }
        }
    }

    fn run_start(&mut self, id: JobId, unit: UnitId) {
        let state = self.unit(unit).active();
        if is_up(state) {
            return self.finish_idle(id);
        }
        // It cannot begin before what goes on has ended; that is no start yet, and counts against no limit.
        if matches!(state, ActiveState::Maintenance | ActiveState::Deactivating) {
            return self.set_phase(id, Phase::Waiting);
        }
        let config = std::sync::Arc::clone(self.graph.config(unit));
        if config.load != LoadState::Loaded {
            return self.finish(id, JobResult::Failed, Spread::ToDependants);
        }
        let asks = !config.unit.conditions.is_empty() || !config.unit.asserts.is_empty();
        if asks && state != ActiveState::Activating {
            self.set_phase(id, Phase::Checking);
            return self.order(Action::CheckConditions {
                unit: config.name.clone(),
                conditions: config.unit.conditions.clone(),
                asserts: config.unit.asserts.clone(),
            });
        }
        if state != ActiveState::Activating {
            let passed = crate::unit::Checked::passed(self.now);
            let life = &mut self.unit_mut(unit).life;
            (life.condition, life.assertion) = (passed, passed);
        }
        self.begin_start(id, unit);
    }

    /// The start itself: conditions hold.
    pub(super) fn begin_start(&mut self, id: JobId, unit: UnitId) {
        let unmet = self.graph.neighbours(unit, Facets::BOUND).find(|other| {
            self.graph.related(unit, Facets::AFTER, *other) && !is_up(self.unit(*other).active())
        });
        if let Some(other) = unmet {
            let text = format!("Bound to unit {}, but unit isn't active.", self.graph.name(other));
            self.say(Some(unit), 5, text);
            let word = self.word_for(unit, Facets::BOUND, other);
            self.note_vain_start(unit, What::Dependency(self.graph.name(other).clone(), word));
            return self.finish(id, JobResult::Dependency, Spread::ToDependants);
        }
        // Only now is it a start that counts: one that conditions keep from beginning is none.
        if self.unit(unit).is_down() && self.start_limit_is_hit(unit) {
            self.step_unit(unit, kind::Input::StartLimitHit);
            let action = self.graph.config(unit).unit.start_limit_action;
            self.act(Some(unit), action, None, Occasion::StartLimit);
            return self.finish(id, JobResult::Failed, Spread::ToDependants);
        }
        if let Some(why) = self.has_no_service(unit) {
            let clause = why.split_once(": ").map_or(why.as_str(), |(_, clause)| clause);
            self.note_vain_start(unit, What::Impossible(short(clause.to_owned())));
            self.say(Some(unit), 4, why);
            return self.finish(id, JobResult::Failed, Spread::ToDependants);
        }
        if is_down(self.unit(unit).active())
            && let Some(job) = self.jobs.get(&id)
        {
            // Only the unit that a transaction is about is told what it was made for.
            let Errand { root, through, at: _, without: _ } = job.facts.errand.clone();
            let run = &mut self.unit_mut(unit).life.run;
            (run.monitored, run.trigger) = match (through, root) {
                (None, Root::Ended(monitored)) => (Some(monitored), None),
                (None, Root::Triggered(by)) => (None, Some(by)),
                (_, Root::Ended(_) | Root::Triggered(_))
                | (
                    _,
                    Root::Asked(_)
                    | Root::Followed { .. }
                    | Root::Unneeded
                    | Root::Restart
                    | Root::Emergency(_)
                    | Root::ExitCode(_),
                ) => (None, None),
            };
        }
        self.thaw_for_job(unit);
        let reply = self.step_unit(unit, kind::Input::Start);
        self.take_reply(id, reply);
    }

    /// A socket cannot be opened for a service that is not there, or that runs without it.
    fn has_no_service(&self, unit: UnitId) -> Option<String> {
        if self.graph.name(unit).kind() != UnitKind::Socket || !self.unit(unit).is_down() {
            return None;
        }
        let other = self.graph.neighbours(unit, Facets::TRIGGERS).next()?;
        let (name, service) = (self.graph.name(unit), self.graph.name(other));
        if self.graph.config(other).load != LoadState::Loaded {
            return Some(format!("{name}: {service} is not loaded, refusing to listen for it"));
        }
        let state = self.unit(other).state.as_ref();
        let down = state.is_some_and(|state| state.for_triggers() == Some(kind::Triggered::Inactive));
        let going = self.unit(other).active() == ActiveState::Deactivating;
        (!down || going).then(|| format!("{name}: {service} is already active, refusing to listen for it"))
    }

    fn run_stop(&mut self, id: JobId, unit: UnitId, what: StopFor) {
        if self.unit(unit).is_down() {
            return self.finish_idle(id);
        }
        self.thaw_for_job(unit);
        let reply = self.step_unit(unit, kind::Input::Stop(what));
        self.take_reply(id, reply);
    }

    fn run_reload(&mut self, id: JobId, unit: UnitId) {
        let state = self.unit(unit).active();
        match state {
            ActiveState::Reloading => self.set_phase(id, Phase::Waiting),
            ActiveState::Active => {
                self.thaw_for_job(unit);
                let reply = self.step_unit(unit, kind::Input::Reload);
                self.take_reply(id, reply);
            }
            ActiveState::Inactive
            | ActiveState::Failed
            | ActiveState::Activating
            | ActiveState::Deactivating
            | ActiveState::Maintenance => self.finish(id, JobResult::Invalid, Spread::ToDependants),
        }
    }

    fn take_reply(&mut self, id: JobId, reply: Reply) {
        match reply {
            Reply::Taken => self.tell_begin(id),
            Reply::Later => self.set_phase(id, Phase::Waiting),
            Reply::Invalid => self.finish(id, JobResult::Invalid, Spread::ToDependants),
            Reply::Unsupported(why) => {
                if let Some(job) = self.jobs.get(&id) {
                    self.note_vain_start(job.unit, What::Impossible(short(why)));
                }
                self.finish(id, JobResult::Unsupported, Spread::ToDependants);
            }
        }
    }

    /// What the unit is started without.
    fn lack_of(&self, unit: UnitId, remarks: &[Remark]) -> Option<Box<Lack>> {
        let name = self.graph.name(unit);
        remarks.iter().find_map(|remark| match remark {
            Remark::Lacking { unit, needed_by, word, kind: _, why } if needed_by == name => {
                Some(Box::new(Lack { unit: unit.clone(), word: *word, why: short(why.reason()) }))
            }
            Remark::Lacking { .. }
            | Remark::NotPulledIn { .. }
            | Remark::CycleBroken { .. }
            | Remark::Overruled { .. }
            | Remark::Fell { .. } => None,
        })
    }

    fn tell_remarks(&mut self, transaction: &Transaction, errand: &Errand) {
        for remark in &transaction.remarks {
            match remark {
                Remark::NotPulledIn { unit, wanted_by, word, why } => {
                    let text = format!("{wanted_by}: cannot add {unit}, ignoring: {}", why.reason());
                    let level = match why.weight() {
                        Weight::None | Weight::Some => 4,
                        Weight::Absent | Weight::Little => 7,
                    };
                    self.say(self.graph.id(wanted_by), level, text);
                    if why.weight() == Weight::Some {
                        let through = word.map(|word| (wanted_by.clone(), word));
                        self.note_left_out(unit, What::Refused(short(why.reason())), errand, through);
                    }
                }
                Remark::Lacking { unit: _, needed_by, word: _, kind: _, why: _ } => {
                    let Some(unit) = self.graph.id(needed_by) else { continue };
                    let lack = self.lack_of(unit, std::slice::from_ref(remark));
                    let Some(lack) = lack.filter(|_| transaction.jobs.iter().any(|job| job.unit == unit))
                    else {
                        continue;
                    };
                    self.say(Some(unit), 4, format!("{needed_by} is started {}", crate::why::of_lack(&lack)));
                }
                Remark::CycleBroken { path, dropped } => {
                    let ring = path.iter().take(limits::TOLD_RING).cloned().collect();
                    self.note_left_out(dropped, What::InCycle(ring), errand, None);
                    let round: Vec<&str> =
                        path.iter().chain(path.first()).map(|unit| unit.as_str()).collect();
                    let ring = round.join(" -> ");
                    let text = format!("ordering cycle {ring}: job of {dropped} deleted to break it");
                    self.say(self.graph.id(dropped), 3, text);
                }
                Remark::Overruled { unit, kind: JobKind::Start, asker, by, whose } => {
                    let whose =
                        whose.as_ref().map(|(whose, word)| format!(", by {}= of {whose}", word.property()));
                    let text = format!(
                        "the same request has a {} job for it{}",
                        by.word(),
                        whose.unwrap_or_default()
                    );
                    self.note_left_out(unit, What::Refused(text.clone()), errand, asker.clone());
                    self.say(self.graph.id(unit), 4, format!("{unit}: start job left out, {text}"));
                }
                Remark::Fell { unit, kind: JobKind::Start, asker, with, job: JobKind::Stop } => {
                    let text = format!("it conflicts with {with}, which is not to be stopped");
                    self.note_left_out(unit, What::Refused(text.clone()), errand, asker.clone());
                    self.say(self.graph.id(unit), 4, format!("{unit}: start job left out, {text}"));
                }
                Remark::Fell { unit, kind: JobKind::Start, asker, with, job: _ } => {
                    let word = self.demand(unit, with);
                    self.note_left_out(unit, What::Dependency(with.clone(), word), errand, asker.clone());
                    let text =
                        format!("{unit}: start job left out with that of {with}, which it cannot do without");
                    self.say(self.graph.id(unit), 4, text);
                }
                // What is not stopped after all stays as it is: nobody misses anything.
                Remark::Overruled { .. } | Remark::Fell { .. } => {}
            }
        }
    }

    /// The unit was to have a job by this errand, and has none.
    fn note_left_out(
        &mut self,
        name: &UnitName,
        what: What,
        errand: &Errand,
        through: Option<(UnitName, Word)>,
    ) {
        let Some(unit) = self.graph.id(name) else { return };
        if self.unit(unit).job.is_none() {
            self.note_vain_start_of(unit, what, Some(errand.beside(through, None)));
        }
    }

    /// The word by which the one's start fails without the other's job.
    fn demand(&self, unit: &UnitName, other: &UnitName) -> Option<Word> {
        let demands = Facets::PULL_IN_START.and(Facets::PULL_IN_VERIFY);
        self.word_for(self.graph.id(unit)?, demands, self.graph.id(other)?)
    }
}

/// `span` from now; `None`: never.
fn after(now: u64, span: Span) -> Option<u64> {
    (!span.is_infinite()).then(|| now.saturating_add(span.0))
}
