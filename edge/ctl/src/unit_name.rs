//! Unit names as people type them: `nginx`, `/mnt/data`, `dev/sda`, `ssh*`, and what becomes of them.

use eudaemon_unit::escape::name_of_path;
use eudaemon_unit::name::UnitKind;

/// The types of unit, in systemctl's order.
pub const TYPES: &[&str] = &[
    "service",
    "mount",
    "swap",
    "socket",
    "target",
    "device",
    "automount",
    "timer",
    "path",
    "slice",
    "scope",
];

/// A word turned into a unit name, and the warning that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mangled {
    pub name: String,
    pub warning: Option<String>,
}

/// Whether globs are taken as such or as characters to escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Globs {
    Allowed,
    Refused,
}

/// systemctl(1): a path is a mount or a device, a word without a suffix gets `suffix`, the rest is escaped.
/// `None` for what can be no name at all.
pub fn mangle(word: &str, suffix: &str, globs: Globs) -> Option<Mangled> {
    if word.is_empty() {
        return None;
    }
    let mangled = mangle_any(word, suffix, globs)?;
    (globs == Globs::Allowed || is_valid(&mangled.name)).then_some(mangled)
}

fn mangle_any(word: &str, suffix: &str, globs: Globs) -> Option<Mangled> {
    let plain = |name: String| Some(Mangled { name, warning: None });
    if is_valid(word)
        || globs == Globs::Allowed
            && is_glob(word)
            && word.chars().all(|c| is_legal(c) || "*?[]!".contains(c))
    {
        return plain(with_suffix(word, suffix, globs));
    }
    if let Some(path) = absolute(word) {
        let is_device = path.starts_with("/dev/") || path.starts_with("/sys/");
        let kind = if is_device { UnitKind::Device } else { UnitKind::Mount };
        return plain(name_of_path(path.as_bytes(), kind)?.to_string());
    }
    if word.chars().all(is_legal) {
        return plain(with_suffix(word, suffix, globs));
    }
    let escaped = escape(word, globs);
    let warning = format!(
        "Invalid unit name \"{word}\" escaped as \"{escaped}\" (maybe you should use systemd-escape?)."
    );
    Some(Mangled { name: with_suffix(&escaped, suffix, globs), warning: Some(warning) })
}

pub fn is_glob(word: &str) -> bool {
    word.contains(['*', '?', '['])
}

/// The word after the last dot, if it is a unit type.
pub fn type_of(name: &str) -> Option<&'static str> {
    let (_, suffix) = name.rsplit_once('.')?;
    TYPES.iter().find(|known| **known == suffix).copied()
}

/// A complete unit name.
pub fn is_valid(name: &str) -> bool {
    eudaemon_unit::name::UnitName::parse(name).is_ok()
}

fn with_suffix(word: &str, suffix: &str, globs: Globs) -> String {
    let complete = is_valid(word) || globs == Globs::Allowed && is_glob(word);
    if complete { word.to_owned() } else { format!("{word}{suffix}") }
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || ":-_.\\@".contains(c)
}

/// An absolute path, without doubled and trailing slashes.
fn absolute(word: &str) -> Option<String> {
    if !word.starts_with('/') {
        return None;
    }
    let parts: Vec<&str> = word.split('/').filter(|part| !part.is_empty()).collect();
    (!parts.contains(&"..")).then(|| format!("/{}", parts.join("/")))
}

fn escape(word: &str, globs: Globs) -> String {
    let mut escaped = String::new();
    for byte in word.bytes() {
        match byte {
            b'/' => escaped.push('-'),
            b'*' | b'?' | b'[' | b']' if globs == Globs::Allowed => escaped.push(char::from(byte)),
            _ if is_legal(char::from(byte)) => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\x{byte:02x}")),
        }
    }
    escaped
}

/// The object of a unit on the bus: every byte but letters and digits becomes `_xx`, a leading digit too.
pub fn object_path(name: &str) -> String {
    let mut path = String::from("/org/freedesktop/systemd1/unit/");
    if name.is_empty() {
        path.push('_');
    }
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || at > 0 && byte.is_ascii_digit() {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("_{byte:02x}"));
        }
    }
    path
}

/// The unit of an object path, undoing [`object_path`].
pub fn of_object_path(path: &str) -> Option<String> {
    let escaped = path.strip_prefix("/org/freedesktop/systemd1/unit/")?;
    let mut bytes = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'_' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// fnmatch(3) without flags: `*`, `?`, `[…]`.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => bracket(&pattern, p, name[n]),
            Some(c) if *c == name[n] => Some(p + 1),
            Some(_) | None => None,
        };
        match (step, star) {
            (Some(next), _) => {
                p = next;
                n += 1;
            }
            (None, Some((after, from))) => {
                star = Some((after, from + 1));
                p = after;
                n = from + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Where the pattern goes on after a `[…]` at `start` that accepts `c`.
fn bracket(pattern: &[char], start: usize, c: char) -> Option<usize> {
    let negated = matches!(pattern.get(start + 1), Some('!' | '^'));
    let first = start + 1 + usize::from(negated);
    let end = first + 1 + pattern.get(first + 1..)?.iter().position(|c| *c == ']')?;
    let mut found = false;
    let mut at = first;
    while at < end {
        if pattern.get(at + 1) == Some(&'-') && at + 2 < end {
            found |= pattern[at] <= c && c <= pattern[at + 2];
            at += 3;
        } else {
            found |= pattern[at] == c;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(words: &str, expected: Expect) {
        let shown: Vec<String> = words
            .lines()
            .map(|word| match mangle(word, ".service", Globs::Allowed) {
                Some(Mangled { name, warning }) => {
                    format!("{word} -> {name}{}", if warning.is_some() { " (warned)" } else { "" })
                }
                None => format!("{word} -> refused"),
            })
            .collect();
        expected.assert_eq(&shown.join("\n"));
    }

    #[test]
    fn words_become_unit_names() {
        check(
            "nginx\nfoo.bar\nbad name\n/\n/mnt//data/\n/dev/sda1\nssh*\nssh*.socket\ngetty@tty1\n-.mount\n/nope",
            expect![[r#"
                nginx -> nginx.service
                foo.bar -> foo.bar.service
                bad name -> bad\x20name.service (warned)
                / -> -.mount
                /mnt//data/ -> mnt-data.mount
                /dev/sda1 -> dev-sda1.device
                ssh* -> ssh*
                ssh*.socket -> ssh*.socket
                getty@tty1 -> getty@tty1.service
                -.mount -> -.mount
                /nope -> nope.mount"#]],
        );
    }

    #[test]
    fn object_paths_are_undone() {
        for name in ["a-b.service", "9a-b@x.service", "-.slice", "dev-disk\\x2dby.device"] {
            assert_eq!(of_object_path(&object_path(name)).as_deref(), Some(name));
        }
        assert_eq!(object_path("9a-b@x.service"), "/org/freedesktop/systemd1/unit/_39a_2db_40x_2eservice");
    }

    #[test]
    fn patterns_match_as_fnmatch_does() {
        for (pattern, name, expected) in [
            ("t-s*.service", "t-simple.service", true),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("t-[ab].service", "t-b.service", true),
            ("t-[!ab].service", "t-b.service", false),
            ("t-[a-c]?", "t-bz", true),
            ("[", "[", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} against {name}");
        }
    }
}
