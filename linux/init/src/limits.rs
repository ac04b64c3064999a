//! Every bound of init, with its unit and its reason. Tables are allocated once, at start-up, to these
//! sizes; pages nobody used cost nothing.

use std::time::Duration;

/// Bytes of a plan inside a message; a longer one travels in a memfd. The socket's default buffer holds three.
pub const PLAN_INLINE: usize = 64 << 10;

/// Bytes of a message: the header and the longest plan.
pub const MESSAGE: usize = crate::wire::HEADER + PLAN_INLINE;

/// Descriptors in one message: the kernel's SCM_MAX_FD.
pub const FDS_PER_MESSAGE: usize = 253;

/// Bytes of a vault entry's name: as long as a unit name.
pub const NAME: usize = 255;

/// Children known at once: four commands of each of 10,000 units would be too many for any machine's pid limit.
pub const CHILDREN: usize = 32 << 10;

/// Descriptors in the vault. The kernel's own limit on open files may be lower; then the kernel refuses.
pub const VAULT: usize = 16 << 10;

/// Exits of processes nobody asked for, kept for a `Track` that comes late.
pub const ORPHANS: usize = 1024;

/// Orders obeyed before signals and exits are looked at again.
pub const ORDERS_PER_TURN: usize = 64;

/// A manager that lived this long may be restarted at once when it dies.
pub const MANAGER_STABLE: Duration = Duration::from_secs(10);

/// Quick deaths after which restarts begin to pause.
pub const MANAGER_QUICK_RESTARTS: u32 = 3;

/// The first pause; it doubles up to the longest.
pub const MANAGER_PAUSE: Duration = Duration::from_millis(100);
pub const MANAGER_PAUSE_LONGEST: Duration = Duration::from_secs(10);

/// Quick deaths after which init gives up, if nothing lives that a manager could look after.
pub const MANAGER_GIVE_UP: u32 = 5;

/// From SIGTERM to SIGKILL for what is left when everything ends. Units were stopped before, by the manager.
pub const FINISH_TERM: Duration = Duration::from_secs(5);

/// From SIGKILL to leaving without those that will not die (uninterruptible sleep).
pub const FINISH_KILL: Duration = Duration::from_secs(5);

/// How long `init --background` waits for the manager to say that it is ready.
pub const BACKGROUND: Duration = Duration::from_secs(60);

/// The longest that a child of `Type=idle` waits for the others: systemd.service(5).
pub const IDLE: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 5, tv_nsec: 0 };

/// Bytes of the console log shown when a background start fails.
pub const BACKGROUND_TAIL: u64 = 4096;

/// Bytes of /etc/passwd, /etc/group or an environment file: beyond it the file is not one.
pub const TEXT_FILE: u64 = 16 << 20;

/// Groups of one process: the kernel's NGROUPS_MAX.
pub const GROUPS: usize = 65536;

/// Files whose owner is changed below one directory of a unit.
pub const CHOWN: usize = 1 << 20;
