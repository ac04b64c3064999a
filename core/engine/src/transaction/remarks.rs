//! What a plan leaves out, for who wants to know why a unit has no job.

use super::account::DeadEnd;
use super::draft::{DraftId, Drafts, Pull};
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

    /// What fell with a job that was dropped is told of, too.
    pub fn remark_fallen(&mut self, fallen: &[(UnitId, UnitId)]) {
        let name = |unit: UnitId| self.graph.name(unit).clone();
        let room = limits::REMARKS.saturating_sub(self.remarks.len());
        let fell = |(unit, with): &(UnitId, UnitId)| Remark::Fell { unit: name(*unit), with: name(*with) };
        let remarks: Vec<Remark> = fallen.iter().map(fell).take(room).collect();
        self.remarks.extend(remarks);
    }
}
