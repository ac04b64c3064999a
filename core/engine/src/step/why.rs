//! What is noted of a change for those who ask why.

use crate::api::{ActiveState, JobKind};
use crate::engine::Engine;
use crate::graph::{Facets, UnitId, Word};
use crate::job::algebra::is_down;
use crate::kind::{self, History};
use crate::limits;
use crate::why::{Errand, What, Which};
use eudaemon_unit::config::Config;

/// What an input says, before the kind has heard it.
pub(super) fn told_by(input: &kind::Input, state: &kind::State, config: &Config, history: &History) -> What {
    match input {
        kind::Input::Start => What::Job(JobKind::Start),
        kind::Input::Stop(kind::StopFor::Stop) => What::Job(JobKind::Stop),
        kind::Input::Stop(kind::StopFor::Restart) => What::Job(JobKind::Restart),
        kind::Input::Reload => What::Job(JobKind::Reload),
        kind::Input::StartLimitHit => What::StartLimit,
        kind::Input::ResetFailed => What::Reset,
        kind::Input::SpawnFailed { errno, .. } => What::ForkFailed(*errno),
        kind::Input::SetupFailed { code, errno, .. } => What::SetupFailed(*code, *errno),
        kind::Input::Exited { process, status } => {
            let which = match history.commands.iter().find(|run| run.process == *process) {
                _ if state.main().is_some_and(|main| main.id == *process) => Which::Main,
                Some(run) => Which::Command(run.phase),
                None => Which::Other,
            };
            What::Exited(which, *status)
        }
        kind::Input::MainMissing { .. } => What::MainMissing,
        kind::Input::Notified { .. } => What::Notified,
        kind::Input::Occupancy(_) => What::Empty,
        kind::Input::SocketsOpened(Err(trouble)) => What::SocketsFailed(trouble.errno),
        kind::Input::BusName(owner) => What::BusName(*owner),
        kind::Input::Mount(_) => What::Host,
        kind::Input::OutOfMemory => What::OutOfMemory,
        kind::Input::Deadline => kind::start_waits_for(state, config).map_or(What::Deadline, What::Overdue),
        kind::Input::SocketsOpened(Ok(()))
        | kind::Input::Clean(_)
        | kind::Input::Cleaned(_)
        | kind::Input::SocketReady
        | kind::Input::Spawned { .. }
        | kind::Input::Executed { .. }
        | kind::Input::MainFound { .. }
        | kind::Input::Triggered(_)
        | kind::Input::Health(_)
        | kind::Input::RestartRefused
        | kind::Input::TriggerRefused => What::Progress,
    }
}

impl Engine {
    pub(super) fn note_turn(&mut self, unit: UnitId, from: ActiveState, to: ActiveState, what: What) {
        // A fact needs nobody to want it.
        let errand = if matches!(what, What::Job(_)) { self.errand_of(unit) } else { None };
        let now = self.now;
        self.unit_mut(unit).life.turns.note(now, from, to, what, errand);
    }

    /// A start of the unit came to nothing, and why. The first word on it counts.
    pub(super) fn note_vain_start(&mut self, unit: UnitId, what: What) {
        let (now, state) = (self.now, self.unit(unit).active());
        let known = self.unit(unit).life.turns.down.as_ref();
        if !is_down(state) || known.is_some_and(|turn| turn.ended.monotonic == now.monotonic) {
            return;
        }
        let errand = self.errand_of(unit);
        let turns = &mut self.unit_mut(unit).life.turns;
        turns.down = None;
        turns.note(now, ActiveState::Activating, state, what, errand);
    }

    fn errand_of(&self, unit: UnitId) -> Option<Errand> {
        let job = self.unit(unit).job.and_then(|id| self.jobs.get(&id));
        job.map(|job| job.facts.errand.clone())
    }

    /// The word of `unit` for `other` that is of one of these facets.
    pub(super) fn word_for(&self, unit: UnitId, facets: Facets, other: UnitId) -> Option<Word> {
        let mut words = self.graph.dependencies(unit);
        words.find(|(word, to)| *to == other && word.facets().any(facets)).map(|(word, _)| word)
    }
}

/// A line of a unit file as far as it is kept.
pub(super) fn short(mut text: String) -> String {
    let end = (0..=limits::TOLD_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}
