//! A service out of a daemon's description, as its unit files are.

use super::called::Program;
use super::description::{
    Account, Boot, Capabilities, Dependency, Directory, Environs, Foreground, Limit, Need, NewRights, Output,
    Ready, Reload, Restart, Rights, Service, Start, Stop, Whom,
};
use super::loss::{Loss, Severity, loss};
use super::target::{Refusal, refused};
use super::word::{Command, Word};
use crate::Mode;
use crate::daemon::Daemon;
use crate::limits::RESTART_DELAY;
use crate::resource::Resource;
use crate::unit::{DIRECTORY_KINDS, DirectoryKind, SLACK, UnitFile};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Of the directories that a unit file names by kind: systemd.exec(5).
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o755);

/// What of a printed unit's `[Service]` the fields of [`Service`] say, or the program does by itself.
const SAID: [&str; 16] = [
    "Type=",
    "ExecStart=",
    "ExecReload=",
    "Restart=",
    "TimeoutStopSec=",
    "DynamicUser=",
    "User=",
    "Group=",
    "SupplementaryGroups=",
    "StateDirectory=",
    "RuntimeDirectory=",
    "CacheDirectory=",
    "LogsDirectory=",
    "ConfigurationDirectory=",
    "NoNewPrivileges=",
    "UMask=",
];

impl Service {
    /// The service that runs this daemon, as [`Daemon::unit_files`] describes it: what those say is in it, and what they
    /// protect is told as lost where it is.
    ///
    /// A description that names no user has one of the daemon's name, which must exist where systemd does not make one.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the program or an argument is not UTF-8, or the program's path is not absolute, or no start takes the
    /// description.
    pub fn of<Text: Into<OsString>>(
        daemon: &Daemon,
        description: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = Text>,
    ) -> Result<Service, Refusal> {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Service::of_program(daemon, description, &Program::Itself(program.to_owned()), arguments)
    }

    /// As [`Service::of`].
    pub(super) fn of_program(
        daemon: &Daemon,
        description: &str,
        program: &Program,
        arguments: Vec<OsString>,
    ) -> Result<Service, Refusal> {
        let mut words = program.words()?;
        let before = words.len();
        words.extend(arguments);
        let command = Command::of(words.iter().map(|word| text(word)).collect::<Result<Vec<_>, _>>()?);
        // Who is no root from the start could not write it where pid files are.
        let writes = rights(daemon).user.is_none();
        let detached = match daemon.its_pid_file().filter(|_| writes) {
            Some(path) => {
                let mut detached = command.clone();
                detached.words.insert(before, Word::text("--daemon"));
                Some((detached, text(path.as_os_str())?))
            }
            None => None,
        };
        let mut service = Service::new(daemon.name(), command.clone());
        service.description = description.to_owned();
        service.start = Start::Foreground(Foreground { command, ready: Ready::Notified, detached });
        service.reload = Reload::Signal("HUP".to_owned());
        service.restart = Restart::OnFailure;
        service.restart_delay = RESTART_DELAY;
        service.stop = Stop {
            // The daemon stops what it started.
            whom: Whom::Mixed,
            within: Some(daemon.longest_stop().saturating_add(SLACK)),
            ..Stop::default()
        };
        service.boot = Boot::Starts;
        service.needs = vec![Need::After(Dependency::Network), Need::After(Dependency::Log)];
        service.rights = rights(daemon);
        service.account = its_own_user(daemon).map_or(Account::IsThere, |_| Account::IsMade);
        service.environs = environs(daemon);
        let (first, rest) =
            words.split_first().ok_or_else(|| refused("ExecStart=", "there is no program".to_owned()))?;
        service.units = daemon
            .unit_files(description, Path::new(first), rest)
            .map_err(|error| refused("description", error.to_string()))?;
        service.unsaid = unsaid(daemon, &service);
        Ok(service)
    }
}

fn text(text: &OsStr) -> Result<String, Refusal> {
    let known = text.to_str().map(str::to_owned);
    known.ok_or_else(|| refused(&format!("{text:?}"), "is not UTF-8".to_owned()))
}

/// A description that says who the daemon becomes is kept by the daemon itself, once its sockets and its pid file are open;
/// else somebody else has to change the user, as systemd does.
fn rights(daemon: &Daemon) -> Rights {
    let its = daemon.rights();
    if its.user_name().is_some() || its.root().is_some() {
        return Rights { new: NewRights::Refused, ..Rights::default() };
    }
    let names = |set: rustix::thread::CapabilitySet| {
        Capabilities(set.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect())
    };
    Rights {
        user: Some(daemon.name().to_owned()),
        group: its.group_name().map(str::to_owned),
        groups: its.group_names().unwrap_or_default().to_vec(),
        bounding: Some(names(its.kept())),
        ambient: names(its.kept()),
        new: NewRights::Refused,
        root_directory: None,
    }
}

