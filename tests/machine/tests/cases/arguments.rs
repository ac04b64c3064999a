//! What a process is given, under us and under real systemd: arguments, environment, and how often it runs. A service for
//! each line of `arguments.txt`.

use crate::nine::candidate_for;
use anyhow::{Context, Result, anyhow};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::Confinement;
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "arguments-as-systemd", run: arguments }];

const LINES: &str = include_str!("arguments.txt");
const REAL: &str = "/lib/systemd/systemd";
const RECEIVE: &str = "/usr/local/bin/received";

/// Tells its arguments, and of its environment what is not another one each time.
const PROGRAM: &str = r#"#!/bin/sh
echo "-- $#"
for word; do printf '<%s>\n' "$word"; done
env | grep -Ev '^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|MAINPID|PWD|OLDPWD|_|NOTIFY_SOCKET)=' | sort
pwd
"#;

fn services() -> impl Iterator<Item = (String, &'static str)> {
    let lines = LINES.lines().filter(|line| !line.starts_with(['#', '@']));
    lines.enumerate().map(|(number, line)| (format!("a{number:03}.service"), line))
}

fn arguments(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let wanted = received(&Candidate::Theirs(REAL.to_owned())).context("real systemd")?;
    let found = received(&candidate).context("the candidate")?;
    let mut agreed = 0;
    for (((_, line), want), got) in services().zip(&wanted).zip(&found) {
        match want == got {
            true => agreed += 1,
            false => report.check(line, Err(anyhow!("want {want}\ngot {got}"))),
        }
    }
    let spoken = wanted.iter().filter(|said| said.contains("-- ")).count();
    report.holds("most of the processes run", spoken * 5 > wanted.len() * 4, &format!("{spoken} do"));
    let what = format!("{} services receive what they do under real systemd", wanted.len());
    report.holds(&what, agreed == wanted.len(), &format!("{agreed} do"));
    Ok(())
}

/// What each service's processes said, and how it ended.
fn received(candidate: &Candidate) -> Result<Vec<String>> {
    let mut setup = candidate.setup(Confinement::Privileged)?.file(RECEIVE, PROGRAM)?;
    for line in LINES.lines().filter_map(|line| line.strip_prefix('@')) {
        let (path, text) = line.split_once(' ').context("a path and a text")?;
        let end = if path.ends_with("crlf") { "\r\n" } else { "\n" };
        setup = setup.file(path, &text.replace('⏎', end))?;
    }
    for (name, line) in services() {
        let lines = line.replace("RECEIVE", RECEIVE).replace('⏎', "\n");
        let output = format!("StandardOutput=append:/var/tmp/{name}");
        let text = format!("[Service]\nType=oneshot\n{output}\n{lines}\n");
        setup = setup.file(&format!("/etc/systemd/system/{name}"), &text)?;
    }
    let machine = setup.boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), answers)?;
    machine.run(&["chmod", "755", RECEIVE])?.success()?;
    let mut all = Vec::new();
    for (name, _) in services() {
        machine.run(&["systemctl", "start", &name])?;
        let said = machine.run(&["cat", &format!("/var/tmp/{name}")])?.out;
        let show = ["systemctl", "show", "-p", "LoadState", "-p", "Result", &name];
        all.push(format!("{said}{}", machine.run(&show)?.success()?));
    }
    Ok(all)
}
