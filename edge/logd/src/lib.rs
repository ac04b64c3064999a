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

/// `eudaemon logd`; takes no arguments, and its sockets by sd_listen_fds(3).
pub fn main(args: Vec<OsString>) -> ExitCode {
    // The word itself may stand first.
    if let Some(argument) = args.iter().find(|argument| *argument != "logd") {
        eprintln!("eudaemon logd: unknown argument {argument:?}; usage: eudaemon logd");
        return ExitCode::from(2);
    }
    match serve::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eudaemon logd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
