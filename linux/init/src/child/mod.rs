//! The forked child: decodes the plan, obeys it step by step, and becomes the program. What fails is written to
//! the reports socket, and the child ends with the step's exit code.
//!
//! Here allocation is free and input is read: this process is a copy, and nobody's PID 1.

mod capabilities;
mod directories;
mod environment;
mod exact;
mod fds;
mod glob;
mod mount_point;
mod program;
mod stdio;
mod user;

use crate::say::{may_fail, say};
use crate::sys::signal;
use crate::wire::{PlanBytes, SetupFailure};
use crate::{limits, packet};
use environment::Environment;
use eudaemon_plan::step::{Missing, PipeSignal, Place, Resource};
use eudaemon_plan::{ExecPlan, ExitCode, Step};
use rustix::io::Errno;
use rustix::process::{Rlimit, getrlimit, setrlimit};
use std::ffi::CString;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use user::User;

/// What the child takes with it through the fork.
pub struct Birth<'a> {
    pub id: u64,
    /// A cgroup the kernel did not put us into.
    pub cgroup: Option<BorrowedFd<'a>>,
    pub plan: PlanBytes<'a>,
    pub memfd: Option<OwnedFd>,
    pub fds: Vec<OwnedFd>,
    pub console: BorrowedFd<'a>,
    pub reports: BorrowedFd<'a>,
    /// Closed by exec, which is how init learns of it.
    pub exec: Option<OwnedFd>,
}

/// Said on the exec pipe right before exec, and taken back if that fails.
pub const EXEC_IS_NEXT: u8 = b'x';
const EXEC_FAILED: u8 = b'f';

/// Why a step failed.
enum Failure {
    /// With the step's own exit code.
    Errno(Errno),
    /// With another: a group not found while the user was.
    As(ExitCode, Errno),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure::Errno(errno)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Errno(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
    }
}

/// The process on its way from copy of init to program.
struct Process<'a> {
    birth: Birth<'a>,
    user: User,
    environment: Environment,
    streams: stdio::Streams,
    /// Found, not yet executed.
    program: Option<CString>,
}

/// Never returns to init's loop.
pub fn live(birth: Birth<'_>) -> ! {
    let mut process = Process {
        birth,
        user: User::default(),
        environment: Environment::default(),
        streams: stdio::Streams::default(),
        program: None,
    };
    let (step, code, errno) = process.obey();
    let failure =
        SetupFailure { id: process.birth.id, code: code.number(), errno: errno.raw_os_error(), step };
    if packet::send(process.birth.reports, &failure.encode(), &[], &[]).is_err() {
        say!("process {} failed at step {}: {errno}", process.birth.id, code.name());
    }
    process.say_exec(EXEC_FAILED);
    std::process::exit(i32::from(code.number()))
}

