//! The language of scripts: one line is one input; below `----` stands what the engine answered.
//!
//! ```text
//!   unit NAME: Key=Value  Key=Value        two spaces apart; told to the engine as loaded, again after a change
//!   start|stop|restart|… UNIT [MODE]       wishes; also `cancel JOB`, `kill UNIT WHOM SIGNAL`, `reset-failed UNIT`,
//!                                          `hold UNIT`, `let-go UNIT`; units that are not loaded are, before
//!   loaded               the units that are loaded
//!   spawned|executed P   exit P CODE|SIGNAL   fail P CODE   nofork P       facts about processes
//!   holds|fails UNIT     empty|occupied UNIT  found|missing UNIT P         answers
//!   frozen|thawed|unfrozen UNIT            what came of freezing (`freeze`, `thaw`); `unfrozen`: it cannot be had
//!   well P   unwell P WORDS                 what came of a probe (`X-Health.KEY=` is one of that section)
//!   health UNIT          what is known of its health
//!   cleaned|uncleaned UNIT                 what came of cleaning (`clean UNIT WHAT…`)
//!   notify UNIT WHO KEY=VALUE…   opened|unopened|ready UNIT   bus NAME owned|free   mounted UNIT…
//!   plan start|stop|restart|isolate UNIT…  what it would come to; nothing happens (also `start-fail`, `start-flush`,
//!                                          `stop-triggering`: with that job mode)
//!   why UNIT             the chain of causes of its last change, with times since the beginning
//!   log                  from here on what people read is shown whole, not warnings alone
//!   wait TIME            all deadlines on the way strike
//!   crash [P=alive|P=CODE|P=SIGNAL …]      a new engine goes on from the records
//! ```

mod plan;
mod print;
mod read;

use eudaemon_engine::api::{
    Action, Announcement, Asker, Event, Fate, Input, Moment, Output, ProcId, Request, RequestId,
};
use eudaemon_engine::record::{Key, Record};
use eudaemon_engine::why::Link;
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::files::MemoryTree;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Plays a script; gives it back with the answers the engine gave.
pub fn play(written: &str) -> String {
    let mut stage = Stage::new();
    let mut played = Vec::new();
    for block in written.trim_end().split("\n\n") {
        let (inputs, _) = block.split_once("\n----").unwrap_or((block, ""));
        let mut answers = Vec::new();
        for line in inputs.lines().filter(|line| !line.starts_with('#')) {
            answers.extend(stage.line(line));
        }
        let says = inputs.lines().any(|line| !line.starts_with('#'));
        match says {
            true if answers.is_empty() => played.push(format!("{inputs}\n----\n(nothing)")),
            true => played.push(format!("{inputs}\n----\n{}", answers.join("\n"))),
            false => played.push(inputs.to_owned()),
        }
    }
    played.join("\n\n") + "\n"
}

struct Stage {
    engine: Engine,
    tree: MemoryTree,
    configs: Vec<Arc<Config>>,
    records: BTreeMap<Key, Option<Vec<u8>>>,
    clock: u64,
    requests: u64,
    /// Units the engine wants loaded.
    wanted: Vec<UnitName>,
    shown: BTreeMap<String, (String, String)>,
    /// Up to which level lines for people are shown.
    level: u8,
}

impl Stage {
    fn new() -> Stage {
        Stage {
            engine: Engine::new(1, Settings::default()),
            tree: MemoryTree::new(),
            configs: Vec::new(),
            records: BTreeMap::new(),
            clock: 1_000_000_000,
            requests: 0,
            wanted: Vec::new(),
            shown: BTreeMap::new(),
            level: 4,
        }
    }

    fn now(&self) -> Moment {
        Moment { monotonic: self.clock, realtime: 1_700_000_000_000_000 + self.clock }
    }

