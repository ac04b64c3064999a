//! One method call, and the replies to it.

use crate::fault::Fault;
use crate::path;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::Message;
use zbus::Type;
use zbus::message::Flags;
use zbus::wire::DynamicType;

/// The well-known name.
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
        Message::method_return(&header).build(body).map_err(unsendable)
    }

    pub fn refuse(&self, fault: &Fault) -> Option<Message> {
        let header = self.message.header();
        let error = Message::error(&header, fault.name);
        // A fault's name is a constant of ours; only a text beyond the size of a message could fail.
        error.build(&(fault.text.as_ref(),)).ok()
    }

    /// The caller does not want to hear of it.
    pub fn wants_no_reply(&self) -> bool {
        self.message.primary_header().flags().contains(Flags::NO_REPLY_EXPECTED)
    }
}

/// A signal of one of our objects. No message of ours names its sender: the bus daemon fills it in, and on a
/// private connection there is but one (zbus' clients refuse a sender that is no unique name).
pub fn signal<B: Serialize + DynamicType>(
    object: &str,
    interface: &str,
    member: &str,
    body: &B,
) -> Result<Message, Fault> {
    Message::signal(object, interface, member).build(body).map_err(unsendable)
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
