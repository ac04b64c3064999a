//! Beside another PID 1, init and its manager are killed at once: the services go on, and the next init takes them over.

use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::path::Path;
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "orphans-privileged", run: |report| orphans(report, Confinement::Privileged) },
    Case { name: "orphans-unprivileged", run: |report| orphans(report, Confinement::Unprivileged) },
    Case { name: "orphans-again-privileged", run: |report| again(report, Confinement::Privileged) },
    Case { name: "orphans-again-unprivileged", run: |report| again(report, Confinement::Unprivileged) },
    Case { name: "orphans-leave-privileged", run: |report| leave(report, Confinement::Privileged) },
    Case { name: "orphans-leave-unprivileged", run: |report| leave(report, Confinement::Unprivileged) },
];

const SOON: Duration = Duration::from_secs(20);

const SERVICES: [&str; 5] =
    ["nginx.service", "redis-server.service", "dbus.service", "twice.service", "steady.service"];

/// Its main process is not the one that was started.
const TWICE: &str = "[Service]\nType=forking\nExecStart=/bin/sh -c 'setsid sleep 1000 & exit 0'\n";

const STEADY: &str = "[Service]\nExecStart=sh -c 'echo steady as she goes; exec sleep 1000'\nRestart=always\nRestartSec=50ms\n";

const STUBBORN: &str = "[Service]\nExecStart=sh -c 'trap \"\" TERM; while :; do sleep 1; done'\n";

/// Beside `sleep`, each service started.
fn with_services(binary: &Path, confinement: Confinement) -> Result<Machine> {
    let machine = Setup::new(confinement)?
        .program(binary, "/usr/local/bin/eudaemon")?
        .file("/etc/systemd/system/twice.service", TWICE)?
        .file("/etc/systemd/system/steady.service", STEADY)?
        .boot(&["/bin/sleep", "infinity"])?;
    for service in SERVICES {
        machine.run(&["eudaemon", "start", service])?.success()?;
    }
    Ok(machine)
}

fn orphans(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(Candidate::Ours(binary)) = candidate_for(report, confinement)? else {
        report.skip("killing init", "the candidate is not ours");
        return Ok(());
    };
    let machine = with_services(&binary, confinement)?;
    for said in ["Started steady.service", "steady as she goes"] {
        let told = || machine.run(&["systemctl", "status", "steady"]).is_ok_and(|ran| ran.out.contains(said));
        report.check(&format!("status shows `{said}`"), machine.wait_until(said, SOON, told).map(|_| ()));
    }
    let before = mains(&machine)?;
    kill_both(&machine)?;

    let again = machine.run(&["eudaemon", "start", "cron"])?;
    report.check("eudaemon start cron", again.success().map(|_| ()));
    report.same("the same main processes", &mains(&machine)?, &before);
    report.same("one master of nginx", &count(&machine, "^nginx: master"), "1");
    let said = machine.shell("grep -c 'an earlier init was killed' /run/eudaemon/console.log")?.out;
    report.same("the log tells", said.trim_end(), "1");

    machine.shell("kill -9 $(eudaemon show -P MainPID steady)")?.success()?;
    let restarted = || shown(&machine, "steady", "NRestarts").is_ok_and(|count| count == "1");
    report.check(
        "one that dies is started again",
        machine.wait_until("a restart", SOON, restarted).map(|_| ()),
    );
    for service in ["nginx", "twice", "redis-server"] {
        let stopped = machine.run(&["eudaemon", "stop", service])?;
        report.check(&format!("eudaemon stop {service}"), stopped.success().map(|_| ()));
    }
    report.same("nothing of nginx is left", &count(&machine, "^nginx:"), "0");
    report.same("nor of redis", &count(&machine, "^/usr/bin/redis-server"), "0");
    let restart = machine.run(&["eudaemon", "restart", "dbus.service"])?;
    report.check("a service gets its socket again", restart.success().map(|_| ()));
    let list =
        "dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames";
    report.check("and serves it", machine.shell(list)?.success().map(|_| ()));

    let steady = shown(&machine, "steady", "MainPID")?;
    machine.shell("kill -9 $(pgrep -x eudaemon-manage)")?.success()?;
    report.same("a next manager knows them too", &shown(&machine, "steady", "MainPID")?, &steady);
    let rival = machine.run(&["eudaemon", "init", "--background"])?;
    report.holds(
        "a second init is refused",
        rival.code != 0 && rival.err.contains("another manager answers"),
        &rival.err,
    );
    let exit = machine.run(&["eudaemon", "exit"])?;
    report.same("the end is the manager's, not a machine's", &format!("{}{}", exit.code, exit.err), "0");
    machine.run(&["eudaemon", "start", "steady"])?.success()?;
    let said = machine.shell("grep -c 'an earlier init was killed' /run/eudaemon/console.log")?.out;
    report.same("where nothing was left, nothing is taken over", said.trim_end(), "1");
    Ok(())
}

