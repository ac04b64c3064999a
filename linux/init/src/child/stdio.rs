//! Descriptors 0, 1 and 2: systemd.exec(5), "Logging and standard input/output".

use super::{Failure, Process, passed};
use crate::say::may_fail;
use crate::sys::descriptors::{self, Steal};
use eudaemon_plan::step::{CopyTo, Input, JournalStream, LevelPrefix, Output, TakeTty};
use rustix::fs::{MemfdFlags, Mode, OFlags, fstat, memfd_create, open};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, connect, shutdown, socket_with, sockopt,
};
use rustix::process::{Gid, Uid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the environment will say of the streams.
#[derive(Debug, Default)]
pub struct Streams {
    /// Device and inode of the journal's connection, by stream.
    output: Option<(u64, u64)>,
    error: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

impl Stream {
    fn number(self) -> i32 {
        match self {
            Stream::Output => 1,
            Stream::Error => 2,
        }
    }
}

/// A terminal's type: Linux's own console, or the kind everything else can speak.
pub fn term(path: &str) -> String {
    let inherited = || std::env::var("TERM").ok().filter(|term| !term.is_empty());
    let number = path.strip_prefix("/dev/tty").filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let is_virtual = number.and_then(|number| number.parse::<u8>().ok()).is_some_and(|number| number < 64);
    let inherited = if path == "/dev/console" { inherited() } else { None };
    inherited.unwrap_or_else(|| if is_virtual { "linux" } else { "vt220" }.to_owned())
}

impl Streams {
    pub fn journal_stream(&self) -> Option<String> {
        let (device, inode) = self.error.or(self.output)?;
        Some(format!("JOURNAL_STREAM={device}:{inode}"))
    }
}

impl Process<'_> {
    pub fn stdin(&mut self, input: &Input) -> Result<(), Failure> {
        match input {
            Input::Null => place(&file("/dev/null", OFlags::RDONLY)?, 0)?,
            Input::Tty { path, take } => {
                let terminal = take_terminal(path, take)?;
                // Who reads it may also open it by name; not every terminal can be given away.
                may_fail(rustix::fs::fchown(&terminal, self.user.uid.map(Uid::from_raw), None));
                place(&terminal, 0)?;
            }
            Input::File(path) => place(&file(path, OFlags::RDONLY)?, 0)?,
            Input::Fd(index) => descriptors::place(passed(&self.birth.fds, *index)?, 0)?,
            Input::Text(bytes) => place(&text(bytes)?, 0)?,
        }
        Ok(())
    }

    pub fn output(&mut self, stream: Stream, output: &Output) -> Result<(), Failure> {
        let number = stream.number();
        let writing = OFlags::WRONLY | OFlags::CREATE;
        match output {
            Output::Null => place(&file("/dev/null", OFlags::WRONLY)?, number)?,
            Output::Tty(path) => {
                place(&file(path, OFlags::WRONLY)?, number)?;
            }
            Output::Journal(to) => self.journal(stream, to)?,
            Output::Console => descriptors::place(self.birth.console, number)?,
            Output::File(path) => place(&file(path, writing)?, number)?,
            Output::Append(path) => place(&file(path, writing | OFlags::APPEND)?, number)?,
            Output::Truncate(path) => place(&file(path, writing | OFlags::TRUNC)?, number)?,
            Output::Fd(index) => descriptors::place(passed(&self.birth.fds, *index)?, number)?,
            Output::SameAsInput => descriptors::place(rustix::stdio::stdin(), number)?,
            Output::SameAsOutput => {
                descriptors::place(rustix::stdio::stdout(), number)?;
                self.streams.error = self.streams.output;
            }
        }
        Ok(())
    }

    fn journal(&mut self, stream: Stream, to: &JournalStream) -> Result<(), Failure> {
        let Ok(socket) = self.as_user(|| connect_journal(to)) else {
            // Nobody listens: never to nowhere.
            return Ok(descriptors::place(self.birth.console, stream.number())?);
        };
        place(&socket, stream.number())?;
        let found = fstat(&socket)?;
        let identity = Some((found.st_dev, found.st_ino));
        match stream {
            Stream::Output => self.streams.output = identity,
            Stream::Error => self.streams.error = identity,
        }
        Ok(())
    }

    /// The journal asks the kernel who connected: it shall be who will write.
    fn as_user<T>(&self, act: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
        use rustix::process::{getegid, geteuid};
        use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
        let (gid, uid) = (getegid(), geteuid());
        let wanted_gid = self.user.gid.map(Gid::from_raw).filter(|wanted| *wanted != gid);
        let wanted_uid = self.user.uid.map(Uid::from_raw).filter(|wanted| *wanted != uid);
        // Effective numbers only: the saved ones are the way back.
        if let Some(wanted) = wanted_gid {
            set_thread_res_gid(None, wanted, None)?;
        }
        if let Some(wanted) = wanted_uid {
            set_thread_res_uid(None, wanted, None)?;
        }
        let outcome = act();
        if wanted_uid.is_some() {
            set_thread_res_uid(None, uid, None)?;
        }
        if wanted_gid.is_some() {
            set_thread_res_gid(None, gid, None)?;
        }
        outcome
    }
}

fn place(fd: &OwnedFd, number: i32) -> Result<(), Errno> {
    descriptors::place(fd.as_fd(), number)
}

fn file(path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    open(path, flags | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::from_raw_mode(0o666))
}

/// The terminal, as the session's own.
fn take_terminal(path: &str, take: &TakeTty) -> Result<OwnedFd, Errno> {
    /// How often a busy terminal is tried again, in nanoseconds. The unit's start timeout ends the wait.
    const AGAIN: i64 = 250_000_000;
    let terminal = file(path, OFlags::RDWR)?;
    let steal = match take {
        TakeTty::Force => Steal::Yes,
        TakeTty::Fail | TakeTty::Wait => Steal::No,
    };
    loop {
        match (descriptors::take_terminal(terminal.as_fd(), steal), take) {
            (Ok(()), _) => return Ok(terminal),
            (Err(Errno::PERM), TakeTty::Wait) => {
                let pause = rustix::event::Timespec { tv_sec: 0, tv_nsec: AGAIN };
                may_fail(rustix::event::poll(&mut [], Some(&pause)));
            }
            (Err(errno), TakeTty::Fail | TakeTty::Force | TakeTty::Wait) => return Err(errno),
        }
    }
}

/// These bytes, to be read from their start.
fn text(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let memory = memfd_create("standard-input", MemfdFlags::CLOEXEC)?;
    let mut written = 0;
    while written < bytes.len() {
        written += rustix::io::write(&memory, &bytes[written..])?;
    }
    rustix::fs::seek(&memory, rustix::fs::SeekFrom::Start(0))?;
    Ok(memory)
}

/// A connection that has introduced itself.
fn connect_journal(to: &JournalStream) -> Result<OwnedFd, Errno> {
    /// As much as journald's own clients ask for: a burst shall not block the service.
    const SEND_BUFFER: usize = 8 << 20;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(to.socket.as_str())?)?;
    shutdown(&socket, Shutdown::Read)?;
    if sockopt::set_socket_send_buffer_size_force(&socket, SEND_BUFFER).is_err() {
        // As large as an ordinary user may have it; smaller works as well.
        may_fail(sockopt::set_socket_send_buffer_size(&socket, SEND_BUFFER));
    }
    introduce(socket.as_fd(), to)?;
    Ok(socket)
}

fn introduce(socket: BorrowedFd<'_>, to: &JournalStream) -> Result<(), Errno> {
    let JournalStream { socket: _, identifier, unit, priority, level_prefix, copy } = to;
    let prefix = match level_prefix {
        LevelPrefix::Verbatim => 0,
        LevelPrefix::Parsed => 1,
    };
    let (kernel_log, console) = match copy {
        CopyTo::None => (0, 0),
        CopyTo::KernelLog => (1, 0),
        CopyTo::Console => (0, 1),
    };
    let header = format!("{identifier}\n{unit}\n{priority}\n{prefix}\n0\n{kernel_log}\n{console}\n");
    // A fresh socket's buffer holds it whole.
    match rustix::io::write(socket, header.as_bytes())? {
        written if written == header.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}
