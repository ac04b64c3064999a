//! The lines of a unit file: systemd.syntax(7). Sections, assignments, comments, continuations.
//!
//! [`Lexer`] goes through the bytes once and gives one [`Event`] at a time: an assignment, something odd, or
//! the point from which the file cannot be read on. What a key means is not known here.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::limits::LINE_MAX;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// `Key=Value` in a section that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    pub section: Arc<str>,
    pub key: Cow<'a, str>,
    /// Without the white space around it; continuations joined.
    pub value: Cow<'a, str>,
    pub at: At,
}

/// Where in its file something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub path: Arc<str>,
    pub line: u32,
    pub column: u32,
    pub span: Range<usize>,
}

impl At {
    pub fn diagnostic(&self, severity: Severity, text: String, expected: Cow<'static, str>) -> Diagnostic {
        Diagnostic {
            path: self.path.clone(),
            line: self.line,
            column: self.column,
            span: self.span.clone(),
            severity,
            code: Code::BadValue,
            text,
            expected,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Assignment(Assignment<'a>),
    Odd(Diagnostic),
    /// The file ends here for us; the reason is the kernel's word for systemd's error number.
    Broken(Diagnostic, &'static str),
}

pub struct Lexer<'a> {
    path: Arc<str>,
    text: &'a [u8],
    sections: &'a [&'a str],
    /// Known, and somebody else's to read.
    others: &'a [&'a str],
    place: Place,
    next: usize,
    line: u32,
    mark: Mark,
    broken: Broken,
}

/// A line with its continuations, and the bytes of the file it comes from.
type Logical<'a> = (Cow<'a, [u8]>, Range<usize>);

enum Place {
    Outside,
    /// In a section that is not ours: its assignments are passed over.
    Ignored,
    In(Arc<str>),
}

/// The byte order mark that some editors write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ahead,
    Seen,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    No,
    Yes,
}

/// Why a file cannot be read on.
struct End {
    code: Code,
    /// The kernel's word for systemd's error number.
    reason: &'static str,
    expected: &'static str,
}

const TOO_LONG: End = End {
    code: Code::LineTooLong,
    reason: "No buffer space available",
    expected: "at most 1 MiB, continuations included",
};
const BAD_HEADER: End = End { code: Code::BadHeader, reason: "Bad message", expected: "[Section]" };
const NOT_UTF8: End = End { code: Code::NotUtf8, reason: "Invalid argument", expected: "text in UTF-8" };

impl<'a> Lexer<'a> {
    /// `sections` are those that mean something in this file.
    pub fn new(path: &str, text: &'a [u8], sections: &'a [&'a str]) -> Lexer<'a> {
        Lexer {
            path: Arc::from(path),
            text,
            sections,
            others: &[],
            place: Place::Outside,
            next: 0,
            line: 0,
            mark: Mark::Ahead,
            broken: Broken::No,
        }
    }

    /// The same, with sections that are known to be there and passed over in silence.
    pub fn passing_over(self, others: &'a [&'a str]) -> Lexer<'a> {
        Lexer { others, ..self }
    }

