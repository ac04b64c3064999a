//! Orders and announcements as lines.

use eudaemon_engine::api::{
    Action, ActiveState, Announcement, Directories, FindHow, Freezer, JobResult, Phase, ProcId, Spawn, Target,
};
use eudaemon_engine::kind::service::Health;

pub fn order(action: &Action) -> Option<String> {
    Some(match action {
        Action::Spawn(spawn) => self::spawn(spawn),
        Action::Signal { process, signal } => format!("signal {} {}", id(*process), signal_word(*signal)),
        Action::SignalSet { unit, signal, but } => {
            let but: String = but.iter().map(|process| format!(" but {}", id(*process))).collect();
            format!("signal all of {unit} {}{but}", signal_word(*signal))
        }
        Action::Survey { unit } => format!("survey {unit}"),
        Action::SetFreezer { unit, freezer } => format!("freezer of {unit} {}", freezer_word(*freezer)),
        Action::Probe { unit, process, main, target } => {
            let main = main.map_or(String::new(), |main| format!(" from {}", id(main)));
            let target = match target {
                Target::Tcp(at) => at.to_string(),
                Target::Http(url) => format!("GET {}", url.text),
            };
            format!("probe {} of {unit}{main} {target}", id(*process))
        }
        Action::StopProbe { process } => format!("stop probe {}", id(*process)),
        Action::Clean { unit, what } => {
            let what: Vec<&str> = what.iter().map(|resource| resource.word()).collect();
            format!("clean {unit}: {}", what.join(" "))
        }
        Action::StopCleaning { unit } => format!("stop cleaning {unit}"),
        Action::FindMain { unit, process, how } => {
            let how = match how {
                FindHow::PidFile(path) => format!("by {path}"),
                FindHow::PidFileNow(path) => format!("by {path} now"),
                FindHow::Guess => "by guess".to_owned(),
                FindHow::Candidate(candidate) => format!("candidate {}", candidate.0),
            };
            format!("find main of {unit} as {} {how}", id(*process))
        }
        Action::StopFinding { unit } => format!("stop finding main of {unit}"),
        // Every exit is forgotten and every run begun: not a matter for transcripts.
        Action::Forget { .. } | Action::Begin { .. } => return None,
        Action::CheckConditions { unit, conditions, asserts } => {
            format!("check {} conditions and {} asserts of {unit}", conditions.len(), asserts.len())
        }
        Action::OpenSockets { unit } => format!("open sockets of {unit}"),
        Action::WatchSockets { unit } => format!("watch sockets of {unit}"),
        Action::UnwatchSockets { unit } => format!("unwatch sockets of {unit}"),
        Action::CloseSockets { unit } => format!("close sockets of {unit}"),
        Action::FlushSockets { unit } => format!("flush sockets of {unit}"),
        Action::StoreFds { unit, parcel, name, most } => {
            format!("store parcel {} of {unit} as {name}, {most} at most", parcel.0)
        }
        Action::RemoveStoredFds { unit, name } => format!("remove stored {name} of {unit}"),
        Action::CloseStoredFds { unit } => format!("close stored fds of {unit}"),
        Action::RemovePidFile { path } => format!("remove {path}"),
        Action::Release { unit, directories } => match directories {
            Directories::Remove => format!("release {unit}"),
            Directories::Keep => format!("release {unit}, keep directories"),
        },
        Action::Load { unit } => format!("load {unit}"),
        Action::WatchBusName { name } => format!("watch bus name {name}"),
        Action::LookAtMounts => "look at mounts".to_owned(),
        Action::Finish(finale) => format!("finish {finale:?}"),
    })
}

fn spawn(spawn: &Spawn) -> String {
    let phase = match spawn.phase {
        Phase::Condition => "condition",
        Phase::StartPre => "start-pre",
        Phase::Start => "start",
        Phase::StartPost => "start-post",
        Phase::Reload => "reload",
        Phase::Stop => "stop",
        Phase::StopPost => "stop-post",
        Phase::StopPre => "stop-pre",
        Phase::Health => "health",
    };
    let mut line =
        format!("spawn {} {} {phase} {}", id(spawn.process), spawn.unit, spawn.command.argv.join(" "));
    if let Some(main) = spawn.told.main {
        line += &format!(" MAINPID={}", id(main));
    }
    if let Some(result) = spawn.told.result {
        line += &format!(" SERVICE_RESULT={result:?}");
    }
    if let Some(exit) = spawn.told.exit {
        line += &format!(" EXIT={exit:?}");
    }
    if let Some(monitored) = &spawn.told.monitored {
        line += &format!(" MONITOR_UNIT={}", monitored.unit);
    }
    if let Some(trigger) = &spawn.told.trigger {
        line += &format!(" TRIGGER_UNIT={trigger}");
    }
    line
}

/// Lines that people are told are shown up to a level; those that are no trouble open with a dot.
pub fn announcement(announcement: &Announcement, shown: u8) -> Option<String> {
    Some(match announcement {
        Announcement::Answered { request: _, outcome } => match outcome {
            Ok(eudaemon_engine::api::Answer::Done) => return None,
            Ok(eudaemon_engine::api::Answer::Job(job)) => format!("answer: job {}", job.0),
            Err(refusal) => format!("refused: {}", refusal.reason()),
        },
        Announcement::JobRemoved { job: _, unit, kind: _, result } => {
            format!("job of {unit}: {}", result_word(*result))
        }
        Announcement::Said { unit: _, level, text } if *level <= 4 => format!("! {text}"),
        Announcement::Said { unit: _, level, text } if *level <= shown => format!(". {text}"),
        Announcement::StartupFinished => return None,
        Announcement::UnitAdded(_)
        | Announcement::UnitRemoved(_)
        | Announcement::UnitChanged(_)
        | Announcement::JobAdded { .. }
        | Announcement::Said { .. } => return None,
    })
}

pub fn health(health: Option<&Health>) -> String {
    let Some(health) = health else { return "not asked".to_owned() };
    let verdict = health.verdict.word();
    let trouble = health.trouble.as_ref().map_or(String::new(), |trouble| format!(": {trouble}"));
    format!("{verdict}, {} failed{trouble}", health.failures)
}

fn result_word(result: JobResult) -> String {
    format!("{result:?}").to_lowercase()
}

pub fn active(state: ActiveState) -> String {
    format!("{state:?}").to_lowercase()
}

/// `active (running)`, or one word where both are the same.
pub fn state((active, sub): &(String, String)) -> String {
    if active == sub || (active == "inactive" && sub == "dead") {
        active.clone()
    } else {
        format!("{active} ({sub})")
    }
}

fn id(process: ProcId) -> String {
    format!("p{}", process.0)
}

fn signal_word(signal: i32) -> String {
    let known = super::read::SIGNALS.iter().find(|(number, _)| *number == signal);
    known.map_or(signal.to_string(), |(_, word)| (*word).to_owned())
}

fn freezer_word(freezer: Freezer) -> &'static str {
    match freezer {
        Freezer::Running => "running",
        Freezer::Frozen => "frozen",
    }
}
