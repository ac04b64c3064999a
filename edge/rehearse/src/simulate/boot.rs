//! One boot on the pretend machine, and what is seen of it.

use super::commands::{Commands, LEAST, Pace};
use crate::limits;
use eudaemon_engine::api::{
    Action, ActiveState, Announcement, Event, Finale, Input, JobKind, JobResult, Output, Ownership, Phase,
    Request,
};
use eudaemon_engine::world::{Waited, World};
use eudaemon_engine::{Engine, Settings};
use eudaemon_sim::machine::Machine;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::{UnitKind, UnitName};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is booted, and how.
pub struct Script {
    pub configs: Vec<Arc<Config>>,
    pub start: Vec<UnitName>,
    /// Units of the folder that nothing starts.
    pub left_out: Vec<UnitName>,
    pub failing: BTreeSet<UnitName>,
    pub seed: u64,
    pub pace: Pace,
}

/// What happened, in order, and how it went.
#[derive(Debug, Default, Serialize)]
pub struct Story {
    pub timeline: Vec<Moment>,
    /// Units that have failed and are failed at the end.
    pub failed: Vec<String>,
    /// Units that were to start and did not, each with why.
    pub not_started: Vec<(String, String)>,
    /// Units that ran and were stopped, though nobody asked; none where everything ended.
    pub stopped: Vec<String>,
    /// Units of the folder that nothing starts.
    pub left_out: Vec<String>,
    /// Everything ended within the time, with this code.
    pub exit_code: Option<u8>,
    /// Units still at something when the time was over; none: all came to rest.
    pub restless: Vec<String>,
    /// Of each of those, its last change and what lies behind it, the root last.
    pub causes: Vec<Cause>,
    /// Pretend microseconds from the first request to the rest.
    pub took_usec: u64,
}

/// Why a unit is what it is at the end.
#[derive(Debug, Serialize)]
pub struct Cause {
    pub unit: String,
    pub because: Vec<String>,
}

/// Something that happened to a unit.
#[derive(Debug, Serialize)]
pub struct Moment {
    /// Pretend microseconds after the first request.
    pub at_usec: u64,
    pub unit: String,
    pub what: String,
}

impl Story {
    pub fn went_well(&self) -> bool {
        self.failed.is_empty()
            && self.not_started.is_empty()
            && self.restless.is_empty()
            && self.exit_code.is_none_or(|code| code == 0)
    }
}

pub fn boot(script: Script) -> Story {
    let commands = Commands::new(&script.configs, script.failing, script.pace);
    let mut machine = Machine::new(script.seed, Box::new(commands));
    machine.load(script.configs);
    let begun = machine.clock;
    for unit in &script.start {
        machine.wish(0, Request::Job { unit: unit.clone(), kind: JobKind::Start, mode: JobMode::Replace });
    }
    let mut watcher = Watcher { begun, ..Watcher::default() };
    let mut engine = Engine::new(script.seed, Settings::default());
    let over = begun + limits::BOOT;
    machine.horizon = over;
    while machine.finale.is_none() && !(machine.is_still() && at_rest(&engine)) {
        let inputs = match machine.wait(&engine, engine.next_deadline()) {
            Waited::Heard(inputs) if inputs.is_empty() => vec![Input::Tick],
            Waited::Heard(inputs) => inputs,
            Waited::Over => break,
        };
        for input in inputs {
            let now = machine.now();
            let output = engine.step(now, input);
            watcher.see(now.monotonic, &engine, &output);
            name_on_the_bus(&mut machine, &engine, &output);
            machine.perform(&engine, output);
        }
    }
    watcher.story.left_out = script.left_out.iter().map(UnitName::to_string).collect();
    watcher.end(&engine, &machine, &script.start)
}

/// No unit is on its way anywhere.
fn at_rest(engine: &Engine) -> bool {
    engine.job_views().next().is_none() && !engine.unit_views().any(|view| is_on_its_way(view.active))
}

fn is_on_its_way(state: ActiveState) -> bool {
    match state {
        ActiveState::Activating | ActiveState::Deactivating | ActiveState::Reloading => true,
        ActiveState::Active | ActiveState::Inactive | ActiveState::Failed | ActiveState::Maintenance => false,
    }
}

/// A service of the bus takes its name as soon as it runs.
fn name_on_the_bus(machine: &mut Machine, engine: &Engine, output: &Output) {
    for order in &output.orders {
        let Action::Spawn(spawn) = &order.action else { continue };
        let Some(view) = engine.unit_view(&spawn.unit).filter(|_| spawn.phase == Phase::Start) else {
            continue;
        };
        if let Some(service) = view.config.service()
            && let Some(name) = &service.bus_name
        {
            machine.tell(LEAST, Event::BusName { name: name.clone(), owner: Ownership::Owned });
        }
    }
}

