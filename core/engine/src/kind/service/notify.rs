//! What the service says of itself: sd_notify(3), judged by `NotifyAccess=`.

use super::super::{Cx, Level, NotifyState};
use super::process::{seek, settle};
use super::running::reload_done;
use super::start::{enter_start_post, ping};
use super::stop::stopping_itself;
use super::timeout::watchdog_expired;
use super::{Main, Old, Reload, Reloading, Runtime, Sought, Starting, State, after};
use crate::api::{Action, Candidate, Notification, NotifySender, Watchdog};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::service::{NotifyAccess, ServiceType};

fn allowed(access: NotifyAccess, sender: NotifySender) -> bool {
    match (access, sender) {
        (NotifyAccess::None, NotifySender::Main | NotifySender::Control | NotifySender::Member) => false,
        (NotifyAccess::Main, NotifySender::Main) => true,
        (NotifyAccess::Main, NotifySender::Control | NotifySender::Member) => false,
        (NotifyAccess::Exec, NotifySender::Main | NotifySender::Control) => true,
        (NotifyAccess::Exec, NotifySender::Member) => false,
        (NotifyAccess::All, NotifySender::Main | NotifySender::Control | NotifySender::Member) => true,
    }
}

pub(super) fn notified(
    mut state: State,
    sender: NotifySender,
    message: Notification,
    service: &Service,
    cx: &mut Cx,
) -> State {
    if !allowed(service.notify_access, sender) {
        cx.say(
            Level::Warning,
            format!("{}: notify message not heard, NotifyAccess= bars its sender", cx.unit),
        );
        return state;
    }
    if let Some(candidate) = message.main {
        state = new_main(state, candidate, service, cx);
    }
    remember(&message, cx);
    store_fds(&message, service, cx);
    if let Some(usec) = message.extend_timeout_usec {
        extend(&mut state, cx.now.monotonic.saturating_add(usec));
    }
    state = life_sign(state, &message, service, cx);
    if message.reloading {
        state = reloading(state, message.monotonic_usec, service, cx);
    }
    if message.ready {
        state = ready(state, service, cx);
    }
    if message.stopping {
        state = stopping(state, service, cx);
    }
    state
}

fn remember(message: &Notification, cx: &mut Cx) {
    let history = &mut *cx.history;
    if let Some(text) = &message.status {
        history.status_text.clone_from(text);
    }
    if let Some(errno) = message.errno {
        history.status_errno = errno;
    }
    if let Some(name) = &message.bus_error {
        history.bus_error.clone_from(name);
    }
    if let Some(usec) = message.watchdog_usec {
        history.watchdog_override = Some(usec);
    }
}

fn store_fds(message: &Notification, service: &Service, cx: &mut Cx) {
    let name = || message.fd_name.clone().unwrap_or_else(|| "stored".to_owned());
    if message.fd_store_remove {
        cx.order(Action::RemoveStoredFds { unit: cx.unit.clone(), name: name() });
    } else if let Some(parcel) = message.fd_store
        && service.fd_store_max > 0
    {
        let most = service.fd_store_max;
        cx.order(Action::StoreFds { unit: cx.unit.clone(), parcel, name: name(), most });
    }
}

/// `MAINPID=`: the host judges whether that process may be the main one.
fn new_main(mut state: State, candidate: Candidate, service: &Service, cx: &mut Cx) -> State {
    match state {
        State::Start(Starting::Await { .. } | Starting::Finding { .. })
        | State::StartPost(_)
        | State::Running(_)
        | State::Reload(_) => {}
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
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => return state,
    }
    if let Some(main) = state.main_of_mut() {
        let old = match settle(std::mem::replace(main, Main::Gone), service, cx) {
            Main::Alive(process) => Old::Alive(process),
            Main::Unknown | Main::Gone | Main::Sought { .. } => Old::Nobody,
        };
        *main = seek(old, Sought::Notified(candidate), service, cx);
    }
    state
}

