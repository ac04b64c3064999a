//! Lines out of a stream of bytes: ended by a newline or a NUL, cut when too long, the last one flushed.

use crate::header::LevelPrefix;
use crate::limits;

/// The line a stream has begun and not ended.
#[derive(Debug, Default)]
pub struct Partial(Vec<u8>);

impl Partial {
    /// Every line the bytes end, in order.
    pub fn take(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | 0)) {
            self.append(&rest[..end], &mut each);
            each(&self.0);
            self.0.clear();
            rest = &rest[end + 1..];
        }
        self.append(rest, &mut each);
        if self.0.is_empty() {
            // Thousands of streams lie idle: they hold no buffer.
            self.0 = Vec::new();
        }
    }

    /// What stands there when nothing more comes.
    pub fn end(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.0.is_empty() {
            each(&self.0);
            self.0 = Vec::new();
        }
    }

    fn append(&mut self, mut bytes: &[u8], each: &mut impl FnMut(&[u8])) {
        while self.0.len() + bytes.len() > limits::LINE {
            let (fits, rest) = bytes.split_at(limits::LINE - self.0.len());
            self.0.extend_from_slice(fits);
            each(&self.0);
            self.0.clear();
            bytes = rest;
        }
        self.0.extend_from_slice(bytes);
    }
}

/// How bad a line is: syslog's eight levels, 0 the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(pub u8);

impl Level {
    pub fn of_priority(priority: u8) -> Level {
        Level(priority & 7)
    }
}

/// A line without its `<N>`, and its level: its own, or the stream's.
pub fn leveled(line: &[u8], prefix: LevelPrefix, priority: u8) -> (Level, &[u8]) {
    let parsed = match prefix {
        LevelPrefix::Verbatim => None,
        LevelPrefix::Parsed => priority_before(line),
    };
    let (priority, text) = parsed.unwrap_or((priority, line));
    (Level::of_priority(priority), text)
}

/// `<N>` or `<NNN>` and what follows it.
pub fn priority_before(text: &[u8]) -> Option<(u8, &[u8])> {
    let rest = text.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|byte| *byte == b'>')?;
    let number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some((number, &rest[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut partial = Partial::default();
        let mut keep = |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
        for piece in pieces {
            partial.take(piece, &mut keep);
        }
        partial.end(&mut keep);
        lines
    }

    #[test]
    fn lines_are_told_wherever_the_pieces_break() {
        assert_eq!(check(&[b"one\ntw", b"o\n\nthr", b"ee"]), ["one", "two", "", "three"]);
        assert_eq!(check(&[b"a\0b\n"]), ["a", "b"]);
        assert_eq!(check(&[b""]), [""; 0]);
    }

    #[test]
    fn a_long_line_is_cut() {
        let long = vec![b'x'; limits::LINE + 5];
        let lines = check(&[&long[..10], &long[10..], b"\nnext\n"]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [limits::LINE, 5, 4]);
    }

    #[test]
    fn levels() {
        assert_eq!(leveled(b"<3>bad", LevelPrefix::Parsed, 30), (Level(3), &b"bad"[..]));
        assert_eq!(leveled(b"<3>bad", LevelPrefix::Verbatim, 30), (Level(6), &b"<3>bad"[..]));
        assert_eq!(leveled(b"<html>", LevelPrefix::Parsed, 30), (Level(6), &b"<html>"[..]));
        assert_eq!(priority_before(b"<1234>x"), None);
        assert_eq!(priority_before(b"<300>x"), None);
    }
}
