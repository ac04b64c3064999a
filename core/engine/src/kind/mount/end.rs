//! What came of a command, and what others did: the kernel says what is mounted.

use super::super::control::left_behind;
use super::super::{Cx, Level, Presence, ReloadOutcome};
use super::{KillStep, State, Work, begin, unmount};
use crate::api::{Action, ServiceResult};
use crate::limits::UNMOUNTS_MAX;
use eudaemon_unit::config::{Config, Mount};

pub(super) fn settle(state: State, presence: Presence, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    match (state, presence) {
        (State::Dead | State::Failed, Presence::Present) => {
            // Somebody else did it.
            begin(cx);
            up(ServiceResult::Success, cx)
        }
        (State::Mounted, Presence::Absent) => dead(ServiceResult::Success, mount, cx),
        (State::Mounting(Work::Runs(control)), Presence::Present) => State::MountingDone(Work::Runs(control)),
        (State::Mounting(Work::Ended(result)) | State::MountingDone(Work::Ended(result)), there) => {
            mounted(result, there, mount, cx)
        }
        (State::Remounting(Work::Ended(result)), there) => {
            if cx.history.reload_result == ServiceResult::Success {
                cx.history.reload_result = result;
            }
            remounted(there, mount, cx)
        }
        (State::Unmounting { work: Work::Ended(result), tries }, Presence::Present) => {
            still_there(result, tries, config, mount, cx)
        }
        (State::Unmounting { work: Work::Ended(result), tries: _ }, Presence::Absent) => {
            dead(unmounted(result, cx), mount, cx)
        }
        (State::Killing { step, work: Work::Ended(result) }, there) => match step {
            KillStep::RemountSigterm | KillStep::RemountSigkill => {
                if cx.history.reload_result == ServiceResult::Success {
                    cx.history.reload_result = result;
                }
                remounted(there, mount, cx)
            }
            KillStep::UnmountSigterm | KillStep::UnmountSigkill => match there {
                Presence::Present => up(result, cx),
                Presence::Absent => dead(result, mount, cx),
            },
        },
        (
            state @ (State::Dead
            | State::Mounting(Work::Runs(_))
            | State::MountingDone(Work::Runs(_))
            | State::Remounting(Work::Runs(_))
            | State::Unmounting { work: Work::Runs(_), .. }
            | State::Killing { work: Work::Runs(_), .. }
            | State::Mounted
            | State::Perpetual
            | State::Failed),
            Presence::Present | Presence::Absent,
        ) => state,
    }
}

/// mount(8) has ended.
fn mounted(result: ServiceResult, there: Presence, mount: &Mount, cx: &mut Cx) -> State {
    match there {
        Presence::Present => up(result, cx),
        Presence::Absent if result == ServiceResult::Success => {
            cx.say(Level::Warning, format!("{}: /bin/mount went well, but nothing is mounted", cx.unit));
            dead(ServiceResult::Protocol, mount, cx)
        }
        Presence::Absent => dead(result, mount, cx),
    }
}

/// mount(8) has ended that was to change what is mounted.
fn remounted(there: Presence, mount: &Mount, cx: &mut Cx) -> State {
    let outcome = match cx.history.reload_result {
        ServiceResult::Success => ReloadOutcome::Done,
        ServiceResult::Resources
        | ServiceResult::Protocol
        | ServiceResult::Timeout
        | ServiceResult::ExitCode
        | ServiceResult::Signal
        | ServiceResult::CoreDump
        | ServiceResult::Watchdog
        | ServiceResult::StartLimitHit
        | ServiceResult::OomKill
        | ServiceResult::ExecCondition
        | ServiceResult::TriggerLimitHit
        | ServiceResult::ServiceStartLimitHit => ReloadOutcome::Failed,
    };
    cx.effects.reload = Some(outcome);
    match there {
        Presence::Present => up(ServiceResult::Success, cx),
        // The root may be shown by another name only.
        Presence::Absent if State::initial(cx.unit) == State::Perpetual => up(ServiceResult::Success, cx),
        Presence::Absent => dead(ServiceResult::Success, mount, cx),
    }
}

/// umount(8) has ended, and there is a mount.
fn still_there(result: ServiceResult, tries: u32, config: &Config, mount: &Mount, cx: &mut Cx) -> State {
    if result != ServiceResult::Success {
        return up(result, cx);
    }
    if tries >= UNMOUNTS_MAX {
        cx.say(Level::Warning, format!("{}: still mounted after {tries} attempts, given up", cx.unit));
        return up(ServiceResult::Success, cx);
    }
    unmount(tries + 1, config, mount, cx)
}

/// umount(8) has ended, and there is no mount: if it says that it failed, somebody else was faster.
fn unmounted(result: ServiceResult, cx: &mut Cx) -> ServiceResult {
    if result != ServiceResult::ExitCode {
        return result;
    }
    cx.say(Level::Notice, format!("{}: /bin/umount failed, but nothing is mounted any more", cx.unit));
    ServiceResult::Success
}

/// It is mounted, whatever else went wrong.
pub(super) fn up(result: ServiceResult, cx: &mut Cx) -> State {
    cx.history.fail(result);
    match State::initial(cx.unit) {
        State::Perpetual => State::Perpetual,
        State::Dead
        | State::Mounting(_)
        | State::MountingDone(_)
        | State::Mounted
        | State::Remounting(_)
        | State::Unmounting { .. }
        | State::Killing { .. }
        | State::Failed => State::Mounted,
    }
}

pub(super) fn dead(result: ServiceResult, mount: &Mount, cx: &mut Cx) -> State {
    cx.history.fail(result);
    let directories = left_behind(&mount.processes.exec);
    cx.order(Action::Release { unit: cx.unit.clone(), directories });
    if cx.history.result == ServiceResult::Success {
        return State::Dead;
    }
    let word = crate::kind::service::result_word(cx.history.result);
    cx.say(Level::Warning, format!("{}: failed with result '{word}'", cx.unit));
    State::Failed
}
