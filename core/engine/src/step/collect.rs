//! Units that nobody needs any more are forgotten: systemd.unit(5), "Unit Garbage Collection", `CollectMode=`.
//!
//! A unit stays for its own sake while it is up or has failed, has a job or a process, or is held by a client; and for
//! the sake of others while one that stays names it, directly or over others that are named. Only units to which
//! something happened are looked at, and from each the search goes up to the first that stays. It is done when nothing
//! else is to be heard: a unit that was loaded for a request is there when the request comes.

use crate::api::{ActiveState, Announcement};
use crate::engine::{Alarm, Engine, Queues};
use crate::graph::{Facets, Knowledge, UnitId, Word};
use crate::record::Key;
use crate::unit::Unit;
use eudaemon_unit::config::unit::CollectMode;
use std::collections::{BTreeMap, BTreeSet};

/// What is started when a unit ends.
const HEIRS: Facets = Facets::ON_SUCCESS.and(Facets::ON_FAILURE);

/// What is known of a unit while units are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Those that name it are being looked at.
    Open,
    /// All that name it were looked at, and none was found that stays.
    Exhausted,
    Stays,
}

impl Engine {
    /// Forgets what nobody needs, of all that may have come to that.
    pub(crate) fn collect(&mut self) {
        if !self.queues.are_at_rest() {
            return;
        }
        let candidates = std::mem::take(&mut self.queues.loose);
        let unneeded = self.unneeded(candidates);
        if !unneeded.is_empty() {
            self.forget(&unneeded);
            // All that they named was looked at.
            self.graph.take_loose();
            self.close_gaps();
        }
    }

    /// So that the places of units that are long forgotten take no room.
    fn close_gaps(&mut self) {
        let Some(moved) = self.graph.close_gaps() else { return };
        let to = |unit: UnitId| moved[unit.index()];
        let all = |units: &mut BTreeSet<UnitId>| *units = units.iter().map(|unit| to(*unit)).collect();
        let Engine {
            units,
            jobs,
            owners,
            deadlines,
            blocked,
            bus_names,
            exit_codes,
            freezing,
            queues,
            pen,
            ..
        } = self;
        units.retain(|unit| unit.state.is_some());
        for job in jobs.values_mut() {
            job.unit = to(job.unit);
            job.blocked_by = job.blocked_by.map(to);
        }
        owners.values_mut().for_each(|unit| *unit = to(*unit));
        *deadlines = std::mem::take(deadlines)
            .into_iter()
            .map(|(deadline, alarm)| match alarm {
                Alarm::Unit(unit) => (deadline, Alarm::Unit(to(unit))),
                Alarm::Job(job) => (deadline, Alarm::Job(job)),
            })
            .collect();
        *blocked = std::mem::take(blocked).into_iter().map(|(unit, jobs)| (to(unit), jobs)).collect();
        *freezing = std::mem::take(freezing).into_iter().map(|(unit, who)| (to(unit), who)).collect();
        bus_names.values_mut().for_each(all);
        exit_codes.values_mut().for_each(all);
        // The other queues are at rest.
        all(&mut queues.loose);
        all(&mut pen.changed_units);
        all(&mut pen.dirty_units);
    }

    /// The unit may be one that nobody needs.
    pub(crate) fn loosen(&mut self, unit: UnitId) {
        if !self.stays_by_itself(unit) {
            self.queues.loose.insert(unit);
        }
    }

    /// A job of the unit is over: those it was to be started for at their end need not wait for it.
    pub(super) fn loosen_bequeathers(&mut self, unit: UnitId) {
        let of = |word| self.graph.others(unit, word);
        let others: Vec<UnitId> = of(Word::OnSuccessOf).chain(of(Word::OnFailureOf)).collect();
        others.into_iter().for_each(|other| self.loosen(other));
    }

    /// Whether the unit is kept whoever names it.
    pub(crate) fn stays_by_itself(&self, unit: UnitId) -> bool {
        let of = self.unit(unit);
        let Some(state) = &of.state else { return true };
        let mode = self.graph.config(unit).unit.collect_mode;
        let over = match state.active_state() {
            ActiveState::Inactive => true,
            ActiveState::Failed => mode == CollectMode::InactiveOrFailed,
            ActiveState::Active
            | ActiveState::Reloading
            | ActiveState::Activating
            | ActiveState::Deactivating
            | ActiveState::Maintenance => false,
        };
        !over
            || of.has_job()
            || of.holds > 0
            || !state.processes().is_empty()
            // Who is started for its end asks how it ended.
            || self.graph.neighbours(unit, HEIRS).any(|heir| self.unit(heir).has_job())
    }

