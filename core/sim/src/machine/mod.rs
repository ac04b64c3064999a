//! The pretend machine: it performs orders, lets time pass, and breaks things as its faults say. It keeps what
//! init and the state log would keep, so that the manager can be killed between any two orders.

mod death;
mod freezer;
mod mounts;
mod obey;
mod sockets;

use crate::laws::Laws;
use crate::program::{Life, OnTerm, Probed, Program, Programs, Setup};
use crate::random::Random;
use eudaemon_engine::Engine;
use eudaemon_engine::api::{
    Action, Announcement, Answer, Event, ExitStatus, Finale, FindHow, Input, JobId, JobResult, Moment,
    Notification, NotifySender, Occupancy, Order, Output, Phase, ProcId, Refusal, Request, RequestId, Spawn,
    Trouble,
};
use eudaemon_engine::flight::Recorder;
use eudaemon_engine::record::Key;
use eudaemon_engine::world::{Waited, World};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
pub use mounts::Change;
pub use sockets::Backlog;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often things go wrong, per mille.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub fork_fails: u32,
    pub sockets_fail: u32,
    /// SIGKILL takes effect only after minutes.
    pub unkillable: u32,
    /// An answer takes seconds instead of microseconds.
    pub slow: u32,
    /// The manager dies between two orders.
    pub manager_dies: u32,
    /// The wall clock jumps.
    pub clock_jumps: u32,
}

/// A world that takes longer than this has a wheel that turns by itself.
const STEPS: u64 = 20_000;

/// A pid of the pretend kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pid(u64);

#[derive(Debug)]
pub struct Process {
    pub unit: UnitName,
    /// Known to the engine under this id.
    pub id: Option<ProcId>,
    pub phase: Phase,
    program: Program,
    wrote_pid_file: bool,
    executed: bool,
    /// Takes in whoever knocks on the sockets it was passed.
    takes: bool,
}

#[derive(Debug)]
enum Happening {
    Hear(Event),
    Wish(RequestId, Request),
    Exec(Pid),
    Note(Pid, String),
    /// Whether the unit has processes beside these is looked at, and told, at this moment and not before.
    Count(UnitName, Vec<ProcId>),
    Knock(UnitName),
    Cleaned(UnitName),
    /// A program mounts or unmounts.
    Mounts(Pid),
    /// Somebody else does.
    Mount(UnitName, Change),
    /// The table of mounts is read, and told.
    Table,
    TakesIn(Pid),
    Ready(Pid),
    PidFile(Pid),
    Forks(Pid),
    Ends(Pid, ExitStatus),
}

pub struct Machine {
    pub faults: Faults,
    pub random: Random,
    pub clock: u64,
    pub configs: Vec<Arc<Config>>,
    pub programs: Box<dyn Programs>,
    pub processes: BTreeMap<Pid, Process>,
    /// What programs noted, in order.
    pub diary: Vec<String>,
    pub answers: BTreeMap<RequestId, Result<Answer, Refusal>>,
    pub ended_jobs: BTreeMap<JobId, JobResult>,
    pub finale: Option<Finale>,
    /// Nothing is heard after this instant.
    pub horizon: u64,
    /// Every order and announcement as text, if wanted.
    pub trace: Option<Vec<String>>,
    /// All of them as one number.
    pub digest: u64,
    pub laws: Laws,
    /// What the engine hears, if wanted.
    pub recorder: Option<Recorder>,
    wall: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    next_pid: u64,
    pids: BTreeMap<ProcId, Pid>,
    /// Exits init still holds.
    exits: BTreeMap<ProcId, ExitStatus>,
    finding: BTreeMap<UnitName, (ProcId, FindHow)>,
    /// The sockets that are open.
    backlogs: BTreeMap<UnitName, Backlog>,
    /// What is mounted, and how often upon each other.
    mounted: BTreeMap<UnitName, u32>,
    /// Units whose directories are being removed.
    cleaning: BTreeSet<UnitName>,
    /// What processes of frozen units would do.
    frozen: BTreeMap<UnitName, Vec<Happening>>,
    log: BTreeMap<Key, Option<Vec<u8>>>,
    /// The units that are loaded, in the order in which they came.
    loaded: Vec<UnitName>,
    outbox: Vec<Order>,
    manager: Manager,
    batch: Batch,
    requests: u64,
    /// How often the engine was called.
    steps: u64,
}

