//! `--create`: what is to be there is made, what is there is put right.

use super::attributes;
use super::line::{Given, Item, Kind};
use super::remove::remove_tree;
use super::walk::{Missing, Place, Root, Trouble, change_mode, file_type, names, stat_of, tried};
use crate::ENTRIES_MAX;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub fn create(root: &Root, item: &Item) -> Result<(), Trouble> {
    match item.kind {
        Kind::CreateFile | Kind::TruncateFile => file(root, item),
        Kind::CreateDirectory | Kind::EmptiedDirectory => directory(root, item),
        Kind::Fifo => node(root, item, FileType::Fifo, 0),
        Kind::CharacterDevice | Kind::BlockDevice => device(root, item),
        Kind::Symlink => symlink(root, item),
        Kind::SymlinkIfTarget => match symlink_target(root, item)? {
            true => symlink(root, item),
            false => Ok(()),
        },
        Kind::Copy => copy(root, item),
        Kind::Write | Kind::Append => root.each(&item.path, &|path| write_existing(root, item, path)),
        Kind::AdjustDirectory => root.each(&item.path, &|path| adjust_directory(root, item, path)),
        Kind::Adjust => root.each(&item.path, &|path| adjust(root, item, path)),
        Kind::AdjustTree => each_in_tree(root, item, &|node, found| permissions(node, found, item, Age::Old)),
        Kind::Attributes | Kind::Flags | Kind::Acl => root.each(&item.path, &|path| {
            let Some(node) =
                root.place(path, Missing::Reported)?.map(|place| place.open()).transpose()?.flatten()
            else {
                return Ok(());
            };
            attributes::set(node.as_fd(), &stat_of(node.as_fd())?, item)
        }),
        Kind::AttributesTree | Kind::FlagsTree | Kind::AclTree => {
            each_in_tree(root, item, &|node, found| attributes::set(node, found, item))
        }
        Kind::Ignore | Kind::IgnoreDirectory | Kind::Remove | Kind::RemoveTree => Ok(()),
    }
}

/// Whether a line made the file it gives permissions to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    New,
    Old,
}

/// Mode and owner of what a descriptor stands for.
fn permissions(node: BorrowedFd<'_>, found: &Stat, item: &Item, age: Age) -> Result<(), Trouble> {
    fn counts<T>(given: &Given<T>, age: Age) -> bool {
        age == Age::New || !given.only_new
    }
    let kind = file_type(found);
    if kind != FileType::Directory && found.st_nlink > 1 && hardlinks_are_dangerous() {
        return Err(Trouble::Other("it has a second name, by which it may be somebody else's".to_owned()));
    }
    let user = item.user.filter(|given| counts(given, age)).map(|given| given.value);
    let group = item.group.filter(|given| counts(given, age)).map(|given| given.value);
    let user = user.filter(|user| *user != found.st_uid);
    let group = group.filter(|group| *group != found.st_gid);
    if user.is_some() || group.is_some() {
        let (user, group) = (user.map(Uid::from_raw), group.map(Gid::from_raw));
        tried("change the owner", rustix::fs::chownat(node, "", user, group, AtFlags::EMPTY_PATH))?;
    }
    let Some(mode) = item.mode.filter(|given| counts(given, age)) else { return Ok(()) };
    if kind == FileType::Symlink {
        return Ok(());
    }
    let bits = if mode.value.masked { masked(mode.value.bits, found.st_mode) } else { mode.value.bits };
    // Changing the owner took the set-id bits away.
    if bits != found.st_mode & 0o7777 || user.is_some() || group.is_some() {
        change_mode(node, bits)?;
    }
    Ok(())
}

/// A permission that nobody has is given to nobody.
fn masked(mut bits: u32, now: u32) -> u32 {
    for class in [0o111, 0o222, 0o444] {
        if now & class == 0 {
            bits &= !class;
        }
    }
    if FileType::from_raw_mode(now) == FileType::Directory { bits } else { bits & 0o777 }
}

/// Without the kernel's protection a user may link somebody else's file into a directory of his own.
fn hardlinks_are_dangerous() -> bool {
    !std::fs::read_to_string("/proc/sys/fs/protected_hardlinks").is_ok_and(|text| text.trim() == "1")
}

fn mode_or(item: &Item, default: u32) -> Mode {
    Mode::from_raw_mode(item.mode.map_or(default, |given| given.value.bits))
}

