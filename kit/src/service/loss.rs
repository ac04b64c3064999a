//! What a manager cannot be told, and what follows from it.

use super::description::{Need, Ready, Service, Start, Whom};
use std::fmt;

/// How much is lost, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The same comes about in another way, or hardly matters.
    Note,
    /// The service acts otherwise.
    Behaviour,
    /// The service may do what it may not do elsewhere.
    Protection,
}

impl Severity {
    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Behaviour => "lost",
            Severity::Protection => "lost protection",
        }
    }
}

/// What could not be said in a manager's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// How much it is.
    pub severity: Severity,
    /// As a unit file says it.
    pub directive: String,
    /// What follows.
    pub why: String,
}

/// What keeps a service from more than it needs: beginnings of the keys of unit files, by what follows without them. The
/// first that fits counts; some have no sentence of their own.
const PROTECTIONS: [(Option<&str>, &[&str]); 5] = [
    (
        Some("nothing hides files from it, or keeps it from writing them"),
        &[
            "BindReadOnlyPaths",
            "Device",
            "ExecPaths",
            "Inaccessible",
            "NoExecPaths",
            "PrivateDevices",
            "PrivateMounts",
            "PrivateTmp",
            "ProcSubset",
            "ProtectHome",
            "ProtectProc",
            "ProtectSystem",
            "ReadOnly",
            "RestrictFileSystems",
            "RootImage",
            "TemporaryFileSystem",
        ],
    ),
    (
        Some("nothing keeps it from changing the machine as far as its rights go"),
        &["PrivateUsers", "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernel"],
    ),
    (
        Some("nothing narrows what it may ask of the kernel"),
        &[
            "LockPersonality",
            "MemoryDenyWriteExecute",
            "RestrictNamespaces",
            "RestrictRealtime",
            "RestrictSUIDSGID",
            "SystemCallArchitectures",
            "SystemCallFilter",
        ],
    ),
    (
        Some("nothing narrows its network"),
        &[
            "IPAddress",
            "IPEgress",
            "IPIngress",
            "NFTSet",
            "NetworkNamespacePath",
            "PrivateNetwork",
            "RestrictAddressFamilies",
            "RestrictNetworkInterfaces",
            "SocketBind",
        ],
    ),
    (
        None,
        &[
            "AppArmor",
            "BPFProgram",
            "IPCNamespacePath",
            "Keyring",
            "Private",
            "Protect",
            "RemoveIPC",
            "Restrict",
            "SELinux",
            "SecureBits",
            "Smack",
        ],
    ),
];

/// The kind of protection that a directive is.
fn protection(directive: &str) -> Option<&'static (Option<&'static str>, &'static [&'static str])> {
    PROTECTIONS.iter().find(|(_, keys)| keys.iter().any(|key| directive.starts_with(key)))
}

impl Loss {
    /// Whether a directive keeps the service from what it may do elsewhere.
    #[must_use]
    pub fn is_of_protection(directive: &str) -> bool {
        protection(directive).is_some()
    }

    /// A protection that only managers of systemd's kind have, as a unit file says it.
    #[must_use]
    pub fn of_protection(directive: impl Into<String>) -> Loss {
        let directive = directive.into();
        let why = protection(&directive).and_then(|(why, _)| *why).unwrap_or("no other manager has it");
        loss(Severity::Protection, directive, why)
    }

    /// The losses as people read them: those of which the same follows are one, in the order of the first of each.
    #[must_use]
    pub fn folded(losses: &[Loss]) -> Vec<Loss> {
        let mut folded: Vec<Loss> = Vec::new();
        for loss in losses {
            let same = |known: &&mut Loss| (known.severity, &known.why) == (loss.severity, &loss.why);
            match folded.iter_mut().find(same) {
                Some(known) => known.directive += &format!(", {}", loss.directive),
                None => folded.push(loss.clone()),
            }
        }
        folded
    }
}

/// A line without its end.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}: {}", self.severity.word(), self.directive, self.why)
    }
}

pub(super) fn loss(severity: Severity, directive: impl Into<String>, why: impl Into<String>) -> Loss {
    Loss { severity, directive: directive.into(), why: why.into() }
}

/// What every manager but systemd's kind loses.
pub(super) fn unsaid(service: &Service) -> Vec<Loss> {
    let mut losses = service.unsaid.clone();
    let files = &service.environs.files;
    if let Some(file) = files.first() {
        let directive = format!("EnvironmentFile={}", file.path);
        let why = "is read by a shell that takes lines NAME=VALUE and quotes around a whole value: \
                   continued lines and escapes are taken as they stand";
        losses.push(loss(Severity::Note, directive, why));
    }
    losses
}

/// What a manager loses that hears nothing of its services.
pub(super) fn unheard(service: &Service, losses: &mut Vec<Loss>) {
    if let Start::Foreground(foreground) = &service.start {
        match foreground.ready {
            Ready::AtOnce => {}
            Ready::Notified => losses.push(loss(
                Severity::Behaviour,
                "Type=notify",
                "readiness is not waited for: it counts as started as soon as it runs",
            )),
            Ready::OnTheBus => losses.push(loss(
                Severity::Behaviour,
                "Type=dbus",
                "its name on the bus is not waited for: it counts as started as soon as it runs",
            )),
        }
    }
}

/// What a manager loses that knows one process of a service.
pub(super) fn one_process(service: &Service, losses: &mut Vec<Loss>, whom: &str) {
    let directive = match service.stop.whom {
        Whom::All => "KillMode=control-group",
        Whom::Mixed => "KillMode=mixed",
        Whom::Main => return,
    };
    let why = format!("there is no cgroup: a stop reaches {whom}, and what left that stays");
    losses.push(loss(Severity::Behaviour, directive, why));
}

/// How a unit file asks for another service; what every machine has stands there as a target.
pub(super) fn asked_for(need: &Need) -> Option<String> {
    match need {
        Need::After(_) => None,
        Need::Required(name) => Some(format!("Requires={name}")),
        Need::Wanted(name) => Some(format!("Wants={name}")),
        Need::AfterService(name) => Some(format!("After={name}")),
        Need::BeforeService(name) => Some(format!("Before={name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_beginning_of_a_protection_is_reached() {
        for (why, keys) in &PROTECTIONS {
            for key in *keys {
                assert_eq!(protection(key).map(|(found, _)| found), Some(why), "{key}");
            }
        }
    }

    #[test]
    fn protections_are_told_from_their_accompaniments() {
        for (directive, wanted) in [
            ("PrivateUsers=yes", Some("nothing keeps it from changing the machine as far as its rights go")),
            ("RestrictFileSystems=ext4", Some("nothing hides files from it, or keeps it from writing them")),
            ("SystemCallFilter=@system-service", Some("nothing narrows what it may ask of the kernel")),
            ("IPIngressFilterPath=/sys/fs/bpf/x", Some("nothing narrows its network")),
            ("KeyringMode=private", Some("no other manager has it")),
            ("SystemCallErrorNumber=EPERM", None),
            ("SystemCallLog=@clock", None),
            ("ReadWritePaths=/srv", None),
            ("MemoryMax=1G", None),
        ] {
            let is_one = Loss::is_of_protection(directive);
            let why = is_one.then(|| Loss::of_protection(directive).why);
            assert_eq!(why.as_deref(), wanted, "{directive}");
        }
    }
}
