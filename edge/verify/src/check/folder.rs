//! Entries of a unit's `.wants` and `.requires` folders that are files: systemd takes none but links.

use super::Looking;
use crate::finding::Finding;
use crate::ground::Ground;
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Kind, join};
use std::collections::BTreeMap;

const FOLDERS: [(&str, &str); 3] = [(".wants", "Wants"), (".requires", "Requires"), (".upholds", "Upholds")];

/// Such folders along the search path, by unit: the word each stands for and its path.
pub(super) struct Folders(BTreeMap<String, Vec<(&'static str, String)>>);

impl Folders {
    pub fn read(ground: &Ground<'_>) -> Folders {
        let mut folders: BTreeMap<String, Vec<(&'static str, String)>> = BTreeMap::new();
        for directory in ground.search.directories.iter().filter(|one| ground.index.is_there(one)) {
            for (entry, _) in ground.tree.list(directory).unwrap_or_default() {
                let of_unit =
                    FOLDERS.iter().find_map(|(ending, word)| Some((entry.strip_suffix(ending)?, *word)));
                if let Some((unit, word)) = of_unit {
                    folders.entry(unit.to_owned()).or_default().push((word, join(directory, &entry)));
                }
            }
        }
        Folders(folders)
    }
}

pub(super) fn add(looking: &Looking<'_>, folders: &Folders, config: &Config, findings: &mut Vec<Finding>) {
    for (word, folder) in folders.0.get(config.name.as_str()).into_iter().flatten() {
        for (entry, kind) in looking.ground.tree.list(folder).unwrap_or_default() {
            if kind != Kind::File {
                continue;
            }
            let path = join(folder, &entry);
            let text = format!("{word} dependency dropin {path} is not a symlink: systemd ignores it");
            let finding = Finding::of_file(&path, Severity::Warning, "not-a-link", text);
            findings.push(finding.expecting("a symbolic link to the unit's file"));
        }
    }
}
