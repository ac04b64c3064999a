//! The server as the manager's loop holds it: what comes in is waited for with `next`, what it means is done by
//! `serve`, what the engine says goes to `hear`, and `flush` tells it to whoever listens.

use crate::call::{Call, Peer};
use crate::clients::{Clients, Reloading, To};
use crate::dispatch::{dispatch, loadable};
use crate::limits;
use crate::model::Model;
use crate::peer::{Link, Outbox, accept};
use crate::system_bus::{self, Command};
use eudaemon_engine::api::{Announcement, JobKind, Ownership, Request};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zbus::Message;

pub struct Server {
    /// The manager's own uid: beside root, who may change things.
    owner: u32,
    clients: Clients,
    links: BTreeMap<u64, Link>,
    bus: Option<Bus>,
    /// Names whose owners the manager wants to know.
    names: BTreeSet<String>,
    incoming: mpsc::Receiver<Event>,
    events: mpsc::Sender<Event>,
    accepting: Vec<JoinHandle<()>>,
}

/// Something for [`Server::serve`].
#[derive(Debug)]
pub struct Incoming(Event);

#[derive(Debug)]
pub enum Event {
    Joined(u64, Link),
    Left(Peer),
    Call(Call),
    /// The bus daemon has taken us in.
    BusJoined,
    BusLeft,
    NameOwner(String, Ownership),
    /// The bus daemon wants this unit for a name somebody called.
    Activation(String),
}

/// Our end of the task that talks to the bus daemon.
struct Bus {
    outbox: Outbox,
    commands: mpsc::UnboundedSender<Command>,
    task: JoinHandle<()>,
    up: bool,
}

impl Server {
    /// Must be called within a tokio runtime. `owner`: the uid the manager runs as.
    pub fn new(owner: u32) -> Server {
        let (events, incoming) = mpsc::channel(limits::CALLS_WAITING);
        Server {
            owner,
            clients: Clients::default(),
            links: BTreeMap::new(),
            bus: None,
            names: BTreeSet::new(),
            incoming,
            events,
            accepting: Vec::new(),
        }
    }

    /// Accepts private connections on a bound, listening socket.
    pub fn listen(&mut self, listener: UnixListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        self.accepting.push(tokio::spawn(accept(listener, self.owner, self.events.clone())));
        Ok(())
    }

    /// The bus daemon is said to be up, listening here: connect, and reconnect until told otherwise.
    pub fn bus_is_up(&mut self, socket: PathBuf) {
        if self.bus.is_some() {
            return;
        }
        let (outbox, inbox) = Outbox::new();
        let (commands, receiver) = mpsc::unbounded_channel();
        for name in &self.names {
            commands.send(Command::Watch(name.clone())).unwrap_or_default();
        }
        let task = tokio::spawn(system_bus::run(socket, inbox, receiver, self.events.clone()));
        self.bus = Some(Bus { outbox, commands, task, up: false });
    }

    /// The bus daemon is gone, and comes back when `bus_is_up` says so.
    pub fn bus_is_down(&mut self) {
        self.bus = None;
        self.clients.bus_gone();
    }

    /// Reports the owner of a bus name from now on, by `Model::bus_name`.
    pub fn watch_name(&mut self, name: &str) {
        if self.names.len() >= limits::BUS_NAMES || !self.names.insert(name.to_owned()) {
            return;
        }
        if let Some(bus) = &self.bus {
            bus.commands.send(Command::Watch(name.to_owned())).unwrap_or_default();
        }
    }

