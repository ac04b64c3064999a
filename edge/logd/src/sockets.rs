//! What logd was handed: sd_listen_fds(3), sorted by what the sockets are.

use crate::header::Header;
use anyhow::{Context, Result, bail};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{SocketAddrUnix, SocketType, getsockname, sockopt};
use std::os::fd::{BorrowedFd, OwnedFd};

/// The sockets, and the streams a predecessor left in the fd store.
#[derive(Debug, Default)]
pub struct Sockets {
    pub listeners: Vec<OwnedFd>,
    pub datagrams: Vec<(OwnedFd, Protocol)>,
    pub streams: Vec<(OwnedFd, Header)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Native,
    Syslog,
}

pub fn handed_over() -> Result<Sockets> {
    let variable = |name: &str| std::env::var(name).ok();
    let count: i32 = variable("LISTEN_FDS").and_then(|text| text.parse().ok()).unwrap_or(0);
    let for_us = variable("LISTEN_PID").is_none_or(|pid| pid == std::process::id().to_string());
    if count == 0 || !for_us {
        bail!("no sockets were handed over (LISTEN_FDS)");
    }
    let names = variable("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut sockets = Sockets::default();
    for number in 3..3 + count {
        let name = names.next().unwrap_or("");
        let fd = eudaemon_init::take_inherited(number).with_context(|| format!("fd {number} is not open"))?;
        sort(&mut sockets, name, fd).with_context(|| format!("fd {number} ({name})"))?;
    }
    Ok(sockets)
}

fn sort(sockets: &mut Sockets, name: &str, fd: OwnedFd) -> Result<()> {
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
    if let Some(header) = Header::from_stored_name(name) {
        sockets.streams.push((fd, header));
    } else if sockopt::socket_type(&fd)? == SocketType::DGRAM {
        let protocol = if path(&fd).is_some_and(|path| path.ends_with(b"dev-log")) {
            Protocol::Syslog
        } else {
            Protocol::Native
        };
        sockets.datagrams.push((fd, protocol));
    } else if sockopt::socket_acceptconn(&fd)? {
        sockets.listeners.push(fd);
    } else {
        bail!("is neither a listening stream nor a datagram socket");
    }
    Ok(())
}

fn path(fd: &OwnedFd) -> Option<Vec<u8>> {
    let address = SocketAddrUnix::try_from(getsockname(fd).ok()?).ok()?;
    address.path_bytes().map(<[u8]>::to_vec)
}

/// Who sends to or connected on a socket, in words.
pub fn sender(socket: BorrowedFd<'_>) -> String {
    sockopt::socket_peercred(socket)
        .map_or_else(|_| "-".to_owned(), |peer| format!("pid {}", peer.pid.as_raw_nonzero()))
}
