//! What init and the manager say to each other over a SOCK_SEQPACKET pair: one message per packet, a fixed
//! header, then at most a name or a plan, descriptors beside it (SCM_RIGHTS). Nothing is parsed beyond that.
//!
//! The manager finds its end as fd 3. It says [`Order`]s and hears [`Report`]s. Laws:
//!
//! - The manager's end must not block on sending: init reads no order while it has no room for answers, so a
//!   manager that waits for init with a full socket in each direction would wait for ever. Queue, and read.
//! - After `Hello` init tells everything it knows, ended by [`Report::SnapshotEnd`]; before, it is silent.
//! - A repeated `Spawn` is answered and not done twice. Exits are told again to each new manager until `Ack`, signals
//!   until `Heard`.
//! - The vault entry [`REPORTS`] is the reading end of a socket on which children say which step failed
//!   ([`SetupFailure`]). A child writes there before it exits: read it before judging an [`Report::Exited`].
//! - The vault entry [`CONSOLE`] is the standard output init was started with.

use crate::limits;

/// Names of the vault entries that init itself makes.
pub const REPORTS: &str = "reports";
pub const CONSOLE: &str = "console";

/// The manager's end of the socket.
pub const MANAGER_FD: i32 = 3;

/// Bytes before a message's tail: kind, detail, two of padding, `number: i32`, `id: u64`, `pid: u32`, `extra: i32`.
pub const HEADER: usize = 24;

/// Whether to tell by [`Report::Executed`] that the program itself runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchExec {
    No,
    Yes,
}

/// Whether the first descriptor is a cgroup's directory to be born in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupFd {
    Absent,
    First,
}

/// Where the encoded `ExecPlan` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanBytes<'a> {
    /// The tail of the message, at most [`limits::PLAN_INLINE`] bytes.
    Inline(&'a [u8]),
    /// A memfd, after the cgroup's directory if there is one, before the plan's own descriptors.
    Memfd,
}

/// How everything ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    Exit(u8),
    Reboot,
    PowerOff,
    Halt,
    Kexec,
}

/// What the manager says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// The first word of a manager: asks for the snapshot.
    Hello,
    /// The manager serves its clients: `init --background` may return.
    Ready,
    /// Answered by `Spawned`, `SpawnFailed` or `Done`.
    Spawn {
        id: u64,
        watch: WatchExec,
        cgroup: CgroupFd,
        plan: PlanBytes<'a>,
    },
    /// Sent if the child was not reaped yet, else ignored.
    Signal {
        id: u64,
        signal: i32,
    },
    /// The exit is written down: init may forget the child.
    Ack {
        id: u64,
    },
    /// Adopt a child that init inherited. Answered by `Tracked`, `Exited` or `NotAChild`.
    Track {
        id: u64,
        pid: u32,
    },
    /// Keep these descriptors under this name, instead of what was there.
    Put {
        name: &'a str,
    },
    Drop {
        name: &'a str,
    },
    /// The snapshot once more.
    List,
    /// What this signal asks for is written down: it need not be told to a successor.
    Heard {
        signal: i32,
    },
    /// Stop what is left and end.
    Finish(Finish),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Code(u8),
    Signal(i32),
    Dumped(i32),
}

/// What init says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report<'a> {
    /// Of the snapshot: a child that lives. One that ended is told by `Exited`.
    Alive {
        id: u64,
        pid: u32,
    },
    /// Of the snapshot: one vault entry, with its descriptors.
    Kept {
        name: &'a str,
    },
    /// The snapshot is complete; no spawn above this id was ever seen.
    SnapshotEnd {
        highest: u64,
    },
    Spawned {
        id: u64,
        pid: u32,
    },
    SpawnFailed {
        id: u64,
        errno: i32,
    },
    /// This id was spawned, and its exit acknowledged, before.
    Done {
        id: u64,
    },
    Executed {
        id: u64,
    },
    Exited {
        id: u64,
        pid: u32,
        ended: Ended,
    },
    Tracked {
        id: u64,
        pid: u32,
    },
    NotAChild {
        id: u64,
        pid: u32,
    },
    /// A process nobody asked for ended as init's child.
    Orphan {
        pid: u32,
        ended: Ended,
    },
    /// init received this signal. The same one is not told again before `Heard`.
    Signalled {
        signal: i32,
    },
    /// The vault had no room, or the descriptors did not arrive.
    NotKept {
        name: &'a str,
        errno: i32,
    },
}

