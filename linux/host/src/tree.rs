//! The machine's own file system, or a folder that holds another's (`--root`), as unit files are read from it.
//!
//! Under a root every link is followed inside it: an absolute target begins at the root again.

use eudaemon_unit::files::{Entry, Kind, Sight, Tree, TreeError, base_name, join, parent, resolve};
use eudaemon_unit::install::Change;
use eudaemon_unit::vendor::{Own, WithVendor};
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Where the system's journal has its sockets.
pub const JOURNAL: &str = "/run/systemd/journal";

#[derive(Clone, Debug)]
pub struct HostTree {
    /// Without a trailing slash; empty: the machine's own.
    root: String,
}

impl HostTree {
    /// The machine's own file system.
    pub fn machine() -> HostTree {
        HostTree { root: String::new() }
    }

    /// The file system an image's `root` folder holds.
    pub fn under(root: &str) -> HostTree {
        HostTree { root: root.trim_end_matches('/').to_owned() }
    }

    /// With the units that this program carries, which name it and the sockets of the journal.
    pub fn with_vendor(self, journal: &str) -> WithVendor<HostTree> {
        let program = std::env::current_exe().unwrap_or_default();
        WithVendor::new(self, Own { program: &program.to_string_lossy(), journal })
    }

    /// Where `path` is for the kernel, all links followed.
    fn end(&self, path: &str) -> Result<PathBuf, TreeError> {
        if self.root.is_empty() {
            return Ok(PathBuf::from(path));
        }
        Ok(PathBuf::from(format!("{}{}", self.root, resolve(self, path)?.path)))
    }
}

impl Tree for HostTree {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        let place = format!("{}{path}", self.root);
        let found = fs::symlink_metadata(&place).map_err(of_io)?;
        if found.is_symlink() {
            let target = fs::read_link(&place).map_err(of_io)?;
            return Ok(Kind::Symlink(target.to_string_lossy().into_owned()));
        }
        Ok(kind(found.file_type()))
    }

    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.end(directory)?).map_err(of_io)? {
            let entry = entry.map_err(of_io)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(found) = entry.file_type() else { continue };
            let kind = match found.is_symlink() {
                true => match fs::read_link(entry.path()) {
                    Ok(target) => Kind::Symlink(target.to_string_lossy().into_owned()),
                    Err(_) => continue,
                },
                false => kind(found),
            };
            entries.push((name, kind));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }

    fn entries(&self, directory: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.end(directory)?).map_err(of_io)? {
            let entry = entry.map_err(of_io)?;
            let (Ok(name), Ok(found)) = (entry.file_name().into_string(), entry.file_type()) else {
                continue;
            };
            entries.push((name, if found.is_symlink() { Entry::Link } else { Entry::Other }));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        self.read_seen(path, limit).map(|(content, _)| content)
    }

    fn read_seen(&self, path: &str, limit: u64) -> Result<(Vec<u8>, Option<Sight>), TreeError> {
        self.read_at(path, limit, SystemTime::now())
    }

    fn sight(&self, path: &str) -> Option<Sight> {
        let found = fs::metadata(self.end(path).ok()?).ok()?;
        found.is_file().then(|| sight(&found))
    }

    fn size(&self, path: &str) -> Result<u64, TreeError> {
        fs::metadata(self.end(path)?).map(|found| found.len()).map_err(of_io)
    }

    fn look_at(&self, path: &str) -> Result<Kind, TreeError> {
        if self.root.is_empty() {
            return self.look(path);
        }
        let above = resolve(self, parent(path))?;
        self.look(&join(&above.path, base_name(path)))
    }

    fn is_void(&self, path: &str) -> bool {
        let quick = if self.root.is_empty() { fs::metadata(path).ok() } else { None };
        match quick {
            Some(found) if found.is_file() => found.len() == 0,
            Some(found) => found.file_type().is_char_device() || found.file_type().is_block_device(),
            // Inside a root, or a link that leads nowhere: what counts is whether it says /dev/null.
            None => resolve(self, path).is_ok_and(|end| match end.kind {
                Some(Kind::File) => self.size(&end.path) == Ok(0),
                Some(Kind::Special) | None => end.path == "/dev/null",
                Some(Kind::Directory | Kind::Symlink(_)) => false,
            }),
        }
    }

    fn stamp(&self, directory: &str) -> Option<u64> {
        let found = fs::metadata(self.end(directory).ok()?).ok()?;
        let mixed =
            (found.mtime() as u64).wrapping_mul(1_000_000_007).wrapping_add(found.mtime_nsec() as u64);
        Some(mixed ^ found.ino().rotate_left(32))
    }
}

