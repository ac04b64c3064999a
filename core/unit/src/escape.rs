//! Any text as part of a unit name, and back: systemd-escape(1), systemd.unit(5) "String escaping for inclusion in
//! unit names". Text is bytes here: a file's name need not be UTF-8.

use crate::limits::PATH_MAX;
use crate::name::{NAME_MAX, UnitKind, UnitName};
use std::hash::Hasher;

/// Bytes of one part of a path (Linux's NAME_MAX).
const PART_MAX: usize = 255;

/// `/` becomes `-`, whatever a name may not hold becomes `\xNN`, and so does a dot in front.
pub fn escape(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'/' => escaped.push('-'),
            b'.' if at == 0 => push_hex(&mut escaped, *byte),
            b'-' | b'\\' | b'@' => push_hex(&mut escaped, *byte),
            _ => push(&mut escaped, *byte),
        }
    }
    escaped
}

/// A path without the slashes that say nothing; none if it is no path, or has `..` in it.
pub fn escape_path(path: &[u8]) -> Option<String> {
    let parts: Vec<&[u8]> = parts(path).filter(|part| *part != b".").collect();
    match parts.is_empty() {
        // What is simplified to nothing is the root, but here is not.
        true if path.is_empty() || path.starts_with(b"/") => Some("-".to_owned()),
        true => None,
        false if !is_path(path) || parts.contains(&b"..".as_slice()) => None,
        false => Some(escape(&parts.join(&b'/'))),
    }
}

/// The unit of the given kind that stands for a path: one whose name would be too long is told from others by a hash.
pub fn name_of_path(path: &[u8], kind: UnitKind) -> Option<UnitName> {
    let name = format!("{}.{}", escape_path(path)?, kind.suffix());
    if name.len() <= NAME_MAX {
        return UnitName::parse(&name).ok();
    }
    let end = format!("_{:016x}.{}", hash(name.as_bytes()), kind.suffix());
    UnitName::parse(&format!("{}{end}", &name[..NAME_MAX - end.len()])).ok()
}

/// SipHash 2-4 with the key that systemd has for it: others know these units by the same names.
#[allow(
    deprecated,
    reason = "the standard library has this hash by this name alone, and promises no other to stay"
)]
fn hash(text: &[u8]) -> u64 {
    let mut hasher = std::hash::SipHasher::new_with_keys(0x324a_3258_fb37_f2ec, 0x9aeb_210d_9b06_9f84);
    hasher.write(text);
    // As C sees it, the closing zero byte is part of the text.
    hasher.write(b"\0");
    // Written byte by byte, the lowest first.
    hasher.finish().swap_bytes()
}

/// What was escaped; none where a backslash is no escape. As in C, a zero byte is the end.
pub fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'-', _) => plain.push(b'/'),
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digit =
                    |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                plain.push(digit(high)? << 4 | digit(low)?);
                rest = tail;
            }
            (b'\\', _) => return None,
            (byte, _) => plain.push(*byte),
        }
    }
    let length = plain.iter().position(|byte| *byte == 0).unwrap_or(plain.len());
    plain.truncate(length);
    Some(plain)
}

/// The absolute path that was escaped; none if it would not be a plain one.
pub fn unescape_path(text: &[u8]) -> Option<Vec<u8>> {
    if text == b"-" {
        return Some(b"/".to_vec());
    }
    if text.is_empty() || text.starts_with(b"-") || text.ends_with(b"-") {
        return None;
    }
    let path = [b"/", unescape(text)?.as_slice()].concat();
    let closes = path.len() > 1 && path.ends_with(b"/");
    (is_plain(&path) && !closes).then_some(path)
}

/// What people type for a unit as its name: a path is a mount or a device, a word without a suffix gets `suffix`
/// (`.service`), and the rest is escaped where it must be. None for what can be no name.
pub fn mangle(word: &[u8], suffix: &str) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(word)
        && UnitName::parse(text).is_ok()
    {
        return Some(text.to_owned());
    }
    if word.starts_with(b"/") && escape_path(word).is_some() {
        let parts: Vec<&[u8]> = parts(word).filter(|part| *part != b".").collect();
        let is_device = matches!(parts[..], [b"dev" | b"sys", _, ..]);
        let kind = if is_device { UnitKind::Device } else { UnitKind::Mount };
        return name_of_path(word, kind).map(|name| name.to_string());
    }
    let mut name = String::with_capacity(word.len());
    for byte in word {
        match byte {
            b'/' => name.push('-'),
            _ => push(&mut name, *byte),
        }
    }
    if word.is_empty() || UnitName::parse(&name).is_ok() {
        return (!word.is_empty()).then_some(name);
    }
    complete(name, suffix)
}

