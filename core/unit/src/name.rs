//! Unit names: `prefix[@instance].suffix`, systemd.unit(5).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The eleven kinds of unit, told by the suffix of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UnitKind {
    Service,
    Socket,
    Target,
    Device,
    Mount,
    Automount,
    Swap,
    Timer,
    Path,
    Slice,
    Scope,
}

impl UnitKind {
    pub const ALL: [UnitKind; 11] = [
        UnitKind::Service,
        UnitKind::Socket,
        UnitKind::Target,
        UnitKind::Device,
        UnitKind::Mount,
        UnitKind::Automount,
        UnitKind::Swap,
        UnitKind::Timer,
        UnitKind::Path,
        UnitKind::Slice,
        UnitKind::Scope,
    ];

    /// Read, shown and ordered, and not started yet.
    pub const fn is_unserved(self) -> bool {
        match self {
            UnitKind::Mount | UnitKind::Automount | UnitKind::Swap | UnitKind::Timer | UnitKind::Path => true,
            UnitKind::Service
            | UnitKind::Socket
            | UnitKind::Target
            | UnitKind::Device
            | UnitKind::Slice
            | UnitKind::Scope => false,
        }
    }

    /// The word after the last dot.
    pub const fn suffix(self) -> &'static str {
        match self {
            UnitKind::Service => "service",
            UnitKind::Socket => "socket",
            UnitKind::Target => "target",
            UnitKind::Device => "device",
            UnitKind::Mount => "mount",
            UnitKind::Automount => "automount",
            UnitKind::Swap => "swap",
            UnitKind::Timer => "timer",
            UnitKind::Path => "path",
            UnitKind::Slice => "slice",
            UnitKind::Scope => "scope",
        }
    }

    /// Kinds that hold others, or stand for what the kernel has, are left alone by `isolate` unless they say otherwise.
    pub const fn stays_on_isolate(self) -> bool {
        match self {
            UnitKind::Slice | UnitKind::Scope | UnitKind::Device => true,
            UnitKind::Mount | UnitKind::Swap | UnitKind::Automount => true,
            UnitKind::Service | UnitKind::Socket | UnitKind::Target | UnitKind::Timer | UnitKind::Path => {
                false
            }
        }
    }

    /// Whether units of the kind can fail, so that `OnFailure=` means something.
    pub const fn can_fail(self) -> bool {
        match self {
            UnitKind::Service
            | UnitKind::Socket
            | UnitKind::Mount
            | UnitKind::Automount
            | UnitKind::Swap
            | UnitKind::Timer
            | UnitKind::Path
            | UnitKind::Scope
            | UnitKind::Target => true,
            UnitKind::Slice | UnitKind::Device => false,
        }
    }

    /// Whether one file may stand for many units of the kind.
    pub const fn has_templates(self) -> bool {
        match self {
            UnitKind::Service | UnitKind::Socket | UnitKind::Target | UnitKind::Timer | UnitKind::Path => {
                true
            }
            UnitKind::Device
            | UnitKind::Mount
            | UnitKind::Automount
            | UnitKind::Swap
            | UnitKind::Slice
            | UnitKind::Scope => false,
        }
    }

    pub fn from_suffix(suffix: &str) -> Option<UnitKind> {
        UnitKind::ALL.into_iter().find(|kind| kind.suffix() == suffix)
    }
}

/// Longest unit name, suffix included (`UNIT_NAME_MAX` in systemd.unit(5): 255 characters).
pub const NAME_MAX: usize = 255;

/// A valid unit name: plain (`cron.service`), template (`getty@.service`) or instance (`getty@tty1.service`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(Arc<str>);

/// Why a text is no unit name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    TooLong,
    NoSuffix,
    UnknownSuffix,
    EmptyPrefix,
    BadCharacter(char),
}

impl UnitName {
    pub fn parse(text: &str) -> Result<UnitName, NameError> {
        if text.len() > NAME_MAX {
            return Err(NameError::TooLong);
        }
        let (stem, suffix) = text.rsplit_once('.').ok_or(NameError::NoSuffix)?;
        UnitKind::from_suffix(suffix).ok_or(NameError::UnknownSuffix)?;
        if stem.is_empty() || stem.starts_with('@') {
            return Err(NameError::EmptyPrefix);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        match stem.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(NameError::BadCharacter(c)),
            None => Ok(UnitName(Arc::from(text))),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn kind(&self) -> UnitKind {
        let suffix = self.0.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        UnitKind::from_suffix(suffix).unwrap_or(UnitKind::Service)
    }

    /// The name without its suffix: `getty@tty1` (specifier `%N` before unescaping).
    pub fn stem(&self) -> &str {
        self.0.rsplit_once('.').map_or(&*self.0, |(stem, _)| stem)
    }

    /// What stands before the `@`, or the whole stem (specifier `%p`).
    pub fn prefix(&self) -> &str {
        self.stem().split_once('@').map_or(self.stem(), |(prefix, _)| prefix)
    }

    /// What stands between the first `@` and the suffix; `Some("")` for a template.
    pub fn instance(&self) -> Option<&str> {
        self.stem().split_once('@').map(|(_, instance)| instance)
    }

    pub fn is_template(&self) -> bool {
        self.instance() == Some("")
    }

    pub fn is_instance(&self) -> bool {
        self.instance().is_some_and(|instance| !instance.is_empty())
    }

    /// Whether it can be a unit's name or that of its file: of kinds without templates there are no instances either.
    pub fn suits_its_kind(&self) -> bool {
        self.instance().is_none() || self.kind().has_templates()
    }

    /// The template of an instance: `getty@.service` of `getty@tty1.service`.
    pub fn template(&self) -> Option<UnitName> {
        self.is_instance()
            .then(|| UnitName(Arc::from(format!("{}@.{}", self.prefix(), self.kind().suffix()).as_str())))
    }

    /// The instance of a template: `getty@.service` with `tty1` gives `getty@tty1.service`.
    pub fn with_instance(&self, instance: &str) -> Result<UnitName, NameError> {
        UnitName::parse(&format!("{}@{}.{}", self.prefix(), instance, self.kind().suffix()))
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::TooLong => write!(f, "unit name longer than {NAME_MAX} characters"),
            NameError::NoSuffix => f.write_str("unit name without a suffix such as .service"),
            NameError::UnknownSuffix => f.write_str("unit name with an unknown suffix"),
            NameError::EmptyPrefix => f.write_str("unit name with nothing before its suffix"),
            NameError::BadCharacter(c) => write!(f, "unit name with the character {c:?}"),
        }
    }
}

impl TryFrom<String> for UnitName {
    type Error = NameErrorText;
    fn try_from(text: String) -> Result<UnitName, NameErrorText> {
        UnitName::parse(&text).map_err(|error| NameErrorText(error.to_string()))
    }
}

impl From<UnitName> for String {
    fn from(name: UnitName) -> String {
        name.0.to_string()
    }
}

/// A [`NameError`] in words, as serde wants it.
#[derive(Debug)]
pub struct NameErrorText(String);

impl fmt::Display for NameErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
