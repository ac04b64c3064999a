//! Directives of systemd.exec(5) that say what a process may do by a list: kinds of sockets, namespaces and file systems, system
//! calls, bits of its capabilities. Read and checked; nothing acts on them yet.

use super::{Draft, Line};
use crate::values::family::family;
use crate::values::number::unsigned;
use crate::values::syscalls::{self, Unknown};
use std::collections::BTreeSet;

/// Families of addresses: the first line decides whether they are allowed or, after `~`, denied; a later one of the other
/// kind takes away.
pub(super) fn address_families(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    if l.value == "none" {
        return l.keep_one(d, String::new());
    }
    let (takes, words) = l.value.strip_prefix('~').map_or((false, l.value), |words| (true, words));
    let kept = d.kept.values(l.key).next().map(str::to_owned);
    let denies = kept.as_ref().map_or(takes, |kept| kept.starts_with('~'));
    let kept = kept.unwrap_or_default();
    let mut families: BTreeSet<&str> = kept.trim_start_matches('~').split_ascii_whitespace().collect();
    for word in words.split_ascii_whitespace() {
        match family(word) {
            Some(family) if takes == denies => drop(families.insert(family)),
            Some(family) => drop(families.remove(family)),
            None => l.warn(format!("Failed to parse address family, ignoring: {word}")),
        }
    }
    let list = families.into_iter().collect::<Vec<_>>().join(" ");
    l.keep_one(d, format!("{}{list}", if denies { "~" } else { "" }));
}

/// As `address_families`, for what this build of systemd would hand to a BPF program.
pub(super) fn file_systems(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let words = l.names();
    l.keep_more(d, vec![words.join(" ")]);
}

/// The kinds that may be made, in systemd's order; none of them for `yes`.
pub(super) fn restrict_namespaces(d: &mut Draft, l: &mut Line<'_>) {
    const KINDS: [&str; 7] = ["cgroup", "ipc", "net", "mnt", "pid", "user", "uts"];
    if l.is_empty() {
        return l.reset(d);
    }
    match crate::values::boolean(l.value) {
        Some(true) => return l.keep_one(d, String::new()),
        Some(false) => return l.reset(d),
        None => {}
    }
    let (takes, words) = l.value.strip_prefix('~').map_or((false, l.value), |words| (true, words));
    let named: Vec<&str> = words.split_ascii_whitespace().collect();
    if named.iter().any(|word| !KINDS.contains(word)) {
        return l.unparsed("namespace type string");
    }
    let before: Option<Vec<String>> =
        d.kept.values(l.key).next().map(|kept| kept.split_ascii_whitespace().map(str::to_owned).collect());
    let was = |kind: &str| before.as_ref().map_or(takes, |before| before.iter().any(|one| one == kind));
    let is = |kind: &&str| {
        if takes { was(kind) && !named.contains(kind) } else { was(kind) || named.contains(kind) }
    };
    let kinds: Vec<&str> = KINDS.into_iter().filter(is).collect();
    match kinds.len() == KINDS.len() {
        true => l.reset(d),
        false => l.keep_one(d, kinds.join(" ")),
    }
}

/// Kept line by line: what they come to is `syscalls::evaluate`.
pub(super) fn system_calls(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let (sign, words) = l.value.strip_prefix('~').map_or(("", l.value), |words| ("~", words));
    let mut known = Vec::new();
    for word in words.split_ascii_whitespace() {
        match syscalls::check(word) {
            Ok(()) => known.push(word),
            Err(Unknown::Group) => l.warn(format!("Unknown system call group, ignoring: {word}")),
            Err(Unknown::Call) => l.warn(format!("Failed to parse system call, ignoring: {word}")),
            Err(Unknown::Error) => l.warn(format!("Failed to parse syscall:errno, ignoring: {word}")),
        }
    }
    l.keep_more(d, vec![format!("{sign}{}", known.join(" "))]);
}

pub(super) fn error_number(d: &mut Draft, l: &mut Line<'_>) {
    let value = l.value;
    match (value, syscalls::error_number(value), unsigned(value)) {
        ("", _, _) | ("kill", _, _) => l.reset(d),
        (_, Some(number), _) => l.keep_one(d, number.to_string()),
        (_, None, Ok(_)) => l.warn(format!("Invalid error number, ignoring: {value}")),
        (_, None, Err(_)) => l.unparsed("error number"),
    }
}

/// Bits of prctl(2)'s PR_SET_SECUREBITS; words that are none are passed over without a word.
pub(super) fn secure_bits(d: &mut Draft, l: &mut Line<'_>) {
    const BITS: [&str; 6] = [
        "noroot",
        "noroot-locked",
        "no-setuid-fixup",
        "no-setuid-fixup-locked",
        "keep-caps",
        "keep-caps-locked",
    ];
    if l.is_empty() {
        return l.reset(d);
    }
    let mut bits: u32 = 0;
    for word in l.names() {
        bits |= BITS.iter().position(|bit| *bit == word).map_or(0, |bit| 1 << bit);
    }
    match bits {
        0 => l.reset(d),
        bits => l.keep_one(d, bits.to_string()),
    }
}
