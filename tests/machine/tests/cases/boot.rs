//! The machine itself: what each confinement gives a PID 1, and that nothing outlives it.

use anyhow::Result;
use eudaemon_machine_tests::candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Setup};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "machine-privileged", run: privileged },
    Case { name: "machine-unprivileged", run: unprivileged },
    Case { name: "machine-ends", run: ends },
];

fn privileged(report: &mut Report) -> Result<()> {
    let machine = Setup::new(Confinement::Privileged)?
        .file("/etc/marker", "put there\n")?
        .boot(&["/bin/sleep", "infinity"])?;
    report.same("a file put there is found", &machine.run(&["cat", "/etc/marker"])?.out, "put there");
    report.same("PID 1 is the command", &machine.run(&["cat", "/proc/1/comm"])?.out, "sleep");
    report.same("mounting is allowed", &machine.shell("mount -t tmpfs x /mnt && echo yes")?.out, "yes");
    report.same(
        "the loopback is up",
        &machine.shell("ip -br link show lo | cut -c1-2; ping -h 2>/dev/null; true")?.out,
        "lo",
    );
    report.same(
        "its cgroup is its own",
        &machine.shell("cat /proc/1/cgroup | grep ^0; mkdir /sys/fs/cgroup/x && echo yes")?.out,
        "0::/\nyes",
    );
    report.same("its own processes alone", &machine.shell("ls -d /proc/[0-9]* | head -n 1")?.out, "/proc/1");
    Ok(())
}

fn unprivileged(report: &mut Report) -> Result<()> {
    if let Some(why) = candidate::no_user_namespace() {
        report.skip("unprivileged machine", &why);
        return Ok(());
    }
    let machine = Setup::new(Confinement::Unprivileged)?.boot(&[
        "/bin/sh",
        "-c",
        "mount -t tmpfs x /mnt; unshare -m true; sleep infinity; true",
    ])?;
    machine.wait_until("PID 1 was refused twice", Duration::from_secs(5), || {
        machine.console().contains("unshare")
    })?;
    let console = machine.console();
    report.holds("PID 1 may not mount", console.contains("mount: /mnt: permission denied"), &console);
    report.holds(
        "PID 1 may not unshare",
        console.contains("unshare failed: Operation not permitted"),
        &console,
    );
    report.same(
        "docker's capabilities",
        &machine.shell("grep CapBnd /proc/1/status; grep CapEff /proc/1/status")?.out,
        "CapBnd:\t00000000a80425fb\nCapEff:\t00000000a80425fb",
    );
    report.same(
        "the cgroup is read-only",
        &machine.shell("cat /proc/1/cgroup | grep ^0; mkdir /sys/fs/cgroup/x 2>&1")?.out,
        "0::/\nmkdir: cannot create directory \u{2018}/sys/fs/cgroup/x\u{2019}: Read-only file system",
    );
    report.same(
        "root is root",
        &machine.shell("id -u; stat -c %U /etc/shadow /var/lib/postgresql")?.out,
        "0\nroot\npostgres",
    );
    report.same("no trace of the launcher", &machine.shell("ls -A / | grep -c seal")?.out, "0");
    Ok(())
}

fn ends(report: &mut Report) -> Result<()> {
    let mut machine = Setup::new(Confinement::Privileged)?.boot(&[
        "/bin/sh",
        "-c",
        "trap 'exit 42' TERM; while :; do sleep 0.01; done",
    ])?;
    machine.wait_until("the trap is set", Duration::from_secs(5), || {
        machine.run(&["true"]).is_ok_and(|ran| ran.ok())
    })?;
    let pid = machine.pid();
    report.same("the exit code comes out", &machine.stop("TERM", Duration::from_secs(5))?.to_string(), "42");
    drop(machine);
    report.holds(
        "nothing is left",
        !std::path::Path::new(&format!("/proc/{pid}")).exists(),
        "PID 1 is still there",
    );
    Ok(())
}
