//! How daemons end, and what they do when something runs out.

#[path = "../examples/echo.rs"]
mod echo;
#[path = "../examples/http.rs"]
mod http;
mod lives;

use eudaemon_kit::{Daemon, Life, Moment, Priority};
use lives::{Kit, Row, SOON, SUBJECT, judge};
use std::error::Error;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [SUBJECT, "echo"] => echo::main(),
        [SUBJECT, "http"] => http::main(),
        [SUBJECT, ..] => {
            let daemon = Daemon::new("subject").stop_within(Duration::from_secs(1));
            daemon.run(move |life| live(life, &words))
        }
        _ => lives::run(&[
            ("ends", || judge(ENDS)),
            ("descriptors_that_run_out_cost_no_time", || ["echo", "http"].into_iter().for_each(run_out)),
        ]),
    }
}

const ENDS: &[Row] = &[
    Row {
        of: "a panic before it is ready",
        promise: "is told once, in the background too",
        kit: Kit::Keeps,
        script: "for ground in '' --daemon; do RUST_BACKTRACE=0 $S $ground panics 2>e; echo $? $(grep -c 'told to panic' e); done",
        seen: "101 1\n101 1",
    },
    Row {
        of: "a stop that takes too long",
        promise: "ends by force two seconds after its time",
        kit: Kit::Keeps,
        script: "$S stubborn >m & await grep -q ready m; kill $!; wait $!; echo $?",
        seen: "1\nsubject: stopping took too long: ended by force",
    },
    Row {
        of: "a stop that takes too long, and a log that takes nothing",
        promise: "ends by force all the same",
        kit: Kit::Keeps,
        script: "for kind in stream pipe; do python3 -c 'import os, socket, sys
a, b = os.pipe() if sys.argv[1] == \"pipe\" else (end.detach() for end in socket.socketpair())
os.dup2(b, 2); found = os.fstat(2); os.set_inheritable(a, True)
if sys.argv[1] == \"stream\": os.environ[\"JOURNAL_STREAM\"] = f\"{found.st_dev}:{found.st_ino}\"
os.set_blocking(2, False)
try:
    while os.write(2, bytes(4096)): pass
except BlockingIOError: os.set_blocking(2, True)
os.execv(sys.argv[2], sys.argv[2:])' $kind $S stubborn >m & pid=$!; await grep -q ready m; kill $pid
await '! kill -0 '$pid; kill -9 $pid 2>/dev/null; wait $pid; echo $kind $?; done",
        seen: "stream 1\npipe 1",
    },
    Row {
        of: "a journal that takes nothing",
        promise: "holds nobody up",
        kit: Kit::Keeps,
        script: "python3 -c 'import os, socket, sys
a, b = socket.socketpair(); os.dup2(b.fileno(), 2); found = os.fstat(2)
os.environ[\"JOURNAL_STREAM\"] = f\"{found.st_dev}:{found.st_ino}\"; a.set_inheritable(True)
os.execv(sys.argv[1], sys.argv[1:])' $S talks >m & await grep -q talked m; kill $!; wait $!; echo $?; cat m",
        seen: "0\nready\ntalked\nstopped",
    },
    Row {
        of: "SYSLOG_IDENTIFIER=",
        promise: "says that who reads the lines names them",
        kit: Kit::Keeps,
        script: "for name in subject other; do SYSLOG_IDENTIFIER=$name $S fails; echo $?; done 2>&1",
        seen: "told to fail\n1\nsubject: told to fail\n1",
    },
    Row {
        of: "alarm(2)",
        promise: "is the program's: one that is set does not cut a stop short",
        kit: Kit::Keeps,
        script: "python3 -c 'import os, signal, sys
signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3); os.execv(sys.argv[1], sys.argv[1:])' $S slow >m &
                 await grep -q ready m; kill $!; wait $!; echo $?; cat m",
        seen: "0\nready\nstopped",
    },
];

fn live(life: &mut Life, words: &[String]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let has = |word: &str| words.iter().any(|found| found == word);
    if has("panics") {
        panic!("told to panic");
    }
    if has("fails") {
        return Err("told to fail".into());
    }
    life.ready()?;
    println!("ready");
    if has("talks") {
        let handle = life.handle();
        for _ in 0..20_000 {
            handle
                .log()
                .line(Priority::Info, "one of many lines that nobody reads, long enough to fill any queue");
        }
        println!("talked");
    }
    loop {
        match life.wait()? {
            Moment::Stop if has("stubborn") => {}
            // Longer than alarms are apart, and no longer than it may.
            Moment::Stop => {
                life.wait_for(&[], Some(Duration::from_millis(900)))?;
                println!("stopped");
                return Ok(());
            }
            Moment::Reload(_) | Moment::Readable(_) | Moment::TimeOver => {}
        }
    }
}

/// More come than there are descriptors for: the program must not turn round and round, and serves again when some are free.
fn run_out(example: &str) {
    const FEW: usize = 24;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("bound");
    let script = format!("ulimit -n {FEW}; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 </dev/null");
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, "sh"])
        .arg(program)
        .args([SUBJECT, example])
        .stdin(Stdio::from(OwnedFd::from(listener)));
    let mut daemon = Running(command.spawn().expect("sh"));
    let clients: Vec<TcpStream> = (0..FEW * 2).map(|_| TcpStream::connect(at).expect("it listens")).collect();
    let open = || fs::read_dir(format!("/proc/{}/fd", daemon.0.id())).map_or(0, Iterator::count);
    wait("it has all that it may", || open() >= FEW);
    let (before, begin) = (daemon.ticks(), Instant::now());
    wait("a second goes by", || begin.elapsed() > Duration::from_secs(1));
    // A hundredth of a second each: a loop that turns takes a hundred.
    let spent = daemon.ticks() - before;
    assert!(spent < 20, "{example}: {spent} hundredths of a second in one");
    drop(clients);
    wait("descriptors are free again", || open() < FEW / 2);
    Command::new("kill").arg(daemon.0.id().to_string()).status().expect("kill");
    wait("it ends", || daemon.0.try_wait().expect("ours").is_some());
}

struct Running(Child);

impl Running {
    /// Processor time, user's and system's: proc(5), `/proc/PID/stat`.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it lives");
        let fields: Vec<&str> =
            stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
        fields[11..13].iter().map(|field| field.parse::<u64>().expect("a number")).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}