/// Of a repeated batch some orders were done before, and what a later one undid is undone when they come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batch {
    Fresh,
    Repeated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Alive,
    Dead,
}

impl Machine {
    pub fn new(seed: u64, programs: Box<dyn Programs>) -> Machine {
        Machine {
            faults: Faults::default(),
            random: Random::new(seed),
            clock: 1_000_000,
            configs: Vec::new(),
            programs,
            processes: BTreeMap::new(),
            diary: Vec::new(),
            answers: BTreeMap::new(),
            ended_jobs: BTreeMap::new(),
            finale: None,
            horizon: u64::MAX,
            trace: None,
            digest: 0,
            laws: Laws::default(),
            recorder: None,
            wall: 1_700_000_000_000_000,
            agenda: BTreeMap::new(),
            mounted: BTreeMap::new(),
            cleaning: BTreeSet::new(),
            frozen: BTreeMap::new(),
            sequence: 0,
            next_pid: 2,
            pids: BTreeMap::new(),
            exits: BTreeMap::new(),
            finding: BTreeMap::new(),
            backlogs: BTreeMap::new(),
            log: BTreeMap::new(),
            loaded: Vec::new(),
            outbox: Vec::new(),
            manager: Manager::Alive,
            batch: Batch::Fresh,
            requests: 0,
            steps: 0,
        }
    }

    /// Units as on disk. The engine is told of them when something is wished of one that it does not know.
    pub fn load(&mut self, configs: Vec<Arc<Config>>) {
        self.configs = configs;
    }

    /// What is on disk and not loaded.
    fn fresh(&self, engine: &Engine) -> Vec<Arc<Config>> {
        let fresh = self.configs.iter().filter(|config| engine.canonical(&config.name).is_none());
        fresh.cloned().collect()
    }

