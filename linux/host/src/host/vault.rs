//! Descriptors that must outlive the manager: init's vault holds them, the host holds copies to work with.
//!
//! Entries: `socket/UNIT` (all of a socket unit's, in order), `store/N` (one of a service's fd store; unit, watch and
//! name are in the note of the same name), `notify`, `state`, and what the manager keeps under names of its own.

use super::facts::STORED;
use super::{Found, Host};
use crate::link::Told;
use crate::notify::Hangup;
use eudaemon_engine::api::Parcel;
use eudaemon_init::wire::Order;
use eudaemon_unit::name::UnitName;
use rustix::event::epoll;
use rustix::io::fcntl_dupfd_cloexec;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

pub(super) const NOTIFY: &str = "notify";
pub(super) const STATE: &str = "state";
const SOCKET: &str = "socket/";
const STORE: &str = "store/";

/// One descriptor of a service's fd store.
#[derive(Debug)]
pub(super) struct Stored {
    /// N of its vault entry.
    token: u64,
    pub(super) name: String,
    identity: Option<Identity>,
    pub(super) fd: OwnedFd,
}

/// Device and inode number of a socket or pipe, which are nobody else's while it is held. Other files can be open twice on
/// purpose: they have none.
type Identity = (u64, u64);

fn identity(fd: &OwnedFd) -> Option<Identity> {
    let found = rustix::fs::fstat(fd).ok()?;
    let kind = rustix::fs::FileType::from_raw_mode(found.st_mode);
    let is_one = matches!(kind, rustix::fs::FileType::Socket | rustix::fs::FileType::Fifo);
    is_one.then_some((found.st_dev, found.st_ino))
}

fn copies(fds: &[OwnedFd]) -> io::Result<Vec<OwnedFd>> {
    fds.iter().map(|fd| Ok(fcntl_dupfd_cloexec(fd, 3)?)).collect()
}

impl Host {
    /// Keeps a descriptor of the manager's own over its death.
    pub fn keep(&mut self, name: &str, fd: BorrowedFd<'_>) -> io::Result<()> {
        let copy = fcntl_dupfd_cloexec(fd, 3)?;
        self.link.send(&Order::Put { name }, vec![copy])
    }

    /// Makes this the state log that a next manager reads.
    pub fn keep_state(&mut self, log: BorrowedFd<'_>) -> io::Result<()> {
        self.keep(STATE, log)
    }

    pub(super) fn keep_sockets(&mut self, unit: &UnitName, fds: Vec<OwnedFd>) {
        let name = format!("{SOCKET}{unit}");
        match copies(&fds) {
            Ok(copies) => self.order(&Order::Put { name: &name }, copies),
            Err(error) => self
                .say(Some(unit), format!("cannot keep the sockets over a restart of the manager: {error}")),
        }
        self.sockets.insert(unit.clone(), fds);
    }

    pub(super) fn drop_sockets(&mut self, unit: &UnitName) {
        if self.sockets.remove(unit).is_some() {
            self.order(&Order::Drop { name: &format!("{SOCKET}{unit}") }, Vec::new());
        }
    }

    pub(super) fn store_fds(&mut self, unit: UnitName, parcel: Parcel, name: String, most: u32) {
        let Some(untaken) = &mut self.untaken else { return };
        if untaken.parcel != parcel {
            return;
        }
        let hangup = untaken.hangup;
        for fd in std::mem::take(&mut untaken.fds) {
            let own = identity(&fd);
            let known = |stored: &Stored| own.is_some() && stored.identity == own;
            if self.stored.get(&unit).into_iter().flatten().any(known) {
                continue;
            }
            if self.stored_count(&unit) >= most as usize {
                self.say(Some(&unit), format!("its fd store is full ({most}), {name} is closed"));
                continue;
            }
            if let Err(error) = self.store(&unit, &name, fd, hangup) {
                self.say(Some(&unit), format!("cannot store {name}: {error}"));
            }
        }
    }

    fn store(&mut self, unit: &UnitName, name: &str, fd: OwnedFd, hangup: Hangup) -> io::Result<()> {
        let token = self.next_token;
        self.next_token += 1;
        let entry = format!("{STORE}{token}");
        self.order(&Order::Put { name: &entry }, vec![fcntl_dupfd_cloexec(&fd, 3)?]);
        let word = match hangup {
            Hangup::Drops => "watched",
            Hangup::Ignored => "kept",
        };
        self.notes.push((entry, Some(format!("{unit}\n{word}\n{name}").into_bytes())));
        self.hold(unit.clone(), token, name.to_owned(), fd, hangup);
        Ok(())
    }

