//! From configuration to plan: what the child of one command does between fork and exec, in systemd's order
//! (systemd.exec(5)), and what of the configuration this machine does not honour, with the reason.

mod environment;
mod rights;
mod stdio;

use crate::api::{Phase, Spawn};
use eudaemon_plan::step::{
    Command, Directories, Directory, DirectoryKind, ExecPlan, Expansion, Missing, MountPoint, PipeSignal,
    Program, Resource, Step,
};
use eudaemon_unit::config::Config;
use eudaemon_unit::config::exec::{self, Capabilities, Exec};
use eudaemon_unit::config::service::{NotifyAccess, Service, ServiceType};
use eudaemon_unit::specifier;
use eudaemon_unit::values::mounts;

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
    /// The place among the passed descriptors of the one that hangs up when no job is left.
    pub idle: Option<u16>,
    /// The unit's cgroup, where there are any.
    pub cgroup: Option<String>,
    /// The mark its descendants are found by, where there are no cgroups.
    pub mark: Option<u64>,
    /// What init may, and so can give or take.
    pub capabilities: Capabilities,
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

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Substituted(what) => write!(f, "comes to {what}"),
            Outcome::Skipped(why) => write!(f, "is left out: {why}"),
        }
    }
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
    // The order is systemd's: what fails first tells the exit code.
    draft.begin();
    draft.find_user();
    draft.streams();
    draft.scheduling();
    draft.delegation();
    draft.directories();
    draft.environment();
    draft.limits();
    draft.groups();
    draft.root();
    draft.find_program();
    draft.descriptors();
    draft.capabilities_and_user();
    draft.working_directory();
    draft.no_new_privileges();
    draft.program();
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

impl Draft<'_> {
    fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn begin(&mut self) {
        let pipe = if self.exec.ignore_sigpipe { PipeSignal::Ignored } else { PipeSignal::Default };
        self.add(Step::Signals { pipe });
        self.add(Step::Session);
        if let Some(mark) = self.facts.mark
            && self.exec.limits.iter().all(|(resource, _)| *resource != exec::Resource::Rttime)
        {
            self.add(Step::Mark(mark));
        }
        if let (Some(index), true) = (self.facts.idle, self.waits_until_idle()) {
            self.add(Step::Idle(index));
        }
        self.mount_point();
        // Before anything makes a file.
        self.add(Step::Umask(self.exec.umask));
    }

    /// As root, whoever mount(8) runs as.
    fn mount_point(&mut self) {
        let Some(mount) = self.config.mount() else { return };
        if self.spawn.phase == Phase::Start {
            let source =
                (mounts::is_bind(&mount.options) && mount.what.starts_with('/')).then(|| mount.what.clone());
            let (place, mode) = (mount.place.clone(), mount.directory_mode);
            self.add(Step::MountPoint(MountPoint { place, source, mode }));
        }
    }

    fn waits_until_idle(&self) -> bool {
        self.spawn.phase == Phase::Start
            && self.service().is_some_and(|service| service.kind == ServiceType::Idle)
    }

    fn scheduling(&mut self) {
        if let Some(score) = self.exec.oom_score_adjust {
            self.add(Step::OomScoreAdjust(score));
        }
        if let Some(level) = self.exec.nice {
            self.add(Step::Nice(level));
        }
    }

    fn limits(&mut self) {
        let exec = self.exec;
        // Init raised its own for the vault.
        if self.has_full_rights()
            || exec.limits.iter().all(|(resource, _)| *resource != exec::Resource::Nofile)
        {
            let (soft, hard) = DEFAULT_OPEN_FILES;
            self.add(Step::Rlimit { resource: Resource::Nofile, soft, hard });
        }
        if self.has_full_rights() {
            return;
        }
        for (resource, limit) in &exec.limits {
            self.add(Step::Rlimit { resource: kernel(*resource), soft: limit.soft, hard: limit.hard });
        }
    }

    fn find_program(&mut self) {
        let command = &self.spawn.command;
        let search = match self.exec.search_path.is_empty() {
            true => DEFAULT_PATH.map(str::to_owned).to_vec(),
            false => self.exec.search_path.clone(),
        };
        let missing = match command.failure {
            exec::Failure::Counts => Missing::Fails,
            exec::Failure::Ignored => Missing::Ignored,
        };
        self.add(Step::FindProgram(Program { path: command.path.clone(), search, missing }));
    }

    fn program(&mut self) {
        let command = &self.spawn.command;
        self.add(Step::Exec(Command {
            argv: command.argv.clone(),
            expansion: match command.expansion {
                exec::Expansion::Variables => Expansion::Variables,
                exec::Expansion::None => Expansion::Verbatim,
            },
        }));
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

    fn service(&self) -> Option<&Service> {
        self.config.service()
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

/// Where a bare program name is looked for.
const DEFAULT_PATH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// systemd-system.conf(5), `DefaultLimitNOFILE=`: soft and hard.
const DEFAULT_OPEN_FILES: (u64, u64) = (1024, 524_288);

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

#[cfg(test)]
mod tests;
