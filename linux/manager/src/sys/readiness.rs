//! A descriptor whose readiness the runtime watches.
//!
//! Safety argument for the whole module: tokio asks that the descriptor stay open, and be the same one, while
//! it is registered. It is owned by the `AsyncFd` it is registered with, is never taken out of it, and is
//! dropped with it.
#![allow(unsafe_code, reason = "registering a descriptor with tokio is a promise about its life")]

use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Must be called within a tokio runtime. `Interest::PRIORITY` is how the kernel tells that one of its files is another now.
pub fn watch(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: see the module's argument.
    unsafe { AsyncFd::register_with_interest(descriptor, interest) }.map_err(|error| error.into_parts().1)
}
