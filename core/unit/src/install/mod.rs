//! Enabling, disabling, masking, linking and presetting units: systemctl(1), "Unit File Commands".
//!
//! [`plan`] decides on a tree what links are to be made and removed and returns them in order as
//! [`Change`]s; whoever owns the file system applies them. A refusal may come after some changes were decided:
//! as in systemd, those are made all the same. [`state`] says of a name what state its file is in.

mod census;
mod change;
mod links;
mod overlay;
mod preset;
mod requests;
mod rules;
mod state;
mod unit_file;

use crate::diagnostic::Diagnostic;
use crate::files::{Index, SearchPath, Tree};
use crate::specifier::Context;
pub use change::{Change, Note, Refusal, as_told};
pub use overlay::Overlay;
pub use preset::{PresetMode, Presets, Verdict};
pub use state::{State, Unreadable, is_there, links_of, list, list_and_odd, state, state_and_odd};

/// Where links are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below /etc, or the user's own configuration.
    Persistent,
    /// Below /run: gone after the next boot.
    Runtime,
}

/// Whether links that lead elsewhere are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedDependency {
    Wants,
    Requires,
}

/// What is asked for. Names are unit names; those of `Enable`, `Reenable` and `Link` may be absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Enable { names: Vec<String>, force: Force },
    Disable { names: Vec<String> },
    Reenable { names: Vec<String>, force: Force },
    Link { paths: Vec<String>, force: Force },
    Mask { names: Vec<String>, force: Force },
    Unmask { names: Vec<String> },
    Preset { names: Vec<String>, mode: PresetMode, force: Force },
    PresetAll { mode: PresetMode, force: Force },
    Revert { names: Vec<String> },
    SetDefault { name: String, force: Force },
    AddDependency { names: Vec<String>, target: String, kind: AddedDependency, force: Force },
}

/// What is to be done, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// Why it ended early; the changes before it stand.
    pub refusal: Option<Refusal>,
    /// How many links the units' `[Install]` sections ask for, made or there already; 0 is worth a word to the user.
    pub asked_for: usize,
    /// The paths by which units were asked for.
    pub given: Vec<String>,
    /// What was odd in the files that were read for it, each line once.
    pub odd: Vec<Diagnostic>,
}

/// Where units are, and what specifiers mean.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub search: &'a SearchPath,
    /// Of the same tree and path, not older than the request.
    pub index: &'a Index,
    pub cx: &'a Context,
    pub whose: Whose,
}

/// Whose files they are. systemctl compares paths within an image with such that begin at the machine's root, so in an image some
/// are never found equal; images come out as its do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Machine,
    /// Below `--root=`.
    Image,
}

/// Decides; touches nothing.
pub fn plan<T: Tree + ?Sized>(tree: &T, ground: Ground<'_>, place: Place, request: &Request) -> Plan {
    let directory = match place {
        Place::Persistent => &ground.search.persistent,
        Place::Runtime => &ground.search.runtime,
    };
    let mut work = requests::Work::new(tree, ground, directory);
    let result = work.perform(request);
    work.into_plan(result)
}

/// The name of the unit that `default.target` leads to.
pub fn default_target<T: Tree + ?Sized>(tree: &T, ground: Ground<'_>) -> Result<String, Unreadable> {
    let overlay = Overlay::new(tree);
    let mut files = unit_file::Files::new(ground);
    let name = "default.target";
    let at = files.discover(&overlay, name, unit_file::Links::Followed).map_err(state::unreadable)?;
    Ok(files.file(at).name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Environment, MemoryTree, Scope};

    /// What is said, and what would be done, for files given as `path`, `path = content` or `path -> target`.
    fn check(files: &[&str], request: &Request, expected: &[&str]) {
        let mut tree = MemoryTree::new();
        for line in files {
            match (line.split_once(" -> "), line.split_once(" = ")) {
                (Some((path, target)), _) => tree.link(path, target),
                (None, Some((path, content))) => tree.file(path, content),
                (None, None) => tree.file(line, "[Unit]"),
            }
        }
        let search = SearchPath::new(Scope::System, &Environment::default());
        let (index, cx) = (Index::read(&tree, &search), Context::default());
        let ground = Ground { search: &search, index: &index, cx: &cx, whose: Whose::Machine };
        let plan = plan(&tree, ground, Place::Persistent, request);
        let said: Vec<String> = plan.changes.iter().filter_map(|change| change.offline("VERB")).collect();
        assert_eq!(said, expected);
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    const WANTED: &str =
        "/usr/lib/systemd/system/a.service = [Install]\nWantedBy=m.target\nAlias=b.service\nAlso=c.socket";

    #[test]
    fn enabling_follows_the_install_section() {
        let enable = Request::Enable { names: names(&["a.service"]), force: Force::No };
        check(
            &[WANTED, "/usr/lib/systemd/system/m.target"],
            &enable,
            &[
                "Created symlink /etc/systemd/system/b.service → /usr/lib/systemd/system/a.service.",
                "Created symlink /etc/systemd/system/m.target.wants/a.service → /usr/lib/systemd/system/a.service.",
                "Failed to enable auxiliary unit c.socket, ignoring.",
            ],
        );
        check(
            &["/etc/systemd/system/a.service -> /dev/null", WANTED],
            &enable,
            &["Failed to VERB unit, unit /etc/systemd/system/a.service is masked."],
        );
    }

    #[test]
    fn a_later_step_sees_an_earlier_one() {
        let links = ["/etc/systemd/system/m.target.wants/a.service -> /usr/lib/systemd/system/a.service"];
        let request = Request::Reenable { names: names(&["a.service"]), force: Force::No };
        check(
            &[&links[..], &["/usr/lib/systemd/system/a.service = [Install]\nWantedBy=n.target"]].concat(),
            &request,
            &[
                "Removed \"/etc/systemd/system/m.target.wants/a.service\".",
                "Created symlink /etc/systemd/system/n.target.wants/a.service → /usr/lib/systemd/system/a.service.",
                "Unit /usr/lib/systemd/system/a.service is added as a dependency to a non-existent unit n.target.",
            ],
        );
    }

    #[test]
    fn masks() {
        let mask = |name| Request::Mask { names: names(&[name]), force: Force::No };
        check(&[], &mask("a.service"), &["Created symlink /etc/systemd/system/a.service → /dev/null."]);
        check(
            &["/etc/systemd/system/a.service"],
            &mask("a.service"),
            &["Failed to VERB unit, file \"/etc/systemd/system/a.service\" already exists."],
        );
        let unmask = Request::Unmask { names: names(&["a.service"]) };
        check(
            &["/etc/systemd/system/a.service -> /dev/null"],
            &unmask,
            &["Removed \"/etc/systemd/system/a.service\"."],
        );
        check(&["/etc/systemd/system/a.service"], &unmask, &[]);
    }
}
