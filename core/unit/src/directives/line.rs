//! One assignment on its way into a draft: its value, its place, and the complaints about it.
//! The methods read the value the way most directives do and complain in systemd's words.

use super::Kind;
use crate::config::exec::ExecCommand;
use crate::diagnostic::{Code, Report, Severity};
use crate::exec_line::{self, Fault};
use crate::limits::LIST_MAX;
use crate::span::Span;
use crate::specifier::{Allowed, Scope, expand};
use crate::syntax::At;
use crate::values::words::{Escapes, Known, Quotes, Words};
use crate::values::{self, Bad, number, path, signal};
use std::borrow::Cow;

pub(crate) struct Line<'a> {
    pub kind: Kind,
    /// Which specifiers its texts take.
    pub specifiers: Allowed,
    pub section: &'static str,
    pub key: &'static str,
    pub value: &'a str,
    pub at: &'a At,
    pub scope: Scope<'a>,
    pub diagnostics: &'a mut Report,
    pub outcome: Outcome,
}

/// Whether the file can be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    /// The unit has a bad setting.
    Fatal,
    /// The unit failed to load, with the kernel's word for the reason.
    Broken(&'static str),
}

/// What kind of path a directive takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Absolute,
    Relative,
    Either,
}

/// How a complaint about specifiers quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bare,
    Double,
    Plain,
}

