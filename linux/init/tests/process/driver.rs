//! The one place that knows how init is started and spoken to.

use eudaemon_init::packet::{self, Received};
use eudaemon_init::wire::{CgroupFd, Order, PlanBytes, Report, SetupFailure, WatchExec};
use eudaemon_plan::step::{Command, ExecPlan, Expansion, Missing, PipeSignal, Program, Step};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SOCKET: &str = "EUDAEMON_TEST_SOCKET";

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// The stub: hands over fd 3 and lives until the test lets go, or says by one byte how to end.
pub fn manager_stub() -> ExitCode {
    let path = std::env::var_os(SOCKET).expect("the test sets it");
    let stream = UnixStream::connect(path).expect("the test listens");
    let link = rustix::io::dup(unborrowed(3)).expect("init gives fd 3");
    let pid = std::process::id().to_le_bytes();
    packet::send(&stream, &pid, &[0; 20], &[link.as_fd()]).expect("handing over");
    let mut code = [0];
    match rustix::io::read(&stream, &mut code) {
        Ok(1) => ExitCode::from(code[0]),
        _ => ExitCode::SUCCESS,
    }
}

/// /proc's way to a descriptor this process was started with, without unsafe code.
fn unborrowed(number: u32) -> OwnedFd {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
    let own = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).expect("pidfd_open");
    pidfd_getfd(own, number as i32, PidfdGetfdFlags::empty()).expect("pidfd_getfd")
}

pub struct Init {
    pub process: Child,
    listener: UnixListener,
    pub directory: PathBuf,
}

impl Init {
    pub fn start() -> Init {
        Init::start_with(&["init", "--user"])
    }

    pub fn start_with(args: &[&str]) -> Init {
        Init::start_by(std::process::Command::new("/proc/self/exe").args(args))
    }

    /// As PID 1 of a pid namespace of its own.
    pub fn start_first() -> Init {
        let own = std::env::current_exe().expect("a path");
        let mut command = std::process::Command::new("unshare");
        Init::start_by(command.args(["--pid", "--fork", "--mount-proc"]).arg(own).args(["init", "--user"]))
    }

