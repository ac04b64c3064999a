//! Without root: `eudaemon up DIR` in the foreground, and a user's own units beside somebody else's PID 1.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "up-as-user-privileged", run: |report| up(report, Confinement::Privileged) },
    Case { name: "up-as-user-unprivileged", run: |report| up(report, Confinement::Unprivileged) },
    Case { name: "up-no-runtime-directory", run: no_runtime_directory },
    Case { name: "user-units", run: user_units },
];

const SOON: Duration = Duration::from_secs(15);
const FOLDER: &str = "/home/alice/units";

/// A machine of somebody else's, with our binary installed and alice's units in her home.
fn foreign(report: &mut Report, confinement: Confinement, folder: &str) -> Result<Option<Machine>> {
    let Some(candidate) = candidate_for(report, confinement)? else { return Ok(None) };
    let Candidate::Ours(binary) = candidate else {
        report.skip("eudaemon without root", "the candidate is not ours");
        return Ok(None);
    };
    let mut setup = Setup::new(confinement)?.program(&binary, "/usr/local/bin/eudaemon")?;
    for (name, after) in [("first", ""), ("second", "After=first.service\nRequires=first.service")] {
        let text = format!(
            "[Unit]\n{after}\n[Service]\nExecStart=sh -c 'trap \"echo {name} ends; exit 0\" TERM; echo {name} runs as $(id -un); while :; do sleep 0.05; done'\n"
        );
        setup = setup.file(&format!("{folder}/{name}.service"), &text)?;
    }
    let machine = setup.boot(&["/bin/sleep", "infinity"])?;
    machine.shell("chown -R alice: /home/alice")?.success()?;
    Ok(Some(machine))
}

/// Runs both units in the foreground, tells their lines apart, and stops them in order on Ctrl-C.
fn up(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(machine) = foreign(report, confinement, FOLDER)? else { return Ok(()) };
    // The shell gives background jobs SIGINT ignored; a terminal does not.
    let start = format!(
        "cd /home/alice; mkdir -m 700 run; XDG_RUNTIME_DIR=/home/alice/run python3 -c 'import signal, subprocess; signal.signal(signal.SIGINT, signal.default_int_handler)\n\
         child = subprocess.Popen([\"eudaemon\", \"up\", \"{FOLDER}\"], stdout=open(\"log\", \"w\"), stderr=subprocess.STDOUT)\n\
         open(\"pid\", \"w\").write(str(child.pid)); signal.signal(signal.SIGINT, signal.SIG_IGN)\n\
         open(\"code\", \"w\").write(str(child.wait()))' > /dev/null 2>&1 &"
    );
    machine.shell_as("alice", &start)?.success()?;
    let log = || machine.read("/home/alice/log").unwrap_or_default();
    let both = || log().contains("first runs as alice") && log().contains("second runs as alice");
    let ran = machine.wait_until("both run", SOON, both).map(|_| ()).with_context(log);
    report.check("both run as alice", ran);
    let prefixed =
        log().lines().any(|line| line.contains("first") && line.find("first") < line.find("first runs"));
    report.holds("each line says whose it is", prefixed, &log());
    let systemctl = "XDG_RUNTIME_DIR=/home/alice/run systemctl --user is-active first second";
    let asked = machine.shell_as("alice", systemctl)?;
    report.same("the distribution's systemctl reaches it", &(asked.out + &asked.err), "active\nactive");
    machine.shell("kill -INT $(cat /home/alice/pid)")?.success()?;
    let ended = machine
        .wait_until("up ends", SOON, || machine.read("/home/alice/code").is_ok_and(|code| !code.is_empty()));
    report.check("Ctrl-C ends it", ended.map(|_| ()).with_context(log));
    report.same("with exit code 0", &machine.read("/home/alice/code")?, "0");
    let text = log();
    let order =
        text.find("second ends").zip(text.find("first ends")).is_some_and(|(second, first)| second < first);
    report.holds("the second is stopped before the first", order, &text);
    report.same("no file of it stays", &machine.shell("find /home/alice/run -mindepth 1")?.out, "");
    report.same(
        "nothing of alice's is left",
        &machine.shell("ps -u alice -o stat=,args= | grep -v ^Z")?.out,
        "",
    );
    Ok(())
}

/// A runtime directory that cannot be made is one clear line, and an exit code.
fn no_runtime_directory(report: &mut Report) -> Result<()> {
    let Some(machine) = foreign(report, Confinement::Privileged, FOLDER)? else { return Ok(()) };
    let script = format!("TMPDIR=/proc/none XDG_RUNTIME_DIR=/proc/none HOME=/proc/none eudaemon up {FOLDER}");
    let ran = machine.shell_as("alice", &script)?;
    report.holds("it fails", ran.code != 0 && ran.code != 124, &format!("{ran:?}"));
    report.holds(
        "in one line that names the directory",
        ran.err.lines().count() == 1 && ran.err.contains("/proc/none"),
        &format!("{ran:?}"),
    );
    Ok(())
}

/// `eudaemon start` as an ordinary user: that user's manager, with that user's units.
fn user_units(report: &mut Report) -> Result<()> {
    let Some(machine) = foreign(report, Confinement::Unprivileged, "/home/alice/.config/systemd/user")?
    else {
        return Ok(());
    };
    let started = machine.shell_as("alice", "eudaemon start second")?;
    report.check("alice starts her unit", started.success().map(|_| ()));
    let states = machine.shell_as("alice", "eudaemon is-active first second")?;
    report.same("both are active", &states.out, "active\nactive");
    let owners = machine.shell("ps -e -o user=,args= | grep -c '^alice.*runs as'")?;
    report.same("as alice's processes", &owners.out, "2");
    let stopped = machine.shell_as("alice", "eudaemon stop first")?;
    report.check("alice stops it", stopped.success().map(|_| ()));
    let states = machine.shell_as("alice", "eudaemon is-active first second")?;
    report.same("what required it stops too", &states.out, "inactive\ninactive");
    Ok(())
}
