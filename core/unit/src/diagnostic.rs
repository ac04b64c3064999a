//! What was odd about a text, for people: where, how bad, what was read and what was expected.
//! Reading a unit never fails; it gives a value and a list of these.

use crate::limits::DIAGNOSTICS_MAX;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Taken as meant, said so because it is old or has no effect.
    Note,
    /// The line was ignored.
    Warning,
    /// The unit cannot be used because of it.
    Error,
}

/// What kind of thing is odd, for tools: the word is as stable as a file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    UnknownSection,
    UnknownKey,
    /// The value is none, or not all, of what its key takes.
    BadValue,
    /// The value is taken, with a remark.
    Remark,
    OutsideSection,
    MissingEquals,
    MissingKey,
    BadHeader,
    NotUtf8,
    LineTooLong,
    Unreadable,
    /// The names of the unit lead in a circle.
    AliasCycle,
    /// The unit as a whole makes no sense.
    BadUnit,
    /// What follows from the error said before it.
    Consequence,
}

impl Code {
    pub const fn word(self) -> &'static str {
        match self {
            Code::UnknownSection => "unknown-section",
            Code::UnknownKey => "unknown-key",
            Code::BadValue => "bad-value",
            Code::Remark => "remark",
            Code::OutsideSection => "outside-section",
            Code::MissingEquals => "missing-equals",
            Code::MissingKey => "missing-key",
            Code::BadHeader => "bad-header",
            Code::NotUtf8 => "not-utf8",
            Code::LineTooLong => "line-too-long",
            Code::Unreadable => "unreadable",
            Code::AliasCycle => "alias-cycle",
            Code::BadUnit => "bad-unit",
            Code::Consequence => "consequence",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, or the unit's name where no line is to blame.
    pub path: Arc<str>,
    /// From 1; 0 where no line is to blame. The last line of a continued assignment, as systemd counts.
    pub line: u32,
    /// From 1, in bytes, of the first line of the assignment; 0 where no line is to blame.
    pub column: u32,
    /// The bytes of the file that are meant.
    pub span: Range<usize>,
    pub severity: Severity,
    pub code: Code,
    /// In systemd's words where it has words for it, so that one search finds both.
    pub text: String,
    /// What would have been taken instead; empty where the text says it all.
    pub expected: Cow<'static, str>,
}

impl Diagnostic {
    /// About a unit as a whole.
    pub fn of_unit(name: &str, severity: Severity, text: impl Into<String>) -> Diagnostic {
        Diagnostic {
            path: Arc::from(name),
            line: 0,
            column: 0,
            span: 0..0,
            severity,
            code: Code::BadUnit,
            text: text.into(),
            expected: Cow::Borrowed(""),
        }
    }

    pub(crate) fn coded(self, code: Code) -> Diagnostic {
        Diagnostic { code, ..self }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}

/// Diagnostics of one unit, up to a limit; what is beyond it is counted.
#[derive(Debug, Default)]
pub(crate) struct Report {
    said: Vec<Diagnostic>,
    more: usize,
}

impl Report {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        // An error is the reason why a unit cannot be used, so it is never the one that is left out.
        match self.said.len() < DIAGNOSTICS_MAX || diagnostic.severity == Severity::Error {
            true => self.said.push(diagnostic),
            false => self.more += 1,
        }
    }

    pub fn count(&self) -> usize {
        self.said.len() + self.more
    }

    pub fn finish(mut self, name: &str) -> Vec<Diagnostic> {
        if self.more > 0 {
            let text = format!("{} further diagnostics are not shown", self.more);
            self.said.push(Diagnostic::of_unit(name, Severity::Warning, text));
        }
        self.said
    }
}
