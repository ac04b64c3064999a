//! Findings for tools: an array of objects with always the same members.

use crate::finding::{Finding, Place, word};
use serde::Serialize;

#[derive(Serialize)]
struct Object<'a> {
    file: &'a str,
    /// From 1; `null` where no line is to blame.
    line: Option<usize>,
    /// From 1, in characters.
    column: Option<usize>,
    /// The column after the last character.
    end_column: Option<usize>,
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    expected: Option<&'a str>,
    /// What may stand instead of the text there, else advice in words.
    suggestion: Option<&'a str>,
    /// What else is worth knowing, a sentence each.
    notes: &'a [String],
}

pub fn array(findings: &[Finding]) -> String {
    let objects: Vec<Object<'_>> = findings.iter().map(object).collect();
    let text = serde_json::to_string_pretty(&objects);
    text.unwrap_or_else(|error| unreachable!("texts and numbers are JSON: {error}")) + "\n"
}

fn object(finding: &Finding) -> Object<'_> {
    let place = finding.place.as_ref();
    Object {
        file: &finding.file,
        line: place.map(Place::line),
        column: place.map(Place::column),
        end_column: place.map(Place::end_column),
        severity: word(finding.severity),
        code: finding.code,
        message: &finding.message,
        expected: Some(finding.expected.as_str()).filter(|text| !text.is_empty()),
        suggestion: finding.suggestion.as_ref().map(|one| one.replacement.as_deref().unwrap_or(&one.text)),
        notes: &finding.notes,
    }
}
