//! How many are left of the unit's processes: the only word on those nobody waits for by name.

use super::super::control::{Blow, CONT};
use super::super::{Cx, Level};
use super::end::dead;
use super::process::{settle, spawn_control};
use super::start::{enter_ended, enter_start_post};
use super::stop::{blow, enter_stop, kill};
use super::{Cause, KillStep, Main, MayRestart, PostControl, Rest, StartPost, Starting, State};
use crate::api::{Action, Occupancy, Phase, ServiceResult};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::service::ServiceType;

/// How many are left of the unit's processes. Those the state names by themselves are heard of by themselves.
pub(super) fn occupancy(state: State, occupancy: Occupancy, service: &Service, cx: &mut Cx) -> State {
    match occupancy {
        Occupancy::Empty => empty(state, service, cx),
        Occupancy::Occupied => occupied(state, service, cx),
    }
}

fn occupied(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Start(Starting::Counting { deadline: _ }) => enter_start_post(Main::Unknown, service, cx),
        State::Killing(mut killing) => {
            if killing.rest == Rest::Asked {
                killing.rest = Rest::Left;
                let but = [killing.main.alive(), killing.control.map(|left| left.process)]
                    .into_iter()
                    .flatten()
                    .map(|process| process.id)
                    .collect();
                if blow(killing.step) != Blow::Kill {
                    cx.order(Action::SignalSet { unit: cx.unit.clone(), signal: CONT, but });
                }
            }
            State::Killing(killing)
        }
        State::Start(
            Starting::Launch { .. }
            | Starting::Await { .. }
            | Starting::Oneshot { .. }
            | Starting::Parent(_)
            | Starting::Finding { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn empty(state: State, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Start(Starting::Counting { deadline: _ }) => enter_start_post(Main::Gone, service, cx),
        State::Start(Starting::Finding { main, deadline }) => match main {
            Main::Sought { how: super::Sought::PidFile, .. } => {
                let main = no_pid_file(main, service, cx);
                kill(KillStep::StopSigterm, main, None, Cause::Itself, service, cx)
            }
            Main::Sought { .. } | Main::Unknown | Main::Alive(_) | Main::Gone => {
                State::Start(Starting::Finding { main, deadline })
            }
        },
        State::Start(Starting::Await { main, deadline }) => {
            let speaks = matches!(service.kind, ServiceType::Notify | ServiceType::NotifyReload);
            if main == Main::Gone && speaks {
                cx.history.fail(ServiceResult::Protocol);
                return kill(KillStep::StopSigterm, main, None, Cause::Itself, service, cx);
            }
            if main == Main::Gone {
                return enter_start_post(main, service, cx);
            }
            State::Start(Starting::Await { main, deadline })
        }
        State::StartPost(StartPost { up, control: PostControl::PidFile { .. } }) => {
            let main = no_pid_file(up.main, service, cx);
            enter_stop(main, Cause::Itself, service, cx)
        }
        State::StartPost(StartPost { up, control: PostControl::Health { deadline } }) => match up.main {
            Main::Unknown | Main::Gone => {
                super::health::ended_at_gate(super::Up { main: Main::Gone, ..up }, service, cx)
            }
            Main::Alive(_) | Main::Sought { .. } => {
                State::StartPost(StartPost { up, control: PostControl::Health { deadline } })
            }
        },
        State::Running(up) => match up.main {
            Main::Unknown | Main::Gone => enter_ended(Main::Gone, service, cx),
            Main::Alive(_) | Main::Sought { .. } => State::Running(up),
        },
        State::Killing(killing) => {
            if killing.main.alive().is_some() || killing.control.is_some() {
                return State::Killing(killing);
            }
            match killing.step {
                KillStep::StopWatchdog | KillStep::StopSigterm | KillStep::StopSigkill => {
                    match spawn_control(Phase::StopPost, 0, None, service.timeout_stop, service, cx) {
                        Some(control) => {
                            State::StopPost { main: killing.main, control, cause: killing.cause }
                        }
                        // Nothing was left, and nothing has been started since.
                        None => dead(MayRestart::Yes, killing.cause, service, cx),
                    }
                }
                KillStep::FinalWatchdog | KillStep::FinalSigterm | KillStep::FinalSigkill => {
                    dead(MayRestart::Yes, killing.cause, service, cx)
                }
            }
        }
        State::StartPost(StartPost { mut up, control: PostControl::Command(control) }) => {
            if up.main == Main::Unknown && service.pid_file.is_none() {
                up.main = Main::Gone;
            }
            State::StartPost(StartPost { up, control: PostControl::Command(control) })
        }
        State::Start(Starting::Launch { .. } | Starting::Oneshot { .. } | Starting::Parent(_))
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn no_pid_file(main: Main, service: &Service, cx: &mut Cx) -> Main {
    cx.say(Level::Warning, format!("{}: the daemon ended without writing its pid file", cx.unit));
    cx.history.fail(ServiceResult::Protocol);
    settle(main, service, cx)
}
