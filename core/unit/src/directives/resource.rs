//! systemd.resource-control(5). The slice and delegation are acted on; limits of control groups are read,
//! checked and kept.

use super::line::{Style, Want};
use super::{Directive, Draft, Kind, Line, Support, keep, network};
use crate::name::{UnitKind, UnitName};
use crate::span::Span;
use crate::values::number::{permyriad, unsigned};
use crate::values::size::{Steps, parse_size};
use crate::values::{Bad, boolean, format_timespan, parse_timespan};

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const fn own(key: &'static str, set: fn(&mut Draft, &mut Line<'_>), help: &'static str) -> Directive {
    Directive { key, kind: Kind::Text, support: Support::NotYet, set, help }
}

const fn counted(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: switch, help }
}

const fn old(key: &'static str, set: fn(&mut Draft, &mut Line<'_>), help: &'static str) -> Directive {
    const WHY: Support = Support::Ignored("control groups of version 1 are not set up");
    Directive { key, kind: Kind::Text, support: WHY, set, help }
}

const FULL: Support = Support::Full;
const DELEGATED: Support = Support::Partial("no controllers are switched on in its control group");
const PREFERENCE: Kind = Kind::OneOf("ManagedOOMPreference=", &["none", "avoid", "omit"]);
const POLICY: Kind = Kind::OneOf("device policy", &["auto", "closed", "strict"]);

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    own("AllowedCPUs", cpus, "CPUs its processes run on"),
    own("AllowedMemoryNodes", cpus, "memory nodes its processes use"),
    own("BPFProgram", bpf_program, "BPF programs attached to its control group"),
    old("BlockIOAccounting", switch, "old name of IOAccounting="),
    old("BlockIODeviceWeight", block_device, "old name of IODeviceWeight="),
    old("BlockIOReadBandwidth", block_device, "old name of IOReadBandwidthMax="),
    old("BlockIOWeight", block_weight, "old name of IOWeight="),
    old("BlockIOWriteBandwidth", block_device, "old name of IOWriteBandwidthMax="),
    counted("CPUAccounting", Kind::BooleanYes, "CPU time is counted"),
    own("CPUQuota", cpu_quota, "how much CPU time it may use"),
    own("CPUQuotaPeriodSec", cpu_quota_period, "the period CPUQuota= is measured in"),
    old("CPUShares", cpu_shares, "old name of CPUWeight="),
    own("CPUWeight", cpu_weight, "its share of CPU time"),
    kept("CoredumpReceive", Kind::Boolean, "core dumps are handed to the processes of its control group"),
    own("DefaultMemoryLow", memory, "MemoryLow= of what is below"),
    own("DefaultMemoryMin", memory, "MemoryMin= of what is below"),
    own("DefaultStartupMemoryLow", memory, "MemoryLow= of what is below, while the machine starts"),
    Directive { key: "Delegate", kind: Kind::Words, support: DELEGATED, set: delegate, help: "its control group is its own to divide" },
    kept("DelegateSubgroup", Kind::Text, "the control group below its own in which it starts"),
    own("DeviceAllow", device_allow, "device nodes it may use"),
    kept("DevicePolicy", POLICY, "which device nodes it may use beside DeviceAllow="),
    own("DisableControllers", controllers, "controllers that stay off below it"),
    counted("IOAccounting", Kind::Boolean, "disk traffic is counted"),
    own("IODeviceLatencyTargetSec", latency, "the latency aimed at for a device"),
    own("IODeviceWeight", device_weight, "its share of a device's traffic"),
    own("IOReadBandwidthMax", bandwidth, "bytes it may read from a device per second"),
    own("IOReadIOPSMax", bandwidth, "reads from a device per second"),
    own("IOWeight", io_weight, "its share of disk traffic"),
    own("IOWriteBandwidthMax", bandwidth, "bytes it may write to a device per second"),
    own("IOWriteIOPSMax", bandwidth, "writes to a device per second"),
    counted("IPAccounting", Kind::Boolean, "network traffic is counted"),
    own("IPAddressAllow", network::addresses, "addresses it may talk to"),
    own("IPAddressDeny", network::addresses, "addresses it may not talk to"),
    Directive { key: "IPEgressFilterPath", kind: Kind::Paths, support: Support::NotYet, set: filter_path, help: "BPF programs that filter what it sends" },
    Directive { key: "IPIngressFilterPath", kind: Kind::Paths, support: Support::NotYet, set: filter_path, help: "BPF programs that filter what it receives" },
    own("ManagedOOMMemoryPressure", managed, "systemd-oomd acts on its memory pressure"),
    kept("ManagedOOMMemoryPressureDurationSec", Kind::Span("sec value"), "how long the pressure must last"),
    own("ManagedOOMMemoryPressureLimit", pressure_limit, "the memory pressure systemd-oomd acts on"),
    kept("ManagedOOMPreference", PREFERENCE, "whether systemd-oomd spares it"),
    own("ManagedOOMSwap", managed, "systemd-oomd acts on its use of swap"),
    counted("MemoryAccounting", Kind::BooleanYes, "memory is counted"),
    own("MemoryHigh", memory, "memory above which it is slowed down"),
    old("MemoryLimit", memory_limit, "old name of MemoryMax="),
    own("MemoryLow", memory, "memory it is left if possible"),
    own("MemoryMax", memory, "memory it cannot go beyond"),
    own("MemoryMin", memory, "memory it is always left"),
    kept("MemoryPressureThresholdSec", Kind::Span("sec value"), "the stall in a window that counts as memory pressure"),
    kept("MemoryPressureWatch", Kind::OneOf("memory pressure watch setting", &["auto", "on", "off", "skip"]), "it is told of memory pressure"),
    own("MemorySwapMax", memory, "swap space it cannot go beyond"),
    own("MemoryZSwapMax", memory, "compressed swap it cannot go beyond"),
    kept("MemoryZSwapWriteback", Kind::Boolean, "compressed swap may go to disk"),
    kept("NFTSet", Kind::Lines, "nftables sets its control group is put in"),
    own("RestrictNetworkInterfaces", network::interfaces, "network interfaces it may use"),
    Directive { key: "Slice", kind: Kind::Units, support: FULL, set: slice, help: "the slice it lives in" },
    own("SocketBindAllow", network::bind_rule, "ports it may bind"),
    own("SocketBindDeny", network::bind_rule, "ports it may not bind"),
    own("StartupAllowedCPUs", cpus, "AllowedCPUs= while the machine starts"),
    own("StartupAllowedMemoryNodes", cpus, "AllowedMemoryNodes= while the machine starts"),
    old("StartupBlockIOWeight", block_weight, "old name of StartupIOWeight="),
    old("StartupCPUShares", cpu_shares, "old name of StartupCPUWeight="),
    own("StartupCPUWeight", cpu_weight, "CPUWeight= while the machine starts"),
    own("StartupIOWeight", io_weight, "IOWeight= while the machine starts"),
    own("StartupMemoryHigh", memory, "MemoryHigh= while the machine starts"),
    own("StartupMemoryLow", memory, "MemoryLow= while the machine starts"),
    own("StartupMemoryMax", memory, "MemoryMax= while the machine starts"),
    own("StartupMemorySwapMax", memory, "MemorySwapMax= while the machine starts"),
    own("StartupMemoryZSwapMax", memory, "MemoryZSwapMax= while the machine starts"),
    counted("TasksAccounting", Kind::BooleanYes, "tasks are counted"),
    own("TasksMax", tasks, "how many tasks it may have"),
];

