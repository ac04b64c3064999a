//! What systemd passes over and we act on (docs/reference/extensions.md), on the real kernel.

use crate::actions::ended;
use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::Confinement;
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "extensions-restart-reset", run: restart_reset },
    Case { name: "extensions-exit-code", run: exit_code },
];

const SOON: Duration = Duration::from_secs(60);

/// Writes down when each run begins and ends, by the time since the boot; the fourth run lasts, the others end at once.
const FALLING: &str = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=50ms\nRestartSteps=2\n\
    RestartMaxDelaySec=2s\nX-RestartResetSec=1s\nExecStart=sh -c 'read begin rest </proc/uptime; \
    echo run >>/var/tmp/runs; if [ $$(wc -l </var/tmp/runs) = 4 ]; then sleep 1.2; fi; \
    read end rest </proc/uptime; echo $$begin $$end >>/var/tmp/times; exit 1'\n";

fn restart_reset(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = candidate
        .setup(Confinement::Privileged)?
        .file("/etc/systemd/system/falling.service", FALLING)?
        .boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", SOON, answers)?;
    machine.run(&["systemctl", "start", "--no-block", "falling"])?.success()?;
    let ran = || machine.read("/var/tmp/times").is_ok_and(|times| times.lines().count() >= 5);
    machine.wait_until("it fell five times", SOON, ran)?;
    // Hundredths of a second between the end of a run and the next beginning.
    let times = machine.read("/var/tmp/times")?;
    let number = |word: &str| word.replace('.', "").parse::<u32>();
    let runs: Vec<(u32, u32)> = times
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(begin, end)| Ok((number(begin)?, number(end)?)))
        .collect::<Result<_, std::num::ParseIntError>>()?;
    let waits: Vec<u32> = runs.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
    report.holds("each wait is longer", waits[2] >= 200, &format!("{waits:?}"));
    report.holds("after a long run it is not", waits[3] < 150, &format!("{waits:?}"));
    let shown = machine.run(&["systemctl", "show", "-P", "NRestarts", "falling"])?.success()?;
    report.holds("NRestarts counts on", shown.trim().parse::<u32>()? >= 4, &shown);
    Ok(())
}

/// `⏎` ends a line of last.service.
const ENDS: &[(&str, &str)] = &[
    ("[X-Container]⏎ExitCodeFrom=%n⏎[Service]⏎ExecStart=sh -c 'exit 3'", "exit code 3, in order"),
    (
        "[X-Container]⏎ExitCodeFrom=last.service⏎[Service]⏎ExecStart=sh -c 'kill -9 $$$$'",
        "exit code 137, in order",
    ),
    ("[X-Container]⏎ExitCodeFrom=%n⏎[Service]⏎Type=oneshot⏎ExecStart=true", "exit code 0, in order"),
    (
        "[X-Container]⏎ExitCodeFrom=%n⏎[Service]⏎ExecStartPre=sh -c 'exit 7'⏎ExecStart=true",
        "exit code 1, in order",
    ),
    (
        "[X-Container]⏎ExitCodeFrom=%n⏎[Unit]⏎StartLimitBurst=2⏎[Service]⏎Restart=always⏎RestartSec=10ms⏎ExecStart=sh -c 'exit 4'",
        "exit code 4, in order",
    ),
];

/// Stopped from outside, as by `docker stop`.
const STOPPED: &[(&str, i32)] =
    &[("ExecStart=sleep 99", 143), ("ExecStart=sh -c 'trap \"exit 5\" TERM; sleep 99 & wait'", 5)];

fn exit_code(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    for (row, wanted) in ENDS {
        report.same(row, &ended(&candidate, row)?, wanted);
    }
    for (service, wanted) in STOPPED {
        let mut machine = candidate
            .setup(Confinement::Privileged)?
            .file("/etc/systemd/system/web.service", &format!("[Service]\n{service}\n"))?
            .file(
                "/etc/systemd/system/basic.target.d/code.conf",
                "[X-Container]\nExitCodeFrom=web.service\n",
            )?
            .link("/etc/systemd/system/basic.target.wants/web.service", "../web.service")?
            .link("/etc/systemd/system/default.target", "/lib/systemd/system/basic.target")?
            .boot(&candidate.init())?;
        let is_up = || machine.run(&["systemctl", "is-active", "web"]).is_ok_and(|ran| ran.ok());
        machine.wait_until("it runs", SOON, is_up)?;
        report.same(service, &machine.stop("TERM", SOON)?.to_string(), &wanted.to_string());
    }
    Ok(())
}
