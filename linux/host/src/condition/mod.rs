//! `Condition…=` and `Assert…=`: is it so on this machine, now? systemd.unit(5), "Conditions and Asserts".
//!
//! One row of `TESTS` per test. A test that cannot be judged does not hold; a name that is not known does
//! not hold either, and the unit parser has said so before.

mod compare;
pub(crate) mod glob;
mod machine;
mod paths;
mod pressure;

use crate::place::Scope;
pub use compare::{Operator, versions};
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

#[derive(Clone, Copy)]
enum Test {
    Plain(fn(&str, &Circumstances) -> bool),
    /// `None`: the value makes no sense.
    Checked(fn(&str, &Circumstances) -> Option<bool>),
}

use Test::{Checked, Plain};

/// The word after `Condition`/`Assert`, and how it is judged.
const TESTS: &[(&str, Test)] = &[
    ("Architecture", Plain(machine::architecture)),
    ("Firmware", Checked(machine::firmware)),
    ("Virtualization", Plain(machine::virtualization)),
    ("Host", Plain(machine::host)),
    ("KernelCommandLine", Plain(machine::kernel_command_line)),
    ("KernelVersion", Checked(machine::kernel_version)),
    ("Credential", Plain(machine::credential)),
    ("Environment", Plain(machine::environment)),
    ("Security", Plain(machine::security)),
    ("Capability", Checked(machine::capability)),
    ("ACPower", Checked(machine::ac_power)),
    ("NeedsUpdate", Plain(paths::needs_update)),
    ("FirstBoot", Checked(paths::first_boot)),
    ("PathExists", Plain(paths::exists)),
    ("PathExistsGlob", Plain(paths::exists_glob)),
    ("PathIsDirectory", Plain(paths::is_directory)),
    ("PathIsSymbolicLink", Plain(paths::is_symbolic_link)),
    ("PathIsMountPoint", Plain(paths::is_mount_point)),
    ("PathIsReadWrite", Plain(paths::is_read_write)),
    ("PathIsEncrypted", Plain(paths::is_encrypted)),
    ("PathIsSocket", Plain(paths::is_socket)),
    ("DirectoryNotEmpty", Plain(paths::directory_not_empty)),
    ("FileNotEmpty", Plain(paths::file_not_empty)),
    ("FileIsExecutable", Plain(paths::file_is_executable)),
    ("User", Plain(machine::user)),
    ("Group", Plain(machine::group)),
    ("ControlGroupController", Plain(machine::controller)),
    ("Memory", Checked(machine::memory)),
    ("CPUs", Checked(machine::cpus)),
    ("CPUFeature", Plain(machine::cpu_feature)),
    ("OSRelease", Checked(machine::os_release)),
    ("MemoryPressure", Checked(pressure::memory)),
    ("CPUPressure", Checked(pressure::cpu)),
    ("IOPressure", Checked(pressure::io)),
];

/// Does the condition hold, negation included? One that makes no sense does not, also when it is negated.
pub fn judge(condition: &Condition, circumstances: &Circumstances) -> bool {
    verdict(condition, circumstances).unwrap_or(false)
}

/// As `judge`, but `None` where the value makes no sense.
pub fn verdict(condition: &Condition, circumstances: &Circumstances) -> Option<bool> {
    let value = &condition.value;
    let plain = match TESTS.iter().find(|(name, _)| *name == condition.test) {
        Some((_, Plain(test))) => test(value, circumstances),
        Some((_, Checked(test))) => test(value, circumstances)?,
        None => false,
    };
    Some(plain != condition.negated)
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

    /// Whatever is asked of it, a value that makes no sense does not hold.
    fn check_senseless(test: &str, value: &str) {
        for negated in [false, true] {
            let condition = Condition { test: test.into(), value: value.into(), negated, triggering: false };
            assert_eq!(verdict(&condition, &Circumstances::none()), None, "{test}={value} ({negated})");
        }
    }

    #[test]
    fn paths() {
        check("PathExists", "/proc", true);
        check("PathExists", "/nonexistent/x", false);
        check("PathExistsGlob", "/pro?/[s-t]elf", true);
        check("PathExistsGlob", "/proc/nothing*here", false);
        check("PathExistsGlob", "/{nothing,{pro,x}c}/{}sel{g,f}", false);
        check("PathExistsGlob", "/{nothing,{pro,x}c}/sel{g,f}", true);
        check("NeedsUpdate", "/nonexistent/x", true);
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
        check("Capability", "21", true);
        check("Environment", "A", true);
        check("Environment", "A=b", true);
        check("Environment", "A=c", false);
        check("ControlGroupController", "memory", true);
        check("ControlGroupController", "cpu memory", false);
        check("ControlGroupController", "no-such-thing", true);
        check("ControlGroupController", "memory bpf-firewall", false);
        check("NoSuchTest", "x", false);
    }

    #[test]
    fn machine() {
        check("KernelVersion", ">=2.6", true);
        check("KernelVersion", "<2.6", false);
        check("KernelVersion", ">= 2.6", true);
        check("CPUs", ">=1", true);
        check_senseless("Capability", "bogus");
        check_senseless("Capability", "chown");
        check_senseless("CPUs", "x");
        check_senseless("Memory", ">x");
        check_senseless("FirstBoot", "x");
        check_senseless("ACPower", "x");
        for text in ["ID", "ID=", "ID=''", "ID= x", "1D=x", "=x", "ID=\"x", "I-D=x"] {
            check_senseless("OSRelease", text);
        }
        check("OSRelease", "NO_SUCH_KEY$=*", true);
        check("OSRelease", "NO_SUCH_KEY!='a b'", true);
        check("OSRelease", "NO_SUCH_KEY=x ID=", false);
        for text in ["> 2 < 99", ">", "=", ">2 >"] {
            check_senseless("KernelVersion", text);
        }
        for text in ["$=[0-9]*", "$= ?*", "'?*'", "\">=2.6\" !$=x*", "!=2.6", "<>2.6", "> 2.6 ?*"] {
            check("KernelVersion", text, true);
        }
        for text in [
            "smbios-field(",
            "smbios-field()",
            "smbios-field(a=)",
            "smbios-field(a=b c)",
            "smbios-field(../a=b)",
        ] {
            check_senseless("Firmware", text);
        }
        check("Firmware", "smbios-field(no_such_field $= '*')", false);
        check("Firmware", "bogus", false);
        check("CPUFeature", "no-such-feature", false);
        check("Memory", ">1M", true);
        check("Memory", "<1M", false);
        check("User", "root", rustix::process::getuid().is_root());
        check("OSRelease", "ID=nothing-such", false);
    }
}
