//! Descriptors by number, as a program about to be executed finds them.
//!
//! Safety: the calls take numbers only. Descriptors are moved or marked here after every owner in this process
//! is done with them: in a child before exec, or at start-up before anything was opened.
#![allow(unsafe_code)]

use super::fork::last_errno;
use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Make `number` a copy that survives exec.
pub fn place(source: BorrowedFd<'_>, number: i32) -> Result<(), Errno> {
    let source = source.as_raw_fd();
    // SAFETY: see the module.
    let done = unsafe {
        match source == number {
            // dup2 onto itself would leave CLOEXEC set.
            true => libc::fcntl(number, libc::F_SETFD, 0),
            false => libc::dup2(source, number),
        }
    };
    if done < 0 { Err(last_errno()) } else { Ok(()) }
}

/// A CLOEXEC copy at `lowest` or above.
pub fn copy_above(source: BorrowedFd<'_>, lowest: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: see the module; the new descriptor is nobody else's.
    unsafe {
        match libc::fcntl(source.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest) {
            fd if fd < 0 => Err(last_errno()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// One of the descriptors the process was started with (0, 1, 2, or the manager's socket).
pub fn inherited(number: i32) -> Option<BorrowedFd<'static>> {
    // SAFETY: takes no pointers; the descriptor is seen to be open, and those numbers are never closed.
    unsafe { (libc::fcntl(number, libc::F_GETFD) >= 0).then(|| BorrowedFd::borrow_raw(number)) }
}

/// Take hold of a descriptor this process was started with. `None`: there is none, or it is a standard stream.
///
/// Each may be taken once: the caller owns it from then on.
pub fn take_inherited(number: i32) -> Option<OwnedFd> {
    use std::sync::atomic::{AtomicI32, Ordering};
    // Numbers are handed out in growing order, so none is handed out twice.
    static NEXT: AtomicI32 = AtomicI32::new(3);
    if number < NEXT.load(Ordering::Relaxed) || inherited(number).is_none() {
        return None;
    }
    NEXT.store(number + 1, Ordering::Relaxed);
    // SAFETY: open, and owned by nobody here: see the module, and the line above.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Close everything from `lowest` on at exec.
pub fn close_at_exec(lowest: i32) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: u32 = 4;
    // SAFETY: see the module.
    if unsafe { libc::syscall(libc::SYS_close_range, lowest, u32::MAX, CLOSE_RANGE_CLOEXEC) } == 0 {
        return Ok(());
    }
    // Before Linux 5.11, or hidden by a filter.
    let highest = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1 << 20);
    for number in lowest..i32::try_from(highest).unwrap_or(i32::MAX) {
        // SAFETY: see the module; EBADF is the common and harmless answer.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}

/// Close everything from `lowest` on but these: where a child's limit is lower than what init holds, a copy would find no
/// number free.
pub fn close_others(lowest: i32, kept: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut numbers: Vec<i32> =
        kept.iter().map(AsRawFd::as_raw_fd).filter(|number| *number >= lowest).collect();
    numbers.sort_unstable();
    let mut from = lowest;
    for number in numbers {
        if number > from {
            close_range(from, number.unsigned_abs() - 1)?;
        }
        from = number + 1;
    }
    close_range(from, u32::MAX)
}

fn close_range(first: i32, last: u32) -> Result<(), Errno> {
    // SAFETY: see the module.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return Ok(());
    }
    match last_errno() {
        // Before Linux 5.9, or hidden by a filter: as many as there can be.
        Errno::NOSYS | Errno::PERM => {
            let highest = last.min(1 << 20).try_into().unwrap_or(i32::MAX);
            for number in first..=highest {
                // SAFETY: see the module; EBADF is the common and harmless answer.
                unsafe { libc::close(number) };
            }
            Ok(())
        }
        errno => Err(errno),
    }
}

/// Whether another session's terminal is taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal {
    No,
    Yes,
}

/// Make the terminal the session's own.
pub fn take_terminal(terminal: BorrowedFd<'_>, steal: Steal) -> Result<(), Errno> {
    let steal: libc::c_int = if steal == Steal::Yes { 1 } else { 0 };
    // SAFETY: takes no pointers.
    if unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, steal) } == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}
