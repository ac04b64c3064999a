//! `cargo test -p eudaemon-machine-tests -- FILTER`: the machine level, case by case. `cargo xtask test` prepares what it needs.

#[path = "cases/boot.rs"]
mod boot;
#[path = "cases/kills.rs"]
mod kills;
#[path = "cases/life.rs"]
mod life;
#[path = "cases/nine.rs"]
mod nine;
#[path = "cases/seed.rs"]
mod seed;
#[path = "cases/show.rs"]
mod show;
#[path = "cases/up.rs"]
mod up;

use eudaemon_machine_tests::candidate::{self, Candidate};
use eudaemon_machine_tests::harness::{self, Awaited};
use std::process::ExitCode;

/// What the binary cannot do yet: skipped loudly, unless `EUDAEMON_TEST_ALL` is set or the candidate is not ours. A line goes when its
/// case passes.
const AWAITED: &[Awaited] =
    &[Awaited { cases: "up-no-runtime-directory", why: "init adds a line of its own" }];

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    if let Some(why) = candidate::obstacle() {
        println!("SKIPPED: machine tests: {why}");
        println!("0 passed, 0 failed, 1 skipped");
        return ExitCode::SUCCESS;
    }
    let all = std::env::var_os("EUDAEMON_TEST_ALL").is_some()
        || Candidate::find().is_some_and(|candidate| !candidate.is_ours());
    let cases: Vec<harness::Case> =
        [boot::CASES, nine::CASES, life::CASES, seed::CASES, kills::CASES, show::CASES, up::CASES].concat();
    match harness::run(&cases, &filter, if all { &[] } else { AWAITED }) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
