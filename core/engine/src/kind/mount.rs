//! Mounts: observed, not made. A mount the host has is active; starting it then succeeds. systemd.mount(5).

use super::{Cx, Input, Level, Presence, Reply};
use crate::api::{ActiveState, ServiceResult};
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    Mounted,
    /// The root: there as long as anything is.
    Perpetual,
}

impl State {
    pub(super) fn initial(name: &UnitName) -> State {
        match name.as_str() {
            "-.mount" => State::Perpetual,
            _other => State::Dead,
        }
    }

    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Mounted | State::Perpetual => ActiveState::Active,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Mounted | State::Perpetual => "mounted",
        }
    }
}

pub(super) fn step(state: State, input: Input, cx: &mut Cx) -> State {
    match input {
        Input::Start => {
            match state {
                State::Dead => cx.unsupported(Level::Debug, "mounting is not supported yet"),
                State::Mounted | State::Perpetual => {}
            }
            state
        }
        Input::Stop(_) => {
            match state {
                State::Mounted => cx.unsupported(Level::Notice, "unmounting is not supported yet"),
                State::Dead | State::Perpetual => {}
            }
            state
        }
        Input::Mount(presence) => match (state, presence) {
            (State::Perpetual, Presence::Present | Presence::Absent) => State::Perpetual,
            (State::Dead | State::Mounted, Presence::Present) => State::Mounted,
            (State::Dead | State::Mounted, Presence::Absent) => State::Dead,
        },
        Input::Reload => {
            cx.reply(Reply::Invalid);
            state
        }
        Input::ResetFailed => {
            cx.history.result = ServiceResult::Success;
            state
        }
        Input::StartLimitHit
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
