//! fork(2) and what a process may do only while it is alone in itself.
//!
//! Argument: a child of fork has one thread, and locks that other threads held at that moment are never released in
//! it. [`Alone`] can only be made when /proc counts one thread, so no such lock exists: the child may go on as an
//! ordinary program. The environment is changed under the same proof: no other thread can be reading it. Nothing here
//! starts a thread, so the proof holds as long as the value is borrowed by nobody who does; it is neither `Send` nor
//! `Sync`. prctl and _exit take integers.
#![allow(unsafe_code)]

use super::fd::last_errno;
use std::ffi::OsStr;
use std::fs;
use std::marker::PhantomData;

/// Proof that this process has one thread.
#[derive(Debug)]
pub(crate) struct Alone(PhantomData<*const ()>);

impl Alone {
    /// The number of threads, if it is not one.
    pub(crate) fn now() -> Result<Alone, usize> {
        // Without /proc nobody can say; the caller is believed then, as every daemon(3) believes it.
        let count = fs::read_dir("/proc/self/task").map_or(1, |tasks| tasks.count());
        if count == 1 { Ok(Alone(PhantomData)) } else { Err(count) }
    }

    pub(crate) fn forget_variable(&self, name: &OsStr) {
        // SAFETY: one thread.
        unsafe { std::env::remove_var(name) }
    }
}

pub(crate) enum Fork {
    Parent,
    Child,
}

pub(crate) fn fork(_: &Alone) -> rustix::io::Result<Fork> {
    // SAFETY: one thread.
    match unsafe { libc::fork() } {
        -1 => Err(last_errno()),
        0 => Ok(Fork::Child),
        _ => Ok(Fork::Parent),
    }
}

/// The process that leads our session; 0 if that is outside of our pid namespace, which rustix's pids cannot say.
pub(crate) fn session() -> u32 {
    // SAFETY: an integer.
    unsafe { libc::getsid(0) }.try_into().unwrap_or(0)
}

/// Ends this process at once: nothing is flushed, no destructor and no atexit(3) function runs.
pub(crate) fn exit_at_once(status: u8) -> ! {
    // SAFETY: an integer.
    unsafe { libc::_exit(i32::from(status)) }
}

/// Children of children come to us when their parents end, so their ends can be learnt.
pub(crate) fn adopt_orphans() -> rustix::io::Result<()> {
    prctl(libc::PR_SET_CHILD_SUBREAPER, 1)
}

pub(crate) fn no_new_privileges() -> rustix::io::Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// Capabilities outlive the next change of user.
pub(crate) fn keep_capabilities() -> rustix::io::Result<()> {
    prctl(libc::PR_SET_KEEPCAPS, 1)
}

fn prctl(option: libc::c_int, value: libc::c_ulong) -> rustix::io::Result<()> {
    // SAFETY: integers.
    let answer = unsafe { libc::prctl(option, value, 0, 0, 0) };
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}
