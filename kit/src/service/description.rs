//! What a service is, said once for all managers. Words are systemd's where others have none.

use super::loss::Loss;
use super::word::Command;
use crate::Mode;
use crate::unit::UnitFile;
use std::time::Duration;

/// A service for any manager. Texts are UTF-8 without zero bytes; [`written`](super::written) refuses others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Letters, digits, `.`, `_`, `-`, `@`; it does not begin with a `.` or `-`.
    pub name: String,
    /// What it is, in some words.
    pub description: String,
    /// How it is started.
    pub start: Start,
    /// Commands before it is started, in order.
    pub before: Vec<Command>,
    /// Commands once it is started.
    pub after: Vec<Command>,
    /// How it is told to read its settings again.
    pub reload: Reload,
    /// How it is stopped.
    pub stop: Stop,
    /// Who it is, and what it may do.
    pub rights: Rights,
    /// Whether the user it is has to be made.
    pub account: Account,
    /// What it finds around it.
    pub environs: Environs,
    /// What happens when it ends by itself.
    pub restart: Restart,
    /// How long it stays down before that.
    pub restart_delay: Duration,
    /// Whether it is started with the machine.
    pub boot: Boot,
    /// What it needs or comes after.
    pub needs: Vec<Need>,
    /// What managers of systemd's kind know of it, and no other: said here so that a writer can say that it is lost.
    pub unsaid: Vec<Loss>,
    /// How managers of systemd's kind are told of it; empty where this was read from such files.
    pub units: Vec<UnitFile>,
}

/// How a service is started, and what its processes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Its process stays with the manager.
    Foreground(Foreground),
    /// Its process goes into the background, and a file tells which it is then.
    Background {
        /// What is run.
        command: Command,
        /// Where its number stands, an absolute path.
        pid_file: String,
        /// How long it may take until it stands there.
        within: Duration,
    },
    /// Commands that end, one after the other.
    Once {
        /// In order.
        commands: Vec<Command>,
        /// What it is when they have ended.
        then: Remains,
    },
}

/// A process that stays with the manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreground {
    /// What is run.
    pub command: Command,
    /// When others may count on it.
    pub ready: Ready,
    /// The same in the background: what is run, and its pid file. For managers that know no readiness but this.
    pub detached: Option<(Command, String)>,
}

/// When a service is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// As soon as it runs.
    AtOnce,
    /// When it says so: sd_notify(3).
    Notified,
    /// When it has its name on the bus.
    OnTheBus,
}

/// What a service is when its commands have ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// Up, until it is stopped.
    Up,
    /// Down.
    Down,
}

/// How a service is told to read its settings again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// It cannot be.
    Never,
    /// By a signal, named without `SIG`, to its main process.
    Signal(String),
    /// By commands, in order; `MAINPID` is its main process.
    Commands(Vec<Command>),
}

/// How a service is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Commands that ask it to, before the signal; `MAINPID` is its main process.
    pub commands: Vec<Command>,
    /// The signal, named without `SIG`.
    pub signal: String,
    /// Who gets it.
    pub whom: Whom,
    /// How long it may take, before it is killed; `None`: for ever.
    pub within: Option<Duration>,
    /// Commands after it is down, however that came.
    pub after: Vec<Command>,
}

/// Whom a signal goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All processes of the service.
    All,
    /// Its main process; the others are killed when that has ended.
    Mixed,
    /// Its main process alone.
    Main,
}

/// Who a service is, and what it may do. The default: root, who may do everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// By name or number.
    pub user: Option<String>,
    /// By name or number; `None`: the user's.
    pub group: Option<String>,
    /// Groups beside the user's own.
    pub groups: Vec<String>,
    /// All it may ever have; `None`: not limited.
    pub bounding: Option<Capabilities>,
    /// What it has although it is not root.
    pub ambient: Capabilities,
    /// Whether programs that it executes may gain rights.
    pub new: NewRights,
    /// The directory that it sees as `/`.
    pub root_directory: Option<String>,
}

/// Whether a service's user is there before it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// It is, or it is nobody's to make.
    #[default]
    IsThere,
    /// It is the service's own, and made for it where the manager makes none: `DynamicUser=`.
    IsMade,
}

/// Whether programs that a service executes may gain rights, by set-uid bits and file capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewRights {
    /// They may.
    #[default]
    Allowed,
    /// They may not.
    Refused,
}

/// Names as capabilities(7) has them, in small letters without `cap_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(pub Vec<String>);

/// What a service finds around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environs {
    /// Variables, in order; of a name that comes twice the last counts.
    pub variables: Vec<(String, String)>,
    /// Files of variables, which come after those, in order.
    pub files: Vec<EnvironmentFile>,
    /// Variables that it is not to have.
    pub unset: Vec<String>,
    /// Its working directory.
    pub directory: Option<String>,
    /// Permission bits that its files are without.
    pub umask: Option<Mode>,
    /// Its resource limits.
    pub limits: Limits,
    /// Its nice level.
    pub nice: Option<i8>,
    /// How willingly the kernel kills it.
    pub oom_score: Option<i16>,
    /// Directories that are made for it.
    pub directories: Vec<Directory>,
    /// Where what it prints goes.
    pub output: Output,
}

