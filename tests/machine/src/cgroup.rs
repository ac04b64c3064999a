//! A cgroup of its own for each machine: whatever happens inside, killing the group kills all of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// A cgroup that is killed and removed when the value is dropped.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes one below the root of the first cgroup v2 mount, or says that there is none to write to.
    pub fn create() -> Option<Cgroup> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = mounted()?.join(format!("eudaemon-machine-{}-{number}", std::process::id()));
        fs::create_dir(&path).ok()?;
        Some(Cgroup { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Kills every process below, and returns when none is left.
    pub fn kill(&self) -> io::Result<()> {
        fs::write(self.path.join("cgroup.kill"), "1")?;
        for _ in 0..500 {
            if fs::read_to_string(self.path.join("cgroup.events"))?.contains("populated 0") {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other(format!(
            "{}: still populated five seconds after cgroup.kill",
            self.path.display()
        )))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{}: {error}", self.path.display());
        }
        remove_tree(&self.path);
    }
}

/// Where cgroup v2 is mounted: its own mount, or the `unified` one of a hybrid machine.
fn mounted() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (path, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2" && path.starts_with("/sys/fs/cgroup")).then(|| PathBuf::from(path))
    })
}

/// Removes a tree of empty cgroups, leaves first.
fn remove_tree(top: &Path) {
    let mut found = vec![top.to_path_buf()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        found.extend(entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.path()));
    }
    for path in found.iter().rev() {
        if let Err(error) = fs::remove_dir(path) {
            eprintln!("{}: not removed: {error}", path.display());
        }
    }
}
