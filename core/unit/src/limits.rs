//! How much of anything this crate takes from outside, each with its unit and its reason.

use crate::span::Span;

/// Symbolic links followed in one path (Linux: 40).
pub const LINKS_FOLLOWED: usize = 40;

/// Aliases followed from a name to its file (systemd: 8).
pub const ALIASES_FOLLOWED: usize = 8;

/// Entries read of one `.d`, `.wants`, `.requires` or `.upholds` folder: a target may want every unit there is.
pub const FOLDER_ENTRIES: usize = 100_000;

/// Bytes of one unit file or drop-in. The largest real one known is under 64 KiB; the reader of files refuses
/// more before it reads, so that a file of 100 MB costs nothing but one line of complaint.
pub const UNIT_FILE_MAX: u64 = 4 << 20;

/// Bytes of one line, and of one line with its continuations (systemd's limit: 1 MiB).
pub const LINE_MAX: usize = 1 << 20;

/// Bytes a text may have after its specifiers are replaced (Linux's ARG_MAX leaves no use for more).
pub const EXPANDED_MAX: usize = 2 << 20;

/// Bytes of a path, with its closing zero byte (Linux's PATH_MAX).
pub const PATH_MAX: usize = 4096;

/// Bytes of the data of `StandardInputText=` and `StandardInputData=` together (systemd's limit).
pub const STDIN_TEXT_MAX: usize = 1 << 20;

/// Bytes of an `EnvironmentFile=` (systemd refuses more than 4 MiB).
pub const ENV_FILE_MAX: u64 = 4 << 20;

/// Bytes of the kernel's table of mounts, and of mount(8)'s own options: Linux mounts 100,000 at most in one namespace,
/// with lines of some hundred bytes.
pub const MOUNT_TABLE_MAX: u64 = 64 << 20;

/// Items one list directive keeps in one unit: far beyond any real unit, small enough to hold 10,000 of them.
pub const LIST_MAX: usize = 16_384;

/// Diagnostics kept for one unit; the rest is counted in one closing line.
pub const DIAGNOSTICS_MAX: usize = 1_000;

/// Links followed from a unit's name to its file when it is enabled (systemd: 64).
pub const UNIT_LINKS_FOLLOWED: usize = 64;

/// Directories entered below a configuration directory in search of links to remove.
pub const LINK_DIRECTORIES_MAX: usize = 100_000;

/// Values in one field of a calendar expression, less one (systemd: 240).
pub const CALENDAR_VALUES_MAX: usize = 240;

/// Steps in search of the next point of a calendar expression (systemd: 1000): 230 years of months that all miss
/// are fewer.
pub const CALENDAR_ROUNDS_MAX: u32 = 1_000;

/// Corrections of a guess before a local time is given up, as the GNU C library's mktime(3) does.
pub const LOCAL_TIME_PROBES_MAX: u32 = 6;

/// Seconds from one look for the other season of a zone to the next, and the farthest look: as that library takes them.
pub const SEASON_STRIDE: i64 = 601_200;
pub const SEASON_FARTHEST: i64 = 268_227_000 + SEASON_STRIDE;

/// Seconds of a point in a calendar expression that is taken apart; what is too far for the calendar is told later.
pub const CALENDAR_FARTHEST: i64 = 1 << 40;

/// Changes of a zone's rules looked at, from the end of time backwards: more than any zone without a rule has seen.
pub const ZONE_CHANGES_MAX: usize = 1_000;

/// Bytes of a URL that is asked: a request fits one packet.
pub const URL: usize = 1024;

/// Less than this would be no wait between probes, and no time for one.
pub const SHORTEST_WAIT: Span = Span::milliseconds(10);
