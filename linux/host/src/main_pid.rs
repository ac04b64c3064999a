//! Which process is a service's main one: told by a pid file, guessed, or named by the service itself.
//! systemd.service(5), `PIDFile=` and `GuessMainPID=`.

use crate::{limits, proc};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Process(u32),
    /// Not there yet: look again when something happens.
    Wait,
    /// It names a process that cannot be the service's; the text says why.
    Stranger(String),
}

/// Whose file it was, which decides how far its word goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Written by root: may name a process outside the unit.
    Root,
    /// Anybody's: only a process of the unit counts.
    Other,
}

/// Reads the pid file; `belongs` tells whether a pid is one of the unit's.
pub fn from_file(path: &str, init: u32, belongs: &mut dyn FnMut(u32) -> bool) -> Found {
    let opened = rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
        Mode::empty(),
    );
    let Ok(fd) = opened else { return Found::Wait };
    let mut file = File::from(fd);
    let mut text = String::new();
    if (&mut file).take(limits::PID_FILE as u64).read_to_string(&mut text).is_err() {
        return Found::Wait;
    }
    let Ok(pid) = text.trim().parse::<u32>() else { return Found::Wait };
    let trust = match file.metadata() {
        Ok(found) if found.uid() == 0 && !through_foreign_link(path) => Trust::Root,
        Ok(_) | Err(_) => Trust::Other,
    };
    if pid <= 1 || pid == init || pid == std::process::id() {
        return Found::Stranger(format!("{path} names process {pid}, which is the service manager's own"));
    }
    match proc::stat(pid) {
        None => return Found::Wait,
        Some(stat) if stat.is_zombie() => return Found::Wait,
        Some(_) => {}
    }
    if belongs(pid) {
        return Found::Process(pid);
    }
    match trust {
        Trust::Root => Found::Process(pid),
        Trust::Other => Found::Stranger(format!(
            "{path} is not owned by root and names process {pid}, which is not of this unit"
        )),
    }
}

/// Does a symlink that is not root's lie on the last component?
fn through_foreign_link(path: &str) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink() && found.uid() != 0)
}

/// The one member that is init's own child, if there is just one.
pub fn guess(members: &[u32], spared: &[u32], init: u32) -> Option<u32> {
    let mut children = members
        .iter()
        .filter(|pid| !spared.contains(pid))
        .filter(|pid| proc::stat(**pid).is_some_and(|stat| stat.parent == init && !stat.is_zombie()));
    let first = children.next()?;
    children.next().is_none().then_some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn check(text: &str, member: bool) -> Found {
        let path = std::env::temp_dir().join(format!("eudaemon-pid-{}-{}", std::process::id(), text.len()));
        fs::write(&path, text).unwrap();
        let found = from_file(path.to_str().unwrap(), 1, &mut |_| member);
        fs::remove_file(path).unwrap();
        found
    }

    #[test]
    fn files() {
        assert_eq!(from_file("/nonexistent/pid", 1, &mut |_| true), Found::Wait);
        assert_eq!(check("", true), Found::Wait);
        assert_eq!(check("12 34", true), Found::Wait);
        assert!(matches!(check("1\n", true), Found::Stranger(_)));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(check(&format!(" {}\n", child.id()), true), Found::Process(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(
            check(&format!("{}  \n", child.id()), true),
            Found::Wait,
            "a dead process is not waited for by pid"
        );
    }
}
