//! Where a daemon's lines go: the journal with their fields, syslog, or stderr, by who started it.

use crate::flow::{Datagrams, Refusal, Stream, TooLong};
use crate::limits::LONGEST_FIELD_NAME;
use crate::starter::{Handed, Starter};
use std::fmt::Write;
use std::io::Write as _;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, process};

/// How much a line matters: syslog(3), journald's `PRIORITY=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Priority {
    /// The system is unusable.
    Emergency = 0,
    /// Must be dealt with at once.
    Alert = 1,
    /// The daemon cannot go on.
    Critical = 2,
    /// Something failed.
    Error = 3,
    /// Something may fail.
    Warning = 4,
    /// Ordinary, and worth knowing.
    Notice = 5,
    /// Ordinary.
    Info = 6,
    /// For those who look for a mistake.
    Debug = 7,
}

impl Priority {
    /// The one of this number, from 0 to 7.
    #[must_use]
    pub fn of_number(number: usize) -> Option<Priority> {
        const ALL: [Priority; 8] = [
            Priority::Emergency,
            Priority::Alert,
            Priority::Critical,
            Priority::Error,
            Priority::Warning,
            Priority::Notice,
            Priority::Info,
            Priority::Debug,
        ];
        ALL.get(number).copied()
    }
}

/// The way that lines go, open from the start: a later chroot(2) or change of user does not cut it.
#[derive(Debug)]
pub struct Log {
    name: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The journal's native protocol, systemd.journal-fields(7); its stream too, as long as stderr is that.
    Journal(Datagrams, Option<Stream>),
    /// A syslog daemon: syslog(3).
    Syslog { socket: Datagrams, stderr: Reader },
    /// Lines that a manager reads: `<N>` before each, sd-daemon(3).
    Prefixed(Stream),
    /// Lines for people.
    Plain(Named),
    /// There is no reader: inetd's stderr is the client's connection.
    Nowhere,
}

/// Where lines go that nobody can see on stderr.
const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";

/// syslog(3), `LOG_DAEMON`.
const FACILITY: u8 = 3;

/// Who says whose a line on stderr is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    ByUs,
    ByReader,
}

/// Who has what is written to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Ours,
    /// inetd's, whose connection it is.
    Client,
}

/// Whether stderr will still lead to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stderr {
    Stays,
    Goes,
}

impl Log {
    /// Lines on stderr.
    #[must_use]
    pub fn to_stderr(name: impl Into<String>) -> Log {
        Log { name: name.into(), way: Way::Plain(Named::ByUs) }
    }

    /// Chooses: the journal if stderr is its stream (`JOURNAL_STREAM=`), else syslog if stderr is inetd's socket or is
    /// about to go, else stderr.
    pub(crate) fn choose(name: &str, starter: &Starter, handed: &Handed, stderr: Stderr) -> Log {
        let stream = handed.journal_stream.as_deref();
        let is_journal = stream.is_some() && stream_of_stderr().as_deref() == stream;
        let is_named = handed.syslog_identifier.as_deref() == Some(name);
        let plain = Way::Plain(if is_named { Named::ByReader } else { Named::ByUs });
        let syslog = |stderr| {
            let socket = Datagrams::connect(Path::new(SYSLOG), TooLong::Lost)?;
            Some(Way::Syslog { socket, stderr })
        };
        let way = if is_journal {
            let stream = || (stderr == Stderr::Stays).then(Stream::new);
            Datagrams::connect(Path::new(JOURNAL), TooLong::InMemory)
                .map_or_else(|| Way::Prefixed(Stream::new()), |socket| Way::Journal(socket, stream()))
        } else if *starter == Starter::Superserver {
            syslog(Reader::Client).unwrap_or(Way::Nowhere)
        } else if stderr == Stderr::Goes {
            syslog(Reader::Ours).unwrap_or(plain)
        } else {
            plain
        };
        Log { name: name.to_owned(), way }
    }

