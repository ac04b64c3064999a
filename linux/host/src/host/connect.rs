//! Meeting init: what lives, what died, what the vault holds. Two halves, since the notes that give the
//! processes their units lie in the state log, which lies in the vault.

use super::vault::{self, NOTIFY};
use super::{Found, Host, Known, Role};
use crate::condition::Circumstances;
use crate::group::Groups;
use crate::link::{Link, Told};
use crate::place::{self, Place};
use crate::{abilities, notify};
use eudaemon_engine::api::{ExitStatus, Fate, InvocationId, ProcId};
use eudaemon_init::wire::{self, Order};
use eudaemon_unit::name::UnitName;
use rustix::event::{PollFd, PollFlags, epoll, poll};
use rustix::fs::inotify;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// init's snapshot, not yet understood.
#[derive(Debug)]
pub struct Snapshot {
    link: Link,
    processes: Vec<(u64, u32, Fate)>,
    vault: BTreeMap<String, Vec<OwnedFd>>,
    others: Vec<Told>,
}

impl Snapshot {
    /// Asks init, and waits for its whole answer.
    pub fn ask(socket: OwnedFd) -> io::Result<Snapshot> {
        let mut link = Link::new(socket);
        link.send(&Order::Hello, Vec::new())?;
        let mut snapshot =
            Snapshot { link, processes: Vec::new(), vault: BTreeMap::new(), others: Vec::new() };
        loop {
            let Some(told) = snapshot.link.receive()? else {
                let mut waiting = [PollFd::from_borrowed_fd(snapshot.link.socket(), PollFlags::IN)];
                match poll(&mut waiting, None) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                }
            };
            match vault::kept(told) {
                Ok((name, fds)) => drop(snapshot.vault.insert(name, fds)),
                Err(Told::Alive { id, pid }) => snapshot.processes.push((id, pid, Fate::Alive)),
                Err(Told::Exited { id, pid, status }) => {
                    snapshot.processes.push((id, pid, Fate::Ended(status)))
                }
                Err(Told::SnapshotEnd { .. }) => return Ok(snapshot),
                Err(other) => snapshot.others.push(other),
            }
        }
    }

    /// A descriptor of the vault that the manager wants before the host stands.
    pub fn take(&mut self, name: &str) -> Option<OwnedFd> {
        self.vault.remove(name)?.pop()
    }

    /// The predecessor's state log.
    pub fn take_state(&mut self) -> Option<OwnedFd> {
        self.take(vault::STATE)
    }
}

/// What a predecessor leaves; nothing for a first manager.
#[derive(Debug, Default)]
pub struct Estate {
    pub notes: BTreeMap<String, Vec<u8>>,
    /// Whose processes the engine says they are.
    pub owners: BTreeMap<ProcId, (UnitName, Role)>,
    /// The runs it says units are in.
    pub runs: BTreeMap<UnitName, InvocationId>,
    /// Living processes of an init that was killed.
    pub orphans: Vec<(ProcId, u32)>,
}

/// The note with the cgroup that all units' cgroups lie in.
pub const CGROUP: &str = "cgroup";

/// The note of who took in the orphans of an earlier init, by pid.
const BEREAVED: &str = "bereaved";

/// Whose children the orphans of an earlier init are now, and may be later: PID 1's, or a subreaper's below it.
fn foster_parents(notes: &BTreeMap<String, Vec<u8>>, orphans: &[(ProcId, u32)]) -> BTreeSet<u32> {
    let noted = notes.get(BEREAVED).map(|note| String::from_utf8_lossy(note).into_owned());
    let mut foster: BTreeSet<u32> =
        noted.iter().flat_map(|note| note.split(' ')).filter_map(|pid| pid.parse().ok()).collect();
    foster.extend(orphans.iter().filter_map(|(_, pid)| Some(crate::proc::stat(*pid)?.parent)));
    if noted.is_some() || !orphans.is_empty() {
        foster.insert(1);
    }
    foster
}

