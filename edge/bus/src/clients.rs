//! Who listens and who waits: subscribers, calls the engine has yet to answer, and the signals of this turn.
//! Nothing here touches a socket; what is to be sent is left in a queue.

use crate::call::{Call, Outcome, Peer, Shape, signal};
use crate::fault::Fault;
use crate::limits;
use crate::model::Model;
use crate::path;
use crate::properties::{UNIT, UnitCx, announced, interface_of_kind, of_kind};
use eudaemon_engine::api::{Announcement, Answer, JobId, JobKind, JobResult, Refusal, RequestId};
use eudaemon_unit::name::UnitName;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use zbus::Message;
use zbus::wire::DynamicType;

const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Whether a client's hold on a unit is its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    Begun,
    Again,
}

#[derive(Debug, Default)]
pub struct Clients {
    private: BTreeSet<u64>,
    /// Unique names on the bus that asked for signals.
    subscribers: BTreeSet<String>,
    /// Who on the bus holds a unit, and how often.
    holds: BTreeMap<(UnitName, String), u32>,
    /// Units somebody held, once for each time he did, and the engine does not know yet that he does not any more.
    let_go: Vec<UnitName>,
    /// Jobs somebody on the bus asked for: their signals go there even without a subscription.
    bus_jobs: BTreeSet<JobId>,
    waiting: BTreeMap<RequestId, Waiting>,
    noted: Vec<Note>,
    /// Units that changed, which nobody was told yet.
    changed: BTreeSet<UnitName>,
    outgoing: Vec<(To, Message)>,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    Peer(Peer),
    EveryPrivate,
    /// The bus daemon, which passes it on.
    Bus,
}

/// Who waits for the engine's answer.
#[derive(Debug)]
enum Waiting {
    Call(Call, Shape),
    /// The bus daemon wanted this unit started for a name of its own.
    Activation(String),
}

/// What happened and is to be told at the end of the turn, in this order.
#[derive(Debug)]
enum Note {
    UnitNew(UnitName),
    UnitRemoved(UnitName),
    UnitChanged(UnitName),
    JobNew { job: JobId, unit: UnitName },
    JobRemoved { job: JobId, unit: UnitName, result: JobResult },
    Answered { request: RequestId, outcome: Result<Answer, Refusal> },
    StartupFinished,
    UnitFilesChanged,
    Reloading(bool),
}

/// How far a daemon-reload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloading {
    Begins,
    Ends,
}

impl Clients {
    pub fn joined(&mut self, connection: u64) {
        self.private.insert(connection);
    }

    pub fn gone(&mut self, peer: &Peer) {
        match peer {
            Peer::Private(connection) => {
                self.private.remove(connection);
            }
            Peer::Bus(name) => {
                self.subscribers.remove(name);
                let held = |(_, holder): &(UnitName, String)| holder == name;
                self.drop_holds(held);
            }
        }
        let waits = |waiting: &Waiting| matches!(waiting, Waiting::Call(call, _) if call.peer == *peer);
        self.waiting.retain(|_, waiting| !waits(waiting));
    }

    /// The bus daemon is gone, and everybody on it.
    pub fn bus_gone(&mut self) {
        self.subscribers.clear();
        self.drop_holds(|_| true);
        self.bus_jobs.clear();
        self.waiting.retain(|_, waiting| match waiting {
            Waiting::Call(call, _) => matches!(call.peer, Peer::Private(_)),
            Waiting::Activation(_) => false,
        });
    }

