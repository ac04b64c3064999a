//! Freezing and thawing: all processes of a unit are suspended, and go on where they were. systemctl(1), "freeze".
//!
//! A request is answered when the kernel says that it is done, unless a job comes first: whatever is to happen to a
//! unit, its processes have to be able to hear of it.

use crate::api::{Action, ActiveState, Answer, Freezer, NotFrozen, Refusal, RequestId, Trouble};
use crate::engine::Engine;
use crate::graph::{UnitId, Word};
use crate::kind;
use eudaemon_unit::config::LoadState;
use eudaemon_unit::name::{UnitKind, UnitName};
use serde::{Deserialize, Serialize};

/// `FreezerState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FreezerState {
    #[default]
    Running,
    Freezing,
    Frozen,
    Thawing,
}

impl FreezerState {
    fn towards(freezer: Freezer) -> FreezerState {
        match freezer {
            Freezer::Frozen => FreezerState::Freezing,
            Freezer::Running => FreezerState::Thawing,
        }
    }

    fn reached(freezer: Freezer) -> FreezerState {
        match freezer {
            Freezer::Frozen => FreezerState::Frozen,
            Freezer::Running => FreezerState::Running,
        }
    }

    pub(super) fn stands_still(self) -> bool {
        match self {
            FreezerState::Freezing | FreezerState::Frozen => true,
            FreezerState::Running | FreezerState::Thawing => false,
        }
    }

    /// What has been ordered and not yet been reported.
    pub(crate) fn awaited(self) -> Option<Freezer> {
        match self {
            FreezerState::Freezing => Some(Freezer::Frozen),
            FreezerState::Thawing => Some(Freezer::Running),
            FreezerState::Running | FreezerState::Frozen => None,
        }
    }
}

/// Which kinds have processes of their own, or of their units, in one place.
fn has_processes(unit: &UnitName) -> bool {
    match unit.kind() {
        UnitKind::Service | UnitKind::Scope | UnitKind::Slice => true,
        UnitKind::Socket
        | UnitKind::Target
        | UnitKind::Device
        | UnitKind::Mount
        | UnitKind::Automount
        | UnitKind::Swap
        | UnitKind::Timer
        | UnitKind::Path => false,
    }
}

impl Engine {
    /// A slice is frozen whole or not at all: not one that a unit without processes lies in, up or down.
    pub fn can_freeze(&self, name: &UnitName) -> bool {
        let whole =
            |unit| self.inside(unit, |_| true).iter().all(|member| has_processes(self.graph.name(*member)));
        has_processes(name) && self.graph.id(name).is_none_or(whole)
    }

    /// Answers at once where nothing has to be done, else when it is done.
    pub(super) fn wish_freezer(&mut self, request: RequestId, name: &UnitName, freezer: Freezer) {
        match self.set_freezer_of(name, freezer) {
            Ok(Some(unit)) => self.freezing.entry(unit).or_default().push((request, freezer)),
            Ok(None) => self.answer(request, Ok(Answer::Done)),
            Err(refusal) => self.answer(request, Err(refusal)),
        }
    }

    fn set_freezer_of(&mut self, name: &UnitName, freezer: Freezer) -> Result<Option<UnitId>, Refusal> {
        let unit = self.graph.id(name).ok_or_else(|| Refusal::NotLoaded(name.clone()))?;
        let of = self.unit(unit);
        let refused = |why| Err(Refusal::NotFrozen { unit: name.clone(), why });
        if !has_processes(name) {
            return refused(NotFrozen::Kind);
        } else if of.job.is_some() {
            return refused(NotFrozen::Busy);
        } else if self.graph.config(unit).load != LoadState::Loaded || of.active() != ActiveState::Active {
            return refused(NotFrozen::Inactive);
        } else if freezer == Freezer::Frozen && !self.can_freeze(name) {
            // Such is nearly every slice; to systemd it is no error to ask.
            self.say(Some(unit), 4, "not frozen: units without processes lie in this slice".to_owned());
            return Ok(None);
        }
        match (of.life.freezer, freezer) {
            (FreezerState::Freezing | FreezerState::Thawing, Freezer::Frozen)
            | (FreezerState::Thawing, Freezer::Running) => refused(NotFrozen::Underway),
            (FreezerState::Frozen, Freezer::Frozen) => Ok(None),
            // A slice that was thawed for one in it may have others that are frozen.
            (FreezerState::Running, Freezer::Running) if !self.holds_frozen(unit) => Ok(None),
            (FreezerState::Running, Freezer::Frozen | Freezer::Running)
            | (FreezerState::Frozen | FreezerState::Freezing, Freezer::Running) => {
                for member in self.members_of_slice(unit) {
                    self.set_freezer(member, freezer);
                }
                self.set_freezer(unit, freezer);
                if freezer == Freezer::Running {
                    self.thaw_slices_above(unit);
                }
                Ok(Some(unit))
            }
        }
    }

