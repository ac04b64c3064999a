//! `unit-files`: every name along the search path with what it is, then every unit with all its names.
//! systemd-analyze(1). systemd's order is chance; here names are sorted.

use crate::Options;
use crate::places;
use crate::times::Judge;
use eudaemon_host::tree::HostTree;
use eudaemon_unit::files::{self, Fragment, Index, Place, SearchPath, Tree};
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

pub fn unit_files(options: &Options, patterns: &[String], _: &Judge) -> ExitCode {
    let tree = HostTree::machine();
    let scope =
        if options.scope == Some(places::Scope::User) { files::Scope::User } else { files::Scope::System };
    let mut search = SearchPath::new(scope, &places::environment());
    search.leave_out_vendor();
    let index = Index::read(&tree, &search);
    let is_asked = |text: &str| {
        patterns.is_empty() || patterns.iter().any(|pattern| eudaemon_host::condition::matches(pattern, text))
    };
    for (name, place) in index.names() {
        let target = match place {
            Place::File(path) => path,
            Place::Alias(target) => target,
        };
        if is_asked(name) || is_asked(target) {
            outln!("ids: {name} → {target}");
        }
    }
    for (unit, names) in units(&tree, &index) {
        if is_asked(&unit) || names.iter().any(|name| is_asked(name)) {
            let names: Vec<String> = names.into_iter().collect();
            outln!("aliases: {unit} ← {}", names.join(", "));
        }
    }
    ExitCode::SUCCESS
}

/// Units that can be loaded, by main name, with all the names that lead to them.
fn units(tree: &dyn Tree, index: &Index) -> BTreeMap<String, BTreeSet<String>> {
    let mut units: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, _) in index.names() {
        let Ok(unit) = UnitName::parse(name) else { continue };
        let found = index.find(tree, &unit);
        if let Fragment::File(_) = found.fragment {
            units.entry(found.name.as_str().to_owned()).or_default().insert(name.to_owned());
        }
    }
    units
}