/// `EXTEND_TIMEOUT_USEC=`: what would come sooner comes then.
fn extend(state: &mut State, until: u64) {
    let later = |deadline: &mut Option<u64>| {
        if let Some(instant) = deadline {
            *instant = (*instant).max(until);
        }
    };
    match state {
        State::Condition(control) | State::StartPre(control) => later(&mut control.deadline),
        State::Start(starting) => match starting {
            Starting::Launch { main: _ } => {}
            Starting::Await { deadline, .. }
            | Starting::Oneshot { deadline, .. }
            | Starting::Finding { deadline, .. }
            | Starting::Counting { deadline } => later(deadline),
            Starting::Parent(control) => later(&mut control.deadline),
        },
        State::StartPost(post) => {
            match &mut post.control {
                super::PostControl::Command(control) => later(&mut control.deadline),
                super::PostControl::PidFile { deadline } | super::PostControl::Health { deadline } => {
                    later(deadline);
                }
            }
            later(&mut post.up.watchdog);
        }
        State::Running(up) => {
            later(&mut up.watchdog);
            match &mut up.runtime {
                Runtime::Until(instant) => *instant = (*instant).max(until),
                Runtime::NotYet | Runtime::Endless => {}
            }
        }
        State::Reload(reload) => {
            later(&mut reload.up.watchdog);
            match &mut reload.by {
                Reloading::Command { control, .. } => later(&mut control.deadline),
                Reloading::Signalled { deadline, .. }
                | Reloading::Notified { deadline }
                | Reloading::Itself { deadline } => later(deadline),
            }
        }
        State::Stop { control, .. } | State::StopPost { control, .. } => later(&mut control.deadline),
        State::Killing(killing) => later(&mut killing.deadline),
        State::Dead | State::Exited | State::Failed | State::AutoRestart { .. } => {}
    }
}

/// `WATCHDOG=1`, `WATCHDOG=trigger`, `WATCHDOG_USEC=`.
fn life_sign(state: State, message: &Notification, service: &Service, cx: &mut Cx) -> State {
    if message.watchdog.is_none() && message.watchdog_usec.is_none() {
        return state;
    }
    let trigger = message.watchdog == Some(Watchdog::Trigger);
    match state {
        State::StartPost(_) | State::Running(_) | State::Reload(_) if trigger => {
            watchdog_expired(state, service, cx)
        }
        State::StartPost(mut post) => {
            post.up.watchdog = ping(service, cx);
            State::StartPost(post)
        }
        State::Running(mut up) => {
            up.watchdog = ping(service, cx);
            State::Running(up)
        }
        State::Reload(mut reload) => {
            reload.up.watchdog = ping(service, cx);
            State::Reload(reload)
        }
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::Exited
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn reloading(state: State, stamp: Option<u64>, service: &Service, cx: &mut Cx) -> State {
    cx.history.notify = NotifyState::Reloading;
    match state {
        State::Running(up) => {
            cx.effects.reloads_itself = true;
            let deadline = after(cx, service.timeout_start);
            State::Reload(Reload { up, by: Reloading::Itself { deadline } })
        }
        State::Reload(Reload { up, by }) => {
            let by = match by {
                // An older stamp speaks of an earlier reload.
                Reloading::Signalled { since, deadline: _ } if stamp.is_some_and(|stamp| stamp >= since) => {
                    Reloading::Notified { deadline: after(cx, service.timeout_start) }
                }
                Reloading::Signalled { .. }
                | Reloading::Command { .. }
                | Reloading::Notified { .. }
                | Reloading::Itself { .. } => by,
            };
            State::Reload(Reload { up, by })
        }
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Exited
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn ready(state: State, service: &Service, cx: &mut Cx) -> State {
    cx.history.notify = NotifyState::Ready;
    match state {
        State::Start(Starting::Await { main, deadline }) => match service.kind {
            ServiceType::Notify | ServiceType::NotifyReload => enter_start_post(main, service, cx),
            ServiceType::Simple
            | ServiceType::Exec
            | ServiceType::Forking
            | ServiceType::Oneshot
            | ServiceType::Dbus
            | ServiceType::Idle => State::Start(Starting::Await { main, deadline }),
        },
        State::Reload(Reload { up, by }) => match by {
            Reloading::Notified { deadline: _ } => reload_done(up, service, cx),
            Reloading::Itself { deadline: _ } => super::start::enter_running(up, service, cx),
            Reloading::Command { .. } | Reloading::Signalled { .. } => State::Reload(Reload { up, by }),
        },
        State::Start(
            Starting::Launch { .. }
            | Starting::Oneshot { .. }
            | Starting::Parent(_)
            | Starting::Finding { .. }
            | Starting::Counting { .. },
        )
        | State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::StartPost(_)
        | State::Running(_)
        | State::Exited
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}

fn stopping(state: State, service: &Service, cx: &mut Cx) -> State {
    cx.history.notify = NotifyState::Stopping;
    match state {
        State::Running(up) => stopping_itself(up.main, service, cx),
        State::Dead
        | State::Condition(_)
        | State::StartPre(_)
        | State::Start(_)
        | State::StartPost(_)
        | State::Exited
        | State::Reload(_)
        | State::Stop { .. }
        | State::Killing(_)
        | State::StopPost { .. }
        | State::Failed
        | State::AutoRestart { .. } => state,
    }
}
