//! The figures of one machine.

use super::figures::{Figure, Run, Trip, median};
use super::population::Population;
use super::runner::{STAMP, change_units, mask_generators};
use super::stamps::{boot_time, stamps};
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::machine::Machine;
use std::path::Path;
use std::time::Duration;

const RESTARTS: usize = 50;
const ROUND_TRIPS: usize = 50;
/// Of thousands of units systemd makes seconds of one.
const RELOADS: usize = 10;
const LONGEST: Duration = Duration::from_secs(120);

/// Boots one machine, sees that its services are there, and measures all that can be asked of its runner.
pub fn measure(run: Run, eudaemon: &Path, mut note: impl FnMut(Figure, f64)) -> Result<()> {
    let machine = run.runner.boot(run.count, eudaemon)?;
    let check = || Population::of(&machine)?.check(&machine, run.count, run.runner.cgroups());

    machine.wait_until("every service has stamped", LONGEST, || stamps(&machine).len() > run.count)?;
    if run.runner.is_manager() {
        settle(&machine)?;
    }
    let boot = boot_time(&stamps(&machine), run.count)?;
    check().context("after the boot")?;
    note(Figure::Boot, milliseconds(boot));

    if run.runner.is_manager() {
        let memory = Population::of(&machine)?.memory(&machine)?;
        note(Figure::Memory, megabytes(memory.values().sum()));
        for (program, share) in memory {
            note(Figure::MemoryOf(program), megabytes(share));
        }
    }
    note(Figure::Restart, restart(&machine)?);
    if run.runner.is_manager() {
        for trip in Trip::ALL {
            let times = match trip {
                Trip::Version | Trip::IsActive | Trip::Start | Trip::ListUnits => ROUND_TRIPS,
                Trip::Reload => RELOADS,
            };
            let times = round_trips(&machine, trip, times).context(trip.command())?;
            note(Figure::Trip(trip), median(times).context("no times")?);
        }
        mask_generators(&machine)?;
        let times = round_trips(&machine, Trip::Reload, RELOADS).context("reload without generators")?;
        note(Figure::ReloadAlone, median(times).context("no times")?);
        note(Figure::ReloadOfChanged, reload_of_changed(&machine)?);
        let memory = Population::of(&machine)?.memory(&machine)?;
        note(Figure::MemoryAfter, megabytes(memory.values().sum()));
    }
    check().context("at the end")
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
        let victim = before.iter().rfind(|stamp| stamp.name == "bench-0").context("no stamp of bench-0")?;
        machine.run(&[STAMP, "kill", &victim.pid])?.success()?;
        machine.wait_until("the next one stamps", LONGEST, || stamps(machine).len() >= before.len() + 2)?;
        let after = stamps(machine);
        let [killed, started] = &after[before.len()..] else {
            bail!("{} stamps after a kill", after.len() - before.len())
        };
        if (killed.name.as_str(), started.name.as_str()) != ("kill", "bench-0") {
            bail!("after a kill, {} and {} stamped", killed.name, started.name);
        }
        times.push(milliseconds(started.nanoseconds.saturating_sub(killed.nanoseconds)));
    }
    median(times).context("no restarts")
}

/// The times of one command from fork to exit, taken inside the machine.
fn round_trips(machine: &Machine, trip: Trip, times: usize) -> Result<Vec<f64>> {
    let number = times.to_string();
    let mut words = vec![STAMP, "trips", &number];
    words.extend(trip.command().split(' '));
    let text = machine.run(&words)?.success()?;
    let taken: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).map(milliseconds).collect();
    if taken.len() != times {
        bail!("{} times of {times}: {text}", taken.len());
    }
    Ok(taken)
}

/// The median time of a reload after each unit's text was changed.
fn reload_of_changed(machine: &Machine) -> Result<f64> {
    let mut times = Vec::new();
    for turn in 0..RELOADS {
        let text = format!("said anew, {turn}");
        change_units(machine, &text)?;
        times.extend(round_trips(machine, Trip::Reload, 1)?);
        let words = ["systemctl", "show", "--property=Description", "--value", "bench-0.service"];
        let shown = machine.run(&words)?.success()?;
        if shown.trim_end() != text {
            bail!("after a reload bench-0.service is still {shown:?}");
        }
    }
    median(times).context("no times")
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}
