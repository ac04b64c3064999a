#![forbid(unsafe_code)]
//! logd: where services' output goes until the journal is ours. It takes the journal's three sockets and
//! writes every line to its own standard output, with the unit it came from before it.
//!
//! It keeps nothing on disk and never makes a service wait: what the console does not take in time is counted
//! and dropped. Each stream lies in the fd store, so a logd that is killed loses no connection.

pub mod limits;

mod console;
mod datagram;
mod header;
mod line;
mod serve;
mod sockets;
mod store;

use std::ffi::OsString;
use std::process::ExitCode;

const USAGE: &str = "usage: eudaemon logd [--column=WIDTH]";

/// `eudaemon logd`; takes its sockets by sd_listen_fds(3).
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut column = 0;
    if args.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!(
            "{USAGE}\n\nRelays what services print to the console; takes its sockets from a service manager."
        );
        return ExitCode::SUCCESS;
    }
    // The word itself may stand first.
    for argument in args.iter().filter(|argument| *argument != "logd") {
        let width = argument.to_str().and_then(|text| text.strip_prefix("--column=")?.parse().ok());
        let Some(width) = width else {
            eprintln!("eudaemon logd: unknown argument {argument:?}; {USAGE}");
            return ExitCode::from(2);
        };
        column = width;
    }
    match serve::serve(column) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eudaemon logd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
