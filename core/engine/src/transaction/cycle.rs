//! Jobs that wait for each other in a ring never run. The ordering of jobs is searched for rings; in each one
//! a job that does not matter to the request is dropped with all its unit's jobs and those that fail without
//! them. The job nearest to the end of the ring goes, walking back: systemd's rule. A ring of jobs that all
//! matter is a refusal.

use super::account::Why;
use super::draft::{Askers, Drafts};
use super::settle::merged_kind;
use super::{Order, Remark, Situation};
use crate::api::{JobKind, Refusal};
use crate::graph::{Facets, UnitId};
use crate::job::algebra::{First, first, merge_and_collapse};
use crate::limits;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// On the path now being walked, at this depth.
    OnPath(usize),
    /// No ring leads through here.
    Clear,
}

/// A unit on the path and the jobs that run after its own, as far as they were looked at.
struct Step {
    unit: UnitId,
    later: Vec<UnitId>,
    next: usize,
}

/// Which half of a restart is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Stopping,
    Starting,
}

/// Drops jobs until no ring is left.
pub(super) fn break_cycles<S: Situation>(drafts: &mut Drafts<'_, S>) -> Result<(), Refusal> {
    break_in(drafts, Half::Stopping)?;
    let restarts =
        |unit| job_of(drafts, Half::Stopping, unit).is_some_and(|(kind, _)| kind == JobKind::Restart);
    match drafts.graph.ids().any(restarts) {
        true => break_in(drafts, Half::Starting),
        false => Ok(()),
    }
}

/// What was found clear stays clear: dropping a job adds no order, unless a
/// queued job of the same unit shows behind it.
fn break_in<S: Situation>(drafts: &mut Drafts<'_, S>, half: Half) -> Result<(), Refusal> {
    let mut marks: BTreeMap<UnitId, Mark> = BTreeMap::new();
    for _ in 0..limits::BROKEN_CYCLES {
        let Some(ring) = find_ring(drafts, half, &mut marks) else { return Ok(()) };
        let names: Vec<UnitName> = ring.iter().map(|unit| drafts.graph.name(*unit).clone()).collect();
        let droppable = |unit: &&UnitId| {
            let drafts_of = drafts.of(**unit);
            !drafts_of.is_empty() && drafts_of.iter().all(|draft| !drafts.get(*draft).matters)
        };
        let Some(victim) = ring.iter().rev().find(droppable).copied() else {
            return Err(Refusal::Cyclic(names));
        };
        if drafts.remarks.len() < limits::REMARKS {
            let dropped = drafts.graph.name(victim).clone();
            drafts.remarks.push(Remark::CycleBroken { path: names, dropped });
        }
        for draft in drafts.of(victim).to_vec() {
            drafts.drop_draft(draft, Askers::Fall, Why::Cycle);
        }
        drafts.collect_garbage();
        marks.retain(|unit, mark| *mark == Mark::Clear && drafts.situation.standing(*unit).queued.is_none());
        if drafts.situation.standing(victim).queued.is_some() {
            marks.clear();
        }
    }
    Err(Refusal::Overloaded(format!("more than {} ordering cycles", limits::BROKEN_CYCLES)))
}

/// The units of one ring in the order their jobs would run.
fn find_ring<S: Situation>(
    drafts: &Drafts<'_, S>,
    half: Half,
    marks: &mut BTreeMap<UnitId, Mark>,
) -> Option<Vec<UnitId>> {
    for root in drafts.units() {
        if marks.contains_key(&root) {
            continue;
        }
        let mut path = vec![Step { unit: root, later: later(drafts, half, root), next: 0 }];
        marks.insert(root, Mark::OnPath(0));
        while let Some(step) = path.last_mut() {
            let Some(unit) = step.later.get(step.next).copied() else {
                marks.insert(step.unit, Mark::Clear);
                path.pop();
                continue;
            };
            step.next += 1;
            match marks.get(&unit) {
                Some(Mark::Clear) => {}
                Some(Mark::OnPath(depth)) => {
                    return Some(path[*depth..].iter().map(|step| step.unit).collect());
                }
                None => {
                    marks.insert(unit, Mark::OnPath(path.len()));
                    path.push(Step { unit, later: later(drafts, half, unit), next: 0 });
                }
            }
        }
    }
    None
}

/// The units whose jobs wait for this unit's job.
fn later<S: Situation>(drafts: &Drafts<'_, S>, half: Half, unit: UnitId) -> Vec<UnitId> {
    let Some((kind, Order::Kept)) = job_of(drafts, half, unit) else { return Vec::new() };
    let graph = drafts.graph;
    let waits = |other: &UnitId, before: bool| match job_of(drafts, half, *other) {
        Some((theirs, Order::Kept)) if before => first(kind, theirs) == First::This,
        Some((theirs, Order::Kept)) => first(theirs, kind) == First::Other,
        Some((_, Order::Ignored)) | None => false,
    };
    let before = graph.neighbours(unit, Facets::BEFORE).filter(|other| waits(other, true));
    let after = graph.neighbours(unit, Facets::AFTER).filter(|other| waits(other, false));
    before.chain(after).collect()
}

/// The transaction's job of the unit as it will be queued, else the queued one. Of jobs that contradict each
/// other the newest.
fn job_of<S: Situation>(drafts: &Drafts<'_, S>, half: Half, unit: UnitId) -> Option<(JobKind, Order)> {
    let standing = drafts.situation.standing(unit);
    let queued = standing.queued.map(|queued| (queued.kind, queued.order));
    let newest = drafts.of(unit).last().map(|draft| drafts.get(*draft));
    let drafted = newest.map(|draft| (merged_kind(drafts, unit).unwrap_or(draft.kind), draft.order));
    let (kind, order) = match (drafted, queued) {
        (Some((drafted, order)), Some((queued, _))) => {
            (merge_and_collapse(drafted, queued, standing.state).unwrap_or(drafted), order)
        }
        (Some(job), None) | (None, Some(job)) => job,
        (None, None) => return None,
    };
    match (kind, half) {
        (JobKind::Restart, Half::Starting) => Some((JobKind::Start, order)),
        (kind, Half::Stopping | Half::Starting) => Some((kind, order)),
    }
}
