//! What systemd's manual pages promise of sd_notify(3), sd_pid_notify_with_fds(3), sd_notify_barrier(3), sd_listen_fds(3),
//! sd_watchdog_enabled(3) and sd_is_socket(3), row by row, and what kit makes of it. Where systemd's own programs are at hand
//! they say and hear the same.

mod lives;

use eudaemon_kit::notify::{Access, Notifier, Received, Receiver, State};
use eudaemon_kit::{Daemon, Life, Socket};
use lives::{Kit, Row, SUBJECT, judge};
use std::error::Error;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == SUBJECT) {
        return subject(words);
    }
    lives::run(&[
        ("sd_notify: words", words_are_heard),
        ("sd_notify: variables", || judge(NOTIFY)),
        ("sd_pid_notify_with_fds", descriptors_arrive),
        ("sd_notify_barrier", barrier),
        ("signals_give_a_barrier_no_new_patience", interrupted_barrier),
        ("sd_listen_fds", || judge(LISTEN)),
        ("sd_watchdog_enabled", || judge(WATCHDOG)),
        ("sd_is_socket", || judge(KINDS)),
        ("systemd-socket-activate", activated),
    ])
}

/// Each word of sd_notify(3), as the page spells it, and what it is here.
fn words() -> Vec<(&'static str, State)> {
    vec![
        ("READY=1", State::Ready),
        ("RELOADING=1", State::Reloading),
        ("STOPPING=1", State::Stopping),
        ("MONOTONIC_USEC=4711", State::MonotonicUsec(4711)),
        (
            "STATUS=Completed 66% of file system check...",
            State::Status("Completed 66% of file system check...".to_owned()),
        ),
        ("NOTIFYACCESS=none", State::NotifyAccess(Access::None)),
        ("NOTIFYACCESS=all", State::NotifyAccess(Access::All)),
        ("NOTIFYACCESS=main", State::NotifyAccess(Access::Main)),
        ("NOTIFYACCESS=exec", State::NotifyAccess(Access::Exec)),
        ("ERRNO=2", State::Errno(2)),
        (
            "BUSERROR=org.freedesktop.DBus.Error.TimedOut",
            State::BusError("org.freedesktop.DBus.Error.TimedOut".to_owned()),
        ),
        (
            "VARLINKERROR=org.varlink.service.InvalidParameter",
            State::VarlinkError("org.varlink.service.InvalidParameter".to_owned()),
        ),
        ("EXIT_STATUS=66", State::ExitStatus(66)),
        ("MAINPID=4711", State::MainPid(4711)),
        ("MAINPIDFDID=4711", State::MainPidFdId(4711)),
        ("MAINPIDFD=1", State::MainPidFd),
        ("WATCHDOG=1", State::Watchdog),
        ("WATCHDOG=trigger", State::WatchdogTrigger),
        ("WATCHDOG_USEC=20000000", State::WatchdogUsec(20_000_000)),
        ("EXTEND_TIMEOUT_USEC=20000000", State::ExtendTimeoutUsec(20_000_000)),
        ("FDSTORE=1", State::FdStore),
        ("FDSTOREREMOVE=1", State::FdStoreRemove),
        ("FDNAME=foobar", State::FdName("foobar".to_owned())),
        ("FDPOLL=0", State::FdPollOff),
        ("BARRIER=1", State::Barrier),
        ("RESTART_RESET=1", State::RestartReset),
        ("X_OF_OUR_OWN=yes=no", State::other("X_OF_OUR_OWN", "yes=no")),
    ]
}

/// A receiver, and the value of `NOTIFY_SOCKET=` that leads to it.
struct Manager {
    directory: tempfile::TempDir,
    receiver: Receiver,
}

impl Manager {
    fn new() -> Manager {
        let directory = tempfile::tempdir().expect("a directory");
        let receiver = Receiver::bind(&directory.path().join("notify")).expect("a socket");
        Manager { directory, receiver }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("notify")
    }

    fn notifier(&self) -> Notifier {
        Notifier::connect(self.path().as_os_str()).expect("it listens")
    }

    fn next(&self) -> Received {
        let mut ends = [rustix::event::PollFd::new(&self.receiver, rustix::event::PollFlags::IN)];
        let soon = rustix::event::Timespec { tv_sec: 20, tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut ends, Some(&soon)), Ok(1), "nothing is said");
        self.receiver.receive().expect("a message")
    }
}

/// Whether this machine has a program of systemd's; says so when it has not.
fn has(program: &str) -> bool {
    let has =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !has {
        println!("SKIPPED: there is no {program} to compare with");
    }
    has
}