impl HostTree {
    /// A file's content, and how it looked: settled or not by this clock, which was looked at before the file.
    fn read_at(
        &self,
        path: &str,
        limit: u64,
        now: SystemTime,
    ) -> Result<(Vec<u8>, Option<Sight>), TreeError> {
        let end = self.end(path)?;
        // A device is not even opened: to some that means something.
        let found = fs::metadata(&end).map_err(of_io)?;
        if found.is_dir() {
            return Err(TreeError::IsADirectory);
        }
        // A device other than /dev/null, or a pipe, is no unit file and might never end.
        if !found.is_file() {
            return Ok((Vec::new(), None));
        }
        if found.len() > limit {
            return Err(TreeError::TooLarge { limit });
        }
        // Should it be another by now: opening waits for nobody, and makes no terminal ours.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::open(end, flags, Mode::empty()).map_err(|error| of_io(error.into()))?;
        let sight = (is_settled(&found, now) && is_on_a_disk_of_ours(&file)).then(|| sight(&found));
        let content = content(file, found.len(), limit).map_err(of_io)?;
        if content.len() as u64 > limit {
            return Err(TreeError::TooLarge { limit });
        }
        Ok((content, sight))
    }

    /// Makes the changes of a plan, in order, until one fails; the error names its path.
    pub fn apply(&self, changes: &[Change]) -> Result<(), (String, io::Error)> {
        for change in changes {
            match change {
                Change::Symlink { path, target } => {
                    self.link(path, target).map_err(|error| (path.clone(), error))?
                }
                Change::Unlink { path } => self.unlink(path).map_err(|error| (path.clone(), error))?,
                // Somebody may have put something in, meanwhile: then it stays.
                Change::RemoveDirectory { path } => match self.place(path).map(fs::remove_dir) {
                    Ok(Ok(()) | Err(_)) | Err(_) => {}
                },
                Change::Note(_) => {}
            }
        }
        Ok(())
    }

    /// Where a new entry `path` is for the kernel: links above it are followed.
    fn place(&self, path: &str) -> io::Result<PathBuf> {
        let above = resolve(self, parent(path)).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(PathBuf::from(format!("{}{}", self.root, join(&above.path, base_name(path)))))
    }

    /// Makes a link, in one step over one that is there.
    fn link(&self, path: &str, target: &str) -> io::Result<()> {
        let place = self.place(path)?;
        if let Some(directory) = place.parent() {
            fs::create_dir_all(directory)?;
        }
        let new = place.with_file_name(format!(".#{}.eudaemon", base_name(path)));
        match fs::remove_file(&new) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        std::os::unix::fs::symlink(target, &new)?;
        fs::rename(&new, &place)
    }

