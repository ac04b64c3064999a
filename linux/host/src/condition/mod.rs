//! `Condition…=` and `Assert…=`: is it so on this machine, now? systemd.unit(5), "Conditions and Asserts".
//!
//! One row of `TESTS` per test. A test that cannot be judged does not hold; a name that is not known does
//! not hold either, and the unit parser has said so before.

mod compare;
pub(crate) mod glob;
mod machine;
mod paths;

use crate::place::Scope;
use eudaemon_unit::config::unit::Condition;
pub use glob::matches;
pub use machine::{native_architecture, number_of};

/// What the tests ask of the manager rather than of the machine.
#[derive(Clone, Debug)]
pub struct Circumstances {
    pub scope: Scope,
    /// `systemd-detect-virt --container`.
    pub container: Option<String>,
    /// `systemd-detect-virt --vm`.
    pub virtual_machine: Option<String>,
    /// The environment given to services, `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Capability bounding set of init, by number.
    pub capabilities: u64,
    /// Has cgroup v2 with these controllers.
    pub controllers: Vec<String>,
}

type Test = fn(&str, &Circumstances) -> bool;

/// The word after `Condition`/`Assert`, and how it is judged.
const TESTS: &[(&str, Test)] = &[
    ("Architecture", machine::architecture),
    ("Firmware", machine::firmware),
    ("Virtualization", machine::virtualization),
    ("Host", machine::host),
    ("KernelCommandLine", machine::kernel_command_line),
    ("KernelVersion", machine::kernel_version),
    ("Credential", machine::credential),
    ("Environment", machine::environment),
    ("Security", machine::security),
    ("Capability", machine::capability),
    ("ACPower", machine::ac_power),
    ("NeedsUpdate", paths::needs_update),
    ("FirstBoot", paths::first_boot),
    ("PathExists", paths::exists),
    ("PathExistsGlob", paths::exists_glob),
    ("PathIsDirectory", paths::is_directory),
    ("PathIsSymbolicLink", paths::is_symbolic_link),
    ("PathIsMountPoint", paths::is_mount_point),
    ("PathIsReadWrite", paths::is_read_write),
    ("PathIsEncrypted", paths::is_encrypted),
    ("PathIsSocket", paths::is_socket),
    ("DirectoryNotEmpty", paths::directory_not_empty),
    ("FileNotEmpty", paths::file_not_empty),
    ("FileIsExecutable", paths::file_is_executable),
    ("User", machine::user),
    ("Group", machine::group),
    ("ControlGroupController", machine::controller),
    ("Memory", machine::memory),
    ("CPUs", machine::cpus),
    ("CPUFeature", machine::cpu_feature),
    ("OSRelease", machine::os_release),
    ("MemoryPressure", machine::pressure),
    ("CPUPressure", machine::pressure),
    ("IOPressure", machine::pressure),
];

/// Does the condition hold, negation included?
pub fn judge(condition: &Condition, circumstances: &Circumstances) -> bool {
    let test = TESTS.iter().find(|(name, _)| *name == condition.test);
    let plain = test.is_some_and(|(_, test)| test(&condition.value, circumstances));
    plain != condition.negated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(test: &str, value: &str, expected: bool) {
        let circumstances = Circumstances {
            scope: Scope::System,
            container: Some("docker".into()),
            virtual_machine: Some("kvm".into()),
            environment: vec!["A=b".into()],
            capabilities: 1 << 21,
            controllers: vec!["memory".into()],
        };
        for negated in [false, true] {
            let condition = Condition { test: test.into(), value: value.into(), negated, triggering: false };
            assert_eq!(judge(&condition, &circumstances), expected != negated, "{test}={value} ({negated})");
        }
    }

    #[test]
    fn paths() {
        check("PathExists", "/proc", true);
        check("PathExists", "/nonexistent/x", false);
        check("PathExistsGlob", "/pro?/[s-t]elf", true);
        check("PathExistsGlob", "/proc/nothing*here", false);
        check("PathIsDirectory", "/proc", true);
        check("PathIsSymbolicLink", "/proc/self", true);
        check("PathIsMountPoint", "/proc", true);
        check("PathIsMountPoint", "/proc/sys/kernel", false);
        check("DirectoryNotEmpty", "/proc", true);
        check("FileNotEmpty", "/proc/nonexistent", false);
        check("FileIsExecutable", "/bin/sh", true);
        check("FileIsExecutable", "/bin", false);
    }

    #[test]
    fn circumstances() {
        check("Virtualization", "container", true);
        check("Virtualization", "docker", true);
        check("Virtualization", "kvm", false);
        check("Virtualization", "vm", false);
        check("Virtualization", "yes", true);
        check("Capability", "CAP_SYS_ADMIN", true);
        check("Capability", "CAP_CHOWN", false);
        check("Environment", "A", true);
        check("Environment", "A=b", true);
        check("Environment", "A=c", false);
        check("ControlGroupController", "memory", true);
        check("ControlGroupController", "cpu memory", false);
        check("NoSuchTest", "x", false);
    }

    #[test]
    fn machine() {
        check("KernelVersion", ">=2.6", true);
        check("KernelVersion", "<2.6", false);
        check("KernelVersion", ">= 2.6", true);
        check("CPUs", ">=1", true);
        check("CPUs", "0", false);
        check("Memory", ">1M", true);
        check("Memory", "<1M", false);
        check("User", "root", rustix::process::getuid().is_root());
        check("OSRelease", "ID=nothing-such", false);
    }
}