impl Process<'_> {
    /// Returns only when a step fails: its index, and how.
    fn obey(&mut self) -> (u16, ExitCode, Errno) {
        if let Err(errno) = self.join_own_cgroup() {
            return (0, ExitCode::Cgroup, errno);
        }
        let plan = match self.decode() {
            Ok(plan) => plan,
            Err(errno) => return (0, ExitCode::Resources, errno),
        };
        for (index, step) in plan.steps.iter().enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            match self.take(step) {
                Ok(()) => {}
                Err(Failure::Errno(errno)) => return (index, step.exit_code(), errno),
                Err(Failure::As(code, errno)) => return (index, code, errno),
            }
        }
        // A plan without an end: nothing to become.
        (u16::MAX, ExitCode::Exec, Errno::NOEXEC)
    }

    fn join_own_cgroup(&self) -> Result<(), Errno> {
        let Some(cgroup) = self.birth.cgroup else { return Ok(()) };
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
        let procs = rustix::fs::openat(cgroup, "cgroup.procs", flags, rustix::fs::Mode::empty())?;
        rustix::io::write(procs, b"0").map(|_| ())
    }

    fn decode(&mut self) -> Result<ExecPlan, Errno> {
        let mut bytes = Vec::new();
        let bytes = match (self.birth.plan, self.birth.memfd.take()) {
            (PlanBytes::Inline(bytes), _) => bytes,
            (PlanBytes::Memfd, Some(memfd)) => {
                use std::os::unix::fs::FileExt;
                let file = std::fs::File::from(memfd);
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                if length > eudaemon_plan::limits::PLAN_BYTES as u64 {
                    return Err(Errno::TOOBIG);
                }
                bytes.resize(length as usize, 0);
                file.read_exact_at(&mut bytes, 0).map_err(|_| Errno::IO)?;
                &bytes[..]
            }
            (PlanBytes::Memfd, None) => return Err(Errno::BADF),
        };
        ExecPlan::decode(bytes).map_err(|malformed| {
            say!("process {}: its plan {malformed}", self.birth.id);
            Errno::BADMSG
        })
    }

    fn take(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Signals { pipe } => reset_signals(pipe)?,
            Step::Session => drop(rustix::process::setsid()?),
            Step::JoinCgroup(path) => std::fs::write(format!("{path}/cgroup.procs"), "0")?,
            Step::GiveCgroup(path) => self.user.own_cgroup(path)?,
            Step::FindUser(wanted) => self.user = User::find(wanted)?,
            Step::Stdin(input) => self.stdin(input)?,
            Step::Stdout(output) => self.output(stdio::Stream::Output, output)?,
            Step::Stderr(output) => self.output(stdio::Stream::Error, output)?,
            Step::OomScoreAdjust(score) => oom_score_adjust(*score)?,
            Step::Nice(level) => nice(*level)?,
            Step::Directories(those) => directories::make(those, &self.user)?,
            Step::Environment(assignments) => assignments.iter().for_each(|one| self.environment.merge(one)),
            Step::SetKnown(known) => self.set_known(known),
            Step::PassEnvironment(names) => self.environment.pass(names),
            Step::EnvironmentFile { path, missing } => self.environment.read_file(path, missing)?,
            Step::UnsetEnvironment(entries) => entries.iter().for_each(|entry| self.environment.unset(entry)),
            Step::Umask(mask) => drop(rustix::process::umask(rustix::fs::Mode::from_raw_mode(*mask))),
            Step::Rlimit { resource, soft, hard } => limit(resource, *soft, *hard)?,
            Step::Idle(index) => wait_until_idle(passed(&self.birth.fds, *index)?),
            Step::Mark(number) => mark(*number),
            Step::SetGroups => self.user.set_groups()?,
            Step::RootDirectory(path) => {
                rustix::process::chroot(path)?;
                rustix::process::chdir("/")?;
            }
            Step::Fds { indices, blocking } => self.hand_over(indices, blocking)?,
            Step::BoundingSet(mask) => capabilities::bound(*mask)?,
            Step::KeepCapabilities => rustix::thread::set_keep_capabilities(true)?,
            Step::SetUser => self.user.set_user()?,
            Step::Ambient(mask) => capabilities::make_ambient(*mask)?,
            Step::WorkingDirectory { place, missing } => self.change_directory(place, missing)?,
            Step::NoNewPrivileges => rustix::thread::set_no_new_privs(true)?,
            Step::MountPoint(point) => mount_point::make(point)?,
            Step::FindProgram(program) => self.find_program(program)?,
            Step::Exec(command) => self.execute(command)?,
        }
        Ok(())
    }

    fn say_exec(&self, byte: u8) {
        if let Some(pipe) = &self.birth.exec {
            // Init went away, or does not care.
            may_fail(rustix::io::write(pipe, &[byte]));
        }
    }

    fn change_directory(&self, place: &Place, missing: &Missing) -> Result<(), Errno> {
        let changed = match place {
            Place::Path(path) => rustix::process::chdir(path),
            Place::Home => match self.user.home() {
                Some(home) => rustix::process::chdir(home),
                None => Err(Errno::NXIO),
            },
        };
        match missing {
            Missing::Ignored => Ok(()),
            Missing::Fails => changed,
        }
    }
}