fn slice(d: &mut Draft, l: &mut Line<'_>) {
    let Some(name) = l.expanded_in(Style::Bare, l.value) else { return };
    match UnitName::parse(&name) {
        Ok(name) if name.is_template() => l.warn(format!(
            "Failed to load slice unit {name}, ignoring: Unit name {name} is missing the instance name."
        )),
        Ok(name) if name.kind() == UnitKind::Slice && name.instance().is_some() => {
            l.warn(format!("Failed to load slice unit {name}, ignoring: {}", Bad::Syntax));
        }
        Ok(name) if name.kind() == UnitKind::Slice && name != *l.scope.name => {
            d.exec.slice = Some(name.to_string())
        }
        Ok(_) => l.warn(format!(
            "Failed to assign slice {name} to unit {}, ignoring: {}",
            l.scope.name,
            Bad::Syntax
        )),
        Err(_) => {
            l.warn(format!("Failed to load slice unit {name}, ignoring: Unit name {name} is not valid."))
        }
    }
}

const CONTROLLERS: [&str; 12] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "io",
    "blkio",
    "memory",
    "devices",
    "pids",
    "bpf-firewall",
    "bpf-devices",
    "bpf-foreign",
    "bpf-socket-bind",
];

/// A boolean, or the controllers handed over; an empty value hands over the group without any.
fn delegate(d: &mut Draft, l: &mut Line<'_>) {
    if !["Service", "Scope"].contains(&l.section) {
        return l.warn("Delegate= setting not supported for this unit type, ignoring.".into());
    }
    match (l.is_empty(), boolean(l.value)) {
        (true, _) => {
            d.exec.delegate = true;
            l.reset(d);
            // Its own, with no controllers to it.
            l.keep_more(d, vec![String::new()]);
        }
        (false, Some(yes)) => {
            d.exec.delegate = yes;
            l.reset(d);
        }
        (false, None) => {
            d.exec.delegate = true;
            controllers(d, l);
        }
    }
}

