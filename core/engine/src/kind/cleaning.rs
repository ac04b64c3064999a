//! `systemctl clean`: a unit that is down loses what it keeps on disk, and is in maintenance until that is gone.
//! systemctl(1), "clean"; `TimeoutCleanSec=` in systemd.exec(5). The same for every kind that has directories of its own;
//! afterwards the unit is down as it was before, or has failed.

use super::{Cx, Input, Level, Reply, Triggered};
use crate::api::{Action, ActiveState, Resource, ServiceResult};
use eudaemon_unit::config::exec::{Directories, Exec};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Removing {
        what: BTreeSet<Resource>,
        deadline: Option<u64>,
    },
    /// It took too long, or the unit is to stop: as little more as possible is removed.
    Stopped,
}

/// The unit's directories of a kind; descriptors are none.
pub fn directories(exec: &Exec, resource: Resource) -> Option<&Directories> {
    match resource {
        Resource::Runtime => Some(&exec.runtime_directory),
        Resource::State => Some(&exec.state_directory),
        Resource::Cache => Some(&exec.cache_directory),
        Resource::Logs => Some(&exec.logs_directory),
        Resource::Configuration => Some(&exec.configuration_directory),
        Resource::FdStore => None,
    }
}

/// Those of the kinds asked for of which the unit has a directory.
pub(crate) fn on_disk(config: &Config, asked: &BTreeSet<Resource>) -> BTreeSet<Resource> {
    let Some(exec) = config.exec() else { return BTreeSet::new() };
    let has = |resource: &Resource| {
        directories(exec, *resource).is_some_and(|directories| !directories.names.is_empty())
    };
    asked.iter().copied().filter(has).collect()
}

/// Whether the unit may be given descriptors to keep.
pub(crate) fn stores_fds(config: &Config) -> bool {
    config.service().is_some_and(|service| service.fd_store_max > 0)
}

/// Of a unit that is down: the engine has looked.
pub(super) fn begin(
    state: super::State,
    asked: BTreeSet<Resource>,
    config: &Config,
    cx: &mut Cx,
) -> super::State {
    if asked.contains(&Resource::FdStore) && stores_fds(config) {
        cx.order(Action::CloseStoredFds { unit: cx.unit.clone() });
    }
    let what = on_disk(config, &asked);
    if what.is_empty() {
        return state;
    }
    cx.history.clean_result = ServiceResult::Success;
    cx.order(Action::Clean { unit: cx.unit.clone(), what: what.clone() });
    let timeout = config.exec().map_or(Span::INFINITY, |exec| exec.timeout_clean);
    let deadline = (!timeout.is_infinite()).then(|| cx.now.monotonic.saturating_add(timeout.0));
    super::State::Cleaning(State::Removing { what, deadline })
}

pub(super) fn step(state: State, input: Input, config: &Config, cx: &mut Cx) -> super::State {
    match (input, state) {
        (Input::Start, state) => {
            cx.reply(Reply::Later);
            super::State::Cleaning(state)
        }
        (Input::Reload, state) => {
            cx.reply(Reply::Invalid);
            super::State::Cleaning(state)
        }
        (Input::Stop(_), State::Removing { .. }) => stop(cx),
        (Input::Deadline, State::Removing { .. }) => {
            cx.say(Level::Warning, format!("{}: cleaning takes too long, stopping it", cx.unit));
            fail(cx, ServiceResult::Timeout);
            stop(cx)
        }
        (Input::Cleaned(outcome), state) => {
            // It may have been mounted meanwhile.
            if let Body::Mount(_) = &config.body {
                cx.order(Action::LookAtMounts);
            }
            // systemd has a process do it, and takes that one's end for the unit's.
            let result = match (outcome, &state) {
                (Ok(()), State::Removing { .. } | State::Stopped) => return super::State::initial(config),
                (Err(trouble), State::Removing { .. }) => {
                    let text = format!("{}: not cleaned: {}: error {}", cx.unit, trouble.step, trouble.errno);
                    cx.say(Level::Warning, text);
                    fail(cx, ServiceResult::ExitCode);
                    ServiceResult::ExitCode
                }
                (Err(_), State::Stopped) => ServiceResult::Signal,
            };
            cx.history.fail(result);
            failed(config)
        }
        (
            Input::Stop(_)
            | Input::Deadline
            | Input::StartLimitHit
            | Input::ResetFailed
            | Input::Clean(_)
            | Input::Spawned { .. }
            | Input::SpawnFailed { .. }
            | Input::Executed { .. }
            | Input::SetupFailed { .. }
            | Input::Exited { .. }
            | Input::MainFound { .. }
            | Input::MainMissing { .. }
            | Input::Notified { .. }
            | Input::Occupancy(_)
            | Input::SocketsOpened(_)
            | Input::SocketReady
            | Input::BusName(_)
            | Input::Mount(_)
            | Input::OutOfMemory
            | Input::RestartRefused
            | Input::TriggerRefused
            | Input::Health(_)
            | Input::Triggered(Triggered::Inactive | Triggered::StartLimitHit | Triggered::Active),
            state,
        ) => super::State::Cleaning(state),
    }
}

fn failed(config: &Config) -> super::State {
    match &config.body {
        Body::Service(_) => super::State::Service(super::service::State::Failed),
        Body::Socket(_) => super::State::Socket(super::socket::State::Failed),
        Body::Mount(_) => super::State::Mount(super::mount::State::Failed),
        Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => super::State::initial(config),
    }
}

fn stop(cx: &mut Cx) -> super::State {
    cx.order(Action::StopCleaning { unit: cx.unit.clone() });
    super::State::Cleaning(State::Stopped)
}

/// What went wrong first counts.
fn fail(cx: &mut Cx, result: ServiceResult) {
    if cx.history.clean_result == ServiceResult::Success {
        cx.history.clean_result = result;
    }
}

impl State {
    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Removing { .. } => ActiveState::Maintenance,
            State::Stopped => ActiveState::Deactivating,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Removing { .. } => "cleaning",
            State::Stopped => "final-sigkill",
        }
    }

    pub fn deadline(&self) -> Option<u64> {
        match self {
            State::Removing { what: _, deadline } => *deadline,
            State::Stopped => None,
        }
    }

    pub fn waiting_for(&self, unit: &UnitName) -> Vec<Action> {
        let unit = unit.clone();
        match self {
            State::Removing { what, deadline: _ } => vec![Action::Clean { unit, what: what.clone() }],
            State::Stopped => vec![Action::StopCleaning { unit }],
        }
    }
}
