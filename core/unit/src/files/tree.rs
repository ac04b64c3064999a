//! [`Tree`]: the file system as this crate sees it, and the few questions asked of any.
//!
//! Paths are absolute, `/`-separated text. A file whose name is no UTF-8 cannot name a unit and is not listed.

use crate::limits;
use std::fmt;

/// A file system to read. Writing is not in here: what is to be written is returned as changes.
pub trait Tree {
    /// What stands at `path` itself, not followed. For [`resolve`] and [`Tree::look_at`]: nothing above `path` is a link.
    fn look(&self, path: &str) -> Result<Kind, TreeError>;
    /// Names in a directory, sorted; links on the way and at the end are followed.
    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError>;
    /// As `list`, for who wants to know of links only that they are links.
    fn entries(&self, directory: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let entry = |(name, kind)| match kind {
            Kind::Symlink(_) => (name, Entry::Link),
            Kind::File | Kind::Directory | Kind::Special => (name, Entry::Other),
        };
        Ok(self.list(directory)?.into_iter().map(entry).collect())
    }
    /// A file's content, at most `limit` bytes; links are followed.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError>;
    /// As `read`, with how the file looked just before, if that tells more than its name does: as long as [`Tree::sight`]
    /// gives an equal sight, it has the same content.
    fn read_seen(&self, path: &str, limit: u64) -> Result<(Vec<u8>, Option<Sight>), TreeError> {
        self.read(path, limit).map(|text| (text, None))
    }
    /// How a file looks from outside, links followed; `None`: that is not known here.
    fn sight(&self, _path: &str) -> Option<Sight> {
        None
    }
    /// How many bytes a file has; links are followed.
    fn size(&self, path: &str) -> Result<u64, TreeError>;
    /// A number that differs after entries were added to or removed from a directory; `None` where there is none.
    fn stamp(&self, directory: &str) -> Option<u64>;

    /// What stands at `path`: links on the way are followed, a link at the end is not.
    fn look_at(&self, path: &str) -> Result<Kind, TreeError> {
        let above = resolve(self, parent(path))?;
        self.look(&join(&above.path, base_name(path)))
    }

    /// Whether a unit file or drop-in masks: it leads to /dev/null, or is empty.
    fn is_void(&self, path: &str) -> bool {
        match resolve(self, path) {
            Ok(Resolved { path, kind: Some(Kind::File) }) => self.size(&path) == Ok(0),
            Ok(Resolved { path, kind: Some(Kind::Special) | None }) => path == "/dev/null",
            Ok(Resolved { kind: Some(Kind::Directory | Kind::Symlink(_)), .. }) | Err(_) => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    /// With its target as written.
    Symlink(String),
    /// A device, pipe or socket.
    Special,
}

/// What an entry of a directory is, as far as nothing has to be read for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Link,
    Other,
}

/// What of a file changes with its content, so that who has read it need not read it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sight {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Seconds and nanoseconds, by the clock of the file system.
    pub modified: (i64, i64),
    /// Of content or of what is known of the file: nobody sets it to what he likes.
    pub changed: (i64, i64),
}

/// Why a tree gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeError {
    NotFound,
    Denied,
    NotADirectory,
    IsADirectory,
    TooLarge { limit: u64 },
    TooManyLinks,
    Other(String),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TreeError::NotFound => f.write_str("no such file or directory"),
            TreeError::Denied => f.write_str("permission denied"),
            TreeError::NotADirectory => f.write_str("not a directory"),
            TreeError::IsADirectory => f.write_str("is a directory"),
            TreeError::TooLarge { limit } => write!(f, "larger than the limit of {limit} bytes"),
            TreeError::TooManyLinks => f.write_str("too many levels of symbolic links"),
            TreeError::Other(text) => f.write_str(text),
        }
    }
}

/// Where a path leads once all links are followed. The end, or more of it, may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub path: String,
    /// `None`: nothing there.
    pub kind: Option<Kind>,
}

/// Follows every link in `path`; absolute targets begin at the tree's own root.
pub fn resolve<T: Tree + ?Sized>(tree: &T, path: &str) -> Result<Resolved, TreeError> {
    let mut ahead: Vec<String> = components(path).rev().map(str::to_owned).collect();
    let mut path = String::new();
    let mut kind = Some(Kind::Directory);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        if part == ".." {
            path.truncate(path.rfind('/').unwrap_or(0));
            kind = Some(Kind::Directory);
            continue;
        }
        let next = format!("{path}/{part}");
        match if kind.is_some() { tree.look(&next) } else { Err(TreeError::NotFound) } {
            Ok(Kind::Symlink(target)) => {
                links += 1;
                if links > limits::LINKS_FOLLOWED {
                    return Err(TreeError::TooManyLinks);
                }
                if target.starts_with('/') {
                    path.clear();
                }
                ahead.extend(components(&target).rev().map(str::to_owned));
            }
            Ok(found) => (path, kind) = (next, Some(found)),
            Err(TreeError::NotFound | TreeError::NotADirectory) => (path, kind) = (next, None),
            Err(
                error @ (TreeError::Denied
                | TreeError::IsADirectory
                | TreeError::TooLarge { .. }
                | TreeError::TooManyLinks
                | TreeError::Other(_)),
            ) => return Err(error),
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    Ok(Resolved { path, kind })
}

fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// `directory` and `name` as one path; an absolute `name` stands alone.
pub fn join(directory: &str, name: &str) -> String {
    if name.starts_with('/') {
        return name.to_owned();
    }
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// The last component of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The path without its last component.
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None => "",
    }
}
