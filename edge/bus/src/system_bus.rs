//! The system bus: one connection to the bus daemon, made when it is said to be up and made again when it
//! breaks. The bus is a client's convenience: nothing in the manager ever waits for it.

use crate::call::{Call, Credentials, NAME, Peer};
use crate::limits;
use crate::peer::{Inbox, next_message};
use crate::server::Event;
use eudaemon_engine::api::Ownership;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, OwnedVariant};

const DAEMON: &str = "org.freedesktop.DBus";
const DAEMON_PATH: &str = "/org/freedesktop/DBus";

/// What the server asks of this task.
#[derive(Debug)]
pub enum Command {
    /// Report who owns this name, now and whenever that changes.
    Watch(String),
    /// The daemon does not take what we send.
    Reconnect,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Broken,
    /// The server is gone: so are we.
    Unwanted,
}

pub async fn run(
    socket: PathBuf,
    mut inbox: Inbox,
    mut commands: mpsc::UnboundedReceiver<Command>,
    events: mpsc::Sender<Event>,
) {
    let mut names = BTreeSet::new();
    loop {
        let attempt = tokio::time::timeout(limits::BUS_TIME, connect(&socket)).await;
        if let Ok(Ok(messages)) = attempt {
            let session = Session { events: &events, names: &mut names, known: BTreeMap::new() };
            let ended = session.converse(messages, &mut inbox, &mut commands).await;
            if events.send(Event::BusLeft).await.is_err() || ended == Ended::Unwanted {
                return;
            }
            inbox.discard();
        }
        tokio::time::sleep(limits::BUS_RETRY).await;
    }
}

async fn connect(socket: &Path) -> zbus::Result<MessageStream> {
    let stream = tokio::net::UnixStream::connect(socket).await?.into_std()?;
    let builder = zbus::connection::Builder::unix_stream(stream).max_queued(limits::BUS_QUEUE);
    builder.build_message_stream().await
}

struct Session<'a> {
    events: &'a mpsc::Sender<Event>,
    names: &'a mut BTreeSet<String>,
    /// Who the callers are, by unique name; the daemon never gives one out twice.
    known: BTreeMap<String, Credentials>,
}

