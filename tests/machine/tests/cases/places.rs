//! A unit's processes stay in the cgroup they were born in, and are the unit's there, whatever its files say since.

use crate::kills::{kill, manager};
use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "places", run: places }];

const SOON: Duration = Duration::from_secs(60);
const FOLDER: &str = "/etc/systemd/system";
/// With a child that its main process does not take along.
const UNIT: &str = "[Service]\nExecStart=sh -c '(trap \"\" HUP; exec sleep 9000) & exec sleep 9001'\n";

/// A unit, and what is done to its files while it runs; `F/` stands for their folder.
const CHANGES: &[(&str, &str)] = &[
    ("kid@mask.service", "systemctl mask kid@mask"),
    (
        "kid@slice.service",
        "mkdir -p F/kid@slice.service.d && printf '[Service]\\nSlice=other.slice\\n' >F/kid@slice.service.d/x.conf",
    ),
    (
        "kid@bad.service",
        "mkdir -p F/kid@bad.service.d && printf '[Service]\\nExecStart=./no\\nType=dbus\\n' >F/kid@bad.service.d/x.conf",
    ),
    ("gone@x.service", "rm F/gone@.service"),
];

fn places(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    for end in ["stop", "killed manager, then stop", "kill"] {
        if end.starts_with("killed") && !candidate.is_ours() {
            continue;
        }
        let machine = candidate
            .setup(Confinement::Privileged)?
            .file(&format!("{FOLDER}/kid@.service"), UNIT)?
            .file(&format!("{FOLDER}/gone@.service"), UNIT)?
            .boot(&candidate.init())?;
        let answers =
            || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
        machine.wait_until("the boot is over", SOON, answers)?;
        for (unit, change) in CHANGES {
            machine.run(&["systemctl", "start", unit])?.success()?;
            machine.wait_until("both run", SOON, || count(&machine, unit).is_ok_and(|count| count == 2))?;
            let before = group(&machine, unit)?;
            machine.run(&["sh", "-c", &change.replace("F/", &format!("{FOLDER}/"))])?.success()?;
            machine.run(&["systemctl", "daemon-reload"])?.success()?;
            report.same(&format!("{unit}: {end}: where it is"), &group(&machine, unit)?, &before);
            let verb = match end {
                "kill" => "kill",
                _ => "stop",
            };
            if end.starts_with("killed") {
                kill(manager(&machine).context("the manager")?)?;
            }
            machine.run(&["systemctl", verb, unit])?.success()?;
            let left = || count(&machine, unit).is_ok_and(|count| count == 0);
            report.check(
                &format!("{unit}: {end}: nothing is left"),
                machine.wait_until("it is gone", SOON, left).map(|_| ()),
            );
        }
    }
    Ok(())
}

/// As clients read it.
fn group(machine: &Machine, unit: &str) -> Result<String> {
    machine.run(&["systemctl", "show", "-P", "ControlGroup", unit])?.success()
}

/// The processes in a cgroup of that name.
fn count(machine: &Machine, unit: &str) -> Result<u32> {
    let counted = format!("cat $(find /sys/fs/cgroup -type d -name '{unit}')/cgroup.procs /dev/null | wc -l");
    let ran = machine.run(&["sh", "-c", &format!("{counted} 2>/dev/null")])?;
    ran.out.trim().parse().context("a number")
}
