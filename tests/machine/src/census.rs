//! Who lives in a machine, by the kernel's account: its processes, where each is, and what memory is whose.

use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// All processes of the pid namespace whose number 1 this is, not only its children.
pub fn processes(first: i32) -> Result<Vec<i32>> {
    let space = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid"));
    let theirs: PathBuf = space(first).with_context(|| format!("cannot tell the namespace of {first}"))?;
    let all = fs::read_dir("/proc")?.flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // One that has gone meanwhile is in no namespace.
    Ok(numbers.filter(|pid| space(*pid).is_ok_and(|found| found == theirs)).collect())
}

/// The children of a process, by its own account.
pub fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// The name that a process goes by.
pub fn comm(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// The words that a process was executed with: none when it is a zombie.
pub fn words(pid: i32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// The cgroup v2 of a process, as seen from out here.
pub fn cgroup(pid: i32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// A process's share of the memory it holds, in kB: pages that several hold count in parts.
pub fn proportional_memory(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse().ok())
}
