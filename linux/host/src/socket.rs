//! Listening sockets of socket units: systemd.socket(5).

use crate::condition::number_of;
use crate::sys::sockopt::{self, IntOption};
use eudaemon_engine::api::Trouble;
use eudaemon_unit::config::Socket;
use eudaemon_unit::config::socket::{Address, BindIpv6Only, Listen, netlink_text};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, SocketAddrUnix, SocketFlags, SocketType, sockopt as known};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::Path;

/// Opens every `Listen…=` in order; the first that fails closes all.
pub fn open_all(config: &Socket) -> Result<Vec<OwnedFd>, Trouble> {
    let mut opened = Vec::with_capacity(config.listen.len());
    for listen in &config.listen {
        opened.push(open(listen, config).map_err(|(step, error)| Trouble {
            errno: error.raw_os_error().unwrap_or(libc::EINVAL),
            step: format!("{step} {}", describe(listen)),
        })?);
    }
    for link in &config.symlinks {
        symlink(link, &config.listen).map_err(|error| Trouble {
            errno: error.raw_os_error().unwrap_or(0),
            step: format!("link {link}"),
        })?;
    }
    Ok(opened)
}

/// Takes down what stays in the file system (`RemoveOnStop=`).
pub fn remove_all(config: &Socket) {
    if !config.remove_on_stop {
        return;
    }
    for listen in &config.listen {
        if let Some(path) = path_of(listen) {
            drop(fs::remove_file(path));
        }
    }
    for link in &config.symlinks {
        drop(fs::remove_file(link));
    }
}

/// Takes in and drops what waits: connections, or datagrams.
pub fn flush(fd: &OwnedFd) -> io::Result<()> {
    // Whether it blocks is a matter of the socket, not of the descriptor: a service had it, and may have left it
    // blocking. We may never block.
    let flags = rustix::fs::fcntl_getfl(fd)?;
    rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)?;
    // A connection less each round; a client that keeps coming must not hold us.
    for _ in 0..crate::limits::FLUSH_ROUNDS {
        let accepted = rustix::net::accept(fd).is_ok();
        let mut bytes = [0u8; 1];
        if !accepted && rustix::net::recv(fd, &mut bytes, rustix::net::RecvFlags::DONTWAIT).is_err() {
            break;
        }
    }
    rustix::fs::fcntl_setfl(fd, flags)?;
    Ok(())
}

type Failed = (&'static str, io::Error);

fn open(listen: &Listen, config: &Socket) -> Result<OwnedFd, Failed> {
    match listen {
        Listen::Stream(address) => socket(address, SocketType::STREAM, config),
        Listen::Datagram(address) => socket(address, SocketType::DGRAM, config),
        Listen::SequentialPacket(address) => socket(address, SocketType::SEQPACKET, config),
        Listen::Fifo(path) => fifo(path, config).map_err(|error| ("open", error)),
        Listen::Netlink { protocol, group } => netlink(*protocol, *group, config),
        Listen::Other { .. } => Err(("listen on", io::Error::from_raw_os_error(libc::EOPNOTSUPP))),
    }
}

fn socket(address: &Address, kind: SocketType, config: &Socket) -> Result<OwnedFd, Failed> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (family, any) = match address {
        Address::Unix(_) | Address::Abstract(_) => (AddressFamily::UNIX, None),
        Address::Port(port) => {
            // Without IPv6 in the kernel the port is IPv4's alone.
            let six = rustix::net::socket_with(AddressFamily::INET6, kind, flags, None).is_ok();
            let ip = if six { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
            (if six { AddressFamily::INET6 } else { AddressFamily::INET }, Some(SocketAddr::new(ip, *port)))
        }
        Address::Inet { ip, port, .. } => (
            if ip.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET },
            Some(SocketAddr::new(*ip, *port)),
        ),
        Address::Vsock { .. } => return Err(("listen on", io::Error::from_raw_os_error(libc::EOPNOTSUPP))),
    };
    let fd = rustix::net::socket_with(family, kind, flags, None)
        .map_err(|error| ("make a socket for", error.into()))?;
    options(&fd, family, kind, config).map_err(|error| ("set options of", error))?;
    match (address, any) {
        (Address::Unix(path), _) => bind_path(&fd, path, config)?,
        (Address::Abstract(name), _) => SocketAddrUnix::new_abstract_name(name.as_bytes())
            .and_then(|address| rustix::net::bind(&fd, &address))
            .map_err(|error| ("bind", error.into()))?,
        (_, Some(address)) => rustix::net::bind(&fd, &address).map_err(|error| ("bind", error.into()))?,
        (Address::Port(_) | Address::Inet { .. } | Address::Vsock { .. }, None) => {}
    }
    if kind != SocketType::DGRAM {
        rustix::net::listen(&fd, config.backlog.min(i32::MAX as u32) as i32)
            .map_err(|error| ("listen on", error.into()))?;
    }
    Ok(fd)
}

