//! `plan`: what a request would come to. A running manager is asked, for it knows what is up; else the unit files are.

use super::names::mangled;
use super::{Failure, meant, names};
use crate::bus::{CallError, Client, MANAGER_PATH, OURS_OF_MANAGER};
use crate::line::{Line, Output, Scope};
use crate::running;
use crate::screen::Screen;
use crate::unit_name::Globs;
use eudaemon_bus::Plan;
use eudaemon_engine::api::JobKind;
use eudaemon_rehearse::plan::{Idle, Telling};
use eudaemon_rehearse::{Offline, plan, plan_offline, skipped};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::files;
use eudaemon_unit::load::Surroundings;
use eudaemon_unit::name::UnitName;

/// The verbs that can be planned: their job, and the suffix of a name that has none.
const PLANNED: [(&str, &str, JobKind, &str); 5] = [
    ("start", "start", JobKind::Start, ".service"),
    ("stop", "stop", JobKind::Stop, ".service"),
    ("restart", "restart", JobKind::Restart, ".service"),
    ("try-restart", "try-restart", JobKind::TryRestart, ".service"),
    ("isolate", "start", JobKind::Start, ".target"),
];

pub fn run(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let Some((word, units)) = line.arguments.split_first() else {
        return Err(Failure::new("Too few arguments."));
    };
    let Some((verb, job, kind, suffix)) = PLANNED.into_iter().find(|(verb, ..)| verb == word) else {
        let verbs: Vec<&str> = PLANNED.iter().map(|(verb, ..)| *verb).collect();
        return Err(Failure::new(format!("Cannot plan '{word}': expected {}.", verbs.join(", "))));
    };
    let mode = if verb == "isolate" { "isolate" } else { line.options.job_mode.as_str() };
    let plans = match running::reach_if_running(line)? {
        Some(mut client) => {
            let units = names::expand(&mut client, screen, &line.options, units, suffix)?;
            ask(&mut client, &units, job, mode)?
        }
        None => from_files(line, screen, units, suffix, (kind, mode))?,
    };
    match line.options.output {
        Output::Json | Output::JsonPretty => screen.out(&plan::json(&plans)),
        Output::Table => tell(line, screen, &plans),
    }
    Ok(u8::from(plan::is_refused(&plans)))
}

fn tell(line: &Line, screen: &mut Screen, plans: &[Plan]) {
    let skipped = skipped(&place(line), &plan::started(plans));
    let idle = if line.options.all { Idle::Named } else { Idle::Counted };
    screen.out(&plan::text(plans, &Telling { skipped, idle }));
    let unknown = plans.iter().filter(|plan| plan.refusal.ends_with(&format!("{} not found", plan.unit)));
    unknown.for_each(|plan| meant::complain(line, screen, &plan.unit));
}

/// Whose unit files are read.
fn place(line: &Line) -> Offline {
    let scope = match line.options.scope {
        Scope::System => files::Scope::System,
        Scope::User => files::Scope::User,
    };
    let root = line.options.root.as_ref().map_or(String::new(), |root| root.to_string_lossy().into_owned());
    let container = eudaemon_host::abilities::container().is_some();
    let surroundings = if container { Surroundings::Container } else { Surroundings::Machine };
    Offline { scope, root, surroundings }
}

fn ask(client: &mut Client, units: &[String], job: &str, mode: &str) -> Result<Vec<Plan>, Failure> {
    let asked = client.call(MANAGER_PATH, OURS_OF_MANAGER, "Plan", &(units, job, mode));
    asked.map_err(|error: CallError| match error.kind() {
        "UnknownMethod" => {
            Failure::new("The manager that runs cannot plan; with --root=/ the unit files are asked.")
        }
        _ => Failure::call("plan", &error),
    })
}

fn from_files(
    line: &Line,
    screen: &mut Screen,
    units: &[String],
    suffix: &str,
    (kind, mode): (JobKind, &str),
) -> Result<Vec<Plan>, Failure> {
    let mode = job_mode(mode).ok_or_else(|| Failure::new(format!("Job mode {mode} invalid")))?;
    let mut requests = Vec::new();
    for unit in units {
        let name = mangled(screen, unit, suffix, Globs::Refused)?;
        match UnitName::parse(&name).ok().filter(|name| !name.is_template()) {
            Some(name) => requests.push((name, kind, mode)),
            None => return Err(Failure::new(format!("Unit name {name} is not valid."))),
        }
    }
    Ok(plan_offline(&place(line), &requests))
}

fn job_mode(word: &str) -> Option<JobMode> {
    Some(match word {
        "fail" => JobMode::Fail,
        "replace" => JobMode::Replace,
        "replace-irreversibly" => JobMode::ReplaceIrreversibly,
        "isolate" => JobMode::Isolate,
        "flush" => JobMode::Flush,
        "ignore-dependencies" => JobMode::IgnoreDependencies,
        "ignore-requirements" => JobMode::IgnoreRequirements,
        "triggering" => JobMode::Triggering,
        "restart-dependencies" => JobMode::RestartDependencies,
        _ => return None,
    })
}
