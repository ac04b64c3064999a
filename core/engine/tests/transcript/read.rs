//! Lines as inputs.

use eudaemon_engine::api::{
    Event, ExitStatus, Fate, Freezer, JobId, JobKind, KillWhom, Notification, NotifySender, Occupancy,
    Ownership, ProcId, Request, Resource, Trouble, Watchdog,
};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::directives;
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use std::sync::Arc;

pub const SIGNALS: [(i32, &str); 9] = [
    (1, "HUP"),
    (2, "INT"),
    (6, "ABRT"),
    (9, "KILL"),
    (10, "USR1"),
    (11, "SEGV"),
    (12, "USR2"),
    (15, "TERM"),
    (18, "CONT"),
];

/// `Key=Value  Key=Value` as a unit file; each key goes into the section that knows it.
pub fn unit_text(name: &str, line: &str) -> String {
    let kind = UnitName::parse(name).unwrap().kind().suffix();
    let own = format!("{}{}", kind[..1].to_uppercase(), &kind[1..]);
    let mut unit = String::from("[Unit]\nDefaultDependencies=no\n");
    let mut rest = format!("[{own}]\n");
    for item in line.split("  ").map(str::trim).filter(|item| !item.is_empty()) {
        let (key, _) = item.split_once('=').unwrap_or_else(|| panic!("{item}: no `=`"));
        if let Some(item) = item.strip_prefix("X-Health.") {
            rest += &format!("[X-Health]\n{item}\n");
            continue;
        }
        if directives::find("Unit", key).is_some() {
            unit += &format!("{item}\n");
        } else {
            let sections = [&own, "X-Container", "X-Health"];
            let section = sections.into_iter().find(|section| directives::find(section, key).is_some());
            let section = section.unwrap_or_else(|| panic!("{key}: no section knows it"));
            rest += &format!("[{section}]\n{item}\n");
        }
    }
    match own.as_str() {
        "Target" | "Slice" => unit + rest.strip_prefix(&format!("[{own}]\n")).unwrap_or_default(),
        _other => unit + &rest,
    }
}

/// All units that were loaded before, as they are now, and the closure of a name.
pub fn load(tree: &MemoryTree, name: &str, before: &[Arc<Config>]) -> Vec<Arc<Config>> {
    let index = Index::read(tree, &SearchPath::new(Scope::System, &Environment::default()));
    let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
    let loader = Loader { tree, index: &index, cx: &cx, scope, surroundings };
    let mut names: Vec<UnitName> = before.iter().map(|config| config.name.clone()).collect();
    names.push(self::name(name));
    let loaded = loader.closure(&names).into_iter().map(|merged| {
        for told in &merged.diagnostics {
            println!("{told}");
        }
        merged.config
    });
    // A name nobody described yet is not "not found": its line may follow.
    let here: Vec<Config> =
        loaded.filter(|config| config.load != LoadState::NotFound || names.contains(&config.name)).collect();
    let order = |config: &Config| names.iter().position(|name| *name == config.name).unwrap_or(usize::MAX);
    let mut configs: Vec<Arc<Config>> = here.into_iter().map(Arc::new).collect();
    configs.sort_by_key(|config| order(config));
    configs
}

pub fn wish(word: &str, rest: &str) -> Option<Request> {
    let kind = match word {
        "start" | "isolate" => JobKind::Start,
        "verify-active" => JobKind::VerifyActive,
        "stop" => JobKind::Stop,
        "reload" => JobKind::Reload,
        "restart" => JobKind::Restart,
        "try-restart" => JobKind::TryRestart,
        "reload-or-start" => JobKind::ReloadOrStart,
        "try-reload" => JobKind::TryReload,
        "cancel" => return Some(Request::CancelJob(JobId(rest.parse().unwrap()))),
        "clear-jobs" => return Some(Request::ClearJobs),
        "reset-failed" => {
            return Some(Request::ResetFailed((!rest.is_empty()).then(|| name(rest))));
        }
        "hold" => return Some(Request::Hold(name(rest))),
        "let-go" => return Some(Request::LetGo(name(rest))),
        "exit-code" => return Some(Request::SetExitCode(rest.parse().unwrap())),
        "clean" => {
            let mut words = rest.split_whitespace();
            let unit = name(words.next().unwrap());
            let resource = |word: &str| Resource::ALL.into_iter().find(|one| one.word() == word).unwrap();
            return Some(Request::Clean { unit, what: words.map(resource).collect() });
        }
        "freeze" => return Some(Request::SetFreezer { unit: name(rest), freezer: Freezer::Frozen }),
        "thaw" => return Some(Request::SetFreezer { unit: name(rest), freezer: Freezer::Running }),
        "kill" => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let whom = match words[1] {
                "all" => KillWhom::All,
                "main" => KillWhom::Main,
                "control" => KillWhom::Control,
                other => panic!("{other}: whom to kill"),
            };
            return Some(Request::Kill { unit: name(words[0]), whom, signal: signal(words[2]).unwrap() });
        }
        _ => return None,
    };
    let (unit, mode) = rest.split_once(' ').unwrap_or((rest, ""));
    let mode = match (word, mode) {
        ("isolate", _) => JobMode::Isolate,
        (_, "" | "replace") => JobMode::Replace,
        (_, "fail") => JobMode::Fail,
        (_, "replace-irreversibly") => JobMode::ReplaceIrreversibly,
        (_, "flush") => JobMode::Flush,
        (_, "ignore-dependencies") => JobMode::IgnoreDependencies,
        (_, "ignore-requirements") => JobMode::IgnoreRequirements,
        (_, "triggering") => JobMode::Triggering,
        (_, other) => panic!("{other}: no such mode"),
    };
    Some(Request::Job { unit: name(unit), kind, mode })
}

