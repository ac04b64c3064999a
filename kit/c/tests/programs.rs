//! C programs that are built with the header and the static library, and run.

#[allow(dead_code, reason = "shared with kit's own tests")]
#[path = "../../tests/agent/mod.rs"]
mod agent;
#[path = "../../tests/lives/mod.rs"]
mod lives;

use eudaemon_kit::PidFile;
use eudaemon_kit::notify::{Receiver, State};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

/// Builds a program with the static library that lies beside this test, as strictly as a compiler can look at it.
fn build(source: &str, to: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = std::env::current_exe().expect("a test").with_file_name("libeudaemon_kit_c.a");
    let program = to.join("program");
    let built = Command::new("cc")
        .args([
            "-std=c99",
            "-D_GNU_SOURCE",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wredundant-decls",
            "-Werror",
            "-g",
            "-I",
        ])
        .arg(folder)
        .arg("-o")
        .arg(&program)
        .args([folder.join(source), library])
        .args(["-lpthread", "-ldl", "-lm"])
        .output()
        .expect("a C compiler: apt-get install gcc libc6-dev");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::yield_now();
    }
}

/// What the daemon says at its door.
fn ask(folder: &Path) -> String {
    let mut answer = String::new();
    let mut door = wait_for("the door", || UnixStream::connect(folder.join("door")).ok());
    door.read_to_string(&mut answer).expect("an answer");
    answer
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill");
    assert!(sent.success(), "kill -s {name} {pid}");
}

/// The next message that sets something else than the watchdog.
fn heard(receiver: &Receiver) -> Vec<State> {
    wait_for("a message", || receiver.receive().ok().map(|message| message.states))
}

#[test]
fn the_example_builds() {
    let folder = tempfile::tempdir().expect("a folder");
    build("examples/greeter.c", folder.path());
}

#[test]
fn a_manager_is_told_each_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("tests/probe.c", folder.path());
    let socket = folder.path().join("notify");
    let receiver = Receiver::bind(&socket).expect("a socket");
    // A message that does not come is a failure, not a wait for ever.
    rustix::io::ioctl_fionbio(&receiver, true).expect("a socket");
    let mut child = Command::new(program)
        .args(["serve".as_ref(), folder.path()])
        .env("NOTIFY_SOCKET", &socket)
        .env("INVOCATION_ID", "0123")
        .env("WATCHDOG_USEC", "3600000000")
        .spawn()
        .expect("started");
    assert_eq!(heard(&receiver), [State::Ready]);
    assert_eq!(heard(&receiver), [State::Status("serves".to_owned())]);
    assert_eq!(heard(&receiver), [State::Watchdog]);
    let pid = child.id();
    let expected = format!("pid {pid}, manager, reloads 0, invocation 0123, watchdog 3600000000\n");
    assert_eq!(ask(folder.path()), expected);
    signal(pid, "HUP");
    assert!(matches!(&heard(&receiver)[..], [State::Reloading, State::MonotonicUsec(_)]));
    assert_eq!(heard(&receiver), [State::Ready]);
    signal(pid, "HUP");
    assert!(matches!(&heard(&receiver)[..], [State::Reloading, State::MonotonicUsec(_)]));
    assert_eq!(heard(&receiver), [State::Status("reload failed: no second time".to_owned())]);
    assert_eq!(heard(&receiver), [State::Ready]);
    assert!(ask(folder.path()).contains("reloads 2"));
    assert!(!folder.path().join("pid").exists(), "a manager keeps count itself");
    signal(pid, "TERM");
    assert_eq!(heard(&receiver), [State::Stopping]);
    assert_eq!(child.wait().expect("ours").code(), Some(0));
    assert!(!folder.path().join("door").exists());
}

#[test]
fn in_the_background_the_starter_waits_and_hears() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("tests/probe.c", folder.path());
    let start = || {
        let mut command = Command::new(&program);
        command.args(["serve".as_ref(), folder.path(), "--background".as_ref()]);
        command.output().expect("started")
    };
    let first = start();
    assert_eq!((first.status.code(), &*text(&first)), (Some(0), ""));
    let pid = PidFile::running(folder.path().join("pid")).expect("readable").expect("a daemon");
    assert!(ask(folder.path()).starts_with(&format!("pid {pid}, program, reloads 0")));
    let second = start();
    assert_eq!(second.status.code(), Some(1));
    let reason = format!("already running as process {pid}");
    assert!(text(&second).contains(&reason), "{}", text(&second));
    signal(pid, "TERM");
    wait_for("its end", || (!folder.path().join("pid").exists()).then_some(()));
    let log = std::fs::read_to_string(folder.path().join("log")).expect("a log");
    // Its lines go to syslog where there is one, and stderr is a file of its own.
    assert!(log.contains("the guest was waited for") || Path::new("/dev/log").exists(), "{log}");
}