/// On the `reports` socket: which step of which child failed. The code is systemd.exec(5)'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupFailure {
    pub id: u64,
    pub code: u8,
    pub errno: i32,
    /// Index into the plan's steps.
    pub step: u16,
}

/// A header as fields; every message is one of these and a tail.
#[derive(Clone, Copy, Default)]
struct Header {
    kind: u8,
    detail: u8,
    number: i32,
    id: u64,
    pid: u32,
    extra: i32,
}

impl Header {
    fn bytes(self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[0] = self.kind;
        out[1] = self.detail;
        out[4..8].copy_from_slice(&self.number.to_le_bytes());
        out[8..16].copy_from_slice(&self.id.to_le_bytes());
        out[16..20].copy_from_slice(&self.pid.to_le_bytes());
        out[20..24].copy_from_slice(&self.extra.to_le_bytes());
        out
    }

    fn split(message: &[u8]) -> Option<(Header, &[u8])> {
        let (head, tail) = message.split_first_chunk::<HEADER>()?;
        let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
        let id = u64::from_le_bytes(*head[8..].first_chunk()?);
        let header = Header {
            kind: head[0],
            detail: head[1],
            number: i32::from_le_bytes(word(4)),
            id,
            pid: u32::from_le_bytes(word(16)),
            extra: i32::from_le_bytes(word(20)),
        };
        Some((header, tail))
    }
}

const WATCH: u8 = 1;
const CGROUP: u8 = 2;
const MEMFD: u8 = 4;

impl<'a> Order<'a> {
    /// Header and tail, to be sent as one packet.
    pub fn encode(&self) -> ([u8; HEADER], &'a [u8]) {
        let head = |kind, id| Header { kind, id, ..Header::default() };
        let (header, tail): (Header, &[u8]) = match *self {
            Order::Hello => (head(1, 0), &[]),
            Order::Ready => (head(2, 0), &[]),
            Order::Spawn { id, watch, cgroup, plan } => {
                let watch = if watch == WatchExec::Yes { WATCH } else { 0 };
                let cgroup = if cgroup == CgroupFd::First { CGROUP } else { 0 };
                let (memfd, tail) = match plan {
                    PlanBytes::Inline(bytes) => (0, bytes),
                    PlanBytes::Memfd => (MEMFD, &[][..]),
                };
                (Header { detail: watch | cgroup | memfd, ..head(3, id) }, tail)
            }
            Order::Signal { id, signal } => (Header { number: signal, ..head(4, id) }, &[]),
            Order::Ack { id } => (head(5, id), &[]),
            Order::Track { id, pid } => (Header { pid, ..head(6, id) }, &[]),
            Order::Put { name } => (head(7, 0), name.as_bytes()),
            Order::Drop { name } => (head(8, 0), name.as_bytes()),
            Order::List => (head(9, 0), &[]),
            Order::Finish(finish) => {
                let (detail, number) = match finish {
                    Finish::Exit(code) => (0, i32::from(code)),
                    Finish::Reboot => (1, 0),
                    Finish::PowerOff => (2, 0),
                    Finish::Halt => (3, 0),
                    Finish::Kexec => (4, 0),
                };
                (Header { detail, number, ..head(10, 0) }, &[])
            }
            Order::Heard { signal } => (Header { number: signal, ..head(11, 0) }, &[]),
        };
        (header.bytes(), tail)
    }

