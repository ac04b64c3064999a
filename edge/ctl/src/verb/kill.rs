//! `kill`, `freeze`, `thaw`, `reset-failed`, `cancel`.

use super::{Failure, meant, names};
use crate::bus::{CallError, Client};
use crate::line::Line;
use crate::screen::Screen;

pub fn kill(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let (whom, signal) = (line.options.kill_whom.as_str(), line.options.signal);
    let mut code = 0;
    for unit in names::expand(client, screen, &line.options, &line.arguments, ".service")? {
        let answer: Result<(), CallError> = client.manager("KillUnit", &(unit.as_str(), whom, signal));
        code |= of_unit(line, screen, &unit, &format!("kill unit {unit}"), answer);
    }
    Ok(code)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freezer {
    Freeze,
    Thaw,
}

/// `freeze` and `thaw`.
pub fn freezer(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    wanted: Freezer,
) -> Result<u8, Failure> {
    let (what, method) = match wanted {
        Freezer::Freeze => ("freeze", "FreezeUnit"),
        Freezer::Thaw => ("thaw", "ThawUnit"),
    };
    let mut code = 0;
    for unit in names::expand(client, screen, &line.options, &line.arguments, ".service")? {
        let answer: Result<(), CallError> = client.manager(method, &unit.as_str());
        code |= of_unit(line, screen, &unit, &format!("{what} unit {unit}"), answer);
    }
    Ok(code)
}

/// What became of a call about one unit, and which was meant if there is none.
fn of_unit(line: &Line, screen: &mut Screen, unit: &str, what: &str, answer: Result<(), CallError>) -> u8 {
    let is_unknown = matches!(&answer, Err(error) if error.kind() == "NoSuchUnit");
    let code = failed(screen, what, answer);
    if is_unknown {
        meant::complain(line, screen, unit);
    }
    code
}

pub fn reset_failed(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    if line.arguments.is_empty() {
        let answer: Result<(), CallError> = client.manager("ResetFailed", &());
        return Ok(failed(screen, "reset failed state", answer));
    }
    let mut code = 0;
    for unit in names::expand(client, screen, &line.options, &line.arguments, ".service")? {
        let answer: Result<(), CallError> = client.manager("ResetFailedUnit", &unit.as_str());
        code |= of_unit(line, screen, &unit, &format!("reset failed state of unit {unit}"), answer);
    }
    Ok(code)
}

pub fn cancel(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    if line.arguments.is_empty() {
        let answer: Result<(), CallError> = client.manager("ClearJobs", &());
        return Ok(failed(screen, "cancel all jobs", answer));
    }
    let mut code = 0;
    for word in &line.arguments {
        let Ok(job) = word.parse::<u32>() else {
            return Err(Failure::new(format!("Failed to parse job id \"{word}\": Invalid argument")));
        };
        let answer: Result<(), CallError> = client.manager("CancelJob", &job);
        code |= failed(screen, &format!("cancel job {job}"), answer);
    }
    Ok(code)
}

fn failed(screen: &mut Screen, what: &str, answer: Result<(), CallError>) -> u8 {
    match answer {
        Ok(()) => 0,
        Err(error) => {
            screen.complain(&format!("Failed to {what}: {}", error.text()));
            1
        }
    }
}
