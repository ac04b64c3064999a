//! The engine as its owner holds it: all it knows, and the three calls that drive it. How it decides is in
//! `step`, one file per matter.

use crate::api::{
    Action, Announcement, Finale, Freezer, Input, InvocationId, JobId, Moment, Order, Output, ProcId,
    RequestId,
};
use crate::graph::{Graph, UnitId};
use crate::job::Job;
use crate::kind::ProcessIds;
use crate::transaction::{Reload, Situation, Standing};
use crate::unit::Unit;
use crate::why::{Past, Root};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::{UnitKind, UnitName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the engine is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub exit: ExitMeans,
}

/// What `exit.target` and the `exit` actions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitMeans {
    /// A container or a user's manager: end, with the code.
    Exit,
    /// A booted machine has nobody to exit to.
    PowerOff,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { exit: ExitMeans::Exit }
    }
}

#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) graph: Graph,
    /// By `UnitId`; as many as the graph gave numbers out.
    pub(crate) units: Vec<Unit>,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) counters: Counters,
    pub(crate) now: Moment,
    /// Which unit a process belongs to.
    pub(crate) owners: BTreeMap<ProcId, UnitId>,
    pub(crate) deadlines: BTreeSet<(u64, Alarm)>,
    pub(crate) queues: Queues,
    /// Jobs that wait for this unit's job to go.
    pub(crate) blocked: BTreeMap<UnitId, Vec<JobId>>,
    /// Services by their `BusName=`.
    pub(crate) bus_names: BTreeMap<String, BTreeSet<UnitId>>,
    /// `ExitCodeFrom=`: the units that are named, and those that do.
    pub(crate) exit_codes: BTreeMap<UnitName, BTreeSet<UnitId>>,
    /// Who waits for units to be frozen or thawed. Not written down: with the manager they lose their connection.
    pub(crate) freezing: BTreeMap<UnitId, Vec<(RequestId, Freezer)>>,
    pub(crate) past: Past,
    pub(crate) pen: Pen,
}

/// What only grows, and the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub seed: u64,
    pub invocations: u64,
    pub next_job: u32,
    /// Jobs there have been, and those of them that failed or could not be.
    pub installed_jobs: u32,
    pub failed_jobs: u32,
    pub next_order: u64,
    pub process_ids: ProcessIds,
    /// `None`: nobody gave one, which is 0.
    pub exit_code: Option<u8>,
    pub finale: Option<Finale>,
    pub startup: Startup,
    /// The final target to go to once it is loaded.
    pub bound_for: Option<BoundFor>,
}

/// Where the end leads, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BoundFor {
    pub target: UnitName,
    pub root: Root,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Startup {
    Ahead,
    Underway,
    Over,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    Unit(UnitId),
    Job(JobId),
}

/// Which of several jobs that may run is tried first: systemd's order. What only groups or announces others comes before
/// what has processes, then what is to be nicer to others later, then names decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub kind: u8,
    pub nice: i8,
    pub name: UnitName,
}

impl Turn {
    pub fn of(config: &Config) -> Turn {
        let kind = match config.name.kind() {
            UnitKind::Scope => 0,
            UnitKind::Slice => 1,
            UnitKind::Path => 2,
            UnitKind::Timer => 3,
            UnitKind::Automount => 4,
            UnitKind::Device => 5,
            UnitKind::Target => 6,
            UnitKind::Socket => 7,
            UnitKind::Swap => 8,
            UnitKind::Mount => 9,
            UnitKind::Service => 10,
        };
        let nice = config.service().and_then(|service| service.exec.nice);
        Turn { kind, nice: nice.unwrap_or(0), name: config.name.clone() }
    }
}

/// What is to be looked at before the step ends.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    /// Jobs that may be able to run, in the order they are tried.
    pub ready: BTreeSet<(Turn, JobId)>,
    /// Jobs that came or changed: they may have closed a ring.
    pub suspects: BTreeSet<JobId>,
    /// Units that something active upholds, perhaps.
    pub upheld: BTreeSet<UnitId>,
    /// Units bound to something that is down, perhaps.
    pub bound: BTreeSet<UnitId>,
    /// Units nobody needs any more, perhaps.
    pub unneeded: BTreeSet<UnitId>,
    /// Units whose triggered unit went down, with it.
    pub triggers: VecDeque<(UnitId, UnitId)>,
    /// Units that want to trigger or restart themselves.
    pub wishes: VecDeque<(UnitId, OwnWish)>,
    /// Units that may be forgotten, perhaps. They wait until nothing else is to be heard.
    pub loose: BTreeSet<UnitId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnWish {
    Restart,
    /// The restart that was queued is gone.
    GiveUpRestart,
    Trigger,
    /// It reloads of its own accord: those it propagates reloads to shall too.
    PropagateReload,
}

