//! A real init, driven by a test that plays the manager.
//!
//! This binary has three parts to play. With the word `init` it is init. Init starts its own executable with
//! the word `manager`: then it is a stub that hands its end of init's socket to the test and waits. Without
//! either it is the test. `--bench` measures instead of testing.

mod bench;
mod cases;
mod driver;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|word| word.to_str()) {
        Some("init" | "up") => return eudaemon_init::main(args),
        Some("manager") => return driver::manager_stub(),
        Some("--bench") => return bench::run(),
        Some(_) | None => {}
    }
    let wanted = args.iter().find(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let wanted = wanted.and_then(|word| word.to_str()).unwrap_or("");
    for (name, case) in cases::ALL.iter().filter(|(name, _)| name.contains(wanted)) {
        case();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}
