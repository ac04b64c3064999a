//! `eudaemon replay`: a saved flight, heard once more by an engine that starts from where that one was.

use crate::{limits, words};
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Action, ActiveState, Announcement, Event, Input, Output};
use eudaemon_engine::flight::Flight;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;

const HELP: &str = "\
eudaemon replay FILE

Prints what a manager heard and decided: a file of 'eudaemon flight save' is heard once more by an engine that starts where that
one was. '<-' is what it heard, '->' what it ordered; beneath stands what came of it. No process is started.
";

/// The arguments begin with the word `replay`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let (text, code) = match arguments.get(1).filter(|_| arguments.len() == 2) {
        None => ("replay: expected one file of 'eudaemon flight save'\n".to_owned(), ExitCode::FAILURE),
        Some(word) if word == "--help" || word == "-h" => (HELP.to_owned(), ExitCode::SUCCESS),
        Some(path) => match read(path) {
            Ok(flight) => (transcript(flight), ExitCode::SUCCESS),
            Err(why) => (format!("replay: {}: {why}\n", path.display()), ExitCode::FAILURE),
        },
    };
    // A closed pipe is its reader's wish.
    match code == ExitCode::SUCCESS {
        true => std::io::stdout().write_all(text.as_bytes()).ok(),
        false => std::io::stderr().write_all(text.as_bytes()).ok(),
    };
    code
}

fn read(path: &OsString) -> Result<Flight, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| words(&error))?;
    let read = file.take(limits::FLIGHT_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| words(&error))?;
    if bytes.len() as u64 > limits::FLIGHT_BYTES {
        return Err(format!("it has more than {} bytes, which no flight has", limits::FLIGHT_BYTES));
    }
    Flight::from_bytes(&bytes).map_err(|why| why.to_string())
}

pub fn transcript(flight: Flight) -> String {
    let mut engine = flight.engine();
    let (units, events) = (flight.units(), flight.heard.len());
    let mut lines = vec![format!("A flight of eudaemon {}: {units} units, {events} events.", flight.program)];
    let mut states = BTreeMap::new();
    look(&engine, &mut states);
    let begun = flight.heard.first().map_or(0, |(now, _)| now.monotonic);
    for (now, input) in flight.heard {
        let at = now.monotonic.saturating_sub(begun) as f64 / 1_000_000.0;
        lines.push(format!("{at:>12.6} <- {}", heard(&input)));
        let output = engine.step(now, input);
        lines.extend(decided(&output).into_iter().map(|line| format!("             {line}")));
        lines.extend(look(&engine, &mut states).into_iter().map(|line| format!("             {line}")));
    }
    let failed = engine.unit_views().filter(|view| view.active == ActiveState::Failed);
    let failed: Vec<String> = failed.map(|view| view.config.name.to_string()).collect();
    lines.push(match failed.is_empty() {
        true => "At its end no unit is failed.".to_owned(),
        false => format!("At its end these are failed: {}.", failed.join(", ")),
    });
    lines.join("\n") + "\n"
}

fn heard(input: &Input) -> String {
    match input {
        Input::Tick => "a deadline".to_owned(),
        Input::Fact(Event::Loaded(units)) => {
            let names: Vec<&str> = units.iter().map(|config| config.name.as_str()).collect();
            format!("loaded {}", names.join(" "))
        }
        Input::Fact(event) => format!("{event:?}"),
        Input::Wish { request, by, wish } => format!("wish {}: {wish:?}, by {by:?}", request.0),
    }
}

fn decided(output: &Output) -> Vec<String> {
    let orders = output.orders.iter().map(|order| {
        let number = order.number;
        let Action::Spawn(spawn) = &order.action else { return format!("-> {number} {:?}", order.action) };
        format!("-> {number} spawn {} of {}: {}", spawn.process.0, spawn.unit, spawn.command.path)
    });
    let announcements = output.announcements.iter().filter_map(|announcement| match announcement {
        Announcement::JobRemoved { unit, result, .. } => Some(format!("job of {unit}: {result:?}")),
        Announcement::Answered { request, outcome: Err(refusal) } => {
            Some(format!("wish {} refused: {}", request.0, refusal.reason()))
        }
        Announcement::Said { text, .. } => Some(format!("! {text}")),
        Announcement::StartupFinished => Some("the start is over".to_owned()),
        Announcement::Answered { .. }
        | Announcement::UnitAdded(_)
        | Announcement::UnitRemoved(_)
        | Announcement::UnitChanged(_)
        | Announcement::JobAdded { .. } => None,
    });
    orders.chain(announcements).collect()
}

/// What changed since the last look.
fn look(engine: &Engine, states: &mut BTreeMap<UnitName, (ActiveState, &'static str)>) -> Vec<String> {
    let mut changed = Vec::new();
    for view in engine.unit_views() {
        let seen = (view.active, view.sub);
        let before = states.insert(view.config.name.clone(), seen);
        if before.is_some_and(|before| before != seen) {
            changed.push(format!("{}: {:?} ({})", view.config.name, view.active, view.sub));
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_engine::Settings;
    use eudaemon_engine::api::{Asker, JobKind, Moment, ProcId, Request, RequestId};
    use eudaemon_engine::flight::Recorder;
    use eudaemon_unit::config::unit::JobMode;
    use eudaemon_unit::config::{Config, LoadState};
    use expect_test::expect;
    use std::sync::Arc;

    #[test]
    fn a_flight_reads_as_what_happened() {
        let unit = UnitName::parse("only.target").unwrap();
        let config = Arc::new(Config::bare(unit.clone(), LoadState::Loaded));
        let mut engine = Engine::new(1, Settings::default());
        let mut recorder = Recorder::new(8);
        let asker = Asker::Client { uid: 0, pid: 9, command: "systemctl".into() };
        let wish = |kind| Request::Job { unit: unit.clone(), kind, mode: JobMode::Replace };
        let inputs = [
            Input::Fact(Event::Loaded(vec![config])),
            Input::Wish { request: RequestId(1), by: asker.clone(), wish: wish(JobKind::Start) },
            Input::Wish { request: RequestId(2), by: asker, wish: wish(JobKind::Reload) },
            Input::Fact(Event::Spawned { process: ProcId(7) }),
        ];
        for (second, input) in (5..).zip(inputs) {
            let now = Moment { monotonic: second * 1_000_000, realtime: 0 };
            recorder.hear(&engine, now, &input);
            engine.step(now, input);
        }
        let bytes = recorder.flight(&engine).to_bytes();
        let flight = Flight::from_bytes(&bytes).unwrap();
        let told = transcript(flight).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        expect![[r#"
            A flight of eudaemon VERSION: 0 units, 4 events.
                0.000000 <- loaded only.target
                1.000000 <- wish 1: Job { unit: only.target, kind: Start, mode: Replace }, by Client { uid: 0, pid: 9, command: "systemctl" }
                         -> 1 Begin { unit: only.target, invocation: InvocationId([8, 180, 253, 168, 200, 146, 69, 14, 169, 253, 96, 73, 214, 90, 242, 30]) }
                         ! Reached target only.target.
                         job of only.target: Done
                         the start is over
                         only.target: Active (active)
                2.000000 <- wish 2: Job { unit: only.target, kind: Reload, mode: Replace }, by Client { uid: 0, pid: 9, command: "systemctl" }
                         wish 2 refused: reload does not apply to only.target
                3.000000 <- Spawned { process: ProcId(7) }
            At its end no unit is failed.
        "#]].assert_eq(&told);
    }
}
