//! The pretend machine's listening sockets: who knocks waits in the backlog until the service takes him in.

use super::*;

/// An open socket, as the vault keeps it.
#[derive(Debug)]
pub struct Backlog {
    /// Who gets it passed.
    pub service: UnitName,
    /// How many wait to be taken in.
    pub waiting: u32,
    watch: Watch,
}

/// Whether the manager wants to hear of the next knock; this dies with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    Off,
    On,
}

impl Machine {
    /// Somebody connects, after so many microseconds.
    pub fn knock(&mut self, after: u64, socket: UnitName) {
        self.at(after, Happening::Knock(socket));
    }

    pub(super) fn open(&mut self, unit: UnitName) {
        let outcome = match self.random.chance(self.faults.sockets_fail) {
            true => Err(Trouble { errno: 98, step: "bind".into() }),
            false => Ok(()),
        };
        // A repeated order finds it open.
        if outcome.is_ok()
            && let Some(service) = self.service_of(&unit)
        {
            let closed = || Backlog { service, waiting: 0, watch: Watch::Off };
            self.backlogs.entry(unit.clone()).or_insert_with(closed);
        }
        self.hear(Event::SocketsOpened { unit, outcome });
    }

    fn service_of(&self, unit: &UnitName) -> Option<UnitName> {
        let config = self.configs.iter().find(|config| config.name == *unit)?;
        let socket = config.socket()?;
        socket.service.clone().or_else(|| UnitName::parse(&format!("{}.service", unit.prefix())).ok())
    }

    pub(super) fn watch(&mut self, unit: UnitName) {
        match self.backlogs.get_mut(&unit) {
            Some(backlog) => backlog.watch = Watch::On,
            None if self.batch == Batch::Repeated => {}
            None => self.laws.broken.push(format!("{}: {unit} is watched and not open", self.clock)),
        }
        self.look(unit);
    }

    pub(super) fn unwatch(&mut self, unit: &UnitName) {
        if let Some(backlog) = self.backlogs.get_mut(unit) {
            backlog.watch = Watch::Off;
        }
    }

    pub(super) fn unwatch_all(&mut self) {
        self.backlogs.values_mut().for_each(|backlog| backlog.watch = Watch::Off);
    }

    pub(super) fn flush(&mut self, unit: &UnitName) {
        if let Some(backlog) = self.backlogs.get_mut(unit) {
            backlog.waiting = 0;
        }
    }

    pub(super) fn knocked(&mut self, unit: UnitName) {
        let Some(backlog) = self.backlogs.get_mut(&unit) else { return };
        let serves = |process: &Process| process.takes && process.unit == backlog.service;
        if self.processes.values().any(serves) {
            return;
        }
        backlog.waiting += 1;
        self.look(unit);
    }

    /// A knock is told of once, and then not again until the next order to watch.
    fn look(&mut self, unit: UnitName) {
        let Some(backlog) = self.backlogs.get_mut(&unit) else { return };
        if backlog.watch == Watch::On && backlog.waiting > 0 {
            backlog.watch = Watch::Off;
            self.hear(Event::SocketReady { unit });
        }
    }

    /// The process takes in all that wait, and whoever comes while it lives.
    pub(super) fn take_in(&mut self, pid: Pid) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        process.takes = true;
        for backlog in self.backlogs.values_mut().filter(|backlog| backlog.service == process.unit) {
            backlog.waiting = 0;
        }
    }
}