fn can_be_managed(l: &mut Line<'_>) -> bool {
    let can = ["Service", "Scope", "Slice"].contains(&l.section);
    if !can {
        l.warn(format!("{}= is not supported for this unit type, ignoring.", l.key));
    }
    can
}

fn managed(d: &mut Draft, l: &mut Line<'_>) {
    if !can_be_managed(l) {
        return;
    }
    match l.value {
        "" | "auto" => l.reset(d),
        "kill" => l.keep_one(d, "kill".into()),
        _ => l.warn(format!("Invalid syntax, ignoring: {}", l.value)),
    }
}

fn controllers(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        l.reset(d);
    }
    let (mut known, unknown): (Vec<_>, Vec<_>) =
        l.names().into_iter().partition(|name| CONTROLLERS.contains(&name.as_str()));
    known.sort_by_key(|name| CONTROLLERS.iter().position(|one| one == name));
    match l.key {
        "Delegate" => {
            unknown.iter().for_each(|name| l.warn(format!("Invalid controller name '{name}', ignoring")))
        }
        // The whole line is judged by its first word.
        _ if known.is_empty() && !unknown.is_empty() => {
            l.warn(format!("Invalid cgroup string: {}, ignoring", l.value))
        }
        _ => {}
    }
    if l.key == "Delegate" && known.is_empty() {
        // Its own, with no controllers to it.
        return l.keep_more(d, vec![String::new()]);
    }
    l.keep_more(d, known);
}

/// Kept whichever it is: only the manager's default tells whether it asks for anything.
fn switch(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(yes) = l.boolean() {
        l.keep_one(d, if yes { "yes" } else { "no" }.into());
    }
}

/// Each line adds to the list; an empty one empties it.
fn keep_line(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        l.reset(d);
    } else if let Some(text) = l.text() {
        l.keep_more(d, vec![text]);
    }
}

fn cpus(d: &mut Draft, l: &mut Line<'_>) {
    l.keep_cpus(d);
}

/// `N%` of one CPU as microseconds per second; an empty value takes the quota away.
fn cpu_quota(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    match permyriad(l.value) {
        Some(parts @ 1..) => {
            // A tenth of a percent is the least there is.
            let span = Span(u64::from(parts) * 100);
            l.keep_one(d, format_timespan(span.max(Span::milliseconds(1))));
        }
        Some(0) | None => l.warn(format!("Invalid CPU quota '{}', ignoring.", l.value)),
    }
}

fn cpu_quota_period(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    match parse_timespan(l.value) {
        Ok(span) => l.keep_one(d, format_timespan(span)),
        Err(_) => l.unparsed("sec_def_infinity value"),
    }
}

fn weight(d: &mut Draft, l: &mut Line<'_>, what: &str) {
    if l.is_empty() {
        return l.reset(d);
    }
    match unsigned(l.value) {
        Ok(weight @ 1..=10_000) => l.keep_one(d, weight.to_string()),
        Ok(_) | Err(_) => l.warn(format!("Invalid {what}, ignoring: {}", l.value)),
    }
}

fn cpu_weight(d: &mut Draft, l: &mut Line<'_>) {
    match l.value {
        "idle" => l.keep_one(d, "0".into()),
        _ => weight(d, l, "CPU weight"),
    }
}

fn io_weight(d: &mut Draft, l: &mut Line<'_>) {
    weight(d, l, "weight");
}

/// What is left of control groups of version 1.
fn outdated(l: &mut Line<'_>, new: &str) {
    let old = l.key;
    l.note(format!("Unit uses {old}=; please use {new} instead. Support for {old}= will be removed soon."));
}

