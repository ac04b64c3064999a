//! Directives of systemd.resource-control(5) about the network: addresses, ports and interfaces. Read and checked; nothing acts on
//! them yet.

use super::{Draft, Line};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn addresses(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    for word in l.names() {
        let shown = match word.as_str() {
            "any" => vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
            "localhost" => vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()],
            "link-local" => vec!["169.254.0.0/16".to_owned(), "fe80::/64".to_owned()],
            "multicast" => vec!["224.0.0.0/4".to_owned(), "ff00::/8".to_owned()],
            other => prefix(other).into_iter().collect(),
        };
        if shown.is_empty() {
            l.warn(format!("Address prefix is invalid, ignoring assignment: {word}"));
        }
        l.keep_more(d, shown);
    }
}

/// `any`, or `[ipv4:|ipv6:][tcp:|udp:]PORT[-PORT]`.
pub(super) fn bind_rule(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let parts: Vec<&str> = l.value.split(':').collect();
    let (ports, words) = parts.split_last().map_or(("", [].as_slice()), |(last, words)| (*last, words));
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let is_port =
        (port(first) && port(last)) || ports == "any" || ["tcp", "udp", "ipv4", "ipv6"].contains(&ports);
    match is_port && words.iter().all(|word| ["ipv4", "ipv6", "tcp", "udp"].contains(word)) {
        true => l.keep_more(d, vec![l.value.to_owned()]),
        false => l.warn(format!("Unable to parse {}= assignment, ignoring: {}", l.key, l.value)),
    }
}

/// The first line decides whether interfaces are allowed or, after `~`, denied; a later one of the other kind takes away.
pub(super) fn interfaces(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let (takes, words) = l.value.strip_prefix('~').map_or((false, l.value), |words| (true, words));
    let kept = d.kept.values(l.key).next().map(str::to_owned);
    let denies = kept.as_ref().map_or(takes, |kept| kept.starts_with('~'));
    let kept = kept.unwrap_or_default();
    let mut names: BTreeSet<&str> = kept.trim_start_matches('~').split_ascii_whitespace().collect();
    for name in words.split_ascii_whitespace() {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        match name.len() < 16 && !is_number && !name.contains(['/', ':', '%']) {
            true if takes == denies => drop(names.insert(name)),
            true => drop(names.remove(name)),
            false => l.warn(format!("Invalid interface name, ignoring: {name}")),
        }
    }
    let list = names.into_iter().collect::<Vec<_>>().join(" ");
    l.keep_one(d, format!("{}{list}", if denies { "~" } else { "" }));
}

fn prefix(text: &str) -> Option<String> {
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length =
        if length.is_empty() { longest } else { length.parse::<u8>().ok().filter(|l| *l <= longest)? };
    // What lies beyond the prefix is nobody's address.
    let address: IpAddr = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    };
    Some(format!("{address}/{length}"))
}
