//! A running daemon.

use crate::description::socket;
use crate::raised;
use eudaemon_kit::{Handle, Moment, Priority, Reload};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, RawFd};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A running daemon. What waits or changes it belongs to one thread at a time; the rest may be called by every thread.
#[pyclass(frozen, module = "eudaemon_kit._kit")]
pub(crate) struct Life {
    /// Nothing when it ended.
    own: Mutex<Option<Own>>,
    handle: Handle,
    #[pyo3(get)]
    starter: String,
    #[pyo3(get)]
    invocation: Option<String>,
    /// Seconds.
    #[pyo3(get)]
    watchdog: Option<f64>,
    signals: RawFd,
}

struct Own {
    life: eudaemon_kit::Life,
    reload: Option<Reload>,
}

/// Open work, which a stop waits for; it goes when it is left or forgotten.
#[pyclass(frozen, module = "eudaemon_kit._kit")]
pub(crate) struct Guest {
    guest: Mutex<Option<eudaemon_kit::Guest>>,
}

#[pymethods]
impl Guest {
    fn leave(&self) {
        if let Ok(mut guest) = self.guest.lock() {
            *guest = None;
        }
    }
}

const ELSEWHERE: &str = "the daemon is waited for in another thread, which alone may do this";
const ENDED: &str = "the daemon has ended";

impl Life {
    pub(crate) fn new(life: eudaemon_kit::Life) -> Life {
        Life {
            handle: life.handle(),
            starter: life.starter().to_string(),
            invocation: life.invocation().map(str::to_owned),
            watchdog: life.watchdog().map(|time| time.as_secs_f64()),
            signals: life.fd().as_raw_fd(),
            own: Mutex::new(Some(Own { life, reload: None })),
        }
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, Option<Own>>> {
        self.own.try_lock().map_err(|_| PyRuntimeError::new_err(ELSEWHERE))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Own) -> PyResult<T>) -> PyResult<T> {
        match &mut *self.lock()? {
            Some(own) => act(own),
            None => Err(PyRuntimeError::new_err(ENDED)),
        }
    }

    fn end(&self) -> PyResult<Own> {
        self.lock()?.take().ok_or_else(|| PyRuntimeError::new_err(ENDED))
    }
}

