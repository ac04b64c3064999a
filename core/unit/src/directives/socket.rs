//! `[Socket]`: systemd.socket(5).

use super::line::Want;
use super::unit::flag;
use super::{Directive, Draft, Kind, Line, Support, keep};
use crate::config::socket::{Accept, Address, BindIpv6Only, Listen, NETLINK_FAMILIES};
use crate::name::{UnitKind, UnitName};
use crate::span::Span;
use crate::specifier::Allowed;
use crate::values::address::parse_address;
use crate::values::number;
use crate::values::path::out_of_var;

const fn row(
    key: &'static str,
    kind: Kind,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Full, set, help }
}

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const fn listen(
    key: &'static str,
    support: Support,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind: Kind::Text, support, set, help }
}

const SEC: Kind = Kind::Span("sec value");
const INTEGER: Kind = Kind::Integer("int value");
const LONG: Kind = Kind::Integer("long value");
const ACCEPT: Support = Support::Partial("a service for each connection is not started yet");

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    Directive { key: "Accept", kind: Kind::Boolean, support: ACCEPT, set: accept, help: "each connection gets a service of its own" },
    kept("AcceptFileDescriptors", Kind::Boolean, "descriptors may be sent through the socket"),
    row("Backlog", Kind::Unsigned, |d, l| if let Some(backlog) = l.unsigned() { d.socket.backlog = backlog }, "how many connections wait"),
    row("BindIPv6Only", Kind::Word("bind IPv6 only value"), bind_ipv6_only, "whether an IPv6 socket takes IPv4 too"),
    listen("BindToDevice", Support::NotYet, device, "the network interface it listens on"),
    row("Broadcast", Kind::Boolean, |d, l| flag(&mut d.socket.broadcast, l), "SO_BROADCAST"),
    kept("DeferAcceptSec", SEC, "TCP_DEFER_ACCEPT"),
    kept("DeferTrigger", Kind::OneOf("defer trigger value", &["no", "yes", "patient"]), "the service waits for the end of what conflicts with it"),
    kept("DeferTriggerMaxSec", SEC, "how long DeferTrigger= waits"),
    row("DirectoryMode", Kind::Mode, |d, l| if let Some(mode) = l.mode() { d.socket.directory_mode = mode }, "permissions of directories made for it"),
    row("ExecStartPost", Kind::Commands, |d, l| l.commands(&mut d.socket.start_post), "commands run once it listens"),
    row("ExecStartPre", Kind::Commands, |d, l| l.commands(&mut d.socket.start_pre), "commands run before it listens"),
    row("ExecStopPost", Kind::Commands, |d, l| l.commands(&mut d.socket.stop_post), "commands run once it has closed"),
    row("ExecStopPre", Kind::Commands, |d, l| l.commands(&mut d.socket.stop_pre), "commands run before it closes"),
    row("FileDescriptorName", Kind::Text, descriptor_name, "the name of its descriptors in LISTEN_FDNAMES"),
    row("FlushPending", Kind::Boolean, |d, l| flag(&mut d.socket.flush_pending, l), "what waits is thrown away when the service stops"),
    row("FreeBind", Kind::Boolean, |d, l| flag(&mut d.socket.free_bind, l), "IP_FREEBIND"),
    listen("IPTOS", Support::NotYet, ip_tos, "IP_TOS"),
    kept("IPTTL", INTEGER, "IP_TTL"),
    row("KeepAlive", Kind::Boolean, |d, l| flag(&mut d.socket.keep_alive, l), "SO_KEEPALIVE"),
    kept("KeepAliveIntervalSec", SEC, "TCP_KEEPINTVL"),
    kept("KeepAliveProbes", Kind::Unsigned, "TCP_KEEPCNT"),
    kept("KeepAliveTimeSec", SEC, "TCP_KEEPIDLE"),
    listen("ListenDatagram", Support::Full, |d, l| address(d, l, Listen::Datagram), "listens for datagrams"),
    listen("ListenFIFO", Support::Full, fifo, "opens a FIFO"),
    listen("ListenMessageQueue", Support::NotYet, path_of_other, "opens a POSIX message queue"),
    listen("ListenNetlink", Support::Full, netlink, "opens a netlink socket"),
    listen("ListenSequentialPacket", Support::Full, |d, l| address(d, l, Listen::SequentialPacket), "listens for sequenced packets"),
    listen("ListenSpecial", Support::NotYet, path_of_other, "opens a special file"),
    listen("ListenStream", Support::Full, |d, l| address(d, l, Listen::Stream), "listens for connections"),
    listen("ListenUSBFunction", Support::NotYet, path_of_other, "opens a USB gadget's endpoints"),
    kept("Mark", INTEGER, "SO_MARK"),
    Directive { key: "MaxConnections", kind: Kind::Unsigned, support: ACCEPT, set: max_connections, help: "how many connections are served at once" },
    kept("MaxConnectionsPerSource", Kind::Unsigned, "how many connections of one address are served at once"),
    kept("MessageQueueMaxMessages", LONG, "messages a queue holds"),
    kept("MessageQueueMessageSize", LONG, "bytes a message in a queue has"),
    row("NoDelay", Kind::Boolean, |d, l| flag(&mut d.socket.no_delay, l), "TCP_NODELAY"),
    row("PassCredentials", Kind::Boolean, |d, l| flag(&mut d.socket.pass_credentials, l), "SO_PASSCRED"),
    kept("PassFileDescriptorsToExec", Kind::Boolean, "its commands get its descriptors"),
    kept("PassPIDFD", Kind::Boolean, "SO_PASSPIDFD"),
    row("PassPacketInfo", Kind::Boolean, |d, l| flag(&mut d.socket.pass_packet_info, l), "IP_PKTINFO"),
    row("PassSecurity", Kind::Boolean, |d, l| flag(&mut d.socket.pass_security, l), "SO_PASSSEC"),
    kept("PipeSize", Kind::Size, "the size of a FIFO"),
    kept("PollLimitBurst", Kind::Unsigned, "how many events PollLimitIntervalSec= allows"),
    kept("PollLimitIntervalSec", SEC, "the time in which events are counted"),
    kept("Priority", INTEGER, "SO_PRIORITY"),
    row("ReceiveBuffer", Kind::Size, |d, l| if let Some(size) = l.size() { d.socket.receive_buffer = Some(size) }, "SO_RCVBUF"),
    row("RemoveOnStop", Kind::Boolean, |d, l| flag(&mut d.socket.remove_on_stop, l), "its files go when it stops"),
    row("ReusePort", Kind::Boolean, |d, l| flag(&mut d.socket.reuse_port, l), "SO_REUSEPORT"),
    kept("SELinuxContextFromNet", Kind::Boolean, "the service runs in the SELinux context of its peer"),
    row("SendBuffer", Kind::Size, |d, l| if let Some(size) = l.size() { d.socket.send_buffer = Some(size) }, "SO_SNDBUF"),
    row("Service", Kind::Units, service, "the service its connections are for"),
    kept("SmackLabel", Kind::Text, "the SMACK label of a FIFO"),
    kept("SmackLabelIPIn", Kind::Text, "the SMACK label of what comes in"),
    kept("SmackLabelIPOut", Kind::Text, "the SMACK label of what goes out"),
    row("SocketGroup", Kind::Text, |d, l| if let Some(group) = super::exec::owner(l) { d.socket.socket_group = group }, "the group its files belong to"),
    row("SocketMode", Kind::Mode, |d, l| if let Some(mode) = l.mode() { d.socket.socket_mode = mode }, "permissions of its files"),
    listen("SocketProtocol", Support::NotYet, protocol, "the protocol in place of TCP or UDP"),
    row("SocketUser", Kind::Text, |d, l| if let Some(user) = super::exec::owner(l) { d.socket.socket_user = user }, "the user its files belong to"),
    row("Symlinks", Kind::Paths, symlinks, "symbolic links made to its file"),
    Directive { key: "TCPCongestion", kind: Kind::Text, support: Support::NotYet, set: congestion, help: "TCP_CONGESTION" },
    row("TimeoutSec", Kind::Timeout("time value"), |d, l| if let Some(span) = l.timeout("time value") { d.socket.timeout = span }, "how long its commands may take"),
    row("Timestamping", Kind::Word("timestamping precision"), timestamping, "packets carry the time of their arrival"),
    row("Transparent", Kind::Boolean, |d, l| flag(&mut d.socket.transparent, l), "IP_TRANSPARENT"),
    row("TriggerLimitBurst", Kind::Unsigned, |d, l| d.said.trigger_limit_burst = l.unsigned().or(d.said.trigger_limit_burst), "how many starts TriggerLimitIntervalSec= allows"),
    row("TriggerLimitIntervalSec", SEC, trigger_limit_interval, "the time in which starts of its service are counted"),
    row("Writable", Kind::Boolean, |d, l| flag(&mut d.socket.writable, l), "a special file is opened for writing too"),
];

