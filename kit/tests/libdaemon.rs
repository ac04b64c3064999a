//! What libdaemon 0.14 documents of each function in its headers, row by row, and what kit makes of it. Each row is seen
//! in a process.

mod lives;

use eudaemon_kit::{Daemon, Life, Moment, PidFile, Priority, Socket};
use lives::{Kit, Row, SUBJECT, judge};
use std::error::Error;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Command, ExitCode};
use std::time::Duration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == SUBJECT) {
        return subject(words);
    }
    lives::run(&[
        ("dfork.h", || judge(FORK)),
        ("dpid.h", || judge(PID)),
        ("dsignal.h", || judge(SIGNAL)),
        ("dlog.h", || judge(LOG)),
        ("dexec.h and dnonblock.h", || judge(OTHERS)),
        ("first processes", || judge(FIRSTS)),
    ])
}

const FORK: &[Row] = &[
    Row {
        of: "daemon_fork",
        promise: "stdin, stdout and stderr are connected to /dev/null",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p; readlink /proc/$(cat p)/fd/{0,1,2}; kill $(cat p)",
        seen: "/dev/null\n/dev/null\n/dev/null",
    },
    Row {
        of: "daemon_fork",
        promise: "the process leads a session",
        kit: Kit::Differs("it is in a session of its own but does not lead it, and so never gets a terminal by opening one"),
        script: "$S --daemon --pid=p; set -- $(cut -d' ' -f1,6 /proc/$(cat p)/stat) $(cut -d' ' -f6 /proc/$$/stat)
                 test $2 != $3 && echo own; test $1 != $2 && echo not its leader; kill $1",
        seen: "own\nnot its leader",
    },
    Row {
        of: "daemon_fork",
        promise: "the current directory is /",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p; readlink /proc/$(cat p)/cwd; kill $(cat p)",
        seen: "/",
    },
    Row {
        of: "daemon_fork",
        promise: "the umask is 777",
        kit: Kit::Differs("it is 022, or what the author says: files that nobody may open are of no use"),
        script: "umask 0; $S --daemon --pid=p; grep Umask /proc/$(cat p)/status; kill $(cat p)",
        seen: "Umask:\t0022",
    },
    Row {
        of: "daemon_fork",
        promise: "the process that called goes on and gets the number of the daemon",
        kit: Kit::Differs("it waits for the outcome and ends with it; the number is in the pid file"),
        script: "$S --daemon --pid=p & F=$!; wait $F; echo $?; D=$(cat p); test $D != $F -a -d /proc/$D && echo another lives; kill $D",
        seen: "0\nanother lives",
    },
    Row {
        of: "daemon_fork",
        promise: "on failure no child is made",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p threads; echo $?; ls",
        seen: "70\nnever\nsubject: 2 threads are running: the daemon must be set up before threads or a runtime start",
    },
    Row {
        of: "daemon_retval_send, daemon_retval_wait",
        promise: "the value that the daemon sends is what its starter gets",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p; echo $?; kill $(cat p); $S --daemon fails; echo $?; $S --daemon exit=3; echo $?",
        seen: "0\n1\n3\nsubject: told to fail\nsubject: exited with 3 before it was ready",
    },
    Row {
        of: "daemon_retval_wait",
        promise: "-1 when the daemon is gone without a word",
        kit: Kit::Keeps,
        script: "$S --daemon aborts; echo $?",
        seen: "1\nsubject: killed by signal 6 before it was ready",
    },
    Row {
        of: "daemon_retval_wait",
        promise: "waits the given seconds and no longer",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p --within=1 held; echo $?; ls",
        seen: "1\nnever\nsubject: not ready within 1s: stopped again",
    },
    Row {
        of: "daemon_retval_send",
        promise: "is to be called once",
        kit: Kit::Differs("a second time is no error and does nothing"),
        script: "$S --daemon --pid=p twice; echo $?; test -d /proc/$(cat p) && echo lives; kill $(cat p)",
        seen: "0\nlives",
    },
    Row {
        of: "daemon_close_all",
        promise: "closes all descriptors but 0, 1, 2 and those given",
        kit: Kit::Differs("closes those that came from the starter, at the start; what the program opened itself stays"),
        script: "$S --daemon --pid=p --tell=mine --keep=7 7</etc/passwd 8</etc/passwd 9</etc/passwd
                 readlink /proc/$(cat p)/fd/* | grep -c passwd; readlink /proc/$(cat p)/fd/7; readlink /proc/$(cat p)/fd/* | grep -c mine; kill $(cat p)",
        seen: "1\n/etc/passwd\n1",
    },
    Row {
        of: "daemon_unblock_sigs",
        promise: "unblocks all signals but those given",
        kit: Kit::Differs("without exceptions: a daemon that wants one blocked blocks it itself"),
        script: "env --block-signal=USR1,CHLD $S --daemon --pid=p; grep SigBlk /proc/$(cat p)/status; kill $(cat p)",
        seen: "SigBlk:\t0000000000000000",
    },
    Row {
        of: "daemon_reset_sigs",
        promise: "resets all signals but those given",
        kit: Kit::Differs("SIGPIPE stays ignored, as everywhere in Rust"),
        script: "env --ignore-signal=USR1,HUP $S --daemon --pid=p; printf %x $((0x$(grep SigIgn /proc/$(cat p)/status | cut -f2) & 0x7fffffff)); kill $(cat p)",
        seen: "1000",
    },
];

const PID: &[Row] = &[
    Row {
        of: "daemon_pid_file_proc_default",
        promise: "a path is made of the daemon's name",
        kit: Kit::Differs("the author says the path, and without one there is no pid file"),
        script: "$S --daemon --tell=m; await test -s m; ls; ls /run/subject.pid /var/run/subject.pid 2>/dev/null; kill $(cat m)",
        seen: "m\nnever",
    },
    Row {
        of: "daemon_pid_file_create",
        promise: "creates the file for this process",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p --tell=m; await test -s m; cmp p m && echo same; kill $(cat p)",
        seen: "same",
    },
    Row {
        of: "daemon_pid_file_create",
        promise: "fails when a daemon runs",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p; $S --daemon --pid=p 2>&1 | sed s,$(cat p),PID,\\;s,/.*/,,; echo ${PIPESTATUS[0]}; kill $(cat p)",
        seen: "subject: already running as process PID (pid file p)\n1",
    },
    Row {
        of: "daemon_pid_file_remove",
        promise: "removes the file of this process",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p; kill $(cat p); await '! test -e p'; ls",
        seen: "never",
    },
    Row {
        of: "daemon_pid_file_is_running",
        promise: "the number of a running daemon",
        kit: Kit::Keeps,
        script: "$S --daemon --pid=p; test $($S running=p) = $(cat p) && echo same; kill $(cat p)",
        seen: "same",
    },
    Row {
        of: "daemon_pid_file_is_running",
        promise: "a negative number when none runs, also if its file is left",
        kit: Kit::Keeps,
        script: "$S running=p; $S --daemon --pid=p; D=$(cat p); kill -KILL $D; await '! test -d /proc/$D'; cat p | sed s/$D/PID/; $S running=p; $S --daemon --pid=p; echo $?; kill $(cat p)",
        seen: "nobody\nPID\nnobody\n0",
    },
    Row {
        of: "daemon_pid_file_kill",
        promise: "sends a running daemon a signal",
        kit: Kit::Differs("whoever knows the number sends it; there is no call of our own"),
        script: "$S --daemon --pid=p --tell=m; kill $($S running=p); await grep -q stop m; tail -n1 m",
        seen: "stop",
    },
    Row {
        of: "daemon_pid_file_kill_wait",
        promise: "and waits until it has died",
        kit: Kit::Differs("the lock is free, and the file gone, when it has: that is what can be waited for"),
        script: "$S --daemon --pid=p; D=$(cat p); kill $D; await 'test $($S running=p) = nobody'; await '! test -d /proc/$D'; ls",
        seen: "never",
    },
];

