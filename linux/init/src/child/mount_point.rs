//! The place that something is mounted on: systemd.mount(5), `DirectoryMode=`.

use super::Failure;
use super::exact::exactly;
use crate::say::may_fail;
use eudaemon_plan::step::MountPoint;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdir, mkdirat, openat, stat, statat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// A path with a symbolic link in it is refused: the kernel's table would name another place. It is walked from the root, so
/// that none is followed that somebody puts there meanwhile. That something cannot be made is mount(8)'s to tell.
pub fn make(MountPoint { place, source, mode }: &MountPoint) -> Result<(), Failure> {
    let mode = Mode::from_raw_mode(*mode);
    let is_file = source.as_deref().is_some_and(|source| {
        stat(source).is_ok_and(|found| !FileType::from_raw_mode(found.st_mode).is_dir())
    });
    if is_file {
        let (above, name) = place.rsplit_once('/').unwrap_or(("", place));
        let Some(above) = walk(above, Mode::from_raw_mode(0o755))? else { return Ok(()) };
        refuse_link(&above, name)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        may_fail(exactly(|| openat(&above, name, flags, Mode::from_raw_mode(0o644))));
        return Ok(());
    }
    walk(place, mode)?;
    if let Some(source) = source {
        ups(source).chain([source.as_str()]).for_each(|path| may_fail(exactly(|| mkdir(path, mode))));
    }
    Ok(())
}

/// The directory at the end of a path; what is missing is made. `None`: there is none, and none can be made.
fn walk(path: &str, mode: Mode) -> Result<Option<OwnedFd>, Failure> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(mut at) = openat(CWD, "/", flags, Mode::empty()) else { return Ok(None) };
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let next = match openat(&at, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                may_fail(exactly(|| mkdirat(&at, name, mode)));
                openat(&at, name, flags, Mode::empty())
            }
            other => other,
        };
        at = match next {
            Ok(next) => next,
            Err(_) => {
                refuse_link(&at, name)?;
                return Ok(None);
            }
        };
    }
    Ok(Some(at))
}

fn refuse_link(above: &OwnedFd, name: &str) -> Result<(), Failure> {
    let found = statat(above, name, AtFlags::SYMLINK_NOFOLLOW);
    let is_link = found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_symlink());
    if is_link { Err(Errno::LOOP.into()) } else { Ok(()) }
}

/// The directories above, from the first below the root on.
fn ups(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn made(place: &std::path::Path, source: Option<&str>) -> String {
        let place = place.to_str().unwrap_or_default().to_owned();
        match make(&MountPoint { place, source: source.map(str::to_owned), mode: 0o750 }) {
            Ok(()) => "made".to_owned(),
            Err(Failure::Errno(errno)) => errno.to_string(),
            Err(Failure::As(..)) => "by a step of its own".to_owned(),
        }
    }

    #[test]
    fn places_are_made_and_links_are_not_followed() {
        let folder = std::env::temp_dir().join(format!("eudaemon-mount-point-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("real")).unwrap();
        symlink(folder.join("real"), folder.join("link")).unwrap();
        symlink("/etc/passwd", folder.join("file")).unwrap();
        let mode =
            |path: &str| std::fs::symlink_metadata(folder.join(path)).map(|found| found.mode() & 0o7777);
        assert_eq!(made(&folder.join("a/b"), None), "made");
        assert_eq!((mode("a").unwrap(), mode("a/b").unwrap()), (0o750, 0o750));
        assert_eq!(made(&folder.join("c/f"), Some("/etc/passwd")), "made");
        assert_eq!((mode("c").unwrap(), mode("c/f").unwrap()), (0o755, 0o644));
        let loops = Errno::LOOP.to_string();
        assert_eq!(made(&folder.join("link/x"), None), loops);
        assert_eq!(made(&folder.join("link"), None), loops);
        assert_eq!(made(&folder.join("link/x"), Some("/etc/passwd")), loops);
        assert_eq!(made(&folder.join("file"), Some("/etc/passwd")), loops);
        assert!(mode("real/x").is_err(), "nothing was made behind the link");
        assert_eq!(made(&folder.join("c/f/below"), None), "made", "mount(8) tells what is in the way");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
