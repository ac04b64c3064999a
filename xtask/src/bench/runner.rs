//! Who runs the services, and the machine that each boots.

use anyhow::{Context, Result};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use eudaemon_machine_tests::rootfs;
use std::fs;
use std::path::Path;

/// Where every machine has the program that its services are.
pub const STAMP: &str = "/usr/local/bin/stamp";

const UNITS: &str = "/etc/systemd/system";
const EUDAEMON: &str = "/usr/local/sbin/eudaemon";

/// Who runs the services. The floors are what the kernel itself takes (`stamp floor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runner {
    /// One cgroup for all: less than a manager can do.
    Plain,
    /// Children move themselves into their cgroups.
    Joining,
    /// Children are born in their cgroups.
    Born,
    Ours,
    Systemd,
}

/// Whether a runner keeps its services apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    One,
    OneEach,
}

impl Runner {
    pub const ALL: [Runner; 5] =
        [Runner::Plain, Runner::Joining, Runner::Born, Runner::Ours, Runner::Systemd];

    pub fn name(self) -> &'static str {
        match self {
            Runner::Plain => "plain floor",
            Runner::Joining => "joining floor",
            Runner::Born => "born floor",
            Runner::Ours => "eudaemon",
            Runner::Systemd => "systemd",
        }
    }

    pub fn is_manager(self) -> bool {
        match self {
            Runner::Plain | Runner::Joining | Runner::Born => false,
            Runner::Ours | Runner::Systemd => true,
        }
    }

    pub fn cgroups(self) -> Cgroups {
        match self {
            Runner::Plain => Cgroups::One,
            Runner::Joining | Runner::Born | Runner::Ours | Runner::Systemd => Cgroups::OneEach,
        }
    }

    /// Boots a machine whose PID 1 stamps `then`, becomes this runner and starts so many services.
    pub fn boot(self, count: usize, eudaemon: &Path) -> Result<Machine> {
        let floor = |birth: &str| {
            let setup = machine(Confinement::Privileged)?;
            setup.boot(&[STAMP, "then", STAMP, "floor", &count.to_string(), birth])
        };
        match self {
            Runner::Plain => floor("plain"),
            Runner::Joining => floor("joining"),
            Runner::Born => floor("born"),
            Runner::Ours => units(machine(Confinement::Privileged)?, count)?
                .program(eudaemon, EUDAEMON)?
                .boot(&[STAMP, "then", EUDAEMON, "init"]),
            Runner::Systemd => {
                units(machine(Confinement::Nspawn)?, count)?.boot(&[STAMP, "then", "/lib/systemd/systemd"])
            }
        }
    }
}

fn machine(confinement: Confinement) -> Result<Setup> {
    Setup::new(confinement)?.program(&rootfs::tool("stamp")?, STAMP)
}

/// Describes each service of a running machine in other words.
pub fn change_units(machine: &Machine, description: &str) -> Result<()> {
    let directory = machine.path(UNITS);
    for entry in fs::read_dir(&directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("bench-") && name.ends_with(".service") {
            let text = fs::read_to_string(&path)?;
            let kept = text.lines().filter(|line| !line.starts_with("Description="));
            let kept: String = kept.map(|line| format!("{line}\n")).collect();
            let section = "[Unit]\n";
            fs::write(&path, kept.replacen(section, &format!("{section}Description={description}\n"), 1))?;
        }
    }
    Ok(())
}

/// Generators take most of a reload's time, and are the same programs under every manager.
pub fn mask_generators(machine: &Machine) -> Result<()> {
    let masks = machine.path("/etc/systemd/system-generators");
    fs::create_dir_all(&masks)?;
    let generators = machine.path("/lib/systemd/system-generators");
    for entry in fs::read_dir(&generators).with_context(|| format!("cannot list {}", generators.display()))? {
        std::os::unix::fs::symlink("/dev/null", masks.join(entry?.file_name()))?;
    }
    Ok(())
}

/// The services as units, with neither the root's own services nor early boot: the same work for everyone.
fn units(setup: Setup, count: usize) -> Result<Setup> {
    let quiet = "StandardOutput=null\nStandardError=null\n";
    let unit = "[Unit]\nDefaultDependencies=no\n";
    let mut setup = setup
        .file(&format!("{UNITS}/bench.target"), &format!("{unit}AllowIsolate=yes\n"))?
        .link(&format!("{UNITS}/default.target"), "bench.target")?
        .file(
            &format!("{UNITS}/once.service"),
            &format!(
                "{unit}StartLimitIntervalSec=0\n[Service]\nType=oneshot\n{quiet}ExecStart={STAMP} once once\n"
            ),
        )?;
    for number in 0..count {
        let text = format!(
            "{unit}StartLimitIntervalSec=0\n[Service]\nExecStart={STAMP} bench-{number}\nRestart=always\nRestartSec=0\n{quiet}"
        );
        let name = format!("bench-{number}.service");
        setup = setup
            .file(&format!("{UNITS}/{name}"), &text)?
            .link(&format!("{UNITS}/bench.target.wants/{name}"), &format!("../{name}"))?;
    }
    Ok(setup)
}
