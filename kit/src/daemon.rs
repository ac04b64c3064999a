//! What an author writes: a description of the daemon, from which its life in every surrounding follows.

#[cfg(feature = "announce")]
use crate::announce::{Announcement, Registry};
use crate::described::can_be_a_name;
use crate::detach::detach;
use crate::error::{Error, Result};
use crate::last_words::{errno_of, panic_text, tell_of_panics, with_sources};
use crate::life::{Beginning, Life, Parts};
use crate::limits::STOP_WITHIN;
use crate::log::{Log, Priority, Stderr};
use crate::notify::Notifier;
use crate::pid_file::PidFile;
use crate::privileges::Privileges;
use crate::report::Report;
use crate::sockets::{Socket, Sockets, from_stdin, handed};
use crate::starter::{Handed, Starter, look};
use crate::sys::fd::{adopt, close_inherited, occupy_streams};
use crate::sys::process::{Alone, exit_at_once};
use crate::sys::signal;
use rustix::fs::{Mode, OFlags};
use std::error::Error as Failure;
use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::Resource;

/// The number of a descriptor that came from whoever started the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdNumber(pub RawFd);

/// What others may do with files that the daemon makes, by default: read them.
const UMASK: u32 = 0o022;

/// Whether the daemon goes into the background. Under a supervisor that watches over it, it never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// It stays where it was started.
    Foreground,
    /// It detaches; the process that was started waits until the daemon is ready.
    Background,
}

impl Ground {
    /// Background if `--daemon` stands among the arguments before any `--`.
    #[must_use]
    pub fn of_arguments(arguments: impl IntoIterator<Item = OsString>) -> Ground {
        let mut words = arguments.into_iter().skip(1).take_while(|word| word != "--");
        if words.any(|word| word == "--daemon") { Ground::Background } else { Ground::Foreground }
    }
}

/// What becomes of the environment in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Variables {
    Kept,
    /// Only these stay.
    Only(Vec<OsString>),
}

/// A daemon's description.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    ground: Option<Ground>,
    pid_file: Option<PathBuf>,
    sockets: Vec<Socket>,
    privileges: Privileges,
    directory: PathBuf,
    umask: u32,
    stdout: Option<PathBuf>,
    stderr: Option<PathBuf>,
    variables: Variables,
    limits: Vec<(Resource, u64)>,
    kept: Vec<RawFd>,
    notification: Option<RawFd>,
    stop_within: Duration,
    ready_within: Option<Duration>,
    #[cfg(feature = "announce")]
    announcements: Vec<(Registry, Announcement)>,
}

