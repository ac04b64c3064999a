//! The way to a Consul agent: HTTP over TCP or over a Unix socket.
//!
//! The client's own types for other transports than TCP are not held stable between its minor versions, so the workspace
//! names its minor version.

use crate::limits::{LONGEST_ANSWER, LONGEST_ANSWER_SHOWN};
use crate::starter::{Handed, Secret};
use rustix::net::sockopt::{Timeout as Side, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::{HeaderValue, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Body, Error};

/// Where an agent is if nobody says otherwise.
const USUAL: &str = "127.0.0.1:8500";

/// An agent that can be asked.
pub(super) struct Agent {
    /// How it was named.
    shown: String,
    /// What stands before each path.
    root: String,
    client: ureq::Agent,
    token: Option<HeaderValue>,
}

/// What it says.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

/// An address as people may see it: without a name and a password before its host.
fn without_secret(address: &str) -> String {
    let (scheme, place) = address.split_once("://").map_or(("", address), |(scheme, place)| (scheme, place));
    let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
    if scheme.is_empty() { place.to_owned() } else { format!("{scheme}://{place}") }
}

impl Agent {
    /// The one that the environment names; the error says which variable is wrong.
    pub(super) fn of_environment(handed: &Handed) -> Result<Agent, String> {
        let token = match (&handed.consul_token, &handed.consul_token_file) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(path)) => {
                let text = fs::read_to_string(path);
                let text =
                    text.map_err(|error| format!("CONSUL_HTTP_TOKEN_FILE={}: {error}", path.display()))?;
                Some(Secret::new(text.trim()))
            }
            (None, None) => None,
        };
        let token = token.map(|token| HeaderValue::from_str(token.reveal()));
        let mut token =
            token.transpose().map_err(|_| "Consul's token: expected printable characters".to_owned())?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        let (client, root) = Agent::client(handed.consul_address.as_deref().unwrap_or(USUAL))?;
        let shown = without_secret(handed.consul_address.as_deref().unwrap_or(USUAL));
        Ok(Agent { shown, root, client, token })
    }

    fn client(address: &str) -> Result<(ureq::Agent, String), String> {
        let told = without_secret(address);
        // Another's proxy has no business between us and our machine's agent.
        let config = Config::builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .max_idle_connections(0);
        let config = config.user_agent(concat!("eudaemon-kit/", env!("CARGO_PKG_VERSION"))).build();
        let expected = "expected http://HOST:PORT, HOST:PORT or unix:///PATH";
        if let Some(path) = address.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err(format!("CONSUL_HTTP_ADDR={told}: {expected}"));
            }
            let agent = ureq::Agent::with_parts(config, SocketFile(PathBuf::from(path)), Nowhere);
            return Ok((agent, "http://localhost".to_owned()));
        }
        if address.starts_with("https://") {
            return Err(format!("CONSUL_HTTP_ADDR={told}: this program speaks no TLS: {expected}"));
        }
        let place = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
        let root = format!("http://{place}");
        let uri: Option<Uri> = root.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).filter(|host| !host.is_empty());
        if host.is_none() || place.contains("://") {
            return Err(format!("CONSUL_HTTP_ADDR={told}: {expected}"));
        }
        // As a URL this is port 80, to Consul's own tools too; a bare name is rather meant as that of an agent.
        let has_port = uri.as_ref().is_some_and(|uri| uri.port_u16().is_some());
        if !has_port && !address.starts_with("http://") {
            return Err(format!(
                "CONSUL_HTTP_ADDR={told}: has no port: {told}:8500 is where an agent is, http://{told} is port 80"
            ));
        }
        Ok((ureq::Agent::new_with_config(config), root))
    }

    /// How people know it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn put(&self, path: &str, body: &[u8], within: Duration) -> Result<Answer, String> {
        let mut request = self.client.put(format!("{}{path}", self.root));
        if let Some(token) = &self.token {
            request = request.header("X-Consul-Token", token);
        }
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        read(request.config().timeout_global(Some(within)).build().send(body))
    }

    pub(super) fn get(&self, path: &str, within: Duration) -> Result<Answer, String> {
        let mut request = self.client.get(format!("{}{path}", self.root));
        if let Some(token) = &self.token {
            request = request.header("X-Consul-Token", token);
        }
        read(request.config().timeout_global(Some(within)).build().call())
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Agent({})", self.shown)
    }
}

