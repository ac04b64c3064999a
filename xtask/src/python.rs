//! The wheel of `eudaemon-kit`, built by maturin, and its tests: our own, and python-daemon's on our `DaemonContext`.

use crate::outside;
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::rootfs::{python_site, target, workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the wheel is built with, and what python-daemon's tests want.
const TOOLS: [&str; 4] = ["maturin>=1.9,<2", "testtools", "testscenarios", "lockfile"];
/// The suite that our `DaemonContext` is judged by.
const PYTHON_DAEMON: &str = "python-daemon==3.1.2";

/// Builds the wheel and gives the command that runs its tests, or says what is not to be had here.
pub fn tests() -> Result<Command> {
    let made = Made::make()?;
    let mut command = Command::new(&made.python);
    command.arg(workspace().join("kit/python/tests/run.py")).arg(made.suite);
    Ok(command)
}

struct Made {
    python: PathBuf,
    /// python-daemon's unpacked source.
    suite: PathBuf,
}

impl Made {
    fn make() -> Result<Made> {
        outside::install_python()?;
        let folder = target().join("python");
        let environment = folder.join("venv");
        let python = environment.join("bin/python");
        if !python.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        }
        let pip = || {
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
            pip
        };
        run(pip().arg("install").args(TOOLS))?;
        let suite = unpacked(&folder, pip())?;
        let wheels = folder.join("wheels");
        // One of an older build would be installed beside it.
        fs::remove_dir_all(&wheels).ok();
        let mut maturin = Command::new(environment.join("bin/maturin"));
        maturin.args(["build", "--quiet", "--profile", "dev", "--target-dir"]).arg(target());
        run(maturin.arg("--out").arg(&wheels).current_dir(workspace().join("kit/python")))?;
        let wheel = only(&wheels)?;
        run(pip().args(["install", "--force-reinstall", "--no-deps"]).arg(&wheel))?;
        // The same for machines that have no pip: see tests/machine.
        let site = python_site();
        fs::remove_dir_all(&site).ok();
        run(pip().args(["install", "--no-deps", "--target"]).arg(&site).arg(&wheel))?;
        Ok(Made { python, suite })
    }
}

/// python-daemon's source, fetched once.
fn unpacked(folder: &Path, mut pip: Command) -> Result<PathBuf> {
    let sources = folder.join("python-daemon");
    if !sources.exists() {
        let fetched = folder.join("sdist");
        run(pip
            .args(["download", "--no-deps", "--no-binary", ":all:", "--dest"])
            .arg(&fetched)
            .arg(PYTHON_DAEMON))?;
        let unpacked = folder.join("unpacked");
        fs::create_dir_all(&unpacked)?;
        run(Command::new("tar").arg("-xzf").arg(only(&fetched)?).arg("-C").arg(&unpacked))?;
        fs::rename(only(&unpacked)?, &sources)?;
    }
    Ok(sources)
}

/// The one entry of a folder.
fn only(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let (Some(entry), None) = (entries.next().transpose()?, entries.next()) else {
        bail!("{}: expected one entry", folder.display());
    };
    Ok(entry.path())
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.trim().lines().rev().take(3).collect();
        bail!("{program}: {}: {}", output.status, last.into_iter().rev().collect::<Vec<_>>().join("; "));
    }
    Ok(())
}
