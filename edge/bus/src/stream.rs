//! A connected unix socket as zbus drives it: bytes and descriptors in and out, with the bytes that came
//! behind the handshake put first, and a message that claims to be too long refused before it is stored.

use crate::limits;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use tokio::io::Interest;
use tokio::net::UnixStream;
use zbus::connection::socket::{ReadHalf, Socket, Split, WriteHalf};
use zbus::export::async_trait::async_trait;

/// An authenticated stream and what was read of it beyond the handshake.
#[derive(Debug)]
pub struct Authenticated {
    pub stream: UnixStream,
    pub rest: Vec<u8>,
    pub rest_fds: Vec<OwnedFd>,
}

impl Socket for Authenticated {
    type ReadHalf = Reader;
    type WriteHalf = Writer;

    fn split(self) -> Split<Reader, Writer> {
        let stream = Arc::new(self.stream);
        let reader = Reader {
            stream: Arc::clone(&stream),
            rest: self.rest,
            rest_fds: self.rest_fds,
            frame: Frame::default(),
        };
        Split::new(reader, Writer { stream })
    }
}

#[derive(Debug)]
pub struct Reader {
    stream: Arc<UnixStream>,
    rest: Vec<u8>,
    rest_fds: Vec<OwnedFd>,
    frame: Frame,
}

#[async_trait]
impl ReadHalf for Reader {
    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        let (count, fds) = if self.rest.is_empty() {
            receive(&self.stream, buffer).await?
        } else {
            let count = buffer.len().min(self.rest.len());
            buffer[..count].copy_from_slice(&self.rest[..count]);
            self.rest.drain(..count);
            (count, std::mem::take(&mut self.rest_fds))
        };
        self.frame.pass(&buffer[..count])?;
        Ok((count, fds))
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}

#[derive(Debug)]
pub struct Writer {
    stream: Arc<UnixStream>,
}

#[async_trait]
impl WriteHalf for Writer {
    async fn sendmsg(&mut self, buffer: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        let fds = &fds[..fds.len().min(limits::MESSAGE_FDS)];
        self.stream
            .async_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(limits::MESSAGE_FDS))];
                let mut ancillary = SendAncillaryBuffer::new(&mut space);
                if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
                    return Err(io::Error::other("too many descriptors for one message"));
                }
                Ok(sendmsg(&*self.stream, &[IoSlice::new(buffer)], &mut ancillary, SendFlags::NOSIGNAL)?)
            })
            .await
    }

    async fn close(&mut self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&*self.stream, rustix::net::Shutdown::Both)?)
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}

/// One read; 0 bytes is the end. More descriptors than a message may bring end the connection.
pub async fn receive(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    stream
        .async_io(Interest::READABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(limits::MESSAGE_FDS))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let got =
                recvmsg(stream, &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
            let mut fds = Vec::new();
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(received) = message {
                    fds.extend(received);
                }
            }
            if got.flags.contains(ReturnFlags::CTRUNC) {
                return Err(io::Error::other("too many descriptors in one message"));
            }
            Ok((got.bytes, fds))
        })
        .await
}

/// Follows message boundaries in a stream of bytes, so that a length is judged as soon as it is known.
#[derive(Debug, Default)]
struct Frame {
    /// The fixed header, as far as it was seen.
    header: [u8; 16],
    seen: usize,
    /// What is left of the message behind its fixed header.
    left: usize,
}

impl Frame {
    fn pass(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let wanted = (self.header.len() - self.seen).min(bytes.len());
            self.header[self.seen..self.seen + wanted].copy_from_slice(&bytes[..wanted]);
            self.seen += wanted;
            bytes = &bytes[wanted..];
            if self.seen == self.header.len() {
                self.seen = 0;
                self.left = rest_of_message(&self.header)?;
            }
        }
        Ok(())
    }
}

/// Bytes behind the 16 of the fixed header: the fields, padded to 8, and the body.
fn rest_of_message(header: &[u8; 16]) -> io::Result<usize> {
    let number = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        if header[0] == b'B' { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let total = u64::from(number(12)).next_multiple_of(8) + u64::from(number(4));
    match usize::try_from(total) {
        Ok(total) if total + header.len() <= limits::MESSAGE_BYTES => Ok(total),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "message too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: u32, body: u32) -> Vec<u8> {
        let mut bytes = vec![b'l', 1, 0, 1];
        bytes.extend(body.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(fields.to_le_bytes());
        bytes.resize(16 + fields.next_multiple_of(8) as usize + body as usize, 7);
        bytes
    }

    #[test]
    fn messages_pass_in_any_portion() {
        let stream: Vec<u8> = [message(13, 5), message(0, 0), message(64, 900)].concat();
        for portion in 1..40 {
            let mut frame = Frame::default();
            for bytes in stream.chunks(portion) {
                frame.pass(bytes).expect("all are short enough");
            }
            assert_eq!((frame.seen, frame.left), (0, 0), "the stream ends between messages");
        }
    }

    #[test]
    fn a_long_message_is_refused_at_its_header() {
        let mut header = message(8, 0);
        header.truncate(16);
        header[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Frame::default().pass(&header).is_err());
        header[4..8].copy_from_slice(&0u32.to_le_bytes());
        header[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Frame::default().pass(&header).is_err());
    }
}
