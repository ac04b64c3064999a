//! The processes of a unit as a set: who belongs, signal them all, is anyone left.
//!
//! Two rungs. With a writable cgroup v2 each unit has a cgroup, and the kernel keeps the set. Without one
//! the set is found by a mark that processes inherit: `sweep`.
//!
//! A signal goes to a pidfd that was opened before membership was checked, so pid reuse cannot hit a stranger.

use crate::sweep::Sweep;
use crate::{limits, proc};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Which rung of the ladder this machine allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// Units' cgroups are made below this directory; `prefix` is its path as /proc/PID/cgroup tells it.
    Cgroup { root: PathBuf, prefix: String },
    /// No cgroup can be made; the text says why.
    Sweep { reason: String },
}

/// All units' sets.
#[derive(Debug)]
pub struct Groups {
    ladder: Ladder,
    /// Not used on the cgroup rung.
    sweep: RefCell<Sweep>,
}

impl Groups {
    /// `reapers` are those whose children orphans become.
    pub fn new(ladder: Ladder, reapers: Vec<u32>) -> Groups {
        Groups { ladder, sweep: RefCell::new(Sweep::new(reapers)) }
    }

    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Makes the unit's cgroup ready and opens it for `CLONE_INTO_CGROUP`; `None` on the sweeping rung.
    pub fn enter(&self, path: &str) -> io::Result<Option<OwnedFd>> {
        let Ladder::Cgroup { root, .. } = &self.ladder else { return Ok(None) };
        let directory = root.join(path.trim_start_matches('/'));
        match fs::create_dir(&directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(&directory)?,
            Err(error) => return Err(error),
        }
        Ok(Some(fs::File::open(directory)?.into()))
    }

    /// A run of the unit began: its processes will carry this id.
    pub fn begin(&self, unit: &str, invocation: &str) {
        if let Ladder::Sweep { .. } = self.ladder {
            self.sweep.borrow_mut().begin(unit, invocation);
        }
    }

    /// The mark that processes of the unit are to be born with; `None` on the cgroup rung.
    pub fn mark(&self, unit: &str) -> Option<u64> {
        match self.ladder {
            Ladder::Cgroup { .. } => None,
            Ladder::Sweep { .. } => self.sweep.borrow().mark(unit),
        }
    }

    /// A process of the unit was started or adopted.
    pub fn add(&self, unit: &str, pid: u32) {
        if let Ladder::Sweep { .. } = self.ladder {
            self.sweep.borrow_mut().add(unit, pid);
        }
    }

    /// init reaped the process.
    pub fn forget(&self, pid: u32) {
        self.sweep.borrow_mut().forget(pid);
    }

    /// Living members, zombies left out.
    pub fn members(&self, unit: &str, path: &str) -> Vec<u32> {
        match &self.ladder {
            Ladder::Cgroup { root, .. } => {
                let mut found = Vec::new();
                for directory in tree(&root.join(path.trim_start_matches('/'))) {
                    found.extend(listed(&directory.join("cgroup.procs")));
                }
                found
            }
            Ladder::Sweep { .. } => self.sweep.borrow_mut().members(unit),
        }
    }

    /// One read tells that a cgroup has nobody in it; a sweep is no cheaper than looking.
    fn is_known_empty(&self, path: &str) -> bool {
        match &self.ladder {
            Ladder::Cgroup { root, .. } => !is_populated(&root.join(path.trim_start_matches('/'))),
            Ladder::Sweep { .. } => false,
        }
    }

    pub fn is_empty(&self, unit: &str, path: &str) -> bool {
        match &self.ladder {
            Ladder::Cgroup { .. } => self.is_known_empty(path),
            Ladder::Sweep { .. } => self.sweep.borrow_mut().members(unit).is_empty(),
        }
    }

    /// The unit's run is over: nothing is remembered, its cgroup goes.
    pub fn release(&self, unit: &str, path: &str) {
        self.sweep.borrow_mut().release(unit);
        if let Ladder::Cgroup { root, .. } = &self.ladder {
            let top = root.join(path.trim_start_matches('/'));
            if fs::remove_dir(&top).is_ok() {
                return;
            }
            let mut directories = tree(&top);
            directories.reverse();
            for directory in directories {
                // A member that is still there keeps its cgroup: the next run of the unit will meet it again.
                drop(fs::remove_dir(directory));
            }
        }
    }

    /// Sends the signal to every member but `spared`; returns how many it reached.
    pub fn signal(&self, unit: &str, path: &str, signal: Signal, spared: &BTreeSet<u32>) -> usize {
        if signal == Signal::KILL && spared.is_empty() && self.kill_cgroup(path) {
            return 0;
        }
        if self.is_known_empty(path) {
            return 0;
        }
        let mut reached = BTreeSet::new();
        // Members may fork while we go: go round until a round finds nobody new.
        for _ in 0..limits::KILL_ROUNDS {
            let fresh: Vec<u32> = self
                .members(unit, path)
                .into_iter()
                .filter(|pid| !spared.contains(pid) && !reached.contains(pid))
                .collect();
            if fresh.is_empty() {
                break;
            }
            for pid in fresh {
                reached.insert(pid);
                self.signal_found(unit, path, pid, signal);
            }
        }
        reached.len()
    }

