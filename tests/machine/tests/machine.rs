//! `cargo test -p eudaemon-machine-tests -- FILTER`: the machine level, case by case. `cargo xtask test` prepares what it needs.

#[path = "cases/boot.rs"]
mod boot;

use eudaemon_machine_tests::{candidate, harness};
use std::process::ExitCode;

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    if let Some(why) = candidate::obstacle() {
        println!("SKIPPED: machine tests: {why}");
        println!("0 passed, 0 failed, 1 skipped");
        return ExitCode::SUCCESS;
    }
    let cases: Vec<harness::Case> = [boot::CASES].concat();
    match harness::run(&cases, &filter) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
