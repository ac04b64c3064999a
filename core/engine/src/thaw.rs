//! What is written down after each step, and how a new engine goes on from it: freezing and thawing changes
//! nothing that follows.

use crate::api::{Action, Event, ExitStatus, Fate, JobId, JobKind, Moment, Output, ProcId};
use crate::engine::{Alarm, Counters, Engine, Settings};
use crate::graph::{Graph, Knowledge, UnitId};
use crate::job::{Facts, Job, Phase};
use crate::kind::{self, Stage};
use crate::record::{Key, Record};
use crate::unit::{Life, Unit};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::Span;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A record that could not be read. The unit is as if it had never run; its processes are nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    pub key: Key,
    pub reason: String,
}

#[derive(Serialize)]
struct UnitOut<'a> {
    state: &'a kind::State,
    life: &'a Life,
}

#[derive(Deserialize)]
struct UnitIn {
    state: kind::State,
    life: Box<Life>,
}

#[derive(Serialize)]
struct JobOut<'a> {
    unit: &'a UnitName,
    facts: &'a Facts,
}

#[derive(Deserialize)]
struct JobIn {
    unit: UnitName,
    facts: Facts,
}

impl Engine {
    /// Writes down what this step changed.
    pub(crate) fn write_records(&mut self) {
        for unit in std::mem::take(&mut self.pen.dirty_units) {
            let of = self.unit(unit);
            let Some(state) = &of.state else { continue };
            let bytes = postcard::to_allocvec(&UnitOut { state, life: &of.life });
            self.write(Key::Unit(self.graph.name(unit).clone()), bytes.ok());
        }
        for id in std::mem::take(&mut self.pen.dirty_jobs) {
            let bytes = self.jobs.get(&id).and_then(|job| {
                let unit = self.graph.name(job.unit);
                postcard::to_allocvec(&JobOut { unit, facts: &job.facts }).ok()
            });
            self.write(Key::Job(id), bytes);
        }
        if self.pen.written_counters.as_ref() != Some(&self.counters) {
            self.write(Key::Engine, postcard::to_allocvec(&self.counters).ok());
            self.pen.written_counters = Some(self.counters.clone());
        }
    }

    pub(crate) fn write(&mut self, key: Key, state: Option<Vec<u8>>) {
        self.pen.output.changed.push(Record { key, state });
    }

    /// The whole state as records: what a log may be replaced by.
    pub fn freeze(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut write = |key, state: Result<Vec<u8>, postcard::Error>| {
            records.push(Record { key, state: state.ok() });
        };
        write(Key::Engine, postcard::to_allocvec(&self.counters));
        for unit in self.graph.ids() {
            let of = self.unit(unit);
            let untouched = Unit::new(self.graph.config(unit));
            if let Some(state) = &of.state
                && (of.state != untouched.state || of.life != untouched.life)
            {
                let bytes = postcard::to_allocvec(&UnitOut { state, life: &of.life });
                write(Key::Unit(self.graph.name(unit).clone()), bytes);
            }
        }
        for (name, kept) in self.past.iter() {
            write(Key::Past(name.clone()), postcard::to_allocvec(kept));
        }
        for (id, job) in &self.jobs {
            let unit = self.graph.name(job.unit);
            write(Key::Job(*id), postcard::to_allocvec(&JobOut { unit, facts: &job.facts }));
        }
        records
    }

    /// An engine that knows `configs`, in the order in which [`Engine::unit_views`] gave them, and was where `records` say.
    /// A later record of a key replaces an earlier one.
    pub fn restore(
        seed: u64,
        settings: Settings,
        configs: Vec<Arc<Config>>,
        records: Vec<Record>,
    ) -> (Engine, Vec<BadRecord>) {
        let mut engine = Engine::new(seed, settings);
        for config in &configs {
            // Beyond the limit it is not loaded either.
            engine.graph.mention(&config.name).ok();
        }
        engine.load_all(configs);
        let bad = engine.thaw_all(seed, records);
        (engine, bad)
    }

    /// As `restore`, with the units as another engine had them: to the letter, in the order of their dependencies too.
    pub(crate) fn restore_on(seed: u64, settings: Settings, graph: Graph, records: Vec<Record>) -> Engine {
        let mut engine = Engine::new(seed, settings);
        engine.graph = graph;
        engine.grow();
        let units: Vec<UnitId> = engine.graph.ids().collect();
        for unit in units {
            // Whatever was not looked at yet is among them, and nobody else will be found unneeded.
            engine.queues.loose.insert(unit);
            engine.look_up_by_names(unit);
        }
        // What cannot be read was not readable to the other either.
        engine.thaw_all(seed, records);
        engine
    }

    fn thaw_all(&mut self, seed: u64, records: Vec<Record>) -> Vec<BadRecord> {
        let mut bad = Vec::new();
        let latest: BTreeMap<Key, Option<Vec<u8>>> =
            records.into_iter().map(|record| (record.key, record.state)).collect();
        for (key, state) in latest {
            let Some(bytes) = state else { continue };
            let outcome = match &key {
                Key::Engine => read(&bytes).map(|counters| self.thaw_counters(seed, counters)),
                Key::Unit(name) => read(&bytes).and_then(|unit| self.thaw_unit(name, unit)),
                Key::Job(id) => read(&bytes).and_then(|job| self.thaw_job(*id, job)),
                Key::Past(name) => {
                    read(&bytes).map(|(number, turns)| self.past.put(name.clone(), number, turns))
                }
            };
            if let Err(reason) = outcome {
                bad.push(BadRecord { key, reason });
            }
        }
        // What loading announced was announced by the predecessor.
        self.pen = crate::engine::Pen::default();
        bad
    }

    fn thaw_counters(&mut self, seed: u64, counters: Counters) {
        self.counters = Counters { seed, ..counters };
    }

