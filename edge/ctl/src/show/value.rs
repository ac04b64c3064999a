//! Properties whose name and type alone say how they look.

use super::Shown;
use crate::bus::Property;
use crate::bus::Value;
use crate::text::quote;
use crate::text::time::{self, Clock};

pub fn show(property: &Property, clock: &Clock) -> Shown {
    let name = property.name.as_str();
    match &property.value {
        Value::Bool(yes) => Shown::Line(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Text(text) => Shown::Line(quote::one_line(text)),
        Value::Double(number) => Shown::Line(number.to_string()),
        Value::Unsigned(_) if matches!(property.signature.as_str(), "y" | "q") => Shown::Unprintable,
        Value::Unsigned(number) if property.signature == "u" => Shown::Line(small(name, *number)),
        Value::Unsigned(number) => Shown::Line(large(name, *number, clock)),
        Value::Signed(number) if name.ends_with("ActionExitStatus") && *number < 0 => {
            Shown::Default("[not set]".to_owned())
        }
        Value::Signed(number) => Shown::Line(signed(name, *number)),
        Value::Bytes(bytes) => Shown::Line(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Value::List(items) if property.signature == "as" => {
            Shown::Line(quote::words(items.iter().filter_map(Value::text)))
        }
        Value::List(items) if property.signature == "au" => {
            let words: Vec<String> =
                items.iter().filter_map(Value::unsigned).map(|number| format!("{number:08x}")).collect();
            Shown::Line(words.join(" "))
        }
        Value::List(_) | Value::Fields(_) | Value::Pairs(_) | Value::Descriptor => Shown::Unprintable,
    }
}

/// A `u`.
fn small(name: &str, number: u64) -> String {
    if name.contains("UMask") || name.contains("Mode") {
        return format!("{number:04o}");
    }
    if matches!(name, "UID" | "GID") && number == u64::from(u32::MAX) {
        return "[not set]".to_owned();
    }
    number.to_string()
}

/// An `i`.
fn signed(name: &str, number: i64) -> String {
    match name {
        "NUMAPolicy" => match number {
            0 => "default",
            1 => "preferred",
            2 => "bind",
            3 => "interleave",
            4 => "local",
            _ => "n/a",
        }
        .to_owned(),
        _ => number.to_string(),
    }
}

/// A `t`.
fn large(name: &str, number: u64, clock: &Clock) -> String {
    let unset = number == u64::MAX;
    if name.ends_with("Timestamp") || matches!(name, "NextElapseUSecRealtime" | "LastTriggerUSec") {
        return clock.point(number).unwrap_or_default();
    }
    if name.contains("USec") {
        return time::span(number, 0);
    }
    match name {
        "CoredumpFilter" => return format!("0x{number:x}"),
        "RestrictNamespaces" => return namespaces(number),
        "MountFlags" => return mount_flags(number).to_owned(),
        "CapabilityBoundingSet" | "AmbientCapabilities" => return capabilities(number),
        _ => {}
    }
    if unset {
        let word = unset_word(name);
        if let Some(word) = word {
            return word.to_owned();
        }
    }
    number.to_string()
}

/// What the largest number means for that property.
fn unset_word(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("Default").unwrap_or(name);
    let limit = name.starts_with("Memory") || name.starts_with("Limit");
    match name {
        "MemoryCurrent"
        | "TasksCurrent"
        | "CPUUsageNSec"
        | "CPUWeight"
        | "StartupCPUWeight"
        | "CPUShares"
        | "StartupCPUShares"
        | "IOWeight"
        | "StartupIOWeight"
        | "BlockIOWeight"
        | "StartupBlockIOWeight" => Some("[not set]"),
        "TasksMax" => Some("infinity"),
        "IPIngressBytes" | "IPIngressPackets" | "IPEgressBytes" | "IPEgressPackets" => Some("[no data]"),
        _ if limit => Some("infinity"),
        _ => None,
    }
}

/// Namespaces in the order of systemd.exec(5), with their clone(2) flags.
const NAMESPACES: &[(u64, &str)] = &[
    (0x0200_0000, "cgroup"),
    (0x0800_0000, "ipc"),
    (0x4000_0000, "net"),
    (0x0002_0000, "mnt"),
    (0x2000_0000, "pid"),
    (0x1000_0000, "user"),
    (0x0400_0000, "uts"),
];

/// The flags are those that stay allowed.
fn namespaces(allowed: u64) -> String {
    let every: u64 = NAMESPACES.iter().map(|(flag, _)| flag).sum();
    match allowed & every {
        0 => "yes".to_owned(),
        flags if flags == every => "no".to_owned(),
        flags => named(NAMESPACES, |flag| flags & flag != 0),
    }
}

fn mount_flags(flags: u64) -> &'static str {
    match flags & 0x0016_0000 {
        0x0010_0000 => "shared",
        0x0008_0000 => "slave",
        0x0004_0000 => "private",
        _ => "",
    }
}

fn named(table: &[(u64, &str)], accept: impl Fn(u64) -> bool) -> String {
    let words: Vec<&str> = table.iter().filter(|(flag, _)| accept(*flag)).map(|(_, word)| *word).collect();
    words.join(" ")
}

/// capabilities(7), by number.
const CAPABILITIES: &[&str] = &[
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

fn capabilities(set: u64) -> String {
    let words: Vec<String> = CAPABILITIES
        .iter()
        .enumerate()
        .filter(|(number, _)| set & (1 << number) != 0)
        .map(|(_, word)| format!("cap_{word}"))
        .collect();
    words.join(" ")
}
