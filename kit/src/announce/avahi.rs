//! An entry in DNS-SD by Avahi: `org.freedesktop.Avahi.Server` and `.EntryGroup` on the system's bus, as
//! `/usr/share/dbus-1/interfaces/org.freedesktop.Avahi.*.xml` describe them.
//!
//! ```text
//! connect ─► group, service, commit ─► established
//!    ▲            ▲        │ name is taken: the next name
//!    │            └────────┴ host name changed, or avahi-daemon began anew
//!    └─ bus or avahi-daemon away: pause, again
//! ```
//! A group is its connection's: when the daemon is gone, however it went, so is the entry.

use super::term::{Pauses, Term, Trouble};
use super::{Entry, Health};
use crate::limits::{LOOKED_FOR_EVERY, MOST_NAMES, REGISTRY_ANSWERS_WITHIN, TAKEN_BACK_WITHIN};
use crate::log::Priority;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::UnixStream;
use zbus::connection::Builder;
use zbus::export::futures_core::Stream;
use zbus::{Connection, DynamicType, Message, MessageStream, OwnedObjectPath};

const AVAHI: &str = "org.freedesktop.Avahi";
const SERVER: &str = "org.freedesktop.Avahi.Server";
const GROUP: &str = "org.freedesktop.Avahi.EntryGroup";
const BUS: &str = "org.freedesktop.DBus";
/// What the bus is asked to pass on.
const RULES: [&str; 2] = [
    "type='signal',sender='org.freedesktop.Avahi',member='StateChanged'",
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.Avahi'",
];
/// avahi-common/defs.h: every interface, every protocol, no flags.
const EVERY: i32 = -1;
const NO_FLAGS: u32 = 0;
/// avahi-common/defs.h, `AvahiServerState`: it answers under its host name.
const SERVER_RUNNING: i32 = 2;
/// avahi-common/defs.h, `AvahiEntryGroupState`.
const GROUP_ESTABLISHED: i32 = 2;
const GROUP_COLLISION: i32 = 3;
const GROUP_FAILURE: i32 = 4;

/// What stands at Avahi, as far as we know.
#[derive(Debug, Default)]
struct Published {
    connection: Option<Connection>,
    group: Option<OwnedObjectPath>,
    /// The name that was found free.
    name: String,
}

/// Something that Avahi, the bus or time says.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Established,
    Taken,
    /// The group failed.
    Failed(String),
    /// Avahi's host name is another, or avahi-daemon began anew: what stood stands no more.
    Anew,
    Gone,
    /// Nothing to do with us.
    Other,
    /// Time to look whether the daemon is well.
    Round,
}

/// Keeps the entry until the term is over, then takes it back.
pub(super) fn stand(entry: &Entry, service_type: &str, bus: Option<&str>, term: &Term) {
    let mut trouble = Trouble::new(&term.log, format!("{} at Avahi", entry.name));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| {
        let bell = term.bell.try_clone()?;
        bell.set_nonblocking(true)?;
        runtime.block_on(async {
            let bell = UnixStream::from_std(bell)?;
            until(&bell, entry, service_type, bus, term, &mut trouble).await;
            Ok(())
        })
    }) {
        Ok(()) => {}
        Err(error) => trouble.begins(&error.to_string()),
    }
}

async fn until(
    bell: &UnixStream,
    entry: &Entry,
    service_type: &str,
    bus: Option<&str>,
    term: &Term,
    trouble: &mut Trouble<'_>,
) {
    let mut pauses = Pauses::new();
    let mut published = Published { name: entry.name.clone(), ..Published::default() };
    loop {
        let mut keeping =
            Keeping { entry, service_type, term, trouble, pauses: &mut pauses, published: &mut published };
        tokio::select! {
            _ = bell.readable() => break,
            ended = keeping.keep(bus) => match ended {
                Ok(never) => match never {},
                Err(error) => trouble.begins(&error.to_string()),
            },
        }
        // Whatever stood there went with the connection.
        published.connection = None;
        published.group = None;
        tokio::select! {
            _ = bell.readable() => break,
            () = tokio::time::sleep(pauses.next()) => {}
        }
    }
    match tokio::time::timeout(TAKEN_BACK_WITHIN, published.withdraw()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => trouble.lasts(&error.to_string()),
        Err(_) => trouble.lasts("no answer: it goes with the connection"),
    }
}

impl Published {
    async fn call<Body>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &Body,
    ) -> zbus::Result<Message>
    where
        Body: serde::Serialize + DynamicType,
    {
        let connection = self.connection.as_ref().ok_or(zbus::Error::InvalidReply)?;
        connection.call_method(Some(AVAHI), path, Some(interface), method, body).await
    }

    async fn withdraw(&mut self) -> zbus::Result<()> {
        match self.group.take() {
            Some(group) => self.call(group.as_str(), GROUP, "Free", &()).await.map(drop),
            None => Ok(()),
        }
    }
}

struct Keeping<'a, 'log> {
    entry: &'a Entry,
    service_type: &'a str,
    term: &'a Term,
    trouble: &'a mut Trouble<'log>,
    pauses: &'a mut Pauses,
    published: &'a mut Published,
}

