//! Of one name: the file that speaks for it, the names it shares that file with, its drop-ins in the order
//! they merge, and what its `.wants`, `.requires` and `.upholds` folders name.

use super::index::{Folder, Folders, Holding, Index};
use super::tree::{Entry, Tree, base_name, join};
use crate::config::Dependency;
use crate::name::{UnitKind, UnitName};
use std::collections::{BTreeMap, BTreeSet};

/// Everything the search path says about a unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// The main name: that of the file, or the instance of it that was asked for.
    pub name: UnitName,
    /// Its other names, sorted.
    pub aliases: Vec<UnitName>,
    pub fragment: Fragment,
    pub dropins: Vec<String>,
    /// From folders, in the order systemd reads them.
    pub dependencies: Vec<(Dependency, UnitName)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fragment {
    /// No file has this name.
    Missing,
    File(String),
    /// By the file named: a link to /dev/null, or empty.
    Masked(String),
    /// Its aliases lead in a circle.
    Cycle,
}

/// Folders whose files are links to the units that their own depends on.
const OF_LINKS: [(Holding, Dependency); 3] = [
    (Holding::Wants, Dependency::Wants),
    (Holding::Requires, Dependency::Requires),
    (Holding::Upholds, Dependency::Upholds),
];

impl Index {
    pub fn find<T: Tree + ?Sized>(&self, tree: &T, asked: &UnitName) -> Found {
        self.find_where(tree, asked, |path| tree.is_void(path))
    }

    /// As `find`, for who reads the file that is found: one that turns out to have no text may be a mask.
    pub(crate) fn find_to_read<T: Tree + ?Sized>(&self, tree: &T, asked: &UnitName) -> Found {
        self.find_where(tree, asked, |_| false)
    }

    fn find_where<T: Tree + ?Sized>(
        &self,
        tree: &T,
        asked: &UnitName,
        masks: impl Fn(&str) -> bool,
    ) -> Found {
        let direct = self.file_of(asked.as_str());
        let file = match (direct, asked.template()) {
            (Ok(None), Some(template)) => self.file_of(template.as_str()),
            (found, Some(_) | None) => found,
        };
        let (path, cycle) = match file {
            Ok(path) => (path, false),
            Err(_) => (None, true),
        };
        if cycle {
            return Found::without_file(asked.clone(), Fragment::Cycle);
        }
        let Some(path) = path else {
            return self.with_folders(tree, Found::without_file(asked.clone(), Fragment::Missing));
        };
        if masks(path) {
            return Found::without_file(asked.clone(), Fragment::Masked(path.to_owned()));
        }
        let mut names = self.all_names(asked, path);
        let name = main_name(asked, path);
        names.remove(&name);
        let aliases = names.into_iter().collect();
        let fragment = Fragment::File(path.to_owned());
        self.with_folders(
            tree,
            Found { name, aliases, fragment, dropins: Vec::new(), dependencies: Vec::new() },
        )
    }

    /// The drop-ins of a name, whatever its file and other names.
    pub fn dropins_of(&self, name: &UnitName) -> Vec<String> {
        confs(&self.homes_of(&Found::without_file(name.clone(), Fragment::Missing)))
    }

    /// As `dropins_of`, but only those of the name itself and of its template.
    pub fn own_dropins_of(&self, name: &UnitName) -> Vec<String> {
        let folders = |name: &UnitName| self.folders_of(name.as_str()).into_iter().collect();
        let homes: Vec<Vec<&Folders>> = std::iter::once(name).chain(&name.template()).map(folders).collect();
        confs(&homes)
    }

    /// Whether anything on disk speaks of the name.
    pub fn has(&self, name: &UnitName) -> bool {
        let known = |name: &UnitName| !matches!(self.file_of(name.as_str()), Ok(None));
        known(name) || name.template().is_some_and(|template| known(&template))
    }

    /// The names that share a file: aliases of it, of the instance asked for, and of its template applied to the instance.
    fn all_names(&self, asked: &UnitName, path: &str) -> BTreeSet<UnitName> {
        let mut names = BTreeSet::from([asked.clone()]);
        let main = main_name(asked, path);
        let sources = [asked.as_str(), main.as_str(), base_name(path)];
        for alias in sources.iter().flat_map(|source| self.aliases_of(source)) {
            let Ok(alias) = UnitName::parse(alias) else { continue };
            let applied = match (alias.is_template(), asked.instance()) {
                (true, Some(instance)) if !instance.is_empty() => alias.with_instance(instance),
                (true | false, _) => Ok(alias),
            };
            let Ok(applied) = applied else { continue };
            // Another instance of the same template is another unit.
            if applied.instance() == asked.instance() {
                names.insert(applied);
            }
        }
        if main.instance() == asked.instance() {
            names.insert(main);
        }
        names
    }

