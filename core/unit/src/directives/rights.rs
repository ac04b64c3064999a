//! What directives need of the manager that is to act on them: privileges, as capabilities(7) names them. Each fact
//! stands here once: a plan leaves out what its manager may not do, and `verify` tells of it beforehand.

use crate::config::Config;
use crate::config::exec::{Capabilities, Exec};
use crate::config::socket::{Address, Listen};
use crate::values::capability::capability;

/// A directive that takes privileges.
#[derive(Debug)]
pub struct Right {
    pub key: &'static str,
    /// The privileges it takes for what this unit asks for; none where it asks for nothing.
    pub takes: fn(&Config) -> Capabilities,
    /// A clause.
    pub why: &'static str,
}

const SETGID: u64 = 1 << 6;
const SETUID: u64 = 1 << 7;
const SETPCAP: u64 = 1 << 8;
const NET_BIND_SERVICE: u64 = 1 << 10;
const SYS_CHROOT: u64 = 1 << 18;
const SYS_NICE: u64 = 1 << 23;
const SYS_RESOURCE: u64 = 1 << 24;

/// What docker leaves a container's root.
pub fn of_container() -> Capabilities {
    Capabilities(CONFINED.iter().filter_map(|name| capability(name)).fold(0, |set, number| set | 1 << number))
}

const CONFINED: [&str; 14] = [
    "cap_chown",
    "cap_dac_override",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_net_bind_service",
    "cap_net_raw",
    "cap_sys_chroot",
    "cap_mknod",
    "cap_audit_write",
    "cap_setfcap",
];

const OTHER_USER: &str = "changing to other users or groups needs CAP_SETUID and CAP_SETGID";
const LOW_PORT: &str = "ports below 1024 need CAP_NET_BIND_SERVICE";

#[rustfmt::skip]
pub const RIGHTS: &[Right] = &[
    Right { key: "User", takes: |c| exec(c, SETUID | SETGID, |e| e.user.is_some() && !e.dynamic_user), why: OTHER_USER },
    Right { key: "Group", takes: |c| exec(c, SETUID | SETGID, |e| e.group.is_some() && !e.dynamic_user), why: OTHER_USER },
    Right { key: "SupplementaryGroups", takes: |c| exec(c, SETUID | SETGID, |e| !e.supplementary_groups.is_empty()), why: OTHER_USER },
    Right { key: "DynamicUser", takes: |c| exec(c, SETUID | SETGID, |e| e.dynamic_user), why: OTHER_USER },
    Right { key: "CapabilityBoundingSet", takes: |c| exec(c, SETPCAP, |e| e.capability_bounding_set != Capabilities::ALL), why: "taking capabilities away needs CAP_SETPCAP" },
    Right { key: "AmbientCapabilities", takes: |c| c.exec().map_or(Capabilities::NONE, |e| e.ambient_capabilities), why: "not all of them are there to be given" },
    Right { key: "RootDirectory", takes: |c| exec(c, SYS_CHROOT, |e| e.root_directory.is_some()), why: "changing the root needs CAP_SYS_CHROOT" },
    Right { key: "OOMScoreAdjust", takes: |c| exec(c, SYS_RESOURCE, |e| e.oom_score_adjust.is_some_and(|adjust| adjust < 0)), why: "a score below 0 needs CAP_SYS_RESOURCE" },
    Right { key: "Nice", takes: |c| exec(c, SYS_NICE, |e| e.nice.is_some_and(|nice| nice < 0)), why: "a priority above the usual needs CAP_SYS_NICE" },
    Right { key: "ListenStream", takes: |c| low_port(c, |listen| matches!(listen, Listen::Stream(_))), why: LOW_PORT },
    Right { key: "ListenDatagram", takes: |c| low_port(c, |listen| matches!(listen, Listen::Datagram(_))), why: LOW_PORT },
];

/// Those of the unit's directives that take more than there is, with why.
pub fn lacking(config: &Config, have: Capabilities) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lacks = move |right: &&Right| (right.takes)(config).0 & !have.0 != 0;
    RIGHTS.iter().filter(lacks).map(|right| (right.key, right.why))
}

fn exec(config: &Config, takes: u64, asks: fn(&Exec) -> bool) -> Capabilities {
    if config.exec().is_some_and(asks) { Capabilities(takes) } else { Capabilities::NONE }
}

/// Ports up to here are for the privileged.
const LOW_PORTS: std::ops::Range<u16> = 1..1024;

fn low_port(config: &Config, is_meant: fn(&Listen) -> bool) -> Capabilities {
    let Some(socket) = config.socket() else { return Capabilities::NONE };
    let is_low = |listen: &Listen| {
        let (Listen::Stream(address) | Listen::Datagram(address)) = listen else { return false };
        match address {
            Address::Port(port) | Address::Inet { port, .. } => LOW_PORTS.contains(port),
            Address::Unix(_) | Address::Abstract(_) | Address::Vsock { .. } => false,
        }
    };
    let any = socket.listen.iter().filter(|listen| is_meant(listen)).any(is_low);
    Capabilities(if any { NET_BIND_SERVICE } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directives::all;

    #[test]
    fn bits_have_the_kernels_numbers_and_keys_are_directives() {
        let bit = |name| capability(name).map_or(0, |number| 1 << number);
        assert_eq!(SETGID | SETUID | SETPCAP, bit("cap_setgid") | bit("cap_setuid") | bit("cap_setpcap"));
        assert_eq!(NET_BIND_SERVICE, bit("cap_net_bind_service"));
        assert_eq!((SYS_CHROOT, SYS_NICE), (bit("cap_sys_chroot"), bit("cap_sys_nice")));
        assert_eq!(SYS_RESOURCE, bit("cap_sys_resource"));
        assert_eq!(of_container(), Capabilities(0xa804_25fb));
        for Right { key, .. } in RIGHTS {
            assert!(all().any(|(_, row)| row.key == *key), "{key} is no directive");
        }
    }
}
