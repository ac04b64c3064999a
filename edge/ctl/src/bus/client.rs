//! One connection: calls out, replies in, and the signals that arrive between them.
//!
//! Replies are taken from the same stream as signals, in their order. So a `JobRemoved` that overtakes the
//! reply naming its job is still seen, and the stream is never left unread while something is awaited.

use super::connect::Route;
use super::job::JobResult;
use super::wire::{Incoming, Kind, Wire};
use super::{MANAGER, MANAGER_PATH, Properties, Value};
use std::collections::VecDeque;
use std::io;
use zbus::Message;
use zbus::message::Flags;

const DESTINATION: &str = "org.freedesktop.systemd1";

#[derive(Debug)]
pub struct Client {
    wire: Wire,
    route: Route,
    /// Ends of jobs that nobody has asked for yet.
    ended: VecDeque<JobResult>,
}

/// Why a call brought no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The manager said no.
    #[error("{text}")]
    Refused { name: String, text: String },
    /// The connection ended: the manager went away.
    #[error("Connection reset by peer")]
    Lost,
    /// The reply is not what the interface promises, or the call could not be written.
    #[error("{0}")]
    Garbled(String),
}

impl CallError {
    pub fn text(&self) -> &str {
        match self {
            CallError::Refused { text, .. } => text,
            CallError::Lost => "Connection reset by peer",
            CallError::Garbled(text) => text,
        }
    }

    /// The last word of the D-Bus error name: `NoSuchUnit`, `AccessDenied`.
    pub fn kind(&self) -> &str {
        match self {
            CallError::Refused { name, .. } => name.rsplit('.').next().unwrap_or(""),
            CallError::Lost | CallError::Garbled(_) => "",
        }
    }
}

impl Client {
    pub fn new(wire: Wire, route: Route) -> Client {
        Client { wire, route, ended: VecDeque::new() }
    }

    /// A method of the manager object.
    pub fn manager<R>(
        &mut self,
        member: &str,
        body: &(impl serde::Serialize + zbus::DynamicType),
    ) -> Result<R, CallError>
    where
        R: serde::de::DeserializeOwned + zbus::Type,
    {
        self.call(MANAGER_PATH, MANAGER, member, body)
    }

    pub fn call<R>(
        &mut self,
        path: &str,
        interface: &str,
        member: &str,
        body: &(impl serde::Serialize + zbus::DynamicType),
    ) -> Result<R, CallError>
    where
        R: serde::de::DeserializeOwned + zbus::Type,
    {
        self.call_at(DESTINATION, path, interface, member, body)
    }

    pub fn call_at<R>(
        &mut self,
        destination: &str,
        path: &str,
        interface: &str,
        member: &str,
        body: &(impl serde::Serialize + zbus::DynamicType),
    ) -> Result<R, CallError>
    where
        R: serde::de::DeserializeOwned + zbus::Type,
    {
        let call = Message::method_call(path, member)
            .destination(destination)
            .interface(interface)
            .with_flags(Flags::ALLOW_INTERACTIVE_AUTH)
            .build(body)
            .map_err(|error| CallError::Garbled(error.to_string()))?;
        let reply = self.exchange(&call)?;
        reply
            .body()
            .map_err(|error| CallError::Garbled(format!("Failed to parse bus message: {member}: {error}")))
    }

    /// All properties of an object, in the manager's order. An empty interface means those of all of them.
    pub fn properties(&mut self, path: &str, interface: &str) -> Result<Properties, CallError> {
        self.call(path, "org.freedesktop.DBus.Properties", "GetAll", &interface)
    }

    pub fn property(&mut self, path: &str, interface: &str, name: &str) -> Result<Value, CallError> {
        let value: zbus::OwnedVariant =
            self.call(path, "org.freedesktop.DBus.Properties", "Get", &(interface, name))?;
        Ok(Value::from(&*value))
    }

    /// Asks a bus for the manager's signals; the private socket brings them unasked.
    pub fn subscribe(&mut self) -> Result<(), CallError> {
        if self.route == Route::Private {
            return Ok(());
        }
        let rule = "type='signal',sender='org.freedesktop.systemd1'";
        let bus = "org.freedesktop.DBus";
        self.call_at::<()>(bus, "/org/freedesktop/DBus", bus, "AddMatch", &rule)?;
        match self.manager::<()>("Subscribe", &()) {
            Err(error) if error.kind() != "AlreadySubscribed" => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The next job that ended, among all jobs of the manager.
    pub fn next_job_end(&mut self) -> Result<JobResult, CallError> {
        loop {
            if let Some(end) = self.ended.pop_front() {
                return Ok(end);
            }
            let message = self.next_message()?;
            self.note(&message);
        }
    }

    /// Waits for a signal of the manager of that name.
    pub fn until_signal(&mut self, member: &str) -> Result<(), CallError> {
        loop {
            let message = self.next_message()?;
            self.note(&message);
            if message.kind == Kind::Signal && message.member == member {
                return Ok(());
            }
        }
    }

    fn exchange(&mut self, call: &Message) -> Result<Incoming, CallError> {
        let serial = call.primary_header().serial_num().get();
        self.wire.send(call).map_err(|error| lost(&error))?;
        loop {
            let message = self.next_message()?;
            if message.reply_to != Some(serial) {
                self.note(&message);
                continue;
            }
            match message.kind {
                Kind::Error => return Err(refusal(&message)),
                Kind::Return => return Ok(message),
                Kind::Call | Kind::Signal | Kind::Unknown => {}
            }
        }
    }

    fn note(&mut self, message: &Incoming) {
        if message.kind == Kind::Signal && message.member == "JobRemoved" {
            self.ended.extend(JobResult::from_signal(message));
        }
    }

    fn next_message(&mut self) -> Result<Incoming, CallError> {
        self.wire.receive().map_err(|error| lost(&error))
    }
}

fn lost(error: &io::Error) -> CallError {
    if error.kind() == io::ErrorKind::InvalidData {
        CallError::Garbled(error.to_string())
    } else {
        CallError::Lost
    }
}

fn refusal(message: &Incoming) -> CallError {
    let name = message.error.clone();
    let text = match name.as_str() {
        // Whoever refuses words it in his own way; people know this one.
        "org.freedesktop.DBus.Error.AccessDenied" => "Access denied".to_owned(),
        _ => message.body::<String>().unwrap_or_else(|_| name.clone()),
    };
    CallError::Refused { name, text }
}
