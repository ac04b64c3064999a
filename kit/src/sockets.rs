//! Sockets: taken over from whoever started us, sd_listen_fds(3), or bound by ourselves.

use crate::error::{Error, Result};
use crate::limits::{MOST_HANDED, QUEUE};
use crate::sys::fd::{adopt, standard};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::net::{TcpListener, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process;

/// The first descriptor that is handed over.
const FIRST: i32 = 3;
/// What inetd's descriptor is called.
const STDIN: &str = "stdin";

/// A socket that the daemon wants, and where to bind it if nobody hands it over.
#[derive(Clone, Debug)]
pub struct Socket {
    name: String,
    address: Address,
    mode: u32,
}

#[derive(Clone, Debug)]
enum Address {
    Tcp(String),
    Udp(String),
    Unix(PathBuf),
    UnixDatagram(PathBuf),
}

impl Socket {
    /// A listening TCP socket, at `HOST:PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. Of a host that has several addresses, as
    /// `localhost` may have, it is one: for each other there is a socket of another name.
    #[must_use]
    pub fn tcp(name: impl Into<String>, address: impl Into<String>) -> Socket {
        Socket::new(name, Address::Tcp(address.into()))
    }

    /// A UDP socket, at an address as [`Socket::tcp`] has it.
    #[must_use]
    pub fn udp(name: impl Into<String>, address: impl Into<String>) -> Socket {
        Socket::new(name, Address::Udp(address.into()))
    }

    /// A listening Unix stream socket, at a path. What a daemon that ended left there is taken away; it goes at the
    /// end if we made it.
    #[must_use]
    pub fn unix(name: impl Into<String>, path: impl Into<PathBuf>) -> Socket {
        Socket::new(name, Address::Unix(path.into()))
    }

    /// A Unix datagram socket, at a path as [`Socket::unix`] has it.
    #[must_use]
    pub fn unix_datagram(name: impl Into<String>, path: impl Into<PathBuf>) -> Socket {
        Socket::new(name, Address::UnixDatagram(path.into()))
    }

    /// Who may connect to a Unix socket that we bind: permission bits, `0o666` by default.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Socket {
        self.mode = mode.as_raw_mode();
        self
    }

    fn new(name: impl Into<String>, address: Address) -> Socket {
        Socket { name: name.into(), address, mode: 0o666 }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_network(&self) -> bool {
        match self.address {
            Address::Tcp(_) | Address::Udp(_) => true,
            Address::Unix(_) | Address::UnixDatagram(_) => false,
        }
    }

    /// The permissions of one in the file system.
    pub(crate) fn unix_mode(&self) -> Option<u32> {
        (!self.is_network()).then_some(self.mode)
    }

    /// How a socket unit says it.
    pub(crate) fn listen_directive(&self) -> (&'static str, String) {
        let key = match self.address {
            Address::Tcp(_) | Address::Unix(_) => "ListenStream",
            Address::Udp(_) | Address::UnixDatagram(_) => "ListenDatagram",
        };
        let address = self.address.to_string();
        // A unit takes numbers alone, not names.
        let number = match self.is_network() {
            true => address.to_socket_addrs().ok().and_then(|mut found| found.next()),
            false => None,
        };
        (key, number.map_or(address, |number| number.to_string()))
    }

    /// Whether a descriptor is of the kind that is wanted.
    fn fits(&self, fd: impl AsFd) -> bool {
        let fd = fd.as_fd();
        let (Ok(family), Ok(kind)) = (sockopt::socket_domain(fd), sockopt::socket_type(fd)) else {
            return false;
        };
        let listens = sockopt::socket_acceptconn(fd) == Ok(true);
        let network = family == AddressFamily::INET || family == AddressFamily::INET6;
        let unix = family == AddressFamily::UNIX;
        match self.address {
            Address::Tcp(_) => network && kind == SocketType::STREAM && listens,
            Address::Udp(_) => network && kind == SocketType::DGRAM,
            Address::Unix(_) => unix && kind == SocketType::STREAM && listens,
            Address::UnixDatagram(_) => unix && kind == SocketType::DGRAM,
        }
    }

    /// Whether a name that came along means this socket: systemd's own names end in `.socket`.
    fn is_called(&self, name: &str) -> bool {
        name == self.name || name.strip_suffix(".socket") == Some(&self.name)
    }

    fn bind(&self) -> Result<OwnedFd> {
        let bound = match &self.address {
            Address::Tcp(address) => TcpListener::bind(address).map(OwnedFd::from),
            Address::Udp(address) => UdpSocket::bind(address).map(OwnedFd::from),
            Address::Unix(path) => bind_at(path, self.mode, SocketType::STREAM).and_then(|socket| {
                rustix::net::listen(&socket, QUEUE)?;
                Ok(socket)
            }),
            Address::UnixDatagram(path) => bind_at(path, self.mode, SocketType::DGRAM),
        };
        let is_address = |text: &str| {
            text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        let expected = match &self.address {
            Address::Tcp(address) | Address::Udp(address) if !is_address(address) => {
                " (expected HOST:PORT, 0.0.0.0:PORT or [::]:PORT)"
            }
            Address::Tcp(_) | Address::Udp(_) | Address::Unix(_) | Address::UnixDatagram(_) => "",
        };
        bound.map_err(|error| self.failed(format!("cannot listen at {}: {error}{expected}", self.address)))
    }

    fn failed(&self, reason: String) -> Error {
        Error::Socket { name: self.name.clone(), reason }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Address::Tcp(address) | Address::Udp(address) => f.write_str(address),
            Address::Unix(path) | Address::UnixDatagram(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Binds at a path; a socket there that nobody answers at is left from one that ended.
///
/// A name is made with the permissions that the socket itself has, without those of the umask: unix(7) does not say so, but
/// Linux does. So it is never there with more than it is to have.
fn bind_at(path: &Path, mode: u32, kind: SocketType) -> std::io::Result<OwnedFd> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
    if is_socket && is_dead(path, kind) {
        fs::remove_file(path)?;
    }
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(mode))?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    widen(path, mode)?;
    Ok(socket)
}

/// Gives a socket's name what the umask took from it. In a directory that is not ours alone something else may have come in
/// its place meanwhile, which is left as it is: a link to somebody's file, say.
fn widen(path: &Path, mode: u32) -> std::io::Result<()> {
    let there = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let found = rustix::fs::fstat(&there)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Socket || found.st_nlink != 1 {
        return Err(std::io::Error::other("somebody put something else in its place"));
    }
    let mode = Mode::from_raw_mode(mode);
    if Mode::from_raw_mode(found.st_mode) == mode {
        return Ok(());
    }
    // chmod(2) of a path that was opened: proc(5), since fchmod(2) takes no such descriptor.
    rustix::fs::chmod(format!("/proc/self/fd/{}", there.as_raw_fd()), mode)?;
    Ok(())
}

/// Whether the kernel says that nobody has the socket; whatever else it says, somebody may.
fn is_dead(path: &Path, kind: SocketType) -> bool {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None);
    let address = SocketAddrUnix::new(path);
    let (Ok(probe), Ok(address)) = (probe, address) else { return false };
    rustix::net::connect(&probe, &address) == Err(Errno::CONNREFUSED)
}

/// The sockets a daemon has, by name.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Vec<(String, OwnedFd)>,
    /// The names of those that were taken out of it.
    taken: Vec<String>,
    /// The names of those that we did not have to make.
    handed: Vec<String>,
    /// What goes when the daemon ends: Unix sockets that we bound.
    bound: Vec<Bound>,
    /// inetd's way: one connection, and we are here for it alone.
    connection: Option<OwnedFd>,
}

impl Sockets {
    /// Takes a listening TCP socket.
    ///
    /// # Errors
    ///
    /// [`Error::Socket`] when there is none of that name (any more), or it is of another kind.
    pub fn tcp(&mut self, name: &str) -> Result<TcpListener> {
        self.checked(Socket::tcp(name, String::new())).map(TcpListener::from)
    }

    /// Takes a UDP socket.
    ///
    /// # Errors
    ///
    /// As [`Sockets::tcp`].
    pub fn udp(&mut self, name: &str) -> Result<UdpSocket> {
        self.checked(Socket::udp(name, String::new())).map(UdpSocket::from)
    }

    /// Takes a listening Unix stream socket.
    ///
    /// # Errors
    ///
    /// As [`Sockets::tcp`].
    pub fn unix(&mut self, name: &str) -> Result<UnixListener> {
        self.checked(Socket::unix(name, PathBuf::new())).map(UnixListener::from)
    }

    /// Takes a Unix datagram socket.
    ///
    /// # Errors
    ///
    /// As [`Sockets::tcp`].
    pub fn unix_datagram(&mut self, name: &str) -> Result<UnixDatagram> {
        self.checked(Socket::unix_datagram(name, PathBuf::new())).map(UnixDatagram::from)
    }

    /// Takes a descriptor of any kind: one of the fd store, say. Of several with one name, the first.
    pub fn take(&mut self, name: &str) -> Option<OwnedFd> {
        let at = self.open.iter().position(|(called, _)| called == name)?;
        Some(self.open.remove(at).1)
    }

    /// The names of those that nobody took yet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(|(name, _)| &**name)
    }

    /// Whether the socket of this name was handed over: by a socket unit, or out of the fd store.
    #[must_use]
    pub fn is_handed(&self, name: &str) -> bool {
        self.handed.iter().any(|handed| handed == name)
    }

    /// Takes the one connection that inetd, or a socket unit with `Accept=yes`, started us for: serve it and return.
    pub fn connection(&mut self) -> Option<OwnedFd> {
        self.connection.take()
    }

    /// Where the network socket of this name is bound, while nobody has taken it.
    #[cfg(feature = "announce")]
    pub(crate) fn network_address(
        &self,
        name: &str,
    ) -> Option<(std::net::SocketAddr, crate::announce::Transport)> {
        use crate::announce::Transport;
        let (_, fd) = self.open.iter().find(|(called, _)| called == name)?;
        let address = rustix::net::getsockname(fd).ok()?.try_into().ok()?;
        let transport = match sockopt::socket_type(fd) {
            Ok(SocketType::DGRAM) => Transport::Udp,
            Ok(_) | Err(_) => Transport::Tcp,
        };
        Some((address, transport))
    }

    fn checked(&mut self, wanted: Socket) -> Result<OwnedFd> {
        let Some(at) = self.open.iter().position(|(name, _)| wanted.is_called(name)) else {
            let was_there = self.taken.iter().any(|name| wanted.is_called(name));
            let reason =
                if was_there { "was taken already" } else { "nobody handed it over and it was not declared" };
            return Err(wanted.failed(reason.to_owned()));
        };
        if !wanted.fits(&self.open[at].1) {
            return Err(wanted.failed("is of another kind than asked for".to_owned()));
        }
        let (name, fd) = self.open.remove(at);
        self.taken.push(name);
        Ok(fd)
    }

    /// The names in the file system that we made: they go with the answer.
    pub(crate) fn bound(&mut self) -> Vec<Bound> {
        std::mem::take(&mut self.bound)
    }

    /// Joins what was handed over with what is wanted: by name, then by kind and order; binds the rest.
    pub(crate) fn gather(mut handed: Vec<(String, OwnedFd)>, wanted: &[Socket]) -> Result<Sockets> {
        let mut sockets = Sockets::default();
        // What inetd and a socket unit with Accept=yes hand over; a stored connection has a name of its own.
        if let [(name, only)] = &handed[..]
            && [STDIN, "connection"].contains(&&**name)
            && is_connection(only)
        {
            sockets.connection = handed.pop().map(|(_, fd)| fd);
            return Ok(sockets);
        }
        let mut unmet = Vec::new();
        for socket in wanted {
            match handed.iter().position(|(name, _)| socket.is_called(name)) {
                Some(at) if socket.fits(&handed[at].1) => {
                    sockets.open.push((socket.name.clone(), handed.remove(at).1));
                    sockets.handed.push(socket.name.clone());
                }
                Some(_) => {
                    return Err(
                        socket.failed(format!("what was handed over is no socket for {}", socket.address))
                    );
                }
                None => unmet.push(socket),
            }
        }
        for socket in unmet {
            let spare = |(name, fd): &(String, OwnedFd)| {
                socket.fits(fd) && !wanted.iter().any(|other| other.is_called(name))
            };
            let fd = match handed.iter().position(spare) {
                Some(at) => {
                    sockets.handed.push(socket.name.clone());
                    handed.remove(at).1
                }
                None => {
                    let fd = socket.bind()?;
                    if let Address::Unix(path) | Address::UnixDatagram(path) = &socket.address {
                        sockets.bound.extend(Bound::at(path));
                    }
                    fd
                }
            };
            sockets.open.push((socket.name.clone(), fd));
        }
        sockets.handed.extend(handed.iter().map(|(name, _)| name.clone()));
        sockets.open.extend(handed);
        Ok(sockets)
    }
}

