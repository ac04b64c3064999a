//! What a plan says: changes, things worth knowing, and refusals, in systemctl's words.

use super::unit_file::simple;

/// One step of a plan, in the order it is to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A link to make, with the directories above it.
    Symlink { path: String, target: String },
    /// A link or file to remove, or (in a revert) a directory with all in it.
    Unlink { path: String },
    /// A directory that the step before it left empty.
    RemoveDirectory { path: String },
    /// Nothing to do.
    Note(Note),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    Masked {
        path: String,
    },
    Dangling {
        path: String,
    },
    /// `wanted` was made to want a unit although there is no file of that name.
    DestinationMissing {
        wanted: String,
        unit: String,
    },
    AuxiliaryFailed {
        unit: String,
    },
    /// An `Alias=` that ends with a slash, and names no folder before it.
    NoFolder {
        alias: String,
    },
    /// Something could not be done. Whether the whole is refused for it, the plan says.
    Failed(Refusal),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something else is there; a link with its target.
    Exists {
        path: String,
        target: Option<String>,
    },
    Masked {
        path: String,
    },
    /// Transient or made by a generator.
    Generated {
        path: String,
    },
    BadSpecifier {
        text: String,
    },
    /// A template without instance wanted by a unit that is no template.
    NonTemplate {
        unit: String,
        destination: String,
    },
    BadName {
        name: String,
    },
    Linked {
        path: String,
    },
    CannotAlias {
        unit: String,
        alias: String,
    },
    BadReference {
        name: String,
    },
    NoSuchUnit {
        name: String,
    },
    /// Of that unit there is a link, which leads nowhere.
    NoSuchFile {
        path: String,
    },
    /// Is in the search path already.
    InHierarchy {
        path: String,
    },
    /// An `Alias=` names no folder: its note tells which.
    NoFolder,
    /// A path that names no file; the reason is the system's word.
    NoFileName {
        reason: &'static str,
    },
    /// The link goes in a circle.
    Circle {
        path: String,
    },
    /// An argument that makes no sense for this request.
    Invalid {
        name: String,
    },
    Io {
        path: String,
        reason: String,
    },
}

/// A path in short, or another word. Links are made as they were asked for, and told of in short.
pub fn as_told(path: &str) -> String {
    let simple = simple(path);
    if path.starts_with('/') { simple } else { simple.trim_start_matches('/').to_owned() }
}

impl Refusal {
    /// As systemctl says it of files it works on itself; `verb` is `enable`, `mask` …
    pub fn offline(&self, verb: &str) -> String {
        match self {
            Refusal::Exists { path, target: Some(target) } => {
                format!(
                    "Failed to {verb} unit, file \"{path}\" already exists and is a symlink to \"{target}\"."
                )
            }
            Refusal::Exists { path, target: None } => {
                format!("Failed to {verb} unit, file \"{path}\" already exists.")
            }
            Refusal::Masked { path } => format!("Failed to {verb} unit, unit {path} is masked."),
            Refusal::Generated { path } => {
                format!("Failed to {verb} unit, unit {path} is transient or generated.")
            }
            Refusal::BadSpecifier { text } => {
                format!("Failed to {verb} unit, invalid specifier in \"{text}\".")
            }
            Refusal::NonTemplate { unit, destination } => {
                format!("Failed to {verb} {unit}, destination unit {destination} is a non-template unit.")
            }
            Refusal::BadName { name } => {
                format!("Failed to {verb} unit, \"{name}\" is not a valid unit name.")
            }
            Refusal::Linked { path } => {
                format!("Failed to {verb} unit, refusing to operate on linked unit file {path}.")
            }
            Refusal::CannotAlias { unit, alias } => {
                format!("Failed to {verb} unit, cannot alias {unit} as {alias}.")
            }
            Refusal::BadReference { name } => {
                format!("Failed to {verb} unit, invalid unit reference \"{name}\".")
            }
            Refusal::NoSuchUnit { name } | Refusal::NoSuchFile { path: name } => {
                format!("Failed to {verb} unit, unit {name} does not exist.")
            }
            Refusal::InHierarchy { path } => {
                format!("Failed to {verb} unit, file {path} is under the systemd unit hierarchy already.")
            }
            Refusal::NoFolder => format!("Failed to {verb}: Destination address required."),
            Refusal::NoFileName { reason } => format!("Failed to {verb}: {reason}."),
            Refusal::Circle { .. } => format!("Failed to {verb}: Too many levels of symbolic links."),
            Refusal::Invalid { .. } => format!("Failed to {verb}: Invalid argument."),
            Refusal::Io { path, reason } => format!("Failed to {verb} unit, file \"{path}\": {reason}"),
        }
    }

