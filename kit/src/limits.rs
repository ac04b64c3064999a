//! Every limit of this crate, with its unit and its reason.

use std::time::Duration;

/// How long a registry may take to answer: one that hangs must not hold up a stop for longer.
#[cfg(feature = "announce")]
pub(crate) const REGISTRY_ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// How long taking an entry back may take by itself, on the way down.
#[cfg(feature = "announce")]
pub(crate) const TAKEN_BACK_WITHIN: Duration = Duration::from_secs(1);
/// The pause before the first new attempt to reach a registry; each further one is twice as long.
#[cfg(feature = "announce")]
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between two attempts: a registry that comes back is found within it.
#[cfg(feature = "announce")]
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often an entry without a sign of life is looked for: an agent that began anew may have forgotten it.
#[cfg(feature = "announce")]
pub(crate) const LOOKED_FOR_EVERY: Duration = Duration::from_secs(30);
/// The shortest time between two such looks, however often the agent asks for our health.
#[cfg(feature = "consul")]
pub(crate) const LOOKED_FOR_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// The longest part of a registry's answer that is shown, in bytes: a proxy's answer may be a page.
#[cfg(feature = "consul")]
pub(crate) const LONGEST_ANSWER_SHOWN: usize = 200;
/// The longest answer of a registry that is read, in bytes: an entry as the agent knows it.
#[cfg(feature = "consul")]
pub(crate) const LONGEST_ANSWER: u64 = 64 * 1024;
/// The longest name of an announcement, in bytes: a label of the DNS, RFC 1035.
#[cfg(feature = "announce")]
pub(crate) const LONGEST_ANNOUNCED_NAME: usize = 63;
/// How many names in a row may be taken: as many daemons of a kind on one machine are nobody's wish.
#[cfg(feature = "avahi")]
pub(crate) const MOST_NAMES: usize = 100;
/// The longest tag, in bytes: a string of a TXT record, RFC 6763.
#[cfg(feature = "announce")]
pub(crate) const LONGEST_TAG: usize = 255;
/// The longest name of a service's type, in characters: RFC 6335.
#[cfg(feature = "announce")]
pub(crate) const LONGEST_TYPE: usize = 15;
/// The longest message to a manager, in bytes: systemd reads no more of one.
pub(crate) const LONGEST_MESSAGE: usize = 4096;
/// Most descriptors that one message takes along: unix(7), `SCM_RIGHTS`.
pub(crate) const MOST_FDS: usize = 253;
/// The longest name of a journal's field, in bytes: journald leaves longer ones out.
pub(crate) const LONGEST_FIELD_NAME: usize = 64;
/// Seconds that the last line of an end by force may take, where a look said that it takes none.
pub(crate) const LAST_LINE_TAKES: u32 = 1;
/// How long a line waits for room in a full log: longer than a burst takes, shorter than anybody notices.
pub(crate) const LOG_WAITED_FOR: Duration = Duration::from_millis(100);
/// How many sends in a row a log that was stuck has to take at once before it is waited for again: more than the places that a slow
/// reader frees one by one, fewer than the messages that the shortest queue of a kernel holds (`net.unix.max_dgram_qlen`, 10).
pub(crate) const LOG_FLOWS_AGAIN_AFTER: u32 = 8;
/// Most descriptors that are taken over at the start: more than any manager gives.
pub(crate) const MOST_HANDED: i32 = 4096;
/// The longest name of a stored descriptor, in bytes: sd_notify(3).
pub(crate) const LONGEST_STORED_NAME: usize = 255;
/// How long a daemon that is told to stop while it starts has, before it is killed.
pub(crate) const STARTS_END_WITHIN: Duration = Duration::from_secs(5);
/// How long a stop may take by default: less than the 90 s after which systemd kills.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How often a pid file may vanish under our hands, by rivals that end, before we give up.
pub(crate) const LOCK_ATTEMPTS: u32 = 1000;
/// A pid file holds a number; bytes behind these are not looked at.
pub(crate) const LONGEST_PID_FILE: usize = 64;
/// A process that began so much later than its pid file was written, in seconds, did not write it: times of day are
/// whole seconds here, and clocks are set.
pub(crate) const CLOCK_SLACK: u64 = 2;
/// The longest name of a Unix socket, in bytes: unix(7).
pub(crate) const LONGEST_SOCKET_NAME: usize = 107;
/// The longest reason that a manager is told, in bytes: half of what it takes in one message.
pub(crate) const LONGEST_STATUS: usize = 2048;
/// The longest report to the process in front, in bytes: the reason is cut behind it.
pub(crate) const LONGEST_REPORT: usize = 4096;
/// How many connections may wait; the kernel's own limit, `net.core.somaxconn`, is below.
pub(crate) const QUEUE: i32 = 4096;
/// Where the search for open descriptors ends without /proc when the limit is higher: it takes some 10 ms.
pub(crate) const FARTHEST_FD: u64 = 65_536;
/// Requests to stop within so many milliseconds are one: timeout(1) and terminals' wrappers send to the process and to
/// its group.
pub(crate) const ONE_REQUEST: u64 = 500;
/// Most groups that are asked for of a user: Linux has no more for a process.
pub(crate) const MOST_GROUPS: usize = 65_536;
/// How deep an error's sources are told: deeper ones nobody reads, and a ring of them ends.
pub(crate) const DEEPEST_ERROR: usize = 16;
/// How long a daemon may be silent by default before it counts as unwell.
#[cfg(feature = "announce")]
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
/// How long a process may take to write down its number, in seconds: it does nothing else before.
#[cfg(feature = "service")]
pub(crate) const NUMBER_WITHIN: u64 = 5;
/// How long a pid file is waited for, and a stop, where the service says nothing: systemd's own defaults.
#[cfg(feature = "service")]
pub(crate) const SAID_BY_SYSTEMD: Duration = Duration::from_secs(90);
/// The longest that a script waits for a pid file, in seconds: a machine that starts waits for the script.
#[cfg(feature = "service")]
pub(crate) const LONGEST_START: u64 = 3600;
/// How long the kernel may take to end what was killed, in seconds: it may hang on a disk.
#[cfg(feature = "service")]
pub(crate) const KILLED_WITHIN: u64 = 5;
/// For ever, in seconds, to managers that know numbers alone: a day.
#[cfg(feature = "service")]
pub(crate) const FOR_EVER: u64 = 86_400;
/// How long a service is to run well before Windows forgets that it failed, in seconds.
#[cfg(feature = "service")]
pub(crate) const FAILURES_FORGOTTEN_AFTER: u64 = 86_400;
/// How long runsvdir(8) may take to see a new service: it looks every five seconds.
#[cfg(feature = "service")]
pub(crate) const RUNIT_LOOKS: Duration = Duration::from_secs(15);
/// How often a plan looks for something that comes soon.
#[cfg(feature = "service")]
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// Between an end and the next start: a daemon that ends at once does not keep the machine busy.
#[cfg(feature = "service")]
pub(crate) const RESTART_DELAY: Duration = Duration::from_secs(1);
/// Links that are followed on the way to one file, as many as the kernel follows: path_resolution(7).
#[cfg(feature = "service")]
pub(crate) const LINKS: usize = 40;
/// In how many first lines of a file our mark is looked for: it stands behind the header of a script.
#[cfg(feature = "service")]
pub(crate) const MARK_WITHIN: usize = 20;
