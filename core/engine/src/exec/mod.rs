//! From configuration to plan: what the child of one command does between fork and exec, in systemd's order
//! (systemd.exec(5)), and what of the configuration this machine does not honour, with the reason.

mod environment;

use crate::api::{Phase, Spawn};
use eudaemon_plan::step::{
    Blocking, Command, CopyTo, Directories, Directory, DirectoryKind, ExecPlan, Expansion, FindUser, Input,
    JournalStream, LevelPrefix, Missing, Output, PipeSignal, Place, Resource, Step, TakeTty,
};
use eudaemon_unit::config::exec::{self, Exec, Failure, Privileges, Stdio};
use eudaemon_unit::config::service::{NotifyAccess, Service, ServiceType};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::specifier;

/// Whose manager spawns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    System,
    User,
}

/// What the host knows and the configuration does not.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub scope: Scope,
    /// Services' environment, before anything of the unit's own.
    pub environment: &'a [String],
    /// `MAINPID=…` and the like: what the phase is told.
    pub told: Vec<String>,
    /// Names of the passed descriptors, sockets first, then the fd store; the descriptors come in this order.
    pub listen: Vec<String>,
    pub notify_socket: &'a str,
    pub journal_socket: &'a str,
    pub directories: &'a specifier::Directories,
}

/// A directive that does not do here what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub directive: &'static str,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something else is done instead.
    Substituted(&'static str),
    /// Nothing is done.
    Skipped(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    pub plan: ExecPlan,
    pub verdicts: Vec<Verdict>,
}

/// The plan of one command. `None`: the unit is of a kind that runs no processes.
pub fn compile(config: &Config, spawn: &Spawn, facts: &Facts<'_>) -> Option<Compiled> {
    let exec = config.exec()?;
    let mut draft = Draft { config, exec, spawn, facts, steps: Vec::new(), verdicts: Vec::new() };
    draft.begin();
    draft.streams();
    draft.process();
    draft.directories();
    draft.environment();
    draft.credentials();
    Some(Compiled { plan: ExecPlan { steps: draft.steps }, verdicts: draft.verdicts })
}

struct Draft<'a> {
    config: &'a Config,
    exec: &'a Exec,
    spawn: &'a Spawn,
    facts: &'a Facts<'a>,
    steps: Vec<Step>,
    verdicts: Vec<Verdict>,
}

/// The range of systemd's own dynamic users: systemd.exec(5), `DynamicUser=`.
const DYNAMIC_FIRST: u32 = 61184;
const DYNAMIC_COUNT: u32 = 65519 - DYNAMIC_FIRST + 1;

