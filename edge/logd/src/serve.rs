//! The loop: one thread, one epoll, thousands of streams.

use crate::console::{Console, Paint};
use crate::datagram;
use crate::header::{Header, Opening, opening};
use crate::limits;
use crate::line::{Partial, leveled};
use crate::sockets::{self, Protocol};
use crate::store::Notify;
use anyhow::{Context, Result};
use eudaemon_init::signals::Signals;
use rustix::event::{Timespec, epoll};
use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, accept_with, recvmsg};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// Epoll tokens: the signals, then the sockets handed over, then streams.
const SIGNALS: u64 = 0;
const FIRST: u64 = 1;

struct Server {
    epoll: OwnedFd,
    notify: Notify,
    console: Console<OwnedFd>,
    listeners: BTreeMap<u64, OwnedFd>,
    datagrams: BTreeMap<u64, (OwnedFd, Protocol)>,
    streams: BTreeMap<u64, Stream>,
    next_token: u64,
    buffer: Vec<u8>,
}

struct Stream {
    fd: OwnedFd,
    state: State,
}

enum State {
    /// The bytes of its header so far.
    Opening(Vec<u8>),
    Speaking {
        header: Header,
        partial: Partial,
        stored: String,
    },
}

/// `column`: how wide the widest name will be, as far as is known.
pub fn serve(column: usize) -> Result<()> {
    let signals = Signals::terminations().context("cannot watch signals")?;
    raise_open_files();
    let handed = sockets::handed_over()?;
    let mut server = Server::new(&signals, column).context("cannot begin")?;
    for fd in handed.listeners {
        let token = server.watch(&fd).context("cannot watch a socket")?;
        server.listeners.insert(token, fd);
    }
    for (fd, protocol) in handed.datagrams {
        let token = server.watch(&fd).context("cannot watch a socket")?;
        server.datagrams.insert(token, (fd, protocol));
    }
    for (fd, header) in handed.streams {
        server.resume(fd, header).context("cannot watch a stream")?;
    }
    server.notify.ready();
    while server.turn(&signals).is_continue() {}
    server.notify.stopping();
    server.drain();
    Ok(())
}

/// Each stream is a descriptor.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(errno) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        eprintln!("eudaemon logd: cannot raise the limit on open files: {errno}");
    }
}

