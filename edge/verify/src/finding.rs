//! What was found: for people and for tools the same facts.

use eudaemon_unit::diagnostic::Severity;
use std::ops::Range;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file that is to blame, else the unit's name.
    pub file: String,
    /// Where in the file; `None` where no line is to blame.
    pub place: Option<Place>,
    pub severity: Severity,
    /// A stable word for tools.
    pub code: &'static str,
    /// In systemd's words where it has words for it, so that one search finds both.
    pub message: String,
    /// What would have been taken instead; may be empty.
    pub expected: String,
    pub suggestion: Option<Suggestion>,
    /// What else is worth knowing, a sentence each.
    pub notes: Vec<String>,
}

/// A place with the path of its file.
pub type Spot = (String, Place);

/// A stretch of a file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The whole file; bytes that are no UTF-8 replaced.
    pub text: Arc<str>,
    /// In bytes of `text`.
    pub range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// For people: "did you mean `ExecStart`?".
    pub text: String,
    /// What may stand instead of the text at the finding's place; `None` where no replacement would do.
    pub replacement: Option<String>,
}

impl Suggestion {
    /// The word that was meant.
    pub fn word(word: &str) -> Suggestion {
        Suggestion { text: format!("did you mean `{word}`?"), replacement: Some(word.to_owned()) }
    }
}

impl Finding {
    pub fn of_file(
        file: &str,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            file: file.to_owned(),
            place: None,
            severity,
            code,
            message: message.into(),
            expected: String::new(),
            suggestion: None,
            notes: Vec::new(),
        }
    }

    pub fn at(self, spot: Option<Spot>) -> Finding {
        match spot {
            Some((file, place)) => Finding { file, place: Some(place), ..self },
            None => self,
        }
    }

    pub fn expecting(self, expected: impl Into<String>) -> Finding {
        Finding { expected: expected.into(), ..self }
    }

    pub fn noting(mut self, note: impl Into<String>) -> Finding {
        self.notes.push(note.into());
        self
    }
}

impl Place {
    /// From 1, lines end with `\n`.
    pub fn line(&self) -> usize {
        self.text[..self.range.start].matches('\n').count() + 1
    }

    /// From 1, in characters.
    pub fn column(&self) -> usize {
        self.text[self.line_start()..self.range.start].chars().count() + 1
    }

    /// The column after the last character of the range; of a range over more lines the end of the first.
    pub fn end_column(&self) -> usize {
        let length = self.text[self.range.clone()].lines().next().map_or(0, |line| line.chars().count());
        self.column() + length
    }

    pub fn line_start(&self) -> usize {
        self.text[..self.range.start].rfind('\n').map_or(0, |at| at + 1)
    }
}

/// The word for a severity, as compilers have it.
pub const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
