//! The loop: hear signals, exits, orders and exec pipes; obey; tell.
//!
//! Two rules keep it from losing anything. What happened is written into a table first and told from there, as
//! the manager's socket has room; and an order is read only when the answer to the one before was taken.

mod orders;
mod signal_set;
mod tell;

use crate::background::Waiting;
use crate::children::{Children, Life, Orphans, Untold};
use crate::finish;
use crate::limits;
use crate::manager::{self, Manager, Patience, Services, Speech, Verdict};
use crate::options::Options;
use crate::packet;
use crate::say::say;
use crate::sys::signal;
use crate::vault::{Name, Vault};
use crate::wire::{self, Ended, Finish};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus};
use signal_set::SignalSet;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::time::Instant;

/// Epoll tokens; anything else is the id of a child whose exec is awaited. Ids grow from 1.
const SIGNALS: u64 = u64::MAX;
const MANAGER: u64 = u64::MAX - 1;

/// The signals a manager is told of; SIGCHLD is our own.
const FORWARDED: [i32; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGWINCH,
    libc::SIGPWR,
];

pub struct Init {
    epoll: OwnedFd,
    signals: OwnedFd,
    /// Where children write which step failed.
    reports: OwnedFd,
    console: OwnedFd,
    /// Told when the manager is ready; dropped then.
    waiting_parent: Option<Waiting>,
    program: manager::Program,
    manager: Manager,
    patience: Patience,
    children: Children,
    orphans: Orphans,
    vault: Vault,
    untold_signals: SignalSet,
    /// Told, and lost if the manager dies before it says `Heard`.
    unheard_signals: SignalSet,
    /// SIGTERM and SIGINT that no manager could be told of.
    unheard_terminations: u32,
    /// An answer the manager's socket had no room for.
    unsent: Option<Unsent>,
    /// What epoll watches the manager's socket for.
    interest: epoll::EventFlags,
    clone: Clone3,
    buffer: Vec<u8>,
    fds: Vec<OwnedFd>,
}

/// An answer waiting for room.
struct Unsent {
    head: [u8; wire::HEADER],
    tail: Name,
}

/// Whether clone3 is worth trying; a container's filter may hide it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clone3 {
    Untried,
    Refused,
}

impl Init {
    /// Everything is allocated and opened here, once.
    pub fn new(options: &Options, waiting_parent: Option<Waiting>) -> Result<Init, Errno> {
        let forwarded = FORWARDED.into_iter().chain(signal::FIRST_REAL_TIME..=signal::LAST);
        let signals = signal::signalfd(forwarded.chain([libc::SIGCHLD]))?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &signals, epoll::EventData::new_u64(SIGNALS), epoll::EventFlags::IN)?;
        let (reports_end, reports) = packet::pair()?;
        let console = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        let mut vault = Vault::new();
        vault.put(wire::REPORTS, [reports_end].into_iter())?;
        vault.put(wire::CONSOLE, [console.try_clone().map_err(|_| Errno::MFILE)?].into_iter())?;
        Ok(Init {
            epoll,
            signals,
            reports,
            console,
            waiting_parent,
            program: manager::Program::new(options),
            manager: Manager::Pauses { until: Instant::now() },
            patience: Patience::default(),
            children: Children::new(),
            orphans: Orphans::new(),
            vault,
            untold_signals: SignalSet::default(),
            unheard_signals: SignalSet::default(),
            unheard_terminations: 0,
            unsent: None,
            interest: epoll::EventFlags::IN,
            clone: Clone3::Untried,
            buffer: vec![0; limits::MESSAGE],
            fds: Vec::with_capacity(limits::FDS_PER_MESSAGE),
        })
    }

    /// Until something says how it ends.
    pub fn run(mut self) -> Finish {
        let finish = loop {
            self.start_manager_if_due();
            if let ControlFlow::Break(finish) = self.turn() {
                break finish;
            }
        };
        if let Some(parent) = self.waiting_parent.take() {
            parent.say_failed(finish);
        }
        let manager = match &self.manager {
            Manager::Runs(running) => Some(running.pid),
            Manager::Pauses { .. } => None,
        };
        finish::stop_everything(&self.signals, &mut self.children, manager);
        finish
    }

    /// Wait, and deal with all that came.
    fn turn(&mut self) -> ControlFlow<Finish> {
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 32];
        let count = epoll::wait(&self.epoll, &mut events[..], self.patience_left().as_ref()).unwrap_or(0);
        // Orders first: a manager that died may have left some in the socket, and its death is among the signals.
        for event in &events[..count] {
            match event.data.u64() {
                SIGNALS => {}
                MANAGER => self.obey()?,
                id => self.hear_exec(id),
            }
        }
        self.hear_signals()?;
        self.tell();
        ControlFlow::Continue(())
    }

    /// How long the loop may sleep: for ever, or until the next manager is due.
    fn patience_left(&self) -> Option<Timespec> {
        match &self.manager {
            Manager::Runs(_) => None,
            Manager::Pauses { until } => {
                let left = until.saturating_duration_since(Instant::now());
                Some(Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) })
            }
        }
    }

    fn start_manager_if_due(&mut self) {
        match &self.manager {
            Manager::Pauses { until } if *until <= Instant::now() => {}
            Manager::Pauses { .. } | Manager::Runs(_) => return,
        }
        let started = self.program.start().and_then(|running| {
            if let Some(socket) = &running.socket {
                epoll::add(&self.epoll, socket, epoll::EventData::new_u64(MANAGER), epoll::EventFlags::IN)?;
            }
            Ok(running)
        });
        self.unsent = None;
        self.interest = epoll::EventFlags::IN;
        self.manager = match started {
            Ok(running) => Manager::Runs(running),
            Err(errno) => {
                say!("cannot start the manager: {errno}");
                Manager::Pauses { until: Instant::now() + limits::MANAGER_PAUSE_LONGEST }
            }
        };
    }
}