/// Resource limits.
pub type Limits = Vec<Limit>;

/// A file of lines `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// Absolute.
    pub path: String,
    /// What it means if it is not there.
    pub missing: Missing,
}

/// What it means if something is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The start fails.
    Fails,
    /// Nothing.
    IsPassedOver,
}

/// A resource limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The resource as prlimit(1) names it: `nofile`.
    pub resource: &'static str,
    /// In the units of setrlimit(2); `None`: unlimited.
    pub soft: Option<u64>,
    /// The same.
    pub hard: Option<u64>,
}

/// A directory that is made for the service before it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Absolute.
    pub path: String,
    /// Its permissions.
    pub mode: Mode,
    /// Whose it is; `None`: root's.
    pub owner: Option<String>,
    /// The variable that tells the service of it, such as `STATE_DIRECTORY`.
    pub variable: &'static str,
}

/// Where what the service prints goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To the log.
    Log,
    /// Nowhere.
    Nowhere,
    /// To the end of a file.
    File(String),
}

/// When a service that ended by itself is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Never.
    Never,
    /// When it failed.
    OnFailure,
    /// When it ended well.
    OnSuccess,
    /// However it ended.
    Always,
}

/// Whether a service is started with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// It is.
    Starts,
    /// It is started by hand, or by others.
    Waits,
}

/// One thing that a service needs or comes after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Something that every machine has, to come after.
    After(Dependency),
    /// Another service, by name: it is started too, and this one fails without it.
    Required(String),
    /// Another service, by name: it is started too.
    Wanted(String),
    /// Another service, by name, to come after if it is started.
    AfterService(String),
    /// Another service, by name, to come before if it is started.
    BeforeService(String),
}

/// What every machine has under some name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// The network is up.
    Network,
    /// Names of hosts can be looked up.
    Names,
    /// The clock is right.
    Time,
    /// Local file systems are mounted.
    LocalFiles,
    /// File systems of other hosts are mounted.
    RemoteFiles,
    /// The log takes lines.
    Log,
}

impl Service {
    /// A service of this name that runs a command as root, and is started with the machine.
    #[must_use]
    pub fn new(name: impl Into<String>, command: Command) -> Service {
        Service {
            name: name.into(),
            description: String::new(),
            start: Start::Foreground(Foreground { command, ready: Ready::AtOnce, detached: None }),
            before: Vec::new(),
            after: Vec::new(),
            reload: Reload::Never,
            stop: Stop::default(),
            rights: Rights::default(),
            account: Account::default(),
            environs: Environs::default(),
            restart: Restart::Never,
            restart_delay: Duration::ZERO,
            boot: Boot::Starts,
            needs: Vec::new(),
            unsaid: Vec::new(),
            units: Vec::new(),
        }
    }

    /// What it is, or at least its name.
    pub(super) fn title(&self) -> String {
        super::word::one_line(if self.description.is_empty() { &self.name } else { &self.description })
    }

    /// All its commands.
    pub(super) fn commands(&self) -> impl Iterator<Item = &Command> {
        let (main, detached) = match &self.start {
            Start::Foreground(Foreground { command, detached, .. }) => {
                (std::slice::from_ref(command), detached.as_ref().map(|(command, _)| command))
            }
            Start::Background { command, .. } => (std::slice::from_ref(command), None),
            Start::Once { commands, .. } => (commands.as_slice(), None),
        };
        let reload = match &self.reload {
            Reload::Commands(commands) => commands.as_slice(),
            Reload::Never | Reload::Signal(_) => &[],
        };
        let lists = [&self.before, main, &self.after, reload, &self.stop.commands, &self.stop.after];
        lists.into_iter().flatten().chain(detached)
    }
}

impl Rights {
    /// Whether anything is given up.
    pub(super) fn are_less(&self) -> bool {
        *self != Rights { root_directory: self.root_directory.clone(), ..Rights::default() }
    }
}

impl Default for Stop {
    fn default() -> Stop {
        Stop {
            commands: Vec::new(),
            signal: "TERM".to_owned(),
            whom: Whom::All,
            within: Some(crate::limits::SAID_BY_SYSTEMD),
            after: Vec::new(),
        }
    }
}

impl Default for Environs {
    fn default() -> Environs {
        Environs {
            variables: Vec::new(),
            files: Vec::new(),
            unset: Vec::new(),
            directory: None,
            umask: None,
            limits: Vec::new(),
            nice: None,
            oom_score: None,
            directories: Vec::new(),
            output: Output::Log,
        }
    }
}
