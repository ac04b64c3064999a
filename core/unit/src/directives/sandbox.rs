//! systemd.exec(5), what is not acted on yet: sandboxing, scheduling, credentials, mount namespaces.
//! Values are read and checked, so that `status` can say what a service does not get.

use super::line::Style;
use super::line::Want;
use super::{Directive, Draft, Kind, Line, Support, confine, keep, paths};
use crate::values::Bad;
use crate::values::number::{integer, unsigned};
use crate::values::timespan::parse_nanoseconds;
use std::num::IntErrorKind;

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const fn own(key: &'static str, set: fn(&mut Draft, &mut Line<'_>), help: &'static str) -> Directive {
    Directive { key, kind: Kind::Text, support: Support::NotYet, set, help }
}

const KEYRING: Kind = Kind::OneOf("keyring mode", &["private", "inherit", "shared"]);
const PROC: Kind = Kind::OneOf("/proc/ protection mode", &["default", "noaccess", "invisible", "ptraceable"]);
const SUBSET: Kind = Kind::OneOf("/proc/ subset mode", &["all", "pid"]);
const HOME: Kind = Kind::OneOf("protect home value", &["no", "yes", "read-only", "tmpfs"]);
const SYSTEM: Kind = Kind::OneOf("protect system value", &["no", "yes", "full", "strict"]);
const NUMA: &[&str] = &["default", "preferred", "bind", "interleave", "local"];
const UTMP: Kind = Kind::OneOf("utmp mode", &["init", "login", "user"]);
const ARCHITECTURES: &[&str] = &["x86", "x86-64", "ppc", "ppc-le", "ppc64", "ppc64-le", "s390", "s390x"];

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    own("AppArmorProfile", required_text, "the AppArmor profile it is confined by"),
    kept("BindLogSockets", Kind::Boolean, "the journal's sockets are there in its file system"),
    own("BindPaths", paths::bind_paths, "paths put elsewhere in its file system"),
    own("BindReadOnlyPaths", paths::bind_paths, "paths put elsewhere in its file system, read-only"),
    own("CPUAffinity", cpu_affinity, "CPUs it runs on"),
    own("CPUSchedulingPolicy", cpu_policy, "the CPU scheduling policy"),
    own("CPUSchedulingPriority", cpu_priority, "the priority under a real-time policy"),
    kept("CPUSchedulingResetOnFork", Kind::Boolean, "children fall back to the default CPU scheduling"),
    own("CoredumpFilter", coredump_filter, "which memory goes into a core dump"),
    kept("ExecPaths", Kind::Paths, "paths below which programs may run"),
    kept("ExtensionDirectories", Kind::Paths, "directories laid over /usr and /opt"),
    kept("ExtensionImagePolicy", Kind::Text, "what an extension image must look like"),
    own("ExtensionImages", paths::images, "images laid over /usr and /opt"),
    own("IOSchedulingClass", io_class, "the disk scheduling class"),
    own("IOSchedulingPriority", io_priority, "the priority in its disk scheduling class"),
    kept("IPCNamespacePath", Kind::Path, "the IPC namespace it joins"),
    kept("ImportCredential", Kind::Lines, "credentials of the system it is given"),
    kept("InaccessibleDirectories", Kind::Paths, "old name of InaccessiblePaths="),
    kept("InaccessiblePaths", Kind::Paths, "paths it cannot reach"),
    Directive { key: "KeyringMode", kind: KEYRING, support: Support::NotYet, set: keyring, help: "which kernel keyring it has" },
    own("LoadCredential", load_credential, "credentials read from files"),
    own("LoadCredentialEncrypted", load_credential, "credentials read from encrypted files"),
    kept("LockPersonality", Kind::Boolean, "it cannot change its execution domain"),
    own("LogExtraFields", extra_fields, "fields added to its log messages"),
    kept("LogFilterPatterns", Kind::Lines, "which of its log messages are kept"),
    own("LogLevelMax", level, "log messages above this level are dropped"),
    own("LogNamespace", log_namespace, "the journal it logs to"),
    kept("LogRateLimitBurst", Kind::Unsigned, "how many log messages LogRateLimitIntervalSec= allows"),
    kept("LogRateLimitIntervalSec", Kind::Span("sec value"), "the time in which its log messages are counted"),
    kept("MemoryDenyWriteExecute", Kind::Boolean, "it cannot make memory that is written to and run"),
    kept("MemoryKSM", Kind::Boolean, "equal memory pages are merged"),
    own("MountAPIVFS", mount_api, "/proc, /sys and /dev are mounted in its root"),
    own("MountFlags", mount_flags, "how mounts spread from and to its file system"),
    kept("MountImagePolicy", Kind::Text, "what a mounted image must look like"),
    own("MountImages", paths::images, "images mounted in its file system"),
    own("NUMAMask", numa_mask, "the memory nodes NUMAPolicy= is about"),
    own("NUMAPolicy", numa_policy, "the memory policy"),
    kept("NetworkNamespacePath", Kind::Path, "the network namespace it joins"),
    kept("NoExecPaths", Kind::Paths, "paths below which no program may run"),
    own("Personality", personality, "the execution domain"),
    kept("PrivateBPF", Kind::Boolean, "it has a BPF file system of its own"),
    kept("PrivateDevices", Kind::Boolean, "it sees a small /dev of its own"),
    kept("PrivateIPC", Kind::Boolean, "it has IPC objects of its own"),
    kept("PrivateMounts", Kind::Boolean, "its mounts stay its own"),
    kept("PrivateNetwork", Kind::Boolean, "it has a network of its own, with loopback only"),
    kept("PrivatePIDs", Kind::Boolean, "it sees its own processes only"),
    kept("PrivateTmp", Kind::OneOf("boolean value", &["no", "yes", "disconnected"]), "it has /tmp and /var/tmp of its own"),
    kept("PrivateUsers", Kind::OneOf("boolean value", &["no", "yes", "self", "identity", "full"]), "it has users of its own"),
    kept("ProcSubset", SUBSET, "what /proc shows beside processes"),
    kept("ProtectClock", Kind::Boolean, "it cannot set the clock"),
    kept("ProtectControlGroups", Kind::OneOf("boolean value", &["no", "yes", "private", "strict"]), "it cannot write to /sys/fs/cgroup"),
    kept("ProtectHome", HOME, "it cannot reach /home, /root and /run/user"),
    kept("ProtectHostname", Kind::OneOf("boolean value", &["no", "yes", "private"]), "it cannot set the host name"),
    kept("ProtectKernelLogs", Kind::Boolean, "it cannot read or write the kernel's log"),
    kept("ProtectKernelModules", Kind::Boolean, "it cannot load kernel modules"),
    kept("ProtectKernelTunables", Kind::Boolean, "it cannot write to /proc/sys and /sys"),
    kept("ProtectProc", PROC, "which other processes it sees in /proc"),
    kept("ProtectSystem", SYSTEM, "it cannot write to /usr, /etc or anywhere"),
    kept("ReadOnlyDirectories", Kind::Paths, "old name of ReadOnlyPaths="),
    kept("ReadOnlyPaths", Kind::Paths, "paths it cannot write to"),
    kept("ReadWriteDirectories", Kind::Paths, "old name of ReadWritePaths="),
    kept("ReadWritePaths", Kind::Paths, "paths it can write to in spite of the rest"),
    kept("RemoveIPC", Kind::Boolean, "IPC objects of its user go when it stops"),
    own("RestrictAddressFamilies", confine::address_families, "kinds of sockets it can make"),
    own("RestrictFileSystems", confine::file_systems, "kinds of file systems it can open files on"),
    own("RestrictNamespaces", confine::restrict_namespaces, "kinds of namespaces it can make"),
    kept("RestrictRealtime", Kind::Boolean, "it cannot have real-time scheduling"),
    kept("RestrictSUIDSGID", Kind::Boolean, "it cannot make files setuid or setgid"),
    kept("RootEphemeral", Kind::Boolean, "it sees a copy of its root that is thrown away"),
    own("RootHash", root_hash, "the hash RootImage= is verified by"),
    own("RootHashSignature", root_hash, "the signature of RootHash="),
    own("RootImage", required_path, "the image it sees as /"),
    own("RootImageOptions", paths::root_image_options, "options RootImage= is mounted with"),
    kept("RootImagePolicy", Kind::Text, "what RootImage= must look like"),
    kept("RootMStack", Kind::Path, "the stack of mounts it sees as /"),
    own("RootVerity", required_path, "the verity data of RootImage="),
    own("SELinuxContext", required_text, "the SELinux context it runs in"),
    own("SecureBits", confine::secure_bits, "bits that rule how capabilities are handed on"),
    own("SetCredential", set_credential, "credentials written in the unit"),
    own("SetCredentialEncrypted", set_credential, "encrypted credentials written in the unit"),
    kept("SetLoginEnvironment", Kind::Boolean, "HOME, LOGNAME and SHELL are set"),
    own("SmackProcessLabel", required_text, "the SMACK label it runs under"),
    kept("StateDirectoryAccounting", Kind::Boolean, "the size of StateDirectory= is counted"),
    own("SystemCallArchitectures", architectures, "architectures whose system calls it can make"),
    own("SystemCallErrorNumber", confine::error_number, "the error a forbidden system call gets"),
    own("SystemCallFilter", confine::system_calls, "system calls it can make"),
    own("SystemCallLog", confine::system_calls, "system calls that are logged"),
    kept("TTYColumns", Kind::Unsigned, "the width of its terminal"),
    kept("TTYReset", Kind::Boolean, "its terminal is reset before and after"),
    kept("TTYRows", Kind::Unsigned, "the height of its terminal"),
    kept("TTYVHangup", Kind::Boolean, "its terminal is hung up before and after"),
    kept("TTYVTDisallocate", Kind::Boolean, "its virtual terminal is emptied before and after"),
    own("TemporaryFileSystem", paths::temporary, "paths it sees as empty, in memory"),
    own("TimerSlackNSec", timer_slack, "how late its timers may be"),
    kept("UtmpIdentifier", Kind::Text, "its id in utmp"),
    kept("UtmpMode", UTMP, "its kind of entry in utmp"),
];

