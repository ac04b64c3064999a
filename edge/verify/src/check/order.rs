//! Ordering cycles among the jobs that a start of the unit makes.

use super::Looking;
use super::start::Graph;
use crate::finding::{Finding, Spot};
use crate::limits::CYCLES_BROKEN;
use eudaemon_unit::config::{Config, Dependency};
use eudaemon_unit::diagnostic::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// Cycles that were said already: a cycle is told once, by the unit that is hit hardest.
#[derive(Default)]
pub(super) struct Known(BTreeMap<BTreeSet<usize>, (usize, Severity)>);

pub(super) fn add(
    looking: &Looking<'_>,
    graph: &Graph<'_>,
    config: &Config,
    known: &mut Known,
    findings: &mut Vec<Finding>,
) {
    let Some(anchor) = graph.number(&config.name) else { return };
    let mut jobs = graph.with_demands(graph.started(anchor));
    let required = graph.with_demands(graph.required(anchor).into_keys());
    jobs.retain(|number| required.contains(number) || !graph.gives_way(*number, &required));
    for _ in 0..CYCLES_BROKEN {
        let Some(cycle) = cycle(graph, anchor, &jobs) else { return };
        // As systemd does: a job that the goal can do without is dropped.
        let dropped = cycle.iter().rev().find(|number| !required.contains(number)).copied();
        let finding = finding(looking, graph, config, &cycle, dropped);
        let severity = finding.severity;
        let members: BTreeSet<usize> = cycle.iter().copied().collect();
        match known.0.get(&members).copied() {
            Some((at, said)) if said < severity => {
                findings[at] = finding;
                known.0.insert(members, (at, severity));
            }
            Some(_) => {}
            None => {
                known.0.insert(members, (findings.len(), severity));
                findings.push(finding);
            }
        }
        match dropped {
            Some(dropped) => drop(jobs.remove(&dropped)),
            None => return,
        }
    }
}

/// Units each of which starts after the next, and the last after the first.
fn cycle(graph: &Graph<'_>, anchor: usize, jobs: &BTreeSet<usize>) -> Option<Vec<usize>> {
    let mut done: BTreeSet<usize> = BTreeSet::new();
    // The units on the way, each with how many of those it comes after were looked at.
    let mut way: Vec<(usize, usize)> = Vec::new();
    let mut on_way: BTreeSet<usize> = BTreeSet::new();
    for start in std::iter::once(anchor).chain(jobs.iter().copied()) {
        if !done.contains(&start) {
            way.push((start, 0));
            on_way.insert(start);
        }
        while let Some((number, next)) = way.last_mut() {
            let Some(other) = graph.after(*number).get(*next).copied() else {
                on_way.remove(number);
                done.insert(*number);
                way.pop();
                continue;
            };
            *next += 1;
            if on_way.contains(&other) {
                let from = way.iter().position(|(number, _)| *number == other)?;
                return Some(way[from..].iter().map(|(number, _)| *number).collect());
            }
            if jobs.contains(&other) && !done.contains(&other) {
                way.push((other, 0));
                on_way.insert(other);
            }
        }
    }
    None
}

fn finding(
    looking: &Looking<'_>,
    graph: &Graph<'_>,
    config: &Config,
    cycle: &[usize],
    dropped: Option<usize>,
) -> Finding {
    let names: Vec<&str> =
        cycle.iter().chain(cycle.first()).map(|number| graph.config(*number).name.as_str()).collect();
    let path = names.join(" → ");
    let (severity, text) = match dropped {
        Some(_) => (Severity::Warning, format!("{}: Found ordering cycle: {path}", config.name)),
        None => {
            let name = &config.name;
            (
                Severity::Error,
                format!("{name}: Failed to create {name}/start: Transaction order is cyclic: {path}"),
            )
        }
    };
    let edges = cycle.iter().zip(cycle.iter().cycle().skip(1));
    let said: Vec<(&Config, &Config, Option<Spot>)> = edges
        .map(|(one, next)| {
            let (one, next) = (graph.config(*one), graph.config(*next));
            let place = looking.named(one, &[Dependency::After], &next.name);
            (one, next, place.or_else(|| looking.named(next, &[Dependency::Before], &one.name)))
        })
        .collect();
    let place = said.iter().find_map(|(_, _, place)| place.clone());
    let mut finding = Finding::of_file(looking.file(config), severity, "ordering-cycle", text)
        .expecting("an order without a circle")
        .at(place);
    for (one, next, place) in said {
        let why = match place {
            Some((file, place)) => format!("{file}:{}", place.line()),
            None => "by default, or for what it is".to_owned(),
        };
        finding.notes.push(format!("{} starts after {}: {why}", one.name, next.name));
    }
    if let Some(dropped) = dropped {
        finding.notes.push(format!("the start of {} is dropped to break it", graph.config(dropped).name));
    }
    finding
}
