//! Drop-ins of units that are not there. Packages ship them for units that others bring, or a generator makes, so
//! this is a note.

use crate::finding::Finding;
use crate::ground::Ground;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Kind, join, needs_no_file};
use eudaemon_unit::name::UnitName;

pub(super) fn add(ground: &Ground<'_>, folder: &str, findings: &mut Vec<Finding>) {
    for (entry, kind) in ground.tree.list(folder).unwrap_or_default() {
        let Some(name) = entry.strip_suffix(".d").filter(|_| kind == Kind::Directory) else { continue };
        // `service.d` is for all services, `web-.service.d` for all whose name begins so.
        let Ok(name) = UnitName::parse(name) else { continue };
        if name.prefix().ends_with('-') || needs_no_file(&name) || ground.index.has(&name) {
            continue;
        }
        let path = join(folder, &entry);
        let text = format!("drop-ins of {name}, which does not exist");
        let finding = Finding::of_file(&path, Severity::Note, "orphan-drop-in", text);
        findings.push(finding.expecting(format!("a unit {name}")));
    }
}
