//! The text of unit files, and where in it something stands.

use crate::finding::{Place, Spot};
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::{Code, Diagnostic};
use eudaemon_unit::directives::sections;
use eudaemon_unit::files::Tree;
use eudaemon_unit::limits::UNIT_FILE_MAX;
use eudaemon_unit::syntax::{Event, Lexer, headers};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// How systemd's complaint about an open quote begins.
pub const UNBALANCED: &str = "Unbalanced quoting";

/// The files looked at, each read once.
pub struct Sources<'a, T: ?Sized> {
    tree: &'a T,
    read: RefCell<BTreeMap<String, Option<Arc<Source>>>>,
}

pub struct Source {
    bytes: Vec<u8>,
    text: Arc<str>,
    /// Those in sections that mean something, once somebody asked.
    assignments: OnceLock<Vec<Assigned>>,
}

/// `Key=Value` as it stands in a file.
struct Assigned {
    key: String,
    /// The whole of it, without the white space around it.
    whole: Range<usize>,
    /// Empty where the list is taken back.
    value: Range<usize>,
}

/// A value of a directive that counts.
pub struct Value {
    path: String,
    source: Arc<Source>,
    range: Range<usize>,
}

impl Value {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.source.bytes[self.range.clone()]).unwrap_or("")
    }

    /// A stretch of the value's text.
    pub fn spot(&self, range: Range<usize>) -> Spot {
        let start = self.range.start;
        (self.path.clone(), self.source.place(start + range.start..start + range.end))
    }

    /// Where `word` stands by itself, from `start` on.
    pub fn find(&self, word: &str, start: usize) -> Option<Range<usize>> {
        let at = find_word(self.text().get(start..)?, word)? + start;
        Some(at..at + word.len())
    }
}

