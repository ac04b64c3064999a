//! The bytes of a connection: handshake, framing, header. Bodies are encoded and decoded by zbus.
//!
//! zbus's own connection cannot be used here. systemd puts its well-known name into the sender field of what
//! it sends over the private socket, where D-Bus has unique names only, and zbus takes such a message for the
//! end of the connection. A client that asks one question at a time needs no event loop either.

use crate::limits;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{BE, Endian, LE};
use zbus::{Message, OwnedVariant};

/// One connection, already authenticated.
#[derive(Debug)]
pub struct Wire {
    stream: UnixStream,
    read: Vec<u8>,
}

/// What kind of message it is, by the second byte of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Call,
    Return,
    Error,
    Signal,
    Unknown,
}

/// A message as it came, with the header fields that are read here.
#[derive(Debug)]
pub struct Incoming {
    pub kind: Kind,
    pub reply_to: Option<u32>,
    pub member: String,
    pub error: String,
    pub signature: String,
    body: Data<'static, 'static>,
}

impl Incoming {
    pub fn body<R: serde::de::DeserializeOwned + zbus::Type>(&self) -> Result<R, String> {
        let expected = R::SIGNATURE.to_string();
        let fields = expected.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
        if !expected.is_empty() && self.signature != expected && fields != Some(self.signature.as_str()) {
            return Err(format!("expected '{expected}', got '{}'", self.signature));
        }
        let decoded = self.body.deserialize::<R>().map_err(|error| error.to_string())?;
        Ok(decoded.0)
    }
}

impl Wire {
    /// Says who we are; the kernel vouches for it.
    pub fn open(mut stream: UnixStream) -> io::Result<Wire> {
        let uid = rustix::process::geteuid().as_raw().to_string();
        let hex: String = uid.bytes().map(|byte| format!("{byte:02x}")).collect();
        stream.set_read_timeout(Some(limits::HANDSHAKE))?;
        // All in one write, and nothing more before the answer: systemd overlooks a first message that comes
        // together with BEGIN until a second one follows.
        stream.write_all(format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n").as_bytes())?;
        let mut wire = Wire { stream, read: Vec::new() };
        let answer = wire.auth_line()?;
        if !answer.starts_with("OK ") {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("not let in: {answer}")));
        }
        wire.stream.set_read_timeout(None)?;
        Ok(wire)
    }

    pub fn send(&mut self, message: &Message) -> io::Result<()> {
        self.stream.write_all(message.data().bytes())
    }

    pub fn receive(&mut self) -> io::Result<Incoming> {
        let head: [u8; FIXED] = self.take(FIXED)?.try_into().map_err(|_| garbled("header"))?;
        let endian = match head[0] {
            b'l' => LE,
            b'B' => BE,
            _ => return Err(garbled("byte order")),
        };
        let word = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            if head[0] == b'l' { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
        };
        let (body, fields) = (word(4) as usize, word(12) as usize);
        if body > limits::MESSAGE || fields > limits::MESSAGE {
            return Err(garbled("length"));
        }
        let rest = self.take(fields.next_multiple_of(8) + body)?;
        let mut header = head.to_vec();
        header.extend_from_slice(&rest[..fields]);
        let body = Data::new(rest[fields.next_multiple_of(8)..].to_vec(), Context::new(endian, 0));
        decode(header, endian, body)
    }

    fn auth_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.read.len() > limits::AUTH_LINE {
                return Err(garbled("authentication"));
            }
            self.fill()?;
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.read.len() < count {
            self.fill()?;
        }
        let rest = self.read.split_off(count);
        Ok(std::mem::replace(&mut self.read, rest))
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Bytes before the header fields.
const FIXED: usize = 16;

/// Header fields by their codes in the D-Bus specification.
fn decode(header: Vec<u8>, endian: Endian, body: Data<'static, 'static>) -> io::Result<Incoming> {
    type Header = (u8, u8, u8, u8, u32, u32, Vec<(u8, OwnedVariant)>);
    let header = Data::new(header, Context::new(endian, 0));
    let ((_, kind, _, _, _, _, fields), _) =
        header.deserialize::<Header>().map_err(|_| garbled("header fields"))?;
    let field = |code: u8| fields.iter().find(|(found, _)| *found == code).map(|(_, value)| value);
    let text = |code: u8| {
        let value = field(code).map(|value| super::Value::from(&**value));
        value.as_ref().and_then(super::Value::text).unwrap_or("").to_owned()
    };
    let reply_to = field(5).map(|value| super::Value::from(&**value)).and_then(|value| value.unsigned());
    Ok(Incoming {
        kind: match kind {
            1 => Kind::Call,
            2 => Kind::Return,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => Kind::Unknown,
        },
        reply_to: reply_to.and_then(|serial| u32::try_from(serial).ok()),
        member: text(3),
        error: text(4),
        signature: text(8),
        body,
    })
}

fn garbled(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("bad {what} in a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message as systemd sends it over the private socket: its sender is no unique name.
    fn from_systemd() -> Vec<u8> {
        let mut fields = Vec::new();
        for (code, signature, text) in [
            (1_u8, 'o', "/org/freedesktop/systemd1"),
            (2, 's', "org.freedesktop.systemd1.Manager"),
            (3, 's', "JobNew"),
            (7, 's', "org.freedesktop.systemd1"),
            (8, 'g', "s"),
        ] {
            while fields.len() % 8 != 0 {
                fields.push(0);
            }
            fields.extend([code, 1, signature as u8, 0]);
            if signature == 'g' {
                fields.push(u8::try_from(text.len()).unwrap());
            } else {
                fields.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            }
            fields.extend(text.as_bytes());
            fields.push(0);
        }
        let body = b"\x05\0\0\0hello\0";
        let mut bytes = vec![b'l', 4, 0, 1];
        for word in [body.len(), 1, fields.len()] {
            bytes.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        bytes.extend(&fields);
        while bytes.len() % 8 != 0 {
            bytes.push(0);
        }
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_well_known_sender_does_not_end_the_connection() {
        let (mut far, near) = UnixStream::pair().unwrap();
        let mut wire = Wire { stream: near, read: Vec::new() };
        let bytes = from_systemd();
        far.write_all(&bytes[..20]).unwrap();
        far.write_all(&bytes[20..]).unwrap();
        let message = wire.receive().unwrap();
        assert_eq!((message.kind, message.member.as_str()), (Kind::Signal, "JobNew"));
        assert_eq!(message.body::<String>().as_deref(), Ok("hello"));
        assert_eq!(message.body::<u32>(), Err("expected 'u', got 's'".to_owned()));
        drop(far);
        assert_eq!(wire.receive().map(|_| ()).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
