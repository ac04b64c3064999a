//! A pid file that means something: locked for as long as the daemon lives, and never somebody else's.
//!
//! The lock decides who runs, the number is for people and for programs that read it. The file is made and locked
//! before anything else happens and stays empty until the daemon is ready; then the number is written at once. The
//! lock belongs to the open file (fcntl(2), `F_OFD_SETLK`): it goes with the daemon into the background and ends
//! with it, however that ends.

use crate::error::{Error, Result};
use crate::limits::{CLOCK_SLACK, LOCK_ATTEMPTS, LONGEST_PID_FILE};
use crate::starter::{is_init, process_name};
use crate::sys::fd::{Held, Lock, held, lock, occupy_streams};
use rustix::fs::{Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process;

/// A locked pid file. It goes when this value goes, if it was written by this very process or never.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: OwnedFd,
    /// The process that takes the file away in the end.
    owner: u32,
}

impl PidFile {
    /// Takes the name: makes the file, locks it and empties it.
    ///
    /// What was left by a daemon that ended without taking it away is recognised and used again. A file that is
    /// locked, names a live process that can have written it, or holds anything else than a process number, is left as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Running`] when somebody has it, [`Error::Named`] when somebody without locks may have it; [`Error::PidFile`] when it cannot be made, is a directory, a symbolic
    /// link, has a second name, or belongs to another user than us and root.
    pub fn lock(path: impl Into<PathBuf>) -> Result<PidFile> {
        occupy_streams().map_err(|errno| Error::io("open /dev/null", errno))?;
        let path = path.into();
        for _ in 0..LOCK_ATTEMPTS {
            let file = open(&path)?;
            let identity = stat(&path, &file)?;
            refuse_what_is_not_ours(&path, &identity)?;
            let locked = lock(&file).map_err(|errno| failed(&path, format!("cannot be locked: {errno}")))?;
            let content = content(&path, &file)?;
            if locked == Lock::Theirs && held(&file) == Ok(Held::Reading) {
                refuse_other_text(&path, content)?;
                // No daemon's: those write. Whoever may read the file could keep us from starting with it.
                rustix::fs::unlink(&path)
                    .map_err(|errno| failed(&path, format!("cannot be replaced: {errno}")))?;
                continue;
            }
            if locked == Lock::Theirs {
                return Err(Error::Running { pid: holder(&path, &file), path });
            }
            if !still_named(&path, &identity) {
                // Its owner took it away between our opening and our locking.
                continue;
            }
            refuse_other_text(&path, content)?;
            if let Content::Number(pid) = content
                && can_have_written(pid, &identity)
            {
                return Err(Error::Named { path, pid });
            }
            rustix::fs::ftruncate(&file, 0)
                .map_err(|errno| failed(&path, format!("cannot be emptied: {errno}")))?;
            return Ok(PidFile { path, file, owner: process::id() });
        }
        Err(failed(&path, "is taken away again and again".to_owned()))
    }

    /// Writes this process's number; from now on it is this process that takes the file away.
    ///
    /// # Errors
    ///
    /// [`Error::PidFile`] when it cannot be written: a full disk.
    pub fn write(&mut self) -> Result<()> {
        self.owner = process::id();
        let text = format!("{}\n", self.owner);
        match rustix::io::retry_on_intr(|| rustix::io::pwrite(&self.file, text.as_bytes(), 0)) {
            Ok(written) if written == text.len() => Ok(()),
            Ok(_) => Err(failed(&self.path, "cannot be written: no space left".to_owned())),
            Err(errno) => Err(failed(&self.path, format!("cannot be written: {errno}"))),
        }
    }