    /// `None`: not an order of this version.
    pub fn decode(message: &'a [u8]) -> Option<Order<'a>> {
        let (Header { kind, detail, number, id, pid, extra: _ }, tail) = Header::split(message)?;
        Some(match kind {
            1 => Order::Hello,
            2 => Order::Ready,
            3 => Order::Spawn {
                id,
                watch: if detail & WATCH != 0 { WatchExec::Yes } else { WatchExec::No },
                cgroup: if detail & CGROUP != 0 { CgroupFd::First } else { CgroupFd::Absent },
                plan: if detail & MEMFD != 0 { PlanBytes::Memfd } else { PlanBytes::Inline(tail) },
            },
            4 => Order::Signal { id, signal: number },
            5 => Order::Ack { id },
            6 => Order::Track { id, pid },
            7 => Order::Put { name: name(tail)? },
            8 => Order::Drop { name: name(tail)? },
            9 => Order::List,
            10 => Order::Finish(match detail {
                0 => Finish::Exit(u8::try_from(number).ok()?),
                1 => Finish::Reboot,
                2 => Finish::PowerOff,
                3 => Finish::Halt,
                4 => Finish::Kexec,
                _ => return None,
            }),
            11 => Order::Heard { signal: number },
            _ => return None,
        })
    }
}

impl Ended {
    fn fields(self) -> (u8, i32) {
        match self {
            Ended::Code(code) => (0, i32::from(code)),
            Ended::Signal(signal) => (1, signal),
            Ended::Dumped(signal) => (2, signal),
        }
    }

    fn from_fields(detail: u8, number: i32) -> Option<Ended> {
        match detail {
            0 => u8::try_from(number).ok().map(Ended::Code),
            1 => Some(Ended::Signal(number)),
            2 => Some(Ended::Dumped(number)),
            _ => None,
        }
    }
}

impl<'a> Report<'a> {
    pub fn encode(&self) -> ([u8; HEADER], &'a [u8]) {
        let head = |kind, id, pid| Header { kind, id, pid, ..Header::default() };
        let (header, tail): (Header, &[u8]) = match *self {
            Report::Alive { id, pid } => (head(1, id, pid), &[]),
            Report::Kept { name } => (head(2, 0, 0), name.as_bytes()),
            Report::SnapshotEnd { highest } => (head(3, highest, 0), &[]),
            Report::Spawned { id, pid } => (head(4, id, pid), &[]),
            Report::SpawnFailed { id, errno } => (Header { number: errno, ..head(5, id, 0) }, &[]),
            Report::Done { id } => (head(6, id, 0), &[]),
            Report::Executed { id } => (head(7, id, 0), &[]),
            Report::Exited { id, pid, ended } => {
                let (detail, number) = ended.fields();
                (Header { detail, number, ..head(8, id, pid) }, &[])
            }
            Report::Tracked { id, pid } => (head(9, id, pid), &[]),
            Report::NotAChild { id, pid } => (head(10, id, pid), &[]),
            Report::Orphan { pid, ended } => {
                let (detail, number) = ended.fields();
                (Header { detail, number, ..head(11, 0, pid) }, &[])
            }
            Report::Signalled { signal } => (Header { number: signal, ..head(12, 0, 0) }, &[]),
            Report::NotKept { name, errno } => (Header { number: errno, ..head(13, 0, 0) }, name.as_bytes()),
        };
        (header.bytes(), tail)
    }