/// The word for what happened, and the place of the descriptor in question.
type Happened = (&'static str, usize);

impl Own {
    fn happened(&mut self, moment: Moment) -> Happened {
        match moment {
            Moment::Stop => ("stop", 0),
            Moment::Reload(reload) => {
                self.reload = Some(reload);
                ("reload", 0)
            }
            Moment::Readable(at) => ("readable", at),
            Moment::TimeOver => ("time over", 0),
        }
    }

    /// One turn of waiting, without the interpreter's lock.
    fn turn(
        &mut self,
        py: Python<'_>,
        readable: &[BorrowedFd<'_>],
        deadline: Option<Instant>,
    ) -> PyResult<Option<Happened>> {
        let moment = py.detach(|| self.life.wait_once(readable, deadline));
        Ok(moment.map_err(|error| raised(&error))?.map(|moment| self.happened(moment)))
    }
}

#[pymethods]
impl Life {
    fn ready(&self) -> PyResult<()> {
        self.with(|own| own.life.ready().map_err(|error| raised(&error)))
    }

    /// Waits for what happens next; Python's own signal functions run meanwhile.
    #[pyo3(signature = (readable, seconds))]
    fn wait(&self, py: Python<'_>, readable: Vec<RawFd>, seconds: Option<f64>) -> PyResult<Happened> {
        let time = seconds.map(|time| Duration::try_from_secs_f64(time.max(0.0))).transpose();
        let time = time.map_err(|error| PyValueError::new_err(format!("time: {error}")))?;
        // A deadline that is too far away for the clock is none.
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        let readable = crate::sys::borrowed(&readable)?;
        self.with(|own| {
            own.reload = None;
            loop {
                if let Some(happened) = own.turn(py, &readable, deadline)? {
                    return Ok(happened);
                }
                py.check_signals()?;
            }
        })
    }

    fn heard(&self) -> PyResult<Option<&'static str>> {
        self.with(|own| {
            own.reload = None;
            let moment = own.life.heard().map_err(|error| raised(&error))?;
            Ok(moment.map(|moment| own.happened(moment).0))
        })
    }

    fn fileno(&self) -> RawFd {
        self.signals
    }

    fn reloaded(&self) -> PyResult<()> {
        self.with(|own| {
            own.reload = None;
            Ok(())
        })
    }

    fn reload_failed(&self, reason: &str) -> PyResult<()> {
        self.with(|own| {
            if let Some(reload) = own.reload.take() {
                reload.failed(reason);
            }
            Ok(())
        })
    }

    /// Takes a socket by its kind; its descriptor, which is the caller's then.
    fn take(&self, kind: &str, name: &str) -> PyResult<RawFd> {
        socket(kind, name, "")?;
        self.with(|own| {
            let taken = match kind {
                "tcp" => own.life.tcp(name).map(IntoRawFd::into_raw_fd),
                "udp" => own.life.udp(name).map(IntoRawFd::into_raw_fd),
                "unix" => own.life.unix(name).map(IntoRawFd::into_raw_fd),
                _ => own.life.unix_datagram(name).map(IntoRawFd::into_raw_fd),
            };
            taken.map_err(|error| raised(&error))
        })
    }

    fn take_any(&self, name: &str) -> PyResult<Option<RawFd>> {
        self.with(|own| Ok(own.life.sockets().take(name).map(IntoRawFd::into_raw_fd)))
    }

    fn take_connection(&self) -> PyResult<Option<RawFd>> {
        self.with(|own| Ok(own.life.sockets().connection().map(IntoRawFd::into_raw_fd)))
    }

    fn names(&self) -> PyResult<Vec<String>> {
        self.with(|own| Ok(own.life.sockets().names().map(str::to_owned).collect()))
    }

    fn is_handed(&self, name: &str) -> PyResult<bool> {
        self.with(|own| Ok(own.life.sockets().is_handed(name)))
    }

    fn store(&self, name: &str, fd: RawFd) -> PyResult<()> {
        let fds = crate::sys::borrowed(&[fd])?;
        self.with(|own| {
            fds.iter().try_for_each(|fd| own.life.store(name, fd).map_err(|error| raised(&error)))
        })
    }

    fn credential<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.with(|own| {
            let secret = own.life.credential(name).map_err(|error| raised(&error))?;
            Ok(secret.map(|secret| PyBytes::new(py, &secret)))
        })
    }

    fn status(&self, text: String) {
        self.handle.status(text);
    }

    fn alive(&self) {
        self.handle.alive();
    }

    fn notify(&self, assignments: &str) -> PyResult<()> {
        let states = eudaemon_kit::notify::parse(assignments.as_bytes());
        self.handle.notify(&states).map_err(|error| raised(&error))
    }

    fn keeps_fields(&self) -> bool {
        self.handle.log().keeps_fields()
    }

    /// A line of a priority of syslog(3), with fields of the journal's.
    fn log(&self, priority: usize, line: &str, fields: Vec<(String, String)>) -> PyResult<()> {
        let known = Priority::of_number(priority);
        let known =
            known.ok_or_else(|| PyValueError::new_err(format!("priority {priority}: expected 0 to 7")))?;
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        if fields.is_empty() {
            // By itself it keeps its place among the lines of the starter's.
            self.handle.log().line(known, line);
        } else {
            self.handle.log().send(known, line, &fields);
        }
        Ok(())
    }

    fn stop(&self) {
        self.handle.stop();
    }

    fn is_stopping(&self) -> bool {
        self.handle.is_stopping()
    }

    fn guest(&self) -> Guest {
        Guest { guest: Mutex::new(Some(self.handle.guest())) }
    }

    /// The end as wished: waits for guests, which may need the interpreter.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let own = self.end()?;
        drop(own.reload);
        py.detach(|| own.life.finish());
        Ok(())
    }

    fn fail(&self, exit: u8, errno: Option<i32>, reason: &str) -> PyResult<()> {
        self.end()?.life.fail(exit, errno, reason);
        Ok(())
    }

    fn fail_told(&self, exit: u8, errno: Option<i32>, reason: &str) -> PyResult<()> {
        self.end()?.life.fail_told(exit, errno, reason);
        Ok(())
    }
}
