//! Jobs that wait for each other in a ring never run. The ordering of jobs is searched for rings; in each one
//! a job that does not matter to the request is dropped with all its unit's jobs and those that fail without
//! them. The job nearest to the end of the ring goes, walking back: systemd's rule. A ring of jobs that all
//! matter is a refusal.

use super::account::Why;
use super::draft::{Askers, Drafts};
use super::{Order, Remark, Situation};
use crate::api::{JobKind, Refusal};
use crate::graph::{Facets, UnitId};
use crate::job::algebra::{First, first};
use crate::limits;
use crate::unit::FINAL_TARGETS;
use eudaemon_unit::config::unit::JobMode;
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

/// Drops jobs until no ring is left. What was found clear stays clear where dropping a job takes order away and adds
/// none: no other job of its unit shows behind it.
pub(super) fn break_cycles<S: Situation>(drafts: &mut Drafts<'_, S>) -> Result<(), Refusal> {
    let mut marks: BTreeMap<UnitId, Mark> = BTreeMap::new();
    for _ in 0..limits::BROKEN_CYCLES {
        let Some(ring) = find_ring(drafts, &mut marks) else { return Ok(()) };
        let names = told(drafts, &ring);
        let droppable = |unit: &&UnitId| {
            let drafts_of = drafts.of(**unit);
            !drafts_of.is_empty() && drafts_of.iter().all(|draft| !drafts.get(*draft).matters)
        };
        let Some(victim) = ring.iter().rev().find(droppable).copied() else {
            if ends_everything(drafts) && pass_over(drafts, &ring, &mut marks) == Passed::Yes {
                continue;
            }
            return Err(Refusal::Cyclic(names));
        };
        if drafts.remarks.len() < limits::REMARKS {
            let dropped = drafts.graph.name(victim).clone();
            drafts.remarks.push(Remark::CycleBroken { path: names, dropped });
        }
        let nothing_behind =
            |unit| drafts.of(unit).len() == 1 && drafts.situation.standing(unit).queued.is_none();
        let only_less_order = drafts.units().all(nothing_behind);
        for draft in drafts.of(victim).to_vec() {
            let fallen = drafts.drop_draft(draft, Askers::Fall, Why::Cycle);
            drafts.remark_fallen(&fallen);
        }
        if drafts.ask.mode != JobMode::Isolate {
            drafts.collect_garbage();
        }
        marks.retain(|_, mark| *mark == Mark::Clear && only_less_order);
    }
    Err(Refusal::Overloaded(format!("more than {} ordering cycles", limits::BROKEN_CYCLES)))
}

fn ends_everything<S: Situation>(drafts: &Drafts<'_, S>) -> bool {
    FINAL_TARGETS.contains(&drafts.graph.name(drafts.ask.unit).as_str())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Passed {
    Yes,
    No,
}

/// The end comes whatever stands in its way: one of the stops goes without order, and a ring of queued jobs is let be.
fn pass_over<S: Situation>(
    drafts: &mut Drafts<'_, S>,
    ring: &[UnitId],
    marks: &mut BTreeMap<UnitId, Mark>,
) -> Passed {
    let stops =
        |unit: UnitId| drafts.of(unit).last().is_some_and(|draft| drafts.get(*draft).kind == JobKind::Stop);
    let stop = ring.iter().rev().copied().find(|unit| stops(*unit));
    if let Some(unit) = stop {
        drafts.disorder(unit);
        marks.clear();
        return Passed::Yes;
    }
    if ring.iter().any(|unit| !drafts.of(*unit).is_empty()) {
        return Passed::No;
    }
    marks.extend(ring.iter().map(|unit| (*unit, Mark::Clear)));
    marks.retain(|_, mark| *mark == Mark::Clear);
    Passed::Yes
}

/// A ring as people read it, and as all else that tells of one has it: each waits for the next, the last for the first.
fn told<S: Situation>(drafts: &Drafts<'_, S>, ring: &[UnitId]) -> Vec<UnitName> {
    let (first, others) = ring.split_at(ring.len().min(1));
    first.iter().chain(others.iter().rev()).map(|unit| drafts.graph.name(*unit).clone()).collect()
}

/// The units of one ring in the order their jobs would run.
fn find_ring<S: Situation>(
    drafts: &Drafts<'_, S>,
    marks: &mut BTreeMap<UnitId, Mark>,
) -> Option<Vec<UnitId>> {
    for root in drafts.units() {
        if marks.contains_key(&root) {
            continue;
        }
        let mut path = vec![Step { unit: root, later: later(drafts, root), next: 0 }];
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
                    path.push(Step { unit, later: later(drafts, unit), next: 0 });
                }
            }
        }
    }
    None
}

/// The units whose jobs wait for this unit's job.
fn later<S: Situation>(drafts: &Drafts<'_, S>, unit: UnitId) -> Vec<UnitId> {
    let Some((kind, Order::Kept)) = job_of(drafts, unit) else { return Vec::new() };
    let graph = drafts.graph;
    let waits = |other: &UnitId, before: bool| match job_of(drafts, *other) {
        Some((theirs, Order::Kept)) if before => first(kind, theirs) == First::This,
        Some((theirs, Order::Kept)) => first(theirs, kind) == First::Other,
        Some((_, Order::Ignored)) | None => false,
    };
    let before = graph.neighbours(unit, Facets::BEFORE).filter(|other| waits(other, true));
    let after = graph.neighbours(unit, Facets::AFTER).filter(|other| waits(other, false));
    before.chain(after).collect()
}

/// The transaction's job of the unit, else the queued one. Of several that are not united yet the newest, as it stands.
fn job_of<S: Situation>(drafts: &Drafts<'_, S>, unit: UnitId) -> Option<(JobKind, Order)> {
    let newest = drafts.of(unit).last().map(|draft| drafts.get(*draft));
    let drafted = newest.map(|draft| (draft.kind, draft.order));
    drafted.or_else(|| drafts.situation.standing(unit).queued.map(|queued| (queued.kind, queued.order)))
}
