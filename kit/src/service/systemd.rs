//! Unit files, as [`Daemon::unit_files`](crate::Daemon::unit_files) has them: nothing is lost.
//!
//! A user's manager is no root: what needs one is left out there, and told.

use super::description::Service;
use super::loss::{Loss, Severity, loss};
use super::script;
use super::target::{File, Level, Refusal, Target, Written, refused};

/// What a user's manager cannot do: beginnings of their keys. Seccomp's filters need no root.
const OF_ROOT: &[(&str, Severity)] = &[
    ("DynamicUser=", Severity::Note),
    ("User=", Severity::Behaviour),
    ("Group=", Severity::Behaviour),
    ("SupplementaryGroups=", Severity::Behaviour),
    ("AmbientCapabilities=", Severity::Behaviour),
    ("CapabilityBoundingSet=", Severity::Note),
    ("Private", Severity::Protection),
    ("ProcSubset=", Severity::Protection),
    ("Protect", Severity::Protection),
];

pub(super) fn write(service: &Service, level: Level) -> Result<Written, Refusal> {
    if service.units.is_empty() {
        return Err(refused("[Service]", "is a unit file already: link it as it is".to_owned()));
    }
    let mut losses = Vec::new();
    let files = service.units.iter().map(|unit| {
        let text = match level {
            Level::System => unit.text.clone(),
            Level::User => of_user(&unit.text, &mut losses),
        };
        File::text(format!("{}/{}", folder(level), unit.name), script::mark(service) + &text)
    });
    Ok(Written { files: files.collect(), commands: Vec::new(), losses })
}

/// Where unit files are that somebody installed.
pub(super) fn folder(level: Level) -> &'static str {
    match level {
        Level::System => "/etc/systemd/system",
        Level::User => "~/.config/systemd/user",
    }
}

/// Why a program cannot be where a printed unit's protections hide it.
pub(super) fn hidden(path: &str, target: Target, level: Level) -> Option<Refusal> {
    const FOLDERS: [&str; 5] = ["/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"];
    let hides = match (target, level) {
        (Target::Systemd | Target::Eudaemon, Level::System) => true,
        (Target::Systemd | Target::Eudaemon, Level::User) => false,
        (
            Target::Openrc
            | Target::Sysv
            | Target::Runit
            | Target::Launchd
            | Target::Supervisord
            | Target::Windows,
            _,
        ) => false,
    };
    (hides && FOLDERS.iter().any(|folder| path.starts_with(folder))).then(|| {
        let why = format!(
            "{path} is hidden from the service by its own ProtectHome= and PrivateTmp=: install it elsewhere, below /usr or /opt"
        );
        refused("ExecStart=", why)
    })
}

fn of_user(text: &str, losses: &mut Vec<Loss>) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        match OF_ROOT.iter().find(|(key, _)| line.starts_with(key)) {
            Some((_, severity)) => losses.push(loss(*severity, line, "a user's manager cannot do it")),
            None => {
                // A user's manager has no other targets of the machine's.
                if !line.ends_with("=network-online.target") {
                    kept += &line.replace("multi-user.target", "default.target");
                    kept.push('\n');
                }
            }
        }
    }
    kept
}
