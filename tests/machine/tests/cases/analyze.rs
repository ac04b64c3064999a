//! Debian's unmodified systemd-analyze and ours say the same of a running manager, be it eudaemon or systemd, of the machine or of a
//! user; and services are as exposed under one manager as under the other.

use crate::nine::candidate_for;
use crate::show::settle;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::found;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Ran};
use std::collections::BTreeMap;
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "analyze-as-systemd", run: analyze }];

const SOON: Duration = Duration::from_secs(20);

/// What both are asked, of any manager.
const ASKED: &[&str] = &[
    "",
    "time",
    "blame",
    "critical-chain",
    "critical-chain sysinit.target",
    "critical-chain --fuzz=20ms",
    "critical-chain --fuzz=10s default.target",
    "critical-chain basic.target dbus.service nothing.service",
    "critical-chain foo",
    "dot",
    "dot dbus.service",
    "dot --order s*",
    "dot --require --from-pattern=*.target --to-pattern=*.service",
    "dot --to-pattern=default.target",
    "dot foo",
    "dump",
    "dump dbus",
    "dump *.socket",
    "dump nothing*",
    "security",
    "security --json=pretty --threshold=92",
    "security dbus nothing",
    "security --json=short dbus systemd-logind",
    "security --threshold=50 systemd-logind",
    "security foo.target",
    "log-level debug",
    "log-level",
    "log-level 6",
    "log-level loud",
    "log-target",
    "service-watchdogs",
    "service-watchdogs maybe",
    "compare-versions 252.1~rc1 252.1",
    "time much",
];

/// Units that ask for what services of the system do not ask for.
const UNITS: &[(&str, &str)] = &[
    (
        "a.service",
        "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=sleep 1000\nType=exec\nProtectClock=yes\nDeviceAllow=/dev/null rw\n\
         DeviceAllow=char-tty r\nIPAddressDeny=any\nIPAddressAllow=localhost\nRestrictNamespaces=~user pid\nUser=%%u\n",
    ),
    (
        "b.service",
        "[Service]\nExecStart=sleep 1000\nDynamicUser=yes\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged:EPERM\n\
         CapabilityBoundingSet=CAP_CHOWN CAP_BPF\nAmbientCapabilities=CAP_CHOWN\nSupplementaryGroups=adm\nUMask=0077\n\
         RestrictAddressFamilies=~AF_UNIX\nRestrictAddressFamilies=AF_INET\nProtectProc=invisible\n",
    ),
    (
        "c.service",
        "[Service]\nExecStart=sleep 1000\nPrivateDevices=yes\nProtectKernelModules=yes\nRestrictAddressFamilies=none\n\
         SystemCallArchitectures=native x86\nRestrictNamespaces=yes\nNotifyAccess=all\nDelegate=yes\nProtectSystem=full\n",
    ),
];

fn analyze(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("our systemd-analyze", "real systemd has none of ours");
        return Ok(());
    }
    let boot = |confinement, init: &[&str]| -> Result<Machine> {
        let mut setup = candidate.setup(confinement)?;
        for (unit, text) in UNITS {
            setup = setup.file(&format!("/etc/systemd/system/{unit}"), text)?;
        }
        let machine = setup.boot(init)?;
        settle(&machine)?;
        Ok(machine)
    };
    let machine = boot(Confinement::Privileged, &candidate.init())?;
    compare(report, &machine, "root", "our manager")?;
    pictures(report, &machine)?;
    chain(report, &machine)?;
    after_a_reload(report, &machine)?;
    of_a_user(report, &machine)?;
    let ours = exposures(&machine)?;
    drop(machine);
    if !found("systemd-nspawn") {
        report.skip("real systemd", "no systemd-nspawn here: apt-get install systemd-container");
        return Ok(());
    }
    let machine = boot(Confinement::Nspawn, &["--boot"]).context("under nspawn")?;
    compare(report, &machine, "root", "systemd")?;
    let theirs = exposures(&machine)?;
    let differ: Vec<String> = ours
        .iter()
        .filter_map(|(unit, mine)| {
            let other = theirs.get(unit).filter(|other| *other != mine)?;
            Some(format!("{unit}: {other} under systemd, {mine} under us"))
        })
        .collect();
    let shared = ours.keys().filter(|unit| theirs.contains_key(*unit)).count();
    let what = format!("{shared} services are as exposed as under systemd");
    report.holds(&what, differ.is_empty() && shared > UNITS.len(), &differ.join("; "));
    Ok(())
}

