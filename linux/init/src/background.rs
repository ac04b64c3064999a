//! `init --background`: detached from whoever called, who waits until the manager is ready, or learns why not.

use crate::limits;
use crate::options::Scope;
use crate::say::may_fail;
use crate::sys::fork::{Forked, fork};
use crate::sys::signal;
use crate::wire::Finish;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The write end of the pipe on which the caller waits.
#[derive(Debug)]
pub struct Waiting(OwnedFd);

const READY: u8 = 0;

impl Waiting {
    pub fn say_ready(self) {
        self.say(READY);
    }

    /// The end came before readiness; the caller fails, whatever the code.
    pub fn say_failed(self, finish: Finish) {
        self.say(match finish {
            Finish::Exit(code) if code != READY => code,
            Finish::Exit(_) | Finish::Reboot | Finish::PowerOff | Finish::Halt | Finish::Kexec => 1,
        });
    }

    fn say(self, byte: u8) {
        // A caller that went away needs no answer.
        may_fail(rustix::io::write(&self.0, &[byte]));
    }
}

/// Where this process goes on after [`detach`].
pub enum Side {
    /// The caller's: it is done, with this code.
    Caller(ExitCode),
    /// The new init's.
    Init(Waiting),
}

/// Fork twice with a session in between, and take standard streams of our own.
pub fn detach(scope: Scope) -> Result<Side, String> {
    let path = console_log(scope)?;
    let mut options = OpenOptions::new();
    options.append(true).read(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let log = options.open(&path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    let start = log.metadata().map_or(0, |metadata| metadata.size());
    let say = |errno: Errno| format!("cannot go to the background: {errno}");
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(say)?;
    if let Forked::Parent(between) = fork().map_err(say)? {
        drop(write);
        // A foreign PID 1 may reap nobody.
        may_fail(rustix::process::waitpid(Some(between), rustix::process::WaitOptions::empty()));
        return Ok(Side::Caller(wait(read, &path, log, start)));
    }
    rustix::process::setsid().map_err(say)?;
    if let Forked::Parent(_) = fork().map_err(say)? {
        std::process::exit(0);
    }
    drop(read);
    own_streams(&log).map_err(say)?;
    Ok(Side::Init(Waiting(write)))
}

fn own_streams(log: &File) -> Result<(), Errno> {
    use crate::sys::descriptors::place;
    let null = File::open("/dev/null").map_err(|_| Errno::NOENT)?;
    place(null.as_fd(), 0)?;
    place(log.as_fd(), 1)?;
    place(log.as_fd(), 2)?;
    signal::reset(signal::Pipe::Ignored)?;
    rustix::process::chdir("/")
}

/// The caller's wait.
fn wait(pipe: OwnedFd, path: &Path, log: File, start: u64) -> ExitCode {
    let timeout = Timespec { tv_sec: limits::BACKGROUND.as_secs() as i64, tv_nsec: 0 };
    let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
    let mut byte = [0];
    let (code, reason) = match poll(&mut fds, Some(&timeout)) {
        Ok(0) => (1, format!("not ready after {} s", limits::BACKGROUND.as_secs())),
        _ => match rustix::io::read(&pipe, &mut byte) {
            Ok(1) if byte[0] == READY => return ExitCode::SUCCESS,
            Ok(1) => (byte[0], "ended before it was ready".to_owned()),
            _ => (1, "died before it was ready".to_owned()),
        },
    };
    eprintln!("eudaemon: init in the background: {reason}; {} says:", path.display());
    eprint!("{}", tail(log, start));
    ExitCode::from(code)
}

/// What was written to the log since, its last part.
fn tail(mut log: File, start: u64) -> String {
    let end = log.metadata().map_or(start, |metadata| metadata.size());
    let from = start.max(end.saturating_sub(limits::BACKGROUND_TAIL));
    let mut bytes = Vec::new();
    let read = log
        .seek(SeekFrom::Start(from))
        .and_then(|_| log.take(limits::BACKGROUND_TAIL).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(cannot read it: {error})\n"),
    }
}

/// `eudaemon/console.log` below `/run` or the user's runtime directory, which is made if need be.
fn console_log(scope: Scope) -> Result<PathBuf, String> {
    let runtime = match scope {
        Scope::System => PathBuf::from("/run"),
        Scope::User | Scope::Directory => user_runtime()?,
    };
    let directory = runtime.join("eudaemon");
    make_private(&directory)?;
    Ok(directory.join("console.log"))
}

/// `$XDG_RUNTIME_DIR`; else what logind would have made; else a directory of our own. The variable is set for
/// the manager.
pub fn user_runtime() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let uid = rustix::process::getuid().as_raw();
    let made = PathBuf::from(format!("/run/user/{uid}"));
    if std::fs::metadata(&made).is_ok_and(|metadata| metadata.uid() == uid) {
        return Ok(made);
    }
    let own = PathBuf::from(format!("/tmp/eudaemon-{uid}"));
    make_private(&own)?;
    Ok(own)
}

/// A directory that is nobody else's: made, or found to be ours.
fn make_private(path: &Path) -> Result<(), String> {
    let refused = |why: String| format!("cannot use {}: {why}", path.display());
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(error.to_string())),
    }
    let found = std::fs::symlink_metadata(path).map_err(|error| refused(error.to_string()))?;
    let ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if ours { Ok(()) } else { Err(refused("it belongs to somebody else".to_owned())) }
}
