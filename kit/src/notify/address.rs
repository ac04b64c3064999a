//! `NOTIFY_SOCKET=`: where messages go.

use crate::limits::LONGEST_SOCKET_NAME;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A socket that is named by text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `/run/…`: a datagram socket in the file system.
    Path(PathBuf),
    /// `@name`: a datagram socket of Linux's abstract namespace.
    Abstract(Vec<u8>),
    /// `vsock:CID:PORT` and its kin: a manager on the other side of a virtual machine's wall.
    Vsock { kinds: &'static [VsockKind], cid: u32, port: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VsockKind {
    Stream,
    Datagram,
    Packets,
}

/// Schemes of vsock addresses, with the kinds of socket to try in turn.
const VSOCK: [(&str, &[VsockKind]); 4] = [
    ("vsock:", &[VsockKind::Packets, VsockKind::Stream]),
    ("vsock-stream:", &[VsockKind::Stream]),
    ("vsock-dgram:", &[VsockKind::Datagram]),
    ("vsock-seqpacket:", &[VsockKind::Packets]),
];

impl Address {
    /// Reads the text; the error says what was expected.
    pub(super) fn read(text: &OsStr) -> Result<Address, &'static str> {
        let bytes = text.as_bytes();
        match bytes {
            [b'/' | b'@', _, ..] if bytes.len() > LONGEST_SOCKET_NAME => {
                Err("longer than the 107 bytes of a socket's name")
            }
            [b'/', _, ..] => Ok(Address::Path(PathBuf::from(text))),
            [b'@', name @ ..] if !name.is_empty() => Ok(Address::Abstract(name.to_vec())),
            _ => text.to_str().and_then(vsock).ok_or("expected /PATH, @NAME or vsock:CID:PORT"),
        }
    }
}

fn vsock(text: &str) -> Option<Address> {
    let (rest, kinds) =
        VSOCK.iter().find_map(|(scheme, kinds)| Some((text.strip_prefix(scheme)?, *kinds)))?;
    let (cid, port) = rest.split_once(':')?;
    // Without a number: whoever is on the other side of the wall.
    let cid = if cid.is_empty() { libc::VMADDR_CID_HOST } else { cid.parse().ok()? };
    Some(Address::Vsock { kinds, cid, port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: Result<Address, &'static str>) {
        assert_eq!(Address::read(OsStr::new(text)), wanted, "{text}");
    }

    #[test]
    fn addresses() {
        let nowhere = Err("expected /PATH, @NAME or vsock:CID:PORT");
        check("/run/systemd/notify", Ok(Address::Path("/run/systemd/notify".into())));
        check("@up", Ok(Address::Abstract(b"up".to_vec())));
        check("vsock:2:4711", Ok(Address::Vsock { kinds: VSOCK[0].1, cid: 2, port: 4711 }));
        check("vsock-stream::1", Ok(Address::Vsock { kinds: VSOCK[1].1, cid: 2, port: 1 }));
        for text in ["", "/", "@", "run/notify", "vsock:2", "vsock:x:1", "vsock:2:99999999999"] {
            check(text, nowhere.clone());
        }
        let long = format!("/{}", "a".repeat(107));
        check(&long, Err("longer than the 107 bytes of a socket's name"));
        check(&long[..107], Ok(Address::Path(long[..107].into())));
    }
}
