//! Paths, walked one component at a time below a root, never through a place where somebody without privileges
//! could have put a link: a directory that belongs to a user may lead to nothing but what is that user's.

use crate::LINKS_FOLLOWED;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Why a line could not be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    Os {
        what: &'static str,
        errno: Errno,
    },
    /// A step from a user's directory to what is somebody else's.
    Unsafe(String),
    Other(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Os { what, errno } => {
                write!(f, "cannot {what}: {}", std::io::Error::from_raw_os_error(errno.raw_os_error()))
            }
            Trouble::Unsafe(at) => write!(f, "unsafe step to {at}, which belongs to another user"),
            Trouble::Other(text) => f.write_str(text),
        }
    }
}

/// Gives an errno the word for what was tried.
pub fn tried<T>(what: &'static str, result: rustix::io::Result<T>) -> Result<T, Trouble> {
    result.map_err(|errno| Trouble::Os { what, errno })
}

/// What happens to directories that are missing on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Reported,
    Made,
    /// And what is there and is no directory is replaced by one.
    Forced,
}

/// The top of the tree that paths are relative to.
pub struct Root {
    fd: OwnedFd,
}

/// An open directory and the last name of a path in it.
pub struct Place {
    pub directory: OwnedFd,
    pub name: String,
}

const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Root {
    pub fn open(root: &str) -> Result<Root, String> {
        let path = if root.is_empty() { "/" } else { root };
        let opened =
            rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        opened.map(|fd| Root { fd }).map_err(|errno| format!("cannot open {path}: {errno}"))
    }

    /// The directory a path lies in, links above it followed. `None`: it is not there.
    pub fn place(&self, path: &str, missing: Missing) -> Result<Option<Place>, Trouble> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let directory = match self.directory(above, missing) {
            Ok(directory) => directory,
            Err(Trouble::Os { errno: Errno::NOENT | Errno::NOTDIR, .. }) if missing == Missing::Reported => {
                return Ok(None);
            }
            Err(other) => return Err(other),
        };
        // The root itself has no name in anything.
        let name = if name.is_empty() { "." } else { name };
        Ok(Some(Place { directory, name: name.to_owned() }))
    }

    /// A directory, links on the way and at its end followed.
    pub fn directory(&self, path: &str, missing: Missing) -> Result<OwnedFd, Trouble> {
        let mut walked = vec![tried("open the root", self.fd.try_clone().map_err(|_| Errno::MFILE))?];
        let mut before = stat_of(walked[0].as_fd())?;
        let mut ahead: Vec<String> = parts(path).rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                if walked.len() > 1 {
                    walked.pop();
                }
                before = stat_of(walked[walked.len() - 1].as_fd())?;
                continue;
            }
            let at = walked[walked.len() - 1].as_fd();
            let next = match rustix::fs::openat(at, &part, LOOK, Mode::empty()) {
                Err(Errno::NOENT) if missing != Missing::Reported => make_directory(at, &part)?,
                opened => tried("open", opened)?,
            };
            let found = stat_of(next.as_fd())?;
            if before.st_uid != 0 && before.st_uid != found.st_uid {
                return Err(Trouble::Unsafe(part));
            }
            before = found;
            match file_type(&found) {
                FileType::Symlink if missing == Missing::Forced && !leads_to_directory(at, &part) => {
                    super::remove::remove_tree(at, &part)?;
                    let made = make_directory(at, &part)?;
                    walked.push(made);
                }
                FileType::Symlink => {
                    links += 1;
                    if links > LINKS_FOLLOWED {
                        return Err(Trouble::Os { what: "follow links", errno: Errno::LOOP });
                    }
                    let target = tried("read a link", rustix::fs::readlinkat(&next, "", Vec::new()))?;
                    let target = target.to_string_lossy().into_owned();
                    if target.starts_with('/') {
                        walked.truncate(1);
                    }
                    ahead.extend(parts(&target).rev().map(str::to_owned));
                }
                FileType::Directory => walked.push(next),
                _ if missing == Missing::Forced => {
                    super::remove::remove_tree(at, &part)?;
                    let made = make_directory(at, &part)?;
                    walked.push(made);
                }
                FileType::RegularFile
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => return Err(Trouble::Os { what: "open", errno: Errno::NOTDIR }),
            }
        }
        walked.pop().ok_or(Trouble::Os { what: "open", errno: Errno::NOENT })
    }

    /// Paths that a pattern names: braces, `*`, `?` and sets; a leading dot is matched by a dot alone.
    pub fn matching(&self, pattern: &str) -> Result<Vec<String>, Trouble> {
        let mut found = Vec::new();
        for pattern in braces(pattern) {
            let mut paths = vec![String::new()];
            for part in parts(&pattern) {
                let mut next = Vec::new();
                for path in &paths {
                    self.matching_part(path, part, &mut next)?;
                }
                paths = next;
            }
            found.extend(paths);
        }
        found.retain(|path| !path.is_empty());
        found.dedup();
        Ok(found)
    }

    /// Every path that matches; the first failure is told when all are done.
    pub fn each(&self, pattern: &str, act: &dyn Fn(&str) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let mut first = Ok(());
        for path in self.matching(pattern)? {
            let done = act(&path);
            if first.is_ok() {
                first = done;
            }
        }
        first
    }

    fn matching_part(&self, path: &str, part: &str, found: &mut Vec<String>) -> Result<(), Trouble> {
        if !part.contains(['*', '?', '[', '\\']) {
            let there = self.place(&format!("{path}/{part}"), Missing::Reported)?;
            if there.is_some_and(|there| there.open().is_ok_and(|node| node.is_some())) {
                found.push(format!("{path}/{part}"));
            }
            return Ok(());
        }
        let directory = match self.directory(path, Missing::Reported) {
            Ok(directory) => directory,
            Err(Trouble::Os { errno: Errno::NOENT | Errno::NOTDIR, .. }) => return Ok(()),
            Err(other) => return Err(other),
        };
        for name in names(directory.as_fd())? {
            let hidden = name.starts_with('.') && !part.starts_with('.');
            if !hidden && eudaemon_unit::files::glob(part, &name) {
                found.push(format!("{path}/{name}"));
            }
        }
        Ok(())
    }
}

