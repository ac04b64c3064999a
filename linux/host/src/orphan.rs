//! Processes of an init that was killed: they live on as somebody else's children, and bear the marks they were born with.

use crate::host::CGROUP;
use crate::{proc, sweep};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Where an earlier init's processes are to be looked for.
#[derive(Debug)]
pub enum Marks {
    /// Below this cgroup, each unit in its own.
    Cgroup(String),
    /// By what they inherited, where there are no cgroups.
    Inherited,
}

impl Marks {
    /// As its manager noted.
    pub fn noted(notes: &BTreeMap<String, Vec<u8>>) -> Marks {
        match notes.get(CGROUP).and_then(|note| String::from_utf8(note.clone()).ok()) {
            Some(prefix) => Marks::Cgroup(prefix),
            None => Marks::Inherited,
        }
    }

    /// Is the process that has this pid now alive and the unit's, in this run?
    pub fn are_on(&self, pid: u32, unit: &str, invocation: &str) -> bool {
        if proc::stat(pid).is_none_or(|stat| stat.is_zombie()) {
            return false;
        }
        match self {
            Marks::Cgroup(prefix) => proc::cgroup(pid).is_some_and(|path| is_below(&path, prefix, unit)),
            Marks::Inherited => sweep::bears_mark(pid, invocation),
        }
    }

    /// The oldest process of a unit's run, but for some.
    pub fn oldest(&self, unit: &str, invocation: &str, but: impl Fn(u32) -> bool) -> Option<u32> {
        let ours = |pid: &u32| !but(*pid) && self.are_on(*pid, unit, invocation);
        let age = |pid: &u32| proc::stat(*pid).map_or(u64::MAX, |stat| stat.start_ticks);
        proc::pids().into_iter().filter(ours).min_by_key(age)
    }

    /// Does any unit's cgroup still hold a process? Not every process of a unit is known by its pid.
    pub fn any_is_populated(&self, mount: &Path) -> bool {
        let Marks::Cgroup(prefix) = self else { return false };
        let root = mount.join(prefix.trim_start_matches('/'));
        let Ok(entries) = fs::read_dir(root) else { return false };
        let populated = |path: &Path| {
            fs::read_to_string(path.join("cgroup.events")).is_ok_and(|text| text.contains("populated 1"))
        };
        entries.flatten().any(|entry| entry.file_name() != "init.scope" && populated(&entry.path()))
    }
}

/// Whether a cgroup is the unit's or below it: behind the slices comes the unit, what a service makes of its own comes later.
fn is_below(path: &str, prefix: &str, unit: &str) -> bool {
    let Some(rest) = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) else { return false };
    let own = rest.split('/').find(|part| !part.ends_with(".slice"));
    own.is_some_and(|part| part.strip_prefix('_').unwrap_or(part) == unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_names_its_unit_below_the_prefix() {
        let path = "/eudaemon-7.slice/system.slice/web.service/worker";
        assert!(is_below(path, "/eudaemon-7.slice", "web.service"));
        assert!(!is_below(path, "/eudaemon-7.slice", "db.service"));
        let nested = "/eudaemon-7.slice/system.slice/web.service/db.service";
        assert!(!is_below(nested, "/eudaemon-7.slice", "db.service"), "a service's own cgroup");
        assert!(!is_below(path, "/eudaemon-7", "web.service"), "another init's");
    }

    #[test]
    fn nobody_of_ours_bears_marks_here() {
        let own = std::process::id();
        assert!(!Marks::Inherited.are_on(own, "web.service", "00112233445566778899aabbccddeeff"));
        assert!(!Marks::Cgroup("/none".to_owned()).are_on(own, "web.service", ""));
    }
}
