//! Scopes: processes somebody else started. Only the manager's own (`init.scope`) is here; the others want a
//! way to adopt foreign processes. systemd.scope(5).

use super::{Cx, Input, Level};
use crate::api::{ActiveState, ServiceResult};
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    /// There as long as the manager is.
    Perpetual,
}

impl State {
    pub(super) fn initial(name: &UnitName) -> State {
        match name.as_str() {
            "init.scope" => State::Perpetual,
            _other => State::Dead,
        }
    }

    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Perpetual => ActiveState::Active,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Perpetual => "running",
        }
    }
}

pub(super) fn step(state: State, input: Input, cx: &mut Cx) -> State {
    match input {
        Input::Start => {
            match state {
                State::Dead => cx.unsupported(Level::Notice, "a scope can't be started from a unit file"),
                State::Perpetual => {}
            }
            state
        }
        Input::Stop(_) => state,
        // It is passed on to others; here nothing is to be done.
        Input::Reload => state,
        Input::ResetFailed => {
            cx.history.result = ServiceResult::Success;
            state
        }
        Input::StartLimitHit
        | Input::Mount(_)
        | Input::Spawned { .. }
        | Input::SpawnFailed { .. }
        | Input::Executed { .. }
        | Input::SetupFailed { .. }
        | Input::Exited { .. }
        | Input::MainFound { .. }
        | Input::MainMissing { .. }
        | Input::Notified { .. }
        | Input::Occupancy(_)
        | Input::Clean(_)
        | Input::Cleaned(_)
        | Input::SocketsOpened(_)
        | Input::SocketReady
        | Input::BusName(_)
        | Input::OutOfMemory
        | Input::Deadline
        | Input::RestartRefused
        | Input::TriggerRefused
        | Input::Health(_)
        | Input::Triggered(_) => state,
    }
}