const SIGNAL: &[Row] = &[
    Row {
        of: "daemon_signal_init, daemon_signal_install",
        promise: "the signals given are caught",
        kit: Kit::Differs("SIGTERM, SIGINT and SIGHUP are, as what they mean; others are the author's"),
        script: "$S --tell=m & D=$!; await test -s m; kill -HUP $D; await grep -q reload m; kill $D; wait $D; echo $?; tail -n+2 m
                 $S --tell=n & await test -s n; kill -USR1 $!; wait $! 2>/dev/null; echo $?",
        seen: "0\nreload\nstop\n138",
    },
    Row {
        of: "daemon_signal_next",
        promise: "the next signal, in the order that they came",
        kit: Kit::Differs("a stop goes before reloads: a daemon on its way down reads no configuration"),
        script: "$S --tell=m naps & D=$!; await test -s m; kill -HUP $D; kill -TERM $D; touch go; wait $D; tail -n+2 m",
        seen: "stop",
    },
    Row {
        of: "daemon_signal_next",
        promise: "does not block, and gives nothing when there is nothing",
        kit: Kit::Keeps,
        script: "$S --tell=m asks; tail -n+2 m",
        seen: "nothing\nreload\nnothing",
    },
    Row {
        of: "daemon_signal_fd",
        promise: "readable when a signal is there",
        kit: Kit::Keeps,
        script: "$S --tell=m polls; tail -n+2 m",
        seen: "quiet\nreadable\nreload",
    },
];

