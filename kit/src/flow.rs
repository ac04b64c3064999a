//! Ways to a log that hold nobody up: what takes no lines is waited for a moment once, then lines are counted instead.
//!
//! ```text
//! flows ── queue full for a moment ──► stuck: nothing is waited for, lines are counted
//!   ▲                                     │
//!   └──── a line gets through: how many were lost is said first
//! ```

use crate::limits::LOG_WAITED_FOR;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::fs;
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// What is known of a way.
#[derive(Debug)]
struct Course {
    flow: Flow,
    lost: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Flows,
    /// The last wait was in vain.
    Stuck,
}

impl Course {
    fn new() -> Course {
        Course { flow: Flow::Flows, lost: 0 }
    }

    /// Tries, and once more after a moment where all went well before.
    fn attempt<Sent>(
        &mut self,
        fd: BorrowedFd,
        mut send: impl FnMut() -> rustix::io::Result<Sent>,
    ) -> rustix::io::Result<Sent> {
        let mut sent = send();
        if matches!(sent, Err(Errno::AGAIN)) && self.flow == Flow::Flows {
            let wait = Timespec::try_from(LOG_WAITED_FOR).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
            // Whatever comes of it, the next attempt tells.
            poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], Some(&wait)).ok();
            sent = send();
        }
        self.flow = if matches!(sent, Err(Errno::AGAIN)) { Flow::Stuck } else { Flow::Flows };
        sent
    }
}

/// A sentence for the first line that gets through again.
fn told(lost: u64) -> String {
    format!("{lost} lines before this were lost: the log took none")
}

/// What becomes of a message that is too long for a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooLong {
    Lost,
    /// It goes in sealed memory, whose descriptor is sent: systemd's "Native Journal Protocol".
    InMemory,
}

/// A socket in the file system that takes messages; found again when who listens there begins anew.
#[derive(Debug)]
pub(crate) struct Datagrams {
    path: PathBuf,
    too_long: TooLong,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    course: Course,
}

impl Datagrams {
    /// Nothing if nobody listens there.
    pub(crate) fn connect(path: &Path, too_long: TooLong) -> Option<Datagrams> {
        let line = Mutex::new(Line { socket: connect(path).ok()?, course: Course::new() });
        Some(Datagrams { path: path.to_owned(), too_long, line })
    }

    /// Sends a message, or counts it as lost. `warning` makes a message of a sentence.
    pub(crate) fn send(&self, message: &[u8], warning: impl Fn(&str) -> Vec<u8>) {
        let mut line = lock(&self.line);
        if line.course.lost > 0 {
            let sentence = warning(&told(line.course.lost));
            if self.deliver(&mut line, &sentence).is_err() {
                line.course.lost += 1;
                return;
            }
            line.course.lost = 0;
        }
        if self.deliver(&mut line, message).is_err() {
            line.course.lost += 1;
        }
    }

    fn deliver(&self, line: &mut Line, bytes: &[u8]) -> rustix::io::Result<()> {
        let mut sent = self.try_once(line, bytes);
        // Who listens there began anew, and so did the socket.
        if matches!(sent, Err(Errno::CONNREFUSED | Errno::NOTCONN | Errno::CONNRESET | Errno::PIPE)) {
            line.socket = connect(&self.path)?;
            line.course.flow = Flow::Flows;
            sent = self.try_once(line, bytes);
        }
        sent
    }

    fn try_once(&self, line: &mut Line, bytes: &[u8]) -> rustix::io::Result<()> {
        let Line { socket, course } = line;
        course.attempt(socket.as_fd(), || {
            let sent = rustix::io::retry_on_intr(|| rustix::net::send(&*socket, bytes, FLAGS));
            match sent {
                Err(Errno::MSGSIZE) if self.too_long == TooLong::InMemory => send_in_memory(socket, bytes),
                sent => sent.map(drop),
            }
        })
    }
}

