//! Telling others where the daemon is: an entry in a registry that stands while the daemon is ready.
//!
//! ```text
//! ready ──► a thread registers ──► keeps the entry true ──► stop begins ──► takes it back
//!            │ nobody there: tries again, pauses grow             (before open work is waited for)
//! ```
//! The daemon never waits for its registry but at the very end, for a moment. Whoever is killed cannot take anything
//! back: each entry is made so that it goes by itself then.

#[cfg(feature = "consul")]
mod agent;
#[cfg(feature = "avahi")]
mod avahi;
#[cfg(feature = "consul")]
mod consul;
mod standing;
mod term;

use crate::error::{Error, Result};
use crate::limits::{LONGEST_ANNOUNCED_NAME, LONGEST_TAG, LONGEST_TYPE, SILENCE};
use crate::sockets::Sockets;
use crate::starter::Handed;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub(crate) use standing::Standing;

/// Where a daemon is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registry {
    /// A Consul agent, by its HTTP API: the one at `CONSUL_HTTP_ADDR=` (`http://HOST:PORT`, `HOST:PORT`, `unix:///PATH`; an `http://HOST` is at port 80, as to Consul's own tools),
    /// else at `127.0.0.1:8500`. `CONSUL_HTTP_TOKEN=`, or the file `CONSUL_HTTP_TOKEN_FILE=`, is read before rights are
    /// given up, and never written anywhere. A killed daemon's check fails, and the agent takes the entry away when that lasted.
    #[cfg(feature = "consul")]
    Consul,
    /// DNS-SD on the local network, by Avahi over the system's D-Bus. The entry goes with the daemon's connection, however
    /// the daemon ends. A name that is taken is changed as Avahi changes it: `web #2`.
    #[cfg(feature = "avahi")]
    Avahi,
}

/// How others find out whether the daemon is well.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// The daemon says so by itself, as long as it comes back to [`Life::wait`](crate::Life::wait) or says
    /// [`Handle::alive`](crate::Handle::alive) within this time. One that hangs counts as unwell, and its entry on the
    /// local network is withdrawn until it comes round again.
    Ttl(Duration),
    /// Consul's agent asks for this path every so often by HTTP; answers of 2xx are good ones.
    Http(String, Duration),
    /// Consul's agent connects every so often.
    Tcp(Duration),
}

/// What others are told of a daemon.
///
/// ```
/// # #[cfg(feature = "consul")] {
/// use eudaemon_kit::{Announcement, Daemon, Health, Registry, Socket};
/// use std::time::Duration;
/// let daemon = Daemon::new("web")
///     .socket(Socket::tcp("web", "0.0.0.0:8080"))
///     .announce(
///         Registry::Consul,
///         Announcement::new("web").socket("web").tag("v1").health(Health::Http("/healthz".into(), Duration::from_secs(10))),
///     );
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Announcement {
    name: String,
    port: Port,
    address: Option<IpAddr>,
    tags: Vec<String>,
    health: Health,
    service_type: Option<String>,
}

#[derive(Clone, Debug)]
enum Port {
    None,
    Number(u16),
    /// Whatever this socket of the daemon's turns out to be bound to.
    Socket(String),
}

