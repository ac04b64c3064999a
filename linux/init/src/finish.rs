//! The end: stop what is left, then leave as told. The manager has stopped its units before, in order; what
//! lives here still is what units let live, and strangers.

use crate::children::{Children, Life};
use crate::limits;
use crate::run::next_exit;
use crate::say::{may_fail, say};
use crate::sys::signal::{self, Whom};
use crate::wire::Finish;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, getpid};
use rustix::system::RebootCommand;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// SIGTERM to everything, SIGKILL to what does not go. The manager is killed at once: it keeps nothing in
/// memory that matters, and it must not take the signals for wishes.
pub fn stop_everything(signals: &OwnedFd, children: &mut Children, manager: Option<Pid>) {
    if let Some(pid) = manager {
        send(Whom::Process(pid), libc::SIGKILL);
    }
    for (signal, patience) in [(libc::SIGTERM, limits::FINISH_TERM), (libc::SIGKILL, limits::FINISH_KILL)] {
        let deadline = Instant::now() + patience;
        signal_all(children, signal, manager);
        while reap_all(children) == Left::Some {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            wait_for_signal(signals, left);
            if signal == libc::SIGKILL {
                // The children of the dead are ours now.
                signal_all(children, signal, manager);
            }
        }
    }
    if reap_all(children) == Left::Some {
        say!("some processes do not even die of SIGKILL; leaving without them");
    }
}

fn is_first() -> bool {
    getpid() == Pid::INIT
}

fn signal_all(children: &mut Children, signal: i32, manager: Option<Pid>) {
    if is_first() {
        return send(Whom::Everybody, signal);
    }
    for child in children.iter_mut().filter(|child| child.life == Life::Lives) {
        send(Whom::Process(child.pid), signal);
    }
    // Those nobody asked for: whatever was left to us as the subreaper.
    for pid in own_children() {
        let known = children.living(pid).is_some() || Some(pid) == manager;
        if !known {
            send(Whom::Process(pid), signal);
        }
    }
}

fn send(whom: Whom, signal: i32) {
    // The only failure to expect is that nobody is there any more.
    may_fail(signal::kill(whom, signal));
}

/// The kernel's list of our children; empty where it keeps none.
fn own_children() -> Vec<Pid> {
    let path = format!("/proc/self/task/{}/children", getpid().as_raw_nonzero());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)).collect()
}

#[derive(PartialEq, Eq)]
enum Left {
    None,
    Some,
}

fn reap_all(children: &mut Children) -> Left {
    while let Some((pid, ended)) = next_exit() {
        if let Some(child) = children.living(pid) {
            child.life = Life::Ended(ended);
        }
    }
    let look_only = rustix::process::WaitIdOptions::EXITED
        | rustix::process::WaitIdOptions::NOHANG
        | rustix::process::WaitIdOptions::NOWAIT;
    match rustix::process::waitid(rustix::process::WaitId::All, look_only) {
        Err(_) => Left::None,
        Ok(_) => Left::Some,
    }
}

fn wait_for_signal(signals: &OwnedFd, left: Duration) {
    let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
    let mut fds = [PollFd::new(signals, PollFlags::IN)];
    // Woken early or not, the loop around looks again.
    may_fail(poll(&mut fds, Some(&timeout)));
    while signal::next(signals).is_some() {}
}

/// The last act. Only the first process of a machine or pid namespace can end that; all others just exit, as
/// does one that is not permitted (a container's runtime then sees the code).
pub fn leave(finish: Finish) -> ExitCode {
    let (code, command) = match finish {
        Finish::Exit(code) => return ExitCode::from(code),
        Finish::Reboot => (133, RebootCommand::Restart),
        Finish::PowerOff => (0, RebootCommand::PowerOff),
        Finish::Halt => (0, RebootCommand::Halt),
        Finish::Kexec => (0, RebootCommand::Kexec),
    };
    if is_first() {
        rustix::fs::sync();
        if let Err(errno) = rustix::system::reboot(command) {
            say!("cannot {command:?}: {errno}; exiting instead");
        }
    }
    ExitCode::from(code)
}
