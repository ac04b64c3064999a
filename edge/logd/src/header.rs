//! The seven lines by which a stream introduces itself, and the name under which they survive in the fd store.

use crate::limits;

/// Who writes to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub identifier: String,
    pub unit: String,
    /// Facility and level, as syslog counts.
    pub priority: u8,
    pub level_prefix: LevelPrefix,
}

/// Whether `<N>` before a line is its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelPrefix {
    Verbatim,
    Parsed,
}

/// What the first bytes of a stream are.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// Not seven lines yet.
    More,
    /// Who it is, and how many bytes that took.
    Header(Header, usize),
    /// Nothing of the kind.
    Nonsense,
}

/// `identifier, unit, priority, level prefix`, and three of forwarding that a console has no use for.
const LINES: usize = 7;

pub fn opening(bytes: &[u8]) -> Opening {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let Some(end) = ends.clone().nth(LINES - 1) else {
        return if bytes.len() >= limits::HEADER { Opening::Nonsense } else { Opening::More };
    };
    let text = String::from_utf8_lossy(&bytes[..end]);
    let lines: Vec<&str> = text.split('\n').collect();
    let level_prefix = match lines[3] {
        "0" => LevelPrefix::Verbatim,
        "1" => LevelPrefix::Parsed,
        _ => return Opening::Nonsense,
    };
    let Ok(priority) = lines[2].parse() else { return Opening::Nonsense };
    let (identifier, unit) = (printable(lines[0]), printable(lines[1]));
    Opening::Header(Header { identifier, unit, priority, level_prefix }, end + 1)
}

/// Names reach a terminal: nothing in them may command it.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

const MARK: &str = "stream";

impl Header {
    /// What stands before its lines.
    pub fn name(&self) -> &str {
        let name = if self.unit.is_empty() { &self.identifier } else { &self.unit };
        let shown = name.strip_suffix(".service").unwrap_or(name);
        if shown.is_empty() { "-" } else { shown }
    }

    /// A name for the fd store that holds all of it, unique by the socket's inode. Cut where names are too
    /// long: only a display suffers.
    pub fn stored_name(&self, inode: u64) -> String {
        let prefix = match self.level_prefix {
            LevelPrefix::Verbatim => 0,
            LevelPrefix::Parsed => 1,
        };
        let (unit, identifier) = (escaped(&self.unit), escaped(&self.identifier));
        let mut name = format!("{MARK}/{inode}/{}/{prefix}/{unit}/{identifier}", self.priority);
        name.truncate(limits::FDNAME);
        name
    }

    pub fn from_stored_name(name: &str) -> Option<Header> {
        let fields: Vec<&str> = name.split('/').collect();
        let [MARK, _, priority, prefix, unit, identifier @ ..] = fields.as_slice() else { return None };
        let level_prefix = if *prefix == "1" { LevelPrefix::Parsed } else { LevelPrefix::Verbatim };
        let identifier = unescaped(identifier.first().unwrap_or(&""));
        Some(Header { identifier, unit: unescaped(unit), priority: priority.parse().ok()?, level_prefix })
    }
}

/// Printable ASCII without `:`, which FDNAME= forbids, and without our own separator.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b':' | b'/' | b'%');
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    name.bytes().map(one).collect()
}

fn unescaped(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match (first, pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            // The cut may have gone through one.
            (b'%', None) => break,
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(identifier: &str, unit: &str) -> Header {
        let (identifier, unit) = (identifier.to_owned(), unit.to_owned());
        Header { identifier, unit, priority: 30, level_prefix: LevelPrefix::Parsed }
    }

    #[test]
    fn seven_lines_are_a_header() {
        let text = b"web\nweb.service\n30\n1\n0\n0\n0\nfirst line\n";
        assert_eq!(opening(text), Opening::Header(header("web", "web.service"), 27));
        assert_eq!(opening(&text[..26]), Opening::More);
        assert_eq!(opening(b"a\nb\nc\n1\n0\n0\n0\n"), Opening::Nonsense);
        assert_eq!(opening(b"a\nb\n30\n2\n0\n0\n0\n"), Opening::Nonsense);
        assert_eq!(opening(&[b'a'; limits::HEADER]), Opening::Nonsense);
        let systemd_cat = b"mytag\n\n4\n1\n0\n0\n0\n";
        let Opening::Header(found, _) = opening(systemd_cat) else { panic!("a header") };
        assert_eq!(found.name(), "mytag");
    }

    #[test]
    fn the_stored_name_holds_the_header() {
        for header in
            [header("web", "web.service"), header("a:b/ü%", "dev-x\\x2dy@1:2.service"), header("", "")]
        {
            let name = header.stored_name(4711);
            assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'), "{name}");
            assert_eq!(Header::from_stored_name(&name), Some(header));
        }
        let long = header(&"i".repeat(300), &"u".repeat(100));
        let name = long.stored_name(1);
        assert_eq!(name.len(), limits::FDNAME);
        assert_eq!(Header::from_stored_name(&name).map(|header| header.unit), Some(long.unit));
        assert_eq!(Header::from_stored_name("stored"), None);
    }
}