fn reset_signals(pipe: &PipeSignal) -> Result<(), Errno> {
    signal::reset(match pipe {
        PipeSignal::Default => signal::Pipe::Default,
        PipeSignal::Ignored => signal::Pipe::Ignored,
    })
}

fn oom_score_adjust(score: i16) -> Result<(), Failure> {
    match std::fs::write("/proc/self/oom_score_adj", score.to_string()) {
        // Containers may not go lower than they are.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        other => Ok(other?),
    }
}

/// What is not permitted is done as far as it is: RLIMIT_NICE says how far.
fn nice(level: i8) -> Result<(), Errno> {
    match rustix::process::setpriority_process(None, i32::from(level)) {
        Err(Errno::ACCESS | Errno::PERM) => {
            let allowed = getrlimit(rustix::process::Resource::Nice).current.unwrap_or(40).min(40);
            let lowest = 20 - i32::try_from(allowed).unwrap_or(40);
            let now = rustix::process::getpriority_process(None)?;
            let closest = i32::from(level).max(lowest).min(now);
            rustix::process::setpriority_process(None, closest)
        }
        other => other,
    }
}

fn limit(resource: &Resource, soft: u64, hard: u64) -> Result<(), Errno> {
    let resource = kernel_resource(resource);
    let known = |limit: u64| (limit != u64::MAX).then_some(limit);
    match setrlimit(resource, Rlimit { current: known(soft), maximum: known(hard) }) {
        Err(Errno::PERM) => {
            let highest = hard.min(getrlimit(resource).maximum.unwrap_or(u64::MAX));
            let closest = Rlimit { current: known(soft.min(highest)), maximum: known(highest) };
            setrlimit(resource, closest)
        }
        other => other,
    }
}

/// A signal ends the child as it would end the program, for all are at their defaults; anything else that goes wrong is no
/// reason not to start.
fn wait_until_idle(others: BorrowedFd<'_>) {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut waited = [PollFd::from_borrowed_fd(others, PollFlags::empty())];
    may_fail(poll(&mut waited, Some(&limits::IDLE)));
}

/// The hard limit stays as it is.
fn mark(number: u64) {
    let maximum = getrlimit(rustix::process::Resource::Rttime).maximum;
    may_fail(setrlimit(rustix::process::Resource::Rttime, Rlimit { current: Some(number), maximum }));
}

fn kernel_resource(resource: &Resource) -> rustix::process::Resource {
    use rustix::process::Resource as Kernel;
    match resource {
        Resource::Cpu => Kernel::Cpu,
        Resource::Fsize => Kernel::Fsize,
        Resource::Data => Kernel::Data,
        Resource::Stack => Kernel::Stack,
        Resource::Core => Kernel::Core,
        Resource::Rss => Kernel::Rss,
        Resource::Nproc => Kernel::Nproc,
        Resource::Nofile => Kernel::Nofile,
        Resource::Memlock => Kernel::Memlock,
        Resource::As => Kernel::As,
        Resource::Locks => Kernel::Locks,
        Resource::Sigpending => Kernel::Sigpending,
        Resource::Msgqueue => Kernel::Msgqueue,
        Resource::Nice => Kernel::Nice,
        Resource::Rtprio => Kernel::Rtprio,
        Resource::Rttime => Kernel::Rttime,
    }
}

/// A whole file, if it is no larger than a text file should be.
fn read_text_file(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limits::TEXT_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits::TEXT_FILE {
        return Err(Errno::FBIG.into());
    }
    Ok(bytes)
}

/// A passed descriptor by its place in the plan.
fn passed(fds: &[OwnedFd], index: u16) -> Result<BorrowedFd<'_>, Errno> {
    fds.get(usize::from(index)).map(AsFd::as_fd).ok_or(Errno::BADF)
}
