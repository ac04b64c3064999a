//! Socket addresses as `ListenStream=` writes them: systemd.socket(5).

use super::{Bad, number};
use crate::config::socket::Address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a unix socket's path or abstract name (`sun_path` less its first or last zero byte).
const UNIX_PATH_MAX: usize = 107;

pub fn parse_address(text: &str) -> Result<Address, Bad> {
    match text.as_bytes() {
        [b'/', ..] if text.len() <= UNIX_PATH_MAX => Ok(Address::Unix(text.to_owned())),
        [b'@', ..] if (2..=UNIX_PATH_MAX + 1).contains(&text.len()) => {
            Ok(Address::Abstract(text[1..].to_owned()))
        }
        [b'/' | b'@', ..] => Err(Bad::Syntax),
        _ => inet(text),
    }
}

fn inet(text: &str) -> Result<Address, Bad> {
    if let Some(rest) = text.strip_prefix("vsock:") {
        return vsock(rest);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']').ok_or(Bad::Syntax)?;
        let ip: Ipv6Addr = ip.parse().map_err(|_| Bad::Syntax)?;
        let (port, interface) = split_interface(rest.strip_prefix(':').ok_or(Bad::Syntax)?)?;
        return Ok(Address::Inet { ip: IpAddr::V6(ip), port: parse_port(port)?, interface });
    }
    if let Some((ip, rest)) = text.split_once(':') {
        let ip: Ipv4Addr = ip.parse().map_err(|_| Bad::Syntax)?;
        let (port, interface) = split_interface(rest)?;
        return Ok(Address::Inet { ip: IpAddr::V4(ip), port: parse_port(port)?, interface });
    }
    parse_port(text).map(Address::Port)
}

fn vsock(text: &str) -> Result<Address, Bad> {
    let (cid, port) = text.split_once(':').ok_or(Bad::Syntax)?;
    let number = |text: &str| number::unsigned(text).and_then(|n| u32::try_from(n).map_err(|_| Bad::Range));
    let cid = if cid.is_empty() { u32::MAX } else { number(cid)? };
    Ok(Address::Vsock { cid, port: number(port)? })
}

fn split_interface(text: &str) -> Result<(&str, Option<String>), Bad> {
    match text.split_once('%') {
        Some((_, "")) => Err(Bad::Syntax),
        Some((port, interface)) if interface.len() < 16 => Ok((port, Some(interface.to_owned()))),
        Some(_) => Err(Bad::Syntax),
        None => Ok((text, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, Bad> {
    match number::unsigned(text)? {
        0 => Err(Bad::Syntax),
        port => u16::try_from(port).map_err(|_| Bad::Range),
    }
}

/// As `systemctl show` prints it in `Listen=`.
pub fn format_address(address: &Address) -> String {
    match address {
        Address::Unix(path) => path.clone(),
        Address::Abstract(name) => format!("@{name}"),
        Address::Port(port) => format!("[::]:{port}"),
        Address::Inet { ip: IpAddr::V4(ip), port, interface } => format!("{ip}:{port}{}", shown(interface)),
        Address::Inet { ip: IpAddr::V6(ip), port, interface } => format!("[{ip}]:{port}{}", shown(interface)),
        Address::Vsock { cid: u32::MAX, port } => format!("vsock::{port}"),
        Address::Vsock { cid, port } => format!("vsock:{cid}:{port}"),
    }
}

fn shown(interface: &Option<String>) -> String {
    interface.as_ref().map_or(String::new(), |interface| format!("%{interface}"))
}