fn words_are_heard() {
    let manager = Manager::new();
    let notifier = manager.notifier();
    let theirs = has("systemd-notify");
    for (text, state) in words() {
        assert_eq!(state.to_string(), text);
        notifier.send(std::slice::from_ref(&state)).expect("it listens");
        let heard = manager.next();
        assert_eq!(heard.states, std::slice::from_ref(&state), "{text}");
        assert_eq!(
            (heard.pid, heard.uid),
            (Some(std::process::id()), rustix::process::getuid().as_raw()),
            "{text}"
        );
        if theirs {
            let mut command = Command::new("systemd-notify");
            let ran = command.args(["--no-block", text]).env("NOTIFY_SOCKET", manager.path()).status();
            assert!(ran.expect("it is there").success(), "{text}");
            assert_eq!(manager.next().states, [state], "systemd-notify {text}");
        }
    }
    // Several in one message, each on its line.
    let all: Vec<State> = words().into_iter().map(|(_, state)| state).collect();
    notifier.send(&all).expect("it listens");
    assert_eq!(manager.next().states, all);
}

fn descriptors_arrive() {
    let manager = Manager::new();
    let file = tempfile::tempfile().expect("a file");
    let inode = |file: &File| file.metadata().expect("open").ino();
    let states = [State::FdStore, State::FdName("foobar".to_owned())];
    manager.notifier().send_with_fds(&states, &[file.as_fd(), file.as_fd()]).expect("it listens");
    let heard = manager.next();
    assert_eq!(heard.states, states);
    let inodes: Vec<u64> = heard.fds.into_iter().map(|fd| inode(&File::from(fd))).collect();
    assert_eq!(inodes, [inode(&file); 2]);
    // unix(7) takes 253 and no more.
    let many = vec![file.as_fd(); 254];
    manager.notifier().send_with_fds(&states, &many[..253]).expect("as many as there may be");
    assert_eq!(manager.next().fds.len(), 253);
    let error = manager.notifier().send_with_fds(&states, &many).expect_err("one more");
    assert!(error.to_string().contains("Invalid argument"), "{error}");
}

fn barrier() {
    let manager = Manager::new();
    let notifier = manager.notifier();
    let error = notifier.barrier(Duration::from_millis(50)).expect_err("nobody reads");
    assert!(error.to_string().contains("timed out"), "{error}");
    let given_up = manager.next();
    assert_eq!((&*given_up.states, given_up.fds.len()), (&[State::Barrier][..], 1));
    notifier.send(&[State::Ready]).expect("it listens");
    thread::scope(|scope| {
        let waits = scope.spawn(|| notifier.barrier(Duration::from_secs(20)));
        assert_eq!(manager.next().states, [State::Ready]);
        let heard = manager.next();
        assert_eq!(heard.states, [State::Barrier]);
        assert!(!waits.is_finished(), "it is not dealt with yet");
        drop(heard);
        waits.join().expect("no panic").expect("dealt with");
    });
}

/// Signals come faster than its patience ends, and it ends all the same.
fn interrupted_barrier() {
    let manager = Manager::new();
    let mut subject = lives::Subject::start(&["barrier"], &[("NOTIFY_SOCKET", manager.path())]);
    subject.hear("waits");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) && !subject.has_ended() {
        subject.signal("HUP");
        thread::park_timeout(Duration::from_millis(20));
    }
    let (code, said) = (begin.elapsed(), subject.end());
    assert!(code < Duration::from_millis(1500) && said.0 == 1, "{code:?} {said:?}");
}

