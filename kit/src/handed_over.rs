//! What a running daemon was given along: sockets, stored descriptors, secrets, the number of its run.

use crate::error::{Error, Result};
use crate::life::Life;
use crate::limits::LONGEST_STORED_NAME;
use crate::notify::State;
use crate::sockets::Sockets;
use crate::starter::OURS;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;

impl Life {
    /// The sockets, by the names they were declared or handed over with.
    pub fn sockets(&mut self) -> &mut Sockets {
        &mut self.sockets
    }

    /// Takes a listening TCP socket: [`Sockets::tcp`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn tcp(&mut self, name: &str) -> Result<TcpListener> {
        self.sockets.tcp(name)
    }

    /// Takes a UDP socket: [`Sockets::udp`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn udp(&mut self, name: &str) -> Result<UdpSocket> {
        self.sockets.udp(name)
    }

    /// Takes a listening Unix stream socket: [`Sockets::unix`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unix(&mut self, name: &str) -> Result<UnixListener> {
        self.sockets.unix(name)
    }

    /// Takes a Unix datagram socket: [`Sockets::unix_datagram`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unix_datagram(&mut self, name: &str) -> Result<UnixDatagram> {
        self.sockets.unix_datagram(name)
    }

    /// Leaves a descriptor with the manager, which hands it to the next start under this name: `FDSTORE=1` of
    /// sd_notify(3). What is stored under the name already is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Notify`] when there is a manager and it cannot be reached.
    pub fn store(&self, name: &str, fd: impl AsFd) -> Result<()> {
        if !is_descriptor_name(name) {
            let reason =
                "no name for a stored descriptor: 1 to 255 printable characters, no colon".to_owned();
            return Err(Error::Socket { name: name.to_owned(), reason });
        }
        let name = State::FdName(name.to_owned());
        self.handle.notifier.send(&[State::FdStoreRemove, name.clone()])?;
        self.handle.notifier.send_with_fds(&[State::FdStore, name], &[fd.as_fd()])
    }

    /// The number of this run, as the journal has it: `INVOCATION_ID=`.
    #[must_use]
    pub fn invocation(&self) -> Option<&str> {
        self.handed.invocation.as_deref()
    }

    /// A secret that the manager gave: a file of `CREDENTIALS_DIRECTORY=`. Nothing if it gave none of that name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it is there and cannot be read, or the name is no file's name.
    pub fn credential(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(directory) = &self.handed.credentials else { return Ok(None) };
        let doing = || format!("read the credential {name:?}");
        if Path::new(name).file_name() != Some(OsStr::new(name)) {
            return Err(Error::io(doing(), io::Error::from(io::ErrorKind::InvalidInput)));
        }
        match fs::read(directory.join(name)) {
            Ok(secret) => Ok(Some(secret)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(doing(), error)),
        }
    }

    /// Takes from a command's environment what was meant for us alone: `NOTIFY_SOCKET=`, `LISTEN_FDS=` and their kin.
    pub fn clean<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in OURS {
            command.env_remove(name);
        }
        command
    }
}

/// Whether a manager hands over a descriptor under this name: sd_listen_fds(3).
pub(crate) fn is_descriptor_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b':' || byte == b' ';
    !name.is_empty() && name.len() <= LONGEST_STORED_NAME && name.bytes().all(fits)
}
