//! `show`, `status` and `help UNIT`: everything about a few units.

use super::names::{self, mangled};
use super::{Cause, Failure, meant, schedule, units};
use crate::bus::{CallError, Client, MANAGER_PATH, OURS, Properties, UNIT};
use crate::disk::Disk;
use crate::limits::FAULTS_SHOWN;
use crate::line::{self, Line, Scope};
use crate::running;
use crate::screen::Screen;
use crate::show;
use crate::status::{self, Facts, ProcessRow};
use crate::text::time::Clock;
use crate::unit_name::{self, Globs};
use eudaemon_unit::files;
use eudaemon_unit::name::UnitName;
use std::process::Command;

/// An object to show.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Manager,
    Job(u32),
    Unit(String),
}

pub fn show(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let clock = Clock::of_this_machine(line.options.timestamps);
    let mut first = true;
    for subject in subjects(line, screen, client)? {
        let path = match &subject {
            Subject::Manager => MANAGER_PATH.to_owned(),
            Subject::Job(id) => format!("/org/freedesktop/systemd1/job/{id}"),
            Subject::Unit(name) => unit_name::object_path(name),
        };
        let properties = client.properties(&path, "");
        let properties = properties.map_err(|error| Failure::call("get properties", &error))?;
        if !first {
            screen.line("");
        }
        first = false;
        screen.out(&show::properties(&properties, &line.options, &clock));
    }
    Ok(0)
}

