//! Whether the daemon comes round: the time of its last sign of life, for those who tell others of it.

use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "announce")]
use std::time::Duration;
use std::time::Instant;

/// The last time that the daemon waited, or said by itself that it is alive.
#[derive(Debug)]
pub(crate) struct Pulse {
    begin: Instant,
    /// Milliseconds since the beginning.
    last: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Pulse {
        Pulse { begin: Instant::now(), last: AtomicU64::new(0) }
    }

    pub(crate) fn beat(&self) {
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.fetch_max(now, Ordering::Relaxed);
    }

    /// How long ago the last one was.
    #[cfg(feature = "announce")]
    pub(crate) fn silence(&self) -> Duration {
        self.begin.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }
}