fn made(root: &Root, item: &Item) -> Result<Place, Trouble> {
    let missing = if item.forced { Missing::Forced } else { Missing::Made };
    root.place(&item.path, missing)?.ok_or(Trouble::Os { what: "open", errno: Errno::NOENT })
}

fn wrong_kind(what: &str) -> Trouble {
    Trouble::Other(format!("it is there already and is no {what}"))
}

/// Takes away what is of another type, if the line says so; whether there is anything left.
fn force(place: &Place, item: &Item, wanted: FileType) -> Result<(), Trouble> {
    if !item.forced {
        return Ok(());
    }
    if let Some(node) = place.open()?
        && file_type(&stat_of(node.as_fd())?) != wanted
    {
        remove_tree(place.directory.as_fd(), &place.name)?;
    }
    Ok(())
}

fn file(root: &Root, item: &Item) -> Result<(), Trouble> {
    let place = made(root, item)?;
    force(&place, item, FileType::RegularFile)?;
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let new = rustix::fs::openat(
        &place.directory,
        &place.name,
        flags | OFlags::CREATE | OFlags::EXCL,
        mode_or(item, 0o644),
    );
    match new {
        Ok(new) => {
            write_all(&new, item)?;
            permissions(new.as_fd(), &stat_of(new.as_fd())?, item, Age::New)
        }
        Err(Errno::EXIST) => {
            let Some(node) = place.open()? else { return Ok(()) };
            let found = stat_of(node.as_fd())?;
            if file_type(&found) != FileType::RegularFile {
                return Err(wrong_kind("file"));
            }
            if item.kind == Kind::TruncateFile {
                let open =
                    rustix::fs::openat(&place.directory, &place.name, flags | OFlags::TRUNC, Mode::empty());
                write_all(&tried("open", open)?, item)?;
            }
            permissions(node.as_fd(), &found, item, Age::Old)
        }
        Err(errno) => Err(Trouble::Os { what: "make it", errno }),
    }
}

fn write_all(fd: &OwnedFd, item: &Item) -> Result<(), Trouble> {
    let mut left = item.argument.as_deref().unwrap_or_default();
    while !left.is_empty() {
        let count = tried("write", rustix::io::write(fd, left))?;
        left = &left[count..];
    }
    Ok(())
}

fn directory(root: &Root, item: &Item) -> Result<(), Trouble> {
    let place = made(root, item)?;
    force(&place, item, FileType::Directory)?;
    let age = match rustix::fs::mkdirat(&place.directory, &place.name, mode_or(item, 0o755)) {
        Ok(()) => Age::New,
        Err(Errno::EXIST) => Age::Old,
        Err(errno) => return Err(Trouble::Os { what: "make it", errno }),
    };
    let Some(node) = place.open()? else { return Ok(()) };
    let found = stat_of(node.as_fd())?;
    if file_type(&found) != FileType::Directory {
        return passed_over(item, &item.path);
    }
    permissions(node.as_fd(), &found, item, age)
}

/// What should be a directory and is none is said, and no failure.
fn passed_over(item: &Item, path: &str) -> Result<(), Trouble> {
    eprintln!("{}: {path}: {}", item.place, wrong_kind("directory"));
    Ok(())
}

fn device(root: &Root, item: &Item) -> Result<(), Trouble> {
    let text = item.argument_text().unwrap_or_default();
    let numbers =
        text.split_once(':').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let Some((major, minor)) = numbers else {
        return Err(Trouble::Other(format!("'{text}' is no device, such as 1:3")));
    };
    let kind = if item.kind == Kind::BlockDevice { FileType::BlockDevice } else { FileType::CharacterDevice };
    node(root, item, kind, rustix::fs::makedev(major, minor))
}

fn node(root: &Root, item: &Item, kind: FileType, device: u64) -> Result<(), Trouble> {
    let place = made(root, item)?;
    force(&place, item, kind)?;
    let make = || rustix::fs::mknodat(&place.directory, &place.name, kind, mode_or(item, 0o644), device);
    let mut age = Age::New;
    match make() {
        Ok(()) => {}
        // A container may not make devices; what it is given is all there is.
        Err(Errno::PERM) if kind != FileType::Fifo => return Ok(()),
        Err(Errno::EXIST) => {
            let same = place.open()?.map(|node| stat_of(node.as_fd())).transpose()?;
            let same = same.is_some_and(|found| {
                file_type(&found) == kind && (kind == FileType::Fifo || found.st_rdev == device)
            });
            if same {
                age = Age::Old;
            } else if item.plus {
                remove_tree(place.directory.as_fd(), &place.name)?;
                tried("make it", make())?;
            } else {
                return Ok(());
            }
        }
        Err(errno) => return Err(Trouble::Os { what: "make it", errno }),
    }
    let Some(node) = place.open()? else { return Ok(()) };
    permissions(node.as_fd(), &stat_of(node.as_fd())?, item, age)
}

