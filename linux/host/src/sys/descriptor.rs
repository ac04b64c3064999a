//! Descriptors a process is born with.
//!
//! Safety argument for the whole module: `inherited` is called once per number, at start-up, for a number the
//! parent promised; that it is open is asked of the kernel first, and nothing else in the process owns it.
#![allow(unsafe_code, reason = "an inherited descriptor is a bare number")]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that stood open at exec, and makes it CLOEXEC.
pub fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: fcntl with F_GETFD and F_SETFD takes any number and touches no memory.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return None;
    }
    // SAFETY: as above.
    unsafe { libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC) };
    // SAFETY: see the module's argument.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}
