//! `[X-Health]`: a service that is up is asked whether it is well, and its answers may end it. docs/reference/extensions.md.
//!
//! ```text
//!   Due ─► Asking (one check after the other) ─► Due …        Held while it is frozen
//!             └─► Ending (a command that gets SIGKILL) ─► Due
//! ```
//!
//! What is asked is given up whenever the state that asked goes: [`give_up`] compares before and after, so no way out
//! of a state has to think of it. An answer to what was given up finds no owner.

mod answer;
mod ask;
mod change;

pub(super) use answer::{command_ended, deadline, ended_at_gate, hear, setup_failed};
pub(super) use ask::unanswered;

use super::super::control::KILL;
use super::super::{Cx, HealthInput, Input, Process, Stage};
use super::{PostControl, Reload, StartPost, State, Up, after};
use crate::api::{Action, Moment, ProcId};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::health::{Gate, Health as Settings};
use serde::{Deserialize, Serialize};

/// What is known of the health of a service that is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub verdict: Verdict,
    /// Since when it is that.
    pub since: Moment,
    /// Probes that failed one after the other, and count.
    pub failures: u32,
    /// Those that do not count: at the gate, and within the start period.
    pub in_vain: u32,
    /// Until then (monotonic) failures do not count.
    pub grace: u64,
    pub turn: Turn,
    /// What the last probe came to, if it failed.
    pub trouble: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It has not been healthy yet.
    Starting,
    Healthy,
    Unhealthy,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Starting => "starting",
            Verdict::Healthy => "healthy",
            Verdict::Unhealthy => "unhealthy",
        }
    }
}

/// Where the asking is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turn {
    /// The next probe begins at the instant.
    Due(u64),
    /// The check of this number is under way.
    Asking { probe: Probe, check: u32, failure: Failure, until: u64 },
    /// A command that failed is not gone yet; nothing is asked before it is.
    Ending { process: Process, next: u64 },
    /// The service is frozen.
    Held,
}

/// What a failure of a probe is worth: known when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    Counts,
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// By the host, over the network.
    Net(ProcId),
    Command(Process),
}

impl Probe {
    pub(in crate::kind) fn process(self) -> Process {
        match self {
            Probe::Net(id) => Process { id, stage: Stage::Asked },
            Probe::Command(process) => process,
        }
    }
}

