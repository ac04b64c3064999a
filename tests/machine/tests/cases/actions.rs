//! `FailureAction=`, `SuccessAction=`, `StartLimitAction=`, `JobTimeoutAction=`: how the machine ends, under us and under
//! real systemd. A boot for each row and each of the two.

use crate::nine::candidate_for;
use anyhow::{Context, Result, anyhow};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Console};
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "actions-as-systemd", run: actions }];

const REAL: &str = "/lib/systemd/systemd";

/// `⏎` ends a line. The unit is `last.service`, or the one that the row names before a `:`.
const ROWS: &[&str] = &[
    // The exit code is the main process's, or the one that is set, or 255 for a death by signal.
    "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=sh -c 'exit 3'",
    "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=sh -c 'kill -9 $$$$'",
    "[Unit]⏎FailureAction=exit⏎FailureActionExitStatus=77⏎[Service]⏎ExecStart=sh -c 'exit 3'",
    "[Unit]⏎FailureAction=exit⏎SuccessAction=exit⏎[Service]⏎Type=oneshot⏎ExecStart=true⏎ExecStart=-sh -c 'exit 9'",
    "[Unit]⏎SuccessAction=exit⏎SuccessActionExitStatus=9⏎[Service]⏎ExecStart=true",
    "[Unit]⏎SuccessAction=exit⏎[Service]⏎ExecStart=sh -c 'kill -TERM $$$$'",
    "[Unit]⏎SuccessAction=exit-force⏎[Service]⏎SuccessExitStatus=42⏎ExecStart=sh -c 'exit 42'",
    "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=/nothing/there",
    "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=sh -c 'exit 5'⏎ExecStopPost=sh -c 'exit 6'",
    "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStartPre=sh -c 'exit 7'⏎ExecStart=true",
    "[Unit]⏎FailureAction=exit⏎[Service]⏎Type=notify⏎TimeoutStartSec=500ms⏎ExecStart=sleep 99",
    "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecCondition=sh -c 'exit 255'⏎ExecStart=true",
    // Nothing but an exit has a code.
    "[Unit]⏎FailureAction=poweroff⏎[Service]⏎ExecStart=sh -c 'exit 3'",
    "[Unit]⏎FailureAction=reboot⏎[Service]⏎ExecStart=sh -c 'exit 3'",
    "[Unit]⏎FailureAction=poweroff-force⏎[Service]⏎ExecStart=sh -c 'exit 3'",
    "[Unit]⏎FailureAction=reboot-immediate⏎[Service]⏎ExecStart=sh -c 'exit 3'",
    // The start limit and a job's timeout know no code.
    "[Unit]⏎StartLimitBurst=2⏎StartLimitAction=exit⏎[Service]⏎Restart=always⏎RestartSec=10ms⏎ExecStart=sh -c 'exit 3'",
    "[Unit]⏎JobTimeoutSec=500ms⏎JobTimeoutAction=exit⏎[Service]⏎Type=oneshot⏎ExecStart=sleep 99",
    // A unit that is not a service has no code of its own.
    "last.socket:[Unit]⏎FailureAction=exit⏎[Socket]⏎ListenStream=/etc/passwd/x⏎Service=witness.service",
    "last.target:[Unit]⏎SuccessAction=exit⏎StopWhenUnneeded=yes",
];

/// Tells on the console that it was stopped in order: not before what it precedes, and not at all when all ends at once.
const WITNESS: &str = "[Unit]\nDescription=Witness\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
    ExecStart=true\nExecStop=sh -c 'echo the witness was stopped >/dev/console'\n[Install]\nWantedBy=multi-user.target\n";

fn actions(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    for row in ROWS {
        let wanted = ended(&Candidate::Theirs(REAL.to_owned()), row).context("real systemd")?;
        let found = ended(&candidate, row).context("the candidate")?;
        let seen = match wanted == found {
            true => Ok(()),
            false => Err(anyhow!("want {wanted}\ngot {found}")),
        };
        report.check(&format!("{row} ({wanted})"), seen);
    }
    Ok(())
}

/// The machine's exit code, and whether services were stopped in order.
fn ended(candidate: &Candidate, row: &str) -> Result<String> {
    let (name, lines) = match row.split_once(":[") {
        Some((name, lines)) => (name, format!("[{lines}")),
        None => ("last.service", (*row).to_owned()),
    };
    let mut machine = candidate
        .setup(Confinement::Privileged)?
        .console(Console::Terminal)
        .file("/etc/systemd/system/witness.service", WITNESS)?
        .link("/etc/systemd/system/multi-user.target.wants/witness.service", "../witness.service")?
        .file(&format!("/etc/systemd/system/{name}"), &lines.replace('⏎', "\n"))?
        .boot(&candidate.init())?;
    let booted = || machine.run(&["systemctl", "is-active", "witness"]).is_ok_and(|ran| ran.ok());
    machine.wait_until("the witness is there", Duration::from_secs(60), booted)?;
    // The answer does not matter: the machine may be gone before it is there.
    let _answer = machine.run(&["systemctl", "start", "--no-block", name])?;
    let code = match machine.wait_end(Duration::from_secs(20)) {
        Ok(code) => format!("exit code {code}"),
        Err(_) => "it goes on".to_owned(),
    };
    let stopped = match machine.console().contains("the witness was stopped") {
        true => "in order",
        false => "at once",
    };
    Ok(format!("{code}, {stopped}"))
}
