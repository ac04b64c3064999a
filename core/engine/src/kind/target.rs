//! Targets: a name for a moment, nothing runs. systemd.target(5).

use super::{Cx, Input};
use crate::api::{ActiveState, ServiceResult};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    Active,
}

impl State {
    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Active => ActiveState::Active,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Active => "active",
        }
    }
}

pub(super) fn step(state: State, input: Input, cx: &mut Cx) -> State {
    match input {
        Input::Start => match state {
            State::Dead => {
                cx.history.result = ServiceResult::Success;
                cx.begin();
                State::Active
            }
            State::Active => state,
        },
        Input::Stop(_) => State::Dead,
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
