//! The connection to the manager's private socket: calls, answers, and the jobs that end between them.

use super::marshal::{self, Argument, Reader, Value};
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const SOCKET: &str = "/run/systemd/private";
const NAME: &str = "org.freedesktop.systemd1";
pub const MANAGER: (&str, &str) = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
/// A manager that says nothing for so long has stopped.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes before the header's fields.
const FIXED: usize = 16;

pub struct Bus {
    stream: UnixStream,
    read: Vec<u8>,
    serial: u32,
    /// The unit and the result of each job that ended, in that order.
    removed: Vec<(String, String)>,
    /// Answers that came before they were asked for.
    early: Vec<Message>,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Values(Vec<Value>),
    Refused { name: String, text: String },
}

struct Message {
    kind: u8,
    reply_to: i64,
    member: String,
    error: String,
    values: Vec<Value>,
}

impl Bus {
    pub fn connect() -> Result<Bus> {
        let stream = UnixStream::connect(SOCKET).context(SOCKET)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let mut bus = Bus { stream, read: Vec::new(), serial: 0, removed: Vec::new(), early: Vec::new() };
        // Root is uid 0: "30" in hexadecimal letters.
        bus.stream.write_all(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")?;
        while !bus.read.ends_with(b"\r\n") {
            bus.fill()?;
        }
        if !bus.read.starts_with(b"OK ") {
            bail!("not let in: {}", String::from_utf8_lossy(&bus.read));
        }
        bus.read.clear();
        Ok(bus)
    }

    /// Sends a call; its answer is fetched by the number that this returns.
    pub fn send(&mut self, object: (&str, &str), member: &str, arguments: &[Argument]) -> Result<u32> {
        self.serial += 1;
        let fields = [(1, b'o', object.0), (2, b's', object.1), (3, b's', member), (6, b's', NAME)];
        self.stream.write_all(&marshal::call(self.serial, &fields, arguments))?;
        Ok(self.serial)
    }

    /// Waits for the answer to a call.
    pub fn answer(&mut self, serial: u32) -> Result<Answer> {
        let place = self.early.iter().position(|message| message.reply_to == i64::from(serial));
        let message = match place {
            Some(place) => self.early.swap_remove(place),
            None => loop {
                let message = self.message()?;
                match message.kind {
                    4 => self.hear(&message),
                    _ if message.reply_to == i64::from(serial) => break message,
                    _ => self.early.push(message),
                }
            },
        };
        let text = || message.values.first().map(|value| value.text().to_owned()).unwrap_or_default();
        Ok(match message.kind {
            3 => Answer::Refused { text: text(), name: message.error },
            _ => Answer::Values(message.values),
        })
    }

    pub fn call(&mut self, object: (&str, &str), member: &str, arguments: &[Argument]) -> Result<Answer> {
        let serial = self.send(object, member, arguments)?;
        self.answer(serial)
    }

    /// A call that has to succeed; its first value.
    pub fn value(&mut self, object: (&str, &str), member: &str, arguments: &[Argument]) -> Result<Value> {
        match self.call(object, member, arguments)? {
            Answer::Values(values) => values.into_iter().next().context("an empty answer"),
            Answer::Refused { name, text } => bail!("{member}: {name}: {text}"),
        }
    }

    /// Properties of several objects, in one round; one that is refused is an empty list.
    pub fn properties(&mut self, wanted: &[(String, &str, &str)]) -> Result<Vec<Value>> {
        let mut serials = Vec::new();
        for (path, interface, property) in wanted {
            let object = (path.as_str(), "org.freedesktop.DBus.Properties");
            serials.push(self.send(object, "Get", &[Argument::Text(interface), Argument::Text(property)])?);
        }
        let mut found = Vec::new();
        for serial in serials {
            found.push(match self.answer(serial)? {
                Answer::Values(values) => values.into_iter().next().context("an empty answer")?,
                Answer::Refused { .. } => Value::List(Vec::new()),
            });
        }
        Ok(found)
    }

    /// The jobs that ended since this was asked last.
    pub fn removed(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.removed)
    }

    fn hear(&mut self, message: &Message) {
        if message.member == "JobRemoved"
            && let [_, _, unit, result] = message.values.as_slice()
        {
            self.removed.push((unit.text().to_owned(), result.text().to_owned()));
        }
    }

    fn message(&mut self) -> Result<Message> {
        self.need(FIXED)?;
        let word = |at: usize| {
            let bytes: Vec<u8> = self.read[at..at + 4].to_vec();
            bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
        };
        let (kind, body, fields) = (self.read[1], word(4), word(12));
        let start = FIXED + fields.next_multiple_of(8);
        self.need(start + body)?;
        let bytes: Vec<u8> = self.read.drain(..start + body).collect();
        // The fields are an array; its length stands in the fixed part.
        let head = Reader::new(&bytes[..FIXED + fields]).values("yyyyuua(yv)")?;
        let fields = head.last().map(Value::list).unwrap_or_default();
        let field = |code: i64| {
            let found = fields.iter().find(|field| field.list().first() == Some(&Value::Number(code)));
            found.and_then(|field| field.list().get(1)).cloned().unwrap_or(Value::List(Vec::new()))
        };
        let values = Reader::new(&bytes[start..]).values(field(8).text())?;
        let text = |code| field(code).text().to_owned();
        Ok(Message { kind, reply_to: field(5).number(), member: text(3), error: text(4), values })
    }

    fn need(&mut self, count: usize) -> Result<()> {
        while self.read.len() < count {
            self.fill()?;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer).context("the manager says nothing")? {
            0 => bail!("the manager closed the connection"),
            count => self.read.extend_from_slice(&buffer[..count]),
        }
        Ok(())
    }
}
