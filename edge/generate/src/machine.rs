//! What of the machine decides which units are made.

use eudaemon_host::abilities;

use eudaemon_unit::generate::fstab::{Devices, Machine, Swap};
use eudaemon_unit::values::boolean;
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::os::unix::fs::PermissionsExt;

pub fn look(command_line: &str) -> Machine {
    // Where /sys cannot be written, nothing tells us of devices: a container's host mounts them.
    let read_only = statvfs("/sys").is_ok_and(|sys| sys.f_flag.contains(StatVfsMountFlags::RDONLY));
    let left = container() || is_refused(command_line, "systemd.swap");
    Machine {
        devices: if read_only { Devices::Elsewhere } else { Devices::Ours },
        swap: if left { Swap::Left } else { Swap::Used },
    }
}

/// What the manager says, or what is found.
fn container() -> bool {
    match std::env::var("SYSTEMD_VIRTUALIZATION") {
        Ok(said) => said.starts_with("container:"),
        Err(_) => abilities::container().is_some(),
    }
}

/// In a container the host's kernel command line is not meant for us: that of PID 1 is.
pub fn command_line() -> String {
    let (path, separator) = if container() { ("/proc/1/cmdline", '\0') } else { ("/proc/cmdline", ' ') };
    std::fs::read_to_string(path).unwrap_or_default().replace(separator, " ")
}

/// Whether the command line says `key=no`; the last word counts.
pub fn is_refused(command_line: &str, key: &str) -> bool {
    let value = |word: &str| boolean(word.strip_prefix(key)?.strip_prefix("=")?);
    command_line.split_whitespace().filter_map(value).next_back() == Some(false)
}

/// A script counts that its owner may run.
pub fn is_executable(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o100 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_the_command_line_counts() {
        assert!(is_refused("quiet fstab=0 ro", "fstab"));
        assert!(!is_refused("fstab=no fstab=yes", "fstab"));
        assert!(!is_refused("rd.fstab=no fstab", "fstab"));
    }
}