    fn start_by(command: &mut std::process::Command) -> Init {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("eudaemon-init-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        let socket = directory.join("socket");
        let listener = UnixListener::bind(&socket).expect("a socket to be found by");
        let process = command
            .env(SOCKET, &socket)
            .env("XDG_RUNTIME_DIR", &directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("init starts");
        Init { process, listener, directory }
    }

    /// The next manager init starts.
    pub fn manager(&self) -> Manager {
        wait_readable(self.listener.as_fd(), "a manager");
        let (stub, _) = self.listener.accept().expect("a stub");
        wait_readable(stub.as_fd(), "the stub's word");
        let (mut buffer, mut fds) = ([0; 64], Vec::new());
        packet::receive(&stub, &mut buffer, &mut fds).expect("the stub's word");
        let pid = u32::from_le_bytes(*buffer.first_chunk().expect("a pid"));
        Manager {
            link: fds.pop().expect("init's socket"),
            stub,
            pid,
            pids: BTreeMap::new(),
            fds: BTreeMap::new(),
        }
    }

    /// The manager of a test that needs but one: greeted.
    pub fn greeted(&self) -> Manager {
        let mut manager = self.manager();
        manager.order(Order::Hello);
        manager.hear_until("snapshot-end");
        manager
    }

    pub fn exit_code(mut self) -> Option<i32> {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait().expect("init is our child") {
                std::fs::remove_dir_all(&self.directory).ok();
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.process.kill().ok();
        panic!("init did not end");
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.process.id() as i32).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("init lives");
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        let pid = self.process.id();
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        self.process.kill().ok();
        // What init would have stopped: each is the leader of a group of its own.
        for child in
            children.split_whitespace().filter_map(|word| rustix::process::Pid::from_raw(word.parse().ok()?))
        {
            rustix::process::kill_process_group(child, rustix::process::Signal::KILL).ok();
        }
        self.process.wait().ok();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// The test's end of the link.
pub struct Manager {
    link: OwnedFd,
    stub: UnixStream,
    pub pid: u32,
    /// What init told of pids and descriptors; printed reports leave them out.
    pub pids: BTreeMap<u64, u32>,
    pub fds: BTreeMap<String, Vec<OwnedFd>>,
}

impl Manager {
    pub fn order(&mut self, order: Order<'_>) {
        self.order_with(order, &[]);
    }

    pub fn order_with(&mut self, order: Order<'_>, fds: &[BorrowedFd<'_>]) {
        let (head, tail) = order.encode();
        packet::send(&self.link, &head, tail, fds).expect("init takes an order");
    }

    pub fn spawn(&mut self, id: u64, steps: Vec<Step>) {
        self.spawn_with(id, WatchExec::No, steps, &[]);
    }

    pub fn spawn_with(&mut self, id: u64, watch: WatchExec, steps: Vec<Step>, fds: &[BorrowedFd<'_>]) {
        let bytes = ExecPlan { steps }.encode();
        let plan = PlanBytes::Inline(&bytes);
        self.order_with(Order::Spawn { id, watch, cgroup: CgroupFd::Absent, plan }, fds);
    }

    /// The next report in words.
    pub fn hear(&mut self) -> String {
        wait_readable(self.link.as_fd(), "a report");
        let (mut buffer, mut fds) = ([0; 512], Vec::new());
        match packet::receive(&self.link, &mut buffer, &mut fds) {
            Ok(Received::Packet(bytes)) => {
                let report = Report::decode(&buffer[..bytes]).expect("a report");
                self.words(report, fds)
            }
            Ok(Received::Closed) => "closed".to_owned(),
            other => panic!("{other:?}"),
        }
    }

    pub fn hear_until(&mut self, last: &str) -> Vec<String> {
        let mut all = Vec::new();
        while all.last().is_none_or(|line: &String| !line.starts_with(last)) {
            all.push(self.hear());
        }
        all
    }

    fn words(&mut self, report: Report<'_>, fds: Vec<OwnedFd>) -> String {
        match report {
            Report::Alive { id, pid } => {
                self.pids.insert(id, pid);
                format!("alive {id}")
            }
            Report::Kept { name } => {
                let line = format!("kept {name} {}", fds.len());
                self.fds.insert(name.to_owned(), fds);
                line
            }
            Report::SnapshotEnd { highest } => format!("snapshot-end {highest}"),
            Report::Spawned { id, pid } => {
                self.pids.insert(id, pid);
                format!("spawned {id}")
            }
            Report::SpawnFailed { id, errno } => format!("spawn-failed {id} {errno}"),
            Report::Done { id } => format!("done {id}"),
            Report::Executed { id } => format!("executed {id}"),
            Report::Exited { id, pid: _, ended } => format!("exited {id} {ended:?}"),
            Report::Tracked { id, pid: _ } => format!("tracked {id}"),
            Report::NotAChild { id, pid: _ } => format!("not-a-child {id}"),
            Report::Orphan { pid: _, ended } => format!("orphan {ended:?}"),
            Report::Signalled { signal } => format!("signalled {signal}"),
            Report::NotKept { name, errno } => format!("not-kept {name} {errno}"),
        }
    }

    /// What failed between fork and exec, as `id code errno step`.
    pub fn setup_failure(&mut self) -> String {
        let reports = &self.fds["reports"][0];
        wait_readable(reports.as_fd(), "a setup failure");
        let (mut buffer, mut fds) = ([0; 64], Vec::new());
        let Ok(Received::Packet(bytes)) = packet::receive(reports, &mut buffer, &mut fds) else {
            panic!("no setup failure")
        };
        let SetupFailure { id, code, errno, step } =
            SetupFailure::decode(&buffer[..bytes]).expect("a failure");
        format!("{id} {code} {errno} {step}")
    }

    /// Die as a manager does that is killed.
    pub fn die(self) {
        let pid = rustix::process::Pid::from_raw(self.pid as i32).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("the stub lives");
    }

    /// End by itself with this code.
    pub fn exit(self, code: u8) {
        rustix::io::write(&self.stub, &[code]).expect("the stub listens");
    }
}

fn wait_readable(fd: BorrowedFd<'_>, what: &str) {
    let timeout = Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    assert!(poll(&mut fds, Some(&timeout)).expect("poll") > 0, "waited in vain for {what}");
}

/// The steps of a shell line run plainly.
pub fn shell(line: &str) -> Vec<Step> {
    shell_after(Vec::new(), line)
}

pub fn shell_after(mut steps: Vec<Step>, line: &str) -> Vec<Step> {
    steps.insert(0, Step::Signals { pipe: PipeSignal::Ignored });
    steps.insert(1, Step::Session);
    steps.push(Step::Fds { indices: Vec::new(), blocking: eudaemon_plan::step::Blocking::Blocking });
    steps.extend(exec(&["/bin/sh", "-c", line]));
    steps
}

pub fn exec(argv: &[&str]) -> Vec<Step> {
    let path = argv[0].to_owned();
    let search = vec!["/usr/bin".to_owned(), "/bin".to_owned()];
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    vec![
        Step::FindProgram(Program { path, search, missing: Missing::Fails }),
        Step::Exec(Command { argv, expansion: Expansion::Verbatim }),
    ]
}