fn accept(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(yes) = l.boolean() {
        d.socket.accept = if yes { Accept::Yes } else { Accept::No };
    }
}

fn max_connections(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(max) = l.unsigned() {
        d.socket.max_connections = max;
    }
}

fn bind_ipv6_only(d: &mut Draft, l: &mut Line<'_>) {
    let words = [
        ("default", BindIpv6Only::Default),
        ("both", BindIpv6Only::Both),
        ("ipv6-only", BindIpv6Only::Ipv6Only),
    ];
    let only = match crate::values::boolean(l.value) {
        Some(true) => Some(BindIpv6Only::Ipv6Only),
        Some(false) => Some(BindIpv6Only::Both),
        None => l.word(&words),
    };
    if let Some(only) = only {
        d.socket.bind_ipv6_only = only;
    }
}

fn timestamping(d: &mut Draft, l: &mut Line<'_>) {
    let words = [
        ("off", None),
        ("us", Some("us")),
        ("usec", Some("us")),
        ("\u{b5}s", Some("us")),
        ("ns", Some("ns")),
        ("nsec", Some("ns")),
    ];
    if let Some(yes) = crate::values::boolean(l.value) {
        d.socket.timestamping = yes.then(|| "us".to_owned());
    } else if let Some(word) = l.word(&words) {
        d.socket.timestamping = word.map(str::to_owned);
    }
}

