//! setsockopt(2) for integer options that rustix has no name for.
//!
//! Safety argument for the whole module: the descriptor is borrowed, so it is open during the call; the
//! kernel reads exactly `size_of::<c_int>()` bytes from a local that outlives the call, and writes nothing.
#![allow(unsafe_code, reason = "setsockopt with options rustix does not wrap")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// An integer socket option: socket(7), ip(7), ipv6(7).
#[derive(Clone, Copy, Debug)]
pub enum IntOption {
    PassSecurity,
    Timestamp,
    TimestampNanoseconds,
    PacketInfo4,
    PacketInfo6,
    Transparent,
    ReceiveBufferForce,
    SendBufferForce,
}

impl IntOption {
    fn level_and_name(self) -> (libc::c_int, libc::c_int) {
        match self {
            IntOption::PassSecurity => (libc::SOL_SOCKET, libc::SO_PASSSEC),
            IntOption::Timestamp => (libc::SOL_SOCKET, libc::SO_TIMESTAMP),
            IntOption::TimestampNanoseconds => (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
            IntOption::PacketInfo4 => (libc::IPPROTO_IP, libc::IP_PKTINFO),
            IntOption::PacketInfo6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
            IntOption::Transparent => (libc::IPPROTO_IP, libc::IP_TRANSPARENT),
            IntOption::ReceiveBufferForce => (libc::SOL_SOCKET, libc::SO_RCVBUFFORCE),
            IntOption::SendBufferForce => (libc::SOL_SOCKET, libc::SO_SNDBUFFORCE),
        }
    }
}

pub fn set(socket: impl AsFd, option: IntOption, value: i32) -> io::Result<()> {
    let (level, name) = option.level_and_name();
    let value: libc::c_int = value;
    // SAFETY: see the module's argument.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
