//! Lists of system calls: systemd.exec(5), `SystemCallFilter=`. Groups hold calls and other groups.

use super::errno;
use std::collections::BTreeMap;

/// `kill`, as a number beyond all error numbers.
pub const KILL: i32 = i32::MAX - 1;

/// A line for each group, its members on indented lines below.
const GROUPS: &str = include_str!("syscalls.txt");

/// The members of a group, calls and groups.
fn group(name: &str) -> Option<impl Iterator<Item = &'static str>> {
    let mut lines = GROUPS.lines();
    lines.find(|line| *line == name && name.starts_with('@'))?;
    Some(lines.take_while(|line| line.starts_with(' ')).flat_map(str::split_ascii_whitespace))
}

/// Why a word of a list means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    Group,
    Call,
    /// What stands behind the colon.
    Error,
}

/// `call`, `@group`, each with `:ERRNO` if wanted.
pub fn check(word: &str) -> Result<(), Unknown> {
    let (name, error) = parts(word);
    if error.is_some_and(|error| error_number(error).is_none()) {
        return Err(Unknown::Error);
    }
    match name.starts_with('@') {
        true if group(name).is_some() => Ok(()),
        true => Err(Unknown::Group),
        false if is_known(name) => Ok(()),
        false => Err(Unknown::Call),
    }
}

/// An error number by name or number, or `kill`.
pub fn error_number(text: &str) -> Option<i32> {
    match text {
        "kill" => Some(KILL),
        _ => {
            let number = || i32::try_from(super::number::integer(text).ok()?).ok();
            errno::number_of(text).or_else(|| number().filter(|number| (0..=4095).contains(number)))
        }
    }
}

fn parts(word: &str) -> (&str, Option<&str>) {
    word.split_once(':').map_or((word, None), |(name, error)| (name, Some(error)))
}

fn is_known(name: &str) -> bool {
    // Behind the remarks members stand behind a blank, and groups at the beginning of a line.
    let Some((_remarks, groups)) = GROUPS.split_once("\n@") else { return false };
    let is_member = |(at, _): (usize, &str)| {
        let (before, after) = (groups[..at].ends_with(' '), &groups[at + name.len()..]);
        before && after.starts_with(|next: char| next.is_ascii_whitespace())
    };
    !name.is_empty() && groups.match_indices(name).any(is_member)
}

/// What all lines together say: whether calls are allowed or denied, and which, sorted. The first line decides by its
/// `~`; a later one of the other kind takes away.
pub fn evaluate<'a>(lines: impl Iterator<Item = &'a str>, always: &str) -> (bool, Vec<String>) {
    let mut allows = None;
    let mut calls: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for line in lines {
        let (takes, words) = line.strip_prefix('~').map_or((false, line), |words| (true, words));
        let allows = *allows.get_or_insert_with(|| {
            if !takes {
                members(always, &mut |call| {
                    calls.insert(call, None);
                });
            }
            !takes
        });
        for word in words.split_ascii_whitespace() {
            let (name, error) = parts(word);
            members(name, &mut |call| {
                if takes == allows {
                    calls.remove(call);
                } else if !allows || error.is_none() {
                    // What is allowed has no error: such a word says nothing.
                    calls.insert(call, error);
                }
            });
        }
    }
    let shown = |(call, error): (&str, Option<&str>)| match error {
        Some(error) => {
            let number = error_number(error);
            format!("{call}:{}", number.and_then(errno::name_of).unwrap_or(error))
        }
        None => call.to_owned(),
    };
    let allows = allows.unwrap_or(false);
    // An error is for what is forbidden, also among what is allowed.
    let calls = calls.into_iter().filter(|(_, error)| !allows || error.is_none());
    let mut shown: Vec<String> = calls.map(shown).collect();
    shown.sort();
    (allows, shown)
}

/// The names of all groups, in the order systemd lists them.
pub fn groups() -> impl Iterator<Item = &'static str> {
    GROUPS.lines().filter(|line| line.starts_with('@'))
}

/// What a group holds as it is listed: calls and groups.
pub fn members_of(name: &str) -> Vec<&'static str> {
    group(name).into_iter().flatten().collect()
}

/// All calls of a group, in the order it and the groups in it list them.
pub fn calls_of(name: &str) -> Vec<&str> {
    let mut calls = Vec::new();
    members(name, &mut |call| calls.push(call));
    calls
}

/// Each call that a name stands for.
fn members<'a>(name: &'a str, each: &mut dyn FnMut(&'a str)) {
    match group(name) {
        Some(of_group) => of_group.for_each(|member| members(member, each)),
        None if name.starts_with('@') || name.is_empty() => {}
        None => each(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> String {
        let (allows, calls) = evaluate(lines.iter().copied(), "");
        format!("{}{}", if allows { "" } else { "~" }, calls.join(" "))
    }

    #[test]
    fn lines_add_and_take() {
        assert_eq!(shown(&["read write", "~read"]), "write");
        assert_eq!(shown(&["~@swap", "~mount:EPERM", "swapon"]), "~mount:EPERM swapoff");
        assert_eq!(shown(&["~@swap:1"]), "~swapoff:EPERM swapon:EPERM");
        assert_eq!(shown(&["read write:EPERM"]), "read");
        assert_eq!(shown(&["read", "read:EPERM"]), "read");
        assert_eq!(shown(&[]), "~");
    }

    #[test]
    fn what_is_always_allowed_comes_first() {
        let (allows, calls) = evaluate([""].into_iter(), "@default");
        assert!(allows && calls.contains(&"exit_group".to_owned()));
        assert_eq!(evaluate(["~read"].into_iter(), "@default"), (false, vec!["read".to_owned()]));
    }

    #[test]
    fn groups_hold_groups_and_known_calls_only() {
        let (_, service) = evaluate(["@system-service"].into_iter(), "");
        assert!(service.contains(&"read".to_owned()) && !service.iter().any(|call| call.starts_with('@')));
        assert_eq!(check("@system-service"), Ok(()));
        assert_eq!(check("read:EPERM"), Ok(()));
        assert_eq!(check("read:EBOGUS"), Err(Unknown::Error));
        assert_eq!((check("@bogus"), check("group")), (Err(Unknown::Group), Err(Unknown::Call)));
    }
}