/// What the step in progress has written so far.
#[derive(Debug, Default)]
pub(crate) struct Pen {
    pub output: Output,
    pub changed_units: BTreeSet<UnitId>,
    pub dirty_units: BTreeSet<UnitId>,
    pub dirty_jobs: BTreeSet<JobId>,
    pub written_counters: Option<Counters>,
}

impl Engine {
    /// An engine that has seen nothing. The seed is for what must be unique, and must differ between engines.
    pub fn new(seed: u64, settings: Settings) -> Engine {
        Engine {
            settings,
            graph: Graph::default(),
            units: Vec::new(),
            jobs: BTreeMap::new(),
            counters: Counters {
                seed,
                invocations: 0,
                next_job: 1,
                installed_jobs: 0,
                failed_jobs: 0,
                next_order: 1,
                process_ids: ProcessIds { next: 1 },
                exit_code: None,
                finale: None,
                startup: Startup::Ahead,
                bound_for: None,
            },
            now: Moment::default(),
            owners: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            queues: Queues::default(),
            blocked: BTreeMap::new(),
            bus_names: BTreeMap::new(),
            exit_codes: BTreeMap::new(),
            freezing: BTreeMap::new(),
            past: Past::default(),
            pen: Pen::default(),
        }
    }

    /// Hears one thing, decides all that follows from it, and says what is to be done.
    pub fn step(&mut self, now: Moment, input: Input) -> Output {
        // A clock that stood still or went back must not undo what was decided.
        self.now = Moment { monotonic: now.monotonic.max(self.now.monotonic), realtime: now.realtime };
        let idle = matches!(input, Input::Tick);
        let running = self.running_when_heard(&input);
        match input {
            Input::Fact(event) => self.hear(event),
            Input::Wish { request, by, wish } => self.wish(request, by, wish),
            Input::Tick => {}
        }
        self.expire();
        self.settle(running);
        if idle {
            self.collect();
        }
        self.close()
    }

    /// The moment of the last step.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// When the engine wants to be called again though nothing happened: monotonic, microseconds. It may have passed:
    /// then the engine is to hear [`Input::Tick`] as soon as there is nothing else to hear.
    pub fn next_deadline(&self) -> Option<u64> {
        // What waits for a quiet moment, and what one step did not come to.
        match self.queues.loose.is_empty() && self.queues.are_at_rest() {
            true => self.deadlines.first().map(|(deadline, _)| *deadline),
            false => Some(self.now.monotonic),
        }
    }

    /// Gives an order; its number is the next.
    pub(crate) fn order(&mut self, action: Action) {
        let number = self.counters.next_order;
        self.counters.next_order += 1;
        self.pen.output.orders.push(Order { number, action });
    }

    pub(crate) fn announce(&mut self, announcement: Announcement) {
        self.pen.output.announcements.push(announcement);
    }

    pub(crate) fn say(&mut self, unit: Option<UnitId>, level: u8, text: String) {
        let unit = unit.map(|unit| self.graph.name(unit).clone());
        self.announce(Announcement::Said { unit, level, text });
    }

    pub(crate) fn answer(
        &mut self,
        request: RequestId,
        outcome: Result<crate::api::Answer, crate::api::Refusal>,
    ) {
        self.announce(Announcement::Answered { request, outcome });
    }

    pub(crate) fn unit(&self, unit: UnitId) -> &Unit {
        &self.units[unit.index()]
    }

    pub(crate) fn unit_mut(&mut self, unit: UnitId) -> &mut Unit {
        self.pen.dirty_units.insert(unit);
        self.pen.changed_units.insert(unit);
        &mut self.units[unit.index()]
    }

    /// The id of the next run; given out only when a run begins.
    pub(crate) fn next_invocation(&self) -> InvocationId {
        let draw = |n: u64| mix(self.counters.seed ^ mix(self.counters.invocations.wrapping_mul(2) + n));
        let mut id = [0; 16];
        id[..8].copy_from_slice(&draw(0).to_be_bytes());
        id[8..].copy_from_slice(&draw(1).to_be_bytes());
        // As every 128-bit id of systemd's, this is a random UUID: version 4, variant 1.
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        InvocationId(id)
    }

    pub(crate) fn set_alarm(&mut self, alarm: Alarm, old: Option<u64>, new: Option<u64>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.deadlines.remove(&(old, alarm));
        }
        if let Some(new) = new {
            self.deadlines.insert((new, alarm));
        }
    }
}

impl Situation for Engine {
    fn standing(&self, unit: UnitId) -> Standing {
        let of = self.unit(unit);
        let queued = of.job.and_then(|job| self.jobs.get(&job)).map(Job::queued);
        Standing { state: of.active(), queued }
    }

    fn reload(&self, unit: UnitId) -> Reload {
        Reload::of(&self.graph, unit)
    }
}

/// splitmix64's finisher: every bit of the number moves every bit of the result.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
