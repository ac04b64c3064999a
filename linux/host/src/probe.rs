//! Whether a service is well, asked over the network: `Tcp=` and `Http=` of `[X-Health]`, docs/reference/extensions.md.
//!
//! One socket that never blocks for each probe, in the manager's own loop: connect, send, read as far as the first line. How long
//! that may take is the engine's to say. PID 1 has no part in it.

use crate::limits;
use eudaemon_engine::api::Target;
use eudaemon_unit::values::endpoint::Url;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

/// A probe under way.
#[derive(Debug)]
pub struct Probe {
    pub socket: OwnedFd,
    at: SocketAddr,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Connecting(Option<Request>),
    Sending(Request),
    /// What has come of the first line.
    Reading(Url, Vec<u8>),
    /// It is answered; so that the server can end in peace, what else it sends is taken in, so many bytes.
    Draining(usize),
    /// There is nothing to be had of it any more.
    Over,
}

#[derive(Debug)]
struct Request {
    url: Url,
    bytes: Vec<u8>,
    sent: usize,
}

/// What a turn at the socket came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Until it can be written to.
    Writes,
    /// Until there is something to read.
    Reads,
    /// The answer; there may be more to take in.
    Answered(Result<(), String>),
    /// Nothing more is to be had of it.
    Over,
}

/// Why no probe is under way.
#[derive(Debug)]
pub enum Unasked {
    /// It failed at once.
    Failed(String),
    /// The process from which it would have been asked is gone; its end will be told.
    Gone,
}

impl Probe {
    /// Begins one, from where this process sees the network.
    pub fn begin(target: &Target, main: Option<u32>) -> Result<(Probe, Turn), Unasked> {
        let (at, request) = match target {
            Target::Tcp(at) => (*at, None),
            Target::Http(url) => (url.at, Some(Request::new(url))),
        };
        let socket = socket(at, main)?;
        let mut probe = Probe { socket, at, stage: Stage::Connecting(request) };
        match rustix::net::connect(&probe.socket, &at) {
            Ok(()) => {
                let turn = probe.connected();
                Ok((probe, turn))
            }
            Err(Errno::INPROGRESS) => Ok((probe, Turn::Writes)),
            Err(error) => Err(Unasked::Failed(probe.not_connected(error))),
        }
    }

    /// The socket is ready.
    pub fn go_on(&mut self) -> Turn {
        let turn = match &self.stage {
            Stage::Connecting(_) => match sockopt::socket_error(&self.socket) {
                Ok(Ok(())) => self.connected(),
                Ok(Err(error)) | Err(error) => Turn::Answered(Err(self.not_connected(error))),
            },
            Stage::Sending(_) => self.send(),
            Stage::Reading(..) => self.read(),
            Stage::Draining(_) => self.drain(),
            Stage::Over => Turn::Over,
        };
        if matches!(turn, Turn::Answered(_)) && !self.is_answered() {
            // A socket that failed stays ready for ever.
            self.stage = Stage::Over;
        }
        turn
    }

    /// It has been answered, and there may be more to take in.
    pub fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Draining(_))
    }

    fn not_connected(&self, error: Errno) -> String {
        format!("cannot connect to {}: {}", self.at, words(error))
    }

    fn connected(&mut self) -> Turn {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Connecting(Some(request)) => {
                self.stage = Stage::Sending(request);
                self.send()
            }
            Stage::Connecting(None)
            | Stage::Sending(_)
            | Stage::Reading(..)
            | Stage::Draining(_)
            | Stage::Over => Turn::Answered(Ok(())),
        }
    }

    fn send(&mut self) -> Turn {
        let Stage::Sending(request) = &mut self.stage else { return Turn::Over };
        while let Some(rest) = request.bytes.get(request.sent..).filter(|rest| !rest.is_empty()) {
            match rustix::net::send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => request.sent += sent,
                Err(Errno::AGAIN) => return Turn::Writes,
                Err(Errno::INTR) => {}
                Err(error) => {
                    return Turn::Answered(Err(format!(
                        "GET {} could not be sent: {}",
                        request.url.text,
                        words(error)
                    )));
                }
            }
        }
        self.stage = Stage::Reading(request.url.clone(), Vec::new());
        Turn::Reads
    }

    fn read(&mut self) -> Turn {
        let Stage::Reading(url, line) = &mut self.stage else { return Turn::Over };
        let mut bytes = [0u8; 512];
        let outcome = loop {
            match rustix::net::recv(&self.socket, &mut bytes, RecvFlags::empty()) {
                Ok((_, 0)) => break judge(url, line, Line::Cut),
                Ok((_, count)) => line.extend_from_slice(&bytes[..count.min(bytes.len())]),
                Err(Errno::AGAIN) => return Turn::Reads,
                Err(Errno::INTR) => continue,
                Err(error) => break Err(format!("GET {} was not answered: {}", url.text, words(error))),
            }
            if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                line.truncate(end);
                break judge(url, line, Line::Whole);
            }
            if line.len() >= limits::PROBE_LINE {
                break judge(url, line, Line::Cut);
            }
        };
        self.stage = Stage::Draining(limits::PROBE_REST);
        Turn::Answered(outcome)
    }

    fn drain(&mut self) -> Turn {
        let Stage::Draining(left) = &mut self.stage else { return Turn::Over };
        let mut bytes = [0u8; 4096];
        match rustix::net::recv(&self.socket, &mut bytes, RecvFlags::empty()) {
            Ok((_, count)) if count > 0 && count < *left => {
                *left -= count;
                Turn::Reads
            }
            Err(Errno::AGAIN | Errno::INTR) => Turn::Reads,
            Ok(_) | Err(_) => Turn::Over,
        }
    }
}

