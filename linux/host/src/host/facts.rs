//! What happened: init's reports, children's reports of failed steps, notify messages, connections on watched
//! sockets, files that appeared.
//!
//! Order matters twice. A child says which step failed before it exits, so the reports are read before an
//! exit is told. And what a process sent before it died is heard before its death: exits wait in `held` until
//! the notify socket has been found empty after they arrived.

use super::{Host, Known, Messages, News, Role, Untaken};
use crate::link::Told;
use crate::{limits, notify, proc};
use eudaemon_engine::api::{Event, ExitStatus, NotifySender, Parcel, ProcId, Trouble};
use eudaemon_init::wire::SetupFailure;
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use rustix::event::{Timespec, epoll};
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use std::io;
use std::mem::MaybeUninit;

pub(super) const LINK: u64 = 0;
pub(super) const REPORTS: u64 = 1;
pub(super) const NOTIFY: u64 = 2;
pub(super) const INOTIFY: u64 = 3;
pub(super) const CLEANERS: u64 = 4;
pub(super) const FIRST_TOKEN: u64 = 16;
/// Set in the token of a stranger's pidfd; the rest is its process id.
pub(super) const STRANGER: u64 = 1 << 63;
/// Set in the token of a stored descriptor; the rest is the number of its vault entry.
pub(super) const STORED: u64 = 1 << 62;
/// Set in the token of a probe's socket; the rest is its id.
pub(super) const PROBE: u64 = 1 << 61;

impl Host {
    /// All that happened since last asked, in the order in which it must be heard. At most one notify message
    /// is among it; [`Host::settle`] takes that one off the socket.
    pub fn gather(&mut self) -> io::Result<Vec<News>> {
        self.look()?;
        if self.untaken.is_none() {
            self.hear_messages();
        }
        Ok(self.news.drain(..).collect())
    }

