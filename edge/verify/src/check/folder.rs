//! Entries of a unit's `.wants` and `.requires` folders that are files: systemd takes none but links.

use super::Looking;
use crate::finding::Finding;
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Kind, join};

const FOLDERS: [(&str, &str); 3] = [(".wants", "Wants"), (".requires", "Requires"), (".upholds", "Upholds")];

pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    let directories = &looking.ground.search.directories;
    for directory in directories.iter().filter(|directory| looking.ground.index.is_there(directory)) {
        for (ending, word) in FOLDERS {
            let folder = join(directory, &format!("{}{ending}", config.name));
            for (entry, kind) in looking.ground.tree.list(&folder).unwrap_or_default() {
                if kind != Kind::File {
                    continue;
                }
                let path = join(&folder, &entry);
                let text = format!("{word} dependency dropin {path} is not a symlink: systemd ignores it");
                let finding = Finding::of_file(&path, Severity::Warning, "not-a-link", text);
                findings.push(finding.expecting("a symbolic link to the unit's file"));
            }
        }
    }
}
