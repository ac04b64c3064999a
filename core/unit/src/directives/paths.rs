//! Directives of systemd.exec(5) that put paths into a process's file system. Read and checked; nothing acts on them yet.

use super::line::{Style, Want};
use super::{Draft, Line};
use crate::values::words::Unbalanced;
use std::collections::VecDeque;

/// `SOURCE[:DESTINATION[:OPTIONS]]`, each source after `-` if it may be missing.
pub(super) fn bind_paths(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let (mounts, end) = mounts(l.value);
    for mut parts in mounts {
        // A source that is none is passed over, and what stands behind its colon is read as another.
        while let Some(bind) = one_bind(&mut parts, l) {
            if let Some(bind) = bind {
                l.keep_more(d, vec![bind]);
            }
        }
    }
    if end == Err(Unbalanced) {
        l.bad_list();
    }
}

/// Takes one mount from the front of what colons part; nothing if nothing is left, `Some(None)` if it was none.
fn one_bind(parts: &mut VecDeque<String>, l: &mut Line<'_>) -> Option<Option<String>> {
    let written = parts.pop_front()?;
    let (dash, source) = written.strip_prefix('-').map_or(("", written.as_str()), |source| ("-", source));
    let mut path =
        |text: &str| l.expanded_in(Style::Double, text).and_then(|text| l.checked_path(text, Want::Absolute));
    let Some(source) = path(source) else { return Some(None) };
    let destination = match parts.pop_front().filter(|destination| !destination.is_empty()) {
        Some(destination) => path(&destination),
        None => Some(source.clone()),
    };
    let Some(destination) = destination else { return Some(None) };
    let options = match parts.len() {
        0 => "rbind".to_owned(),
        _ => parts.drain(..).collect::<Vec<_>>().join(":"),
    };
    if !["rbind", "norbind"].contains(&options.as_str()) {
        l.warn(format!("Invalid option string, ignoring setting: {options}"));
        return Some(None);
    }
    let escaped = |path: &str| path.replace('\\', "\\\\").replace(':', "\\:");
    Some(Some(format!("{dash}{}:{}:{options}", escaped(&source), escaped(&destination))))
}

/// Words at white space, parts at colons, neither inside quotes; a word whose quote stays open is none.
fn mounts(value: &str) -> (Vec<VecDeque<String>>, Result<(), Unbalanced>) {
    let mut words = vec![vec![String::new()]];
    let (mut quote, mut chars) = (None, value.chars());
    while let Some(c) = chars.next() {
        let Some(part) = words.last_mut().and_then(|word| word.last_mut()) else { break };
        match (quote, c) {
            (_, '\\') => part.extend(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ':') => {
                if let Some(word) = words.last_mut() {
                    word.push(String::new());
                }
            }
            (None, c) if c.is_ascii_whitespace() => words.push(vec![String::new()]),
            (_, c) => part.push(c),
        }
    }
    if quote.is_some() {
        words.pop();
    }
    let end = if quote.is_some() { Err(Unbalanced) } else { Ok(()) };
    let is_there = |word: &Vec<String>| word.len() > 1 || word.iter().any(|part| !part.is_empty());
    (words.into_iter().filter(is_there).map(VecDeque::from).collect(), end)
}

pub(super) fn temporary(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    for word in l.names() {
        let (path, options) =
            word.split_once(':').map_or((word.as_str(), None), |(path, rest)| (path, Some(rest)));
        let Some(path) = l.expanded_in(Style::Bare, path) else { continue };
        let Some(path) = l.checked_path(path, Want::Absolute) else { continue };
        l.keep_more(d, vec![options.map_or(path.clone(), |options| format!("{path}:{options}"))]);
    }
}

/// `PATH[:…]` words, each path after `-` if it may be missing.
pub(super) fn images(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    for word in l.names() {
        let (dash, rest) = word.strip_prefix('-').map_or(("", word.as_str()), |rest| ("-", rest));
        let mut parts = rest.split(':');
        let Some(path) = l.expanded_in(Style::Double, parts.next().unwrap_or("")) else { continue };
        let Some(path) = l.checked_path(path, Want::Absolute) else { continue };
        let place = match (l.key == "MountImages").then(|| parts.next()) {
            Some(None) => {
                l.warn(format!("Missing destination in {}, ignoring: {word}", l.key));
                continue;
            }
            Some(Some(place)) => format!(":{place}"),
            None => String::new(),
        };
        let options = match parts.filter(|part| !part.is_empty()).collect::<Vec<_>>()[..] {
            [] => String::new(),
            [options] => format!(":root:{options}"),
            ref pairs => pairs
                .chunks(2)
                .filter(|pair| is_partition(pair[0], l))
                .map(|pair| format!(":{}:{}", pair[0], pair.get(1).unwrap_or(&"")))
                .collect(),
        };
        l.keep_more(d, vec![format!("{dash}{path}{place}{options}")]);
    }
}

/// `PARTITION:OPTIONS` words; options alone are the root partition's.
pub(super) fn root_image_options(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let mut read = Vec::new();
    for word in l.quoted() {
        let parts: Vec<&str> = word.split(':').filter(|part| !part.is_empty()).collect();
        let (partition, options) = match parts[..] {
            [] => continue,
            [options] => ("root", options),
            [partition, options] => (partition, options),
            _ => return l.bad_list(),
        };
        if is_partition(partition, l)
            && let Some(options) = l.expanded_in(Style::Bare, options)
        {
            read.push(format!("{partition}:{options}"));
        }
    }
    l.keep_more(d, read);
}

/// Whether an image can have such a partition.
fn is_partition(name: &str, l: &mut Line<'_>) -> bool {
    const PARTITIONS: [&str; 11] =
        ["root", "usr", "home", "srv", "esp", "xbootldr", "swap", "root-verity", "usr-verity", "tmp", "var"];
    let is_one = PARTITIONS.contains(&name);
    if !is_one {
        l.warn(format!("Invalid partition name {name}, ignoring"));
    }
    is_one
}
