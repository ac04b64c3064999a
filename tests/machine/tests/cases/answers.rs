//! What clients are answered about units that are odd: refused ones, names that no unit can have, files that came after the last
//! reload. Each line of `answers.txt` is a command that must say the same under us and under real systemd.

use crate::directives::{MOMENTARY, REAL};
use crate::nine::candidate_for;
use anyhow::{Context, Result, anyhow};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::Confinement;
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "answers-as-systemd", run: answers }];

const LINES: &str = include_str!("answers.txt");

fn commands() -> impl Iterator<Item = &'static str> {
    LINES.lines().filter(|line| !line.starts_with(['#', '@']))
}

fn answers(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let wanted = said(&Candidate::Theirs(REAL.to_owned())).context("real systemd")?;
    let found = said(&candidate).context("the candidate")?;
    let mut agreed = 0;
    for ((command, want), got) in commands().zip(&wanted).zip(&found) {
        match want == got {
            true => agreed += 1,
            false => report.check(command, Err(anyhow!("{}", difference(want, got)))),
        }
    }
    let what = format!("{} commands are answered as under real systemd", wanted.len());
    report.holds(&what, agreed == wanted.len(), &format!("{agreed} are"));
    Ok(())
}

/// What each command said, and how it ended.
fn said(candidate: &Candidate) -> Result<Vec<Vec<String>>> {
    let mut setup = candidate.setup(Confinement::Privileged)?;
    for line in LINES.lines().filter_map(|line| line.strip_prefix('@')) {
        let (path, text) = line.split_once(' ').context("a path and a text")?;
        setup = match text.strip_prefix("->") {
            Some(target) => setup.link(path, target)?,
            None => setup.file(path, &text.replace('⏎', "\n"))?,
        };
    }
    let machine = setup.boot(&candidate.init())?;
    let over = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), over)?;
    let said = |command| {
        let ran = machine.shell(command)?;
        let lines = ran.out.lines().chain(ran.err.lines()).filter(|line| !is_of_the_moment(line));
        // Lists come in no order.
        let sorted = |line: &str| {
            let (key, value) = line.split_once('=').unwrap_or(("", line));
            let mut words: Vec<&str> = value.split_whitespace().collect();
            words.sort_unstable();
            format!("{key} {}", words.join(" "))
        };
        Ok(lines.map(sorted).chain([format!("exit code {}", ran.code)]).collect())
    };
    commands().map(said).collect()
}

fn is_of_the_moment(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, _)| MOMENTARY.contains(&key))
}

fn difference(want: &[String], got: &[String]) -> String {
    let missing = |all: &[String], of: &[String]| {
        all.iter().filter(|line| !of.contains(line)).map(String::as_str).collect::<Vec<_>>().join("\n    ")
    };
    format!("\n  want\n    {}\n  got\n    {}", missing(want, got), missing(got, want))
}
