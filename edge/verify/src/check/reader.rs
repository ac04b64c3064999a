//! What reading the unit's files said, each line where it stands, with what was meant by misspelt words.

use super::Looking;
use crate::finding::{Finding, Suggestion};
use crate::source::UNBALANCED;
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::{Code, Diagnostic, Severity};
use eudaemon_unit::directives::{SECTIONS, Section, find, sections};
use eudaemon_unit::merge::Merged;
use eudaemon_unit::name::UnitKind;
use eudaemon_unit::spelling::nearest;

pub(super) fn add(looking: &Looking<'_>, merged: &Merged, findings: &mut Vec<Finding>) {
    let first = findings.len();
    for diagnostic in &merged.diagnostics {
        let of_unit = &mut findings[first..];
        let fault = of_unit.iter_mut().find(|finding| finding.severity == Severity::Error);
        match fault.filter(|_| diagnostic.code == Code::Consequence) {
            // One fault is one finding: what follows from it is said beneath.
            Some(fault) => fault.notes.push(diagnostic.text.clone()),
            None => findings.push(finding(looking, &merged.config, diagnostic)),
        }
    }
}

fn finding(looking: &Looking<'_>, config: &Config, diagnostic: &Diagnostic) -> Finding {
    let Diagnostic { path, severity, code, text, expected, .. } = diagnostic;
    let finding = Finding::of_file(path, *severity, code.word(), text.clone());
    let finding = finding.expecting(match expected.as_ref() {
        _ if text.starts_with(UNBALANCED) => "a closing quote".to_owned(),
        _ if *code == Code::UnknownSection => format!("[{}]", sections(config.name.kind()).join("], [")),
        // Whoever wrote a wrong one knew that much.
        "text" | "words" => String::new(),
        expected => expected.to_owned(),
    });
    match looking.sources.place(diagnostic) {
        Some(place) => {
            let meant = &place.text[place.range.clone()];
            let suggestion = suggestion(*code, meant, text, expected, config.name.kind());
            Finding { suggestion, ..finding }.at(Some((path.to_string(), place)))
        }
        None if *code == Code::BadUnit => {
            let file = looking.file(config).to_owned();
            let place = (*severity > Severity::Note).then(|| looking.sources.header(config)).flatten();
            let message = format!("{}: {}", config.name, text);
            Finding { file, message, ..finding }.at(place)
        }
        None if *code == Code::AliasCycle => {
            let (file, path) = super::alias::circle(looking, &config.name);
            Finding { file, ..finding }.noting(path)
        }
        None => finding,
    }
}

pub(super) fn suggestion(
    code: Code,
    meant: &str,
    text: &str,
    expected: &str,
    kind: UnitKind,
) -> Option<Suggestion> {
    match code {
        Code::UnknownKey => {
            let section = text.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']'))?.0;
            key(meant, section, kind)
        }
        Code::UnknownSection => self::section(meant, kind),
        Code::BadValue => {
            let words = expected.strip_prefix("one of ")?;
            nearest(meant, words.split(", ")).map(Suggestion::word)
        }
        Code::Remark
        | Code::OutsideSection
        | Code::MissingEquals
        | Code::MissingKey
        | Code::BadHeader
        | Code::NotUtf8
        | Code::LineTooLong
        | Code::Unreadable
        | Code::AliasCycle
        | Code::BadUnit
        | Code::Consequence => None,
    }
}

fn key(word: &str, section: &str, kind: UnitKind) -> Option<Suggestion> {
    let elsewhere = sections(kind).iter().find(|other| **other != section && find(other, word).is_some());
    if let Some(other) = elsewhere {
        let text = format!("`{word}` is a key of the section [{other}]");
        return Some(Suggestion { text, replacement: None });
    }
    if let Some(near) = nearest(word, keys(section)).or_else(|| without_unit(word, section)) {
        return Some(Suggestion::word(near));
    }
    sections(kind).iter().filter(|other| **other != section).find_map(|other| {
        let near = nearest(word, keys(other))?;
        let text = format!("did you mean `{near}` in the section [{other}]?");
        Some(Suggestion { text, replacement: None })
    })
}

/// The key of a length of time that was written without its unit: `Interval` for `IntervalSec`.
fn without_unit(word: &str, section: &str) -> Option<&'static str> {
    nearest(&format!("{word}Sec"), keys(section).filter(|key| key.ends_with("Sec")))
}

fn keys(section: &str) -> impl Iterator<Item = &'static str> {
    let tables = SECTIONS.iter().find(|known| known.name == section).map_or(&[][..], |known| known.tables);
    tables.iter().flat_map(|table| table.iter()).map(|row| row.key)
}

fn section(word: &str, kind: UnitKind) -> Option<Suggestion> {
    if let Some(near) = nearest(word, sections(kind).iter().copied()) {
        return Some(Suggestion::word(near));
    }
    let other = SECTIONS.iter().find(|known: &&Section| known.name == word)?;
    let text = format!("[{}] belongs in a unit whose name ends with .{}", other.name, home(other.name));
    Some(Suggestion { text, replacement: None })
}

/// The ending of the units that a section is for.
fn home(section: &str) -> String {
    if section == "X-Health" { "service".to_owned() } else { section.to_lowercase() }
}