impl Health {
    fn new(gate: Gate, settings: &Settings, cx: &Cx) -> Health {
        let now = cx.now.monotonic;
        let grace = after(cx, settings.start_period).unwrap_or(u64::MAX);
        let at_once = gate == Gate::Start || grace > now;
        let first = if at_once { now } else { now.saturating_add(settings.interval.0) };
        Health {
            verdict: Verdict::Starting,
            since: cx.now,
            failures: 0,
            in_vain: 0,
            grace,
            turn: Turn::Due(first),
            trouble: None,
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match &self.turn {
            Turn::Due(at) => Some(*at),
            Turn::Asking { until, .. } => Some(*until),
            Turn::Ending { next, .. } => Some(*next),
            Turn::Held => None,
        }
    }

    /// What has been asked and not been answered.
    fn asking(&self) -> Option<Probe> {
        match &self.turn {
            Turn::Asking { probe, .. } => Some(*probe),
            Turn::Due(_) | Turn::Ending { .. } | Turn::Held => None,
        }
    }

    /// Under which number something is being asked, or has yet to end.
    pub fn pending(&self) -> Option<ProcId> {
        self.process().map(|process| process.id)
    }

    /// What facts may still come of.
    pub(in crate::kind) fn process(&self) -> Option<Process> {
        match &self.turn {
            Turn::Asking { probe, .. } => Some(probe.process()),
            Turn::Ending { process, .. } => Some(*process),
            Turn::Due(_) | Turn::Held => None,
        }
    }
}

/// The service has started: it is asked from now on.
pub(super) fn begin(up: Up, gate: Gate, service: &Service, cx: &Cx) -> Up {
    let health = match (&service.health, up.health) {
        (Some(settings), None) => Some(Box::new(Health::new(gate, settings, cx))),
        (Some(_), known @ Some(_)) => known,
        (None, _) => None,
    };
    Up { health, ..up }
}

/// Whether a service waits to be healthy before it is up.
pub(super) fn gate(service: &Service) -> Gate {
    service.health.as_ref().map_or(Gate::Nothing, |settings| settings.gate)
}

pub(super) fn deadline_of(up: &Up) -> Option<u64> {
    up.health.as_ref().and_then(|health| health.deadline())
}

impl State {
    pub fn health(&self) -> Option<&Health> {
        match self {
            State::StartPost(StartPost { up, .. })
            | State::Running(up)
            | State::Reload(Reload { up, .. }) => up.health.as_deref(),
            State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::Exited
            | State::Stop { .. }
            | State::Killing(_)
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    fn health_of_mut(&mut self) -> Option<&mut Option<Box<Health>>> {
        match self {
            State::StartPost(StartPost { up, .. })
            | State::Running(up)
            | State::Reload(Reload { up, .. }) => Some(&mut up.health),
            State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::Exited
            | State::Stop { .. }
            | State::Killing(_)
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    fn health_mut(&mut self) -> Option<&mut Health> {
        self.health_of_mut().and_then(Option::as_deref_mut)
    }

    fn is_at_gate(&self) -> bool {
        matches!(self, State::StartPost(StartPost { control: PostControl::Health { .. }, .. }))
    }

    fn asking(&self) -> Option<Probe> {
        self.health().and_then(Health::asking)
    }

    pub(super) fn health_turn(&self) -> Option<Turn> {
        self.health().map(|health| health.turn.clone())
    }

    fn command_asking(&self) -> Option<Process> {
        match self.asking()? {
            Probe::Command(process) => Some(process),
            Probe::Net(_) => None,
        }
    }
}

/// The process an input is about, which it says the last word of.
pub(super) fn last_word(input: &Input) -> Option<ProcId> {
    match input {
        Input::Health(HealthInput::Probed { process, .. })
        | Input::SpawnFailed { process, .. }
        | Input::Exited { process, .. } => Some(*process),
        Input::Start
        | Input::StartLimitHit
        | Input::Stop(_)
        | Input::Reload
        | Input::ResetFailed
        | Input::Clean(_)
        | Input::Spawned { .. }
        | Input::SetupFailed { .. }
        | Input::Executed { .. }
        | Input::MainFound { .. }
        | Input::MainMissing { .. }
        | Input::Notified { .. }
        | Input::Occupancy(_)
        | Input::SocketsOpened(_)
        | Input::SocketReady
        | Input::BusName(_)
        | Input::Mount(_)
        | Input::OutOfMemory
        | Input::Cleaned(_)
        | Input::Deadline
        | Input::Health(HealthInput::Freezer(_) | HealthInput::Reconfigured | HealthInput::Recovered)
        | Input::RestartRefused
        | Input::TriggerRefused
        | Input::Triggered(_) => None,
    }
}

/// Whether an input is about the unit's health alone.
pub(super) fn is_concerned(state: &State, input: &Input, cx: &Cx) -> bool {
    match input {
        Input::Health(_) => true,
        Input::SpawnFailed { process, .. }
        | Input::SetupFailed { process, .. }
        | Input::Exited { process, .. }
        | Input::Spawned { process }
        | Input::Executed { process } => asks(state, *process),
        Input::Deadline => state.deadline_but_health().is_none_or(|instant| instant > cx.now.monotonic),
        Input::Start
        | Input::StartLimitHit
        | Input::Stop(_)
        | Input::Reload
        | Input::ResetFailed
        | Input::Clean(_)
        | Input::MainFound { .. }
        | Input::MainMissing { .. }
        | Input::Notified { .. }
        | Input::Occupancy(_)
        | Input::SocketsOpened(_)
        | Input::SocketReady
        | Input::BusName(_)
        | Input::Mount(_)
        | Input::OutOfMemory
        | Input::Cleaned(_)
        | Input::RestartRefused
        | Input::TriggerRefused
        | Input::Triggered(_) => false,
    }
}

/// After a step: what was being asked and is no longer, and was not just answered, is given up. A command that is still to end
/// when nobody waits for that any more gets SIGKILL (again).
pub(super) fn give_up(before: Option<Turn>, said: Option<ProcId>, state: &State, cx: &mut Cx) {
    let now = state.health().map(|health| &health.turn);
    let (id, gone) = match (&before, now) {
        (Some(Turn::Asking { probe, .. }), Some(Turn::Asking { probe: now, .. })) => {
            (probe.process().id, probe.process().id != now.process().id)
        }
        (Some(Turn::Asking { probe, .. }), _) => (probe.process().id, true),
        (Some(Turn::Ending { process, .. }), Some(Turn::Ending { process: now, .. })) => {
            (process.id, process.id != now.id)
        }
        (Some(Turn::Ending { process, .. }), _) => (process.id, true),
        (Some(Turn::Due(_) | Turn::Held) | None, _) => return,
    };
    if !gone || said == Some(id) {
        return;
    }
    match before {
        Some(Turn::Asking { probe: Probe::Net(process), .. }) => cx.order(Action::StopProbe { process }),
        Some(Turn::Asking { probe: Probe::Command(_), .. } | Turn::Ending { .. }) => {
            cx.order(Action::Signal { process: id, signal: KILL });
        }
        Some(Turn::Due(_) | Turn::Held) | None => {}
    }
}

/// The process that asks is there.
pub(super) fn spawned(state: &mut State) {
    let Some(health) = state.health_mut() else { return };
    match &mut health.turn {
        Turn::Asking { probe: Probe::Command(process), .. } | Turn::Ending { process, .. } => {
            process.stage = Stage::Spawned;
        }
        Turn::Asking { probe: Probe::Net(_), .. } | Turn::Due(_) | Turn::Held => {}
    }
}

/// Whether the process is one that asks.
pub(super) fn asks(state: &State, id: ProcId) -> bool {
    state.health().and_then(Health::process).is_some_and(|process| process.id == id)
}