fn mount_flags(d: &mut Draft, l: &mut Line<'_>) {
    match l.value {
        "" => l.reset(d),
        "shared" | "slave" | "private" => l.keep_one(d, l.value.to_owned()),
        other => l.warn(format!("Failed to parse mount flag, ignoring: {other}")),
    }
}

/// On by itself with a root of the unit's own, so both words say something.
fn mount_api(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        l.reset(d);
    } else if let Some(yes) = l.boolean() {
        l.keep_one(d, if yes { "yes" } else { "no" }.to_owned());
    }
}

fn cpu_affinity(d: &mut Draft, l: &mut Line<'_>) {
    if l.value == "numa" {
        return l.keep_one(d, "numa".into());
    }
    l.keep_cpus(d);
}

fn numa_mask(d: &mut Draft, l: &mut Line<'_>) {
    if l.value == "all" {
        return l.keep_one(d, "all".into());
    }
    if l.keep_cpus(d).is_none() {
        l.unparsed("NUMA node mask");
    }
}

fn numa_policy(d: &mut Draft, l: &mut Line<'_>) {
    match NUMA.contains(&l.value) {
        true => l.keep_one(d, l.value.to_owned()),
        false if l.is_empty() => l.reset(d),
        false => l.warn(format!("Invalid NUMA policy type, ignoring: {}", l.value)),
    }
}