    /// A wish, after so many microseconds.
    pub fn wish(&mut self, after: u64, wish: Request) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.laws.asked(request);
        self.at(after, Happening::Wish(request, wish));
        request
    }

    /// The engine hears of something that the machine itself does not bring about.
    pub fn tell(&mut self, after: u64, event: Event) {
        self.at(after, Happening::Hear(event));
    }

    /// Nothing more happens by itself: only a deadline of the engine's could strike.
    pub fn is_still(&self) -> bool {
        self.agenda.is_empty()
    }

    /// Runs an engine until nothing more happens, the horizon is reached, or everything has ended; a manager
    /// that dies is started again.
    pub fn run(&mut self, engine: &mut Engine) {
        loop {
            eudaemon_engine::world::run(engine, self);
            match self.manager {
                Manager::Alive => return,
                Manager::Dead => self.resurrect(engine),
            }
        }
    }

    fn at(&mut self, after: u64, happening: Happening) {
        self.sequence += 1;
        self.agenda.insert((self.clock.saturating_add(after), self.sequence), happening);
    }

    fn hear(&mut self, event: Event) {
        let after = self.delay();
        self.at(after, Happening::Hear(event));
    }

    fn delay(&mut self) -> u64 {
        let slow = self.random.chance(self.faults.slow);
        if slow { self.random.between(1_000_000, 9_000_000) } else { self.random.between(10, 90) }
    }

    fn note(&mut self, text: impl Fn() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12} {}", self.clock, text()));
        }
    }

    fn mix(&mut self, text: &str) {
        for byte in text.bytes().chain([b'\n']) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// Lets one thing happen; gives what the engine hears of it.
    fn happen(&mut self, happening: Happening) -> Option<Input> {
        match happening {
            Happening::Hear(event) => {
                if let Event::Probed { process, .. } = &event {
                    self.laws.probe_over(*process);
                }
                return Some(Input::Fact(event));
            }
            Happening::Wish(request, wish) => {
                if matches!(wish, Request::SetFreezer { .. }) {
                    self.laws.waits_for_the_kernel(request);
                }
                return Some(Input::Wish { request, by: Default::default(), wish });
            }
            Happening::Note(pid, text) => {
                if self.processes.contains_key(&pid) {
                    self.diary.push(text);
                }
            }
            Happening::Count(unit, but) => {
                let left = self.members(&unit, &but);
                let occupancy = if left.is_empty() { Occupancy::Empty } else { Occupancy::Occupied };
                return Some(Input::Fact(Event::Occupancy { unit, occupancy }));
            }
            Happening::Knock(unit) => self.knocked(unit),
            Happening::Cleaned(unit) if self.cleaning.remove(&unit) => {
                return Some(Input::Fact(Event::Cleaned { unit, outcome: Ok(()) }));
            }
            // It was stopped.
            Happening::Cleaned(_) => {}
            Happening::Mounts(pid) => self.mounts(pid),
            Happening::Mount(unit, change) => self.mount(unit, change),
            Happening::Table => return Some(Input::Fact(self.mount_table())),
            Happening::TakesIn(pid) => self.take_in(pid),
            Happening::Exec(pid) => self.exec(pid),
            Happening::Ready(pid) => return self.ready(pid),
            Happening::PidFile(pid) => {
                if let Some(process) = self.processes.get_mut(&pid) {
                    process.wrote_pid_file = true;
                    let unit = process.unit.clone();
                    if let Some((id, FindHow::PidFile(_))) = self.finding.get(&unit).cloned() {
                        self.find(unit, id, FindHow::PidFile(String::new()));
                    }
                }
            }
            Happening::Forks(pid) => self.fork(pid),
            Happening::Ends(pid, status) => return self.end(pid, status),
        }
        None
    }

    fn exec(&mut self, pid: Pid) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        process.executed = true;
        let program = process.program.clone();
        for (after, text) in program.notes {
            self.at(after, Happening::Note(pid, text));
        }
        if let Some(after) = program.ready_after {
            self.at(after, Happening::Ready(pid));
        }
        if let Some(after) = program.takes_after {
            self.at(after, Happening::TakesIn(pid));
        }
        if let Some(after) = program.mounts_after {
            self.at(after, Happening::Mounts(pid));
        }
        if let Some(after) = program.pid_file_after {
            self.at(after, Happening::PidFile(pid));
        }
        match program.life {
            Life::Stays => {}
            Life::Ends { after, status } => self.at(after, Happening::Ends(pid, status)),
            Life::Daemonizes { after, .. } => self.at(after, Happening::Forks(pid)),
        }
    }

    fn ready(&mut self, pid: Pid) -> Option<Input> {
        let process = self.processes.get(&pid)?;
        let sender = match (process.id, process.phase) {
            (Some(_), Phase::Start) => NotifySender::Main,
            (Some(_), _) => NotifySender::Control,
            (None, _) => NotifySender::Member,
        };
        let message = Notification { ready: true, ..Notification::default() };
        Some(Input::Fact(Event::Notified { unit: process.unit.clone(), sender, message }))
    }

    fn fork(&mut self, pid: Pid) {
        let Some(process) = self.processes.get(&pid) else { return };
        let (unit, phase) = (process.unit.clone(), process.phase);
        if let Life::Daemonizes { child, .. } = process.program.life.clone() {
            let child = self.add(unit, None, phase, *child);
            self.exec(child);
            self.at(100, Happening::Ends(pid, ExitStatus::Code(0)));
        }
    }

    fn add(&mut self, unit: UnitName, id: Option<ProcId>, phase: Phase, program: Program) -> Pid {
        let pid = Pid(self.next_pid);
        self.next_pid += 1;
        let process =
            Process { unit, id, phase, program, wrote_pid_file: false, executed: false, takes: false };
        self.processes.insert(pid, process);
        if let Some(id) = id {
            self.pids.insert(id, pid);
        }
        pid
    }

    fn end(&mut self, pid: Pid, status: ExitStatus) -> Option<Input> {
        let process = self.processes.remove(&pid)?;
        if !self.processes.values().any(|other| other.unit == process.unit) {
            self.count_later(process.unit.clone(), Vec::new());
        }
        let id = process.id?;
        self.pids.remove(&id);
        self.exits.insert(id, status);
        Some(Input::Fact(Event::Exited { process: id, status }))
    }

    fn listen(&mut self, announcement: &Announcement) {
        match announcement {
            Announcement::Answered { request, outcome } => {
                self.laws.answered(*request);
                self.answers.insert(*request, outcome.clone());
            }
            Announcement::JobRemoved { job, unit: _, kind: _, result } => {
                self.ended_jobs.insert(*job, *result);
            }
            Announcement::UnitAdded(_)
            | Announcement::UnitRemoved(_)
            | Announcement::UnitChanged(_)
            | Announcement::JobAdded { .. }
            | Announcement::Said { .. }
            | Announcement::StartupFinished => {}
        }
    }
}

