//! What a daemon in the background tells the process that waits in front: that it is ready, or why not.

use crate::limits::LONGEST_REPORT;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The daemon's end.
#[derive(Debug)]
pub(crate) struct Reporter(OwnedFd);

/// The waiting process's end.
#[derive(Debug)]
pub(crate) struct Reports(OwnedFd);

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// This is the daemon's process.
    Process(u32),
    Ready,
    Failed {
        exit: u8,
        reason: String,
    },
}

pub(crate) fn channel() -> rustix::io::Result<(Reporter, Reports)> {
    let flags = SocketFlags::CLOEXEC;
    let (daemon, waiter) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok((Reporter(daemon), Reports(waiter)))
}

impl Reporter {
    /// Nobody may be waiting any more; the daemon lives on.
    pub(crate) fn send(&self, report: &Report) {
        let bytes = report.print();
        let sent = rustix::io::retry_on_intr(|| rustix::net::send(&self.0, &bytes, SendFlags::NOSIGNAL));
        sent.ok();
    }
}

impl Reports {
    /// The next one; nothing when the daemon's end is closed.
    pub(crate) fn next(&self) -> Option<Report> {
        let mut bytes = [0; LONGEST_REPORT];
        let got =
            rustix::io::retry_on_intr(|| rustix::net::recv(&self.0, &mut bytes[..], RecvFlags::empty()));
        Report::read(&bytes[..got.ok()?.0])
    }
}

impl AsFd for Reports {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Report {
    fn print(&self) -> Vec<u8> {
        match self {
            Report::Process(pid) => [&b"P"[..], &pid.to_le_bytes()].concat(),
            Report::Ready => b"R".to_vec(),
            Report::Failed { exit, reason } => {
                let mut end = reason.len().min(LONGEST_REPORT - 2);
                while !reason.is_char_boundary(end) {
                    end -= 1;
                }
                [b"F", &[*exit], &reason.as_bytes()[..end]].concat()
            }
        }
    }

    fn read(bytes: &[u8]) -> Option<Report> {
        match bytes {
            [b'P', pid @ ..] => Some(Report::Process(u32::from_le_bytes(pid.try_into().ok()?))),
            [b'R'] => Some(Report::Ready),
            [b'F', exit, reason @ ..] => {
                Some(Report::Failed { exit: *exit, reason: String::from_utf8_lossy(reason).into_owned() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arrive_in_order_and_whole() {
        let (daemon, waiter) = channel().expect("sockets");
        let sent = [
            Report::Process(4711),
            Report::Ready,
            Report::Failed { exit: 3, reason: "cannot bind: ä".to_owned() },
            Report::Failed { exit: 0, reason: String::new() },
        ];
        for report in &sent {
            daemon.send(report);
        }
        daemon.send(&Report::Failed { exit: 1, reason: "ä".repeat(LONGEST_REPORT) });
        drop(daemon);
        for report in &sent {
            assert_eq!(waiter.next().as_ref(), Some(report));
        }
        let cut = "ä".repeat((LONGEST_REPORT - 2) / 2);
        assert_eq!(waiter.next(), Some(Report::Failed { exit: 1, reason: cut }));
        assert_eq!(waiter.next(), None);
    }

    #[test]
    fn nobody_waiting_is_no_error() {
        let (daemon, waiter) = channel().expect("sockets");
        drop(waiter);
        daemon.send(&Report::Ready);
    }
}
