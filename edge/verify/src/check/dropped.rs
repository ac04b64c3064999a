//! The lines of a unit's files that count for nothing, for who shows the unit rather than its files.

use super::extension::{Misspelt, PASSED_OVER, misspelt};
use super::reader::suggestion;
use crate::finding::Suggestion;
use crate::ground::{Disk, environment, specifiers};
use crate::source::Sources;
use eudaemon_unit::diagnostic::{Code, Diagnostic, Severity};
use eudaemon_unit::files::{Found, Fragment, Scope, Tree};
use eudaemon_unit::limits::UNIT_FILE_MAX;
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;

/// A line that is passed over with a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub file: String,
    pub line: u32,
    /// What the file says there, such as `Http=htp://x`.
    pub said: String,
    /// Why it is passed over, and what may have been meant.
    pub why: String,
}

/// Those of a unit's own files on this machine, as they are now, the worst first: of the fragment, where there is one, and of
/// the drop-ins in the order they are merged.
pub fn dropped(scope: Scope, name: &UnitName, fragment: Option<&str>, dropins: &[&str]) -> Vec<Dropped> {
    let disk = Disk::of("");
    let cx = specifiers(scope, &environment(""));
    of_files(&disk.tree, name, fragment, dropins, &cx)
}

pub(crate) fn of_files(
    tree: &dyn Tree,
    name: &UnitName,
    fragment: Option<&str>,
    dropins: &[&str],
    cx: &Context,
) -> Vec<Dropped> {
    // What the caller may not read was read by the manager, and nothing is known of it.
    let paths = fragment.into_iter().chain(dropins.iter().copied());
    let texts: Vec<(&str, Vec<u8>)> =
        paths.filter_map(|path| Some((path, tree.read(path, UNIT_FILE_MAX).ok()?))).collect();
    let found = Found {
        name: name.clone(),
        aliases: Vec::new(),
        fragment: fragment.map_or(Fragment::Missing, |path| Fragment::File(path.to_owned())),
        dropins: dropins.iter().map(|path| (*path).to_owned()).collect(),
        dependencies: Vec::new(),
    };
    let sources: Vec<Source<'_>> = texts.iter().map(|(path, text)| Source { path, text }).collect();
    let merged = merge(name, &sources, &found, cx);
    let is_dropped =
        |said: &&Diagnostic| said.severity == Severity::Warning && said.line > 0 && said.code != Code::Remark;
    let shown = Sources::new(tree);
    let told = |diagnostic: &Diagnostic| {
        let bytes =
            texts.iter().find(|(path, _)| *path == &*diagnostic.path)?.1.get(diagnostic.span.clone())?;
        let said = String::from_utf8_lossy(bytes);
        // A continued line is told by its first.
        let said = said.trim().lines().next().unwrap_or("").trim_end_matches(['\\', ' ', '\t']).to_owned();
        let near = shown.place(diagnostic).and_then(|place| {
            // The file may have changed since it was read first.
            let meant = place.text.get(place.range.clone())?;
            suggestion(diagnostic.code, meant, &diagnostic.text, &diagnostic.expected, name.kind())
        });
        let near = near.map_or(String::new(), |near| format!(": {}", near.text));
        let why = why(&diagnostic.text, &said) + &near;
        Some(Dropped { file: diagnostic.path.to_string(), line: diagnostic.line, said, why })
    };
    // A value that is none was meant to be one; a key that nobody knows may be of a later version of systemd.
    let mut diagnostics: Vec<&Diagnostic> = merged.diagnostics.iter().filter(is_dropped).collect();
    diagnostics.sort_by_key(|diagnostic| diagnostic.code != Code::BadValue);
    // With a section all goes that stands in it.
    let sections =
        misspelt(&shown, &merged.config).into_iter().map(|Misspelt { name, near, spot }| Dropped {
            line: u32::try_from(spot.1.line()).unwrap_or(u32::MAX),
            file: spot.0,
            why: format!("{PASSED_OVER}: {}", Suggestion::word(near).text),
            said: format!("[{name}]"),
        });
    sections.chain(diagnostics.into_iter().filter_map(told)).collect()
}

/// The complaint without that the line is ignored, and without the value, which stand beside it.
fn why(complaint: &str, said: &str) -> String {
    let value = said.split_once('=').map_or("", |(_, value)| value.trim());
    let complaint = complaint.trim_end_matches(". Ignoring.");
    let Some((head, rest)) = complaint.split_once(", ignoring") else { return complaint.to_owned() };
    let rest = rest.trim_start_matches([':', '.', ' ']);
    let more = rest.strip_prefix(value).unwrap_or(rest).trim_start_matches([':', ' ']);
    if more.is_empty() { head.to_owned() } else { format!("{head}: {more}") }
}