/// A socket's name in the file system. It goes when this value goes, if it still is this socket's and this process made it.
#[derive(Debug)]
pub(crate) struct Bound {
    path: PathBuf,
    device: u64,
    inode: u64,
    owner: u32,
}

impl Bound {
    fn at(path: &Path) -> Option<Bound> {
        let there = fs::symlink_metadata(path).ok()?;
        Some(Bound { path: path.to_owned(), device: there.dev(), inode: there.ino(), owner: process::id() })
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let same = |there: fs::Metadata| (there.dev(), there.ino()) == (self.device, self.inode);
        if self.owner == process::id() && fs::symlink_metadata(&self.path).is_ok_and(same) {
            // A daemon that gave up its rights leaves it; the next start finds that nobody answers there.
            fs::remove_file(&self.path).ok();
        }
    }
}

fn is_connection(fd: &OwnedFd) -> bool {
    sockopt::socket_type(fd) == Ok(SocketType::STREAM)
        && sockopt::socket_acceptconn(fd) == Ok(false)
        && rustix::net::getpeername(fd).is_ok()
}

/// Takes over what `LISTEN_FDS=` counts, with the names of `LISTEN_FDNAMES=`.
pub(crate) fn handed(count: &OsStr, names: Option<&OsStr>) -> Result<Vec<(String, OwnedFd)>> {
    let wrong = |reason: String| Error::Handed { reason };
    let shown = count.to_string_lossy();
    let count: i32 = shown
        .parse()
        .ok()
        .filter(|count| (0..=MOST_HANDED).contains(count))
        .ok_or_else(|| wrong(format!("LISTEN_FDS={shown}: expected a number from 0 to {MOST_HANDED}")))?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let names: Option<Vec<String>> =
        names.map(|names| names.to_string_lossy().split(':').map(str::to_owned).collect());
    if let Some(names) = &names
        && names.len() != count as usize
    {
        return Err(wrong(format!("LISTEN_FDNAMES= has {} names for LISTEN_FDS={count}", names.len())));
    }
    let mut names = names.unwrap_or_default().into_iter();
    let mut taken = Vec::new();
    for number in FIRST..FIRST + count {
        let fd = adopt(number).ok_or_else(|| {
            wrong(format!("LISTEN_FDS={count}, but descriptor {number} was not handed over"))
        })?;
        taken.push((names.next().unwrap_or_else(|| "unknown".to_owned()), fd));
    }
    Ok(taken)
}

