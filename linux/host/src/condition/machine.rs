//! Tests about the machine, the kernel and who we are.

use super::compare::{Comparison, Operator};
use super::{Circumstances, glob};
use crate::place::Scope;
use eudaemon_unit::values::capability;
use eudaemon_unit::values::number::unsigned;
use eudaemon_unit::values::path::is_file_name;
use eudaemon_unit::values::size::{Steps, parse_size};
use eudaemon_unit::values::words::{Escapes, Quotes, Words};
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
    #[cfg(test)]
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

/// `uefi`, `device-tree`, `device-tree-compatible(NAME)`, `smbios-field(NAME OPERATOR VALUE)`.
pub fn firmware(value: &str, _: &Circumstances) -> Option<bool> {
    if let Some(field) = value.strip_prefix("smbios-field(") {
        return smbios(field.strip_suffix(')').filter(|field| !field.contains(')'))?);
    }
    let compatible = value.strip_prefix("device-tree-compatible(").and_then(|rest| rest.strip_suffix(')'));
    Some(match (value, compatible) {
        ("uefi", _) => Path::new("/sys/firmware/efi").exists(),
        ("device-tree", _) => Path::new("/sys/firmware/devicetree").exists(),
        (_, Some(name)) => {
            let known = fs::read("/proc/device-tree/compatible").unwrap_or_default();
            known.split(|byte| *byte == 0).any(|one| !one.is_empty() && one == name.as_bytes())
        }
        (_, None) => false,
    })
}

fn smbios(expression: &str) -> Option<bool> {
    let at = expression.find(SIGNS).filter(|at| *at > 0)?;
    let (field, rest) = expression.split_at(at);
    let (comparison, rest) = Comparison::sign(rest)?;
    let mut words = unquoted(rest);
    let wanted = words.next()?.ok()?.text;
    let field = field.trim_end();
    if !words.rest().is_empty() || !is_file_name(field) {
        return None;
    }
    let found = fs::read_to_string(format!("/sys/class/dmi/id/{field}"));
    Some(found.is_ok_and(|found| comparison.holds(found.trim_end(), &wanted)))
}

/// Signs that comparisons begin with.
const SIGNS: [char; 5] = ['!', '<', '=', '>', '$'];

/// Words whose quotes and backslashes go.
fn unquoted(text: &str) -> Words<'_> {
    Words::new(text, Quotes::Removed, Escapes::Literal)
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

/// All of several expressions. One without a sign is a pattern.
pub fn kernel_version(value: &str, _: &Circumstances) -> Option<bool> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut words = unquoted(value);
    let mut is_first = true;
    while let Some(word) = words.next() {
        let word = word.ok()?.text;
        let word = word.trim();
        let (comparison, version) = Comparison::sign(word).unwrap_or((Comparison::Fits, word));
        let mut version = version.trim_start().to_owned();
        // Of the first alone the sign may be a word of its own.
        if version.is_empty() {
            version = words.next().filter(|_| is_first)?.ok()?.text;
        }
        if !comparison.holds(&release, &version) {
            return Some(false);
        }
        is_first = false;
    }
    Some(true)
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
    let number = capability::capability(value);
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
        word => match id(word) {
            Some(number) => number == own,
            None if circumstances.scope == Scope::System => word == "root",
            None => number_of("/etc/passwd", word) == Some(own),
        },
    }
}

/// A number as it is written, without noughts before it.
fn id(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

pub fn group(value: &str, _: &Circumstances) -> bool {
    let wanted = id(value).or_else(|| number_of("/etc/group", value));
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
    // What systemd's manager does by BPF in place of a controller, and ours does not.
    const BY_BPF: [&str; 5] =
        ["bpf-firewall", "bpf-devices", "bpf-foreign", "bpf-socket-bind", "bpf-restrict-network-interfaces"];
    let v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let is_there = |word: &str| circumstances.controllers.iter().any(|known| known == word);
    match value {
        "v2" => v2,
        "v1" => !v2,
        words => words
            .split_whitespace()
            .filter(|word| KNOWN.contains(word) || BY_BPF.contains(word))
            .all(is_there),
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

/// What systemd.unit(5) lists, by the kernel's name for it where that is another one.
const CPU_FEATURES: [(&str, &str); 3] = [("pclmul", "pclmulqdq"), ("fma3", "fma"), ("osxsave", "xsave")];
const CPU_FEATURES_AS_IN_CPUINFO: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat \
    pse36 clflush mmx fxsr sse sse2 ht pni monitor ssse3 cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c rdrand bmi1 \
    avx2 bmi2 rdseed adx sha_ni syscall rdtscp lm lahf_lm abm constant_tsc";

pub fn cpu_feature(value: &str, _: &Circumstances) -> bool {
    let asked = value.to_ascii_lowercase();
    let renamed = CPU_FEATURES.iter().find(|(name, _)| *name == asked).map(|(_, flag)| *flag);
    let same = CPU_FEATURES_AS_IN_CPUINFO.split_ascii_whitespace().find(|name| *name == asked);
    let Some(wanted) = renamed.or(same) else { return false };
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .filter(|line| line.starts_with("flags"))
        .any(|line| line.split_ascii_whitespace().any(|flag| flag == wanted))
}

/// `KEY OPERATOR VALUE` without blanks between them, as often as one likes. A key that is not there is empty.
pub fn os_release(value: &str, _: &Circumstances) -> Option<bool> {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    let field = |key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.map(|found| found.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
    };
    for word in unquoted(value) {
        let word = word.ok()?.text;
        let (key, rest) = word.split_at(word.find(SIGNS)?);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) || !key.chars().all(is_plain) {
            return None;
        }
        let (comparison, wanted) = Comparison::sign(rest)?;
        if wanted.is_empty() || wanted.starts_with(|c: char| c.is_ascii_whitespace()) {
            return None;
        }
        if !comparison.holds(&field(key), wanted) {
            return Some(false);
        }
    }
    Some(true)
}
