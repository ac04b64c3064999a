//! Every bound of a rehearsal, with unit and reason.

/// Pretend microseconds after which a boot that has not come to rest is left: something restarts for ever.
pub const BOOT: u64 = 600 * 1_000_000;

/// Bytes of a flight that are read: the bus carries no more.
pub const FLIGHT_BYTES: u64 = 128 * 1024 * 1024;

/// Lines of a timeline that are kept; a folder of a thousand units has some five thousand.
pub const LINES: usize = 100_000;
