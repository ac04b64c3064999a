//! The table for people: what `eudaemon help DIRECTIVE`, docs/reference and docs/compat.md say of each directive.

mod list;
mod pages;
mod property;
mod shape;

use super::{Directive, Kind, Support, all, manual};
use crate::files::{Found, Fragment};
use crate::merge::{Source, merge};
use crate::name::{UnitKind, UnitName};
use crate::specifier::Context;
pub use list::list;
pub use pages::{Page, pages};
pub(crate) use pages::{capital, escaped};
pub use property::property;
pub use shape::Lines;

/// What is known of a directive in the sections where it means the same.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: &'static str,
    pub sections: Vec<&'static str>,
    /// One line of help.
    pub says: &'static str,
    /// What a value looks like.
    pub takes: String,
    /// A value that is right, where what it looks like does not show it.
    pub example: Option<&'static str>,
    /// What one more line does.
    pub lines: Lines,
    /// What holds where the unit does not say it.
    pub default: Option<&'static str>,
    pub support: Support,
    /// The D-Bus properties that show it, `None` where none does in systemd 252.
    pub property: Option<String>,
    /// The man page that has it.
    pub manual: &'static str,
}

/// Every directive, in the order of the tables.
pub fn entries() -> Vec<Entry> {
    gather(all())
}

/// Some rows with the sections they stand in; rows that say the same of several sections are one entry.
pub fn gather(rows: impl Iterator<Item = (&'static str, &'static Directive)>) -> Vec<Entry> {
    let mut found: Vec<(Entry, Kind)> = Vec::new();
    for (section, row) in rows {
        let same = |(known, kind): &&mut (Entry, Kind)| {
            known.key == row.key
                && known.says == row.help
                && known.support == row.support
                && *kind == row.kind
        };
        match found.iter_mut().find(same) {
            Some((known, _)) => known.sections.push(section),
            None => found.push((entry(section, row), row.kind)),
        }
    }
    found.into_iter().map(|(entry, _)| entry).collect()
}

fn entry(section: &'static str, row: &'static Directive) -> Entry {
    let shape = shape::of(row);
    Entry {
        key: row.key,
        sections: vec![section],
        says: row.help,
        takes: shape.map_or_else(|| takes(section, row), |shape| shape.takes.to_owned()),
        example: shape.map(|shape| shape.example),
        lines: shape.map_or_else(|| shape::lines_of(row.kind), |shape| shape.lines),
        default: shape::default(row),
        support: row.support,
        property: property(section, row.key),
        manual: manual(section, row.key),
    }
}

fn takes(section: &str, row: &Directive) -> String {
    match row.kind {
        Kind::Word(_) => words(section, row.key).unwrap_or_else(|| row.kind.expected().to_owned()),
        Kind::OneOf(_, words) => format!("one of {}", words.join(", ")),
        Kind::Boolean
        | Kind::BooleanYes
        | Kind::Span(_)
        | Kind::Timeout(_)
        | Kind::Wait
        | Kind::Unsigned
        | Kind::Count
        | Kind::Integer(_)
        | Kind::Mode
        | Kind::Size
        | Kind::Path
        | Kind::Paths
        | Kind::Text
        | Kind::Words
        | Kind::Lines
        | Kind::Units
        | Kind::Commands
        | Kind::Signal
        | Kind::Limit
        | Kind::Action
        | Kind::Condition => row.kind.expected().to_owned(),
    }
}

/// The words a directive takes, as it names them when it is given another.
fn words(section: &str, key: &str) -> Option<String> {
    complaint(section, key, "?").map(|said| said.into_owned())
}

/// What was expected in place of a value, if it is not taken.
fn complaint(section: &str, key: &str, value: &str) -> Option<std::borrow::Cow<'static, str>> {
    let kind = UnitKind::from_suffix(&section.to_lowercase()).unwrap_or(UnitKind::Service);
    let name = UnitName::parse(&format!("a.{}", kind.suffix())).ok()?;
    let (path, text) = ("/a", format!("[{section}]\n{key}={value}\n"));
    let fragment = Fragment::File(path.to_owned());
    let found =
        Found { name: name.clone(), aliases: vec![], fragment, dropins: vec![], dependencies: vec![] };
    let source = Source { path, text: text.as_bytes() };
    let merged = merge(&name, &[source], &found, &Context::default());
    merged.diagnostics.into_iter().find(|said| said.line == 2).map(|said| said.expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_taken() {
        for entry in entries() {
            let (Some(example), Some(section)) = (entry.example, entry.sections.first()) else { continue };
            let said = complaint(section, entry.key, example);
            // What is obsolete is said to be, with nothing expected in its place.
            let is_taken = said.as_ref().is_none_or(|expected| expected.is_empty());
            assert!(is_taken, "{}={example}: {said:?}", entry.key);
        }
    }

    #[test]
    fn every_text_says_what_it_takes() {
        for (section, row) in all() {
            let is_bare = matches!(row.kind, Kind::Text | Kind::Words | Kind::Lines);
            assert!(!is_bare || shape::of(row).is_some(), "[{section}] {}", row.key);
        }
    }
}
