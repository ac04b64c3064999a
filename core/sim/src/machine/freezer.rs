//! Frozen units: what their processes were about to do waits until they go on. A kill reaches them all the same.

use super::{Happening, Machine, Pid};
use eudaemon_engine::api::{Event, ExitStatus, Freezer};
use eudaemon_unit::name::UnitName;

impl Machine {
    pub(super) fn freeze(&mut self, unit: &UnitName, freezer: Freezer) {
        match freezer {
            Freezer::Frozen => {
                self.frozen.entry(unit.clone()).or_default();
            }
            Freezer::Running => self.let_go(unit),
        }
        self.hear(Event::Freezer { unit: unit.clone(), outcome: Ok(freezer) });
    }

    /// Its processes go on; or its cgroup is gone, and whoever is in the next one was never frozen.
    pub(super) fn let_go(&mut self, unit: &UnitName) {
        for happening in self.frozen.remove(unit).unwrap_or_default() {
            self.at(0, happening);
        }
    }

    /// Puts off what a frozen process would do.
    pub(super) fn put_off(&mut self, happening: Happening) -> Option<Happening> {
        let acting = actor(&happening).and_then(|pid| self.processes.get(&pid));
        match acting.and_then(|process| self.frozen.get_mut(&process.unit)) {
            Some(held) => {
                held.push(happening);
                None
            }
            None => Some(happening),
        }
    }
}

/// The process without which it does not happen.
fn actor(happening: &Happening) -> Option<Pid> {
    const KILL: i32 = 9;
    match happening {
        Happening::Exec(pid)
        | Happening::Note(pid, _)
        | Happening::Mounts(pid)
        | Happening::TakesIn(pid)
        | Happening::Ready(pid)
        | Happening::PidFile(pid)
        | Happening::Forks(pid) => Some(*pid),
        Happening::Ends(pid, status) => (*status != ExitStatus::Signal(KILL)).then_some(*pid),
        Happening::Hear(_)
        | Happening::Wish(..)
        | Happening::Count(..)
        | Happening::Knock(_)
        | Happening::Mount(..)
        | Happening::Table
        | Happening::Cleaned(_) => None,
    }
}