    pub fn subscribe(&mut self, name: &str) -> Result<(), Fault> {
        if self.subscribers.len() >= limits::BUS_PEERS {
            return Err(Fault::limits_exceeded("Too many subscribers."));
        }
        match self.subscribers.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(Fault::already_subscribed("Client is already subscribed.")),
        }
    }

    pub fn unsubscribe(&mut self, name: &str) -> Result<(), Fault> {
        match self.subscribers.remove(name) {
            true => Ok(()),
            false => Err(Fault::not_subscribed("Client is not subscribed.")),
        }
    }

    fn drop_holds(&mut self, which: impl Fn(&(UnitName, String)) -> bool) {
        let dropped = self.holds.keys().filter(|hold| which(hold));
        self.let_go.extend(dropped.map(|(unit, _)| unit.clone()));
        self.holds.retain(|hold, _| !which(hold));
    }

    /// The units that were let go since this was asked last.
    pub fn take_let_go(&mut self) -> Vec<UnitName> {
        std::mem::take(&mut self.let_go)
    }

    /// However often a client holds a unit, the engine is told of it once.
    pub fn hold(&mut self, name: &str, unit: UnitName) -> Result<Holding, Fault> {
        if self.holds.len() >= limits::ANSWERS_WAITING {
            return Err(Fault::limits_exceeded("Too many references to units."));
        }
        let count = self.holds.entry((unit, name.to_owned())).or_default();
        *count = count.saturating_add(1);
        Ok(if *count == 1 { Holding::Begun } else { Holding::Again })
    }

    pub fn release(&mut self, name: &str, unit: &UnitName) -> Result<(), Fault> {
        let key = (unit.clone(), name.to_owned());
        match self.holds.get_mut(&key) {
            None => return Err(Fault::not_referenced("Unit has not been referenced yet.")),
            Some(1) => {
                self.holds.remove(&key);
                self.let_go.push(unit.clone());
            }
            Some(count) => *count -= 1,
        }
        Ok(())
    }

    pub fn unit_files_changed(&mut self) {
        self.note(Note::UnitFilesChanged);
    }

    pub fn reloading(&mut self, phase: Reloading) {
        self.note(Note::Reloading(phase == Reloading::Begins));
    }

    /// A call's outcome: sent, or kept until the engine answers.
    pub fn settle(&mut self, call: &Call, outcome: Result<Outcome, Fault>) {
        let reply = match outcome {
            Ok(Outcome::Reply(message)) => Some(message),
            Ok(Outcome::Silence) => None,
            Ok(Outcome::Later(request, shape)) if self.waiting.len() < limits::ANSWERS_WAITING => {
                self.waiting.insert(request, Waiting::Call(call.clone(), shape));
                None
            }
            Ok(Outcome::Later(..)) => {
                call.refuse(&Fault::limits_exceeded("Too many calls wait for an answer."))
            }
            Err(fault) => call.refuse(&fault),
        };
        self.send_reply(call, reply);
    }

    fn send_reply(&mut self, call: &Call, reply: Option<Message>) {
        if let Some(message) = reply
            && !call.wants_no_reply()
        {
            self.outgoing.push((To::Peer(call.peer.clone()), message));
        }
    }

    pub fn await_activation(&mut self, request: RequestId, unit: String) {
        self.waiting.insert(request, Waiting::Activation(unit));
    }

    /// Tells the bus daemon that it need not wait for this unit's name; else its callers wait 25 seconds.
    pub fn activation_failed(&mut self, unit: &str, fault: &Fault) {
        let message =
            Message::signal(path::MANAGER, "org.freedesktop.systemd1.Activator", "ActivationFailure");
        let message =
            message.destination("org.freedesktop.DBus").build(&(unit, fault.name, fault.text.as_ref()));
        self.outgoing.extend(message.ok().map(|message| (To::Bus, message)));
    }

    /// Takes note of what the engine announces; told by `flush`.
    pub fn hear(&mut self, announcement: &Announcement) {
        let note = match announcement.clone() {
            Announcement::Answered { request, outcome } => {
                if !self.waiting.contains_key(&request) {
                    return;
                }
                if let Ok(Answer::Job(job)) = &outcome
                    && self.waiting.get(&request).is_some_and(Waiting::is_bus)
                {
                    self.bus_jobs.insert(*job);
                }
                self.noted.push(Note::Answered { request, outcome });
                return;
            }
            Announcement::UnitAdded(unit) => Note::UnitNew(unit),
            Announcement::UnitRemoved(unit) => Note::UnitRemoved(unit),
            Announcement::UnitChanged(unit) => Note::UnitChanged(unit),
            Announcement::JobAdded { job, unit } => Note::JobNew { job, unit },
            Announcement::JobRemoved { job, unit, kind: _, result } => Note::JobRemoved { job, unit, result },
            Announcement::StartupFinished => Note::StartupFinished,
            Announcement::Said { .. } => return,
        };
        self.note(note);
    }

    /// Signals are noted only while somebody could hear them.
    fn note(&mut self, note: Note) {
        let heard = !self.private.is_empty()
            || self.bus_listens()
            || !self.holds.is_empty()
            || !self.waiting.is_empty();
        if (heard || !self.bus_jobs.is_empty()) && self.noted.len() < limits::SIGNALS_NOTED {
            self.noted.push(note);
        }
    }

    fn bus_listens(&self) -> bool {
        !self.subscribers.is_empty()
    }

    fn bus_holds(&self, unit: &UnitName) -> bool {
        let mut held = self.holds.range((unit.clone(), String::new())..);
        held.next().is_some_and(|((held, _), _)| held == unit)
    }

    /// Builds what was noted, in order; a unit's changes are told once, but before any word on its jobs. After a reload all
    /// units may have changed: whoever waits for its end does not wait for that to be told.
    pub fn flush(&mut self, model: &dyn Model) {
        for note in std::mem::take(&mut self.noted) {
            match note {
                Note::UnitChanged(unit) => {
                    self.changed.insert(unit);
                }
                Note::JobNew { job, unit } => {
                    self.tell_changed(model, &unit);
                    self.tell_job(&unit, job, "JobNew", &(job.0, path::job(job), unit.as_str()));
                }
                Note::JobRemoved { job, unit, result } => {
                    self.tell_changed(model, &unit);
                    let word = job_result_word(result);
                    self.tell_job(&unit, job, "JobRemoved", &(job.0, path::job(job), unit.as_str(), word));
                    self.bus_jobs.remove(&job);
                }
                Note::UnitNew(unit) => self.tell(MANAGER, "UnitNew", &(unit.as_str(), path::unit(&unit))),
                Note::UnitRemoved(unit) => {
                    self.changed.remove(&unit);
                    self.tell(MANAGER, "UnitRemoved", &(unit.as_str(), path::unit(&unit)));
                }
                Note::Answered { request, outcome } => self.answer(model, request, &outcome),
                Note::StartupFinished => self.tell_startup(model),
                Note::UnitFilesChanged => self.tell(MANAGER, "UnitFilesChanged", &()),
                Note::Reloading(active) => self.tell(MANAGER, "Reloading", &(active,)),
            }
        }
        if self.private.is_empty() && !self.bus_listens() && self.holds.is_empty() {
            self.changed.clear();
        }
        let told: Vec<UnitName> = self.changed.iter().take(limits::CHANGES_TOLD).cloned().collect();
        for unit in told {
            self.tell_changed(model, &unit);
        }
    }

    /// Whether there are changes that the next `flush` will tell.
    pub fn is_behind(&self) -> bool {
        !self.changed.is_empty()
    }

    pub fn take_outgoing(&mut self) -> Vec<(To, Message)> {
        std::mem::take(&mut self.outgoing)
    }

    fn answer(&mut self, model: &dyn Model, request: RequestId, outcome: &Result<Answer, Refusal>) {
        match (self.waiting.remove(&request), outcome) {
            (None, _) | (Some(Waiting::Activation(_)), Ok(_)) => {}
            (Some(Waiting::Activation(unit)), Err(refusal)) => {
                self.activation_failed(&unit, &Fault::from(refusal))
            }
            (Some(Waiting::Call(call, _)), Err(refusal)) => {
                let reply = call.refuse(&Fault::from(refusal));
                self.send_reply(&call, reply);
            }
            (Some(Waiting::Call(call, shape)), Ok(answer)) => {
                let reply = shaped(model, &call, &shape, answer).unwrap_or_else(|fault| call.refuse(&fault));
                self.send_reply(&call, reply);
            }
        }
    }

    fn tell_changed(&mut self, model: &dyn Model, unit: &UnitName) {
        if !self.changed.remove(unit) {
            return;
        }
        let to_bus = self.bus_listens() || self.bus_holds(unit);
        if self.private.is_empty() && !to_bus {
            return;
        }
        let Some(state) = model.unit(unit) else { return };
        let cx = UnitCx::new(model, &state);
        let object = path::unit(unit);
        for (interface, parts) in
            [(interface_of_kind(unit.kind()), of_kind(unit.kind())), ("org.freedesktop.systemd1.Unit", UNIT)]
        {
            if let Some((values, invalidated)) = announced(&cx, parts) {
                let body = (interface, values, invalidated);
                self.emit(
                    object.as_str(),
                    "org.freedesktop.DBus.Properties",
                    "PropertiesChanged",
                    to_bus,
                    &body,
                );
            }
        }
    }

    fn tell_job<B: Serialize + DynamicType>(&mut self, unit: &UnitName, job: JobId, member: &str, body: &B) {
        let to_bus = self.bus_listens() || self.bus_jobs.contains(&job) || self.bus_holds(unit);
        self.emit(path::MANAGER, MANAGER, member, to_bus, body);
    }

    fn tell_startup(&mut self, model: &dyn Model) {
        let facts = model.manager();
        let userspace = facts.finish.monotonic.saturating_sub(facts.userspace.monotonic);
        self.tell(MANAGER, "StartupFinished", &(0_u64, 0_u64, 0_u64, 0_u64, userspace, userspace));
    }

    fn tell<B: Serialize + DynamicType>(&mut self, interface: &str, member: &str, body: &B) {
        let to_bus = self.bus_listens();
        self.emit(path::MANAGER, interface, member, to_bus, body);
    }

    /// Built only if somebody listens. A signal too long to be sent is not sent.
    fn emit<B: Serialize + DynamicType>(
        &mut self,
        object: &str,
        interface: &str,
        member: &str,
        to_bus: bool,
        body: &B,
    ) {
        if self.private.is_empty() && !to_bus {
            return;
        }
        let Ok(message) = signal(object, interface, member, body) else { return };
        if to_bus {
            self.outgoing.push((To::Bus, message.clone()));
        }
        if !self.private.is_empty() {
            self.outgoing.push((To::EveryPrivate, message));
        }
    }
}

