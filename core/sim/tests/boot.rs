//! What a boot costs the engine itself: a thousand services under one target, every fact heard. Printed; the
//! bound is loose because the machine may be busy.

#![allow(clippy::unwrap_used)]

use eudaemon_engine::api::{Action, Event, Input, JobKind, Moment, Output, Request, RequestId};
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Body, Config, Dependency, LoadState};
use eudaemon_unit::name::UnitName;
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

fn boot(count: u32) {
    let mut configs = vec![bare("shutdown.target"), bare("basic.target"), bare("system.slice")];
    let mut target = bare("multi-user.target");
    for n in 0..count {
        let unit = format!("s{n}.service");
        target.unit.dependencies.push((Dependency::Wants, name(&unit)));
        target.unit.dependencies.push((Dependency::After, name(&unit)));
        configs.push(service(&unit));
    }
    configs.push(target);
    let configs: Vec<Arc<Config>> = configs.into_iter().map(Arc::new).collect();
    let mut engine = Engine::new(1, Settings::default());
    let (mut clock, mut spent, mut steps, mut bytes) = (1_000_000, Duration::ZERO, 0, 0);
    let mut inputs = VecDeque::from([Input::Fact(Event::Loaded(configs))]);
    let wish = Request::Job { unit: name("multi-user.target"), kind: JobKind::Start, mode: JobMode::Isolate };
    inputs.push_back(Input::Wish { request: RequestId(1), by: Default::default(), wish });
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
