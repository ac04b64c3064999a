//! `clean`: what units keep on disk is removed, and the end of it awaited.

use super::{Failure, names};
use crate::bus::{CallError, Client, UNIT};
use crate::line::Line;
use crate::screen::Screen;
use crate::unit_name;

const SERVICE: &str = "org.freedesktop.systemd1.Service";

/// What systemctl means where nothing is named: what a unit makes anew by itself.
const MEANT: [&str; 2] = ["cache", "runtime"];

pub fn run(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let what: Vec<&str> = match line.options.what.as_slice() {
        [] => MEANT.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let waits = !line.options.no_block;
    if waits {
        client.subscribe().map_err(|error| Failure::call("wait for units", &error))?;
    }
    let mut code = 0;
    let mut begun = Vec::new();
    for unit in names::expand(client, screen, &line.options, &line.arguments, ".service")? {
        if waits {
            hold(client, &unit)?;
        }
        let answer: Result<(), CallError> = client.manager("CleanUnit", &(unit.as_str(), what.as_slice()));
        match answer {
            Ok(()) => begun.push(unit),
            Err(error) => {
                screen.complain(&format!("Failed to clean unit {unit}: {}", error.text()));
                if error.kind() == "NoSuchUnit" {
                    super::meant::complain(line, screen, &unit);
                }
                code = 1;
            }
        }
    }
    if waits {
        for unit in begun {
            let outcome = until_cleaned(client, &unit);
            if outcome.map_err(|error| Failure::call("wait for units", &error))? == Outcome::Failed {
                code = 1;
            }
        }
    }
    Ok(code)
}

/// It is to be there still when it is asked how it is. A connection of its own has no name on the bus that could hold it:
/// there a unit that was cleaned may be read anew, and one that was not stays, for it has failed.
fn hold(client: &mut Client, unit: &str) -> Result<(), Failure> {
    match client.manager("RefUnit", &unit) {
        Ok(()) => Ok(()),
        Err(CallError::Refused { name, text: _ }) if name == "System.Error.EBADR" => Ok(()),
        Err(error) => Err(Failure::call(&format!("add reference to unit {unit}"), &error)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    Failed,
}

fn until_cleaned(client: &mut Client, unit: &str) -> Result<Outcome, CallError> {
    let path = unit_name::object_path(unit);
    while client.property(&path, UNIT, "ActiveState")?.text() == Some("maintenance") {
        client.until_signal("PropertiesChanged")?;
    }
    // Not every kind has a word on it.
    let result = client.property(&path, SERVICE, "CleanResult");
    let failed = result.is_ok_and(|result| result.text().is_some_and(|word| word != "success"));
    Ok(if failed { Outcome::Failed } else { Outcome::Clean })
}
