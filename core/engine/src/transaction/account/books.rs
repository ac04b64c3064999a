//! What the drafts of a plan say when it is made: who asked for what, and what became of it.

use super::{Account, DeadEnd, Entry, Meeting, Omission, Omitted, Reason, Why, cancelled};
use crate::api::{JobKind, Refusal};
use crate::graph::{UnitId, Word, Writer};
use crate::job::algebra::conflict;
use crate::limits;
use crate::transaction::draft::{Draft, DraftId, Drafts, Link, Presence};
use crate::transaction::waves::{Waves, waves};
use crate::transaction::{Others, Remark, Situation, Transaction};
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};

/// The drafts as they stand when the plan is made, with who asked for each.
pub(super) struct Books<'a, 'b, S: Situation> {
    drafts: &'a Drafts<'b, S>,
    askers: BTreeMap<DraftId, Vec<Link>>,
}

impl<'a, 'b, S: Situation> Books<'a, 'b, S> {
    pub fn new(drafts: &'a Drafts<'b, S>) -> Books<'a, 'b, S> {
        let mut askers: BTreeMap<DraftId, Vec<Link>> = BTreeMap::new();
        for link in &drafts.links {
            askers.entry(link.asked).or_default().push(*link);
        }
        Books { drafts, askers }
    }

    pub fn tell(&self, transaction: &Transaction, account: &mut Account) {
        let (graph, situation) = (self.drafts.graph, self.drafts.situation);
        let cancelled = match transaction.others {
            Others::Cancelled => cancelled(graph, situation, transaction),
            Others::Stay => Vec::new(),
        };
        let Waves { mut of, behind } = waves(graph, situation, &transaction.jobs, &cancelled);
        for job in &transaction.jobs {
            let mut entry = self.entry(job.unit, job.kind, &self.reasons_of(job.unit));
            entry.waves = of.remove(&job.unit).unwrap_or_default();
            account.jobs.push(entry);
        }
        account.jobs.sort_by(|a, b| (&a.waves, &a.unit).cmp(&(&b.waves, &b.unit)));
        account.left_out = self.left_out(transaction);
        for remark in &transaction.remarks {
            match remark {
                Remark::NotPulledIn { unit, wanted_by, word, why } => {
                    account.left_out.push(refused(unit, JobKind::Start, wanted_by, *word, why));
                }
                Remark::Lacking { needed_by, .. } if !account.jobs.iter().any(|j| j.unit == *needed_by) => {}
                Remark::Lacking { unit, needed_by, word, kind, why } => {
                    account.left_out.push(refused(unit, *kind, needed_by, *word, why));
                }
                Remark::CycleBroken { path, dropped } => account.cycles.push((path.clone(), dropped.clone())),
                // What was left out tells of it.
                Remark::Fell { .. } | Remark::Overruled { .. } => {}
            }
        }
        let queued = |unit: UnitId| Some((graph.name(unit).clone(), situation.standing(unit).queued?.kind));
        account.behind = behind.into_iter().filter_map(queued).collect();
        account.cancelled = cancelled.into_iter().filter_map(queued).collect();
    }

    fn entry(&self, unit: UnitId, kind: JobKind, reasons: &[Reason]) -> Entry {
        let standing = self.drafts.situation.standing(unit);
        let meets = standing.queued.map(|queued| match conflict(queued.kind, kind) {
            true => (queued.kind, Meeting::Replaces),
            false => (queued.kind, Meeting::Joins),
        });
        Entry {
            unit: self.drafts.graph.name(unit).clone(),
            kind,
            state: standing.state,
            waves: Vec::new(),
            reasons: reasons.iter().take(limits::REASONS).cloned().collect(),
            further_reasons: reasons.len().saturating_sub(limits::REASONS),
            meets,
        }
    }

    fn draft(&self, id: DraftId) -> &Draft {
        self.drafts.get(id)
    }

    /// In the transaction, by itself or as part of the unit's job.
    fn stays(&self, id: DraftId) -> bool {
        let draft = self.draft(id);
        draft.presence == Presence::Kept || draft.why == Some(Why::United)
    }

    /// Why a unit has a job in the transaction: what asks for it and is there itself, else what ever asked.
    fn reasons_of(&self, unit: UnitId) -> Vec<Reason> {
        if unit == self.drafts.ask.unit {
            return Vec::new();
        }
        let own = |link: &&Link| self.draft(link.asked).unit == unit && self.stays(link.asked);
        let of_unit: Vec<Link> = self.askers.values().flatten().filter(own).copied().collect();
        let living: Vec<Link> =
            of_unit.iter().filter(|link| link.presence == Presence::Kept).copied().collect();
        self.reasons(if living.is_empty() { &of_unit } else { &living })
    }