    fn hold(&mut self, unit: UnitName, token: u64, name: String, fd: OwnedFd, hangup: Hangup) {
        let stored = Stored { token, name, identity: identity(&fd), fd };
        if hangup == Hangup::Drops {
            // Hang-ups are told unasked. A plain file cannot be watched: it never hangs up.
            let token = epoll::EventData::new_u64(STORED | stored.token);
            epoll::add(&self.epoll, &stored.fd, token, epoll::EventFlags::empty()).ok();
        }
        self.stored.entry(unit).or_default().push(stored);
    }

    /// Its other end was closed: sd_notify(3), `FDPOLL=`.
    pub(super) fn lose_stored(&mut self, token: u64) {
        let mut gone = Vec::new();
        for stored in self.stored.values_mut() {
            gone.extend(stored.extract_if(.., |one| one.token == token));
        }
        self.forget_stored(gone);
    }

    pub(super) fn remove_stored(&mut self, unit: &UnitName, name: &str) {
        let Some(stored) = self.stored.get_mut(unit) else { return };
        let (gone, left): (Vec<Stored>, Vec<Stored>) = stored.drain(..).partition(|one| one.name == name);
        *stored = left;
        self.forget_stored(gone);
    }

    pub(super) fn close_stored(&mut self, unit: &UnitName) {
        let gone = self.stored.remove(unit).unwrap_or_default();
        self.forget_stored(gone);
    }

    fn forget_stored(&mut self, gone: Vec<Stored>) {
        for one in gone {
            // The vault's copy keeps it open, and with it the watch.
            epoll::delete(&self.epoll, &one.fd).ok();
            let entry = format!("{STORE}{}", one.token);
            self.order(&Order::Drop { name: &entry }, Vec::new());
            self.notes.push((entry, None));
        }
    }

    /// A vault entry of the snapshot. `notes` are the predecessor's.
    pub(super) fn take_kept(
        &mut self,
        told: (String, Vec<OwnedFd>),
        notes: &BTreeMap<String, Vec<u8>>,
        found: &mut Found,
    ) {
        let (name, mut fds) = told;
        if let Some(unit) = name.strip_prefix(SOCKET).and_then(|unit| UnitName::parse(unit).ok()) {
            self.sockets.insert(unit, fds);
        } else if let Some(token) = name.strip_prefix(STORE).and_then(|token| token.parse::<u64>().ok()) {
            self.next_token = self.next_token.max(token + 1);
            let note = notes.get(&name).and_then(|note| String::from_utf8(note.clone()).ok());
            match (note.as_deref().and_then(noted), fds.pop()) {
                (Some((unit, hangup, name)), Some(fd)) => {
                    self.hold(unit, token, name.to_owned(), fd, hangup);
                }
                // Put but never written down: the service will send it again or it was lost with its message.
                (None, _) | (_, None) => self.order(&Order::Drop { name: &name }, Vec::new()),
            }
        } else {
            found.kept.insert(name, fds);
        }
    }
}

/// Unit, watch and name of a stored descriptor, as its note says them.
fn noted(note: &str) -> Option<(UnitName, Hangup, &str)> {
    let (unit, rest) = note.split_once('\n')?;
    let (word, name) = rest.split_once('\n')?;
    let hangup = if word == "watched" { Hangup::Drops } else { Hangup::Ignored };
    Some((UnitName::parse(unit).ok()?, hangup, name))
}

/// Splits the vault entries off a snapshot.
pub(super) fn kept(told: Told) -> Result<(String, Vec<OwnedFd>), Told> {
    match told {
        Told::Kept { name, fds } => Ok((name, fds)),
        Told::Alive { .. }
        | Told::SnapshotEnd { .. }
        | Told::Spawned { .. }
        | Told::SpawnFailed { .. }
        | Told::Done { .. }
        | Told::Executed { .. }
        | Told::Exited { .. }
        | Told::Tracked { .. }
        | Told::NotAChild { .. }
        | Told::Orphan { .. }
        | Told::Signalled { .. }
        | Told::NotKept { .. } => Err(told),
    }
}