    /// Sends one entry. Its fields reach the journal; on the other ways they stand behind the text. The journal takes upper
    /// case letters, digits and underscores for a name, no underscore or digit first, and at most 64: other names are made
    /// such, and a name that is there already, or is one of the entry's own (`MESSAGE`, `PRIORITY`, `SYSLOG_IDENTIFIER`), gets
    /// an `X_` before it. Who cannot be reached is no error: a daemon does not end for want
    /// of a reader.
    pub fn send(&self, priority: Priority, text: &str, fields: &[(&str, &str)]) {
        match &self.way {
            // A line alone goes by the stream, whose lines are the unit's even when the process that wrote them is gone
            // before they are read; with an entry of its own the journal looks for the process.
            Way::Journal(socket, Some(stream)) if fields.is_empty() && !text.contains('\n') => {
                self.by_stream((stream, rustix::stdio::stderr()), socket, priority, text);
            }
            Way::Journal(socket, _) => self.by_entry(socket, priority, text, fields),
            Way::Syslog { socket, .. } => {
                let warning = |lost: &str| self.message(Priority::Warning, lost);
                socket.send(&self.message(priority, &with_fields(text, fields)), warning);
            }
            Way::Prefixed(stream) => {
                let line = with_fields(text, fields);
                if prefixed(stream, rustix::stdio::stderr(), priority, &line) == Read::ByNobody {
                    stream.lose(1);
                }
            }
            Way::Plain(_) => {
                let line = self.on_stderr(priority, &with_fields(text, fields));
                std::io::stderr().write_all(line.as_bytes()).ok();
            }
            Way::Nowhere => {}
        }
    }

    /// A line as whoever reads stderr has it.
    fn on_stderr(&self, priority: Priority, text: &str) -> String {
        match self.way {
            Way::Journal(..) | Way::Prefixed(_) => with_priority(priority, text),
            Way::Plain(Named::ByReader) => format!("{text}\n"),
            Way::Syslog { .. } | Way::Plain(Named::ByUs) | Way::Nowhere => {
                format!("{}: {text}\n", self.name)
            }
        }
    }

    /// What is said on stderr at an end by force: nothing where that is a client.
    pub(crate) fn last_line(&self, text: &str) -> String {
        match self.way {
            Way::Nowhere | Way::Syslog { stderr: Reader::Client, .. } => String::new(),
            Way::Journal(..)
            | Way::Prefixed(_)
            | Way::Plain(_)
            | Way::Syslog { stderr: Reader::Ours, .. } => self.on_stderr(Priority::Error, text),
        }
    }

    fn by_stream(&self, to: (&Stream, BorrowedFd), socket: &Datagrams, priority: Priority, text: &str) {
        let (stream, stderr) = to;
        if prefixed(stream, stderr, priority, text) == Read::ByNobody {
            // The journal began anew without this stream; its socket is found again.
            socket.lose(stream.take_lost());
            self.by_entry(socket, priority, text, &[]);
        }
    }

    fn by_entry(&self, socket: &Datagrams, priority: Priority, text: &str, fields: &[(&str, &str)]) {
        let warning = |lost: &str| self.entry(Priority::Warning, lost, &[]);
        socket.send(&self.entry(priority, text, fields), warning);
    }

    /// A message of syslog(3).
    fn message(&self, priority: Priority, text: &str) -> Vec<u8> {
        format!("<{}>{}[{}]: {text}", FACILITY * 8 + priority as u8, self.name, process::id()).into_bytes()
    }

    /// An entry of the journal's native protocol.
    fn entry(&self, priority: Priority, text: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let number = (priority as u8).to_string();
        let mut entry = Vec::new();
        let mut names = Vec::new();
        for (name, value) in [("PRIORITY", &*number), ("SYSLOG_IDENTIFIER", &self.name), ("MESSAGE", text)] {
            field(&mut entry, name, value);
            names.push(name.to_owned());
        }
        for (name, value) in fields {
            let mut name = journal_name(name);
            if names.contains(&name) {
                name = journal_name(&format!("X_{name}"));
            }
            // A third of that name is one of several values, which the journal has too.
            field(&mut entry, &name, value);
            names.push(name);
        }
        entry
    }

    /// Whether fields reach somebody as fields: in the journal. Elsewhere they stand behind the text.
    #[must_use]
    pub fn keeps_fields(&self) -> bool {
        match self.way {
            Way::Journal(..) => true,
            Way::Syslog { .. } | Way::Prefixed(_) | Way::Plain(_) | Way::Nowhere => false,
        }
    }

    /// Whether lines go to stderr.
    pub(crate) fn is_stderr(&self) -> bool {
        match self.way {
            Way::Prefixed(_) | Way::Plain(_) => true,
            Way::Journal(..) | Way::Syslog { .. } | Way::Nowhere => false,
        }
    }

    /// Sends one line.
    pub fn line(&self, priority: Priority, text: impl AsRef<str>) {
        self.send(priority, text.as_ref(), &[]);
    }
}

/// Whether there is anybody at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// By now or later, or counted as lost.
    BySomebody,
    ByNobody,
}

