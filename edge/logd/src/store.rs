//! What logd says to its manager: sd_notify(3). Nobody listening is no error.

use crate::limits;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sendmsg_addr, socket_with,
};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

#[derive(Debug)]
pub struct Notify {
    to: Option<(OwnedFd, SocketAddrUnix)>,
    /// Not taken yet, in order: a manager that is being restarted reads later, and nobody waits for it here.
    waiting: VecDeque<(String, Option<OwnedFd>)>,
}

impl Notify {
    /// To `$NOTIFY_SOCKET`: a path, or an abstract name behind `@`.
    pub fn from_environment() -> Notify {
        let address = std::env::var_os("NOTIFY_SOCKET").and_then(|name| match name.as_bytes() {
            [b'@', name @ ..] => SocketAddrUnix::new_abstract_name(name).ok(),
            path => SocketAddrUnix::new(path).ok(),
        });
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok();
        Notify { to: socket.zip(address), waiting: VecDeque::new() }
    }

    pub fn ready(&mut self) {
        self.say("READY=1\nSTATUS=Relaying to the console".to_owned(), None);
    }

    pub fn stopping(&mut self) {
        self.say("STOPPING=1".to_owned(), None);
    }

    /// Keep the stream, whatever becomes of this process.
    pub fn store(&mut self, name: &str, stream: &OwnedFd) {
        match stream.try_clone() {
            Ok(copy) => self.say(format!("FDSTORE=1\nFDNAME={name}"), Some(copy)),
            Err(error) => eprintln!("eudaemon logd: cannot store a stream: {error}"),
        }
    }

    pub fn forget(&mut self, name: &str) {
        self.say(format!("FDSTOREREMOVE=1\nFDNAME={name}"), None);
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn say(&mut self, text: String, fd: Option<OwnedFd>) {
        if self.to.is_some() && self.waiting.len() < limits::UNTOLD {
            self.waiting.push_back((text, fd));
        }
        self.flush();
    }

    /// Say what waits, as far as it is taken.
    pub fn flush(&mut self) {
        let Some((socket, address)) = &self.to else { return };
        while let Some((text, fd)) = self.waiting.front() {
            match send(socket, address, text, fd.as_ref()) {
                Err(Errno::AGAIN) => return,
                // The manager went, and its socket with it.
                Err(Errno::NOENT | Errno::CONNREFUSED) | Ok(()) => {}
                Err(errno) => eprintln!("eudaemon logd: cannot tell the manager {text:?}: {errno}"),
            }
            self.waiting.pop_front();
        }
    }
}

fn send(socket: &OwnedFd, to: &SocketAddrUnix, text: &str, fd: Option<&OwnedFd>) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds: Vec<BorrowedFd<'_>> = fd.into_iter().map(AsFd::as_fd).collect();
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::TOOBIG);
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg_addr(socket, to, &[IoSlice::new(text.as_bytes())], &mut ancillary, flags).map(|_| ())
}
