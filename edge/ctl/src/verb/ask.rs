//! `is-active`, `is-failed`, `is-system-running`: one word and an exit code.

use super::{Failure, names};
use crate::bus::{Client, MANAGER, MANAGER_PATH, UNIT};
use crate::line::Line;
use crate::running;
use crate::screen::Screen;
use crate::unit_name;

/// Exit codes of LSB's `status` action, which is-active follows.
const NOT_RUNNING: u8 = 3;

pub fn is_active(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let states = states(line, screen)?;
    let up = states.iter().any(|state| matches!(state.as_str(), "active" | "reloading"));
    Ok(if up { 0 } else { NOT_RUNNING })
}

pub fn is_failed(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let states = states(line, screen)?;
    Ok(u8::from(!states.iter().any(|state| state == "failed")))
}

/// Prints and returns the states of the units named. Without a manager every unit is inactive.
fn states(line: &Line, screen: &mut Screen) -> Result<Vec<String>, Failure> {
    let mut states = Vec::new();
    match running::reach_if_running(line)? {
        Some(mut client) => {
            for name in names::expand(&mut client, screen, &line.options, &line.arguments, ".service")? {
                states.push(state(&mut client, &name)?);
            }
        }
        None => {
            if !line.options.quiet {
                screen.complain(&running::absent(line));
            }
            states.extend(line.arguments.iter().map(|_| "inactive".to_owned()));
        }
    }
    if !line.options.quiet {
        states.iter().for_each(|state| screen.line(state));
    }
    Ok(states)
}

fn state(client: &mut Client, name: &str) -> Result<String, Failure> {
    let value = client.property(&unit_name::object_path(name), UNIT, "ActiveState");
    let value = value.map_err(|error| Failure::call("retrieve unit state", &error))?;
    Ok(value.text().unwrap_or("unknown").to_owned())
}

/// `running` is the only good answer; `offline` where no manager runs.
pub fn is_system_running(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let state = match running::reach_if_running(line)? {
        Some(mut client) => system_state(line, &mut client)?,
        None => "offline".to_owned(),
    };
    if !line.options.quiet {
        screen.line(&state);
    }
    Ok(u8::from(state != "running"))
}

fn system_state(line: &Line, client: &mut Client) -> Result<String, Failure> {
    if line.options.wait {
        client.subscribe().map_err(|error| Failure::call("subscribe to manager signals", &error))?;
    }
    loop {
        let value = client.property(MANAGER_PATH, MANAGER, "SystemState");
        let value = value.map_err(|error| Failure::call("query system state", &error))?;
        let state = value.text().unwrap_or("unknown").to_owned();
        if !line.options.wait || !matches!(state.as_str(), "initializing" | "starting") {
            return Ok(state);
        }
        let finished = client.until_signal("StartupFinished");
        finished.map_err(|error| Failure::call("wait for the system to start", &error))?;
    }
}
