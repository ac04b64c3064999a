//! What deciding costs: `cargo bench -p eudaemon-sim`, `… -- plan` for the first alone. Medians with their ranges; nothing passes or fails here.
//!
//! - a plan: one request that comes to jobs of 10,000 units, which name each other 50,000 times
//! - a step: one fact heard on a machine of 10,000 running services, with all that follows from it
//! - loading: 10,000 unit files, from text to configurations that know of each other
//! - reloading: the same files again when none, and when each, says something else

#![allow(clippy::unwrap_used)]

use eudaemon_engine::api::{
    Action, ActiveState, Event, ExitStatus, Input, JobKind, Moment, Occupancy, Output, Request, RequestId,
};
use eudaemon_engine::graph::{Graph, UnitId};
use eudaemon_engine::transaction::{self, Ask, Origin, Reload, Situation, Standing};
use eudaemon_engine::{Engine, Settings};
use eudaemon_sim::random::Random;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::load::{Again, Loader, Print, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const UNITS: u32 = 10_000;
const EDGES: u32 = 50_000;
const TURNS: usize = 11;

fn main() {
    let only_plan = std::env::args().any(|word| word == "plan");
    plan();
    if !only_plan {
        steps(loading());
    }
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (least, most) = (times[0], times[times.len() - 1]);
    println!("{what:<60} {:>10.1?} ({least:.1?} to {most:.1?})", times[times.len() / 2]);
}

/// So many times, beginning anew each time.
fn measure(what: &str, mut once: impl FnMut()) {
    let times = (0..TURNS).map(|_| {
        let begun = Instant::now();
        once();
        begun.elapsed()
    });
    let times = times.collect();
    show(what, times);
}

/// Nothing is up, and nothing queued.
struct AllDown;

impl Situation for AllDown {
    fn standing(&self, _: UnitId) -> Standing {
        Standing { state: ActiveState::Inactive, queued: None }
    }

    fn reload(&self, _: UnitId) -> Reload {
        Reload::Impossible
    }
}

fn plan() {
    let mut random = Random::new(7);
    let mut graph = Graph::default();
    let mut dependencies: Vec<Vec<(Dependency, UnitName)>> = vec![Vec::new(); UNITS as usize];
    // Whoever stands earlier is needed by those that stand later: no ring, and the last leads to all.
    for at in 1..UNITS {
        let own = &mut dependencies[at as usize];
        own.push((Dependency::Wants, unit(at - 1)));
        own.push((Dependency::After, unit(at - 1)));
        for word in [Dependency::Requires, Dependency::After, Dependency::BindsTo] {
            own.push((word, unit(random.below(u64::from(at)) as u32)));
        }
    }
    for (at, dependencies) in dependencies.into_iter().enumerate() {
        let mut config = Config::bare(unit(at as u32), LoadState::Loaded);
        config.unit.dependencies = dependencies;
        graph.load(Arc::new(config)).unwrap();
    }
    let edges: usize = graph.ids().map(|id| graph.names_of(id).count()).sum();
    let ask = Ask {
        unit: graph.id(&unit(UNITS - 1)).unwrap(),
        kind: JobKind::Start,
        mode: JobMode::Replace,
        origin: Origin::Client,
    };
    assert!(edges > EDGES as usize * 99 / 100);
    measure(&format!("a plan of {UNITS} jobs, {edges} dependencies"), || {
        let transaction = transaction::plan(&graph, &AllDown, ask).unwrap();
        assert_eq!(black_box(transaction).jobs.len(), UNITS as usize);
    });
}

fn tree(description: &str) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for target in ["all", "sysinit", "basic", "shutdown", "network"] {
        tree.file(&format!("/etc/systemd/system/{target}.target"), "[Unit]\n");
    }
    for at in 0..UNITS {
        let name = unit(at);
        let text = format!(
            "[Unit]\nDescription={description}\nAfter=network.target\n[Service]\nExecStart=/bin/daemon --number {at}\nRestart=always\n\
             RestartSec=0\n[Install]\nWantedBy=all.target\n"
        );
        tree.file(&format!("/etc/systemd/system/{name}"), text);
        tree.link(&format!("/etc/systemd/system/all.target.wants/{name}"), &format!("../{name}"));
    }
    tree
}