/// A path that the kernel would take, in whole and in each part.
pub fn is_path(path: &[u8]) -> bool {
    !path.is_empty() && path.len() < PATH_MAX && parts(path).all(|part| part.len() <= PART_MAX)
}

/// A path that says nothing twice and goes nowhere back.
pub fn is_plain(path: &[u8]) -> bool {
    let says = |part: &[u8]| part != b"." && part != b"..";
    is_path(path) && parts(path).all(says) && !path.windows(2).any(|two| two == b"//")
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
}

fn complete(mut name: String, suffix: &str) -> Option<String> {
    name.push_str(suffix);
    UnitName::parse(&name).ok().map(|name| name.to_string())
}

/// What a name may hold stays as it is.
fn push(name: &mut String, byte: u8) {
    match byte {
        b':' | b'-' | b'_' | b'.' | b'\\' | b'@' => name.push(char::from(byte)),
        _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
        _ => push_hex(name, byte),
    }
}

fn push_hex(name: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    name.extend(['\\', 'x', digit(byte >> 4), digit(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in ["", "a", "foo bar", "Hallöchen, Meister", ".hidden-x@y", "a/b\\c", "/dev//sda"] {
            assert_eq!(
                unescape(escape(text.as_bytes()).as_bytes()).as_deref(),
                Some(text.as_bytes()),
                "{text}"
            );
        }
        for path in ["/", "/dev/disk/by-uuid/1234-ABCD", "/mnt/my disk", "/.x"] {
            let escaped = escape_path(path.as_bytes()).unwrap();
            assert_eq!(unescape_path(escaped.as_bytes()).as_deref(), Some(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn what_is_no_path() {
        for path in [".", "..", "/a/../b", "../a"] {
            assert_eq!(escape_path(path.as_bytes()), None, "{path}");
        }
        for text in ["", "--", "a-", "a--b", "..", "\\x2", "a-.-b"] {
            assert_eq!(unescape_path(text.as_bytes()), None, "{text}");
        }
        assert_eq!(escape_path(b"./a//b/"), Some("a-b".to_owned()));
    }

    /// As systemd 252 names them.
    #[test]
    fn long_names() {
        let name = |path: &[u8]| name_of_path(path, UnitKind::Mount).unwrap().to_string();
        let (a, b) = ("a".repeat(130), "b".repeat(103));
        let path = format!("/mnt/{a}/{}", "b".repeat(130));
        assert_eq!(name(path.as_bytes()), format!("mnt-{a}-{}_d2c7f0efc964a519.mount", &b[..97]));
        assert_eq!(name(format!("/{}", "a".repeat(249)).as_bytes()), format!("{}.mount", "a".repeat(249)));
        let hashed = format!("{}_506d9c632ced75cd.mount", "a".repeat(232));
        assert_eq!(name(format!("/{}", "a".repeat(250)).as_bytes()), hashed);
        let hashed = format!("mnt-{}_2bb8211d193a828f.mount", "\\xff".repeat(57));
        assert_eq!(name(&[b"/mnt/".as_slice(), &[255; 70]].concat()), hashed);
        assert_eq!(name(b"/"), "-.mount");
        assert_eq!(name_of_path(b".", UnitKind::Mount), None);
        assert_eq!(name_of_path(b"/a/../b", UnitKind::Mount), None);
    }

    #[test]
    fn typed_names() {
        for (word, name) in [
            ("nginx", Some("nginx.service")),
            ("a.socket", Some("a.socket")),
            ("/mnt/data/", Some("mnt-data.mount")),
            ("/dev/sda", Some("dev-sda.device")),
            ("/", Some("-.mount")),
            ("/a/../b", Some("-a-..-b.service")),
            ("x y.service", Some("x\\x20y.service")),
            ("@", None),
            ("", None),
        ] {
            assert_eq!(mangle(word.as_bytes(), ".service").as_deref(), name, "{word}");
        }
    }
}
