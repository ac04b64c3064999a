//! `[Socket]`: systemd.socket(5).

use super::exec::{Exec, ExecCommand, Kill};
use crate::name::UnitName;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// One `Listen…=` line, in the order written: the order of the descriptors handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listen {
    Stream(Address),
    Datagram(Address),
    SequentialPacket(Address),
    Fifo(String),
    /// The kernel's messages: netlink(7).
    Netlink {
        protocol: u32,
        /// 0: no multicast group.
        group: u32,
    },
    /// A kind that is known and not served yet (`Special`, `MessageQueue`, `USBFunction`): its key and value.
    Other {
        key: String,
        value: String,
    },
}

impl Listen {
    /// Whether socket(2) makes it.
    pub fn is_a_socket(&self) -> bool {
        match self {
            Listen::Stream(_)
            | Listen::Datagram(_)
            | Listen::SequentialPacket(_)
            | Listen::Netlink { .. } => true,
            Listen::Fifo(_) | Listen::Other { .. } => false,
        }
    }
}

/// The families that `ListenNetlink=` names, with the kernel's numbers: netlink(7).
pub const NETLINK_FAMILIES: [(&str, u32); 17] = [
    ("route", 0),
    ("firewall", 3),
    ("inet-diag", 4),
    ("nflog", 5),
    ("xfrm", 6),
    ("selinux", 7),
    ("iscsi", 8),
    ("audit", 9),
    ("fib-lookup", 10),
    ("connector", 11),
    ("netfilter", 12),
    ("ip6-fw", 13),
    ("dnrtmsg", 14),
    ("kobject-uevent", 15),
    ("generic", 16),
    ("scsitransport", 18),
    ("ecryptfs", 19),
];

/// The family's name and the group, as `ListenNetlink=` takes them.
pub fn netlink_text(protocol: u32, group: u32) -> String {
    let family = NETLINK_FAMILIES.iter().find(|(_, number)| *number == protocol);
    family.map_or_else(|| format!("{protocol} {group}"), |(name, _)| format!("{name} {group}"))
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Address {
    /// A path in the file system.
    Unix(String),
    /// `@name`, without the `@`.
    Abstract(String),
    /// A port alone listens on all addresses, IPv6 and IPv4 (`BindIPv6Only=` decides).
    Port(u16),
    Inet {
        ip: core::net::IpAddr,
        port: u16,
        interface: Option<String>,
    },
    Vsock {
        cid: u32,
        port: u32,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindIpv6Only {
    #[default]
    Default,
    Both,
    Ipv6Only,
}

/// Whether each connection gets its own instance of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accept {
    /// The listening sockets themselves are handed over.
    #[default]
    No,
    Yes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Socket {
    pub listen: Vec<Listen>,
    pub accept: Accept,
    /// `Service=`; `None`: the service of the same name.
    pub service: Option<UnitName>,
    pub backlog: u32,
    pub bind_ipv6_only: BindIpv6Only,
    pub socket_user: Option<String>,
    pub socket_group: Option<String>,
    pub socket_mode: u32,
    pub directory_mode: u32,
    pub remove_on_stop: bool,
    pub symlinks: Vec<String>,
    pub file_descriptor_name: Option<String>,
    pub keep_alive: bool,
    pub no_delay: bool,
    pub reuse_port: bool,
    pub free_bind: bool,
    pub transparent: bool,
    pub broadcast: bool,
    pub pass_credentials: bool,
    pub pass_security: bool,
    pub pass_packet_info: bool,
    pub timestamping: Option<String>,
    pub receive_buffer: Option<u64>,
    pub send_buffer: Option<u64>,
    pub pipe_size: Option<u64>,
    pub max_connections: u32,
    pub trigger_limit_interval: Span,
    pub trigger_limit_burst: u32,
    pub flush_pending: bool,
    pub writable: bool,
    pub start_pre: Vec<ExecCommand>,
    pub start_post: Vec<ExecCommand>,
    pub stop_pre: Vec<ExecCommand>,
    pub stop_post: Vec<ExecCommand>,
    pub timeout: Span,
    pub exec: Exec,
    pub kill: Kill,
}

impl Default for Socket {
    fn default() -> Socket {
        Socket {
            listen: Vec::new(),
            accept: Accept::No,
            service: None,
            // The kernel's own limit holds: listen(2).
            backlog: i32::MAX as u32,
            bind_ipv6_only: BindIpv6Only::Default,
            socket_user: None,
            socket_group: None,
            socket_mode: 0o666,
            directory_mode: 0o755,
            remove_on_stop: false,
            symlinks: Vec::new(),
            file_descriptor_name: None,
            keep_alive: false,
            no_delay: false,
            reuse_port: false,
            free_bind: false,
            transparent: false,
            broadcast: false,
            pass_credentials: false,
            pass_security: false,
            pass_packet_info: false,
            timestamping: None,
            receive_buffer: None,
            send_buffer: None,
            pipe_size: None,
            max_connections: 64,
            trigger_limit_interval: Span::seconds(2),
            trigger_limit_burst: 20,
            flush_pending: false,
            writable: false,
            start_pre: Vec::new(),
            start_post: Vec::new(),
            stop_pre: Vec::new(),
            stop_post: Vec::new(),
            timeout: Span::seconds(90),
            exec: Exec::default(),
            kill: Kill::default(),
        }
    }
}
