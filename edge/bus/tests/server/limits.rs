//! What a client can do to us, and what we do to it.

use super::{Directory, Table};
use crate::table::Background;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

fn authenticated(path: &Path) -> UnixStream {
    let mut stream = UnixStream::connect(path).expect("it accepts");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream.write_all(b"\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n").expect("it reads");
    let mut said = Vec::new();
    while !said.ends_with(b"AGREE_UNIX_FD\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("it answers");
        said.push(byte[0]);
    }
    stream
}

fn owner() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Hung up on: end of stream, or a reset where something of ours was left unread.
fn assert_hung_up(stream: &mut UnixStream) {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}

#[test]
fn a_message_that_claims_to_be_long_ends_its_connection_only() {
    let directory = Directory::new("long");
    let path = directory.at("private");
    let server = Background::start(&path, owner(), Table::new);
    let mut other = authenticated(&path);
    let mut stream = authenticated(&path);
    let mut header = vec![b'l', 1, 0, 1];
    header.extend(100_000_000_u32.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    header.extend(0_u32.to_le_bytes());
    stream.write_all(&header).expect("it reads");
    assert_hung_up(&mut stream);
    other.write_all(&list_units()).expect("the other connection is alive");
    other.read_exact(&mut [0; 16]).expect("and served");
    drop(server);
}

#[test]
fn who_does_not_read_is_hung_up_on() {
    let directory = Directory::new("slow");
    let path = directory.at("private");
    let server = Background::start(&path, owner(), || Table::many(500));
    let mut stream = authenticated(&path);
    let call = list_units();
    let hung_up = (0..100_000).any(|_| stream.write_all(&call).is_err());
    assert!(hung_up, "unread answers do not pile up for ever");
    authenticated(&path).write_all(&call).expect("others are served");
    drop(server);
}

#[test]
fn connections_are_counted() {
    let directory = Directory::new("many");
    let path = directory.at("private");
    let server = Background::start(&path, owner(), Table::new);
    let mut open: Vec<UnixStream> = (0..256).map(|_| authenticated(&path)).collect();
    let mut beyond = UnixStream::connect(&path).expect("the kernel accepts");
    beyond.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    assert_hung_up(&mut beyond);
    open.truncate(100);
    // The server notices that the others left; a new connection is let in once it has.
    let admitted = (0..10_000).any(|_| {
        let mut stream = UnixStream::connect(&path).expect("the kernel accepts");
        let sent = stream.write_all(b"\0AUTH\r\n");
        sent.is_ok() && stream.read_exact(&mut [0; 8]).is_ok()
    });
    assert!(admitted, "places are free again");
    drop(server);
}

/// One byte wrong, each in its turn, from each place: a client is answered or hung up on, and others are served.
#[test]
fn a_wrong_byte_harms_nobody_else() {
    let directory = Directory::new("wrong");
    let path = directory.at("private");
    let server = Background::start(&path, owner(), Table::new);
    let right = zbus::Message::method_call("/org/freedesktop/systemd1/unit/t_2dsimple_2eservice", "GetAll")
        .interface("org.freedesktop.DBus.Properties")
        .build(&("",))
        .expect("a message");
    for place in 0..right.data().len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut wrong = right.data().to_vec();
            wrong[place] ^= flip;
            let mut stream = authenticated(&path);
            // What follows may be taken for the rest of a message that says it is longer.
            stream.write_all(&wrong).expect("it reads");
            stream.shutdown(std::net::Shutdown::Write).expect("a socket");
            assert_hung_up(&mut stream);
        }
    }
    let mut other = authenticated(&path);
    other.write_all(&list_units()).expect("it reads");
    other.read_exact(&mut [0; 16]).expect("and answers");
    drop(server);
}

/// `ListUnits`, as bytes.
fn list_units() -> Vec<u8> {
    let call = zbus::Message::method_call("/org/freedesktop/systemd1", "ListUnits")
        .interface("org.freedesktop.systemd1.Manager")
        .build(&())
        .expect("a message");
    call.data().to_vec()
}
