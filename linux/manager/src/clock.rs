//! The machine's clocks, read in one place.

use eudaemon_engine::api::Moment;
use rustix::time::{ClockId, clock_gettime};

/// Both clocks, now.
pub fn now() -> Moment {
    let usec = |clock| {
        let time = clock_gettime(clock);
        time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
    };
    Moment { monotonic: usec(ClockId::Monotonic), realtime: usec(ClockId::Realtime) }
}
