//! The notify socket, sd_notify(3): datagrams with the sender's credentials as the kernel attests them.
//!
//! A message is looked at first and taken only after what follows from it was written down, so a manager
//! killed in between hears it again.

use crate::limits;
use eudaemon_engine::api::{Candidate, Notification, Parcel, Watchdog};
use eudaemon_kit::notify::{Notifier, State, parse as parse_states};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType,
};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// One message as it lies in the socket.
#[derive(Debug)]
pub struct Message {
    /// The sending process, by the kernel's word; 0 if it is outside our pid namespace.
    pub pid: u32,
    pub user: u32,
    pub text: Vec<u8>,
    pub fds: Vec<OwnedFd>,
}

/// Makes the socket; the vault keeps it over the manager's death.
pub fn bind(path: &Path) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    // Any service may write; who wrote is judged by credentials.
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))?;
    rustix::net::sockopt::set_socket_passcred(&socket, true)?;
    Ok(socket)
}

/// Tells whoever started us with a `NOTIFY_SOCKET` of theirs (a container manager); nobody asked is no error.
pub fn tell_above(states: &[State]) -> Result<(), eudaemon_kit::Error> {
    match std::env::var_os("NOTIFY_SOCKET") {
        // The manager waits for nobody.
        Some(socket) => Notifier::connect(&socket)?.send_at_once(states),
        None => Ok(()),
    }
}

/// The first waiting message, left where it is.
pub fn peek(socket: impl AsFd) -> Option<Message> {
    receive(socket, RecvFlags::PEEK)
}

/// Takes the first waiting message off the socket.
pub fn take(socket: impl AsFd) {
    drop(receive(socket, RecvFlags::empty()));
}

fn receive(socket: impl AsFd, flags: RecvFlags) -> Option<Message> {
    let mut text = vec![0u8; limits::NOTIFY_MESSAGE];
    let mut space =
        vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(limits::NOTIFY_FDS), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = flags | RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received =
        rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut control, flags).ok()?;
    text.truncate(received.bytes);
    let mut message = Message { pid: 0, user: u32::MAX, text, fds: Vec::new() };
    for part in control.drain() {
        match part {
            RecvAncillaryMessage::ScmRights(fds) => message.fds.extend(fds),
            RecvAncillaryMessage::ScmCredentials(sender) => {
                message.pid = sender.pid.as_raw_nonzero().get() as u32;
                message.user = sender.uid.as_raw();
            }
            _ => {}
        }
    }
    Some(message)
}

/// What becomes of a stored descriptor whose other end is closed: sd_notify(3), `FDPOLL=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    Drops,
    Ignored,
}

pub fn hangup(text: &[u8]) -> Hangup {
    if parse_states(text).contains(&State::FdPollOff) { Hangup::Ignored } else { Hangup::Drops }
}

/// Reads the assignments. Of several values for one key the first counts, and if it is not well-formed, none does; what
/// is not known says nothing.
#[expect(clippy::wildcard_enum_match_arm, reason = "the protocol grows, and what is new says nothing to us")]
pub fn parse(text: &[u8], parcel: Option<Parcel>) -> Notification {
    let mut found = Notification::default();
    let states = parse_states(text);
    let mut keys = BTreeSet::new();
    for state in &states {
        if !keys.insert(state.key()) && !is_flag(state) {
            continue;
        }
        match state.clone() {
            State::Ready => found.ready = true,
            State::Reloading => found.reloading = true,
            State::Stopping => found.stopping = true,
            State::MonotonicUsec(at) => found.monotonic_usec = Some(at),
            State::Status(text) => found.status = Some(text),
            State::Errno(number) => found.errno = Some(number),
            State::BusError(name) => found.bus_error = Some(name),
            State::MainPid(pid) => found.main = Some(pid).filter(|pid| *pid > 1).map(Candidate),
            State::Watchdog => found.watchdog = Some(Watchdog::Ping),
            State::WatchdogTrigger => found.watchdog = Some(Watchdog::Trigger),
            State::WatchdogUsec(time) => found.watchdog_usec = Some(time),
            State::ExtendTimeoutUsec(time) => found.extend_timeout_usec = Some(time),
            State::FdStore => found.fd_store = parcel,
            State::FdStoreRemove => found.fd_store_remove = true,
            State::FdName(name) => found.fd_name = Some(name),
            // Whoever waits for a barrier waits for its descriptor to be closed, as each is that nobody stores; all
            // else is for later versions of the protocol.
            _ => {}
        }
    }
    found
}

/// Whether the assignment counts wherever it stands.
fn is_flag(state: &State) -> bool {
    matches!(state, State::Ready | State::Reloading | State::Stopping | State::FdStore | State::FdStoreRemove)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::SendFlags;

    #[test]
    fn words() {
        let text =
            "READY=0\nREADY=1\nSTATUS=up = well\nSTATUS=\nMAINPID=x\nMAINPID=12\nFOO\nERRNO=2\nFDSTORE=1";
        let found = parse(text.as_bytes(), None);
        assert!(found.ready && !found.reloading);
        assert_eq!(found.status.as_deref(), Some("up = well"), "the first word counts");
        assert_eq!(found.main, None, "the first word counts, and it is no pid");
        assert_eq!(found.errno, Some(2));
        assert_eq!(found.fd_store, None, "no descriptor came with it");
        assert_eq!(parse(b"MAINPID=1", None).main, None);
        assert_eq!((hangup(b"FDSTORE=1"), hangup(b"FDSTORE=1\nFDPOLL=0")), (Hangup::Drops, Hangup::Ignored));
    }

    #[test]
    fn a_message_stays_until_it_is_taken() {
        let path = std::env::temp_dir().join(format!("eudaemon-notify-{}", std::process::id()));
        let socket = bind(&path).unwrap();
        let sender =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
                .unwrap();
        let to = SocketAddrUnix::new(&path).unwrap();
        rustix::net::sendto(&sender, b"READY=1", SendFlags::empty(), &to).unwrap();
        for _ in 0..2 {
            let message = peek(&socket).unwrap();
            assert_eq!((message.pid, message.text.as_slice()), (std::process::id(), b"READY=1".as_slice()));
        }
        take(&socket);
        assert!(peek(&socket).is_none());
        fs::remove_file(path).unwrap();
    }
}
