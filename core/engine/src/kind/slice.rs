//! Slices: the branches of the process tree in cgroups. systemd.slice(5).

use super::wish::Wish;
use super::{Cx, Input};
use crate::api::{Action, ActiveState, Directories, ServiceResult};
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Dead,
    Active,
    /// The root, and the one all services live in by default: there from the beginning, never stopped.
    Perpetual,
}

impl State {
    pub(super) fn initial(name: &UnitName) -> State {
        match name.as_str() {
            "-.slice" | "system.slice" => State::Perpetual,
            _other => State::Dead,
        }
    }

    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Active | State::Perpetual => ActiveState::Active,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Active | State::Perpetual => "active",
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
            State::Active | State::Perpetual => state,
        },
        Wish::Stop => match state {
            State::Active => {
                cx.order(Action::Release { unit: cx.unit.clone(), directories: Directories::Remove });
                State::Dead
            }
            State::Dead | State::Perpetual => state,
        },
        // It is passed on to others; here nothing is to be done.
        Wish::Reload => state,
    }
}
