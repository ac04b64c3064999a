//! How much of anything this crate takes from outside, each with its unit and its reason.

/// Symbolic links followed in one path (Linux: 40).
pub const LINKS_FOLLOWED: usize = 40;

/// Aliases followed from a name to its file (systemd: 8).
pub const ALIASES_FOLLOWED: usize = 8;

/// Entries read of one `.d`, `.wants`, `.requires` or `.upholds` folder: a target may want every unit there is.
pub const FOLDER_ENTRIES: usize = 100_000;
