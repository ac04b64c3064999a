//! What the cases' commands do, as a list of acts in time.

use eudaemon_engine::api::{ExitStatus, Spawn, Watchdog};
use eudaemon_engine::kind::service::result_word;
use eudaemon_unit::values::signal::{parse_signal, signal_name};

/// One thing a process does, after a wait in microseconds.
#[derive(Clone, Debug)]
pub struct Act {
    pub after: u64,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Log(String),
    /// One notify message, its assignments.
    Notify(Vec<String>),
    /// The same by another process of the unit.
    NotifyByChild(Vec<String>),
    /// A child that does nothing until it is killed.
    Child,
    /// … and is named as main process.
    ChildAsMain,
    PidFile(String),
    /// Kills itself.
    Kill(i32),
    Exit(u8),
}

/// How a process takes a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    Dies,
    /// Shrugs at SIGTERM.
    IgnoresTerm,
    /// Logs TERM, USR2 and HUP, and exits with 0 at the first two.
    Traps,
}

/// Why a command never gets to run, as exit code of the step; `None`: it does.
pub fn broken_at(spawn: &Spawn, unit_text: &str) -> Option<u8> {
    let path = spawn.command.path.as_str();
    if unit_text.contains("User=conf-no-such") {
        return Some(217);
    }
    if unit_text.contains("Group=conf-no-such") {
        return Some(216);
    }
    if unit_text.contains("StandardInput=file:/nonexist") {
        return Some(208);
    }
    let no_program = path.starts_with("/nonexist") || path == "/etc" || path == "/etc/passwd";
    (no_program || unit_text.contains("LimitNOFILE=1\n")).then_some(203)
}

const START: u64 = 5_000;

pub fn acts(spawn: &Spawn, sockets: &[String]) -> (Vec<Act>, Manners) {
    let argv: Vec<&str> = spawn.command.argv.iter().map(String::as_str).collect();
    let mut acts = Vec::new();
    let mut act = |after, what| acts.push(Act { after, what });
    let mut manners = Manners::Dies;
    let base = argv[0].rsplit('/').next().unwrap_or_default();
    if base != "ev2" {
        match base {
            "false" => act(START, What::Exit(1)),
            "python3" => act(START, {
                let (unit, count, names) = (&spawn.unit, sockets.len(), sockets.join(","));
                What::Log(format!("{unit} fds:{count}:pid=True:{names} B"))
            }),
            _other => act(START, What::Exit(0)),
        }
        return (acts, manners);
    }
    let (unit, tag, argument) = (argv[1], argv[2], argv.get(3).copied().unwrap_or("0"));
    let log = |word: &str| What::Log(format!("{unit} {word}"));
    match tag {
        "sig" => {
            act(START, log(&format!("sig{argument} B")));
            if argument == "PIPE" {
                act(300_000, log("sigPIPE survived"));
                act(0, What::Exit(0));
            } else {
                act(1_000, What::Kill(parse_signal(argument).unwrap()));
            }
        }
        "run" => act(START, log("run B")),
        "runnotify" => {
            act(START, log("run B"));
            act(10_000, What::NotifyByChild(vec!["READY=1".into()]));
        }
        "fork" | "forkpid" | "fork2" | "forkstranger" | "leavechild" | "leavefail" | "withchild" => {
            family(tag, unit, &mut act);
        }
        "live" => {
            act(START, log("live B"));
            act((argument.parse::<f64>().unwrap() * 1e6) as u64, log("live E"));
            act(0, What::Exit(4));
        }
        "ignterm" => {
            manners = Manners::IgnoresTerm;
            act(START, log("ignterm B"));
        }
        "trap" => {
            manners = Manners::Traps;
            act(START, log("trap B"));
        }
        "nt" => {
            act(START, log("nt B"));
            talk(&argv[4..], &mut act);
        }
        "envstop" | "envpost" => {
            let result = spawn.told.result.map_or("unset", result_word);
            let (code, status) = match spawn.told.exit {
                None => ("unset", "unset".to_owned()),
                Some(ExitStatus::Code(code)) => ("exited", code.to_string()),
                Some(ExitStatus::Signal(signal)) => ("killed", signal_name(signal)),
                Some(ExitStatus::Dumped(signal)) => ("dumped", signal_name(signal)),
                Some(ExitStatus::Unknown) => ("unknown", "unknown".into()),
            };
            act(START, log(&format!("{tag}:{result}:{code}:{status} B")));
            act(0, What::Exit(0));
        }
        "mp" => {
            let set = spawn.told.main.map_or("", |_| "set");
            act(START, log(&format!("mp:{set} B")));
            act(0, What::Exit(0));
        }
        _other => {
            act(START, log(&format!("{tag} B")));
            act(20_000, log(&format!("{tag} E")));
            act(0, What::Exit(argument.parse().unwrap()));
        }
    }
    (acts, manners)
}

/// Those that leave children behind.
fn family(tag: &str, unit: &str, act: &mut impl FnMut(u64, What)) {
    let log = |word: &str| What::Log(format!("{unit} {word} B"));
    match tag {
        "withchild" | "leavechild" | "leavefail" => {
            act(START, What::Child);
            let lingers = if tag == "withchild" { 0 } else { 200_000 };
            act(lingers, log(tag));
        }
        _forks => {
            act(START, log("fork"));
            act(0, What::Child);
        }
    }
    match tag {
        "withchild" => {}
        "leavechild" => act(0, What::Exit(0)),
        "leavefail" => act(0, What::Exit(3)),
        "fork2" => {
            act(0, What::Child);
            act(1_000, What::Exit(0));
        }
        "forkpid" => {
            act(0, What::PidFile(format!("{}.pid", unit.trim_end_matches(".service"))));
            act(1_000, What::Exit(0));
        }
        _fork => act(1_000, What::Exit(0)),
    }
}

/// The words of a notify script: messages, waits, children.
fn talk(words: &[&str], act: &mut impl FnMut(u64, What)) {
    let mut wait = 30_000;
    for word in words {
        if let Some(seconds) = word.strip_prefix("sleep:") {
            wait += (seconds.parse::<f64>().unwrap() * 1e6) as u64;
            continue;
        }
        let what = if *word == "mainpid" {
            What::ChildAsMain
        } else if let Some(message) = word.strip_prefix("child:") {
            What::NotifyByChild(vec![message.to_owned()])
        } else if let Some(code) = word.strip_prefix("exit:") {
            What::Exit(code.parse().unwrap())
        } else {
            What::Notify(vec![(*word).to_owned()])
        };
        act(std::mem::take(&mut wait), what);
        if *word == "mainpid" {
            wait = 100_000;
        }
    }
}

/// Assignments as the host would parse them.
pub fn notification(assignments: &[String]) -> eudaemon_engine::api::Notification {
    let mut message = eudaemon_engine::api::Notification::default();
    for assignment in assignments {
        let (key, value) = assignment.split_once('=').unwrap_or((assignment, ""));
        match key {
            "READY" => message.ready = value == "1",
            "RELOADING" => message.reloading = value == "1",
            "STOPPING" => message.stopping = value == "1",
            "STATUS" => message.status = Some(value.to_owned()),
            "ERRNO" => message.errno = value.parse().ok(),
            "WATCHDOG" if value == "trigger" => message.watchdog = Some(Watchdog::Trigger),
            "WATCHDOG" if value == "1" => message.watchdog = Some(Watchdog::Ping),
            "WATCHDOG_USEC" => message.watchdog_usec = value.parse().ok(),
            "EXTEND_TIMEOUT_USEC" => message.extend_timeout_usec = value.parse().ok(),
            _other => {}
        }
    }
    message
}
