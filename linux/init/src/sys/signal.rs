//! Signals by number, real-time ones included: masks, dispositions, signalfd, kill.
//!
//! Safety: every pointer given to the kernel is to a live, initialised local; a `sigset_t` is made by
//! sigemptyset or sigfillset before use. No signal function is ever installed, only SIG_DFL and SIG_IGN.
#![allow(unsafe_code)]

use super::fork::last_errno;
use rustix::io::Errno;
use rustix::process::Pid;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};

/// What is done about SIGPIPE in a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    Default,
    Ignored,
}

/// Highest signal number.
pub const LAST: i32 = 64;

/// The first real-time signal programs may use: the C libraries keep 32 and 33 to themselves.
pub const FIRST_REAL_TIME: i32 = 34;

fn set_of(signals: impl Iterator<Item = i32>) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: see the module.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        signals.for_each(|signal| {
            libc::sigaddset(set.as_mut_ptr(), signal);
        });
        set.assume_init()
    }
}

/// Block these signals and read them from the descriptor instead (CLOEXEC, non-blocking).
pub fn signalfd(signals: impl Iterator<Item = i32>) -> Result<OwnedFd, Errno> {
    let set = set_of(signals);
    // SAFETY: see the module; the new descriptor is nobody else's.
    unsafe {
        if libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut()) != 0 {
            return Err(last_errno());
        }
        let fd = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 { Err(last_errno()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// The next signal waiting on a signalfd.
pub fn next(signals: &OwnedFd) -> Option<i32> {
    // struct signalfd_siginfo is 128 bytes and opens with the number.
    let mut record = [0; 128];
    match rustix::io::read(signals, &mut record) {
        Ok(128) => record.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes) as i32),
        _ => None,
    }
}

/// What whoever started us left ignored is so no more, but SIGPIPE: children inherit what is ignored.
pub fn heed_all() -> Result<(), Errno> {
    (1..=LAST)
        .filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP | libc::SIGPIPE))
        .try_for_each(|signal| dispose(signal, libc::SIG_DFL))
}

/// For a child of a process that heeds all: what is caught becomes the default at exec, so nothing is left to be set but
/// SIGPIPE and the mask.
pub fn reset(pipe: Pipe) -> Result<(), Errno> {
    dispose(
        libc::SIGPIPE,
        match pipe {
            Pipe::Default => libc::SIG_DFL,
            Pipe::Ignored => libc::SIG_IGN,
        },
    )?;
    let none = set_of(std::iter::empty());
    // SAFETY: see the module.
    match unsafe { libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

fn dispose(signal: i32, disposition: libc::sighandler_t) -> Result<(), Errno> {
    // The kernel's own struct, whose first word is what to do and whose rest may be zero: the C libraries
    // will not touch 32 and 33, which whoever started us may have left ignored.
    let action = [disposition, 0, 0, 0];
    let nowhere = std::ptr::null_mut::<u8>();
    // SAFETY: see the module.
    match unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), nowhere, 8_usize) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    Process(Pid),
    /// All processes of the pid namespace but ourselves. Only PID 1 may say this.
    Everybody,
}

pub fn kill(whom: Whom, signal: i32) -> Result<(), Errno> {
    let pid = match whom {
        Whom::Process(pid) => pid.as_raw_nonzero().get(),
        Whom::Everybody => -1,
    };
    // SAFETY: takes no pointers.
    if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(last_errno()) }
}
