//! POSIX access lists, acl(5), in the form the kernel keeps them in: `system.posix_acl_access` and `…_default`.

use super::walk::{Trouble, by_descriptor, file_type, tried};
use crate::accounts::Accounts;
use rustix::fs::{FileType, Stat, XattrFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

const VERSION: u32 = 2;
const NO_ID: u32 = u32::MAX;
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// Tag and id → permissions; the map's order is the kernel's.
type List = BTreeMap<(u16, u32), u16>;

/// Entries such as `group:adm:r-x,default:group:adm:r-x`, instead of the lists there or beside them.
pub fn set(node: BorrowedFd<'_>, found: &Stat, text: &str, add: bool) -> Result<(), Trouble> {
    let accounts = Accounts::read("");
    let (mut access, mut default) = (List::new(), List::new());
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (list, entry) = match entry.strip_prefix("default:").or_else(|| entry.strip_prefix("d:")) {
            Some(entry) => (&mut default, entry),
            None => (&mut access, entry),
        };
        let bad = || Trouble::Other(format!("'{entry}' is no entry of an access list"));
        let fields: Vec<&str> = entry.split(':').collect();
        let (tag, name, permissions) = match fields[..] {
            [tag, permissions] => (tag, "", permissions),
            [tag, name, permissions] => (tag, name, permissions),
            _ => return Err(bad()),
        };
        let key = match (tag, name) {
            ("user" | "u", "") => (USER_OBJ, NO_ID),
            ("user" | "u", name) => (USER, accounts.user(name).ok_or_else(bad)?),
            ("group" | "g", "") => (GROUP_OBJ, NO_ID),
            ("group" | "g", name) => (GROUP, accounts.group(name).ok_or_else(bad)?),
            ("mask" | "m", "") => (MASK, NO_ID),
            ("other" | "o", "") => (OTHER, NO_ID),
            (_, _) => return Err(bad()),
        };
        list.insert(key, bits(permissions, found).ok_or_else(bad)?);
    }
    apply(node, found, "system.posix_acl_access", access, add)?;
    if file_type(found) == FileType::Directory {
        apply(node, found, "system.posix_acl_default", default, add)?;
    }
    Ok(())
}

fn bits(text: &str, found: &Stat) -> Option<u16> {
    let executable = file_type(found) == FileType::Directory || found.st_mode & 0o111 != 0;
    text.chars().try_fold(0, |bits, letter| match letter {
        'r' => Some(bits | 4),
        'w' => Some(bits | 2),
        'x' => Some(bits | 1),
        'X' if executable => Some(bits | 1),
        'X' | '-' => Some(bits),
        _ => None,
    })
}

fn apply(node: BorrowedFd<'_>, found: &Stat, name: &str, given: List, add: bool) -> Result<(), Trouble> {
    if given.is_empty() {
        return Ok(());
    }
    let path = by_descriptor(node);
    let masked = given.contains_key(&(MASK, NO_ID));
    let mut list = if add { read(&path, name) } else { List::new() };
    list.extend(given);
    // The entries every list has, as the mode says them.
    for (tag, shift) in [(USER_OBJ, 6), (GROUP_OBJ, 3), (OTHER, 0)] {
        list.entry((tag, NO_ID)).or_insert((found.st_mode >> shift & 7) as u16);
    }
    let named = list.keys().any(|(tag, _)| *tag == USER || *tag == GROUP);
    if named && !masked {
        let grouped = list.iter().filter(|((tag, _), _)| [USER, GROUP_OBJ, GROUP].contains(tag));
        let mask = grouped.fold(0, |mask, (_, bits)| mask | bits);
        list.insert((MASK, NO_ID), mask);
    }
    let mut bytes = VERSION.to_le_bytes().to_vec();
    for ((tag, id), permissions) in &list {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    match rustix::fs::setxattr(&path, name, &bytes, XattrFlags::empty()) {
        // A file system without access lists loses nothing by not having one.
        Err(Errno::OPNOTSUPP) => Ok(()),
        set => tried("set the access list", set),
    }
}

fn read(path: &str, name: &str) -> List {
    let mut bytes = vec![0u8; 65_536];
    let length = rustix::fs::getxattr(path, name, &mut bytes[..]).unwrap_or(0);
    let entries = bytes.get(4..length).unwrap_or_default().chunks_exact(8);
    let number = |entry: &[u8], at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
    let id = |entry: &[u8]| u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
    entries.map(|entry| ((number(entry, 0), id(entry)), number(entry, 2))).collect()
}
