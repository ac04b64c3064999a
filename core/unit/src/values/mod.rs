//! The small languages inside values: text in, number or list out, and back where `show` prints them.
//! Nothing in here knows a directive; a wrong text is an error value, never a panic.

pub mod address;
pub mod calendar;
pub mod capability;
pub mod civil;
pub mod cpuset;
pub mod endpoint;
pub mod errno;
pub mod exit_status;
pub mod family;
pub mod limit;
pub mod mount_table;
pub mod mounts;
pub mod number;
pub mod path;
pub mod signal;
pub mod size;
pub mod syscalls;
pub mod timespan;
pub mod timestamp;
pub mod words;
pub mod zones;

pub use number::{boolean, mode};
pub use timespan::{format_timespan, format_timespan_to, parse_timespan};

/// Why a text is no value; the words are those of the C library, as systemd prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    Syntax,
    Range,
    Unsupported,
    TooMany,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bad::Syntax => "Invalid argument",
            Bad::Range => "Numerical result out of range",
            Bad::Unsupported => "Address family not supported by protocol",
            Bad::TooMany => "No buffer space available",
        })
    }
}