impl Announcement {
    /// Of a service of this name, by default with [`Health::Ttl`] of 30 s.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Announcement {
        Announcement {
            name: name.into(),
            port: Port::None,
            address: None,
            tags: Vec::new(),
            health: Health::Ttl(SILENCE),
            service_type: None,
        }
    }

    /// The port it is found at. Without one, and without a socket, it is in Consul for who only asks whether it is there and well.
    #[must_use]
    pub fn port(mut self, port: u16) -> Announcement {
        self.port = Port::Number(port);
        self
    }

    /// The port, and the address if there is only one, that the daemon's socket of this name is bound to: what was handed
    /// over may be elsewhere than what was declared.
    #[must_use]
    pub fn socket(mut self, name: impl Into<String>) -> Announcement {
        self.port = Port::Socket(name.into());
        self
    }

    /// The address it is found at, instead of the registry's own idea of this machine. Avahi always has its own.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Announcement {
        self.address = Some(address);
        self
    }

    /// A tag; in DNS-SD a string of the TXT record, where `KEY=VALUE` is usual.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Announcement {
        self.tags.push(tag.into());
        self
    }

    /// How others find out whether it is well.
    #[must_use]
    pub fn health(mut self, health: Health) -> Announcement {
        self.health = health;
        self
    }

    /// The type it has in DNS-SD, `_http._tcp` say: RFC 6763, section 7. By default it is made of the name.
    #[must_use]
    pub fn service_type(mut self, service_type: impl Into<String>) -> Announcement {
        self.service_type = Some(service_type.into());
        self
    }

    /// Looks everything up while rights, sockets and the environment are at hand.
    pub(crate) fn prepare(&self, registry: Registry, sockets: &Sockets, handed: &Handed) -> Result<Prepared> {
        let wrong = |reason: String| Error::Announcement { name: self.name.clone(), reason };
        let bound = match &self.port {
            Port::Socket(name) => Some(sockets.network_address(name).ok_or_else(|| {
                wrong(format!("the daemon has no socket {name:?} with a port: declare it by Daemon::socket"))
            })?),
            Port::None | Port::Number(_) => None,
        };
        let port = match self.port {
            Port::Number(number) => Some(number),
            Port::None | Port::Socket(_) => bound.map(|(address, _)| address.port()),
        };
        let only = bound.map(|(address, _): (SocketAddr, _)| address.ip()).filter(|ip| !ip.is_unspecified());
        self.check(registry)?;
        let entry = Entry {
            id: port.map_or_else(|| self.name.clone(), |port| format!("{}-{port}", self.name)),
            name: self.name.clone(),
            port,
            address: self.address.or(only),
            tags: self.tags.clone(),
            health: self.health.clone(),
        };
        let way = match registry {
            #[cfg(feature = "consul")]
            Registry::Consul => Way::Consul(agent::Agent::of_environment(handed).map_err(wrong)?),
            #[cfg(feature = "avahi")]
            Registry::Avahi => {
                let transport = bound.map_or(Transport::Tcp, |(_, transport)| transport);
                Way::Avahi {
                    service_type: self.type_in_dns(transport).map_err(wrong)?,
                    bus: handed.system_bus.clone(),
                }
            }
        };
        Ok(Prepared { entry, way })
    }

    /// What is wrong about it whatever is found when the daemon starts.
    pub(crate) fn check(&self, registry: Registry) -> Result<()> {
        let wrong = |reason| Error::Announcement { name: self.name.clone(), reason };
        self.rules(registry).map_err(wrong)
    }

    fn rules(&self, registry: Registry) -> std::result::Result<(), String> {
        if self.name.is_empty() || self.name.len() > LONGEST_ANNOUNCED_NAME {
            return Err(format!("expected a name of 1 to {LONGEST_ANNOUNCED_NAME} bytes"));
        }
        if self.name.chars().any(char::is_control)
            || self.tags.iter().any(|tag| tag.chars().any(char::is_control))
        {
            return Err("expected a name and tags of one line, without control characters".to_owned());
        }
        if let Some(tag) = self.tags.iter().find(|tag| tag.len() > LONGEST_TAG) {
            return Err(format!("expected tags of at most {LONGEST_TAG} bytes, not {}", tag.len()));
        }
        let (asked, time) = match &self.health {
            Health::Ttl(time) => (false, time),
            Health::Http(path, _) if !path.starts_with('/') => {
                return Err(format!("expected a path that begins with `/`, not {path:?}"));
            }
            Health::Http(_, time) | Health::Tcp(time) => (true, time),
        };
        if *time < Duration::from_millis(1) {
            return Err("expected a time of health of at least 1 ms".to_owned());
        }
        let nobody = match registry {
            #[cfg(feature = "consul")]
            Registry::Consul => {
                asked.then_some("nobody can ask for its health without a port: name one, or a socket")
            }
            #[cfg(feature = "avahi")]
            Registry::Avahi => Some("nobody finds it without a port: name one, or a socket"),
        };
        match (&self.port, nobody) {
            (Port::None, Some(nobody)) => return Err(nobody.to_owned()),
            (Port::Number(0), _) => return Err("expected a port from 1 to 65535".to_owned()),
            (Port::None | Port::Number(_) | Port::Socket(_), _) => {}
        }
        match registry {
            #[cfg(feature = "consul")]
            Registry::Consul => {
                let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                let fits = self.name.chars().all(fits);
                fits.then_some(()).ok_or("expected a name of letters, digits, `-`, `_` and `.`".to_owned())
            }
            #[cfg(feature = "avahi")]
            Registry::Avahi if asked => Err("nobody asks for health in DNS-SD: use Health::Ttl".to_owned()),
            #[cfg(feature = "avahi")]
            Registry::Avahi => Ok(()),
        }
    }

    /// The type as it stands in a PTR record.
    #[cfg_attr(not(feature = "avahi"), allow(dead_code))]
    fn type_in_dns(&self, transport: Transport) -> std::result::Result<String, String> {
        let made = || format!("_{}.{}", self.name.to_ascii_lowercase(), transport.label());
        let found = self.service_type.clone().unwrap_or_else(made);
        let service = found.strip_suffix("._tcp").or_else(|| found.strip_suffix("._udp"));
        let fits = service.and_then(|service| service.strip_prefix('_')).is_some_and(|service| {
            service.len() <= LONGEST_TYPE
                && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && service.bytes().any(|byte| byte.is_ascii_alphabetic())
        });
        if fits {
            Ok(found)
        } else {
            Err(format!("{found:?} is no type of DNS-SD: expected `_http._tcp` or its like"))
        }
    }
}

