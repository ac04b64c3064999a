//! Every unit of the root file system, as `systemctl show` sees it under us and under real systemd on the same files.
//!
//! Real systemd answers twice: in its own container, and as PID 1 of a machine confined as ours is, since some answers belong to the
//! surroundings. To agree with either is to agree. What differs on purpose has a line in `docs/compat.md`.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::{Candidate, found};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "show-as-systemd", run: show }];

const PROPERTIES: [&str; 5] = ["ActiveState", "SubState", "Result", "Type", "UnitFileState"];
/// The page whose table says what may differ: unit (a star stands for anything), property, systemd's value, ours, reason.
const COMPAT: &str = include_str!("../../../../docs/compat.md");
const REAL: &str = "/lib/systemd/systemd";

/// unit -> property -> value.
type Shown = BTreeMap<String, BTreeMap<String, String>>;

fn show(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !found("systemd-nspawn") {
        report.skip(
            "comparison with real systemd",
            "no systemd-nspawn here: apt-get install systemd-container",
        );
        return Ok(());
    }
    let nspawn = Setup::new(Confinement::Nspawn)?.boot(&["--boot"])?;
    settle(&nspawn).context("under nspawn")?;
    let units = units(&nspawn)?;
    let mut judges = vec![shown(&nspawn, &units)?];
    drop(nspawn);
    let real = Candidate::Theirs(REAL.to_owned());
    let machine = real.setup(Confinement::Privileged)?.boot(&real.init())?;
    settle(&machine).context("real systemd")?;
    judges.push(shown(&machine, &units)?);
    drop(machine);
    let machine = candidate.setup(Confinement::Privileged)?.boot(&candidate.init())?;
    settle(&machine).context("the candidate")?;
    let ours = shown(&machine, &units)?;

    let differences = differences(&units, &judges, &ours);
    for line in &differences {
        println!("        {line}");
    }
    let what = format!("{} units agree on {}", units.len(), PROPERTIES.join(","));
    report.holds(&what, differences.is_empty(), &format!("{} values differ", differences.len()));
    Ok(())
}

/// Waits until the boot is over, and no job is left.
pub fn settle(machine: &Machine) -> Result<()> {
    let mut last = String::new();
    let over = machine.wait_until("the boot is over", Duration::from_secs(90), || {
        last = machine
            .shell("systemctl is-system-running; systemctl list-jobs --no-legend | grep -v '^No jobs'")
            .map(|ran| ran.out)
            .unwrap_or_default();
        matches!(last.trim_end(), "running" | "degraded")
    });
    over.map(|_| ()).with_context(|| last)
}

/// Every unit that has a file or is loaded; device units are this machine's, not the root file system's.
fn units(machine: &Machine) -> Result<BTreeSet<String>> {
    let list = "systemctl list-unit-files --no-legend --full --plain; systemctl list-units --all --no-legend --full --plain";
    let listed = machine.shell(list)?.success()?;
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|name| !name.contains("@.") && !name.ends_with(".device")).map(str::to_owned).collect())
}

fn shown(machine: &Machine, units: &BTreeSet<String>) -> Result<Shown> {
    let mut shown = Shown::new();
    let all: Vec<&String> = units.iter().collect();
    for some in all.chunks(100) {
        let properties = PROPERTIES.join(",");
        let mut command = vec!["systemctl", "show", "-p", &properties, "--"];
        command.extend(some.iter().map(|unit| unit.as_str()));
        let text = machine.run(&command)?.success()?;
        for (unit, block) in some.iter().zip(text.split("\n\n")) {
            let values = block.lines().filter_map(|line| line.split_once('='));
            shown.insert(
                (*unit).clone(),
                values.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            );
        }
    }
    Ok(shown)
}

/// One line for each value that no judge gave and no reason allows.
fn differences(units: &BTreeSet<String>, judges: &[Shown], ours: &Shown) -> Vec<String> {
    let value = |shown: &Shown, unit: &str, property: &str| {
        shown
            .get(unit)
            .and_then(|values| values.get(property))
            .cloned()
            .unwrap_or_else(|| "(none)".to_owned())
    };
    let mut differences = Vec::new();
    for unit in units {
        for property in PROPERTIES {
            let mine = value(ours, unit, property);
            let theirs: BTreeSet<String> = judges.iter().map(|judge| value(judge, unit, property)).collect();
            if !theirs.contains(&mine) && !is_allowed(unit, property, &mine) {
                let theirs: Vec<String> = theirs.into_iter().collect();
                differences.push(format!("{unit}\t{property}\t{}\t{mine}", theirs.join(" or ")));
            }
        }
    }
    differences
}

fn is_allowed(unit: &str, property: &str, mine: &str) -> bool {
    let rows =
        COMPAT.split("<!-- show: begin -->").nth(1).and_then(|rest| rest.split("<!-- show: end -->").next());
    rows.unwrap_or_default().lines().any(|line| {
        let words: Vec<&str> =
            line.trim_matches('|').split('|').map(|word| word.trim_matches([' ', '`'])).collect();
        let [pattern, name, _, value, reason] = words[..] else { return false };
        let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
        let matches = if pattern.contains('*') {
            unit.starts_with(start) && unit.ends_with(end)
        } else {
            unit == pattern
        };
        matches && (name == property || name == "*") && (value == mine || value == "*") && !reason.is_empty()
    })
}
