//! vsock(7) sockets, which rustix has no address type for.
//!
//! Argument: `connect(2)` reads `size_of::<sockaddr_vm>()` bytes behind a pointer to a live, fully initialised
//! `sockaddr_vm` of ours (all its fields are integers, for which zeroes are values), and keeps nothing.
#![allow(unsafe_code)]

use crate::notify::VsockKind;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::os::fd::{AsRawFd, OwnedFd};

/// Connects to a port; the kinds are tried in turn.
pub(crate) fn connect(kinds: &[VsockKind], cid: u32, port: u32) -> rustix::io::Result<OwnedFd> {
    let mut refusal = Errno::PROTONOSUPPORT;
    for kind in kinds {
        match connect_kind(*kind, cid, port) {
            Ok(socket) => return Ok(socket),
            Err(errno) => refusal = errno,
        }
    }
    Err(refusal)
}

fn connect_kind(kind: VsockKind, cid: u32, port: u32) -> rustix::io::Result<OwnedFd> {
    let kind = match kind {
        VsockKind::Stream => SocketType::STREAM,
        VsockKind::Datagram => SocketType::DGRAM,
        VsockKind::Packets => SocketType::SEQPACKET,
    };
    let socket = rustix::net::socket_with(AddressFamily::VSOCK, kind, SocketFlags::CLOEXEC, None)?;
    // SAFETY: integers alone.
    let mut address: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
    address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
    address.svm_cid = cid;
    address.svm_port = port;
    let length = size_of::<libc::sockaddr_vm>() as libc::socklen_t;
    // SAFETY: the pointer and the length are those of one live value.
    let connected = unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if connected == 0 { Ok(socket) } else { Err(super::fd::last_errno()) }
}
