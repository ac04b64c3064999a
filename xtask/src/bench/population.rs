//! Who lives in a booted machine: its services, each where it should be, and everyone else with their memory.

use super::runner::Cgroups;
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::census::{cgroup, processes, proportional_memory, words};
use eudaemon_machine_tests::machine::{Machine, comm};
use std::collections::{BTreeMap, BTreeSet};

/// The processes of one machine at one moment.
#[derive(Debug, Default)]
pub struct Population {
    /// Each service's name and process.
    services: Vec<(String, i32)>,
    others: Vec<i32>,
}

impl Population {
    pub fn of(machine: &Machine) -> Result<Population> {
        let mut population = Population::default();
        for pid in processes(machine.pid())? {
            match service(&words(pid)) {
                Some(name) => population.services.push((name, pid)),
                None => population.others.push(pid),
            }
        }
        Ok(population)
    }

    /// Exactly these services live, once each; in cgroups of their own, if that is what their runner promises.
    pub fn check(&self, machine: &Machine, count: usize, cgroups: Cgroups) -> Result<()> {
        let names: BTreeSet<&str> = self.services.iter().map(|(name, _)| name.as_str()).collect();
        let missing = (0..count).filter(|number| !names.contains(format!("bench-{number}").as_str())).count();
        if missing > 0 || self.services.len() != count {
            bail!(
                "{} service processes for {count} services, {missing} of which have none",
                self.services.len()
            );
        }
        match cgroups {
            Cgroups::One => return Ok(()),
            Cgroups::OneEach => {}
        }
        let mut places = BTreeSet::from([cgroup(machine.pid()).context("PID 1 has no cgroup v2")?]);
        for (name, pid) in &self.services {
            let place = cgroup(*pid).with_context(|| format!("{name} has no cgroup v2"))?;
            if !places.insert(place.clone()) {
                bail!("{name} is not alone in its cgroup {place}");
            }
        }
        Ok(())
    }

    /// The memory of all that are no services, in kB, by program. Pages that several hold count in parts.
    pub fn memory(&self, machine: &Machine) -> Result<BTreeMap<String, u64>> {
        let mut memory = BTreeMap::new();
        for pid in self.others.iter().copied() {
            // Whoever is PID 1 calls itself systemd, for those who look whether it is.
            let name = if pid == machine.pid() { "PID 1".to_owned() } else { comm(pid) };
            let share =
                proportional_memory(pid).with_context(|| format!("the memory of {name} is not told"))?;
            *memory.entry(name).or_default() += share;
        }
        Ok(memory)
    }
}

/// The name of the service that a process with these words is.
fn service(words: &[String]) -> Option<String> {
    let [program, name] = words else { return None };
    (program.ends_with("stamp") && name.starts_with("bench-")).then(|| name.clone())
}
