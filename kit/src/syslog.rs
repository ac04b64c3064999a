//! The way to a syslog daemon, syslog(3): found again when that begins anew, and never waited for long.
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
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// syslog(3), `LOG_DAEMON`.
const FACILITY: u8 = 3;
/// syslog(3), `LOG_WARNING`.
const WARNING: u8 = 4;

#[derive(Debug)]
pub(crate) struct Syslog {
    path: PathBuf,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    flow: Flow,
    lost: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Flows,
    /// The last wait was in vain.
    Stuck,
}

impl Syslog {
    /// Nothing if nobody listens there.
    pub(crate) fn connect(path: &Path) -> Option<Syslog> {
        let socket = connect(path).ok()?;
        Some(Syslog { path: path.to_owned(), line: Mutex::new(Line { socket, flow: Flow::Flows, lost: 0 }) })
    }

    /// Sends a line, or counts it as lost. `tag` is what stands before it: the daemon's name and number.
    pub(crate) fn send(&self, priority: u8, tag: &str, text: &str) {
        // A poisoned lock holds a socket all the same.
        let mut line = self.line.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if line.lost > 0 {
            let lost = format!("{} lines before this were lost: the log took none", line.lost);
            if line.deliver(&self.path, &message(WARNING, tag, &lost)).is_err() {
                line.lost += 1;
                return;
            }
            line.lost = 0;
        }
        if line.deliver(&self.path, &message(priority, tag, text)).is_err() {
            line.lost += 1;
        }
    }
}

fn message(priority: u8, tag: &str, text: &str) -> Vec<u8> {
    format!("<{}>{tag}: {text}", FACILITY * 8 + priority).into_bytes()
}

impl Line {
    fn deliver(&mut self, path: &Path, bytes: &[u8]) -> rustix::io::Result<()> {
        let mut sent = self.send(bytes);
        // The daemon there began anew, and so did its socket.
        if matches!(sent, Err(Errno::CONNREFUSED | Errno::NOTCONN | Errno::CONNRESET | Errno::PIPE)) {
            self.socket = connect(path)?;
            self.flow = Flow::Flows;
            sent = self.send(bytes);
        }
        if sent == Err(Errno::AGAIN) && self.flow == Flow::Flows {
            let wait = Timespec::try_from(LOG_WAITED_FOR).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
            // Whatever comes of it, the next attempt tells.
            poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&wait)).ok();
            sent = self.send(bytes);
        }
        self.flow = if sent == Err(Errno::AGAIN) { Flow::Stuck } else { Flow::Flows };
        sent
    }

    fn send(&self, bytes: &[u8]) -> rustix::io::Result<()> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        rustix::io::retry_on_intr(|| rustix::net::send(&self.socket, bytes, flags)).map(drop)
    }
}

fn connect(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::time::{Duration, Instant};

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

    #[test]
    fn a_log_that_begins_anew_is_found_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let log = listen(&path);
        let syslog = Syslog::connect(&path).expect("it listens");
        syslog.send(6, "d[1]", "one");
        assert_eq!(heard(&log), "<30>d[1]: one");
        drop(log);
        syslog.send(6, "d[1]", "nobody hears this");
        let log = listen(&path);
        syslog.send(3, "d[1]", "two");
        assert_eq!(heard(&log), "<28>d[1]: 1 lines before this were lost: the log took none");
        assert_eq!(heard(&log), "<27>d[1]: two");
    }

    #[test]
    fn a_log_that_is_stuck_holds_nobody_up() {
        const LINES: usize = 5000;
        let directory = tempfile::tempdir().expect("a directory");
        let log = listen(&directory.path().join("log"));
        let syslog = Syslog::connect(&directory.path().join("log")).expect("it listens");
        let begin = Instant::now();
        for _ in 0..LINES {
            syslog.send(6, "d[1]", "again");
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "it waited {:?}", begin.elapsed());
        log.set_nonblocking(true).expect("set");
        let mut bytes = [0; 200];
        let through = std::iter::from_fn(|| log.recv(&mut bytes).ok()).count();
        assert!(through < LINES, "the queue is never full");
        syslog.send(6, "d[1]", "it flows");
        let lost = format!("<28>d[1]: {} lines before this were lost: the log took none", LINES - through);
        assert_eq!((heard(&log), heard(&log)), (lost, "<30>d[1]: it flows".to_owned()));
    }
}
