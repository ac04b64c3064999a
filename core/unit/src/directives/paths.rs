//! Directives of systemd.exec(5) that put paths into a process's file system. Read and checked; nothing acts on them yet.

use super::line::{Style, Want};
use super::{Draft, Line};
use crate::values::words::Unbalanced;

/// `SOURCE[:DESTINATION[:OPTIONS]]`, each source after `-` if it may be missing.
pub(super) fn bind_paths(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        return l.reset(d);
    }
    let (mounts, end) = mounts(l.value);
    for Parts { source, destination, options } in mounts {
        let (dash, source) = source.strip_prefix('-').map_or(("", source.as_str()), |source| ("-", source));
        let mut path = |text: &str| {
            l.expanded_in(Style::Double, text).and_then(|text| l.checked_path(text, Want::Absolute))
        };
        let source = path(source);
        let destination = match destination.filter(|destination| !destination.is_empty()) {
            Some(destination) => path(&destination),
            None => source.clone(),
        };
        let (Some(source), Some(destination)) = (source, destination) else { continue };
        let options = options.unwrap_or_else(|| "rbind".to_owned());
        if !["rbind", "norbind"].contains(&options.as_str()) {
            l.warn(format!("Invalid option string, ignoring setting: {options}"));
            continue;
        }
        let escaped = |path: &str| path.replace('\\', "\\\\").replace(':', "\\:");
        l.keep_more(d, vec![format!("{dash}{}:{}:{options}", escaped(&source), escaped(&destination))]);
    }
    if end == Err(Unbalanced) {
        l.bad_list();
    }
}

/// What stands between colons in one word of `BindPaths=`.
struct Parts {
    source: String,
    destination: Option<String>,
    options: Option<String>,
}

/// Words at white space, parts at colons, neither inside quotes; a word whose quote stays open is none.
fn mounts(value: &str) -> (Vec<Parts>, Result<(), Unbalanced>) {
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
    let parts = |word: Vec<String>| {
        let mut word = word.into_iter();
        let (source, destination, rest) = (word.next()?, word.next(), word.collect::<Vec<_>>());
        let options = (!rest.is_empty()).then(|| rest.join(":"));
        (!source.is_empty() || destination.is_some()).then_some(Parts { source, destination, options })
    };
    if quote.is_some() {
        words.pop();
    }
    let end = if quote.is_some() { Err(Unbalanced) } else { Ok(()) };
    (words.into_iter().filter_map(parts).collect(), end)
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
        let (path, options) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
        let Some(path) = l.expanded_in(Style::Double, path) else { continue };
        let Some(path) = l.checked_path(path, Want::Absolute) else { continue };
        if l.key == "MountImages" && options.is_empty() {
            l.warn(format!("Missing destination in {}, ignoring: {word}", l.key));
        } else {
            l.keep_more(d, vec![format!("{dash}{path}{options}")]);
        }
    }
}

/// `PARTITION:OPTIONS` words; options alone are the root partition's.
pub(super) fn root_image_options(d: &mut Draft, l: &mut Line<'_>) {
    const PARTITIONS: [&str; 11] =
        ["root", "usr", "home", "srv", "esp", "xbootldr", "swap", "root-verity", "usr-verity", "tmp", "var"];
    if l.is_empty() {
        return l.reset(d);
    }
    for word in l.names() {
        let (partition, options) = word.split_once(':').unwrap_or(("root", word.as_str()));
        match PARTITIONS.contains(&partition) {
            true => {
                if let Some(options) = l.expanded_in(Style::Bare, options) {
                    l.keep_more(d, vec![format!("{partition}:{options}")]);
                }
            }
            false => l.warn(format!("Invalid partition name {partition}, ignoring")),
        }
    }
}
