//! `ExitCodeFrom=`: the end of a unit is the end of the container. Everything is stopped in order, and the exit code is the one the
//! container would have if the unit's main process were its only one.

use crate::api::{ActiveState, ExitStatus, JobKind, JobResult};
use crate::engine::{Engine, ExitMeans};
use crate::graph::UnitId;
use crate::job::algebra::is_down;
use crate::why::Root;

/// What a container's exit code is beyond the number of the signal that ended it.
const BY_SIGNAL: i32 = 128;
/// A failure that has no code of its own.
const FAILED: u8 = 1;

impl Engine {
    /// The unit went down, and no restart by itself follows.
    pub(super) fn went_down(&mut self, unit: UnitId) {
        let next = self.unit(unit).job.and_then(|job| self.jobs.get(&job));
        let comes_again = next.is_some_and(|job| match job.facts.kind {
            JobKind::Start | JobKind::Restart | JobKind::TryRestart | JobKind::ReloadOrStart => true,
            JobKind::Stop | JobKind::VerifyActive | JobKind::Reload | JobKind::TryReload | JobKind::Nop => {
                false
            }
        });
        if !comes_again {
            self.end_with(unit, self.code_of(unit));
        }
    }

    /// A job of the unit ended: a start that came to nothing is an end too.
    pub(super) fn did_not_come_up(&mut self, unit: UnitId, kind: JobKind, result: JobResult) {
        let in_vain = match result {
            JobResult::Dependency
            | JobResult::Assert
            | JobResult::Timeout
            | JobResult::Unsupported
            | JobResult::Invalid => true,
            // What the unit itself did is heard of when it goes down.
            JobResult::Failed
            | JobResult::Done
            | JobResult::Canceled
            | JobResult::Skipped
            | JobResult::Collected
            | JobResult::Once => false,
        };
        // A unit that failed said so; one that is as it was never began.
        let never_began = result == JobResult::Failed && self.unit(unit).active() == ActiveState::Inactive;
        if (in_vain || never_began) && kind == JobKind::Start && self.unit(unit).is_down() {
            self.end_with(unit, FAILED);
        }
    }

    fn end_with(&mut self, unit: UnitId, code: u8) {
        let Some(by) = self.asks_for_code_of(unit) else { return };
        let name = self.graph.name(unit).clone();
        let key = format!("ExitCodeFrom= in {}", self.graph.name(by));
        if self.settings.exit == ExitMeans::PowerOff {
            return self.say(
                Some(unit),
                5,
                format!("{name}: it ended, this is no container that would end with it ({key})"),
            );
        }
        if !self.is_ending() {
            self.counters.exit_code = Some(code);
            self.say(Some(unit), 6, format!("{name}: it ended, so everything ends with code {code} ({key})"));
            self.go_to("exit.target", Root::ExitCode(name));
        } else if self.counters.exit_code.is_none() {
            self.counters.exit_code = Some(code);
        }
    }

    /// A unit that names this one in `ExitCodeFrom=`.
    fn asks_for_code_of(&self, unit: UnitId) -> Option<UnitId> {
        let of_unit = self.exit_codes.iter().find(|(name, _)| self.graph.id(name) == Some(unit));
        of_unit.and_then(|(_, units)| units.first().copied())
    }

    fn code_of(&self, unit: UnitId) -> u8 {
        let history = &self.unit(unit).life.history;
        // What ended before the last run began tells nothing of it.
        let of_this_run = history.main.started.monotonic >= history.begun.monotonic;
        let code = match history.main.status.filter(|_| of_this_run) {
            Some(ExitStatus::Code(code)) => code,
            Some(ExitStatus::Signal(signal) | ExitStatus::Dumped(signal)) => {
                u8::try_from(BY_SIGNAL + signal).unwrap_or(u8::MAX)
            }
            Some(ExitStatus::Unknown) | None => 0,
        };
        match self.unit(unit).active() {
            ActiveState::Failed if code == 0 => FAILED,
            ActiveState::Failed
            | ActiveState::Inactive
            | ActiveState::Active
            | ActiveState::Reloading
            | ActiveState::Activating
            | ActiveState::Deactivating
            | ActiveState::Maintenance => code,
        }
    }
}

/// Whether a change of state is an end: of a run, or of what never became one.
pub(super) fn is_end(from: ActiveState, to: ActiveState) -> bool {
    is_down(to) && (!is_down(from) || to == ActiveState::Failed)
}
