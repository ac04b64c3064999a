//! What all kinds of unit that run processes share: systemd.exec(5), systemd.kill(5).

use crate::span::Span;
use serde::{Deserialize, Serialize};

/// One `Exec…=` line after specifiers, before `$VARIABLE` expansion (that is the child's, when its environment is whole).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecCommand {
    /// Absolute, or a bare name looked up in `Exec::search_path` by the child.
    pub path: String,
    /// With `argv[0]`, the name the program is called by.
    pub argv: Vec<String>,
    /// `-`: a failure is not counted.
    pub failure: Failure,
    /// `:`: no `$VARIABLE` expansion.
    pub expansion: Expansion,
    /// `+`, `!`, `!!`.
    pub privileges: Privileges,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    #[default]
    Counts,
    Ignored,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expansion {
    #[default]
    Variables,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Privileges {
    #[default]
    AsConfigured,
    /// `+`: no user, group, capability or sandbox setting applies.
    Full,
    /// `!`: credentials change without dropping capabilities (User= applies only to setuid-like calls).
    NoSetuid,
    /// `!!`: as `!` where ambient capabilities are missing; plain elsewhere.
    AmbientMagic,
}

/// Where a standard stream comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stdio {
    /// Output: as the other one; for stdout: as stdin; for stdin: /dev/null.
    Inherit,
    Null,
    Tty,
    TtyForce,
    TtyFail,
    /// Written to the journal's stream socket; `console` copies it there as well.
    Journal,
    JournalConsole,
    Kmsg,
    KmsgConsole,
    Socket,
    /// `fd:NAME` of a socket unit.
    NamedFd(String),
    /// `file:PATH`; stdin reads it.
    File(String),
    Append(String),
    Truncate(String),
    /// StandardInputText= / StandardInputData=.
    Text,
}

impl Stdio {
    /// Whether a terminal or the console has to do with it.
    pub const fn is_on_terminal(&self) -> bool {
        match self {
            Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail | Stdio::JournalConsole | Stdio::KmsgConsole => {
                true
            }
            Stdio::Inherit
            | Stdio::Null
            | Stdio::Journal
            | Stdio::Kmsg
            | Stdio::Socket
            | Stdio::NamedFd(_)
            | Stdio::File(_)
            | Stdio::Append(_)
            | Stdio::Truncate(_)
            | Stdio::Text => false,
        }
    }

    /// Whether the log gets it.
    pub const fn is_logged(&self) -> bool {
        match self {
            Stdio::Journal | Stdio::JournalConsole | Stdio::Kmsg | Stdio::KmsgConsole => true,
            Stdio::Inherit
            | Stdio::Null
            | Stdio::Tty
            | Stdio::TtyForce
            | Stdio::TtyFail
            | Stdio::Socket
            | Stdio::NamedFd(_)
            | Stdio::File(_)
            | Stdio::Append(_)
            | Stdio::Truncate(_)
            | Stdio::Text => false,
        }
    }
}

/// `Runtime-`, `State-`, `Cache-`, `Logs-` or `ConfigurationDirectory=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directories {
    /// Relative names, with symlinks to make to each (`name:link`).
    pub names: Vec<(String, Vec<String>)>,
    pub mode: u32,
}

