//! What kinds without processes of their own are asked; nothing that happens elsewhere is anything to them.

use super::{Cx, Input};
use crate::api::ServiceResult;

pub(super) enum Wish {
    Start,
    Stop,
    Reload,
}

impl Wish {
    /// `None`: there is nothing to decide.
    pub(super) fn heard(input: Input, cx: &mut Cx) -> Option<Wish> {
        match input {
            Input::Start => Some(Wish::Start),
            Input::Stop(_) => Some(Wish::Stop),
            Input::Reload => Some(Wish::Reload),
            Input::ResetFailed => {
                cx.history.result = ServiceResult::Success;
                None
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
            | Input::Triggered(_) => None,
        }
    }
}
