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
        .folder(&rootfs::workspace().join("examples/seed"), "/root/seed")?
        .folder(&rootfs::installed_kit_c().join("usr/local/include"), "/usr/local/include")?
        .folder(&rootfs::installed_kit_c().join("usr/local/lib"), "/usr/local/lib")?;
    let package = rootfs::python_site();
    if package.exists() {
        setup = setup.folder(&package, "/usr/local/lib/python3.11/dist-packages")?;
    }
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
    c_kit(report, &machine)?;
    match package.exists() {
        true => python_kit(report, &machine)?,
        false => report.skip("python-kit", "there is no package: cargo xtask python"),
    }

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

const COUNT: &str = "nc -d -w 2 127.0.0.1 7003";

/// One binary, as a unit of two types and by hand.
fn c_kit(report: &mut Report, machine: &Machine) -> Result<()> {
    report.check(
        "c-kit: it says that it is ready",
        machine.shell("systemctl start c-kit")?.success().map(|_| ()),
    );
    let main = |unit: &str| -> Result<String> {
        Ok(machine.shell(&format!("systemctl show -P MainPID {unit}"))?.out.trim().to_owned())
    };
    let count = || -> Result<String> { Ok(machine.shell(COUNT)?.out) };
    let pid = main("c-kit")?;
    report.same("c-kit: its first answer", &count()?, &format!("1, pid {pid}, started by manager"));
    report.same("c-kit: its second answer", &count()?, &format!("2, pid {pid}, started by manager"));
    machine.shell("systemctl reload c-kit")?.success()?;
    report.same("c-kit: after a reload", &count()?, &format!("1, pid {pid}, started by manager"));
    let user = machine.shell(&format!("stat -c %U /proc/{pid}"))?.out;
    report.same("c-kit: it gave root up", &user, "nobody");
    machine.shell("systemctl start c-kit-forking")?.success()?;
    let pid = main("c-kit-forking")?;
    let said = count()?;
    report.holds("c-kit in the background", said.starts_with(&format!("1, pid {pid}, ")), &said);
    report.same("c-kit in the background: its pid file", &machine.shell("cat /run/counter.pid")?.out, &pid);
    machine.shell("systemctl reload c-kit-forking; systemctl stop c-kit-forking")?.success()?;
    let by_hand = machine.shell("/opt/seed/c-kit --daemon; echo $?; /opt/seed/c-kit --daemon; echo $?")?;
    report.same(
        "c-kit by hand: the first starts, the second does not",
        &by_hand.out.replace('\n', " "),
        "0 1 ",
    );
    let pid = machine.shell("cat /run/counter.pid")?.out;
    let wanted = format!("counter: already running as process {} (pid file /run/counter.pid)", pid.trim());
    report.same("c-kit by hand: why", &by_hand.err, &wanted);
    report.same("c-kit by hand", &count()?, &format!("1, pid {}, started by program", pid.trim()));
    machine.shell("kill $(cat /run/counter.pid)")?.success()?;
    let gone = format!("[ ! -e /proc/{} ] && [ ! -s /run/counter.pid ] && echo gone", pid.trim());
    report.check("c-kit by hand: it ends", wait(machine, "its end", &gone, "gone"));
    Ok(())
}

const TIME: &str = "nc -NU -w 2 /run/clock/door </dev/null | sed 's/ [0-9:]*$//'";

/// Python, handed its socket, and by hand.
fn python_kit(report: &mut Report, machine: &Machine) -> Result<()> {
    machine.shell("systemctl start python-kit")?.success()?;
    report.same("python-kit: an answer", &machine.shell(TIME)?.out, "it is");
    machine.shell("echo 'now it is' > /etc/clock.txt; systemctl reload python-kit")?.success()?;
    report.same("python-kit: an answer after a reload", &machine.shell(TIME)?.out, "now it is");
    report.same(
        "python-kit: what it is at",
        &machine.shell("systemctl show -P StatusText python-kit")?.out,
        "told the time 2 times",
    );
    machine.shell("systemctl stop python-kit")?.success()?;
    let state = machine.shell("systemctl show -P Result,NRestarts python-kit | tr -s '\\n' ' '")?.out;
    report.same("python-kit: it stopped well", state.trim(), "success 0");
    machine.shell(TIME)?;
    let state = machine.shell("systemctl is-active python-kit")?.out;
    report.same("python-kit: its socket starts it", &state, "active");
    machine.shell("systemctl stop python-kit.socket python-kit; mkdir -p /run/clock")?.success()?;
    machine.shell("/opt/seed/python-kit --daemon")?.success()?;
    report.same("python-kit by hand", &machine.shell(TIME)?.out, "now it is");
    machine.shell("kill $(cat /run/clock.pid)")?.success()?;
    let gone = "[ ! -e /run/clock.pid ] && [ ! -e /run/clock/door ] && echo gone";
    report.check("python-kit by hand: it ends", wait(machine, "its end", gone, "gone"));
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
