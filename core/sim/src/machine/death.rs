//! The manager dies, and a new one goes on from what it wrote.

use super::{Batch, Happening, Machine, Manager};
use eudaemon_engine::api::{Event, Fate, ProcId};
use eudaemon_engine::record::Record;
use eudaemon_engine::world::World;
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;

impl Machine {
    /// A new manager: reads the log, repeats the last batch of orders, and asks what became of the processes.
    pub(super) fn resurrect(&mut self, engine: &mut Engine) {
        self.note(|| "the manager died".into());
        self.manager = Manager::Alive;
        // What was on its way to the dead manager is lost, but for what waits in a socket and what programs do.
        self.agenda.retain(|_, happening| match happening {
            Happening::Hear(Event::Notified { .. } | Event::Loaded(_)) => true,
            Happening::Hear(_) | Happening::Count(..) | Happening::Table => false,
            Happening::Wish(..)
            | Happening::Exec(_)
            | Happening::Note(..)
            | Happening::Knock(_)
            | Happening::Cleaned(_)
            | Happening::Mounts(_)
            | Happening::Mount(..)
            | Happening::TakesIn(_)
            | Happening::Ready(_)
            | Happening::PidFile(_)
            | Happening::Forks(_)
            | Happening::Ends(..) => true,
        });
        self.unwatch_all();
        let seed = self.random.draw();
        *engine = self.restored(seed);
        self.laws.look_again(engine);
        let faults = std::mem::take(&mut self.faults);
        self.batch = Batch::Repeated;
        for order in std::mem::take(&mut self.outbox) {
            self.obey(order.action);
        }
        self.batch = Batch::Fresh;
        let alive = self.pids.iter().filter(|(_, pid)| self.processes.contains_key(pid));
        let mut fates: BTreeMap<ProcId, Fate> = alive.map(|(id, _)| (*id, Fate::Alive)).collect();
        fates.extend(self.exits.iter().map(|(id, status)| (*id, Fate::Ended(*status))));
        let output = engine.recover(self.now(), &fates);
        self.perform(engine, output);
        if self.has_mounts() {
            self.tell_mounts();
        }
        self.faults = faults;
    }

    /// The engine as the log says.
    pub fn restored(&self, seed: u64) -> Engine {
        let records = self.log.iter().map(|(key, state)| Record { key: key.clone(), state: state.clone() });
        let on_disk = |name: &UnitName| self.configs.iter().find(|config| config.name == *name).cloned();
        let configs = self.loaded.iter().filter_map(on_disk).collect();
        let (engine, bad) = Engine::restore(seed, Settings::default(), configs, records.collect());
        assert!(bad.is_empty(), "every record the engine wrote can be read: {bad:?}");
        engine
    }
}