fn netlink(protocol: u32, group: u32, config: &Socket) -> Result<OwnedFd, Failed> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let protocol = std::num::NonZeroU32::new(protocol).map(Protocol::from_raw);
    let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)
        .map_err(|error| ("make a socket for", error.into()))?;
    options(&fd, AddressFamily::NETLINK, SocketType::RAW, config)
        .map_err(|error| ("set options of", error))?;
    // The group's number here, a mask of bits there; netlink(7).
    let mask = group.checked_sub(1).and_then(|bit| 1u32.checked_shl(bit)).unwrap_or(0);
    rustix::net::bind(&fd, &SocketAddrNetlink::new(0, mask)).map_err(|error| ("bind", error.into()))?;
    Ok(fd)
}

fn options(fd: &OwnedFd, family: AddressFamily, kind: SocketType, config: &Socket) -> io::Result<()> {
    let internet = family == AddressFamily::INET || family == AddressFamily::INET6;
    let heed = |wanted: bool, result: rustix::io::Result<()>| {
        if wanted { result.map_err(io::Error::from) } else { Ok(()) }
    };
    if internet {
        known::set_socket_reuseaddr(fd, true)?;
        if family == AddressFamily::INET6 && config.bind_ipv6_only != BindIpv6Only::Default {
            known::set_ipv6_v6only(fd, config.bind_ipv6_only == BindIpv6Only::Ipv6Only)?;
        }
        heed(config.free_bind, if config.free_bind { known::set_ip_freebind(fd, true) } else { Ok(()) })?;
        if config.reuse_port {
            known::set_socket_reuseport(fd, true)?;
        }
        if config.keep_alive {
            known::set_socket_keepalive(fd, true)?;
        }
        if config.no_delay && kind == SocketType::STREAM {
            known::set_tcp_nodelay(fd, true)?;
        }
        if config.transparent {
            sockopt::set(fd, IntOption::Transparent, 1)?;
        }
        if config.pass_packet_info {
            let option =
                if family == AddressFamily::INET { IntOption::PacketInfo4 } else { IntOption::PacketInfo6 };
            sockopt::set(fd, option, 1)?;
        }
    }
    if config.broadcast {
        known::set_socket_broadcast(fd, true)?;
    }
    if config.pass_credentials {
        known::set_socket_passcred(fd, true)?;
    }
    if config.pass_security {
        // Kernels without a security module refuse it; nothing is lost then.
        drop(sockopt::set(fd, IntOption::PassSecurity, 1));
    }
    match config.timestamping.as_deref() {
        Some("us" | "usec" | "µs") => sockopt::set(fd, IntOption::Timestamp, 1)?,
        Some("ns" | "nsec") => sockopt::set(fd, IntOption::TimestampNanoseconds, 1)?,
        Some(_) | None => {}
    }
    let clamp = |bytes: u64| bytes.min(i32::MAX as u64 / 2) as i32;
    if let Some(bytes) = config.receive_buffer
        && sockopt::set(fd, IntOption::ReceiveBufferForce, clamp(bytes)).is_err()
    {
        known::set_socket_recv_buffer_size(fd, clamp(bytes) as usize)?;
    }
    if let Some(bytes) = config.send_buffer
        && sockopt::set(fd, IntOption::SendBufferForce, clamp(bytes)).is_err()
    {
        known::set_socket_send_buffer_size(fd, clamp(bytes) as usize)?;
    }
    Ok(())
}

fn bind_path(fd: &OwnedFd, path: &str, config: &Socket) -> Result<(), Failed> {
    make_parents(path, config.directory_mode).map_err(|error| ("make the directory of", error))?;
    let address = SocketAddrUnix::new(path).map_err(|error| ("name", error.into()))?;
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(!config.socket_mode & 0o777));
    let mut bound = rustix::net::bind(fd, &address);
    if bound == Err(rustix::io::Errno::ADDRINUSE)
        && fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && fs::remove_file(path).is_ok()
    {
        // What a predecessor left behind; a living listener would have kept its socket unit active.
        bound = rustix::net::bind(fd, &address);
    }
    rustix::process::umask(mask);
    bound.map_err(|error| ("bind", error.into()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(config.socket_mode))
        .map_err(|error| ("set the mode of", error))?;
    own(path, config).map_err(|error| ("set the owner of", error))
}

