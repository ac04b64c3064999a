//! Timers, paths, automounts and swaps: read, shown, ordered; a wish to start one is refused with a line that
//! says so.

use super::wish::Wish;
use super::{Cx, Input, Level, Reply};
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
            cx.unsupported(Level::Debug, "this kind of unit is not supported yet");
            state
        }
        Wish::Stop => state,
        Wish::Reload => {
            cx.reply(Reply::Invalid);
            state
        }
    }
}
