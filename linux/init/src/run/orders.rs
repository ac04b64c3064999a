//! What the manager ordered, and the children that come of it.

use super::{Clone3, Init, report_trouble, unwatch};
use crate::child::{self, Birth};
use crate::children::{Announced, Child, Life, Program, Untold};
use crate::limits;
use crate::manager::{Manager, Speech};
use crate::packet::{self, Received};
use crate::say::say;
use crate::sys::fork::{self, Forked};
use crate::sys::signal;
use crate::wire::{CgroupFd, Finish, Order, PlanBytes, Report, WatchExec};
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

impl Init {
    /// Some of the orders that wait, so that nobody else starves.
    pub(super) fn obey(&mut self) -> ControlFlow<Finish> {
        for _ in 0..limits::ORDERS_PER_TURN {
            if !self.obey_one()? {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// The last orders of a manager that died: as many as its socket holds.
    pub(super) fn obey_all(&mut self) -> ControlFlow<Finish> {
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
                // What its predecessor was told and died over.
                self.untold_signals.add_all(std::mem::take(&mut self.unheard_signals));
                // Answers to the manager before this one.
                self.children.iter_mut().for_each(|child| child.untold = Untold::default());
                self.begin_snapshot();
            }
            Order::List => self.begin_snapshot(),
            Order::Heard { signal } => self.unheard_signals.remove(signal),
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
                | Order::Heard { .. }
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
    pub(super) fn hear_exec(&mut self, id: u64) {
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
    pub(super) fn settle_exec(&mut self, id: u64) {
        for _ in 0..4 {
            self.hear_exec(id);
        }
    }
}
