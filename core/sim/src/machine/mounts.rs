//! What is mounted on the pretend machine, by programs and by others, and how the manager gets to know.

use super::{Happening, Machine, Pid};
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Event, Phase};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::{UnitKind, UnitName};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Mount,
    Unmount,
}

impl Machine {
    /// Somebody who is no program of a unit does it, after so many microseconds.
    pub fn change_mount(&mut self, after: u64, unit: UnitName, change: Change) {
        self.at(after, Happening::Mount(unit, change));
    }

    /// A process does what it is there for.
    pub(super) fn mounts(&mut self, pid: Pid) {
        let Some(process) = self.processes.get(&pid) else { return };
        let (unit, phase) = (process.unit.clone(), process.phase);
        match phase {
            Phase::Start => self.mount(unit, Change::Mount),
            Phase::Stop => self.mount(unit, Change::Unmount),
            Phase::Condition
            | Phase::StartPre
            | Phase::StartPost
            | Phase::Reload
            | Phase::StopPost
            | Phase::StopPre
            | Phase::Health => {}
        }
    }

    pub(super) fn mount(&mut self, unit: UnitName, change: Change) {
        let stacked = self.mounted.entry(unit).or_default();
        *stacked = match change {
            Change::Mount => *stacked + 1,
            Change::Unmount => stacked.saturating_sub(1),
        };
        self.mounted.retain(|_, stacked| *stacked > 0);
        self.tell_mounts();
    }

    /// Worlds without mounts have no table to read.
    pub(super) fn has_mounts(&self) -> bool {
        self.configs.iter().any(|config| config.name.kind() == UnitKind::Mount)
    }

    /// The table is read when it is told, and not before.
    pub(super) fn tell_mounts(&mut self) {
        let delay = self.delay();
        self.at(delay, Happening::Table);
    }

    pub(super) fn mount_table(&self) -> Event {
        Event::Mounts(self.mounted.keys().cloned().collect())
    }

    /// What the units of are to be loaded before the engine hears of the table.
    pub(super) fn unknown_mounts(&self, engine: &Engine) -> Vec<Arc<Config>> {
        match self.mounted.keys().all(|unit| engine.canonical(unit).is_some()) {
            true => Vec::new(),
            false => self.fresh(engine),
        }
    }
}
