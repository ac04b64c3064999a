//! The kinds of unit: how one unit lives, whatever surrounds it.
//!
//! ```text
//!   step(state, input, config, cx) -> state        deadline(state), processes(state), waiting_for(state) …
//! ```
//!
//! A kind hears wishes (start, stop, reload) and facts about its own unit; it answers by giving orders to
//! [`Cx`] and by becoming another state. It sees no other unit, no job and no clock. All that it waits for
//! can be read off its state: its deadline, its processes, the orders that have not been answered; so a
//! state written down is enough for a new engine to go on.
//!
//! What outlives a state (the last result, how each command ended) is the unit's [`History`], kept beside it.

pub mod cleaning;
mod control;
mod cx;
pub mod device;
mod history;
mod input;
pub mod mount;
pub mod scope;
pub mod service;
mod setup;
pub mod slice;
pub mod socket;
pub mod target;
pub mod unserved;
mod wish;
mod words;

#[cfg(test)]
mod tests;

pub use cx::{Cx, Effects, HealthNews, Level, ProcessIds, ReloadOutcome, Reply, Restarts, Run, WentDown};
pub use history::{CommandRecord, History, MainRecord, NotifyState, Triggers};
pub use input::{HealthInput, Input, Presence, StopFor, Triggered};
pub(crate) use words::trouble;

use crate::api::{Action, ActiveState, Moment, ProcId, Trouble};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::specifier::path_of;
use serde::{Deserialize, Serialize};

/// Where a unit is in its life, by kind. Written down after each step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Service(service::State),
    Socket(socket::State),
    Target(target::State),
    Slice(slice::State),
    Scope(scope::State),
    Mount(mount::State),
    Device(device::State),
    /// Timers, paths, automounts and swaps: known, not acted on yet.
    Unserved(unserved::State),
    /// Of any kind: what it keeps on disk is being removed.
    Cleaning(cleaning::State),
}

/// A process a state owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub id: ProcId,
    pub stage: Stage,
}

/// What has been heard of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Ordered; nothing has been heard of it.
    Asked,
    /// It is there.
    Spawned,
}

/// Whether a state is one that perhaps is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perhaps {
    Stops,
    Not,
}

/// One step of one unit.
pub fn step(state: State, input: Input, config: &Config, cx: &mut Cx) -> State {
    if let Input::Clean(what) = input {
        return cleaning::begin(state, what, config, cx);
    }
    match state {
        State::Cleaning(state) => cleaning::step(state, input, config, cx),
        State::Service(state) => State::Service(match config.service() {
            Some(service) => service::step(state, input, service, cx),
            None => state,
        }),
        State::Socket(state) => State::Socket(match config.socket() {
            Some(socket) => socket::step(state, input, socket, cx),
            None => state,
        }),
        State::Target(state) => State::Target(target::step(state, input, cx)),
        State::Slice(state) => State::Slice(slice::step(state, input, cx)),
        State::Scope(state) => State::Scope(scope::step(state, input, cx)),
        State::Mount(state) => State::Mount(match config.mount() {
            Some(mount) => mount::step(state, input, config, mount, cx),
            None => state,
        }),
        State::Device(state) => State::Device(device::step(state, input, cx)),
        State::Unserved(state) => State::Unserved(unserved::step(state, input, cx)),
    }
}

