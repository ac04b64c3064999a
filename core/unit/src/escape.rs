//! Any text as part of a unit name, and back: systemd.unit(5), "String Escaping for Inclusion in Unit Names". Texts are bytes: paths
//! need not be UTF-8.

use crate::name::{UnitKind, UnitName};

/// `/` as `-`, what a name cannot hold as `\xNN`.
pub fn escape(text: &[u8]) -> String {
    let mut out = String::new();
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'/' => out.push('-'),
            b'.' if at == 0 => out.push_str("\\x2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'.' => out.push(char::from(*byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out
}

/// A path without its outer slashes; `-` for the root. `None` if it climbs by `..`, is but a dot, or longer than paths can be.
pub fn escape_path(path: &[u8]) -> Option<String> {
    let parts: Vec<&[u8]> =
        path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    const PART_MAX: usize = 255;
    const PATH_MAX: usize = 4095;
    let is_dot = parts.is_empty() && path.starts_with(b".");
    let odd = |part: &&[u8]| *part == b".." || part.len() > PART_MAX;
    if is_dot || path.len() > PATH_MAX || parts.iter().any(odd) {
        return None;
    }
    Some(if parts.is_empty() { "-".to_owned() } else { escape(&parts.join(&b'/')) })
}

/// The reverse of `escape`; `None` for a backslash that begins no `\xNN`.
pub fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'-' => out.push(b'/'),
            b'\\' => {
                let [b'x', high, low, tail @ ..] = after else { return None };
                let hex = std::str::from_utf8(&[*high, *low]).ok()?.to_owned();
                let is_hex = hex.bytes().all(|digit| digit.is_ascii_hexdigit());
                out.push(u8::from_str_radix(&hex, 16).ok().filter(|_| is_hex)?);
                rest = tail;
            }
            other => out.push(*other),
        }
    }
    Some(out)
}

/// The reverse of `escape_path`: what comes out must be a path that escapes so.
pub fn unescape_path(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    if text == b"-" {
        return Some(b"/".to_vec());
    }
    if text.starts_with(b"-") || text.ends_with(b"-") {
        return None;
    }
    let path = [b"/".as_slice(), &unescape(text)?].concat();
    let is_part = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
    path[1..].split(|byte| *byte == b'/').all(is_part).then_some(path)
}

/// The unit somebody means by a text: a name as it is, a device or a mount by its path, else a service.
pub fn mangle(text: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(text).ok().filter(|name| UnitName::parse(name).is_ok());
    if let Some(name) = name {
        return Some(name.to_owned());
    }
    let is_device = [b"/dev/".as_slice(), b"/sys/"].iter().any(|above| text.starts_with(above));
    if text.starts_with(b"/")
        && let Some(stem) = escape_path(text)
    {
        return valid(format!("{stem}.{}", if is_device { "device" } else { "mount" }));
    }
    let mut name = String::new();
    for byte in text {
        match byte {
            b'/' => name.push('-'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => name.push(char::from(*byte)),
            b':' | b'-' | b'_' | b'.' | b'\\' | b'@' => name.push(char::from(*byte)),
            other => name.push_str(&format!("\\x{other:02x}")),
        }
    }
    let has_kind = name
        .rsplit_once('.')
        .is_some_and(|(stem, suffix)| !stem.is_empty() && UnitKind::from_suffix(suffix).is_some());
    if text.is_empty() {
        return None;
    }
    valid(if has_kind { name } else { format!("{name}.service") })
}

fn valid(name: String) -> Option<String> {
    UnitName::parse(&name).is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [&b"a-b/c"[..], b"/dev/sd a", b".hidden", b"\xff\xfe", b"100%", b"-"] {
            assert_eq!(unescape(escape(text).as_bytes()).as_deref(), Some(text));
        }
        assert_eq!(escape_path(b"//srv/./my disk/").as_deref(), Some(r"srv-my\x20disk"));
        assert_eq!(unescape_path(br"srv-my\x20disk").as_deref(), Some(&b"/srv/my disk"[..]));
        assert_eq!((escape_path(b"/a/../b"), escape_path(b".")), (None, None));
        assert_eq!((escape_path(b""), escape_path(b"/.")), (Some("-".to_owned()), Some("-".to_owned())));
        assert_eq!((unescape_path(b""), unescape_path(b"a--b"), unescape(br"\x2")), (None, None, None));
    }

    #[test]
    fn names_that_are_meant() {
        let meant = |text: &str| mangle(text.as_bytes());
        assert_eq!(meant("web").as_deref(), Some("web.service"));
        assert_eq!(meant("web.socket").as_deref(), Some("web.socket"));
        assert_eq!(meant("/srv").as_deref(), Some("srv.mount"));
        assert_eq!(meant("/dev/sda").as_deref(), Some("dev-sda.device"));
        assert_eq!(meant("a b").as_deref(), Some(r"a\x20b.service"));
        assert_eq!((meant(""), meant("@")), (None, None));
    }
}