/// inetd's socket: stdin.
pub(crate) fn from_stdin() -> Result<Vec<(String, OwnedFd)>> {
    let stdin = standard(0).ok_or_else(|| Error::Handed { reason: "stdin is closed".to_owned() })?;
    let fd = stdin.try_clone_to_owned().map_err(|error| Error::io("copy the descriptor of stdin", error))?;
    Ok(vec![(STDIN.to_owned(), fd)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Somebody looks all the while at a name that comes and goes.
    #[test]
    fn a_name_is_never_there_with_more_than_it_is_to_have() {
        const ROUNDS: usize = 3000;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("s");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looks = scope.spawn(|| {
                let mut seen = std::collections::BTreeSet::new();
                while !over.load(Ordering::Relaxed) {
                    seen.extend(fs::symlink_metadata(&path).map(|there| there.mode() & 0o7777));
                }
                seen
            });
            for kind in [SocketType::STREAM, SocketType::DGRAM] {
                for _ in 0..ROUNDS {
                    drop(bind_at(&path, 0o600, kind).expect("bound"));
                    fs::remove_file(&path).expect("made");
                }
            }
            over.store(true, Ordering::Relaxed);
            let seen: Vec<u32> = looks.join().expect("no panic").into_iter().collect();
            assert_eq!(seen, [0o600]);
        });
        let wide = Socket::unix("s", &path)
            .mode(Mode::from_raw_mode(0o666))
            .bind()
            .expect("bound, whatever the umask is");
        assert_eq!(fs::symlink_metadata(&path).expect("made").mode() & 0o7777, 0o666);
        assert!(Socket::unix("s", &path).fits(&wide), "it listens");
    }

    /// What a rival with rights in the directory puts there must not get the permissions.
    #[test]
    fn what_came_in_the_place_of_a_socket_stays_as_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, precious) = (directory.path().join("s"), directory.path().join("precious"));
        let mode = || fs::symlink_metadata(&precious).expect("there").mode() & 0o7777;
        fs::write(&precious, "").expect("written");
        rustix::fs::chmod(&precious, Mode::from_raw_mode(0o600)).expect("ours");
        std::os::unix::fs::symlink(&precious, &path).expect("a link");
        assert!(widen(&path, 0o666).is_err());
        fs::remove_file(&path).expect("ours");
        fs::hard_link(&precious, &path).expect("a link");
        assert!(widen(&path, 0o666).is_err());
        fs::remove_file(&precious).and_then(|()| fs::remove_file(&path)).expect("ours");
        let socket = bind_at(&precious, 0o600, SocketType::STREAM).expect("bound");
        fs::hard_link(&precious, &path).expect("a link");
        assert!(widen(&path, 0o666).is_err());
        assert_eq!(mode(), 0o600);
        fs::remove_file(&path).expect("ours");
        widen(&precious, 0o666).expect("it is the socket");
        assert_eq!((mode(), sockopt::socket_type(&socket)), (0o666, Ok(SocketType::STREAM)));
    }
}