impl State {
    /// The state of a unit nobody has started yet. What is there before any job (`-.slice`, `init.scope`, a
    /// mount the host has) is said by inputs or what the kind says is perpetual.
    pub fn initial(config: &Config) -> State {
        match &config.body {
            Body::Service(_) => State::Service(service::State::Dead),
            Body::Socket(_) => State::Socket(socket::State::Dead),
            Body::Target => State::Target(target::State::Dead),
            Body::Slice => State::Slice(slice::State::initial(&config.name)),
            Body::Scope => State::Scope(scope::State::initial(&config.name)),
            Body::Mount(_) => State::Mount(mount::State::initial(&config.name)),
            Body::Device => State::Device(device::State::Dead),
            Body::Automount | Body::Swap(_) | Body::Timer | Body::Path => {
                State::Unserved(unserved::State::Dead)
            }
        }
    }

    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Service(state) => state.active_state(),
            State::Socket(state) => state.active_state(),
            State::Target(state) => state.active_state(),
            State::Slice(state) => state.active_state(),
            State::Scope(state) => state.active_state(),
            State::Mount(state) => state.active_state(),
            State::Device(state) => state.active_state(),
            State::Unserved(state) => state.active_state(),
            State::Cleaning(state) => state.active_state(),
        }
    }

    /// `SubState`, systemd's word.
    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Service(state) => state.sub_state(),
            State::Socket(state) => state.sub_state(),
            State::Target(state) => state.sub_state(),
            State::Slice(state) => state.sub_state(),
            State::Scope(state) => state.sub_state(),
            State::Mount(state) => state.sub_state(),
            State::Device(state) => state.sub_state(),
            State::Unserved(state) => state.sub_state(),
            State::Cleaning(state) => state.sub_state(),
        }
    }

    /// The instant (monotonic, microseconds) at which the unit wants to hear [`Input::Deadline`].
    pub fn deadline(&self) -> Option<u64> {
        match self {
            State::Service(state) => state.deadline(),
            State::Socket(state) => state.deadline(),
            State::Mount(state) => state.deadline(),
            State::Cleaning(state) => state.deadline(),
            State::Target(_) | State::Slice(_) | State::Scope(_) | State::Device(_) | State::Unserved(_) => {
                None
            }
        }
    }

    /// What those that trigger this unit are to hear; `None`: it is on its way, nothing yet. A service that
    /// waits for its restart, or that only has leftovers to end, counts as down: the next knock is for its successor.
    pub fn for_triggers(&self) -> Option<Triggered> {
        let down = match self {
            State::Service(state) => return state.for_triggers(),
            State::Socket(_)
            | State::Target(_)
            | State::Slice(_)
            | State::Scope(_)
            | State::Mount(_)
            | State::Device(_)
            | State::Unserved(_)
            | State::Cleaning(_) => self.active_state(),
        };
        match down {
            ActiveState::Inactive | ActiveState::Failed => Some(Triggered::Inactive),
            ActiveState::Active
            | ActiveState::Reloading
            | ActiveState::Activating
            | ActiveState::Deactivating
            | ActiveState::Maintenance => None,
        }
    }

    /// Whether the unit is going down only if it has processes left: nobody is told before that is known, for with none
    /// left it is down at once.
    pub fn stops_perhaps(&self) -> Perhaps {
        match self {
            State::Service(state) => state.stops_perhaps(),
            State::Socket(_)
            | State::Target(_)
            | State::Slice(_)
            | State::Scope(_)
            | State::Mount(_)
            | State::Device(_)
            | State::Cleaning(_)
            | State::Unserved(_) => Perhaps::Not,
        }
    }

    /// The processes the state owns: facts about them go to this unit.
    pub fn processes(&self) -> Vec<Process> {
        [self.main(), self.control(), self.awaited_main(), self.probe()].into_iter().flatten().collect()
    }

    /// What is known of the health of a unit that is asked.
    pub fn health(&self) -> Option<&service::Health> {
        match self {
            State::Service(state) => state.health(),
            State::Socket(_)
            | State::Target(_)
            | State::Slice(_)
            | State::Scope(_)
            | State::Mount(_)
            | State::Device(_)
            | State::Unserved(_)
            | State::Cleaning(_) => None,
        }
    }

    /// Who asks, and whoever asked and is not gone.
    fn probe(&self) -> Option<Process> {
        self.health().and_then(service::Health::process)
    }

    /// The main process, once known: `MainPID`.
    pub fn main(&self) -> Option<Process> {
        match self {
            State::Service(state) => state.main(),
            State::Socket(_)
            | State::Target(_)
            | State::Slice(_)
            | State::Scope(_)
            | State::Mount(_)
            | State::Device(_)
            | State::Unserved(_)
            | State::Cleaning(_) => None,
        }
    }

    /// The command running beside the main process: `ControlPID`.
    pub fn control(&self) -> Option<Process> {
        match self {
            State::Service(state) => state.control(),
            State::Socket(state) => state.control(),
            State::Mount(state) => state.control(),
            State::Target(_)
            | State::Slice(_)
            | State::Scope(_)
            | State::Device(_)
            | State::Unserved(_)
            | State::Cleaning(_) => None,
        }
    }

    /// The id under which a main process is being looked for.
    fn awaited_main(&self) -> Option<Process> {
        match self {
            State::Service(state) => state.awaited_main(),
            State::Socket(_)
            | State::Target(_)
            | State::Slice(_)
            | State::Scope(_)
            | State::Mount(_)
            | State::Device(_)
            | State::Unserved(_)
            | State::Cleaning(_) => None,
        }
    }

    /// The orders whose answers the state waits for, under the same ids, to be given again after a crash.
    /// Spawns are among them only while nothing has been heard of the process (or its exec is awaited).
    pub fn waiting_for(&self, config: &Config, cx: &Cx) -> Vec<Action> {
        match self {
            State::Service(state) => {
                config.service().map_or(Vec::new(), |service| state.waiting_for(service, cx))
            }
            State::Socket(state) => {
                config.socket().map_or(Vec::new(), |socket| state.waiting_for(socket, cx))
            }
            State::Mount(state) => {
                config.mount().map_or(Vec::new(), |mount| state.waiting_for(config, mount, cx))
            }
            State::Cleaning(state) => state.waiting_for(cx.unit),
            State::Target(_) | State::Slice(_) | State::Scope(_) | State::Device(_) | State::Unserved(_) => {
                Vec::new()
            }
        }
    }
}

