//! A running daemon: when to stop, when to reload, and what to tell whoever started it.

#[cfg(feature = "announce")]
use crate::announce::{Prepared, Standing};
use crate::error::{Error, Result};
use crate::handle::{Guests, Handle, Reload};
use crate::limits::LONGEST_STATUS;
use crate::log::{Log, Priority};
use crate::notify::{Notifier, State};
use crate::pid_file::PidFile;
use crate::pulse::Pulse;
use crate::report::{Report, Reporter};
use crate::sockets::{Bound, Sockets};
use crate::starter::{Handed, Starter};
use crate::sys::signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::ClockId;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What happens to a daemon.
#[derive(Debug)]
pub enum Moment {
    /// Asked to stop: finish what is open and return. The time for it runs.
    Stop,
    /// Asked to read the configuration again.
    Reload(Reload),
    /// One of the descriptors asked about can be read or was closed: its place in the list.
    Readable(usize),
    /// The time asked for is over.
    TimeOver,
}

/// Who knows of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// The process in front, which tells it to people.
    InFront,
    /// A manager at best.
    ToMachines,
}

/// Whether people have seen on the starter's stderr what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    NotYet,
    Already,
}

/// How a daemon is seen from outside until it is ready.
#[derive(Debug)]
pub(crate) struct Beginning {
    /// The process in front, if there is one.
    pub(crate) reporter: Option<Reporter>,
    /// Where a newline says that we are ready: s6's way.
    pub(crate) notification: Option<OwnedFd>,
    /// What stderr becomes, in the background.
    pub(crate) stderr: Option<OwnedFd>,
}

/// A running daemon, in the hands of its `main`.
#[derive(Debug)]
pub struct Life {
    pub(crate) handle: Handle,
    starter: Starter,
    pub(crate) handed: Handed,
    signals: OwnedFd,
    pub(crate) sockets: Sockets,
    beginning: Option<Beginning>,
    pid_file: Option<PidFile>,
    bound: Vec<Bound>,
    stop_within: Duration,
    /// What is to be announced once the daemon is ready.
    #[cfg(feature = "announce")]
    announcements: Vec<Prepared>,
    #[cfg(feature = "announce")]
    standing: Option<Standing>,
    /// How often the daemon has to come round for others to hear that it is well.
    comes_round: Option<Duration>,
    /// When the daemon was asked to stop.
    stopping: Option<Instant>,
    /// The last sign of life.
    signed: Option<Instant>,
    /// The terminal that a foreground daemon belongs to may go.
    terminal: Terminal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terminal {
    None,
    Controls,
}

/// What [`Life::new`] is made of.
pub(crate) struct Parts {
    pub(crate) notifier: Notifier,
    pub(crate) log: Log,
    pub(crate) starter: Starter,
    pub(crate) handed: Handed,
    pub(crate) signals: OwnedFd,
    pub(crate) sockets: Sockets,
    pub(crate) beginning: Beginning,
    pub(crate) pid_file: Option<PidFile>,
    pub(crate) stop_within: Duration,
    #[cfg(feature = "announce")]
    pub(crate) announcements: Vec<Prepared>,
}

impl Life {
    pub(crate) fn new(mut parts: Parts) -> Life {
        Life {
            handle: Handle {
                notifier: Arc::new(parts.notifier),
                log: Arc::new(parts.log),
                guests: Guests::default(),
                pulse: Arc::new(Pulse::new()),
            },
            terminal: if has_terminal() { Terminal::Controls } else { Terminal::None },
            starter: parts.starter,
            handed: parts.handed,
            signals: parts.signals,
            bound: parts.sockets.bound(),
            sockets: parts.sockets,
            beginning: Some(parts.beginning),
            pid_file: parts.pid_file,
            stop_within: parts.stop_within,
            #[cfg(feature = "announce")]
            announcements: parts.announcements,
            #[cfg(feature = "announce")]
            standing: None,
            comes_round: None,
            stopping: None,
            signed: None,
        }
    }

    /// Says that the daemon does its work now: to the manager, the supervisor, or the process that waits in front. In
    /// the background stderr goes where it was told to go. The second time, nothing happens.
    ///
    /// # Errors
    ///
    /// [`Error::PidFile`] when the pid file cannot be written; [`Error::Notify`] when the manager cannot be told.
    pub fn ready(&mut self) -> Result<()> {
        if self.beginning.is_none() {
            return Ok(());
        }
        if let Some(file) = &mut self.pid_file {
            file.write()?;
        }
        let Some(beginning) = &self.beginning else { return Ok(()) };
        if let Some(stderr) = &beginning.stderr {
            rustix::stdio::dup2_stderr(stderr).map_err(|errno| Error::io("replace stderr", errno))?;
        }
        if let Some(notification) = &beginning.notification {
            rustix::io::write(notification, b"\n")
                .map_err(|errno| Error::io("write to the notification fd", errno))?;
        }
        if let Some(reporter) = &beginning.reporter {
            reporter.send(&Report::Ready);
        }
        self.beginning = None;
        self.handle.notifier.send(&[State::Ready])?;
        #[cfg(feature = "announce")]
        self.announce();
        Ok(())
    }

