//! What an ordinary user is given to rule: a cgroup to divide, and with it a manager of their own.

use crate::kills::{kill, manager};
use crate::nine::candidate_for;
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "users-delegate", run: delegate },
    Case { name: "users-manager", run: user_manager },
    Case { name: "users-dynamic", run: dynamic },
];

const SOON: Duration = Duration::from_secs(60);

/// It puts itself into a part of its cgroup that it makes, and tells where each of its commands runs.
const DIVIDES: &str = r#"[Service]
Type=notify
NotifyAccess=all
User=daemon
Delegate=yes
RuntimeDirectory=divides
ExecCondition=+sh -c 'grep ^0:: /proc/self/cgroup >/run/condition'
ExecStartPre=+sh -c 'grep ^0:: /proc/self/cgroup >/run/start-pre'
ExecStart=sh -c 'own=$$(sed -n s/^0:://p /proc/self/cgroup); at=$$(find /sys/fs/cgroup -path "*$$own" -type d); mkdir $$at/part && echo $$$$ >$$at/part/cgroup.procs && systemd-notify --ready && exec sleep 9000'
ExecStartPost=sh -c 'grep ^0:: /proc/self/cgroup >$RUNTIME_DIRECTORY/start-post'
ExecReload=sh -c 'grep ^0:: /proc/self/cgroup >$RUNTIME_DIRECTORY/reload'
ExecStop=sh -c 'grep ^0:: /proc/self/cgroup >/tmp/stop'
ExecStopPost=sh -c 'grep ^0:: /proc/self/cgroup >/tmp/stop-post'
"#;

/// A command, the file it writes, and the cgroup below the unit's own that it runs in.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("ExecCondition=", "/run/condition", ""),
    ("ExecStartPre=", "/run/start-pre", ""),
    ("ExecStartPost=", "/run/divides/start-post", "/.control"),
    ("ExecReload=", "/run/divides/reload", "/.control"),
];
const LATER: &[(&str, &str, &str)] =
    &[("ExecStop=", "/tmp/stop", "/.control"), ("ExecStopPost=", "/tmp/stop-post", "/.control")];

fn delegate(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let unit = "/etc/systemd/system/divides.service";
    let machine = candidate.setup(Confinement::Privileged)?.file(unit, DIVIDES)?.boot(&candidate.init())?;
    booted(&machine)?;
    let systemctl = |verb: &str| machine.run(&["systemctl", verb, "divides"])?.success().map(drop);
    let whereabouts = |report: &mut Report, commands: &[(&str, &str, &str)]| -> Result<()> {
        for (command, file, below) in commands {
            let found = machine.run(&["cat", file])?.success()?;
            let own = format!("/system.slice/divides.service{below}");
            let at = found.find("/system.slice/divides").map_or(found.as_str(), |at| &found[at..]);
            report.same(command, at, &own);
        }
        Ok(())
    };
    report.check("the user divides the cgroup", systemctl("start"));
    report.check("and may be reloaded", systemctl("reload"));
    whereabouts(report, COMMANDS)?;
    let group = machine.run(&["systemctl", "show", "-P", "ControlGroup", "divides"])?.success()?;
    report.same(
        "the cgroup that is told",
        group.trim_start_matches("/").trim_end(),
        "system.slice/divides.service",
    );
    report.check("and stopped", systemctl("stop"));
    whereabouts(report, LATER)?;
    let left = machine.run(&["find", "/sys/fs/cgroup", "-name", "divides.service"])?.success()?;
    report.same("no part is left", &left, "");
    Ok(())
}

