//! What lies along a search path, read once: which name stands where, which names are aliases of which,
//! and what is in the `.d`, `.wants`, `.requires` and `.upholds` folders.

use super::search::SearchPath;
use super::tree::{Entry, Kind, Tree, base_name, join, parent, resolve};
use crate::limits;
use crate::name::{UnitKind, UnitName};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub struct Index {
    /// Every directory of the search path that others write to, there or not, by the path it is listed under; then the units'
    /// folders in them.
    listed: Vec<String>,
    stamps: Vec<Option<u64>>,
    /// Those of them that were there.
    there: BTreeSet<String>,
    /// Unit name → the first place along the path that has it.
    places: BTreeMap<String, Place>,
    /// A unit's main name → the aliases that lead to it, sorted.
    aliases: BTreeMap<String, Vec<String>>,
    /// `nginx.service` → the directories that belong to what is named so.
    folders: BTreeMap<String, Folders>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, or a link to a file outside the search path; the path is the one inside it.
    File(String),
    /// A link to another unit of the search path.
    Alias(String),
}

/// Directories that belong to one name, in search order, by what their files are.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders([Vec<Folder>; 4]);

/// What the files in a folder are to the unit whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    Dropins,
    Wants,
    Requires,
    Upholds,
}

/// A directory belonging to a unit.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// Which directory of the search path it lies in.
    pub rank: usize,
    /// With links resolved, as systemd shows drop-ins.
    pub path: String,
    pub entries: Vec<(String, Entry)>,
}

/// The endings of folders that belong to units.
const FOLDER_ENDINGS: [(&str, Holding); 4] = [
    (".d", Holding::Dropins),
    (".wants", Holding::Wants),
    (".requires", Holding::Requires),
    (".upholds", Holding::Upholds),
];

impl Index {
    /// One listing per directory, and one per folder found in them.
    pub fn read<T: Tree + ?Sized>(tree: &T, search: &SearchPath) -> Index {
        let watched = search.directories.iter().filter(|one| !search.is_the_managers(one));
        let listed: Vec<String> = watched.cloned().collect();
        let mut index = Index {
            stamps: stamps(tree, &listed),
            listed,
            there: BTreeSet::new(),
            places: BTreeMap::new(),
            aliases: BTreeMap::new(),
            folders: BTreeMap::new(),
        };
        let directories = search.existing(tree);
        index.there = search.directories.iter().filter(|one| tree.stamp(one).is_some()).cloned().collect();
        let reals: Vec<&str> = directories.iter().map(|(_, real)| real.as_str()).collect();
        for (rank, (directory, real)) in directories.iter().enumerate() {
            for (name, kind) in tree.list(directory).unwrap_or_default() {
                let stem = |(ending, holding)| Some((name.strip_suffix(ending)?, holding));
                if let Some((stem, holding)) = FOLDER_ENDINGS.into_iter().find_map(stem) {
                    let path = join(real, &name);
                    let stamp = index.add_folder(tree, rank, &path, stem, holding);
                    if let Some((path, stamp)) = stamp.filter(|_| !search.is_the_managers(directory)) {
                        index.listed.push(path);
                        index.stamps.push(stamp);
                    }
                } else if UnitName::parse(&name).is_ok()
                    && !index.places.contains_key(&name)
                    && let Some(place) = place(tree, &reals, search, &join(directory, &name), &kind)
                {
                    index.places.insert(name, place);
                }
            }
        }
        index.collect_aliases(tree);
        index
    }

    /// Whether no directory of the path and no folder in one gained or lost an entry since. Where the manager alone writes, nobody
    /// else's change is looked for: systemd's manager does not see it before it reads all anew.
    pub fn is_current<T: Tree + ?Sized>(&self, tree: &T) -> bool {
        stamps(tree, &self.listed) == self.stamps
    }

    /// Whether a directory of the search path was there.
    pub fn is_there(&self, directory: &str) -> bool {
        self.there.contains(directory)
    }

