//! Random worlds: units that depend on each other in every way, commands that behave and misbehave, wishes at
//! random moments, and at the end a shutdown that has to come to its end.

mod cleaning;
mod health;
mod mounts;
mod sockets;

use crate::machine::{Faults, Machine};
use crate::program::{Life, OnTerm, Probed, Program, Programs, Setup};
use crate::random::Random;
use eudaemon_engine::api::{
    ExitStatus, Finale, Freezer, Input, JobId, JobKind, KillWhom, Phase, Request, Spawn,
};
use eudaemon_engine::flight::{Flight, Recorder};
use eudaemon_engine::record::Key;
use eudaemon_engine::world::{Waited, World};
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::exec::{ExecCommand, Expansion, Failure, Privileges};
use eudaemon_unit::config::service::{NotifyAccess, Restart, Service, ServiceType};
use eudaemon_unit::config::unit::{CollectMode, Condition, JobMode};
use eudaemon_unit::config::{Body, Config, Dependency, LoadState};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::span::{SECOND, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What came of a seed.
#[derive(Debug)]
pub struct Report {
    pub broken: Vec<String>,
    /// All orders and announcements as one number.
    pub digest: u64,
    pub trace: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    Off,
    On,
}

/// Seeds with this bit make worlds that have sockets, too.
pub const WITH_SOCKETS: u64 = 1 << 32;

/// Seeds with this bit make worlds whose units are frozen and thawed, too.
pub const WITH_FREEZING: u64 = 1 << 34;

/// In worlds of seeds with this bit clients hold units and let go of them, and units are forgotten with their failures.
pub const WITH_HOLDS: u64 = 1 << 33;

/// Seeds with this bit make worlds whose units keep state on disk, which is cleaned, too.
pub const WITH_CLEANING: u64 = 1 << 35;

/// Seeds with this bit make worlds whose services are asked whether they are well, too.
pub const WITH_HEALTH: u64 = 1 << 36;

/// Seeds with this bit make worlds in which things are mounted, too.
pub const WITH_MOUNTS: u64 = 1 << 37;

/// All wishes are made within this time …
const BUSY: u64 = 60 * SECOND;
/// … and this long after the shutdown began, it must be over: every timeout of every unit in a row.
const PATIENCE: u64 = 4000 * SECOND;

/// Events that a recorded flight keeps: few, so that it has to go on from a later state.
const RECORDED: usize = 16;

/// How the engine is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// As it is in earnest, the manager dying now and then.
    Plain,
    /// Nobody dies, and what was heard last is played once more at the end, …
    Recorded,
    /// … nobody dies, …
    Unbroken,
    /// … and nobody dies, but after each step a new engine goes on from what the old one had written.
    Thawed,
}

/// One random world from its beginning to its end.
pub fn run(seed: u64, tracing: Tracing) -> Report {
    drive(seed, tracing, Drive::Plain)
}

