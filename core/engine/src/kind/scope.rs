//! Scopes: processes somebody else started. Only the manager's own (`init.scope`) is here; the others want a
//! way to adopt foreign processes. systemd.scope(5).

use super::wish::Wish;
use super::{Cx, Input, Level};
use crate::api::ActiveState;
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
    let Some(wish) = Wish::heard(input, cx) else { return state };
    match wish {
        Wish::Start => {
            match state {
                State::Dead => cx.unsupported(Level::Notice, "a scope can't be started from a unit file"),
                State::Perpetual => {}
            }
            state
        }
        Wish::Stop => state,
        // It is passed on to others; here nothing is to be done.
        Wish::Reload => state,
    }
}
