//! What comes in one piece: the journal's native entries, and syslog's messages (RFC 3164).

use crate::line::{Level, priority_before};

/// One message, ready for the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub name: String,
    pub level: Level,
    pub text: Vec<u8>,
}

/// The manager's own identifier. It has said the same words on the same console already.
const MANAGER: &[u8] = b"systemd";

/// The level of whom gives none: notice.
const DEFAULT_LEVEL: Level = Level(5);

/// The entries of a native datagram: fields `NAME=value`, or `NAME`, a length of eight bytes, and the value;
/// an empty line ends an entry. Entries without a message say nothing to a console.
pub fn native(datagram: &[u8], sender: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut entry = Entry::default();
    let mut rest = datagram;
    loop {
        match field(rest) {
            Some((Field::End, after)) => {
                messages.extend(std::mem::take(&mut entry).message(sender));
                rest = after;
            }
            Some((Field::Value(name, value), after)) => {
                entry.set(name, value);
                rest = after;
            }
            None => break,
        }
    }
    messages.extend(entry.message(sender));
    messages
}

enum Field<'a> {
    End,
    Value(&'a [u8], &'a [u8]),
}

fn field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    if bytes.is_empty() {
        return None;
    }
    let (line, after) = (&bytes[..end], bytes.get(end + 1..).unwrap_or(&[]));
    if line.is_empty() {
        return Some((Field::End, after));
    }
    if let Some(equals) = line.iter().position(|byte| *byte == b'=') {
        return Some((Field::Value(&line[..equals], &line[equals + 1..]), after));
    }
    let (length, after) = after.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (value, after) = after.split_at_checked(length)?;
    Some((Field::Value(line, value), after.strip_prefix(b"\n").unwrap_or(after)))
}

#[derive(Default)]
struct Entry<'a> {
    message: Option<&'a [u8]>,
    identifier: Option<&'a [u8]>,
    /// Set by managers for what they say of a unit.
    unit: Option<&'a [u8]>,
    level: Option<Level>,
}

impl<'a> Entry<'a> {
    fn set(&mut self, name: &[u8], value: &'a [u8]) {
        match name {
            b"MESSAGE" => self.message = Some(value),
            b"SYSLOG_IDENTIFIER" => self.identifier = Some(value),
            b"UNIT" | b"USER_UNIT" => self.unit = Some(value),
            b"PRIORITY" => {
                let digits = std::str::from_utf8(value).unwrap_or("");
                self.level = digits.parse().ok().map(Level::of_priority);
            }
            _ => {}
        }
    }

    fn message(self, sender: &str) -> Option<Message> {
        if self.identifier == Some(MANAGER) {
            return None;
        }
        let text = self.message?.to_vec();
        let name = self.unit.or(self.identifier).map_or(sender.to_owned(), shown);
        Some(Message { name, level: self.level.unwrap_or(DEFAULT_LEVEL), text })
    }
}

/// `<13>Nov 22 06:23:40 tag[pid]: text`; the time may be missing, and so may all before the text.
pub fn syslog(datagram: &[u8], sender: &str) -> Message {
    let end = datagram.iter().rposition(|byte| !matches!(byte, b'\n' | 0)).map_or(0, |at| at + 1);
    let text = &datagram[..end];
    let (level, text) = match priority_before(text) {
        Some((priority, text)) => (Level::of_priority(priority), text),
        None => (DEFAULT_LEVEL, text),
    };
    let text = without_time(text).trim_ascii_start();
    match tag(text) {
        Some((name, text)) => Message { name: shown(name), level, text: text.to_vec() },
        None => Message { name: sender.to_owned(), level, text: text.to_vec() },
    }
}

/// `Nov 22 06:23:40 `, told by its shape.
fn without_time(text: &[u8]) -> &[u8] {
    const SHAPE: &[u8] = b"aaa dd dd:dd:dd ";
    let fits = |(shape, byte): (&u8, &u8)| match shape {
        b'a' => byte.is_ascii_alphabetic(),
        b'd' => byte.is_ascii_digit() || *byte == b' ',
        other => other == byte,
    };
    match text.split_at_checked(SHAPE.len()) {
        Some((time, rest)) if SHAPE.iter().zip(time).all(fits) => rest,
        _ => text,
    }
}

/// `tag: text` or `tag[pid]: text`; a tag has no spaces.
fn tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n')).unwrap_or(text.len());
    let head = text[..end].strip_suffix(b":")?;
    let name = head.iter().position(|byte| *byte == b'[').map_or(head, |at| &head[..at]);
    (!name.is_empty()).then(|| (name, text[end..].strip_prefix(b" ").unwrap_or(&text[end..])))
}

/// A name as it may be shown: nothing in it commands a terminal.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    name.strip_suffix(".service").map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(message: &Message) -> String {
        format!("{} {} {}", message.name, message.level.0, String::from_utf8_lossy(&message.text))
    }

    #[test]
    fn native_entries() {
        let check = |bytes: &[u8]| native(bytes, "pid 7").iter().map(words).collect::<Vec<_>>();
        assert_eq!(check(b"MESSAGE=hello\nPRIORITY=3\nSYSLOG_IDENTIFIER=app\n"), ["app 3 hello"]);
        assert_eq!(check(b"MESSAGE=a\n\nMESSAGE=b\nUNIT=web.service"), ["pid 7 5 a", "web 5 b"]);
        assert_eq!(check(b"MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=4\n"), ["pid 7 4 a\nb"]);
        assert_eq!(check(b"CODE_LINE=1\n"), [""; 0]);
        assert_eq!(check(b"SYSLOG_IDENTIFIER=systemd\nUNIT=web.service\nMESSAGE=Started\n"), [""; 0]);
        assert_eq!(check(b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffa\n"), [""; 0]);
    }

    #[test]
    fn syslog_messages() {
        let check = |text: &str| words(&syslog(text.as_bytes(), "pid 7"));
        assert_eq!(check("<13>Nov 22 06:23:40 cron[12]: job done\n"), "cron 5 job done");
        assert_eq!(check("<11>Nov  2 06:23:40 sshd: no\0"), "sshd 3 no");
        assert_eq!(check("<30>app: x: y"), "app 6 x: y");
        assert_eq!(check("plain words"), "pid 7 5 plain words");
        assert_eq!(check(""), "pid 7 5 ");
    }

    #[test]
    fn garbage_never_panics() {
        let mut seed = 1_u32;
        for length in 0..2000 {
            let bytes: Vec<u8> = (0..length % 97)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"<>=:\n\0[]A1 \xff"[(seed >> 24) as usize % 12]
                })
                .collect();
            native(&bytes, "x");
            syslog(&bytes, "x");
        }
    }
}
