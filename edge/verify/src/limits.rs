//! How much is looked at and shown, each with its unit and its reason.

/// Characters of a line that are shown: a longer one is cut on both sides of what is meant.
pub const LINE_SHOWN: usize = 120;

/// Lines of one assignment that are shown; of a longer one the first are.
pub const LINES_SHOWN: usize = 8;

/// Entries of one folder given on the command line.
pub const FOLDER_ENTRIES: usize = 100_000;

/// Links of an alias that are told.
pub const LINKS_TOLD: usize = 8;

/// Bytes of a script's first line: the kernel looks at no more.
pub const SCRIPT_LINE: u64 = 256;