impl Place {
    /// What stands there, itself. `None`: nothing.
    pub fn open(&self) -> Result<Option<OwnedFd>, Trouble> {
        match rustix::fs::openat(&self.directory, &self.name, LOOK, Mode::empty()) {
            Ok(node) => Ok(Some(node)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Trouble::Os { what: "open", errno }),
        }
    }
}

/// Names in a directory, sorted, without `.` and `..`.
pub fn names(directory: BorrowedFd<'_>) -> Result<Vec<String>, Trouble> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let readable = tried("open", rustix::fs::openat(directory, ".", flags, Mode::empty()))?;
    let mut names = Vec::new();
    for entry in tried("list", Dir::new(readable))? {
        let name = tried("list", entry)?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

pub fn stat_of(fd: BorrowedFd<'_>) -> Result<Stat, Trouble> {
    tried("look at it", rustix::fs::statat(fd, "", AtFlags::EMPTY_PATH))
}

pub fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A path to what an `O_PATH` descriptor stands for, for calls that take no such descriptor.
pub fn by_descriptor(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Changes the mode of what a descriptor stands for, `O_PATH` or not.
pub fn change_mode(fd: BorrowedFd<'_>, bits: u32) -> Result<(), Trouble> {
    let changed = rustix::fs::chmodat(CWD, by_descriptor(fd), Mode::from_raw_mode(bits), AtFlags::empty());
    tried("change the mode", changed)
}

fn leads_to_directory(at: BorrowedFd<'_>, name: &str) -> bool {
    rustix::fs::openat(at, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).is_ok()
}

fn make_directory(at: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Trouble> {
    match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Trouble::Os { what: "make a directory above it", errno }),
    }
    tried("open", rustix::fs::openat(at, name, LOOK, Mode::empty()))
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// `a{b,c}` as `ab` and `ac`; a bounded number of them.
fn braces(pattern: &str) -> Vec<String> {
    const MOST: usize = 1_000;
    let mut done = Vec::new();
    let mut ahead = vec![pattern.to_owned()];
    while let Some(pattern) = ahead.pop() {
        let inner = pattern.rfind('{').and_then(|open| {
            let close = pattern[open..].find('}')? + open;
            pattern[open..close].contains(',').then_some((open, close))
        });
        match inner {
            Some((open, close)) if ahead.len() + done.len() < MOST => {
                let choices = pattern[open + 1..close].split(',');
                ahead.extend(
                    choices
                        .rev()
                        .map(|choice| format!("{}{choice}{}", &pattern[..open], &pattern[close + 1..])),
                );
            }
            Some(_) | None => done.push(pattern),
        }
    }
    done
}
