//! The loop: hear signals, exits, orders and exec pipes; obey; tell.
//!
//! Two rules keep it from losing anything. What happened is written into a table first and told from there, as
//! the manager's socket has room; and an order is read only when the answer to the one before was taken.

use crate::background::Waiting;
use crate::child::{self, Birth};
use crate::children::{Announced, Child, Children, Life, Orphans, Program, Untold};
use crate::finish;
use crate::limits;
use crate::manager::{self, Manager, Patience, Running, Services, Speech, Verdict};
use crate::options::Options;
use crate::packet::{self, Received};
use crate::say::say;
use crate::sys::fork::{self, Forked};
use crate::sys::signal;
use crate::vault::{Name, Vault};
use crate::wire::{self, CgroupFd, Ended, Finish, Order, PlanBytes, Report, WatchExec};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, WaitStatus};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
    /// Signals received and not told: bit N for signal N.
    untold_signals: u128,
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

/// Why the manager's socket takes no more for now.
struct Full;

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
            untold_signals: 0,
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
        self.untold_signals |= 1 << number;
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
        say!("the manager ended ({}): {}", Words(ended), VerdictWords(verdict));
        let now = Instant::now();
        self.manager = match verdict {
            Verdict::Restart => Manager::Pauses { until: now },
            Verdict::RestartAfter(pause) => Manager::Pauses { until: now + pause },
            Verdict::GiveUp(code) => return ControlFlow::Break(Finish::Exit(code)),
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

/// Orders.
impl Init {
    /// Some of the orders that wait, so that nobody else starves.
    fn obey(&mut self) -> ControlFlow<Finish> {
        for _ in 0..limits::ORDERS_PER_TURN {
            if !self.obey_one()? {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// The last orders of a manager that died: as many as its socket holds.
    fn obey_all(&mut self) -> ControlFlow<Finish> {
        while self.obey_one()? {
            self.unsent = None;
        }
        ControlFlow::Continue(())
    }

    /// Whether there was one.
    fn obey_one(&mut self) -> ControlFlow<Finish, bool> {
        if self.unsent.is_some() {
            return ControlFlow::Continue(false);
        }
        let Manager::Runs(running) = &mut self.manager else { return ControlFlow::Continue(false) };
        let Some(socket) = &running.socket else { return ControlFlow::Continue(false) };
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut fds = std::mem::take(&mut self.fds);
        let outcome = match packet::receive(socket, &mut buffer, &mut fds) {
            Ok(Received::Nothing) => ControlFlow::Continue(false),
            Ok(Received::Closed) | Err(_) => {
                // It cannot be served without its socket: let it die, and the next one come.
                let socket = running.socket.take();
                report_trouble(unwatch(&self.epoll, socket));
                report_trouble(signal::kill(signal::Whom::Process(running.pid), libc::SIGKILL));
                ControlFlow::Continue(false)
            }
            Ok(Received::Truncated(bytes)) => {
                let order = Order::decode(&buffer[..bytes]);
                self.refuse(order, Errno::MFILE);
                ControlFlow::Continue(true)
            }
            Ok(Received::Packet(bytes)) => {
                match Order::decode(&buffer[..bytes]) {
                    Some(order) => self.perform(order, &mut fds)?,
                    None => say!("the manager said something this init does not know"),
                }
                ControlFlow::Continue(true)
            }
        };
        fds.clear();
        self.buffer = buffer;
        self.fds = fds;
        outcome
    }

    fn perform(&mut self, order: Order<'_>, fds: &mut Vec<OwnedFd>) -> ControlFlow<Finish> {
        match order {
            Order::Hello => {
                self.unheard_terminations = 0;
                // Answers to the manager before this one.
                self.children.iter_mut().for_each(|child| child.untold = Untold::default());
                self.begin_snapshot();
            }
            Order::List => self.begin_snapshot(),
            Order::Ready => {
                self.patience.saw_ready();
                if let Some(parent) = self.waiting_parent.take() {
                    parent.say_ready();
                }
            }
            Order::Spawn { id, watch, cgroup, plan } => self.spawn(id, watch, cgroup, plan, fds),
            Order::Signal { id, signal: number } => match self.children.by_id(id) {
                Some(child) if child.life == Life::Lives => {
                    report_trouble(signal::kill(signal::Whom::Process(child.pid), number));
                }
                Some(_) | None => {}
            },
            Order::Ack { id } => self.children.forget(id),
            Order::Track { id, pid } => self.track(id, pid),
            Order::Put { name } => {
                if let Err(errno) = self.vault.put(name, fds.drain(..)) {
                    self.answer(Report::NotKept { name, errno: errno.raw_os_error() });
                }
            }
            Order::Drop { name } => self.vault.remove(name),
            Order::Finish(finish) => return ControlFlow::Break(finish),
        }
        ControlFlow::Continue(())
    }

    /// Answer an order whose descriptors did not arrive.
    fn refuse(&mut self, order: Option<Order<'_>>, errno: Errno) {
        let errno = errno.raw_os_error();
        match order {
            Some(Order::Spawn { id, .. }) => self.answer(Report::SpawnFailed { id, errno }),
            Some(Order::Put { name }) => self.answer(Report::NotKept { name, errno }),
            Some(
                Order::Hello
                | Order::Ready
                | Order::Signal { .. }
                | Order::Ack { .. }
                | Order::Track { .. }
                | Order::Drop { .. }
                | Order::List
                | Order::Finish(_),
            )
            | None => say!("a message of the manager did not arrive whole"),
        }
    }

    fn begin_snapshot(&mut self) {
        self.children.iter_mut().for_each(Child::retell);
        self.vault.retell();
        if let Manager::Runs(running) = &mut self.manager {
            running.speech = Speech::Telling;
        }
    }

    fn spawn(
        &mut self,
        id: u64,
        watch: WatchExec,
        cgroup: CgroupFd,
        plan: PlanBytes<'_>,
        fds: &mut Vec<OwnedFd>,
    ) {
        if let Some(child) = self.children.by_id(id) {
            child.untold.add(Untold::SPAWNED);
            return;
        }
        if id <= self.children.highest() {
            return self.answer(Report::Done { id });
        }
        match self.give_birth(id, watch, cgroup, plan, fds) {
            Ok((pid, program)) => {
                self.children.saw(id);
                self.children.add(Child { id, pid, life: Life::Lives, program, untold: Untold::SPAWNED });
            }
            Err(errno) => self.answer(Report::SpawnFailed { id, errno: errno.raw_os_error() }),
        }
    }

    fn give_birth(
        &mut self,
        id: u64,
        watch: WatchExec,
        cgroup: CgroupFd,
        plan: PlanBytes<'_>,
        fds: &mut Vec<OwnedFd>,
    ) -> Result<(Pid, Program), Errno> {
        let leading = usize::from(cgroup == CgroupFd::First) + usize::from(plan == PlanBytes::Memfd);
        if self.children.is_full() {
            return Err(Errno::AGAIN);
        }
        if fds.len() < leading {
            return Err(Errno::BADF);
        }
        let mut leading = fds.drain(..leading);
        let cgroup = if cgroup == CgroupFd::First { leading.next() } else { None };
        let memfd = leading.next();
        drop(leading);
        let exec = match watch {
            WatchExec::No => None,
            WatchExec::Yes => Some(pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?),
        };
        let (forked, cgroup_left) = self.fork_into(cgroup.as_ref().map(AsFd::as_fd))?;
        match forked {
            Forked::Child => child::live(Birth {
                id,
                cgroup: cgroup_left,
                plan,
                memfd,
                fds: std::mem::take(fds),
                console: self.console.as_fd(),
                reports: self.reports.as_fd(),
                exec: exec.map(|(_, write)| write),
            }),
            Forked::Parent(pid) => {
                let Some((read, _)) = exec else { return Ok((pid, Program::Unwatched)) };
                report_trouble(epoll::add(
                    &self.epoll,
                    &read,
                    epoll::EventData::new_u64(id),
                    epoll::EventFlags::IN,
                ));
                Ok((pid, Program::Awaited(read, Announced::No)))
            }
        }
    }

    /// Fork, into the cgroup if that can be; else the cgroup is what the child has yet to join.
    fn fork_into<'a>(
        &mut self,
        cgroup: Option<BorrowedFd<'a>>,
    ) -> Result<(Forked, Option<BorrowedFd<'a>>), Errno> {
        if let (Some(cgroup), Clone3::Untried) = (cgroup, self.clone) {
            match fork::clone_into(cgroup) {
                Ok(forked) => return Ok((forked, None)),
                Err(errno @ (Errno::AGAIN | Errno::NOMEM)) => return Err(errno),
                Err(Errno::NOSYS | Errno::PERM) => self.clone = Clone3::Refused,
                // This cgroup will not have it that way; joining may say why.
                Err(_) => {}
            }
        }
        fork::fork().map(|forked| (forked, cgroup))
    }

    fn track(&mut self, id: u64, number: u32) {
        let not_a_child = Report::NotAChild { id, pid: number };
        if let Some(child) = self.children.by_id(id) {
            let fact = if child.life == Life::Lives { Untold::TRACKED } else { Untold::EXITED };
            return child.untold.add(fact);
        }
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|pid| self.children.living(*pid).is_none()) else {
            return self.answer(not_a_child);
        };
        let is_manager = matches!(&self.manager, Manager::Runs(running) if running.pid == pid);
        if self.children.is_full() || is_manager {
            return self.answer(not_a_child);
        }
        let (life, untold) = if is_our_child(pid) {
            (Life::Lives, Untold::TRACKED)
        } else if let Some(ended) = self.orphans.claim(pid) {
            (Life::Ended(ended), Untold::EXITED)
        } else {
            return self.answer(not_a_child);
        };
        self.children.saw(id);
        self.children.add(Child { id, pid, life, program: Program::Unwatched, untold });
    }
}

/// Also one that ended and waits to be reaped: its exit comes right after.
fn is_our_child(pid: Pid) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let look_only = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), look_only).is_ok()
}

