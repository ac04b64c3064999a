//! The benchmark: a bare loop, eudaemon and real systemd on the same root file system, one after the other in one run.
//!
//! Every service stamps the clock as its first act (`tests/machine/scripts/stamp.c`): no manager's word is trusted. Figures of one run
//! compare with each other; those of two runs do not.

use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::candidate::{Candidate, found, obstacle};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup, children};
use eudaemon_machine_tests::rootfs;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

const COUNTS: [usize; 2] = [100, 1000];
const RESTARTS: usize = 50;
const ROUND_TRIPS: usize = 50;
const LONGEST: Duration = Duration::from_secs(120);

/// Who runs the services.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Runner {
    Floor,
    FloorWithCgroups,
    Ours,
    Systemd,
}

impl Runner {
    const ALL: [Runner; 4] = [Runner::Floor, Runner::FloorWithCgroups, Runner::Ours, Runner::Systemd];

    fn name(self) -> &'static str {
        match self {
            Runner::Floor => "bare loop",
            Runner::FloorWithCgroups => "with cgroups",
            Runner::Ours => "eudaemon",
            Runner::Systemd => "systemd",
        }
    }

    fn is_manager(self) -> bool {
        match self {
            Runner::Floor | Runner::FloorWithCgroups => false,
            Runner::Ours | Runner::Systemd => true,
        }
    }
}

/// What was measured: the figure's name, then each runner's value.
type Figures = BTreeMap<String, BTreeMap<Runner, f64>>;

/// Measures everything and prints it as a table with ratios.
pub fn bench(counts: &[&str]) -> Result<bool> {
    if let Some(why) = obstacle() {
        println!("SKIPPED: benchmark: {why}");
        return Ok(true);
    }
    let counts: Vec<usize> = match counts {
        [] => COUNTS.to_vec(),
        some => {
            some.iter().map(|word| word.parse().context("a number of services")).collect::<Result<_>>()?
        }
    };
    let built = Command::new("cargo")
        .args(["build", "--release", "--package", "eudaemon"])
        .status()
        .context("cannot run cargo")?;
    if !built.success() {
        bail!("cargo build --release: {built}");
    }
    let mut figures = Figures::new();
    for count in counts {
        for runner in Runner::ALL {
            if runner == Runner::Systemd && !found("systemd-nspawn") {
                println!("SKIPPED: systemd: no systemd-nspawn here: apt-get install systemd-container");
                continue;
            }
            if let Err(error) = measure(runner, count, &mut figures) {
                println!("SKIPPED: {} with {count} services: {error:#}", runner.name());
            }
        }
    }
    print(&figures);
    Ok(true)
}

/// Boots one machine of so many services, and measures all that can be asked of its runner.
fn measure(runner: Runner, count: usize, figures: &mut Figures) -> Result<()> {
    let mut note = |name: String, value: f64| {
        figures.entry(name).or_default().insert(runner, value);
    };
    let machine = boot(runner, count)?;
    let stamps = wait_for(&machine, count)?;
    let start = stamps.iter().find(|stamp| stamp.name == "then").context("no stamp of PID 1")?.nanoseconds;
    let last = stamps.iter().map(|stamp| stamp.nanoseconds).max().context("no stamp")?;
    note(format!("1 boot of {count}, ms"), milliseconds(last - start));
    if runner.is_manager() {
        settle(&machine)?;
        note(format!("3 PSS of all but the services, {count}, MB"), pss(machine.pid()) / 1024.0);
    }
    note(format!("2 restart after SIGKILL, {count} there, ms"), restart(&machine)?);
    if runner.is_manager() {
        note(
            format!("4 systemctl is-active, {count} there, ms"),
            round_trip(&machine, "systemctl is-active bench-0.service")?,
        );
        note(
            format!("5 systemctl start of a oneshot, {count} there, ms"),
            round_trip(&machine, "systemctl start once.service")?,
        );
    }
    Ok(())
}

fn boot(runner: Runner, count: usize) -> Result<Machine> {
    let confinement = if runner == Runner::Systemd { Confinement::Nspawn } else { Confinement::Privileged };
    let mut setup = Setup::new(confinement)?.program(&rootfs::tool("stamp")?, "/usr/local/bin/stamp")?;
    let number = count.to_string();
    let stamp = "/usr/local/bin/stamp";
    match runner {
        Runner::Floor => return setup.boot(&[stamp, "then", stamp, "floor", &number, "plain"]),
        Runner::FloorWithCgroups => return setup.boot(&[stamp, "then", stamp, "floor", &number, "cgroups"]),
        Runner::Ours | Runner::Systemd => {}
    }
    let folder = "/etc/systemd/system";
    // Neither the root's own services nor early boot: the same work for everyone.
    setup = setup
        .file(&format!("{folder}/bench.target"), "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n")?;
    setup = setup.link(&format!("{folder}/default.target"), "bench.target")?;
    let once = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nStandardOutput=null\nStandardError=null\nExecStart=/usr/local/bin/stamp once once\n";
    setup = setup.file(&format!("{folder}/once.service"), once)?;
    for number in 0..count {
        let text = format!(
            "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nExecStart={stamp} bench-{number}\nRestart=always\nRestartSec=0\nStandardOutput=null\nStandardError=null\n"
        );
        setup = setup.file(&format!("{folder}/bench-{number}.service"), &text)?;
        setup = setup.link(
            &format!("{folder}/bench.target.wants/bench-{number}.service"),
            &format!("../bench-{number}.service"),
        )?;
    }
    if runner == Runner::Systemd {
        return setup.boot(&[stamp, "then", "/lib/systemd/systemd"]);
    }
    let Some(Candidate::Ours(binary)) = Candidate::find() else { bail!("no build of eudaemon") };
    let release = rootfs::target().join("release/eudaemon");
    let binary = if release.exists() { release } else { binary };
    setup.program(&binary, "/usr/local/sbin/eudaemon")?.boot(&[
        stamp,
        "then",
        "/usr/local/sbin/eudaemon",
        "init",
    ])
}