    /// Every name that has a place, sorted.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.places.iter().map(|(name, place)| (name.as_str(), place))
    }

    /// Follows aliases to the file that speaks for `name`.
    pub(super) fn file_of(&self, name: &str) -> Result<Option<&str>, Cycle> {
        let mut name = name;
        for _ in 0..limits::ALIASES_FOLLOWED {
            match self.places.get(name) {
                None => return Ok(None),
                Some(Place::File(path)) => return Ok(Some(path)),
                Some(Place::Alias(next)) => name = next,
            }
        }
        Err(Cycle)
    }

    pub(super) fn aliases_of(&self, name: &str) -> &[String] {
        self.aliases.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn folders_of(&self, name: &str) -> Option<&Folders> {
        self.folders.get(name)
    }

    fn add_folder<T: Tree + ?Sized>(
        &mut self,
        tree: &T,
        rank: usize,
        path: &str,
        stem: &str,
        holding: Holding,
    ) -> Option<(String, Option<u64>)> {
        let resolved = resolve(tree, path).ok()?;
        // Before it is listed: what comes in meanwhile makes the index a stale one.
        let stamp = tree.stamp(&resolved.path);
        let mut entries = tree.entries(&resolved.path).ok()?;
        entries.truncate(limits::FOLDER_ENTRIES);
        let folders = self.folders.entry(stem.to_owned()).or_default();
        folders.0[holding as usize].push(Folder { rank, path: resolved.path.clone(), entries });
        Some((resolved.path, stamp))
    }

    /// The reverse of the aliases. An instance that leads to its template is no alias of it: it is the template, applied.
    fn collect_aliases<T: Tree + ?Sized>(&mut self, tree: &T) {
        let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in self.places.keys() {
            let Ok(Some(path)) = self.file_of(name) else { continue };
            let main = base_name(path);
            if main == name || is_instance(name) && is_template(main) || tree.is_void(path) {
                continue;
            }
            aliases.entry(main.to_owned()).or_default().push(name.clone());
        }
        self.aliases = aliases;
    }
}

impl Folders {
    pub(super) fn of(&self, holding: Holding) -> &[Folder] {
        &self.0[holding as usize]
    }
}

/// Aliases that lead in a circle, or further than anyone means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cycle;

/// What an entry named like a unit stands for; `None`: nothing that counts.
fn place<T: Tree + ?Sized>(
    tree: &T,
    reals: &[&str],
    search: &SearchPath,
    path: &str,
    kind: &Kind,
) -> Option<Place> {
    let target = match kind {
        Kind::File => return Some(Place::File(path.to_owned())),
        Kind::Directory | Kind::Special => return None,
        Kind::Symlink(target) => target,
    };
    // One step only: a link to a link inside the path is an alias of that alias.
    let target = join(parent(path), target);
    let directory = resolve(tree, parent(&target)).ok()?.path;
    let inside =
        |one: &str| directory.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !reals.iter().any(|one| inside(one)) && !search.directories.iter().any(|one| inside(one)) {
        return Some(Place::File(path.to_owned()));
    }
    let (name, target) = (base_name(path), base_name(&target));
    // The same name elsewhere along the path says nothing new: that place is found by itself.
    (name != target && may_alias(name, target)).then(|| Place::Alias(target.to_owned()))
}

/// Whether units of a kind may have further names.
pub const fn kind_may_alias(kind: UnitKind) -> bool {
    match kind {
        UnitKind::Service
        | UnitKind::Socket
        | UnitKind::Target
        | UnitKind::Timer
        | UnitKind::Path
        | UnitKind::Device => true,
        UnitKind::Mount | UnitKind::Automount | UnitKind::Swap | UnitKind::Slice | UnitKind::Scope => false,
    }
}

/// Which names a link may give to a unit: the same kind, and one that aliases make sense for; a template only to a
/// template, an instance to the same instance or to a template, a plain name to a plain name.
pub fn may_alias(alias: &str, target: &str) -> bool {
    let (Ok(alias), Ok(target)) = (UnitName::parse(alias), UnitName::parse(target)) else { return false };
    let of_template = alias.kind() == UnitKind::Device && alias.instance().is_some();
    if !kind_may_alias(alias.kind()) || of_template || alias.kind() != target.kind() {
        return false;
    }
    match (alias.instance(), target.instance()) {
        (None, None) => true,
        (Some(""), Some(instance)) => instance.is_empty(),
        (Some(instance), Some(other)) => other.is_empty() || instance == other,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn is_instance(name: &str) -> bool {
    UnitName::parse(name).is_ok_and(|name| name.is_instance())
}

fn is_template(name: &str) -> bool {
    UnitName::parse(name).is_ok_and(|name| name.is_template())
}

fn stamps<T: Tree + ?Sized>(tree: &T, directories: &[String]) -> Vec<Option<u64>> {
    directories.iter().map(|directory| tree.stamp(directory)).collect()
}
