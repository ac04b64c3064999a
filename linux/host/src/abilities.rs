//! What this machine allows, probed once: never assumed, always said.

use crate::group::Ladder;
use crate::place::Role;
use crate::proc;
use std::fs;
use std::path::{Path, PathBuf};

/// The rung of the process-set ladder, made ready: our own processes are moved aside into `init.scope`. `inherited` is
/// the cgroup that an earlier init's services still live in.
pub fn ladder(role: Role, inherited: Option<&str>) -> Ladder {
    let Some(mount) = cgroup2_mount() else {
        return Ladder::Sweep { reason: "no cgroup v2 is mounted".into() };
    };
    let Some(own) = proc::own_cgroup() else {
        return Ladder::Sweep { reason: "/proc/self/cgroup names no cgroup v2".into() };
    };
    if own.starts_with("/..") {
        return Ladder::Sweep { reason: format!("our cgroup {own} lies outside the mounted hierarchy") };
    }
    // A restarted manager finds itself where its predecessor put it.
    let outer = own.strip_suffix("/init.scope").unwrap_or(&own).trim_end_matches('/').to_owned();
    let prefix = match (role, inherited) {
        (_, Some(inherited)) if join(&mount, inherited).is_dir() => inherited.to_owned(),
        (Role::First, _) => outer,
        // Another manager may own the hierarchy we are in: keep to a directory of our own.
        (Role::Beside, _) if is_own(&outer) => outer,
        (Role::Beside, _) => format!(
            "{outer}/{OWN}{}.slice",
            rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get())
        ),
    };
    let root = join(&mount, &prefix);
    let scope = root.join("init.scope");
    if let Err(error) = fs::create_dir_all(&scope) {
        return Ladder::Sweep { reason: format!("cannot make {}: {error}", scope.display()) };
    }
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get() as u32);
    for pid in [parent, std::process::id()] {
        if let Err(error) = fs::write(scope.join("cgroup.procs"), pid.to_string()) {
            // Nothing of ours may stay behind half made.
            drop(fs::remove_dir(&scope));
            return Ladder::Sweep {
                reason: format!("cannot move process {pid} to {}: {error}", scope.display()),
            };
        }
    }
    Ladder::Cgroup { root, prefix }
}

/// Our directory beside another PID 1. journald looks for a unit's name behind the slices of a path, so we are one.
const OWN: &str = "eudaemon-";

fn is_own(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| last.starts_with(OWN))
}

fn join(mount: &Path, prefix: &str) -> PathBuf {
    mount.join(prefix.trim_start_matches('/'))
}

/// Where a cgroup v2 is mounted, the usual places first: all of it, or its part of a hybrid machine.
pub fn cgroup2_mount() -> Option<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mut found: Vec<PathBuf> = table
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            (right.split(' ').next()? == "cgroup2")
                .then(|| PathBuf::from(left.split(' ').nth(4).unwrap_or("")))
        })
        .collect();
    found.sort_by_key(|path| {
        (path != Path::new("/sys/fs/cgroup"), path != Path::new("/sys/fs/cgroup/unified"), path.clone())
    });
    found.into_iter().next()
}

/// `ConditionVirtualization=` and `Virtualization`: the container we are in, systemd-detect-virt(1)'s words.
/// The order is that of systemd 252, with the two file tests for all, since docker and kubernetes set no variable.
pub fn container() -> Option<String> {
    if Path::new("/proc/vz").exists() && !Path::new("/proc/bc").exists() {
        return Some("openvz".into());
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if release.contains("Microsoft") || release.contains("WSL") {
        return Some("wsl".into());
    }
    if let Ok(manager) = fs::read_to_string("/run/host/container-manager") {
        return Some(manager.trim().to_owned());
    }
    let told = first_environment("container=").filter(|word| !word.is_empty());
    match told.as_deref() {
        None | Some("oci") => {}
        Some(word) => return Some(word.to_owned()),
    }
    if Path::new("/run/.containerenv").exists() {
        return Some("podman".into());
    }
    if Path::new("/.dockerenv").exists() {
        return Some("docker".into());
    }
    if told.is_some() {
        return Some("container-other".into());
    }
    let root_inode = fs::read_link("/proc/self/ns/cgroup").ok();
    (root_inode.is_some_and(|link| link.as_os_str() != "cgroup:[4026531835]"))
        .then(|| "container-other".into())
}

/// A variable of PID 1's first environment (readable by root and by PID 1's own children).
fn first_environment(prefix: &str) -> Option<String> {
    let bytes = fs::read("/proc/1/environ").ok()?;
    bytes
        .split(|&b| b == 0)
        .find_map(|entry| std::str::from_utf8(entry).ok()?.strip_prefix(prefix).map(str::to_owned))
}

/// The virtual machine underneath, from DMI and the CPU's own word; `None` on bare metal.
pub fn virtual_machine() -> Option<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let hypervisor =
        cpu.lines().any(|line| line.starts_with("flags") && line.split(' ').any(|flag| flag == "hypervisor"));
    for file in ["product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"] {
        let text = fs::read_to_string(format!("/sys/class/dmi/id/{file}")).unwrap_or_default();
        let known = [
            ("KVM", "kvm"),
            ("OpenStack", "kvm"),
            ("Amazon EC2", "amazon"),
            ("QEMU", "qemu"),
            ("VMware", "vmware"),
            ("VMW", "vmware"),
            ("innotek GmbH", "oracle"),
            ("VirtualBox", "oracle"),
            ("Xen", "xen"),
            ("Bochs", "bochs"),
            ("Parallels", "parallels"),
            ("BHYVE", "bhyve"),
            ("Hyper-V", "microsoft"),
        ];
        if let Some((_, word)) = known.iter().find(|(mark, _)| text.starts_with(mark)) {
            return Some((*word).to_owned());
        }
    }
    hypervisor.then(|| "kvm".into())
}

/// The capabilities services can have at most: proc(5), `CapBnd`.
pub fn bounding_set() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapBnd:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0)
}

/// The controllers of the cgroup v2 tree that is mounted.
pub fn controllers() -> Vec<String> {
    fs::read_to_string("/sys/fs/cgroup/cgroup.controllers")
        .map(|text| text.split_whitespace().map(str::to_owned).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_v2_mount_is_told_from_the_others() {
        if let Some(mount) = cgroup2_mount() {
            assert!(mount.join("cgroup.procs").exists(), "{mount:?}");
        } else {
            println!("SKIPPED: cgroup2 mount: none on this machine");
        }
    }
}
