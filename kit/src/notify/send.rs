//! The service's side.

use super::address::Address;
use super::message::{State, print};
use crate::error::{Error, Result};
use crate::limits::MOST_FDS;
use crate::sys;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType,
};
use std::ffi::{OsStr, OsString};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The way to the manager, open from the start: a later chroot(2) or a change of user does not cut it.
///
/// Without a manager that wants to hear, messages go nowhere, and that is no error: see [`Notifier::is_heard`].
#[derive(Debug)]
pub struct Notifier {
    manager: Option<Manager>,
}

#[derive(Debug)]
struct Manager {
    name: OsString,
    address: Address,
    line: Line,
}

#[derive(Debug)]
enum Line {
    /// One socket for all messages.
    Open(Mutex<OwnedFd>),
    /// A connection for each message: its end is the message's.
    EachTime,
}

impl Notifier {
    /// Connects to the socket of this name, as `NOTIFY_SOCKET=` spells it: `/PATH`, `@ABSTRACT`, `vsock:CID:PORT`.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the name is no such name, or nobody listens there.
    pub fn connect(name: &OsStr) -> Result<Notifier> {
        let unreachable = |reason: String| Error::Notify { socket: name.to_owned(), reason };
        let address = Address::read(name).map_err(|expected| unreachable(expected.to_owned()))?;
        let line = match address {
            Address::Vsock { .. } => Line::EachTime,
            Address::Path(_) | Address::Abstract(_) => {
                Line::Open(Mutex::new(connect(&address).map_err(|errno| unreachable(errno.to_string()))?))
            }
        };
        Ok(Notifier { manager: Some(Manager { name: name.to_owned(), address, line }) })
    }

    /// One that nobody hears.
    #[must_use]
    pub fn silent() -> Notifier {
        Notifier { manager: None }
    }

    /// Whether there is a manager that messages go to.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.manager.is_some()
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the manager cannot be reached (any more).
    pub fn send(&self, states: &[State]) -> Result<()> {
        self.send_with_fds(states, &[])
    }

    /// Sends one message, unless the manager is behind with reading: whoever must not wait loses it then.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the manager cannot be reached (any more), or is behind.
    pub fn send_at_once(&self, states: &[State]) -> Result<()> {
        self.send_by(states, &[], SendFlags::DONTWAIT)
    }

    /// Sends one message that takes descriptors along: [`State::FdStore`], [`State::MainPidFd`], [`State::Barrier`].
    /// At most 253.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the manager cannot be reached (any more), or there are too many descriptors.
    pub fn send_with_fds(&self, states: &[State], fds: &[BorrowedFd]) -> Result<()> {
        self.send_by(states, fds, SendFlags::empty())
    }

    fn send_by(&self, states: &[State], fds: &[BorrowedFd], flags: SendFlags) -> Result<()> {
        let Some(manager) = &self.manager else { return Ok(()) };
        let failed = |errno: Errno| Error::Notify { socket: manager.name.clone(), reason: errno.to_string() };
        manager.send(&print(states), fds, flags).map_err(failed)
    }

    /// Waits until the manager has dealt with all that was sent before: sd_notify_barrier(3).
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the manager cannot be reached, or did not answer in time.
    pub fn barrier(&self, patience: Duration) -> Result<()> {
        let Some(manager) = &self.manager else { return Ok(()) };
        let failed = |errno: Errno| Error::Notify { socket: manager.name.clone(), reason: errno.to_string() };
        let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(failed)?;
        self.send_with_fds(&[State::Barrier], &[theirs.as_fd()])?;
        drop(theirs);
        // A deadline that is too far away for the clock is none.
        let deadline = Instant::now().checked_add(patience);
        // The manager writes nothing: it closes its end.
        let mut ends = [PollFd::new(&ours, PollFlags::empty())];
        loop {
            // A signal that comes by meanwhile gives no new patience.
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut ends, left.as_ref()) {
                Ok(0) => return Err(failed(Errno::TIMEDOUT)),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
    }
}

impl Manager {
    fn send(&self, text: &[u8], fds: &[BorrowedFd], flags: SendFlags) -> rustix::io::Result<()> {
        let Line::Open(socket) = &self.line else { return send(connect(&self.address)?, text, fds, flags) };
        // A poisoned lock holds a socket all the same.
        let mut socket = socket.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match send(&*socket, text, fds, flags) {
            // The manager began anew and so did its socket.
            Err(Errno::CONNREFUSED | Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => {
                *socket = connect(&self.address)?;
                send(&*socket, text, fds, flags)
            }
            sent => sent,
        }
    }
}

fn connect(address: &Address) -> rustix::io::Result<OwnedFd> {
    let to = match address {
        Address::Path(path) => SocketAddrUnix::new(path.as_path())?,
        Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name)?,
        Address::Vsock { kinds, cid, port } => return sys::vsock::connect(kinds, *cid, *port),
    };
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::connect(&socket, &to)?;
    Ok(socket)
}

fn send(socket: impl AsFd, text: &[u8], fds: &[BorrowedFd], flags: SendFlags) -> rustix::io::Result<()> {
    if fds.len() > MOST_FDS {
        return Err(Errno::INVAL);
    }
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(fds.len()))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::INVAL);
    }
    let message = [IoSlice::new(text)];
    rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(&socket, &message, &mut control, flags | SendFlags::NOSIGNAL)
    })
    .map(drop)
}