#[derive(Default)]
struct Watcher {
    begun: u64,
    states: BTreeMap<UnitName, (ActiveState, &'static str)>,
    story: Story,
    stopping: BTreeSet<UnitName>,
    unstarted: BTreeMap<UnitName, &'static str>,
}

impl Watcher {
    fn see(&mut self, now: u64, engine: &Engine, output: &Output) {
        for announcement in &output.announcements {
            if let Announcement::UnitChanged(unit) = announcement {
                self.look_at(now, engine, unit);
            }
        }
        for announcement in &output.announcements {
            match announcement {
                Announcement::JobAdded { job, unit } => {
                    if engine.job_view(*job).is_some_and(|job| job.kind == JobKind::Stop) {
                        self.stopping.insert(unit.clone());
                    }
                }
                Announcement::JobRemoved { unit, kind, result, .. } if kind.brings_up() => {
                    self.job_ended(now, unit, *result);
                }
                Announcement::Said { unit, level, text } if *level <= WARNING => {
                    let unit = unit.as_ref().map(UnitName::to_string).unwrap_or_default();
                    let text = text.strip_prefix(&format!("{unit}: ")).unwrap_or(text).to_owned();
                    self.note(now, unit, text);
                }
                Announcement::StartupFinished => {
                    self.note(now, String::new(), "every job of the start is done".to_owned());
                }
                Announcement::Answered { .. }
                | Announcement::UnitAdded(_)
                | Announcement::UnitRemoved(_)
                | Announcement::UnitChanged(_)
                | Announcement::JobRemoved { .. }
                | Announcement::Said { .. } => {}
            }
        }
    }

    fn look_at(&mut self, now: u64, engine: &Engine, unit: &UnitName) {
        let Some(view) = engine.unit_view(unit) else { return };
        let seen = (view.active, view.sub);
        let before = self.states.insert(unit.clone(), seen).unwrap_or((ActiveState::Inactive, "dead"));
        // Slices are there because of others: nobody waits for them.
        if before != seen && unit.kind() != UnitKind::Slice {
            self.note(now, unit.to_string(), format!("{} -> {}", shown(before), shown(seen)));
        }
    }

    fn job_ended(&mut self, now: u64, unit: &UnitName, result: JobResult) {
        let why = match result {
            JobResult::Done => {
                self.unstarted.remove(unit);
                return;
            }
            JobResult::Skipped | JobResult::Collected | JobResult::Once => return,
            JobResult::Canceled => "its start was given up for another's",
            JobResult::Timeout => "its job timed out",
            JobResult::Failed => "its start failed",
            JobResult::Dependency => "a unit it depends on did not start",
            JobResult::Invalid => "the job made no sense in its state",
            JobResult::Assert => "an assertion does not hold",
            JobResult::Unsupported => "units of its kind are not started yet",
        };
        self.unstarted.insert(unit.clone(), why);
        if result != JobResult::Failed {
            self.note(now, unit.to_string(), format!("not started: {why}"));
        }
    }

    fn note(&mut self, now: u64, unit: String, what: String) {
        if self.story.timeline.len() < limits::LINES {
            self.story.timeline.push(Moment { at_usec: now.saturating_sub(self.begun), unit, what });
        }
    }

    fn end(mut self, engine: &Engine, machine: &Machine, start: &[UnitName]) -> Story {
        self.story.took_usec = machine.clock.saturating_sub(self.begun);
        // A unit that is down may be forgotten: what was seen of it last holds.
        for (unit, (active, _)) in &self.states {
            let name = unit.to_string();
            match *active {
                ActiveState::Failed => self.story.failed.push(name),
                ActiveState::Inactive if self.stopping.contains(unit) => self.story.stopped.push(name),
                state if is_on_its_way(state) => self.story.restless.push(name),
                ActiveState::Active
                | ActiveState::Reloading
                | ActiveState::Inactive
                | ActiveState::Activating
                | ActiveState::Deactivating
                | ActiveState::Maintenance => {}
            }
        }
        if let Some(Finale::Exit(code)) = machine.finale {
            self.story.exit_code = Some(code);
            // That is how everything ends.
            self.story.stopped.clear();
            self.story.restless.clear();
        }
        for list in [&mut self.story.failed, &mut self.story.stopped, &mut self.story.restless] {
            list.sort();
        }
        // Requests are numbered from 1, in their order.
        for (unit, outcome) in start.iter().zip(machine.answers.values()) {
            if let Err(refusal) = outcome {
                self.story.not_started.push((unit.to_string(), refusal.reason()));
            }
        }
        let failed = &self.story.failed;
        let others = self.unstarted.iter().filter(|(unit, _)| !failed.contains(&unit.to_string()));
        let others = others.filter(|(unit, _)| !unit.kind().is_unserved() || start.contains(unit));
        let others: Vec<_> = others.map(|(unit, why)| (unit.to_string(), (*why).to_owned())).collect();
        self.story.not_started.extend(others);
        let told = self.story.failed.iter().chain(&self.story.stopped);
        let told: BTreeSet<&String> =
            told.chain(self.story.not_started.iter().map(|(unit, _)| unit)).collect();
        self.story.causes = told.into_iter().filter_map(|unit| cause(engine, unit)).collect();
        self.story
    }
}

fn cause(engine: &Engine, unit: &str) -> Option<Cause> {
    let links = engine.why(&UnitName::parse(unit).ok()?);
    let because: Vec<String> = links.iter().map(|link| format!("{} {}", link.unit, link.text)).collect();
    (!because.is_empty()).then(|| Cause { unit: unit.to_owned(), because })
}

/// syslog's level.
const WARNING: u8 = 4;

fn shown((active, sub): (ActiveState, &str)) -> String {
    format!("{} ({sub})", format!("{active:?}").to_lowercase())
}