    /// The next thing to serve. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Incoming {
        match self.incoming.recv().await {
            Some(event) => Incoming(event),
            // The server holds a sender itself, so the channel never closes.
            None => std::future::pending().await,
        }
    }

    /// Does what a client asks, or hands it to the engine; replies that are ready are sent.
    pub fn serve(&mut self, model: &mut dyn Model, incoming: Incoming) {
        match incoming.0 {
            Event::Joined(id, link) => {
                self.links.insert(id, link);
                self.clients.joined(id);
            }
            Event::Left(peer) => self.forget(&peer),
            Event::Call(call) => {
                let outcome = dispatch(model, &mut self.clients, self.owner, &call);
                self.clients.settle(&call, outcome);
            }
            Event::BusJoined => self.bus_up(true),
            Event::BusLeft => {
                self.bus_up(false);
                self.clients.bus_gone();
                for name in &self.names {
                    model.bus_name(name, Ownership::Free);
                }
            }
            Event::NameOwner(name, owner) => model.bus_name(&name, owner),
            Event::Activation(unit) => self.activate(model, unit),
        }
        self.send();
    }

    /// The units that clients held and do not hold any more, once for each time they did.
    pub fn let_go(&mut self) -> Vec<UnitName> {
        self.clients.take_let_go()
    }

    /// Takes note of what the engine announces; it is told at the next `flush`.
    pub fn hear(&mut self, announcement: &Announcement) {
        self.clients.hear(announcement);
    }

    /// Takes note that a daemon-reload begins or ends, whoever asked for it.
    pub fn reloading(&mut self, phase: Reloading) {
        self.clients.reloading(phase);
    }

    /// Tells what was heard: answers and signals, in order. Once per turn of the loop, and while it [is behind](Server::is_behind).
    pub fn flush(&mut self, model: &dyn Model) {
        self.clients.flush(model);
        self.send();
    }

    /// Whether more is to be told than one `flush` does: the loop is to come back to it when clients had a turn.
    pub fn is_behind(&self) -> bool {
        self.clients.is_behind()
    }

    /// Waits until the clients have taken what was sent to them, but no longer than this: before the process ends.
    pub async fn drain(&mut self, patience: Duration) {
        let empty = async {
            let waits = |link: &Link| !link.outbox().is_empty();
            while self.links.values().any(waits) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(patience, empty).await.unwrap_or_default();
    }

    fn activate(&mut self, model: &mut dyn Model, unit: String) {
        match loadable(&unit) {
            Ok(name) => {
                let name = model.load(&name);
                let wish = Request::Job { unit: name, kind: JobKind::Start, mode: JobMode::Replace };
                let request = model.submit(None, wish);
                self.clients.await_activation(request, unit);
            }
            Err(fault) => self.clients.activation_failed(&unit, &fault),
        }
    }

    fn bus_up(&mut self, up: bool) {
        if let Some(bus) = &mut self.bus {
            bus.up = up;
        }
    }

    fn forget(&mut self, peer: &Peer) {
        if let Peer::Private(id) = peer {
            self.links.remove(id);
        }
        self.clients.gone(peer);
    }

    /// A client that does not read is hung up on; the others do not wait for it.
    fn send(&mut self) {
        let mut stalled = Vec::new();
        for (to, message) in self.clients.take_outgoing() {
            match to {
                To::Peer(Peer::Private(id)) => push(&self.links, id, message, &mut stalled),
                To::EveryPrivate => {
                    for id in self.links.keys() {
                        push(&self.links, *id, message.clone(), &mut stalled);
                    }
                }
                To::Peer(Peer::Bus(_)) | To::Bus => match &self.bus {
                    Some(bus) if bus.up => {
                        if bus.outbox.push(message).is_err() {
                            bus.commands.send(Command::Reconnect).unwrap_or_default();
                        }
                    }
                    Some(_) | None => {}
                },
            }
        }
        for id in stalled {
            self.forget(&Peer::Private(id));
        }
    }
}

fn push(links: &BTreeMap<u64, Link>, id: u64, message: Message, stalled: &mut Vec<u64>) {
    if links.get(&id).is_some_and(|link| link.outbox().push(message).is_err()) {
        stalled.push(id);
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.accepting {
            task.abort();
        }
    }
}
