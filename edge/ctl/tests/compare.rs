//! Our command line beside the distribution's systemctl, both asking real systemd: the same lines must print the
//! same and return the same.
//!
//! Needs root, namespaces and systemd-nspawn, and the root file system that `cargo xtask test` makes. Where one
//! is missing it says so and passes.

use eudaemon_machine_tests::candidate::{self, Candidate};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const LINES: &str = include_str!("lines.txt");
const UNITS: &str = include_str!("units.sh");
const RESTORE: &str = include_str!("restore.sh");
const OURS: &str = "/opt/eudaemon/systemctl";

/// How long the distribution may take to boot on a loaded machine.
const BOOT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let obstacle = candidate::obstacle()
        .or_else(|| (!candidate::found("systemd-nspawn")).then(|| "no systemd-nspawn here".to_owned()));
    let binary = match (obstacle, Candidate::find()) {
        (None, Some(Candidate::Ours(binary))) => binary,
        (None, Some(Candidate::Theirs(_)) | None) => return skip("no build of eudaemon to compare"),
        (Some(why), _) => return skip(&why),
    };
    let machine = match boot(&binary) {
        Ok(machine) => machine,
        Err(error) => {
            println!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let (mut differences, mut compared) = (Vec::new(), 0);
    let mut restores = false;
    for line in LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line == "---" {
            restores = true;
            continue;
        }
        let run = |program: &str| {
            if restores {
                machine.shell(RESTORE).ok();
            }
            let ran = match machine.shell(&line.replace("SYSTEMCTL", program)) {
                Ok(ran) => ran,
                Err(error) => return format!("{program} did not run: {error:#}"),
            };
            format!("{}\nerrors:\n{}\nexit code {}\n", steady(&ran.out), steady(&ran.err), ran.code)
        };
        let (theirs, ours) = (run("/usr/bin/systemctl"), run(OURS));
        compared += 1;
        if theirs != ours {
            differences.push(format!("{line}\n{}", difference(&theirs, &ours)));
        }
    }
    println!("{} of {compared} lines differ\n\n{}", differences.len(), differences.join("\n"));
    if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn skip(why: &str) -> ExitCode {
    println!("SKIPPED: systemctl is not compared: {why}");
    ExitCode::SUCCESS
}

fn boot(binary: &Path) -> anyhow::Result<Machine> {
    let machine = Setup::new(Confinement::Nspawn)?.program(binary, OURS)?.boot(&["--boot"])?;
    machine.wait_until("the machine is up", BOOT, || {
        let state = machine.run(&["systemctl", "is-system-running"]);
        state.is_ok_and(|ran| ["running", "degraded"].contains(&ran.out.trim()))
    })?;
    machine.shell(UNITS)?;
    Ok(machine)
}

/// The text without what no two runs share: every number, and the units of time beside it.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let words: Vec<String> = line
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| {
                let digits = |c: char| c.is_ascii_digit() || c == '.';
                let unit = word.trim_start_matches(digits).trim_end_matches(';');
                let is_span = word.starts_with(digits) && ["us", "ms", "s", "min", "h"].contains(&unit);
                if is_span { String::new() } else { word.replace(|c: char| c.is_ascii_digit(), "#") }
            })
            .filter(|word| !word.is_empty())
            .collect();
        steady.push_str(&words.join(" "));
        steady.push('\n');
    }
    while steady.contains("##") {
        steady = steady.replace("##", "#");
    }
    steady
}

/// The lines of one that the other does not have.
fn difference(theirs: &str, ours: &str) -> String {
    let missing = |from: &str, other: &str, mark: char| -> String {
        from.lines()
            .filter(|line| !other.lines().any(|known| known == *line))
            .map(|line| format!("  {mark} {line}\n"))
            .collect()
    };
    let text = missing(theirs, ours, '-') + &missing(ours, theirs, '+');
    if text.is_empty() { "  (the same lines in another order)\n".to_owned() } else { text }
}