    /// Removes a file, a link, or a directory with all in it; what is gone already is no failure.
    fn unlink(&self, path: &str) -> io::Result<()> {
        let place = self.place(path)?;
        let removed = match fs::symlink_metadata(&place) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&place),
            Ok(_) => fs::remove_file(&place),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The whole of a file that was as long as this just before, or one byte more than the limit.
fn content(file: OwnedFd, size: u64, limit: u64) -> io::Result<Vec<u8>> {
    // Room to see that there is no more.
    let mut content = Vec::with_capacity(size as usize + 1);
    let first =
        rustix::io::retry_on_intr(|| rustix::io::read(&file, rustix::buffer::spare_capacity(&mut content)))?;
    if first as u64 != size {
        let rest = (limit + 1).saturating_sub(first as u64);
        File::from(file).take(rest).read_to_end(&mut content)?;
    }
    Ok(content)
}

fn sight(found: &fs::Metadata) -> Sight {
    Sight {
        device: found.dev(),
        inode: found.ino(),
        size: found.len(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    }
}

/// A file that is written twice within one tick of its file system's clock looks the same before and after the second time.
/// One that was last changed this long before it was looked at cannot change again without looking different.
const SETTLED: Duration = Duration::from_secs(2);

fn is_settled(found: &fs::Metadata, now: SystemTime) -> bool {
    let changed = Duration::new(found.ctime().max(0) as u64, found.ctime_nsec().clamp(0, 999_999_999) as u32);
    now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|now| changed + SETTLED <= now)
}

/// Whether it is this kernel, by its own clock, that says when a file changed. Others tell it late, or by a clock that is wrong.
fn is_on_a_disk_of_ours(file: &OwnedFd) -> bool {
    const OURS: [i64; 6] = [
        libc::BTRFS_SUPER_MAGIC,
        libc::EXT4_SUPER_MAGIC,
        libc::F2FS_SUPER_MAGIC,
        libc::OVERLAYFS_SUPER_MAGIC,
        libc::TMPFS_MAGIC,
        libc::XFS_SUPER_MAGIC,
    ];
    rustix::fs::fstatfs(file).is_ok_and(|system| OURS.contains(&system.f_type))
}

fn kind(found: fs::FileType) -> Kind {
    match (found.is_file(), found.is_dir()) {
        (true, _) => Kind::File,
        (false, true) => Kind::Directory,
        (false, false) => Kind::Special,
    }
}

fn of_io(error: io::Error) -> TreeError {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOENT) => TreeError::NotFound,
        Some(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => TreeError::Denied,
        Some(rustix::io::Errno::NOTDIR) => TreeError::NotADirectory,
        Some(rustix::io::Errno::ISDIR) => TreeError::IsADirectory,
        Some(rustix::io::Errno::LOOP) => TreeError::TooManyLinks,
        Some(_) | None => TreeError::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own, removed at its end.
    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_file_is_known_by_its_look_only_when_it_is_settled() {
        let folder = Folder(std::env::temp_dir().join(format!("eudaemon-sight-{}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        let path = format!("{}/a.service", folder.0.display());
        fs::write(&path, "one").unwrap();
        let tree = HostTree::machine();
        let now = SystemTime::now();
        assert_eq!(tree.read_at(&path, 100, now), Ok((b"one".to_vec(), None)));
        let (text, sight) = tree.read_at(&path, 100, now + SETTLED).unwrap();
        assert_eq!((text, sight), (b"one".to_vec(), tree.sight(&path)));
        assert!(sight.is_some());
        let (before, longer) = (sight, "x".repeat(90));
        fs::write(&path, &longer).unwrap();
        assert_ne!(tree.sight(&path), before);
        assert_eq!(tree.read_at(&path, 90, now), Ok((longer.into_bytes(), None)));
        assert_eq!(tree.read_at(&path, 89, now), Err(TreeError::TooLarge { limit: 89 }));
        // Neither a device nor what the kernel makes up when it is read says by its look what is in it.
        for other in ["/dev/null", "/proc/self/stat"] {
            assert_eq!(tree.read_at(other, 4096, now + SETTLED).unwrap().1, None, "{other}");
        }
    }

    #[test]
    fn links_stay_inside_the_root() {
        let folder = Folder(std::env::temp_dir().join(format!("eudaemon-tree-{}", std::process::id())));
        let root = folder.0.to_str().unwrap();
        fs::create_dir_all(format!("{root}/etc/units")).unwrap();
        fs::write(format!("{root}/etc/units/a.service"), "inside").unwrap();
        std::os::unix::fs::symlink("/etc/units", format!("{root}/absolute")).unwrap();
        std::os::unix::fs::symlink("../../../../../etc/units", format!("{root}/upwards")).unwrap();
        std::os::unix::fs::symlink("/dev/null", format!("{root}/etc/units/b.service")).unwrap();
        let tree = HostTree::under(root);
        for path in ["/absolute/a.service", "/upwards/a.service", "/etc/units/a.service"] {
            assert_eq!(tree.read(path, 100), Ok(b"inside".to_vec()), "{path}");
        }
        assert_eq!(tree.read("/absolute/a.service", 3), Err(TreeError::TooLarge { limit: 3 }));
        assert_eq!(tree.read("/absolute/c.service", 3), Err(TreeError::NotFound));
        assert!(tree.is_void("/absolute/b.service"), "a mask needs no /dev/null inside the root");
        let names: Vec<String> = tree.list("/upwards").unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.service", "b.service"]);
    }
}
