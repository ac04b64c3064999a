//! Signals by number, the real-time ones included, which rustix has no names for.
//!
//! Safety argument for the whole module: the number is checked to be one of the kernel's 1 to 64, and it is
//! only ever sent to other processes, never given a disposition here, so libc's reserved numbers do no harm.
#![allow(unsafe_code, reason = "signal numbers without a name in rustix")]

use rustix::process::Signal;

/// The kernel's signal of this number.
pub fn of(number: i32) -> Option<Signal> {
    if (1..=64).contains(&number) {
        // SAFETY: see the module's argument.
        Some(unsafe { Signal::from_raw_unchecked(number) })
    } else {
        None
    }
}
