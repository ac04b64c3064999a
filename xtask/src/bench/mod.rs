//! The benchmark: bare loops, eudaemon and real systemd on the same root file system, one after the other in each of a few rounds.
//!
//! Every service stamps the clock as its first act (`tests/machine/scripts/stamp.c`): no manager's word is trusted. A shared
//! machine is quicker at one minute than at the next, so each round runs everyone, in an order that rotates, ratios are taken
//! within a round, and every figure is told with its range. Figures of one run compare with each other; those of two runs do not.
//!
//! - `runner`: who runs the services, and what machine each boots.
//! - `stamps`: what the services wrote. `population`: which of them live, where, and the memory of the rest.
//! - `measure`: the figures of one machine.
//! - `figures`: all rounds' figures, their medians, ranges and ratios. `table`: how they are printed.

mod figures;
mod measure;
mod population;
mod runner;
mod stamps;
mod table;

use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::candidate::{found, missing_tool, obstacle};
use eudaemon_machine_tests::machine::last_console;
use eudaemon_machine_tests::rootfs::{self, Layer};
use figures::{Figures, Run};
use runner::Runner;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const ROUNDS: usize = 3;
const COUNTS: [usize; 2] = [100, 1000];
/// How much of a failed machine's console is shown.
const CONSOLE_LINES: usize = 10;

/// Measures everyone in every round and prints the tables; answers whether every runner did its work.
pub fn bench(words: &[&str]) -> Result<bool> {
    let (rounds, counts) = parse(words)?;
    if let Some(why) = missing_tool() {
        println!("SKIPPED: benchmark: {why}");
        return Ok(true);
    }
    rootfs::build(Layer::Nine)?;
    if let Some(why) = obstacle() {
        bail!("no machine can be booted here: {why}");
    }
    let mut runners = Runner::ALL.to_vec();
    if !found("systemd-nspawn") {
        println!("SKIPPED: systemd: no systemd-nspawn here: apt-get install systemd-container");
        runners.retain(|runner| *runner != Runner::Systemd);
    }
    let binary = binary()?;
    println!("{} rounds, {} processors, {}", rounds, processors(), load());
    let mut figures = Figures::default();
    let mut failures = Vec::new();
    for round in 0..rounds {
        for count in counts.iter().copied() {
            for place in 0..runners.len() {
                let run = Run { round, count, runner: runners[(place + round) % runners.len()] };
                eprintln!("{run}");
                let note = |figure, value| figures.note(run, figure, value);
                if let Err(error) = measure::measure(run, &binary, note) {
                    let why = format!("{error:#}");
                    let failure = format!("FAILED: {run}: {}{}", why.trim_end(), console_end());
                    eprintln!("{failure}");
                    failures.push(failure);
                }
            }
        }
    }
    println!("afterwards {}", load());
    table::print(&figures);
    for failure in &failures {
        println!("{failure}");
    }
    Ok(failures.is_empty())
}

/// How many rounds, and with how many services.
fn parse(words: &[&str]) -> Result<(usize, Vec<usize>)> {
    let (mut rounds, mut counts) = (ROUNDS, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--rounds" {
            let number = words.next().context("--rounds wants a number")?;
            rounds = number.parse().with_context(|| format!("--rounds wants a number, not {number:?}"))?;
        } else {
            let count = word.parse().with_context(|| format!("want a number of services, not {word:?}"))?;
            counts.push(count);
        }
    }
    if rounds == 0 || counts.contains(&0) {
        bail!("nothing is measured in no round, or with no service");
    }
    if counts.is_empty() {
        counts = COUNTS.to_vec();
    }
    Ok((rounds, counts))
}

/// `$EUDAEMON_BIN`, else the release build of this very source.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("EUDAEMON_BIN") {
        return Ok(PathBuf::from(path));
    }
    let built = Command::new("cargo")
        .args(["build", "--release", "--package", "eudaemon"])
        .status()
        .context("cannot run cargo")?;
    if !built.success() {
        bail!("cargo build --release: {built}");
    }
    Ok(rootfs::target().join("release/eudaemon"))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What else the machine was doing: a reader of the figures should know.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split(' ').take(3).collect();
    format!("load {}", averages.join(" "))
}

/// The last lines of the machine that was dropped last.
fn console_end() -> String {
    let console = last_console();
    let lines: Vec<&str> = console.lines().collect();
    let end = &lines[lines.len().saturating_sub(CONSOLE_LINES)..];
    end.iter().map(|line| format!("\n        | {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], wanted: Option<(usize, &[usize])>) {
        let parsed = parse(words).ok();
        assert_eq!(parsed, wanted.map(|(rounds, counts)| (rounds, counts.to_vec())));
    }

    #[test]
    fn rounds_and_counts_have_defaults() {
        check(&[], Some((ROUNDS, &COUNTS)));
        check(&["--rounds", "5", "10", "20"], Some((5, &[10, 20])));
        check(&["10", "--rounds", "1"], Some((1, &[10])));
        check(&["--rounds"], None);
        check(&["--rounds", "0"], None);
        check(&["ten"], None);
    }
}