fn memory_limit(d: &mut Draft, l: &mut Line<'_>) {
    memory(d, l);
    if d.kept.has(l.key) || l.is_empty() {
        outdated(l, "MemoryMax=");
    }
}

fn block_weight(d: &mut Draft, l: &mut Line<'_>) {
    match unsigned(l.value) {
        Ok(weight @ 10..=1000) => l.keep_one(d, weight.to_string()),
        Ok(_) | Err(_) if l.is_empty() => l.reset(d),
        Ok(_) | Err(_) => l.warn(format!("Invalid block IO weight, ignoring: {}", l.value)),
    }
}

fn block_device(d: &mut Draft, l: &mut Line<'_>) {
    outdated(l, "IO*= settings");
    let what = if l.key.ends_with("Weight") { "weight" } else { "bandwidth" };
    if l.is_empty() {
        return l.reset(d);
    }
    let Some((path, rest)) = l.first_and_rest(&format!("device node and {what}")) else { return };
    match (what, unsigned(&rest), parse_size(&rest, Steps::Of1000)) {
        _ if rest.is_empty() => {
            l.warn(format!("Invalid device node or {what} specified in '{}', ignoring.", l.value));
        }
        ("weight", Ok(10..=1000), _) => keep_line(d, l),
        ("weight", Ok(_), _) => {
            l.warn(format!("Invalid block IO weight '{rest}', ignoring: {}", Bad::Range));
        }
        ("weight", Err(bad), _) => l.warn(format!("Invalid block IO weight '{rest}', ignoring: {bad}")),
        (_, _, Ok(size @ 1..)) => l.keep_for(d, &path, Some(size.to_string())),
        (_, _, Ok(0) | Err(_)) => l.warn(format!("Invalid Block IO Bandwidth '{rest}', ignoring.")),
    }
}

fn cpu_shares(d: &mut Draft, l: &mut Line<'_>) {
    outdated(l, "CPUWeight=");
    let value = l.value;
    match unsigned(value) {
        Ok(shares @ 2..=262_144) => l.keep_one(d, shares.to_string()),
        Ok(_) | Err(_) if l.is_empty() => l.reset(d),
        Ok(_) | Err(_) => l.warn(format!("Invalid CPU shares, ignoring: {value}")),
    }
}

/// Bytes, a share of the machine's memory, or infinity.
fn memory(d: &mut Draft, l: &mut Line<'_>) {
    let value = l.value;
    let takes_zero = !matches!(
        l.key,
        "MemoryMax" | "MemoryHigh" | "MemoryLimit" | "StartupMemoryMax" | "StartupMemoryHigh"
    );
    match (value, permyriad(value).filter(|parts| *parts <= 10_000), parse_size(value, Steps::Of1024)) {
        ("", _, _) => l.reset(d),
        ("infinity", _, _) => l.keep_one(d, "infinity".into()),
        (_, Some(0), _) if !takes_zero => l.warn(format!("Memory limit '{value}' out of range, ignoring.")),
        (_, Some(_), _) => l.keep_one(d, value.to_owned()),
        (_, None, Ok(u64::MAX)) => l.warn(format!("Memory limit '{value}' out of range, ignoring.")),
        (_, None, Ok(0)) if !takes_zero => l.warn(format!("Memory limit '{value}' out of range, ignoring.")),
        (_, None, Ok(size)) => l.keep_one(d, size.to_string()),
        (_, None, Err(bad)) => l.warn(format!("Invalid memory limit '{value}', ignoring: {bad}")),
    }
}

fn tasks(d: &mut Draft, l: &mut Line<'_>) {
    let value = l.value;
    match (value, permyriad(value).filter(|parts| *parts <= 10_000), unsigned(value)) {
        ("", _, _) => l.reset(d),
        ("infinity", _, _) => l.keep_one(d, "infinity".into()),
        (_, Some(_), _) => l.keep_one(d, value.to_owned()),
        (_, None, Ok(0 | u64::MAX)) => {
            l.warn(format!("Maximum tasks value '{value}' out of range, ignoring."))
        }
        (_, None, Ok(number)) => l.keep_one(d, number.to_string()),
        (_, None, Err(bad)) => l.warn(format!("Invalid maximum tasks value '{value}', ignoring: {bad}")),
    }
}