/// Between fork and exec.
impl Init {
    fn hear_exec(&mut self, id: u64) {
        let Some(child) = self.children.by_id(id) else { return };
        let Program::Awaited(pipe, announced) = &mut child.program else { return };
        let mut byte = [0; 16];
        match rustix::io::read(&*pipe, &mut byte) {
            Ok(0) => {
                report_trouble(epoll::delete(&self.epoll, &*pipe));
                let runs = *announced == Announced::Yes;
                child.program = if runs { Program::Runs } else { Program::Never };
                if runs {
                    child.untold.add(Untold::EXECUTED);
                }
            }
            Ok(count) => {
                let last = byte[count - 1];
                *announced = if last == child::EXEC_IS_NEXT { Announced::Yes } else { Announced::No };
            }
            Err(_) => {}
        }
    }

    /// A child that ended has nothing more to say on its pipe: read it to the end.
    fn settle_exec(&mut self, id: u64) {
        for _ in 0..4 {
            self.hear_exec(id);
        }
    }
}

/// Telling.
impl Init {
    /// Say what the manager has not heard, as far as its socket takes it.
    fn tell(&mut self) {
        let interest = match self.tell_all() {
            Ok(()) => epoll::EventFlags::IN,
            Err(Full) if self.unsent.is_some() => epoll::EventFlags::OUT,
            Err(Full) => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        };
        if interest == self.interest {
            return;
        }
        if let Some(socket) = self.socket() {
            let data = epoll::EventData::new_u64(MANAGER);
            report_trouble(epoll::modify(&self.epoll, socket, data, interest));
            self.interest = interest;
        }
    }

