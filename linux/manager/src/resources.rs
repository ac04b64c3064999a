//! What the kernel says of a unit's cgroup at the moment somebody asks.

use eudaemon_bus::{Capacity, Process, Resources};
use eudaemon_host::host::Host;
use eudaemon_host::{abilities, proc};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use std::fs;
use std::os::unix::fs::MetadataExt;

pub fn read(host: &Host, unit: &UnitName, config: Option<&Config>) -> Resources {
    let Some(directory) = host.cgroup_directory(unit, config) else { return Resources::default() };
    let number = |file: &str| fs::read_to_string(directory.join(file)).ok()?.trim().parse::<u64>().ok();
    let cpu = fs::read_to_string(directory.join("cpu.stat"))
        .ok()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("usage_usec "))?.parse::<u64>().ok());
    Resources {
        cgroup_id: fs::metadata(&directory).ok().map(|found| found.ino()),
        memory_bytes: number("memory.current"),
        memory_available_bytes: None,
        cpu_nsec: cpu.map(|usec| usec * 1_000),
        tasks: number("pids.current"),
        io_read_bytes: None,
        io_read_operations: None,
        io_write_bytes: None,
        io_write_operations: None,
    }
}

/// The machine's memory and how many tasks its kernel allows, or less if the cgroup we are shown as the root has less.
#[allow(
    clippy::useless_conversion,
    reason = "the kernel's `unsigned long` is shorter on other architectures"
)]
pub fn capacity() -> Capacity {
    let info = rustix::system::sysinfo();
    let memory = u64::from(info.totalram).saturating_mul(u64::from(info.mem_unit.max(1)));
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let mount = abilities::cgroup2_mount();
    let of_root = |file: &str| number(mount.as_ref()?.join(file).to_str()?);
    let tasks =
        [number("/proc/sys/kernel/threads-max"), number("/proc/sys/kernel/pid_max"), of_root("pids.max")];
    Capacity {
        memory_bytes: memory.min(of_root("memory.max").unwrap_or(u64::MAX)),
        tasks: tasks.into_iter().flatten().min().unwrap_or(u64::MAX),
    }
}

pub fn processes(host: &Host, unit: &UnitName, config: Option<&Config>) -> Vec<Process> {
    let path = host.cgroup_path(unit, config);
    let has_cgroups = host.cgroup_directory(unit, config).is_some();
    let members = host.members(unit, config);
    members
        .into_iter()
        .filter_map(|pid| {
            let cgroup = match has_cgroups {
                true => proc::cgroup(pid).unwrap_or_else(|| path.clone()),
                // Without cgroups the place a client would look for them is made up from the unit's own.
                false => eudaemon_host::host::made_up_path(unit, config),
            };
            Some(Process { cgroup, pid, command_line: proc::command_line(pid)? })
        })
        .collect()
}
