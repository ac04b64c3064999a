//! Ways to a log that a log which takes nothing does not close: it is waited for a moment once, then lines are counted instead.
//! One that is slow presses back: each line waits until there is room, a moment at most.
//!
//! ```text
//! flows ── queue full for a moment ──► stuck: nothing is waited for, lines are counted;
//!   ▲                                     │      a line that gets through says first how many were lost
//!   └──── several in a row get through at once
//! ```

use crate::limits::{LOG_FLOWS_AGAIN_AFTER, LOG_WAITED_FOR};
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
    Stuck {
        /// Taken at once, one after the other, since.
        taken: u32,
    },
}

impl Course {
    fn new() -> Course {
        Course { flow: Flow::Flows, lost: 0 }
    }

    /// Tries, and once more after a wait where all went well before.
    fn attempt<Sent>(
        &mut self,
        wait: impl FnOnce(),
        mut send: impl FnMut() -> rustix::io::Result<Sent>,
    ) -> rustix::io::Result<Sent> {
        let mut sent = send();
        if matches!(sent, Err(Errno::AGAIN)) && self.flow == Flow::Flows {
            wait();
            sent = send();
        }
        self.flow = match (&sent, self.flow) {
            (Err(Errno::AGAIN), _) => Flow::Stuck { taken: 0 },
            // One place that a slow reader frees is no flow: who waits again for each waits most of the time.
            (_, Flow::Stuck { taken }) if taken + 1 < LOG_FLOWS_AGAIN_AFTER => {
                Flow::Stuck { taken: taken + 1 }
            }
            (_, Flow::Stuck { .. } | Flow::Flows) => Flow::Flows,
        };
        sent
    }
}

/// Waits a moment for room.
fn wait_for(fd: BorrowedFd) {
    let moment = Timespec::try_from(LOG_WAITED_FOR).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
    // Whatever comes of it, the next attempt tells.
    poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], Some(&moment)).ok();
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

    /// Counts lines that were lost elsewhere.
    pub(crate) fn lose(&self, lines: u64) {
        lock(&self.line).course.lost += lines;
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
        course.attempt(
            || wait_for(socket.as_fd()),
            || {
                let sent = rustix::io::retry_on_intr(|| rustix::net::send(&*socket, bytes, FLAGS));
                match sent {
                    Err(Errno::MSGSIZE) if self.too_long == TooLong::InMemory => {
                        send_in_memory(socket, bytes)
                    }
                    sent => sent.map(drop),
                }
            },
        )
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
    /// How many lines are lost with it: more than one if it tells of lost ones.
    worth: u64,
    course: Course,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Push {
    Gone,
    /// A part of it has gone, and the rest has to follow.
    Begun,
    /// Nothing of it has gone.
    Stuck,
    /// Nobody is there any more, who could read it.
    Broken,
}

/// Why a stream has not taken a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no connection: it may be written to.
    NoSocket,
    /// Its other end is closed. The line is not counted as lost.
    NoReader,
}

impl Stream {
    pub(crate) fn new() -> Stream {
        Stream(Mutex::new(Begun { rest: Vec::new(), worth: 0, course: Course::new() }))
    }

    /// Sends lines, or counts them as lost. `warning` makes a line of a sentence.
    ///
    /// # Errors
    ///
    /// Why it takes nothing, for the line to go another way.
    pub(crate) fn send(
        &self,
        to: BorrowedFd,
        line: Vec<u8>,
        warning: impl Fn(&str) -> Vec<u8>,
    ) -> Result<(), Refusal> {
        let mut begun = lock(&self.0);
        match begun.push(to)? {
            Push::Gone => {}
            Push::Begun | Push::Stuck => {
                begun.course.lost += 1;
                return Ok(());
            }
            Push::Broken => {
                begun.course.lost += begun.worth;
                return Err(Refusal::NoReader);
            }
        }
        let lost = begun.course.lost;
        if lost > 0 {
            match begun.offer(to, warning(&told(lost)), lost)? {
                Push::Gone => begun.course.lost = 0,
                Push::Begun => {
                    begun.course.lost = 1;
                    return Ok(());
                }
                Push::Stuck => {
                    begun.course.lost += 1;
                    return Ok(());
                }
                Push::Broken => return Err(Refusal::NoReader),
            }
        }
        match begun.offer(to, line, 1)? {
            Push::Gone | Push::Begun => Ok(()),
            Push::Stuck => {
                begun.course.lost = 1;
                Ok(())
            }
            Push::Broken => Err(Refusal::NoReader),
        }
    }

    /// Counts lines that were lost elsewhere.
    pub(crate) fn lose(&self, lines: u64) {
        lock(&self.0).course.lost += lines;
    }

    /// How many were lost and not told of: it is for the caller to tell.
    pub(crate) fn take_lost(&self) -> u64 {
        std::mem::take(&mut lock(&self.0).course.lost)
    }
}

impl Begun {
    /// Sends a line where none is begun; none of it is left where nothing of it has gone.
    fn offer(&mut self, to: BorrowedFd, line: Vec<u8>, worth: u64) -> Result<Push, Refusal> {
        (self.rest, self.worth) = (line, worth);
        let push = self.push(to)?;
        if push == Push::Stuck {
            self.rest.clear();
        }
        Ok(push)
    }

