//! Every bound of logd, with its unit and its reason.

/// Streams at once: systemd's journal has 4,096, a machine of 10,000 units wants more. Each costs a descriptor.
pub const STREAMS: usize = 16 << 10;

/// Bytes of a stream's seven header lines: an identifier and a unit name, a line each.
pub const HEADER: usize = 4096;

/// Bytes of a line; a longer one is cut into several. As journald's LineMax=.
pub const LINE: usize = 48 << 10;

/// Bytes waiting for a slow console; what comes beyond is counted and dropped.
pub const WAITING: usize = 1 << 20;

/// Bytes of one write: what a pipe that polls writable takes without blocking (PIPE_BUF).
pub const WRITE: usize = 4096;

/// Bytes read from a stream before the next one has its turn.
pub const READ: usize = 64 << 10;

/// Datagrams read before the streams have their turn.
pub const DATAGRAMS: usize = 64;

/// Bytes of an entry that comes in a memfd instead of its datagram.
pub const ENTRY: u64 = 1 << 20;

/// Bytes of a name in the fd store: FDNAME= of sd_pid_notify_with_fds(3).
pub const FDNAME: usize = 255;

/// Columns of the widest name the prefix is aligned to.
pub const COLUMN: usize = 24;

/// Names that have a colour of their own; a machine has fewer units that speak.
pub const NAMES: usize = 4096;

/// At the end: how long streams may stay silent before nobody is waited for, in milliseconds.
pub const DRAIN: u64 = 50;

/// Messages to a manager that does not read: each stream's coming and going.
pub const UNTOLD: usize = 2 * STREAMS;
