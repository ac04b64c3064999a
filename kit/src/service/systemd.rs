//! Unit files, as [`Daemon::unit_files`](crate::Daemon::unit_files) has them: nothing is lost.
//!
//! A user's manager is no root: what needs one is left out there, and told.

use super::description::{Foreground, Service, Start};
use super::loss::{Loss, Severity, loss};
use super::script;
use super::target::{File, Level, Refusal, Written, refused};

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
    if let (Level::System, Some(program)) = (level, program(service).filter(|path| is_hidden(path))) {
        let why = format!(
            "{program} is hidden from the service by its own ProtectHome= and PrivateTmp=: install it elsewhere, below /usr or /opt"
        );
        return Err(refused("ExecStart=", why));
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

fn program(service: &Service) -> Option<String> {
    match &service.start {
        Start::Foreground(Foreground { command, .. }) | Start::Background { command, .. } => {
            command.words.first()?.known()
        }
        Start::Once { commands, .. } => commands.first()?.words.first()?.known(),
    }
}

/// Whether a printed unit's protections hide a path.
fn is_hidden(path: &str) -> bool {
    ["/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"].iter().any(|folder| path.starts_with(folder))
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