impl World for Machine {
    fn now(&self) -> Moment {
        Moment { monotonic: self.clock, realtime: self.wall + self.clock }
    }

    fn witness(&mut self, engine: &Engine, now: Moment, input: &Input) {
        if let Some(recorder) = &mut self.recorder {
            recorder.hear(engine, now, input);
        }
    }

    fn perform(&mut self, engine: &Engine, output: Output) {
        if self.manager == Manager::Dead {
            return;
        }
        self.loaded = engine.unit_views().map(|view| view.config.name.clone()).collect();
        for record in output.changed {
            match record.state {
                Some(state) => self.log.insert(record.key, Some(state)),
                None => self.log.remove(&record.key),
            };
        }
        self.outbox = output.orders.clone();
        for announcement in &output.announcements {
            self.note(|| format!("{announcement:?}"));
            // Words for people, and news that may be none, are no part of what must be repeatable.
            if !matches!(announcement, Announcement::Said { .. } | Announcement::UnitChanged(_)) {
                self.mix(&format!("{announcement:?}"));
            }
            self.listen(announcement);
        }
        for order in output.orders {
            if self.random.chance(self.faults.manager_dies) {
                self.manager = Manager::Dead;
                return;
            }
            self.note(|| format!("{:?}", order.action));
            self.mix(&format!("{:?}", order.action));
            self.obey(order.action);
        }
        self.outbox.clear();
        self.laws.check(engine, &self.processes, &output.announcements, self.clock);
        self.laws.check_health(engine, &self.processes, self.clock);
        self.laws.check_sockets(engine, &self.backlogs, &output.announcements, self.clock);
    }

    fn wait(&mut self, engine: &Engine, deadline: Option<u64>) -> Waited {
        loop {
            if self.manager == Manager::Dead || self.finale.is_some() {
                return Waited::Over;
            }
            self.steps += 1;
            if self.steps > STEPS {
                self.laws.broken.push(format!("{}: no rest after {STEPS} steps", self.clock));
                return Waited::Over;
            }
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let instant = match (next, deadline) {
                (None, None) => {
                    self.laws.quiet(engine, &self.backlogs);
                    self.laws.mounts_are_followed(engine, &self.mounted);
                    return Waited::Over;
                }
                _ if deadline.is_none_or(|deadline| deadline > self.clock)
                    && next.is_none_or(|next| next > self.clock) =>
                {
                    self.laws.only_what_is_needed(engine, self.clock);
                    next.into_iter().chain(deadline).min().unwrap_or(self.clock)
                }
                (Some(next), Some(deadline)) => next.min(deadline),
                (Some(instant), None) | (None, Some(instant)) => instant,
            };
            if instant > self.horizon {
                self.clock = self.clock.max(self.horizon);
                return Waited::Over;
            }
            self.clock = self.clock.max(instant);
            if next.is_none_or(|next| next > self.clock) {
                return Waited::Heard(Vec::new());
            }
            if self.random.chance(self.faults.clock_jumps) {
                self.wall = self.random.between(1, 3_000_000_000_000_000);
            }
            let Some((_, happening)) = self.agenda.pop_first() else { continue };
            let Some(happening) = self.put_off(happening) else { continue };
            if let Some(input) = self.happen(happening) {
                self.note(|| format!("<- {input:?}"));
                let fresh = match &input {
                    Input::Wish { wish, .. } if wish.loads().is_some() => self.fresh(engine),
                    Input::Fact(Event::Mounts(_)) => self.unknown_mounts(engine),
                    Input::Wish { .. } | Input::Fact(_) | Input::Tick => Vec::new(),
                };
                let mut heard = Vec::new();
                if !fresh.is_empty() {
                    heard.push(Input::Fact(Event::Loaded(fresh)));
                }
                heard.push(input);
                return Waited::Heard(heard);
            }
        }
    }
}
