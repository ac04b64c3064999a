//! Whether a start job of the unit could be made: everything it requires is there, and nothing of it is to be stopped.
//!
//! [`Graph`] holds what units of the closure say of each other, by number; the order of jobs is looked at on it too.

use super::{Looking, Startable};
use crate::finding::Finding;
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::merge::Merged;
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) struct Graph<'a> {
    units: Vec<&'a Config>,
    numbers: BTreeMap<&'a UnitName, usize>,
    /// What a unit does not start without: `Requires=`, `BindsTo=`.
    requires: Vec<Vec<usize>>,
    /// What must be loaded but is not started: `Requisite=`.
    demands: Vec<Vec<usize>>,
    wants: Vec<Vec<usize>>,
    /// What a start of the unit stops: `Conflicts=`.
    stops: Vec<Vec<usize>>,
    /// What a unit starts after.
    after: Vec<Vec<usize>>,
    /// Units that cannot be started, for they or what they require are not there.
    broken: Vec<bool>,
}

impl<'a> Graph<'a> {
    pub fn of(closure: &'a [Merged]) -> Graph<'a> {
        let units: Vec<&Config> = closure.iter().map(|merged| &merged.config).collect();
        let mut numbers: BTreeMap<&UnitName, usize> = BTreeMap::new();
        for (number, config) in units.iter().enumerate() {
            numbers.extend(config.aliases.iter().map(|alias| (alias, number)));
        }
        numbers.extend(units.iter().enumerate().map(|(number, config)| (&config.name, number)));
        let none = || vec![Vec::new(); units.len()];
        let mut graph = Graph {
            requires: none(),
            demands: none(),
            wants: none(),
            stops: none(),
            after: none(),
            broken: units.iter().map(|config| config.load != LoadState::Loaded).collect(),
            units,
            numbers,
        };
        for number in 0..graph.units.len() {
            for (dependency, other) in &graph.units[number].unit.dependencies {
                let Some(other) = graph.numbers.get(other).copied() else { continue };
                match dependency {
                    Dependency::Requires | Dependency::BindsTo => graph.requires[number].push(other),
                    Dependency::Requisite => graph.demands[number].push(other),
                    Dependency::Conflicts => graph.stops[number].push(other),
                    Dependency::Wants | Dependency::Upholds => graph.wants[number].push(other),
                    Dependency::After => graph.after[number].push(other),
                    Dependency::Before => graph.after[other].push(number),
                    Dependency::PartOf
                    | Dependency::OnFailure
                    | Dependency::OnSuccess
                    | Dependency::PropagatesReloadTo
                    | Dependency::ReloadPropagatedFrom
                    | Dependency::PropagatesStopTo
                    | Dependency::StopPropagatedFrom
                    | Dependency::JoinsNamespaceOf
                    | Dependency::Triggers
                    | Dependency::InSlice => {}
                }
            }
        }
        graph.spread();
        graph
    }

    /// What requires something broken is broken.
    fn spread(&mut self) {
        let mut required_by = vec![Vec::new(); self.units.len()];
        for (number, (requires, demands)) in self.requires.iter().zip(&self.demands).enumerate() {
            requires.iter().chain(demands).for_each(|other| required_by[*other].push(number));
        }
        let mut ahead: Vec<usize> = (0..self.units.len()).filter(|number| self.broken[*number]).collect();
        while let Some(number) = ahead.pop() {
            for other in &required_by[number] {
                if !std::mem::replace(&mut self.broken[*other], true) {
                    ahead.push(*other);
                }
            }
        }
    }

    pub fn number(&self, name: &UnitName) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub fn config(&self, number: usize) -> &'a Config {
        self.units[number]
    }

    pub fn after(&self, number: usize) -> &[usize] {
        &self.after[number]
    }

    /// What starts with a unit or does not start it: each with the unit that requires it, the nearest first.
    pub fn required(&self, number: usize) -> BTreeMap<usize, usize> {
        let mut from = BTreeMap::from([(number, number)]);
        let mut ahead = VecDeque::from([number]);
        while let Some(number) = ahead.pop_front() {
            for other in &self.requires[number] {
                if !from.contains_key(other) {
                    from.insert(*other, number);
                    ahead.push_back(*other);
                }
            }
        }
        from
    }

