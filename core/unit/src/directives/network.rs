//! Directives of systemd.resource-control(5) about the network: addresses, ports and interfaces. Read and checked; nothing acts on
//! them yet.

use super::{Draft, Line};
use crate::limits::LIST_MAX;
use crate::values::number::unsigned;
use crate::values::words::{Escapes, Quotes, Words};
use std::cmp::Ordering;
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
        let is_new = |prefix: &String| !d.kept.values(l.key).any(|kept| kept == prefix);
        let new = shown.into_iter().filter(is_new).collect();
        l.keep_more(d, new);
    }
}

/// `any`, or `[ipv4:|ipv6:][tcp:|udp:]PORT[-PORT]`.
pub(super) fn bind_rule(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    match ports_of(l.value) {
        Some(rule) => l.keep_more(d, vec![rule]),
        None => l.warn(format!("Unable to parse {}= assignment, ignoring: {}", l.key, l.value)),
    }
}

/// The rule, with its ports as decimal numbers.
fn ports_of(text: &str) -> Option<String> {
    let mut parts = text.split(':').peekable();
    let mut rule: Vec<String> = Vec::new();
    for words in [["ipv4", "ipv6"], ["tcp", "udp"]] {
        rule.extend(parts.next_if(|part| words.contains(part)).map(str::to_owned));
    }
    let port = |text: &str| u16::try_from(unsigned(text).ok()?).ok().filter(|port| *port > 0);
    match parts.next() {
        Some("any") => rule.push("any".to_owned()),
        Some(ports) => {
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            let (first, last) = (port(first)?, port(last)?);
            match first.cmp(&last) {
                Ordering::Less => rule.push(format!("{first}-{last}")),
                Ordering::Equal => rule.push(first.to_string()),
                Ordering::Greater => return None,
            }
        }
        None if rule.is_empty() => return None,
        None => {}
    }
    parts.next().is_none().then(|| rule.join(":"))
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
    let read: Vec<_> = Words::new(words, Quotes::Removed, Escapes::Literal).take(LIST_MAX).collect();
    for word in &read {
        match word.as_ref().map(|word| word.text.as_str()) {
            Ok(name) if !is_interface(name) => l.warn(format!("Invalid interface name, ignoring: {name}")),
            Ok(name) if takes == denies => drop(names.insert(name)),
            Ok(name) => drop(names.remove(name)),
            Err(_) => l.bad_list(),
        }
    }
    let list = names.into_iter().collect::<Vec<_>>().join(" ");
    l.keep_one(d, format!("{}{list}", if denies { "~" } else { "" }));
}

/// What may be the name of a network interface; the kernel means something else by some.
pub(super) fn is_interface(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic()) && !name.contains(['/', ':', '%']);
    let is_reserved = ["", ".", "..", "all", "default"].contains(&name);
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    is_plain && !is_reserved && !is_number && name.len() < 16
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