pub fn drive(seed: u64, tracing: Tracing, drive: Drive) -> Report {
    let mut random = Random::new(seed);
    let mut configs = units(&mut random);
    // A stream of their own, so that a world without them stays what it is.
    let mut luck = Random::new(!seed);
    if seed & WITH_SOCKETS != 0 {
        sockets::add(&mut configs, &mut luck);
    }
    if seed & WITH_HOLDS != 0 {
        for config in &mut configs {
            if luck.chance(300) {
                config.unit.collect_mode = CollectMode::InactiveOrFailed;
            }
        }
    }
    if seed & WITH_CLEANING != 0 {
        cleaning::keep_state(&mut configs, &mut luck);
    }
    if seed & WITH_MOUNTS != 0 {
        mounts::add(&mut configs, &mut luck);
    }
    if seed & WITH_HEALTH != 0 {
        health::add(&mut configs, &mut luck);
    }
    let configs: Vec<Arc<Config>> = configs.into_iter().map(Arc::new).collect();
    let forking = configs.iter().filter(|config| forks(config)).map(|config| config.name.clone());
    let mut machine = Machine::new(
        seed,
        Box::new(Moods { forking: forking.collect(), serving: sockets::served(&configs) }),
    );
    machine.trace = (tracing == Tracing::On).then(Vec::new);
    machine.faults = faults(&mut random);
    if drive != Drive::Plain {
        machine.faults.manager_dies = 0;
    }
    machine.recorder = (drive == Drive::Recorded).then(|| Recorder::new(RECORDED));
    machine.laws.lenient.kills = machine.faults.unkillable > 0 || machine.faults.manager_dies > 0;
    let names: Vec<UnitName> = configs.iter().map(|config| config.name.clone()).collect();
    machine.load(configs);
    let wishes = random.between(2, 12);
    for _ in 0..wishes {
        let after = random.below(BUSY);
        let wish = wish(&names, &mut random, &mut machine);
        machine.wish(after, wish);
    }
    if seed & WITH_HOLDS != 0 {
        for _ in 0..luck.below(12) {
            let unit = luck.pick(&names).cloned().unwrap_or_else(|| name("u0.service"));
            let wish = match luck.below(5) {
                0 | 1 => Request::Hold(unit),
                2 | 3 => Request::LetGo(unit),
                _ => Request::ResetFailed(Some(unit)),
            };
            let after = luck.below(BUSY);
            machine.wish(after, wish);
        }
    }
    sockets::knock(&names, &mut luck, &mut machine);
    if seed & WITH_FREEZING != 0 {
        freeze(&names, &mut luck, &mut machine);
    }
    if seed & WITH_MOUNTS != 0 {
        mounts::change(&names, &mut luck, &mut machine);
    }
    if seed & WITH_CLEANING != 0 {
        cleaning::clean(&names, &mut luck, &mut machine);
    }
    let mut engine = Engine::new(seed, Settings::default());
    machine.horizon = machine.clock + BUSY;
    pass(&mut machine, &mut engine, drive);
    let exit =
        Request::Job { unit: name("exit.target"), kind: JobKind::Start, mode: JobMode::ReplaceIrreversibly };
    machine.wish(0, exit);
    machine.horizon = machine.clock + PATIENCE;
    pass(&mut machine, &mut engine, drive);
    let mut broken = std::mem::take(&mut machine.laws.broken);
    if machine.finale != Some(Finale::Exit(0)) {
        let jobs: Vec<String> = engine.job_views().map(|job| format!("{job:?}")).collect();
        broken.push(format!("the shutdown did not end: {:?} {}", machine.finale, jobs.join(" ")));
    }
    let (logged, frozen) = (machine.restored(seed).freeze(), engine.freeze());
    let differs = logged.iter().zip(&frozen).find(|(log, now)| log != now && log.key != Key::Engine);
    if differs.is_some() || logged.len() != frozen.len() {
        let key = differs.map(|(_, now)| &now.key);
        broken.push(format!("the log says otherwise than the engine: {key:?}"));
    }
    broken.extend(replay(&machine, &engine));
    Report { broken, digest: machine.digest, trace: machine.trace.unwrap_or_default() }
}

/// A recorded flight, read back, ends where the engine did.
fn replay(machine: &Machine, engine: &Engine) -> Option<String> {
    let flight = machine.recorder.as_ref()?.flight(engine);
    let flight = match Flight::from_bytes(&flight.to_bytes()) {
        Ok(flight) => flight,
        Err(why) => return Some(format!("the flight {why}")),
    };
    let mut again = flight.engine();
    for (now, input) in flight.heard {
        again.step(now, input);
    }
    let sorted = |engine: &Engine| {
        let mut records = engine.freeze();
        records.sort_by(|one, other| one.key.cmp(&other.key));
        records
    };
    let (played, flown) = (sorted(&again), sorted(engine));
    let differs = played.iter().zip(&flown).find(|(one, other)| one != other);
    (played != flown)
        .then(|| format!("the flight ends elsewhere than the engine: {:?}", differs.map(|(_, o)| &o.key)))
}