    /// One line of the file without its end, which may be any of `\n`, `\r`, NUL, or a run of different ones.
    fn physical(&mut self) -> Option<Range<usize>> {
        let start = self.next;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| ends_line(*byte)).unwrap_or(rest.len());
        let ends = &rest[length..];
        let run = (1..ends.len().min(3))
            .take_while(|at| ends_line(ends[*at]) && !ends[..*at].contains(&ends[*at]) && ends[at - 1] != 0)
            .count();
        self.next = start + length + usize::from(!ends.is_empty()) + run;
        self.line += 1;
        // One byte order mark is passed over, at the start of whichever line.
        if self.mark == Mark::Ahead && rest.starts_with(b"\xef\xbb\xbf") {
            self.mark = Mark::Seen;
            return Some(start + 3..start + length);
        }
        Some(start..start + length)
    }

    /// One line with its continuations; comments between them are passed over.
    fn logical(&mut self) -> Option<Result<Logical<'a>, Event<'a>>> {
        let mut joined: Option<(Vec<u8>, Range<usize>)> = None;
        while let Some(range) = self.physical() {
            let line = &self.text[range.clone()];
            if line.len() > LINE_MAX {
                return Some(Err(self.broken(range, "Line too long".into(), &TOO_LONG)));
            }
            if matches!(line.trim_ascii_start().first(), Some(b'#' | b';')) {
                continue;
            }
            let continued = line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
            if joined.is_none() && !continued {
                return Some(Ok((Cow::Borrowed(line), range)));
            }
            let (text, span) = joined.get_or_insert_with(|| (Vec::new(), range.clone()));
            span.end = range.end;
            if text.len() + line.len() > LINE_MAX {
                let span = span.clone();
                let text = "Continuation line too long".into();
                return Some(Err(self.broken(span, text, &TOO_LONG)));
            }
            text.extend_from_slice(line);
            if !continued {
                return joined.map(|(text, span)| Ok((Cow::Owned(text), span)));
            }
            if let Some(last) = text.last_mut() {
                *last = b' ';
            }
        }
        // It ends only where the next line would be.
        self.line += u32::from(joined.is_some());
        joined.map(|(text, span)| Ok((Cow::Owned(text), span)))
    }

    fn at(&self, span: Range<usize>, column: usize) -> At {
        At { path: self.path.clone(), line: self.line, column: column as u32 + 1, span }
    }

    fn odd(&self, span: Range<usize>, code: Code, text: String, expected: &'static str) -> Option<Event<'a>> {
        let odd = self.at(span, 0).diagnostic(Severity::Warning, text, Cow::Borrowed(expected));
        Some(Event::Odd(odd.coded(code)))
    }

    fn broken(&mut self, span: Range<usize>, text: String, end: &End) -> Event<'a> {
        self.broken = Broken::Yes;
        let broken = self.at(span, 0).diagnostic(Severity::Error, text, Cow::Borrowed(end.expected));
        Event::Broken(broken.coded(end.code), end.reason)
    }

    fn section(&mut self, line: &str, span: Range<usize>) -> Option<Event<'a>> {
        let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
            let text = format!("Invalid section header '{line}'");
            return Some(self.broken(span, text, &BAD_HEADER));
        };
        if name.chars().any(|c| c.is_ascii_control() || c == '"' || c == '\'') {
            let text = format!("Bad characters in section header '{line}'");
            return Some(self.broken(span, text, &BAD_HEADER));
        }
        if self.sections.contains(&name) {
            self.place = Place::In(Arc::from(name));
            return None;
        }
        self.place = Place::Ignored;
        if name == "X-Health" && self.sections.contains(&"Unit") {
            let text = "[X-Health] means something in services only. Ignoring.".to_owned();
            return self.odd(span, Code::UnknownSection, text, "a section of this kind of unit");
        }
        if name.starts_with("X-") || self.others.contains(&name) {
            return None;
        }
        let text = format!("Unknown section '{name}'. Ignoring.");
        self.odd(span, Code::UnknownSection, text, "a section of this kind of unit")
    }

    /// `None`: the line says nothing (it is empty, a section header, or in a section that is not ours).
    fn meaning(&mut self, text: Cow<'a, [u8]>, span: Range<usize>) -> Option<Event<'a>> {
        let text = match utf8(text) {
            Ok(text) => text,
            Err(lossy) => {
                let text = format!("String is not UTF-8 clean, ignoring assignment: {}", lossy.trim());
                return Some(self.broken(span, text, &NOT_UTF8));
            }
        };
        let indent = text.len() - text.trim_ascii_start().len();
        let line = trim(text);
        if line.is_empty() {
            return None;
        }
        if line.starts_with('[') {
            return self.section(&line, span);
        }
        let section = match &self.place {
            Place::Ignored => return None,
            Place::Outside => {
                let text = "Assignment outside of section. Ignoring.".into();
                return self.odd(
                    span,
                    Code::OutsideSection,
                    text,
                    "a section header such as [Unit] before it",
                );
            }
            Place::In(section) => section.clone(),
        };
        let Some(equals) = line.find('=') else {
            return self.odd(span, Code::MissingEquals, "Missing '=', ignoring line.".into(), "Key=Value");
        };
        if equals == 0 {
            let text = "Missing key name before '=', ignoring line.".into();
            return self.odd(span, Code::MissingKey, text, "Key=Value");
        }
        let (key, value) = split(line, equals);
        let at = self.at(span, indent + equals + 1);
        Some(Event::Assignment(Assignment { section, key: trim(key), value: trim(value), at }))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        while self.broken == Broken::No {
            let event = match self.logical()? {
                Ok((text, span)) => self.meaning(text, span),
                Err(broken) => Some(broken),
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }
}

/// Where the names of all sections stand in a file, known or not, as often as they do.
pub fn headers(text: &[u8]) -> Vec<Range<usize>> {
    let mut lexer = Lexer::new("", text, &[]);
    let lines = std::iter::from_fn(|| lexer.logical()?.ok());
    let name = |(line, span): Logical<'_>| {
        let line: &[u8] = &line;
        let name = line.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
        let start = span.start + (line.len() - line.trim_ascii_start().len()) + 1;
        let range = start..start + name.len();
        (text.get(range.clone()) == Some(name)).then_some(range)
    };
    lines.filter_map(name).collect()
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

fn utf8(text: Cow<'_, [u8]>) -> Result<Cow<'_, str>, String> {
    match text {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) => Err(String::from_utf8_lossy(bytes).into_owned()),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => Err(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        },
    }
}

/// systemd's white space: blank, tab, and the ends of lines that cannot occur here any more.
fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    let space = |c: char| c == ' ' || c == '\t';
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(space)),
        Cow::Owned(text) => match text.trim_matches(space) {
            trimmed if trimmed.len() == text.len() => Cow::Owned(text),
            trimmed => Cow::Owned(trimmed.to_owned()),
        },
    }
}

