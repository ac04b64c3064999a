//! `systemctl freeze` and `thaw`, on the kernel's own freezer.

use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "freezer", run: freezer }];

/// Counts for as long as it may run, and tells that it heard of its end.
fn counter(name: &str, slice: &str) -> String {
    format!(
        "[Service]\nSlice={slice}\nExecStart=sh -c 'trap \"echo {name} heard >>/var/tmp/heard; exit 0\" TERM; \
         while :; do echo x >>/var/tmp/{name}; sleep 0.02; done'\n"
    )
}

fn freezer(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = candidate
        .setup(Confinement::Privileged)?
        .file("/etc/systemd/system/one.service", &counter("one", "app-low.slice"))?
        .file("/etc/systemd/system/two.service", &counter("two", "app-low.slice"))?
        .file("/etc/systemd/system/free.service", &counter("free", "system.slice"))?
        .boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), answers)?;
    let ask = |words: &str| -> Result<String> {
        let ran = machine.run(&[&["systemctl"], words.split(' ').collect::<Vec<_>>().as_slice()].concat())?;
        Ok(format!("{} {}{}", ran.code, ran.out.trim(), ran.err.trim()))
    };
    let state = |unit: &str| ask(&format!("show -P FreezerState {unit}"));
    ask("start one two free")?;
    report.check("it counts", counts(&machine, "one"));

    report.same("freeze", &ask("freeze one")?, "0 ");
    report.same("it is frozen", &state("one")?, "0 frozen");
    report.same("and active", &ask("is-active one")?, "0 active");
    report.check("it stands still", stands_still(&machine, "one"));
    report.check("its neighbour does not", counts(&machine, "two"));
    report.same("freeze what is frozen", &ask("freeze one")?, "0 ");
    report.same("thaw", &ask("thaw one")?, "0 ");
    report.same("it is running", &state("one")?, "0 running");
    report.check("it goes on", counts(&machine, "one"));
    report.same("thaw what runs", &ask("thaw one")?, "0 ");

    report.same(
        "a target",
        &ask("freeze multi-user.target")?,
        "1 Failed to freeze unit multi-user.target: Unit 'multi-user.target' does not support freezing.",
    );
    ask("stop two")?;
    report.same(
        "one that is down",
        &ask("freeze two")?,
        "1 Failed to freeze unit two.service: Unit is inactive.",
    );
    report.same(
        "CanFreeze",
        &ask("show -P CanFreeze one multi-user.target app-low.slice")?,
        "0 yes\n\nno\n\nyes",
    );

    ask("freeze one")?;
    report.same("a stop thaws it", &ask("stop one")?, "0 ");
    report.holds(
        "and it hears of its end",
        machine.read("/var/tmp/heard")?.contains("one heard"),
        "it was killed",
    );

    ask("start one two")?;
    report.same("a slice", &ask("freeze app.slice")?, "0 ");
    report.same(
        "all in it",
        &ask("show -P FreezerState app.slice app-low.slice one two")?,
        "0 frozen\n\nfrozen\n\nfrozen\n\nfrozen",
    );
    report.check("all stand still", stands_still(&machine, "one").and(stands_still(&machine, "two")));
    if candidate.is_ours() {
        // Real systemd 252 waits for ever for what the slice's cgroup holds.
        report.same("one of them goes on", &ask("thaw two")?, "0 ");
        report.check("it counts again", counts(&machine, "two"));
        report.check("the other does not", stands_still(&machine, "one"));
        report.same(
            "who is frozen",
            &ask("show -P FreezerState app.slice app-low.slice one two")?,
            "0 running\n\nrunning\n\nfrozen\n\nrunning",
        );
        report.same(
            "the manager is killed",
            &machine.shell("kill -9 $(pgrep -f 'eudaemon manager' | head -n1)")?.out,
            "",
        );
        report.same("the new one knows", &state("one")?, "0 frozen");
        report.same("and thaws", &ask("thaw one")?, "0 ");
    } else {
        report.same("thaw", &ask("thaw app.slice")?, "0 ");
    }
    report.check("it goes on", counts(&machine, "one"));
    Ok(())
}

fn lines(machine: &Machine, name: &str) -> usize {
    machine.read(&format!("/var/tmp/{name}")).map_or(0, |text| text.len())
}

fn counts(machine: &Machine, name: &str) -> Result<()> {
    let before = lines(machine, name);
    machine
        .wait_until(&format!("{name} counts"), Duration::from_secs(10), || lines(machine, name) > before)?;
    Ok(())
}

/// While one that nobody freezes counts some thirty times.
fn stands_still(machine: &Machine, name: &str) -> Result<()> {
    let (before, began) = (lines(machine, name), lines(machine, "free"));
    machine
        .wait_until("the free one counts", Duration::from_secs(20), || lines(machine, "free") > began + 60)?;
    anyhow::ensure!(lines(machine, name) == before, "{name} counted on");
    Ok(())
}