/// Without arguments the manager itself; a type or a state chooses among the units.
fn subjects(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<Vec<Subject>, Failure> {
    let options = &line.options;
    if line.arguments.is_empty() {
        if options.types.is_empty() && options.states.is_empty() {
            return Ok(vec![Subject::Manager]);
        }
        return listed(line, client, &[]);
    }
    let mut subjects = Vec::new();
    let mut patterns = Vec::new();
    for word in &line.arguments {
        if let Ok(id) = word.parse() {
            subjects.push(Subject::Job(id));
            continue;
        }
        let name = mangled(screen, word, ".service", Globs::Allowed)?;
        if unit_name::is_glob(&name) { patterns.push(name) } else { subjects.push(Subject::Unit(name)) }
    }
    if !patterns.is_empty() {
        subjects.extend(listed(line, client, &patterns)?);
    }
    Ok(subjects)
}

fn listed(line: &Line, client: &mut Client, patterns: &[String]) -> Result<Vec<Subject>, Failure> {
    let units = units::listed(client, &line.options, patterns)?;
    Ok(units.into_iter().map(|unit| Subject::Unit(unit.name)).collect())
}

/// Exit codes of LSB's `status` action.
const NOT_RUNNING: u8 = 3;
const UNKNOWN: u8 = 4;

pub fn status(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let Some(mut client) = running::reach_if_running(line)? else {
        return Err(Failure { text: running::absent(line), code: NOT_RUNNING });
    };
    let client = &mut client;
    let clock = Clock::of_this_machine(line.options.timestamps);
    let mut code = 0;
    let subjects = status_subjects(line, screen, client, &mut code)?;
    let mut first = true;
    for subject in subjects {
        let name = match subject {
            Subject::Unit(name) => name,
            Subject::Manager | Subject::Job(_) => {
                whole(line, screen, client, &clock)?;
                continue;
            }
        };
        let properties = client.properties(&unit_name::object_path(&name), "");
        let properties = properties.map_err(|error| Failure::call("get properties", &error))?;
        // Read after what it is compared with: nothing that happened lies ahead.
        let clock = Clock::of_this_machine(line.options.timestamps);
        if properties.text("LoadState") == "not-found" && properties.text("ActiveState") == "inactive" {
            screen.complain(&format!("Unit {name} could not be found."));
            meant::complain(line, screen, &name);
            running::whose_units(line).into_iter().for_each(|hint| screen.complain(hint));
            code = if code == 0 { UNKNOWN } else { code };
            continue;
        }
        if !first {
            screen.line("");
        }
        first = false;
        let block = block(line, screen, client, &properties, &clock);
        screen.out(&block);
        let since = properties.number("InactiveExitTimestamp");
        let log = status::tail(properties.text("Id"), since, &line.options);
        if !log.is_empty() {
            screen.out(&format!("\n{log}"));
        }
        if properties.yes("NeedDaemonReload") {
            screen.complain(&super::files::changed_on_disk(line, &name));
        }
        if !matches!(properties.text("ActiveState"), "active" | "reloading") && code == 0 {
            code = NOT_RUNNING;
        }
    }
    Ok(code)
}

fn status_subjects(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    code: &mut u8,
) -> Result<Vec<Subject>, Failure> {
    if line.arguments.is_empty() {
        return subjects(line, screen, client);
    }
    let mut found = Vec::new();
    let mut patterns = Vec::new();
    for word in &line.arguments {
        if let Ok(pid) = word.parse::<u32>() {
            let path: Result<zbus::OwnedObjectPath, CallError> = client.manager("GetUnitByPID", &pid);
            match path {
                Ok(path) => found.extend(unit_name::of_object_path(&path).map(Subject::Unit)),
                Err(error) => {
                    screen.complain(&format!("Failed to get unit for PID {pid}: {}", error.text()));
                    *code = 1;
                }
            }
            continue;
        }
        let name = mangled(screen, word, ".service", Globs::Allowed)?;
        if unit_name::is_glob(&name) { patterns.push(name) } else { found.push(Subject::Unit(name)) }
    }
    if !patterns.is_empty() {
        found.extend(listed(line, client, &patterns)?);
    }
    Ok(found)
}

/// Asks for what the properties of the unit alone do not say, and writes its block.
fn block(
    line: &Line,
    screen: &Screen,
    client: &mut Client,
    properties: &Properties,
    clock: &Clock,
) -> String {
    let id = properties.text("Id");
    let mut neighbours = Vec::new();
    for name in [properties.texts("TriggeredBy"), properties.texts("Triggers")].concat() {
        let state = client.property(&unit_name::object_path(name), UNIT, "ActiveState");
        if let Some(state) = state.ok().as_ref().and_then(|state| state.text()) {
            neighbours.push((name.to_owned(), state.to_owned()));
        }
    }
    // Where there are no cgroups our own manager knows a unit's processes all the same.
    let processes: Option<Vec<ProcessRow>> = client.manager("GetUnitProcesses", &id).ok();
    // systemd's manager has no such interface, and no such verdicts.
    let ours = client.properties(&unit_name::object_path(id), OURS).unwrap_or_default();
    let is_ours = !ours.0.is_empty();
    let causes = if is_ours { super::why::ask(client, id).unwrap_or_default() } else { Vec::new() };
    let faults = if is_ours { faults(line, client, properties, &causes) } else { Vec::new() };
    let ignored = if is_ours { ignored(line, properties) } else { None };
    let checked = |of: &str| properties.number(&format!("{of}Timestamp")) > 0;
    let skipped = status::skipped(&causes).filter(|_| !checked("Condition") && !checked("Assert"));
    let next_elapse = properties.get("NextElapseUSecRealtime").map(|_| {
        let monotonic = properties.number("NextElapseUSecMonotonic");
        schedule::next_elapse(clock, monotonic, properties.number("NextElapseUSecRealtime"))
    });
    status::unit(&Facts {
        properties,
        neighbours: &neighbours,
        processes: processes.as_deref(),
        ours: &ours,
        faults: &faults,
        ignored: ignored.as_deref(),
        skipped,
        next_elapse,
        clock,
        paint: screen.paint,
        width: if line.options.full { None } else { screen.columns },
    })
}

/// Why a unit is not up that was to be, or lacks something: the lines of its files that are to blame, else what became of
/// its start, a line for each cause.
fn faults(line: &Line, client: &mut Client, properties: &Properties, causes: &[Cause]) -> Vec<String> {
    let id = properties.text("Id");
    let mut faults = match properties.text("LoadState") {
        "bad-setting" | "error" => super::why::faulty_lines(line, id),
        _ => Vec::new(),
    };
    let settled = matches!(properties.text("ActiveState"), "inactive" | "failed" | "active" | "reloading");
    if faults.is_empty() && settled {
        faults = status::faults(id, causes);
    }
    faults.truncate(FAULTS_SHOWN);
    faults.extend(super::why::too_often(line, client, properties, causes));
    faults
}

/// The first line of the unit's files that is passed over with a warning, and how many more there are.
fn ignored(line: &Line, properties: &Properties) -> Option<String> {
    let id = properties.text("Id");
    let name = UnitName::parse(id).ok().filter(|_| !line.options.json())?;
    let fragment = Some(properties.text("FragmentPath")).filter(|path| !path.is_empty());
    let scope = match line.options.scope {
        Scope::System => files::Scope::System,
        Scope::User => files::Scope::User,
    };
    let dropped = eudaemon_verify::dropped(scope, &name, fragment, &properties.texts("DropInPaths"));
    if dropped.is_empty() {
        return None;
    }
    // A file off the search path is verified by its path.
    let is_found = fragment.is_none_or(|path| Disk::read(&line.options).is_found_as(&name, path));
    status::ignored(&dropped, if is_found { id } else { fragment? }, line.options.scope)
}

fn whole(line: &Line, screen: &mut Screen, client: &mut Client, clock: &Clock) -> Result<(), Failure> {
    let properties = client.properties(MANAGER_PATH, "");
    let properties = properties.map_err(|error| Failure::call("get properties", &error))?;
    let processes: Vec<ProcessRow> = client.manager("GetUnitProcesses", &"-.slice").unwrap_or_default();
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    let width = if line.options.full { None } else { screen.columns };
    let text = status::manager(&properties, &processes, &host, clock, screen.paint, width);
    screen.out(&text);
    Ok(())
}

/// The reference, the text of a verb, or the manual pages that a unit names.
pub fn help(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    if line.arguments.is_empty() {
        screen.out(&line::overview(line.called_as));
        return Ok(0);
    }
    let mut units = Vec::new();
    for word in &line.arguments {
        match line::describe(word, line.called_as) {
            Some(text) => screen.out(&text),
            None => units.push(word.clone()),
        }
    }
    if units.is_empty() {
        return Ok(0);
    }
    let mut client = running::reach(line)?;
    let mut code = 0;
    for unit in names::expand(&mut client, screen, &line.options, &units, ".service")? {
        let properties = client.properties(&unit_name::object_path(&unit), "");
        let properties = properties.map_err(|error| Failure::call("get properties", &error))?;
        if properties.text("LoadState") == "not-found" {
            screen.complain(&format!("Unit {unit} could not be found."));
            meant::complain(line, screen, &unit);
            code = 1;
            continue;
        }
        let documents = properties.texts("Documentation");
        if documents.is_empty() {
            screen.complain(&format!("Documentation for {unit} not known."));
            code = 1;
        }
        documents.into_iter().for_each(|document| open(screen, document));
    }
    Ok(code)
}

/// A manual page is shown, any other document named.
fn open(screen: &mut Screen, document: &str) {
    let Some(page) = document.strip_prefix("man:") else {
        screen.line(&format!("Additional documentation at {document}"));
        return;
    };
    screen.flush();
    let mut command = Command::new("man");
    match page.split_once('(') {
        Some((name, section)) => command.args([section.trim_end_matches(')'), name]),
        None => command.arg(page),
    };
    if let Err(error) = command.status() {
        screen.complain(&format!("Failed to execute man: {error}"));
    }
}
