//! What a boot costs the engine itself: a thousand services under one target, every fact heard. Printed; the
//! bound is loose because the machine may be busy. And a boot that waits with a hundred thousand jobs.

#![allow(clippy::unwrap_used)]

use eudaemon_engine::api::{Action, Announcement, Event, Input, JobKind, Moment, Output, Request, RequestId};
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Body, Config, Dependency, LoadState};
use eudaemon_unit::name::{UnitKind, UnitName};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_thousand_services() {
    boot(1000);
}

/// The same once more with ten times as many: what grows faster than the number of units shows here.
#[test]
fn ten_thousand_services() {
    boot(10_000);
}

/// They wait for one that is not over, are asked for again, one by one, and end with a request that contradicts them all.
#[test]
fn a_hundred_thousand_jobs_wait() {
    const COUNT: u32 = 100_000;
    let mut configs = machine(COUNT);
    for config in configs.iter_mut().filter(|config| config.name.kind() == UnitKind::Service) {
        Arc::get_mut(config).unwrap().unit.dependencies.push((Dependency::After, name("slow.service")));
    }
    // Its process is there, and never said to have ended before it is killed.
    let mut slow = service("slow.service");
    let Body::Service(body) = &mut slow.body else { unreachable!() };
    body.kind = ServiceType::Oneshot;
    configs.push(Arc::new(slow));
    let mut player = Player { engine: Engine::new(1, Settings::default()), clock: 1_000_000, answered: 0 };
    let first = wish(1, "slow.service", JobKind::Start, JobMode::Replace);
    let second = wish(2, "multi-user.target", JobKind::Start, JobMode::Replace);
    player.put([Input::Fact(Event::Loaded(configs)), first, second]);
    let queued = player.engine.job_views().count();
    assert_eq!(queued, COUNT as usize + 2, "each of the services, the slow one, and the target");
    for n in 0..20 {
        let unit = format!("s{}.service", n * 4999);
        player.put([wish(3 + n, &unit, JobKind::Start, JobMode::Fail)]);
        player.put([wish(100 + n, &unit, JobKind::Stop, JobMode::Fail)]);
    }
    assert_eq!(
        (player.engine.job_views().count(), player.answered),
        (queued, 42),
        "no second job, and each is answered"
    );
    player.put([wish(200, "shutdown.target", JobKind::Start, JobMode::ReplaceIrreversibly)]);
    let left: Vec<String> = player.engine.job_views().map(|view| view.unit.to_string()).collect();
    assert_eq!(left, ["shutdown.target", "slow.service"]);
}

/// An engine, and all that it is told.
struct Player {
    engine: Engine,
    clock: u64,
    answered: usize,
}

impl Player {
    /// Until nothing is left to do.
    fn put(&mut self, inputs: impl Into<VecDeque<Input>>) {
        let mut inputs = inputs.into();
        loop {
            let due = self.engine.next_deadline().is_some_and(|deadline| deadline <= self.clock);
            let Some(input) = inputs.pop_front().or(due.then_some(Input::Tick)) else { return };
            self.clock += 1;
            let output = self.engine.step(Moment { monotonic: self.clock, realtime: self.clock }, input);
            let answered = |told: &&Announcement| matches!(told, Announcement::Answered { .. });
            self.answered += output.announcements.iter().filter(answered).count();
            inputs.extend(answers(output));
        }
    }
}

fn wish(request: u64, unit: &str, kind: JobKind, mode: JobMode) -> Input {
    let wish = Request::Job { unit: name(unit), kind, mode };
    Input::Wish { request: RequestId(request), by: Default::default(), wish }
}

fn boot(count: u32) {
    let configs = machine(count);
    let mut engine = Engine::new(1, Settings::default());
    let (mut clock, mut spent, mut steps, mut bytes) = (1_000_000, Duration::ZERO, 0, 0);
    let mut inputs = VecDeque::from([Input::Fact(Event::Loaded(configs))]);
    inputs.push_back(wish(1, "multi-user.target", JobKind::Start, JobMode::Isolate));
    let mut slowest = Duration::ZERO;
    while let Some(input) = inputs.pop_front() {
        clock += 1;
        let loading = matches!(input, Input::Fact(Event::Loaded(_)));
        let begun = Instant::now();
        let output = engine.step(Moment { monotonic: clock, realtime: clock }, input);
        let took = begun.elapsed();
        if loading {
            println!("{count} units: loading took {took:?}");
        } else {
            spent += took;
            slowest = slowest.max(took);
        }
        steps += 1;
        bytes += written(&output);
        inputs.extend(answers(output));
    }
    let up = engine.unit_views().filter(|view| view.sub == "running").count();
    assert_eq!(up, count as usize);
    assert_eq!(engine.job_views().count(), 0);
    println!(
        "{count} units: {steps} steps took {spent:?}, the slowest {slowest:?}; {bytes} bytes of records"
    );
    assert!(
        spent < Duration::from_millis(u64::from(count)),
        "a millisecond a unit is far too much: {spent:?}"
    );
}

/// So many services under one target.
fn machine(count: u32) -> Vec<Arc<Config>> {
    let mut configs = vec![bare("shutdown.target"), bare("basic.target"), bare("system.slice")];
    let mut target = bare("multi-user.target");
    for n in 0..count {
        let unit = format!("s{n}.service");
        target.unit.dependencies.push((Dependency::Wants, name(&unit)));
        target.unit.dependencies.push((Dependency::After, name(&unit)));
        configs.push(service(&unit));
    }
    configs.push(target);
    configs.into_iter().map(Arc::new).collect()
}

fn written(output: &Output) -> usize {
    output.changed.iter().map(|record| record.state.as_ref().map_or(0, Vec::len)).sum()
}

/// Every process is there at once, and says nothing more.
fn answers(output: Output) -> Vec<Input> {
    let spawned = output.orders.into_iter().filter_map(|order| {
        let Action::Spawn(spawn) = order.action else { return None };
        Some(Input::Fact(Event::Spawned { process: spawn.process }))
    });
    spawned.collect()
}

fn service(unit: &str) -> Config {
    let mut config = bare(unit);
    if let Body::Service(service) = &mut config.body {
        service.commands.start = vec![eudaemon_unit::config::exec::ExecCommand {
            path: "/bin/true".into(),
            argv: vec!["/bin/true".into()],
            failure: Default::default(),
            expansion: Default::default(),
            privileges: Default::default(),
        }];
    }
    config.unit.dependencies = vec![
        (Dependency::InSlice, name("system.slice")),
        (Dependency::Requires, name("system.slice")),
        (Dependency::After, name("system.slice")),
        (Dependency::Requires, name("basic.target")),
        (Dependency::After, name("basic.target")),
        (Dependency::Conflicts, name("shutdown.target")),
        (Dependency::Before, name("shutdown.target")),
    ];
    config
}

fn bare(unit: &str) -> Config {
    let mut config = Config::bare(name(unit), LoadState::Loaded);
    config.unit.allow_isolate = true;
    config
}

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}