    /// Lets go of it in this process: it is the daemon's now.
    pub(crate) fn leave(mut self) {
        self.owner = 0;
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The process that a pid file names, if it is locked: a daemon that runs. Waits for nothing and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::PidFile`] when it cannot be read; one that does not exist names nobody.
    pub fn running(path: impl AsRef<Path>) -> Result<Option<u32>> {
        let path = path.as_ref();
        let unreadable = |errno: Errno| failed(path, format!("cannot be read: {errno}"));
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(unreadable(errno)),
        };
        let kind = rustix::fs::FileType::from_raw_mode(stat(path, &file)?.st_mode);
        if kind != rustix::fs::FileType::RegularFile {
            return Err(failed(path, "is no regular file".to_owned()));
        }
        let locked = held(&file).map_err(unreadable)? == Held::Writing;
        Ok(locked.then(|| holder(path, &file)).flatten())
    }
}

/// The descriptor that holds the lock.
impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if self.owner != process::id() {
            return;
        }
        let ours = rustix::fs::fstat(&self.file).is_ok_and(|identity| still_named(&self.path, &identity));
        // A daemon that gave up its rights cannot take it out of root's directory, and one in another root directory
        // does not see it; empty, it names nobody.
        if !ours || rustix::fs::unlink(&self.path).is_err() {
            rustix::fs::ftruncate(&self.file, 0).ok();
        }
    }
}

fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDWR
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK
        | OFlags::NOCTTY;
    rustix::fs::open(path, flags, Mode::from_raw_mode(0o644)).map_err(|errno| {
        let reason = match errno {
            Errno::LOOP => "is a symbolic link".to_owned(),
            Errno::ISDIR => "is a directory".to_owned(),
            Errno::NOENT if path.as_os_str().is_empty() => "expected a path, not an empty one".to_owned(),
            Errno::NOENT => "its directory does not exist".to_owned(),
            Errno::NXIO => "is no regular file".to_owned(),
            errno => format!("cannot be opened: {errno}"),
        };
        failed(path, reason)
    })
}

fn refuse_what_is_not_ours(path: &Path, identity: &Stat) -> Result<()> {
    let us = rustix::process::geteuid().as_raw();
    let reason = if rustix::fs::FileType::from_raw_mode(identity.st_mode) != rustix::fs::FileType::RegularFile
    {
        "is no regular file".to_owned()
    } else if identity.st_nlink > 1 {
        "has another name too (a hard link), which must not be written to".to_owned()
    } else if identity.st_uid != us && identity.st_uid != 0 {
        format!("belongs to user {}, not to us (user {us})", identity.st_uid)
    } else {
        return Ok(());
    };
    Err(failed(path, reason))
}

fn stat(path: &Path, file: &OwnedFd) -> Result<Stat> {
    rustix::fs::fstat(file).map_err(|errno| failed(path, format!("cannot be looked at: {errno}")))
}

/// Whether the path still leads to this very file.
fn still_named(path: &Path, identity: &Stat) -> bool {
    rustix::fs::lstat(path)
        .is_ok_and(|there| (there.st_dev, there.st_ino) == (identity.st_dev, identity.st_ino))
}

/// What stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Also zeros: what a file system may leave of one that was written when the power went.
    Nothing,
    Number(u32),
    Other,
}

impl Content {
    fn of(bytes: &[u8]) -> Content {
        if bytes.len() > LONGEST_PID_FILE {
            return Content::Other;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Content::Other };
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
        match text.parse() {
            Ok(pid) if pid > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Content::Number(pid),
            Ok(_) | Err(_) if text.is_empty() => Content::Nothing,
            Ok(_) | Err(_) => Content::Other,
        }
    }
}

fn content(path: &Path, file: &OwnedFd) -> Result<Content> {
    let mut bytes = [0; LONGEST_PID_FILE + 1];
    let length = rustix::io::pread(file, &mut bytes, 0)
        .map_err(|errno| failed(path, format!("cannot be read: {errno}")))?;
    Ok(Content::of(&bytes[..length]))
}

/// A file that was named by mistake is somebody's work.
fn refuse_other_text(path: &Path, content: Content) -> Result<()> {
    match content {
        Content::Nothing | Content::Number(_) => Ok(()),
        Content::Other => {
            Err(failed(path, "holds something that is no process number: it is left as it is".to_owned()))
        }
    }
}

/// The process that a locked file names. Whoever has just locked it may not have emptied it yet: a number of one that is gone
/// is left from before.
fn holder(path: &Path, file: &OwnedFd) -> Option<u32> {
    match content(path, file) {
        Ok(Content::Number(pid)) => started(pid).map(|_| pid),
        Ok(Content::Nothing | Content::Other) | Err(_) => None,
    }
}

/// Whether a process lives that can have written this unlocked file: a daemon that knows no locks. One that began
/// after the file was written only has its number by chance.
fn can_have_written(pid: u32, identity: &Stat) -> bool {
    // An init keeps no pid file: a 1 is from a container of before, or from one with a view of the same directory. Another first
    // process is a container's own daemon, and may well have written it.
    if pid == process::id() || pid == 1 && is_init(&process_name(1).unwrap_or_default()) {
        return false;
    }
    let written = u64::try_from(identity.st_mtime).unwrap_or(0);
    started(pid).is_some_and(|start| start <= written + CLOCK_SLACK)
}

/// When a live process began, in seconds of the epoch: proc(5), `/proc/PID/stat` field 22 and `btime` of `/proc/stat`.
fn started(pid: u32) -> Option<u64> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let fields: Vec<&str> = line[line.rfind(')')? + 1..].split_ascii_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    let ticks: u64 = fields.get(19)?.parse().ok()?;
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / rustix::param::clock_ticks_per_second())
}

fn failed(path: &Path, reason: String) -> Error {
    Error::PidFile { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    /// Writes the file, asks for it, and tells the refusal without the directory's name.
    fn refusal(make: impl Fn(&Path)) -> String {
        let directory = directory();
        let path = directory.path().join("d.pid");
        make(&path);
        let error = PidFile::lock(&path).expect_err("refused");
        error.to_string().replace(&directory.path().display().to_string(), "DIR")
    }

    #[test]
    fn a_lock_is_held_for_life_and_the_file_goes_with_it() {
        let directory = directory();
        let path = directory.path().join("d.pid");
        let mut file = PidFile::lock(&path).expect("free");
        assert_eq!(fs::read_to_string(&path).expect("made"), "");
        let rival = PidFile::lock(&path).expect_err("taken");
        assert!(matches!(rival, Error::Running { pid: None, .. }), "{rival}");
        file.write().expect("space");
        assert_eq!(fs::read_to_string(&path).expect("written"), format!("{}\n", process::id()));
        let rival = PidFile::lock(&path).expect_err("taken");
        assert!(matches!(rival, Error::Running { pid: Some(pid), .. } if pid == process::id()), "{rival}");
        assert_eq!(PidFile::running(&path).expect("readable"), Some(process::id()));
        drop(file);
        assert!(!path.exists());
        assert_eq!(PidFile::running(&path).expect("readable"), None);
    }

    #[test]
    fn what_a_dead_daemon_left_is_used_again() {
        let directory = directory();
        let path = directory.path().join("d.pid");
        // Nobody has such a number; nobody; what is left when the power went; ourselves by chance.
        let left = ["4194999\n", " \n", "\0\0\0\0"].map(str::to_owned);
        for left in left.into_iter().chain([format!("{}\n", process::id())]) {
            fs::write(&path, left).expect("written");
            let mut file = PidFile::lock(&path).expect("stale");
            file.write().expect("space");
            assert_eq!(fs::read_to_string(&path).expect("written"), format!("{}\n", process::id()));
        }
    }

    #[test]
    fn a_live_process_that_wrote_it_is_a_rival_without_a_lock() {
        let directory = directory();
        let path = directory.path().join("d.pid");
        let mut sleeper = Command::new("sleep").arg("60").spawn().expect("a process");
        fs::write(&path, sleeper.id().to_string()).expect("written");
        let rival = PidFile::lock(&path).map(drop);
        // Written an hour before that process began: the number is another's by chance.
        let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        fs::File::options().write(true).open(&path).expect("there").set_modified(before).expect("ours");
        let stale = PidFile::lock(&path).map(drop);
        sleeper.kill().expect("ours");
        sleeper.wait().expect("ours");
        assert!(matches!(rival, Err(Error::Named { .. })), "{rival:?}");
        assert!(stale.is_ok(), "{stale:?}");
    }

    #[test]
    fn what_is_no_pid_file_is_left_alone() {
        assert_eq!(refusal(|path| fs::create_dir(path).expect("made")), "pid file DIR/d.pid: is a directory");
        let link = refusal(|path| symlink("elsewhere", path).expect("made"));
        assert_eq!(link, "pid file DIR/d.pid: is a symbolic link");
        let linked = refusal(|path| {
            fs::write(path.with_file_name("precious"), "precious").expect("written");
            fs::hard_link(path.with_file_name("precious"), path).expect("made");
        });
        assert_eq!(
            linked,
            "pid file DIR/d.pid: has another name too (a hard link), which must not be written to"
        );
        let nowhere = PidFile::lock("/nowhere/d.pid").expect_err("no directory");
        assert_eq!(nowhere.to_string(), "pid file /nowhere/d.pid: its directory does not exist");
        let none = PidFile::running("/").expect_err("a directory");
        assert_eq!(none.to_string(), "pid file /: is no regular file");
    }

    #[test]
    fn what_holds_other_text_is_left_as_it_is() {
        let long = format!("1{}", " ".repeat(LONGEST_PID_FILE));
        for text in [
            "garbage 1",
            "[Unit]\n",
            "0\n",
            "-5\n",
            "+5\n",
            "4194999\n4194998\n",
            "99999999999",
            "\u{e9}",
            &long,
        ] {
            let directory = directory();
            let path = directory.path().join("d.conf");
            let linked = directory.path().join("same");
            fs::write(&path, text).expect("written");
            let error = PidFile::lock(&path).expect_err("refused").to_string();
            assert!(
                error.ends_with("holds something that is no process number: it is left as it is"),
                "{error}"
            );
            fs::rename(&path, &linked).expect("left there");
            assert_eq!(fs::read_to_string(&linked).expect("text"), text);
        }
        let empty = PidFile::lock("").expect_err("no path");
        assert_eq!(empty.to_string(), "pid file : expected a path, not an empty one");
    }

    #[test]
    fn a_file_that_was_replaced_is_not_taken_away() {
        let directory = directory();
        let path = directory.path().join("d.pid");
        let mut file = PidFile::lock(&path).expect("free");
        file.write().expect("space");
        fs::remove_file(&path).expect("ours");
        fs::write(&path, "another's").expect("written");
        drop(file);
        assert_eq!(fs::read_to_string(&path).expect("left"), "another's");
    }
}