fn pass(machine: &mut Machine, engine: &mut Engine, drive: Drive) {
    match drive {
        Drive::Plain | Drive::Unbroken | Drive::Recorded => machine.run(engine),
        Drive::Thawed => {
            let mut clock = machine.clock;
            while let Waited::Heard(inputs) = machine.wait(engine, engine.next_deadline()) {
                // A new engine looks at all units at once: it is the one that goes on then.
                let looks = inputs.is_empty() && machine.clock == clock;
                let inputs = if inputs.is_empty() { vec![Input::Tick] } else { inputs };
                for input in inputs {
                    let output = engine.step(machine.now(), input);
                    machine.perform(engine, output);
                    if !looks {
                        // On the same graph: made anew from the files, dependencies may stand in another order.
                        *engine = Recorder::new(0).flight(engine).engine();
                    }
                }
                clock = machine.clock;
            }
        }
    }
}

fn faults(random: &mut Random) -> Faults {
    let mut often = |per_mille: u32| if random.chance(300) { per_mille } else { 0 };
    Faults {
        fork_fails: often(50),
        sockets_fail: often(100),
        unkillable: often(50),
        slow: often(20),
        manager_dies: often(15),
        clock_jumps: often(10),
    }
}

fn freeze(names: &[UnitName], random: &mut Random, machine: &mut Machine) {
    for _ in 0..random.between(4, 40) {
        let unit = random.pick(names).cloned().unwrap_or_else(|| name("u0.service"));
        let freezer = if random.chance(600) { Freezer::Frozen } else { Freezer::Running };
        machine.wish(random.below(BUSY), Request::SetFreezer { unit, freezer });
    }
}

fn wish(names: &[UnitName], random: &mut Random, machine: &mut Machine) -> Request {
    let unit = random.pick(names).cloned().unwrap_or_else(|| name("u0.service"));
    match random.below(20) {
        0 => return Request::CancelJob(JobId(random.below(20) as u32)),
        1 => return Request::Kill { unit, whom: KillWhom::Main, signal: 9 },
        2 => return Request::Kill { unit, whom: KillWhom::All, signal: 15 },
        3 => return Request::SetExitCode(0),
        _more => {}
    }
    let kinds = [
        JobKind::Start,
        JobKind::Start,
        JobKind::Start,
        JobKind::Stop,
        JobKind::Stop,
        JobKind::Restart,
        JobKind::TryRestart,
        JobKind::Reload,
        JobKind::ReloadOrStart,
        JobKind::VerifyActive,
        JobKind::TryReload,
    ];
    let modes = [JobMode::Replace, JobMode::Replace, JobMode::Replace, JobMode::Fail, JobMode::Flush];
    let rare = [JobMode::IgnoreDependencies, JobMode::IgnoreRequirements, JobMode::Triggering];
    let kind = random.pick(&kinds).copied().unwrap_or(JobKind::Start);
    let rarely = random.chance(100);
    let mode = random.pick(if rarely { &rare[..] } else { &modes[..] }).copied().unwrap_or_default();
    machine.laws.lenient.order |= mode == JobMode::IgnoreDependencies;
    Request::Job { unit, kind, mode }
}

fn units(random: &mut Random) -> Vec<Config> {
    let count = random.between(2, 10);
    let names: Vec<UnitName> = (0..count)
        .map(|n| name(&format!("u{n}.{}", if random.chance(200) { "target" } else { "service" })))
        .collect();
    let mut configs: Vec<Config> = names.iter().map(|unit| any_unit(unit, &names, random)).collect();
    let mut shutdown = Config::bare(name("shutdown.target"), LoadState::Loaded);
    shutdown.unit.default_dependencies = false;
    let mut exit = Config::bare(name("exit.target"), LoadState::Loaded);
    exit.unit.dependencies =
        vec![(Dependency::Requires, name("shutdown.target")), (Dependency::After, name("shutdown.target"))];
    configs.extend([shutdown, exit]);
    configs
}

