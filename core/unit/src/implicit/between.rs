//! Dependencies that take two units to decide.

use crate::config::unit::Dependency as D;
use crate::config::{Body, Config, LoadState};
use crate::escape::escape;
use crate::name::{UnitKind, UnitName};
use crate::specifier::unescape;
use std::collections::{BTreeMap, BTreeSet};

/// One unit's word on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: UnitName,
    pub dependency: D,
    pub to: UnitName,
}

/// The edges that hold among `units`, keyed by every name they have. What is there already is not said again.
pub fn between(units: &BTreeMap<UnitName, &Config>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (name, unit) in units {
        if unit.load != LoadState::Loaded || *name != unit.name {
            continue;
        }
        if matches!(unit.body, Body::Target) {
            target(unit, units, &mut edges);
        }
        let (requires, wants) = (&unit.unit.requires_mounts_for, &unit.unit.wants_mounts_for);
        mounts(unit, requires, D::Requires, units, &mut edges);
        mounts(unit, wants, D::Wants, units, &mut edges);
    }
    edges.sort();
    edges.dedup();
    edges
}

/// A target comes after what it pulls in, unless either of them wants no default dependencies or an order the
/// other way was written: systemd.target(5). What pulls in may also have been written from the other side.
fn target(unit: &Config, units: &BTreeMap<UnitName, &Config>, edges: &mut Vec<Edge>) {
    if !unit.unit.default_dependencies {
        return;
    }
    for (dependency, other) in &unit.unit.dependencies {
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
        let Some(other) = units.get(other) else { continue };
        let loaded = other.load == LoadState::Loaded && other.unit.default_dependencies;
        if pulls && loaded && !says(unit, D::Before, other) && !says(other, D::After, unit) {
            add(unit, D::After, other, edges);
        }
    }
}

/// A unit comes after the mounts its paths lie on, and requires (or wants) those that have a file.
fn mounts(
    unit: &Config,
    paths: &[String],
    pull: D,
    units: &BTreeMap<UnitName, &Config>,
    edges: &mut Vec<Edge>,
) {
    for mount in paths.iter().flat_map(|path| mounts_above(path)) {
        let Some(mount) = units.get(&mount) else { continue };
        if mount.load != LoadState::Loaded || mount.name == unit.name {
            continue;
        }
        add(unit, D::After, mount, edges);
        if mount.fragment.is_some() {
            add(unit, pull, mount, edges);
        }
    }
}

/// Orders a unit behind places that are mounted without a unit file, so that no loader knows of them.
pub fn after_mounted(unit: &mut Config, mounted: &BTreeSet<UnitName>) {
    let paths = unit.unit.requires_mounts_for.iter().chain(&unit.unit.wants_mounts_for);
    let above: BTreeSet<UnitName> = paths.flat_map(|path| mounts_above(path)).collect();
    for mount in above.intersection(mounted).filter(|mount| **mount != unit.name) {
        let order = (D::After, mount.clone());
        if unit.load == LoadState::Loaded && !unit.unit.dependencies.contains(&order) {
            unit.unit.dependencies.push(order);
        }
    }
}

fn add(from: &Config, dependency: D, to: &Config, edges: &mut Vec<Edge>) {
    if from.name != to.name && !says(from, dependency, to) {
        edges.push(Edge { from: from.name.clone(), dependency, to: to.name.clone() });
    }
}

/// Whether a unit names another, by whichever of its names, in this way.
fn says(from: &Config, dependency: D, to: &Config) -> bool {
    let named = |name: &UnitName| *name == to.name || to.aliases.contains(name);
    from.unit.dependencies.iter().any(|(said, name)| *said == dependency && named(name))
}

/// The mount units of a path and of every directory above it, from the root down.
pub fn mounts_above(path: &str) -> Vec<UnitName> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let named = |parts: &[&str]| {
        let stem = if parts.is_empty() { "-".to_owned() } else { escape(parts.join("/").as_bytes()) };
        UnitName::parse(&format!("{stem}.mount")).ok()
    };
    (0..=parts.len()).filter_map(|end| named(&parts[..end])).collect()
}

/// The place a mount or automount unit stands for.
pub fn path_of_mount(name: &UnitName) -> String {
    debug_assert!(matches!(name.kind(), UnitKind::Mount | UnitKind::Automount), "{name} is a place");
    match name.stem() {
        "-" => "/".to_owned(),
        stem => format!("/{}", unescape(stem)),
    }
}