/// Signals and exits.
impl Init {
    fn hear_signals(&mut self) -> ControlFlow<Finish> {
        while let Some(number) = signal::next(&self.signals) {
            match number {
                libc::SIGCHLD => self.reap()?,
                number => self.hear_signal(number)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn hear_signal(&mut self, number: i32) -> ControlFlow<Finish> {
        self.untold_signals.add(number);
        let told = matches!(&self.manager, Manager::Runs(running) if running.speech != Speech::Silent);
        if told || !matches!(number, libc::SIGTERM | libc::SIGINT) {
            return ControlFlow::Continue(());
        }
        self.unheard_terminations += 1;
        if self.unheard_terminations < 2 {
            return ControlFlow::Continue(());
        }
        say!("told to end twice while no manager runs: stopping everything without one");
        ControlFlow::Break(Finish::Exit(1))
    }

    /// SIGCHLD is a hint: reap until nothing is left.
    fn reap(&mut self) -> ControlFlow<Finish> {
        while let Some((pid, ended)) = next_exit() {
            let is_manager = matches!(&self.manager, Manager::Runs(running) if running.pid == pid);
            if is_manager {
                self.manager_died(ended)?;
            } else if let Some(child) = self.children.living(pid) {
                child.life = Life::Ended(ended);
                child.untold.add(Untold::EXITED);
                let id = child.id;
                self.settle_exec(id);
            } else {
                self.orphans.add(pid, ended);
            }
        }
        ControlFlow::Continue(())
    }

    fn manager_died(&mut self, ended: Ended) -> ControlFlow<Finish> {
        // What it ordered before it died is still in the socket.
        self.unsent = None;
        self.obey_all()?;
        let Manager::Runs(running) = &mut self.manager else { return ControlFlow::Continue(()) };
        report_trouble(unwatch(&self.epoll, running.socket.take()));
        let services = if self.children.any_lives() { Services::Live } else { Services::None };
        let verdict = self.patience.judge(running.lived(), ended, services);
        if let Some(words) = what_now(verdict) {
            say!("the manager ended ({}): {words}", Words(ended));
        }
        let now = Instant::now();
        self.manager = match verdict {
            Verdict::Restart => Manager::Pauses { until: now },
            Verdict::RestartAfter(pause) => Manager::Pauses { until: now + pause },
            Verdict::GiveUp(code) | Verdict::Refused(code) => return ControlFlow::Break(Finish::Exit(code)),
        };
        ControlFlow::Continue(())
    }
}

/// A child between fork and exec holds copies of what we close here, so closing alone does not end the watch.
fn unwatch(epoll: &OwnedFd, watched: Option<OwnedFd>) -> Result<(), Errno> {
    watched.map_or(Ok(()), |fd| epoll::delete(epoll, fd))
}

/// One reaped child, if any waits to be.
pub fn next_exit() -> Option<(Pid, Ended)> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Err(Errno::INTR) => {}
            Ok(Some((pid, status))) => return Some((pid, ended(status))),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn ended(status: WaitStatus) -> Ended {
    const DUMPED: i32 = 0x80;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ended::Code(code as u8),
        (None, Some(signal)) if status.as_raw() & DUMPED != 0 => Ended::Dumped(signal),
        (None, signal) => Ended::Signal(signal.unwrap_or(libc::SIGKILL)),
    }
}

/// For calls that can only fail by a mistake of ours: say so, go on.
fn report_trouble(outcome: Result<(), Errno>) {
    if let Err(errno) = outcome
        && errno != Errno::SRCH
    {
        say!("init met an unexpected error: {errno}");
    }
}

struct Words(Ended);

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Ended::Code(code) => write!(f, "exit code {code}"),
            Ended::Signal(signal) => write!(f, "killed by signal {signal}"),
            Ended::Dumped(signal) => write!(f, "killed by signal {signal}, core dumped"),
        }
    }
}

/// What follows a manager's end; nothing is to be added where it has spoken for itself.
fn what_now(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Restart => Some("starting it again".to_owned()),
        Verdict::RestartAfter(pause) => Some(format!("starting it again in {} ms", pause.as_millis())),
        Verdict::GiveUp(_) => Some("giving up, for there is nothing it would look after".to_owned()),
        Verdict::Refused(_) => None,
    }
}