fn any_unit(unit: &UnitName, names: &[UnitName], random: &mut Random) -> Config {
    let mut config = Config::bare(unit.clone(), LoadState::Loaded);
    if let Body::Service(service) = &mut config.body {
        any_service(service, random);
    }
    let section = &mut config.unit;
    for _ in 0..random.below(5) {
        let Some(other) = random.pick(names).filter(|other| *other != unit) else { continue };
        let Some(word) = random.pick(&WORDS) else { continue };
        section.dependencies.push((*word, other.clone()));
        // The words are most often written in pairs.
        if random.chance(500) && !matches!(word, Dependency::Before | Dependency::After) {
            section.dependencies.push((Dependency::After, other.clone()));
        }
    }
    section.dependencies.push((Dependency::Conflicts, name("shutdown.target")));
    section.dependencies.push((Dependency::Before, name("shutdown.target")));
    section.stop_when_unneeded = random.chance(50);
    section.ignore_on_isolate = random.chance(50);
    if random.chance(50) {
        section.job_timeout = Span::seconds(random.between(1, 30));
    }
    if random.chance(100) {
        let test = Condition {
            test: "PathExists".into(),
            value: "/perhaps".into(),
            negated: false,
            triggering: false,
        };
        let tests = if random.chance(500) { &mut section.conditions } else { &mut section.asserts };
        tests.push(test);
    }
    config
}

const WORDS: [Dependency; 18] = [
    Dependency::Requires,
    Dependency::Requires,
    Dependency::Wants,
    Dependency::Wants,
    Dependency::After,
    Dependency::After,
    Dependency::Before,
    Dependency::BindsTo,
    Dependency::PartOf,
    Dependency::Requisite,
    Dependency::Upholds,
    Dependency::Conflicts,
    Dependency::OnFailure,
    Dependency::OnSuccess,
    Dependency::PropagatesReloadTo,
    Dependency::ReloadPropagatedFrom,
    Dependency::PropagatesStopTo,
    Dependency::StopPropagatedFrom,
];

fn any_service(service: &mut Service, random: &mut Random) {
    let kinds = [
        ServiceType::Simple,
        ServiceType::Simple,
        ServiceType::Exec,
        ServiceType::Oneshot,
        ServiceType::Oneshot,
        ServiceType::Notify,
        ServiceType::Forking,
    ];
    service.kind = random.pick(&kinds).copied().unwrap_or_default();
    let commands = &mut service.commands;
    commands.start = vec![command("main", random)];
    let mut often = |list: &mut Vec<ExecCommand>, word: &str, per_mille: u32| {
        while random.chance(per_mille) && list.len() < 3 {
            list.push(command(word, random));
        }
    };
    often(&mut commands.condition, "condition", 50);
    often(&mut commands.start_pre, "pre", 150);
    often(&mut commands.start_post, "post", 100);
    often(&mut commands.reload, "reload", 300);
    often(&mut commands.stop, "stop", 200);
    often(&mut commands.stop_post, "stop-post", 100);
    if service.kind == ServiceType::Oneshot {
        often(&mut commands.start, "more", 200);
    }
    service.remain_after_exit = random.chance(400);
    let restarts = [Restart::No, Restart::No, Restart::OnFailure, Restart::Always, Restart::OnAbnormal];
    service.restart = random.pick(&restarts).copied().unwrap_or_default();
    if service.kind == ServiceType::Oneshot && matches!(service.restart, Restart::Always | Restart::OnSuccess)
    {
        service.restart = Restart::OnFailure;
    }
    service.timeout_start = Span::seconds(random.between(1, 20));
    service.timeout_stop = Span::seconds(random.between(1, 20));
    service.restart_sec = Span::milliseconds(random.between(1, 3000));
    if random.chance(100) {
        service.watchdog = Span::seconds(random.between(1, 20));
    }
    if random.chance(100) {
        service.runtime_max = Span::seconds(random.between(1, 20));
    }
    service.notify_access =
        if service.kind == ServiceType::Notify { NotifyAccess::All } else { NotifyAccess::None };
    if service.kind == ServiceType::Forking && random.chance(500) {
        service.pid_file = Some("/run/daemon.pid".into());
    }
}

