//! One manager in a machine of its own, with the driver beside it: what it makes of a case.

use super::case::Case;
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::machine::{Confinement, Machine};
use eudaemon_machine_tests::rootfs::{self, Layer};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

const DRIVER: &str = "/usr/local/bin/oracle";
const GATE: &str = "/usr/local/bin/gate";
const UNITS: &str = "/etc/systemd/system";
/// After so many cases the machine is made anew: what a manager keeps of units that are gone must not add up.
const CASES: usize = 300;

pub struct Judge {
    pub candidate: Candidate,
    running: Option<Running>,
    /// All cases so far, which name the next one.
    cases: usize,
}

struct Running {
    driver: Child,
    orders: ChildStdin,
    told: BufReader<ChildStdout>,
    played: usize,
    machine: Machine,
}

impl Judge {
    pub fn new(candidate: Candidate) -> Judge {
        Judge { candidate, running: None, cases: 0 }
    }

    /// The transcript of a case. A manager that dies over it says that instead.
    pub fn play(&mut self, case: &Case) -> Result<String> {
        if self.running.as_ref().is_some_and(|running| running.played >= CASES) {
            self.running = None;
        }
        if self.running.is_none() {
            self.running = Some(boot(&self.candidate).context("booting a machine")?);
        }
        let Some(running) = &mut self.running else { bail!("no machine") };
        self.cases += 1;
        match running.play(case, &format!("o{}-", self.cases)) {
            Ok(transcript) => Ok(transcript),
            Err(error) => {
                let console = running.machine.console();
                let lines: Vec<&str> = console.lines().rev().take(5).collect();
                self.running = None;
                Ok(format!("> at some step\nthe driver ended: {error:#}\n{}\n", lines.join("\n")))
            }
        }
    }
}

/// A machine in which nothing runs but the manager.
fn boot(candidate: &Candidate) -> Result<Running> {
    let mut setup = candidate
        .setup(Confinement::Nspawn)?
        .program(&std::env::current_exe()?, DRIVER)?
        .program(&rootfs::tool("gate")?, GATE)?
        .file(&format!("{UNITS}/quiet.target"), "[Unit]\nDefaultDependencies=no\n")?
        .link(&format!("{UNITS}/default.target"), "quiet.target")?;
    // Generators take most of the time of a daemon-reload, and have nothing to say here.
    let generators = "lib/systemd/system-generators";
    for generator in fs::read_dir(rootfs::cache().join(Layer::Nine.name()).join(generators))? {
        let name = generator?.file_name();
        let name = name.to_str().context("a generator's name")?;
        setup = setup.link(&format!("/etc/systemd/system-generators/{name}"), "/dev/null")?;
    }
    let machine = setup.boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), answers)?;
    let mut command = machine.command(&[], &[DRIVER, "oracle-driver"]);
    let mut driver = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("nsenter")?;
    let orders = driver.stdin.take().context("a pipe")?;
    let told = BufReader::new(driver.stdout.take().context("a pipe")?);
    Ok(Running { driver, orders, told, played: 0, machine })
}

impl Running {
    fn play(&mut self, case: &Case, prefix: &str) -> Result<String> {
        self.played += 1;
        write!(self.orders, "case {prefix}\n{case}.\n")?;
        let mut transcript = String::new();
        loop {
            let mut line = String::new();
            if self.told.read_line(&mut line)? == 0 {
                bail!("{}", self.driver.wait()?);
            }
            if line == ".\n" {
                return Ok(transcript);
            }
            transcript += &line;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.driver.kill().and_then(|()| self.driver.wait().map(|_| ())) {
            eprintln!("the driver: {error}");
        }
    }
}