impl Waiting {
    fn is_bus(&self) -> bool {
        match self {
            Waiting::Call(call, _) => matches!(call.peer, Peer::Bus(_)),
            Waiting::Activation(_) => true,
        }
    }
}

fn shaped(model: &dyn Model, call: &Call, shape: &Shape, answer: &Answer) -> Result<Option<Message>, Fault> {
    let job = match (shape, answer) {
        (Shape::Empty, Answer::Done | Answer::Job(_)) => return call.reply(&()).map(Some),
        (Shape::JobPath | Shape::Enqueued { .. }, Answer::Job(job)) => *job,
        // Nothing was to be done (`try-restart` of a stopped unit): a job that is already over.
        (Shape::JobPath | Shape::Enqueued { .. }, Answer::Done) => JobId(0),
    };
    match shape {
        Shape::Empty | Shape::JobPath => call.reply(&path::job(job)).map(Some),
        Shape::Enqueued { unit, kind } => call.reply(&enqueued(model, job, unit, *kind)).map(Some),
    }
}

/// `uososa(uosos)`: the job, its path, its unit, the unit's path, its type; then the others it brought along,
/// which are not told apart here.
fn enqueued(
    model: &dyn Model,
    id: JobId,
    unit: &UnitName,
    kind: JobKind,
) -> (u32, zbus::ObjectPath<'static>, String, zbus::ObjectPath<'static>, &'static str, Vec<Affected>) {
    let job = model.jobs().into_iter().find(|job| job.id == id);
    let kind = job.map_or(kind, |job| job.kind);
    (id.0, path::job(id), unit.as_str().to_owned(), path::unit(unit), kind.word(), Vec::new())
}

type Affected = (u32, zbus::ObjectPath<'static>, String, zbus::ObjectPath<'static>, String);

fn job_result_word(result: JobResult) -> &'static str {
    match result {
        JobResult::Done => "done",
        JobResult::Canceled => "canceled",
        JobResult::Timeout => "timeout",
        JobResult::Failed => "failed",
        JobResult::Dependency => "dependency",
        JobResult::Skipped => "skipped",
        JobResult::Invalid => "invalid",
        JobResult::Assert => "assert",
        JobResult::Unsupported => "unsupported",
        JobResult::Collected => "collected",
        JobResult::Once => "once",
    }
}