impl Line<'_> {
    pub fn warn(&mut self, text: String) {
        self.say(Severity::Warning, text);
    }

    pub fn note(&mut self, text: String) {
        self.say(Severity::Note, text);
    }

    pub fn fatal(&mut self, text: String) {
        self.say(Severity::Error, text);
        self.outcome = Outcome::Fatal;
    }

    fn say(&mut self, severity: Severity, text: String) {
        let (code, expected) = match severity {
            Severity::Note => (Code::Remark, ""),
            Severity::Warning | Severity::Error => (Code::BadValue, self.kind.expected()),
        };
        self.diagnostics.push(self.at.diagnostic(severity, text, Cow::Borrowed(expected)).coded(code));
    }

    /// Instead of a word that is none of those a directive knows.
    pub fn no_word(&mut self, words: &[&str]) {
        let what = if let Kind::OneOf(what, _) | Kind::Word(what) = self.kind { what } else { "value" };
        let text = format!("Failed to parse {what}, ignoring: {}", self.value);
        let expected = Cow::Owned(format!("one of {}", words.join(", ")));
        self.diagnostics.push(self.at.diagnostic(Severity::Warning, text, expected));
    }

    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// "Failed to parse WHAT, ignoring: VALUE".
    pub fn unparsed(&mut self, what: &str) {
        self.warn(format!("Failed to parse {what}, ignoring: {}", self.value));
    }

    pub fn boolean(&mut self) -> Option<bool> {
        let value = values::boolean(self.value);
        if value.is_none() {
            self.unparsed("boolean value");
        }
        value
    }

    /// A length of time, `what` being systemd's word for it.
    pub fn span(&mut self, what: &str) -> Option<Span> {
        let span = values::parse_timespan(self.value).ok();
        if span.is_none() {
            self.unparsed(what);
        }
        span
    }

    /// A length of time of which 0 means that there is no end.
    pub fn timeout(&mut self, what: &str) -> Option<Span> {
        self.span(what).map(|span| if span == Span::ZERO { Span::INFINITY } else { span })
    }

    pub fn unsigned(&mut self) -> Option<u32> {
        let value = number::unsigned(self.value).ok().and_then(|value| u32::try_from(value).ok());
        if value.is_none() {
            self.unparsed("unsigned value");
        }
        value
    }

    pub fn mode(&mut self) -> Option<u32> {
        let mode = values::mode(self.value);
        if mode.is_none() {
            self.unparsed("mode value");
        }
        mode
    }

    pub fn signal(&mut self) -> Option<i32> {
        let signal = signal::parse_signal(self.value);
        if signal.is_none() {
            self.unparsed("signal name");
        }
        signal
    }

    /// The value of a word, from a table of words.
    pub fn word<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == self.value).map(|(_, value)| *value);
        if found.is_none() {
            self.no_word(&words.iter().map(|(word, _)| *word).collect::<Vec<_>>());
        }
        found
    }

    /// The value, specifiers replaced; one that cannot be replaced ends the unit.
    pub fn required_text(&mut self) -> Option<String> {
        match expand(self.value, self.scope, self.specifiers) {
            Ok(expanded) => Some(expanded.into_owned()),
            Err(bad) => {
                self.fatal(format!("Failed to resolve unit specifiers in '{}': {bad}", self.value));
                None
            }
        }
    }

    /// As [`Line::path`], and a wrong one ends the unit.
    pub fn required_path(&mut self) -> Option<Option<String>> {
        if self.is_empty() {
            return Some(None);
        }
        let text = self.required_text()?;
        if text.is_empty() {
            return Some(None);
        }
        match self.judge_path(&text, Want::Absolute) {
            Ok(path) => Some(Some(path)),
            Err(complaint) => {
                self.fatal(complaint.replacen('@', "", 1));
                None
            }
        }
    }

    /// The value, specifiers replaced.
    pub fn text(&mut self) -> Option<String> {
        self.expanded(self.value, self.specifiers)
    }

    /// As [`Line::text`], and an empty one is none.
    pub fn optional_text(&mut self) -> Option<Option<String>> {
        if self.is_empty() { Some(None) } else { self.text().map(Some) }
    }

    pub fn expanded(&mut self, text: &str, allowed: Allowed) -> Option<String> {
        match expand(text, self.scope, allowed) {
            Ok(expanded) => Some(expanded.into_owned()),
            Err(bad) => {
                self.warn(format!("Failed to resolve unit specifiers in '{text}', ignoring: {bad}"));
                None
            }
        }
    }

    /// As [`Line::expanded`], for directives that complain in other words.
    pub fn expanded_in(&mut self, style: Style, text: &str) -> Option<String> {
        self.expanded_as(style, text, self.specifiers)
    }

    /// The value as a unit's name, which takes the fewest specifiers.
    pub fn unit_name(&mut self) -> Option<String> {
        self.expanded_as(Style::Bare, self.value, Allowed::InNames)
    }

    fn expanded_as(&mut self, style: Style, text: &str, allowed: Allowed) -> Option<String> {
        match expand(text, self.scope, allowed) {
            Ok(expanded) => Some(expanded.into_owned()),
            Err(bad) => {
                let what = match style {
                    Style::Bare => format!("unit specifiers in {text}"),
                    Style::Double => format!("unit specifiers in \"{text}\""),
                    Style::Plain => format!("specifiers in {text}"),
                };
                self.warn(format!("Failed to resolve {what}, ignoring: {bad}"));
                None
            }
        }
    }

    /// A list whose quotes or escapes make no sense.
    pub fn bad_list(&mut self) {
        let (key, value) = (self.key, self.value);
        self.warn(match (self.kind, key) {
            (_, "RequiresMountsFor" | "WantsMountsFor" | "Symlinks") => {
                format!("Invalid syntax, ignoring: {value}")
            }
            (Kind::Paths, _) | (_, "TemporaryFileSystem") => {
                format!("Failed to extract first word, ignoring: {value}")
            }
            (
                _,
                "PassEnvironment" | "UnsetEnvironment" | "RestrictFileSystems" | "RestrictNetworkInterfaces",
            ) => {
                format!("Trailing garbage in {key}, ignoring: {value}")
            }
            (_, "BindPaths" | "BindReadOnlyPaths" | "RootImageOptions") => {
                format!("Failed to parse {key}, ignoring: {value}")
            }
            (_, "IPAddressAllow" | "IPAddressDeny") => {
                format!("Address prefix is invalid, ignoring assignment: {value}")
            }
            (_, "DisableControllers") => format!("Invalid cgroup string: {value}, ignoring"),
            (_, "CoredumpFilter") => format!("Failed to parse the {key}={value}, ignoring: {}", Bad::Syntax),
            (_, key) if key.ends_with("Directory") || key.ends_with("Images") => {
                format!("Invalid syntax {key}={value}, ignoring: Invalid argument")
            }
            (_, _) => format!("Invalid syntax, ignoring: {value}"),
        });
    }

    /// The value as an absolute path; `Some(None)` for an empty one.
    pub fn path(&mut self) -> Option<Option<String>> {
        if self.is_empty() {
            return Some(None);
        }
        let text = self.text()?;
        if text.is_empty() {
            return Some(None);
        }
        self.checked_path(text, Want::Absolute).map(Some)
    }

    pub fn checked_path(&mut self, text: String, want: Want) -> Option<String> {
        match self.judge_path(&text, want) {
            Ok(path) => Some(path),
            Err(complaint) => {
                self.warn(complaint.replacen('@', ", ignoring", 1));
                None
            }
        }
    }

    /// The simplified path, or the complaint with an `@` where "ignoring" goes.
    pub fn judge_path(&self, text: &str, want: Want) -> Result<String, String> {
        let key = self.key;
        match want {
            Want::Absolute if !text.starts_with('/') => {
                return Err(format!("{key}= path is not absolute@: {text}"));
            }
            Want::Relative if text.starts_with('/') => {
                return Err(format!("{key}= path is absolute@: {text}"));
            }
            Want::Absolute | Want::Relative | Want::Either => {}
        }
        let path = path::simplify(text).into_owned();
        if !path::is_valid(&path) {
            return Err(format!("{key}= path has invalid length ({} bytes)@.", path.len()));
        }
        if !path::is_normalized(&path) {
            return Err(format!("{key}= path is not normalized@: {path}"));
        }
        Ok(path)
    }

    /// The words of a list of names, specifiers not yet replaced. What cannot be read ends the list.
    pub fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for word in Words::names(self.value).take(LIST_MAX) {
            match word {
                Ok(word) => names.push(word.text),
                Err(_) => self.bad_list(),
            }
        }
        names
    }

    /// The first word, without its quotes, and what stands behind it; `what` both are, for the complaint about an open quote.
    pub fn first_and_rest(&mut self, what: &str) -> Option<(String, String)> {
        let mut words = Words::new(self.value, Quotes::Removed, Escapes::Literal);
        match words.next() {
            Some(Ok(first)) => Some((first.text, words.rest().to_owned())),
            Some(Err(_)) | None => {
                self.warn(format!("Failed to extract {what} from '{}', ignoring.", self.value));
                None
            }
        }
    }

    /// Words between blanks, quotes being part of them.
    pub fn plain_words(&self) -> Vec<String> {
        self.value.split_ascii_whitespace().take(LIST_MAX).map(str::to_owned).collect()
    }

    /// Words with quotes, a backslash making the next character an ordinary one.
    pub fn literal(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        for word in Words::new(self.value, Quotes::Removed, Escapes::Literal).take(LIST_MAX) {
            match word {
                Ok(word) => words.push(word.text),
                Err(_) => self.bad_list(),
            }
        }
        words
    }

    /// Words with quotes and C escapes; an escape that means nothing is as wrong as an open quote.
    pub fn quoted(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        for word in Words::quoted(self.value).take(LIST_MAX) {
            match word {
                Ok(word) if word.escapes == Known::All => words.push(word.text),
                Ok(_) | Err(_) => {
                    self.bad_list();
                    break;
                }
            }
        }
        words
    }

    /// Adds to a list; what is beyond its limit is said and ignored.
    pub fn push<T>(&mut self, list: &mut Vec<T>, item: T) {
        if list.len() < LIST_MAX {
            list.push(item);
        } else {
            self.warn(format!("{}= has more than {LIST_MAX} items, ignoring the rest", self.key));
        }
    }

    /// Adds the commands of this line to a list; an empty line empties it.
    pub fn commands(&mut self, list: &mut Vec<ExecCommand>) {
        if self.is_empty() {
            list.clear();
            return;
        }
        let parsed = exec_line::parse(self.value, self.scope);
        parsed.remarks.into_iter().for_each(|remark| self.warn(remark));
        parsed.commands.into_iter().for_each(|command| self.push(list, command));
        match parsed.fault {
            Some(Fault::Skipped(text)) => self.warn(text),
            Some(Fault::Fatal(text)) => self.fatal(text),
            None => {}
        }
    }
}
