//! What can go wrong on the way to a running daemon: always what, where and why.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a daemon cannot start, or cannot do what was asked of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The process has threads already: what concerns the whole process (detaching, users, the environment) must come
    /// before them, so describe the daemon first and start threads or a runtime inside.
    Threads {
        /// How many there are, the main one included.
        count: usize,
    },
    /// Somebody runs already: the pid file is locked, or names a process that wrote it.
    Running {
        /// The pid file.
        path: PathBuf,
        /// The process it names, if it names one.
        pid: Option<u32>,
    },
    /// The pid file cannot be made, or is none.
    PidFile {
        /// The pid file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no such user or group.
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// The name asked for.
        name: String,
    },
    /// Privileges could not be given up as asked; nothing runs with more than it should.
    Privileges {
        /// The step, in words.
        step: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A socket could not be bound or taken over.
    Socket {
        /// The name it was declared by.
        name: String,
        /// Why, with the address.
        reason: String,
    },
    /// What was handed over at the start (`LISTEN_FDS=` and its kin) contradicts itself.
    Handed {
        /// The variable and its value, and what is wrong with it.
        reason: String,
    },
    /// The manager cannot be told.
    Notify {
        /// The socket's name, as `NOTIFY_SOCKET=` spells it.
        socket: OsString,
        /// Why.
        reason: String,
    },
    /// Somebody may run with this pid file: it names a process that is old enough, but nobody has locked it.
    Named {
        /// The pid file.
        path: PathBuf,
        /// The process that it names.
        pid: u32,
    },
    /// A daemon cannot have this name: it stands before its lines.
    Name {
        /// The name.
        name: String,
    },
    /// A program cannot be what a unit starts.
    Program {
        /// The program.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// A daemon cannot be announced as it is described.
    Announcement {
        /// The name to be announced.
        name: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A file is there that is not ours, where one of ours should be.
    #[cfg(feature = "service")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// An act on the program's service would be done to somebody else's, or could not be finished. Nothing was changed.
    #[cfg(feature = "service")]
    Refused {
        /// What is in the way.
        source: io::Error,
    },
    /// A step of an act on the program's service failed. What was done before it stays done.
    #[cfg(feature = "service")]
    Step {
        /// The step, in words.
        step: String,
        /// Those before it that changed something, in words.
        done: Vec<String>,
        /// Why it failed.
        source: io::Error,
    },
    /// Another step failed.
    Io {
        /// What was being done, to what.
        doing: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>, source: impl Into<io::Error>) -> Error {
        Error::Io { doing: doing.into(), source: source.into() }
    }

    /// What a program that ends by this error exits with: sysexits.h where it has a number, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Unknown { .. } => 67,
            Error::Threads { .. } => 70,
            Error::PidFile { .. } => 73,
            #[cfg(feature = "service")]
            Error::Foreign { .. } => 73,
            Error::Privileges { .. } => 77,
            #[cfg(feature = "service")]
            Error::Step { .. } | Error::Refused { .. } => 1,
            Error::Running { .. }
            | Error::Named { .. }
            | Error::Socket { .. }
            | Error::Handed { .. }
            | Error::Notify { .. }
            | Error::Name { .. }
            | Error::Announcement { .. }
            | Error::Program { .. }
            | Error::Io { .. } => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Threads { count } => {
                write!(
                    f,
                    "{count} threads are running: the daemon must be set up before threads or a runtime start"
                )
            }
            Error::Running { path, pid: Some(pid) } => {
                write!(f, "already running as process {pid} (pid file {})", path.display())
            }
            Error::Running { path, pid: None } => {
                write!(f, "already starting or running (pid file {} is locked)", path.display())
            }
            Error::Named { path, pid } => {
                write!(
                    f,
                    "process {pid} may be this daemon: pid file {0} names it, though it is not locked; if it is another's, remove {0}",
                    path.display()
                )
            }
            Error::PidFile { path, reason } => write!(f, "pid file {}: {reason}", path.display()),
            Error::Unknown { kind, name } => write!(f, "no {kind} {name:?} on this system"),
            Error::Privileges { step, source } => write!(f, "cannot {step}: {source}"),
            Error::Socket { name, reason } => write!(f, "socket {name}: {reason}"),
            Error::Handed { reason } => f.write_str(reason),
            Error::Notify { socket, reason } => {
                write!(f, "cannot reach the service manager at {}: {reason}", socket.to_string_lossy())
            }
            Error::Name { name } => {
                write!(f, "daemon's name {name:?}: expected one of one line, without control characters")
            }
            Error::Program { path, reason } => write!(f, "program {}: {reason}", path.display()),
            Error::Announcement { name, reason } => write!(f, "cannot announce {name}: {reason}"),
            #[cfg(feature = "service")]
            Error::Foreign { path } => {
                write!(f, "{} is there, and not ours: it is left as it is", path.display())
            }
            #[cfg(feature = "service")]
            Error::Refused { source } => write!(f, "{source}; nothing was changed"),
            #[cfg(feature = "service")]
            Error::Step { step, done, source } if done.is_empty() => {
                write!(f, "cannot {step}: {source}; no step before it changed anything")
            }
            #[cfg(feature = "service")]
            Error::Step { step, done, source } => {
                write!(f, "cannot {step}: {source}; done before, and left so: {}", done.join("; "))
            }
            Error::Io { doing, source } => write!(f, "cannot {doing}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Privileges { source, .. } | Error::Io { source, .. } => Some(source),
            Error::Threads { .. }
            | Error::Running { .. }
            | Error::Named { .. }
            | Error::PidFile { .. }
            | Error::Unknown { .. }
            | Error::Socket { .. }
            | Error::Handed { .. }
            | Error::Notify { .. }
            | Error::Name { .. }
            | Error::Program { .. }
            | Error::Announcement { .. } => None,
            #[cfg(feature = "service")]
            Error::Foreign { .. } => None,
            #[cfg(feature = "service")]
            Error::Step { source, .. } | Error::Refused { source } => Some(source),
        }
    }
}