/// Killed while it takes over, at whatever moment, a next one still takes over; and of two at once one is refused.
fn again(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(Candidate::Ours(binary)) = candidate_for(report, confinement)? else {
        report.skip("killing init again", "the candidate is not ours");
        return Ok(());
    };
    let machine = with_services(&binary, confinement)?;
    // More notes of one unit than are kept of those that have ended.
    machine.shell("for i in $(seq 33); do eudaemon kill -s HUP nginx; eudaemon reload nginx; done")?;
    let before = mains(&machine)?;
    for moment in [0, 5, 10, 20, 40, 60, 80, 100, 150, 200] {
        kill_all(&machine)?;
        machine.shell(&format!("eudaemon start cron >/dev/null 2>&1 & sleep 0.{moment:03}"))?;
    }
    kill_all(&machine)?;
    let both = "for i in 1 2; do (eudaemon init --background >/tmp/said.$i 2>&1; echo $? >/tmp/code.$i) & done; wait; \
        sort /tmp/code.1 /tmp/code.2 | tr '\\n' ' '; cat /tmp/said.*";
    let both = machine.shell(both)?.out;
    report.holds("one of two is refused", both.starts_with("0 1 "), &both);
    machine.run(&["eudaemon", "start", "cron"])?.success()?;
    report.same("the same main processes", &mains(&machine)?, &before);
    report.same("one master of nginx", &count(&machine, "^nginx: master"), "1");
    report.same("and of redis", &count(&machine, "^/usr/bin/redis-server"), "1");
    report.same("nothing was started again", &shown(&machine, "steady", "NRestarts")?, "0");
    let reloaded = machine.run(&["eudaemon", "reload", "dbus.service"])?;
    report.check("a service that was taken over is reloaded", reloaded.success().map(|_| ()));
    Ok(())
}

/// Who was taken over is no child of the init that ends, and does not heed SIGTERM: it ends all the same, and is not forgotten
/// before.
fn leave(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(Candidate::Ours(binary)) = candidate_for(report, confinement)? else {
        report.skip("ending after a takeover", "the candidate is not ours");
        return Ok(());
    };
    let machine = Setup::new(confinement)?
        .program(&binary, "/usr/local/bin/eudaemon")?
        .file("/etc/systemd/system/steady.service", STEADY)?
        .file("/etc/systemd/system/stubborn.service", STUBBORN)?
        .boot(&["/bin/sleep", "infinity"])?;
    machine.run(&["eudaemon", "start", "stubborn"])?.success()?;
    let pid = shown(&machine, "stubborn", "MainPID")?;
    kill_both(&machine)?;
    machine.run(&["eudaemon", "start", "steady"])?.success()?;
    report.same("it was taken over", &shown(&machine, "stubborn", "MainPID")?, &pid);
    machine.shell("eudaemon exit --force")?;
    let lives = format!("! grep -q ') Z' /proc/{pid}/stat && test -e /proc/{pid}");
    let ends = format!(
        "while {lives}; do test -e /run/eudaemon/state || {{ echo forgotten; exit; }}; sleep 0.1; done; echo ended"
    );
    let said = machine.shell(&format!("timeout 20 sh -c '{}'; true", ends.replace('\'', "'\\''")))?.out;
    report.same("it ends, known until then", said.trim_end(), "ended");
    let gone = || machine.shell("test -e /run/eudaemon/state").is_ok_and(|ran| ran.code != 0);
    report.check("then nothing is left to take over", machine.wait_until("no state", SOON, gone).map(|_| ()));
    Ok(())
}

/// Every init, manager and client, until none is left.
fn kill_all(machine: &Machine) -> Result<()> {
    // Init calls itself systemd, as clients look for.
    let script = "calm=0; while test $calm -lt 4; do \
        set -- $(ps -eo pid=,stat=,comm=,args= | \
            awk '$2 !~ /Z/ && ($3 ~ /^eudaemon/ || $3 == \"systemd\" && $0 ~ /eudaemon init/) { print $1 }'); \
        if test $# = 0; then calm=$((calm + 1)); else calm=0; kill -9 $*; fi; sleep 0.05; done; true";
    machine.shell(script)?.success().map(|_| ())
}

/// Init first: with the manager alone dead it would start another.
fn kill_both(machine: &Machine) -> Result<()> {
    // The dead of before stay as zombies: their parent is `sleep`, who reaps nobody.
    let script = "set -- $(ps -eo pid=,ppid=,stat=,comm= | awk '$4 == \"eudaemon-manage\" && $3 !~ /Z/ { print $1, $2 }'); \
        kill -9 $2 $1; while ! grep -q ') Z' /proc/$2/stat; do sleep 0.01; done";
    machine.shell(script)?.success().map(|_| ())
}

fn mains(machine: &Machine) -> Result<String> {
    let each = |service: &&str| {
        let seen = format!(
            "{service} {} {}\n",
            shown(machine, service, "ActiveState")?,
            shown(machine, service, "MainPID")?
        );
        Ok(seen)
    };
    SERVICES.iter().map(each).collect()
}

fn count(machine: &Machine, pattern: &str) -> String {
    machine
        .shell(&format!("pgrep -fc '{pattern}'"))
        .map(|ran| ran.out.trim_end().to_owned())
        .unwrap_or_default()
}

fn shown(machine: &Machine, unit: &str, property: &str) -> Result<String> {
    Ok(machine.run(&["eudaemon", "show", "-P", property, unit])?.success()?.trim_end().to_owned())
}