fn cpu_policy(d: &mut Draft, l: &mut Line<'_>) {
    const POLICIES: [(&str, &str); 5] =
        [("other", "0"), ("batch", "3"), ("idle", "5"), ("fifo", "1"), ("rr", "2")];
    match POLICIES.iter().find(|(name, _)| *name == l.value) {
        Some((_, number)) => cpu_policy_number(d, l, number),
        None if l.is_empty() => l.reset(d),
        None => match unsigned(l.value) {
            Ok(number) => cpu_policy_number(d, l, &number.to_string()),
            Err(_) => l.unparsed("CPU scheduling policy"),
        },
    }
}

/// A policy brings the least priority that the kernel knows under it: sched_get_priority_min(2), -1 for none.
fn cpu_policy_number(d: &mut Draft, l: &Line<'_>, number: &str) {
    const PRIORITY: &str = "CPUSchedulingPriority";
    let least = match number {
        "0" | "3" | "5" | "6" | "7" => "0",
        "1" | "2" => "1",
        _ => "-1",
    };
    match number {
        "0" => l.reset(d),
        _ => l.keep_one(d, number.to_owned()),
    }
    match least {
        "0" => d.kept.reset(l.section, PRIORITY),
        _ => d.kept.set(l.section, PRIORITY, least.to_owned()),
    }
}

fn cpu_priority(d: &mut Draft, l: &mut Line<'_>) {
    match integer(l.value) {
        Ok(priority @ 0..=99) => l.keep_one(d, priority.to_string()),
        Ok(_) => l.warn(format!("CPU scheduling priority is out of range, ignoring: {}", l.value)),
        Err(_) => l.unparsed("CPU scheduling priority"),
    }
}

