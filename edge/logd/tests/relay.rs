//! A real logd on real sockets: lines from streams and datagrams, a kill that loses nothing, a last line at the
//! end. With the word `logd` this binary is logd.

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.first().is_some_and(|word| word == "logd") {
        return eudaemon_logd::main(args);
    }
    // The numbers logd will look at: taken before anything else can be.
    let places: Vec<OwnedFd> = (0..4).map(|_| File::open("/dev/null").expect("/dev/null").into()).collect();
    if places.iter().map(AsRawFd::as_raw_fd).ne(3..7) {
        println!("SKIPPED: relay: descriptors 3 to 6 are taken by whoever started this test");
        return ExitCode::SUCCESS;
    }
    let mut machine = Machine::new(places);
    lines_of_all_kinds_are_told(&mut machine);
    println!("test lines_of_all_kinds_are_told ... ok");
    a_killed_logd_loses_no_stream(&mut machine);
    println!("test a_killed_logd_loses_no_stream ... ok");
    the_last_lines_are_told(&mut machine);
    println!("test the_last_lines_are_told ... ok");
    std::fs::remove_dir_all(&machine.directory).ok();
    ExitCode::SUCCESS
}

/// What stands in for the manager: the sockets, and what logd said of itself.
struct Machine {
    directory: PathBuf,
    places: Vec<OwnedFd>,
    _listeners: (UnixListener, UnixDatagram, UnixDatagram),
    notify: UnixDatagram,
}

struct Logd {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Machine {
    fn new(mut places: Vec<OwnedFd>) -> Machine {
        let directory = std::env::temp_dir().join(format!("eudaemon-logd-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory of our own");
        let at = |name| directory.join(name);
        let stream = UnixListener::bind(at("stdout")).expect("bind");
        let native = UnixDatagram::bind(at("socket")).expect("bind");
        let syslog = UnixDatagram::bind(at("dev-log")).expect("bind");
        let notify = UnixDatagram::bind(at("notify")).expect("bind");
        notify.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        for (place, fd) in places.iter_mut().zip([stream.as_fd(), native.as_fd(), syslog.as_fd()]) {
            rustix::io::dup2(fd, place).expect("dup2");
        }
        Machine { directory, places, _listeners: (stream, native, syslog), notify }
    }

    fn start(&mut self, count: usize, names: &str) -> Logd {
        let mut process = Command::new("/proc/self/exe")
            .arg("logd")
            .env("LISTEN_FDS", count.to_string())
            .env("LISTEN_FDNAMES", names)
            .env("NOTIFY_SOCKET", self.directory.join("notify"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("logd starts");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        assert!(self.told().0.starts_with("READY=1\n"));
        Logd { process, out }
    }

    /// The next message to the manager, with the descriptor that came along.
    fn told(&self) -> (String, Option<OwnedFd>) {
        let mut buffer = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(&self.notify, &mut [IoSliceMut::new(&mut buffer)], &mut ancillary, flags);
        let count = received.expect("a message within the time").bytes;
        let fds = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            RecvAncillaryMessage::ScmCredentials(_) | _ => None,
        });
        let fd = fds.last();
        (String::from_utf8_lossy(&buffer[..count]).into_owned(), fd)
    }

    fn connect(&self, unit: &str) -> UnixStream {
        let mut stream = UnixStream::connect(self.directory.join("stdout")).expect("connect");
        stream.write_all(format!("app\n{unit}\n30\n1\n0\n0\n0\n").as_bytes()).expect("a header");
        stream
    }

    fn datagram(&self, name: &str, text: &[u8]) {
        let socket = UnixDatagram::unbound().expect("socket");
        socket.send_to(text, self.directory.join(name)).expect("sent");
    }
}

impl Logd {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }
}

fn lines_of_all_kinds_are_told(machine: &mut Machine) {
    let mut logd = machine.start(3, "systemd-journald.socket:systemd-journald.socket:dev-log.socket");
    let mut web = machine.connect("web.service");
    web.write_all(b"<3>trouble\nhalf a li").expect("written");
    assert_eq!(logd.line(), "web | trouble\n");
    let (stored, fd) = machine.told();
    assert!(stored.starts_with("FDSTORE=1\nFDNAME=stream/"), "{stored}");
    assert!(fd.is_some());
    machine.datagram("socket", b"MESSAGE=native\nSYSLOG_IDENTIFIER=app\n");
    assert_eq!(logd.line(), "app | native\n");
    machine.datagram("dev-log", b"<13>Nov 22 06:23:40 cron[12]: old style");
    assert_eq!(logd.line(), "cron | old style\n");
    drop(web);
    assert_eq!(logd.line(), "web  | half a li\n");
    let (forgotten, _) = machine.told();
    assert_eq!(forgotten.split_once('\n').map(|(word, _)| word), Some("FDSTOREREMOVE=1"));
    let mut nobody = UnixStream::connect(machine.directory.join("stdout")).expect("connect");
    nobody.write_all(b"GET / HTTP/1.1\n\n\n\n\n\n\n").expect("written");
    assert!(logd.line().contains("speaks no stream protocol"));
    logd.process.kill().expect("killed");
    logd.process.wait().expect("reaped");
}

fn a_killed_logd_loses_no_stream(machine: &mut Machine) {
    let mut first = machine.start(3, "a:b:c");
    let mut web = machine.connect("web.service");
    let (stored, fd) = machine.told();
    web.write_all(b"before\n").expect("written");
    assert_eq!(first.line(), "web | before\n");
    first.process.kill().expect("killed");
    first.process.wait().expect("reaped");
    web.write_all(b"between\n").expect("the connection lives in the store");
    rustix::io::dup2(fd.expect("stored"), &mut machine.places[3]).expect("dup2");
    let name = stored.rsplit_once('=').expect("FDNAME=").1.to_owned();
    let mut second = machine.start(4, &format!("a:b:c:{name}"));
    // Only logd shall hold it now.
    rustix::io::dup2(File::open("/dev/null").expect("/dev/null"), &mut machine.places[3]).expect("dup2");
    web.write_all(b"after\n").expect("written");
    assert_eq!([second.line(), second.line()], ["web | between\n", "web | after\n"].map(str::to_owned));
    second.process.kill().expect("killed");
    second.process.wait().expect("reaped");
}

fn the_last_lines_are_told(machine: &mut Machine) {
    let mut logd = machine.start(3, "a:b:c");
    let mut streams: Vec<UnixStream> =
        (0..300).map(|number| machine.connect(&format!("u{number}.service"))).collect();
    for _ in 0..300 {
        machine.told();
    }
    for stream in &mut streams {
        stream.write_all(b"one\ntwo").expect("written");
    }
    let pid = rustix::process::Pid::from_raw(logd.process.id() as i32).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("told to end");
    let lines: Vec<String> = (&mut logd.out).lines().map(|line| line.expect("text")).collect();
    assert_eq!(lines.iter().filter(|line| line.ends_with("| one")).count(), 300);
    assert_eq!(lines.iter().filter(|line| line.ends_with("| two")).count(), 300);
    assert!(logd.process.wait().expect("reaped").success());
}
