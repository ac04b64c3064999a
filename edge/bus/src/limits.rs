//! What a client can make us hold, each with its unit and the reason for the number.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Private connections at once. Clients are root's or the owner's; systemctl opens one and closes it at once.
pub const CONNECTIONS: usize = 256;

/// Bytes of SASL before `BEGIN`. The longest known client sends under 100.
pub const AUTH_BYTES: usize = 4096;

/// From connect to `BEGIN`. A local client needs a millisecond; one that stalls holds a descriptor.
pub const AUTH_TIME: Duration = Duration::from_secs(20);

/// Bytes of one message a client may send: `enable` of ten thousand names fits.
pub const MESSAGE_BYTES: usize = 1 << 20;

/// Descriptors one message may bring. No method served here takes any.
pub const MESSAGE_FDS: usize = 16;

/// Bytes queued for a client that does not read. `ListUnits` of ten thousand units is about 3 MB; a single
/// message may always be queued, whatever its size.
pub const QUEUED_BYTES: usize = 16 << 20;

/// Messages handed to the socket at once.
pub const SENT_AT_ONCE: usize = 64;

/// Calls read and not yet served, over all connections; beyond it, sockets are left unread.
pub const CALLS_WAITING: usize = 256;

/// Calls that wait for the engine's answer, over all connections.
pub const ANSWERS_WAITING: usize = 16_384;

/// Signals noted in one turn before `flush`; a daemon-reload of ten thousand units notes two for each.
pub const SIGNALS_NOTED: usize = 262_144;

/// Units whose changes are told in one `flush`, some 10 KB each: who waits for an answer meanwhile waits about a millisecond.
pub const CHANGES_TOLD: usize = 64;

/// Callers on the system bus whose credentials are remembered, and subscribers there.
pub const BUS_PEERS: usize = 1024;

/// Bus names watched for `Type=dbus` units.
pub const BUS_NAMES: usize = 4096;

/// The bus daemon's answer to a question of ours. It is a client's convenience, never waited for by a unit.
pub const BUS_TIME: Duration = Duration::from_secs(5);

/// Messages read from the bus while an answer of the daemon is awaited: they stand before it in the stream.
pub const BUS_QUEUE: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Between attempts to connect to a bus that is said to be up.
pub const BUS_RETRY: Duration = Duration::from_millis(500);

/// Units whose plans are asked for in one call: each costs as much as the request would.
pub const PLANNED_UNITS: usize = 256;

/// Names in one call, and assignments of an environment.
pub const NAMES: usize = 65_536;

/// Bytes of the manager's whole environment block.
pub const ENVIRONMENT_BYTES: usize = 1 << 20;

/// Bytes of a dump: over ten thousand units, and half of what a message may hold.
pub const DUMP_BYTES: usize = 64 << 20;
