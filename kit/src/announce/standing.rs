//! The entries of a running daemon, each kept by a thread of its own.

use super::Prepared;
use super::term::Term;
use crate::handle::Handle;
use crate::limits::{REGISTRY_ANSWERS_WITHIN, TAKEN_BACK_WITHIN};
use crate::log::{Log, Priority};
use crate::sys::signal;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What stands in registries. It is taken back when this value goes, which waits for it a moment.
#[derive(Debug)]
pub(crate) struct Standing {
    entries: Vec<Stood>,
    /// When they were asked to go.
    asked: Option<Instant>,
    /// Longest wait for that.
    patience: Duration,
    log: Arc<Log>,
    /// The process whose threads these are.
    owner: u32,
}

#[derive(Debug)]
struct Stood {
    name: String,
    bell: UnixStream,
    /// Closed by the thread's end.
    gone: Receiver<()>,
}

impl Standing {
    /// Begins to register. What a stop may take bounds the wait at the end.
    pub(crate) fn begin(prepared: Vec<Prepared>, handle: &Handle, stop_within: Duration) -> Standing {
        let log = Arc::clone(&handle.log);
        let mut entries = Vec::new();
        for one in prepared {
            let name = one.entry.name.clone();
            match Stood::begin(one, handle) {
                Ok(stood) => entries.push(stood),
                Err(error) => log.line(Priority::Warning, format!("cannot announce {name}: {error}")),
            }
        }
        // The daemon's own deadline ends it a little after `stop_within`.
        let patience =
            (REGISTRY_ANSWERS_WITHIN + TAKEN_BACK_WITHIN).min(stop_within.saturating_add(TAKEN_BACK_WITHIN));
        Standing { entries, asked: None, patience, log, owner: process::id() }
    }

    /// Asks for all to be taken back, and waits for nothing.
    pub(crate) fn take_back(&mut self) {
        if self.asked.is_some() || self.owner != process::id() {
            return;
        }
        self.asked = Some(Instant::now());
        for entry in &self.entries {
            // Heard by the thread whoever else has the descriptor: a child that was forked off, say.
            entry.bell.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if self.owner != process::id() {
            return;
        }
        self.take_back();
        let spent = self.asked.map_or(Duration::ZERO, |asked| asked.elapsed());
        let end = Instant::now() + self.patience.saturating_sub(spent);
        for entry in &self.entries {
            let left = end.saturating_duration_since(Instant::now());
            if entry.gone.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                let text = format!("{} is not taken back within {:?}: left", entry.name, self.patience);
                self.log.line(Priority::Warning, text);
            }
        }
    }
}

impl Stood {
    fn begin(prepared: Prepared, handle: &Handle) -> io::Result<Stood> {
        let name = prepared.entry.name.clone();
        let (ours, theirs) = UnixStream::pair()?;
        let (ends, gone): (Sender<()>, _) = channel();
        let term = Term { bell: theirs, log: Arc::clone(&handle.log), pulse: Arc::clone(&handle.pulse) };
        thread::Builder::new().name("announce".to_owned()).spawn(move || {
            signal::block_in_this_thread();
            prepared.stand(&term);
            drop(ends);
        })?;
        Ok(Stood { name, bell: ours, gone })
    }
}
