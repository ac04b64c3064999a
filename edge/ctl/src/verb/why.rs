//! `why`: the causes of a unit's last change, as the manager has noted them.

use super::{Failure, names};
use crate::bus::{CallError, Client, MANAGER_PATH, OURS_OF_MANAGER};
use crate::line::{Line, Output};
use crate::screen::Screen;
use crate::text::json::{self, Json};
use crate::text::time::Clock;

/// Unit, when (realtime and monotonic), and what is to be said of it.
pub type Cause = (String, u64, u64, String);

pub fn run(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let units = names::expand(client, screen, &line.options, &line.arguments, ".service")?;
    for unit in &units {
        let causes = ask(client, unit).map_err(|error| match error.kind() {
            "UnknownMethod" => Failure::new("The manager that runs does not note why units change."),
            _ => Failure::call(&format!("ask why {unit}"), &error),
        })?;
        match line.options.output {
            Output::Json => screen.out(&json::compact(&causes.iter().map(row).collect::<Vec<_>>())),
            Output::JsonPretty => screen.out(&json::pretty(&causes.iter().map(row).collect::<Vec<_>>())),
            Output::Table => tell(line, screen, unit, &causes),
        }
    }
    Ok(0)
}

/// Why a unit is what it is, the root last. systemd's manager knows no such method.
pub fn ask(client: &mut Client, unit: &str) -> Result<Vec<Cause>, CallError> {
    client.call(MANAGER_PATH, OURS_OF_MANAGER, "Why", &unit)
}

fn row(cause: &Cause) -> Vec<(&'static str, Json)> {
    let (unit, realtime, monotonic, text) = cause;
    vec![
        ("unit", Json::Text(unit.clone())),
        ("realtime_usec", Json::Number(*realtime)),
        ("monotonic_usec", Json::Number(*monotonic)),
        ("text", Json::Text(text.clone())),
    ]
}

fn tell(line: &Line, screen: &mut Screen, unit: &str, causes: &[Cause]) {
    if causes.is_empty() {
        screen.line(&format!("{unit} has not changed since it was loaded."));
    }
    let clock = Clock::of_this_machine(line.options.timestamps);
    for (place, (unit, realtime, _, text)) in causes.iter().enumerate() {
        let at = clock.point(*realtime).unwrap_or_else(|| "n/a".to_owned());
        let because = if place == 0 { "" } else { "because " };
        screen.line(&format!("{at}: {because}{unit} {text}."));
    }
}