    /// Signals the process if it is the unit's for sure, by the marks that it was born with. Tells whether it did.
    pub fn signal_member(&self, unit: &str, path: &str, pid: u32, signal: Signal) -> Option<()> {
        send(pid, signal, || match &self.ladder {
            Ladder::Cgroup { .. } => self.is_in(pid, path),
            Ladder::Sweep { .. } => self.sweep.borrow().is_marked(unit, pid),
        })
    }

    /// Signals a process that was found to be a member a moment ago.
    fn signal_found(&self, unit: &str, path: &str, pid: u32, signal: Signal) {
        let still_member = || match &self.ladder {
            Ladder::Cgroup { .. } => self.is_in(pid, path),
            Ladder::Sweep { .. } => self.sweep.borrow().is_still(unit, pid),
        };
        if send(pid, signal, still_member).is_some() && signal != Signal::KILL {
            // A stopped process would never see it. systemd.kill(5): SIGCONT follows.
            send(pid, Signal::CONT, still_member);
        }
    }

    fn is_in(&self, pid: u32, path: &str) -> bool {
        self.unit_path_of(pid).is_some_and(|found| is_below(&found, path))
    }

    /// cgroup.kill, where the kernel has it (5.14).
    fn kill_cgroup(&self, path: &str) -> bool {
        let Ladder::Cgroup { root, .. } = &self.ladder else { return false };
        let file = root.join(path.trim_start_matches('/')).join("cgroup.kill");
        fs::OpenOptions::new().write(true).open(file).and_then(|mut file| file.write_all(b"1")).is_ok()
    }

    /// The cgroup of a process relative to our root: `/system.slice/cron.service`.
    pub fn unit_path_of(&self, pid: u32) -> Option<String> {
        let Ladder::Cgroup { prefix, .. } = &self.ladder else { return None };
        let full = proc::cgroup(pid)?;
        full.strip_prefix(prefix.as_str()).map(|rest| format!("/{}", rest.trim_start_matches('/')))
    }

    /// On the sweeping rung: the unit a process belongs to.
    pub fn unit_of_swept(&self, pid: u32) -> Option<String> {
        self.sweep.borrow().unit_of(pid)
    }
}

/// The pidfd is opened before it is asked who the process is: whoever has the pid later is not meant.
fn send(pid: u32, signal: Signal, is_meant: impl Fn() -> bool) -> Option<()> {
    let pidfd = pidfd_open(Pid::from_raw(pid as i32)?, PidfdFlags::empty()).ok()?;
    if is_meant() { pidfd_send_signal(&pidfd, signal).ok() } else { None }
}

/// Is the cgroup path the unit's own or one below it?
pub fn is_below(found: &str, path: &str) -> bool {
    found == path || found.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

/// cgroup.events(7) of a cgroup; one that is not there has nobody in it.
fn is_populated(directory: &Path) -> bool {
    fs::read_to_string(directory.join("cgroup.events"))
        .is_ok_and(|text| text.lines().any(|line| line == "populated 1"))
}

fn listed(procs: &Path) -> Vec<u32> {
    // Pid 0 stands for a process outside our pid namespace: not ours to touch.
    let Ok(text) = fs::read_to_string(procs) else { return Vec::new() };
    text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid != 0).collect()
}

/// The directory and all below it, parents first, to a limited depth.
fn tree(top: &Path) -> Vec<PathBuf> {
    let mut all = vec![top.to_path_buf()];
    let mut level = all.clone();
    for _ in 0..limits::CGROUP_DEPTH {
        let mut next = Vec::new();
        for directory in &level {
            let Ok(entries) = fs::read_dir(directory) else { continue };
            for entry in entries.flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    next.push(entry.path());
                }
            }
        }
        if next.is_empty() {
            break;
        }
        all.extend(next.iter().cloned());
        level = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_sweep_finds_a_grandchild_that_left_the_session() {
        let groups = Groups::new(Ladder::Sweep { reason: "test".into() }, vec![std::process::id()]);
        let id = format!("{:032x}", std::process::id());
        groups.begin("a.service", &id);
        let mut child = Command::new("sh")
            .args(["-c", "setsid sleep 60 & echo $!; wait"])
            .env("INVOCATION_ID", &id)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
            .unwrap();
        let members = groups.members("a.service", "/a.service");
        assert!(members.contains(&child.id()), "{members:?}");
        let reached = groups.signal("a.service", "/a.service", Signal::KILL, &BTreeSet::new());
        assert!(reached >= 2, "{reached}");
        child.wait().unwrap();
    }

    #[test]
    fn a_sweep_leaves_the_session_of_our_starter_alone() {
        let groups = Groups::new(Ladder::Sweep { reason: "test".into() }, vec![std::process::id()]);
        let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        groups.add("a.service", child.id());
        assert_eq!(groups.members("a.service", "/a.service"), [child.id()]);
        for process in [&mut child, &mut bystander] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    #[test]
    fn below_is_by_whole_components() {
        assert!(is_below("/system.slice/a.service/x", "/system.slice/a.service"));
        assert!(is_below("/a", "/a"));
        assert!(!is_below("/a.service2", "/a.service"));
    }
}
