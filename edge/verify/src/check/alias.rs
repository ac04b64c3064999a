//! Why a name that was asked for leads to no unit file that says anything.

use super::Looking;
use crate::finding::Finding;
use crate::limits::LINKS_TOLD;
use eudaemon_unit::config::LoadState;
use eudaemon_unit::diagnostic::{Code, Severity};
use eudaemon_unit::files::{Kind, TreeError, base_name, join, may_alias, parent, resolve};
use eudaemon_unit::merge::Merged;
use eudaemon_unit::name::UnitName;

pub(super) fn add(looking: &Looking<'_>, name: &UnitName, findings: &mut Vec<Finding>) {
    // A circle was said when the unit was read.
    let circles = |merged: &&Merged| merged.diagnostics.iter().any(|said| said.code == Code::AliasCycle);
    if looking.loaded.get(name).is_some_and(circles) {
        return;
    }
    if let Some(config) = looking.config(name).filter(|config| config.load == LoadState::Masked) {
        let text = format!("Unit {name} is masked.");
        let finding = Finding::of_file(looking.file(config), Severity::Error, "masked", text);
        return findings
            .push(finding.expecting("a file with text: one that is empty, or leads to /dev/null, masks"));
    }
    let Some((path, kind)) = entry(looking, name) else {
        let text = format!("Unit {name} not found.");
        let mut finding = Finding::of_file(name.as_str(), Severity::Error, "not-found", text);
        for path in looking.ground.index.dropins_of(name) {
            finding.notes.push(format!("nothing reads its drop-in {path}"));
        }
        finding.notes.extend(searched(looking));
        return findings.push(finding);
    };
    let wrong = |code, text: String| Finding::of_file(&path, Severity::Error, code, text);
    findings.push(match kind {
        Kind::Symlink(_) if resolve(looking.ground.tree, &path) == Err(TreeError::TooManyLinks) => {
            wrong("alias-cycle", format!("Unit {name} not found: the links lead in a circle"))
        }
        Kind::Symlink(target)
            if !may_alias(name.as_str(), base_name(&target)) && base_name(&target) != base_name(&path) =>
        {
            wrong(
                "bad-alias",
                format!("Unit {name} not found: it links to {target}, which it cannot be an alias of"),
            )
            .expecting("a unit of the same kind, and a template only for a template")
        }
        Kind::Symlink(target) => {
            let text = format!("Unit {name} not found: it links to {target}, which does not exist");
            wrong("dangling-alias", text).expecting("the path of a unit file")
        }
        Kind::Directory => wrong("not-a-file", format!("Unit {name} not found: this is a directory")),
        Kind::Special => wrong("not-a-file", format!("Unit {name} not found: this is no regular file")),
        Kind::File => wrong("not-found", format!("Unit {name} not found.")),
    });
}

/// The first entry along the search path with the name, or with its template's.
fn entry(looking: &Looking<'_>, name: &UnitName) -> Option<(String, Kind)> {
    let names = [Some(name.clone()), name.template()];
    names.into_iter().flatten().find_map(|name| {
        looking.ground.search.directories.iter().find_map(|directory| {
            let path = join(directory, name.as_str());
            Some((path.clone(), looking.ground.tree.look_at(&path).ok()?))
        })
    })
}

fn searched(looking: &Looking<'_>) -> Option<String> {
    let directories = looking.ground.search.existing(looking.ground.tree);
    let shown: Vec<&str> = directories.iter().map(|(directory, _)| directory.as_str()).collect();
    (!shown.is_empty()).then(|| format!("looked for in {}", shown.join(", ")))
}

/// The first link of a circle, and the names of all, one after the other.
pub(super) fn circle(looking: &Looking<'_>, name: &UnitName) -> (String, String) {
    let mut told = vec![name.to_string()];
    let Some((mut path, mut kind)) = entry(looking, name) else {
        return (name.to_string(), told.join(" → "));
    };
    let first = path.clone();
    while let Kind::Symlink(target) = kind {
        let next = join(parent(&path), &target);
        let again = told.iter().any(|known| known == base_name(&next));
        told.push(base_name(&next).to_owned());
        if again || told.len() > LINKS_TOLD {
            break;
        }
        let above = resolve(looking.ground.tree, parent(&next))
            .map_or_else(|_| parent(&next).to_owned(), |end| end.path);
        path = join(&above, base_name(&next));
        kind = looking.ground.tree.look_at(&path).unwrap_or(Kind::File);
    }
    (first, format!("the links are {}", told.join(" → ")))
}
