//! org.freedesktop.systemd1.Socket, without the parts other kinds share: systemd.socket(5).

use super::exec_command::commands;
use super::words::result_word;
use super::{Emits::*, UnitRow, list, num, row, text, words};
use eudaemon_engine::api::Phase;
use eudaemon_unit::config::socket::{Accept, Address, BindIpv6Only, Listen, netlink_text};

pub const SOCKET: &[UnitRow] = &[
    row("BindIPv6Only", "s", Const, |cx| text(ipv6_word(cx.socket().bind_ipv6_only))),
    row("Backlog", "u", Const, |cx| num(cx.socket().backlog)),
    row("TimeoutUSec", "t", Const, |cx| num(cx.socket().timeout.0)),
    row("BindToDevice", "s", Const, |cx| cx.free("BindToDevice")),
    row("SocketUser", "s", Const, |cx| text(cx.socket().socket_user.as_deref().unwrap_or_default())),
    row("SocketGroup", "s", Const, |cx| text(cx.socket().socket_group.as_deref().unwrap_or_default())),
    row("SocketMode", "u", Const, |cx| num(cx.socket().socket_mode)),
    row("DirectoryMode", "u", Const, |cx| num(cx.socket().directory_mode)),
    row("Accept", "b", Const, |cx| num(cx.socket().accept == Accept::Yes)),
    row("FlushPending", "b", Const, |cx| num(cx.socket().flush_pending)),
    row("Writable", "b", Const, |cx| num(cx.socket().writable)),
    row("KeepAlive", "b", Const, |cx| num(cx.socket().keep_alive)),
    row("KeepAliveTimeUSec", "t", Const, |cx| cx.span("KeepAliveTimeSec", 0)),
    row("KeepAliveIntervalUSec", "t", Const, |cx| cx.span("KeepAliveIntervalSec", 0)),
    row("KeepAliveProbes", "u", Const, |cx| cx.number("KeepAliveProbes", 0_u32)),
    row("DeferAcceptUSec", "t", Const, |cx| cx.span("DeferAcceptSec", 0)),
    row("NoDelay", "b", Const, |cx| num(cx.socket().no_delay)),
    row("Priority", "i", Const, |cx| cx.number("Priority", -1_i32)),
    row("ReceiveBuffer", "t", Const, |cx| num(cx.socket().receive_buffer.unwrap_or(0))),
    row("SendBuffer", "t", Const, |cx| num(cx.socket().send_buffer.unwrap_or(0))),
    row("IPTOS", "i", Const, |cx| cx.number("IPTOS", -1_i32)),
    row("IPTTL", "i", Const, |cx| cx.number("IPTTL", -1_i32)),
    row("PipeSize", "t", Const, |cx| cx.number("PipeSize", 0_u64)),
    row("FreeBind", "b", Const, |cx| num(cx.socket().free_bind)),
    row("Transparent", "b", Const, |cx| num(cx.socket().transparent)),
    row("Broadcast", "b", Const, |cx| num(cx.socket().broadcast)),
    row("PassCredentials", "b", Const, |cx| num(cx.socket().pass_credentials)),
    row("PassSecurity", "b", Const, |cx| num(cx.socket().pass_security)),
    row("PassPacketInfo", "b", Const, |cx| num(cx.socket().pass_packet_info)),
    row("Timestamping", "s", Const, |cx| text(cx.socket().timestamping.as_deref().unwrap_or("off"))),
    row("RemoveOnStop", "b", Const, |cx| num(cx.socket().remove_on_stop)),
    row("Listen", "a(ss)", Const, |cx| list(&cx.socket().listen, listen_pair)),
    row("Symlinks", "as", Const, |cx| words(&cx.socket().symlinks)),
    row("Mark", "i", Const, |cx| cx.number("Mark", -1_i32)),
    row("MaxConnections", "u", Const, |cx| num(cx.socket().max_connections)),
    row("MaxConnectionsPerSource", "u", Const, |cx| cx.number("MaxConnectionsPerSource", 0_u32)),
    row("MessageQueueMaxMessages", "x", Const, |cx| cx.number("MessageQueueMaxMessages", 0_i64)),
    row("MessageQueueMessageSize", "x", Const, |cx| cx.number("MessageQueueMessageSize", 0_i64)),
    row("TCPCongestion", "s", Const, |cx| cx.free("TCPCongestion")),
    row("ReusePort", "b", Const, |cx| num(cx.socket().reuse_port)),
    row("SmackLabel", "s", Const, |cx| cx.free("SmackLabel")),
    row("SmackLabelIPIn", "s", Const, |cx| cx.free("SmackLabelIPIn")),
    row("SmackLabelIPOut", "s", Const, |cx| cx.free("SmackLabelIPOut")),
    row("ControlPID", "u", Value, |cx| num(cx.socket_run().control_pid)),
    row("Result", "s", Value, |cx| text(result_word(cx.socket_run().result))),
    row("NConnections", "u", No, |cx| num(cx.socket_run().connections)),
    row("NAccepted", "u", No, |cx| num(cx.socket_run().accepted)),
    row("NRefused", "u", No, |cx| num(cx.socket_run().refused)),
    row("FileDescriptorName", "s", No, |cx| cx.descriptor_name()),
    row("SocketProtocol", "i", Const, |cx| cx.number("SocketProtocol", 0_i32)),
    row("TriggerLimitIntervalUSec", "t", Const, |cx| num(cx.socket().trigger_limit_interval.0)),
    row("TriggerLimitBurst", "u", Const, |cx| num(cx.socket().trigger_limit_burst)),
    row("UID", "u", Value, |_| num(u32::MAX)),
    row("GID", "u", Value, |_| num(u32::MAX)),
    row("ExecStartPre", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.socket().start_pre, Phase::StartPre)
    }),
    row("ExecStartPost", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.socket().start_post, Phase::StartPost)
    }),
    row("ExecStopPre", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.socket().stop_pre, Phase::StopPre)
    }),
    row("ExecStopPost", "a(sasbttttuii)", Invalidates, |cx| {
        commands(cx, &cx.socket().stop_post, Phase::StopPost)
    }),
];