const NOTIFY: &[Row] = &[
    Row {
        of: "sd_notify",
        promise: "without NOTIFY_SOCKET= nothing is sent and that is no error",
        kit: Kit::Keeps,
        script: "env -u NOTIFY_SOCKET $S; echo $?",
        seen: "0",
    },
    Row {
        of: "sd_notify",
        promise: "a socket that cannot be reached is an error",
        kit: Kit::Differs("a daemon does not end for want of a listener: it says so once and goes on"),
        script: "NOTIFY_SOCKET=/nowhere $S; echo $?",
        seen: "0\nsubject: cannot reach the service manager at /nowhere: No such file or directory (os error 2) (NOTIFY_SOCKET=): goes on without",
    },
    Row {
        of: "sd_notify",
        promise: "an address that begins with @ is of the abstract namespace",
        kit: Kit::Keeps,
        script: "python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(\"\\0kit-\" + str(os.getpid()))
os.environ[\"NOTIFY_SOCKET\"] = \"@kit-\" + str(os.getpid()); os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]); print(s.recv(99).decode())' $S",
        seen: "READY=1",
    },
    Row {
        of: "sd_notify",
        promise: "unset_environment takes the variable from children",
        kit: Kit::Differs("the environment stays as it is, other threads may read it; Life::clean takes it from a command"),
        script: "NOTIFY_SOCKET=/nowhere WATCHDOG_USEC=5 WATCHDOG_PID=1 KEPT=1 $S env 2>/dev/null | grep -E '^(NOTIFY|WATCHDOG|LISTEN|KEPT)'",
        seen: "KEPT=1",
    },
];

/// `give KINDS COMMAND…`: executes it with such sockets as descriptors 3 and on; `$NAMES` are their names, `$PID_IS` another's number.
const LISTEN: &[Row] = &[
    Row {
        of: "sd_listen_fds",
        promise: "0 when LISTEN_PID= is another process",
        kit: Kit::Keeps,
        script: "LISTEN_PID=1 LISTEN_FDS=3 $S sockets; echo $?",
        seen: "0",
    },
    Row {
        of: "sd_listen_fds",
        promise: "0 without the variables",
        kit: Kit::Keeps,
        script: "$S sockets; echo $?",
        seen: "0",
    },
    Row {
        of: "sd_listen_fds",
        promise: "a negative number for a count that is none",
        kit: Kit::Keeps,
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=x exec \"$@\"' sh $S; echo $?; sh -c 'LISTEN_PID=$$ LISTEN_FDS=-1 exec \"$@\"' sh $S; echo $?",
        seen: "1\n1\nsubject: LISTEN_FDS=x: expected a number from 0 to 4096\nsubject: LISTEN_FDS=-1: expected a number from 0 to 4096",
    },
    Row {
        of: "sd_listen_fds",
        promise: "descriptors begin at 3",
        kit: Kit::Keeps,
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"' sh $S sockets 3</etc/passwd 4</etc/group",
        seen: "unknown /etc/passwd",
    },
    Row {
        of: "sd_listen_fds",
        promise: "FD_CLOEXEC is set for each",
        kit: Kit::Keeps,
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"' sh $S files 3</etc/passwd 4</etc/group | grep -cE 'passwd|group'",
        seen: "0",
    },
    Row {
        of: "sd_listen_fds_with_names",
        promise: "names come from LISTEN_FDNAMES=, `unknown` without it",
        kit: Kit::Keeps,
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a:b exec \"$@\"' sh $S sockets 3</etc/passwd 4</etc/group
                 sh -c 'LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"' sh $S sockets 3</etc/passwd 4</etc/group",
        seen: "a /etc/passwd\nb /etc/group\nunknown /etc/passwd\nunknown /etc/group",
    },
    Row {
        of: "sd_listen_fds_with_names",
        promise: "as many names as descriptors, or an error",
        kit: Kit::Keeps,
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a exec \"$@\"' sh $S 3</etc/passwd 4</etc/group; echo $?",
        seen: "1\nsubject: LISTEN_FDNAMES= has 1 names for LISTEN_FDS=2",
    },
    Row {
        of: "sd_listen_fds",
        promise: "unset_environment takes the variables from children",
        kit: Kit::Differs("Life::clean does, for the command it is given"),
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=a exec \"$@\"' sh $S env 3</etc/passwd | grep -c LISTEN",
        seen: "0",
    },
    Row {
        of: "sd_listen_fds",
        promise: "descriptors that are not open are not looked at",
        kit: Kit::Differs("they are an error: whoever counted them counted on them"),
        script: "sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"' sh $S sockets 3<&-; echo $?",
        seen: "1\nsubject: LISTEN_FDS=1, but descriptor 3 was not handed over",
    },
];

const WATCHDOG: &[Row] = &[
    Row {
        of: "sd_watchdog_enabled",
        promise: "off without WATCHDOG_USEC=",
        kit: Kit::Keeps,
        script: "$S watchdog",
        seen: "None",
    },
    Row {
        of: "sd_watchdog_enabled",
        promise: "on, with the time, for everybody without WATCHDOG_PID=",
        kit: Kit::Keeps,
        script: "WATCHDOG_USEC=2000000 $S watchdog",
        seen: "Some(2s)",
    },
    Row {
        of: "sd_watchdog_enabled",
        promise: "off when WATCHDOG_PID= is another",
        kit: Kit::Keeps,
        script: "WATCHDOG_USEC=2000000 WATCHDOG_PID=1 $S watchdog; sh -c 'WATCHDOG_USEC=2000000 WATCHDOG_PID=$$ exec \"$@\"' sh $S watchdog",
        seen: "None\nSome(2s)",
    },
    Row {
        of: "sd_watchdog_enabled",
        promise: "a time that cannot be is an error",
        kit: Kit::Differs("it is taken as no watchdog: a manager that means one says a time"),
        script: "for time in 0 x -1 18446744073709551615; do WATCHDOG_USEC=$time $S watchdog; done",
        seen: "None\nNone\nNone\nNone",
    },
    Row {
        of: "sd_watchdog_enabled",
        promise: "signs of life are due every half of the time",
        kit: Kit::Keeps,
        script: "python3 -c 'import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(\"n\"); s.settimeout(5)
os.environ.update(NOTIFY_SOCKET=os.path.abspath(\"n\"), WATCHDOG_USEC=\"400000\"); pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
times = []
while len(times) < 5:
    if s.recv(99) == b\"WATCHDOG=1\": times.append(time.monotonic())
os.kill(pid, 15); print(all(b - a < 0.4 for a, b in zip(times, times[1:])))' $S waits",
        seen: "True",
    },
];

/// What is handed over must be what was declared: sd_is_socket(3) and its kin ask the same of the kernel.
const KINDS: &[Row] = &[
    Row {
        of: "sd_is_socket",
        promise: "family, type and whether it listens are asked for",
        kit: Kit::Keeps,
        script: "cat >give.py <<'END'
import os, socket, sys
kind, wanted = sys.argv[1:3]
family = socket.AF_UNIX if kind.startswith('unix') else socket.AF_INET6 if '6' in kind else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM if 'dgram' in kind or 'udp' in kind else socket.SOCK_STREAM)
s.bind(kind if family == socket.AF_UNIX else ('::1', 0) if family == socket.AF_INET6 else ('127.0.0.1', 0))
if 'deaf' not in kind and s.type == socket.SOCK_STREAM: s.listen()
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='it')
os.execv(sys.argv[3], sys.argv[3:] + ['wants=' + wanted])
END
for wanted in tcp udp unix unix-dgram; do for kind in tcp tcp6 tcp-deaf udp udp6 unix unix-deaf unix-dgram; do
    rm -f unix*; timeout 5 python3 give.py $kind $wanted $S >/dev/null 2>&1 && echo $wanted takes $kind
done; done; ",
        seen: "tcp takes tcp\ntcp takes tcp6\nudp takes udp\nudp takes udp6\nunix takes unix\nunix-dgram takes unix-dgram",
    },
    Row {
        of: "sd_is_fifo, sd_is_special, sd_is_mq",
        promise: "other kinds of descriptor can be asked for",
        kit: Kit::Differs("they are taken by name, and what they are is the author's to ask"),
        script: "mkfifo f; sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=a exec \"$@\"' sh $S sockets 3<>f | sed s,/.*/,,",
        seen: "a f",
    },
];

/// systemd's own program hands over what it should.
fn activated() {
    if !has("systemd-socket-activate") {
        return;
    }
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("systemd-socket-activate");
    command.args(["--fdname=it", "-l", &format!("127.0.0.1:{port}")]).arg(program).args([
        SUBJECT,
        "wants=tcp",
        "names",
    ]);
    let activator = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it is there");
    let end = Instant::now() + lives::SOON;
    // It starts the program at the first connection.
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "it does not listen");
        thread::park_timeout(Duration::from_millis(5));
    }
    let said = activator.wait_with_output().expect("ours");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "it is handed over\n");
}