pub fn fact(word: &str, rest: &str) -> Event {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let unit = || name(words[0]);
    let process = |place: usize| id(words[place]);
    match word {
        "spawned" => Event::Spawned { process: process(0) },
        "executed" => Event::Executed { process: process(0) },
        "nofork" => Event::SpawnFailed { process: process(0), trouble: Trouble::errno(11) },
        "fail" => Event::SetupFailed { process: process(0), code: words[1].parse().unwrap(), errno: 2 },
        "exit" => Event::Exited { process: process(0), status: status(words[1]) },
        "holds" => checked(unit(), [true; 8], [true; 8]),
        "fails" => checked(unit(), [false; 8], [true; 8]),
        "asserts-fail" => checked(unit(), [true; 8], [false; 8]),
        "empty" => Event::Occupancy { unit: unit(), occupancy: Occupancy::Empty },
        "occupied" => Event::Occupancy { unit: unit(), occupancy: Occupancy::Occupied },
        "found" => Event::MainFound { unit: unit(), process: process(1) },
        "missing" => Event::MainMissing { unit: unit(), process: process(1), reason: words[2..].join(" ") },
        "opened" => Event::SocketsOpened { unit: unit(), outcome: Ok(()) },
        "unopened" => {
            let trouble = Trouble { errno: 98, step: "bind".into() };
            Event::SocketsOpened { unit: unit(), outcome: Err(trouble) }
        }
        "cleaned" => Event::Cleaned { unit: unit(), outcome: Ok(()) },
        "uncleaned" => {
            let trouble = Trouble { errno: 16, step: "cannot remove /var/lib/web".into() };
            Event::Cleaned { unit: unit(), outcome: Err(trouble) }
        }
        "frozen" => Event::Freezer { unit: unit(), outcome: Ok(Freezer::Frozen) },
        "thawed" => Event::Freezer { unit: unit(), outcome: Ok(Freezer::Running) },
        "unfrozen" => {
            let trouble = Trouble { errno: 95, step: "no cgroups".into() };
            Event::Freezer { unit: unit(), outcome: Err(trouble) }
        }
        "well" => Event::Probed { process: process(0), outcome: Ok(()) },
        "unwell" => Event::Probed { process: process(0), outcome: Err(words[1..].join(" ")) },
        "ready" => Event::SocketReady { unit: unit() },
        "oom" => Event::OutOfMemory { unit: unit() },
        "bus" => {
            let owner = if words[1] == "owned" { Ownership::Owned } else { Ownership::Free };
            Event::BusName { name: words[0].into(), owner }
        }
        "mounted" => Event::Mounts(words.iter().map(|unit| name(unit)).collect()),
        "notify" => {
            let sender = match words[1] {
                "main" => NotifySender::Main,
                "control" => NotifySender::Control,
                "member" => NotifySender::Member,
                other => panic!("{other}: who notifies"),
            };
            Event::Notified { unit: unit(), sender, message: notification(&words[2..]) }
        }
        other => panic!("{other}: no such input"),
    }
}

fn checked(unit: UnitName, conditions: [bool; 8], asserts: [bool; 8]) -> Event {
    Event::ConditionsChecked { unit, conditions: conditions.to_vec(), asserts: asserts.to_vec() }
}

fn notification(words: &[&str]) -> Notification {
    let mut message = Notification::default();
    for word in words {
        let (key, value) = word.split_once('=').unwrap();
        match key {
            "READY" => message.ready = true,
            "RELOADING" => message.reloading = true,
            "STOPPING" => message.stopping = true,
            "STATUS" => message.status = Some(value.into()),
            "WATCHDOG" if value == "trigger" => message.watchdog = Some(Watchdog::Trigger),
            "WATCHDOG" => message.watchdog = Some(Watchdog::Ping),
            "WATCHDOG_USEC" => message.watchdog_usec = Some(value.parse().unwrap()),
            "EXTEND_TIMEOUT_USEC" => message.extend_timeout_usec = Some(value.parse().unwrap()),
            "MONOTONIC_USEC" => message.monotonic_usec = Some(value.parse().unwrap()),
            other => panic!("{other}: not in these notifications"),
        }
    }
    message
}

pub fn fate(word: &str) -> (ProcId, Fate) {
    let (process, fate) = word.split_once('=').unwrap();
    let fate = match fate {
        "alive" => Fate::Alive,
        ended => Fate::Ended(status(ended)),
    };
    (id(process), fate)
}

pub fn time(text: &str) -> u64 {
    let number: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = match &text[number.len()..] {
        "ms" => 1_000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        other => panic!("{other}: no such unit of time"),
    };
    number.parse::<u64>().unwrap() * unit
}

fn status(word: &str) -> ExitStatus {
    match (word.parse(), signal(word)) {
        (Ok(code), _) => ExitStatus::Code(code),
        (Err(_), Some(signal)) => ExitStatus::Signal(signal),
        (Err(_), None) if word == "unknown" => ExitStatus::Unknown,
        (Err(_), None) => panic!("{word}: neither a code nor a signal"),
    }
}

fn signal(word: &str) -> Option<i32> {
    SIGNALS.iter().find(|(_, known)| *known == word).map(|(number, _)| *number)
}

fn id(word: &str) -> ProcId {
    ProcId(word.strip_prefix('p').unwrap_or_else(|| panic!("{word}: no process")).parse().unwrap())
}

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}
