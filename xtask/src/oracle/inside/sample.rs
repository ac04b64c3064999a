//! What the manager says of the units of a case at one moment, and whether that moment lasts.

use super::bus::{Bus, MANAGER};
use super::gates::Gates;
use super::marshal::{Argument, Value};
use crate::oracle::case::{Case, UnitText};
use crate::oracle::wide::TIMES;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const MOUNT: &str = "org.freedesktop.systemd1.Mount";

/// What is asked of each unit once all is still: the property, and the interface that has it.
const TOLD: [(&str, &str); 7] = [
    ("Result", SERVICE),
    ("Result", MOUNT),
    ("NRestarts", SERVICE),
    ("ExecMainCode", SERVICE),
    ("ExecMainStatus", SERVICE),
    ("ConditionResult", UNIT),
    ("AssertResult", UNIT),
];

#[derive(Debug, Default, PartialEq)]
pub struct Sample {
    pub units: BTreeMap<String, Seen>,
    pub jobs: Vec<Job>,
}

/// For whom time matters in a case.
#[derive(Debug)]
pub struct Tempers {
    /// Units whose restart is further away than any case is long.
    patient: BTreeSet<String>,
    /// Units whose time runs out while the case is played, each with the line that says so.
    hasty: Vec<(String, &'static str)>,
}

impl Tempers {
    pub fn of(case: &Case) -> Tempers {
        let has = |unit: &UnitText, line: &str| unit.lines.iter().any(|other| other == line);
        let patient = case.units.iter().filter(|unit| has(unit, "RestartSec=1h"));
        let hasty = case.units.iter().flat_map(|unit| {
            let times = TIMES.iter().filter(|time| has(unit, time));
            times.map(|time| (unit.name.clone(), *time))
        });
        Tempers { patient: patient.map(|unit| unit.name.clone()).collect(), hasty: hasty.collect() }
    }
}

#[derive(Debug, PartialEq)]
pub struct Seen {
    pub state: String,
    path: String,
    /// Its main and its control process.
    pids: Vec<i64>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    pub unit: String,
    pub kind: String,
    pub state: String,
    pub id: i64,
}

impl Sample {
    pub fn take(bus: &mut Bus, prefix: &str) -> Result<Sample> {
        let pattern = format!("{prefix}*");
        let arguments = [Argument::Texts(&[]), Argument::Texts(&[&pattern])];
        let units = bus.send(MANAGER, "ListUnitsByPatterns", &arguments)?;
        let jobs = bus.send(MANAGER, "ListJobs", &[])?;
        let mut sample = Sample::default();
        for unit in first(bus, units)?.list() {
            let [name, _, load, active, sub, _, path, ..] = unit.list() else { continue };
            let state = format!("{}/{} {}", active.text(), sub.text(), load.text());
            let seen = Seen { state, path: path.text().to_owned(), pids: Vec::new() };
            sample.units.insert(name.text().to_owned(), seen);
        }
        for job in first(bus, jobs)?.list() {
            let [id, unit, kind, state, ..] = job.list() else { continue };
            let text = |value: &Value| value.text().to_owned();
            if unit.text().starts_with(prefix) {
                let job = Job { unit: text(unit), kind: text(kind), state: text(state), id: id.number() };
                sample.jobs.push(job);
            }
        }
        sample.jobs.sort();
        sample.find_pids(bus)?;
        Ok(sample)
    }

    fn find_pids(&mut self, bus: &mut Bus) -> Result<()> {
        let mut wanted = Vec::new();
        for (name, seen) in &self.units {
            let Some(interface) = own(name) else { continue };
            wanted.push((seen.path.clone(), interface, "ControlPID"));
            if interface == SERVICE {
                wanted.push((seen.path.clone(), SERVICE, "MainPID"));
            }
        }
        let values = bus.properties(&wanted)?;
        for ((path, _, _), value) in wanted.iter().zip(values) {
            let pid = value.number();
            if let Some(seen) = self.units.values_mut().find(|seen| seen.path == *path && pid > 0) {
                seen.pids.push(pid);
            }
        }
        Ok(())
    }