impl Daemon {
    /// A daemon of this name, which stands before its lines.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Daemon {
        Daemon {
            name: name.into(),
            ground: None,
            pid_file: None,
            sockets: Vec::new(),
            privileges: Privileges::keep(),
            directory: PathBuf::from("/"),
            umask: UMASK,
            stdout: None,
            stderr: None,
            variables: Variables::Kept,
            limits: Vec::new(),
            kept: Vec::new(),
            notification: None,
            stop_within: STOP_WITHIN,
            ready_within: None,
            #[cfg(feature = "announce")]
            announcements: Vec::new(),
        }
    }

    /// Where it runs, instead of looking for `--daemon` among the program's arguments.
    #[must_use]
    pub fn ground(mut self, ground: Ground) -> Daemon {
        self.ground = Some(ground);
        self
    }

    /// Has a pid file; not under a manager that keeps count itself.
    #[must_use]
    pub fn pid_file(mut self, path: impl Into<PathBuf>) -> Daemon {
        self.pid_file = Some(path.into());
        self
    }

    /// Wants this socket: handed over, or bound before rights are given up.
    #[must_use]
    pub fn socket(mut self, socket: Socket) -> Daemon {
        self.sockets.push(socket);
        self
    }

    /// Gives up rights once sockets, pid file and log are open.
    #[must_use]
    pub fn privileges(mut self, privileges: Privileges) -> Daemon {
        self.privileges = privileges;
        self
    }

    /// Its working directory in the background, `/` by default.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Daemon {
        self.directory = path.into();
        self
    }

    /// What files that it makes in the background are without: permission bits, `0o022` by default.
    #[must_use]
    pub fn umask(mut self, umask: Mode) -> Daemon {
        self.umask = umask.as_raw_mode();
        self
    }

    /// The file that stdout is appended to in the background, instead of going nowhere.
    #[must_use]
    pub fn stdout(mut self, path: impl Into<PathBuf>) -> Daemon {
        self.stdout = Some(path.into());
        self
    }

    /// The file that stderr is appended to in the background once the daemon is ready, instead of going nowhere.
    #[must_use]
    pub fn stderr(mut self, path: impl Into<PathBuf>) -> Daemon {
        self.stderr = Some(path.into());
        self
    }

    /// In the background, only these environment variables stay.
    #[must_use]
    pub fn only_variables<Name: Into<OsString>>(mut self, names: impl IntoIterator<Item = Name>) -> Daemon {
        self.variables = Variables::Only(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets a resource limit, soft and hard: setrlimit(2).
    #[must_use]
    pub fn limit(mut self, resource: Resource, to: u64) -> Daemon {
        self.limits.push((resource, to));
        self
    }

    /// Keeps an inherited descriptor open in the background. Those that the program opened itself stay in any case, as long as
    /// they have `FD_CLOEXEC`, which all have that Rust opened. What a C library opened without it before [`Daemon::start`]
    /// looks as if it had been inherited: it is closed unless it is named here, and is never to be declared as handed over
    /// (`LISTEN_FDS=`, `NOTIFY_FD=`), since it would have two owners.
    #[must_use]
    pub fn keep(mut self, fd: &impl AsRawFd) -> Daemon {
        self.kept.push(fd.as_raw_fd());
        self
    }

    /// Writes a newline to this descriptor when ready, and closes it: s6's `notification-fd`. `NOTIFY_FD=` in the
    /// environment says the same.
    #[must_use]
    pub fn notification_fd(mut self, number: FdNumber) -> Daemon {
        self.notification = Some(number.0);
        self
    }

    /// How long a stop may take, 30 s by default; then it ends by force. Whole seconds count.
    #[must_use]
    pub fn stop_within(mut self, time: Duration) -> Daemon {
        self.stop_within = time;
        self
    }

    /// How long the process in front waits for the daemon to be ready, for ever by default. Then the daemon is stopped
    /// again.
    #[must_use]
    pub fn ready_within(mut self, time: Duration) -> Daemon {
        self.ready_within = Some(time);
        self
    }

    /// Is entered in a registry once it is ready, and taken out again when a stop begins, or at whatever end it comes to.
    ///
    /// A registry that is away is no error and is not waited for: it is tried again in the background, and the log says
    /// once that it is away, and once that it is back.
    #[cfg(feature = "announce")]
    #[must_use]
    pub fn announce(mut self, registry: Registry, announcement: Announcement) -> Daemon {
        self.announcements.push((registry, announcement));
        self
    }

    /// Runs the daemon: sets everything up, calls `serve`, waits for open work, cleans up.
    ///
    /// What goes wrong is told to whoever started the daemon, once, on the way that reaches them; the exit code is the
    /// error's if it is an [`Error`], else 1; a panic's is 101.
    pub fn run<E>(self, serve: impl FnOnce(&mut Life) -> std::result::Result<(), E>) -> ExitCode
    where
        E: Into<Box<dyn Failure + Send + Sync>>,
    {
        let mut life = match self.start_or_tell() {
            Ok(life) => life,
            Err(exit) => return ExitCode::from(exit),
        };
        tell_of_panics(&life);
        match panic::catch_unwind(AssertUnwindSafe(|| serve(&mut life))) {
            Ok(Ok(())) => {
                life.finish();
                ExitCode::SUCCESS
            }
            Ok(Err(error)) => {
                let error = error.into();
                let exit = error.downcast_ref::<Error>().map_or(1, Error::exit_code);
                life.fail(exit, errno_of(&*error), &with_sources(&*error));
                ExitCode::from(exit)
            }
            // People have it from the hook; whoever waits in front has the same stderr.
            Err(panic) => {
                life.fail_told(101, None, &format!("panicked: {}", panic_text(&*panic)));
                ExitCode::from(101)
            }
        }
    }

    /// [`Daemon::start`], and a failure is told to whoever started the daemon, as [`Daemon::run`] tells it.
    ///
    /// # Errors
    ///
    /// What to exit with.
    pub fn start_or_tell(self) -> std::result::Result<Life, u8> {
        let name = self.name.clone();
        self.start().map_err(|error| {
            error.tell(&name);
            error.exit_code()
        })
    }

    /// Sets everything up and gives the running daemon, for a `main` that wants to keep the rest in its own hands, and
    /// ends it by [`Life::finish`] or [`Life::fail`]. In the background only the daemon returns from it: the process
    /// that was started waits here, reports and exits.
    ///
    /// # Errors
    ///
    /// [`Error`], each with what, where and why. In the background the process in front has told it then, and this one
    /// has only to end.
    pub fn start(self) -> Result<Life> {
        occupy_streams().map_err(|errno| Error::io("open /dev/null", errno))?;
        self.check()?;
        let (starter, handed) = look();
        let ground = self.ground.unwrap_or_else(|| Ground::of_arguments(std::env::args_os()));
        let alone = Alone::now();
        if ground == Ground::Background && starter.lets_detach() {
            let alone = alone.map_err(|count| Error::Threads { count })?;
            // Held from here on: a second start learns at once that there is a first.
            let pid_file = self.lock_pid_file(&starter)?;
            let (reporter, pid_file) = detach(&self.name, &alone, pid_file, self.ready_within)?;
            let set_up = self.in_background(&alone, starter, handed, pid_file);
            match set_up {
                Ok(mut life) => {
                    life.waited_for_by(reporter);
                    Ok(life)
                }
                Err(error) => {
                    // Said once, in front.
                    reporter.send(&Report::Failed { exit: error.exit_code(), reason: error.to_string() });
                    exit_at_once(error.exit_code())
                }
            }
        } else {
            if self.privileges.change_anything() {
                alone.map_err(|count| Error::Threads { count })?;
            }
            let pid_file = self.lock_pid_file(&starter)?;
            self.set_up(starter, handed, pid_file, None)
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    pub(crate) fn rights(&self) -> &Privileges {
        &self.privileges
    }

    #[cfg(feature = "service")]
    pub(crate) fn its_pid_file(&self) -> Option<&std::path::Path> {
        self.pid_file.as_deref()
    }

    #[cfg(feature = "service")]
    pub(crate) fn its_limits(&self) -> &[(Resource, u64)] {
        &self.limits
    }

    /// Whether a registry is spoken to that may be reached by the network.
    pub(crate) fn is_announced_by_network(&self) -> bool {
        #[cfg(all(feature = "announce", feature = "consul"))]
        if self.announcements.iter().any(|(registry, _)| *registry == Registry::Consul) {
            return true;
        }
        false
    }

    #[cfg(feature = "announce")]
    pub(crate) fn its_announcements(&self) -> &[(Registry, Announcement)] {
        &self.announcements
    }

    pub(crate) fn its_descriptors(&self) -> (&[RawFd], Option<RawFd>) {
        (&self.kept, self.notification)
    }

    pub(crate) fn longest_stop(&self) -> Duration {
        self.stop_within
    }

    fn lock_pid_file(&self, starter: &Starter) -> Result<Option<PidFile>> {
        match &self.pid_file {
            // Of where we are now: the directory changes.
            Some(path) if !starter.keeps_count() => {
                PidFile::lock(std::path::absolute(path).unwrap_or_else(|_| path.clone())).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// The daemon(7) steps after the forks.
    fn in_background(
        self,
        alone: &Alone,
        starter: Starter,
        handed: Handed,
        pid_file: Option<PidFile>,
    ) -> Result<Life> {
        signal::reset().map_err(|errno| Error::io("reset signals", errno))?;
        let mut keep = self.kept.clone();
        keep.extend(self.notification);
        keep.extend(handed.notify_fd.as_ref().and_then(|number| number.to_str()?.parse::<RawFd>().ok()));
        close_inherited(&keep);
        rustix::process::umask(Mode::from_raw_mode(self.umask));
        let directory = format!("change the directory to {}", self.directory.display());
        rustix::process::chdir(&self.directory).map_err(|errno| Error::io(directory, errno))?;
        if let Variables::Only(names) = &self.variables {
            for (name, _) in std::env::vars_os().filter(|(name, _)| !names.contains(name)) {
                alone.forget_variable(&name);
            }
        }
        let nowhere = open_for("/dev/null".into(), OFlags::RDWR)?;
        let append = |path: &Option<PathBuf>| match path {
            Some(path) => open_for(path.clone(), OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE),
            None => open_for("/dev/null".into(), OFlags::RDWR),
        };
        let (stdout, stderr) = (append(&self.stdout)?, append(&self.stderr)?);
        let replace = |errno| Error::io("replace stdin and stdout", errno);
        rustix::stdio::dup2_stdin(&nowhere).map_err(replace)?;
        rustix::stdio::dup2_stdout(&stdout).map_err(replace)?;
        self.set_up(starter, handed, pid_file, Some(stderr))
    }

    /// What every daemon needs, on whichever ground. Rights go last.
    fn set_up(
        self,
        starter: Starter,
        mut handed_over: Handed,
        pid_file: Option<PidFile>,
        stderr: Option<OwnedFd>,
    ) -> Result<Life> {
        let fate = if stderr.is_some() && self.stderr.is_none() { Stderr::Goes } else { Stderr::Stays };
        let log = Log::choose(&self.name, &starter, &handed_over, fate);
        let last_line = log.last_line("stopping took too long: ended by force");
        let patience = u32::try_from(self.stop_within.as_secs()).unwrap_or(u32::MAX).saturating_add(2);
        let signals = signal::listen(patience, last_line.into_bytes())
            .map_err(|errno| Error::io("listen to signals", errno))?;
        let given = match &handed_over.listen {
            Some((count, names)) => handed(count, names.as_deref())?,
            None if starter == Starter::Superserver => from_stdin()?,
            None => Vec::new(),
        };
        let sockets = Sockets::gather(given, &self.sockets)?;
        for (resource, to) in &self.limits {
            let limit = rustix::process::Rlimit { current: Some(*to), maximum: Some(*to) };
            rustix::process::setrlimit(*resource, limit)
                .map_err(|errno| Error::io(format!("limit {resource:?} to {to}"), errno))?;
        }
        let notifier = match &handed_over.notify_socket {
            Some(name) => Notifier::connect(name).unwrap_or_else(|error| {
                // Left over from somebody's environment; a manager that does wait will say so itself.
                log.line(Priority::Warning, format!("{error} (NOTIFY_SOCKET=): goes on without"));
                Notifier::silent()
            }),
            None => Notifier::silent(),
        };
        let notification = self.notification_end(&starter, &mut handed_over)?;
        #[cfg(feature = "announce")]
        let announcements = self
            .announcements
            .iter()
            .map(|(registry, announcement)| announcement.prepare(*registry, &sockets, &handed_over))
            .collect::<Result<_>>()?;
        self.privileges.give_up()?;
        Ok(Life::new(Parts {
            notifier,
            log,
            starter,
            handed: handed_over,
            signals,
            sockets,
            beginning: Beginning { reporter: None, notification, stderr },
            pid_file,
            stop_within: self.stop_within,
            #[cfg(feature = "announce")]
            announcements,
        }))
    }

    /// s6's descriptor, taken over.
    fn notification_end(&self, starter: &Starter, handed: &mut Handed) -> Result<Option<OwnedFd>> {
        let number = match (&self.notification, handed.notify_fd.take()) {
            // Who knows nothing of it has not opened it.
            (Some(number), _) if !matches!(starter, Starter::Supervisor(_)) => {
                return Ok(adopt(*number).filter(|_| *number > 2));
            }
            (Some(number), _) => *number,
            (None, None) => return Ok(None),
            (None, Some(text)) => {
                text.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| Error::Handed {
                    reason: format!("NOTIFY_FD={}: expected a descriptor's number", text.to_string_lossy()),
                })?
            }
        };
        let end = adopt(number).filter(|_| number > 2);
        let missing = || Error::Handed { reason: format!("notification fd {number} was not handed over") };
        end.ok_or_else(missing).map(Some)
    }
}

impl Error {
    /// Tells it to whoever started the program, on the way that reaches them, as a line of the daemon of this name: for
    /// what goes wrong before there is a [`Life`].
    pub fn tell(&self, name: &str) {
        let (starter, handed) = look();
        let name = if can_be_a_name(name) { name } else { "daemon" };
        let log = Log::choose(name, &starter, &handed, Stderr::Stays);
        log.line(Priority::Error, self.to_string());
    }
}

fn open_for(path: PathBuf, flags: OFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
    rustix::fs::open(&path, flags, Mode::from_raw_mode(0o640))
        .map_err(|errno| Error::io(format!("open {}", path.display()), errno))
}