impl Session<'_> {
    async fn converse(
        mut self,
        mut messages: MessageStream,
        inbox: &mut Inbox,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Ended {
        let connection = Connection::from(&messages);
        if self.introduce(&connection).await.is_err() {
            return Ended::Broken;
        }
        if self.events.send(Event::BusJoined).await.is_err() {
            return Ended::Unwanted;
        }
        loop {
            let done = tokio::select! {
                message = next_message(&mut messages) => match message {
                    Some(Ok(message)) => self.take(&connection, message).await,
                    Some(Err(_)) | None => return Ended::Broken,
                },
                batch = inbox.batch() => match batch {
                    Some(batch) => self.send(&connection, inbox, batch).await,
                    None => return Ended::Unwanted,
                },
                command = commands.recv() => match command {
                    Some(Command::Watch(name)) => {
                        let watched = watch(&connection, self.events, &name).await;
                        self.names.insert(name);
                        watched
                    }
                    Some(Command::Reconnect) => return Ended::Broken,
                    None => return Ended::Unwanted,
                },
            };
            if done.is_err() {
                return Ended::Broken;
            }
        }
    }

    /// Matches first, the name last: whoever sees the name may count on the rest.
    async fn introduce(&mut self, connection: &Connection) -> Result<(), Lost> {
        ask(
            connection,
            "AddMatch",
            &("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',\
               interface='org.freedesktop.systemd1.Activator',member='ActivationRequest'",),
        )
        .await?;
        ask(
            connection,
            "AddMatch",
            &("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',\
               interface='org.freedesktop.DBus',member='NameOwnerChanged'",),
        )
        .await?;
        // Allow replacement, replace existing, do not queue.
        const FLAGS: u32 = 7;
        ask(connection, "RequestName", &(NAME, FLAGS)).await?;
        for name in self.names.iter() {
            watch(connection, self.events, name).await?;
        }
        Ok(())
    }

    async fn take(&mut self, connection: &Connection, message: Message) -> Result<(), Lost> {
        match message.message_type() {
            Type::MethodCall => self.call(connection, message).await,
            Type::Signal => self.signal(&message).await,
            Type::MethodReturn | Type::Error => Ok(()),
        }
    }

    async fn call(&mut self, connection: &Connection, message: Message) -> Result<(), Lost> {
        let header = message.header();
        let Some(sender) = header.sender().map(|name| name.as_str().to_owned()) else { return Ok(()) };
        drop(header);
        let credentials = match self.known.get(&sender) {
            Some(credentials) => *credentials,
            // A caller that is gone already needs no answer.
            None => match credentials(connection, &sender).await {
                Some(credentials) => credentials,
                None => return Ok(()),
            },
        };
        if self.known.len() >= limits::BUS_PEERS {
            self.known.clear();
        }
        self.known.insert(sender.clone(), credentials);
        self.tell(Event::Call(Call { peer: Peer::Bus(sender), credentials, message })).await
    }

    async fn signal(&mut self, message: &Message) -> Result<(), Lost> {
        let header = message.header();
        let from_daemon = header.sender().is_some_and(|name| name.as_str() == DAEMON);
        let member = header.member().map(|name| name.as_str());
        if !from_daemon {
            return Ok(());
        }
        match member {
            Some("NameOwnerChanged") => {
                let body = message.body();
                let Ok((name, _, new)) = body.deserialize::<(String, String, String)>() else {
                    return Ok(());
                };
                if name.starts_with(':') && new.is_empty() {
                    self.known.remove(&name);
                    return self.tell(Event::Left(Peer::Bus(name))).await;
                }
                if self.names.contains(&name) {
                    return self.tell(Event::NameOwner(name, ownership(&new))).await;
                }
                Ok(())
            }
            Some("ActivationRequest") => match message.body().deserialize::<String>() {
                Ok(unit) => self.tell(Event::Activation(unit)).await,
                Err(_) => Ok(()),
            },
            Some(_) | None => Ok(()),
        }
    }

    async fn send(&self, connection: &Connection, inbox: &Inbox, batch: Vec<Message>) -> Result<(), Lost> {
        let sent = tokio::time::timeout(limits::BUS_TIME, connection.send_all(&batch)).await;
        inbox.taken(&batch);
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Lost),
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Lost> {
        self.events.send(event).await.map_err(|_| Lost)
    }
}

/// The daemon does not answer, or the server is gone.
#[derive(Clone, Copy, Debug)]
struct Lost;

async fn ask<B>(connection: &Connection, method: &str, body: &B) -> Result<Message, Lost>
where
    B: serde::Serialize + zbus::wire::DynamicType,
{
    let call = connection.call_method(Some(DAEMON), DAEMON_PATH, Some(DAEMON), method, body);
    match tokio::time::timeout(limits::BUS_TIME, call).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(_)) | Err(_) => Err(Lost),
    }
}

/// Changes are matched already; this asks how it stands now.
async fn watch(connection: &Connection, events: &mpsc::Sender<Event>, name: &str) -> Result<(), Lost> {
    let body = (name,);
    let owner = connection.call_method(Some(DAEMON), DAEMON_PATH, Some(DAEMON), "NameHasOwner", &body);
    let owned = match tokio::time::timeout(limits::BUS_TIME, owner).await {
        Ok(Ok(reply)) => reply.body().deserialize::<bool>().unwrap_or_default(),
        // The daemon refuses a name that is none.
        Ok(Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_))) => false,
        Ok(Err(_)) | Err(_) => return Err(Lost),
    };
    let owner = if owned { Ownership::Owned } else { Ownership::Free };
    events.send(Event::NameOwner(name.to_owned(), owner)).await.map_err(|_| Lost)
}

fn ownership(owner: &str) -> Ownership {
    if owner.is_empty() { Ownership::Free } else { Ownership::Owned }
}

async fn credentials(connection: &Connection, name: &str) -> Option<Credentials> {
    let reply = ask(connection, "GetConnectionCredentials", &(name,)).await.ok()?;
    let body = reply.body();
    let said: BTreeMap<String, OwnedVariant> = body.deserialize().ok()?;
    let number = |key: &str| said.get(key).and_then(|value| u32::try_from(value).ok());
    Some(Credentials { uid: number("UnixUserID")?, pid: number("ProcessID").unwrap_or(0) })
}
