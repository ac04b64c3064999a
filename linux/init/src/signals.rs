//! Signals as a descriptor to wait on, for programs that may hold no `unsafe` of their own.

use crate::sys::signal;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Blocked from now on for this (single-threaded) process, and read here instead.
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// SIGTERM and SIGINT: the wishes to end.
    pub fn terminations() -> io::Result<Signals> {
        Ok(Signals(signal::signalfd([libc::SIGTERM, libc::SIGINT].into_iter())?))
    }

    /// The number of the next one that waits.
    pub fn next(&self) -> Option<i32> {
        signal::next(&self.0)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
