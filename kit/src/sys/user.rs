//! Users and groups by name, and becoming them.
//!
//! Argument: the look-ups get a buffer of ours with its length, and their answers are copied out of it before it goes.
//! The changes take integers and slices with their lengths, and through the C library they hold for every thread.
#![allow(unsafe_code)]

use super::fd::last_errno;
use crate::limits::MOST_GROUPS;
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

/// What passwd(5) says of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: CString,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Programs that are linked statically with glibc crash when its look-ups load a module: there, numbers only.
const NAMES_WORK: bool = !cfg!(all(target_env = "gnu", target_feature = "crt-static"));

pub(crate) fn account_by_name(name: &str) -> rustix::io::Result<Option<Account>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    account(|record, space, answer| {
        // SAFETY: see above; the name ends in NUL.
        unsafe { libc::getpwnam_r(name.as_ptr(), record, space.as_mut_ptr().cast(), space.len(), answer) }
    })
}

pub(crate) fn account_by_uid(uid: u32) -> rustix::io::Result<Option<Account>> {
    account(|record, space, answer| {
        // SAFETY: see above.
        unsafe { libc::getpwuid_r(uid, record, space.as_mut_ptr().cast(), space.len(), answer) }
    })
}

fn account(
    ask: impl Fn(*mut libc::passwd, &mut [u8], *mut *mut libc::passwd) -> libc::c_int,
) -> rustix::io::Result<Option<Account>> {
    look_up(ask, |found| Account {
        // SAFETY: a found record's name is a string in the space that is still there.
        name: unsafe { CStr::from_ptr(found.pw_name) }.to_owned(),
        uid: found.pw_uid,
        gid: found.pw_gid,
    })
}

pub(crate) fn group_by_name(name: &str) -> rustix::io::Result<Option<u32>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    let ask = |record: *mut libc::group, space: &mut [u8], answer: *mut *mut libc::group| {
        // SAFETY: see above; the name ends in NUL.
        unsafe { libc::getgrnam_r(name.as_ptr(), record, space.as_mut_ptr().cast(), space.len(), answer) }
    };
    look_up(ask, |found| found.gr_gid)
}

/// Asks with more and more space for the answer.
fn look_up<Record, Found>(
    ask: impl Fn(*mut Record, &mut [u8], *mut *mut Record) -> libc::c_int,
    read: impl Fn(&Record) -> Found,
) -> rustix::io::Result<Option<Found>> {
    /// Bytes; the members of a large group need some.
    const SPACES: [usize; 4] = [1 << 10, 1 << 14, 1 << 18, 1 << 22];
    if !NAMES_WORK {
        return Err(Errno::NOSYS);
    }
    for space in SPACES {
        let mut record = MaybeUninit::uninit();
        let mut space = vec![0; space];
        let mut answer = null_mut();
        match ask(record.as_mut_ptr(), &mut space, &raw mut answer) {
            // SAFETY: a non-null answer points to the record, which was filled in.
            0 => return Ok(unsafe { answer.as_ref() }.map(&read)),
            libc::ERANGE => {}
            // All the ways in which the modules say that there is none: getpwnam(3).
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            number => return Err(Errno::from_raw_os_error(number)),
        }
    }
    Err(Errno::RANGE)
}

/// The groups a user is in, its own among them.
pub(crate) fn groups_of(account: &Account) -> Vec<u32> {
    let mut groups = vec![0; 64];
    while groups.len() <= MOST_GROUPS {
        let mut count = groups.len() as libc::c_int;
        // SAFETY: the name ends in NUL; `count` is the length of the space, then of the answer.
        let answer = unsafe {
            libc::getgrouplist(account.name.as_ptr(), account.gid, groups.as_mut_ptr(), &raw mut count)
        };
        if answer >= 0 {
            groups.truncate(count.max(0) as usize);
            return groups;
        }
        groups.resize(groups.len() * 2, 0);
    }
    groups.truncate(1);
    groups[0] = account.gid;
    groups
}

pub(crate) fn set_groups(groups: &[u32]) -> rustix::io::Result<()> {
    // SAFETY: a live slice and its length.
    answer(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })
}

/// Real, effective and saved at once.
pub(crate) fn set_gid(gid: u32) -> rustix::io::Result<()> {
    // SAFETY: integers.
    answer(unsafe { libc::setresgid(gid, gid, gid) })
}

/// Real, effective and saved at once.
pub(crate) fn set_uid(uid: u32) -> rustix::io::Result<()> {
    // SAFETY: integers.
    answer(unsafe { libc::setresuid(uid, uid, uid) })
}

/// Real, effective and saved: users, then groups.
pub(crate) fn identity() -> ([u32; 3], [u32; 3]) {
    let (mut users, mut groups) = ([0; 3], [0; 3]);
    let ([a, b, c], [d, e, f]) = (&mut users, &mut groups);
    // SAFETY: six live integers; the calls cannot fail otherwise.
    unsafe {
        libc::getresuid(a, b, c);
        libc::getresgid(d, e, f);
    }
    (users, groups)
}

pub(crate) fn chroot(to: &Path) -> rustix::io::Result<()> {
    let path = CString::new(to.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?;
    // SAFETY: ends in NUL.
    answer(unsafe { libc::chroot(path.as_ptr()) })
}

fn answer(answer: libc::c_int) -> rustix::io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}
