//! The manager's process: started from our own executable, restarted when it dies, at once the first times and
//! then with growing pauses.

use crate::options::Options;
use crate::say::say;
use crate::sys::fork::{Forked, fork};
use crate::sys::{descriptors, program, signal};
use crate::wire::{Ended, MANAGER_FD};
use crate::{limits, packet};
use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub enum Manager {
    Runs(Running),
    Pauses { until: Instant },
}

#[derive(Debug)]
pub struct Running {
    pub pid: Pid,
    /// Gone when the manager closed its end; it is killed for that.
    pub socket: Option<OwnedFd>,
    pub speech: Speech,
    since: Instant,
}

/// Init is silent before `Hello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    Silent,
    /// In the middle of the snapshot.
    Telling,
    Told,
}

/// What every manager is started with.
#[derive(Debug)]
pub struct Program {
    argv: Vec<CString>,
    environment: Vec<CString>,
    /// Tried in order: /proc may not be mounted yet.
    paths: Vec<CString>,
}

impl Program {
    pub fn new(options: &Options) -> Program {
        let c = |text: OsString| CString::new(text.into_vec()).ok();
        let words = ["eudaemon".into(), "manager".into()].into_iter().chain(options.manager.iter().cloned());
        let variable = |(name, value): (OsString, OsString)| {
            let mut text = name;
            text.push("=");
            text.push(value);
            c(text)
        };
        let ours = options.environment.iter().cloned();
        let not_ours =
            |(name, _): &(OsString, OsString)| options.environment.iter().all(|(ours, _)| ours != name);
        let invoked = std::env::args_os().next().filter(|path| path.as_bytes().starts_with(b"/"));
        Program {
            argv: words.filter_map(c).collect(),
            environment: std::env::vars_os().filter(not_ours).chain(ours).filter_map(variable).collect(),
            paths: [Some("/proc/self/exe".into()), invoked].into_iter().flatten().filter_map(c).collect(),
        }
    }

    pub fn start(&self) -> Result<Running, Errno> {
        let (ours, theirs) = packet::pair()?;
        match fork()? {
            Forked::Parent(pid) => {
                let since = Instant::now();
                Ok(Running { pid, socket: Some(ours), speech: Speech::Silent, since })
            }
            Forked::Child => {
                let errno = self.become_manager(&theirs);
                say!("cannot execute the manager: {errno}");
                std::process::exit(crate::CANNOT_EXECUTE)
            }
        }
    }

    /// A session of its own: Ctrl-C on the terminal is init's to hear, and the manager's to be told.
    fn become_manager(&self, socket: &OwnedFd) -> Errno {
        let prepare = || {
            rustix::process::setsid()?;
            signal::reset(signal::Pipe::Ignored)?;
            descriptors::close_at_exec(MANAGER_FD)?;
            descriptors::place(socket.as_fd(), MANAGER_FD)
        };
        if let Err(errno) = prepare() {
            return errno;
        }
        let attempt = |path: &CString| program::execute(path, &self.argv, &self.environment).err();
        self.paths.iter().filter_map(attempt).next_back().unwrap_or(Errno::NOENT)
    }
}

/// Counts deaths that came soon after a start and were the manager's own doing.
#[derive(Debug, Default)]
pub struct Patience {
    quick_deaths: u32,
    /// Some manager once said that it is ready: its trouble is not the command line's.
    served: bool,
    /// The present one said so.
    serves: bool,
}

/// What to do about a dead manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Restart,
    RestartAfter(Duration),
    /// With this exit code: nothing lives that a manager could serve.
    GiveUp(u8),
    /// With this exit code: the first one would not serve, and has said why.
    Refused(u8),
}

/// Whether there is anything a manager is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Services {
    None,
    Live,
}

impl Patience {
    pub fn saw_ready(&mut self) {
        self.served = true;
        self.serves = true;
    }

    pub fn judge(&mut self, lived: Duration, ended: Ended, services: Services) -> Verdict {
        // Somebody killed it while it did its work: the next one will do as well, and nobody should wait for it.
        let killed = std::mem::take(&mut self.serves) && ended == Ended::Signal(libc::SIGKILL);
        let excused = killed || lived >= limits::MANAGER_STABLE;
        self.quick_deaths = if excused { 1 } else { self.quick_deaths + 1 };
        match (ended, services) {
            // It said on stderr what it disliked; asking again gives the same answer.
            (Ended::Code(code), Services::None) if code != 0 && !self.served => Verdict::Refused(code),
            (_, Services::None) if self.quick_deaths >= limits::MANAGER_GIVE_UP => Verdict::GiveUp(1),
            _ if self.quick_deaths <= limits::MANAGER_QUICK_RESTARTS => Verdict::Restart,
            _ => {
                let doublings = (self.quick_deaths - limits::MANAGER_QUICK_RESTARTS - 1).min(16);
                let pause = limits::MANAGER_PAUSE.saturating_mul(1 << doublings);
                Verdict::RestartAfter(pause.min(limits::MANAGER_PAUSE_LONGEST))
            }
        }
    }
}

impl Running {
    pub fn lived(&self) -> Duration {
        self.since.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_slow_down_and_never_stop_while_services_live() {
        let mut patience = Patience::default();
        patience.saw_ready();
        let mut death = |lived| patience.judge(Duration::from_secs(lived), Ended::Signal(9), Services::Live);
        assert_eq!([death(0), death(0), death(0)], [Verdict::Restart; 3]);
        assert_eq!(death(0), Verdict::RestartAfter(Duration::from_millis(100)));
        assert_eq!(death(0), Verdict::RestartAfter(Duration::from_millis(200)));
        for _ in 0..100 {
            death(0);
        }
        assert_eq!(death(0), Verdict::RestartAfter(Duration::from_secs(10)));
        assert_eq!(death(11), Verdict::Restart);
    }

    #[test]
    fn one_that_is_killed_at_its_work_is_back_at_once_however_often() {
        let mut patience = Patience::default();
        for _ in 0..100 {
            patience.saw_ready();
            let verdict = patience.judge(Duration::ZERO, Ended::Signal(9), Services::Live);
            assert_eq!(verdict, Verdict::Restart);
        }
        let mut crash = || {
            patience.saw_ready();
            patience.judge(Duration::ZERO, Ended::Signal(6), Services::Live)
        };
        assert_eq!(
            [crash(), crash(), crash()],
            [Verdict::Restart, Verdict::Restart, Verdict::RestartAfter(limits::MANAGER_PAUSE)]
        );
    }

    #[test]
    fn a_manager_that_never_served_takes_init_with_it() {
        let mut patience = Patience::default();
        assert_eq!(patience.judge(Duration::ZERO, Ended::Code(4), Services::None), Verdict::Refused(4));
        let mut patience = Patience::default();
        let mut death = || patience.judge(Duration::ZERO, Ended::Signal(11), Services::None);
        assert_eq!([death(), death(), death()], [Verdict::Restart; 3]);
        assert_eq!(death(), Verdict::RestartAfter(Duration::from_millis(100)));
        assert_eq!(death(), Verdict::GiveUp(1));
    }
}