const LOG: &[Row] = &[
    Row {
        of: "daemon_log_use",
        promise: "messages go to stderr by default",
        kit: Kit::Keeps,
        script: "$S log=hello 2>e; cat e",
        seen: "subject: hello",
    },
    Row {
        of: "DAEMON_LOG_AUTO",
        promise: "after daemon_fork they go to syslog",
        kit: Kit::Keeps,
        script: LOGGED_IN_SYSLOG,
        seen: "<30>subject[PID]: hello",
    },
    Row {
        of: "DAEMON_LOG_STDOUT",
        promise: "messages may go to stdout",
        kit: Kit::Differs("stdout is the program's own"),
        script: "$S log=hello 2>/dev/null",
        seen: "",
    },
    Row {
        of: "daemon_ident_from_argv0",
        promise: "the name is the file's of argv[0]",
        kit: Kit::Differs("it is the one of the description, whatever the program is called"),
        script: "(exec -a other $S log=hello)",
        seen: "subject: hello",
    },
    Row {
        of: "daemon_set_verbosity",
        promise: "what matters less than a warning is not shown by default",
        kit: Kit::Differs(
            "all that is said is shown; what is said is for the `log` or `tracing` crate to filter",
        ),
        script: "$S debug=hello",
        seen: "subject: hello",
    },
];

/// In namespaces of its own, so that /dev/log is ours.
const LOGGED_IN_SYSLOG: &str = r#"
mkdir dev; for name in null tty; do touch dev/$name; done
cat >listen.py <<'END'
import os, socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); log.bind("dev/log"); open("bound", "w").close()
print(log.recv(200).decode())
END
timeout 20 python3 listen.py >got & await test -e bound
unshare --user --map-root-user --mount sh -c 'for name in null tty; do mount --bind /dev/$name dev/$name; done; mount --rbind dev /dev; '"$S"' --daemon log=hello'
wait; sed -E 's/[0-9]{2,}]/PID]/' got"#;

/// The first process of a container writes its 1 and does not lock.
const FIRST: &str = r#"
for name in init nginx; do
    cp "$(command -v bash)" $name
    SUBJECT="$S" unshare --user --map-root-user --mount --pid --fork --mount-proc ./$name -c 'echo 1 >p; $SUBJECT --daemon --pid=p 2>&1; echo $?; rm -f p' | sed 's,/.*/,,'
done"#;

const FIRSTS: &[Row] = &[Row {
    of: "a pid file with 1 in it",
    promise: "is the first process's, unless that is an init",
    kit: Kit::Keeps,
    script: FIRST,
    seen: "0\nsubject: process 1 may be this daemon: pid file p\n1",
}];

const OTHERS: &[Row] = &[
    Row {
        of: "daemon_exec",
        promise: "what a program writes to stdout and stderr goes to syslog",
        kit: Kit::Differs(
            "std::process::Command runs programs; what they write goes where the daemon's stdout goes",
        ),
        script: "$S --daemon --pid=p --out=o 'run=echo hello'; await test -s o; cat o; kill $(cat p)",
        seen: "hello",
    },
    Row {
        of: "daemon_exec",
        promise: "gives the program's exit code, and wants SIGCHLD caught for it",
        kit: Kit::Differs(
            "no signal is needed: children are waited for one by one, and nobody else's are reaped",
        ),
        script: "$S --tell=m 'run=exit 7'; tail -n+2 m",
        seen: "exit status: 7",
    },
    Row {
        of: "daemon_nonblock",
        promise: "makes a descriptor non-blocking, or blocking again",
        kit: Kit::Differs("std does that; sockets come as std makes them, blocking"),
        script: "$S --tell=m blocking; tail -n+2 m",
        seen: "blocking\nnon-blocking\nblocking",
    },
];