    /// Sends what is left, as far as it goes.
    fn push(&mut self, to: BorrowedFd) -> Result<Push, Refusal> {
        let mut stuck = Push::Stuck;
        while !self.rest.is_empty() {
            let Begun { rest, course, .. } = self;
            let send = || rustix::io::retry_on_intr(|| rustix::net::send(to, rest, FLAGS));
            match course.attempt(|| wait_for(to), send) {
                Ok(length) => {
                    self.rest.drain(..length.max(1).min(self.rest.len()));
                    stuck = Push::Begun;
                }
                Err(Errno::AGAIN) => return Ok(stuck),
                Err(Errno::NOTSOCK) => {
                    self.rest.clear();
                    return Err(Refusal::NoSocket);
                }
                Err(_) => {
                    self.rest.clear();
                    return Ok(Push::Broken);
                }
            }
        }
        Ok(Push::Gone)
    }
}

/// A poisoned lock holds a socket all the same.
fn lock<Held>(mutex: &Mutex<Held>) -> MutexGuard<'_, Held> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::time::Duration;

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
            for _ in 0..lines {
                way.send(&line, warning);
            }
            log.set_nonblocking(true).expect("set");
            let mut bytes = [0; 200];
            let through = std::iter::from_fn(|| log.recv(&mut bytes).ok()).count();
            assert!(through < lines, "the queue is never full");
            way.send(b"it flows", warning);
            let lost = format!("W {} lines before this were lost: the log took none", lines - through);
            assert_eq!((heard(&log), heard(&log)), (lost, "it flows".to_owned()));
        }
    }

    /// Sends as often as there are outcomes, and counts the waits.
    fn waits(course: &mut Course, outcomes: impl IntoIterator<Item = (Errno, Errno)>) -> usize {
        let mut waits = 0;
        for (first, after_a_wait) in outcomes {
            let (mut next, mut waited) = ([first, after_a_wait].into_iter(), 0);
            let result = |errno| if errno == FITS { Ok(()) } else { Err(errno) };
            course.attempt(|| waited = 1, || result(next.next().expect("two attempts at most"))).ok();
            waits += waited;
        }
        waits
    }

    /// No error, for [`waits`].
    const FITS: Errno = Errno::from_raw_os_error(1);
    const FULL: Errno = Errno::AGAIN;

    #[test]
    fn a_slow_log_is_waited_for_and_a_stuck_one_once() {
        let mut course = Course::new();
        assert_eq!(waits(&mut course, [(FULL, FITS); 100]), 100, "each time there was room in the end");
        assert_eq!(waits(&mut course, [(FULL, FULL); 100]), 1, "once in vain");
        // A place becomes free now and then.
        let now_and_then = [[(FITS, FITS); 3].as_slice(), &[(FULL, FULL); 3]].concat().repeat(20);
        assert_eq!(waits(&mut course, now_and_then), 0);
        let flows = vec![(FITS, FITS); LOG_FLOWS_AGAIN_AFTER as usize];
        assert_eq!(waits(&mut course, flows), 0);
        assert_eq!(course.flow, Flow::Flows);
        assert_eq!(waits(&mut course, [(FULL, FULL); 100]), 1, "it flowed in between");
    }

    fn whole(text: &str) -> String {
        format!("{text} {}", "x".repeat(900))
    }

    fn line(text: &str) -> Vec<u8> {
        format!("{}\n", whole(text)).into_bytes()
    }

    fn warning_line(text: &str) -> Vec<u8> {
        format!("{text}\n").into_bytes()
    }

    /// All that is there to be read, as far as it is there.
    fn read(from: &mut UnixStream) -> String {
        from.set_nonblocking(true).expect("set");
        let mut text = Vec::new();
        // An error too leaves there what was read before it.
        from.read_to_end(&mut text).ok();
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn a_stream_that_is_stuck_loses_lines_that_it_counts_and_the_others_stay_whole() {
        let (ours, mut theirs) = UnixStream::pair().expect("sockets");
        let way = Stream::new();
        for number in 0..LINES {
            way.send(ours.as_fd(), line(&number.to_string()), warning_line).expect("somebody reads");
        }
        let mut text = read(&mut theirs);
        way.send(ours.as_fd(), line("after"), warning_line).expect("somebody reads");
        text += &read(&mut theirs);
        let through = text.lines().take_while(|line| line.len() > 900).count();
        assert!(through > 0 && through < LINES, "{through} lines fit into the queue");
        let mut wanted: Vec<String> = (0..through).map(|number| whole(&number.to_string())).collect();
        wanted.push(told((LINES - through) as u64));
        wanted.push(whole("after"));
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_stream_without_a_reader_forgets_no_line() {
        let (ours, mut theirs) = UnixStream::pair().expect("sockets");
        let way = Stream::new();
        for number in 0..LINES {
            way.send(ours.as_fd(), line(&number.to_string()), warning_line).expect("somebody reads");
        }
        // A line that has begun can only be seen by what comes of it.
        let text = read(&mut theirs);
        drop(theirs);
        for _ in 0..2 {
            assert_eq!(way.send(ours.as_fd(), line("last"), warning_line), Err(Refusal::NoReader));
        }
        let through = text.bytes().filter(|byte| *byte == b'\n').count();
        assert_eq!(way.take_lost(), (LINES - through) as u64);
        assert_eq!(way.take_lost(), 0, "told once");
    }

    #[test]
    fn what_is_no_socket_is_told() {
        let file = tempfile::tempfile().expect("a file");
        let sent = Stream::new().send(file.as_fd(), b"line\n".to_vec(), warning);
        assert_eq!(sent, Err(Refusal::NoSocket));
    }
}
