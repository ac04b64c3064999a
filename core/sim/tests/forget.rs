//! Nothing grows without bound: a hundred thousand units that come, run and go leave an engine as large as it was.

#![allow(clippy::unwrap_used)]

use eudaemon_engine::api::{
    Action, Event, ExitStatus, Input, JobKind, Moment, Occupancy, Output, Request, RequestId,
};
use eudaemon_engine::record::Key;
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::exec::ExecCommand;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Body, Config, Dependency, LoadState};
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An engine, and what a state log of it would say.
struct Stage {
    engine: Engine,
    log: BTreeMap<Key, usize>,
    clock: u64,
    requests: u64,
    /// What steps took in which nothing was heard.
    collecting: Duration,
}

impl Stage {
    fn new() -> Stage {
        let engine = Engine::new(1, Settings::default());
        Stage { engine, log: BTreeMap::new(), clock: 1_000_000, requests: 0, collecting: Duration::ZERO }
    }

    /// Has the engine hear these and all that follows from them.
    fn play(&mut self, inputs: Vec<Input>, end: End) {
        let mut inputs = VecDeque::from(inputs);
        loop {
            let due = self.engine.next_deadline().is_some_and(|deadline| deadline <= self.clock);
            let Some(input) = inputs.pop_front().or(due.then_some(Input::Tick)) else { return };
            inputs.extend(self.begin(input, end));
        }
    }

    /// Has it hear this alone.
    fn begin(&mut self, input: Input, end: End) -> Vec<Input> {
        self.clock += 1;
        let collects = matches!(input, Input::Tick);
        let begun = Instant::now();
        let output = self.engine.step(Moment { monotonic: self.clock, realtime: self.clock }, input);
        if collects {
            self.collecting += begun.elapsed();
        }
        self.obey(output, end)
    }

    fn obey(&mut self, output: Output, end: End) -> Vec<Input> {
        for record in output.changed {
            match record.state {
                Some(state) => self.log.insert(record.key, state.len()),
                None => self.log.remove(&record.key),
            };
        }
        let mut facts = Vec::new();
        for order in output.orders {
            if let Action::Spawn(spawn) = order.action {
                facts.push(Event::Spawned { process: spawn.process });
                if let End::With(status) = end {
                    facts.push(Event::Exited { process: spawn.process, status });
                }
            } else if let Action::SignalSet { unit, .. } = order.action {
                facts.push(Event::Occupancy { unit, occupancy: Occupancy::Empty });
            }
        }
        facts.into_iter().map(Input::Fact).collect()
    }

    fn start(&mut self, config: Config, end: End) {
        self.requests += 1;
        let unit = config.name.clone();
        let wish = Request::Job { unit, kind: JobKind::Start, mode: JobMode::Replace };
        let request = RequestId(self.requests);
        let inputs = vec![
            Input::Fact(Event::Loaded(vec![Arc::new(config)])),
            Input::Wish { request, by: Default::default(), wish },
        ];
        self.play(inputs, end);
    }

    /// All that the engine and the log hold, in characters.
    fn size(&self) -> usize {
        format!("{:?}", self.engine).len() + format!("{:?}", self.log).len()
    }
}

#[derive(Clone, Copy)]
enum End {
    Never,
    With(ExitStatus),
}

fn service(unit: &str) -> Config {
    let mut config = Config::bare(name(unit), LoadState::Loaded);
    if let Body::Service(service) = &mut config.body {
        service.commands.start = vec![ExecCommand {
            path: "/bin/true".into(),
            argv: vec!["/bin/true".into()],
            failure: Default::default(),
            expansion: Default::default(),
            privileges: Default::default(),
        }];
    }
    config.unit.dependencies = vec![
        (Dependency::InSlice, name("system.slice")),
        (Dependency::After, name("basic.target")),
        (Dependency::Conflicts, name("shutdown.target")),
        (Dependency::Before, name("shutdown.target")),
        (Dependency::OnFailure, name(&format!("mail-{unit}"))),
    ];
    config
}

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

#[test]
fn a_hundred_thousand_units_come_and_go() {
    let mut stage = Stage::new();
    stage.start(service("stays.service"), End::Never);
    let mut early = 0;
    for number in 100_000..200_000 {
        // One in ten fails, and its failure is forgotten with it or reset.
        let status = ExitStatus::Code(u8::from(number % 10 == 0));
        let mut config = service(&format!("run-{number}.service"));
        if number % 20 == 0 {
            config.unit.collect_mode = eudaemon_unit::config::unit::CollectMode::InactiveOrFailed;
        }
        let unit = config.name.clone();
        stage.start(config, End::With(status));
        if number % 20 == 10 {
            stage.requests += 1;
            let (request, wish) = (RequestId(stage.requests), Request::ResetFailed(Some(unit)));
            stage.play(vec![Input::Wish { request, by: Default::default(), wish }], End::Never);
        }
        if number == 105_000 {
            early = stage.size();
        }
    }
    let (late, census) = (stage.size(), stage.engine.census());
    println!("{early} characters after 5,000 units, {late} after 100,000; {} units loaded", census.units);
    assert_eq!((census.units, census.failed, census.jobs), (1, 0, 0));
    assert!(late < early + early / 10, "it grew from {early} to {late}");
}

/// What is forgotten is found without looking at all that is loaded. The bound is loose because the machine may be busy.
#[test]
fn ten_thousand_that_stay_cost_nothing() {
    let mut stage = Stage::new();
    let mut all = Config::bare(name("all.target"), LoadState::Loaded);
    let names: Vec<String> = (0..10_000).map(|number| format!("stays-{number}.service")).collect();
    all.unit.dependencies = names.iter().map(|unit| (Dependency::Wants, name(unit))).collect();
    let stay = names.iter().map(|unit| Arc::new(service(unit))).collect();
    stage.begin(Input::Fact(Event::Loaded(stay)), End::Never);
    stage.start(all, End::Never);
    assert_eq!(stage.engine.census().units, 10_001);
    stage.collecting = Duration::ZERO;
    for number in 0..100 {
        stage.start(service(&format!("run-{number}.service")), End::With(ExitStatus::Code(0)));
    }
    let took = stage.collecting / 100;
    println!("a unit that goes beside 10,000 is forgotten in {took:?}");
    assert_eq!(stage.engine.census().units, 10_001);
    assert!(took < Duration::from_millis(5), "{took:?} for one unit");
}
