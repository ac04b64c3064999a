//! The manager's own files: system.conf, user.conf and their drop-ins, each by itself.

use crate::finding::{Finding, Suggestion};
use crate::source::Sources;
use eudaemon_unit::diagnostic::{Code, Severity};
use eudaemon_unit::files::{Tree, base_name, parent};
use eudaemon_unit::limits::UNIT_FILE_MAX;
use eudaemon_unit::manager::{Settings, Text, read, rows};
use eudaemon_unit::specifier::Context;
use eudaemon_unit::spelling::nearest;

/// Whether a path is that of such a file.
pub fn is_one(path: &str) -> bool {
    const NAMES: [&str; 2] = ["system.conf", "user.conf"];
    let of = |name: &str| NAMES.contains(&name);
    let folder = base_name(parent(path)).strip_suffix(".d");
    of(base_name(path)) || path.ends_with(".conf") && folder.is_some_and(of)
}

pub fn findings(tree: &dyn Tree, path: &str, cx: &Context) -> Vec<Finding> {
    let text = match tree.read(path, UNIT_FILE_MAX) {
        Ok(text) => text,
        Err(error) => {
            let text = format!("cannot read: {error}");
            return vec![Finding::of_file(path, Severity::Error, Code::Unreadable.word(), text)];
        }
    };
    let sources = Sources::new(tree);
    let said = read(&mut Settings::default(), &[Text { path: path.to_owned(), text }], cx);
    let finding = |diagnostic: eudaemon_unit::diagnostic::Diagnostic| {
        let found =
            Finding::of_file(path, diagnostic.severity, diagnostic.code.word(), diagnostic.text.clone());
        let found = found.expecting(match (diagnostic.code, diagnostic.expected.as_ref()) {
            (Code::UnknownSection, _) => "[Manager]",
            (_, "text" | "words") => "",
            (_, expected) => expected,
        });
        let Some(place) = sources.place(&diagnostic) else { return found };
        let meant = &place.text[place.range.clone()];
        let near = (diagnostic.code == Code::UnknownKey)
            .then(|| nearest(meant, rows().iter().map(|row| row.key)))
            .flatten();
        Finding { suggestion: near.map(Suggestion::word), ..found }.at(Some((path.to_owned(), place)))
    };
    said.into_iter().map(finding).collect()
}