    /// From now on it can be found; threads are no hindrance any more.
    #[cfg(feature = "announce")]
    fn announce(&mut self) {
        let prepared = std::mem::take(&mut self.announcements);
        // One that is asked to go already is nobody's to find.
        if prepared.is_empty() || signal::stop_asked() {
            return;
        }
        self.handle.pulse.beat();
        self.comes_round = prepared.iter().filter_map(Prepared::round).min();
        self.standing = Some(Standing::begin(prepared, &self.handle, self.stop_within));
    }

    /// Nobody is to find it any more.
    fn take_back_announcements(&mut self) {
        #[cfg(feature = "announce")]
        if let Some(standing) = &mut self.standing {
            standing.take_back();
        }
    }

    /// Waits for what happens next.
    ///
    /// While it waits, the watchdog is answered: a daemon that comes back here in time is alive. A daemon in the
    /// foreground whose terminal goes is asked to stop.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the system cannot wait, which a sound one can.
    pub fn wait(&mut self) -> Result<Moment> {
        self.wait_for(&[], None)
    }

    /// Waits for what happens next, for one of these descriptors to become readable, or for so much time to pass.
    ///
    /// # Errors
    ///
    /// As [`Life::wait`]; and when one of the descriptors cannot be waited for.
    pub fn wait_for(&mut self, readable: &[BorrowedFd], time: Option<Duration>) -> Result<Moment> {
        // A deadline that is too far away for the clock is none.
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        loop {
            if let Some(moment) = self.wait_once(readable, deadline)? {
                return Ok(moment);
            }
        }
    }