fn connect(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

fn send_in_memory(socket: &OwnedFd, entry: &[u8]) -> rustix::io::Result<()> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, sendmsg};
    let mut memory =
        fs::File::from(memfd_create("journal", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    memory.write_all(entry).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    let fds = [memory.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(socket, &[], &mut control, FLAGS).map(drop)
}

/// A connection that takes lines: the journal's, as stderr. A line of which a part has gone is ended before the next.
#[derive(Debug)]
pub(crate) struct Stream(Mutex<Begun>);

#[derive(Debug)]
struct Begun {
    /// What is left of a line.
    rest: Vec<u8>,
    course: Course,
}

impl Stream {
    pub(crate) fn new() -> Stream {
        Stream(Mutex::new(Begun { rest: Vec::new(), course: Course::new() }))
    }

    /// Sends lines, or counts them as lost. `warning` makes a line of a sentence.
    ///
    /// # Errors
    ///
    /// `ENOTSOCK` where it is no connection: it may be written to.
    pub(crate) fn send(
        &self,
        to: BorrowedFd,
        line: Vec<u8>,
        warning: impl Fn(&str) -> Vec<u8>,
    ) -> rustix::io::Result<()> {
        let mut begun = lock(&self.0);
        begun.push(to)?;
        if begun.rest.is_empty() && begun.course.lost > 0 {
            begun.rest = warning(&told(begun.course.lost));
            let whole = begun.rest.len();
            begun.push(to)?;
            if begun.rest.len() < whole {
                begun.course.lost = 0;
            } else {
                begun.rest.clear();
            }
        }
        if !begun.rest.is_empty() || begun.course.lost > 0 {
            begun.course.lost += 1;
            return Ok(());
        }
        let whole = line.len();
        begun.rest = line;
        begun.push(to)?;
        if begun.rest.len() == whole && whole > 0 {
            begun.rest.clear();
            begun.course.lost += 1;
        }
        Ok(())
    }
}

impl Begun {
    /// Sends what is left, as far as it goes.
    fn push(&mut self, to: BorrowedFd) -> rustix::io::Result<()> {
        while !self.rest.is_empty() {
            let Begun { rest, course } = self;
            let sent =
                course.attempt(to, || rustix::io::retry_on_intr(|| rustix::net::send(to, rest, FLAGS)));
            match sent {
                Ok(length) => drop(self.rest.drain(..length.max(1).min(self.rest.len()))),
                Err(Errno::NOTSOCK) => {
                    self.rest.clear();
                    return Err(Errno::NOTSOCK);
                }
                Err(Errno::AGAIN) => return Ok(()),
                // Nobody is there any more, who could read the rest.
                Err(_) => {
                    self.rest.clear();
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// A poisoned lock holds a socket all the same.
fn lock<Held>(mutex: &Mutex<Held>) -> MutexGuard<'_, Held> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::time::{Duration, Instant};

    const LINES: usize = 5000;

    fn heard(log: &UnixDatagram) -> String {
        let mut bytes = [0; 200];
        let length = log.recv(&mut bytes).expect("a line");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn listen(path: &Path) -> UnixDatagram {
        std::fs::remove_file(path).ok();
        let log = UnixDatagram::bind(path).expect("a socket");
        log.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        log
    }

    fn warning(text: &str) -> Vec<u8> {
        format!("W {text}").into_bytes()
    }

    #[test]
    fn a_log_that_begins_anew_is_found_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let log = listen(&path);
        let way = Datagrams::connect(&path, TooLong::Lost).expect("it listens");
        way.send(b"one", warning);
        assert_eq!(heard(&log), "one");
        drop(log);
        way.send(b"nobody hears this", warning);
        let log = listen(&path);
        way.send(b"two", warning);
        assert_eq!(heard(&log), "W 1 lines before this were lost: the log took none");
        assert_eq!(heard(&log), "two");
    }

    #[test]
    fn a_log_that_is_stuck_holds_nobody_up() {
        for (too_long, line) in [(TooLong::Lost, b"again".to_vec()), (TooLong::InMemory, vec![b'x'; 1 << 20])]
        {
            let directory = tempfile::tempdir().expect("a directory");
            let log = listen(&directory.path().join("log"));
            let way = Datagrams::connect(&directory.path().join("log"), too_long).expect("it listens");
            let lines = if too_long == TooLong::Lost { LINES } else { 300 };
            let begin = Instant::now();
            for _ in 0..lines {
                way.send(&line, warning);
            }
            assert!(begin.elapsed() < Duration::from_secs(5), "it waited {:?}", begin.elapsed());
            log.set_nonblocking(true).expect("set");
            let mut bytes = [0; 200];
            let through = std::iter::from_fn(|| log.recv(&mut bytes).ok()).count();
            assert!(through < lines, "the queue is never full");
            way.send(b"it flows", warning);
            let lost = format!("W {} lines before this were lost: the log took none", lines - through);
            assert_eq!((heard(&log), heard(&log)), (lost, "it flows".to_owned()));
        }
    }

    #[test]
    fn a_stream_that_is_stuck_holds_nobody_up_and_its_lines_stay_whole() {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        let way = Stream::new();
        let line = |text: &str| format!("{text} {}\n", "x".repeat(900)).into_bytes();
        let warning = |text: &str| format!("{text}\n").into_bytes();
        let begin = Instant::now();
        for number in 0..LINES {
            way.send(ours.as_fd(), line(&number.to_string()), warning).expect("it is a socket");
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "it waited {:?}", begin.elapsed());
        let reads = std::thread::spawn(move || {
            BufReader::new(theirs).lines().map(|line| line.expect("text")).collect::<Vec<_>>()
        });
        let end = Instant::now() + Duration::from_secs(20);
        while lock(&way.0).course.lost > 0 && Instant::now() < end {
            way.send(ours.as_fd(), line("after"), warning).expect("it is a socket");
        }
        drop(ours);
        let lines = reads.join().expect("no panic");
        let first: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
        let through = first.iter().position(|word| word.parse::<usize>().is_err()).unwrap_or(0);
        assert!(lines.iter().take(through - 1).all(|line| line.len() > 900), "a line is cut");
        let lost: usize = first.iter().filter_map(|word| word.parse().ok()).next_back().expect("how many");
        assert!(through > 0 && through + lost >= LINES, "{through} through, {lost} lost");
        assert_eq!(first.last(), Some(&"after"));
    }

    #[test]
    fn what_is_no_socket_is_told() {
        let file = tempfile::tempfile().expect("a file");
        let sent = Stream::new().send(file.as_fd(), b"line\n".to_vec(), warning);
        assert_eq!(sent, Err(Errno::NOTSOCK));
    }
}
