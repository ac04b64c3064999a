//! `FailureAction=`, `SuccessAction=`, `StartLimitAction=`, `JobTimeoutAction=`: how the machine ends, under us and under
//! real systemd: what it does stands in the table, and `EUDAEMON_TEST_INIT` proves it. A boot for each row.

use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::Confinement;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "actions-as-systemd", run: actions }];

/// `⏎` ends a line. The unit is `last.service`, or the one that the row names before a `:`.
const ROWS: &[(&str, &str)] = &[
    // The exit code is the main process's, or the one that is set, or 255 for a death by signal.
    ("[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=sh -c 'exit 3'", "exit code 3, in order"),
    ("[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=sh -c 'kill -9 $$$$'", "exit code 255, in order"),
    (
        "[Unit]⏎FailureAction=exit⏎FailureActionExitStatus=77⏎[Service]⏎ExecStart=sh -c 'exit 3'",
        "exit code 77, in order",
    ),
    (
        "[Unit]⏎FailureAction=exit⏎SuccessAction=exit⏎[Service]⏎Type=oneshot⏎ExecStart=true⏎ExecStart=-sh -c 'exit 9'",
        "exit code 9, in order",
    ),
    ("[Unit]⏎SuccessAction=exit⏎SuccessActionExitStatus=9⏎[Service]⏎ExecStart=true", "exit code 9, in order"),
    ("[Unit]⏎SuccessAction=exit⏎[Service]⏎ExecStart=sh -c 'kill -TERM $$$$'", "exit code 255, in order"),
    (
        "[Unit]⏎SuccessAction=exit-force⏎[Service]⏎SuccessExitStatus=42⏎ExecStart=sh -c 'exit 42'",
        "exit code 42, at once",
    ),
    ("[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=/nothing/there", "exit code 203, in order"),
    (
        "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStart=sh -c 'exit 5'⏎ExecStopPost=sh -c 'exit 6'",
        "exit code 5, in order",
    ),
    (
        "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecStartPre=sh -c 'exit 7'⏎ExecStart=true",
        "exit code 0, in order",
    ),
    (
        "[Unit]⏎FailureAction=exit⏎[Service]⏎Type=notify⏎TimeoutStartSec=500ms⏎ExecStart=sleep 99",
        "exit code 255, in order",
    ),
    (
        "[Unit]⏎FailureAction=exit⏎[Service]⏎ExecCondition=sh -c 'exit 255'⏎ExecStart=true",
        "exit code 0, in order",
    ),
    // Nothing but an exit has a code.
    ("[Unit]⏎FailureAction=poweroff⏎[Service]⏎ExecStart=sh -c 'exit 3'", "exit code 130, in order"),
    ("[Unit]⏎FailureAction=reboot⏎[Service]⏎ExecStart=sh -c 'exit 3'", "exit code 129, in order"),
    ("[Unit]⏎FailureAction=poweroff-force⏎[Service]⏎ExecStart=sh -c 'exit 3'", "exit code 130, at once"),
    ("[Unit]⏎FailureAction=reboot-immediate⏎[Service]⏎ExecStart=sh -c 'exit 3'", "exit code 129, at once"),
    // The start limit and a job's timeout know no code.
    (
        "[Unit]⏎StartLimitBurst=2⏎StartLimitAction=exit⏎[Service]⏎Restart=always⏎RestartSec=10ms⏎ExecStart=sh -c 'exit 3'",
        "exit code 0, in order",
    ),
    (
        "[Unit]⏎JobTimeoutSec=500ms⏎JobTimeoutAction=exit⏎[Service]⏎Type=oneshot⏎ExecStart=sleep 99",
        "exit code 0, in order",
    ),
    // A unit that is not a service has no code of its own.
    ("last.target:[Unit]⏎SuccessAction=exit⏎StopWhenUnneeded=yes", "exit code 0, in order"),
];

/// Tells, in a pipe that we hold open, that it was stopped in order: not before what it precedes, and not at all when all ends at once.
const WITNESS: &str = "[Unit]\nDescription=Witness\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
    ExecStart=true\nExecStop=sh -c 'echo stopped >/var/tmp/witness'\n";

fn actions(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    for (row, systemd) in ROWS {
        let wanted = match candidate.is_ours() {
            // A container that was switched off ended well: 0, where the kernel's way to end a pid namespace counts as
            // a death by SIGINT.
            true => systemd.replace("exit code 130", "exit code 0"),
            false => (*systemd).to_owned(),
        };
        report.same(row, &ended(&candidate, row)?, &wanted);
    }
    Ok(())
}

/// The machine's exit code, and whether services were stopped in order.
pub fn ended(candidate: &Candidate, row: &str) -> Result<String> {
    let (name, lines) = match row.split_once(":[") {
        Some((name, lines)) => (name, format!("[{lines}")),
        None => ("last.service", (*row).to_owned()),
    };
    let mut machine = candidate
        .setup(Confinement::Privileged)?
        .file("/etc/systemd/system/witness.service", WITNESS)?
        .link("/etc/systemd/system/basic.target.wants/witness.service", "../witness.service")?
        .link("/etc/systemd/system/default.target", "/lib/systemd/system/basic.target")?
        .file(&format!("/etc/systemd/system/{name}"), &lines.replace('⏎', "\n"))?
        .boot(&candidate.init())?;
    let booted = || machine.run(&["systemctl", "is-active", "witness"]).is_ok_and(|ran| ran.ok());
    machine.wait_until("the witness is there", Duration::from_secs(60), booted)?;
    machine.run(&["mkfifo", "/var/tmp/witness"])?.success()?;
    // Held open from out here it outlives the machine.
    let mut pipe = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
        .open(machine.path("/var/tmp/witness"))?;
    // The answer does not matter: the machine may be gone before it is there.
    let _answer = machine.run(&["systemctl", "start", "--no-block", name])?;
    let code = match machine.wait_end(Duration::from_secs(20)) {
        Ok(code) => format!("exit code {code}"),
        Err(_) => "it goes on".to_owned(),
    };
    let stopped = match pipe.read(&mut [0; 16]) {
        Ok(_) => "in order",
        Err(_nothing_there) => "at once",
    };
    Ok(format!("{code}, {stopped}"))
}
