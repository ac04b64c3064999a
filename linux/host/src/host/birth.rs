//! A process is born: the plan is compiled, the cgroup and the descriptors are put beside it, init forks.

use super::{Host, Known, Role};
use crate::condition::glob;
use crate::place::Scope;
use eudaemon_engine::api::{Event, ExitStatus, Phase, Spawn, Told, Trouble, WatchExec};
use eudaemon_engine::exec::{self, Facts, Verdict};
use eudaemon_engine::kind::service::result_word;
use eudaemon_init::limits::PLAN_INLINE;
use eudaemon_init::wire::{self, CgroupFd, Order, PlanBytes};
use eudaemon_plan::step::{ExecPlan, Missing, Step};
use eudaemon_unit::config::exec::Capabilities;
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Directories;
use eudaemon_unit::values::signal::signal_name;
use rustix::fs::MemfdFlags;
use rustix::io::fcntl_dupfd_cloexec;
use std::io;
use std::os::fd::OwnedFd;

/// What the manager adds to an order to spawn.
#[derive(Clone, Debug)]
pub struct Birth {
    /// Socket units whose sockets the service takes, in the order they are handed over.
    pub sockets: Vec<UnitName>,
    /// Services' environment.
    pub environment: Vec<String>,
    pub directories: Directories,
    /// Names given to sockets by `FileDescriptorName=`, by socket unit; the unit's own name otherwise.
    pub socket_names: Vec<String>,
}

/// A file that is missing fails the start before there is a process: the child, who reads it, could only fail after.
fn find_environment_files(plan: &ExecPlan) -> io::Result<()> {
    for step in &plan.steps {
        if let Step::EnvironmentFile { path, missing: Missing::Fails } = step
            && !glob::any_path(path)
        {
            let what = match (path.contains(['*', '?', '[']), std::fs::metadata(path)) {
                (true, _) => "no file matches".to_owned(),
                (false, Err(error)) if error.kind() != io::ErrorKind::NotFound => error.kind().to_string(),
                (false, _) => "no such file".to_owned(),
            };
            // With the number it would read as if the program were missing.
            return Err(io::Error::other(format!("EnvironmentFile={path}: {what}")));
        }
    }
    Ok(())
}

/// Where a command runs: in the unit's cgroup, or, when the service has divided that, in one beside its parts: a cgroup
/// that hands controllers on holds no processes itself. cgroups(7), "No internal processes".
fn beside(path: &str, config: &Config, phase: Phase) -> String {
    let is_divided = config.exec().is_some_and(|exec| exec.delegate);
    match phase {
        Phase::StartPost | Phase::Reload | Phase::Stop | Phase::StopPost | Phase::Health if is_divided => {
            format!("{path}/.control")
        }
        Phase::Condition
        | Phase::StartPre
        | Phase::Start
        | Phase::StartPost
        | Phase::Reload
        | Phase::Stop
        | Phase::StopPost
        | Phase::StopPre
        | Phase::Health => path.to_owned(),
    }
}

impl Host {
    pub(super) fn spawn(&mut self, spawn: &Spawn, config: &Config, birth: Birth) {
        match self.try_spawn(spawn, config, birth) {
            // Said of the service's own start, and not again each time it is asked whether it is well.
            Ok(_) if spawn.phase == Phase::Health => {}
            Ok(verdicts) => {
                for verdict in verdicts {
                    let (unit, Verdict { directive, outcome }) = (&spawn.unit, verdict);
                    self.say(Some(unit), format!("{unit}: {directive}= {outcome}"));
                }
            }
            Err(error) => {
                self.processes.remove(&spawn.process);
                let trouble = match error.raw_os_error() {
                    Some(errno) => Trouble::errno(errno),
                    None => Trouble { errno: 0, step: error.to_string() },
                };
                self.fact(Event::SpawnFailed { process: spawn.process, trouble });
            }
        }
    }

