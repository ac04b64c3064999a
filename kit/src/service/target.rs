//! The managers, what is written for each, and what is lost on the way.

use super::description::{Need, Output, Reload, Restart, Service, Start};
use super::loss::Loss;
use super::{launchd, openrc, runit, supervisord, systemd, sysv, windows};
use crate::Mode;
use std::fmt;

/// A kind of service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// systemd(1).
    Systemd,
    /// eudaemon, which reads systemd's files.
    Eudaemon,
    /// openrc(8).
    Openrc,
    /// Scripts in /etc/init.d, as the Linux Standard Base has them.
    Sysv,
    /// runsvdir(8).
    Runit,
    /// launchd(8), of macOS.
    Launchd,
    /// supervisord.
    Supervisord,
    /// The service control manager of Windows.
    Windows,
}

impl Target {
    /// All of them, with the words they are chosen by.
    pub const ALL: [(&'static str, Target); 8] = [
        ("systemd", Target::Systemd),
        ("eudaemon", Target::Eudaemon),
        ("openrc", Target::Openrc),
        ("sysv", Target::Sysv),
        ("runit", Target::Runit),
        ("launchd", Target::Launchd),
        ("supervisord", Target::Supervisord),
        ("windows", Target::Windows),
    ];

    /// The word it is chosen by.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Target::Systemd => "systemd",
            Target::Eudaemon => "eudaemon",
            Target::Openrc => "openrc",
            Target::Sysv => "sysv",
            Target::Runit => "runit",
            Target::Launchd => "launchd",
            Target::Supervisord => "supervisord",
            Target::Windows => "windows",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Target::Systemd => "systemd, by systemctl",
            Target::Eudaemon => "eudaemon, which reads the same files",
            Target::Openrc => "OpenRC",
            Target::Sysv => "scripts in /etc/init.d, as the Linux Standard Base has them",
            Target::Runit => "runit",
            Target::Launchd => "launchd of macOS: a text for a program that runs there",
            Target::Supervisord => "supervisord",
            Target::Windows => "the service control manager of Windows: commands to be shown by --print",
        }
    }

    /// The manager of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Target> {
        Target::ALL.iter().find(|(known, _)| *known == word).map(|(_, target)| *target)
    }
}

/// Whose service it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The machine's.
    System,
    /// The caller's own.
    User,
}

/// A file to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Absolute, but for a user's: those begin with `~/`.
    pub path: String,
    /// Its permissions.
    pub mode: Mode,
    /// What stands in it.
    pub text: String,
}

impl File {
    /// A script that everybody may run.
    pub(super) fn script(path: impl Into<String>, text: String) -> File {
        File { path: path.into(), mode: Mode::from_raw_mode(0o755), text }
    }

    /// A text that everybody may read.
    pub(super) fn text(path: impl Into<String>, text: String) -> File {
        File { path: path.into(), mode: Mode::from_raw_mode(0o644), text }
    }
}

/// A service in a manager's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What is to be there, in the order it is to be written.
    pub files: Vec<File>,
    /// Commands that stand for files, where the manager has none: each with its arguments.
    pub commands: Vec<Vec<String>>,
    /// What could not be said, the worst first.
    pub losses: Vec<Loss>,
}

/// Why a service cannot be written down at all: the result would be wrong to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// As a unit file says it.
    pub directive: String,
    /// What is wrong about it.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.directive, self.why)
    }
}

impl std::error::Error for Refusal {}

/// Says a service in a manager's language.
///
/// # Errors
///
/// [`Refusal`] when the result would be wrong to run: a name that is no file's, text that the language cannot hold, a root
/// directory where the manager knows none, a way to start that it cannot follow.
pub fn written(service: &Service, target: Target, level: Level) -> Result<Written, Refusal> {
    check(service)?;
    let has_users = match target {
        Target::Systemd | Target::Eudaemon | Target::Launchd => true,
        Target::Openrc | Target::Sysv | Target::Runit | Target::Supervisord | Target::Windows => false,
    };
    if level == Level::User && !has_users {
        return Err(refused("--user", format!("{} has services of the machine alone", target.word())));
    }
    let mut written = match target {
        Target::Systemd | Target::Eudaemon => systemd::write(service, level)?,
        Target::Openrc => openrc::write(service)?,
        Target::Sysv => sysv::write(service)?,
        Target::Runit => runit::write(service)?,
        Target::Launchd => launchd::write(service, level)?,
        Target::Supervisord => supervisord::write(service)?,
        Target::Windows => windows::write(service)?,
    };
    let mut seen = Vec::new();
    written.losses.retain(|loss| {
        let is_new = !seen.contains(&loss.directive);
        seen.push(loss.directive.clone());
        is_new
    });
    written.losses.sort_by_key(|loss| std::cmp::Reverse(loss.severity));
    Ok(written)
}

