//! What a plan leaves out, for who wants to know why a unit has no job.

use super::account::{DeadEnd, Why};
use super::draft::{Askers, DraftId, Drafts, Fallen, Pull};
use super::{Remark, Situation};
use crate::api::{Refusal, Weight};
use crate::graph::{Knowledge, UnitId};
use crate::limits;

impl<S: Situation> Drafts<'_, S> {
    pub(super) fn remark(&mut self, pull: Pull, asker: DraftId, why: Refusal) {
        let quiet = match why.weight() {
            Weight::None => true,
            Weight::Absent => self.graph.knowledge(pull.unit) == Knowledge::Mentioned,
            Weight::Little | Weight::Some => false,
        };
        if quiet || self.remarks.len() >= limits::REMARKS {
            return;
        }
        let name = |unit: UnitId| self.graph.name(unit).clone();
        let of = |draft: DraftId| name(self.drafts[draft.0 as usize].unit);
        self.remarks.push(match self.dead_end {
            Some(DeadEnd { asker: Some(lacking), word, unit, kind }) if unit != pull.unit => {
                Remark::Lacking { unit: name(unit), needed_by: of(lacking), word, kind, why }
            }
            Some(_) | None => {
                Remark::NotPulledIn { unit: name(pull.unit), wanted_by: of(asker), word: pull.word, why }
            }
        });
    }

    /// What fell with a job that was dropped is told of, too: all of it.
    pub fn remark_fallen(&mut self, fallen: &[Fallen]) {
        let name = |unit: UnitId| self.graph.name(unit).clone();
        let fell = |fallen: &Fallen| Remark::Fell {
            unit: name(self.get(fallen.draft).unit),
            kind: self.get(fallen.draft).kind,
            asker: fallen.asker.map(|(unit, word)| (name(unit), word)),
            with: name(self.get(fallen.with).unit),
            job: self.get(fallen.with).kind,
        };
        let remarks: Vec<Remark> = fallen.iter().map(fell).collect();
        self.remarks.extend(remarks);
    }

    /// The job goes, since it contradicts another of its unit.
    pub fn overrule(&mut self, victim: DraftId, winner: DraftId) {
        let name = |unit: UnitId| self.graph.name(unit).clone();
        let whose = |draft: DraftId| self.asker_of(draft).map(|(unit, word)| (name(unit), word));
        let (unit, kind) = (name(self.get(victim).unit), self.get(victim).kind);
        let by = self.get(winner).kind;
        if self.remarks.len() < limits::REMARKS {
            let (asker, whose) = (whose(victim), whose(winner));
            self.remarks.push(Remark::Overruled { unit, kind, asker, by, whose });
        }
        let fallen = self.drop_draft(victim, Askers::Fall, Why::Contradicts(by));
        self.remark_fallen(&fallen);
    }
}
