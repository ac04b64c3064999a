//! The manager is killed at random moments while services start, run, restart and stop: none is lost, none runs twice, no exit code is
//! forgotten. `EUDAEMON_TEST_ROUNDS` says how often (20), `EUDAEMON_TEST_SEED` repeats a run's moments.

use crate::nine::{NINE, candidate_for};
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, children, comm};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

pub const CASES: &[Case] = &[
    Case { name: "kills-privileged", run: |report| kills(report, Confinement::Privileged) },
    Case { name: "kills-unprivileged", run: |report| kills(report, Confinement::Unprivileged) },
    Case { name: "kills-and-sigterm", run: sigterm_as_it_dies },
];

const SOON: Duration = Duration::from_secs(20);
/// Services that the story starts and stops over and over.
const BUSY: u32 = 4;

/// Takes the lock that only one of its kind can have, and says when it is taken (not when `flock` itself is stopped).
const BUSY_SERVICE: &str = "\
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=bash -c 'exec 9> /run/%p.lock; flock -n -E 99 9; [ $? != 99 ] || { bash /usr/local/bin/doubled %p $$$$ $INVOCATION_ID >> /var/doubled; exit 1; }; echo %p >> /var/starts; exec sleep 1000'
";

/// Who holds the lock of a unit that was started twice.
const DOUBLED: &str = r#"
exec 9>&-
echo "$(cut -d' ' -f1 /proc/uptime) $*"
for process in /proc/[0-9]*; do
  [ "$(readlink $process/fd/9)" = /run/$1.lock ] || continue
  echo "  held by ${process#/proc/}: $(tr '\0' ' ' < $process/cmdline) $(tr '\0' '\n' < $process/environ | grep INVOCATION) $(cut -d' ' -f2-4 $process/stat)"
done
"#;

/// Dies by itself every moment with a code of its own, and is started again each time.
const PHOENIX_SERVICE: &str = "\
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=bash -c 'echo x >> /var/phoenix; sleep 0.05; exit 3'
Restart=always
RestartSec=10ms
";

/// Ends once, with a code that must be known afterwards.
const CODE_SERVICE: &str =
    "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=bash -c 'sleep 0.0%j; exit %j'\n";

fn kills(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(candidate) = candidate_for(report, confinement)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("killing the manager", "real systemd's is PID 1");
        return Ok(());
    }
    let rounds = variable("EUDAEMON_TEST_ROUNDS").unwrap_or(20);
    let seed = variable("EUDAEMON_TEST_SEED").unwrap_or_else(now);
    println!("        {rounds} kills, EUDAEMON_TEST_SEED={seed}");
    let mut setup = candidate
        .setup(confinement)?
        .file("/var/doubled", "")?
        .file("/var/starts", "")?
        .file("/usr/local/bin/doubled", DOUBLED)?
        .file("/var/phoenix", "")?;
    for number in 0..BUSY {
        setup = setup.file(&format!("/etc/systemd/system/busy{number}.service"), BUSY_SERVICE)?;
    }
    setup = setup.file("/etc/systemd/system/phoenix.service", PHOENIX_SERVICE)?;
    // Its restarts are counted as long as it is loaded: who names it has it loaded when it is stopped.
    let named = "[Unit]\nAfter=phoenix.service\n";
    setup = setup.file("/etc/systemd/system/multi-user.target.d/phoenix.conf", named)?;
    for code in 10..20 {
        setup = setup.file(&format!("/etc/systemd/system/code-{code}.service"), CODE_SERVICE)?;
    }
    let machine = setup.boot(&candidate.init())?;
    let mut steady = Vec::new();
    for service in &NINE {
        let active = || shown(&machine, service.unit, "ActiveState").is_ok_and(|state| state == "active");
        machine.wait_until(service.unit, Duration::from_secs(60), active)?;
        steady.push((service.unit, shown(&machine, service.unit, "MainPID")?));
    }
    machine.run(&["systemctl", "start", "phoenix"])?.success()?;

    let over = AtomicBool::new(false);
    let slowest = thread::scope(|scope| {
        let work = scope.spawn(|| keep_busy(&machine, &over));
        let slowest = kill_repeatedly(&machine, rounds, seed);
        over.store(true, Ordering::Relaxed);
        work.join().map_err(|_| anyhow::anyhow!("the busy thread panicked")).and_then(|result| result)?;
        slowest
    });
    let slowest = slowest?;
    println!("        the slowest right answer came {} ms after the kill", slowest.as_millis());
    report.check(&format!("{rounds} times the manager is there again and right"), Ok(()));
    judge(report, &machine, &steady)
}

/// Starts, restarts and stops, whatever the answers are: the manager may die under any of them.
fn keep_busy(machine: &Machine, over: &AtomicBool) -> Result<()> {
    let mut turn = 0;
    while !over.load(Ordering::Relaxed) {
        let (unit, code) = (turn % BUSY, 10 + turn % 10);
        let script = format!(
            "systemctl start busy{unit}; systemctl restart busy{unit}; systemctl start code-{code}; systemctl stop busy{unit}"
        );
        machine.shell(&script)?;
        turn += 1;
    }
    Ok(())
}

