//! Units' process sets as the engine sees them: signalled whole, surveyed, awaited until empty.

use super::{Host, News};
use crate::group::Ladder;
use eudaemon_engine::api::{Event, Occupancy, ProcId};
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::Dependency;
use eudaemon_unit::name::{UnitKind, UnitName};
use rustix::fs::inotify;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The cgroup of a unit that is so configured, below the root: its slice's path and its own name. `a-b.slice` lies in `a.slice`.
pub fn path(unit: &UnitName, config: Option<&Config>) -> String {
    let slice = config.and_then(|config| {
        config
            .unit
            .dependencies
            .iter()
            .find(|(word, _)| *word == Dependency::InSlice)
            .map(|(_, slice)| slice.as_str().to_owned())
    });
    let parent = slice.as_deref().unwrap_or("system.slice");
    if unit.kind() == UnitKind::Slice {
        slice_path(unit.as_str())
    } else if unit.as_str() == "init.scope" {
        "/init.scope".to_owned()
    } else {
        format!("{}/{}", slice_path(parent), escaped(unit.as_str()))
    }
}

fn slice_path(slice: &str) -> String {
    let stem = slice.strip_suffix(".slice").unwrap_or(slice);
    if stem == "-" {
        return String::new();
    }
    let mut path = String::new();
    for (at, _) in stem.match_indices('-').chain([(stem.len(), "")]) {
        path.push('/');
        path.push_str(&escaped(&format!("{}.slice", &stem[..at])));
    }
    path
}

/// Names the kernel keeps for itself get a `_` before them, as systemd writes them.
fn escaped(name: &str) -> String {
    let reserved = name.starts_with(['_', '.'])
        || ["notify_on_release", "release_agent", "tasks"].contains(&name)
        || name.starts_with("cgroup.");
    if reserved { format!("_{name}") } else { name.to_owned() }
}

/// Where units' cgroups stand already, as an earlier manager left them. Of two of one name the one with processes counts.
pub(super) fn standing(ladder: &Ladder) -> BTreeMap<UnitName, String> {
    let mut found = BTreeMap::new();
    if let Ladder::Cgroup { root, .. } = ladder {
        walk(root, String::new(), &mut found);
    }
    found
}

fn walk(root: &Path, above: String, found: &mut BTreeMap<UnitName, String>) {
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    for entry in std::fs::read_dir(below(&above)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) else {
            continue;
        };
        let Ok(unit) = UnitName::parse(name.strip_prefix('_').unwrap_or(name)) else { continue };
        let path = format!("{above}/{name}");
        let has_processes = |path: &str| {
            let events = std::fs::read_to_string(below(path).join("cgroup.events"));
            events.is_ok_and(|text| text.lines().any(|line| line == "populated 1"))
        };
        if unit.kind() == UnitKind::Slice {
            walk(root, path, found);
        } else if !found.contains_key(&unit) || has_processes(&path) {
            found.insert(unit, path);
        }
    }
}

impl Host {
    /// The unit's cgroup below the root: where its processes are, which stay there while it runs whatever the unit's
    /// configuration has become; else where they would be.
    pub(super) fn path_of(&self, unit: &UnitName, config: Option<&Config>) -> String {
        self.places.get(unit).cloned().unwrap_or_else(|| path(unit, config))
    }

    /// The unit's cgroup as clients read it; empty on the sweeping rung.
    pub fn cgroup_path(&self, unit: &UnitName, config: Option<&Config>) -> String {
        match self.groups.ladder() {
            crate::group::Ladder::Cgroup { prefix, .. } => {
                match format!("{prefix}{}", self.path_of(unit, config)) {
                    root if root.is_empty() => "/".to_owned(),
                    path => path,
                }
            }
            crate::group::Ladder::Sweep { .. } => String::new(),
        }
    }

    /// The unit's cgroup in the file system; `None` on the sweeping rung.
    pub fn cgroup_directory(&self, unit: &UnitName, config: Option<&Config>) -> Option<std::path::PathBuf> {
        match self.groups.ladder() {
            crate::group::Ladder::Cgroup { root, .. } => {
                Some(root.join(self.path_of(unit, config).trim_start_matches('/')))
            }
            crate::group::Ladder::Sweep { .. } => None,
        }
    }

    /// The cgroup all units' cgroups lie in, as clients read it.
    pub fn root_cgroup(&self) -> String {
        match self.groups.ladder() {
            crate::group::Ladder::Cgroup { prefix, .. } => prefix.clone(),
            crate::group::Ladder::Sweep { .. } => String::new(),
        }
    }

