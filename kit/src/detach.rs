//! The way into the background: daemon(7), the steps of a SysV daemon, with a parent that waits for the outcome.
//!
//! ```text
//! starter ── P waits for reports ─────────────────────────────── exits 0, or with the reason
//!              └─ fork ─ I: setsid ─ fork ─ G: the daemon ── ready ──►
//! ```
//! P is made the reaper of its descendants first, so it learns how the daemon ended even when that could say nothing.

use crate::error::{Error, Result};
use crate::limits::STARTS_END_WITHIN;
use crate::pid_file::PidFile;
use crate::report::{Report, Reporter, Reports, channel};
use crate::sys::process::{Alone, Fork, adopt_orphans, exit_at_once, fork};
use crate::sys::signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process;
use std::time::{Duration, Instant};

/// Goes into the background. Only the daemon comes back from it: the process that called waits, reports the outcome on
/// stderr in the daemon's name, and exits.
///
/// The pid file goes along: it is the daemon's if that comes to be ready, else it is taken away in front.
pub(crate) fn detach(
    name: &str,
    alone: &Alone,
    pid_file: Option<PidFile>,
    ready_within: Option<Duration>,
) -> Result<(Reporter, Option<PidFile>)> {
    let (reporter, reports) =
        channel().map_err(|errno| Error::io("make a channel for the outcome", errno))?;
    let ours = signal::listen(0, Vec::new()).map_err(|errno| Error::io("listen to signals", errno))?;
    adopt_orphans().map_err(|errno| Error::io("watch over the daemon", errno))?;
    // What is still in our buffers would be written twice.
    io::stdout().flush().ok();
    match fork(alone).map_err(|errno| Error::io("fork", errno))? {
        Fork::Parent => {
            drop(reporter);
            let waiting = Waiting { name, reports, signals: ours, daemon: None, end: None, pid_file };
            process::exit(i32::from(waiting.wait(ready_within)))
        }
        Fork::Child => {
            drop((reports, ours));
            match leave_session(alone) {
                Ok(()) => {
                    reporter.send(&Report::Process(process::id()));
                    Ok((reporter, pid_file))
                }
                Err(errno) => {
                    reporter.send(&Report::Failed { exit: 71, reason: format!("cannot detach: {errno}") });
                    exit_at_once(71)
                }
            }
        }
    }
}

/// A session of its own, then a process in it that does not lead it, and so can get no terminal by chance.
fn leave_session(alone: &Alone) -> rustix::io::Result<()> {
    rustix::process::setsid()?;
    match fork(alone)? {
        Fork::Parent => exit_at_once(0),
        Fork::Child => Ok(()),
    }
}

/// The process in front.
struct Waiting<'a> {
    name: &'a str,
    reports: Reports,
    signals: OwnedFd,
    daemon: Option<Pid>,
    /// Readable when the daemon has ended; nothing on kernels before 5.3.
    end: Option<OwnedFd>,
    /// Held until the outcome is known.
    pid_file: Option<PidFile>,
}

/// What a waiting process hears.
enum Heard {
    Report(Report),
    /// The daemon is gone.
    End,
    /// The daemon lives, and will say nothing more.
    Silence,
    Signal(i32),
    Nothing,
}

