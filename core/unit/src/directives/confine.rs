//! Directives of systemd.exec(5) that say what a process may do by a list: kinds of sockets, namespaces and file systems, system
//! calls, bits of its capabilities. Read and checked; nothing acts on them yet.

use super::{Draft, Line};
use crate::values::family::family;
use crate::values::syscalls::{self, Unknown};
use crate::values::words::Words;
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
    for word in Words::names(words) {
        let Ok(word) = word else {
            l.bad_list();
            break;
        };
        match family(&word.text) {
            Some(family) if takes == denies => drop(families.insert(family)),
            Some(family) => drop(families.remove(family)),
            None => l.warn(format!("Failed to parse address family, ignoring: {}", word.text)),
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
    const GROUPS: [&str; 9] = [
        "@auxiliary-api",
        "@basic-api",
        "@common-block",
        "@historical-block",
        "@known",
        "@network",
        "@privileged-api",
        "@security",
        "@temporary",
    ];
    let is_unknown = |word: &String| {
        let word = word.trim_start_matches('~');
        word.starts_with('@') && !GROUPS.contains(&word)
    };
    let (unknown, words): (Vec<_>, Vec<_>) = l.names().into_iter().partition(is_unknown);
    for word in unknown {
        l.warn(format!("bpf-lsm: Unknown filesystem group, ignoring: {}", word.trim_start_matches('~')));
    }
    // Nothing is allowed by a list of none, and nothing is denied by one.
    if !words.is_empty() || !l.value.starts_with('~') {
        l.keep_more(d, vec![words.join(" ")]);
    }
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
        return l.warn(format!("Failed to parse namespace type string, ignoring: {words}"));
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
        let has_error = word.contains(':');
        if has_error && l.key == "SystemCallLog" {
            l.warn(format!("Failed to parse system call, ignoring: {word}"));
            continue;
        }
        match syscalls::check(word) {
            Ok(()) | Err(Unknown::Call | Unknown::Group) if has_error && sign.is_empty() => {
                l.warn(format!("Allow-listed system calls cannot take error number, ignoring: {word}"));
            }
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
    match (value, syscalls::error_number(value)) {
        ("", _) | ("kill", _) => l.reset(d),
        (_, Some(0)) => l.warn(format!("Invalid error number, ignoring: {value}")),
        (_, Some(number)) => l.keep_one(d, number.to_string()),
        (_, None) => l.unparsed("error number"),
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
    for word in Words::names(l.value).map_while(Result::ok) {
        bits |= BITS.iter().position(|bit| *bit == word.text).map_or(0, |bit| 1 << bit);
    }
    match bits {
        0 => l.reset(d),
        bits => l.keep_one(d, bits.to_string()),
    }
}
