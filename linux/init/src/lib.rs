//! init: PID 1, or a subreaper beside another PID 1.
//!
//! It does five things: fork a child that obeys a plan, reap children and tell their exits, send signals to
//! children it has not reaped, keep named descriptors (the vault), and end everything. It restarts the manager
//! when that dies. It knows no unit and no policy; of a message it reads a fixed header, and a plan is opaque
//! bytes that only the forked child decodes. One thread, no allocation that input can size.

pub mod limits;
pub mod packet;
pub mod signals;
pub mod wire;

mod background;
mod child;
mod children;
mod finish;
mod manager;
mod options;
mod run;
mod say;
mod sys;
mod vault;

use options::{Ground, Options, Rights, Scope, Unknown};
use rustix::io::Errno;
use say::{may_fail, say};
use std::ffi::OsString;
use std::process::ExitCode;
use sys::descriptors;

pub use sys::descriptors::take_inherited;

/// The exit code of a process that was to become the manager and could not: EXIT_EXEC of systemd.exec(5).
const CANNOT_EXECUTE: i32 = 203;

/// The exit code for a wrong command line.
const USAGE: u8 = 2;

/// `eudaemon init …` and `eudaemon up …`; `args` opens with that word.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let rights = if rustix::process::geteuid().is_root() { Rights::Root } else { Rights::Ordinary };
    let is_first = rustix::process::getpid() == rustix::process::Pid::INIT;
    let unknown = if is_first { Unknown::PassedOver } else { Unknown::Refused };
    if !is_first && let Some(text) = options::help(&args) {
        print!("{text}");
        return ExitCode::SUCCESS;
    }
    let mut options = match options::parse(&args, rights, unknown) {
        Ok(options) => options,
        Err(line) => {
            eprintln!("{line}");
            return ExitCode::from(USAGE);
        }
    };
    if let Err(line) = find_runtime(&mut options) {
        say!("{line}");
        return ExitCode::FAILURE;
    }
    let waiting = match options.ground {
        Ground::Foreground => None,
        Ground::Background => match background::detach(options.scope) {
            Ok(background::Side::Caller(code)) => return code,
            Ok(background::Side::Init(waiting)) => Some(waiting),
            Err(line) => {
                say!("{line}");
                return ExitCode::FAILURE;
            }
        },
    };
    let init = become_init(&options, rights).and_then(|()| run::Init::new(&options, waiting));
    match init {
        Ok(init) => finish::leave(init.run()),
        Err(errno) => {
            say!("cannot become init: {errno}");
            ExitCode::FAILURE
        }
    }
}

/// A user's manager without a runtime directory gets one, by way of its environment.
fn find_runtime(options: &mut Options) -> Result<(), String> {
    match options.scope {
        Scope::System => {}
        Scope::User | Scope::Directory => {
            let runtime = background::user_runtime()?;
            options.environment.push(("XDG_RUNTIME_DIR".into(), runtime.into()));
        }
    }
    Ok(())
}

/// What makes this process one that can be init: the orphans come to it, nothing leaks to its children, and
/// its name is what clients of systemd look for.
fn become_init(options: &Options, rights: Rights) -> Result<(), Errno> {
    for number in 0..3 {
        if descriptors::inherited(number).is_none() {
            let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
            let null = null.map_err(|_| Errno::BADF)?;
            descriptors::place(std::os::fd::AsFd::as_fd(&null), number)?;
        }
    }
    descriptors::close_at_exec(3)?;
    sys::signal::heed_all()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let name = match (options.scope, rights) {
        (Scope::System, Rights::Root) => c"systemd",
        (Scope::System | Scope::User | Scope::Directory, _) => c"eudaemon",
    };
    rustix::thread::set_name(name)?;
    if options.scope == Scope::System && rights == Rights::Root {
        // Services of root find an empty list, whoever's shell started us. Not permitted in some containers.
        may_fail(rustix::thread::set_thread_groups(&[]));
        rustix::process::chdir("/")?;
    }
    raise_open_files();
    Ok(())
}

/// The vault is large; children get their limits from their plans.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Raising the soft limit up to the hard one is always permitted.
    may_fail(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }));
}

/// How long a fork, exec and wait of this program takes without anything of ours: the floor of the benchmark.
pub fn bare_fork_and_exec(path: &std::ffi::CStr) -> std::time::Duration {
    let start = std::time::Instant::now();
    match sys::fork::fork() {
        Ok(sys::fork::Forked::Child) => {
            let argv = [path.to_owned()];
            std::process::exit(if sys::program::execute(path, &argv, &[]).is_err() {
                CANNOT_EXECUTE
            } else {
                0
            })
        }
        Ok(sys::fork::Forked::Parent(pid)) => {
            say::may_fail(rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()));
        }
        Err(errno) => say!("cannot fork: {errno}"),
    }
    start.elapsed()
}
