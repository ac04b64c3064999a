//! Tests about the machine, the kernel and who we are.

use super::compare::{Operator, versions};
use super::{Circumstances, glob};
use crate::place::Scope;
use eudaemon_unit::values::capability;
use eudaemon_unit::values::number::unsigned;
use eudaemon_unit::values::size::{Steps, parse_size};
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

pub fn capability(value: &str, circumstances: &Circumstances) -> Option<bool> {
    // A name may stand without its prefix.
    let number = capability::capability(value).or_else(|| capability::capability(&format!("cap_{value}")));
    // The kernel counts them up to 63, whether it has them or not.
    let number = number.or_else(|| value.parse().ok().filter(|number| *number < u64::BITS))?;
    Some(circumstances.capabilities & (1 << number) != 0)
}

pub fn ac_power(value: &str, _: &Circumstances) -> Option<bool> {
    let wanted = boolean(value)?;
    let entries = fs::read_dir("/sys/class/power_supply").map(|entries| entries.flatten().collect());
    let entries: Vec<fs::DirEntry> = entries.unwrap_or_default();
    let field = |entry: &fs::DirEntry, name: &str| {
        fs::read_to_string(entry.path().join(name)).unwrap_or_default().trim().to_owned()
    };
    let mut supplies = entries.iter().filter(|entry| field(entry, "type") == "Mains").peekable();
    let on = supplies.peek().is_none() || supplies.any(|entry| field(entry, "online") == "1");
    Some(wanted == on)
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

/// Words that name no controller say nothing.
pub fn controller(value: &str, circumstances: &Circumstances) -> bool {
    const KNOWN: [&str; 8] = ["cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids"];
    let v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let is_there = |word: &str| circumstances.controllers.iter().any(|known| known == word);
    match value {
        "v2" => v2,
        "v1" => !v2,
        words => words.split_whitespace().filter(|word| KNOWN.contains(word)).all(is_there),
    }
}

pub fn memory(value: &str, _: &Circumstances) -> Option<bool> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
        * 1024;
    let (operator, text) = Operator::split(value).unwrap_or((Operator::GreaterEqual, value));
    let wanted = parse_size(text, Steps::Of1024).ok()?;
    Some(operator.holds(total.cmp(&wanted)))
}

/// A bare number asks for at least so many.
pub fn cpus(value: &str, _: &Circumstances) -> Option<bool> {
    let usable = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    let (operator, text) = Operator::split(value).unwrap_or((Operator::GreaterEqual, value));
    Some(operator.holds(usable.cmp(&unsigned(text).ok()?)))
}

pub fn cpu_feature(value: &str, _: &Circumstances) -> bool {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wanted = value.to_ascii_lowercase();
    text.lines()
        .filter(|line| line.starts_with("flags") || line.starts_with("Features"))
        .any(|line| line.split_ascii_whitespace().any(|flag| flag == wanted))
}

pub fn os_release(value: &str, _: &Circumstances) -> Option<bool> {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    let field = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|found| found.trim_matches(['"', '\'']).to_owned())
            .unwrap_or_default()
    };
    let judged: Option<Vec<bool>> = value
        .split_whitespace()
        .map(|word| {
            let at = word.find(['=', '!', '<', '>', '$']).filter(|at| *at > 0)?;
            let (key, rest) = word.split_at(at);
            let odd = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            if key.contains(odd) {
                return None;
            }
            let found = field(key);
            if let Some(pattern) = rest.strip_prefix("$=").or_else(|| rest.strip_prefix("!$=")) {
                return Some(glob::matches(pattern, &found) != rest.starts_with('!'));
            }
            Some(match Operator::split(rest)? {
                // `=` and `!=` compare text, the others versions.
                (Operator::Equal, wanted) if !rest.starts_with("==") => found == wanted.trim_matches('"'),
                (operator, wanted) => operator.holds(versions(&found, wanted)),
            })
        })
        .collect();
    Some(judged?.into_iter().all(|holds| holds))
}