fn io_class(d: &mut Draft, l: &mut Line<'_>) {
    const CLASSES: [(&str, &str); 4] =
        [("none", "0"), ("realtime", "1"), ("best-effort", "2"), ("idle", "3")];
    let named = CLASSES.iter().find(|(name, _)| *name == l.value).map(|(_, number)| (*number).to_owned());
    let class =
        named.or_else(|| unsigned(l.value).ok().filter(|class| *class <= 8).map(|class| class.to_string()));
    match class {
        Some(class) if class == "0" => l.reset(d),
        Some(class) => l.keep_one(d, class),
        None if l.is_empty() => l.reset(d),
        None => l.unparsed("IO scheduling class"),
    }
}

fn io_priority(d: &mut Draft, l: &mut Line<'_>) {
    match unsigned(l.value) {
        Ok(priority @ 0..=7) => l.keep_one(d, priority.to_string()),
        Ok(_) | Err(_) if l.is_empty() => l.reset(d),
        Ok(_) | Err(_) => l.unparsed("IO priority"),
    }
}

/// A path, or the value itself: a hash in hexadecimal, a signature in base64. Kept as a path or in hexadecimal.
fn root_hash(d: &mut Draft, l: &mut Line<'_>) {
    const HASH_SHORTEST: usize = 16;
    if l.is_empty() {
        return l.reset(d);
    }
    if l.value.starts_with('/') {
        if l.checked_path(l.value.to_owned(), Want::Absolute).is_some() {
            l.keep_one(d, l.value.to_owned());
        }
        return;
    }
    let (key, value) = (l.key, l.value);
    let bytes = match (key, value.strip_prefix("base64:")) {
        ("RootHash", _) => hexadecimal(value),
        (_, Some(text)) => super::streams::base64(text),
        (_, None) => {
            return l.warn(format!(
                "Failed to decode {key}=, not a path but doesn't start with 'base64:', ignoring: {value}"
            ));
        }
    };
    match bytes {
        Some(bytes) if key == "RootHash" && bytes.len() < HASH_SHORTEST => {
            l.warn(format!("{key}= is too short, ignoring: {value}"));
        }
        Some(bytes) => l.keep_one(d, bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        None => l.warn(format!("Failed to decode {}=, ignoring: {}", l.key, l.value)),
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let is_even = text.len().is_multiple_of(2) && text.is_ascii();
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    if is_even { (0..text.len()).step_by(2).map(byte).collect() } else { None }
}

fn hexadecimal_number(text: &str) -> Result<u64, Bad> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = u64::from_str_radix(digits.trim_start_matches("0x"), 16);
    match number.map_err(|error| *error.kind() == IntErrorKind::PosOverflow) {
        Ok(0) => Ok(0),
        Ok(number) if digits == text => Ok(number),
        Ok(_) | Err(true) => Err(Bad::Range),
        Err(false) => Err(Bad::Syntax),
    }
}

/// The default is another one for units that are no services, so that the word counts whatever it is.
fn keyring(d: &mut Draft, l: &mut Line<'_>) {
    let Kind::OneOf(_, words) = KEYRING else { return };
    if let Some(word) = l.one_of(words) {
        l.keep_one(d, word.to_owned());
    }
}

/// Kinds of memory by name or as a hexadecimal mask; `0x33` is the default.
fn coredump_filter(d: &mut Draft, l: &mut Line<'_>) {
    const KINDS: [&str; 9] = [
        "private-anonymous",
        "shared-anonymous",
        "private-file-backed",
        "shared-file-backed",
        "elf-headers",
        "private-huge",
        "shared-huge",
        "private-dax",
        "shared-dax",
    ];
    if l.is_empty() {
        return l.reset(d);
    }
    let before = d.kept.values(l.key).next();
    let mut mask =
        before.and_then(|kept| u64::from_str_radix(kept.trim_start_matches("0x"), 16).ok()).unwrap_or(0);
    let words = l.names();
    if words.is_empty() {
        return;
    }
    for word in words {
        let kind = KINDS.iter().position(|kind| *kind == word).map(|bit| 1 << bit);
        let named = match word.as_str() {
            "default" => Ok(0x33),
            "all" => Ok(0xffff_ffff),
            _ => kind.map_or_else(|| hexadecimal_number(&word), Ok),
        };
        match named {
            Ok(bits) => mask |= bits,
            Err(bad) => {
                return l.warn(format!("Failed to parse the CoredumpFilter={}, ignoring: {bad}", l.value));
            }
        }
    }

    l.keep_one(d, format!("{mask:#x}"));
}

fn level(d: &mut Draft, l: &mut Line<'_>) {
    match super::exec::numbered(&super::exec::LEVELS, l.value) {
        Some(level) => l.keep_one(d, level.to_string()),
        None => l.unparsed("log level"),
    }
}

fn extra_fields(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    for written in l.quoted() {
        let Some(field) = l.expanded_in(Style::Bare, &written) else { continue };
        let name = field.split_once('=').map(|(name, _)| name);
        let is_right = name.is_some_and(|name| {
            name.starts_with(|first: char| first.is_ascii_uppercase())
                && name.len() <= 64
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        });
        match (is_right, name) {
            (true, _) => l.keep_more(d, vec![field]),
            (false, Some(_)) => l.warn(format!("Log field name is invalid, ignoring: {field}")),
            (false, None) => l.warn(format!("Log field lacks '=' character, ignoring: {field}")),
        }
    }
}

fn required_text(d: &mut Draft, l: &mut Line<'_>) {
    match l.required_text() {
        Some(text) if text.is_empty() => l.reset(d),
        Some(text) => l.keep_one(d, text),
        None => {}
    }
}

fn required_path(d: &mut Draft, l: &mut Line<'_>) {
    match l.required_path() {
        Some(Some(path)) => l.keep_one(d, path),
        Some(None) => l.reset(d),
        None => {}
    }
}

fn log_namespace(d: &mut Draft, l: &mut Line<'_>) {
    let text = if l.is_empty() { Some(None) } else { l.expanded_in(Style::Bare, l.value).map(Some) };
    let odd = |c: char| !(c.is_ascii_alphanumeric() || ":-_.\\@".contains(c));
    match text {
        Some(Some(name)) if name.is_empty() || name.contains(odd) || name.len() > 128 => {
            l.warn(format!("Specified log namespace name is not valid, ignoring: {name}"));
        }
        Some(Some(name)) => l.keep_one(d, name),
        Some(None) => l.reset(d),
        None => {}
    }
}

fn set_credential(d: &mut Draft, l: &mut Line<'_>) {
    match l.value.split_once(':') {
        Some((name, data)) if l.key.ends_with("Encrypted") && is_credential(name) => {
            match super::streams::base64(data) {
                Some(_) => load_credential(d, l),
                None => l.warn("Encrypted credential data not valid Base64 data, ignoring.".to_owned()),
            }
        }
        Some(_) => load_credential(d, l),
        None if l.is_empty() => l.reset(d),
        None => l.warn(format!("Invalid syntax, ignoring: {}", l.value)),
    }
}

fn is_credential(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && name.len() <= 255
}

fn load_credential(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let Some(text) = l.expanded_in(Style::Double, l.value) else { return };
    let name = text.split(':').next().unwrap_or("");
    match is_credential(name) {
        true => l.keep_more(d, vec![text]),
        false => l.warn(format!("Credential name \"{name}\" not valid, ignoring.")),
    }
}

fn personality(d: &mut Draft, l: &mut Line<'_>) {
    match ARCHITECTURES.contains(&l.value) || l.value == "arm64" {
        true => l.keep_one(d, l.value.to_owned()),
        false if l.is_empty() => l.reset(d),
        false => l.unparsed("personality"),
    }
}

fn architectures(d: &mut Draft, l: &mut Line<'_>) {
    const OTHERS: &[&str] = &[
        "native",
        "x32",
        "arm",
        "arm64",
        "mips",
        "mips64",
        "mips64-n32",
        "mips-le",
        "mips64-le",
        "mips64-le-n32",
        "parisc",
        "parisc64",
        "riscv64",
    ];
    if l.is_empty() {
        return l.reset(d);
    }
    for word in l.names() {
        match ARCHITECTURES.contains(&word.as_str()) || OTHERS.contains(&word.as_str()) {
            true if d.kept.values(l.key).any(|kept| *kept == *word) => {}
            true => l.keep_more(d, vec![word]),
            false => l.warn(format!(
                "Failed to parse system call architecture \"{word}\", ignoring: Invalid argument"
            )),
        }
    }
}

fn timer_slack(d: &mut Draft, l: &mut Line<'_>) {
    match parse_nanoseconds(l.value) {
        Ok(u64::MAX) => l.reset(d),
        Ok(span) => l.keep_one(d, span.to_string()),
        Err(_) => l.unparsed("nsec value"),
    }
}