fn fifo(path: &str, config: &Socket) -> io::Result<OwnedFd> {
    make_parents(path, config.directory_mode)?;
    if fs::symlink_metadata(path).is_err() {
        let mode = rustix::fs::Mode::from_raw_mode(config.socket_mode);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(config.socket_mode))?;
    own(path, config)?;
    let flags = rustix::fs::OFlags::RDWR
        | rustix::fs::OFlags::CLOEXEC
        | rustix::fs::OFlags::NOCTTY
        | rustix::fs::OFlags::NONBLOCK
        | rustix::fs::OFlags::NOFOLLOW;
    Ok(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?)
}

fn own(path: &str, config: &Socket) -> io::Result<()> {
    if config.socket_user.is_none() && config.socket_group.is_none() {
        return Ok(());
    }
    let number = |file: &str, name: &Option<String>| match name {
        None => Ok(None),
        Some(name) => name
            .parse()
            .ok()
            .or_else(|| number_of(file, name))
            .map(Some)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH)),
    };
    std::os::unix::fs::lchown(
        path,
        number("/etc/passwd", &config.socket_user)?,
        number("/etc/group", &config.socket_group)?,
    )
}

fn make_parents(path: &str, mode: u32) -> io::Result<()> {
    match Path::new(path).parent() {
        Some(parent) if !parent.exists() => fs::DirBuilder::new().recursive(true).mode(mode).create(parent),
        Some(_) | None => Ok(()),
    }
}

fn path_of(listen: &Listen) -> Option<&str> {
    match listen {
        Listen::Stream(Address::Unix(path))
        | Listen::Datagram(Address::Unix(path))
        | Listen::SequentialPacket(Address::Unix(path))
        | Listen::Fifo(path) => Some(path),
        Listen::Stream(_) | Listen::Datagram(_) | Listen::SequentialPacket(_) => None,
        Listen::Netlink { .. } | Listen::Other { .. } => None,
    }
}

fn symlink(link: &str, listens: &[Listen]) -> io::Result<()> {
    let Some(target) = listens.iter().find_map(path_of) else { return Ok(()) };
    make_parents(link, 0o755)?;
    if fs::symlink_metadata(link).is_ok_and(|found| found.is_symlink()) {
        fs::remove_file(link)?;
    }
    match std::os::unix::fs::symlink(target, link) {
        // A real file stands there: left alone, as systemd does.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn describe(listen: &Listen) -> String {
    let address = |address: &Address| match address {
        Address::Unix(path) => path.clone(),
        Address::Abstract(name) => format!("@{name}"),
        Address::Port(port) => format!("port {port}"),
        Address::Inet { ip, port, .. } => SocketAddr::new(*ip, *port).to_string(),
        Address::Vsock { cid, port } => format!("vsock:{cid}:{port}"),
    };
    match listen {
        Listen::Stream(at) | Listen::Datagram(at) | Listen::SequentialPacket(at) => address(at),
        Listen::Fifo(path) => path.clone(),
        Listen::Netlink { protocol, group } => format!("netlink {}", netlink_text(*protocol, *group)),
        Listen::Other { key, value } => format!("{key}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_left_behind_is_taken_over_and_a_file_is_not() {
        let directory = std::env::temp_dir().join(format!("eudaemon-socket-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("deep/s").to_str().unwrap().to_owned();
        let config = Socket {
            listen: vec![Listen::Stream(Address::Unix(path.clone()))],
            socket_mode: 0o600,
            ..Socket::default()
        };
        drop(open_all(&config).unwrap());
        let again = open_all(&config).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        drop(again);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        let trouble = open_all(&config).unwrap_err();
        assert_eq!((trouble.errno, fs::read_to_string(&path).unwrap().as_str()), (libc::EADDRINUSE, "mine"));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_socket_that_a_service_left_blocking_is_flushed_and_blocks_nobody() {
        use std::os::unix::net::{UnixListener, UnixStream};
        let path = std::env::temp_dir().join(format!("eudaemon-flush-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let waiting = UnixStream::connect(&path).unwrap();
        flush(&listener.into()).unwrap();
        let mut byte = [0];
        assert_eq!(std::io::Read::read(&mut &waiting, &mut byte).unwrap(), 0, "the connection was dropped");
        fs::remove_file(path).unwrap();
    }
}
