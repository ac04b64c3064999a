//! The manager's side: for supervisors, wrappers and tests.

use super::message::{State, parse};
use crate::error::{Error, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType,
};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The longest message that is taken, in bytes; what is longer is cut, as systemd cuts it.
const LONGEST: usize = 4096;
/// Most descriptors that one message takes along: unix(7), `SCM_RIGHTS`.
const MOST_FDS: usize = 253;

/// A socket that services send to.
#[derive(Debug)]
pub struct Receiver {
    socket: OwnedFd,
}

/// One message.
#[derive(Debug)]
pub struct Received {
    /// The sending process, by the kernel's word; nothing if it is outside our pid namespace.
    pub pid: Option<u32>,
    /// The sending user.
    pub uid: u32,
    /// What was said.
    pub states: Vec<State>,
    /// The descriptors sent along.
    pub fds: Vec<OwnedFd>,
}

impl Receiver {
    /// Makes the socket at a path that does not exist yet; services find it by `NOTIFY_SOCKET=`.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the path is taken or cannot be made.
    pub fn bind(path: &Path) -> Result<Receiver> {
        let bound = (|| {
            let socket =
                rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
            rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
            rustix::net::sockopt::set_socket_passcred(&socket, true)?;
            Ok(socket)
        })();
        let failed =
            |errno: rustix::io::Errno| Error::Notify { socket: path.into(), reason: errno.to_string() };
        bound.map(|socket| Receiver { socket }).map_err(failed)
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when the socket cannot be read; `EAGAIN` if it was made non-blocking.
    pub fn receive(&self) -> Result<Received> {
        let mut text = vec![0; LONGEST];
        let mut space =
            vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS), ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(&mut text)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        });
        let got = got.map_err(|errno| Error::Notify {
            socket: "the notify socket".into(),
            reason: errno.to_string(),
        })?;
        let mut received =
            Received { pid: None, uid: u32::MAX, states: parse(&text[..got.bytes]), fds: Vec::new() };
        for part in control.drain() {
            match part {
                RecvAncillaryMessage::ScmRights(fds) => received.fds.extend(fds),
                RecvAncillaryMessage::ScmCredentials(sender) => {
                    received.pid = u32::try_from(sender.pid.as_raw_nonzero().get()).ok();
                    received.uid = sender.uid.as_raw();
                }
                _ => {}
            }
        }
        Ok(received)
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
