//! In which order the jobs of a transaction run: what could run at once is one wave, as if each job took as long as any
//! other. The rule is the queue's own.

use super::{Order, Planned, Situation};
use crate::api::JobKind;
use crate::graph::{Facets, Graph, UnitId};
use crate::job::algebra::{First, first, is_down, merge_and_collapse};
use std::collections::{BTreeMap, BTreeSet};

/// A job as far as order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub unit: UnitId,
    pub kind: JobKind,
    pub order: Order,
}

/// Whether one job has to end before the other may run.
pub(crate) fn goes_before(graph: &Graph, one: Ordered, other: Ordered) -> bool {
    if one.order == Order::Ignored || other.order == Order::Ignored {
        return false;
    }
    let after = || graph.related(other.unit, Facets::AFTER, one.unit);
    let before = || graph.related(other.unit, Facets::BEFORE, one.unit);
    (first(one.kind, other.kind) == First::This && after())
        || (first(other.kind, one.kind) == First::Other && before())
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Waves {
    /// The wave each planned job runs in, from 1; a restart of what runs has two, its stop's and its start's.
    pub of: BTreeMap<UnitId, Vec<u32>>,
    /// Units whose jobs, queued before, go first.
    pub behind: BTreeSet<UnitId>,
}

/// The jobs of `cancelled` units go when the planned ones come.
pub(super) fn waves(
    graph: &Graph,
    situation: &impl Situation,
    planned: &[Planned],
    cancelled: &[UnitId],
) -> Waves {
    let mut waves = Waves::default();
    let mut jobs = all_jobs(graph, situation, planned);
    jobs.retain(|unit, _| !cancelled.contains(unit));
    let planned: BTreeSet<UnitId> = planned.iter().map(|job| job.unit).collect();
    let down = |unit: UnitId| is_down(situation.standing(unit).state);
    // Every job runs once, a restart twice.
    for wave in 1..=2 * jobs.len() as u32 {
        let mut ready = runnable(graph, &jobs, &planned, &mut waves.behind);
        // To restart what is down is to start it, at once.
        while let Some(unit) = ready.iter().copied().find(|unit| restarts(&jobs, *unit) && down(*unit)) {
            set_kind(&mut jobs, unit, JobKind::Start);
            ready = runnable(graph, &jobs, &planned, &mut waves.behind);
        }
        if ready.is_empty() {
            // A ring, which no plan has: what is queued may.
            ready = jobs.keys().copied().collect();
        }
        for unit in ready {
            if planned.contains(&unit) {
                waves.of.entry(unit).or_default().push(wave);
            }
            if restarts(&jobs, unit) {
                set_kind(&mut jobs, unit, JobKind::Start);
            } else {
                jobs.remove(&unit);
            }
        }
        if !planned.iter().any(|unit| jobs.contains_key(unit)) {
            break;
        }
    }
    waves
}

/// The planned jobs as they will be queued, and those that are.
fn all_jobs(graph: &Graph, situation: &impl Situation, planned: &[Planned]) -> BTreeMap<UnitId, Ordered> {
    let queued = graph.ids().filter_map(|unit| {
        let queued = situation.standing(unit).queued?;
        Some((unit, Ordered { unit, kind: queued.kind, order: queued.order }))
    });
    let mut jobs: BTreeMap<UnitId, Ordered> = queued.collect();
    for Planned { unit, kind, order, .. } in planned.iter().copied() {
        let state = situation.standing(unit).state;
        let joined = jobs.get(&unit).and_then(|queued| {
            let kind = merge_and_collapse(queued.kind, kind, state)?;
            Some(Ordered { unit, kind, order: queued.order.max(order) })
        });
        jobs.insert(unit, joined.unwrap_or(Ordered { unit, kind, order }));
    }
    jobs
}

fn runnable(
    graph: &Graph,
    jobs: &BTreeMap<UnitId, Ordered>,
    planned: &BTreeSet<UnitId>,
    behind: &mut BTreeSet<UnitId>,
) -> Vec<UnitId> {
    let ordered = Facets::AFTER.and(Facets::BEFORE);
    let mut ready = Vec::new();
    for job in jobs.values() {
        let others = graph.neighbours(job.unit, ordered).filter_map(|other| jobs.get(&other));
        let before: Vec<UnitId> =
            others.filter(|other| goes_before(graph, **other, *job)).map(|other| other.unit).collect();
        if before.is_empty() {
            ready.push(job.unit);
        } else if planned.contains(&job.unit) {
            behind.extend(before.into_iter().filter(|other| !planned.contains(other)));
        }
    }
    ready
}

fn restarts(jobs: &BTreeMap<UnitId, Ordered>, unit: UnitId) -> bool {
    jobs.get(&unit).is_some_and(|job| job.kind == JobKind::Restart)
}

fn set_kind(jobs: &mut BTreeMap<UnitId, Ordered>, unit: UnitId, kind: JobKind) {
    if let Some(job) = jobs.get_mut(&unit) {
        job.kind = kind;
    }
}
