//! The manager: loads units, runs the engine, writes down what follows, has it done, and answers clients.
//!
//! It is crash-only: a new manager reads the state log out of init's vault, asks init what lives and what
//! died, and goes on.

mod choice;
mod clock;
mod environment;
mod files;
mod generators;
mod legacy;
mod lines;
mod machine;
mod model;
mod mounts;
mod offer;
mod options;
mod orders;
mod resources;
mod settings;
mod signals;
mod site;
mod start;
pub mod state_log;
mod sys;
mod units;
mod visitors;

use std::ffi::OsString;
use std::process::ExitCode;

/// The program `manager`, started by init and by nobody else.
pub fn main(args: Vec<OsString>) -> ExitCode {
    // What /proc and tests tell us apart from init by; the kernel keeps 15 characters.
    rustix::thread::set_name(c"eudaemon-manager").ok();
    let outcome = options::parse(&args).map_err(std::io::Error::other).and_then(start::run);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eudaemon: manager: {error}");
            ExitCode::FAILURE
        }
    }
}