    fn try_spawn(&mut self, spawn: &Spawn, config: &Config, birth: Birth) -> io::Result<Vec<Verdict>> {
        let path = self.path_of(&spawn.unit, Some(config));
        let group = self.groups.enter(&beside(&path, config, spawn.phase))?;
        self.places.insert(spawn.unit.clone(), path);
        let (names, mut passed) = self.handed_over(spawn, &birth)?;
        let idle = self.idle(spawn, config, &mut passed)?;
        let (notify, journal) = (self.place.notify_socket(), self.place.journal_stream());
        let facts = Facts {
            scope: match self.place.scope {
                Scope::System => exec::Scope::System,
                Scope::User => exec::Scope::User,
            },
            environment: &birth.environment,
            told: self.told(&spawn.told),
            listen: names,
            notify_socket: &notify.to_string_lossy(),
            journal_socket: &journal.to_string_lossy(),
            directories: &birth.directories,
            idle,
            cgroup: self
                .cgroup_directory(&spawn.unit, Some(config))
                .map(|path| path.to_string_lossy().into_owned()),
            mark: self.groups.mark(spawn.unit.as_str()),
            capabilities: Capabilities(self.capabilities),
        };
        let compiled = exec::compile(config, spawn, &facts).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "units of this kind run no processes")
        })?;
        find_environment_files(&compiled.plan)?;
        let is_main = spawn.phase == Phase::Start && matches!(&config.body, Body::Service(_));
        let role = if is_main { Role::Main } else { Role::Control };
        self.processes.insert(spawn.process, Known { unit: spawn.unit.clone(), role, pid: None });
        self.send_spawn(spawn, group, passed, &compiled.plan.encode())?;
        Ok(compiled.verdicts)
    }

    fn send_spawn(
        &mut self,
        spawn: &Spawn,
        group: Option<OwnedFd>,
        passed: Vec<OwnedFd>,
        plan: &[u8],
    ) -> io::Result<()> {
        let cgroup = if group.is_some() { CgroupFd::First } else { CgroupFd::Absent };
        let watch = match spawn.watch_exec {
            WatchExec::Yes => wire::WatchExec::Yes,
            WatchExec::No => wire::WatchExec::No,
        };
        let mut fds: Vec<OwnedFd> = group.into_iter().collect();
        let id = spawn.process.0;
        if plan.len() <= PLAN_INLINE {
            fds.extend(passed);
            return self.link.send(&Order::Spawn { id, watch, cgroup, plan: PlanBytes::Inline(plan) }, fds);
        }
        let memory = rustix::fs::memfd_create("plan", MemfdFlags::CLOEXEC)?;
        let mut written = 0;
        while written < plan.len() {
            written += rustix::io::pwrite(&memory, &plan[written..], written as u64)?;
        }
        fds.push(memory);
        fds.extend(passed);
        self.link.send(&Order::Spawn { id, watch, cgroup, plan: PlanBytes::Memfd }, fds)
    }

    /// For a main process of `Type=idle`: one end of the pipe whose other is ours alone, and closed when no job is left. Should we
    /// die it is closed as well: a start is not held up by that.
    fn idle(&mut self, spawn: &Spawn, config: &Config, passed: &mut Vec<OwnedFd>) -> io::Result<Option<u16>> {
        let waits = matches!(&config.body, Body::Service(service) if service.kind == ServiceType::Idle);
        if !waits || spawn.phase != Phase::Start {
            return Ok(None);
        }
        let (end, _) = match self.idle_pipe.take() {
            Some(pipe) => self.idle_pipe.insert(pipe),
            None => self.idle_pipe.insert(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?),
        };
        passed.push(fcntl_dupfd_cloexec(end, 3)?);
        Ok(u16::try_from(passed.len() - 1).ok())
    }

    /// No job is left: those that wait for that go on.
    pub fn idles(&mut self) {
        self.idle_pipe = None;
    }

    /// The descriptors a main process is handed: its sockets in order, then what it stored. Other commands get none.
    fn handed_over(&self, spawn: &Spawn, birth: &Birth) -> io::Result<(Vec<String>, Vec<OwnedFd>)> {
        let mut names = Vec::new();
        let mut fds = Vec::new();
        if spawn.phase != Phase::Start {
            return Ok((names, fds));
        }
        for (unit, name) in birth.sockets.iter().zip(&birth.socket_names) {
            for fd in self.sockets.get(unit).into_iter().flatten() {
                names.push(name.clone());
                fds.push(fcntl_dupfd_cloexec(fd, 3)?);
            }
        }
        for stored in self.stored.get(&spawn.unit).into_iter().flatten() {
            names.push(stored.name.clone());
            fds.push(fcntl_dupfd_cloexec(&stored.fd, 3)?);
        }
        Ok((names, fds))
    }

    /// systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager".
    fn told(&self, told: &Told) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(pid) = told.main.and_then(|process| self.pid(process)) {
            words.push(format!("MAINPID={pid}"));
        }
        if let Some(result) = told.result {
            words.push(format!("SERVICE_RESULT={}", result_word(result)));
        }
        words.extend(exit_words("", told.exit));
        if let Some(monitored) = &told.monitored {
            words.push(format!("MONITOR_SERVICE_RESULT={}", result_word(monitored.result)));
            words.extend(exit_words("MONITOR_", monitored.exit));
            words.push(format!("MONITOR_INVOCATION_ID={}", super::hex(&monitored.invocation.0)));
            words.push(format!("MONITOR_UNIT={}", monitored.unit));
        }
        if let Some(unit) = &told.trigger {
            words.push(format!("TRIGGER_UNIT={unit}"));
        }
        words
    }
}

fn exit_words(prefix: &str, exit: Option<ExitStatus>) -> Vec<String> {
    let (code, status) = match exit {
        None | Some(ExitStatus::Unknown) => return Vec::new(),
        Some(ExitStatus::Code(code)) => ("exited", code.to_string()),
        Some(ExitStatus::Signal(number)) => ("killed", signal_name(number)),
        Some(ExitStatus::Dumped(number)) => ("dumped", signal_name(number)),
    };
    vec![format!("{prefix}EXIT_CODE={code}"), format!("{prefix}EXIT_STATUS={status}")]
}

/// The name a socket unit's descriptors are passed under: `FileDescriptorName=`.
pub fn descriptor_name(config: &Config) -> String {
    let said = config.socket().and_then(|socket| socket.file_descriptor_name.clone());
    said.unwrap_or_else(|| config.name.to_string())
}
