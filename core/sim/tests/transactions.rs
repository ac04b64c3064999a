//! Unit graphs and steps, and what real systemd 252 did with them: states, results, exit codes, the commands run
//! and their order. The table is not part of the project: `EUDAEMON_SHARED`, or `../shared` beside the repository.

#![allow(clippy::unwrap_used)]

use eudaemon_engine::api::{
    ActiveState, Answer, JobId, JobKind, JobResult, KillWhom, Request, RequestId, Spawn,
};
use eudaemon_engine::{Engine, Settings};
use eudaemon_sim::machine::Machine;
use eudaemon_sim::program::{Program, Programs, Setup};
use eudaemon_sim::random::Random;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::{Condition, JobMode};
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// How many cases agree: in the other two one random delay has to outlast another, which these seeds do not draw.
const AGREED: usize = 509;

/// Each case is played with several seeds: an agreement by luck is none.
const SEEDS: u64 = 3;

#[test]
fn as_real_systemd_did() {
    let Some(table) = table() else { return };
    let table: Value = serde_json::from_str(&table).unwrap();
    let cases = table["cases"].as_array().unwrap();
    let mut agreed = 0;
    let mut differing = Vec::new();
    for case in cases {
        let outcome = (0..SEEDS).try_for_each(|seed| Player::new(case, seed).play());
        match outcome {
            Ok(()) => agreed += 1,
            Err(why) => differing.push(format!("{} {}: {why}", case["id"], case["note"])),
        }
    }
    println!("{}\n{agreed} of {} cases agree with systemd", differing.join("\n"), cases.len());
    assert!(agreed >= AGREED, "{agreed} cases agree, it were {AGREED} before");
}

fn table() -> Option<String> {
    let shared = std::env::var_os("EUDAEMON_SHARED").map(PathBuf::from);
    let shared =
        shared.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")));
    let text = std::fs::read_to_string(shared.join("transactions/cases.json"));
    if text.is_err() {
        println!("SKIPPED: {} is not there, nothing was compared with systemd", shared.display());
    }
    text.ok()
}

struct Player<'a> {
    case: &'a Value,
    tree: MemoryTree,
    machine: Machine,
    engine: Engine,
    loaded: BTreeSet<UnitName>,
}

