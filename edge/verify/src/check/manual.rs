//! Whether the man pages that `Documentation=` names are installed.

use super::Looking;
use crate::finding::Finding;
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::Severity;

const FOLDERS: [&str; 2] = ["/usr/local/share/man", "/usr/share/man"];
/// Sections in which a page without one is looked for.
const SECTIONS: [&str; 8] = ["1", "8", "5", "7", "3", "2", "4", "6"];

pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    for document in &config.unit.documentation {
        let Some(page) = document.strip_prefix("man:") else { continue };
        let (name, section) = match page.strip_suffix(')').and_then(|page| page.split_once('(')) {
            Some((name, section)) => (name, Some(section)),
            None => (page, None),
        };
        if is_installed(looking, name, section) {
            continue;
        }
        let text = format!("{}: man page {page} is not installed", config.name);
        let place = looking.sources.assignment(config, &["Documentation"], Some(document));
        let finding = Finding::of_file(looking.file(config), Severity::Warning, "missing-manual", text);
        findings.push(finding.expecting("a page of /usr/share/man").at(place));
    }
}

fn is_installed(looking: &Looking<'_>, name: &str, section: Option<&str>) -> bool {
    let sections: Vec<&str> = section.map_or(SECTIONS.to_vec(), |section| vec![section]);
    FOLDERS.iter().any(|folder| {
        sections.iter().any(|section| {
            // `3pm` lies with the pages of section 3.
            let Some(digit) = section.chars().next() else { return false };
            let entries = looking.ground.tree.list(&format!("{folder}/man{digit}")).unwrap_or_default();
            let page = format!("{name}.{section}");
            entries.iter().any(|(entry, _)| entry.strip_prefix(&page).is_some_and(is_ending))
        })
    })
}

fn is_ending(rest: &str) -> bool {
    rest.is_empty() || [".gz", ".bz2", ".xz", ".zst"].contains(&rest)
}
