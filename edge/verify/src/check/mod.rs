//! What is looked at in each unit, once all are loaded. Each check adds its findings and knows no other.

mod alias;
mod bus;
mod dropin;
mod folder;
mod honoured;
mod manual;
mod order;
mod program;
mod reader;
mod settings;
mod socket;
mod start;

use crate::asked::{Asked, Round};
use crate::finding::{Finding, Spot};
use crate::ground::Ground;
use crate::source::Sources;
use crate::{Manuals, Recursion, Request};
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::merge::Merged;
use eudaemon_unit::name::UnitName;
pub use settings::{findings as settings, is_one as is_settings};
use start::Graph;
use std::collections::{BTreeMap, BTreeSet};

/// What checks share.
struct Looking<'a> {
    ground: &'a Ground<'a>,
    sources: &'a Sources<'a, dyn eudaemon_unit::files::Tree + 'a>,
    loaded: &'a BTreeMap<&'a UnitName, &'a Merged>,
}

/// Whether a start job could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Startable {
    Yes,
    No,
}

/// All findings of one round.
pub fn round(ground: &Ground<'_>, round: &Round, request: &Request) -> Vec<Finding> {
    let loader = loader(ground);
    let closure = loader.closure(&round.names);
    let mut loaded: BTreeMap<&UnitName, &Merged> = BTreeMap::new();
    for merged in &closure {
        loaded.extend(merged.config.aliases.iter().map(|alias| (alias, merged)));
    }
    loaded.extend(closure.iter().map(|merged| (&merged.config.name, merged)));
    let sources = Sources::new(ground.tree);
    let looking = Looking { ground, sources: &sources, loaded: &loaded };
    let graph = Graph::of(&closure);
    let folders = folder::Folders::read(ground);
    let mut findings = Vec::new();
    let mut seen: BTreeSet<&UnitName> = BTreeSet::new();
    let mut cycles = order::Known::default();
    let mut bus_names = bus::Names::default();
    for name in &round.names {
        let Some(merged) = loaded.get(name).filter(|merged| seen.insert(&merged.config.name)) else {
            continue;
        };
        let config = &merged.config;
        reader::add(&looking, merged, &mut findings);
        match config.load {
            LoadState::Loaded => {}
            LoadState::NotFound | LoadState::Masked => {
                alias::add(&looking, name, &mut findings);
                continue;
            }
            // What is wrong was said when it was read.
            LoadState::BadSetting(_) | LoadState::Inconsistent(_) | LoadState::Unreadable(_) => continue,
        }
        if bus::add(&looking, config, &mut bus_names, &mut findings) == Startable::No {
            continue;
        }
        folder::add(&looking, &folders, config, &mut findings);
        if start::add(&looking, &graph, config, &mut findings) == Startable::Yes {
            order::add(&looking, &graph, config, &mut cycles, &mut findings);
        }
        socket::add(&looking, &loader, config, &mut findings);
        program::add(&looking, config, &mut findings);
        if request.manuals == Manuals::Checked {
            manual::add(&looking, config, &mut findings);
        }
        honoured::add(&looking, config, request.meant, &mut findings);
    }
    let others = match request.recursion {
        Recursion::Named => BTreeSet::new(),
        Recursion::Direct => named_by(&looking, &seen),
        Recursion::All => closure.iter().map(|merged| &merged.config.name).collect(),
    };
    for merged in closure.iter().filter(|merged| others.contains(&merged.config.name)) {
        if !seen.contains(&merged.config.name) {
            reader::add(&looking, merged, &mut findings);
        }
    }
    findings
}

/// Drop-ins in folders that were named whole, of units that are not there.
pub fn folders(ground: &Ground<'_>, asked: &Asked, findings: &mut Vec<Finding>) {
    for folder in &asked.whole {
        dropin::add(ground, folder, findings);
    }
}

fn loader<'a>(ground: &'a Ground<'_>) -> Loader<'a, dyn eudaemon_unit::files::Tree + 'a> {
    Loader {
        tree: ground.tree,
        index: &ground.index,
        cx: &ground.cx,
        scope: ground.scope,
        // Whether a container skips a unit is a check of its own.
        surroundings: Surroundings::Machine,
    }
}

fn named_by<'a>(looking: &Looking<'a>, names: &BTreeSet<&UnitName>) -> BTreeSet<&'a UnitName> {
    let configs = names.iter().filter_map(|name| looking.config(name));
    let others = configs.flat_map(|config| config.unit.dependencies.iter().map(|(_, other)| other));
    others.filter_map(|other| Some(&looking.config(other)?.name)).collect()
}

impl<'a> Looking<'a> {
    fn config(&self, name: &UnitName) -> Option<&'a Config> {
        self.loaded.get(name).map(|merged| &merged.config)
    }

    /// The file a unit is told by, else its name.
    fn file<'b>(&self, config: &'b Config) -> &'b str {
        config.fragment.as_deref().unwrap_or(config.name.as_str())
    }

    /// Where a unit names another, if a line of its files does.
    fn named(&self, config: &Config, dependencies: &[Dependency], other: &UnitName) -> Option<Spot> {
        let keys: Vec<&str> = dependencies.iter().flat_map(|dependency| keys(*dependency)).copied().collect();
        self.sources.assignment(config, &keys, Some(other.as_str()))
    }
}

/// The keys that say a dependency.
const fn keys(dependency: Dependency) -> &'static [&'static str] {
    match dependency {
        Dependency::Requires => &["Requires"],
        Dependency::Requisite => &["Requisite"],
        Dependency::Wants => &["Wants", "Sockets"],
        Dependency::BindsTo => &["BindsTo", "BindTo"],
        Dependency::PartOf => &["PartOf"],
        Dependency::Upholds => &["Upholds"],
        Dependency::Conflicts => &["Conflicts"],
        Dependency::Before => &["Before"],
        Dependency::After => &["After"],
        Dependency::OnFailure => &["OnFailure"],
        Dependency::OnSuccess => &["OnSuccess"],
        Dependency::PropagatesReloadTo => &["PropagatesReloadTo", "PropagateReloadTo"],
        Dependency::ReloadPropagatedFrom => &["ReloadPropagatedFrom", "PropagateReloadFrom"],
        Dependency::PropagatesStopTo => &["PropagatesStopTo"],
        Dependency::StopPropagatedFrom => &["StopPropagatedFrom"],
        Dependency::JoinsNamespaceOf => &["JoinsNamespaceOf"],
        Dependency::Triggers => &["Unit", "Service"],
        Dependency::InSlice => &["Slice"],
    }
}
