//! `cargo test -p eudaemon-machine-tests -- FILTER`: the machine level, case by case. `cargo xtask test` prepares what it needs.

#[path = "cases/actions.rs"]
mod actions;
#[path = "cases/analyze.rs"]
mod analyze;
#[path = "cases/answers.rs"]
mod answers;
#[path = "cases/arguments.rs"]
mod arguments;
#[path = "cases/boot.rs"]
mod boot;
#[path = "cases/clean.rs"]
mod clean;
#[path = "cases/defaults.rs"]
mod defaults;
#[path = "cases/directives.rs"]
mod directives;
#[path = "cases/explain.rs"]
mod explain;
#[path = "cases/extensions.rs"]
mod extensions;
#[path = "cases/freezer.rs"]
mod freezer;
#[path = "cases/health.rs"]
mod health;
#[path = "cases/kills.rs"]
mod kills;
#[path = "cases/kit.rs"]
mod kit;
#[path = "cases/life.rs"]
mod life;
#[path = "cases/mounts.rs"]
mod mounts;
#[path = "cases/names.rs"]
mod names;
#[path = "cases/nine.rs"]
mod nine;
#[path = "cases/orphans.rs"]
mod orphans;
#[path = "cases/places.rs"]
mod places;
#[path = "cases/seed.rs"]
mod seed;
#[path = "cases/service.rs"]
mod service;
#[path = "cases/show.rs"]
mod show;
#[path = "cases/up.rs"]
mod up;
#[path = "cases/users.rs"]
mod users;

use eudaemon_machine_tests::candidate;
use eudaemon_machine_tests::harness;
use std::process::ExitCode;

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    if let Some(why) = candidate::obstacle() {
        println!("SKIPPED: machine tests: {why}");
        println!("0 passed, 0 failed, 1 skipped");
        return ExitCode::SUCCESS;
    }
    let cases: Vec<harness::Case> = [
        boot::CASES,
        nine::CASES,
        kit::CASES,
        mounts::CASES,
        names::CASES,
        life::CASES,
        places::CASES,
        users::CASES,
        seed::CASES,
        service::CASES,
        kills::CASES,
        explain::CASES,
        show::CASES,
        analyze::CASES,
        up::CASES,
        orphans::CASES,
        actions::CASES,
        clean::CASES,
        freezer::CASES,
        extensions::CASES,
        health::CASES,
        answers::CASES,
        arguments::CASES,
        directives::CASES,
        defaults::CASES,
    ]
    .concat();
    match harness::run(&cases, &filter) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