/// What real systemd-analyze and ours say to every line. What stands in no order is sorted.
fn compare(report: &mut Report, machine: &Machine, user: &str, whose: &str) -> Result<()> {
    let mut differ = Vec::new();
    let scope = if user == "root" { "" } else { "--user " };
    for line in ASKED {
        let ask = |program: &str| -> Result<Ran> {
            let line = format!("{program} --no-pager {scope}{}", line.replace('*', "\\*"));
            let set = "export LC_ALL=C.UTF-8 TERM=xterm XDG_RUNTIME_DIR=$HOME/run; ";
            machine.shell_as(user, &format!("{set}{line}"))
        };
        let (theirs, ours) = (ask("systemd-analyze")?, ask("/usr/local/sbin/eudaemon analyze")?);
        let shown = |ran: &Ran| {
            let mut lines: Vec<&str> = ran.out.lines().collect();
            if line.starts_with("dot") {
                lines.sort_unstable();
            }
            // Who reads how much is not the manager's state.
            lines.retain(|line| !line.trim_start().starts_with("CPU") && !line.contains("Memory"));
            format!("{}\nexit {}", lines.join("\n"), ran.code)
        };
        let (theirs, ours) = (shown(&theirs), shown(&ours));
        if theirs != ours {
            let at = theirs.lines().zip(ours.lines()).find(|(a, b)| a != b);
            differ.push(format!("{line:?}: {at:?}"));
        }
    }
    let what = format!("of {whose} both tools say the same to {} lines", ASKED.len());
    report.holds(&what, differ.is_empty(), &differ.join("\n        "));
    Ok(())
}

/// Each tool's picture is XML, and has every unit that took time.
fn pictures(report: &mut Report, machine: &Machine) -> Result<()> {
    let blamed = machine.run(&["systemd-analyze", "--no-pager", "blame"])?.success()?;
    let blamed = blamed.lines().filter_map(|line| line.split_whitespace().last());
    let missing = |picture: &str| {
        let missing: Vec<&str> = blamed.clone().filter(|unit| !picture.contains(unit)).collect();
        missing.join(" ")
    };
    for program in ["systemd-analyze", "/usr/local/sbin/eudaemon analyze"] {
        let script = format!(
            "{program} plot > /tmp/plot.svg && python3 -c 'import xml.dom.minidom as x; print(x.parse(\"/tmp/plot.svg\").documentElement.tagName)'"
        );
        let parsed = machine.shell(&script)?;
        report.same(&format!("{program} draws an SVG"), &parsed.out, "svg");
        let missing = missing(&machine.read("/tmp/plot.svg")?);
        report.holds(&format!("{program} draws all that took time"), missing.is_empty(), &missing);
    }
    Ok(())
}

/// The chain of a whole boot leads from the default target to the root.
fn chain(report: &mut Report, machine: &Machine) -> Result<()> {
    let chain = machine.run(&["systemd-analyze", "--no-pager", "critical-chain"])?.success()?;
    let has = |unit: &str| chain.lines().any(|line| line.contains(unit) && line.contains('@'));
    let leads = has("multi-user.target") && has("basic.target") && has("sysinit.target");
    report.holds("the critical chain leads from the default target down", leads, &chain);
    let timed = machine.run(&["systemd-analyze", "time"])?.success()?;
    let reached = timed.contains("(userspace)") && timed.contains(".target reached after ");
    report.holds("the boot took its time", reached, &timed);
    Ok(())
}

/// A reload is no boot.
fn after_a_reload(report: &mut Report, machine: &Machine) -> Result<()> {
    let moments = "GeneratorsStartTimestampMonotonic,GeneratorsFinishTimestampMonotonic,UnitsLoadStartTimestampMonotonic,\
                   UnitsLoadFinishTimestampMonotonic,FinishTimestampMonotonic,UserspaceTimestampMonotonic";
    let shown = || machine.run(&["systemctl", "show", "-p", moments])?.success();
    let before = shown()?;
    machine.run(&["systemctl", "daemon-reload"])?.success()?;
    report.same("a reload changes nothing of what the boot took", &shown()?, &before);
    let loaded =
        machine.run(&["systemctl", "show", "--value", "-p", "UnitsLoadTimestampMonotonic"])?.success()?;
    report.holds("but says when it was", loaded.trim() != "0", &loaded);
    Ok(())
}

fn of_a_user(report: &mut Report, machine: &Machine) -> Result<()> {
    machine
        .shell("mkdir -p -m 700 /home/alice/run && chown alice: /home/alice /home/alice/run")?
        .success()?;
    let set = "export XDG_RUNTIME_DIR=$HOME/run; ";
    machine
        .shell_as("alice", &format!("{set}/usr/local/sbin/eudaemon init --background --user"))?
        .success()?;
    let state = format!("{set}systemctl --user is-system-running");
    machine.wait_until("alice's manager", SOON, || {
        machine.shell_as("alice", &state).is_ok_and(|ran| ran.out.trim() == "running")
    })?;
    compare(report, machine, "alice", "a user's manager")
}

/// Services and how exposed they are, by the real tool.
fn exposures(machine: &Machine) -> Result<BTreeMap<String, String>> {
    for (unit, _) in UNITS {
        machine.run(&["systemctl", "show", "-p", "Id", unit])?.success()?;
    }
    let mut names: Vec<String> = UNITS.iter().map(|(unit, _)| (*unit).to_owned()).collect();
    let listed = machine.shell("systemctl list-unit-files --no-legend --plain --type=service")?.success()?;
    let listed = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.extend(listed.filter(|name| !name.contains("@.")).map(str::to_owned));
    let mut exposures = BTreeMap::new();
    for name in names {
        let ran = machine.run(&["systemd-analyze", "--no-pager", "security", &name])?;
        if ran.code == 0 {
            exposures.insert(name, ran.out);
        }
    }
    Ok(exposures)
}
