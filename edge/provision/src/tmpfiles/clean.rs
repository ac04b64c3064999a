//! `--clean`: what nobody has touched for longer than a line's age goes, unless another line keeps it.

use super::age::{Age, By};
use super::line::{Item, Kind};
use super::walk::{Missing, Root, Trouble, names, stat_of, tried};
use crate::ENTRIES_MAX;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, StatxFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

/// Paths that lines of their own keep, or that other lines clean by their own age.
pub struct Ignored {
    /// With all below.
    whole: Vec<String>,
    /// Themselves.
    alone: Vec<String>,
}

impl Ignored {
    pub fn of<'a>(items: impl Iterator<Item = &'a Item>) -> Ignored {
        let mut ignored = Ignored { whole: Vec::new(), alone: Vec::new() };
        for item in items {
            if item.kind == Kind::Ignore {
                ignored.whole.push(item.path.clone());
            } else if item.kind == Kind::IgnoreDirectory {
                ignored.alone.push(item.path.clone());
            }
        }
        ignored
    }

    fn keeps(&self, path: &str) -> bool {
        self.whole.iter().chain(&self.alone).any(|pattern| eudaemon_unit::files::glob(pattern, path))
    }

    fn keeps_all_in(&self, path: &str) -> bool {
        self.whole.iter().any(|pattern| eudaemon_unit::files::glob(pattern, path))
    }
}

pub fn clean(root: &Root, item: &Item, ignored: &Ignored) -> Result<(), Trouble> {
    let Some(age) = &item.age else { return Ok(()) };
    let paths = match item.kind {
        Kind::CreateDirectory | Kind::EmptiedDirectory | Kind::Copy => vec![item.path.clone()],
        Kind::AdjustDirectory | Kind::IgnoreDirectory => root.matching(&item.path)?,
        Kind::CreateFile
        | Kind::TruncateFile
        | Kind::Fifo
        | Kind::Symlink
        | Kind::SymlinkIfTarget
        | Kind::CharacterDevice
        | Kind::BlockDevice
        | Kind::Write
        | Kind::Append
        | Kind::Ignore
        | Kind::Remove
        | Kind::RemoveTree
        | Kind::Adjust
        | Kind::AdjustTree
        | Kind::Attributes
        | Kind::AttributesTree
        | Kind::Flags
        | Kind::FlagsTree
        | Kind::Acl
        | Kind::AclTree => return Ok(()),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    let Some(limit) = now.checked_sub(age.span.0) else { return Ok(()) };
    for path in paths {
        directory(root, &path, age, limit, ignored)?;
    }
    Ok(())
}

/// A directory entered: what is left to look at in it.
struct Level {
    fd: OwnedFd,
    path: String,
    left: Vec<String>,
    /// Its name in the level above, and whether it is old enough to go itself.
    name: String,
    old: bool,
}

fn directory(root: &Root, path: &str, age: &Age, limit: u64, ignored: &Ignored) -> Result<(), Trouble> {
    let Some(place) = root.place(path, Missing::Reported)? else { return Ok(()) };
    let Some(top) = enter(&place.directory, &place.name)? else { return Ok(()) };
    let device = stat_of(top.as_fd())?.st_dev;
    let left = names(top.as_fd())?;
    let mut levels = vec![Level { fd: top, path: path.to_owned(), left, name: String::new(), old: false }];
    let mut entries = 0;
    while let Some(level) = levels.last_mut() {
        entries += 1;
        if entries > ENTRIES_MAX {
            break;
        }
        let Some(name) = level.left.pop() else {
            leave(&mut levels, age);
            continue;
        };
        let path = format!("{}/{name}", level.path);
        if ignored.keeps_all_in(&path) {
            continue;
        }
        let Some(times) = times(&level.fd, &name)? else { continue };
        if times.device != device {
            continue;
        }
        if times.kind == FileType::Directory {
            // Where a program holds the lock, nothing is cleaned.
            let Some(fd) = enter(&level.fd, &name)? else { continue };
            let old = times.newest(age.directories) < limit && !times.sticky && !ignored.keeps(&path);
            let left = names(fd.as_fd())?;
            levels.push(Level { fd, path, left, name, old });
            continue;
        }
        let first_level = levels.len() == 1;
        let spared = age.keep_first_level && first_level || times.sticky || ignored.keeps(&path);
        let in_use = times.kind == FileType::Socket
            || times.kind == FileType::CharacterDevice
            || times.kind == FileType::BlockDevice;
        if let (Some(level), false) = (levels.last(), spared || in_use || times.newest(age.files) >= limit) {
            match rustix::fs::unlinkat(&level.fd, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(Trouble::Os { what: "remove an old file", errno }),
            }
        }
    }
    Ok(())
}

/// Out of a directory; if it is old, and empty by now, it goes.
fn leave(levels: &mut Vec<Level>, age: &Age) {
    let Some(done) = levels.pop() else { return };
    let spared = age.keep_first_level && levels.len() == 1;
    if let (Some(above), true) = (levels.last(), done.old && !spared) {
        // Still in use, or filled meanwhile: it stays.
        match rustix::fs::unlinkat(&above.fd, &done.name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(_) => {}
        }
    }
}

/// `None`: no directory, or locked by somebody.
fn enter(at: &OwnedFd, name: &str) -> Result<Option<OwnedFd>, Trouble> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOATIME;
    let opened = match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(at, name, flags - OFlags::NOATIME, Mode::empty()),
        opened => opened,
    };
    let fd = match opened {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        Err(errno) => return Err(Trouble::Os { what: "open", errno }),
    };
    match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Some(fd)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(Trouble::Os { what: "lock it", errno }),
    }
}

struct Times {
    kind: FileType,
    device: u64,
    sticky: bool,
    accessed: u64,
    born: u64,
    changed: u64,
    modified: u64,
}

impl Times {
    fn newest(&self, by: By) -> u64 {
        let counted = [
            (by.accessed, self.accessed),
            (by.born, self.born),
            (by.changed, self.changed),
            (by.modified, self.modified),
        ];
        counted.into_iter().filter(|(counts, _)| *counts).map(|(_, time)| time).max().unwrap_or(0)
    }
}

fn times(at: &OwnedFd, name: &str) -> Result<Option<Times>, Trouble> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let found = match rustix::fs::statx(at, name, AtFlags::SYMLINK_NOFOLLOW, wanted) {
        Err(Errno::NOENT) => return Ok(None),
        found => tried("look at a file", found)?,
    };
    let kind = FileType::from_raw_mode(u32::from(found.stx_mode));
    let time = |time: rustix::fs::StatxTimestamp| {
        u64::try_from(time.tv_sec).unwrap_or(0).saturating_mul(1_000_000) + u64::from(time.tv_nsec / 1_000)
    };
    Ok(Some(Times {
        kind,
        device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
        // A sticky file asks to be left alone; a sticky directory is cleaned, and stays.
        sticky: found.stx_mode & 0o1000 != 0,
        accessed: time(found.stx_atime),
        born: time(found.stx_btime),
        changed: time(found.stx_ctime),
        modified: time(found.stx_mtime),
    }))
}