fn command(word: &str, random: &mut Random) -> ExecCommand {
    ExecCommand {
        path: format!("/bin/{word}"),
        argv: vec![word.to_owned()],
        failure: if random.chance(100) { Failure::Ignored } else { Failure::Counts },
        expansion: Expansion::Variables,
        privileges: Privileges::AsConfigured,
    }
}

/// Codes of steps that fail before exec, 203 (the program is not there) most often.
const FAILING_STEPS: [u8; 7] = [203, 217, 200, 203, 226, 202, 209];

/// Commands do what they are for, most of the time.
struct Moods {
    forking: BTreeSet<UnitName>,
    /// Services that get sockets passed.
    serving: BTreeSet<UnitName>,
}

fn forks(config: &Config) -> bool {
    matches!(&config.body, Body::Service(service) if service.kind == ServiceType::Forking)
}

impl Programs for Moods {
    fn program(&mut self, spawn: &Spawn, random: &mut Random) -> Program {
        // What is chosen by the process's number draws no luck: the worlds of seeds that were kept stay as they were.
        let nth = spawn.process.0 as usize;
        let setup = if random.chance(20) {
            Setup::Fails(FAILING_STEPS[nth % FAILING_STEPS.len()])
        } else {
            Setup::Fine
        };
        let on_term = match random.below(10) {
            0 => OnTerm::Ignores,
            1..4 => OnTerm::ExitsCleanly { after: random.between(100, 3 * SECOND) },
            _more => OnTerm::Dies { after: random.between(10, 2000) },
        };
        let stays = Program { setup, on_term, ..Program::stays() };
        if spawn.unit.kind() == UnitKind::Mount {
            return mounts::program(spawn.phase, stays, random);
        }
        let serves = spawn.phase == Phase::Start && self.serving.contains(&spawn.unit);
        let takes_after = (serves && random.chance(900)).then(|| random.below(SECOND));
        let stays = Program { takes_after, ..stays };
        let word = spawn.command.argv.first().map_or("", String::as_str);
        if spawn.phase != Phase::Start || word == "more" {
            return Program { life: short(random), ..stays };
        }
        let ready_after = random.chance(900).then(|| random.below(2 * SECOND));
        let long = match random.below(10) {
            0..5 => Life::Stays,
            5..8 => Life::Ends { after: random.below(30 * SECOND), status: status(random) },
            _more => short(random),
        };
        let forks = random.chance(if self.forking.contains(&spawn.unit) { 950 } else { 30 });
        let life = match forks {
            true => {
                let pid_file_after = random.chance(800).then(|| random.below(SECOND));
                let child = Program { life: long, pid_file_after, ..stays.clone() };
                // One in five forks twice, as daemon(7) asks.
                let child = match nth % 5 {
                    0 => Program {
                        life: Life::Daemonizes { after: SECOND / 10, child: Box::new(child) },
                        ..stays.clone()
                    },
                    _more => child,
                };
                Life::Daemonizes { after: random.below(SECOND), child: Box::new(child) }
            }
            false => long,
        };
        Program { life, ready_after, ..stays }
    }

    fn probed(&mut self, _unit: &UnitName, random: &mut Random) -> Probed {
        health::probed(random)
    }

    fn holds(&mut self, _unit: &UnitName, _test: &Condition, random: &mut Random) -> bool {
        random.chance(500)
    }
}

fn short(random: &mut Random) -> Life {
    match random.below(30) {
        0 => Life::Stays,
        _more => Life::Ends { after: random.below(2 * SECOND), status: status(random) },
    }
}

fn status(random: &mut Random) -> ExitStatus {
    match random.below(20) {
        0..14 => ExitStatus::Code(0),
        14 => ExitStatus::Signal(11),
        15 => ExitStatus::Dumped(6),
        _more => ExitStatus::Code(random.between(1, 9) as u8),
    }
}

fn name(text: &str) -> UnitName {
    match UnitName::parse(text) {
        Ok(name) => name,
        Err(error) => panic!("{text}: {error}"),
    }
}