/// What no manager can be told.
fn check(service: &Service) -> Result<(), Refusal> {
    let name = service.name.as_str();
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    if name.is_empty() || name.starts_with(['.', '-']) || !name.chars().all(is_fit) {
        let why = "a service's name has letters, digits, '.', '_', '-' and '@' alone".to_owned();
        return Err(refused(&format!("name {name:?}"), why));
    }
    if let Start::Once { commands, then: _ } = &service.start
        && commands.is_empty()
        && service.stop.commands.is_empty()
    {
        return Err(refused("ExecStart=", "there is nothing to start".to_owned()));
    }
    check_words(service)?;
    let variables = service.environs.variables.iter();
    let variables = variables.flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let texts = service.commands().flat_map(super::word::Command::texts).chain(variables);
    for text in texts {
        if text.contains('\0') {
            return Err(refused(&format!("{text:?}"), "holds a zero byte".to_owned()));
        }
    }
    for path in paths(service) {
        if !path.starts_with('/') || path.contains(char::is_control) {
            return Err(refused(&format!("{path:?}"), "is no absolute path of one line".to_owned()));
        }
    }
    Ok(())
}

/// Words that stand in texts as they are.
fn check_words(service: &Service) -> Result<(), Refusal> {
    let plain = |word: &str, more: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let signals = match &service.reload {
        Reload::Signal(signal) => vec![signal, &service.stop.signal],
        Reload::Never | Reload::Commands(_) => vec![&service.stop.signal],
    };
    if let Some(signal) = signals.into_iter().find(|signal| !plain(signal, "+-") || signal.starts_with('-')) {
        return Err(refused(&format!("signal {signal:?}"), "is the name of none".to_owned()));
    }
    let rights = &service.rights;
    let capabilities = rights.bounding.iter().chain([&rights.ambient]).flat_map(|set| &set.0);
    if let Some(name) = capabilities.into_iter().find(|name| !plain(name, "_")) {
        return Err(refused(&format!("capability {name:?}"), "is the name of none".to_owned()));
    }
    for need in &service.needs {
        let name = match need {
            Need::After(_) => continue,
            Need::Required(name)
            | Need::Wanted(name)
            | Need::AfterService(name)
            | Need::BeforeService(name) => name,
        };
        if !plain(name, "._-@") {
            return Err(refused(&format!("service {name:?}"), "is the name of none".to_owned()));
        }
    }
    match service.environs.unset.iter().find(|name| !plain(name, "_")) {
        Some(name) => Err(refused(&format!("UnsetEnvironment={name:?}"), "is the name of none".to_owned())),
        None => Ok(()),
    }
}

/// All paths that are told.
fn paths(service: &Service) -> impl Iterator<Item = &str> {
    let environs = &service.environs;
    let pid_file = match &service.start {
        Start::Background { pid_file, .. } => Some(pid_file),
        Start::Foreground(foreground) => foreground.detached.as_ref().map(|(_, pid_file)| pid_file),
        Start::Once { .. } => None,
    };
    let output = match &environs.output {
        Output::File(path) => Some(path),
        Output::Log | Output::Nowhere => None,
    };
    let files = environs.files.iter().map(|file| &file.path);
    let directories = environs.directories.iter().map(|directory| &directory.path);
    let alone = [&environs.directory, &service.rights.root_directory].into_iter().flatten();
    files.chain(directories).chain(alone).chain(pid_file).chain(output).map(String::as_str)
}

pub(super) fn refused(directive: &str, why: String) -> Refusal {
    Refusal { directive: directive.to_owned(), why }
}

/// The word of unit files for it.
pub(super) fn restart_word(restart: Restart) -> &'static str {
    match restart {
        Restart::Never => "no",
        Restart::OnFailure => "on-failure",
        Restart::OnSuccess => "on-success",
        Restart::Always => "always",
    }
}
