//! Dependencies that take two units to decide.

use crate::config::unit::Dependency as D;
use crate::config::{Body, Config, LoadState};
use crate::escape::name_of_path;
use crate::name::{UnitKind, UnitName};
use std::collections::{BTreeMap, BTreeSet};

/// One unit's word on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: UnitName,
    pub dependency: D,
    pub to: UnitName,
}

/// A unit and what it says by itself: the first of its dependencies, or all.
#[derive(Clone, Copy, Debug)]
pub struct Said<'c> {
    pub config: &'c Config,
    pub own: &'c [(D, UnitName)],
}

impl<'c> Said<'c> {
    pub fn all_of(config: &'c Config) -> Said<'c> {
        Said { config, own: &config.unit.dependencies }
    }

    /// Whether it names another, by whichever of its names, in this way.
    fn says(self, dependency: D, to: &Config) -> bool {
        self.own.iter().any(|(said, name)| *said == dependency && is_named(to, name))
    }
}

fn is_named(unit: &Config, name: &UnitName) -> bool {
    *name == unit.name || unit.aliases.contains(name)
}

/// The edges that hold among `units`, keyed by every name they have. What is there already is not said again.
pub fn between(units: &BTreeMap<UnitName, Said<'_>>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (name, said) in units {
        let unit = said.config;
        if unit.load != LoadState::Loaded || *name != unit.name {
            continue;
        }
        if matches!(unit.body, Body::Target) {
            target(*said, units, &mut edges);
        }
        let (requires, wants) = (&unit.unit.requires_mounts_for, &unit.unit.wants_mounts_for);
        mounts(*said, requires, D::Requires, units, &mut edges);
        mounts(*said, wants, D::Wants, units, &mut edges);
    }
    edges.sort();
    edges.dedup();
    edges
}

/// A target comes after what it pulls in, unless either of them wants no default dependencies or an order the
/// other way was written: systemd.target(5). What pulls in may also have been written from the other side.
fn target(said: Said<'_>, units: &BTreeMap<UnitName, Said<'_>>, edges: &mut Vec<Edge>) {
    let unit = said.config;
    if !unit.unit.default_dependencies {
        return;
    }
    // A target may pull in every unit there is.
    let named = |wanted: D| -> BTreeSet<&UnitName> {
        said.own.iter().filter(|(word, _)| *word == wanted).map(|(_, name)| name).collect()
    };
    let (before, after) = (named(D::Before), named(D::After));
    let names = |all: &BTreeSet<&UnitName>, other: &Config| {
        std::iter::once(&other.name).chain(&other.aliases).any(|name| all.contains(name))
    };
    for (dependency, other) in said.own {
        let pulls = match dependency {
            D::Requires | D::Requisite | D::Wants | D::BindsTo | D::Upholds => true,
            D::PartOf
            | D::Conflicts
            | D::Before
            | D::After
            | D::OnFailure
            | D::OnSuccess
            | D::PropagatesReloadTo
            | D::ReloadPropagatedFrom
            | D::PropagatesStopTo
            | D::StopPropagatedFrom
            | D::JoinsNamespaceOf
            | D::Triggers
            | D::InSlice => false,
        };
        let Some(theirs) = units.get(other) else { continue };
        let other = theirs.config;
        let loaded = other.load == LoadState::Loaded && other.unit.default_dependencies;
        let is_ordered = names(&before, other) || names(&after, other) || theirs.says(D::After, unit);
        if pulls && loaded && !is_ordered && other.name != unit.name {
            edges.push(edge(unit, D::After, other));
        }
    }
}

/// A unit comes after the mounts its paths lie on, and requires (or wants) those that have a file.
fn mounts(
    said: Said<'_>,
    paths: &[String],
    pull: D,
    units: &BTreeMap<UnitName, Said<'_>>,
    edges: &mut Vec<Edge>,
) {
    let unit = said.config;
    for mount in paths.iter().flat_map(|path| mounts_above(path)) {
        let Some(mount) = units.get(&mount).map(|said| said.config) else { continue };
        if mount.load != LoadState::Loaded || mount.name == unit.name {
            continue;
        }
        if !said.says(D::After, mount) {
            edges.push(edge(unit, D::After, mount));
        }
        if mount.fragment.is_some() && !said.says(pull, mount) {
            edges.push(edge(unit, pull, mount));
        }
    }
}

fn edge(from: &Config, dependency: D, to: &Config) -> Edge {
    Edge { from: from.name.clone(), dependency, to: to.name.clone() }
}

/// Orders a unit behind places that are mounted without a unit file, so that no loader knows of them.
pub fn after_mounted(unit: &mut Config, mounted: &BTreeSet<UnitName>) {
    let more = orders_after_mounted(unit, mounted);
    for order in more {
        if !unit.unit.dependencies.contains(&order) {
            unit.unit.dependencies.push(order);
        }
    }
}

/// The orders that a unit has for what is mounted without a unit file, sorted.
pub fn orders_after_mounted(unit: &Config, mounted: &BTreeSet<UnitName>) -> Vec<(D, UnitName)> {
    let paths = unit.unit.requires_mounts_for.iter().chain(&unit.unit.wants_mounts_for);
    if unit.load != LoadState::Loaded || mounted.is_empty() {
        return Vec::new();
    }
    let above: BTreeSet<UnitName> = paths.flat_map(|path| mounts_above(path)).collect();
    let others = above.intersection(mounted).filter(|mount| **mount != unit.name);
    others.map(|mount| (D::After, mount.clone())).collect()
}

/// The mount units of a path and of every directory above it, from the root down.
pub fn mounts_above(path: &str) -> Vec<UnitName> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let named = |end| name_of_path(format!("/{}", parts[..end].join("/")).as_bytes(), UnitKind::Mount);
    (0..=parts.len()).filter_map(named).collect()
}
