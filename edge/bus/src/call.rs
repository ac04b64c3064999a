//! One method call, and the replies to it.

use crate::fault::Fault;
use crate::path;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::Message;
use zbus::Type;
use zbus::message::Flags;
use zbus::names::UniqueName;
use zbus::wire::DynamicType;

/// The well-known name, also the sender of everything on a private connection: clients match signals by it.
pub const NAME: &str = "org.freedesktop.systemd1";

/// Whoever talks to us: over a private connection, or through the bus daemon under a unique name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Private(u64),
    Bus(String),
}

/// What the kernel (or the bus daemon, asking it) says of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub uid: u32,
    pub pid: u32,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub peer: Peer,
    pub credentials: Credentials,
    pub message: Message,
}

impl Call {
    pub fn arguments<T: DeserializeOwned + Type>(&self) -> Result<T, Fault> {
        let body = self.message.body();
        body.deserialize::<T>().map_err(|_| Fault::invalid_args("Invalid argument"))
    }

    pub fn reply<B: Serialize + DynamicType>(&self, body: &B) -> Result<Message, Fault> {
        let header = self.message.header();
        signed(&self.peer, Message::method_return(&header)).build(body).map_err(unsendable)
    }

    pub fn refuse(&self, fault: &Fault) -> Option<Message> {
        let header = self.message.header();
        let error = signed(&self.peer, Message::error(&header, fault.name));
        // A fault's name is a constant of ours; only a text beyond the size of a message could fail.
        error.build(&(fault.text.as_ref(),)).ok()
    }

    /// The caller does not want to hear of it.
    pub fn wants_no_reply(&self) -> bool {
        self.message.primary_header().flags().contains(Flags::NO_REPLY_EXPECTED)
    }
}

/// The bus daemon sets the sender itself; on a private connection it is ours to set.
fn signed<'a>(peer: &Peer, builder: zbus::message::Builder<'a>) -> zbus::message::Builder<'a> {
    match peer {
        Peer::Private(_) => builder.sender(UniqueName::from_static_str_unchecked(NAME)),
        Peer::Bus(_) => builder,
    }
}

/// A signal of one of our objects. `to_bus`: the bus daemon fills in the sender.
pub fn signal<B: Serialize + DynamicType>(
    object: &str,
    interface: &str,
    member: &str,
    road: Road,
    body: &B,
) -> Result<Message, Fault> {
    let builder = Message::signal(object, interface, member);
    let builder = match road {
        Road::Private => builder.sender(UniqueName::from_static_str_unchecked(NAME)),
        Road::Bus => builder,
    };
    builder.build(body).map_err(unsendable)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    Private,
    Bus,
}

pub fn unsendable(error: zbus::Error) -> Fault {
    Fault::limits_exceeded(format!("Message cannot be sent: {error}"))
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Outcome {
    Reply(Message),
    /// The engine answers under this id; the reply then has this shape.
    Later(eudaemon_engine::api::RequestId, Shape),
    /// Nobody waits for an answer (re-exec: the connection ends instead).
    Silence,
}

/// What a reply is made of once the answer is there.
#[derive(Clone, Debug)]
pub enum Shape {
    Empty,
    JobPath,
    /// `EnqueueUnitJob`: the job and its unit in full.
    Enqueued {
        unit: eudaemon_unit::name::UnitName,
        kind: eudaemon_engine::api::JobKind,
    },
}

impl Call {
    pub fn object(&self) -> path::Place {
        self.message.header().path().map_or(path::Place::Unknown, |path| path::place(path.as_str()))
    }
}