impl Request {
    fn new(url: &Url) -> Request {
        let Url { path, host, .. } = url;
        let bytes = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: eudaemon\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        Request { url: url.clone(), bytes: bytes.into_bytes(), sent: 0 }
    }
}

#[derive(Clone, Copy)]
enum Line {
    Whole,
    /// It has not ended, or not within its limit.
    Cut,
}

/// `HTTP/1.1 200 OK`.
fn judge(url: &Url, line: &[u8], end: Line) -> Result<(), String> {
    let url = &url.text;
    if line.is_empty() && matches!(end, Line::Cut) {
        return Err(format!("GET {url} was not answered: the connection was closed"));
    }
    let status = line
        .strip_prefix(b"HTTP/1.0 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.1 "))
        .filter(|rest| {
            matches!(end, Line::Whole) && rest.get(3).is_none_or(|byte| matches!(byte, b' ' | b'\r'))
        })
        .and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok())
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    match status.and_then(|digits| digits.parse::<u16>().ok()) {
        Some(200..=399) => Ok(()),
        Some(status) => Err(format!("GET {url} answered {status}")),
        None => Err(format!("GET {url} was answered with what is not HTTP")),
    }
}

/// A socket in the network of this process (the main process of a service), if that is another than ours.
fn socket(at: SocketAddr, main: Option<u32>) -> Result<OwnedFd, Unasked> {
    let make = move || {
        let family = if at.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(family, SocketType::STREAM, flags, None)
    };
    let failed = |error: Errno| Unasked::Failed(format!("cannot make a socket: {}", words(error)));
    let Some(network) = main.map(foreign_network).transpose()?.flatten() else {
        return make().map_err(failed);
    };
    // A socket belongs to the network in which it was made. The thread that goes there never comes back.
    let there = move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|error| {
            Unasked::Failed(format!("cannot enter the service's network: {}", words(error)))
        })?;
        make().map_err(failed)
    };
    let thread = std::thread::Builder::new().name("probe".to_owned()).spawn(there);
    let thread =
        thread.map_err(|error| Unasked::Failed(format!("cannot start a thread: {}", error.kind())))?;
    thread.join().unwrap_or_else(|_| Err(Unasked::Failed("cannot enter the service's network".to_owned())))
}

/// The network namespace of a process; `None`: it is ours.
fn foreign_network(pid: u32) -> Result<Option<File>, Unasked> {
    let place = format!("/proc/{pid}/ns/net");
    let network = match File::open(&place) {
        Ok(network) => network,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => return Err(Unasked::Gone),
        // Whoever may not look there asks in its own.
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied) => return Ok(None),
        Err(error) => return Err(Unasked::Failed(format!("cannot open {place}: {}", error.kind()))),
    };
    let of = |file: io::Result<std::fs::Metadata>| file.map(|file| (file.dev(), file.ino())).ok();
    let ours = of(std::fs::metadata("/proc/self/ns/net"));
    Ok((of(network.metadata()) != ours).then_some(network))
}

/// The kernel's word, lower case.
fn words(error: Errno) -> String {
    match error {
        Errno::NETUNREACH => "network is unreachable".to_owned(),
        Errno::HOSTUNREACH => "no route to host".to_owned(),
        _ => io::Error::from(error).kind().to_string(),
    }
}

#[cfg(test)]
mod tests;