    fn look(&mut self) -> io::Result<()> {
        let mut space = [const { MaybeUninit::<epoll::Event>::uninit() }; 64];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let ready: Vec<u64> = match epoll::wait(&self.epoll, &mut space, Some(&now)) {
            Ok((events, _)) => events.iter().map(|event| event.data.u64()).collect(),
            Err(rustix::io::Errno::INTR) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for token in ready {
            match token {
                LINK => self.read_link()?,
                REPORTS => self.read_reports(),
                NOTIFY => {}
                INOTIFY => self.read_inotify(),
                CLEANERS => self.hear_cleaners(),
                token if token & STRANGER != 0 => self.lose_stranger(ProcId(token & !STRANGER)),
                token if token & STORED != 0 => self.lose_stored(token & !STORED),
                token if token & PROBE != 0 => self.go_on_with_probe(ProcId(token & !PROBE)),
                token => {
                    if let Some(unit) = self.watched.get(&token).cloned() {
                        self.unwatch_sockets(&unit);
                        self.fact(Event::SocketReady { unit });
                    }
                }
            }
        }
        Ok(())
    }

    fn read_link(&mut self) -> io::Result<()> {
        for _ in 0..limits::REPORTS_PER_TURN {
            match self.link.receive()? {
                Some(told) => self.hear(told),
                None => break,
            }
        }
        Ok(())
    }

    fn read_reports(&mut self) {
        let Some(reports) = &self.reports else { return };
        let mut failures = Vec::new();
        let mut buffer = [0u8; 64];
        while let Ok((count, _)) = rustix::net::recv(reports, &mut buffer, rustix::net::RecvFlags::DONTWAIT) {
            if count == 0 {
                break;
            }
            failures.extend(SetupFailure::decode(&buffer[..count.min(buffer.len())]));
        }
        for failure in failures {
            let process = ProcId(failure.id);
            self.fact(Event::SetupFailed { process, code: failure.code, errno: failure.errno });
        }
    }

    /// One report of init.
    pub(super) fn hear(&mut self, told: Told) {
        match told {
            Told::Spawned { id, pid } | Told::Alive { id, pid } => {
                let process = ProcId(id);
                if let Some(known) = self.processes.get_mut(&process) {
                    known.pid = Some(pid);
                    let unit = known.unit.clone();
                    self.by_pid.insert(pid, process);
                    self.groups.add(unit.as_str(), pid);
                }
                self.fact(Event::Spawned { process });
            }
            Told::SpawnFailed { id, errno } => {
                self.processes.remove(&ProcId(id));
                self.fact(Event::SpawnFailed { process: ProcId(id), trouble: Trouble::errno(errno) });
            }
            Told::Executed { id } => self.fact(Event::Executed { process: ProcId(id) }),
            // Spawned, ended and forgotten before: its exit was written down, so only an order repeated out of
            // caution asks. Nobody waits for an answer.
            Told::Done { id } => self.lose_unborn(ProcId(id)),
            Told::Exited { id, pid, status } => self.hear_exit(ProcId(id), pid, status),
            Told::Tracked { id, pid } => self.adopted(ProcId(id), pid),
            Told::NotAChild { id, pid } => self.adopt_stranger(ProcId(id), pid),
            Told::Orphan { pid, status } => self.hear_orphan(pid, status),
            Told::Signalled { signal } => {
                self.unsettled_signals.push(signal);
                self.news.push_back(News::Signal(signal));
            }
            Told::NotKept { name, errno } => {
                self.say(None, format!("init cannot keep {name}: {}", io::Error::from_raw_os_error(errno)));
            }
            Told::Kept { .. } | Told::SnapshotEnd { .. } => {}
        }
    }

    fn hear_exit(&mut self, process: ProcId, pid: u32, status: ExitStatus) {
        self.groups.forget(pid);
        self.read_reports();
        // A Track that found the process dead already is answered by its exit.
        self.found_dead(process, pid);
        self.held.push_back(News::Fact(Event::Exited { process, status }));
        if let Some(unit) = self.processes.get(&process).map(|known| known.unit.clone()) {
            self.look_for_emptiness(Some(&unit));
        }
        self.try_finding();
    }

    fn hear_orphan(&mut self, pid: u32, status: ExitStatus) {
        self.groups.forget(pid);
        if let Some(process) = self.by_pid.get(&pid).copied()
            && self.strangers.remove(&process).is_some()
        {
            // It became init's child after all, when its parent died: its status is known.
            self.held.push_back(News::Fact(Event::Exited { process, status }));
        }
        self.look_for_emptiness(None);
        self.try_finding();
    }

    pub(super) fn watch_stranger(&mut self, process: ProcId, pid: u32) -> io::Result<()> {
        let target = Pid::from_raw(pid as i32).ok_or(io::ErrorKind::InvalidInput)?;
        let pidfd = pidfd_open(target, PidfdFlags::empty())?;
        let token = epoll::EventData::new_u64(STRANGER | process.0);
        epoll::add(&self.epoll, &pidfd, token, epoll::EventFlags::IN)?;
        self.strangers.insert(process, pidfd);
        Ok(())
    }

    fn lose_stranger(&mut self, process: ProcId) {
        if let Some(pidfd) = self.strangers.get(&process) {
            epoll::delete(&self.epoll, pidfd).ok();
            // If init has inherited it, its report with the status is on the way: wait for that.
            let inherited =
                self.pid(process).and_then(proc::stat).is_some_and(|stat| stat.parent == self.init);
            if inherited {
                return;
            }
            self.strangers.remove(&process);
            self.held.push_back(News::Fact(Event::Exited { process, status: ExitStatus::Unknown }));
            self.look_for_emptiness(None);
        }
    }

    /// At once where the process can be told for sure: the main process hears of the end before its children do.
    /// Else by init, whose child it is.
    pub(super) fn signal(&mut self, process: ProcId, config: Option<&Config>, signal: i32) {
        use eudaemon_init::wire::Order;
        let number = signal;
        let Some(signal) = crate::sys::signal::of(signal) else { return };
        if let Some(pidfd) = self.strangers.get(&process) {
            pidfd_send_signal(pidfd, signal).ok();
            return;
        }
        let known = self.processes.get(&process).and_then(|known| Some((&known.unit, known.pid?)));
        let sent = known.is_some_and(|(unit, pid)| {
            self.groups.signal_member(unit.as_str(), &self.path_of(unit, config), pid, signal).is_some()
        });
        if !sent {
            self.order(&Order::Signal { id: process.0, signal: number }, Vec::new());
        }
    }

    pub(super) fn forget(&mut self, process: ProcId) {
        use eudaemon_init::wire::Order;
        if let Some(known) = self.processes.remove(&process)
            && let Some(pid) = known.pid
            && self.by_pid.get(&pid) == Some(&process)
        {
            self.by_pid.remove(&pid);
        }
        if self.strangers.remove(&process).is_some() {
            self.notes.push((format!("stranger/{}", process.0), None));
        }
        self.order(&Order::Ack { id: process.0 }, Vec::new());
    }

    /// Notify messages up to the first that is a fact; when there is none left, what was held back for them.
    fn hear_messages(&mut self) {
        self.messages = Messages::Heard;
        for _ in 0..limits::NOTIFY_PER_TURN {
            let Some(message) = notify::peek(&self.notify) else {
                return self.news.append(&mut self.held);
            };
            let sender = self.sender(message.pid);
            // It may be the child whose pid init is about to tell, faster than init: its message waits for that.
            let waits = match &sender {
                None => self.is_awaited(|_| true),
                Some((unit, NotifySender::Member)) => self.is_awaited(|known| known.unit == *unit),
                Some((_, NotifySender::Main | NotifySender::Control)) => false,
            };
            if waits {
                return;
            }
            self.births_awaited = None;
            match sender {
                Some((unit, sender)) => return self.hear_message(message, unit, sender),
                None => self.refuse_message(&message),
            }
        }
        self.messages = Messages::Left;
    }

    /// Is one of the processes still awaited that init was asked for, and had not told the pid of, when the message at the head
    /// of the queue was first seen? Those asked for later cannot have sent it, so it waits for ever on nobody's account.
    fn is_awaited(&mut self, may_be_sender: impl Fn(&Known) -> bool) -> bool {
        let unborn = |known: &Known| known.pid.is_none();
        let processes = &self.processes;
        let awaited = self.births_awaited.get_or_insert_with(|| {
            processes
                .iter()
                .filter(|(_, known)| unborn(known) && may_be_sender(known))
                .map(|(process, _)| *process)
                .collect()
        });
        awaited.retain(|process| processes.get(process).is_some_and(unborn));
        !awaited.is_empty()
    }

    /// It lived and died before this manager asked again.
    fn lose_unborn(&mut self, process: ProcId) {
        if self.processes.get(&process).is_some_and(|known| known.pid.is_none()) {
            self.processes.remove(&process);
        }
    }

    fn refuse_message(&mut self, message: &notify::Message) {
        // Anybody may write there, as often as they like; the log is not theirs to fill.
        if self.refused != Some(message.pid) {
            self.refused = Some(message.pid);
            let text = String::from_utf8_lossy(&message.text).replace('\n', " ");
            let shown: String = text.chars().take(80).collect();
            let pid = message.pid;
            self.say(None, format!("notify messages of process {pid} ignored, it is of no unit: {shown}"));
        }
        notify::take(&self.notify);
    }

    fn hear_message(&mut self, message: notify::Message, unit: UnitName, sender: NotifySender) {
        let parcel = Parcel(self.next_parcel);
        self.next_parcel += 1;
        let mut notification = notify::parse(&message.text, (!message.fds.is_empty()).then_some(parcel));
        // Many say who they are with every READY=1: to adopt our own child would lose its exit status.
        notification.main = notification.main.filter(|main| !self.is_main(&unit, main.0));
        let hangup = notify::hangup(&message.text);
        self.untaken = Some(Untaken { parcel, fds: message.fds, hangup });
        self.fact(Event::Notified { unit, sender, message: notification });
    }

    fn is_main(&self, unit: &UnitName, pid: u32) -> bool {
        let known = self.by_pid.get(&pid).and_then(|id| self.processes.get(id));
        known.is_some_and(|known| known.unit == *unit && known.role == Role::Main)
    }

    /// Whose process this is: one we know, or a member of a unit's set.
    fn sender(&self, pid: u32) -> Option<(UnitName, NotifySender)> {
        if let Some(known) = self.by_pid.get(&pid).and_then(|id| self.processes.get(id)) {
            let sender = match known.role {
                Role::Main => NotifySender::Main,
                Role::Control => NotifySender::Control,
            };
            return Some((known.unit.clone(), sender));
        }
        let unit = self.unit_of(pid)?;
        Some((unit, NotifySender::Member))
    }
}