fn read(answered: Result<ureq::http::Response<Body>, Error>) -> Result<Answer, String> {
    let told = |error: Error| {
        // The system's own words.
        if let Error::Io(error) = &error { error.to_string() } else { error.to_string() }
    };
    let mut response = answered.map_err(told)?;
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(LONGEST_ANSWER).lossy_utf8(true).read_to_string();
    Ok(Answer { status, text: text.map_err(told)? })
}

impl Answer {
    /// The answer if it is a good one; else what was wrong, in one line.
    pub(super) fn good(self) -> Result<Answer, String> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let line = self.text.lines().next().unwrap_or_default().trim();
        let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_ANSWER_SHOWN).collect();
        Err(format!("it answers {} {line}", self.status).trim_end().to_owned())
    }
}

/// Connects to a socket in the file system, whatever the request's host is.
#[derive(Debug)]
struct SocketFile(PathBuf);

#[derive(Debug)]
struct Line {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Connector<()> for SocketFile {
    type Out = Line;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Line>, Error> {
        let connected = (|| {
            let flags = SocketFlags::CLOEXEC;
            let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
            // Bounds the wait in a full queue too.
            set_socket_timeout(&socket, Side::Send, left(details.timeout))?;
            rustix::net::connect(&socket, &SocketAddrUnix::new(&self.0)?)?;
            Ok(socket)
        })();
        let socket = connected.map_err(|errno: rustix::io::Errno| Error::Io(errno.into()))?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Line { stream: UnixStream::from(socket), buffers }))
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_write_timeout(left(timeout))?;
        self.stream.write_all(&self.buffers.output()[..amount]).map_err(|error| failed(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_read_timeout(left(timeout))?;
        let length =
            self.stream.read(self.buffers.input_append_buf()).map_err(|error| failed(error, timeout))?;
        self.buffers.input_appended(length);
        Ok(length > 0)
    }

    /// Connections are not kept.
    fn is_open(&mut self) -> bool {
        false
    }
}

/// What is left of a time, for a socket's option: which takes zero for ever.
fn left(timeout: NextTimeout) -> Option<Duration> {
    (!timeout.after.is_not_happening()).then(|| (*timeout.after).max(Duration::from_millis(1)))
}

fn failed(error: std::io::Error, timeout: NextTimeout) -> Error {
    let over = [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind());
    if over { Error::Timeout(timeout.reason) } else { Error::Io(error) }
}

/// A socket in the file system has no address to look up.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(address: &str) -> Result<String, String> {
        Agent::client(address).map(|(_, root)| root)
    }

    #[test]
    fn addresses_as_consul_s_own_tools_take_them() {
        assert_eq!(root("10.0.0.1:8500").as_deref(), Ok("http://10.0.0.1:8500"));
        assert_eq!(root("http://[::1]:8500/").as_deref(), Ok("http://[::1]:8500"));
        assert_eq!(root("http://agent/prefix").as_deref(), Ok("http://agent/prefix"));
        assert_eq!(root("unix:///run/consul.sock").as_deref(), Ok("http://localhost"));
        assert_eq!(root("http://agent").as_deref(), Ok("http://agent"), "port 80");
        let without =
            "CONSUL_HTTP_ADDR=agent: has no port: agent:8500 is where an agent is, http://agent is port 80";
        assert_eq!(root("agent"), Err(without.to_owned()));
        for wrong in [
            "",
            "unix://run",
            "agent",
            "10.0.0.1",
            "[::1]",
            "ftp://agent",
            "http://",
            "a b",
            "https://agent:8501",
        ] {
            let error = root(wrong).expect_err(wrong);
            assert!(error.starts_with(&format!("CONSUL_HTTP_ADDR={wrong}: ")), "{error}");
        }
    }
}