    fn with_folders<T: Tree + ?Sized>(&self, tree: &T, mut found: Found) -> Found {
        let homes = self.homes_of(&found);
        found.dropins = confs(&homes);
        for (holding, dependency) in OF_LINKS {
            for (path, entry) in files_in(&homes, holding) {
                let Ok(wanted) = UnitName::parse(base_name(&path)) else { continue };
                // Only a link says so; where it leads is looked at for masks alone.
                if entry == Entry::Other || tree.is_void(&path) {
                    continue;
                }
                let wanted = if wanted.is_template() {
                    wanted.with_instance(found.name.instance().unwrap_or(found.name.prefix()))
                } else {
                    Ok(wanted)
                };
                let wanted = wanted.ok().filter(UnitName::suits_its_kind);
                found.dependencies.extend(wanted.map(|wanted| (dependency, wanted)));
            }
        }
        found
    }

    /// Whose folders hold for a unit: for each of its names those of the name itself, then those of its shorter ones, nearest
    /// first; in the end those of the whole kind.
    fn homes_of(&self, found: &Found) -> Vec<Vec<&Folders>> {
        let names = std::iter::once(&found.name).chain(&found.aliases);
        let mut homes: Vec<Vec<&Folders>> = names
            .map(|name| folder_names(name).iter().filter_map(|name| self.folders_of(name.as_str())).collect())
            .collect();
        homes.push(self.folders_of(found.name.kind().suffix()).into_iter().collect());
        homes
    }
}

fn confs(homes: &[Vec<&Folders>]) -> Vec<String> {
    let files = files_in(homes, Holding::Dropins).into_iter().map(|(path, _)| path);
    files.filter(|path| path.ends_with(".conf")).collect()
}

/// Paths in all of a unit's folders of one sort: by base name, the most important folder's file for each.
fn files_in(homes: &[Vec<&Folders>], holding: Holding) -> Vec<(String, Entry)> {
    let mut chosen: BTreeMap<&str, (String, Entry)> = BTreeMap::new();
    for of_name in homes {
        let mut folders: Vec<&Folder> = of_name.iter().flat_map(|home| home.of(holding)).collect();
        // Of one directory of the search path the nearest name's comes first: it stands first already.
        folders.sort_by_key(|folder| folder.rank);
        for folder in folders {
            let speaks = |name: &str| !name.starts_with('.') && !name.ends_with('~');
            for (name, entry) in folder.entries.iter().filter(|(name, _)| speaks(name)) {
                chosen.entry(name).or_insert_with(|| (join(&folder.path, name), *entry));
            }
        }
    }
    chosen.into_values().collect()
}

impl Found {
    fn without_file(name: UnitName, fragment: Fragment) -> Found {
        Found { name, aliases: Vec::new(), fragment, dropins: Vec::new(), dependencies: Vec::new() }
    }
}

/// The name a unit is known by first: its file's, or for a template's file that template applied to the instance.
fn main_name(asked: &UnitName, path: &str) -> UnitName {
    if base_name(path) == asked.as_str() {
        return asked.clone();
    }
    let Ok(file) = UnitName::parse(base_name(path)) else { return asked.clone() };
    match asked.instance() {
        Some(instance) if file.is_template() && !instance.is_empty() => {
            file.with_instance(instance).unwrap_or_else(|_| asked.clone())
        }
        Some(_) | None => file,
    }
}

/// Names whose folders hold for a unit, nearest first: `a-b@i.service`, `a-b@.service`, `a-@.service`, `a-@i.service` …
fn folder_names(name: &UnitName) -> Vec<UnitName> {
    let mut names: Vec<UnitName> = Vec::new();
    let mut ahead = vec![name.clone()];
    while let Some(name) = ahead.pop() {
        if names.contains(&name) {
            continue;
        }
        ahead.extend(shorter(&name));
        ahead.extend(name.template());
        names.push(name);
    }
    names
}

/// The name with its prefix cut after the dash before its last part: `a-.service` of `a-b.service`.
fn shorter(name: &UnitName) -> Option<UnitName> {
    let prefix = name.prefix();
    let dash = prefix.strip_suffix('-').unwrap_or(prefix).rfind('-').filter(|dash| *dash > 0)?;
    UnitName::parse(&format!("{}{}", &prefix[..=dash], &name.as_str()[prefix.len()..])).ok()
}

