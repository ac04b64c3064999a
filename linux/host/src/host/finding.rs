//! Finding a service's main process and having it watched: systemd.service(5), `PIDFile=`, `GuessMainPID=`;
//! sd_notify(3), `MAINPID=`.

use super::{Host, Known, Role};
use crate::main_pid::{self, Found};
use crate::proc;
use eudaemon_engine::api::{Candidate, Event, FindHow, ProcId};
use eudaemon_init::wire::Order;
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use rustix::fs::inotify;
use std::mem::MaybeUninit;
use std::path::Path;

/// A search that goes on.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    process: ProcId,
    how: FindHow,
    /// The unit's cgroup.
    path: String,
    /// The pid init was asked to adopt.
    asked: Option<u32>,
    /// The complaint about a stranger was made; it is not repeated for the same text.
    complained: Option<String>,
}

/// Whether a pid file that is not right yet is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Waits,
    GivesUp,
}

impl Host {
    pub(super) fn find_main(
        &mut self,
        unit: UnitName,
        config: Option<&Config>,
        process: ProcId,
        how: FindHow,
    ) {
        let path = self.path_of(&unit, config);
        self.finding.insert(unit.clone(), Finding { process, how, path, asked: None, complained: None });
        self.try_one(&unit);
    }

    /// Something happened that may have brought a main process.
    pub(super) fn try_finding(&mut self) {
        let units: Vec<UnitName> = self.finding.keys().cloned().collect();
        for unit in units {
            self.try_one(&unit);
        }
    }

    fn try_one(&mut self, unit: &UnitName) {
        let Some(finding) = self.finding.get(unit).cloned() else { return };
        if finding.asked.is_some() {
            return;
        }
        match &finding.how {
            FindHow::PidFile(file) => self.try_file(unit, file, &finding, Patience::Waits),
            FindHow::PidFileNow(file) => self.try_file(unit, file, &finding, Patience::GivesUp),
            FindHow::Guess => {
                let spared: Vec<u32> = self.pids_of(unit);
                let members = self.groups.members(unit.as_str(), &finding.path);
                match main_pid::guess(&members, &spared, self.init) {
                    Some(pid) => self.ask_for(unit, pid),
                    None => {
                        self.missing(unit, "no one process of the unit stands out as its main one".into())
                    }
                }
            }
            FindHow::Candidate(Candidate(pid)) => {
                let pid = *pid;
                if pid <= 1 || pid == self.init || pid == std::process::id() || proc::stat(pid).is_none() {
                    self.missing(unit, format!("MAINPID={pid} names no process of a service"));
                } else if self.unit_of(pid).as_ref() == Some(unit) {
                    self.ask_for(unit, pid);
                } else {
                    self.missing(unit, format!("MAINPID={pid} names a process that is not of this unit"));
                }
            }
        }
    }

    fn try_file(&mut self, unit: &UnitName, file: &str, finding: &Finding, patience: Patience) {
        let mut belongs = |pid| self.groups.members(unit.as_str(), &finding.path).contains(&pid);
        let found = main_pid::from_file(file, self.init, &mut belongs);
        match found {
            Found::Process(pid) => self.ask_for(unit, pid),
            Found::Wait if patience == Patience::GivesUp => {
                self.missing(unit, format!("{file} names no living process"));
            }
            Found::Wait => self.watch_file(file),
            Found::Stranger(reason) if patience == Patience::GivesUp => self.missing(unit, reason),
            Found::Stranger(reason) => {
                self.watch_file(file);
                if finding.complained.as_ref() != Some(&reason) {
                    self.say(Some(unit), reason.clone());
                    if let Some(finding) = self.finding.get_mut(unit) {
                        finding.complained = Some(reason);
                    }
                }
            }
        }
    }

    fn pids_of(&self, unit: &UnitName) -> Vec<u32> {
        self.processes.values().filter(|known| &known.unit == unit).filter_map(|known| known.pid).collect()
    }

    fn ask_for(&mut self, unit: &UnitName, pid: u32) {
        let Some(finding) = self.finding.get_mut(unit) else { return };
        finding.asked = Some(pid);
        let process = finding.process;
        // A process that is known already under another id (a control process that stays) is adopted anew.
        self.processes.insert(process, Known { unit: unit.clone(), role: Role::Main, pid: Some(pid) });
        self.order(&Order::Track { id: process.0, pid }, Vec::new());
    }

    /// init watches it now.
    pub(super) fn adopted(&mut self, process: ProcId, pid: u32) {
        self.groups_add(process, pid);
        self.by_pid.insert(pid, process);
        if let Some(unit) = self.end_finding(process) {
            self.fact(Event::MainFound { unit, process });
        }
    }

    /// init has not inherited it: its parent lives. We watch it ourselves, by pidfd.
    pub(super) fn adopt_stranger(&mut self, process: ProcId, pid: u32) {
        match self.watch_stranger(process, pid) {
            Ok(()) => {
                let ticks = proc::stat(pid).map_or(0, |stat| stat.start_ticks);
                self.note_stranger(process, pid, ticks);
                self.adopted(process, pid);
            }
            Err(error) => {
                if let Some(unit) = self.end_finding(process) {
                    self.processes.remove(&process);
                    self.missing_for(unit, process, format!("process {pid} cannot be watched: {error}"));
                }
            }
        }
    }

    /// For a next manager, whom init tells nothing of it.
    pub(super) fn note_stranger(&mut self, process: ProcId, pid: u32, ticks: u64) {
        self.notes.push((format!("stranger/{}", process.0), Some(format!("{pid} {ticks}").into_bytes())));
    }

    /// The process that was to be adopted is dead already, and its status is known: it was found, and ended.
    pub(super) fn found_dead(&mut self, process: ProcId, pid: u32) {
        if let Some(unit) = self.end_finding(process) {
            self.by_pid.insert(pid, process);
            self.fact(Event::MainFound { unit, process });
        }
    }

    fn groups_add(&mut self, process: ProcId, pid: u32) {
        if let Some(known) = self.processes.get(&process) {
            let unit = known.unit.clone();
            self.groups.add(unit.as_str(), pid);
        }
    }

    fn end_finding(&mut self, process: ProcId) -> Option<UnitName> {
        let unit = self.finding.iter().find(|(_, finding)| finding.process == process)?.0.clone();
        self.finding.remove(&unit);
        Some(unit)
    }

    fn missing(&mut self, unit: &UnitName, reason: String) {
        if let Some(finding) = self.finding.remove(unit) {
            self.missing_for(unit.clone(), finding.process, reason);
        }
    }

    fn missing_for(&mut self, unit: UnitName, process: ProcId, reason: String) {
        self.fact(Event::MainMissing { unit, process, reason });
    }

    /// Watches the directory the file will appear in, or the nearest one above it that exists.
    fn watch_file(&mut self, file: &str) {
        let flags = inotify::WatchFlags::CREATE
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::MODIFY;
        let nearest = Path::new(file).ancestors().skip(1).find(|directory| directory.is_dir());
        if let Some(directory) = nearest
            && let Err(error) = inotify::add_watch(&self.inotify, directory, flags)
        {
            self.say(None, format!("cannot watch {}: {}", directory.display(), std::io::Error::from(error)));
        }
    }

    pub(super) fn read_inotify(&mut self) {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut space);
        // What it says does not matter: every open question is asked again.
        while reader.next().is_ok() {}
        self.try_finding();
        self.look_for_emptiness(None);
        self.look_at_freezers();
    }
}