fn symlink(root: &Root, item: &Item) -> Result<(), Trouble> {
    let place = made(root, item)?;
    force(&place, item, FileType::Symlink)?;
    let target = item.argument_text().unwrap_or_default();
    let make = || rustix::fs::symlinkat(&target, &place.directory, &place.name);
    match make() {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => {
            let there = rustix::fs::readlinkat(&place.directory, &place.name, Vec::new());
            if there.is_ok_and(|there| there.to_bytes() == target.as_bytes()) || !item.plus {
                return Ok(());
            }
            remove_tree(place.directory.as_fd(), &place.name)?;
            tried("make the link", make())
        }
        Err(errno) => Err(Trouble::Os { what: "make the link", errno }),
    }
}

/// Whether what a link would lead to is there.
fn symlink_target(root: &Root, item: &Item) -> Result<bool, Trouble> {
    let target = item.argument_text().unwrap_or_default();
    let above = item.path.rsplit_once('/').map_or("", |(above, _)| above);
    let path = if target.starts_with('/') { target } else { format!("{above}/{target}") };
    Ok(match root.place(&path, Missing::Reported)? {
        Some(place) => place.open()?.is_some(),
        None => false,
    })
}

/// `w` follows links, but not through places that are not safe.
fn write_existing(root: &Root, item: &Item, path: &str) -> Result<(), Trouble> {
    let mut path = path.to_owned();
    for _ in 0..crate::LINKS_FOLLOWED {
        let Some(place) = root.place(&path, Missing::Reported)? else { return Ok(()) };
        let Some(node) = place.open()? else { return Ok(()) };
        if file_type(&stat_of(node.as_fd())?) == FileType::Symlink {
            let target = tried("read a link", rustix::fs::readlinkat(&node, "", Vec::new()))?;
            let target = target.to_string_lossy().into_owned();
            let above = path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
            path = if target.starts_with('/') { target } else { format!("{above}/{target}") };
            continue;
        }
        let append = if item.kind == Kind::Append { OFlags::APPEND } else { OFlags::empty() };
        let flags =
            OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK | append;
        let open = rustix::fs::openat(&place.directory, &place.name, flags, Mode::empty());
        let open = tried("open it for writing", open)?;
        write_all(&open, item)?;
        return permissions(open.as_fd(), &stat_of(open.as_fd())?, item, Age::Old);
    }
    Err(Trouble::Os { what: "follow links", errno: Errno::LOOP })
}

fn adjust(root: &Root, item: &Item, path: &str) -> Result<(), Trouble> {
    let Some(place) = root.place(path, Missing::Reported)? else { return Ok(()) };
    let Some(node) = place.open()? else { return Ok(()) };
    permissions(node.as_fd(), &stat_of(node.as_fd())?, item, Age::Old)
}

/// A link to a directory is followed, as long as nobody else could have made it.
fn adjust_directory(root: &Root, item: &Item, path: &str) -> Result<(), Trouble> {
    match root.directory(path, Missing::Reported) {
        Ok(node) => permissions(node.as_fd(), &stat_of(node.as_fd())?, item, Age::Old),
        Err(Trouble::Os { errno: Errno::NOENT, .. }) => Ok(()),
        Err(Trouble::Os { errno: Errno::NOTDIR, .. }) => passed_over(item, path),
        Err(other) => Err(other),
    }
}

/// Every path that matches and all below; links are looked at, not followed.
fn each_in_tree(
    root: &Root,
    item: &Item,
    act: &dyn Fn(BorrowedFd<'_>, &Stat) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    root.each(&item.path, &|path| {
        let Some(place) = root.place(path, Missing::Reported)? else { return Ok(()) };
        let Some(top) = place.open()? else { return Ok(()) };
        let mut ahead = vec![top];
        let mut entries = 0;
        while let Some(node) = ahead.pop() {
            let found = stat_of(node.as_fd())?;
            act(node.as_fd(), &found)?;
            if file_type(&found) != FileType::Directory {
                continue;
            }
            for name in names(node.as_fd())? {
                entries += 1;
                if entries > ENTRIES_MAX {
                    return Err(Trouble::Other("there is no end to what is in it".to_owned()));
                }
                let below =
                    Place { directory: tried("open", node.try_clone().map_err(|_| Errno::MFILE))?, name };
                let Some(below) = below.open()? else { continue };
                if file_type(&stat_of(below.as_fd())?) == FileType::Directory {
                    ahead.push(below);
                } else {
                    act(below.as_fd(), &stat_of(below.as_fd())?)?;
                }
            }
        }
        Ok(())
    })
}