    pub fn decode(message: &'a [u8]) -> Option<Report<'a>> {
        let (Header { kind, detail, number, id, pid, extra: _ }, tail) = Header::split(message)?;
        Some(match kind {
            1 => Report::Alive { id, pid },
            2 => Report::Kept { name: name(tail)? },
            3 => Report::SnapshotEnd { highest: id },
            4 => Report::Spawned { id, pid },
            5 => Report::SpawnFailed { id, errno: number },
            6 => Report::Done { id },
            7 => Report::Executed { id },
            8 => Report::Exited { id, pid, ended: Ended::from_fields(detail, number)? },
            9 => Report::Tracked { id, pid },
            10 => Report::NotAChild { id, pid },
            11 => Report::Orphan { pid, ended: Ended::from_fields(detail, number)? },
            12 => Report::Signalled { signal: number },
            13 => Report::NotKept { name: name(tail)?, errno: number },
            _ => return None,
        })
    }
}

impl SetupFailure {
    pub fn encode(&self) -> [u8; HEADER] {
        let SetupFailure { id, code, errno, step } = *self;
        Header { kind: 1, detail: code, number: errno, id, pid: 0, extra: i32::from(step) }.bytes()
    }

    pub fn decode(message: &[u8]) -> Option<SetupFailure> {
        let (Header { kind, detail, number, id, pid: _, extra }, _) = Header::split(message)?;
        let step = u16::try_from(extra).ok()?;
        (kind == 1).then_some(SetupFailure { id, code: detail, errno: number, step })
    }
}

fn name(tail: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(tail).ok()?;
    (!name.is_empty() && name.len() <= limits::NAME).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINISHES: [Finish; 5] =
        [Finish::Exit(42), Finish::Reboot, Finish::PowerOff, Finish::Halt, Finish::Kexec];

    fn orders() -> Vec<Order<'static>> {
        let plan = PlanBytes::Inline(b"plan");
        let mut all = vec![
            Order::Hello,
            Order::Ready,
            Order::Spawn { id: u64::MAX, watch: WatchExec::Yes, cgroup: CgroupFd::First, plan },
            Order::Spawn { id: 1, watch: WatchExec::No, cgroup: CgroupFd::Absent, plan: PlanBytes::Memfd },
            Order::Signal { id: 2, signal: 64 },
            Order::Ack { id: 3 },
            Order::Track { id: 4, pid: 4_194_304 },
            Order::Put { name: "socket/web.socket" },
            Order::Drop { name: "n" },
            Order::List,
            Order::Heard { signal: 15 },
        ];
        all.extend(FINISHES.map(Order::Finish));
        all
    }

    fn reports() -> Vec<Report<'static>> {
        let (id, pid) = (7, 99);
        vec![
            Report::Alive { id, pid },
            Report::Kept { name: "reports" },
            Report::SnapshotEnd { highest: 9 },
            Report::Spawned { id, pid },
            Report::SpawnFailed { id, errno: 11 },
            Report::Done { id },
            Report::Executed { id },
            Report::Exited { id, pid, ended: Ended::Code(255) },
            Report::Exited { id, pid, ended: Ended::Signal(9) },
            Report::Exited { id, pid, ended: Ended::Dumped(11) },
            Report::Tracked { id, pid },
            Report::NotAChild { id, pid },
            Report::Orphan { pid, ended: Ended::Code(0) },
            Report::Signalled { signal: 37 },
            Report::NotKept { name: "full", errno: 24 },
        ]
    }

    #[test]
    fn decode_undoes_encode() {
        for order in orders() {
            let (head, tail) = order.encode();
            assert_eq!(Order::decode(&[&head[..], tail].concat()), Some(order));
        }
        for report in reports() {
            let (head, tail) = report.encode();
            assert_eq!(Report::decode(&[&head[..], tail].concat()), Some(report));
        }
        let failure = SetupFailure { id: 5, code: 203, errno: 2, step: 17 };
        assert_eq!(SetupFailure::decode(&failure.encode()), Some(failure));
    }

    #[test]
    fn garbage_is_no_message() {
        assert_eq!(Order::decode(&[]), None);
        assert_eq!(Order::decode(&[1; HEADER - 1]), None);
        assert_eq!(Order::decode(&[200; HEADER]), None);
        let (head, _) = Order::Put { name: "x" }.encode();
        assert_eq!(Order::decode(&head), None, "a vault entry without a name");
        assert_eq!(Order::decode(&[&head[..], &[0xff]].concat()), None, "a name that is not UTF-8");
    }
}
