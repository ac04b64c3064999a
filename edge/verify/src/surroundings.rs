//! The surroundings a unit is meant for, and what units ask for that they do not give.

use eudaemon_unit::config::exec::Capabilities;
use eudaemon_unit::config::socket::{Address, Listen};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::diagnostic::Severity;

/// The surroundings units are meant for, and whether somebody named them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meant {
    pub kind: Surroundings,
    pub named: Named,
}

/// Whether the surroundings were named on the command line, or are those we find ourselves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// A container as docker confines it.
    Container,
    /// An ordinary user's manager.
    Rootless,
    /// A virtual machine.
    Vm,
    /// A machine of its own.
    Machine,
}

use Surroundings::{Container, Machine, Rootless, Vm};

impl Surroundings {
    pub const ALL: [(&'static str, Surroundings); 4] =
        [("container", Container), ("rootless", Rootless), ("vm", Vm), ("machine", Machine)];

    pub fn words(self) -> &'static str {
        match self {
            Container => "in a container",
            Rootless => "without privileges",
            Vm => "in a virtual machine",
            Machine => "on a machine",
        }
    }

    pub fn is_container(self) -> bool {
        match self {
            Container => true,
            Rootless | Vm | Machine => false,
        }
    }

    /// What `ConditionVirtualization=` gives for a value; `None` where that depends on more.
    pub fn is_virtual(self, value: &str) -> Option<bool> {
        let (container, vm) = match self {
            Container => (true, false),
            Vm => (false, true),
            Machine => (false, false),
            Rootless => return None,
        };
        match value {
            "yes" | "true" | "1" => Some(container || vm),
            "no" | "false" | "0" => Some(!container && !vm),
            "container" => Some(container),
            "vm" => Some(vm),
            _ => None,
        }
    }
}

impl Meant {
    /// Who asks what would not be honoured somewhere is warned; else it is worth a note.
    pub fn severity(self) -> Severity {
        match self.named {
            Named::Yes => Severity::Warning,
            Named::No => Severity::Note,
        }
    }
}

/// A directive that some surroundings do not honour. The engine finds the same when it makes a process's plan, and
/// skips the step; here the reason is known beforehand.
pub struct Rule {
    pub places: &'static [Surroundings],
    pub key: &'static str,
    /// Whether the unit asks for it.
    pub asks: fn(&Config) -> bool,
    pub why: &'static str,
}

const NO_OTHER_USER: &str = "an ordinary user's manager may not change to other users or groups";

#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    Rule { places: &[Rootless], key: "User", asks: |c| c.exec().is_some_and(|e| e.user.is_some() && !e.dynamic_user), why: NO_OTHER_USER },
    Rule { places: &[Rootless], key: "Group", asks: |c| c.exec().is_some_and(|e| e.group.is_some() && !e.dynamic_user), why: NO_OTHER_USER },
    Rule { places: &[Rootless], key: "SupplementaryGroups", asks: |c| c.exec().is_some_and(|e| !e.supplementary_groups.is_empty()), why: NO_OTHER_USER },
    Rule { places: &[Rootless], key: "DynamicUser", asks: |c| c.exec().is_some_and(|e| e.dynamic_user), why: NO_OTHER_USER },
    Rule { places: &[Rootless], key: "CapabilityBoundingSet", asks: |c| c.exec().is_some_and(|e| e.capability_bounding_set != Capabilities::ALL), why: "it may not take capabilities away" },
    Rule { places: &[Rootless], key: "AmbientCapabilities", asks: |c| c.exec().is_some_and(|e| e.ambient_capabilities != Capabilities::NONE), why: "it has none to give" },
    Rule { places: &[Container], key: "AmbientCapabilities", asks: |c| c.exec().is_some_and(|e| e.ambient_capabilities.0 & !CONFINED != 0), why: "a container as docker confines it does not have all of them to give" },
    Rule { places: &[Rootless], key: "RootDirectory", asks: |c| c.exec().is_some_and(|e| e.root_directory.is_some()), why: "changing the root needs CAP_SYS_CHROOT" },
    Rule { places: &[Rootless, Container], key: "OOMScoreAdjust", asks: |c| c.exec().is_some_and(|e| e.oom_score_adjust.is_some_and(|adjust| adjust < 0)), why: "a score below 0 needs CAP_SYS_RESOURCE" },
    Rule { places: &[Rootless, Container], key: "Nice", asks: |c| c.exec().is_some_and(|e| e.nice.is_some_and(|nice| nice < 0)), why: "a priority above the usual needs CAP_SYS_NICE" },
    Rule { places: &[Rootless], key: "ListenStream", asks: |c| low_port(c, |listen| matches!(listen, Listen::Stream(_))), why: "ports below 1024 need CAP_NET_BIND_SERVICE" },
    Rule { places: &[Rootless], key: "ListenDatagram", asks: |c| low_port(c, |listen| matches!(listen, Listen::Datagram(_))), why: "ports below 1024 need CAP_NET_BIND_SERVICE" },
];

/// The capabilities docker leaves a container's root, as bits of capabilities(7): CHOWN, DAC_OVERRIDE, FOWNER, FSETID,
/// KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
const CONFINED: u64 = 0xa804_25fb;

/// Ports up to here are for those with CAP_NET_BIND_SERVICE.
const LOW_PORTS: std::ops::Range<u16> = 1..1024;

fn low_port(config: &Config, is_meant: fn(&Listen) -> bool) -> bool {
    let Body::Socket(socket) = &config.body else { return false };
    socket.listen.iter().filter(|listen| is_meant(listen)).any(|listen| {
        let (Listen::Stream(address) | Listen::Datagram(address)) = listen else { return false };
        match address {
            Address::Port(port) | Address::Inet { port, .. } => LOW_PORTS.contains(port),
            Address::Unix(_) | Address::Abstract(_) | Address::Vsock { .. } => false,
        }
    })
}
