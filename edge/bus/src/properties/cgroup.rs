//! Resource control, shared by all units that have a cgroup: systemd.resource-control(5). What is not acted on
//! yet is shown as it was written where that is a plain word or number, else as unset.

use super::{Emits::*, UnitCx, UnitRow, measured, none, num, row, text, words};
use zbus::Variant;

pub const CGROUP: &[UnitRow] = &[
    row("Slice", "s", No, |cx| cx.slice()),
    row("ControlGroup", "s", No, |cx| text(&cx.unit.cgroup)),
    row("ControlGroupId", "t", No, |cx| num(cx.resources().cgroup_id.unwrap_or(0))),
    row("MemoryCurrent", "t", No, |cx| measured(cx.resources().memory_bytes)),
    row("MemoryAvailable", "t", No, |cx| measured(cx.resources().memory_available_bytes)),
    row("CPUUsageNSec", "t", No, |cx| measured(cx.resources().cpu_nsec)),
    row("EffectiveCPUs", "ay", No, |_| none::<u8>()),
    row("EffectiveMemoryNodes", "ay", No, |_| none::<u8>()),
    row("TasksCurrent", "t", No, |cx| measured(cx.resources().tasks)),
    row("IPIngressBytes", "t", No, |_| num(u64::MAX)),
    row("IPIngressPackets", "t", No, |_| num(u64::MAX)),
    row("IPEgressBytes", "t", No, |_| num(u64::MAX)),
    row("IPEgressPackets", "t", No, |_| num(u64::MAX)),
    row("IOReadBytes", "t", No, |cx| measured(cx.resources().io_read_bytes)),
    row("IOReadOperations", "t", No, |cx| measured(cx.resources().io_read_operations)),
    row("IOWriteBytes", "t", No, |cx| measured(cx.resources().io_write_bytes)),
    row("IOWriteOperations", "t", No, |cx| measured(cx.resources().io_write_operations)),
    row("Delegate", "b", No, |cx| num(cx.exec().delegate)),
    row("DelegateControllers", "as", No, |cx| words(&delegated(cx))),
    row("CPUAccounting", "b", No, |cx| cx.counted("CPUAccounting")),
    row("CPUWeight", "t", No, |cx| cx.weight("CPUWeight")),
    row("StartupCPUWeight", "t", No, |cx| cx.weight("StartupCPUWeight")),
    row("CPUShares", "t", No, |cx| cx.weight("CPUShares")),
    row("StartupCPUShares", "t", No, |cx| cx.weight("StartupCPUShares")),
    row("CPUQuotaPerSecUSec", "t", No, |cx| cx.span("CPUQuota", u64::MAX)),
    row("CPUQuotaPeriodUSec", "t", No, |cx| cx.span("CPUQuotaPeriodSec", u64::MAX)),
    row("AllowedCPUs", "ay", No, |cx| cx.bits("AllowedCPUs")),
    row("StartupAllowedCPUs", "ay", No, |cx| cx.bits("StartupAllowedCPUs")),
    row("AllowedMemoryNodes", "ay", No, |cx| cx.bits("AllowedMemoryNodes")),
    row("StartupAllowedMemoryNodes", "ay", No, |cx| cx.bits("StartupAllowedMemoryNodes")),
    row("IOAccounting", "b", No, |cx| cx.counted("IOAccounting")),
    row("IOWeight", "t", No, |cx| cx.weight("IOWeight")),
    row("StartupIOWeight", "t", No, |cx| cx.weight("StartupIOWeight")),
    row("IODeviceWeight", "a(st)", No, |cx| cx.numbered("IODeviceWeight")),
    row("IOReadBandwidthMax", "a(st)", No, |cx| cx.numbered("IOReadBandwidthMax")),
    row("IOWriteBandwidthMax", "a(st)", No, |cx| cx.numbered("IOWriteBandwidthMax")),
    row("IOReadIOPSMax", "a(st)", No, |cx| cx.numbered("IOReadIOPSMax")),
    row("IOWriteIOPSMax", "a(st)", No, |cx| cx.numbered("IOWriteIOPSMax")),
    row("IODeviceLatencyTargetUSec", "a(st)", No, |cx| cx.timed("IODeviceLatencyTargetSec")),
    row("BlockIOAccounting", "b", No, |cx| cx.counted("BlockIOAccounting")),
    row("BlockIOWeight", "t", No, |cx| cx.weight("BlockIOWeight")),
    row("StartupBlockIOWeight", "t", No, |cx| cx.weight("StartupBlockIOWeight")),
    row("BlockIODeviceWeight", "a(st)", No, |cx| cx.numbered("BlockIODeviceWeight")),
    row("BlockIOReadBandwidth", "a(st)", No, |cx| cx.numbered("BlockIOReadBandwidth")),
    row("BlockIOWriteBandwidth", "a(st)", No, |cx| cx.numbered("BlockIOWriteBandwidth")),
    row("MemoryAccounting", "b", No, |cx| cx.counted("MemoryAccounting")),
    row("DefaultMemoryLow", "t", No, |cx| cx.amount("DefaultMemoryLow", 0)),
    row("DefaultMemoryMin", "t", No, |cx| cx.amount("DefaultMemoryMin", 0)),
    row("MemoryMin", "t", No, |cx| cx.amount("MemoryMin", 0)),
    row("MemoryLow", "t", No, |cx| cx.amount("MemoryLow", 0)),
    row("MemoryHigh", "t", No, |cx| cx.amount("MemoryHigh", u64::MAX)),
    row("MemoryMax", "t", No, |cx| cx.amount("MemoryMax", u64::MAX)),
    row("MemorySwapMax", "t", No, |cx| cx.amount("MemorySwapMax", u64::MAX)),
    row("MemoryLimit", "t", No, |cx| cx.amount("MemoryLimit", u64::MAX)),
    row("DevicePolicy", "s", No, |cx| {
        cx.word("DevicePolicy", if cx.kept("PrivateDevices").is_some() { "closed" } else { "auto" })
    }),
    row("DeviceAllow", "a(ss)", No, devices),
    row("TasksAccounting", "b", No, |cx| cx.counted("TasksAccounting")),
    row("TasksMax", "t", No, |cx| cx.tasks_max()),
    row("IPAccounting", "b", No, |cx| cx.counted("IPAccounting")),
    row("IPAddressAllow", "a(iayu)", No, |cx| cx.prefixes("IPAddressAllow")),
    row("IPAddressDeny", "a(iayu)", No, |cx| cx.prefixes("IPAddressDeny")),
    row("IPIngressFilterPath", "as", No, |cx| cx.strings("IPIngressFilterPath")),
    row("IPEgressFilterPath", "as", No, |cx| cx.strings("IPEgressFilterPath")),
    row("DisableControllers", "as", No, |cx| cx.strings("DisableControllers")),
    row("ManagedOOMSwap", "s", No, |cx| cx.word("ManagedOOMSwap", "auto")),
    row("ManagedOOMMemoryPressure", "s", No, |cx| cx.word("ManagedOOMMemoryPressure", "auto")),
    row("ManagedOOMMemoryPressureLimit", "u", No, |cx| cx.number("ManagedOOMMemoryPressureLimit", 0_u32)),
    row("ManagedOOMPreference", "s", No, |cx| cx.word("ManagedOOMPreference", "none")),
    row("BPFProgram", "a(ss)", No, |cx| cx.pairs("BPFProgram", ':')),
    row("SocketBindAllow", "a(iiqq)", No, |cx| cx.bind_rules("SocketBindAllow")),
    row("SocketBindDeny", "a(iiqq)", No, |cx| cx.bind_rules("SocketBindDeny")),
    row("RestrictNetworkInterfaces", "(bas)", No, |cx| cx.allowed("RestrictNetworkInterfaces")),
];

/// The controllers named; with none named, all that may be given away.
fn delegated(cx: &UnitCx<'_>) -> Vec<String> {
    const ALL: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];
    let named: Vec<String> = cx.every("Delegate").map(str::to_owned).collect();
    match named.is_empty() && cx.exec().delegate {
        true => ALL.map(str::to_owned).to_vec(),
        false => named.into_iter().filter(|name| !name.is_empty()).collect(),
    }
}

fn devices(cx: &UnitCx<'_>) -> Variant<'static> {
    // What other directives imply counts where devices are limited at all.
    let config = &cx.unit.config;
    let is_limited = config.kept("DeviceAllow").next().is_some()
        || config.kept("DevicePolicy").next_back().is_some_and(|policy| policy != "auto")
        || config.kept("PrivateDevices").next_back() == Some("yes");
    let devices = if is_limited { config.devices() } else { Vec::new() }.into_iter();
    Variant::from(devices.map(|(node, access)| (node.to_owned(), access.to_owned())).collect::<Vec<_>>())
}
