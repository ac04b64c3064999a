//! A daemon in a tokio runtime: the same words, awaited.

use crate::error::{Error, Result};
use crate::life::{Life, Moment};
use std::error::Error as Failure;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use tokio::net::unix::pipe::Receiver;

impl crate::Daemon {
    /// Runs the daemon in a tokio runtime of several threads, which begins when everything that must come before
    /// threads is done: [`Daemon::run`](crate::Daemon::run) otherwise.
    pub fn run_async<E>(self, serve: impl AsyncFnOnce(&mut Life) -> std::result::Result<(), E>) -> ExitCode
    where
        E: Into<Box<dyn Failure + Send + Sync>>,
    {
        self.run(move |life| -> std::result::Result<(), Box<dyn Failure + Send + Sync>> {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Error::io("start a runtime", error))?;
            let outcome = runtime.block_on(serve(life)).map_err(Into::into);
            if outcome.is_ok() {
                // Open work is the runtime's: it goes on in its threads until this returns.
                life.drain();
            }
            runtime.shutdown_background();
            outcome
        })
    }
}

impl Life {
    /// Waits for what happens next, as [`Life::wait`] does, and answers the watchdog meanwhile: a runtime that comes
    /// to it is alive. Dropped before it is ready, it loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Life::wait`].
    pub async fn next(&mut self) -> Result<Moment> {
        loop {
            if let Some(moment) = self.heard()? {
                return Ok(moment);
            }
            let pause = self.round();
            let failed = |error| Error::io("wait for signals", error);
            let signals = self.fd().try_clone_to_owned().and_then(Receiver::from_owned_fd).map_err(failed)?;
            ready_or_pause(signals.readable(), pause).await.map_err(failed)?;
        }
    }
}

/// Waits for one of both.
async fn ready_or_pause<T>(
    ready: impl Future<Output = io::Result<T>>,
    pause: Option<std::time::Duration>,
) -> io::Result<()> {
    match pause {
        Some(pause) => tokio::time::timeout(pause, ready)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map(drop),
        None => ready.await.map(drop),
    }
    .or_else(|error| if error.kind() == io::ErrorKind::TimedOut { Ok(()) } else { Err(error) })
}