/// What took longer than which directive allows, as a clause; `None`: a deadline that is no trouble.
pub fn overdue(state: &State, config: &Config, now: Moment) -> Option<String> {
    match state {
        State::Service(state) => service::overdue(state, config.service()?, now.monotonic),
        State::Socket(state) => state.overdue(config.socket()?),
        State::Mount(state) => state.overdue(config.mount()?),
        State::Cleaning(_) => {
            Some(words::limit("removing its directories", "TimeoutCleanSec", config.exec()?.timeout_clean))
        }
        State::Target(_) | State::Slice(_) | State::Scope(_) | State::Device(_) | State::Unserved(_) => None,
    }
}

/// The exit code of a step that goes before what the unit's own process does.
const RESOURCES: u8 = 1;

/// Why a process never came to be, as a clause: which program, at which step, and what the kernel said.
pub fn unborn(process: ProcId, trouble: &Trouble, config: &Config, history: &History) -> String {
    words::unborn(program(process, config, history), trouble)
}

/// Why a process never became its program, likewise.
pub fn not_set_up(process: ProcId, code: u8, errno: i32, config: &Config, history: &History) -> String {
    const TOO_MANY_LINKS: i32 = 40;
    let trouble = match config.mount() {
        // Of what goes before a mount, only its place refuses a link.
        Some(_) if (code, errno) == (RESOURCES, TOO_MANY_LINKS) => {
            Trouble { errno, step: format!("Where={}", path_of(&config.name)) }
        }
        Some(_) | None if code == RESOURCES => Trouble::errno(errno),
        Some(_) | None => setup::trouble(code, errno, config.exec()),
    };
    words::unborn(program(process, config, history), &trouble)
}

/// The program that a process was to become, of kinds that tell.
fn program<'c>(process: ProcId, config: &'c Config, history: &History) -> Option<&'c str> {
    match (config.service(), config.mount()) {
        (Some(service), _) => service::program(process, service, history),
        (None, Some(_)) => mount::program(process, history),
        (None, None) => None,
    }
}

/// Whether a reload job makes sense for the unit at all: `CanReload`.
pub fn can_reload(config: &Config) -> bool {
    match &config.body {
        Body::Service(service) => service::can_reload(service),
        Body::Mount(_) => true,
        Body::Socket(_)
        | Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => false,
    }
}