    /// The error name a client of the bus gets, below `org.freedesktop.`, and its message.
    pub fn over_the_bus(&self) -> (&'static str, String) {
        match self {
            Refusal::Exists { path, target: Some(target) } => {
                ("systemd1.UnitExists", format!("File {path} already exists and is a symlink to {target}."))
            }
            Refusal::Exists { path, target: None } => {
                ("systemd1.UnitExists", format!("File {path} already exists."))
            }
            Refusal::Masked { path } => ("systemd1.UnitMasked", format!("Unit file {path} is masked.")),
            Refusal::Generated { path } => {
                ("systemd1.UnitGenerated", format!("Unit {path} is transient or generated."))
            }
            Refusal::BadSpecifier { text } => {
                ("systemd1.BadUnitSetting", format!("Invalid specifier in \"{text}\"."))
            }
            Refusal::NonTemplate { destination, .. } => {
                ("systemd1.BadUnitSetting", format!("Destination unit {destination} is a non-template unit."))
            }
            Refusal::BadName { name } => {
                ("systemd1.BadUnitSetting", format!("\"{name}\" is not a valid unit name."))
            }
            Refusal::Linked { path } => (
                "systemd1.UnitLinked",
                format!("Refusing to operate on alias name or linked unit file: {path}"),
            ),
            Refusal::CannotAlias { unit, alias } => {
                ("systemd1.BadUnitSetting", format!("Cannot alias {unit} as {alias}."))
            }
            Refusal::BadReference { name } => {
                ("systemd1.BadUnitSetting", format!("Invalid unit reference {name}."))
            }
            Refusal::NoSuchUnit { name } | Refusal::NoSuchFile { path: name } => {
                ("systemd1.NoSuchUnit", format!("Unit file {name} does not exist."))
            }
            Refusal::InHierarchy { path } => {
                ("systemd1.UnitBadPath", format!("File {path} is under the systemd unit hierarchy already."))
            }
            Refusal::NoFolder => ("DBus.Error.Failed", "Destination address required".to_owned()),
            Refusal::NoFileName { reason } => ("DBus.Error.Failed", (*reason).to_owned()),
            Refusal::Circle { .. } => ("DBus.Error.Failed", "Too many levels of symbolic links".to_owned()),
            Refusal::Invalid { .. } => ("DBus.Error.InvalidArgs", "Invalid argument".to_owned()),
            Refusal::Io { path, reason } => ("DBus.Error.Failed", format!("File {path}: {reason}")),
        }
    }
}

impl Change {
    /// As systemctl says it of files it works on itself; a removed directory goes without saying.
    pub fn offline(&self, verb: &str) -> Option<String> {
        Some(match self {
            Change::Symlink { path, target } => {
                format!("Created symlink {path} → {}.", as_told(target))
            }
            Change::Unlink { path } => format!("Removed \"{path}\"."),
            Change::RemoveDirectory { .. } => return None,
            Change::Note(Note::Failed(refusal)) => refusal.offline(verb),
            Change::Note(Note::Masked { path }) => format!("Unit {path} is masked, ignoring."),
            Change::Note(Note::Dangling { path }) => {
                format!("Unit {path} is an alias to a unit that is not present, ignoring.")
            }
            Change::Note(Note::DestinationMissing { wanted, unit }) => {
                let unit = as_told(unit);
                format!("Unit {unit} is added as a dependency to a non-existent unit {wanted}.")
            }
            Change::Note(Note::NoFolder { alias }) => {
                format!("Failed to extract parent directory from '{alias}': Destination address required")
            }
            Change::Note(Note::AuxiliaryFailed { unit }) => {
                format!("Failed to enable auxiliary unit {unit}, ignoring.")
            }
        })
    }
}