/// What a socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    fn label(self) -> &'static str {
        match self {
            Transport::Tcp => "_tcp",
            Transport::Udp => "_udp",
        }
    }
}

/// An announcement of which everything is known.
#[derive(Debug)]
pub(crate) struct Prepared {
    entry: Entry,
    way: Way,
}

/// What stands in a registry.
#[derive(Debug)]
struct Entry {
    #[cfg_attr(not(feature = "consul"), allow(dead_code))]
    id: String,
    name: String,
    port: Option<u16>,
    #[cfg_attr(not(feature = "consul"), allow(dead_code))]
    address: Option<IpAddr>,
    tags: Vec<String>,
    health: Health,
}

#[derive(Debug)]
enum Way {
    #[cfg(feature = "consul")]
    Consul(agent::Agent),
    #[cfg(feature = "avahi")]
    Avahi { service_type: String, bus: Option<String> },
}

impl Prepared {
    /// How often the daemon has to come round for its entry to stay true.
    pub(crate) fn round(&self) -> Option<Duration> {
        match self.entry.health {
            Health::Ttl(within) => Some(within / 4),
            Health::Http(..) | Health::Tcp(_) => None,
        }
    }

    /// Stands in the registry until the term is over.
    fn stand(self, term: &term::Term) {
        match self.way {
            #[cfg(feature = "consul")]
            Way::Consul(agent) => consul::stand(&self.entry, &agent, term),
            #[cfg(feature = "avahi")]
            Way::Avahi { service_type, bus } => {
                avahi::stand(&self.entry, &service_type, bus.as_deref(), term)
            }
        }
    }
}

#[cfg(all(test, feature = "consul", feature = "avahi"))]
mod tests {
    use super::*;

    fn refusal(registry: Registry, announcement: Announcement) -> String {
        let prepared = announcement.prepare(registry, &Sockets::default(), &Handed::default());
        prepared.map_or_else(|error| error.to_string(), |_| "fine".to_owned())
    }

    #[test]
    fn what_cannot_be_announced_says_why() {
        let (web, second) = (|| Announcement::new("web"), Duration::from_secs(1));
        let cases = [
            (Registry::Consul, web().port(80), "fine"),
            (Registry::Consul, web(), "fine"),
            (
                Registry::Consul,
                web().health(Health::Tcp(second)),
                "cannot announce web: nobody can ask for its health without a port: name one, or a socket",
            ),
            (Registry::Consul, Announcement::new(""), "cannot announce : expected a name of 1 to 63 bytes"),
            (
                Registry::Consul,
                Announcement::new("a b").port(1),
                "cannot announce a b: expected a name of letters, digits, `-`, `_` and `.`",
            ),
            (
                Registry::Consul,
                web().tag("a\nb"),
                "cannot announce web: expected a name and tags of one line, without control characters",
            ),
            (Registry::Consul, web().port(0), "cannot announce web: expected a port from 1 to 65535"),
            (
                Registry::Consul,
                web().port(1).health(Health::Http("x".to_owned(), second)),
                "cannot announce web: expected a path that begins with `/`, not \"x\"",
            ),
            (
                Registry::Consul,
                web().port(1).health(Health::Ttl(Duration::ZERO)),
                "cannot announce web: expected a time of health of at least 1 ms",
            ),
            (
                Registry::Consul,
                web().socket("s"),
                "cannot announce web: the daemon has no socket \"s\" with a port: declare it by Daemon::socket",
            ),
            (
                Registry::Avahi,
                web(),
                "cannot announce web: nobody finds it without a port: name one, or a socket",
            ),
            (
                Registry::Avahi,
                web().port(1).tag("t".repeat(256)),
                "cannot announce web: expected tags of at most 255 bytes, not 256",
            ),
            (
                Registry::Avahi,
                web().port(1).health(Health::Tcp(second)),
                "cannot announce web: nobody asks for health in DNS-SD: use Health::Ttl",
            ),
            (
                Registry::Avahi,
                Announcement::new("My Web").port(1),
                "cannot announce My Web: \"_my web._tcp\" is no type of DNS-SD: expected `_http._tcp` or its like",
            ),
            (Registry::Avahi, Announcement::new("My Web").port(1).service_type("_http._tcp"), "fine"),
            (Registry::Avahi, web().port(1), "fine"),
        ];
        for (registry, announcement, wanted) in cases {
            assert_eq!(refusal(registry, announcement), wanted);
        }
    }
}