impl Draft<'_> {
    fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn begin(&mut self) {
        let pipe = if self.exec.ignore_sigpipe { PipeSignal::Ignored } else { PipeSignal::Default };
        self.add(Step::Signals { pipe });
        self.add(Step::Session);
        if let Some(user) = self.user() {
            self.add(Step::FindUser(user));
        }
    }

    /// Settings of `User=` and of rights do not apply to this command.
    fn has_full_rights(&self) -> bool {
        let start_only = self.service().is_some_and(|service| service.permissions_start_only);
        self.spawn.command.privileges == Privileges::Full || (start_only && self.spawn.phase != Phase::Start)
    }

    fn user(&mut self) -> Option<FindUser> {
        if self.has_full_rights() {
            return None;
        }
        let exec = self.exec;
        let supplementary = exec.supplementary_groups.clone();
        if exec.dynamic_user {
            let name = exec.user.clone().unwrap_or_else(|| self.config.name.prefix().to_owned());
            let number = (DYNAMIC_FIRST + fold(&name) % DYNAMIC_COUNT).to_string();
            self.verdicts.push(Verdict {
                directive: "DynamicUser",
                outcome: Outcome::Substituted("a number of the dynamic range told by the name, not reserved"),
            });
            let group = exec.group.clone().unwrap_or_else(|| number.clone());
            return Some(FindUser { user: Some(number), group: Some(group), supplementary });
        }
        if exec.user.is_none() && exec.group.is_none() && supplementary.is_empty() {
            return None;
        }
        Some(FindUser { user: exec.user.clone(), group: exec.group.clone(), supplementary })
    }

    fn streams(&mut self) {
        let input = self.input();
        let output = self.output(&self.exec.standard_output, Stream::Output);
        let error = self.output(&self.exec.standard_error, Stream::Error);
        self.add(Step::Stdin(input));
        self.add(Step::Stdout(output));
        self.add(Step::Stderr(error));
    }

    fn tty(&self) -> String {
        self.exec.tty_path.clone().unwrap_or_else(|| "/dev/console".to_owned())
    }

    fn input(&self) -> Input {
        let tty = |take| Input::Tty { path: self.tty(), take };
        match &self.exec.standard_input {
            Stdio::Tty => tty(TakeTty::Wait),
            Stdio::TtyForce => tty(TakeTty::Force),
            Stdio::TtyFail => tty(TakeTty::Fail),
            Stdio::Socket if !self.facts.listen.is_empty() => Input::Fd(0),
            Stdio::NamedFd(name) => self.named(name).map_or(Input::Null, Input::Fd),
            Stdio::File(path) | Stdio::Append(path) | Stdio::Truncate(path) => Input::File(path.clone()),
            Stdio::Text => Input::Text(self.exec.standard_input_text.clone()),
            Stdio::Inherit
            | Stdio::Null
            | Stdio::Journal
            | Stdio::JournalConsole
            | Stdio::Kmsg
            | Stdio::KmsgConsole
            | Stdio::Socket => Input::Null,
        }
    }

    fn named(&self, name: &str) -> Option<u16> {
        self.facts.listen.iter().position(|known| known == name).and_then(|at| u16::try_from(at).ok())
    }

    fn output(&self, wanted: &Stdio, stream: Stream) -> Output {
        match wanted {
            Stdio::Inherit => match stream {
                Stream::Error => Output::SameAsOutput,
                // Standard output inherits what standard input is, if that can be written to.
                Stream::Output => match self.exec.standard_input {
                    Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail | Stdio::Socket | Stdio::NamedFd(_) => {
                        Output::SameAsInput
                    }
                    Stdio::Inherit
                    | Stdio::Null
                    | Stdio::Journal
                    | Stdio::JournalConsole
                    | Stdio::Kmsg
                    | Stdio::KmsgConsole
                    | Stdio::File(_)
                    | Stdio::Append(_)
                    | Stdio::Truncate(_)
                    | Stdio::Text => Output::Null,
                },
            },
            Stdio::Null | Stdio::Text => Output::Null,
            Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail => Output::Tty(self.tty()),
            Stdio::Journal => Output::Journal(self.journal(CopyTo::None)),
            Stdio::JournalConsole => Output::Journal(self.journal(CopyTo::Console)),
            Stdio::Kmsg => Output::Journal(self.journal(CopyTo::KernelLog)),
            Stdio::KmsgConsole => Output::Journal(self.journal(CopyTo::Console)),
            Stdio::Socket if !self.facts.listen.is_empty() => Output::Fd(0),
            Stdio::Socket => Output::Null,
            Stdio::NamedFd(name) => match self.named(name) {
                Some(index) => Output::Fd(index),
                // Not a socket's name: the console init was started with.
                None if name == "console" => Output::Console,
                None => Output::Null,
            },
            Stdio::File(path) => Output::File(path.clone()),
            Stdio::Append(path) => Output::Append(path.clone()),
            Stdio::Truncate(path) => Output::Truncate(path.clone()),
        }
    }

    fn journal(&self, copy: CopyTo) -> JournalStream {
        let program = self.spawn.command.path.rsplit('/').next().unwrap_or("").to_owned();
        JournalStream {
            socket: self.facts.journal_socket.to_owned(),
            identifier: self.exec.syslog_identifier.clone().unwrap_or(program),
            unit: self.config.name.to_string(),
            priority: self.exec.syslog_facility << 3 | self.exec.syslog_level,
            level_prefix: if self.exec.syslog_level_prefix {
                LevelPrefix::Parsed
            } else {
                LevelPrefix::Verbatim
            },
            copy,
        }
    }

    fn process(&mut self) {
        if let Some(score) = self.exec.oom_score_adjust {
            self.add(Step::OomScoreAdjust(score));
        }
        if let Some(level) = self.exec.nice {
            self.add(Step::Nice(level));
        }
        self.add(Step::Umask(self.exec.umask));
        for (resource, limit) in &self.exec.limits {
            self.add(Step::Rlimit { resource: kernel(*resource), soft: limit.soft, hard: limit.hard });
        }
    }

    fn directories(&mut self) {
        let bases = self.facts.directories;
        let kinds = [
            (DirectoryKind::Runtime, &self.exec.runtime_directory, &bases.runtime),
            (DirectoryKind::State, &self.exec.state_directory, &bases.state),
            (DirectoryKind::Cache, &self.exec.cache_directory, &bases.cache),
            (DirectoryKind::Logs, &self.exec.logs_directory, &bases.logs),
            (DirectoryKind::Configuration, &self.exec.configuration_directory, &bases.configuration),
        ];
        for (kind, wanted, base) in kinds {
            if wanted.names.is_empty() {
                continue;
            }
            let at = |name: &String| format!("{base}/{name}");
            let entries = wanted
                .names
                .iter()
                .map(|(name, links)| Directory { path: at(name), links: links.iter().map(at).collect() })
                .collect();
            self.add(Step::Directories(Directories { kind, entries, mode: wanted.mode }));
        }
    }

    fn credentials(&mut self) {
        let exec = self.exec;
        let full = self.has_full_rights();
        // `!` changes the user's numbers in the environment and files, but leaves the change itself to the service.
        let changes_user = !full && self.spawn.command.privileges != Privileges::NoSetuid;
        let has_user = self.steps.iter().any(|step| matches!(step, Step::FindUser(_)));
        if has_user && changes_user {
            self.add(Step::SetGroups);
        }
        if let Some(root) = &exec.root_directory
            && !full
        {
            self.add(Step::RootDirectory(root.clone()));
        }
        let place = match &exec.working_directory.place {
            exec::Place::Unset => Place::Path("/".to_owned()),
            exec::Place::Home => Place::Home,
            exec::Place::Path(path) => Place::Path(path.clone()),
        };
        let unset = exec.working_directory.place == exec::Place::Unset;
        let place = if unset && self.facts.scope == Scope::User { Place::Home } else { place };
        let tolerant = unset || exec.working_directory.missing == Failure::Ignored;
        let missing = if tolerant { Missing::Ignored } else { Missing::Fails };
        let count = u16::try_from(self.facts.listen.len()).unwrap_or(u16::MAX);
        let passes = exec.standard_input != Stdio::Socket;
        let non_blocking = self.service().is_some_and(|service| service.non_blocking);
        let blocking = if non_blocking { Blocking::NonBlocking } else { Blocking::Blocking };
        self.add(Step::Fds { indices: if passes { (0..count).collect() } else { Vec::new() }, blocking });
        if !full {
            if exec.capability_bounding_set != exec::Capabilities::ALL {
                self.add(Step::BoundingSet(exec.capability_bounding_set.0));
            }
            let ambient = exec.ambient_capabilities.0;
            if has_user && changes_user {
                if ambient != 0 {
                    self.add(Step::KeepCapabilities);
                }
                self.add(Step::SetUser);
            }
            if ambient != 0 {
                self.add(Step::Ambient(ambient));
            }
        }
        self.add(Step::WorkingDirectory { place, missing });
        if exec.no_new_privileges && !full {
            self.add(Step::NoNewPrivileges);
        }
        let command = &self.spawn.command;
        let search = if exec.search_path.is_empty() {
            DEFAULT_PATH.map(str::to_owned).to_vec()
        } else {
            exec.search_path.clone()
        };
        self.add(Step::Exec(Command {
            path: command.path.clone(),
            argv: command.argv.clone(),
            expansion: match command.expansion {
                exec::Expansion::Variables => Expansion::Variables,
                exec::Expansion::None => Expansion::Verbatim,
            },
            search,
        }));
    }

    fn service(&self) -> Option<&Service> {
        if let Body::Service(service) = &self.config.body { Some(service) } else { None }
    }

    /// Whether this process may speak on the notify socket, and so is told where it is.
    fn may_notify(&self) -> bool {
        let Some(service) = self.service() else { return false };
        let effective = match (service.notify_access, service.kind) {
            (NotifyAccess::None, ServiceType::Notify | ServiceType::NotifyReload) => NotifyAccess::Main,
            (NotifyAccess::None, _) if service.watchdog.0 > 0 || service.fd_store_max > 0 => {
                NotifyAccess::Main
            }
            (access, _) => access,
        };
        match effective {
            NotifyAccess::None => false,
            NotifyAccess::Main => self.spawn.phase == Phase::Start,
            NotifyAccess::Exec | NotifyAccess::All => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

/// Where a bare program name is looked for.
const DEFAULT_PATH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A number told by a name: FNV-1a.
fn fold(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |sum: u32, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn kernel(resource: exec::Resource) -> Resource {
    match resource {
        exec::Resource::Cpu => Resource::Cpu,
        exec::Resource::Fsize => Resource::Fsize,
        exec::Resource::Data => Resource::Data,
        exec::Resource::Stack => Resource::Stack,
        exec::Resource::Core => Resource::Core,
        exec::Resource::Rss => Resource::Rss,
        exec::Resource::Nofile => Resource::Nofile,
        exec::Resource::As => Resource::As,
        exec::Resource::Nproc => Resource::Nproc,
        exec::Resource::Memlock => Resource::Memlock,
        exec::Resource::Locks => Resource::Locks,
        exec::Resource::Sigpending => Resource::Sigpending,
        exec::Resource::Msgqueue => Resource::Msgqueue,
        exec::Resource::Nice => Resource::Nice,
        exec::Resource::Rtprio => Resource::Rtprio,
        exec::Resource::Rttime => Resource::Rttime,
    }
}