    fn reasons(&self, links: &[Link]) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = Vec::new();
        for link in links {
            let Some(asker) = link.asker else { continue };
            let (asker, asked) = (self.draft(asker), self.draft(link.asked).unit);
            let reason = self.reason(asker, link.word, asked);
            if !reasons.iter().any(|known| known.by == reason.by && known.word == reason.word) {
                reasons.push(reason);
            }
        }
        reasons
    }

    fn reason(&self, asker: &Draft, word: Option<Word>, asked: UnitId) -> Reason {
        let graph = self.drafts.graph;
        reason(graph.name(asker.unit), asker.kind, word, graph.name(asked))
    }

    fn left_out(&self, transaction: &Transaction) -> Vec<Omitted> {
        let graph = self.drafts.graph;
        let planned = |draft: &Draft| {
            transaction.jobs.iter().any(|job| job.unit == draft.unit && job.kind == draft.kind)
        };
        let mut left_out = Vec::new();
        for (place, draft) in self.drafts.drafts.iter().enumerate() {
            let state = self.drafts.situation.standing(draft.unit).state;
            let why = match draft.why {
                None | Some(Why::United) => continue,
                Some(Why::Redundant) => Omission::Redundant(state),
                Some(Why::Contradicts(kind)) => Omission::Contradicts(kind),
                Some(Why::Impact) => Omission::Impact,
                Some(Why::Cycle) => Omission::Cycle,
                Some(Why::Falls(unit)) => Omission::Falls(graph.name(unit).clone()),
                Some(Why::Unwanted) => Omission::Unwanted,
            };
            if planned(draft) {
                continue;
            }
            let asked = self.askers.get(&DraftId(place as u32)).map_or(&[][..], Vec::as_slice);
            let mut reasons = self.reasons(asked);
            reasons.truncate(limits::REASONS);
            left_out.push(Omitted { unit: graph.name(draft.unit).clone(), kind: draft.kind, why, reasons });
        }
        left_out
    }

    /// The jobs on the way from the request to what it is refused for.
    pub fn lead_to(&self, refusal: &Refusal) -> Vec<Entry> {
        let of = |unit: &UnitName| -> Vec<DraftId> {
            let unit = self.drafts.graph.id(unit);
            unit.map_or(Vec::new(), |unit| self.drafts.of(unit).to_vec())
        };
        match refusal {
            Refusal::Conflicting { unit, .. } | Refusal::Destructive { unit, .. } => {
                let mut entries: Vec<Entry> = Vec::new();
                for entry in of(unit).into_iter().flat_map(|draft| self.trail(draft)) {
                    if !entries.contains(&entry) {
                        entries.push(entry);
                    }
                }
                entries
            }
            Refusal::Cyclic(ring) => ring.iter().flat_map(of).map(|draft| self.step(draft)).collect(),
            Refusal::NoSuchUnit(_)
            | Refusal::NotLoaded(_)
            | Refusal::Masked(_)
            | Refusal::BadSetting(_)
            | Refusal::Inconsistent { .. }
            | Refusal::LoadFailed { .. }
            | Refusal::NotApplicable { .. } => self.dead_end(),
            Refusal::OnlyByDependency { .. }
            | Refusal::WrongMode { .. }
            | Refusal::NoIsolation(_)
            | Refusal::NoSuchJob(_)
            | Refusal::NoProcess { .. }
            | Refusal::NotSupported { .. }
            | Refusal::NotFrozen { .. }
            | Refusal::NotCleaned { .. }
            | Refusal::ShuttingDown
            | Refusal::Overloaded(_) => Vec::new(),
        }
    }

    fn dead_end(&self) -> Vec<Entry> {
        let Some(DeadEnd { asker: Some(asker), word, unit, kind }) = self.drafts.dead_end else {
            return Vec::new();
        };
        let last = self.entry(unit, kind, &[self.reason(self.draft(asker), word, unit)]);
        let mut trail = vec![last];
        trail.extend(self.trail(asker));
        trail
    }

    /// From a job up to the one that was asked for, by the first reason of each.
    fn trail(&self, from: DraftId) -> Vec<Entry> {
        let mut trail = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = Some(from);
        while let Some(draft) = at.filter(|draft| seen.insert(*draft)) {
            trail.push(self.step(draft));
            let asked = self.askers.get(&draft).map_or(&[][..], Vec::as_slice);
            at = asked.iter().find_map(|link| link.asker);
        }
        trail
    }

    fn step(&self, id: DraftId) -> Entry {
        let draft = self.draft(id);
        let asked = self.askers.get(&id).map_or(&[][..], Vec::as_slice);
        let reasons = if id == self.drafts.anchor() { Vec::new() } else { self.reasons(asked) };
        self.entry(draft.unit, draft.kind, &reasons)
    }
}

fn reason(by: &UnitName, kind: JobKind, word: Option<Word>, asked: &UnitName) -> Reason {
    let word = word.map(|word| match word.written() {
        (written, Writer::This) => (written, by.clone()),
        (written, Writer::Other) => (written, asked.clone()),
    });
    Reason { by: by.clone(), kind, word }
}

/// A job that somebody asked for and that cannot be had.
fn refused(unit: &UnitName, kind: JobKind, by: &UnitName, word: Option<Word>, why: &Refusal) -> Omitted {
    let reasons = vec![reason(by, JobKind::Start, word, unit)];
    Omitted { unit: unit.clone(), kind, why: Omission::Refused(why.clone()), reasons }
}