impl Waiting<'_> {
    /// What to exit with.
    fn wait(mut self, ready_within: Option<Duration>) -> u8 {
        // A deadline that is too far away for the clock is none.
        let deadline = ready_within.and_then(|time| Instant::now().checked_add(time));
        let exit = loop {
            match self.hear(deadline) {
                Heard::Report(Report::Process(pid)) => self.learn(pid),
                Heard::Report(Report::Ready) => {
                    self.let_go_of_pid_file();
                    return 0;
                }
                Heard::Report(Report::Failed { exit, reason }) => {
                    if !reason.is_empty() {
                        self.say(&reason);
                    }
                    break exit;
                }
                Heard::End => break self.how_it_ended(),
                Heard::Silence => {
                    self.say("let go of its starter before it was ready: stopped again");
                    self.stop();
                    break 1;
                }
                Heard::Signal(signal) => {
                    self.say("interrupted before the daemon was ready");
                    self.stop();
                    break 128 + signal as u8;
                }
                Heard::Nothing => {
                    let time = ready_within.unwrap_or_default();
                    self.say(&format!("not ready within {time:?}: stopped again"));
                    self.stop();
                    break 1;
                }
            }
        };
        // Gone for good before we say so: a next start finds nothing in its way. A daemon that lives keeps its file.
        if !self.ends_within(STARTS_END_WITHIN) {
            self.let_go_of_pid_file();
        }
        exit
    }

    fn learn(&mut self, pid: u32) {
        self.daemon = Pid::from_raw(pid.cast_signed());
        self.end = self.daemon.and_then(|daemon| pidfd_open(daemon, PidfdFlags::empty()).ok());
    }

    fn let_go_of_pid_file(&mut self) {
        if let Some(file) = self.pid_file.take() {
            file.leave();
        }
    }

    /// What comes next. Reports go first: they are older than whatever else is there.
    fn hear(&self, deadline: Option<Instant>) -> Heard {
        loop {
            let end = self.end.as_ref().unwrap_or(&self.signals);
            let mut ends = [
                PollFd::new(&self.reports, PollFlags::IN),
                PollFd::new(end, PollFlags::IN),
                PollFd::new(&self.signals, PollFlags::IN),
            ];
            let left = deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
            match poll(&mut ends, left.as_ref()) {
                Ok(0) => return Heard::Nothing,
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(_) => return Heard::End,
            }
            let [reports, end, signals] = ends.map(|end| !end.revents().is_empty());
            if reports && let Some(report) = self.reports.next() {
                return Heard::Report(report);
            }
            if end && self.end.is_some() {
                return Heard::End;
            }
            let mut byte = [0];
            if signals && rustix::io::read(&self.signals, &mut byte) == Ok(1) {
                return Heard::Signal(i32::from(byte[0]));
            }
            if reports {
                // It closed its end. As a rule that is because it ends.
                return if self.ends_within(STARTS_END_WITHIN) { Heard::End } else { Heard::Silence };
            }
        }
    }

    /// Ends a daemon that is not wanted any more, and waits until it has ended.
    fn stop(&mut self) {
        let deadline = Instant::now() + STARTS_END_WITHIN;
        // It may not have told its number yet.
        while self.daemon.is_none() {
            match self.hear(Some(deadline)) {
                Heard::Report(Report::Process(pid)) => self.learn(pid),
                Heard::Report(Report::Ready | Report::Failed { .. }) | Heard::Signal(_) => {}
                Heard::End | Heard::Silence | Heard::Nothing => return,
            }
        }
        for signal in [Signal::TERM, Signal::KILL] {
            if let Some(daemon) = self.daemon {
                // Ours to reap, and not yet reaped: the number is still its own.
                rustix::process::kill_process(daemon, signal).ok();
            }
            if self.ends_within(STARTS_END_WITHIN) {
                return;
            }
        }
    }

    /// Whether the daemon ends within the time; where the kernel cannot tell, whether its end of the channel closes.
    fn ends_within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        loop {
            let left = timespec(deadline.saturating_duration_since(Instant::now()));
            let end = match &self.end {
                Some(end) => PollFd::new(end, PollFlags::IN),
                None => PollFd::new(&self.reports, PollFlags::IN),
            };
            match poll(&mut [end], Some(&left)) {
                Ok(0) => return false,
                Ok(_) if self.end.is_some() => return true,
                Ok(_) if self.reports.next().is_none() => return true,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// The daemon is gone and said nothing.
    fn how_it_ended(&self) -> u8 {
        loop {
            let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::empty()) else {
                self.say("ended before it was ready");
                return 1;
            };
            if self.daemon.is_some_and(|daemon| daemon != pid) {
                continue;
            }
            match (status.exit_status(), status.terminating_signal()) {
                // The process between us and the daemon; or a daemon that had nothing to stay for.
                (Some(0), _) if self.daemon.is_none() => {}
                (Some(0), _) => return 0,
                (Some(exit), _) => {
                    self.say(&format!("exited with {exit} before it was ready"));
                    return exit as u8;
                }
                (None, Some(signal)) => {
                    self.say(&format!("killed by signal {signal} before it was ready"));
                    return 1;
                }
                (None, None) => {}
            }
        }
    }

    fn say(&self, text: &str) {
        writeln!(io::stderr(), "{}: {text}", self.name).ok();
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec::try_from(time).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}
