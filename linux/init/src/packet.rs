//! One message of [`crate::wire`] to and from a SOCK_SEQPACKET socket, descriptors beside it. Never blocks,
//! never raises SIGPIPE; descriptors arrive CLOEXEC.

use crate::limits;
use crate::wire::HEADER;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes the kernel may hold in each direction: a burst of a thousand spawns.
const BUFFER: usize = 4 << 20;

const ANCILLARY: usize = rustix::cmsg_space!(ScmRights(limits::FDS_PER_MESSAGE));

/// Two connected ends, CLOEXEC and non-blocking.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    for end in [&ours, &theirs] {
        if sockopt::set_socket_send_buffer_size_force(end, BUFFER).is_err() {
            sockopt::set_socket_send_buffer_size(end, BUFFER)?;
        }
    }
    Ok((ours, theirs))
}

/// Send a header (of any length the receiver expects) and its tail as one packet.
pub fn send(socket: impl AsFd, head: &[u8], tail: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); ANCILLARY];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::TOOBIG);
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let parts = [IoSlice::new(head), IoSlice::new(tail)];
    loop {
        match sendmsg(&socket, &parts, &mut ancillary, flags) {
            Err(Errno::INTR) => {}
            other => return other.map(|_| ()),
        }
    }
}

/// What [`receive`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many bytes; the descriptors are in the list given.
    Packet(usize),
    /// The packet was longer than the buffer, or not all of its descriptors arrived (our limit on open files).
    Truncated(usize),
    Nothing,
    Closed,
}

/// Take one packet. `fds` is emptied first, and holds at most [`limits::FDS_PER_MESSAGE`] after.
pub fn receive(socket: impl AsFd, buffer: &mut [u8], fds: &mut Vec<OwnedFd>) -> Result<Received, Errno> {
    fds.clear();
    let mut space = [MaybeUninit::uninit(); ANCILLARY];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = loop {
        match recvmsg(&socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, flags) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(Errno::CONNRESET) => return Ok(Received::Closed),
            other => break other?,
        }
    };
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(arrived) = message {
            fds.extend(arrived);
        }
    }
    let cut = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
    Ok(match received.bytes {
        0 => Received::Closed,
        bytes if received.flags.intersects(cut) || bytes < HEADER => Received::Truncated(bytes),
        bytes => Received::Packet(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    #[test]
    fn a_packet_keeps_its_bounds_and_its_descriptors() {
        let (left, right) = pair().unwrap();
        let (end, _other) = pipe().unwrap();
        send(&left, &[7; HEADER], b"tail", &[end.as_fd(), end.as_fd()]).unwrap();
        send(&left, &[8; HEADER], b"", &[]).unwrap();
        let mut buffer = [0; 64];
        let mut fds = Vec::new();
        assert_eq!(receive(&right, &mut buffer, &mut fds), Ok(Received::Packet(HEADER + 4)));
        assert_eq!((&buffer[HEADER..HEADER + 4], fds.len()), (&b"tail"[..], 2));
        assert_eq!(receive(&right, &mut buffer, &mut fds), Ok(Received::Packet(HEADER)));
        assert_eq!(fds.len(), 0);
        assert_eq!(receive(&right, &mut buffer, &mut fds), Ok(Received::Nothing));
        drop(left);
        assert_eq!(receive(&right, &mut buffer, &mut fds), Ok(Received::Closed));
    }

    #[test]
    fn a_packet_longer_than_the_buffer_says_so() {
        let (left, right) = pair().unwrap();
        send(&left, &[0; HEADER], &[0; 100], &[]).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(receive(&right, &mut buffer, &mut Vec::new()), Ok(Received::Truncated(64)));
    }
}
