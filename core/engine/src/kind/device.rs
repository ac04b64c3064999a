//! Devices: without udev none is ever seen, so a wish for one can only be refused. systemd.device(5).

use super::wish::Wish;
use super::{Cx, Input, Level};
use crate::api::ActiveState;
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
    let Some(wish) = Wish::heard(input, cx) else { return state };
    match wish {
        Wish::Start => {
            cx.unsupported(Level::Notice, "device units are not supported: nobody reports devices here");
            state
        }
        Wish::Stop => state,
        // It is passed on to others; here nothing is to be done.
        Wish::Reload => state,
    }
}
