//! A unit as the engine reads it: every directive that is acted on, as a typed value, merged from the
//! fragment and its drop-ins, specifiers expanded, defaults filled in.
//!
//! A directive that is known but not acted on yet is kept as text in [`Config::kept`], with its verdict
//! in the directive table, so that `show` and `status` can say so.

pub mod exec;
pub mod health;
pub mod service;
pub mod socket;
pub mod unit;

use crate::name::{UnitKind, UnitName};
use crate::span::Span;
pub use exec::{Exec, Kill, KillMode};
pub use health::Health;
use serde::{Deserialize, Serialize};
pub use service::Service;
pub use socket::Socket;
pub use unit::{Dependency, Install, UnitSection};

/// How reading the unit went; the words are `LoadState`'s of org.freedesktop.systemd1(5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadState {
    Loaded,
    NotFound,
    /// A setting without which the unit makes no sense is missing or wrong.
    BadSetting(Bad),
    /// The text is no unit file; the sentence says what is wrong.
    Inconsistent(String),
    /// The file could not be read; the text says why.
    Unreadable(String),
    Masked,
}

/// What is bad about a unit with a bad setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bad {
    /// A line that ended the reading: what it would have had by default was never filled in.
    Line,
    /// What all lines together come to.
    Whole,
}

/// One unit, ready for the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub name: UnitName,
    /// Further names by which the unit is known (alias symlinks), sorted.
    pub aliases: Vec<UnitName>,
    pub load: LoadState,
    /// The unit file; absent for units that need none (`-.slice`, a mount from mountinfo).
    pub fragment: Option<String>,
    /// Where a generator made the unit from (`SourcePath=`).
    pub source: Option<String>,
    /// The drop-ins in the order they were merged.
    pub dropins: Vec<String>,
    pub unit: UnitSection,
    pub install: Install,
    pub body: Body,
    /// Known directives nobody acts on yet: section, key, value as written (the last after merging).
    pub kept: Vec<Kept>,
}

/// A directive kept as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub section: String,
    pub key: String,
    pub value: String,
}

/// The section named after the kind of unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    Service(Box<Service>),
    Socket(Box<Socket>),
    Target,
    Slice,
    Scope,
    Device,
    Mount(Box<Mount>),
    Automount,
    Swap(Box<Processes>),
    Timer,
    Path,
}

/// `[Mount]`: systemd.mount(5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    pub what: String,
    pub place: String,
    /// Empty: mount(8) finds it out.
    pub kind: String,
    pub options: String,
    pub directory_mode: u32,
    pub sloppy_options: bool,
    pub read_write_only: bool,
    pub lazy_unmount: bool,
    pub force_unmount: bool,
    /// For each command, and for each signal that ends one.
    pub timeout: Span,
    pub processes: Box<Processes>,
}

impl Default for Mount {
    fn default() -> Mount {
        Mount {
            what: String::new(),
            place: String::new(),
            kind: String::new(),
            options: String::new(),
            directory_mode: 0o755,
            sloppy_options: false,
            read_write_only: false,
            lazy_unmount: false,
            force_unmount: false,
            timeout: Span::seconds(90),
            processes: Box::default(),
        }
    }
}

/// How the control processes of a mount or swap unit run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Processes {
    pub exec: Exec,
    pub kill: Kill,
}

impl Body {
    /// The body of a unit of which nothing is known but its name.
    pub fn empty(kind: UnitKind) -> Body {
        match kind {
            UnitKind::Service => Body::Service(Box::default()),
            UnitKind::Socket => Body::Socket(Box::default()),
            UnitKind::Target => Body::Target,
            UnitKind::Slice => Body::Slice,
            UnitKind::Scope => Body::Scope,
            UnitKind::Device => Body::Device,
            UnitKind::Mount => Body::Mount(Box::default()),
            UnitKind::Automount => Body::Automount,
            UnitKind::Swap => Body::Swap(Box::default()),
            UnitKind::Timer => Body::Timer,
            UnitKind::Path => Body::Path,
        }
    }
}

impl Config {
    /// A unit of which nothing was found (or that is masked, or unreadable): a name and a verdict.
    pub fn bare(name: UnitName, load: LoadState) -> Config {
        let body = Body::empty(name.kind());
        let unit =
            UnitSection { ignore_on_isolate: name.kind().stays_on_isolate(), ..UnitSection::default() };
        Config {
            name,
            aliases: Vec::new(),
            load,
            fragment: None,
            source: None,
            dropins: Vec::new(),
            unit,
            install: Install::default(),
            body,
            kept: Vec::new(),
        }
    }

    /// What a kept directive says, as often as it is said.
    pub fn kept(&self, key: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.kept.iter().filter(move |one| one.key == key).map(|one| one.value.as_str())
    }

    /// Device nodes that its processes may use and how, the latest first: those that other directives need, then `DeviceAllow=`.
    pub fn devices(&self) -> Vec<(&str, &str)> {
        let written = self.kept("DeviceAllow").rev();
        let written = written.map(|line| line.split_once(' ').unwrap_or((line, "")));
        self.implied_devices().into_iter().rev().chain(written).collect()
    }

    /// Device nodes that other directives than `DeviceAllow=` need.
    pub fn implied_devices(&self) -> Vec<(&'static str, &'static str)> {
        const IMAGE: [(&str, &str); 5] = [
            ("/dev/loop-control", "rw"),
            ("/dev/mapper/control", "rw"),
            ("block-loop", "rwm"),
            ("block-blkext", "rwm"),
            ("block-device-mapper", "rwm"),
        ];
        let mut nodes = Vec::new();
        let is_said = |key: &str| self.kept(key).next().is_some();
        if is_said("RootImage") || is_said("MountImages") {
            nodes.extend(IMAGE);
        }
        if self.kept("ProtectClock").next_back() == Some("yes") {
            nodes.push(("char-rtc", "r"));
        }
        if is_said("LoadCredentialEncrypted") {
            nodes.push(("/dev/tpmrm0", "rw"));
        }
        nodes
    }

    pub fn service(&self) -> Option<&Service> {
        if let Body::Service(service) = &self.body { Some(service) } else { None }
    }

    pub fn socket(&self) -> Option<&Socket> {
        if let Body::Socket(socket) = &self.body { Some(socket) } else { None }
    }

    pub fn mount(&self) -> Option<&Mount> {
        if let Body::Mount(mount) = &self.body { Some(mount) } else { None }
    }

    pub fn exec(&self) -> Option<&Exec> {
        self.processes().map(|(exec, _)| exec)
    }

    pub fn kill(&self) -> Option<&Kill> {
        self.processes().map(|(_, kill)| kill)
    }

    fn processes(&self) -> Option<(&Exec, &Kill)> {
        match &self.body {
            Body::Service(service) => Some((&service.exec, &service.kill)),
            Body::Socket(socket) => Some((&socket.exec, &socket.kill)),
            Body::Mount(mount) => Some((&mount.processes.exec, &mount.processes.kill)),
            Body::Swap(own) => Some((&own.exec, &own.kill)),
            Body::Target
            | Body::Slice
            | Body::Scope
            | Body::Device
            | Body::Automount
            | Body::Timer
            | Body::Path => None,
        }
    }
}