fn ip_tos(d: &mut Draft, l: &mut Line<'_>) {
    let words = [("low-delay", 16), ("throughput", 8), ("reliability", 4), ("low-cost", 2)];
    let named = words.iter().find(|(word, _)| *word == l.value).map(|(_, number)| *number);
    match named.or_else(|| number::unsigned(l.value).ok()) {
        Some(number @ 0..=255) => l.keep_one(d, number.to_string()),
        Some(_) | None if l.is_empty() => l.reset(d),
        Some(_) | None => l.unparsed("IP TOS value"),
    }
}

fn protocol(d: &mut Draft, l: &mut Line<'_>) {
    let words = [("udplite", 136), ("sctp", 132), ("mptcp", 262)];
    match words.iter().find(|(word, _)| *word == l.value) {
        Some((_, number)) => l.keep_one(d, number.to_string()),
        None => l.warn(format!("Failed to parse socket protocol, ignoring: {}", l.value)),
    }
}

/// An empty line takes back all that was listened on, of whatever kind.
fn address(d: &mut Draft, l: &mut Line<'_>, kind: fn(Address) -> Listen) {
    if l.is_empty() {
        d.socket.listen.clear();
        return;
    }
    let Some(text) = l.text().map(out_of_var) else { return };
    match parse_address(&text) {
        Ok(address) => match (kind(address), text.starts_with(['/', '@'])) {
            (Listen::SequentialPacket(_), false) => {
                l.warn(format!("Address family not supported, ignoring: {}", l.value));
            }
            (listen, true | false) => l.push(&mut d.socket.listen, listen),
        },
        Err(bad) => l.warn(format!("Failed to parse address value in '{text}', ignoring: {bad}")),
    }
}

