//! What the manager says of the units of a case at one moment, and whether that moment lasts.

use super::bus::{Bus, MANAGER};
use super::gates::Gates;
use super::marshal::{Argument, Value};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";

/// What is asked of each unit once all is still: the property, and the interface that has it.
const TOLD: [(&str, &str); 6] = [
    ("Result", SERVICE),
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
        let services = self.units.iter_mut().filter(|(name, _)| name.ends_with(".service"));
        let mut services: Vec<&mut Seen> = services.map(|(_, seen)| seen).collect();
        let mut wanted = Vec::new();
        for seen in &services {
            wanted.push((seen.path.clone(), SERVICE, "MainPID"));
            wanted.push((seen.path.clone(), SERVICE, "ControlPID"));
        }
        let values = bus.properties(&wanted)?;
        for (seen, pids) in services.iter_mut().zip(values.chunks(2)) {
            seen.pids = pids.iter().map(Value::number).filter(|pid| *pid > 0).collect();
        }
        Ok(())
    }

    /// Whether nothing happens any more unless somebody acts: whatever goes on waits for a process that waits for us.
    /// The patient are units whose restart is further away than any case is long.
    pub fn lasts(&self, gates: &Gates, patient: &BTreeSet<String>) -> bool {
        let spoken: BTreeSet<i64> = gates.waiting().iter().map(|gate| gate.pid).collect();
        let known: BTreeSet<i64> = self.units.values().flat_map(|seen| seen.pids.iter().copied()).collect();
        let quiet =
            |pid: i64, unit: &str| spoken.contains(&pid) && (known.contains(&pid) || self.forks(unit, gates));
        known.is_subset(&spoken)
            && gates.pids().all(|(pid, unit)| quiet(pid, unit))
            && self.units.iter().all(|(name, seen)| seen.waits(patient.contains(name)))
            && self.jobs.iter().all(|job| job.state != "running" || self.works(&job.unit))
    }

    /// A daemon's process is its service's only when the one that started it has ended.
    fn forks(&self, unit: &str, gates: &Gates) -> bool {
        gates.waiting().iter().any(|gate| gate.unit == unit && gate.what == "fork")
    }

    /// A job that runs without a process of its unit waits for a time to pass.
    fn works(&self, unit: &str) -> bool {
        self.units.get(unit).is_some_and(|seen| !seen.pids.is_empty())
    }

    /// The rest of what is told of each unit.
    pub fn told(&self, bus: &mut Bus) -> Result<BTreeMap<String, String>> {
        let mut lines = BTreeMap::new();
        for (name, seen) in &self.units {
            let asked: Vec<_> =
                TOLD.iter().filter(|(_, of)| *of == UNIT || name.ends_with(".service")).collect();
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

fn first(bus: &mut Bus, serial: u32) -> Result<Value> {
    match bus.answer(serial)? {
        super::bus::Answer::Values(values) => {
            Ok(values.into_iter().next().unwrap_or(Value::List(Vec::new())))
        }
        super::bus::Answer::Refused { name, text } => anyhow::bail!("{name}: {text}"),
    }
}
