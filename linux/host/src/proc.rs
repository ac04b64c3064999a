//! What /proc tells of one process. Every answer is about a pid at one instant; whoever acts on one holds a
//! pidfd opened before asking, or has init act.

use crate::limits;
use std::fs;
use std::io::Read;

/// Field 4 and 22 of /proc/PID/stat, and its state: proc(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub state: u8,
    pub parent: u32,
    pub start_ticks: u64,
}

impl Stat {
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

fn read(path: &str, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(limit as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

pub fn stat(pid: u32) -> Option<Stat> {
    let bytes = read(&format!("/proc/{pid}/stat"), 4096)?;
    // The command name in parentheses may hold anything, parentheses too: the last one ends it.
    let end = bytes.iter().rposition(|&b| b == b')')?;
    let rest = std::str::from_utf8(bytes.get(end + 2..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

/// An entry of the environment that the process was started with, by its beginning; `None` too where it may not be read.
pub fn environment_entry(pid: u32, beginning: &str) -> Option<String> {
    let bytes = read(&format!("/proc/{pid}/environ"), limits::PROC_FILE)?;
    let entry = bytes.split(|&b| b == 0).find(|entry| entry.starts_with(beginning.as_bytes()))?;
    String::from_utf8(entry.to_vec()).ok()
}

/// The soft limit of RLIMIT_RTTIME, which anybody may read: proc(5), /proc/PID/limits.
pub fn soft_realtime_limit(pid: u32) -> Option<u64> {
    let text = String::from_utf8(read(&format!("/proc/{pid}/limits"), 8192)?).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max realtime timeout"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// All processes there are, threads left out.
pub fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The children of a process, by all of its threads: proc(5), /proc/PID/task/TID/children.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for thread in threads.flatten().take(limits::THREADS) {
        let text = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(text.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
    }
    found
}

/// The command line for people: spaces between words, the kernel's name in brackets if there is none.
pub fn command_line(pid: u32) -> Option<String> {
    let bytes = read(&format!("/proc/{pid}/cmdline"), 4096)?;
    let words: Vec<String> = bytes
        .split(|&b| b == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    if words.is_empty() {
        let name = read(&format!("/proc/{pid}/comm"), 64)?;
        return Some(format!("[{}]", String::from_utf8_lossy(&name).trim_end()));
    }
    Some(words.join(" "))
}

/// Real user id of a process.
pub fn user(pid: u32) -> Option<u32> {
    let bytes = read(&format!("/proc/{pid}/status"), 8192)?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_ascii_whitespace().next()?.parse().ok()
}

/// The cgroup v2 path of a process (`0::/…`), as seen from our cgroup namespace.
pub fn cgroup(pid: u32) -> Option<String> {
    cgroup_of(&format!("/proc/{pid}/cgroup"))
}

pub fn own_cgroup() -> Option<String> {
    cgroup_of("/proc/self/cgroup")
}

fn cgroup_of(path: &str) -> Option<String> {
    let text = String::from_utf8(read(path, 16 * 1024)?).ok()?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_stat_names_our_parent() {
        let stat = stat(std::process::id()).unwrap();
        assert_eq!(stat.parent, rustix::process::getppid().unwrap().as_raw_nonzero().get() as u32);
        assert!(!stat.is_zombie());
    }

    #[test]
    fn a_process_that_is_not_there_is_none() {
        assert_eq!(super::stat(u32::MAX - 1), None);
        assert_eq!(command_line(u32::MAX - 1), None);
    }

    #[test]
    fn a_child_is_its_parents() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(children(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
