//! All links along the search path, counted once, so that the state of ten thousand unit files is told in one reading.

use crate::files::{Kind, SearchPath, Tree, base_name, join};
use crate::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};

/// The links of one directory of the search path.
#[derive(Clone, Debug, Default)]
pub struct Links {
    pub directory: String,
    /// Lying in it directly: name → base name of the target.
    pub direct: BTreeMap<String, String>,
    /// The same the other way.
    by_target: BTreeMap<String, Vec<String>>,
    /// Names in its `.wants`, `.requires` and `.upholds` folders, and the same by template.
    wanted: BTreeSet<String>,
    wanted_instances: BTreeMap<String, Vec<String>>,
    /// Paths in those folders.
    pub paths: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Default)]
pub struct Census {
    pub directories: Vec<Links>,
}

impl Census {
    pub fn read<T: Tree + ?Sized>(tree: &T, search: &SearchPath) -> Census {
        let read = |directory: &String| Links::read(tree, directory);
        Census { directories: search.directories.iter().map(read).collect() }
    }
}

impl Links {
    fn read<T: Tree + ?Sized>(tree: &T, directory: &str) -> Links {
        let mut links = Links { directory: directory.to_owned(), ..Links::default() };
        for (name, kind) in tree.list(directory).unwrap_or_default() {
            match kind {
                Kind::Symlink(target) => {
                    let target = base_name(&target).to_owned();
                    links.by_target.entry(target.clone()).or_default().push(name.clone());
                    links.direct.insert(name, target);
                }
                Kind::Directory
                    if [".wants", ".requires", ".upholds"].iter().any(|end| name.ends_with(end)) =>
                {
                    links.read_folder(tree, &join(directory, &name));
                }
                Kind::Directory | Kind::File | Kind::Special => {}
            }
        }
        links
    }

    fn read_folder<T: Tree + ?Sized>(&mut self, tree: &T, folder: &str) {
        for (name, kind) in tree.list(folder).unwrap_or_default() {
            if !matches!(kind, Kind::Symlink(_)) {
                continue;
            }
            if let Some(template) = UnitName::parse(&name).ok().and_then(|name| name.template()) {
                self.wanted_instances.entry(String::from(template)).or_default().push(name.clone());
            }
            self.paths.entry(name.clone()).or_default().push(join(folder, &name));
            self.wanted.insert(name);
        }
    }

    /// Names in folders that are the unit's, or an instance of it.
    pub fn wanted<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let instances = self.wanted_instances.get(name).into_iter().flatten().map(String::as_str);
        self.wanted.get(name).map(String::as_str).into_iter().chain(instances)
    }

    /// Names of links lying in it directly that lead to a file of this name.
    pub fn leading_to<'s>(&'s self, file: &str) -> impl Iterator<Item = &'s str> {
        self.by_target.get(file).into_iter().flatten().map(String::as_str)
    }
}
