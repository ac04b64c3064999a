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
/// The longest part of a registry's answer that is shown, in bytes: a proxy's answer may be a page.
#[cfg(feature = "consul")]
pub(crate) const LONGEST_ANSWER_SHOWN: usize = 200;
/// The longest answer of a registry that is read, in bytes: an entry as the agent knows it.
#[cfg(feature = "consul")]
pub(crate) const LONGEST_ANSWER: u64 = 64 * 1024;
/// The longest name of an announcement, in bytes: a label of the DNS, RFC 1035.
#[cfg(feature = "announce")]
pub(crate) const LONGEST_ANNOUNCED_NAME: usize = 63;
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
/// How long a line waits for room in a full log: longer than a burst takes, shorter than anybody notices.
pub(crate) const LOG_WAITED_FOR: Duration = Duration::from_millis(100);
/// Most descriptors that are taken over at the start: more than any manager gives.
pub(crate) const MOST_HANDED: i32 = 4096;
/// The longest name of a stored descriptor, in bytes: sd_notify(3).
pub(crate) const LONGEST_STORED_NAME: usize = 255;
