//! Descriptors that must outlive the manager: init's vault holds them, the host holds copies to work with.
//!
//! Entries: `socket/UNIT` (all of a socket unit's, in order), `store/N` (one of a service's fd store; unit and
//! name are in the note of the same name), `notify`, `state`, and what the manager keeps under names of its own.

use super::{Found, Host};
use crate::link::Told;
use eudaemon_engine::api::Parcel;
use eudaemon_init::wire::Order;
use eudaemon_unit::name::UnitName;
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
    pub(super) fd: OwnedFd,
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

    pub(super) fn store_fds(&mut self, unit: UnitName, parcel: Parcel, name: String) {
        let Some((untaken, fds)) = &mut self.untaken else { return };
        if *untaken != parcel {
            return;
        }
        for fd in std::mem::take(fds) {
            let token = self.next_token;
            self.next_token += 1;
            let entry = format!("{STORE}{token}");
            match fcntl_dupfd_cloexec(&fd, 3) {
                Ok(copy) => self.order(&Order::Put { name: &entry }, vec![copy]),
                Err(error) => {
                    self.say(Some(&unit), format!("cannot store a descriptor: {}", io::Error::from(error)));
                    continue;
                }
            }
            self.notes.push((entry, Some(format!("{unit}\n{name}").into_bytes())));
            self.stored.entry(unit.clone()).or_default().push(Stored { token, name: name.clone(), fd });
        }
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
            let unit = note.as_deref().and_then(|note| note.split_once('\n'));
            match (unit.and_then(|(unit, name)| Some((UnitName::parse(unit).ok()?, name))), fds.pop()) {
                (Some((unit, name)), Some(fd)) => {
                    self.stored.entry(unit).or_default().push(Stored { token, name: name.to_owned(), fd });
                }
                // Put but never written down: the service will send it again or it was lost with its message.
                (None, _) | (_, None) => self.order(&Order::Drop { name: &name }, Vec::new()),
            }
        } else {
            found.kept.insert(name, fds);
        }
    }
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