/// Writes lines for a manager to read, which must not hold us up.
fn prefixed(stream: &Stream, to: BorrowedFd, priority: Priority, text: &str) -> Read {
    let lines = with_priority(priority, text);
    let warning = |lost: &str| with_priority(Priority::Warning, lost).into_bytes();
    match stream.send(to, lines.clone().into_bytes(), warning) {
        Ok(()) => Read::BySomebody,
        Err(Refusal::NoReader) => Read::ByNobody,
        Err(Refusal::NoSocket) => {
            // The program has put something else in its place.
            std::io::stderr().write_all(lines.as_bytes()).ok();
            Read::BySomebody
        }
    }
}

/// sd-daemon(3): each line with its priority.
fn with_priority(priority: Priority, text: &str) -> String {
    text.lines().map(|line| format!("<{}>{line}\n", priority as u8)).collect()
}

fn with_fields(text: &str, fields: &[(&str, &str)]) -> String {
    fields.iter().fold(text.to_owned(), |mut line, (name, value)| {
        write!(line, " {}={value}", name.to_lowercase()).ok();
        line
    })
}

/// A name as the journal takes it: systemd.journal-fields(7), and journald's own check.
fn journal_name(name: &str) -> String {
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    let name: String = letters.take(LONGEST_FIELD_NAME).collect();
    if name.is_empty() { "FIELD".to_owned() } else { name }
}

/// One field of an entry: a value of several lines goes with its length.
fn field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

fn stream_of_stderr() -> Option<String> {
    let stderr = fs::metadata("/proc/self/fd/2").ok()?;
    Some(format!("{}:{}", stderr.dev(), stderr.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    #[test]
    fn names_that_the_journal_takes() {
        let long = "a".repeat(70);
        for (name, wanted) in [
            ("user.id", "USER_ID"),
            ("_private", "PRIVATE"),
            ("9lives", "LIVES"),
            ("ä", "FIELD"),
            (&long, &"A".repeat(64)),
        ] {
            assert_eq!(journal_name(name), wanted);
        }
    }

    #[test]
    fn a_field_can_neither_forge_another_nor_take_its_name() {
        let log = Log::to_stderr("d");
        let fields =
            [("_PID", "1"), ("A=1\nMESSAGE", "x"), ("message", "y"), ("TARGET", "a"), ("target", "b")];
        let entry = String::from_utf8(log.entry(Priority::Info, "hello", &fields)).expect("text");
        let wanted = "PRIORITY=6\nSYSLOG_IDENTIFIER=d\nMESSAGE=hello\nPID=1\nA_1_MESSAGE=x\nX_MESSAGE=y\nTARGET=a\nX_TARGET=b\n";
        assert_eq!(entry, wanted);
    }

    #[test]
    fn a_stream_that_nobody_reads_any_more_makes_way_for_the_socket() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal");
        let journal = UnixDatagram::bind(&path).expect("a socket");
        let socket = Datagrams::connect(&path, TooLong::InMemory).expect("it listens");
        let (stderr, reader) = UnixStream::pair().expect("sockets");
        let (log, stream) = (Log::to_stderr("d"), Stream::new());
        let line = |text: &str| log.by_stream((&stream, stderr.as_fd()), &socket, Priority::Info, text);
        line("read");
        stream.lose(2);
        drop(reader);
        line("goes the other way");
        line("and this");
        let heard = std::array::from_fn(|_| {
            let mut bytes = [0; 200];
            let length = journal.recv(&mut bytes).expect("an entry");
            String::from_utf8_lossy(&bytes[..length]).lines().last().unwrap_or_default().to_owned()
        });
        let lost = "MESSAGE=2 lines before this were lost: the log took none";
        assert_eq!(heard, [lost, "MESSAGE=goes the other way", "MESSAGE=and this"]);
    }

    #[test]
    fn a_client_is_told_no_last_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let _log = UnixDatagram::bind(&path).expect("a socket");
        let syslog = |stderr| {
            let socket = Datagrams::connect(&path, TooLong::Lost).expect("it listens");
            Way::Syslog { socket, stderr }
        };
        for (way, wanted) in [
            (Way::Nowhere, ""),
            (syslog(Reader::Client), ""),
            (syslog(Reader::Ours), "d: over\n"),
            (Way::Plain(Named::ByUs), "d: over\n"),
            (Way::Plain(Named::ByReader), "over\n"),
            (Way::Prefixed(Stream::new()), "<3>over\n"),
        ] {
            let log = Log { name: "d".to_owned(), way };
            assert_eq!(log.last_line("over"), wanted, "{:?}", log.way);
        }
    }
}