impl<'a> Player<'a> {
    fn new(case: &'a Value, seed: u64) -> Player<'a> {
        let mut tree = MemoryTree::new();
        tree.special("/dev/null");
        for (unit, content) in case["units"].as_object().unwrap() {
            tree.file(&format!("/run/systemd/system/{unit}"), content["text"].as_str().unwrap());
        }
        for masked in case["masked"].as_array().unwrap() {
            tree.link(&format!("/etc/systemd/system/{}", masked.as_str().unwrap()), "/dev/null");
        }
        let machine = Machine::new(seed, Box::new(Commands::default()));
        let engine = Engine::new(seed, Settings::default());
        Player { case, tree, machine, engine, loaded: BTreeSet::new() }
    }

    fn play(&mut self) -> Result<(), String> {
        self.tree.file("/run/systemd/system/multi-user.target", "[Unit]\nDefaultDependencies=no\n");
        self.command(&["start", "multi-user.target"]);
        if self.case["keep"].as_bool().unwrap() {
            self.keep();
        }
        let steps = self.case["steps"].as_array().unwrap();
        for (number, (step, expected)) in
            steps.iter().zip(self.case["expect"].as_array().unwrap()).enumerate()
        {
            let words: Vec<&str> =
                step.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
            self.machine.diary.clear();
            let failed = self.command(&words);
            self.compare(failed, expected)
                .map_err(|why| format!("step {} ({}): {why}", number + 1, words.join(" ")))?;
        }
        Ok(())
    }

    /// A target that comes after all units holds them in memory.
    fn keep(&mut self) {
        let units: Vec<&String> = self.case["units"].as_object().unwrap().keys().collect();
        let units: Vec<&str> =
            units.into_iter().map(String::as_str).filter(|unit| !unit.contains("@.")).collect();
        let text = format!("[Unit]\nDefaultDependencies=no\nAfter={}\n", units.join(" "));
        self.tree.file("/run/systemd/system/keep.target", text);
        self.command(&["start", "keep.target"]);
    }

    /// One systemctl command and what follows until all is still; whether its exit code is not nought.
    fn command(&mut self, words: &[&str]) -> bool {
        let (wait, words) = match words.split_first() {
            Some((&"nowait", rest)) => (false, rest),
            _ => (true, words),
        };
        let blocks = wait && !words.contains(&"--no-block");
        let requests: Vec<RequestId> = self.wishes(words);
        match wait {
            true => self.settle(),
            false => self.pass(300_000),
        }
        requests.iter().any(|request| match &self.machine.answers.get(request) {
            Some(Ok(Answer::Job(job))) if blocks => self.job_failed(*job),
            Some(Ok(_)) => false,
            Some(Err(_)) | None => true,
        })
    }

    fn job_failed(&self, job: JobId) -> bool {
        !matches!(self.machine.ended_jobs.get(&job), Some(JobResult::Done | JobResult::Skipped))
    }

    fn wishes(&mut self, words: &[&str]) -> Vec<RequestId> {
        let (verb, rest) = words.split_first().unwrap();
        let mode = rest.iter().find_map(|word| word.strip_prefix("--job-mode="));
        let signal = rest.iter().position(|word| *word == "-s").map(|place| rest[place + 1]);
        let named = |word: &&&str| !word.starts_with('-') && Some(**word) != signal;
        let units: Vec<UnitName> = rest.iter().filter(named).map(|word| name(word)).collect();
        self.load(&units);
        let wishes: Vec<Request> = units
            .into_iter()
            .map(|unit| match signal {
                Some(signal) => {
                    let signal = match signal {
                        "KILL" => 9,
                        "TERM" => 15,
                        "ABRT" => 6,
                        other => panic!("{other}: a new signal"),
                    };
                    Request::Kill { unit, whom: KillWhom::All, signal }
                }
                None => Request::Job { kind: self.kind(verb, &unit), unit, mode: self::mode(verb, mode) },
            })
            .collect();
        wishes.into_iter().map(|wish| self.machine.wish(0, wish)).collect()
    }

    /// `reload-or-restart` asks the unit first whether it can reload.
    fn kind(&self, verb: &str, unit: &UnitName) -> JobKind {
        let reloads = self.engine.unit_view(unit).is_some_and(|view| view.can_reload);
        match (verb, reloads) {
            ("start" | "isolate", _) => JobKind::Start,
            ("stop", _) => JobKind::Stop,
            ("reload", _) => JobKind::Reload,
            ("restart", _) => JobKind::Restart,
            ("try-restart" | "condrestart", _) => JobKind::TryRestart,
            ("reload-or-restart", true) => JobKind::ReloadOrStart,
            ("reload-or-restart", false) => JobKind::Restart,
            ("try-reload-or-restart", true) => JobKind::TryReload,
            ("try-reload-or-restart", false) => JobKind::TryRestart,
            other => panic!("{other:?}: a new verb"),
        }
    }

    fn load(&mut self, units: &[UnitName]) {
        self.loaded.extend(units.iter().cloned());
        let index = Index::read(&self.tree, &SearchPath::new(Scope::System, &Environment::default()));
        let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
        let loader = Loader { tree: &self.tree, index: &index, cx: &cx, scope, surroundings };
        let names: Vec<UnitName> = self.loaded.iter().cloned().collect();
        let configs: Vec<Arc<Config>> =
            loader.closure(&names).into_iter().map(|merged| Arc::new(merged.config)).collect();
        self.machine.load(configs);
    }

    fn settle(&mut self) {
        let mut still = 0;
        for _ in 0..60 {
            self.pass(150_000);
            let busy = self.engine.unit_views().any(|view| {
                matches!(
                    view.active,
                    ActiveState::Activating | ActiveState::Deactivating | ActiveState::Reloading
                )
            });
            still = if busy || self.engine.job_views().next().is_some() { 0 } else { still + 1 };
            if still == 2 {
                return;
            }
        }
    }

    fn pass(&mut self, time: u64) {
        self.machine.horizon = self.machine.clock + time;
        self.machine.run(&mut self.engine);
        self.machine.clock = self.machine.horizon;
    }

    fn compare(&self, failed: bool, expected: &Value) -> Result<(), String> {
        let differs = |what: &str, wanted: String, got: String| match wanted == got {
            true => Ok(()),
            false => Err(format!("{what}: want {wanted}, got {got}")),
        };
        differs("failed", (expected["rc"] != 0).to_string(), failed.to_string())?;
        for (unit, state) in expected["states"].as_object().unwrap() {
            differs(unit, state.as_str().unwrap().to_owned(), self.state(unit))?;
        }
        let results: BTreeMap<String, String> = strings(&expected["results"]);
        differs("results", format!("{results:?}"), format!("{:?}", self.results()))?;
        let events: BTreeMap<String, String> = strings(&expected["events"]);
        differs("events", format!("{events:?}"), format!("{:?}", self.events()))?;
        let first = |event: &Value| {
            let event = event.as_str().unwrap();
            self.machine.diary.iter().position(|noted| noted == event)
        };
        for pair in expected["order"].as_array().unwrap() {
            match (first(&pair[0]), first(&pair[1])) {
                (Some(one), Some(other)) if one < other => {}
                (_, _) => return Err(format!("order: want {} before {}", pair[0], pair[1])),
            }
        }
        Ok(())
    }

    fn state(&self, unit: &str) -> String {
        let view = self.engine.unit_view(&name(unit));
        let state = view.map(|view| format!("{:?}/{}", view.active, view.sub).to_lowercase());
        state.unwrap_or_else(|| "inactive/dead".to_owned())
    }

    fn results(&self) -> BTreeMap<String, String> {
        let units = self.case["units"].as_object().unwrap().keys();
        let views = units.filter_map(|unit| self.engine.unit_view(&name(unit)));
        let failed = views.filter(|view| view.active == ActiveState::Failed);
        failed.map(|view| (view.config.name.to_string(), word(&format!("{:?}", view.result)))).collect()
    }

    fn events(&self) -> BTreeMap<String, String> {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for event in &self.machine.diary {
            *counts.entry(event).or_default() += 1;
        }
        counts.into_iter().map(|(event, count)| (event.clone(), count.to_string())).collect()
    }
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    value.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// `ExitCode` as `exit-code`.
fn word(variant: &str) -> String {
    let mut word = String::new();
    for (place, letter) in variant.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    if word == "core-dump" || word == "oom-kill" { word } else { word.replace("_", "-") }
}

fn mode(verb: &str, mode: Option<&str>) -> JobMode {
    match (verb, mode) {
        ("isolate", _) | (_, Some("isolate")) => JobMode::Isolate,
        (_, None | Some("replace")) => JobMode::Replace,
        (_, Some("fail")) => JobMode::Fail,
        (_, Some("replace-irreversibly")) => JobMode::ReplaceIrreversibly,
        (_, Some("flush")) => JobMode::Flush,
        (_, Some("ignore-dependencies")) => JobMode::IgnoreDependencies,
        (_, Some("ignore-requirements")) => JobMode::IgnoreRequirements,
        (_, Some("triggering")) => JobMode::Triggering,
        (_, Some(other)) => panic!("{other}: a new mode"),
    }
}

/// What the units of the cases run.
#[derive(Default)]
struct Commands {
    flags: BTreeSet<UnitName>,
}

impl Programs for Commands {
    fn program(&mut self, spawn: &Spawn, random: &mut Random) -> Program {
        let argv: Vec<&str> = spawn.command.argv.iter().map(String::as_str).collect();
        match argv.as_slice() {
            ["/var/conf/tx/ev", unit, what, code] => event(unit, what, code.parse().unwrap(), random),
            ["/bin/sleep", seconds] => {
                Program::ends((seconds.parse::<f64>().unwrap() * 1_000_000.0) as u64, 0)
            }
            ["/bin/false"] => Program::ends(1000, 1),
            ["/bin/true"] => Program::ends(1000, 0),
            // Fails if it ran before.
            ["/bin/sh", "-c", _] => Program::ends(1000, u8::from(!self.flags.insert(spawn.unit.clone()))),
            other => panic!("{other:?}: a new command"),
        }
    }

    fn holds(&mut self, _unit: &UnitName, test: &Condition, _random: &mut Random) -> bool {
        assert_eq!(test.value, "/nonexistent/conf", "a new condition");
        test.negated
    }
}

/// Writes down its begin and its end, with a while between.
fn event(unit: &str, what: &str, code: u8, random: &mut Random) -> Program {
    let took = random.between(5_000, 75_000);
    let notes = vec![(500, format!("{unit} {what} B")), (took, format!("{unit} {what} E"))];
    let stays = Program { setup: Setup::Fine, notes, ..Program::stays() };
    match (what, code) {
        ("run", 0) => Program { ready_after: Some(took + 3000), ..stays },
        (_, code) => Program { life: Program::ends(took + 500, code).life, ..stays },
    }
}

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}
