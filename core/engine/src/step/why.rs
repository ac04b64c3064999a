//! What is noted of a change for those who ask why.

use crate::api::{ActiveState, JobId, JobKind, Moment, Phase, Refusal};
use crate::engine::Engine;
use crate::graph::{Facets, UnitId, Word};
use crate::job::algebra::is_down;
use crate::kind::mount::Says;
use crate::kind::{self, History, Presence};
use crate::limits;
use crate::transaction::Ask;
use crate::transaction::account::{Reason, account};
use crate::why::{Asker, Errand, Root, What, Which};
use eudaemon_unit::config::Config;

/// What an input says, before the kind has heard it.
pub(super) fn told_by(
    input: &kind::Input,
    state: &kind::State,
    config: &Config,
    history: &History,
    now: Moment,
) -> What {
    match input {
        kind::Input::Start => What::Job(JobKind::Start),
        kind::Input::Stop(kind::StopFor::Stop) => What::Job(JobKind::Stop),
        kind::Input::Stop(kind::StopFor::Restart) => What::Job(JobKind::Restart),
        kind::Input::Reload => What::Job(JobKind::Reload),
        kind::Input::StartLimitHit => What::StartLimit,
        kind::Input::ResetFailed => What::Reset,
        kind::Input::SpawnFailed { process, trouble } => {
            What::ForkFailed(short(kind::unborn(*process, trouble, config, history)))
        }
        kind::Input::SetupFailed { process, code, errno } => {
            let clause = kind::not_set_up(*process, *code, *errno, config, history);
            What::SetupFailed(*code, short(clause))
        }
        kind::Input::Exited { process, status } => {
            let which = match history.commands.iter().find(|run| run.process == *process) {
                _ if state.main().is_some_and(|main| main.id == *process) => Which::Main,
                Some(run) if !matches!(state, kind::State::Mount(_)) => Which::Command(run.phase),
                Some(run) if run.phase == Phase::Stop => Which::Unmount,
                Some(_) => Which::Mount,
                None => Which::Other,
            };
            What::Exited(which, *status)
        }
        kind::Input::MainMissing { .. } => What::MainMissing,
        kind::Input::Notified { .. } => What::Notified,
        kind::Input::Occupancy(_) => What::Empty,
        kind::Input::SocketsOpened(Err(trouble)) => What::SocketsFailed(short(kind::trouble(trouble))),
        kind::Input::BusName(owner) => What::BusName(*owner),
        kind::Input::Mount(presence) => mounted(state, *presence),
        kind::Input::OutOfMemory => What::OutOfMemory,
        kind::Input::Deadline => {
            kind::overdue(state, config, now).map_or(What::Progress, |clause| What::Overdue(short(clause)))
        }
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

fn mounted(state: &kind::State, presence: Presence) -> What {
    let says = if let kind::State::Mount(state) = state { state.says() } else { None };
    match (says, presence) {
        (None, _) => What::Host,
        (Some(Says::Mounted), Presence::Absent) => What::NothingMounted,
        (Some(Says::Mounted | Says::Otherwise), _) => What::Progress,
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
        let errand = self.errand_of(unit);
        self.note_vain_start_of(unit, what, errand);
    }

    /// No job of the unit came of what somebody wanted.
    pub(super) fn note_refusal(&mut self, ask: Ask, refusal: &Refusal, errand: Errand) {
        match ask.kind {
            JobKind::Start | JobKind::Restart | JobKind::ReloadOrStart => {}
            JobKind::Stop
            | JobKind::VerifyActive
            | JobKind::Reload
            | JobKind::TryRestart
            | JobKind::TryReload
            | JobKind::Nop => return,
        }
        let named = self.who_names(ask, refusal).unwrap_or_default();
        let what = What::Refused(short(format!("{}{named}", refusal.reason())));
        self.note_vain_start_of(ask.unit, what, Some(errand));
    }

    /// The unit that leads to what the request is refused for, where that is another, as a clause.
    fn who_names(&self, ask: Ask, refusal: &Refusal) -> Option<String> {
        match refusal {
            Refusal::NoSuchUnit(_)
            | Refusal::NotLoaded(_)
            | Refusal::Masked(_)
            | Refusal::BadSetting(_)
            | Refusal::Inconsistent { .. }
            | Refusal::LoadFailed { .. } => {}
            Refusal::OnlyByDependency { .. }
            | Refusal::NoIsolation(_)
            | Refusal::Destructive { .. }
            | Refusal::NotApplicable { .. }
            | Refusal::WrongMode { .. }
            | Refusal::Cyclic(_)
            | Refusal::Conflicting { .. }
            | Refusal::NoSuchJob(_)
            | Refusal::NoProcess { .. }
            | Refusal::NotSupported { .. }
            | Refusal::NotFrozen { .. }
            | Refusal::NotCleaned { .. }
            | Refusal::ShuttingDown
            | Refusal::Overloaded(_) => return None,
        }
        let jobs = account(&self.graph, self, ask).0.jobs;
        let Reason { by, word, .. } = jobs.first()?.reasons.first()?;
        let who = if by == self.graph.name(ask.unit) { "it" } else { by.as_str() };
        Some(match word {
            Some((word, writer)) if writer == by => format!(", which {who} names in {}=", word.property()),
            Some((word, _)) => format!(", which has {}={by}", word.property()),
            None => format!(", which {who} leads to"),
        })
    }

    /// Somebody takes back a start that is queued.
    pub(super) fn note_cancelled(&mut self, job: JobId, by: &Asker) {
        if let Some(job) = self.jobs.get(&job).filter(|job| job.facts.kind == JobKind::Start) {
            let errand = Errand::of(Root::Asked(by.clone()), self.now);
            self.note_vain_start_of(job.unit, What::Cancelled, Some(errand));
        }
    }

    pub(super) fn note_vain_start_of(&mut self, unit: UnitId, what: What, errand: Option<Errand>) {
        let (now, state) = (self.now, self.unit(unit).active());
        let known = self.unit(unit).life.turns.down.as_ref();
        if !is_down(state) || known.is_some_and(|turn| turn.ended.monotonic == now.monotonic) {
            return;
        }
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
        self.graph.ties(unit, facets).find(|(_, to)| *to == other).map(|(word, _)| word)
    }
}

/// A line of a unit file as far as it is kept.
pub(super) fn short(mut text: String) -> String {
    let end = (0..=limits::TOLD_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}
