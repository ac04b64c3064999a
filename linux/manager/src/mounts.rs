//! What is mounted, as mount units: the kernel's table, read when the kernel says that it changed, and when the engine asks.

use crate::site::Site;
use crate::sys::readiness::watch;
use crate::units::Loaded;
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Event, Input};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::implicit::{mounts_above, orders_after_mounted};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::values::mount_table::{self, MOUNT_TABLE, Mounted, OWN_OPTIONS};
use eudaemon_unit::values::mounts::is_left_out;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What is mounted, by the unit that stands for its place.
pub type Table = BTreeMap<UnitName, Mounted>;

pub fn table() -> Table {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let mounted = mount_table::read(&read(MOUNT_TABLE), &read(OWN_OPTIONS)).into_values();
    let mounted = mounted.filter(|one| !is_left_out(&one.place));
    mounted.filter_map(|one| Some((mounts_above(&one.place).pop()?, one))).collect()
}

/// Where the kernel tells that the table is another; `None`: there is no /proc. Within a tokio runtime.
pub fn changes() -> io::Result<Option<AsyncFd<OwnedFd>>> {
    match fs::File::open(MOUNT_TABLE) {
        Ok(table) => watch(table.into(), Interest::PRIORITY).map(Some),
        Err(_) => Ok(None),
    }
}

impl Site {
    /// Tells the engine what is mounted; places without a unit get one that says what the kernel says.
    pub fn observe_mounts(&mut self, engine: &Engine) {
        let mut table = table();
        if self.is_folder() {
            // Whoever has a folder run wants its units, and no others.
            table.retain(|name, _| engine.canonical(name).is_some());
        }
        let before = std::mem::replace(&mut self.mount_table, table);
        let names: Vec<UnitName> = self.mount_table.keys().cloned().collect();
        let is_foreign = |name: &&UnitName| match engine.config(name) {
            Some(config) if config.load != LoadState::NotFound => config.fragment.is_none(),
            Some(_) | None => !self.units.has_file(name),
        };
        let foreign: BTreeSet<UnitName> = names.iter().filter(is_foreign).cloned().collect();
        let known = std::mem::replace(&mut self.units.mounted, foreign);
        let fresh: Vec<Loaded> =
            self.mount_table.iter().filter_map(|(name, one)| self.found(engine, name, one)).collect();
        let new: BTreeSet<UnitName> = self.units.mounted.difference(&known).cloned().collect();
        let mut brought = fresh;
        brought.extend(ordered_after(engine, &new));
        self.bring(brought);
        self.inbox.push_back(Input::Fact(Event::Mounts(names)));
        // Of what nobody wrote and nobody mounts any more there is no unit.
        let gone = before.keys().filter(|name| !self.mount_table.contains_key(*name));
        let gone: Vec<UnitName> = gone
            .filter(|name| engine.config(name).is_some_and(|config| config.fragment.is_none()))
            .cloned()
            .collect();
        let missing = gone.iter().map(|name| Loaded::plain(self.units.one(name))).collect();
        self.bring(missing);
    }

    /// The unit of a mount that the engine does not know, or knows as missing.
    fn found(&self, engine: &Engine, name: &UnitName, mounted: &Mounted) -> Option<Loaded> {
        let known = engine.config(name).is_some_and(|config| config.load != LoadState::NotFound);
        (!known).then(|| Loaded::plain(self.units.mounted(name, mounted)))
    }

    /// Units read anew from disk do not lose what is mounted without a file.
    pub fn keep_mounted(&mut self, units: &mut [Loaded]) {
        for unit in units.iter_mut().filter(|unit| unit.config.load == LoadState::NotFound) {
            if let Some(mounted) = self.mount_table.get(&unit.config.name) {
                unit.config = self.units.mounted(&unit.config.name, mounted);
            }
        }
    }
}

/// Units that are there already, and whose paths lie on what was mounted just now.
fn ordered_after(engine: &Engine, new: &BTreeSet<UnitName>) -> Vec<Loaded> {
    let behind = |config: &Arc<Config>| {
        let orders = orders_after_mounted(config, new);
        let orders: Vec<_> =
            orders.into_iter().filter(|order| !config.unit.dependencies.contains(order)).collect();
        if orders.is_empty() {
            return None;
        }
        let mut config = Config::clone(config);
        config.unit.dependencies.extend(orders);
        Some(Loaded::plain(Arc::new(config)))
    };
    engine.configs().filter_map(behind).collect()
}