#[test]
fn what_takes_the_place_of_a_closed_stream_is_nobodys_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("tests/probe.c", folder.path());
    let pid_file = folder.path().join("pid");
    for (closed, background) in [
        ("<&-", "--background"),
        (">&-", "--background"),
        ("2>&-", "--background"),
        ("<&- >&- 2>&-", "--background"),
        ("<&- >&- 2>&-", ""),
        ("2>&-", ""),
    ] {
        let start = || {
            let line = format!("exec \"$0\" serve \"$1\" {background} {closed}");
            Command::new("sh").args(["-c", &line]).arg(&program).arg(folder.path()).spawn().expect("started")
        };
        let mut first = start();
        if !background.is_empty() {
            assert_eq!(first.wait().expect("ours").code(), Some(0), "{closed}");
        }
        let answer = ask(folder.path());
        let pid = PidFile::running(&pid_file).expect("readable").expect("a daemon that holds its lock");
        assert!(answer.starts_with(&format!("pid {pid}, program")), "{closed} {background}: {answer}");
        assert_eq!(std::fs::read_to_string(&pid_file).expect("a file"), format!("{pid}\n"), "{closed}");
        assert_eq!(start().wait().expect("ours").code(), Some(1), "{closed}: a second one");
        signal(pid, "TERM");
        wait_for("its end", || (!pid_file.exists()).then_some(()));
        assert_eq!(first.wait().expect("ours").code(), Some(0), "{closed} {background}");
    }
}

#[test]
fn what_cannot_be_right_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("tests/probe.c", folder.path());
    let child: Child = Command::new(program)
        .env_remove("NOTIFY_SOCKET")
        .env("CREDENTIALS_DIRECTORY", folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    let output = child.wait_with_output().expect("ours");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    expect_test::expect_file!["misuse.txt"].assert_eq(&String::from_utf8_lossy(&output.stdout));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("socket door: 77 is no kind of socket"), "{told}");
    assert!(told.contains("name: NULL where a text was expected"), "{told}");
    assert!(told.contains("probe: limit 4711: no such resource"), "{told}");
}

#[test]
fn a_program_installs_itself_by_the_path_it_is_called_by() {
    let folder = tempfile::tempdir().expect("a folder");
    build("tests/probe.c", folder.path());
    let (link, root) = (folder.path().join("linked"), folder.path().join("root"));
    std::os::unix::fs::symlink("program", &link).expect("a link");
    let inner = root.join("usr/bin/probe");
    std::fs::create_dir_all(inner.parent().expect("a folder")).expect("made");
    std::fs::copy(&link, &inner).expect("copied");
    let run_as = |program: &Path, words: &[&str]| {
        let output = Command::new(program).args(words).output().expect("started");
        (output.status.code(), text(&output))
    };
    let run = |words: &[&str]| run_as(&link, words);
    let root = root.to_string_lossy().into_owned();
    let at = |act: &str| run_as(&inner, &["service", act, "--to", "sysv", "--root", &root]);
    let (code, printed) = run(&["service", "install", "--to", "sysv", "--print"]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains(&format!("{} serve /var/lib/probe", link.display())), "{printed}");
    let (code, said) = at("install");
    assert_eq!(code, Some(0), "{said}");
    let script = std::fs::read_to_string(format!("{root}/etc/init.d/probe")).expect("a script");
    assert!(script.contains(" /usr/bin/probe serve /var/lib/probe"), "{script}");
    assert_eq!(at("uninstall").0, Some(0));
    assert!(!Path::new(&root).join("etc/init.d/probe").exists());
    let nothing = "nothing of probe is installed for sysv: nothing to do\n";
    assert_eq!(at("uninstall"), (Some(0), nothing.to_owned()));
    let (code, elsewhere) = run(&["service", "install", "--to", "systemd", "--root", &root]);
    assert!(code == Some(1) && elsewhere.contains("say by --program"), "{elsewhere}");
    let (code, hidden) = run(&["service", "install", "--to", "systemd", "--print"]);
    assert!(code == Some(1) && hidden.contains("is hidden from the service"), "{hidden}");
    assert!(run(&["service", "--help"]).1.contains("usage: probe service install|"));
    let (code, daemon) = run(&["--daemon", "service", "start"]);
    assert!(code == Some(1) && daemon.contains("--daemon before the word service"), "{daemon}");
}

#[test]
fn a_program_is_found_at_consul_s_agent_while_it_is_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("tests/probe.c", folder.path());
    let agent = agent::Agent::start(agent::fine);
    let (name, at) = agent.variable();
    let mut child = Command::new(program).arg("announced").env(name, at).spawn().expect("started");
    let entered = agent.next();
    assert_eq!(entered.line(), "PUT /v1/agent/service/register?replace-existing-checks=true HTTP/1.1");
    let port =
        entered.body.split("\"Port\":").nth(1).and_then(|rest| rest.split(',').next()).expect("a port");
    assert!(
        entered.body.contains("\"Tags\":[\"v1\"]") && entered.body.contains("/healthz"),
        "{}",
        entered.body
    );
    signal(child.id(), "TERM");
    let gone = agent.next_but(&format!("GET /v1/agent/service/web-{port} HTTP/1.1"));
    assert_eq!(gone.line(), format!("PUT /v1/agent/service/deregister/web-{port} HTTP/1.1"));
    assert_eq!(wait_for("its end", || child.try_wait().expect("ours")).code(), Some(0));
}

#[test]
fn a_daemon_in_a_child_of_one_has_its_own_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("tests/probe.c", folder.path());
    let piped = std::process::Stdio::piped;
    let mut child =
        Command::new(program).arg("twice").stdout(piped()).stderr(piped()).spawn().expect("started");
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut said).expect("a line");
    signal(said.trim().parse().expect("a number"), "TERM");
    let output = wait_for("its end by force", || child.try_wait().expect("ours"));
    assert_eq!(output.code(), Some(1));
}
