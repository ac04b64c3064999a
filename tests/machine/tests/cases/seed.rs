//! `examples/seed`: services in Python, Go, Node.js and C, built in the machine and run from their units.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use eudaemon_machine_tests::rootfs::{self, Layer};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "seed-privileged", run: |report| seed(report, Confinement::Privileged) },
    Case { name: "seed-unprivileged", run: |report| seed(report, Confinement::Unprivileged) },
];

const SOON: Duration = Duration::from_secs(15);

/// The packages' own services stay away: apache has the Go server's port.
const MASKED: &[&str] =
    &["apache2", "nginx", "redis-server", "postgresql", "ssh", "memcached", "rsyslog", "cron"];

fn seed(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(candidate) = candidate_for(report, confinement)? else { return Ok(()) };
    if let Err(error) = rootfs::lower(Layer::Seed) {
        report.skip("seed services", &format!("{error:#}"));
        return Ok(());
    }
    let mut setup = candidate
        .setup(confinement)?
        .layer(Layer::Seed)
        .folder(&rootfs::workspace().join("examples/seed"), "/root/seed")?;
    for unit in MASKED {
        setup = setup.link(&format!("/etc/systemd/system/{unit}.service"), "/dev/null")?;
    }
    let machine = setup.boot(&candidate.init())?;
    machine.shell("/root/seed/install.sh")?.success().context("install.sh")?;
    wait(&machine, "the manager listens", "systemctl daemon-reload", "")?;
    let units = "python-loop go-tcp node-net node-http c-daemon c-daemon-guessed";
    report.check("all start", machine.shell(&format!("systemctl start {units}"))?.success().map(|_| ()));
    report.same(
        "all are active",
        &machine.shell(&format!("systemctl is-active {units}"))?.out.replace('\n', " "),
        &"active ".repeat(6),
    );

    python(report, &machine)?;
    servers(report, &machine);
    forking(report, &machine)?;

    report.check("all stop", machine.shell(&format!("systemctl stop {units}"))?.success().map(|_| ()));
    let left = machine.shell("ps -e -o args | grep /opt/seed | grep -v grep")?.out;
    report.same("no process of theirs is left", &left, "");
    let results = machine.shell(&format!("systemctl show -P Result {units} | tr -s '\\n' ' '"))?.out;
    report.same("all stopped well", &results, &"success ".repeat(6));
    Ok(())
}

fn python(report: &mut Report, machine: &Machine) -> Result<()> {
    let user = machine.shell("stat -c %U /proc/$(systemctl show -P MainPID python-loop)")?.out;
    report.same("the loop runs as its user", &user, "nobody");
    for signal in ["KILL", "TERM", "SEGV"] {
        let before = machine.shell("systemctl show -P MainPID python-loop")?.out;
        machine.shell(&format!("kill -s {signal} {before}"))?.success()?;
        let other = format!(
            "pid=$(systemctl show -P MainPID python-loop); [ $pid != 0 ] && [ $pid != {} ] && echo other",
            before.trim()
        );
        report.check(
            &format!("after SIG{signal} it is started again"),
            wait(machine, "another process", &other, "other"),
        );
    }
    report.same(
        "three restarts are counted",
        &machine.shell("systemctl show -P NRestarts python-loop")?.out,
        "3",
    );
    Ok(())
}

fn servers(report: &mut Report, machine: &Machine) {
    for (what, client, answer) in [
        ("go-tcp", "nc -d -w 2 127.0.0.1 8080", "hello from go"),
        ("node-net", "echo said | nc -N -w 2 127.0.0.1 3000", "said"),
        ("node-http", "curl -s http://127.0.0.1:4000/", "hello from node"),
        ("node-http reloaded", "systemctl reload node-http; curl -s http://127.0.0.1:4000/", "\"reloads\":"),
        ("c-daemon", "nc -d -w 2 127.0.0.1 7001", "hello from c"),
        ("c-daemon-guessed", "nc -d -w 2 127.0.0.1 7002", "hello from c"),
    ] {
        report.check(&format!("{what} answers"), wait(machine, what, client, answer));
    }
}

fn forking(report: &mut Report, machine: &Machine) -> Result<()> {
    for (unit, port) in [("c-daemon", "7001"), ("c-daemon-guessed", "7002")] {
        let said = machine.shell(&format!("nc -d -w 2 127.0.0.1 {port} | sed 's/.*pid //'"))?.out;
        let known = machine.shell(&format!("systemctl show -P MainPID {unit}"))?.out;
        report.same(&format!("{unit}: the daemon is the main process"), &known, &said);
    }
    Ok(())
}

fn wait(machine: &Machine, what: &str, command: &str, answer: &str) -> Result<()> {
    let mut last = String::new();
    let seen = machine.wait_until(what, SOON, || {
        let ran = machine.shell(command);
        last = ran.as_ref().map(|ran| format!("{}{}", ran.out, ran.err)).unwrap_or_default();
        ran.is_ok_and(|ran| if answer.is_empty() { ran.ok() } else { ran.out.contains(answer) })
    });
    seen.map(|_| ()).with_context(|| format!("`{command}` said {last:?}"))
}
