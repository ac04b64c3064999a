//! What is written down for the next manager beside the engine's records, and read back by it.

use super::{PAST_PIDS, Site};
use crate::lines;
use crate::state_log::Entry;
use eudaemon_engine::api::{Output, ProcId};
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;

/// Notes of this prefix and a unit's name hold the pids its processes have or had.
pub const PIDS: &str = "pids/";

/// Notes of this prefix and a unit's name hold when it was loaded, if after everything else.
pub(super) const LATE: &str = "late/";

const LOG_LEVEL: &str = "log-level";
const LOG_TARGET: &str = "log-target";

impl Site {
    /// What a predecessor noted and this manager goes on from.
    pub fn remember(&mut self, notes: &BTreeMap<String, Vec<u8>>) {
        if let Some(clients) = notes.get("environment").and_then(|note| postcard::from_bytes(note).ok()) {
            self.environment.set_clients(clients);
        }
        if let Some(level) = notes.get(LOG_LEVEL).and_then(|note| postcard::from_bytes(note).ok()) {
            self.log_level = Some(level);
        }
        if let Some(target) = notes.get(LOG_TARGET).and_then(|note| postcard::from_bytes(note).ok()) {
            self.log_target = Some(target);
        }
        if let Some(milestones) = notes.get("milestones").and_then(|note| postcard::from_bytes(note).ok()) {
            self.milestones = milestones;
        }
        for (name, note) in notes {
            if let Some(unit) = name.strip_prefix(LATE).and_then(|unit| UnitName::parse(unit).ok())
                && let Ok(late) = postcard::from_bytes(note)
            {
                self.loaded_late.insert(unit, late);
            }
            if let Some(unit) = name.strip_prefix(PIDS).and_then(|unit| UnitName::parse(unit).ok())
                && let Ok(pids) = postcard::from_bytes(note)
            {
                self.past.insert(unit, pids);
            }
        }
        if let Some(folder) = notes.get("folder").and_then(|note| postcard::from_bytes(note).ok()) {
            self.folder = folder;
        }
    }

    /// The machine's start is not the manager's: a successor goes on from the same instants.
    pub fn note_milestones(&mut self) {
        self.notes.push(("milestones".into(), postcard::to_allocvec(&self.milestones).ok()));
    }

    /// What clients unset and set of what services are given.
    pub fn change_environment(&mut self, unset: &[String], set: &[String]) {
        self.environment.change(unset, set);
        self.notes.push(("environment".into(), postcard::to_allocvec(self.environment.clients()).ok()));
    }

    /// A client's word on the log, which counts more than the settings.
    pub fn set_log_level(&mut self, level: String) {
        self.notes.push((LOG_LEVEL.into(), postcard::to_allocvec(&level).ok()));
        self.log_level = Some(level);
        self.obey_log_level();
    }

    pub fn set_log_target(&mut self, target: String) {
        self.notes.push((LOG_TARGET.into(), postcard::to_allocvec(&target).ok()));
        self.log_target = Some(target);
    }

    /// The pid of a process, also of one that has ended but is still shown.
    pub fn pid(&self, unit: &UnitName, process: ProcId) -> u32 {
        let past = || self.past.get(unit)?.iter().rev().find(|(id, _)| *id == process).map(|(_, pid)| *pid);
        self.host.pid(process).or_else(past).unwrap_or(0)
    }

    /// What `show` and, should init be killed too, a successor know a process by.
    pub(super) fn remember_pid(&mut self, unit: &UnitName, process: ProcId) {
        let Some(pid) = self.host.pid(process) else { return };
        let pids = self.past.entry(unit.clone()).or_default();
        pids.push((process, pid));
        // Those that live are what a successor of init goes by.
        if pids.len() > PAST_PIDS
            && let Some(over) = pids.iter().position(|(process, _)| self.host.pid(*process).is_none())
        {
            pids.remove(over);
        }
        self.notes.push((format!("{PIDS}{unit}"), postcard::to_allocvec(pids).ok()));
    }

    pub(super) fn write(&mut self, output: &Output) {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.host.take_notes());
        let entry = Entry { records: output.changed.clone(), notes, orders: output.orders.clone() };
        if entry.is_empty() {
            return;
        }
        if let Err(error) = self.log.append(&entry) {
            self.lines.say(None, None, lines::ERROR, &format!("cannot write the state log: {error}"));
        }
        if self.log.is_long() {
            self.compact();
        }
    }

    pub(super) fn compact(&mut self) {
        let shorter = self.log.compacted().and_then(|log| {
            self.host.keep_state(std::os::fd::AsFd::as_fd(log.file()))?;
            log.settle()?;
            Ok(log)
        });
        match shorter {
            Ok(log) => {
                self.log = log;
                self.has_room = true;
            }
            Err(error) => {
                self.lines.say(None, None, lines::ERROR, &format!("cannot shorten the state log: {error}"))
            }
        }
    }
}