/// `C`: a file or tree, where nothing is yet, or an empty directory.
fn copy(root: &Root, item: &Item) -> Result<(), Trouble> {
    let source = item.argument_text().unwrap_or_default();
    let Some(from) = root.place(&source, Missing::Reported)? else { return Ok(()) };
    let Some(from) = from.open()? else { return Ok(()) };
    let place = made(root, item)?;
    force(&place, item, file_type(&stat_of(from.as_fd())?))?;
    let age = match place.open()? {
        Some(there) => {
            let empty = file_type(&stat_of(there.as_fd())?) == FileType::Directory
                && names(there.as_fd())?.is_empty();
            if empty {
                copy_tree(&from, &place, item)?;
            }
            Age::Old
        }
        None => {
            copy_tree(&from, &place, item)?;
            Age::New
        }
    };
    let Some(node) = place.open()? else { return Ok(()) };
    let found = stat_of(node.as_fd())?;
    if file_type(&found) != file_type(&stat_of(from.as_fd())?) {
        return Err(wrong_kind("copy of what it should be"));
    }
    permissions(node.as_fd(), &found, item, age)
}

fn copy_tree(from: &OwnedFd, to: &Place, item: &Item) -> Result<(), Trouble> {
    let clone = |fd: &OwnedFd| tried("open", fd.try_clone().map_err(|_| Errno::MFILE));
    let mut ahead = vec![(clone(from)?, Place { directory: clone(&to.directory)?, name: to.name.clone() })];
    let mut entries = 0;
    while let Some((from, to)) = ahead.pop() {
        entries += 1;
        if entries > ENTRIES_MAX {
            return Err(Trouble::Other("there is no end to what is to be copied".to_owned()));
        }
        copy_one(&from, &to, item)?;
        if file_type(&stat_of(from.as_fd())?) != FileType::Directory {
            continue;
        }
        let Some(made) = to.open()? else { continue };
        for name in names(from.as_fd())? {
            let below = Place { directory: clone(&from)?, name: name.clone() };
            if let Some(below) = below.open()? {
                ahead.push((below, Place { directory: clone(&made)?, name }));
            }
        }
    }
    Ok(())
}

/// One node with its mode, and its owner unless the line says another.
fn copy_one(from: &OwnedFd, to: &Place, item: &Item) -> Result<(), Trouble> {
    let found = stat_of(from.as_fd())?;
    let bits = found.st_mode & 0o7777;
    let private = Mode::from_raw_mode(0o600);
    match file_type(&found) {
        FileType::Directory => {
            match rustix::fs::mkdirat(&to.directory, &to.name, Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(Trouble::Os { what: "make a directory", errno }),
            }
        }
        FileType::Symlink => {
            let target = tried("read a link", rustix::fs::readlinkat(from, "", Vec::new()))?;
            tried("make a link", rustix::fs::symlinkat(&*target, &to.directory, &to.name))?;
        }
        FileType::RegularFile => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let new = tried("make a file", rustix::fs::openat(&to.directory, &to.name, flags, private))?;
            let path = super::walk::by_descriptor(from.as_fd());
            let read =
                tried("read", rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))?;
            let copied = std::io::copy(&mut std::fs::File::from(read), &mut std::fs::File::from(new));
            copied.map_err(|error| Trouble::Other(format!("cannot copy: {error}")))?;
        }
        FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice => {
            let kind = file_type(&found);
            let made = rustix::fs::mknodat(&to.directory, &to.name, kind, private, found.st_rdev);
            tried("make a node", made)?;
        }
        FileType::Socket | FileType::Unknown => return Ok(()),
    }
    let Some(new) = to.open()? else { return Ok(()) };
    let user = Some(Uid::from_raw(item.user.map_or(found.st_uid, |given| given.value)));
    let group = Some(Gid::from_raw(item.group.map_or(found.st_gid, |given| given.value)));
    tried("change the owner", rustix::fs::chownat(&new, "", user, group, AtFlags::EMPTY_PATH))?;
    if file_type(&found) != FileType::Symlink {
        change_mode(new.as_fd(), bits)?;
    }
    Ok(())
}