impl Host {
    /// The host on top of the snapshot.
    pub fn connect(
        place: Place,
        circumstances: Circumstances,
        snapshot: Snapshot,
        estate: &Estate,
    ) -> io::Result<(Host, Found)> {
        let Snapshot { link, processes, mut vault, others } = snapshot;
        let Estate { notes, owners, runs, orphans } = estate;
        let init = rustix::process::getppid().map_or(1, |pid| pid.as_raw_nonzero().get() as u32);
        let foster = foster_parents(notes, orphans);
        let reapers = std::iter::once(init).chain(foster.iter().copied()).collect();
        let inherited = notes.get(CGROUP).and_then(|note| std::str::from_utf8(note).ok());
        let groups = Groups::new(abilities::ladder(place.role, inherited), reapers);
        let places = super::sets::standing(groups.ladder());
        for (unit, invocation) in runs {
            groups.begin(unit.as_str(), &super::hex(&invocation.0));
        }
        let inotify = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let kept = vault.remove(NOTIFY).and_then(|mut fds| fds.pop());
        let first = kept.is_none();
        let notify = match kept {
            Some(socket) => socket,
            None => notify::bind(&place.notify_socket())?,
        };
        let mut host = Host {
            reports: vault.remove(wire::REPORTS).and_then(|mut fds| fds.pop()),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            init,
            place,
            circumstances,
            capabilities: rustix::thread::capabilities(None).map_or(0, |sets| sets.permitted.bits()),
            link,
            groups,
            inotify,
            notify,
            processes: BTreeMap::new(),
            by_pid: BTreeMap::new(),
            strangers: BTreeMap::new(),
            sockets: BTreeMap::new(),
            watched: BTreeMap::new(),
            stored: BTreeMap::new(),
            finding: BTreeMap::new(),
            places,
            awaited: BTreeMap::new(),
            freezing: BTreeMap::new(),
            cleaners: super::cleaning::Cleaners::new()?,
            probes: BTreeMap::new(),
            idle_pipe: None,
            next_parcel: 1,
            next_token: super::facts::FIRST_TOKEN,
            untaken: None,
            unsettled_signals: Vec::new(),
            births_awaited: None,
            messages: super::Messages::Heard,
            refused: None,
            news: VecDeque::new(),
            held: VecDeque::new(),
            notes: Vec::new(),
        };
        host.register()?;
        if first {
            let copy = rustix::io::fcntl_dupfd_cloexec(&host.notify, 3)?;
            host.link.send(&Order::Put { name: NOTIFY }, vec![copy])?;
        }
        let mut found = Found::default();
        for entry in vault {
            host.take_kept(entry, notes, &mut found);
        }
        for (id, pid, fate) in processes {
            host.meet(ProcId(id), pid, owners);
            found.fates.insert(ProcId(id), fate);
        }
        host.meet_strangers(notes, owners, &mut found);
        host.meet_orphans(orphans, owners, &mut found);
        host.note_descent(&foster);
        for told in others {
            host.hear(told);
        }
        Ok((host, found))
    }

    /// A process a predecessor asked for.
    fn meet(&mut self, id: ProcId, pid: u32, owners: &BTreeMap<ProcId, (UnitName, Role)>) {
        let Some((unit, role)) = owners.get(&id) else { return };
        self.groups.add(unit.as_str(), pid);
        self.processes.insert(id, Known { unit: unit.clone(), role: *role, pid: Some(pid) });
        self.by_pid.insert(pid, id);
    }

    /// Main processes that were never init's children are met again by pid and start time, or are lost.
    fn meet_strangers(
        &mut self,
        notes: &BTreeMap<String, Vec<u8>>,
        owners: &BTreeMap<ProcId, (UnitName, Role)>,
        found: &mut Found,
    ) {
        for (name, note) in notes {
            let Some(id) = name.strip_prefix("stranger/").and_then(|id| id.parse().ok()).map(ProcId) else {
                continue;
            };
            let Some((pid, ticks)) = String::from_utf8_lossy(note)
                .split_once(' ')
                .and_then(|(pid, ticks)| Some((pid.parse::<u32>().ok()?, ticks.parse::<u64>().ok()?)))
            else {
                continue;
            };
            self.meet(id, pid, owners);
            let alive = crate::proc::stat(pid).is_some_and(|stat| stat.start_ticks == ticks)
                && self.watch_stranger(id, pid).is_ok();
            found.fates.insert(id, if alive { Fate::Alive } else { Fate::Ended(ExitStatus::Unknown) });
        }
    }

    /// Processes whose init was killed go on as children of another.
    fn meet_orphans(
        &mut self,
        orphans: &[(ProcId, u32)],
        owners: &BTreeMap<ProcId, (UnitName, Role)>,
        found: &mut Found,
    ) {
        for (id, pid) in orphans {
            if !owners.contains_key(id) || found.fates.contains_key(id) {
                continue;
            }
            let Some(stat) = crate::proc::stat(*pid) else { continue };
            if let Err(error) = self.watch_stranger(*id, *pid) {
                let unit = &owners[id].0;
                self.say(Some(unit), format!("{unit}: process {pid} of an earlier init is lost: {error}"));
                continue;
            }
            self.meet(*id, *pid, owners);
            self.note_stranger(*id, *pid, stat.start_ticks);
            found.fates.insert(*id, Fate::Alive);
        }
    }

    /// For whoever comes after.
    fn note_descent(&mut self, foster: &BTreeSet<u32>) {
        if let (crate::group::Ladder::Cgroup { prefix, .. }, Place { role: place::Role::Beside, .. }) =
            (self.groups.ladder(), &self.place)
        {
            self.notes.push((CGROUP.to_owned(), Some(prefix.clone().into_bytes())));
        }
        if !foster.is_empty() {
            let pids: Vec<String> = foster.iter().map(u32::to_string).collect();
            self.notes.push((BEREAVED.to_owned(), Some(pids.join(" ").into_bytes())));
        }
    }

    fn register(&self) -> io::Result<()> {
        use super::facts::{CLEANERS, INOTIFY, LINK, NOTIFY as NOTIFY_TOKEN, REPORTS};
        let add = |fd: std::os::fd::BorrowedFd<'_>, token: u64| {
            epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token), epoll::EventFlags::IN)
        };
        add(self.link.socket(), LINK)?;
        add(self.notify.as_fd(), NOTIFY_TOKEN)?;
        add(self.inotify.as_fd(), INOTIFY)?;
        add(self.cleaners.bell.as_fd(), CLEANERS)?;
        if let Some(reports) = &self.reports {
            add(reports.as_fd(), REPORTS)?;
        }
        Ok(())
    }
}