fn environs(daemon: &Daemon) -> Environs {
    let name = daemon.name();
    let owner = daemon.rights().user_name().or_else(|| its_own_user(daemon)).map(str::to_owned);
    let directory = |kind: &DirectoryKind| Directory {
        path: format!("{}/{name}", kind.below),
        mode: DIRECTORY_MODE,
        owner: owner.clone().filter(|_| kind.variable != "CONFIGURATION_DIRECTORY"),
        variable: kind.variable,
    };
    let limits = daemon.its_limits().iter().filter_map(|(resource, to)| {
        Some(Limit { resource: resource_word(*resource)?, soft: Some(*to), hard: Some(*to) })
    });
    Environs {
        directories: DIRECTORY_KINDS.iter().map(directory).collect(),
        umask: umask(),
        limits: limits.collect(),
        output: Output::Log,
        ..Environs::default()
    }
}

/// As the unit file has it.
fn umask() -> Option<Mode> {
    let octal = crate::unit::HARDENED.lines().find_map(|line| line.strip_prefix("UMask="))?;
    u32::from_str_radix(octal, 8).ok().map(Mode::from_raw_mode)
}

/// As prlimit(1) names it; the daemon sets its limits itself as well.
fn resource_word(resource: Resource) -> Option<&'static str> {
    let words = [
        (Resource::Nofile, "nofile"),
        (Resource::Core, "core"),
        (Resource::Nproc, "nproc"),
        (Resource::Memlock, "memlock"),
        (Resource::As, "as"),
        (Resource::Data, "data"),
        (Resource::Stack, "stack"),
        (Resource::Fsize, "fsize"),
        (Resource::Cpu, "cpu"),
    ];
    words.iter().find(|(known, _)| *known == resource).map(|(_, word)| *word)
}

/// What its unit file says that no other manager can be told.
fn unsaid(daemon: &Daemon, service: &Service) -> Vec<Loss> {
    let mut unsaid: Vec<Loss> = service
        .units
        .first()
        .into_iter()
        .flat_map(in_service)
        .filter_map(|line| lost(line, service))
        .collect();
    if let Some(user) = its_own_user(daemon) {
        let why = format!("the user {user} must be there: useradd --system {user}");
        unsaid.push(loss(Severity::Behaviour, "DynamicUser=yes", why));
    }
    if !daemon.sockets().is_empty() {
        let directive = format!("Requires={}.socket", daemon.name());
        let why =
            "no socket is handed over: the daemon binds them itself, and drops connections while it is down";
        unsaid.push(loss(Severity::Behaviour, directive, why));
    }
    unsaid
}

/// The lines of a unit's `[Service]`.
fn in_service(unit: &UnitFile) -> impl Iterator<Item = &str> {
    let lines = unit.text.lines().skip_while(|line| *line != "[Service]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty())
}

/// What is lost with a line of a unit, if nothing else says it.
fn lost(line: &str, service: &Service) -> Option<Loss> {
    if SAID.iter().any(|key| line.starts_with(key)) {
        return None;
    }
    // Who gives up rights by itself has to have them first, and keeps what it is to keep.
    let by_itself = service.rights.bounding.is_none();
    match line.split_once('=') {
        Some(("CapabilityBoundingSet", _)) => by_itself.then(|| {
            let why = "it is started with all of root's rights, and gives them up by itself";
            loss(Severity::Protection, line, why)
        }),
        Some(("AmbientCapabilities", _)) => None,
        Some(_) | None => Some(Loss::of_protection(line)),
    }
}

/// The user that must be made by somebody.
fn its_own_user(daemon: &Daemon) -> Option<&str> {
    let rights = daemon.rights();
    (rights.user_name().is_none() && rights.root().is_none()).then(|| daemon.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privileges::Privileges;
    use crate::sockets::Socket;
    use rustix::thread::CapabilitySet;

    /// A line that nobody thought of would be told as a protection that is lost, or as said where it is not.
    #[test]
    fn every_line_of_a_printed_service_is_said_or_a_known_protection() {
        let keep = Privileges::keep;
        let one = |rights: Privileges| Daemon::new("x").privileges(rights);
        let all = [
            one(keep()),
            one(keep().user("u").group("g").groups(["a", "b"]).no_new_privileges()),
            one(keep().user("u").keep_capabilities(CapabilitySet::NET_RAW)),
            one(keep().user("u").root_directory("/srv")),
            one(keep()).socket(Socket::unix("a", "/x")).socket(Socket::tcp("b", "[::]:80")),
            one(keep()).pid_file("/run/x.pid").limit(Resource::Nofile, 9),
        ];
        let mut seen: Vec<String> = Vec::new();
        for daemon in all {
            let service = Service::of(&daemon, "X", Path::new("/usr/bin/x"), [""; 0]).expect("text");
            for line in in_service(&service.units[0]) {
                let said = SAID.iter().filter(|key| line.starts_with(**key)).count();
                let capabilities = ["CapabilityBoundingSet=", "AmbientCapabilities="];
                let capabilities = capabilities.iter().filter(|key| line.starts_with(**key)).count();
                let known = usize::from(Loss::is_of_protection(line));
                assert_eq!(said + capabilities + known, 1, "{line}");
                seen.extend(line.split_once('=').map(|(key, _)| format!("{key}=")));
            }
        }
        let unused: Vec<&&str> = SAID.iter().filter(|key| !seen.iter().any(|line| line == **key)).collect();
        assert_eq!(unused, Vec::<&&str>::new(), "no printed service has them");
    }
}
