//! Which binary is under test, and what this machine lets us test.

use crate::machine::{Confinement, Setup};
use crate::rootfs::{self, Layer};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// What stands in for eudaemon as PID 1.
#[derive(Debug, Clone)]
pub enum Candidate {
    /// A build of ours, on this machine.
    Ours(PathBuf),
    /// A program of the root file system, from `$EUDAEMON_TEST_INIT`: real systemd proves the tests, `sleep` must fail them.
    Theirs(String),
}

impl Candidate {
    /// `$EUDAEMON_TEST_INIT`, else `$EUDAEMON_BIN`, else the newest build in the target directory.
    pub fn find() -> Option<Candidate> {
        if let Ok(path) = std::env::var("EUDAEMON_TEST_INIT") {
            return Some(Candidate::Theirs(path));
        }
        if let Some(path) = std::env::var_os("EUDAEMON_BIN") {
            return Some(Candidate::Ours(PathBuf::from(path)));
        }
        let builds = ["x86_64-unknown-linux-musl/release", "release", "debug"];
        let found = builds.map(|build| rootfs::target().join(build).join("eudaemon"));
        let found = found.into_iter().filter(|path| path.exists());
        found.max_by_key(|path| path.metadata().and_then(|meta| meta.modified()).ok()).map(Candidate::Ours)
    }

    /// A machine with the binary where an image would have it.
    pub fn setup(&self, confinement: Confinement) -> Result<Setup> {
        let setup = Setup::new(confinement)?;
        match self {
            Candidate::Ours(path) => setup.program(path, "/usr/local/sbin/eudaemon"),
            Candidate::Theirs(_) => Ok(setup),
        }
    }

    /// The command that makes it PID 1.
    pub fn init(&self) -> Vec<&str> {
        match self {
            Candidate::Ours(_) => vec!["/usr/local/sbin/eudaemon", "init"],
            Candidate::Theirs(path) if path.ends_with("sleep") => vec![path, "infinity"],
            Candidate::Theirs(path) => vec![path],
        }
    }

    /// Whether it is ours: some promises go beyond real systemd's.
    pub fn is_ours(&self) -> bool {
        match self {
            Candidate::Ours(_) => true,
            Candidate::Theirs(_) => false,
        }
    }
}

/// Why no machine can be booted here, if that is so.
pub fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    if let Some(why) = missing_tool() {
        return Some(why);
    }
    if let Err(error) = rootfs::lower(Layer::Nine) {
        return Some(format!("{error:#}"));
    }
    let spaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "true"];
    match Command::new("unshare").args(spaces).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("no namespaces: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("cannot run unshare: {error}")),
    }
}

/// The first program that machines are made with and that is not here, if there is one.
pub fn missing_tool() -> Option<String> {
    let tools = [("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2"), ("cc", "gcc")];
    let (program, package) = tools.into_iter().find(|(program, _)| !found(program))?;
    Some(format!("no {program} here: apt-get install {package}"))
}

/// Why an unprivileged machine cannot be booted here, if that is so.
pub fn no_user_namespace() -> Option<String> {
    match Command::new("unshare").args(["--user", "true"]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("no user namespaces: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("cannot run unshare: {error}")),
    }
}

/// Whether a program of this name is on the path.
pub fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}
