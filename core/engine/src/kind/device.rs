//! Devices: without udev none is ever seen, so a wish for one can only be refused. systemd.device(5).

use super::{Cx, Input, Level};
use crate::api::{ActiveState, ServiceResult};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
}

impl State {
    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
        }
    }
}

pub(super) fn step(state: State, input: Input, cx: &mut Cx) -> State {
    match input {
        Input::Start => {
            cx.unsupported(Level::Notice, "device units are not supported: nobody reports devices here");
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