/// logind starts the manager of a user who lingers, and the tools find it. Real systemd would open a session of PAM for it,
/// which these images have no module for.
fn user_manager(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("users-manager", "its PAM session needs a module that this image does not have");
        return Ok(());
    }
    let machine = candidate
        .setup(Confinement::Privileged)?
        .file("/var/lib/systemd/linger/daemon", "")?
        .boot(&candidate.init())?;
    booted(&machine)?;
    let user = |command: &str| {
        let as_user = "exec runuser -u daemon -- env XDG_RUNTIME_DIR=/run/user/1";
        machine.run(&["sh", "-c", &format!("{as_user} {command}")])
    };
    let is_up =
        || user("systemctl --user is-active default.target").is_ok_and(|ran| ran.out.trim() == "active");
    report.check("the user's manager is up", machine.wait_until("it is", SOON, is_up).map(|_| ()));
    report.check("logind lists them", listed(&machine));
    report
        .check("it runs a service", user("systemd-run --user --unit=probe sleep 9000")?.success().map(drop));
    let old = manager(&machine).context("the manager")?;
    kill(old)?;
    let is_another = || manager(&machine).is_some_and(|new| new != old);
    machine.wait_until("the machine has another manager", SOON, is_another)?;
    let state = |unit: &str| machine.run(&["systemctl", "show", "-P", "ActiveState", unit])?.success();
    report.same("which knows the user's as up", &state("user@1.service")?, "active");
    report.check("that one was left alone", user("systemctl --user is-active probe")?.success().map(drop));
    machine.run(&["systemctl", "stop", "user@1.service"])?.success()?;
    report.same("and is stopped", &state("user@1.service")?, "inactive");
    report.check(
        "and comes again",
        machine.run(&["systemctl", "start", "user@1.service"])?.success().map(drop),
    );
    Ok(())
}

/// Of a dynamic user: what the unit says, and who it is then, those that were made being called A and B.
const DYNAMIC: &[(&str, &str, &str)] = &[
    ("none", "", "A:A A none none  "),
    ("named", "User=web", "A:A A web web  "),
    ("named-twice", "User=web\nGroup=web", "A:A A web web  "),
    ("group-made", "User=web\nGroup=webs", "A:B B web web  "),
    ("group-there", "User=web\nGroup=adm", "A:4 4 web web  "),
    ("groups", "User=web\nSupplementaryGroups=adm", "A:A A,4 web web  "),
    ("user-there", "User=www-data", "33:33 33 www-data www-data  "),
    ("user-and-group-there", "User=www-data\nGroup=adm", "33:4 4 www-data www-data  "),
    ("group-alone-there", "User=adm", "exit-code 217"),
    ("user-alone-there", "User=web\nGroup=_apt", "exit-code 217"),
];

/// Whom `DynamicUser=` makes, and whom it takes because they are there.
fn dynamic(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let told = "$$(id -u):$$(id -g) $$(id -G | tr ' ' ,) $$LOGNAME $$USER $$HOME $$SHELL";
    let mut setup = candidate.setup(Confinement::Privileged)?;
    for (name, lines, _) in DYNAMIC {
        let start = format!("StandardOutput=file:/run/{name}.told\nExecStart=sh -c \"echo {told}\"\n");
        let text = format!("[Service]\nType=oneshot\nDynamicUser=yes\n{lines}\n{start}");
        setup = setup.file(&format!("/etc/systemd/system/{name}.service"), &text)?;
    }
    let machine = setup.boot(&candidate.init())?;
    booted(&machine)?;
    for (name, lines, expected) in DYNAMIC {
        let found = match machine.run(&["systemctl", "start", name])?.success() {
            Ok(_) => machine.run(&["cat", &format!("/run/{name}.told")])?.success()?,
            Err(_) => {
                let show = ["systemctl", "show", "--value", "-p", "Result", "-p", "ExecMainStatus", name];
                machine.run(&show)?.success()?
            }
        };
        let found: Vec<&str> = found.split_whitespace().collect();
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let said = format!("DynamicUser=yes {}", lines.replace('\n', " "));
        report.same(said.trim_end(), &letters(&found.join(" ")), &expected.join(" "));
    }
    Ok(())
}

/// Numbers of the range of dynamic users as letters, in the order in which they come.
fn letters(told: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let words = told.split_inclusive([':', ' ', ',']).map(|word| {
        let number = word.trim_end_matches([':', ' ', ',']);
        if !number.parse().is_ok_and(|number: u32| (61184..=65519).contains(&number)) {
            return word.to_owned();
        }
        if !known.contains(&number) {
            known.push(number);
        }
        let letter = if known[0] == number { "A" } else { "B" };
        word.replace(number, letter)
    });
    words.collect()
}

fn listed(machine: &Machine) -> Result<()> {
    let told = machine.run(&["loginctl", "list-users", "--no-legend"])?.success()?;
    if told.contains("daemon") { Ok(()) } else { bail!("{told:?}") }
}

fn booted(machine: &Machine) -> Result<()> {
    let is_over = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", SOON, is_over).map(|_| ())
}
