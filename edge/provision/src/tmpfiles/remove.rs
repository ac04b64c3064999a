//! `--remove`: `r`, `R`, and what is inside the directories of `D`.

use super::line::{Item, Kind};
use super::walk::{Missing, Root, Trouble, file_type, names, stat_of, tried};
use crate::ENTRIES_MAX;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub fn remove(root: &Root, item: &Item) -> Result<(), Trouble> {
    match item.kind {
        Kind::Remove => root.each(&item.path, &|path| remove_one(root, path)),
        Kind::RemoveTree => root.each(&item.path, &|path| match root.place(path, Missing::Reported)? {
            Some(place) => remove_tree(place.directory.as_fd(), &place.name),
            None => Ok(()),
        }),
        Kind::EmptiedDirectory => match root.place(&item.path, Missing::Reported)? {
            Some(place) => empty_tree(place.directory.as_fd(), &place.name),
            None => Ok(()),
        },
        Kind::CreateFile
        | Kind::TruncateFile
        | Kind::CreateDirectory
        | Kind::Fifo
        | Kind::Symlink
        | Kind::SymlinkIfTarget
        | Kind::CharacterDevice
        | Kind::BlockDevice
        | Kind::Copy
        | Kind::Write
        | Kind::Append
        | Kind::AdjustDirectory
        | Kind::Ignore
        | Kind::IgnoreDirectory
        | Kind::Adjust
        | Kind::AdjustTree
        | Kind::Attributes
        | Kind::AttributesTree
        | Kind::Flags
        | Kind::FlagsTree
        | Kind::Acl
        | Kind::AclTree => Ok(()),
    }
}

/// A file, or a directory that is empty.
fn remove_one(root: &Root, path: &str) -> Result<(), Trouble> {
    let Some(place) = root.place(path, Missing::Reported)? else { return Ok(()) };
    match rustix::fs::unlinkat(&place.directory, &place.name, AtFlags::empty()) {
        Err(Errno::ISDIR) => match rustix::fs::unlinkat(&place.directory, &place.name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(Trouble::Os { what: "remove it", errno }),
        },
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Trouble::Os { what: "remove it", errno }),
    }
}

/// Whatever stands there and all in it.
pub fn remove_tree(directory: BorrowedFd<'_>, name: &str) -> Result<(), Trouble> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(errno) => return Err(Trouble::Os { what: "remove it", errno }),
    }
    empty_tree(directory, name)?;
    match rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Trouble::Os { what: "remove it", errno }),
    }
}

/// All in a directory, which stays. Other file systems mounted in it are left alone; so is a link.
fn empty_tree(directory: BorrowedFd<'_>, name: &str) -> Result<(), Trouble> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(top) => top,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
        Err(errno) => return Err(Trouble::Os { what: "open", errno }),
    };
    let device = stat_of(top.as_fd())?.st_dev;
    let first = names(top.as_fd())?;
    // Directories entered, each with the names in it still to be removed, and its own.
    let mut open: Vec<(OwnedFd, Vec<String>, String)> = vec![(top, first, String::new())];
    let mut entries = 0;
    while let Some((at, left, _)) = open.last_mut() {
        entries += 1;
        if entries > ENTRIES_MAX {
            return Err(Trouble::Other("there is no end to what is in it".to_owned()));
        }
        let Some(name) = left.pop() else {
            let finished = open.pop();
            if let (Some((_, _, name)), Some((above, _, _))) = (finished, open.last()) {
                match rustix::fs::unlinkat(above, &name, AtFlags::REMOVEDIR) {
                    Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::BUSY) => {}
                    Err(errno) => return Err(Trouble::Os { what: "remove a directory in it", errno }),
                }
            }
            continue;
        };
        match rustix::fs::unlinkat(&*at, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => continue,
            Err(Errno::ISDIR) => {}
            Err(errno) => return Err(Trouble::Os { what: "remove a file in it", errno }),
        }
        let below = tried("open a directory in it", rustix::fs::openat(&*at, &name, flags, Mode::empty()))?;
        let found = stat_of(below.as_fd())?;
        if found.st_dev == device && file_type(&found) == FileType::Directory {
            let inside = names(below.as_fd())?;
            open.push((below, inside, name));
        }
    }
    Ok(())
}
