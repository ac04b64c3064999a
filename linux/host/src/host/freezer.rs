//! The kernel's freezer: a unit's processes are suspended by its cgroup, and go on where they were. cgroups(7),
//! `cgroup.freeze`.

use super::{Host, News};
use crate::group::Ladder;
use eudaemon_engine::api::{Event, Freezer, Trouble};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

impl Host {
    /// The kernel takes its time: what it comes to is a fact of its own.
    pub(super) fn set_freezer(&mut self, unit: UnitName, config: Option<&Config>, freezer: Freezer) {
        let path = self.path_of(&unit, config);
        // What was ordered before counts no more.
        self.freezing.remove(&unit);
        match self.write_freezer(&path, freezer) {
            Ok(directory) => {
                self.watch_events(&path);
                // It may be so already, and then no event tells.
                match reached(&directory, freezer) {
                    Ok(Reached::Yet) => {
                        self.held.push_back(News::Fact(Event::Freezer { unit, outcome: Ok(freezer) }))
                    }
                    Ok(Reached::NotYet) => drop(self.freezing.insert(unit, (directory, freezer))),
                    Err(trouble) => self.fact(Event::Freezer { unit, outcome: Err(trouble) }),
                }
            }
            Err(trouble) => self.fact(Event::Freezer { unit, outcome: Err(trouble) }),
        }
    }

    fn write_freezer(&self, path: &str, freezer: Freezer) -> Result<PathBuf, Trouble> {
        let root = match self.groups.ladder() {
            Ladder::Cgroup { root, .. } => root,
            Ladder::Sweep { reason } => {
                return Err(Trouble { errno: libc::EOPNOTSUPP, step: format!("no cgroups ({reason})") });
            }
        };
        let directory = root.join(path.trim_start_matches('/'));
        let file = directory.join("cgroup.freeze");
        let word = match freezer {
            Freezer::Frozen => "1",
            Freezer::Running => "0",
        };
        // Opened as it is there: a cgroup that has none is no place to make a file in.
        let written = fs::OpenOptions::new().write(true).open(&file);
        let written = written.and_then(|mut file| io::Write::write_all(&mut file, word.as_bytes()));
        match written {
            Ok(()) => Ok(directory),
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                Err(Trouble { errno, step: format!("cannot write {}", file.display()) })
            }
        }
    }

    pub(super) fn look_at_freezers(&mut self) {
        for (unit, (directory, freezer)) in std::mem::take(&mut self.freezing) {
            let outcome = match reached(&directory, freezer) {
                Ok(Reached::Yet) => Ok(freezer),
                Err(trouble) => Err(trouble),
                Ok(Reached::NotYet) => {
                    self.freezing.insert(unit, (directory, freezer));
                    continue;
                }
            };
            self.held.push_back(News::Fact(Event::Freezer { unit, outcome }));
        }
    }
}

enum Reached {
    NotYet,
    Yet,
}

/// Whether the kernel has done it: `cgroup.events`. A cgroup that is gone has nobody left to freeze or to thaw.
fn reached(directory: &Path, wanted: Freezer) -> Result<Reached, Trouble> {
    let events = directory.join("cgroup.events");
    match fs::read_to_string(&events) {
        Ok(text) => {
            let is_frozen = text.lines().any(|line| line == "frozen 1");
            Ok(if is_frozen == (wanted == Freezer::Frozen) { Reached::Yet } else { Reached::NotYet })
        }
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV)) => Ok(Reached::Yet),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            Err(Trouble { errno, step: format!("cannot read {}", events.display()) })
        }
    }
}