    fn thaw_unit(&mut self, name: &UnitName, thawed: UnitIn) -> Result<(), String> {
        let unit = self.graph.mention(name).map_err(|_full| "too many units".to_owned())?;
        self.grow();
        let initial = kind::State::initial(self.graph.config(unit));
        let of_any_kind = matches!(thawed.state, kind::State::Cleaning(_));
        if !of_any_kind && std::mem::discriminant(&initial) != std::mem::discriminant(&thawed.state) {
            return Err("the state of another kind of unit".to_owned());
        }
        for process in thawed.state.processes() {
            self.owners.insert(process.id, unit);
        }
        let deadline = thawed.state.deadline();
        self.set_alarm(Alarm::Unit(unit), None, deadline);
        let life = thawed.life;
        self.units[unit.index()] = Unit { state: Some(thawed.state), deadline, life, ..Unit::vacant() };
        Ok(())
    }

    fn thaw_job(&mut self, id: JobId, thawed: JobIn) -> Result<(), String> {
        let unit = self.graph.mention(&thawed.unit).map_err(|_full| "too many units".to_owned())?;
        self.grow();
        let nop = thawed.facts.kind == JobKind::Nop;
        let of = &mut self.units[unit.index()];
        match of.job {
            Some(_) if !nop => return Err("a second job for the unit".to_owned()),
            _ if nop => of.nops += 1,
            Some(_) | None => of.job = Some(id),
        }
        self.set_alarm(Alarm::Job(id), None, thawed.facts.deadline);
        self.jobs.insert(id, Job { unit, facts: thawed.facts, blocked_by: None, place: 0 });
        self.queues.suspects.insert(id);
        self.wake(id);
        Ok(())
    }

    /// A unit for each that the graph has.
    pub(crate) fn grow(&mut self) {
        for unit in (self.units.len()..self.graph.places()).map(|place| UnitId(place as u32)) {
            self.units.push(match self.graph.knowledge(unit) {
                Knowledge::Mentioned | Knowledge::Loaded => Unit::new(self.graph.config(unit)),
                Knowledge::Vacant => Unit::vacant(),
            });
        }
        self.queues.loose.extend(self.graph.take_loose());
    }

    /// Goes on after a crash: gives every order again whose answer some state waits for, and hears what became
    /// of the processes. A process that is nowhere in `fates` was never heard of.
    pub fn recover(&mut self, now: Moment, fates: &BTreeMap<ProcId, Fate>) -> Output {
        self.now = Moment { monotonic: now.monotonic.max(self.now.monotonic), realtime: now.realtime };
        for unit in self.graph.ids().collect::<Vec<_>>() {
            let Some(state) = self.unit(unit).state.clone() else { continue };
            for process in state.processes() {
                self.hear_fate(process, fates.get(&process.id).copied().unwrap_or(Fate::Unheard));
            }
            if state.health().is_some() {
                self.step_unit(unit, kind::Input::Health(kind::HealthInput::Recovered));
            }
        }
        for (process, fate) in fates {
            if matches!(fate, Fate::Ended(_)) && !self.owners.contains_key(process) {
                self.order(Action::Forget { process: *process });
            }
        }
        if let Some(finale) = self.counters.finale {
            self.order(Action::Finish(finale));
        }
        if let Some(bound) = self.counters.bound_for.clone() {
            self.order(Action::Load { unit: bound.target });
        }
        self.repeat_orders();
        self.expire();
        self.settle(crate::step::Running::Nothing);
        self.close()
    }

    fn hear_fate(&mut self, process: kind::Process, fate: Fate) {
        let id = process.id;
        match (process.stage, fate) {
            (Stage::Asked, Fate::Unheard) | (Stage::Spawned, Fate::Alive) => {}
            (Stage::Asked, Fate::Alive) => self.hear(Event::Spawned { process: id }),
            (Stage::Asked, Fate::Ended(status)) => {
                self.hear(Event::Spawned { process: id });
                self.hear(Event::Exited { process: id, status });
            }
            (Stage::Spawned, Fate::Ended(status)) => self.hear(Event::Exited { process: id, status }),
            (Stage::Spawned, Fate::Unheard) => {
                self.hear(Event::Exited { process: id, status: ExitStatus::Unknown });
            }
        }
    }

    fn repeat_orders(&mut self) {
        for unit in self.graph.ids().collect::<Vec<_>>() {
            for action in self.awaited(unit) {
                self.order(action);
            }
        }
    }

    fn awaited(&mut self, unit: UnitId) -> Vec<Action> {
        let config = Arc::clone(self.graph.config(unit));
        let checking = self.unit(unit).job.and_then(|id| self.jobs.get(&id));
        let mut actions = Vec::new();
        if checking.is_some_and(|job| job.facts.phase == Phase::Checking) {
            actions.push(Action::CheckConditions {
                unit: config.name.clone(),
                conditions: config.unit.conditions.clone(),
                asserts: config.unit.asserts.clone(),
            });
        }
        if let Some(freezer) = self.unit(unit).life.freezer.awaited() {
            actions.push(Action::SetFreezer { unit: config.name.clone(), freezer });
        }
        let next_invocation = self.next_invocation();
        let of = &mut self.units[unit.index()];
        if let Some(state) = &of.state {
            let cx = kind::Cx {
                now: self.now,
                unit: &config.name,
                run: &mut of.life.run,
                next_invocation,
                restarts: kind::Restarts::Allowed,
                was_up: Span::ZERO,
                history: &mut of.life.history,
                process_ids: &mut self.counters.process_ids,
                effects: kind::Effects::default(),
            };
            actions.extend(state.waiting_for(&config, &cx));
        }
        actions
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    postcard::from_bytes(bytes).map_err(|error| error.to_string())
}
