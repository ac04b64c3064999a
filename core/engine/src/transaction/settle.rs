//! The second half of a plan: what is drafted becomes one job per unit, or a refusal. The steps and their
//! order are systemd's.

use super::account::Why;
use super::cycle::break_cycles;
use super::draft::{Askers, DraftId, Drafts};
use super::{Others, Planned, Situation, Strength, Transaction};
use crate::api::{JobKind, Refusal};
use crate::graph::UnitId;
use crate::job::algebra::{conflict, is_redundant, is_up_or_coming, merge_and_collapse};
use eudaemon_unit::config::unit::JobMode;

pub(super) fn settle<S: Situation>(drafts: &mut Drafts<'_, S>) -> Result<Transaction, Refusal> {
    drafts.find_what_matters();
    if drafts.ask.mode == JobMode::Fail {
        lessen_impact(drafts);
    }
    drop_redundant(drafts);
    let collects = drafts.ask.mode != JobMode::Isolate;
    if collects {
        drafts.collect_garbage();
    }
    break_cycles(drafts)?;
    while drop_one_conflict(drafts)? == Conflict::Dropped {
        if collects {
            drafts.collect_garbage();
        }
    }
    unite(drafts);
    drop_redundant(drafts);
    refuse_destruction(drafts)?;
    Ok(finish(drafts))
}

/// `--job-mode=fail`: what does not matter shall neither stop a running unit nor turn a queued job round.
fn lessen_impact<S: Situation>(drafts: &mut Drafts<'_, S>) {
    let units: Vec<UnitId> = drafts.units().collect();
    for unit in units {
        let standing = drafts.situation.standing(unit);
        for draft in drafts.of(unit).to_vec() {
            let job = drafts.get(draft);
            let stops_running = job.kind == JobKind::Stop && is_up_or_coming(standing.state);
            let turns_queued = standing.queued.is_some_and(|queued| conflict(queued.kind, job.kind));
            if !job.matters && (stops_running || turns_queued) {
                drafts.drop_draft(draft, Askers::Fall, Why::Impact);
            }
        }
    }
}