/// Words are `--daemon`, `--pid=`, `--tell=FILE` (its number, then what happens to it), and what to do: see `live`.
fn subject(words: Vec<String>) -> ExitCode {
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name).map(str::to_owned));
    if let Some(path) = value("running=") {
        let running = PidFile::running(path).expect("readable");
        println!("{}", running.map_or("nobody".to_owned(), |pid| pid.to_string()));
        return ExitCode::SUCCESS;
    }
    let mut daemon = Daemon::new("subject").socket(Socket::tcp("any", "127.0.0.1:0"));
    if let Some(path) = value("--pid=") {
        daemon = daemon.pid_file(path);
    }
    if let Some(path) = value("--out=") {
        daemon = daemon.stdout(std::path::absolute(path).expect("a path"));
    }
    if let Some(seconds) = value("--within=") {
        daemon = daemon.ready_within(Duration::from_secs(seconds.parse().expect("seconds")));
    }
    if let Some(number) = value("--keep=") {
        daemon = daemon.keep(&number.parse::<i32>().expect("a number"));
    }
    if words.iter().any(|word| word == "threads") {
        std::thread::spawn(std::thread::park);
    }
    // Opened before it detaches, so that it is in the starter's directory; written to by the daemon alone.
    let told = value("--tell=").map(|path| std::fs::File::create(path).expect("a file"));
    let go = std::path::absolute("go").expect("a path");
    daemon.run(move |life| live(life, &words, told.as_ref(), &go))
}

fn live(
    life: &mut Life,
    words: &[String],
    told: Option<&std::fs::File>,
    go: &std::path::Path,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let has = |word: &str| words.iter().any(|found| found == word);
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let tell = |text: &str| told.map_or(Ok(()), |mut file| writeln!(file, "{text}"));
    tell(&std::process::id().to_string())?;
    if has("fails") {
        return Err("told to fail".into());
    }
    if let Some(code) = value("exit=") {
        std::process::exit(code.parse()?);
    }
    if has("aborts") {
        std::process::abort();
    }
    if has("held") {
        let stopped = life.wait()?;
        assert!(matches!(stopped, Moment::Stop), "{stopped:?}");
        return Ok(());
    }
    life.ready()?;
    if has("twice") {
        life.ready()?;
    }
    for (name, priority) in [("log=", Priority::Info), ("debug=", Priority::Debug)] {
        if let Some(text) = value(name) {
            life.handle().log().line(priority, text);
            return Ok(());
        }
    }
    if let Some(command) = value("run=") {
        tell(&Command::new("sh").args(["-c", command]).status()?.to_string())?;
        if !has("--daemon") {
            return Ok(());
        }
    }
    if has("blocking") {
        return blocking(life, &tell);
    }
    if has("asks") {
        return ask(life, &tell);
    }
    if has("polls") {
        return poll(life, &tell);
    }
    while has("naps") && !go.exists() {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    loop {
        match life.wait()? {
            Moment::Reload(reload) => {
                reload.done();
                tell("reload")?;
            }
            Moment::Stop => return Ok(tell("stop")?),
            Moment::Readable(_) | Moment::TimeOver => {}
        }
    }
}

fn blocking(life: &mut Life, tell: Tell) -> Result<(), Box<dyn Error + Send + Sync>> {
    let socket = life.tcp("any")?;
    for change in [None, Some(true), Some(false)] {
        if let Some(nonblocking) = change {
            socket.set_nonblocking(nonblocking)?;
        }
        let flags = rustix::fs::fcntl_getfl(socket.as_fd())?;
        tell(if flags.contains(rustix::fs::OFlags::NONBLOCK) { "non-blocking" } else { "blocking" })?;
    }
    Ok(())
}

type Tell<'a> = &'a dyn Fn(&str) -> std::io::Result<()>;

/// Sends itself a SIGHUP, and asks before and after what was heard.
fn ask(life: &mut Life, tell: Tell) -> Result<(), Box<dyn Error + Send + Sync>> {
    tell(heard(life)?)?;
    hang_up()?;
    tell(heard(life)?)?;
    Ok(tell(heard(life)?)?)
}

/// Sends itself a SIGHUP, and looks before and after whether the descriptor is readable.
fn poll(life: &mut Life, tell: Tell) -> Result<(), Box<dyn Error + Send + Sync>> {
    let looks = |life: &Life| {
        let mut ends = [rustix::event::PollFd::new(&life, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut ends, Some(&now)).map(|count| if count == 0 { "quiet" } else { "readable" })
    };
    tell(looks(life)?)?;
    hang_up()?;
    tell(looks(life)?)?;
    Ok(tell(heard(life)?)?)
}

fn hang_up() -> rustix::io::Result<()> {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP)
}

fn heard(life: &mut Life) -> Result<&'static str, Box<dyn Error + Send + Sync>> {
    Ok(match life.heard()? {
        None => "nothing",
        Some(Moment::Reload(_)) => "reload",
        Some(Moment::Stop | Moment::Readable(_) | Moment::TimeOver) => "something else",
    })
}