/// Units that need no file: they stand for themselves. (So does a mount the kernel has, but that only the
/// kernel's table can tell.)
pub fn needs_no_file(name: &UnitName) -> bool {
    match name.kind() {
        UnitKind::Slice | UnitKind::Device => true,
        UnitKind::Scope => name.as_str() == "init.scope",
        UnitKind::Service | UnitKind::Socket | UnitKind::Target | UnitKind::Mount => false,
        UnitKind::Automount | UnitKind::Swap | UnitKind::Timer | UnitKind::Path => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::files::{Environment, Index, MemoryTree, Scope, SearchPath};
    use crate::name::UnitName;

    /// Files as `path`, `path = content` or `path -> target`, below /etc/systemd/system unless absolute.
    fn check(files: &[&str], unit: &str, expected: &str) {
        let mut tree = MemoryTree::new();
        tree.special("/dev/null");
        let place = |path: &str| crate::files::join("/etc/systemd/system", path);
        for line in files {
            match (line.split_once(" -> "), line.split_once(" = ")) {
                (Some((path, target)), _) => tree.link(&place(path), target),
                (None, Some((path, content))) => tree.file(&place(path), content),
                (None, None) => tree.file(&place(line), "[Unit]"),
            }
        }
        let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
        let found = index.find(&tree, &UnitName::parse(unit).unwrap());
        let shown = format!(
            "{} {:?} {:?} {:?} {:?}",
            found.name, found.aliases, found.fragment, found.dropins, found.dependencies
        );
        assert_eq!(shown.replace("/etc/systemd/system/", ""), expected);
    }

    /// Where the manager alone writes, only its own reload looks again.
    #[test]
    fn what_makes_an_index_stale() {
        let search = SearchPath::new(Scope::System, &Environment::default());
        let mut tree = MemoryTree::new();
        for directory in ["system", "system.control/a.service.d"] {
            tree.file(&format!("/etc/systemd/{directory}/a.conf"), "");
        }
        let index = Index::read(&tree, &search);
        tree.file("/run/systemd/generator/a.service", "[Unit]");
        tree.file("/run/systemd/transient/a.service", "[Unit]");
        tree.file("/etc/systemd/system.control/a.service.d/b.conf", "");
        assert!(index.is_current(&tree));
        tree.file("/etc/systemd/system/a.service", "[Unit]");
        assert!(!index.is_current(&tree));
    }

    #[test]
    fn found() {
        check(&[], "a.service", "a.service [] Missing [] []");
        check(&["a.service"], "a.service", "a.service [] File(\"a.service\") [] []");
        check(&["a.service -> /dev/null"], "a.service", "a.service [] Masked(\"a.service\") [] []");
        check(&["a.service = "], "a.service", "a.service [] Masked(\"a.service\") [] []");
        // A mask above hides the file below; a link that leads nowhere is still the place of the name.
        check(
            &["a.service -> /dev/null", "/usr/lib/systemd/system/a.service"],
            "a.service",
            "a.service [] Masked(\"a.service\") [] []",
        );
        check(&["a.service -> /opt/gone.service"], "a.service", "a.service [] File(\"a.service\") [] []");
        check(&["a.service -> b.service", "b.service -> a.service"], "a.service", "a.service [] Cycle [] []");
        // The name it has elsewhere along the path adds nothing.
        check(
            &["a.service -> /usr/lib/systemd/system/a.service", "/usr/lib/systemd/system/a.service"],
            "a.service",
            "a.service [] File(\"/usr/lib/systemd/system/a.service\") [] []",
        );
    }

    #[test]
    fn templates_and_aliases() {
        check(&["t@.service"], "t@x.service", "t@x.service [] File(\"t@.service\") [] []");
        check(
            &["t@.service", "u@.service -> t@.service"],
            "u@x.service",
            "t@x.service [u@x.service] File(\"t@.service\") [] []",
        );
        check(
            &["t@.service", "u@.service -> t@.service", "v@y.service -> t@.service"],
            "t@x.service",
            "t@x.service [u@x.service] File(\"t@.service\") [] []",
        );
    }

    #[test]
    fn folders() {
        check(
            &[
                "a-b@.service",
                "a-b@i.service.d/1.conf",
                "a-@.service.d/2.conf",
                "service.d/3.conf",
                "a-b@.service.d/1.conf",
            ],
            "a-b@i.service",
            "a-b@i.service [] File(\"a-b@.service\") [\"a-b@i.service.d/1.conf\", \"a-@.service.d/2.conf\", \"service.d/3.conf\"] []",
        );
        check(
            &[
                "a.target",
                "a.target.wants/b.service -> x",
                "a.target.wants/c.service -> /dev/null",
                "a.target.wants/file.service",
                "a.target.wants/folder.service/x",
                "a.target.requires/d@.service -> ../d@.service",
            ],
            "a.target",
            "a.target [] File(\"a.target\") [] [(Wants, b.service), (Requires, d@a.service)]",
        );
    }
}
