//! `eudaemon simulate`: a folder of units, booted on the pretend machine as `eudaemon up` would boot it here.

mod boot;
mod commands;
mod options;
#[cfg(test)]
mod tests;

use crate::words;
use boot::{Moment, Script, Story, boot};
use commands::Pace;
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::files::{Environment, Scope};
use eudaemon_unit::folder;
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::spelling::nearest;
use eudaemon_verify::{Disk, Ground, environment, specifiers};
use options::{Format, Line, Request};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The arguments begin with the word `simulate`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let story = match options::read(arguments) {
        Ok(Line::Help) => return print(std::io::stdout(), options::HELP, ExitCode::SUCCESS),
        Ok(Line::Simulate(request)) => read(&request).map(|script| (boot(script), request)),
        Err(text) => Err(text),
    };
    match story {
        Ok((story, request)) => {
            let code = if story.went_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            let text = match request.format {
                Format::Text => text(&story),
                Format::Json => serde_json::to_string(&story).unwrap_or_default() + "\n",
            };
            print(std::io::stdout(), &text, code)
        }
        Err(text) => print(std::io::stderr(), &format!("simulate: {text}\n"), ExitCode::FAILURE),
    }
}

/// A closed pipe is its reader's wish.
fn print(mut to: impl Write, text: &str, code: ExitCode) -> ExitCode {
    to.write_all(text.as_bytes()).and_then(|()| to.flush()).ok();
    code
}

/// The folder's units, on top of nothing but those the binary carries.
fn read(request: &Request) -> Result<Script, String> {
    let named = std::path::absolute(&request.folder).map_err(|error| error.to_string())?;
    let shown = named.display();
    let one = one_unit(&named);
    let path = match (&one, named.parent()) {
        (Some(_), Some(folder)) => folder.to_owned(),
        (Some(_), None) | (None, _) => named.clone(),
    };
    let entries = std::fs::read_dir(&path).map_err(|error| {
        let why = words(&error);
        format!("{shown}: {why}: expected a folder of unit files, or one unit's file such as web.service")
    })?;
    let names = entries.flatten().filter_map(|entry| UnitName::parse(entry.file_name().to_str()?).ok());
    let own: BTreeSet<UnitName> = names.filter(|name| !name.is_template()).collect();
    let disk = Disk::of("");
    let environment = Environment { unit_path: Some(path.to_string_lossy().into_owned()), ..environment("") };
    let cx = specifiers(Scope::User, &environment);
    let ground = Ground::new(&disk.tree, &disk, &[], &environment, Scope::User, cx);
    let loader = Loader {
        tree: ground.tree,
        index: &ground.index,
        cx: &ground.cx,
        scope: Scope::User,
        surroundings: Surroundings::Machine,
    };
    let closure = |names: &[UnitName]| -> Vec<Arc<Config>> {
        loader.closure(names).into_iter().map(|merged| Arc::new(merged.config)).collect()
    };
    script(&own, one, closure, request).map_err(|text| format!("{shown}: {text}"))
}

/// The unit whose file was named in place of a folder.
fn one_unit(path: &Path) -> Option<UnitName> {
    let name = UnitName::parse(path.file_name()?.to_str()?).ok()?;
    (path.is_file() && !name.is_template()).then_some(name)
}

fn script(
    own: &BTreeSet<UnitName>,
    one: Option<UnitName>,
    closure: impl Fn(&[UnitName]) -> Vec<Arc<Config>>,
    request: &Request,
) -> Result<Script, String> {
    let mut units = closure(&own.iter().cloned().collect::<Vec<_>>());
    units.retain(|config| config.load != LoadState::Masked && folder::is_in(own, config));
    let chosen = folder::to_start(&units.iter().map(|config| &**config).collect::<Vec<_>>());
    let (start, others) = match one {
        Some(unit) => (vec![unit], Vec::new()),
        None => (chosen, units),
    };
    if start.is_empty() {
        return Err(
            "no unit to run here: expected default.target, or service files such as web.service".into()
        );
    }
    let mut configs = closure(&start);
    let is_reached = |name: &UnitName| configs.iter().any(|config| config.name == *name);
    let others = others.iter().map(|config| &config.name).filter(|name| !is_reached(name));
    let left_out: Vec<UnitName> = others.cloned().collect();
    if configs.iter().any(|config| config.unit.exit_code_from.is_some()) {
        // What its end leads to.
        let end: Vec<UnitName> = UnitName::parse("exit.target").into_iter().collect();
        configs = closure(&[start.clone(), end].concat());
    }
    let failing: BTreeSet<UnitName> = request.failing.iter().cloned().collect();
    let known = |unit: &&UnitName| configs.iter().any(|config| config.name == **unit);
    if let Some(unit) = failing.iter().find(|unit| !known(unit)) {
        let alike = configs.iter().filter(|config| config.name.kind() == unit.kind());
        let near = nearest(unit.prefix(), alike.map(|config| config.name.prefix()));
        let near =
            near.map_or(String::new(), |near| format!("; did you mean '{near}.{}'?", unit.kind().suffix()));
        return Err(format!("--fail={unit}: nothing here starts that unit{near}"));
    }
    let pace = if request.seed.is_some() { Pace::Drawn } else { Pace::Least };
    Ok(Script { configs, start, left_out, failing, seed: request.seed.unwrap_or(0), pace })
}

fn text(story: &Story) -> String {
    let wide = story.timeline.iter().map(|moment| moment.unit.len()).max().unwrap_or(0);
    let line = |Moment { at_usec, unit, what }: &Moment| {
        format!("{:>10.3} s  {unit:<wide$}  {what}\n", *at_usec as f64 / 1_000_000.0)
    };
    let mut text: String = story.timeline.iter().map(line).collect();
    let mut list = |title: &str, units: &[String]| {
        if !units.is_empty() {
            text += &format!("{title}: {}\n", units.join(", "));
        }
    };
    list("Failed", &story.failed);
    let unstarted: Vec<String> =
        story.not_started.iter().map(|(unit, why)| format!("{unit} ({why})")).collect();
    list("Not started", &unstarted);
    list("Stopped with them", &story.stopped);
    list("Left out, for nothing here starts them", &story.left_out);
    list("Not at rest yet", &story.restless);
    for cause in &story.causes {
        text += &format!("Why: {}.\n", cause.because.join(",\n     because "));
    }
    if let Some(code) = story.exit_code {
        text += &format!("All ends with exit code {code}, by ExitCodeFrom= or an exit action.\n");
    }
    let took = story.took_usec as f64 / 1_000_000.0;
    let end = match (story.went_well(), story.exit_code) {
        (true, None) => "All is up",
        (true, Some(_)) => "All went well",
        (false, _) => "Not all went well",
    };
    text + &format!("{end} after {took:.3} s of pretend time.\n")
}
