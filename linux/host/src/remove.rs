//! Removes trees, and nothing else: neither through a symbolic link nor beyond a mount point.

use crate::limits;
use eudaemon_engine::api::Trouble;
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, StatxAttributes, StatxFlags, openat, statx, unlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A directory whose entries are going.
struct Level {
    directory: Dir,
    name: CString,
    /// How often it was not empty when all that was read of it was gone.
    rounds: usize,
}

/// Removes what `name`, a relative path, is below `base`. All that can go goes; the first trouble is told. `base` may be
/// a link, it is the administrator's; what is below may be written by the very service.
pub fn below(base: &Path, name: &str, stop: &AtomicBool) -> Result<(), Trouble> {
    let told = |errno: Errno| Trouble {
        errno: errno.raw_os_error(),
        step: format!("cannot remove {}", base.join(name).display()),
    };
    match walk(base, name, stop) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(told(errno)),
    }
}

fn walk(base: &Path, name: &str, stop: &AtomicBool) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = openat(CWD, base, flags, Mode::empty())?;
    let mut parts = name.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if part == "." || part == ".." {
            return Err(Errno::INVAL);
        }
        if parts.peek().is_none() {
            let name = CString::new(part).map_err(|_nul| Errno::INVAL)?;
            return tree(&at, name, stop);
        }
        at = openat(&at, part, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Err(Errno::INVAL)
}

/// Depth first, without recursion: a tree may be as deep as a service likes, we are not.
fn tree(parent: &OwnedFd, name: CString, stop: &AtomicBool) -> Result<(), Errno> {
    let Some(directory) = unlink(parent.as_fd(), &name)? else { return Ok(()) };
    let mut levels = vec![Level { directory, name, rounds: 0 }];
    let mut first = Ok(());
    while let Some(level) = levels.last_mut() {
        if stop.load(Ordering::Relaxed) {
            return Err(Errno::CANCELED);
        }
        match level.directory.read() {
            Some(Ok(entry)) if entry.file_name() == c"." || entry.file_name() == c".." => {}
            Some(Ok(entry)) => {
                let name = entry.file_name().to_owned();
                match level.directory.fd().and_then(|fd| unlink(fd, &name)) {
                    Ok(None) => {}
                    Ok(Some(_)) if levels.len() >= limits::TREE_DEPTH => {
                        first = first.and(Err(Errno::NAMETOOLONG))
                    }
                    Ok(Some(directory)) => levels.push(Level { directory, name, rounds: 0 }),
                    Err(errno) => first = first.and(Err(errno)),
                }
            }
            Some(Err(errno)) => {
                first = first.and(Err(errno));
                levels.pop();
            }
            None => {
                let Some(Level { mut directory, name, rounds }) = levels.pop() else { break };
                let above = match levels.last() {
                    Some(above) => above.directory.fd()?,
                    None => parent.as_fd(),
                };
                match unlinkat(above, &name, AtFlags::REMOVEDIR) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    // Some file systems skip entries while others go, and somebody may still be writing.
                    Err(Errno::NOTEMPTY) if rounds < limits::TREE_ROUNDS && first.is_ok() => {
                        directory.rewind();
                        levels.push(Level { directory, name, rounds: rounds + 1 });
                    }
                    Err(errno) => first = first.and(Err(errno)),
                }
            }
        }
    }
    first
}

/// Removes what is no directory; opens what is one.
fn unlink(parent: BorrowedFd<'_>, name: &CStr) -> Result<Option<Dir>, Errno> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(None),
        Err(Errno::ISDIR) => {}
        // For a directory, too, where the file system says what POSIX says.
        Err(Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = match openat(parent, name, flags, Mode::empty()) {
        Ok(found) => found,
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(Errno::PERM),
        Err(errno) => return Err(errno),
    };
    let told = statx(&found, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)?;
    if told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
        return Err(Errno::BUSY);
    }
    Dir::new(found).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn go(base: &Path, name: &str) -> Result<(), i32> {
        below(base, name, &AtomicBool::new(false)).map_err(|trouble| trouble.errno)
    }

    #[test]
    fn only_what_is_below_goes() {
        let space = tempfile::tempdir().unwrap();
        let (base, elsewhere) = (space.path().join("lib"), space.path().join("elsewhere"));
        fs::create_dir_all(base.join("web/a/b/c")).unwrap();
        fs::create_dir_all(elsewhere.join("deep")).unwrap();
        fs::write(elsewhere.join("deep/kept"), "x").unwrap();
        fs::write(base.join("web/a/file"), "x").unwrap();
        symlink(&elsewhere, base.join("web/a/out")).unwrap();
        symlink(&elsewhere, base.join("link")).unwrap();

        assert_eq!(go(&base, "web"), Ok(()));
        assert!(!base.join("web").exists());
        assert_eq!(go(&base, "web"), Ok(()), "what is gone is gone");
        assert_eq!(go(&base, "link/deep"), Err(libc::ENOTDIR), "not through a link");
        assert_eq!(go(&base, "link"), Ok(()), "a link itself goes");
        assert!(base.join("link").symlink_metadata().is_err());
        assert_eq!(go(&base, "../elsewhere"), Err(libc::EINVAL));
        assert!(elsewhere.join("deep/kept").exists());
    }

    #[test]
    fn many_files_and_levels() {
        let space = tempfile::tempdir().unwrap();
        let mut at = space.path().join("web");
        for _ in 0..100 {
            at.push("d");
        }
        fs::create_dir_all(&at).unwrap();
        for number in 0..2000 {
            fs::write(space.path().join(format!("web/{number}")), "").unwrap();
        }
        assert_eq!(go(space.path(), "web"), Ok(()));
        assert_eq!(fs::read_dir(space.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_too_deep_is_told_and_what_is_stopped_stays() {
        let space = tempfile::tempdir().unwrap();
        let mut at = space.path().join("web");
        for _ in 0..limits::TREE_DEPTH + 10 {
            at.push("d");
        }
        fs::create_dir_all(&at).unwrap();
        let stopped = below(space.path(), "web", &AtomicBool::new(true));
        assert_eq!(stopped.map_err(|trouble| trouble.errno), Err(libc::ECANCELED));
        assert_eq!(go(space.path(), "web"), Err(libc::ENAMETOOLONG));
    }
}
