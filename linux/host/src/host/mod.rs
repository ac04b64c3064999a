//! [`Host`]: performs the engine's actions and gathers what happened.
//!
//! It is told the configuration with each action, holds no unit's state and decides nothing. What it keeps:
//! which pid is which process, the descriptors of sockets and fd stores, and what it was asked to wait for.
//! All of it is rebuilt by [`Host::connect`] from init's snapshot and the notes a predecessor wrote.

mod birth;
mod cleaning;
mod connect;
mod facts;
mod finding;
mod freezer;
mod probing;
mod sets;
mod vault;

use crate::condition::{self, Circumstances};
use crate::group::{Groups, Ladder};
use crate::link::Link;
use crate::place::Place;
use crate::probe::Probe;
use crate::{notify, publish, socket};
pub use birth::{Birth, descriptor_name};
pub(crate) use connect::CGROUP;
pub use connect::{Estate, Snapshot};
use eudaemon_engine::api::{Action, Directories, Event, Fate, Finale, Freezer, Parcel, ProcId, Trouble};
use eudaemon_init::wire::{self, Order};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitName;
use finding::Finding;
use rustix::event::epoll;
pub use sets::path as made_up_path;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// A process of a unit, as far as the host knows it.
#[derive(Clone, Debug)]
struct Known {
    unit: UnitName,
    role: Role,
    /// Unknown between the order to spawn and init's word.
    pid: Option<u32>,
}

/// Whether a notify message of the process counts as the main process's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Main,
    Control,
}

/// What the manager learns besides facts for the engine.
#[derive(Debug)]
pub enum News {
    Fact(Event),
    /// init received this signal.
    Signal(i32),
    /// A line for the log: the unit it is about, and the text.
    Said {
        unit: Option<UnitName>,
        text: String,
    },
}

/// Whether more notify messages came than a turn may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Messages {
    Heard,
    Left,
}

/// The descriptors of a reported message, until it is taken.
#[derive(Debug)]
struct Untaken {
    parcel: Parcel,
    fds: Vec<OwnedFd>,
    hangup: notify::Hangup,
}

/// What was found when the host connected.
#[derive(Debug, Default)]
pub struct Found {
    /// What became of the processes a predecessor asked for.
    pub fates: BTreeMap<ProcId, Fate>,
    /// Other vault entries by name: the manager's own.
    pub kept: BTreeMap<String, Vec<OwnedFd>>,
}

/// The world on Linux.
#[derive(Debug)]
pub struct Host {
    place: Place,
    circumstances: Circumstances,
    /// What we may, and so init, which is the same program with the same rights.
    capabilities: u64,
    link: Link,
    init: u32,
    groups: Groups,
    epoll: OwnedFd,
    inotify: OwnedFd,
    notify: OwnedFd,
    reports: Option<OwnedFd>,
    processes: BTreeMap<ProcId, Known>,
    by_pid: BTreeMap<u32, ProcId>,
    /// Main processes that are not init's children: watched by pidfd.
    strangers: BTreeMap<ProcId, OwnedFd>,
    /// The manager's copies of what the vault keeps.
    sockets: BTreeMap<UnitName, Vec<OwnedFd>>,
    watched: BTreeMap<u64, UnitName>,
    stored: BTreeMap<UnitName, Vec<vault::Stored>>,
    finding: BTreeMap<UnitName, Finding>,
    /// The cgroups of units that run, below the root.
    places: BTreeMap<UnitName, String>,
    /// Units whose set the engine waits to see empty.
    awaited: BTreeMap<UnitName, String>,
    /// Cgroups that are about to be frozen or thawed.
    freezing: BTreeMap<UnitName, (PathBuf, Freezer)>,
    cleaners: cleaning::Cleaners,
    probes: BTreeMap<ProcId, (UnitName, Probe)>,
    /// What processes of `Type=idle` wait on: the end they are given, and ours.
    idle_pipe: Option<(OwnedFd, OwnedFd)>,
    next_parcel: u64,
    next_token: u64,
    /// A notify message was reported and lies in the socket still.
    untaken: Option<Untaken>,
    /// Told by init, who would tell a successor too: what they ask for is not written down yet.
    unsettled_signals: Vec<i32>,
    /// The message at the head of the queue may be one of theirs; init has not told their pids yet.
    births_awaited: Option<Vec<ProcId>>,
    messages: Messages,
    /// The last process whose messages were refused: that is said once.
    refused: Option<u32>,
    news: VecDeque<News>,
    /// Facts held back until the notify messages sent before them are through.
    held: VecDeque<News>,
    notes: Vec<(String, Option<Vec<u8>>)>,
}

