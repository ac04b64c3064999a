//! The way into the background: daemon(7), the steps of a SysV daemon, with a parent that waits for the outcome.
//!
//! ```text
//! starter ── P waits for reports ─────────────────────────────── exits 0, or with the reason
//!              └─ fork ─ I: setsid ─ fork ─ G: the daemon ── ready ──►
//! ```
//! P is made the reaper of its descendants first, so it learns how the daemon ended even when that could say nothing.

use crate::error::{Error, Result};
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

/// How long a daemon that is told to stop while it starts has, before it is killed.
const LAST_WORD: Duration = Duration::from_secs(5);

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
    let ours = signal::listen(0).map_err(|errno| Error::io("listen to signals", errno))?;
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
    Report(Option<Report>),
    Signal(i32),
    Nothing,
}

impl Waiting<'_> {
    /// What to exit with.
    fn wait(mut self, ready_within: Option<Duration>) -> u8 {
        let deadline = ready_within.map(|time| Instant::now() + time);
        loop {
            match self.hear(deadline) {
                Heard::Report(Some(Report::Process(pid))) => {
                    self.daemon = Pid::from_raw(pid.cast_signed());
                    self.end = self.daemon.and_then(|daemon| pidfd_open(daemon, PidfdFlags::empty()).ok());
                }
                Heard::Report(Some(Report::Ready)) => {
                    if let Some(file) = self.pid_file.take() {
                        file.leave();
                    }
                    return 0;
                }
                Heard::Report(Some(Report::Failed { exit, reason })) => {
                    if !reason.is_empty() {
                        self.say(&reason);
                    }
                    // Gone for good before we say so: a next start finds nothing in its way.
                    self.ends_within(LAST_WORD);
                    return exit;
                }
                Heard::Report(None) => return self.how_it_ended(),
                Heard::Signal(signal) => {
                    self.say("interrupted before the daemon was ready");
                    self.stop();
                    return 128 + signal as u8;
                }
                Heard::Nothing => {
                    let time = ready_within.unwrap_or_default();
                    self.say(&format!("not ready within {time:?}: stopped again"));
                    self.stop();
                    return 1;
                }
            }
        }
    }

    fn hear(&self, deadline: Option<Instant>) -> Heard {
        loop {
            let mut ends =
                [PollFd::new(&self.reports, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.map(timespec);
            match poll(&mut ends, left.as_ref()) {
                Ok(0) => return Heard::Nothing,
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(_) => return Heard::Report(None),
            }
            let [reports, signals] = ends.map(|end| !end.revents().is_empty());
            let mut byte = [0];
            if signals && rustix::io::read(&self.signals, &mut byte) == Ok(1) {
                return Heard::Signal(i32::from(byte[0]));
            }
            if reports {
                return Heard::Report(self.reports.next());
            }
        }
    }

    /// Ends a daemon that is not wanted any more, and waits until it has ended.
    fn stop(&self) {
        for signal in [Signal::TERM, Signal::KILL] {
            if let Some(daemon) = self.daemon {
                // Ours to reap, and not yet reaped: the number is still its own.
                rustix::process::kill_process(daemon, signal).ok();
            }
            if self.ends_within(LAST_WORD) {
                return;
            }
        }
    }

    /// Waits for the daemon to end; where the kernel cannot tell, for its end of the channel to close.
    fn ends_within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let Some(end) = &self.end else {
            loop {
                match self.hear(Some(deadline)) {
                    Heard::Report(None) => return true,
                    Heard::Nothing => return false,
                    Heard::Report(Some(_)) | Heard::Signal(_) => {}
                }
            }
        };
        loop {
            let left = timespec(deadline.saturating_duration_since(Instant::now()));
            match poll(&mut [PollFd::new(end, PollFlags::IN)], Some(&left)) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(Errno::INTR) => {}
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
