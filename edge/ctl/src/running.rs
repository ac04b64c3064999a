//! Is a manager running, and if none is: start one, or say so.

use crate::CalledAs;
use crate::bus::{self, Client, ConnectError};
use crate::limits;
use crate::line::{Line, Needs, Scope};
use crate::verb::{Failure, words};
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// A connection to the manager; one is started first where the verb brings something up and none runs.
pub fn reach(line: &Line) -> Result<Client, Failure> {
    match bus::connect(line.options.scope) {
        Ok(client) => Ok(client),
        Err(ConnectError::Absent | ConnectError::NoRuntimeDirectory) if may_start(line) => start(line),
        Err(error) => Err(refused(&error, line)),
    }
}

/// A connection, after starting a manager if need be: for `enable --now`, which may also be done without one.
pub fn reach_or_start(line: &Line) -> Result<Client, Failure> {
    match bus::connect(line.options.scope) {
        Ok(client) => Ok(client),
        Err(ConnectError::Absent | ConnectError::NoRuntimeDirectory) => start(line),
        Err(error) => Err(refused(&error, line)),
    }
}

/// A connection if there is a manager; verbs that can do without one ask so.
pub fn reach_if_running(line: &Line) -> Result<Option<Client>, Failure> {
    if line.options.root.is_some() {
        return Ok(None);
    }
    match bus::connect(line.options.scope) {
        Ok(client) => Ok(Some(client)),
        Err(ConnectError::Absent | ConnectError::NoRuntimeDirectory) => Ok(None),
        // Anybody may read unit files.
        Err(ConnectError::Roots) if line.row.needs == Needs::Files => Ok(None),
        Err(error) => Err(refused(&error, line)),
    }
}

/// Root may start the system's manager, everybody their own.
fn may_start(line: &Line) -> bool {
    line.row.needs == Needs::Started
        && (line.options.scope == Scope::User || rustix::process::geteuid().is_root())
}

/// The line for a verb that finds no manager, with the exit code systemctl has for it.
fn refused(error: &ConnectError, line: &Line) -> Failure {
    let text = match error {
        ConnectError::Absent | ConnectError::NoRuntimeDirectory => absent(line),
        ConnectError::Roots | ConnectError::Stranger(..) | ConnectError::Refused(_) | ConnectError::Hung => {
            error.to_string()
        }
    };
    Failure { text, code: 1 }
}

/// What to say where no manager runs, and how to get one.
pub fn absent(line: &Line) -> String {
    let user = if line.options.scope == Scope::User { " --user" } else { "" };
    let owner = match line.options.scope {
        Scope::System => "No manager is running",
        Scope::User => "No manager of this user is running",
    };
    match line.called_as {
        CalledAs::Eudaemon | CalledAs::Systemctl => format!(
            "{owner}. Start one with 'eudaemon init --background{user}', or let 'eudaemon start UNIT' do it."
        ),
    }
}

/// Where a unit was looked for, for who may have meant the machine's.
pub fn whose_units(line: &Line) -> Option<&'static str> {
    let is_ordinary = !rustix::process::geteuid().is_root();
    (is_ordinary && line.options.scope == Scope::User && line.called_as == CalledAs::Eudaemon)
        .then_some("Only this user's units were looked at; the machine's are root's: ask as root.")
}

/// Starts init in the background. It comes back when its manager is ready, or says why it is not.
fn start(line: &Line) -> Result<Client, Failure> {
    let fail = |text: String| Failure { text: format!("Failed to start a manager: {text}"), code: 1 };
    let scope = line.options.scope;
    // Two command lines at once start one manager: the second finds it running when it gets the lock. A user
    // without a runtime directory has no place for a lock; init makes the directory.
    let lock = if private_place(scope) { Some(lock(scope).map_err(&fail)?) } else { None };
    if let Some(lock) = &lock {
        lock.lock().map_err(|error| fail(error.to_string()))?;
    }
    if let Ok(client) = bus::connect(scope) {
        return Ok(client);
    }
    let output = spawn(scope).map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(fail(if said.is_empty() { output.status.to_string() } else { said }));
    }
    let deadline = Instant::now() + limits::MANAGER_ANSWER;
    loop {
        match bus::connect(scope) {
            Ok(client) => return Ok(client),
            Err(error) if Instant::now() > deadline => return Err(fail(error.to_string())),
            Err(_) => std::thread::sleep(limits::SOCKET_LOOK),
        }
    }
}

fn private_place(scope: Scope) -> bool {
    scope == Scope::System || bus::runtime_directory().is_some()
}

/// The file that is locked while a manager is being started.
fn lock(scope: Scope) -> Result<File, String> {
    let (runtime, mode) = match scope {
        Scope::System => (PathBuf::from("/run"), 0o755),
        Scope::User => (bus::runtime_directory().ok_or("there is no runtime directory")?, 0o700),
    };
    let directory = runtime.join("eudaemon");
    let made = DirBuilder::new().recursive(true).mode(mode).create(&directory);
    made.map_err(|error| format!("cannot create {}: {}", directory.display(), words(&error)))?;
    let path = directory.join("start.lock");
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(|error| format!("cannot open {}: {}", path.display(), words(&error)))
}

fn spawn(scope: Scope) -> std::io::Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["init", "--background"]);
    if scope == Scope::User {
        command.arg("--user");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()
}
