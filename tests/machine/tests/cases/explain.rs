//! A running manager explains itself: plans against what is up, causes that outlive it, and a flight that replays elsewhere.

use crate::kills::{kill, manager};
use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "explain", run: explain }];

const SOON: Duration = Duration::from_secs(20);
const UNITS: [(&str, &str); 8] = [
    ("default.target", "[Unit]\nDescription=Nothing\nWants=lacking.service\n"),
    ("lacking.service", "[Unit]\nRequires=nowhere.service\n[Service]\nExecStart=sleep 1000\n"),
    ("bad.service", "[Service]\nExecStart=no/where\n"),
    ("skipped.service", "[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=sleep 1000\n"),
    (
        "deaf.service",
        "[Service]\nTimeoutStopSec=100ms\nExecStart=sh -c 'trap : TERM; while :; do sleep 1; done'\n",
    ),
    ("db.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=sh -c 'exit 3'\n"),
    ("web.service", "[Unit]\nRequires=db.service\nAfter=db.service\n[Service]\nExecStart=sleep 1000\n"),
    ("part.service", "[Unit]\nPartOf=base.service\nAfter=base.service\n[Service]\nExecStart=sleep 1000\n"),
];
const BASE: &str = "[Service]\nExecStart=sleep 1000\n";

fn explain(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Unprivileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("explanations", "real systemd has none");
        return Ok(());
    }
    let mut setup =
        candidate.setup(Confinement::Unprivileged)?.file("/etc/systemd/system/base.service", BASE)?;
    for (unit, text) in UNITS {
        setup = setup.file(&format!("/etc/systemd/system/{unit}"), text)?;
    }
    let machine = setup.boot(&candidate.init())?;
    let up = || machine.run(&["systemctl", "is-active", "default.target"]).is_ok_and(|ran| ran.ok());
    machine.wait_until("default.target", SOON, up)?;
    let ask = |words: &[&str]| -> Result<String> {
        let words: Vec<&str> = [&["eudaemon"], words].concat();
        machine.run(&words)?.success()
    };

    let planned = ask(&["plan", "start", "part"])?;
    let last = planned.lines().find(|line| line.ends_with(" asked for")).unwrap_or_default();
    report.holds("a unit nobody loaded is planned", last.contains(" start part.service "), &planned);
    let listed = machine.run(&["systemctl", "list-units", "--all", "--plain", "part.service"])?.success()?;
    report.holds("and is loaded as little as before", listed.contains("0 loaded units"), &listed);

    ask(&["start", "base", "part"])?;
    let planned = ask(&["plan", "restart", "base"])?;
    let both = planned.contains("restarts: its own PartOf=base.service") && planned.contains("in 4 waves");
    report.holds("a restart is planned against what is up", both, &planned);

    machine.run(&["systemctl", "start", "web"])?;
    let wanted = [
        "web.service was not started: Requires= names db.service",
        "because db.service failed: its main process ended with status 3.",
    ];
    let why = ask(&["why", "web"])?;
    report.holds(
        "a start that came to nothing has a root",
        wanted.iter().all(|text| why.contains(text)),
        &why,
    );
    kill(manager(&machine).context("the manager")?)?;
    let again = ask(&["why", "web"])?;
    report.same("and the next manager knows it", &again, &why);
    let part = ask(&["why", "part"])?;
    report.holds("who asked is told", part.contains("asked for by eudaemon (process "), &part);

    failures(report, &machine)?;

    ask(&["stop", "part"])?;
    ask(&["flight", "save", "/var/flight"])?;
    let replayed = ask(&["replay", "/var/flight"])?;
    report.holds("a flight replays", replayed.contains("job of part.service: Done"), &replayed);
    let mode = machine.run(&["stat", "-c", "%a", "/var/flight"])?.success()?;
    report.same("and is its owner's alone to read", mode.trim_end(), "600");
    Ok(())
}

/// What kept units from starting, or ended them, by unit: the request, and what `status` and `why` say afterwards.
fn failures(report: &mut Report, machine: &Machine) -> Result<()> {
    let tell = |verb: &str, unit: &str| -> Result<String> { Ok(machine.run(&["eudaemon", verb, unit])?.out) };
    for unit in ["bad", "skipped", "deaf"] {
        machine.run(&["eudaemon", "start", unit])?;
    }
    machine.run(&["eudaemon", "stop", "deaf"])?;
    let expected = [
        ("lacking", "was started without nowhere.service, which it names in Requires="),
        ("bad", "/etc/systemd/system/bad.service:2: "),
        ("skipped", "was not started: ConditionPathExists=/nowhere does not hold"),
        ("deaf", "its stop took longer than TimeoutStopSec=100ms: its processes did not end at SIGTERM"),
    ];
    for (unit, text) in expected {
        for verb in ["status", "why"] {
            let told = tell(verb, unit)?;
            report.holds(&format!("{verb} of {unit}.service says why"), told.contains(text), &told);
        }
    }
    let refused = tell("why", "bad")?;
    let wanted = "its start was asked for by eudaemon (process ";
    report.holds("and who was refused it", refused.contains(wanted), &refused);
    Ok(())
}