/// One line of `/var/stamps`.
struct Stamp {
    name: String,
    nanoseconds: u64,
    pid: String,
}

fn stamps(machine: &Machine) -> Vec<Stamp> {
    let text = machine.read("/var/stamps").unwrap_or_default();
    let complete = text.rfind('\n').map(|end| &text[..end]).unwrap_or_default();
    let stamp = |line: &str| {
        let mut words = line.split(' ');
        Some(Stamp {
            name: words.next()?.to_owned(),
            nanoseconds: words.next()?.parse().ok()?,
            pid: words.next()?.to_owned(),
        })
    };
    complete.lines().filter_map(stamp).collect()
}

/// Waits until each of so many services has stamped.
fn wait_for(machine: &Machine, count: usize) -> Result<Vec<Stamp>> {
    machine.wait_until("every service has stamped", LONGEST, || stamps(machine).len() > count)?;
    Ok(stamps(machine))
}

/// Waits until the manager answers: what it does after the last service runs is not measured in what follows.
fn settle(machine: &Machine) -> Result<()> {
    let running = || {
        machine
            .run(&["systemctl", "is-active", "bench.target"])
            .is_ok_and(|ran| ran.out.trim_end() == "active")
    };
    machine.wait_until("bench.target is active", LONGEST, running).map(|_| ())
}

/// The median time from the kill of a main process to the first act of the next one.
fn restart(machine: &Machine) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..RESTARTS {
        let before = stamps(machine);
        let victim =
            before.iter().rev().find(|stamp| stamp.name == "bench-0").context("no stamp of bench-0")?;
        machine.run(&["/usr/local/bin/stamp", "kill", &victim.pid])?.success()?;
        machine.wait_until("the next one stamps", LONGEST, || stamps(machine).len() >= before.len() + 2)?;
        let after = stamps(machine);
        let [killed, started] = &after[before.len()..before.len() + 2] else { bail!("two stamps") };
        times.push(milliseconds(started.nanoseconds - killed.nanoseconds));
    }
    Ok(median(times))
}

/// The mean time of one command, run many times by one shell inside.
fn round_trip(machine: &Machine, command: &str) -> Result<f64> {
    let script = format!(
        "date +%s%N; for i in $(seq {ROUND_TRIPS}); do {command} > /dev/null || exit 1; done; date +%s%N"
    );
    let text = machine.shell(&script)?.success()?;
    let times: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let [start, end] = times[..] else { bail!("two times: {text}") };
    Ok(milliseconds(end - start) / ROUND_TRIPS as f64)
}

/// The PSS in kB of PID 1 and of everything below it that is no service of the benchmark.
fn pss(first: i32) -> f64 {
    let (mut found, mut next, mut sum) = (vec![first], 0, 0.0);
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        found.extend(children(pid));
        let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let memory = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let own = memory
            .lines()
            .find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<f64>().ok());
        if command.trim_end() != "stamp" {
            sum += own.unwrap_or_default();
        }
    }
    sum
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A table: one line per figure, one column per runner, and what eudaemon is of the floor and of systemd.
fn print(figures: &Figures) {
    print!("{:<46}", "");
    for runner in Runner::ALL {
        print!("{:>14}", runner.name());
    }
    println!("{:>16}{:>16}", "ours/floor", "systemd/ours");
    for (name, values) in figures {
        print!("{:<46}", name.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start());
        for runner in Runner::ALL {
            match values.get(&runner) {
                Some(value) => print!("{value:>14.2}"),
                None => print!("{:>14}", "-"),
            }
        }
        let ratio = |over: Option<&f64>, under: Option<&f64>| match (over, under) {
            (Some(over), Some(under)) if *under > 0.0 => format!("{:.2}", over / under),
            _ => "-".to_owned(),
        };
        let ours = values.get(&Runner::Ours);
        let floor = values.get(&Runner::FloorWithCgroups).or(values.get(&Runner::Floor));
        println!("{:>16}{:>16}", ratio(ours, floor), ratio(values.get(&Runner::Systemd), ours));
    }
}