impl Keeping<'_, '_> {
    /// Publishes and follows what becomes of it, until that fails.
    async fn keep(&mut self, bus: Option<&str>) -> zbus::Result<Infallible> {
        let builder = match bus {
            Some(address) => Builder::address(address),
            None => Builder::system(),
        };
        let connection = builder.method_timeout(REGISTRY_ANSWERS_WITHIN).build();
        // A bus that takes connections and says nothing is away too.
        let connection = tokio::time::timeout(REGISTRY_ANSWERS_WITHIN, connection).await;
        let connection =
            connection.map_err(|_| zbus::Error::Failure("the bus does not answer".to_owned()))??;
        let mut messages = MessageStream::from(&connection);
        for rule in RULES {
            connection
                .call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), "AddMatch", &(rule,))
                .await?;
        }
        self.published.connection = Some(connection);
        loop {
            if self.is_well() && self.published.group.is_none() {
                self.publish().await?;
            } else if !self.is_well() {
                self.published.withdraw().await?;
            }
            match self.hear(&mut messages).await? {
                Heard::Established => {
                    self.trouble.is_over();
                    *self.pauses = Pauses::new();
                }
                Heard::Taken => {
                    self.published.withdraw().await?;
                    self.next_name().await?;
                }
                Heard::Failed(reason) => return Err(zbus::Error::Failure(reason)),
                Heard::Anew => self.published.withdraw().await.unwrap_or_default(),
                Heard::Gone => return Err(zbus::Error::Failure("avahi-daemon is gone".to_owned())),
                Heard::Other | Heard::Round => {}
            }
        }
    }

    fn is_well(&self) -> bool {
        match self.entry.health {
            Health::Ttl(within) => self.term.pulse.silence() <= within,
            Health::Http(..) | Health::Tcp(_) => true,
        }
    }

    /// Makes the group; a name that this very machine has taken is passed over.
    async fn publish(&mut self) -> zbus::Result<()> {
        let texts: Vec<&[u8]> = self.entry.tags.iter().map(String::as_bytes).collect();
        // Announcements without one are refused.
        let port = self.entry.port.unwrap_or_default();
        for _ in 0..MOST_NAMES {
            let made = self.published.call("/", SERVER, "EntryGroupNew", &()).await?;
            let group: OwnedObjectPath = made.body().deserialize()?;
            let path = group.as_str().to_owned();
            self.published.group = Some(group);
            let name = &*self.published.name;
            let service = (EVERY, EVERY, NO_FLAGS, name, self.service_type, "", "", port, &*texts);
            match self.published.call(&path, GROUP, "AddService", &service).await {
                Ok(_) => return self.published.call(&path, GROUP, "Commit", &()).await.map(drop),
                Err(zbus::Error::MethodError(what, ..)) if what.as_str().ends_with(".CollisionError") => {
                    self.published.withdraw().await?;
                    self.next_name().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(zbus::Error::Failure(format!(
            "{MOST_NAMES} names are taken, the last is {}",
            self.published.name
        )))
    }

    /// As Avahi makes one of the last: `web #2`.
    async fn next_name(&mut self) -> zbus::Result<()> {
        let taken = self.published.name.clone();
        let next = self.published.call("/", SERVER, "GetAlternativeServiceName", &(&*taken,)).await?;
        self.published.name = next.body().deserialize()?;
        let text = format!("{taken} is taken in DNS-SD: announced as {}", self.published.name);
        self.term.log.line(Priority::Notice, text);
        Ok(())
    }

    async fn hear(&self, messages: &mut MessageStream) -> zbus::Result<Heard> {
        let round = match self.entry.health {
            Health::Ttl(within) => within / 3,
            Health::Http(..) | Health::Tcp(_) => LOOKED_FOR_EVERY,
        };
        let next = poll_fn(|context| Pin::new(&mut *messages).poll_next(context));
        match tokio::time::timeout(round.max(Duration::from_millis(1)), next).await {
            Err(_) => Ok(Heard::Round),
            Ok(None) => Err(zbus::Error::Failure("the bus is gone".to_owned())),
            Ok(Some(message)) => self.read(&message?),
        }
    }

    fn read(&self, message: &Message) -> zbus::Result<Heard> {
        let header = message.header();
        let member = header.member().map(|member| member.as_str()).unwrap_or_default();
        let interface = header.interface().map(|interface| interface.as_str()).unwrap_or_default();
        let ours = self.published.group.as_ref().map(|group| group.as_str());
        Ok(match (interface, member) {
            (GROUP, "StateChanged") if header.path().map(|path| path.as_str()) == ours => {
                let (state, error): (i32, String) = message.body().deserialize()?;
                match state {
                    GROUP_ESTABLISHED => Heard::Established,
                    GROUP_COLLISION => Heard::Taken,
                    GROUP_FAILURE => Heard::Failed(error),
                    _ => Heard::Other,
                }
            }
            (SERVER, "StateChanged") => {
                let (state, _): (i32, String) = message.body().deserialize()?;
                if state == SERVER_RUNNING { Heard::Anew } else { Heard::Other }
            }
            (BUS, "NameOwnerChanged") => {
                let (_, _, owner): (String, String, String) = message.body().deserialize()?;
                if owner.is_empty() { Heard::Gone } else { Heard::Anew }
            }
            _ => Heard::Other,
        })
    }
}
