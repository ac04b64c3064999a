//! `cargo xtask COMMAND`: the project's own commands, each in a file of its name.

mod bench;
mod dist;
mod fuzz;
mod kit_c;
mod levels;
mod oracle;
mod outside;
mod python;
mod tidy;

use anyhow::{Result, bail};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--no-machine] [FILTER]   all levels of tests; installs what it needs where it can, says what it skips
cargo xtask machine [FILTER]               the machine level alone
cargo xtask rootfs [NAME]                  makes the test machines' root file systems: nine, seed, starters, names
cargo xtask bench [--rounds R] [COUNT...]  boot, restart, round trips and memory beside real systemd and bare loops
cargo xtask fuzz [SECONDS [TARGET…]]       the fuzz targets, each for so long (60 s): needs rustup, installs nightly and cargo-fuzz
cargo xtask oracle [--wide] [--seed N] [--count N] [--no-shrink] [FILE]
                                           random units and requests, compared step by step with real systemd
cargo xtask dist                           the static release binaries, where their targets can be had
cargo xtask python                         the wheel of eudaemon-kit, and its tests beside python-daemon's
cargo xtask kit-c [--prefix /usr/local] [DESTDIR]
                                           builds and installs eudaemon-kit for C: header, libraries, pkg-config file
cargo xtask tidy                           the laws that a path states, checked
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; answers whether all was as it should be.
fn run(words: &[&str]) -> Result<bool> {
    match words {
        ["test", rest @ ..] => levels::test(rest),
        ["machine", rest @ ..] => levels::machine(rest.first().copied().unwrap_or_default()),
        ["rootfs", rest @ ..] => levels::rootfs(rest.first().copied()),
        ["bench", rest @ ..] => bench::bench(rest),
        ["fuzz", rest @ ..] => fuzz::fuzz(rest),
        ["oracle", rest @ ..] => oracle::oracle(rest),
        // Not for people: what the command above runs inside its machines.
        ["oracle-driver"] => oracle::drive(),
        ["python"] => levels::python(),
        ["kit-c", rest @ ..] => kit_c::kit_c(rest),
        ["dist"] => dist::dist(),
        ["tidy"] => tidy::tidy(),
        _ => bail!("one of\n{USAGE}"),
    }
}
