//! Every bound of the client, with unit and reason.

use std::time::Duration;

/// How long a manager that said it is ready may take until its socket answers.
pub const MANAGER_ANSWER: Duration = Duration::from_secs(10);

/// Between two looks at the socket while a manager starts: short, since the user waits for it.
pub const SOCKET_LOOK: Duration = Duration::from_millis(2);

/// How long to wait for the far end of a socket to finish the handshake. A listener that accepts and never
/// speaks would hold the terminal forever.
pub const HANDSHAKE: Duration = Duration::from_secs(25);

/// How long `exit` waits for the end, longer than any usual stop timeout; and between two looks.
pub const END: Duration = Duration::from_secs(300);
pub const END_LOOK: Duration = Duration::from_millis(20);

/// Units shown by `list-dependencies`: a dependency graph is a tree only by repetition, and 10,000 units in a
/// lattice would print for hours.
pub const DEPENDENCY_ROWS: usize = 100_000;

/// Width assumed where the terminal's is unknown, in columns.
pub const DEFAULT_COLUMNS: usize = 80;

/// Lines of the journal shown by `status` unless `-n` says otherwise.
pub const JOURNAL_LINES: usize = 10;

/// Bytes of the background manager's log that are looked through for a unit's last lines.
pub const CONSOLE_TAIL: u64 = 256 * 1024;

/// Bytes of one message: the D-Bus specification's own bound, 128 MiB.
pub const MESSAGE: usize = 128 * 1024 * 1024;

/// Bytes of one line of the handshake.
pub const AUTH_LINE: usize = 16 * 1024;

/// Lines of one unit's `Fault:` row: more are read with `why` and `verify`.
pub const FAULTS_SHOWN: usize = 5;

/// Characters of a line that counts for nothing, as `status` shows it: its place is told, and `verify` shows all of it.
pub const IGNORED_SHOWN: usize = 60;
