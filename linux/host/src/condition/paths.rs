//! Tests about the file system.

use super::{Circumstances, glob};
use rustix::fs::{Access, StatVfsMountFlags};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

pub fn exists(path: &str, _: &Circumstances) -> bool {
    fs::metadata(path).is_ok()
}

pub fn exists_glob(pattern: &str, _: &Circumstances) -> bool {
    glob::braces(pattern).iter().any(|pattern| glob::any_path(pattern))
}

pub fn is_directory(path: &str, _: &Circumstances) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir())
}

pub fn is_symbolic_link(path: &str, _: &Circumstances) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

pub fn is_socket(path: &str, _: &Circumstances) -> bool {
    fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// A mount point differs from its parent in device, or is named by mountinfo (bind mounts).
pub fn is_mount_point(path: &str, _: &Circumstances) -> bool {
    let Ok(real) = fs::canonicalize(path) else { return false };
    if real == Path::new("/") {
        return true;
    }
    let text = real.to_string_lossy().replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011");
    fs::read_to_string("/proc/self/mountinfo")
        .is_ok_and(|table| table.lines().any(|line| line.split(' ').nth(4) == Some(text.as_str())))
}

pub fn is_read_write(path: &str, _: &Circumstances) -> bool {
    rustix::fs::statvfs(path).is_ok() && !is_read_only(path)
}

fn is_read_only(path: &str) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
        || rustix::fs::access(path, Access::WRITE_OK) == Err(rustix::io::Errno::ROFS)
}

/// Is the block device under the path, or one below it, a dm-crypt one?
pub fn is_encrypted(path: &str, _: &Circumstances) -> bool {
    let Ok(found) = fs::metadata(path) else { return false };
    let number = if found.file_type().is_block_device() { found.rdev() } else { found.dev() };
    let mut level =
        vec![format!("/sys/dev/block/{}:{}", rustix::fs::major(number), rustix::fs::minor(number))];
    // Each round goes one device layer down; stacks are a few layers deep.
    for _ in 0..16 {
        let mut next = Vec::new();
        for device in &level {
            if fs::read_to_string(format!("{device}/dm/uuid")).is_ok_and(|uuid| uuid.starts_with("CRYPT-")) {
                return true;
            }
            let Ok(entries) = fs::read_dir(format!("{device}/slaves")) else { continue };
            next.extend(
                entries
                    .flatten()
                    .map(|entry| format!("/sys/class/block/{}", entry.file_name().to_string_lossy())),
            );
        }
        level = next;
    }
    false
}

pub fn directory_not_empty(path: &str, _: &Circumstances) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

pub fn file_not_empty(path: &str, _: &Circumstances) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0)
}

pub fn file_is_executable(path: &str, _: &Circumstances) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Is `/usr` newer than what the directory was last brought up to (`DIR/.updated`)?
pub fn needs_update(path: &str, _: &Circumstances) -> bool {
    let kernel = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    if let Some(word) =
        kernel.split_whitespace().find_map(|word| word.strip_prefix("systemd.condition-needs-update="))
    {
        return matches!(word, "1" | "yes" | "true" | "on");
    }
    // Too often is better than too seldom: of what is not there, nobody knows.
    if !Path::new(path).is_absolute() || is_read_only(path) {
        return false;
    }
    let Ok(usr) = fs::metadata("/usr") else { return false };
    match fs::metadata(format!("{}/.updated", path.trim_end_matches('/'))) {
        Ok(stamp) => (usr.mtime(), usr.mtime_nsec()) > (stamp.mtime(), stamp.mtime_nsec()),
        Err(_) => true,
    }
}

pub fn first_boot(value: &str, _: &Circumstances) -> Option<bool> {
    Some(super::machine::boolean(value)? == Path::new("/run/systemd/first-boot").exists())
}