    /// Waits as [`Life::wait_for`] does, but comes back with nothing when something else came between: a signal that the
    /// program handles itself, or a sign of life that was due. For programs that have to look after their own signals.
    ///
    /// # Errors
    ///
    /// As [`Life::wait_for`].
    pub fn wait_once(
        &mut self,
        readable: &[BorrowedFd],
        deadline: Option<Instant>,
    ) -> Result<Option<Moment>> {
        if let Some(moment) = self.heard()? {
            return Ok(Some(moment));
        }
        let pause = self.pause(deadline);
        let mut ends = vec![PollFd::new(&self.signals, PollFlags::IN)];
        ends.extend(readable.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
        match poll(&mut ends, pause.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(None),
            Err(errno) => return Err(Error::io("wait", errno)),
        }
        // Stop and reload go first.
        if !ends[0].revents().is_empty() {
            return self.heard();
        }
        if let Some(at) = ends[1..].iter().position(|end| !end.revents().is_empty()) {
            // A number that is not open would be readable for ever.
            let is_none = ends[1 + at].revents().contains(PollFlags::NVAL);
            let closed = || Error::io(format!("wait for descriptor {at} of the list"), Errno::BADF);
            return if is_none { Err(closed()) } else { Ok(Some(Moment::Readable(at))) };
        }
        Ok(deadline.filter(|deadline| *deadline <= Instant::now()).map(|_| Moment::TimeOver))
    }

    /// A descriptor that is readable when [`Life::heard`] has something: for loops of another make.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// What was asked of the daemon and not yet dealt with. Waits for nothing; answers the watchdog.
    ///
    /// # Errors
    ///
    /// As [`Life::wait`].
    pub fn heard(&mut self) -> Result<Option<Moment>> {
        self.handle.pulse.beat();
        self.answer_watchdog();
        loop {
            // Asked of the counter, not of the pipe, which too many other signals can fill; after each byte that was
            // taken, since the counter is set before its byte is written.
            if signal::stop_asked() && self.stopping.is_none() {
                self.stopping = Some(Instant::now());
                // First of all, so that nobody new comes.
                self.take_back_announcements();
                self.handle.notifier.send(&[State::Stopping]).ok();
                return Ok(Some(Moment::Stop));
            }
            let Some(signal) = self.signal()? else { return Ok(None) };
            // What is on its way down reads no configuration, and is asked to stop once.
            if self.stopping.is_some() || signal != signal::RELOADS_US {
                continue;
            }
            if self.lost_terminal() {
                signal::ask_to_stop();
                continue;
            }
            return Ok(Some(Moment::Reload(self.reload())));
        }
    }

    /// A reload begins; before the daemon is ready it is nobody else's business.
    fn reload(&self) -> Reload {
        if self.beginning.is_some() {
            return Reload { notifier: None, log: Arc::clone(&self.handle.log) };
        }
        let now = rustix::time::clock_gettime(ClockId::Monotonic);
        let now = now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1000;
        self.handle.notifier.send(&[State::Reloading, State::MonotonicUsec(now)]).ok();
        Reload { notifier: Some(Arc::clone(&self.handle.notifier)), log: Arc::clone(&self.handle.log) }
    }

    /// The next signal that came.
    fn signal(&self) -> Result<Option<i32>> {
        let mut byte = [0];
        match rustix::io::read(&self.signals, &mut byte) {
            Ok(1) => Ok(Some(i32::from(byte[0]))),
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(errno) => Err(Error::io("read which signals came", errno)),
        }
    }

    /// A sign of life, unless the last one is fresh.
    fn answer_watchdog(&mut self) {
        let Some(time) = self.handed.watchdog else { return };
        if self.signed.is_none_or(|signed| signed.elapsed() >= time / 4) {
            self.signed = Some(Instant::now());
            self.handle.alive();
        }
    }

    /// How often the daemon has to come round, at least: for its watchdog, and for those who ask how it is.
    pub(crate) fn round(&self) -> Option<Duration> {
        [self.handed.watchdog.map(|time| time / 2), self.comes_round].into_iter().flatten().min()
    }

    /// Until when to wait: the time asked for, or the next round.
    fn pause(&self, deadline: Option<Instant>) -> Option<Timespec> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let pause = [left, self.round()].into_iter().flatten().min()?;
        Some(Timespec::try_from(pause).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }))
    }

    /// A terminal that goes sends SIGHUP too.
    fn lost_terminal(&self) -> bool {
        self.terminal == Terminal::Controls && !has_terminal()
    }

    /// What every thread may have.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Who started us.
    #[must_use]
    pub fn starter(&self) -> &Starter {
        &self.starter
    }

    /// How often a sign of life is expected at the latest: `WATCHDOG_USEC=`.
    #[must_use]
    pub fn watchdog(&self) -> Option<Duration> {
        self.handed.watchdog
    }

    /// The end as wished: open work is waited for as long as a stop may take, what was made is taken away, and whoever
    /// still waits for the daemon to be ready learns that it had nothing to stay for.
    pub fn finish(mut self) {
        self.drain();
        self.put_away();
        if let Some(reporter) = self.beginning.take().and_then(|beginning| beginning.reporter) {
            reporter.send(&Report::Failed { exit: 0, reason: String::new() });
        }
    }

    /// The end by an error: it is told once, where it is read, and what was made is taken away. A manager is told what
    /// the process is about to exit with, and the system's number of the error if there is one.
    pub fn fail(self, exit: u8, errno: Option<i32>, reason: &str) {
        let log = Arc::clone(&self.handle.log);
        if self.fall(exit, errno, reason, Shown::NotYet) == Told::ToMachines {
            log.line(Priority::Error, reason);
        }
    }

    /// The same, by an error that people have read already: only the manager and the process in front are told.
    pub fn fail_told(self, exit: u8, errno: Option<i32>, reason: &str) {
        // Whoever waits in front has the same stderr.
        let shown = if self.handle.log().is_stderr() { Shown::Already } else { Shown::NotYet };
        self.fall(exit, errno, reason, shown);
    }

    /// Tells the manager and the process in front that the daemon will not come to be ready, or ends badly.
    fn fall(mut self, exit: u8, errno: Option<i32>, reason: &str, shown: Shown) -> Told {
        // A message that is too long is thrown away whole.
        let mut states = vec![State::Status(cut(reason, LONGEST_STATUS).to_owned()), State::ExitStatus(exit)];
        states.extend(errno.map(State::Errno));
        self.handle.notifier.send(&states).ok();
        // Gone before it is said: a next start finds nothing in its way.
        self.put_away();
        match self.beginning.take().and_then(|beginning| beginning.reporter) {
            Some(reporter) => {
                let reason = if shown == Shown::Already { String::new() } else { reason.to_owned() };
                reporter.send(&Report::Failed { exit, reason });
                Told::InFront
            }
            None => Told::ToMachines,
        }
    }

    /// From now on this process in front waits for it to be ready.
    pub(crate) fn waited_for_by(&mut self, reporter: Reporter) {
        if let Some(beginning) = &mut self.beginning {
            beginning.reporter = Some(reporter);
        }
    }

    /// Waits for open work, as long as a stop may take.
    pub(crate) fn drain(&mut self) {
        self.take_back_announcements();
        let spent = self.stopping.map_or(Duration::ZERO, |since| since.elapsed());
        let left = self.handle.guests.leave_within(self.stop_within.saturating_sub(spent));
        if left > 0 {
            let text = format!("stopped with {left} open after {:?}", self.stop_within);
            self.handle.log.line(Priority::Warning, text);
        }
    }

    /// Takes away what we made; each knows whether it is this process's.
    fn put_away(&mut self) {
        #[cfg(feature = "announce")]
        {
            self.standing = None;
        }
        self.bound.clear();
        self.pid_file = None;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.put_away();
    }
}

impl AsFd for Life {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

/// Whether there is a terminal that controls us: tty(4), `/dev/tty`.
fn has_terminal() -> bool {
    use rustix::fs::{Mode, OFlags};
    rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).is_ok()
}

/// The beginning of a text, in whole characters.
fn cut(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}
