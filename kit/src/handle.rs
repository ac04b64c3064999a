//! What the threads of a daemon share: its word to the manager, its log, and the work that a stop waits for.

use crate::error::Result;
use crate::log::{Log, Priority};
use crate::notify::{Notifier, State};
use crate::pulse::Pulse;
use crate::sys::signal;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A reload that is going on. Who started us is told that it began; that it is finished it is told when this value
/// goes, whatever came of it.
#[derive(Debug)]
pub struct Reload {
    /// Nobody is told before the daemon is ready: the end of a reload would be taken for that.
    pub(crate) notifier: Option<Arc<Notifier>>,
    pub(crate) log: Arc<Log>,
}

impl Reload {
    /// It is finished.
    pub fn done(self) {}

    /// It failed, and the old configuration stays: people and the manager are told why, and that we go on.
    pub fn failed(self, reason: impl AsRef<str>) {
        let text = format!("reload failed: {}", reason.as_ref());
        self.log.line(Priority::Error, &text);
        if let Some(notifier) = &self.notifier {
            notifier.send(&[State::Status(text)]).ok();
        }
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        if let Some(notifier) = &self.notifier {
            notifier.send(&[State::Ready]).ok();
        }
    }
}

/// Connections and other work that a stop waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guests(Arc<(Mutex<usize>, Condvar)>);

/// One piece of open work, from [`Handle::guest`]; a stop waits until it goes.
#[derive(Debug)]
pub struct Guest(Guests);

impl Guests {
    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn arrive(&self) -> Guest {
        *self.count() += 1;
        Guest(self.clone())
    }

    /// Waits until nobody is left; how many are when the time is over.
    pub(crate) fn leave_within(&self, time: Duration) -> usize {
        // A deadline that is too far away for the clock is none.
        let deadline = Instant::now().checked_add(time);
        let mut count = self.count();
        while *count > 0 {
            let left = deadline.map_or(time, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            count = match self.0.1.wait_timeout(count, left) {
                Ok((count, _)) => count,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *count
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.0.1.notify_all();
    }
}

/// What every thread of a daemon may need; clones are the same daemon.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) log: Arc<Log>,
    pub(crate) guests: Guests,
    pub(crate) pulse: Arc<Pulse>,
}

impl Handle {
    /// Whether the daemon was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        signal::stop_asked()
    }

    /// Open work that a stop waits for, until the value goes.
    #[must_use]
    pub fn guest(&self) -> Guest {
        self.guests.arrive()
    }

    /// Starts a thread whose work a stop waits for. The signals that the daemon listens to go to other threads, so it is
    /// hardly ever interrupted in a system call (`ErrorKind::Interrupted`); other threads may be. What a C library
    /// forks off in it is born with these signals blocked; what [`std::process::Command`] starts is not.
    ///
    /// # Errors
    ///
    /// The system's, when it has no more threads.
    pub fn spawn<Work>(&self, work: Work) -> io::Result<JoinHandle<()>>
    where
        Work: FnOnce() + Send + 'static,
    {
        let guest = self.guest();
        thread::Builder::new().spawn(move || {
            signal::block_in_this_thread();
            // Closed before the daemon is told that nobody is left, whatever it holds.
            work();
            drop(guest);
        })
    }

    /// Asks the daemon to stop, as SIGTERM does.
    pub fn stop(&self) {
        // A second request would end it by force.
        if !signal::stop_asked() {
            signal::ask_to_stop();
        }
    }

    /// Tells people what the daemon is at, in one line: `systemctl status` shows it.
    pub fn status(&self, text: impl Into<String>) {
        self.notifier.send(&[State::Status(text.into())]).ok();
    }

    /// Tells the manager that the daemon is alive, for daemons that do not wait in [`Life::wait`](crate::Life::wait).
    pub fn alive(&self) {
        self.pulse.beat();
        self.notifier.send(&[State::Watchdog]).ok();
    }

    /// Tells the manager something else.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`](crate::Error::Notify) when there is a manager and it cannot be reached.
    pub fn notify(&self, states: &[State]) -> Result<()> {
        self.notifier.send(states)
    }

    /// Waits until the manager has dealt with all that it was told: [`Notifier::barrier`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn barrier(&self, patience: Duration) -> Result<()> {
        self.notifier.barrier(patience)
    }

    /// Where lines go.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }
}