    fn line(&mut self, line: &str) -> Vec<String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "unit" => self.unit(rest),
            "why" => self.why(rest),
            "loaded" => vec![self.loaded()],
            "health" => {
                let view = self.engine.unit_view(&UnitName::parse(rest).unwrap());
                vec![print::health(view.and_then(|view| view.health))]
            }
            "plan" => plan::show(&self.engine, &self.fresh(), rest),
            "wait" => self.wait(read::time(rest)),
            "crash" => self.crash(rest),
            "log" => {
                self.level = 6;
                Vec::new()
            }
            _ => match read::wish(word, rest) {
                Some(wish) => {
                    self.requests += 1;
                    let by = Asker::Client { uid: 0, pid: 100, command: "systemctl".into() };
                    self.step(Input::Wish { request: RequestId(self.requests), by, wish })
                }
                None if word == "mounted" => {
                    let mut told = self.load_fresh();
                    told.extend(self.step(Input::Fact(read::fact(word, rest))));
                    told
                }
                None => self.step(Input::Fact(read::fact(word, rest))),
            },
        }
    }

    fn unit(&mut self, rest: &str) -> Vec<String> {
        let (name, text) = rest.split_once(':').unwrap_or((rest, ""));
        let path = format!("/etc/systemd/system/{name}");
        match text.trim() {
            "gone" => self.tree.remove(&path),
            "masked" => self.tree.link(&path, "/dev/null"),
            text => self.tree.file(&path, read::unit_text(name, text)),
        }
        self.configs = read::load(&self.tree, name, &self.configs);
        self.step(Input::Fact(Event::Loaded(self.configs.clone())))
    }

    /// What is on disk and not loaded.
    fn fresh(&self) -> Vec<Arc<Config>> {
        let fresh = self.configs.iter().filter(|config| self.engine.canonical(&config.name).is_none());
        fresh.cloned().collect()
    }

    fn loaded(&self) -> String {
        let mut names: Vec<&str> = self.engine.unit_views().map(|view| view.config.name.as_str()).collect();
        names.sort_unstable();
        if names.is_empty() { "(none)".to_owned() } else { names.join(" ") }
    }

    fn why(&self, unit: &str) -> Vec<String> {
        let links = self.engine.why(&UnitName::parse(unit).unwrap());
        let clock = |link: &Link| (link.at.monotonic - 1_000_000_000) as f64 / 1_000_000.0;
        links.iter().map(|link| format!("{} s {} {}", clock(link), link.unit, link.text)).collect()
    }

    fn wait(&mut self, time: u64) -> Vec<String> {
        let end = self.clock + time;
        let mut told = Vec::new();
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= end) {
            self.clock = self.clock.max(deadline);
            told.extend(self.step(Input::Tick));
        }
        self.clock = end;
        told
    }

    fn crash(&mut self, rest: &str) -> Vec<String> {
        let fates: BTreeMap<ProcId, Fate> = rest.split_whitespace().map(read::fate).collect();
        let records: Vec<Record> = self
            .records
            .iter()
            .map(|(key, state)| Record { key: key.clone(), state: state.clone() })
            .collect();
        let is_loaded = |config: &&Arc<Config>| self.engine.canonical(&config.name).is_some();
        let configs = self.configs.iter().filter(is_loaded).cloned().collect();
        let (engine, bad) = Engine::restore(1, Settings::default(), configs, records);
        assert!(bad.is_empty(), "{bad:?}");
        self.engine = engine;
        let output = self.engine.recover(self.now(), &fates);
        let mut told = self.take(output);
        told.extend(self.rest());
        told
    }

    fn step(&mut self, input: Input) -> Vec<String> {
        // Requests are answered; what the answer is, is shown only where it is not a matter of course.
        let plain = matches!(&input, Input::Wish { wish: Request::Job { .. }, .. });
        let loads = matches!(&input, Input::Wish { wish, .. } if wish.loads().is_some());
        let mut told = if loads { self.load_fresh() } else { Vec::new() };
        let output = self.engine.step(self.now(), input);
        told.extend(self.take(output));
        while let Some(unit) = self.wanted.pop() {
            let mut units = self.fresh();
            if !units.iter().any(|config| config.name == unit) {
                units.push(Arc::new(Config::bare(unit, LoadState::NotFound)));
            }
            let output = self.engine.step(self.now(), Input::Fact(Event::Loaded(units)));
            told.extend(self.take(output));
        }
        told.extend(self.rest());
        if plain {
            told.retain(|line| !line.starts_with("answer: job"));
        }
        told
    }

    /// Before anything is wished for, or mounted, its unit is loaded.
    fn load_fresh(&mut self) -> Vec<String> {
        let fresh = self.fresh();
        match fresh.is_empty() {
            true => Vec::new(),
            false => {
                let output = self.engine.step(self.now(), Input::Fact(Event::Loaded(fresh)));
                self.take(output)
            }
        }
    }

    /// There is nothing else to hear.
    fn rest(&mut self) -> Vec<String> {
        match self.engine.next_deadline().is_some_and(|deadline| deadline <= self.clock) {
            true => {
                let output = self.engine.step(self.now(), Input::Tick);
                self.take(output)
            }
            false => Vec::new(),
        }
    }

    fn take(&mut self, output: Output) -> Vec<String> {
        for record in &output.changed {
            self.records.insert(record.key.clone(), record.state.clone());
        }
        for announcement in &output.announcements {
            if let Announcement::UnitRemoved(unit) = announcement {
                self.shown.remove(unit.as_str());
            }
        }
        for order in &output.orders {
            if let Action::Load { unit } = &order.action {
                self.wanted.push(unit.clone());
            }
        }
        let mut told: Vec<String> = output.orders.iter().filter_map(|o| print::order(&o.action)).collect();
        told.extend(output.announcements.iter().filter_map(|told| print::announcement(told, self.level)));
        for view in self.engine.unit_views() {
            let name = view.config.name.to_string();
            let now = (print::active(view.active), view.sub.to_owned());
            let before = self.shown.insert(name.clone(), now.clone());
            let before = before.unwrap_or_else(|| ("inactive".into(), "dead".into()));
            if before != now && name != "-.slice" && name != "system.slice" {
                told.push(format!("{name}: {} -> {}", print::state(&before), print::state(&now)));
                let unmet = !view.condition.holds && view.condition.at != Moment::default();
                if now.0 == "inactive" && before.0 != "inactive" && unmet {
                    told.push(format!("{name}: its condition does not hold"));
                }
            }
        }
        told
    }
}