    /// Those that nobody needs, of the candidates, of the units that name them, and of those that only such units name.
    fn unneeded(&self, candidates: BTreeSet<UnitId>) -> BTreeSet<UnitId> {
        let mut verdicts: BTreeMap<UnitId, Verdict> = BTreeMap::new();
        let mut unneeded = BTreeSet::new();
        let mut ahead: Vec<UnitId> = candidates.into_iter().collect();
        // Each unit comes once, for itself or for one that goes.
        while let Some(candidate) = ahead.pop() {
            if self.graph.knowledge(candidate) != Knowledge::Vacant && !verdicts.contains_key(&candidate) {
                for gone in self.look_up_from(candidate, &mut verdicts) {
                    ahead.extend(self.graph.names_of(gone));
                    unneeded.insert(gone);
                }
            }
        }
        unneeded
    }

    /// Goes up from a unit over those that name it, to the first that stays: then all on the way stay, and what they name.
    /// Gives back the others that were found, which nobody needs.
    fn look_up_from(&self, candidate: UnitId, verdicts: &mut BTreeMap<UnitId, Verdict>) -> Vec<UnitId> {
        let above = |unit: UnitId| self.graph.named_by(unit).collect::<Vec<_>>().into_iter();
        if self.stays_by_itself(candidate) {
            verdicts.insert(candidate, Verdict::Stays);
            return Vec::new();
        }
        verdicts.insert(candidate, Verdict::Open);
        let mut path = vec![(candidate, above(candidate))];
        let mut exhausted = Vec::new();
        while let Some((unit, rest)) = path.last_mut() {
            let Some(other) = rest.next() else {
                verdicts.insert(*unit, Verdict::Exhausted);
                exhausted.push(*unit);
                path.pop();
                continue;
            };
            let stays = match verdicts.get(&other) {
                Some(Verdict::Open | Verdict::Exhausted) => false,
                Some(Verdict::Stays) => true,
                None => self.stays_by_itself(other),
            };
            if stays {
                // It names the last of the path, which names the one before it, and so on.
                let stay = path.into_iter().map(|(unit, _)| unit).chain([other]).collect();
                self.keep(stay, verdicts);
                exhausted.retain(|unit| verdicts.get(unit) == Some(&Verdict::Exhausted));
                return exhausted;
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = verdicts.entry(other) {
                entry.insert(Verdict::Open);
                path.push((other, above(other)));
            }
        }
        exhausted
    }

    /// These stay, and so does what they name of what was found.
    fn keep(&self, units: Vec<UnitId>, verdicts: &mut BTreeMap<UnitId, Verdict>) {
        let mut ahead = units;
        while let Some(unit) = ahead.pop() {
            // What one that stays names was gone through when that was found, and is not found unneeded after it.
            if verdicts.insert(unit, Verdict::Stays) == Some(Verdict::Stays) {
                continue;
            }
            let exhausted = |other: &UnitId| verdicts.get(other) == Some(&Verdict::Exhausted);
            ahead.extend(self.graph.names_of(unit).filter(exhausted));
        }
    }

    fn forget(&mut self, units: &BTreeSet<UnitId>) {
        for unit in units {
            let config = std::sync::Arc::clone(self.graph.config(*unit));
            let untouched = Unit::new(&config);
            let old = std::mem::replace(&mut self.units[unit.index()], Unit::vacant());
            self.set_alarm(Alarm::Unit(*unit), old.deadline, None);
            self.unlist_names(*unit, &config);
            self.blocked.remove(unit);
            self.pen.dirty_units.remove(unit);
            self.pen.changed_units.remove(unit);
            if old.state != untouched.state || old.life != untouched.life {
                self.write(Key::Unit(config.name.clone()), None);
            }
            if self.graph.knowledge(*unit) == Knowledge::Loaded {
                self.announce(Announcement::UnitRemoved(config.name.clone()));
            }
            self.remember(config.name.clone(), old.life.turns);
        }
        self.graph.forget(units);
    }
}

impl Queues {
    /// No unit is to be looked at for any other reason.
    pub(crate) fn are_at_rest(&self) -> bool {
        let Queues { ready, suspects, upheld, bound, unneeded, triggers, wishes, loose: _ } = self;
        [upheld, bound, unneeded].iter().all(|units| units.is_empty())
            && ready.is_empty()
            && suspects.is_empty()
            && triggers.is_empty()
            && wishes.is_empty()
    }
}
