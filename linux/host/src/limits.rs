//! What the host lets others make it hold: number, unit, reason.

use std::time::Duration;

/// Threads of one process asked for their children: the kernel's own most.
pub const THREADS: usize = 4_194_304;
/// Generations between a process and the nearest ancestor of which it is known whose it is.
pub const ANCESTORS: usize = 256;
/// Bytes read of any one file under /proc/PID; environments beyond it are cut, not followed.
pub const PROC_FILE: usize = 256 * 1024;
/// Bytes of one notify message; sd_notify(3) senders stay far below a page.
pub const NOTIFY_MESSAGE: usize = 16 * 1024;
/// Descriptors in one notify message: SCM_MAX_FD of the kernel.
pub const NOTIFY_FDS: usize = 253;
/// Notify messages taken in per turn, so that one noisy service cannot hold the loop.
pub const NOTIFY_PER_TURN: usize = 256;
/// Levels of sub-cgroups walked below a unit's cgroup.
pub const CGROUP_DEPTH: usize = 16;
/// Rounds of signalling a set whose members fork while they are being killed.
pub const KILL_ROUNDS: usize = 64;
/// Levels of a tree that is removed, each an open descriptor meanwhile.
pub const TREE_DEPTH: usize = 256;
/// How often a directory is read again that is not empty when all that was read of it is gone.
pub const TREE_ROUNDS: usize = 16;
/// Bytes of a pid file: a number and a newline.
pub const PID_FILE: usize = 64;
/// Connections thrown away by one `FlushPending=`.
pub const FLUSH_ROUNDS: usize = 4096;
/// For how long a manager that answers may be one whose init was killed, and how often it is looked for.
pub const RIVAL_ENDS: Duration = Duration::from_secs(1);
pub const RIVAL_LOOK: Duration = Duration::from_millis(20);
/// From SIGTERM to SIGKILL, and from that to leaving, for what an earlier init left when everything ends: as long as init
/// gives its own children.
pub const ORPHANS_TERM: Duration = Duration::from_secs(5);
pub const ORPHANS_KILL: Duration = Duration::from_secs(5);
pub const ORPHANS_LOOK: Duration = Duration::from_millis(20);
/// Bytes of the first line of an answer to `Http=`.
pub const PROBE_LINE: usize = 1024;
/// Bytes taken in after it, so that the server is not cut off in the middle of a page.
pub const PROBE_REST: usize = 1 << 20;
/// Reports of init taken in per turn.
pub const REPORTS_PER_TURN: usize = 256;
/// Bytes of one time zone's file: the largest are under 4 KiB.
pub const ZONE_FILE: u64 = 1 << 20;
/// Threads that remove units' directories at once; the others wait. A disk does not go faster for more.
pub const CLEANERS: usize = 8;
