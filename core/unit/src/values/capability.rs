//! Capabilities by name, as a set: `CAP_NET_BIND_SERVICE CAP_SYS_TIME`.

use crate::config::exec::Capabilities;

/// In the kernel's order: the index is the number.
pub const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// The number of a capability; numbers themselves are taken up to 62, as the kernel may know more than we do.
pub fn capability(text: &str) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| *number < 63);
    }
    NAMES.iter().position(|name| name.eq_ignore_ascii_case(text)).map(|number| number as u32)
}

/// Sets a set the way the directives do: the first line replaces `untouched`, further ones add, `~` takes away.
pub fn combine(set: &mut Capabilities, untouched: Capabilities, names: &str) {
    let (names, inverted) = match names.strip_prefix('~') {
        Some(rest) => (rest, true),
        None => (names, false),
    };
    let sum =
        names.split_ascii_whitespace().filter_map(capability).fold(0u64, |sum, number| sum | 1 << number);
    set.0 = match (sum == 0 || *set == untouched, inverted) {
        (true, false) => sum,
        (true, true) => !sum,
        (false, false) => set.0 | sum,
        (false, true) => set.0 & !sum,
    };
}

/// The names in a set, those the kernel has no name for left out.
pub fn names(set: Capabilities) -> impl Iterator<Item = &'static str> {
    NAMES.iter().enumerate().filter(move |(number, _)| set.0 & (1 << number) != 0).map(|(_, name)| *name)
}
