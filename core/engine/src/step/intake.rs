//! What is heard, handed to whom it concerns.

use super::finish::Spread;
use super::why::short;
use crate::api::{
    Action, Announcement, Answer, Event, JobId, JobKind, JobResult, KillWhom, ProcId, Refusal, Request,
    RequestId,
};
use crate::engine::Engine;
use crate::graph::{Change, UnitId};
use crate::job::Phase;
use crate::kind::{self, Presence};
use crate::transaction::{Ask, Origin};
use crate::unit::{Checked, StartLimit};
use crate::why::{Asker, Errand, Root, What};
use eudaemon_unit::config::unit::unmet;
use eudaemon_unit::config::{Body, Config, Health, LoadState};
use eudaemon_unit::name::{UnitKind, UnitName};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Engine {
    pub(crate) fn hear(&mut self, event: Event) {
        match event {
            Event::Loaded(configs) => {
                let names = configs.iter().map(|config| config.name.clone()).collect();
                self.load_all(configs);
                self.go_on_to(&names);
            }
            Event::Exited { process, status } => {
                self.tell_owner(process, kind::Input::Exited { process, status });
                self.order(Action::Forget { process });
            }
            Event::Spawned { process } => self.tell_owner(process, kind::Input::Spawned { process }),
            Event::SpawnFailed { process, trouble } => {
                self.tell_owner(process, kind::Input::SpawnFailed { process, trouble });
            }
            Event::Executed { process } => self.tell_owner(process, kind::Input::Executed { process }),
            Event::SetupFailed { process, code, errno } => {
                self.tell_owner(process, kind::Input::SetupFailed { process, code, errno });
            }
            Event::ConditionsChecked { unit, conditions, asserts } => {
                self.conditions_checked(&unit, &conditions, &asserts);
            }
            Event::BusName { name, owner } => {
                let units: Vec<UnitId> = self.bus_names.get(&name).into_iter().flatten().copied().collect();
                for unit in units {
                    self.step_unit(unit, kind::Input::BusName(owner));
                }
            }
            Event::Mounts(mounted) => self.mounts(mounted),
            Event::MainFound { unit, process } => self.tell(&unit, kind::Input::MainFound { process }),
            Event::MainMissing { unit, process, reason } => {
                self.tell(&unit, kind::Input::MainMissing { process, reason });
            }
            Event::Notified { unit, sender, message } => {
                self.tell(&unit, kind::Input::Notified { sender, message: Box::new(message) });
            }
            Event::Occupancy { unit, occupancy } => self.tell(&unit, kind::Input::Occupancy(occupancy)),
            Event::Cleaned { unit, outcome } => self.tell(&unit, kind::Input::Cleaned(outcome)),
            Event::Probed { process, outcome } => {
                let heard = kind::HealthInput::Probed { process, outcome };
                self.tell_owner(process, kind::Input::Health(heard));
            }
            Event::Freezer { unit, outcome } => self.freezer_set(&unit, outcome),
            Event::SocketsOpened { unit, outcome } => self.tell(&unit, kind::Input::SocketsOpened(outcome)),
            Event::SocketReady { unit } => self.tell(&unit, kind::Input::SocketReady),
            Event::OutOfMemory { unit } => self.tell(&unit, kind::Input::OutOfMemory),
        }
    }

    fn tell(&mut self, unit: &UnitName, input: kind::Input) {
        if let Some(unit) = self.graph.id(unit) {
            self.step_unit(unit, input);
        }
    }

    fn tell_owner(&mut self, process: ProcId, input: kind::Input) {
        if let Some(unit) = self.owners.get(&process).copied() {
            self.step_unit(unit, input);
        }
    }

    /// Units that were looked for in vain come last: by then it is known who names them.
    pub(crate) fn load_all(&mut self, configs: Vec<Arc<Config>>) {
        let (absent, here): (Vec<_>, Vec<_>) =
            configs.into_iter().partition(|config| config.load == LoadState::NotFound);
        for config in here.into_iter().chain(absent) {
            self.load(config);
        }
    }

    /// Takes a configuration in; what runs goes on under the new one.
    fn load(&mut self, config: Arc<Config>) {
        // A name that no file and no unit knows leaves nothing behind: clients may ask for any number of them.
        if config.load == LoadState::NotFound && self.graph.id(&config.name).is_none() {
            return;
        }
        let before = self.graph.id(&config.name).map(|unit| Arc::clone(self.graph.config(unit)));
        let Ok((unit, change)) = self.graph.load(Arc::clone(&config)) else {
            let text = format!("{}: too many units or dependencies, not loaded", config.name);
            return self.say(None, 3, text);
        };
        self.grow();
        if let Some(before) = &before {
            self.unlist_names(unit, before);
        }
        self.look_up_by_names(unit);
        match change {
            Change::New | Change::Changed => self.suspect_job_of(unit),
            Change::Same => {}
        }
        match change {
            Change::New => self.announce(Announcement::UnitAdded(config.name.clone())),
            Change::Changed => {
                if let Some(before) = &before {
                    self.unit_mut(unit).life.forget_verdicts(before, &config);
                }
                self.loosen(unit);
                self.pen.changed_units.insert(unit);
                self.queues.upheld.insert(unit);
                self.queues.unneeded.insert(unit);
                if before.is_some_and(|before| health(&before) != health(&config)) {
                    self.step_unit(unit, kind::Input::Health(kind::HealthInput::Reconfigured));
                }
            }
            Change::Same => {}
        }
    }

    /// Strikes the unit from the names it was found by.
    pub(super) fn unlist_names(&mut self, unit: UnitId, config: &Config) {
        let strike = |units: &mut BTreeSet<UnitId>| {
            units.remove(&unit);
            units.is_empty()
        };
        if let Some(name) = bus_name(config)
            && self.bus_names.get_mut(name).is_some_and(strike)
        {
            self.bus_names.remove(name);
        }
        if let Some(name) = &config.unit.exit_code_from
            && self.exit_codes.get_mut(name).is_some_and(strike)
        {
            self.exit_codes.remove(name);
        }
    }

    /// Enters the unit under the names it is found by.
    pub(crate) fn look_up_by_names(&mut self, unit: UnitId) {
        let config = Arc::clone(self.graph.config(unit));
        if let Some(name) = bus_name(&config) {
            self.bus_names.entry(name.to_owned()).or_default().insert(unit);
        }
        if let Some(name) = &config.unit.exit_code_from {
            self.exit_codes.entry(name.clone()).or_default().insert(unit);
        }
    }

    fn conditions_checked(&mut self, name: &UnitName, conditions: &[bool], asserts: &[bool]) {
        let Some(unit) = self.graph.id(name) else { return };
        let Some(id) = self.unit(unit).job else { return };
        if self.jobs.get(&id).is_none_or(|job| job.facts.phase != Phase::Checking) {
            return;
        }
        let config = Arc::clone(self.graph.config(unit));
        let at = self.now;
        let holds = |verdicts: &[bool], place: usize| verdicts.get(place).copied().unwrap_or(false);
        let skipped = unmet("Condition", &config.unit.conditions, |place, _| holds(conditions, place));
        let failed = unmet("Assert", &config.unit.asserts, |place, _| holds(asserts, place));
        let condition = Checked::of(config.unit.conditions.len(), conditions, skipped.is_none(), at);
        let assertion = Checked::of(config.unit.asserts.len(), asserts, failed.is_none(), at);
        let life = &mut self.unit_mut(unit).life;
        life.condition = condition;
        if condition.holds {
            life.assertion = assertion;
        }
        self.decide_onlookers(unit);
        if condition.holds && assertion.holds && self.is_overtaken(id) {
            self.set_phase(id, Phase::Waiting);
            self.wake(id);
            return self.wake_blocked(unit);
        }
        self.set_phase(id, Phase::Running);
        if let Some(unmet) = skipped {
            self.note_vain_start(unit, What::Unmet(short(unmet.clone())));
            // A matter of course for half the units of a distribution, and `status` shows it: not for the console.
            self.say(Some(unit), 7, format!("{} was skipped: {unmet} does not hold", self.title(unit)));
            self.finish(id, JobResult::Done, Spread::ToDependants);
        } else if let Some(unmet) = failed {
            self.note_vain_start(unit, What::Unmet(short(unmet.clone())));
            self.say(Some(unit), 4, format!("{}: {unmet} does not hold", self.title(unit)));
            self.finish(id, JobResult::Assert, Spread::ToDependants);
        } else {
            self.begin_start(id, unit);
        }
        self.wake_blocked(unit);
    }

    /// While the conditions were looked at a job was queued that goes before this one.
    fn is_overtaken(&self, id: JobId) -> bool {
        self.jobs.get(&id).is_some_and(|job| self.blocker(job).is_some())
    }

    /// The host's mounts, all of them.
    fn mounts(&mut self, mounted: Vec<UnitName>) {
        let mounted: BTreeSet<UnitName> =
            mounted.into_iter().filter(|name| name.kind() == UnitKind::Mount).collect();
        for name in &mounted {
            if self.graph.id(name).is_none() {
                self.load(Arc::new(Config::bare(name.clone(), LoadState::Loaded)));
            }
        }
        let units: Vec<UnitId> =
            self.graph.ids().filter(|unit| matches!(self.graph.config(*unit).body, Body::Mount(_))).collect();
        for unit in units {
            let presence = match mounted.contains(self.graph.name(unit)) {
                true => Presence::Present,
                false => Presence::Absent,
            };
            let heeds = match &self.unit(unit).state {
                Some(kind::State::Mount(state)) => state.heeds(presence),
                Some(_) | None => false,
            };
            if heeds {
                self.step_unit(unit, kind::Input::Mount(presence));
            }
        }
    }

    pub(crate) fn wish(&mut self, request: RequestId, by: Asker, wish: Request) {
        let outcome = match wish {
            Request::Job { unit, kind, mode } => self.wish_job(&unit, kind, mode, by).map(Answer::Job),
            Request::CancelJob(job) => self.cancel(job, &by),
            Request::ClearJobs => {
                let all: Vec<JobId> = self.jobs.keys().copied().collect();
                for job in all {
                    self.note_cancelled(job, &by);
                    self.finish(job, JobResult::Canceled, Spread::Nowhere);
                }
                Ok(Answer::Done)
            }
            Request::Kill { unit, whom, signal } => self.kill(&unit, whom, signal),
            Request::SetFreezer { unit, freezer } => return self.wish_freezer(request, &unit, freezer),
            Request::Hold(unit) => self.hold(&unit),
            Request::LetGo(unit) => self.let_go(&unit),
            Request::Clean { unit, what } => self.clean(&unit, what),
            Request::ResetFailed(unit) => self.reset_failed(unit),
            Request::SetExitCode(code) => {
                self.counters.exit_code = Some(code);
                Ok(Answer::Done)
            }
            Request::FinishNow(finale) => {
                self.end(finale);
                Ok(Answer::Done)
            }
        };
        self.answer(request, outcome);
    }

    fn wish_job(
        &mut self,
        name: &UnitName,
        kind: JobKind,
        mode: eudaemon_unit::config::unit::JobMode,
        by: Asker,
    ) -> Result<JobId, Refusal> {
        let unit = self.graph.id(name).ok_or_else(|| Refusal::unknown(name, kind, mode))?;
        self.enqueue(Ask { unit, kind, mode, origin: Origin::Client }, Errand::of(Root::Asked(by), self.now))
    }

    fn hold(&mut self, name: &UnitName) -> Result<Answer, Refusal> {
        let unit = self.graph.id(name).ok_or_else(|| Refusal::NoSuchUnit(name.clone()))?;
        self.units[unit.index()].holds += 1;
        Ok(Answer::Done)
    }

    fn let_go(&mut self, name: &UnitName) -> Result<Answer, Refusal> {
        let unit = self.graph.id(name).ok_or_else(|| Refusal::NotLoaded(name.clone()))?;
        let of = &mut self.units[unit.index()];
        of.holds = of.holds.saturating_sub(1);
        self.loosen(unit);
        Ok(Answer::Done)
    }

    fn cancel(&mut self, job: JobId, by: &Asker) -> Result<Answer, Refusal> {
        if !self.jobs.contains_key(&job) {
            return Err(Refusal::NoSuchJob(job));
        }
        self.note_cancelled(job, by);
        self.finish(job, JobResult::Canceled, Spread::ToDependants);
        Ok(Answer::Done)
    }

    fn kill(&mut self, name: &UnitName, whom: KillWhom, signal: i32) -> Result<Answer, Refusal> {
        let unit = self.graph.id(name).ok_or_else(|| Refusal::NotLoaded(name.clone()))?;
        let of = self.unit(unit);
        let (main, control) = match &of.state {
            Some(state) => (state.main().map(|p| p.id), state.control().map(|p| p.id)),
            None => (None, None),
        };
        let missing = || Refusal::NoProcess { unit: name.clone(), whom };
        let one = match whom {
            KillWhom::All => {
                if !of.is_down() {
                    self.order(Action::SignalSet { unit: name.clone(), signal, but: Vec::new() });
                }
                return Ok(Answer::Done);
            }
            KillWhom::Main | KillWhom::MainOrFail => main,
            KillWhom::Control | KillWhom::ControlOrFail => control,
        };
        let process = one.ok_or_else(missing)?;
        self.order(Action::Signal { process, signal });
        Ok(Answer::Done)
    }

    fn reset_failed(&mut self, unit: Option<UnitName>) -> Result<Answer, Refusal> {
        let units: Vec<UnitId> = match unit {
            Some(name) => {
                vec![self.graph.id(&name).ok_or_else(|| Refusal::NotLoaded(name.clone()))?]
            }
            None => self.graph.ids().collect(),
        };
        for unit in units {
            if self.unit(unit).life.as_ref() != &crate::unit::Life::default() {
                self.step_unit(unit, kind::Input::ResetFailed);
                let life = &mut self.unit_mut(unit).life;
                life.starts.reset();
                life.start_limit = StartLimit::Within;
            }
        }
        Ok(Answer::Done)
    }
}

fn health(config: &Config) -> Option<&Health> {
    config.service()?.health.as_deref()
}

fn bus_name(config: &Config) -> Option<&str> {
    config.service()?.bus_name.as_deref()
}
