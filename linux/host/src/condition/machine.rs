//! Tests about the machine, the kernel and who we are.

use super::compare::{Operator, versions};
use super::{Circumstances, glob};
use crate::place::Scope;
use std::fs;
use std::path::Path;

pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

impl Circumstances {
    /// For tests that ask nothing of the manager.
    pub(super) fn none() -> Circumstances {
        Circumstances {
            scope: Scope::System,
            container: None,
            virtual_machine: None,
            environment: Vec::new(),
            capabilities: 0,
            controllers: Vec::new(),
        }
    }
}

/// systemd's word for the machine uname(2) names.
pub fn native_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "aarch64" => "arm64",
        "riscv64" => "riscv64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64-le",
        "s390x" => "s390x",
        "loongarch64" => "loongarch64",
        other => other,
    }
}

pub fn architecture(value: &str, _: &Circumstances) -> bool {
    value == "native" || value == native_architecture()
}

pub fn firmware(value: &str, _: &Circumstances) -> bool {
    match value {
        "uefi" => Path::new("/sys/firmware/efi").exists(),
        "device-tree" => Path::new("/sys/firmware/devicetree").exists(),
        _ => false,
    }
}

pub fn virtualization(value: &str, circumstances: &Circumstances) -> bool {
    // A container on a VM is a container: the innermost counts.
    let container = circumstances.container.as_deref();
    let machine = circumstances.virtual_machine.as_deref().filter(|_| container.is_none());
    match value {
        "container" => container.is_some(),
        "vm" => machine.is_some(),
        "private-users" => private_users(),
        word => match boolean(word) {
            Some(wanted) => wanted == (container.is_some() || machine.is_some()),
            None => container == Some(word) || machine == Some(word),
        },
    }
}

/// Are we in a user namespace that is not the machine's own?
fn private_users() -> bool {
    fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_ascii_whitespace().ne(["0", "0", "4294967295"]))
}

pub fn host(value: &str, _: &Circumstances) -> bool {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    if value.len() == 32 && value.chars().all(|c| c.is_ascii_hexdigit()) {
        return id.trim().eq_ignore_ascii_case(value);
    }
    let name = rustix::system::uname();
    glob::matches(&value.to_lowercase(), &name.nodename().to_string_lossy().to_lowercase())
}

pub fn kernel_command_line(value: &str, circumstances: &Circumstances) -> bool {
    // In a container the kernel's line is the host's business: PID 1's own arguments stand for it.
    let line = if circumstances.container.is_some() {
        fs::read("/proc/1/cmdline")
            .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
            .unwrap_or_default()
    } else {
        fs::read_to_string("/proc/cmdline").unwrap_or_default()
    };
    let assigned = value.contains('=');
    line.split_whitespace().any(|word| {
        word == value || (!assigned && word.split_once('=').is_some_and(|(name, _)| name == value))
    })
}

pub fn kernel_version(value: &str, _: &Circumstances) -> bool {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    // Several comparisons may stand in one line; an operator may be a word of its own.
    let mut words = value.split_whitespace();
    let mut judged = false;
    while let Some(word) = words.next() {
        judged = true;
        let holds = match Operator::split(word) {
            Some((operator, "")) => {
                words.next().is_some_and(|version| operator.holds(versions(&release, version)))
            }
            Some((operator, version)) => operator.holds(versions(&release, version)),
            None => glob::matches(word, &release),
        };
        if !holds {
            return false;
        }
    }
    judged
}

pub fn credential(value: &str, _: &Circumstances) -> bool {
    std::env::var("CREDENTIALS_DIRECTORY").is_ok_and(|directory| Path::new(&directory).join(value).exists())
}

pub fn environment(value: &str, circumstances: &Circumstances) -> bool {
    circumstances.environment.iter().any(|entry| {
        entry == value
            || (!value.contains('=') && entry.split_once('=').is_some_and(|(name, _)| name == value))
    })
}