    /// Living processes of the unit.
    pub fn members(&self, unit: &UnitName, config: Option<&Config>) -> Vec<u32> {
        self.groups.members(unit.as_str(), &self.path_of(unit, config))
    }

    /// Those of them that do not descend from init: it neither hears of them nor ends them.
    pub fn members_beyond_init(&self, unit: &UnitName, config: Option<&Config>) -> Vec<u32> {
        let lives = |pid: &u32| crate::proc::stat(*pid).is_some_and(|stat| !stat.is_zombie());
        let mut members = self.members(unit, config);
        members.retain(|pid| lives(pid) && !descends(*pid, self.init));
        members
    }

    /// The unit a process belongs to, by what the host knows and what the kernel says.
    pub fn unit_of(&self, pid: u32) -> Option<UnitName> {
        if let Some(known) = self.by_pid.get(&pid).and_then(|id| self.processes.get(id)) {
            return Some(known.unit.clone());
        }
        match self.groups.unit_path_of(pid) {
            Some(path) => path.split('/').find_map(|part| {
                let name = UnitName::parse(part.strip_prefix('_').unwrap_or(part)).ok()?;
                (name.kind() != UnitKind::Slice).then_some(name)
            }),
            None => self.groups.unit_of_swept(pid).and_then(|name| UnitName::parse(&name).ok()),
        }
    }

    pub(super) fn signal_set(
        &mut self,
        unit: UnitName,
        config: Option<&Config>,
        signal: i32,
        but: &[ProcId],
    ) {
        let spared: BTreeSet<u32> = but.iter().filter_map(|id| self.pid(*id)).collect();
        let path = self.path_of(&unit, config);
        match crate::sys::signal::of(signal) {
            Some(signal) => drop(self.groups.signal(unit.as_str(), &path, signal, &spared)),
            None => self.say(Some(&unit), format!("there is no signal {signal}")),
        }
        self.survey(unit, config);
    }

    pub(super) fn survey(&mut self, unit: UnitName, config: Option<&Config>) {
        let path = self.path_of(&unit, config);
        let occupancy =
            if self.groups.is_empty(unit.as_str(), &path) { Occupancy::Empty } else { Occupancy::Occupied };
        if occupancy == Occupancy::Occupied {
            self.watch_events(&path);
            self.awaited.insert(unit.clone(), path);
        } else {
            self.awaited.remove(&unit);
        }
        self.fact(Event::Occupancy { unit, occupancy });
    }

    /// A member whose exit init never sees (its parent lives elsewhere) still changes cgroup.events.
    pub(super) fn watch_events(&mut self, path: &str) {
        if let crate::group::Ladder::Cgroup { root, .. } = self.groups.ladder() {
            let events = root.join(path.trim_start_matches('/')).join("cgroup.events");
            inotify::add_watch(&self.inotify, &events, inotify::WatchFlags::MODIFY).ok();
        }
    }

    /// Looks whether a set the engine waits for has become empty: the named unit's, or any.
    pub(super) fn look_for_emptiness(&mut self, only: Option<&UnitName>) {
        let candidates: Vec<(UnitName, String)> = match only {
            Some(unit) => self
                .awaited
                .get_key_value(unit)
                .map(|(unit, path)| (unit.clone(), path.clone()))
                .into_iter()
                .collect(),
            None => self.awaited.iter().map(|(unit, path)| (unit.clone(), path.clone())).collect(),
        };
        for (unit, path) in candidates {
            if self.groups.is_empty(unit.as_str(), &path) {
                self.awaited.remove(&unit);
                self.held.push_back(News::Fact(Event::Occupancy { unit, occupancy: Occupancy::Empty }));
            }
        }
    }
}

fn descends(pid: u32, from: u32) -> bool {
    let parent = |pid: &u32| Some(crate::proc::stat(*pid)?.parent);
    std::iter::successors(parent(&pid), parent).take(crate::limits::ANCESTORS).any(|pid| pid == from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_descends_from_us_and_our_parent_does_not() {
        let own = std::process::id();
        let parent = crate::proc::stat(own).unwrap().parent;
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let told = [descends(child.id(), own), descends(child.id(), parent), descends(parent, own)];
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(told, [true, true, false]);
    }

    #[test]
    fn paths_of_units_and_slices() {
        let of = |name: &str| path(&UnitName::parse(name).unwrap(), None);
        assert_eq!(of("cron.service"), "/system.slice/cron.service");
        assert_eq!(of("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
        assert_eq!(of("-.slice"), "");
        assert_eq!(of("init.scope"), "/init.scope");
        assert_eq!(of("_x.service"), "/system.slice/__x.service");
    }
}
