//! What can be read off a service's state: the words clients see, the deadline, the processes, the orders that
//! nobody has answered.

use super::super::{Cx, Perhaps, Process, Stage, Triggered};
use super::{
    KillStep, Killing, Leftover, Main, Old, PostControl, Reload, Reloading, Rest, Runtime, StartPost,
    Starting, State, Up, earlier, health, process,
};
use crate::api::{Action, ActiveState, Phase};
use eudaemon_unit::config::Service;

impl State {
    pub fn active_state(&self) -> ActiveState {
        match self {
            State::Dead => ActiveState::Inactive,
            State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::StartPost(_)
            | State::AutoRestart { .. } => ActiveState::Activating,
            State::Running(_) | State::Exited => ActiveState::Active,
            State::Reload(_) => ActiveState::Reloading,
            State::Stop { .. } | State::Killing(_) | State::StopPost { .. } => ActiveState::Deactivating,
            State::Failed => ActiveState::Failed,
        }
    }

    pub fn sub_state(&self) -> &'static str {
        match self {
            State::Dead => "dead",
            State::Condition(_) => "condition",
            State::StartPre(_) => "start-pre",
            State::Start(_) => "start",
            State::StartPost(_) => "start-post",
            State::Running(_) => "running",
            State::Exited => "exited",
            State::Reload(reload) => match reload.by {
                Reloading::Command { .. } | Reloading::Itself { .. } => "reload",
                Reloading::Signalled { .. } => "reload-signal",
                Reloading::Notified { .. } => "reload-notify",
            },
            State::Stop { .. } => "stop",
            State::Killing(killing) => match killing.step {
                KillStep::StopWatchdog => "stop-watchdog",
                KillStep::StopSigterm => "stop-sigterm",
                KillStep::StopSigkill => "stop-sigkill",
                KillStep::FinalWatchdog => "final-watchdog",
                KillStep::FinalSigterm => "final-sigterm",
                KillStep::FinalSigkill => "final-sigkill",
            },
            State::StopPost { .. } => "stop-post",
            State::Failed => "failed",
            State::AutoRestart { .. } => "auto-restart",
        }
    }

    /// Signals went to whoever is left; whether that is anybody is not known yet.
    pub(in crate::kind) fn stops_perhaps(&self) -> Perhaps {
        match self {
            State::Killing(Killing { main, control: None, rest: Rest::Asked, .. })
                if main.alive().is_none() =>
            {
                Perhaps::Stops
            }
            State::Killing(_)
            | State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::StartPost(_)
            | State::Running(_)
            | State::Exited
            | State::Reload(_)
            | State::Stop { .. }
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. } => Perhaps::Not,
        }
    }

    pub(in crate::kind) fn for_triggers(&self) -> Option<Triggered> {
        match self {
            State::Dead | State::Failed | State::AutoRestart { .. } => Some(Triggered::Inactive),
            State::Running(_) => Some(Triggered::Active),
            State::Killing(killing) => match killing.step {
                KillStep::FinalSigterm | KillStep::FinalSigkill => Some(Triggered::Inactive),
                KillStep::StopWatchdog
                | KillStep::StopSigterm
                | KillStep::StopSigkill
                | KillStep::FinalWatchdog => None,
            },
            State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::StartPost(_)
            | State::Exited
            | State::Reload(_)
            | State::Stop { .. }
            | State::StopPost { .. } => None,
        }
    }

    pub(in crate::kind) fn deadline(&self) -> Option<u64> {
        match self {
            State::Dead | State::Exited | State::Failed => None,
            State::Condition(control) | State::StartPre(control) => control.deadline,
            State::Start(starting) => match starting {
                Starting::Launch { main: _ } => None,
                Starting::Await { main: _, deadline }
                | Starting::Oneshot { main: _, index: _, deadline }
                | Starting::Finding { main: _, deadline }
                | Starting::Counting { deadline } => *deadline,
                Starting::Parent(control) => control.deadline,
            },
            State::StartPost(post) => earlier(post.control.deadline(), post.up.deadline()),
            State::Running(up) => earlier(up.runtime.end(), up.deadline()),
            State::Reload(reload) => earlier(reload.by.deadline(), reload.up.deadline()),
            State::Stop { control, .. } | State::StopPost { control, .. } => control.deadline,
            State::Killing(killing) => killing.deadline,
            State::AutoRestart { at } => *at,
        }
    }

    /// As [`State::deadline`], but for what health wants.
    pub(super) fn deadline_but_health(&self) -> Option<u64> {
        match self {
            State::StartPost(post) => earlier(post.control.deadline(), post.up.watchdog),
            State::Running(up) => earlier(up.runtime.end(), up.watchdog),
            State::Reload(reload) => earlier(reload.by.deadline(), reload.up.watchdog),
            State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Start(_)
            | State::Exited
            | State::Stop { .. }
            | State::Killing(_)
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. } => self.deadline(),
        }
    }

    pub(in crate::kind) fn main(&self) -> Option<Process> {
        match self {
            State::Start(Starting::Launch { main } | Starting::Oneshot { main, .. }) => Some(*main),
            State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Start(
                Starting::Await { .. }
                | Starting::Parent(_)
                | Starting::Finding { .. }
                | Starting::Counting { .. },
            )
            | State::StartPost(_)
            | State::Running(_)
            | State::Exited
            | State::Reload(_)
            | State::Stop { .. }
            | State::Killing(_)
            | State::StopPost { .. }
            | State::Failed
            | State::AutoRestart { .. } => self.main_of().and_then(Main::alive),
        }
    }

    pub(in crate::kind) fn awaited_main(&self) -> Option<Process> {
        match self.main_of()? {
            Main::Sought { old: _, new, how: _ } => Some(Process { id: *new, stage: Stage::Spawned }),
            Main::Unknown | Main::Alive(_) | Main::Gone => None,
        }
    }

    /// The `Main` a state holds, where it holds one.
    pub(super) fn main_of(&self) -> Option<&Main> {
        match self {
            State::Start(Starting::Await { main, .. } | Starting::Finding { main, .. }) => Some(main),
            State::StartPost(post) => Some(&post.up.main),
            State::Running(up) => Some(&up.main),
            State::Reload(reload) => Some(&reload.up.main),
            State::Stop { main, .. } | State::StopPost { main, .. } => Some(main),
            State::Killing(killing) => Some(&killing.main),
            State::Start(
                Starting::Launch { .. }
                | Starting::Oneshot { .. }
                | Starting::Parent(_)
                | Starting::Counting { .. },
            )
            | State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Exited
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    pub(super) fn main_of_mut(&mut self) -> Option<&mut Main> {
        match self {
            State::Start(Starting::Await { main, .. } | Starting::Finding { main, .. }) => Some(main),
            State::StartPost(post) => Some(&mut post.up.main),
            State::Running(up) => Some(&mut up.main),
            State::Reload(reload) => Some(&mut reload.up.main),
            State::Stop { main, .. } | State::StopPost { main, .. } => Some(main),
            State::Killing(killing) => Some(&mut killing.main),
            State::Start(
                Starting::Launch { .. }
                | Starting::Oneshot { .. }
                | Starting::Parent(_)
                | Starting::Counting { .. },
            )
            | State::Dead
            | State::Condition(_)
            | State::StartPre(_)
            | State::Exited
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    pub(in crate::kind) fn control(&self) -> Option<Process> {
        match self {
            State::Condition(control)
            | State::StartPre(control)
            | State::Start(Starting::Parent(control))
            | State::Stop { control, .. }
            | State::StopPost { control, .. } => Some(control.process),
            State::StartPost(post) => match &post.control {
                PostControl::Command(control) => Some(control.process),
                PostControl::PidFile { .. } | PostControl::Health { .. } => None,
            },
            State::Reload(reload) => match &reload.by {
                Reloading::Command { control, .. } => Some(control.process),
                Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => None,
            },
            State::Killing(killing) => killing.control.map(|left| left.process),
            State::Start(
                Starting::Launch { .. }
                | Starting::Await { .. }
                | Starting::Oneshot { .. }
                | Starting::Finding { .. }
                | Starting::Counting { .. },
            )
            | State::Dead
            | State::Running(_)
            | State::Exited
            | State::Failed
            | State::AutoRestart { .. } => None,
        }
    }

    /// The main and control processes of a state that is given up.
    pub(super) fn parts(self) -> (Main, Option<Leftover>) {
        match self {
            State::Dead | State::Exited | State::Failed | State::AutoRestart { .. } => (Main::Gone, None),
            State::Condition(control) => (Main::Gone, Some(control.left_over(Phase::Condition))),
            State::StartPre(control) => (Main::Gone, Some(control.left_over(Phase::StartPre))),
            State::Start(starting) => match starting {
                Starting::Launch { main } | Starting::Oneshot { main, .. } => (Main::Alive(main), None),
                Starting::Await { main, .. } | Starting::Finding { main, .. } => (main, None),
                Starting::Parent(control) => (Main::Unknown, Some(control.left_over(Phase::Start))),
                Starting::Counting { .. } => (Main::Unknown, None),
            },
            State::StartPost(StartPost { up, control }) => match control {
                PostControl::Command(control) => (up.main, Some(control.left_over(Phase::StartPost))),
                PostControl::PidFile { .. } | PostControl::Health { .. } => (up.main, None),
            },
            State::Running(up) => (up.main, None),
            State::Reload(Reload { up, by }) => match by {
                Reloading::Command { control, .. } => (up.main, Some(control.left_over(Phase::Reload))),
                Reloading::Signalled { .. } | Reloading::Notified { .. } | Reloading::Itself { .. } => {
                    (up.main, None)
                }
            },
            State::Stop { main, control, .. } => (main, Some(control.left_over(Phase::Stop))),
            State::Killing(killing) => (killing.main, killing.control),
            State::StopPost { main, control, .. } => (main, Some(control.left_over(Phase::StopPost))),
        }
    }

    pub(in crate::kind) fn waiting_for(&self, service: &Service, cx: &Cx) -> Vec<Action> {
        process::unanswered(self, service, cx)
    }
}

impl Main {
    pub(super) fn alive(&self) -> Option<Process> {
        match self {
            Main::Alive(process) => Some(*process),
            Main::Sought { old: Old::Alive(process), .. } => Some(*process),
            Main::Unknown | Main::Gone | Main::Sought { old: Old::Nobody | Old::Ended(..), .. } => None,
        }
    }
}

impl Up {
    /// Of what may come to pass as long as it is up.
    fn deadline(&self) -> Option<u64> {
        earlier(self.watchdog, health::deadline_of(self))
    }
}

impl PostControl {
    pub(in crate::kind) fn deadline(&self) -> Option<u64> {
        match self {
            PostControl::Command(control) => control.deadline,
            PostControl::PidFile { deadline } | PostControl::Health { deadline } => *deadline,
        }
    }
}

impl Runtime {
    pub(super) fn end(self) -> Option<u64> {
        match self {
            Runtime::NotYet | Runtime::Endless => None,
            Runtime::Until(instant) => Some(instant),
        }
    }
}

impl Reloading {
    pub(in crate::kind) fn deadline(&self) -> Option<u64> {
        match self {
            Reloading::Command { control, .. } => control.deadline,
            Reloading::Signalled { deadline, .. }
            | Reloading::Notified { deadline }
            | Reloading::Itself { deadline } => *deadline,
        }
    }
}
