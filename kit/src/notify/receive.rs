//! The manager's side: for supervisors, wrappers and tests.

use crate::limits::{LONGEST_MESSAGE, MOST_FDS};

use super::message::{State, parse};
use crate::error::{Error, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

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
    /// [`Error::Notify`] when the socket cannot be read; `EAGAIN` if it was made non-blocking. A message of more than 4096
    /// bytes, or one whose descriptors do not all fit, is an error too: half a message says something else than the whole. It
    /// is gone then, and the next can be received.
    pub fn receive(&self) -> Result<Received> {
        let mut text = vec![0; LONGEST_MESSAGE];
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
        let failed = |reason: String| Error::Notify { socket: "the notify socket".into(), reason };
        let got = got.map_err(|errno| failed(errno.to_string()))?;
        // What came along is closed with it.
        let cut = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
        if got.flags.intersects(cut) {
            drop(control);
            return Err(failed(format!("a message is longer than {LONGEST_MESSAGE} bytes: left out")));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Notifier;

    #[test]
    fn half_a_message_is_an_error_and_the_next_is_heard() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let receiver = Receiver::bind(&path).expect("a socket");
        let notifier = Notifier::connect(path.as_os_str()).expect("it listens");
        let (whole, longer) = (LONGEST_MESSAGE - "STATUS=".len(), LONGEST_MESSAGE);
        notifier.send(&[State::Status("x".repeat(longer)), State::Ready]).expect("it listens");
        notifier.send(&[State::Status("x".repeat(whole))]).expect("it listens");
        let error = receiver.receive().expect_err("cut");
        assert!(error.to_string().ends_with("a message is longer than 4096 bytes: left out"), "{error}");
        assert_eq!(receiver.receive().expect("whole").states, [State::Status("x".repeat(whole))]);
    }
}
