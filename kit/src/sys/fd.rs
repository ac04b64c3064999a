//! Locks that belong to an open file, and descriptors that came through exec.
//!
//! Argument: the lock call reads one live `flock` of ours. A descriptor is taken over (made an `OwnedFd`) or closed only
//! when it came into the process by exec and nobody here can own it: the standard library and rustix open everything
//! with `FD_CLOEXEC`, and exec leaves nothing open that has it, so a number without the flag was handed to us by whoever
//! started us. Those that were announced (`LISTEN_FDS=`) are taken once: the callers hold the set of those left.
#![allow(unsafe_code)]

use crate::limits::FARTHEST_FD;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What came of the wish for a lock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Ours,
    Theirs,
}

/// Locks the whole file for the open file description: over forks, until its last descriptor is closed.
pub(crate) fn lock(file: impl AsFd) -> rustix::io::Result<Lock> {
    let wish = whole_file();
    // SAFETY: the descriptor is borrowed and open, and `wish` outlives the call.
    let answer = unsafe { libc::fcntl(file.as_fd().as_raw_fd(), libc::F_OFD_SETLK, &raw const wish) };
    match answer {
        0 => Ok(Lock::Ours),
        _ => match last_errno() {
            Errno::AGAIN | Errno::ACCESS => Ok(Lock::Theirs),
            errno => Err(errno),
        },
    }
}

/// What kind of lock others hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    /// One that anybody can have who may read the file.
    Reading,
    Writing,
}

/// Asks who has the file; nothing is locked in asking.
pub(crate) fn held(file: impl AsFd) -> rustix::io::Result<Held> {
    let mut found = whole_file();
    // SAFETY: the descriptor is borrowed and open, and `found` outlives the call.
    match unsafe { libc::fcntl(file.as_fd().as_raw_fd(), libc::F_OFD_GETLK, &raw mut found) } {
        0 if found.l_type == libc::F_UNLCK as libc::c_short => Ok(Held::Nothing),
        0 if found.l_type == libc::F_RDLCK as libc::c_short => Ok(Held::Reading),
        0 => Ok(Held::Writing),
        _ => Err(last_errno()),
    }
}

fn whole_file() -> libc::flock {
    // SAFETY: integers alone.
    let mut wish: libc::flock = unsafe { std::mem::zeroed() };
    wish.l_type = libc::F_WRLCK as libc::c_short;
    wish.l_whence = libc::SEEK_SET as libc::c_short;
    wish
}

/// What a descriptor's number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nothing is open there.
    Closed,
    /// Opened by this program.
    Own,
    /// It came through exec.
    Inherited,
}

pub(crate) fn origin(number: RawFd) -> Origin {
    // SAFETY: asks for flags, and changes nothing.
    match unsafe { libc::fcntl(number, libc::F_GETFD) } {
        -1 => Origin::Closed,
        flags if flags & libc::FD_CLOEXEC != 0 => Origin::Own,
        _ => Origin::Inherited,
    }
}

/// Takes over a descriptor that came through exec, and marks it as ours; nothing if there is none of that number.
pub(crate) fn adopt(number: RawFd) -> Option<OwnedFd> {
    if origin(number) != Origin::Inherited {
        return None;
    }
    // SAFETY: open and inherited, so without an owner.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC).ok()?;
    Some(fd)
}

/// Whether a number is an open descriptor's.
pub(crate) fn is_open(number: RawFd) -> bool {
    origin(number) != Origin::Closed
}

/// Stdin, stdout or stderr, for as long as the program runs.
pub(crate) fn standard(number: RawFd) -> Option<BorrowedFd<'static>> {
    if !(0..=2).contains(&number) || origin(number) == Origin::Closed {
        return None;
    }
    // SAFETY: open, and nobody closes the three for good: they are replaced in place.
    Some(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Opens what of stdin, stdout and stderr is closed to /dev/null: else the next file that is opened takes the number, and what
/// the program says goes into it. The standard library does so before `main`, in programs of other languages nobody does.
pub(crate) fn occupy_streams() -> rustix::io::Result<()> {
    for number in (0..=2).filter(|number| !is_open(*number)) {
        let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
        // The lowest that is free is this one, unless another thread closes as well.
        if null.as_raw_fd() == number {
            let _stays_open = std::mem::ManuallyDrop::new(null);
        }
    }
    Ok(())
}

/// Closes all that came through exec but the three of stdio and those to be kept.
pub(crate) fn close_inherited(keep: &[RawFd]) {
    for number in open_numbers().into_iter().filter(|number| *number > 2 && !keep.contains(number)) {
        drop(adopt(number));
    }
}

/// The open descriptors; without /proc, all that could be open.
fn open_numbers() -> Vec<RawFd> {
    if let Ok(listing) = fs::read_dir("/proc/self/fd") {
        return listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(FARTHEST_FD);
    (0..limit.min(FARTHEST_FD) as RawFd).collect()
}

pub(super) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
