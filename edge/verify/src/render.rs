//! Findings for people: the lines they are about, what is meant underlined, as compilers show theirs.

use crate::finding::{Finding, Place};
use crate::limits::{LINE_SHOWN, LINES_SHOWN};
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet,
};
use eudaemon_unit::diagnostic::Severity;
use std::ops::Range;

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Off,
    On,
}

/// All findings, an empty line after each.
pub fn render(findings: &[Finding], colours: Colours) -> String {
    let renderer = match colours {
        Colours::Off => Renderer::plain(),
        Colours::On => Renderer::styled(),
    };
    let mut text = String::new();
    for alike in findings.chunk_by(is_alike) {
        let shown = match alike {
            [one] => renderer.render(&groups(one)),
            many => renderer.render(&[together(many)]),
        };
        text.push_str(&shown);
        text.push_str("\n\n");
    }
    text
}

/// "2 errors, 1 warning"; empty where there is nothing to count.
pub fn count(findings: &[Finding]) -> String {
    let said = |severity: Severity, one: &str| {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {one}s")),
        }
    };
    let parts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    parts.into_iter().filter_map(|(severity, one)| said(severity, one)).collect::<Vec<_>>().join(", ")
}

/// Lines of one file that are not honoured are shown in one picture: there may be many.
fn is_alike(one: &Finding, next: &Finding) -> bool {
    let joins = |finding: &Finding| finding.code == "not-honoured" && finding.place.is_some();
    joins(one) && joins(next) && one.file == next.file && one.severity == next.severity
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    }
}

fn groups(finding: &Finding) -> Vec<Group<'_>> {
    let title = level(finding.severity).primary_title(finding.message.as_str()).id(finding.code);
    let mut group = Group::with_title(title);
    let expected = (!finding.expected.is_empty()).then(|| format!("expected {}", finding.expected));
    let excerpt = finding.place.as_ref().map(Excerpt::of);
    match &excerpt {
        Some(excerpt) => {
            let mark = AnnotationKind::Primary.span(excerpt.mark.clone());
            let mark = match &expected {
                Some(expected) => mark.label(expected.clone()),
                None => mark,
            };
            group = group.element(excerpt.snippet(&finding.file).annotation(mark));
        }
        None => {
            group = group.element(Origin::path(finding.file.as_str()));
            if let Some(expected) = expected {
                group = group.element(Level::NOTE.message(expected));
            }
        }
    }
    for note in &finding.notes {
        group = group.element(Element::from(Level::NOTE.message(note.as_str())));
    }
    let mut groups = vec![group];
    if let Some(suggestion) = &finding.suggestion {
        let mut help = Group::with_title(Level::HELP.secondary_title(suggestion.text.as_str()));
        if let (Some(replacement), Some(excerpt)) = (&suggestion.replacement, &excerpt) {
            let patch = Patch::new(excerpt.mark.clone(), replacement.as_str());
            let source = Snippet::source(excerpt.text.clone()).line_start(excerpt.line);
            help = help.element(source.patch(patch));
        }
        groups.push(help);
    }
    groups
}

fn together(findings: &[Finding]) -> Group<'_> {
    let first = &findings[0];
    let title = level(first.severity).primary_title("what is not honoured here").id(first.code);
    let places: Vec<(&Finding, &Place)> =
        findings.iter().filter_map(|finding| Some((finding, finding.place.as_ref()?))).collect();
    let text = first.place.as_ref().map_or("", |place| &place.text);
    let (text, ranges) = without_long_lines(text, places.iter().map(|(_, place)| place.range.clone()));
    let annotations = places
        .iter()
        .zip(ranges)
        .map(|((finding, _), range)| AnnotationKind::Primary.span(range).label(finding.message.as_str()));
    let annotations: Vec<Annotation<'_>> = annotations.collect();
    Group::with_title(title).element(Snippet::source(text).path(first.file.as_str()).annotations(annotations))
}

/// The text with its long lines cut, but for those that something is marked in, and the marks where they are then.
fn without_long_lines(text: &str, marks: impl Iterator<Item = Range<usize>>) -> (String, Vec<Range<usize>>) {
    let marks: Vec<Range<usize>> = marks.collect();
    let mut moved = marks.clone();
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let is_marked = marks.iter().any(|mark| mark.start < end && mark.end > start);
        for (mark, moved) in
            marks.iter().zip(&mut moved).filter(|(mark, _)| (start..end).contains(&mark.start))
        {
            let begin = out.len() + (mark.start - start);
            *moved = begin..begin + mark.len();
        }
        match line.char_indices().nth(LINE_SHOWN).filter(|_| !is_marked) {
            Some((length, _)) => out.extend([&line[..length], "…\n"]),
            None => out.push_str(line),
        }
        start = end;
    }
    (out, moved)
}

/// The lines a place is on, long ones cut.
struct Excerpt {
    text: String,
    line: usize,
    mark: Range<usize>,
}

impl Excerpt {
    fn of(place: &Place) -> Excerpt {
        let start = place.line_start();
        let rest = &place.text[place.range.start..];
        let shown: usize = rest.split_inclusive('\n').take(LINES_SHOWN).map(str::len).sum();
        // A mark at the end of a line is on that line.
        let end = place.range.end.min(place.range.start + shown).max(place.range.start);
        let line_end = place.text[end..].find('\n').map_or(place.text.len(), |at| end + at);
        let (first, last) = (cut_before(&place.text[start..place.range.start]), &place.text[end..line_end]);
        let meant = cut(&place.text[place.range.start..end]);
        let text = format!("{first}{meant}{}", cut(last.trim_end_matches('\r')));
        Excerpt { line: place.line(), mark: first.len()..first.len() + meant.len(), text }
    }

    fn snippet<'a>(&self, path: &'a str) -> Snippet<'a, Annotation<'a>> {
        Snippet::source(self.text.clone()).line_start(self.line).path(path)
    }
}

/// The beginning of a text whose lines are too long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_SHOWN * LINES_SHOWN) {
        None if text.lines().all(|line| line.chars().count() <= LINE_SHOWN) => text.to_owned(),
        _ => match text.char_indices().nth(LINE_SHOWN) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.to_owned(),
        },
    }
}

/// The end of a text that is too long.
fn cut_before(text: &str) -> String {
    match text.char_indices().rev().nth(LINE_SHOWN) {
        Some((at, c)) => format!("…{}", &text[at + c.len_utf8()..]),
        None => text.to_owned(),
    }
}