pub fn security(value: &str, _: &Circumstances) -> bool {
    match value {
        "selinux" => Path::new("/sys/fs/selinux/enforce").exists(),
        "apparmor" => fs::read_to_string("/sys/module/apparmor/parameters/enabled")
            .is_ok_and(|text| text.starts_with('Y')),
        "tomoyo" => Path::new("/sys/kernel/security/tomoyo/version").exists(),
        "ima" => Path::new("/sys/kernel/security/ima").exists(),
        "smack" => Path::new("/sys/fs/smackfs").exists(),
        "audit" => Path::new("/proc/self/loginuid").exists(),
        "uefi-secureboot" => {
            fs::read("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
                .is_ok_and(|bytes| bytes.last() == Some(&1))
        }
        "tpm2" => Path::new("/sys/class/tpmrm").read_dir().is_ok_and(|mut entries| entries.next().is_some()),
        _ => false,
    }
}

/// Capability names by number, capabilities(7).
pub const CAPABILITIES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

pub fn capability(value: &str, circumstances: &Circumstances) -> bool {
    let name = value.to_ascii_lowercase();
    let name = name.strip_prefix("cap_").unwrap_or(&name);
    let number = CAPABILITIES.iter().position(|known| *known == name);
    number.is_some_and(|number| circumstances.capabilities & (1 << number) != 0)
}

pub fn ac_power(value: &str, _: &Circumstances) -> bool {
    let Ok(entries) = fs::read_dir("/sys/class/power_supply") else { return boolean(value) == Some(true) };
    let supplies: Vec<bool> = entries
        .flatten()
        .filter(|entry| {
            fs::read_to_string(entry.path().join("type")).is_ok_and(|kind| kind.trim() == "Mains")
        })
        .map(|entry| fs::read_to_string(entry.path().join("online")).is_ok_and(|text| text.trim() == "1"))
        .collect();
    boolean(value) == Some(supplies.is_empty() || supplies.contains(&true))
}

pub fn user(value: &str, circumstances: &Circumstances) -> bool {
    let own = rustix::process::getuid().as_raw();
    match value {
        "@system" => own < 1000,
        word => match word.parse::<u32>() {
            Ok(number) => number == own,
            Err(_) if circumstances.scope == Scope::System => word == "root",
            Err(_) => number_of("/etc/passwd", word) == Some(own),
        },
    }
}

pub fn group(value: &str, _: &Circumstances) -> bool {
    let wanted = value.parse().ok().or_else(|| number_of("/etc/group", value));
    let mut groups: Vec<u32> =
        rustix::process::getgroups().unwrap_or_default().into_iter().map(|group| group.as_raw()).collect();
    groups.push(rustix::process::getgid().as_raw());
    wanted.is_some_and(|wanted| groups.contains(&wanted))
}

/// The third field of the line that begins with the name: passwd(5), group(5).
pub fn number_of(file: &str, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

pub fn controller(value: &str, circumstances: &Circumstances) -> bool {
    let v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    match value {
        "v2" => v2,
        "v1" => !v2,
        words => {
            words.split_whitespace().all(|word| circumstances.controllers.iter().any(|known| known == word))
        }
    }
}

pub fn memory(value: &str, _: &Circumstances) -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
        * 1024;
    let (operator, text) = Operator::split(value).unwrap_or((Operator::GreaterEqual, value));
    bytes(text).is_some_and(|wanted| operator.holds(total.cmp(&wanted)))
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.trim() {
        "" | "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

pub fn cpus(value: &str, _: &Circumstances) -> bool {
    let usable = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    let (operator, text) = Operator::split(value).unwrap_or((Operator::GreaterEqual, value));
    // A bare number asks for at least so many; none makes no sense and never holds.
    text.parse::<u64>().is_ok_and(|wanted| wanted > 0 && operator.holds(usable.cmp(&wanted)))
}

pub fn cpu_feature(value: &str, _: &Circumstances) -> bool {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wanted = value.to_ascii_lowercase();
    text.lines()
        .filter(|line| line.starts_with("flags") || line.starts_with("Features"))
        .any(|line| line.split_ascii_whitespace().any(|flag| flag == wanted))
}

pub fn os_release(value: &str, _: &Circumstances) -> bool {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    let field = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|found| found.trim_matches(['"', '\'']).to_owned())
            .unwrap_or_default()
    };
    value.split_whitespace().all(|word| {
        let Some(at) = word.find(['=', '!', '<', '>', '$']) else { return false };
        let (key, rest) = word.split_at(at);
        let found = field(key);
        if let Some(pattern) = rest.strip_prefix("$=").or_else(|| rest.strip_prefix("!$=")) {
            return glob::matches(pattern, &found) != rest.starts_with('!');
        }
        match Operator::split(rest) {
            // `=` and `!=` compare text, the others versions.
            Some((Operator::Equal, wanted)) if !rest.starts_with("==") => found == wanted.trim_matches('"'),
            Some((operator, wanted)) => operator.holds(versions(&found, wanted)),
            None => false,
        }
    })
}

/// Pressure conditions hold where the kernel tells no pressure, as systemd decides it.
pub fn pressure(value: &str, _: &Circumstances) -> bool {
    let limit = value.rsplit(':').next().unwrap_or(value);
    let Ok(limit) = limit.split('/').next().unwrap_or("").trim_end_matches('%').parse::<f64>() else {
        return true;
    };
    let Ok(text) = fs::read_to_string("/proc/pressure/memory") else { return true };
    let average = text
        .lines()
        .next()
        .and_then(|line| line.split("avg300=").nth(1)?.split(' ').next()?.parse::<f64>().ok());
    average.is_none_or(|average| average <= limit)
}
