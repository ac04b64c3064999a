//! `why`: the causes of a unit's last change, as the manager has noted them, and what of its files keeps it from being loaded.

use super::{Failure, meant, names};
use crate::bus::{CallError, Client, MANAGER_PATH, OURS_OF_MANAGER, Properties};
use crate::disk::Disk;
use crate::line::{Line, Output, Scope};
use crate::screen::Screen;
use crate::text::json::{self, Json};
use crate::text::time::Clock;
use crate::unit_name;
use eudaemon_engine::why::Tells;
use eudaemon_unit::name::UnitName;

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub unit: String,
    pub realtime: u64,
    pub monotonic: u64,
    /// `None`: a word that a manager of another version says.
    pub tells: Option<Tells>,
    /// A sentence of which the unit is the subject.
    pub text: String,
}

type Row = (String, u64, u64, String, String);

impl From<Row> for Cause {
    fn from((unit, realtime, monotonic, tells, text): Row) -> Cause {
        let tells = Tells::ALL.into_iter().find(|known| known.word() == tells);
        Cause { unit, realtime, monotonic, tells, text }
    }
}

/// As `cat` and `status` have it for a unit that is not there.
const UNKNOWN: u8 = 4;

pub fn run(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let units = names::expand(client, screen, &line.options, &line.arguments, ".service")?;
    let mut code = 0;
    for unit in &units {
        let causes = ask(client, unit).map_err(|error| match error.kind() {
            "UnknownMethod" => Failure::new("The manager that runs does not note why units change."),
            _ => Failure::call(&format!("ask why {unit}"), &error),
        })?;
        let properties = client.properties(&unit_name::object_path(unit), "");
        let properties = properties.map_err(|error| Failure::call("get properties", &error))?;
        let unusable = unusable(line, &properties);
        if causes.is_empty() && properties.text("LoadState") == "not-found" {
            code = UNKNOWN;
        }
        let rows = || causes.iter().map(row).chain(unusable.iter().map(|text| fault_row(unit, text)));
        match line.options.output {
            Output::Json => screen.out(&json::compact(&rows().collect::<Vec<_>>())),
            Output::JsonPretty => screen.out(&json::pretty(&rows().collect::<Vec<_>>())),
            Output::Table => {
                tell(line, screen, unit, &causes, &unusable);
                if let Some(limit) = too_often(line, client, &properties, &causes) {
                    screen.line(&format!("{unit}: {limit}."));
                }
            }
        }
    }
    Ok(code)
}

/// Why a unit is what it is, the root last. systemd's manager knows no such method.
pub fn ask(client: &mut Client, unit: &str) -> Result<Vec<Cause>, CallError> {
    let rows: Vec<Row> = client.call(MANAGER_PATH, OURS_OF_MANAGER, "Why", &unit)?;
    Ok(rows.into_iter().map(Cause::from).collect())
}

/// Why the unit could not be started whoever asked: clauses of which it is the subject, and the lines of its files.
fn unusable(line: &Line, properties: &Properties) -> Vec<String> {
    match properties.text("LoadState") {
        "not-found" => {
            let near = meant::clause(line, properties.text("Id"));
            vec![format!("has no unit file{near}")]
        }
        "masked" => match properties.text("FragmentPath") {
            "" => vec!["is masked".to_owned()],
            path => vec![format!("is masked by {path}")],
        },
        "bad-setting" | "error" => {
            let lines = faulty_lines(line, properties.text("Id"));
            let reason = properties.list("LoadError").get(1).and_then(crate::bus::Value::text).unwrap_or("");
            match lines.is_empty() {
                true => vec![format!("cannot be loaded: {reason}")],
                false => lines.into_iter().map(|line| format!("cannot be loaded: {line}")).collect(),
            }
        }
        _ => Vec::new(),
    }
}

/// The lines for which a unit cannot be used.
pub fn faulty_lines(line: &Line, unit: &str) -> Vec<String> {
    UnitName::parse(unit).map_or(Vec::new(), |name| Disk::read(&line.options).faults(&name))
}

/// The clause of a cause that says that the start limit was passed.
const TOO_OFTEN: &str = "it was started too often";

/// Of a unit that is failed for its start limit: the limit, and the way out.
pub fn too_often(
    line: &Line,
    client: &mut Client,
    properties: &Properties,
    causes: &[Cause],
) -> Option<String> {
    let last = causes.first().filter(|cause| cause.text.contains(TOO_OFTEN))?;
    if properties.text("ActiveState") != "failed" {
        return None;
    }
    let limit = super::jobs::start_limit(client, &last.unit)?;
    let user = if line.options.scope == Scope::User { " --user" } else { "" };
    let word = line.called_as.word();
    Some(format!("the limit: {limit}; '{word}{user} reset-failed {}' lets it be started again", last.unit))
}

fn row(cause: &Cause) -> Vec<(&'static str, Json)> {
    let Cause { unit, realtime, monotonic, tells, text } = cause;
    vec![
        ("unit", Json::Text(unit.clone())),
        ("realtime_usec", Json::Number(*realtime)),
        ("monotonic_usec", Json::Number(*monotonic)),
        ("tells", tells.map_or(Json::Null, |tells| Json::Text(tells.word().to_owned()))),
        ("text", Json::Text(text.clone())),
    ]
}

fn fault_row(unit: &str, text: &str) -> Vec<(&'static str, Json)> {
    vec![
        ("unit", Json::Text(unit.to_owned())),
        ("realtime_usec", Json::Null),
        ("monotonic_usec", Json::Null),
        ("tells", Json::Text("not-loaded".to_owned())),
        ("text", Json::Text(text.to_owned())),
    ]
}

fn tell(line: &Line, screen: &mut Screen, unit: &str, causes: &[Cause], unusable: &[String]) {
    if causes.is_empty() && unusable.is_empty() {
        screen.line(&format!("{unit} has not changed since it was loaded."));
    }
    let clock = Clock::of_this_machine(line.options.timestamps);
    for (place, Cause { unit, realtime, text, tells, .. }) in causes.iter().enumerate() {
        let at = clock.point(*realtime).unwrap_or_else(|| "n/a".to_owned());
        let because = if place == 0 || *tells == Some(Tells::Lacking) { "" } else { "because " };
        screen.line(&format!("{at}: {because}{unit} {text}."));
    }
    for clause in unusable {
        let end = if clause.ends_with('?') { "" } else { "." };
        screen.line(&format!("{unit} {clause}{end}"));
    }
}