    /// Units of `jobs` and what must be up for them.
    pub fn with_demands(&self, jobs: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        jobs.into_iter()
            .flat_map(|number| std::iter::once(number).chain(self.demands[number].iter().copied()))
            .collect()
    }

    /// Whether one of `jobs` is in the way of the unit, or it in theirs: what is only wanted then gives way.
    pub fn gives_way(&self, number: usize, jobs: &BTreeSet<usize>) -> bool {
        let stops_one = self.stops[number].iter().any(|other| jobs.contains(other));
        stops_one || jobs.iter().any(|job| self.stops[*job].contains(&number))
    }

    /// A unit that is started for another and stops one that must be up: the two.
    fn contradiction(&self, required: &BTreeMap<usize, usize>) -> Option<(usize, usize)> {
        let up = self.with_demands(required.keys().copied());
        required.keys().find_map(|says| {
            let stopped = self.stops[*says].iter().find(|stopped| up.contains(stopped))?;
            Some((*says, *stopped))
        })
    }

    /// Every unit that a start of this one starts.
    pub fn started(&self, number: usize) -> BTreeSet<usize> {
        let mut started = BTreeSet::from([number]);
        let mut ahead = vec![number];
        while let Some(number) = ahead.pop() {
            for other in self.requires[number].iter().chain(&self.wants[number]) {
                if !self.broken[*other] && started.insert(*other) {
                    ahead.push(*other);
                }
            }
        }
        started
    }
}

/// Adds what stands in the way of a start; whether anything does.
pub(super) fn add(
    looking: &Looking<'_>,
    graph: &Graph<'_>,
    config: &Config,
    findings: &mut Vec<Finding>,
) -> Startable {
    let Some(number) = graph.number(&config.name) else { return Startable::No };
    let required = graph.required(number);
    if !graph.broken[number] {
        let Some(found) = graph.contradiction(&required) else { return Startable::Yes };
        findings.push(contradicts(looking, graph, config, found));
        return Startable::No;
    }
    for from in required.keys().copied() {
        let names = graph.requires[from].iter().chain(&graph.demands[from]);
        for other in names.copied().filter(|other| graph.config(*other).load != LoadState::Loaded) {
            let (says, missing) = (graph.config(from), graph.config(other));
            if says.load != LoadState::Loaded {
                continue;
            }
            let text = format!("{}: Failed to create {}/start: {}", config.name, config.name, why(missing));
            let words = [Dependency::Requires, Dependency::BindsTo, Dependency::Requisite];
            let place = looking.named(says, &words, &missing.name);
            let mut finding =
                Finding::of_file(looking.file(says), Severity::Error, "missing-requirement", text)
                    .expecting("a unit that is there")
                    .at(place);
            if from != number {
                finding.notes.push(chain(graph, &required, from));
            }
            findings.push(finding);
        }
    }
    Startable::No
}

fn contradicts(
    looking: &Looking<'_>,
    graph: &Graph<'_>,
    config: &Config,
    (says, stopped): (usize, usize),
) -> Finding {
    let (says, stopped) = (graph.config(says), graph.config(stopped));
    let (name, both) = (&config.name, &stopped.name);
    let text = format!(
        "{name}: Failed to create {name}/start: Transaction contains conflicting jobs 'stop' and 'start' for {both}. \
         Probably contradicting requirement dependencies configured."
    );
    let place = looking.named(says, &[Dependency::Conflicts], &stopped.name);
    Finding::of_file(looking.file(says), Severity::Error, "contradiction", text)
        .expecting("no unit that is required")
        .at(place)
}

/// systemd's words for a unit that cannot be started.
fn why(config: &Config) -> String {
    let name = &config.name;
    match &config.load {
        LoadState::NotFound | LoadState::Loaded => format!("Unit {name} not found."),
        LoadState::BadSetting(text) | LoadState::Inconsistent(text) => text.clone(),
        LoadState::Unreadable(text) => format!("Unit {name} failed to load: {text}"),
        LoadState::Masked => format!("Unit {name} is masked."),
    }
}

fn chain(graph: &Graph<'_>, required: &BTreeMap<usize, usize>, last: usize) -> String {
    let mut names = vec![graph.config(last).name.as_str()];
    let mut number = last;
    while let Some(from) = required.get(&number).copied().filter(|from| *from != number) {
        names.push(graph.config(from).name.as_str());
        number = from;
    }
    names.reverse();
    format!("required by {}", names.join(" → "))
}