    /// Whether nothing happens any more unless somebody acts: whatever goes on waits for a process that waits for us.
    pub fn lasts(&self, gates: &Gates, tempers: &Tempers) -> bool {
        let spoken: BTreeSet<i64> = gates.waiting().iter().map(|gate| gate.pid).collect();
        let known: BTreeSet<i64> = self.units.values().flat_map(|seen| seen.pids.iter().copied()).collect();
        let quiet =
            |pid: i64, unit: &str| spoken.contains(&pid) && (known.contains(&pid) || self.forks(unit, gates));
        known.is_subset(&spoken)
            && gates.pids().all(|(pid, unit)| quiet(pid, unit))
            && self.units.iter().all(|(name, seen)| seen.waits(tempers.patient.contains(name)))
            && self.jobs.iter().all(|job| job.state != "running" || self.works(&job.unit))
            && !tempers.hasty.iter().any(|(unit, time)| self.runs_out(unit, time))
    }

    /// A daemon's process is its service's only when the one that started it has ended.
    fn forks(&self, unit: &str, gates: &Gates) -> bool {
        gates.waiting().iter().any(|gate| gate.unit == unit && gate.what == "fork")
    }

    /// A job that runs without a process of its unit waits for a time to pass.
    fn works(&self, unit: &str) -> bool {
        self.units.get(unit).is_some_and(|seen| !seen.pids.is_empty())
    }

    /// Whether a mount's job waits: for another job, or for the manager to look at mounts again.
    pub fn is_mounting(&self) -> bool {
        self.jobs.iter().any(|job| job.unit.ends_with(".mount") && job.state == "waiting")
    }

    /// Whether the unit is at something that the line gives a time to.
    fn runs_out(&self, unit: &str, time: &str) -> bool {
        let state = self.units.get(unit).map(|seen| seen.state.as_str()).unwrap_or_default();
        let job = |states: &[&str]| {
            self.jobs.iter().any(|job| job.unit == unit && states.contains(&job.state.as_str()))
        };
        match time.split('=').next().unwrap_or_default() {
            "JobTimeoutSec" => job(&["waiting", "running"]),
            "JobRunningTimeoutSec" => job(&["running"]),
            "TimeoutStartSec" => {
                state.starts_with("activating/start")
                    || state.starts_with("activating/condition")
                    || state.starts_with("reloading/")
            }
            "TimeoutStopSec" => state.starts_with("deactivating/"),
            _ => state.starts_with("active/running"),
        }
    }

    /// The rest of what is told of each unit.
    pub fn told(&self, bus: &mut Bus) -> Result<BTreeMap<String, String>> {
        let mut lines = BTreeMap::new();
        for (name, seen) in &self.units {
            let asked: Vec<_> = TOLD.iter().filter(|(_, of)| *of == UNIT || own(name) == Some(*of)).collect();
            let wanted: Vec<_> = asked
                .iter()
                .map(|(property, interface)| (seen.path.clone(), *interface, *property))
                .collect();
            let mut line = seen.state.clone();
            for ((property, _), value) in asked.iter().zip(bus.properties(&wanted)?) {
                let value = match value {
                    Value::Text(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::List(_) => "(none)".to_owned(),
                };
                line += &format!(" {property}={value}");
            }
            lines.insert(name.clone(), line);
        }
        Ok(lines)
    }
}

impl Seen {
    /// In a state that ends by itself there has to be a process, or a time that does not come.
    fn waits(&self, patient: bool) -> bool {
        let passing = ["activating/", "deactivating/", "reloading/"];
        let held = patient && self.state.starts_with("activating/auto-restart") || !self.pids.is_empty();
        held || !passing.iter().any(|state| self.state.starts_with(state))
    }
}

/// The interface of units of this kind whose processes and result are asked for.
fn own(name: &str) -> Option<&'static str> {
    [(".service", SERVICE), (".mount", MOUNT)]
        .into_iter()
        .find(|(kind, _)| name.ends_with(kind))
        .map(|found| found.1)
}

fn first(bus: &mut Bus, serial: u32) -> Result<Value> {
    match bus.answer(serial)? {
        super::bus::Answer::Values(values) => {
            Ok(values.into_iter().next().unwrap_or(Value::List(Vec::new())))
        }
        super::bus::Answer::Refused { name, text } => anyhow::bail!("{name}: {text}"),
    }
}
