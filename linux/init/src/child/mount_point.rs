//! The place that something is mounted on: systemd.mount(5), `DirectoryMode=`.

use super::Failure;
use crate::say::may_fail;
use eudaemon_plan::step::MountPoint;
use rustix::fs::{CWD, Mode, OFlags, chmod, lstat, mkdir, open, stat};
use rustix::io::Errno;

/// A path with a symbolic link in it is refused: the kernel's table would name another place. That something cannot be made
/// is mount(8)'s to tell.
pub fn make(MountPoint { place, source, mode }: &MountPoint) -> Result<(), Failure> {
    if ups(place).chain([place.as_str()]).any(is_link) {
        return Err(Errno::LOOP.into());
    }
    let is_file = |path: &str| {
        stat(path).is_ok_and(|found| !rustix::fs::FileType::from_raw_mode(found.st_mode).is_dir())
    };
    match source.as_deref() {
        Some(source) if is_file(source) => {
            make_directories(ups(place), 0o755);
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            if open(place.as_str(), flags, Mode::from_raw_mode(0o644)).is_ok() {
                may_fail(rustix::fs::chmodat(
                    CWD,
                    place.as_str(),
                    Mode::from_raw_mode(0o644),
                    rustix::fs::AtFlags::empty(),
                ));
            }
        }
        Some(source) => {
            make_directories(ups(place).chain([place.as_str()]), *mode);
            make_directories(ups(source).chain([source]), *mode);
        }
        None => make_directories(ups(place).chain([place.as_str()]), *mode),
    }
    Ok(())
}

/// The directories above, from the first below the root on.
fn ups(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at])
}

fn is_link(path: &str) -> bool {
    lstat(path).is_ok_and(|found| rustix::fs::FileType::from_raw_mode(found.st_mode).is_symlink())
}

/// Those that are missing, whatever the umask.
fn make_directories<'a>(paths: impl Iterator<Item = &'a str>, mode: u32) {
    let mode = Mode::from_raw_mode(mode);
    for path in paths {
        if mkdir(path, mode).is_ok() {
            may_fail(chmod(path, mode));
        }
    }
}
