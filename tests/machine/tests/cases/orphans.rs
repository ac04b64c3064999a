//! Beside another PID 1, init and its manager are killed at once: the services go on, and the next init takes them over.

use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "orphans-privileged", run: |report| orphans(report, Confinement::Privileged) },
    Case { name: "orphans-unprivileged", run: |report| orphans(report, Confinement::Unprivileged) },
];

const SOON: Duration = Duration::from_secs(20);

const SERVICES: [&str; 5] =
    ["nginx.service", "redis-server.service", "dbus.service", "twice.service", "steady.service"];

/// Its main process is not the one that was started.
const TWICE: &str = "[Service]\nType=forking\nExecStart=/bin/sh -c 'setsid sleep 1000 & exit 0'\n";

const STEADY: &str = "[Service]\nExecStart=sh -c 'echo steady as she goes; exec sleep 1000'\nRestart=always\nRestartSec=50ms\n";

fn orphans(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(Candidate::Ours(binary)) = candidate_for(report, confinement)? else {
        report.skip("killing init", "the candidate is not ours");
        return Ok(());
    };
    let machine = Setup::new(confinement)?
        .program(&binary, "/usr/local/bin/eudaemon")?
        .file("/etc/systemd/system/twice.service", TWICE)?
        .file("/etc/systemd/system/steady.service", STEADY)?
        .boot(&["/bin/sleep", "infinity"])?;
    for service in SERVICES {
        machine.run(&["eudaemon", "start", service])?.success()?;
    }
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
    machine.run(&["eudaemon", "exit"])?.success()?;
    machine.run(&["eudaemon", "start", "steady"])?.success()?;
    let said = machine.shell("grep -c 'an earlier init was killed' /run/eudaemon/console.log")?.out;
    report.same("where nothing was left, nothing is taken over", said.trim_end(), "1");
    Ok(())
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
