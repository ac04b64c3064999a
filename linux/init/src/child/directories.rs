//! `RuntimeDirectory=` and its siblings: systemd.exec(5).

use super::Failure;
use super::exact::exactly;
use super::user::User;
use crate::limits;
use eudaemon_plan::step::{Directories, Directory, DirectoryKind};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, chownat, fchmod, fchown, fstat, open, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use std::os::fd::OwnedFd;

pub fn make(Directories { kind, entries, mode }: &Directories, user: &User) -> Result<(), Failure> {
    entries.iter().try_for_each(|entry| {
        make_one(kind, entry, *mode, user)?;
        entry.links.iter().try_for_each(|link| make_link(&entry.path, link))
    })
}

fn make_one(kind: &DirectoryKind, entry: &Directory, mode: u32, user: &User) -> Result<(), Failure> {
    make_parents(&entry.path)?;
    let made = match rustix::fs::mkdir(&entry.path, Mode::from_raw_mode(mode)) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(errno) => return Err(errno.into()),
    };
    // An administrator's configuration stays as it is found, whatever it is, and is never the service's own.
    let ours = match kind {
        DirectoryKind::Configuration => false,
        DirectoryKind::Runtime | DirectoryKind::State | DirectoryKind::Cache | DirectoryKind::Logs => true,
    };
    if !made && !ours {
        return Ok(());
    }
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let directory = open(&entry.path, flags, Mode::empty())?;
    fchmod(&directory, Mode::from_raw_mode(mode))?;
    if ours {
        own(directory, user)?;
    }
    Ok(())
}

/// Missing parents are everybody's: 0755 whatever the umask.
fn make_parents(path: &str) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(0o755);
    for (at, _) in path.char_indices().skip(1).filter(|(_, c)| *c == '/') {
        match exactly(|| rustix::fs::mkdir(&path[..at], mode)) {
            // What matters of these the last component's own attempt will say.
            Ok(()) | Err(Errno::EXIST | Errno::ROFS | Errno::ACCESS) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn make_link(path: &str, link: &str) -> Result<(), Failure> {
    make_parents(link)?;
    match rustix::fs::symlink(path, link) {
        Err(Errno::EXIST) if std::fs::read_link(link).is_ok_and(|target| target.as_os_str() == path) => {
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Give the directory to the user; all that is in it too, unless it was the user's already.
fn own(directory: OwnedFd, user: &User) -> Result<(), Errno> {
    let owned = |found: u32, wanted: Option<u32>| wanted.is_none_or(|wanted| wanted == found);
    let found = fstat(&directory)?;
    if owned(found.st_uid, user.uid) && owned(found.st_gid, user.gid) {
        return Ok(());
    }
    let (uid, gid) = (user.uid.map(Uid::from_raw), user.gid.map(Gid::from_raw));
    let mut left = limits::CHOWN;
    let mut waiting = vec![directory];
    while let Some(directory) = waiting.pop() {
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            left = left.checked_sub(1).ok_or(Errno::TOOBIG)?;
            if entry.file_type() == FileType::Directory {
                let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                waiting.push(openat(&directory, name, flags, Mode::empty())?);
            } else {
                chownat(&directory, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
            }
        }
        fchown(&directory, uid, gid)?;
    }
    Ok(())
}
