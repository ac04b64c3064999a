//! Extended attributes (`t`), inode flags (`h`) and access lists (`a`).

use super::acl;
use super::line::{Item, Kind};
use super::walk::{Trouble, by_descriptor, file_type, tried};
use eudaemon_unit::values::words::Words;
use rustix::fs::{FileType, IFlags, Mode, OFlags, Stat, XattrFlags};
use rustix::io::Errno;
use std::os::fd::BorrowedFd;

/// What the line says, for one file; links have none of these.
pub fn set(node: BorrowedFd<'_>, found: &Stat, item: &Item) -> Result<(), Trouble> {
    if file_type(found) == FileType::Symlink {
        return Ok(());
    }
    let text = item.argument_text().unwrap_or_default();
    if matches!(item.kind, Kind::Attributes | Kind::AttributesTree) {
        extended(node, &text)
    } else if matches!(item.kind, Kind::Flags | Kind::FlagsTree) {
        flags(node, found, &text)
    } else {
        acl::set(node, found, &text, item.plus)
    }
}

fn extended(node: BorrowedFd<'_>, text: &str) -> Result<(), Trouble> {
    for word in Words::quoted(text) {
        let word = word.map_err(|_| Trouble::Other("a quote is open".to_owned()))?.text;
        let Some((name, value)) = word.split_once('=') else {
            return Err(Trouble::Other(format!("'{word}' is no attribute, such as user.name=value")));
        };
        let set = rustix::fs::setxattr(by_descriptor(node), name, value.as_bytes(), XattrFlags::empty());
        tried("set an extended attribute", set)?;
    }
    Ok(())
}

/// chattr(1)'s letters, in systemd's order.
const LETTERS: [(char, IFlags); 15] = [
    ('A', IFlags::NOATIME),
    ('S', IFlags::SYNC),
    ('D', IFlags::DIRSYNC),
    ('a', IFlags::APPEND),
    ('c', IFlags::COMPRESSED),
    ('d', IFlags::NODUMP),
    ('e', IFlags::from_bits_retain(0x0008_0000)),
    ('i', IFlags::IMMUTABLE),
    ('j', IFlags::JOURNALING),
    ('s', IFlags::SECURE_REMOVAL),
    ('u', IFlags::UNRM),
    ('t', IFlags::NOTAIL),
    ('T', IFlags::TOPDIR),
    ('C', IFlags::NOCOW),
    ('P', IFlags::PROJECT_INHERIT),
];

fn flags(node: BorrowedFd<'_>, found: &Stat, text: &str) -> Result<(), Trouble> {
    if !matches!(file_type(found), FileType::RegularFile | FileType::Directory) {
        return Ok(());
    }
    let (sign, letters) = match text.strip_prefix(['+', '-', '=']) {
        Some(letters) => (text.as_bytes()[0], letters),
        None => (b'+', text),
    };
    let mut given = IFlags::empty();
    for letter in letters.chars() {
        let known = LETTERS.iter().find(|(known, _)| *known == letter);
        let (_, flag) = known.ok_or_else(|| Trouble::Other(format!("'{letter}' is no file attribute")))?;
        given |= *flag;
    }
    let open = rustix::fs::open(
        by_descriptor(node),
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOATIME,
        Mode::empty(),
    );
    let open = tried("open", open)?;
    let all = LETTERS.iter().fold(IFlags::empty(), |all, (_, flag)| all | *flag);
    let change = rustix::fs::ioctl_getflags(&open).and_then(|now| {
        let wanted = match sign {
            b'-' => now - given,
            b'=' => (now - all) | given,
            _ => now | given,
        };
        if wanted == now { Ok(()) } else { rustix::fs::ioctl_setflags(&open, wanted) }
    });
    match change {
        // The file system has no such thing: nothing that the line is for is lost.
        Ok(()) | Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(Trouble::Os { what: "set file attributes", errno }),
    }
}