impl<'a, T: Tree + ?Sized> Sources<'a, T> {
    pub fn new(tree: &'a T) -> Sources<'a, T> {
        Sources { tree, read: RefCell::new(BTreeMap::new()) }
    }

    fn of(&self, path: &str) -> Option<Arc<Source>> {
        let mut read = self.read.borrow_mut();
        if let Some(known) = read.get(path) {
            return known.clone();
        }
        let source = self.tree.read(path, UNIT_FILE_MAX).ok().map(|bytes| {
            let text = Arc::from(String::from_utf8_lossy(&bytes).as_ref());
            Arc::new(Source { bytes, text, assignments: OnceLock::new() })
        });
        read.insert(path.to_owned(), source.clone());
        source
    }

    /// What a diagnostic of the reader is about, as narrowly as its words tell.
    pub fn place(&self, diagnostic: &Diagnostic) -> Option<Place> {
        if diagnostic.line == 0 {
            return None;
        }
        let source = self.of(&diagnostic.path)?;
        Some(source.place(source.meant(diagnostic)?))
    }

    /// The last assignment of one of `keys` in the files of a unit that holds `word`; without a word, the last that is
    /// not empty.
    pub fn assignment(&self, config: &Config, keys: &[&str], word: Option<&str>) -> Option<Spot> {
        let files = config.dropins.iter().rev().chain(&config.fragment);
        files.into_iter().find_map(|path| {
            let source = self.of(path)?;
            let all = source.assignments(path, config).iter();
            let named = all.filter(|one| keys.contains(&one.key.as_str()) && !one.value.is_empty());
            let mut fitting = named.filter_map(|one| match word {
                None => Some(one.whole.clone()),
                Some(word) => source.word_in(&one.value, word),
            });
            // A word is meant where it first stands; of a directive the last line counts.
            let range = if word.is_some() { fitting.next()? } else { fitting.next_back()? };
            Some((path.clone(), source.place(range)))
        })
    }

    /// The values of a list that count, in the order they are merged: those after the last that takes all back.
    pub fn values(&self, config: &Config, key: &str) -> Vec<Value> {
        let mut values = Vec::new();
        for path in config.fragment.iter().chain(&config.dropins) {
            let Some(source) = self.of(path) else { continue };
            for one in source.assignments(path, config).iter().filter(|one| one.key == key) {
                match one.value.is_empty() {
                    true => values.clear(),
                    false => {
                        let (path, range) = (path.clone(), one.value.clone());
                        values.push(Value { path, source: Arc::clone(&source), range });
                    }
                }
            }
        }
        values
    }

    /// The names of all sections in a unit's files, known or not, as often as they stand there.
    pub fn headers(&self, config: &Config) -> Vec<(String, Spot)> {
        let paths = config.fragment.iter().chain(&config.dropins);
        let sources = paths.filter_map(|path| Some((path, self.of(path)?)));
        let of_file = |(path, source): (&String, Arc<Source>)| {
            let name =
                |range: &Range<usize>| String::from_utf8_lossy(&source.bytes[range.clone()]).into_owned();
            let named = |range: Range<usize>| (name(&range), (path.clone(), source.place(range)));
            headers(&source.bytes).into_iter().map(named).collect::<Vec<_>>()
        };
        sources.flat_map(of_file).collect()
    }

    /// The header of the section that is named after the unit's kind, else nothing.
    pub fn header(&self, config: &Config) -> Option<Spot> {
        let path = config.fragment.as_ref()?;
        let source = self.of(path)?;
        let section = sections(config.name.kind()).iter().rfind(|name| !name.starts_with("X-"))?;
        let header = format!("[{section}]");
        let at = source.bytes.windows(header.len()).position(|bytes| bytes == header.as_bytes())?;
        Some((path.clone(), source.place(at..at + header.len())))
    }
}

impl Source {
    /// Of the file at `path`, which is one of the unit's.
    fn assignments(&self, path: &str, config: &Config) -> &[Assigned] {
        self.assignments.get_or_init(|| {
            let events = Lexer::new(path, &self.bytes, sections(config.name.kind()));
            let assigned = events.filter_map(|event| match event {
                Event::Assignment(one) => {
                    let whole = self.whole(&one.at.span);
                    let value = match one.value.is_empty() {
                        true => whole.end..whole.end,
                        false => self.value(&one.at.span, one.at.column)?,
                    };
                    Some(Assigned { key: one.key.into_owned(), whole, value })
                }
                Event::Odd(_) | Event::Broken(..) => None,
            });
            assigned.collect()
        })
    }

    fn place(&self, range: Range<usize>) -> Place {
        let start = self.in_text(range.start);
        Place { text: self.text.clone(), range: start..self.in_text(range.end).max(start) }
    }

    /// A place in the bytes as one in the text, where a byte that is no UTF-8 is a longer character.
    fn in_text(&self, at: usize) -> usize {
        let at = at.min(self.bytes.len());
        if self.bytes.len() == self.text.len() && self.text.is_char_boundary(at) {
            return at;
        }
        String::from_utf8_lossy(&self.bytes[..at]).len().min(self.text.len())
    }

    fn meant(&self, diagnostic: &Diagnostic) -> Option<Range<usize>> {
        let whole = self.whole(&diagnostic.span);
        let bytes = self.bytes.get(whole.clone())?;
        let find = |byte: u8| bytes.iter().position(|one| *one == byte);
        Some(match diagnostic.code {
            Code::UnknownKey => {
                let key = bytes[..find(b'=').unwrap_or(bytes.len())].trim_ascii_end();
                whole.start..whole.start + key.len()
            }
            Code::UnknownSection => whole.start + 1..(whole.end - 1).max(whole.start + 1),
            Code::NotUtf8 => match std::str::from_utf8(bytes) {
                Ok(_) => whole,
                Err(error) => {
                    let at = whole.start + error.valid_up_to();
                    at..at + error.error_len().unwrap_or(1)
                }
            },
            Code::BadValue | Code::Remark => {
                let value = self.value(&diagnostic.span, diagnostic.column)?;
                let quote =
                    diagnostic.text.starts_with(UNBALANCED).then(|| self.open_quote(&value)).flatten();
                quote.or_else(|| self.quoted(&value, &diagnostic.text)).unwrap_or(value)
            }
            Code::LineTooLong
            | Code::OutsideSection
            | Code::MissingEquals
            | Code::MissingKey
            | Code::BadHeader
            | Code::Unreadable
            | Code::AliasCycle
            | Code::BadUnit
            | Code::Consequence => whole,
        })
    }