/// Drops the units all of whose jobs lead where the unit is. Jobs that asked for them have what they wanted.
fn drop_redundant<S: Situation>(drafts: &mut Drafts<'_, S>) {
    let units: Vec<UnitId> = drafts.units().collect();
    for unit in units {
        let standing = drafts.situation.standing(unit);
        let redundant = |draft: &DraftId| {
            let kind = drafts.get(*draft).kind;
            *draft != drafts.anchor()
                && is_redundant(kind, standing.state)
                && !standing.queued.is_some_and(|queued| conflict(queued.kind, kind))
        };
        if drafts.of(unit).iter().all(redundant) {
            for draft in drafts.of(unit).to_vec() {
                drafts.drop_draft(draft, Askers::Stay, Why::Redundant);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    None,
    Dropped,
}

/// Where two jobs of a unit contradict each other, drops the one that matters less.
fn drop_one_conflict<S: Situation>(drafts: &mut Drafts<'_, S>) -> Result<Conflict, Refusal> {
    let units: Vec<UnitId> = drafts.units().filter(|unit| drafts.of(*unit).len() > 1).collect();
    for unit in units {
        if merged_kind(drafts, unit).is_some() {
            continue;
        }
        // Newest first.
        let jobs: Vec<DraftId> = drafts.of(unit).iter().rev().copied().collect();
        for (place, a) in jobs.iter().enumerate() {
            for b in &jobs[place + 1..] {
                if !conflict(drafts.get(*a).kind, drafts.get(*b).kind) {
                    continue;
                }
                let victim = weaker(drafts, *a, *b)?;
                let other = if victim == *a { *b } else { *a };
                drafts.overrule(victim, other);
                return Ok(Conflict::Dropped);
            }
        }
        return Err(contradiction(drafts, unit));
    }
    Ok(Conflict::None)
}

/// Which of two contradicting jobs, one of them a stop, goes. Starting is better than stopping, unless a conflict wants the
/// stop.
fn weaker<S: Situation>(drafts: &Drafts<'_, S>, a: DraftId, b: DraftId) -> Result<DraftId, Refusal> {
    let (job_a, job_b) = (drafts.get(a), drafts.get(b));
    match (job_a.matters, job_b.matters) {
        (true, true) => Err(contradiction(drafts, job_a.unit)),
        (true, false) => Ok(b),
        (false, true) => Ok(a),
        (false, false) => {
            let (stop, other) = if job_a.kind == JobKind::Stop { (a, b) } else { (b, a) };
            Ok(if drafts.is_conflicted(stop) { other } else { stop })
        }
    }
}

/// The refusal for a unit whose jobs do not merge: what the newest of them come to, and the first that contradicts it.
fn contradiction<S: Situation>(drafts: &Drafts<'_, S>, unit: UnitId) -> Refusal {
    let state = drafts.situation.standing(unit).state;
    let mut kinds = drafts.of(unit).iter().rev().map(|draft| drafts.get(*draft).kind);
    let mut merged = kinds.next().unwrap_or(JobKind::Nop);
    let mut against = merged;
    for kind in kinds {
        against = kind;
        match merge_and_collapse(merged, kind, state) {
            Some(both) => merged = both,
            None => break,
        }
    }
    Refusal::Conflicting { unit: drafts.graph.name(unit).clone(), kinds: (merged, against) }
}

fn merged_kind<S: Situation>(drafts: &Drafts<'_, S>, unit: UnitId) -> Option<JobKind> {
    let state = drafts.situation.standing(unit).state;
    let mut kinds = drafts.of(unit).iter().rev().map(|draft| drafts.get(*draft).kind);
    let newest = kinds.next()?;
    kinds.try_fold(newest, |merged, kind| merge_and_collapse(merged, kind, state))
}

fn unite<S: Situation>(drafts: &mut Drafts<'_, S>) {
    let units: Vec<UnitId> = drafts.units().filter(|unit| drafts.of(*unit).len() > 1).collect();
    for unit in units {
        if let Some(kind) = merged_kind(drafts, unit) {
            drafts.unite(unit, kind);
        }
    }
}

fn refuse_destruction<S: Situation>(drafts: &Drafts<'_, S>) -> Result<(), Refusal> {
    for unit in drafts.units() {
        let Some(queued) = drafts.situation.standing(unit).queued else { continue };
        let Some(draft) = drafts.of(unit).last() else { continue };
        let wanted = drafts.get(*draft).kind;
        let protected = drafts.ask.mode == JobMode::Fail || queued.strength == Strength::Irreversible;
        if protected && conflict(queued.kind, wanted) {
            let unit = drafts.graph.name(unit).clone();
            let asked = (drafts.graph.name(drafts.ask.unit).clone(), drafts.get(drafts.anchor()).kind);
            return Err(Refusal::Destructive { asked, unit, wanted, queued: queued.kind });
        }
    }
    Ok(())
}

fn finish<S: Situation>(drafts: &mut Drafts<'_, S>) -> Transaction {
    let strength = drafts.strength();
    let jobs = drafts.units().filter_map(|unit| {
        let draft = drafts.get(*drafts.of(unit).last()?);
        let through = drafts.first_asker(unit);
        Some(Planned { unit, kind: draft.kind, strength, order: draft.order, through })
    });
    let others = match drafts.ask.mode {
        JobMode::Isolate | JobMode::Flush => Others::Cancelled,
        JobMode::Fail
        | JobMode::Replace
        | JobMode::ReplaceIrreversibly
        | JobMode::IgnoreDependencies
        | JobMode::IgnoreRequirements
        | JobMode::Triggering
        | JobMode::RestartDependencies => Others::Stay,
    };
    let jobs = jobs.collect();
    Transaction { anchor: drafts.ask.unit, jobs, others, remarks: std::mem::take(&mut drafts.remarks) }
}
