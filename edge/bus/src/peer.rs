//! Private connections: accepting, authenticating, and moving messages. One task for each connection, one that
//! accepts; none of them decides anything.

use crate::auth::{Auth, Step};
use crate::call::{Call, Credentials, Peer};
use crate::limits;
use crate::server::Event;
use crate::stream::{Authenticated, receive};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zbus::export::futures_core::Stream;
use zbus::message::Type;
use zbus::{Connection, Guid, Message, MessageStream};

/// Our end of a connection's task. Dropping it ends the connection.
#[derive(Debug)]
pub struct Link {
    outbox: Outbox,
    task: JoinHandle<()>,
}

impl Link {
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Messages on their way to one peer, counted in bytes until the socket has taken them.
#[derive(Clone, Debug)]
pub struct Outbox {
    messages: mpsc::UnboundedSender<Message>,
    queued: Arc<AtomicUsize>,
}

/// The peer does not read what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled;

impl Outbox {
    pub fn new() -> (Outbox, Inbox) {
        let (messages, receiver) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        (Outbox { messages, queued: Arc::clone(&queued) }, Inbox { messages: receiver, queued })
    }

    pub fn push(&self, message: Message) -> Result<(), Stalled> {
        let length = message.data().len();
        let queued = self.queued.load(Ordering::Relaxed);
        if queued > 0 && queued + length > limits::QUEUED_BYTES {
            return Err(Stalled);
        }
        self.queued.fetch_add(length, Ordering::Relaxed);
        // A closed receiver is a connection that ended: its task says so itself.
        self.messages.send(message).map_err(|_| Stalled)
    }

    pub fn is_empty(&self) -> bool {
        self.queued.load(Ordering::Relaxed) == 0
    }
}

/// The other end of an [`Outbox`].
#[derive(Debug)]
pub struct Inbox {
    messages: mpsc::UnboundedReceiver<Message>,
    queued: Arc<AtomicUsize>,
}

impl Inbox {
    /// What waits, many at a time; `None` once nobody can send any more. May be dropped without loss.
    pub async fn batch(&mut self) -> Option<Vec<Message>> {
        let mut batch = Vec::new();
        match self.messages.recv_many(&mut batch, limits::SENT_AT_ONCE).await {
            0 => None,
            _ => Some(batch),
        }
    }

    /// The socket has taken these, or never will.
    pub fn taken(&self, batch: &[Message]) {
        let bytes: usize = batch.iter().map(|message| message.data().len()).sum();
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Forgets what was meant for a connection that is gone.
    pub fn discard(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.taken(&[message]);
        }
    }
}

/// Sends what comes until the connection or the outbox ends.
async fn send_all(connection: &Connection, mut inbox: Inbox) -> zbus::Result<()> {
    while let Some(batch) = inbox.batch().await {
        connection.send_all(&batch).await?;
        inbox.taken(&batch);
    }
    Ok(())
}

pub async fn next_message(stream: &mut MessageStream) -> Option<zbus::Result<Message>> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

/// Accepts for ever. A peer that is neither root nor the owner is hung up on at once.
pub async fn accept(listener: UnixListener, owner: u32, events: mpsc::Sender<Event>) {
    let live = Arc::new(AtomicUsize::new(0));
    let mut last = 0;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors or memory: the backlog waits until there are some again.
            Err(_) => {
                tokio::time::sleep(limits::BUS_RETRY).await;
                continue;
            }
        };
        let Ok(credentials) = credentials(&stream) else { continue };
        let permitted = credentials.uid == 0 || credentials.uid == owner;
        if !permitted || live.load(Ordering::Relaxed) >= limits::CONNECTIONS {
            continue;
        }
        last += 1;
        let id = last;
        let (outbox, inbox) = Outbox::new();
        let (events, live) = (events.clone(), Arc::clone(&live));
        live.fetch_add(1, Ordering::Relaxed);
        let ours = events.clone();
        let task = tokio::spawn(async move {
            let counted = Counted(live);
            // How a connection ended matters to nobody but its peer.
            converse(stream, id, credentials, inbox, &events).await.unwrap_or_default();
            drop(counted);
            events.send(Event::Left(Peer::Private(id))).await.unwrap_or_default();
        });
        let link = Link { outbox, task };
        if ours.send(Event::Joined(id, link)).await.is_err() {
            return;
        }
    }
}

/// Counts a connection for as long as it lives, also when its task is aborted.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn credentials(stream: &UnixStream) -> io::Result<Credentials> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).unwrap_or(0);
    Ok(Credentials { uid: peer.uid.as_raw(), pid })
}

async fn converse(
    stream: UnixStream,
    id: u64,
    credentials: Credentials,
    inbox: Inbox,
    events: &mpsc::Sender<Event>,
) -> zbus::Result<()> {
    let guid = Guid::generate();
    let handshake = authenticate(stream, Auth::new(credentials.uid, guid.as_str().to_owned()));
    let socket = match tokio::time::timeout(limits::AUTH_TIME, handshake).await {
        Ok(socket) => socket?,
        Err(_) => return Ok(()),
    };
    let connection = zbus::connection::Builder::authenticated_socket(socket, guid).p2p();
    let mut messages = connection.build_message_stream().await?;
    let connection = Connection::from(&messages);
    let reading = async {
        while let Some(message) = next_message(&mut messages).await {
            let message = message?;
            if message.message_type() == Type::MethodCall {
                let call = Call { peer: Peer::Private(id), credentials, message };
                if events.send(Event::Call(call)).await.is_err() {
                    break;
                }
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = reading => ended,
        ended = send_all(&connection, inbox) => ended,
    }
}

async fn authenticate(mut stream: UnixStream, mut auth: Auth) -> io::Result<Authenticated> {
    let mut buffer = [0; limits::AUTH_BYTES];
    let mut fds: Vec<OwnedFd> = Vec::new();
    loop {
        let (count, more) = receive(&stream, &mut buffer).await?;
        fds.extend(more);
        if count == 0 || fds.len() > limits::MESSAGE_FDS {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        match auth.feed(&buffer[..count]) {
            Step::More(answer) => stream.write_all(&answer).await?,
            Step::Refused => return Err(io::ErrorKind::PermissionDenied.into()),
            Step::Begin { answer, rest } => {
                stream.write_all(&answer).await?;
                return Ok(Authenticated { stream, rest, rest_fds: fds });
            }
        }
    }
}