fn split(line: Cow<'_, str>, equals: usize) -> (Cow<'_, str>, Cow<'_, str>) {
    match line {
        Cow::Borrowed(line) => (Cow::Borrowed(&line[..equals]), Cow::Borrowed(&line[equals + 1..])),
        Cow::Owned(line) => {
            (Cow::Owned(line[..equals].to_owned()), Cow::Owned(line[equals + 1..].to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &[u8], expected: Expect) {
        let lines = Lexer::new("f", text, &["Unit"]).map(|event| match event {
            Event::Assignment(a) => {
                format!("{} {}={} @{}:{}\n", a.section, a.key, a.value, a.at.line, a.at.column)
            }
            Event::Odd(odd) => format!("odd {odd}\n"),
            Event::Broken(broken, reason) => format!("broken {broken} ({reason})\n"),
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn plain_lines_crlf_and_no_final_newline() {
        check(
            b"\xef\xbb\xbf[Unit]\r\n A = b \r\n# c\n\n; d\nB=",
            expect![[r#"
                Unit A=b @2:5
                Unit B= @6:3
            "#]],
        );
    }

    #[test]
    fn a_comment_inside_a_continuation() {
        check(
            b"[Unit]\nA=a \\\n  # x\n; y\n\tb\\\\\\\nc\nB=\\",
            expect![[r#"
                Unit A=a  	b\\ c @6:3
                Unit B= @8:3
            "#]],
        );
    }

    #[test]
    fn odd_lines_are_said_and_passed_over() {
        check(
            b"A=b\n[Unit]\nfoo\n=x\na\0b\n[Foo]\nx=y\n[X-Foo]\nx=y\n[Unit]\nB=1",
            expect![[r#"
                odd f:1: Assignment outside of section. Ignoring.
                odd f:3: Missing '=', ignoring line.
                odd f:4: Missing key name before '=', ignoring line.
                odd f:5: Missing '=', ignoring line.
                odd f:6: Missing '=', ignoring line.
                odd f:7: Unknown section 'Foo'. Ignoring.
                Unit B=1 @12:3
            "#]],
        );
    }

    /// It is told of where it would have gone on.
    #[test]
    fn a_last_line_that_does_not_go_on() {
        check(
            b"[Unit]\nfoo \\",
            expect![[r#"
                odd f:3: Missing '=', ignoring line.
            "#]],
        );
        check(
            b"[Unit]\nfoo \\\n\\\n# x\n",
            expect![[r#"
                odd f:5: Missing '=', ignoring line.
            "#]],
        );
    }

    #[test]
    fn headers_are_no_parts_of_values() {
        let text = b"[A]\r\nb=c \\\n# x\n[D]\n  [E F] \n[G\n#[H]\n[X]\\\n\n[\xff]";
        let found: Vec<_> = headers(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, [&b"A"[..], b"E F", b"X", b"\xff"]);
    }

    #[test]
    fn a_broken_header_ends_the_file() {
        check(
            b"[Unit] x\nA=b\n",
            expect![[r#"
                broken f:1: Invalid section header '[Unit] x' (Bad message)
            "#]],
        );
        check(
            b"[Unit]\nA=\xe4\nB=c\n",
            expect![[r#"
                broken f:2: String is not UTF-8 clean, ignoring assignment: A=� (Invalid argument)
            "#]],
        );
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_once() {
        let mut long = b"[Unit]\nA=".to_vec();
        long.resize(LINE_MAX + 100, b'x');
        check(
            &long,
            expect![[r#"
                broken f:2: Line too long (No buffer space available)
            "#]],
        );
        let continued =
            b"[Unit]\nA=".iter().copied().chain(b"xxxxxxx\\\n".repeat(LINE_MAX / 8 + 1)).collect::<Vec<_>>();
        assert!(matches!(Lexer::new("f", &continued, &["Unit"]).next(), Some(Event::Broken(..))));
    }
}