    /// A span without the white space around it.
    fn whole(&self, span: &Range<usize>) -> Range<usize> {
        let end = span.end.min(self.bytes.len());
        self.trimmed(span.start.min(end)..end)
    }

    /// The value of the assignment there; where there is none, the assignment.
    fn value(&self, span: &Range<usize>, column: u32) -> Option<Range<usize>> {
        let start = span.start + (column as usize).checked_sub(1)?;
        let end = span.end.min(self.bytes.len());
        let value = self.trimmed(start.min(end)..end);
        Some(if value.is_empty() { self.whole(span) } else { value })
    }

    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let bytes = &self.bytes[range.clone()];
        let start = range.start + (bytes.len() - bytes.trim_ascii_start().len());
        start..start + bytes.trim_ascii().len()
    }

    /// The one word of a value that a complaint quotes, where it does not quote all of it.
    fn quoted(&self, value: &Range<usize>, complaint: &str) -> Option<Range<usize>> {
        let text = std::str::from_utf8(&self.bytes[value.clone()]).ok()?;
        if complaint.contains(text) {
            return None;
        }
        let said = |word: &&str| has_word(complaint, word);
        let mut words = text.split_ascii_whitespace().filter(said);
        let word = words.next()?;
        words.next().is_none().then(|| self.word_in(value, word)).flatten()
    }

    /// From the quote that nothing closes on.
    fn open_quote(&self, value: &Range<usize>) -> Option<Range<usize>> {
        let mut open: Option<(usize, u8)> = None;
        let mut escaped = false;
        for (at, byte) in self.bytes[value.clone()].iter().enumerate() {
            open = match (open, byte) {
                (open, _) if escaped => open,
                (None, b'"' | b'\'') => Some((at, *byte)),
                (Some((_, quote)), byte) if *byte == quote => None,
                (open, _) => open,
            };
            escaped = !escaped && *byte == b'\\';
        }
        open.map(|(at, _)| value.start + at..value.end)
    }

    fn word_in(&self, value: &Range<usize>, word: &str) -> Option<Range<usize>> {
        let text = std::str::from_utf8(&self.bytes[value.clone()]).ok()?;
        let at = find_word(text, word)? + value.start;
        Some(at..at + word.len())
    }
}

fn has_word(text: &str, word: &str) -> bool {
    find_word(text, word).is_some()
}

/// Where `word` stands by itself: not inside a longer name or path.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let inside = |c: char| c.is_alphanumeric() || "/_-.@".contains(c);
    // A complaint ends words with these; a name does not.
    let ends = |rest: &str| {
        let rest = rest.strip_prefix(['.', ':']).filter(|rest| !rest.starts_with(inside)).unwrap_or(rest);
        !rest.starts_with(inside)
    };
    let starts = |before: &str| {
        // Before a path may stand the prefixes of a command or of a path that may be missing.
        !before.ends_with(|c: char| inside(c) && (!word.starts_with('/') || !"-@".contains(c)))
    };
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !word.is_empty() && starts(&text[..*at]) && ends(&text[at + word.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_by_itself() {
        assert_eq!(find_word("-/bin/a --x /bin/a.b", "/bin/a"), Some(1));
        assert_eq!(find_word("b.service a.service", "a.service"), Some(10));
        assert_eq!(find_word("aa.service", "a.service"), None);
        assert_eq!(find_word("on udev, ignoring", "udev"), Some(3));
        assert_eq!(find_word("x", ""), None);
    }
}