/// Kills the manager at random moments; answers the longest time until it was right again about a service that runs.
fn kill_repeatedly(machine: &Machine, rounds: u64, seed: u64) -> Result<Duration> {
    let mut luck = seed | 1;
    let mut slowest = Duration::ZERO;
    let mut last = 0;
    for round in 0..rounds {
        luck = luck.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        thread::sleep(Duration::from_millis((luck >> 33) % 200));
        machine
            .wait_until("another manager", SOON, || manager(machine).is_some_and(|pid| pid != last))
            .with_context(|| format!("round {round}"))?;
        last = manager(machine).context("the manager")?;
        kill(last)?;
        let start = Instant::now();
        machine
            .wait_until("systemctl is right about nginx", SOON, || {
                machine
                    .run(&["systemctl", "is-active", "nginx"])
                    .is_ok_and(|ran| ran.out.trim_end() == "active")
            })
            .with_context(|| format!("round {round}"))?;
        slowest = slowest.max(start.elapsed());
    }
    Ok(slowest)
}

/// What asks PID 1 to end is heard although the manager that is told of it dies.
fn sigterm_as_it_dies(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("killing the manager", "real systemd's is PID 1");
        return Ok(());
    }
    for microseconds in [0, 100, 300, 600, 1000, 2000, 4000, 8000] {
        let folder = "/etc/systemd/system";
        let mut machine = candidate
            .setup(Confinement::Privileged)?
            .file(&format!("{folder}/default.target"), "[Unit]\nWants=sleeper.service\n")?
            .file(&format!("{folder}/sleeper.service"), "[Service]\nExecStart=sleep 1000\n")?
            .boot(&candidate.init())?;
        let active =
            || shown(&machine, "sleeper.service", "ActiveState").is_ok_and(|state| state == "active");
        machine.wait_until("sleeper.service", SOON, active)?;
        kill(manager(&machine).context("the manager")?)?;
        thread::sleep(Duration::from_micros(microseconds));
        report.same(
            &format!("{microseconds} us after the kill, SIGTERM ends it"),
            &machine.stop("TERM", SOON).map_or_else(|error| error.to_string(), |code| code.to_string()),
            "0",
        );
    }
    Ok(())
}

fn judge(report: &mut Report, machine: &Machine, steady: &[(&str, String)]) -> Result<()> {
    for (unit, pid) in steady {
        report.same(&format!("{unit}: the same process as before"), &shown(machine, unit, "MainPID")?, pid);
        let there = machine.run(&["test", "-d", &format!("/proc/{pid}")])?;
        report.check(
            &format!("{unit}: it lives"),
            if pid == "0" { Ok(()) } else { there.success().map(|_| ()) },
        );
    }
    report.same("nothing ran twice", &machine.read("/var/doubled")?, "");
    for number in 0..BUSY {
        let unit = format!("busy{number}.service");
        machine.run(&["systemctl", "start", &unit])?.success()?;
        // The shell holds the lock together with its `flock` for a moment.
        let count = format!("ls -l /proc/[0-9]*/fd/9 2>/dev/null | grep -c /run/busy{number}.lock");
        let one = || machine.shell(&count).is_ok_and(|holders| holders.out.trim_end() == "1");
        report.check(&format!("{unit}: one process"), machine.wait_until(&unit, SOON, one).map(|_| ()));
        machine.run(&["systemctl", "stop", &unit])?.success()?;
    }
    for code in 10..20 {
        let unit = format!("code-{code}.service");
        let ended = || {
            shown(machine, &unit, "ActiveState").is_ok_and(|state| state != "active" && state != "activating")
        };
        machine.wait_until(&unit, SOON, ended)?;
        let ran = shown(machine, &unit, "ExecMainStartTimestampMonotonic")? != "0";
        let seen =
            format!("{} {}", shown(machine, &unit, "ExecMainStatus")?, shown(machine, &unit, "Result")?);
        if ran {
            report.same(&format!("{unit}: its exit code is known"), &seen, &format!("{code} exit-code"));
        }
    }
    machine.run(&["systemctl", "stop", "phoenix"])?.success()?;
    let starts = machine.read("/var/phoenix")?.lines().count();
    let restarts: usize = shown(machine, "phoenix.service", "NRestarts")?.parse().context("NRestarts")?;
    // The last restart may have been counted and stopped before its process wrote its line.
    report.holds(
        "each death is one restart",
        starts == restarts + 1 || starts == restarts,
        &format!("{starts} starts, NRestarts={restarts}"),
    );
    let zombies = machine.shell("cat /proc/[0-9]*/stat 2>/dev/null | awk '$3 == \"Z\"'")?.out;
    report.same("no zombie is left", &zombies, "");
    Ok(())
}

/// The manager's number out here: a child of PID 1, known by its name, which the kernel cuts at fifteen bytes.
pub fn manager(machine: &Machine) -> Option<i32> {
    children(machine.pid()).into_iter().find(|pid| comm(*pid).starts_with("eudaemon-manage"))
}

pub fn kill(pid: i32) -> Result<()> {
    let Some(pid) = Pid::from_raw(pid) else { bail!("no process {pid}") };
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(pidfd_send_signal(process, Signal::KILL)?)
}

fn shown(machine: &Machine, unit: &str, property: &str) -> Result<String> {
    Ok(machine.run(&["systemctl", "show", "-P", property, unit])?.success()?.trim_end().to_owned())
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map(|time| time.as_nanos() as u64)
        .unwrap_or_default()
}