    fn tell_all(&mut self) -> Result<(), Full> {
        let Manager::Runs(Running { socket: Some(socket), speech, .. }) = &mut self.manager else {
            return Ok(());
        };
        if *speech == Speech::Silent {
            return Ok(());
        }
        let socket = socket.as_fd();
        if let Some(Unsent { head, tail }) = &self.unsent {
            said(packet::send(socket, head, tail.as_str().as_bytes(), &[]))?;
            self.unsent = None;
        }
        for child in self.children.iter_mut() {
            while let Some((report, fact)) = child.next_report() {
                say(socket, report)?;
                child.told(fact);
            }
        }
        if *speech == Speech::Telling {
            tell_vault(socket, &mut self.vault)?;
            say(socket, Report::SnapshotEnd { highest: self.children.highest() })?;
            *speech = Speech::Told;
        }
        while let Some(report) = self.orphans.next_report() {
            say(socket, report)?;
            self.orphans.told();
        }
        while self.untold_signals != 0 {
            let signal = self.untold_signals.trailing_zeros();
            say(socket, Report::Signalled { signal: signal as i32 })?;
            self.untold_signals &= !(1 << signal);
        }
        Ok(())
    }

    /// Answer the order in hand; if there is no room, no other order is read before there is.
    fn answer(&mut self, report: Report<'_>) {
        let (head, tail) = report.encode();
        let Some(socket) = self.socket() else { return };
        if packet::send(socket, &head, tail, &[]) == Err(Errno::AGAIN) {
            self.unsent = Some(Unsent { head, tail: Name::new(std::str::from_utf8(tail).unwrap_or("")) });
        }
    }

    fn socket(&self) -> Option<&OwnedFd> {
        match &self.manager {
            Manager::Runs(running) => running.socket.as_ref(),
            Manager::Pauses { .. } => None,
        }
    }
}

fn tell_vault(socket: BorrowedFd<'_>, vault: &mut Vault) -> Result<(), Full> {
    while let Some(name) = vault.next_untold() {
        let mut list = [socket; limits::FDS_PER_MESSAGE];
        let count = list.iter_mut().zip(vault.fds(&name)).map(|(place, fd)| *place = fd).count();
        let (head, tail) = Report::Kept { name: name.as_str() }.encode();
        said(packet::send(socket, &head, tail, &list[..count]))?;
        vault.told(&name);
    }
    Ok(())
}

fn say(socket: BorrowedFd<'_>, report: Report<'_>) -> Result<(), Full> {
    let (head, tail) = report.encode();
    said(packet::send(socket, &head, tail, &[]))
}

/// A manager that died hears nothing; its successor is told everything again.
fn said(outcome: Result<(), Errno>) -> Result<(), Full> {
    match outcome {
        Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::TOOMANYREFS) => Err(Full),
        Ok(()) | Err(_) => Ok(()),
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

struct VerdictWords(Verdict);

impl std::fmt::Display for VerdictWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Verdict::Restart => f.write_str("starting it again"),
            Verdict::RestartAfter(pause) => write!(f, "starting it again in {} ms", pause.as_millis()),
            Verdict::GiveUp(_) => f.write_str("giving up, for there is nothing it would look after"),
        }
    }
}
