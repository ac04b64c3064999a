//! Methods that only read: units, jobs, processes, by all the names they go by.

use super::{Served, Target};
use crate::call::Outcome;
use crate::fault::Fault;
use crate::model::{Job, JobState, Unit};
use crate::properties::{active_word, description, load_word};
use crate::{glob, limits, path};
use eudaemon_engine::api::{InvocationId, JobId};
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;
use zbus::ObjectPath;

pub fn get_unit(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let name: String = served.call.arguments()?;
    let unit = served.loaded(&name)?;
    served.reply(&path::unit(&unit))
}

pub fn load_unit(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let name: String = served.call.arguments()?;
    let unit = served.load(&name)?;
    served.reply(&path::unit(&unit))
}

/// 0 is the caller.
pub fn get_unit_by_pid(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let pid: u32 = served.call.arguments()?;
    let pid = if pid == 0 { served.call.credentials.pid } else { pid };
    match served.model.unit_of_pid(pid) {
        Some(unit) => served.reply(&path::unit(&unit)),
        None => Err(Fault::no_unit_for_pid(format!("PID {pid} does not belong to any loaded unit."))),
    }
}

/// An empty id is the caller's unit's.
pub fn get_unit_by_invocation(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let id: Vec<u8> = served.call.arguments()?;
    let unit = match <[u8; 16]>::try_from(id.as_slice()) {
        Ok(id) => served.model.unit_of_invocation(InvocationId(id)),
        Err(_) if id.is_empty() => {
            let pid = served.call.credentials.pid;
            let own = served.model.unit_of_pid(pid);
            let own =
                own.ok_or_else(|| Fault::no_such_unit(format!("Client {pid} not member of any unit.")))?;
            return served.reply(&path::unit(&own));
        }
        Err(_) => return Err(Fault::invalid_args("Invalid invocation ID")),
    };
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    match unit {
        Some(unit) => served.reply(&path::unit(&unit)),
        None => Err(Fault::no_unit_for_invocation(format!(
            "No unit with the specified invocation ID {digits} known."
        ))),
    }
}

pub fn get_unit_by_cgroup(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let cgroup: String = served.call.arguments()?;
    if !cgroup.starts_with('/') {
        return Err(Fault::invalid_args(format!("Control group path is not absolute: {cgroup}")));
    }
    match served.model.unit_of_cgroup(&cgroup) {
        Some(unit) => served.reply(&path::unit(&unit)),
        None => Err(Fault::no_such_unit(format!(
            "Control group '{cgroup}' is not valid or not managed by this instance"
        ))),
    }
}

/// `a(ssssssouso)`: name, description, load, active and sub state, followed unit, path, job, its type, its path.
type Line = (
    String,
    String,
    &'static str,
    &'static str,
    String,
    &'static str,
    ObjectPath<'static>,
    u32,
    &'static str,
    ObjectPath<'static>,
);

fn line(unit: &Unit, jobs: &BTreeMap<JobId, &Job>) -> Line {
    let job = unit.job.and_then(|id| jobs.get(&id));
    (
        unit.config.name.as_str().to_owned(),
        description(&unit.config).into_owned(),
        load_word(&unit.config.load),
        active_word(unit.active),
        unit.sub.to_owned(),
        "",
        path::unit(&unit.config.name),
        unit.job.map_or(0, |id| id.0),
        job.map_or("", |job| job.kind.word()),
        path::job_or_root(unit.job),
    )
}

fn lines(served: &Served<'_>, names: &[UnitName], wanted: impl Fn(&Unit) -> bool) -> Vec<Line> {
    let jobs = served.model.jobs();
    let jobs: BTreeMap<JobId, &Job> = jobs.iter().map(|job| (job.id, job)).collect();
    let units = names.iter().filter_map(|name| served.model.unit(name));
    units.filter(|unit| wanted(unit)).map(|unit| line(&unit, &jobs)).collect()
}

pub fn list_units(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let names = served.model.units();
    served.reply(&lines(served, &names, |_| true))
}

pub fn list_units_filtered(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let states: Vec<String> = served.call.arguments()?;
    let names = served.model.units();
    served.reply(&lines(served, &names, |unit| in_states(unit, &states)))
}

pub fn list_units_by_patterns(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (states, patterns): (Vec<String>, Vec<String>) = served.call.arguments()?;
    let mut names = served.model.units();
    names.retain(|name| matches_any(&patterns, name.as_str()));
    served.reply(&lines(served, &names, |unit| in_states(unit, &states)))
}

pub fn list_units_by_names(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let wanted: Vec<String> = served.call.arguments()?;
    if wanted.len() > limits::NAMES {
        return Err(Fault::limits_exceeded("Too many names in one call."));
    }
    // What is no name at all is passed over.
    let names = wanted.iter().filter(|name| UnitName::parse(name).is_ok());
    let names = names.map(|name| served.load(name)).collect::<Result<Vec<_>, _>>()?;
    served.reply(&lines(served, &names, |_| true))
}

/// No states: all of them. A state may be a load, active or sub state.
fn in_states(unit: &Unit, states: &[String]) -> bool {
    let own = [load_word(&unit.config.load), active_word(unit.active), unit.sub];
    states.is_empty() || states.iter().any(|state| own.contains(&state.as_str()))
}

pub fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| glob::matches(pattern, name))
}

/// `a(usssoo)`: id, unit, type, state, job path, unit path.
pub fn list_jobs(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let jobs = served.model.jobs();
    let lines = jobs.iter().map(|job| {
        let state = match job.running {
            JobState::Waiting => "waiting",
            JobState::Running => "running",
        };
        (job.id.0, job.unit.as_str(), job.kind.word(), state, path::job(job.id), path::unit(&job.unit))
    });
    served.reply(&lines.collect::<Vec<_>>())
}

pub fn get_job(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let id = JobId(served.call.arguments()?);
    if served.model.jobs().iter().any(|job| job.id == id) {
        return served.reply(&path::job(id));
    }
    Err(Fault::no_such_job(format!("Job {} does not exist.", id.0)))
}

/// `a(sus)`: cgroup, pid, command line.
pub fn processes(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let unit = match &served.target {
        Target::Unit(unit) => unit.clone(),
        Target::Manager | Target::Job(_) => served.loaded(&served.call.arguments::<String>()?)?,
    };
    let processes = served.model.processes(&unit);
    let lines = processes.iter().map(|process| (&process.cgroup, process.pid, &process.command_line));
    served.reply(&lines.collect::<Vec<_>>())
}

pub fn no_dynamic_users(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.reply(&Vec::<(u32, String)>::new())
}

/// No unit can be marked, so there is nothing to do.
pub fn no_marked_jobs(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.reply(&Vec::<ObjectPath<'_>>::new())
}