    /// What is active in a slice and can be frozen, and in the slices in it; nothing for other kinds.
    fn members_of_slice(&self, slice: UnitId) -> Vec<UnitId> {
        self.inside(slice, |member| has_processes(self.graph.name(member)) && !self.unit(member).is_down())
    }

    /// The units that count, of those in a slice and in the slices in it that count.
    fn inside(&self, slice: UnitId, counts: impl Fn(UnitId) -> bool) -> Vec<UnitId> {
        let mut members = vec![slice];
        for next in 0..self.graph.len() {
            let Some(unit) = members.get(next).copied() else { break };
            members.extend(self.graph.others(unit, Word::SliceOf).filter(|member| counts(*member)));
        }
        members.split_off(1)
    }

    fn holds_frozen(&self, slice: UnitId) -> bool {
        self.members_of_slice(slice).iter().any(|unit| self.unit(*unit).life.freezer != FreezerState::Running)
    }

    fn set_freezer(&mut self, unit: UnitId, freezer: Freezer) {
        self.unit_mut(unit).life.freezer = FreezerState::towards(freezer);
        let name = self.graph.name(unit).clone();
        self.order(Action::SetFreezer { unit: name, freezer });
        if freezer == Freezer::Frozen {
            self.tell_health(unit, freezer);
        }
    }

    /// What is suspended is not asked whether it is well.
    pub(super) fn tell_health(&mut self, unit: UnitId, freezer: Freezer) {
        let is_asked = self.unit(unit).state.as_ref().is_some_and(|state| state.health().is_some());
        if is_asked {
            self.step_unit(unit, kind::Input::Health(kind::HealthInput::Freezer(freezer)));
        }
    }

    /// Before anything else happens to the unit.
    pub(super) fn thaw_for_job(&mut self, unit: UnitId) {
        self.release_freezer(unit);
        self.thaw_slices_above(unit);
    }

    /// A process goes on only if no cgroup above it is frozen. What else is in such a slice was frozen by itself, and
    /// stays so.
    fn thaw_slices_above(&mut self, unit: UnitId) {
        let mut at = unit;
        for _ in 0..self.graph.len() {
            let Some(slice) = self.graph.others(at, Word::Slice).next() else { return };
            self.release_freezer(slice);
            at = slice;
        }
    }

    fn release_freezer(&mut self, unit: UnitId) {
        match self.unit(unit).life.freezer {
            FreezerState::Running | FreezerState::Thawing => {}
            FreezerState::Freezing | FreezerState::Frozen => self.set_freezer(unit, Freezer::Running),
        }
    }

    pub(super) fn freezer_set(&mut self, name: &UnitName, outcome: Result<Freezer, Trouble>) {
        let Some(unit) = self.graph.id(name) else { return };
        // The run may be over by now, or another order given.
        let Some(asked) = self.unit(unit).life.freezer.awaited() else { return };
        let (now, verdict) = match outcome {
            Ok(freezer) if asked != freezer => return,
            Ok(freezer) => (FreezerState::reached(freezer), Ok(freezer)),
            Err(trouble) => {
                let reason = format!("{}: error {}", trouble.step, trouble.errno);
                (FreezerState::Running, Err(Refusal::NotSupported { unit: name.clone(), reason }))
            }
        };
        self.unit_mut(unit).life.freezer = now;
        if now == FreezerState::Running {
            self.tell_health(unit, Freezer::Running);
        }
        self.answer_freezing(unit, &verdict);
    }

    /// The unit's run is over, and with it what was suspended.
    pub(super) fn freezer_released(&mut self, unit: UnitId) {
        if self.unit(unit).life.freezer != FreezerState::Running {
            self.unit_mut(unit).life.freezer = FreezerState::Running;
            self.answer_freezing(unit, &Ok(Freezer::Running));
        }
    }

    fn answer_freezing(&mut self, unit: UnitId, verdict: &Result<Freezer, Refusal>) {
        for (request, wanted) in self.freezing.remove(&unit).unwrap_or_default() {
            let outcome = match verdict {
                Ok(freezer) if *freezer == wanted => Ok(Answer::Done),
                Ok(_) => {
                    let unit = self.graph.name(unit).clone();
                    Err(Refusal::NotFrozen { unit, why: NotFrozen::Cancelled })
                }
                Err(refusal) => Err(refusal.clone()),
            };
            self.answer(request, outcome);
        }
    }
}