fn ipv6_word(bind: BindIpv6Only) -> &'static str {
    match bind {
        BindIpv6Only::Default => "default",
        BindIpv6Only::Both => "both",
        BindIpv6Only::Ipv6Only => "ipv6-only",
    }
}

/// Kind and address, as systemctl's list-sockets prints them.
fn listen_pair(listen: &Listen) -> (String, String) {
    let (kind, address) = match listen {
        Listen::Stream(address) => ("Stream", address_text(address)),
        Listen::Datagram(address) => ("Datagram", address_text(address)),
        Listen::SequentialPacket(address) => ("SequentialPacket", address_text(address)),
        Listen::Fifo(path) => ("FIFO", path.clone()),
        Listen::Netlink { protocol, group } => ("Netlink", netlink_text(*protocol, *group)),
        Listen::Other { key, value } => (key.trim_start_matches("Listen"), value.clone()),
    };
    (kind.to_owned(), address)
}

/// As a string literal of C has it, without its quotes.
fn c_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'\x07' => escaped.push_str("\\a"),
            b'\x08' => escaped.push_str("\\b"),
            b'\x0c' => escaped.push_str("\\f"),
            b'\n' => escaped.push_str("\\n"),
            b'\r' => escaped.push_str("\\r"),
            b'\t' => escaped.push_str("\\t"),
            b'\x0b' => escaped.push_str("\\v"),
            b'\\' | b'"' | b'\'' => escaped.extend(['\\', char::from(byte)]),
            b' '..=b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\{byte:03o}")),
        }
    }
    escaped
}

fn address_text(address: &Address) -> String {
    match address {
        Address::Unix(path) => c_escaped(path),
        Address::Abstract(name) => format!("@{}", c_escaped(name)),
        Address::Port(port) => format!("[::]:{port}"),
        Address::Inet { ip, port, interface } => {
            let scope = interface.as_ref().map(|name| format!("%{name}")).unwrap_or_default();
            format!("{}{scope}", std::net::SocketAddr::new(*ip, *port))
        }
        Address::Vsock { cid: u32::MAX, port } => format!("vsock::{port}"),
        Address::Vsock { cid, port } => format!("vsock:{cid}:{port}"),
    }
}