impl Host {
    pub fn ladder(&self) -> &Ladder {
        self.groups.ladder()
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// Readable when [`Host::gather`] has something to say.
    pub fn readiness(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Does one action. `config` is that of the unit the action is about; `birth` is asked only for spawns.
    pub fn perform(&mut self, action: Action, config: Option<&Config>, birth: Option<Birth>) {
        match action {
            Action::Spawn(spawn) => match (config, birth) {
                (Some(config), Some(birth)) => self.spawn(&spawn, config, birth),
                (None, _) | (_, None) => {
                    let trouble = Trouble { errno: 0, step: "its unit is gone".to_owned() };
                    self.fact(Event::SpawnFailed { process: spawn.process, trouble })
                }
            },
            Action::Signal { process, signal } => self.signal(process, config, signal),
            Action::SignalSet { unit, signal, but } => self.signal_set(unit, config, signal, &but),
            Action::Survey { unit } => self.survey(unit, config),
            Action::SetFreezer { unit, freezer } => self.set_freezer(unit, config, freezer),
            Action::Probe { unit, process, main, target } => self.probe(unit, process, main, &target),
            Action::StopProbe { process } => self.stop_probe(process),
            Action::Clean { unit, what } => self.clean(unit, config, &what),
            Action::StopCleaning { unit } => self.stop_cleaning(unit),
            Action::FindMain { unit, process, how } => self.find_main(unit, config, process, how),
            Action::StopFinding { unit } => drop(self.finding.remove(&unit)),
            Action::Forget { process } => self.forget(process),
            Action::CheckConditions { unit, conditions, asserts } => {
                let judge = |list: Vec<_>| {
                    list.iter().map(|one| condition::judge(one, &self.circumstances)).collect()
                };
                let (conditions, asserts) = (judge(conditions), judge(asserts));
                self.fact(Event::ConditionsChecked { unit, conditions, asserts });
            }
            Action::OpenSockets { unit } => self.open_sockets(unit, config),
            Action::WatchSockets { unit } => self.watch_sockets(&unit, config),
            Action::UnwatchSockets { unit } => self.unwatch_sockets(&unit),
            Action::CloseSockets { unit } => self.close_sockets(&unit, config),
            Action::FlushSockets { unit } => self.flush_sockets(&unit),
            Action::StoreFds { unit, parcel, name, most } => self.store_fds(unit, parcel, name, most),
            Action::RemoveStoredFds { unit, name } => self.remove_stored(&unit, &name),
            Action::CloseStoredFds { unit } => self.close_stored(&unit),
            Action::RemovePidFile { path } => {
                // Gone already is as good; anything else is the next start's to complain about.
                drop(std::fs::remove_file(path));
            }
            Action::Begin { unit, invocation } => self.begin(&unit, &hex(&invocation.0)),
            Action::Release { unit, directories } => self.release(&unit, config, directories),
            Action::WatchBusName { name: _ } | Action::Load { unit: _ } | Action::LookAtMounts => {
                // The manager's own: it has the bus, the unit files and the units of what is mounted.
            }
            Action::Finish(finale) => self.finish(finale),
        }
    }

    /// All that was heard is written down and done: descriptors nobody claimed are closed, the message they came with is
    /// taken, and no successor need be told of the signals.
    pub fn settle(&mut self) {
        if self.untaken.take().is_some() {
            notify::take(&self.notify);
        }
        for signal in std::mem::take(&mut self.unsettled_signals) {
            self.order(&Order::Heard { signal }, Vec::new());
        }
    }

    /// What must be written down beside the engine's records, since last asked.
    pub fn take_notes(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        std::mem::take(&mut self.notes)
    }

    /// The manager serves its clients.
    pub fn ready(&mut self) -> io::Result<()> {
        self.link.send(&Order::Ready, Vec::new())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.link.flush()
    }

    /// Is there work that no readiness will tell of?
    pub fn is_behind(&self) -> bool {
        self.link.is_behind() || self.messages == Messages::Left
    }

    /// The pid of a process that init knows alive or not yet forgotten.
    pub fn pid(&self, process: ProcId) -> Option<u32> {
        self.processes.get(&process)?.pid
    }

    pub fn stored_count(&self, unit: &UnitName) -> usize {
        self.stored.get(unit).map_or(0, Vec::len)
    }

    fn fact(&mut self, event: Event) {
        self.news.push_back(News::Fact(event));
    }

    fn say(&mut self, unit: Option<&UnitName>, text: String) {
        self.news.push_back(News::Said { unit: unit.cloned(), text });
    }

    fn order(&mut self, order: &Order<'_>, fds: Vec<OwnedFd>) {
        if let Err(error) = self.link.send(order, fds) {
            self.say(None, format!("cannot reach init: {error}"));
        }
    }

    fn begin(&mut self, unit: &UnitName, invocation: &str) {
        self.groups.begin(unit.as_str(), invocation);
        if let Err(error) = publish::invocation(&self.place.published, unit.as_str(), invocation) {
            self.say(Some(unit), format!("cannot publish the invocation id: {error}"));
        }
    }

    fn release(&mut self, unit: &UnitName, config: Option<&Config>, directories: Directories) {
        let path = self.path_of(unit, config);
        self.places.remove(unit);
        self.awaited.remove(unit);
        self.freezing.remove(unit);
        self.stop_probes_of(unit);
        self.finding.remove(unit);
        self.groups.release(unit.as_str(), &path);
        publish::withdraw(&self.place.published, unit.as_str());
        if directories == Directories::Remove
            && let Some(exec) = config.and_then(Config::exec)
        {
            for (name, links) in &exec.runtime_directory.names {
                for link in links {
                    drop(std::fs::remove_file(self.place.runtime.join(link)));
                }
                drop(std::fs::remove_dir_all(self.place.runtime.join(name)));
            }
        }
    }

    fn open_sockets(&mut self, unit: UnitName, config: Option<&Config>) {
        let outcome = match config.map(|config| &config.body) {
            Some(Body::Socket(body)) => match self.sockets.contains_key(&unit) {
                // A predecessor opened them; the vault kept them.
                true => Ok(()),
                false => socket::open_all(body).map(|fds| self.keep_sockets(&unit, fds)),
            },
            Some(_) | None => {
                Err(Trouble { errno: libc::ENOENT, step: format!("no configuration of {unit}") })
            }
        };
        self.fact(Event::SocketsOpened { unit, outcome });
    }

    fn close_sockets(&mut self, unit: &UnitName, config: Option<&Config>) {
        self.unwatch_sockets(unit);
        self.drop_sockets(unit);
        if let Some(Body::Socket(body)) = config.map(|config| &config.body) {
            socket::remove_all(body);
        }
    }

    /// Opens an active unit's sockets once more if they went with an earlier init's vault.
    pub fn reopen_sockets(&mut self, unit: &UnitName, config: &Config) {
        let Some(body) = config.socket() else { return };
        if self.sockets.contains_key(unit) {
            return;
        }
        match socket::open_all(body) {
            Ok(fds) => self.keep_sockets(unit, fds),
            Err(Trouble { errno, step }) => {
                let error = io::Error::from_raw_os_error(errno);
                self.say(Some(unit), format!("cannot open its sockets again: {step}: {error}"));
            }
        }
    }

    fn watch_sockets(&mut self, unit: &UnitName, config: Option<&Config>) {
        if let Some(config) = config {
            self.reopen_sockets(unit, config);
        }
        // A new manager may repeat the order.
        self.unwatch_sockets(unit);
        let Some(fds) = self.sockets.get(unit) else { return };
        let token = self.next_token;
        self.next_token += 1;
        for fd in fds {
            let data = epoll::EventData::new_u64(token);
            if let Err(error) = epoll::add(&self.epoll, fd, data, epoll::EventFlags::IN) {
                self.news.push_back(News::Said {
                    unit: Some(unit.clone()),
                    text: format!("cannot watch a socket: {}", io::Error::from(error)),
                });
            }
        }
        self.watched.insert(token, unit.clone());
    }

    fn unwatch_sockets(&mut self, unit: &UnitName) {
        self.watched.retain(|_, watched| watched != unit);
        for fd in self.sockets.get(unit).into_iter().flatten() {
            // One that was not watched is as well off.
            epoll::delete(&self.epoll, fd).ok();
        }
    }

    fn flush_sockets(&mut self, unit: &UnitName) {
        for fd in self.sockets.get(unit).into_iter().flatten() {
            if let Err(error) = socket::flush(fd) {
                let text = format!("cannot throw away what waits: {error}");
                self.news.push_back(News::Said { unit: Some(unit.clone()), text });
            }
        }
    }

    fn finish(&mut self, finale: Finale) {
        let finish = match finale {
            Finale::Exit(code) => wire::Finish::Exit(code),
            Finale::PowerOff => wire::Finish::PowerOff,
            Finale::Reboot => wire::Finish::Reboot,
            Finale::Halt => wire::Finish::Halt,
            Finale::Kexec => wire::Finish::Kexec,
        };
        self.order(&Order::Finish(finish), Vec::new());
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