fn listened_path(d: &mut Draft, l: &mut Line<'_>) -> Option<String> {
    if l.is_empty() {
        d.socket.listen.clear();
        return None;
    }
    let text = l.text()?;
    l.checked_path(text, Want::Absolute)
}

fn fifo(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(path) = listened_path(d, l) {
        l.push(&mut d.socket.listen, Listen::Fifo(out_of_var(path)));
    }
}

fn path_of_other(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(value) = listened_path(d, l) {
        l.push(&mut d.socket.listen, Listen::Other { key: l.key.to_owned(), value });
    }
}

/// `FAMILY [GROUP]`: netlink(7).
fn netlink(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.socket.listen.clear();
        return;
    }
    let Some(text) = l.text() else { return };
    let (family, group) = text.split_once([' ', '\t']).unwrap_or((&text, "0"));
    let named = NETLINK_FAMILIES.iter().find(|(name, _)| *name == family).map(|(_, protocol)| *protocol);
    let numbered = || number::unsigned(family).ok().and_then(|number| number.try_into().ok());
    let known = named.or_else(numbered);
    let group = number::unsigned(group).ok().and_then(|group| u32::try_from(group).ok());
    match (known, group) {
        (Some(protocol), Some(group)) => {
            l.push(&mut d.socket.listen, Listen::Netlink { protocol, group });
        }
        (Some(_) | None, Some(_) | None) => {
            l.warn(format!("Failed to parse address value in '{text}', ignoring: Invalid argument"));
        }
    }
}

fn device(d: &mut Draft, l: &mut Line<'_>) {
    let name = l.value;
    match super::network::is_interface(name) {
        true => l.keep_one(d, name.to_owned()),
        false if l.is_empty() || name == "*" => l.reset(d),
        false => l.warn(format!("Invalid interface name, ignoring: {name}")),
    }
}

fn service(d: &mut Draft, l: &mut Line<'_>) {
    let Some(name) = l.unit_name() else { return };
    match UnitName::parse(&name) {
        Ok(name) if name.kind() == UnitKind::Service && name.is_template() => l.warn(format!(
            "Failed to load unit {}, ignoring: Unit name {name} is missing the instance name.",
            l.value
        )),
        Ok(name) if name.kind() == UnitKind::Service => {
            d.socket.service = super::unit::dependency_name(name.as_str(), l);
        }
        Ok(_) | Err(_) => l.warn(format!("Unit must be of type service, ignoring: {}", l.value)),
    }
}

fn descriptor_name(d: &mut Draft, l: &mut Line<'_>) {
    let is_right =
        |name: &str| name.len() <= 255 && name.chars().all(|c| (' '..='~').contains(&c) && c != ':');
    match l.optional_text() {
        Some(None) => d.socket.file_descriptor_name = None,
        Some(Some(name)) if is_right(&name) => d.socket.file_descriptor_name = Some(name),
        Some(Some(name)) => l.warn(format!("Invalid file descriptor name, ignoring: {name}")),
        None => {}
    }
}

/// Without end is the default.
fn trigger_limit_interval(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(span) = l.span("sec value") {
        d.said.trigger_limit_interval = (span != Span::INFINITY).then_some(span);
    }
}

/// A name of the kernel's, without specifiers.
fn congestion(d: &mut Draft, l: &mut Line<'_>) {
    match l.is_empty() {
        true => l.reset(d),
        false => l.keep_one(d, l.value.to_owned()),
    }
}

fn symlinks(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.socket.symlinks.clear();
    }
    for written in l.names() {
        let Some(text) = l.expanded(&written, Allowed::All) else { continue };
        // One that is none ends the list.
        let Some(path) = l.checked_path(text, Want::Absolute) else { break };
        l.push(&mut d.socket.symlinks, path);
    }
}
