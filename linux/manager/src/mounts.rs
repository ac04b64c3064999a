//! What is mounted, as mount units: the kernel's table, read when the kernel says that it changed, and when the engine asks.

use crate::lines::{self, Lines};
use crate::site::Site;
use crate::sys::readiness::watch;
use crate::units::Loaded;
use eudaemon_engine::Engine;
use eudaemon_engine::api::{ActiveState, Event, Input};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::escape::name_of_path;
use eudaemon_unit::implicit::orders_after_mounted;
use eudaemon_unit::limits::MOUNT_TABLE_MAX;
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::values::mount_table::{self, MOUNT_TABLE, Mounted, OWN_OPTIONS};
use eudaemon_unit::values::mounts::is_left_out;
use rustix::fs::{Mode, OFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What is mounted, by the unit that stands for its place.
pub type Table = BTreeMap<UnitName, Mounted>;

/// The table as it is now. mount(8)'s own options are no more than an addition: without them the table stands.
fn table() -> io::Result<(Table, Option<String>)> {
    let table =
        read(MOUNT_TABLE).map_err(|error| io::Error::new(error.kind(), format!("{MOUNT_TABLE}: {error}")))?;
    let (own, trouble) = match read(OWN_OPTIONS) {
        Ok(own) => (own, None),
        // Nobody has mounted anything yet that needs it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
        Err(error) => (Vec::new(), Some(format!("cannot read {OWN_OPTIONS}: {error}"))),
    };
    Ok((by_unit(&table, &own), trouble))
}

fn by_unit(table: &[u8], own_options: &[u8]) -> Table {
    let mounted = mount_table::read(table, own_options).into_iter();
    let mounted = mounted.filter(|(_, one)| !is_left_out(&one.place));
    mounted.filter_map(|(place, one)| Some((name_of_path(&place, UnitKind::Mount)?, one))).collect()
}

/// A regular file, and no more of it than there can be: what stands in /run may have been put there by anyone who may.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    let mut bytes = Vec::new();
    match file.take(MOUNT_TABLE_MAX + 1).read_to_end(&mut bytes)? as u64 {
        0..=MOUNT_TABLE_MAX => Ok(bytes),
        _ => Err(io::Error::other(format!("is larger than {MOUNT_TABLE_MAX} bytes"))),
    }
}

/// Where the kernel tells that the table is another; `None`: there is no /proc, or nobody can watch it, and the table is
/// looked at when our own commands have ended. Within a tokio runtime.
pub fn changes(lines: &Lines) -> Option<AsyncFd<OwnedFd>> {
    let table = fs::File::open(MOUNT_TABLE).ok()?;
    let watched = watch(table.into(), Interest::PRIORITY);
    let say = |error: &io::Error| {
        let text = format!("cannot follow what others mount and unmount: {error}");
        lines.say(None, None, lines::WARNING, &text);
    };
    watched.inspect_err(say).ok()
}

/// What is remembered from one look at the table to the next.
#[derive(Debug, Default)]
pub struct Watch {
    /// Why it could not be told whole, the last time.
    trouble: Option<String>,
    /// Units of what was mounted and is not any more.
    gone: BTreeSet<UnitName>,
}

impl Site {
    /// Tells the engine what is mounted; places without a unit get one that says what the kernel says.
    pub fn observe_mounts(&mut self, engine: &Engine) {
        let Some(mut table) = self.look_at_mounts() else { return };
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
        let leads_to: BTreeSet<UnitName> = fresh
            .iter()
            .flat_map(|one| &one.config.unit.dependencies)
            .map(|(_, other)| other.clone())
            .collect();
        let mut brought = fresh;
        brought.extend(ordered_after(engine, &new));
        self.bring(brought);
        self.load_missing(engine, leads_to);
        self.inbox.push_back(Input::Fact(Event::Mounts(names)));
        let gone = before.into_keys().filter(|name| !self.mount_table.contains_key(name));
        self.mount_watch.gone.extend(gone);
        self.forget_mounts(engine);
    }

    /// Of what nobody wrote and nobody mounts any more there is no unit, once nothing is left to be done or said of it.
    pub fn forget_mounts(&mut self, engine: &Engine) {
        if self.mount_watch.gone.is_empty() {
            return;
        }
        let table = &self.mount_table;
        self.mount_watch.gone.retain(|name| {
            let has_file = engine.config(name).is_none_or(|config| config.fragment.is_some());
            !has_file && !table.contains_key(name)
        });
        let is_over = |name: &&UnitName| engine.unit_view(name).is_none_or(|view| is_settled(view.active));
        let works: BTreeSet<UnitName> = engine.job_views().map(|job| job.unit).collect();
        let over: Vec<UnitName> = self
            .mount_watch
            .gone
            .iter()
            .filter(is_over)
            .filter(|name| !works.contains(*name))
            .cloned()
            .collect();
        let missing = over.iter().map(|name| Loaded::plain(self.units.one(name))).collect();
        self.mount_watch.gone.retain(|name| !over.contains(name));
        self.bring(missing);
    }

    /// What is mounted; when nobody can tell, it is what it was. That is said once.
    fn look_at_mounts(&mut self) -> Option<Table> {
        let (table, trouble) = match table() {
            Ok((table, trouble)) => (Some(table), trouble),
            Err(error) => (None, Some(format!("cannot read what is mounted, and goes by what was: {error}"))),
        };
        if let Some(text) = trouble.as_ref().filter(|text| self.mount_watch.trouble.as_ref() != Some(text)) {
            self.lines.say(None, None, lines::ERROR, text);
        }
        self.mount_watch.trouble = trouble;
        table
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

/// Whether a mount neither works nor has failed, which people want to see.
fn is_settled(active: ActiveState) -> bool {
    match active {
        ActiveState::Active | ActiveState::Inactive => true,
        ActiveState::Activating
        | ActiveState::Deactivating
        | ActiveState::Reloading
        | ActiveState::Maintenance
        | ActiveState::Failed => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A place stands for itself and for nothing else, whatever its name is made of.
    #[test]
    fn places_and_their_units() {
        let long = "x".repeat(250);
        for (place, unit) in [
            ("/", Some("-.mount".to_owned())),
            (r"/mnt/a\040b", Some(r"mnt-a\x20b.mount".to_owned())),
            ("/mnt/u@v", Some(r"mnt-u\x40v.mount".to_owned())),
            (&format!("/mnt/{long}"), Some(format!("mnt-{}_09aed2289563325e.mount", &long[..228]))),
            ("/run/host/x", None),
            ("/proc", None),
        ] {
            let line = format!("1 2 0:1 / {place} rw - tmpfs s rw");
            let units: Vec<String> = by_unit(line.as_bytes(), b"").keys().map(UnitName::to_string).collect();
            assert_eq!(units, unit.into_iter().collect::<Vec<_>>(), "{place}");
        }
        let odd = by_unit(b"1 2 0:1 / /mnt/o\xff rw - tmpfs s rw\n1 2 0:1 / /mnt/w rw - tmpfs s rw", b"");
        assert_eq!(odd.keys().map(UnitName::as_str).collect::<Vec<_>>(), [r"mnt-o\xff.mount", "mnt-w.mount"]);
    }

    #[test]
    fn what_can_be_read() {
        assert_eq!(read("/nonexistent").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read("/dev/zero").unwrap_err().to_string(), "is no regular file");
        assert!(read("/proc/self/exe").is_err(), "no link is followed");
        assert!(read(MOUNT_TABLE).unwrap().ends_with(b"\n"));
    }
}
