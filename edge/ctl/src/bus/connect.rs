//! Which socket, and whom to trust behind it.
//!
//! Root talks to the manager's private socket and, if nobody answers there, to the system bus; others talk to
//! the system bus. In user mode our own manager's socket comes first, then the one of a systemd for that user.

use super::client::{CallError, Client};
use super::wire::Wire;
use crate::line::Scope;
use crate::verb::words;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// How a manager was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Peer to peer: no names, no match rules, every signal arrives.
    Private,
    /// Through a bus: signals arrive after `Subscribe` and a match rule.
    Bus,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing listens anywhere.
    #[error("no manager is running")]
    Absent,
    /// Whoever listened went away before it spoke.
    #[error("Failed to connect to bus: Connection reset by peer")]
    Hung,
    /// One listens, to root alone.
    #[error("Failed to connect to the manager: Permission denied. It is root's: ask as root.")]
    Roots,
    #[error("Failed to connect to bus: No medium found")]
    NoRuntimeDirectory,
    #[error("Failed to connect to bus: {0} is held by uid {1}, neither root nor the caller")]
    Stranger(PathBuf, u32),
    #[error("Failed to connect to bus: {0}")]
    Refused(String),
}

/// The private sockets of that scope, best first.
pub fn private_sockets(scope: Scope) -> Vec<PathBuf> {
    match scope {
        Scope::System => vec![PathBuf::from("/run/systemd/private")],
        Scope::User => runtime_directory()
            .map(|run| vec![run.join("eudaemon/systemd/private"), run.join("systemd/private")])
            .unwrap_or_default(),
    }
}

/// `$XDG_RUNTIME_DIR`, else what logind would have made, else the one that init makes where there is neither.
pub fn runtime_directory() -> Option<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let set = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
    let ours = |path: &PathBuf| {
        std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == uid)
    };
    let made = [format!("/run/user/{uid}"), format!("/tmp/eudaemon-{uid}")];
    set.or_else(|| made.into_iter().map(PathBuf::from).find(ours))
}

pub fn connect(scope: Scope) -> Result<Client, ConnectError> {
    let root = rustix::process::geteuid().is_root();
    let forced = std::env::var_os("SYSTEMCTL_FORCE_BUS").is_some_and(|value| value == "1");
    if !forced && (root || scope == Scope::User) {
        for socket in private_sockets(scope) {
            // A manager that died in between is followed by the next one; with init gone too, nobody listens any more.
            for _ in 0..2 {
                let Ok(stream) = UnixStream::connect(&socket) else { break };
                match private(stream, &socket) {
                    Err(ConnectError::Hung) => {}
                    other => return other,
                }
            }
        }
    }
    match scope {
        Scope::System => match system_bus() {
            Err(ConnectError::Absent) if !root && is_roots() => Err(ConnectError::Roots),
            reached => reached,
        },
        Scope::User => match runtime_directory() {
            None => Err(ConnectError::NoRuntimeDirectory),
            Some(_) => Err(ConnectError::Absent),
        },
    }
}

/// Whether anybody listens where our managers do, if only an init that is about to end.
pub fn is_listened_to(scope: Scope) -> bool {
    private_sockets(scope).first().is_some_and(|socket| UnixStream::connect(socket).is_ok())
}

fn private(stream: UnixStream, socket: &Path) -> Result<Client, ConnectError> {
    let own = rustix::process::geteuid();
    let peer = rustix::net::sockopt::socket_peercred(&stream)
        .map_err(|error| ConnectError::Refused(error.to_string()))?
        .uid;
    if !peer.is_root() && peer != own {
        return Err(ConnectError::Stranger(socket.to_owned(), peer.as_raw()));
    }
    let hung = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof];
    let failed =
        |error: io::Error| if hung.contains(&error.kind()) { ConnectError::Hung } else { unanswered(&error) };
    let wire = Wire::open(stream).map_err(failed)?;
    Ok(Client::new(wire, Route::Private))
}

/// Is there a private socket that we may not enter? One that nobody listens on is told from it by the kernel.
fn is_roots() -> bool {
    let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    private_sockets(Scope::System).iter().any(|socket| UnixStream::connect(socket).is_err_and(denied))
}

/// The system bus, if it is there and a manager holds the name on it.
fn system_bus() -> Result<Client, ConnectError> {
    let stream = match std::env::var("DBUS_SYSTEM_BUS_ADDRESS").ok().filter(|address| !address.is_empty()) {
        Some(address) => {
            let path = unix_path(&address);
            UnixStream::connect(path.ok_or_else(|| ConnectError::Refused(format!("cannot use {address}")))?)
        }
        None => UnixStream::connect("/run/dbus/system_bus_socket"),
    };
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused];
    let stream = stream.map_err(|error| {
        if absent.contains(&error.kind()) {
            ConnectError::Absent
        } else {
            ConnectError::Refused(words(&error))
        }
    })?;
    let wire = Wire::open(stream).map_err(|error| unanswered(&error))?;
    let mut client = Client::new(wire, Route::Bus);
    let refused = |error: CallError| ConnectError::Refused(error.text().to_owned());
    let mut ask = |member: &str, body: &str| -> Result<bool, CallError> {
        let bus = "org.freedesktop.DBus";
        if body.is_empty() {
            return client.call_at::<String>(bus, "/org/freedesktop/DBus", bus, member, &()).map(|_| true);
        }
        client.call_at(bus, "/org/freedesktop/DBus", bus, member, &body)
    };
    ask("Hello", "").map_err(refused)?;
    // Without a manager the bus would try to activate one, and fail after its timeout.
    if ask("NameHasOwner", "org.freedesktop.systemd1").map_err(refused)? {
        Ok(client)
    } else {
        Err(ConnectError::Absent)
    }
}

/// A listener that accepts and does not speak runs into the time limit, which the kernel calls "try again".
fn unanswered(error: &io::Error) -> ConnectError {
    let late = error.kind() == io::ErrorKind::WouldBlock;
    ConnectError::Refused(if late { "Connection timed out".to_owned() } else { words(error) })
}

/// The path of the first `unix:path=` in a D-Bus address.
fn unix_path(address: &str) -> Option<&str> {
    let unix = address.split(';').find_map(|one| one.strip_prefix("unix:"))?;
    unix.split(',').find_map(|pair| pair.strip_prefix("path="))
}
