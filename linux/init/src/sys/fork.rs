//! Making processes.
//!
//! Safety: both calls copy the whole process (no CLONE_VM), and init has one thread, so the child finds every
//! lock free and every invariant as the parent had it; it may allocate. The arguments of clone3 are a live
//! local of the size given.
#![allow(unsafe_code)]

use rustix::io::Errno;
use rustix::process::Pid;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Which side of the fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    Parent(Pid),
    Child,
}

/// The plain copy.
pub fn fork() -> Result<Forked, Errno> {
    // SAFETY: see the module.
    forked(i64::from(unsafe { libc::fork() }))
}

/// A copy born in the cgroup; ENOSYS where a container's seccomp filter hides clone3.
pub fn clone_into(cgroup: BorrowedFd<'_>) -> Result<Forked, Errno> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    #[repr(C)]
    #[derive(Default)]
    struct Arguments {
        flags: u64,
        pidfd: u64,
        child_tid: u64,
        parent_tid: u64,
        exit_signal: u64,
        stack: u64,
        stack_size: u64,
        tls: u64,
        set_tid: u64,
        set_tid_size: u64,
        cgroup: u64,
    }
    let arguments = Arguments {
        flags: CLONE_INTO_CGROUP,
        exit_signal: libc::SIGCHLD as u64,
        cgroup: cgroup.as_raw_fd() as u64,
        ..Arguments::default()
    };
    let size = size_of::<Arguments>();
    // SAFETY: see the module.
    forked(unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size) })
}

fn forked(answer: i64) -> Result<Forked, Errno> {
    match i32::try_from(answer) {
        Ok(0) => Ok(Forked::Child),
        Ok(pid) if pid > 0 => Pid::from_raw(pid).map(Forked::Parent).ok_or(Errno::CHILD),
        _ => Err(last_errno()),
    }
}

pub(super) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