fn loading() -> Vec<Arc<Config>> {
    let (before, after) = (tree("one of many"), tree("another of many"));
    let all = [UnitName::parse("all.target").unwrap()];
    let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
    let search = SearchPath::new(scope, &Environment::default());
    let index = Index::read(&before, &search);
    let loader = Loader { tree: &before, index: &index, cx: &cx, scope, surroundings };
    measure(&format!("loading {UNITS} unit files"), || {
        assert!(black_box(loader.closure(&all)).len() > UNITS as usize);
    });
    let fresh = loader.closure_beside(&all, &|_| None);
    let known: BTreeMap<UnitName, (Config, Print)> = fresh
        .into_iter()
        .map(|fresh| (fresh.merged.config.name.clone(), (fresh.merged.config, fresh.print)))
        .collect();
    for (what, tree) in [("none", &before), ("each", &after)] {
        measure(&format!("reloading them, {what} changed"), || {
            let index = Index::read(tree, &search);
            let loader = Loader { tree, index: &index, cx: &cx, scope, surroundings };
            let again =
                loader.closure_again(&all, &|name| known.get(name).map(|(config, print)| (config, *print)));
            let changed = again.iter().filter(|one| matches!(one, Again::Fresh(_))).count();
            assert_eq!(changed > UNITS as usize / 2, what == "each");
        });
    }
    known.into_values().map(|(config, _)| Arc::new(config)).collect()
}

/// A machine on which all processes are there at once, and now and then one ends.
struct Machine {
    engine: Engine,
    clock: u64,
    inputs: VecDeque<Input>,
    up: Vec<eudaemon_engine::api::ProcId>,
    times: Vec<(&'static str, Duration)>,
}

impl Machine {
    fn drain(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            self.clock += 10;
            let kind = match &input {
                Input::Fact(Event::Exited { .. }) => "exit",
                Input::Fact(Event::Occupancy { .. }) => "empty",
                Input::Fact(Event::Spawned { .. }) => "spawned",
                Input::Fact(Event::Executed { .. }) => "executed",
                Input::Tick => "restart",
                Input::Fact(_) | Input::Wish { .. } => "request",
            };
            let begun = Instant::now();
            let output = self.engine.step(Moment { monotonic: self.clock, realtime: self.clock }, input);
            self.times.push((kind, begun.elapsed()));
            self.answer(output);
        }
    }

    fn answer(&mut self, output: Output) {
        for order in output.orders {
            if let Action::Spawn(spawn) = order.action {
                self.up.push(spawn.process);
                self.inputs.push_back(Input::Fact(Event::Spawned { process: spawn.process }));
                self.inputs.push_back(Input::Fact(Event::Executed { process: spawn.process }));
            } else if let Action::SignalSet { unit, .. } | Action::Survey { unit } = order.action {
                let occupancy = Occupancy::Empty;
                self.inputs.push_back(Input::Fact(Event::Occupancy { unit, occupancy }));
            }
        }
    }
}

fn steps(configs: Vec<Arc<Config>>) {
    let wish = Request::Job {
        unit: UnitName::parse("all.target").unwrap(),
        kind: JobKind::Start,
        mode: JobMode::Replace,
    };
    let inputs = VecDeque::from([
        Input::Fact(Event::Loaded(configs)),
        Input::Wish { request: RequestId(1), by: Default::default(), wish },
    ]);
    let engine = Engine::new(1, Settings::default());
    let mut machine = Machine { engine, clock: 1_000_000, inputs, up: Vec::new(), times: Vec::new() };
    machine.drain();
    let boot: Vec<Duration> = std::mem::take(&mut machine.times).into_iter().map(|(_, time)| time).collect();
    let slowest = boot.iter().max().copied().unwrap_or_default();
    show(&format!("a step of the boot of {UNITS} services"), boot);
    println!("  of them all jobs in one, {slowest:.1?}");
    assert_eq!(machine.up.len(), UNITS as usize);
    let mut random = Random::new(8);
    for _ in 0..UNITS {
        let at = random.below(machine.up.len() as u64) as usize;
        let process = machine.up.swap_remove(at);
        let status = ExitStatus::Code(1);
        machine.inputs.push_back(Input::Fact(Event::Exited { process, status }));
        machine.drain();
        // Restarts come by a deadline.
        machine.clock += 200_000;
        machine.inputs.push_back(Input::Tick);
        machine.drain();
    }
    assert_eq!(machine.up.len(), UNITS as usize, "who ended was not started again");
    show("a step after an exit: all of these", machine.times.iter().map(|(_, time)| *time).collect());
    for kind in ["exit", "empty", "restart", "spawned", "executed"] {
        let times = machine.times.iter().filter(|(of, _)| *of == kind).map(|(_, time)| *time);
        show(&format!("  {kind}"), times.collect());
    }
}

fn unit(at: u32) -> UnitName {
    UnitName::parse(&format!("s{at}.service")).unwrap()
}