impl Server {
    fn new(signals: &Signals, column: usize) -> Result<Server> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, signals, epoll::EventData::new_u64(SIGNALS), epoll::EventFlags::IN)?;
        let out = rustix::io::dup(rustix::stdio::stdout())?;
        let paint = if rustix::termios::isatty(&out) { Paint::Colours } else { Paint::None };
        Ok(Server {
            epoll,
            notify: Notify::from_environment(),
            console: Console::new(out, paint, column),
            listeners: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_token: FIRST,
            buffer: vec![0; limits::READ],
        })
    }

    fn watch(&mut self, fd: &OwnedFd) -> Result<u64, Errno> {
        let token = self.next_token;
        self.next_token += 1;
        epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token), epoll::EventFlags::IN)?;
        Ok(token)
    }

    /// Wait, and deal with what came. A console or manager that has no room is tried again soon.
    fn turn(&mut self, signals: &Signals) -> ControlFlow<()> {
        let again = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let timeout = (self.console.is_waiting() || self.notify.is_waiting()).then_some(again);
        for token in self.wait(timeout.as_ref()) {
            match token {
                SIGNALS => {
                    if signals.next().is_some() {
                        return ControlFlow::Break(());
                    }
                }
                token => self.hear(token),
            }
        }
        self.console.flush();
        self.notify.flush();
        ControlFlow::Continue(())
    }

    fn wait(&mut self, timeout: Option<&Timespec>) -> Vec<u64> {
        let mut space = [const { MaybeUninit::<epoll::Event>::uninit() }; 128];
        match epoll::wait(&self.epoll, &mut space, timeout) {
            Ok((events, _)) => events.iter().map(|event| event.data.u64()).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn hear(&mut self, token: u64) {
        if self.listeners.contains_key(&token) {
            self.accept(token);
        } else if self.datagrams.contains_key(&token) {
            self.read_datagrams(token);
        } else {
            self.read_stream(token);
        }
    }

    /// At the end: what was written before is shown, even if the console is slow.
    fn drain(&mut self) {
        let silence = Timespec { tv_sec: 0, tv_nsec: limits::DRAIN as i64 * 1_000_000 };
        // Bounded: a service that talks without end does not keep us.
        for _ in 0..1000 {
            let tokens: Vec<u64> =
                self.wait(Some(&silence)).into_iter().filter(|token| *token != SIGNALS).collect();
            if tokens.is_empty() && !self.console.is_waiting() {
                break;
            }
            tokens.into_iter().for_each(|token| self.hear(token));
            self.console.flush();
        }
        for stream in self.streams.values_mut() {
            stream.end(&mut self.console);
        }
        self.console.flush();
    }
}

/// Streams.
impl Server {
    fn accept(&mut self, token: u64) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Some(listener) = self.listeners.get(&token) {
            let Ok(fd) = accept_with(listener, flags) else { return };
            if self.streams.len() >= limits::STREAMS {
                self.complain("too many streams, one is refused");
                continue;
            }
            let peer = sockets::sender(fd.as_fd());
            match self.watch(&fd) {
                Ok(token) => {
                    self.streams.insert(token, Stream { fd, state: State::Opening(Vec::new()) });
                    // The header is mostly there already.
                    self.read_stream(token);
                }
                Err(errno) => self.complain(&format!("cannot watch the stream of {peer}: {errno}")),
            }
        }
    }

    /// A stream the predecessor had.
    fn resume(&mut self, fd: OwnedFd, header: Header) -> Result<(), Errno> {
        let token = self.watch(&fd)?;
        let stored = header.stored_name(inode(&fd));
        let state = State::Speaking { header, partial: Partial::default(), stored };
        self.streams.insert(token, Stream { fd, state });
        Ok(())
    }

    fn read_stream(&mut self, token: u64) {
        let Some(stream) = self.streams.get_mut(&token) else { return };
        match rustix::io::read(&stream.fd, &mut self.buffer[..]) {
            Ok(0) => self.close_stream(token),
            Ok(count) => {
                let bytes = &self.buffer[..count];
                if stream.take(bytes, &mut self.console, &mut self.notify).is_break() {
                    self.close_stream(token);
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.close_stream(token),
        }
    }

    fn close_stream(&mut self, token: u64) {
        let Some(mut stream) = self.streams.remove(&token) else { return };
        stream.end(&mut self.console);
        if let Err(errno) = epoll::delete(&self.epoll, &stream.fd) {
            self.complain(&format!("cannot stop watching a stream: {errno}"));
        }
        match stream.state {
            State::Opening(_) => {}
            State::Speaking { stored, .. } => self.notify.forget(&stored),
        }
    }

    fn complain(&mut self, words: &str) {
        self.console.say("eudaemon-logd", crate::line::Level(4), words.as_bytes());
    }
}

impl Stream {
    /// Break: it does not speak the protocol.
    fn take(&mut self, bytes: &[u8], console: &mut Console<OwnedFd>, notify: &mut Notify) -> ControlFlow<()> {
        match &mut self.state {
            State::Speaking { header, partial, .. } => partial.take(bytes, |line| say(console, header, line)),
            State::Opening(so_far) => {
                so_far.extend_from_slice(bytes);
                match opening(so_far) {
                    Opening::More => {}
                    Opening::Nonsense => {
                        let words =
                            format!("{} speaks no stream protocol, closed", sockets::sender(self.fd.as_fd()));
                        console.say("eudaemon-logd", crate::line::Level(4), words.as_bytes());
                        return ControlFlow::Break(());
                    }
                    Opening::Header(header, length) => {
                        let stored = header.stored_name(inode(&self.fd));
                        notify.store(&stored, &self.fd);
                        let mut partial = Partial::default();
                        partial.take(&so_far[length..], |line| say(console, &header, line));
                        self.state = State::Speaking { header, partial, stored };
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn end(&mut self, console: &mut Console<OwnedFd>) {
        match &mut self.state {
            State::Opening(_) => {}
            State::Speaking { header, partial, .. } => partial.end(|line| say(console, header, line)),
        }
    }
}

fn say(console: &mut Console<OwnedFd>, header: &Header, line: &[u8]) {
    let (level, text) = leveled(line, header.level_prefix, header.priority);
    console.say(header.name(), level, text);
}

/// Unique among all sockets of the machine for as long as this one lives.
fn inode(fd: &OwnedFd) -> u64 {
    fstat(fd).map_or(0, |found| found.st_ino)
}

/// Datagrams.
impl Server {
    fn read_datagrams(&mut self, token: u64) {
        for _ in 0..limits::DATAGRAMS {
            let Some((fd, protocol)) = self.datagrams.get(&token) else { return };
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8), ScmCredentials(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            let received = recvmsg(fd, &mut [IoSliceMut::new(&mut self.buffer)], &mut ancillary, flags);
            let Ok(received) = received else { return };
            let (mut sender, mut memory) = ("-".to_owned(), None);
            for message in ancillary.drain() {
                match message {
                    RecvAncillaryMessage::ScmRights(fds) => memory = fds.last().or(memory),
                    RecvAncillaryMessage::ScmCredentials(peer) => {
                        sender = format!("pid {}", peer.pid.as_raw_nonzero());
                    }
                    _ => {}
                }
            }
            let large = memory.map(|fd| entry_in(&File::from(fd)));
            let bytes = large.as_deref().unwrap_or(&self.buffer[..received.bytes]);
            let messages = match protocol {
                Protocol::Native => datagram::native(bytes, &sender),
                Protocol::Syslog => vec![datagram::syslog(bytes, &sender)],
            };
            for message in messages {
                self.console.say(&message.name, message.level, &message.text);
            }
        }
    }
}

/// An entry too large for a datagram lies in a file whose descriptor came instead.
fn entry_in(file: &File) -> Vec<u8> {
    let length = file.metadata().map_or(0, |metadata| if metadata.is_file() { metadata.len() } else { 0 });
    let mut bytes = vec![0; length.min(limits::ENTRY) as usize];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
