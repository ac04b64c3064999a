#![forbid(unsafe_code)]
//! What packages rely on at boot: volatile files (tmpfiles.d(5)) and system users (sysusers.d(5)).
//!
//! Both read their configuration the same way and differ in what a line means. Neither knows a service manager.

mod accounts;
mod conf;
mod specifiers;
mod sysusers;
mod tmpfiles;

pub use sysusers::main as sysusers;
pub use tmpfiles::main as tmpfiles;

/// Prints `text` if `-h` or `--help` is among the arguments, which begin with the program's word.
fn shows_help(arguments: &[std::ffi::OsString], text: &str) -> bool {
    let asked = arguments.iter().skip(1).any(|argument| argument == "-h" || argument == "--help");
    if asked {
        print!("{text}");
    }
    asked
}

/// sysexits.h: a line of the configuration made no sense.
const DATA_ERROR: u8 = 65;
/// sysexits.h: something could not be made.
const CANNOT_CREATE: u8 = 73;

/// Bytes of one configuration file.
const CONF_MAX: u64 = 4 << 20;
/// Links followed in one path (Linux: 40).
const LINKS_FOLLOWED: usize = 40;
/// Entries looked at by one recursive line, so that a tree that grows while it is read comes to an end.
const ENTRIES_MAX: usize = 50_000_000;