/// Parts of 2^32, as the property counts them.
fn pressure_limit(d: &mut Draft, l: &mut Line<'_>) {
    if !can_be_managed(l) {
        return;
    }
    match (l.is_empty(), permyriad(l.value).filter(|parts| *parts <= 10_000)) {
        (true, _) => l.reset(d),
        (false, Some(parts)) => {
            l.keep_one(d, ((u64::from(parts) * u64::from(u32::MAX) + 5_000) / 10_000).to_string())
        }
        (false, None) => {
            l.warn(format!("Failed to parse memory pressure limit value, ignoring: {}", l.value))
        }
    }
}

/// `PATH LIMIT`, one device a line.
fn bandwidth(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let Some((path, limit)) = l.first_and_rest("device node and bandwidth") else { return };
    if limit.is_empty() {
        return l.warn(format!("Invalid device node or bandwidth specified in '{}', ignoring.", l.value));
    }
    let size = if limit == "infinity" { Ok(u64::MAX) } else { parse_size(&limit, Steps::Of1000) };
    match size {
        Ok(u64::MAX) => l.keep_for(d, &path, None),
        Ok(0) | Err(_) => l.warn(format!("Invalid IO limit '{limit}', ignoring.")),
        Ok(size) => l.keep_for(d, &path, Some(size.to_string())),
    }
}

fn device_weight(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let Some((path, weight)) = l.first_and_rest("device path and weight") else { return };
    if weight.is_empty() {
        return l.warn(format!("Invalid device path or weight specified in '{}', ignoring.", l.value));
    }
    match unsigned(&weight) {
        Ok(number @ 1..=10_000) => l.keep_for(d, &path, Some(number.to_string())),
        Ok(_) => l.warn(format!("IO weight '{weight}' invalid, ignoring: {}", Bad::Range)),
        Err(bad) => l.warn(format!("IO weight '{weight}' invalid, ignoring: {bad}")),
    }
}

fn device_allow(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let Some((written, access)) = l.first_and_rest("device path and rights") else { return };
    let Some(path) = l.expanded(&written, l.specifiers) else { return };
    let is_class = path.starts_with("block-") || path.starts_with("char-");
    let path = match is_class {
        true => path,
        false => match l.checked_path(path, Want::Either) {
            Some(path) => path,
            None => return,
        },
    };
    let access = if access.is_empty() { "rwm" } else { access.as_str() };
    let is_in =
        |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_node = is_in("/dev") || is_in("/run/systemd/inaccessible");
    if !is_node && !is_class {
        return l.warn(format!("Invalid device node path '{path}', ignoring."));
    }
    if access.is_empty() || !access.bytes().all(|right| b"rwm".contains(&right)) {
        return l.warn(format!("Invalid device rights '{access}', ignoring."));
    }
    l.keep_more(d, vec![format!("{path} {access}")]);
}

/// A whole line is one path.
fn filter_path(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let Some(text) = l.text() else { return };
    if let Some(path) = l.checked_path(text, Want::Absolute) {
        l.keep_more(d, vec![path]);
    }
}

/// Where in the kernel a program may be attached.
const BPF_POINTS: [&str; 18] = [
    "bind4",
    "bind6",
    "connect4",
    "connect6",
    "device",
    "egress",
    "getsockopt",
    "ingress",
    "post_bind4",
    "post_bind6",
    "recvmsg4",
    "recvmsg6",
    "sendmsg4",
    "sendmsg6",
    "setsockopt",
    "sock_create",
    "sock_ops",
    "sysctl",
];

fn bpf_program(d: &mut Draft, l: &mut Line<'_>) {
    match l.value.split_once(':') {
        Some((point, _)) if !BPF_POINTS.contains(&point) => {
            l.warn(format!("Unknown BPF attach type={point}, ignoring: {}", l.value));
        }
        Some((_, path)) => {
            if l.checked_path(path.to_owned(), Want::Absolute).is_some() {
                keep_line(d, l);
            }
        }
        None if l.is_empty() => l.reset(d),
        None => l.warn(format!("Invalid syntax in BPFProgram=, ignoring: {}", l.value)),
    }
}

fn latency(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let Some((path, span)) = l.first_and_rest("device path and latency") else { return };
    if span.is_empty() {
        return l.warn(format!("Invalid device path or latency specified in '{}', ignoring.", l.value));
    }
    match parse_timespan(&span) {
        Ok(span) => l.keep_for(d, &path, Some(format_timespan(span))),
        Err(_) => l.warn(format!("Failed to parse timer value, ignoring: {span}")),
    }
}