impl Default for Directories {
    fn default() -> Directories {
        Directories { names: Vec::new(), mode: 0o755 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preserve {
    #[default]
    No,
    Restart,
    Yes,
}

/// RLIMIT_* as in `Limit…=`; the number is the kernel's resource number's name, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Resource {
    Cpu,
    Fsize,
    Data,
    Stack,
    Core,
    Rss,
    Nofile,
    As,
    Nproc,
    Memlock,
    Locks,
    Sigpending,
    Msgqueue,
    Nice,
    Rtprio,
    Rttime,
}

/// A soft and a hard limit; `u64::MAX` is infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

/// A set of capabilities, bit N for capability number N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities(pub u64);

impl Capabilities {
    pub const ALL: Capabilities = Capabilities(u64::MAX);
    pub const NONE: Capabilities = Capabilities(0);
}

/// `WorkingDirectory=`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingDirectory {
    pub place: Place,
    /// `-`: a missing directory is no failure.
    pub missing: Failure,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    #[default]
    Unset,
    Home,
    Path(String),
}

/// An `EnvironmentFile=` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFile {
    pub path: String,
    /// `-`: a missing file is no failure.
    pub missing: Failure,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    pub user: Option<String>,
    pub group: Option<String>,
    pub supplementary_groups: Vec<String>,
    /// `NAME=VALUE` in order; later ones win.
    pub environment: Vec<String>,
    pub environment_files: Vec<EnvironmentFile>,
    pub pass_environment: Vec<String>,
    pub unset_environment: Vec<String>,
    pub working_directory: WorkingDirectory,
    pub root_directory: Option<String>,
    pub umask: u32,
    /// Sorted by resource, at most one each.
    pub limits: Vec<(Resource, Limit)>,
    pub nice: Option<i8>,
    pub oom_score_adjust: Option<i16>,
    pub standard_input: Stdio,
    pub standard_output: Stdio,
    pub standard_error: Stdio,
    pub standard_input_text: Vec<u8>,
    pub tty_path: Option<String>,
    pub syslog_identifier: Option<String>,
    /// Facility and level as one priority number (facility << 3 | level), as the journal stream wants it.
    pub syslog_facility: u8,
    pub syslog_level: u8,
    pub syslog_level_prefix: bool,
    pub runtime_directory: Directories,
    pub runtime_directory_preserve: Preserve,
    pub state_directory: Directories,
    pub cache_directory: Directories,
    pub logs_directory: Directories,
    pub configuration_directory: Directories,
    /// How long `systemctl clean` may take.
    pub timeout_clean: Span,
    pub capability_bounding_set: Capabilities,
    pub ambient_capabilities: Capabilities,
    pub no_new_privileges: bool,
    pub ignore_sigpipe: bool,
    pub search_path: Vec<String>,
    /// `DynamicUser=` is kept as a fact because its absence of support must be said, not guessed.
    pub dynamic_user: bool,
    pub pam_name: Option<String>,
    /// `Slice=`, also the cgroup's parent.
    pub slice: Option<String>,
    pub delegate: bool,
}

impl Default for Exec {
    fn default() -> Exec {
        Exec {
            user: None,
            group: None,
            supplementary_groups: Vec::new(),
            environment: Vec::new(),
            environment_files: Vec::new(),
            pass_environment: Vec::new(),
            unset_environment: Vec::new(),
            working_directory: WorkingDirectory::default(),
            root_directory: None,
            umask: 0o022,
            limits: Vec::new(),
            nice: None,
            oom_score_adjust: None,
            standard_input: Stdio::Null,
            standard_output: Stdio::Journal,
            standard_error: Stdio::Inherit,
            standard_input_text: Vec::new(),
            tty_path: None,
            syslog_identifier: None,
            syslog_facility: 3,
            syslog_level: 6,
            syslog_level_prefix: true,
            runtime_directory: Directories::default(),
            runtime_directory_preserve: Preserve::No,
            state_directory: Directories::default(),
            cache_directory: Directories::default(),
            logs_directory: Directories::default(),
            configuration_directory: Directories::default(),
            timeout_clean: Span::INFINITY,
            capability_bounding_set: Capabilities::ALL,
            ambient_capabilities: Capabilities::NONE,
            no_new_privileges: false,
            ignore_sigpipe: true,
            search_path: Vec::new(),
            dynamic_user: false,
            pam_name: None,
            slice: None,
            delegate: false,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillMode {
    #[default]
    ControlGroup,
    Mixed,
    Process,
    None,
}

/// Signal numbers are Linux's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    pub mode: KillMode,
    pub signal: i32,
    /// `None`: as `signal`.
    pub restart_signal: Option<i32>,
    pub final_signal: i32,
    pub watchdog_signal: i32,
    pub send_sighup: bool,
    pub send_sigkill: bool,
}

impl Default for Kill {
    fn default() -> Kill {
        Kill {
            mode: KillMode::ControlGroup,
            signal: 15,
            restart_signal: None,
            final_signal: 9,
            watchdog_signal: 6,
            send_sighup: false,
            send_sigkill: true,
        }
    }
}