/// Words: `sockets`, `files`, `env`, `watchdog` are printed; `waits` until it is stopped; `wants=KIND` declares a socket `it`.
fn subject(words: Vec<String>) -> ExitCode {
    let mut daemon = Daemon::new("subject");
    let path = || std::path::absolute("bound").expect("a path");
    for word in &words {
        daemon = match word.as_str() {
            "wants=tcp" => daemon.socket(Socket::tcp("it", "256.0.0.0:1")),
            "wants=udp" => daemon.socket(Socket::udp("it", "256.0.0.0:1")),
            "wants=unix" => daemon.socket(Socket::unix("it", path())),
            "wants=unix-dgram" => daemon.socket(Socket::unix_datagram("it", path())),
            _ => daemon,
        };
    }
    daemon.run(move |life| live(life, &words))
}

fn live(life: &mut Life, words: &[String]) -> Result<(), Box<dyn Error + Send + Sync>> {
    life.ready()?;
    let has = |word: &str| words.iter().any(|found| found == word);
    if has("names") && life.sockets().is_handed("it") {
        println!("it is handed over");
    }
    if has("sockets") {
        let names: Vec<String> = life.sockets().names().map(str::to_owned).collect();
        for name in names {
            let fd = life.sockets().take(&name).ok_or("it was there")?;
            let number = std::os::fd::AsRawFd::as_raw_fd(&fd);
            let leads_to = std::fs::read_link(Path::new("/proc/self/fd").join(number.to_string()))?;
            println!("{name} {}", leads_to.display());
        }
    }
    if has("watchdog") {
        println!("{:?}", life.watchdog());
    }
    if has("files") {
        Command::new("ls").args(["-l", "/proc/self/fd"]).status()?;
    }
    if has("env") {
        life.clean(&mut Command::new("env")).status()?;
    }
    if has("barrier") {
        println!("waits");
        life.handle().barrier(Duration::from_millis(300))?;
    }
    if has("waits") {
        life.wait()?;
    }
    Ok(())
}
