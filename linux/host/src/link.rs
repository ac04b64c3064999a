//! The line to init: orders go out at once or wait in a queue (the manager never blocks on init), reports come in.

use eudaemon_engine::api::ExitStatus;
use eudaemon_init::packet::{self, Received};
use eudaemon_init::wire::{Ended, HEADER, Order, Report};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A [`Report`] that owns its name and descriptors.
#[derive(Debug)]
pub enum Told {
    Alive { id: u64, pid: u32 },
    Kept { name: String, fds: Vec<OwnedFd> },
    SnapshotEnd { highest: u64 },
    Spawned { id: u64, pid: u32 },
    SpawnFailed { id: u64, errno: i32 },
    Done { id: u64 },
    Executed { id: u64 },
    Exited { id: u64, pid: u32, status: ExitStatus },
    Tracked { id: u64, pid: u32 },
    NotAChild { id: u64, pid: u32 },
    Orphan { pid: u32, status: ExitStatus },
    Signalled { signal: i32 },
    NotKept { name: String, errno: i32 },
}

/// The manager's end of the socket to init.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    queue: VecDeque<Waiting>,
    buffer: Vec<u8>,
}

/// A packet init had no room for yet.
#[derive(Debug)]
struct Waiting {
    head: [u8; HEADER],
    tail: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Link {
    pub fn new(socket: OwnedFd) -> Link {
        Link { socket, queue: VecDeque::new(), buffer: vec![0; eudaemon_init::limits::MESSAGE] }
    }

    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Are packets waiting for room?
    pub fn is_behind(&self) -> bool {
        !self.queue.is_empty()
    }

    pub fn send(&mut self, order: &Order<'_>, fds: Vec<OwnedFd>) -> io::Result<()> {
        let (head, tail) = order.encode();
        if self.queue.is_empty() {
            let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            match packet::send(&self.socket, &head, tail, &borrowed) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::NOBUFS) => {}
                other => return Ok(other?),
            }
        }
        self.queue.push_back(Waiting { head, tail: tail.to_vec(), fds });
        Ok(())
    }

    /// Sends what waits, as far as there is room.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(first) = self.queue.front() {
            let borrowed: Vec<BorrowedFd<'_>> = first.fds.iter().map(AsFd::as_fd).collect();
            match packet::send(&self.socket, &first.head, &first.tail, &borrowed) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::NOBUFS) => return Ok(()),
                other => other?,
            }
            self.queue.pop_front();
        }
        Ok(())
    }

    /// The next report, `None` if there is none now. init gone is an error: nothing can go on without it.
    pub fn receive(&mut self) -> io::Result<Option<Told>> {
        let mut fds = Vec::new();
        match packet::receive(&self.socket, &mut self.buffer, &mut fds)? {
            Received::Nothing => Ok(None),
            Received::Closed => Err(io::Error::new(io::ErrorKind::BrokenPipe, "init was killed")),
            Received::Truncated(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a report of init did not arrive whole (too many open files?)",
            )),
            Received::Packet(length) => match Report::decode(&self.buffer[..length]) {
                Some(report) => Ok(Some(owned(report, fds))),
                None => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a report of init that this manager does not know",
                )),
            },
        }
    }
}

fn owned(report: Report<'_>, fds: Vec<OwnedFd>) -> Told {
    match report {
        Report::Alive { id, pid } => Told::Alive { id, pid },
        Report::Kept { name } => Told::Kept { name: name.to_owned(), fds },
        Report::SnapshotEnd { highest } => Told::SnapshotEnd { highest },
        Report::Spawned { id, pid } => Told::Spawned { id, pid },
        Report::SpawnFailed { id, errno } => Told::SpawnFailed { id, errno },
        Report::Done { id } => Told::Done { id },
        Report::Executed { id } => Told::Executed { id },
        Report::Exited { id, pid, ended } => Told::Exited { id, pid, status: status(ended) },
        Report::Tracked { id, pid } => Told::Tracked { id, pid },
        Report::NotAChild { id, pid } => Told::NotAChild { id, pid },
        Report::Orphan { pid, ended } => Told::Orphan { pid, status: status(ended) },
        Report::Signalled { signal } => Told::Signalled { signal },
        Report::NotKept { name, errno } => Told::NotKept { name: name.to_owned(), errno },
    }
}

fn status(ended: Ended) -> ExitStatus {
    match ended {
        Ended::Code(code) => ExitStatus::Code(code),
        Ended::Signal(signal) => ExitStatus::Signal(signal),
        Ended::Dumped(signal) => ExitStatus::Dumped(signal),
    }
}
