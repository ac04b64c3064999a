//! The kernel's freezer: a unit's processes are suspended by its cgroup, and go on where they were. cgroups(7),
//! `cgroup.freeze`.

use super::{Host, News, sets};
use crate::group::Ladder;
use eudaemon_engine::api::{Event, Freezer, Trouble};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use std::fs;
use std::io;
use std::path::PathBuf;

impl Host {
    /// The kernel takes its time: what it comes to is a fact of its own.
    pub(super) fn set_freezer(&mut self, unit: UnitName, config: Option<&Config>, freezer: Freezer) {
        let path = sets::path(&unit, config);
        match self.write_freezer(&path, freezer) {
            Ok(directory) => {
                self.watch_events(&path);
                self.freezing.insert(unit, (directory, freezer));
                self.look_at_freezers();
            }
            Err(trouble) => {
                self.freezing.remove(&unit);
                self.fact(Event::Freezer { unit, outcome: Err(trouble) });
            }
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
        let reached = |directory: &PathBuf, wanted: Freezer| match fs::read_to_string(
            directory.join("cgroup.events"),
        ) {
            Ok(text) => text.lines().any(|line| line == "frozen 1") == (wanted == Freezer::Frozen),
            // It is gone, and its processes are.
            Err(_) => true,
        };
        let done = |(_, (directory, wanted)): &(&UnitName, &(PathBuf, Freezer))| reached(directory, *wanted);
        let done: Vec<UnitName> = self.freezing.iter().filter(done).map(|(unit, _)| unit.clone()).collect();
        for unit in done {
            if let Some((_, freezer)) = self.freezing.remove(&unit) {
                self.held.push_back(News::Fact(Event::Freezer { unit, outcome: Ok(freezer) }));
            }
        }
    }
}
