//! Targets: a name for a moment, nothing runs. systemd.target(5).

use super::wish::Wish;
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
    let Some(wish) = Wish::heard(input, cx) else { return state };
    match wish {
        Wish::Start => match state {
            State::Dead => {
                cx.history.result = ServiceResult::Success;
                cx.begin();
                State::Active
            }
            State::Active => state,
        },
        Wish::Stop => State::Dead,
        // It is passed on to others; here nothing is to be done.
        Wish::Reload => state,
    }
}
