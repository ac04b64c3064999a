//! Tests whose subject is a process of its own: this very program, started again with words that say what to be.
// Each program of tests uses its own part of this.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic::catch_unwind;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that anything here is waited for.
pub const SOON: Duration = Duration::from_secs(20);
/// The first word of a subject's command line.
pub const SUBJECT: &str = "subject";

/// Runs the tests whose name contains the filter, one after the other.
pub fn run(tests: &[(&str, fn())]) -> ExitCode {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let mut failed = 0;
    for (name, test) in tests.iter().filter(|(name, _)| name.contains(&filter)) {
        let outcome = catch_unwind(test);
        println!("test {name} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" });
        failed += u32::from(outcome.is_err());
    }
    ExitCode::from(u8::from(failed > 0))
}

/// A running subject. It is killed when this value goes.
pub struct Subject {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Receiver<String>,
    said: Vec<String>,
}

impl Subject {
    pub fn start<Value: AsRef<OsStr>>(words: &[&str], variables: &[(&str, Value)]) -> Subject {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(SUBJECT).args(words).env("RUST_BACKTRACE", "0");
        for (name, value) in variables {
            command.env(name, value);
        }
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().expect("a process");
        Subject {
            input: child.stdin.take(),
            lines: lines_of(child.stdout.take().expect("a pipe")),
            errors: lines_of(child.stderr.take().expect("a pipe")),
            child,
            said: Vec::new(),
        }
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("open"), "{line}").expect("it listens");
    }

    /// The next line on its stdout.
    pub fn next_line(&mut self) -> String {
        self.lines.recv_timeout(SOON).unwrap_or_else(|_| "nothing".to_owned())
    }

    /// Waits for this line on its stdout.
    pub fn hear(&mut self, wanted: &str) {
        let line = self.next_line();
        if line != wanted {
            panic!(
                "said {line:?}, not {wanted:?}; on stderr: {:?}",
                self.errors.try_iter().collect::<Vec<_>>()
            );
        }
    }

    /// Waits for a line on its stderr that contains this.
    pub fn hear_error(&mut self, wanted: &str) -> String {
        let end = Instant::now() + SOON;
        while let Ok(line) = self.errors.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.said.push(line.clone());
            if line.contains(wanted) {
                return line;
            }
        }
        panic!("never said {wanted:?} on stderr, but {:?}", self.said);
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status();
        assert!(sent.expect("kill").success(), "SIG{signal}");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("ours").is_some()
    }

    /// Waits for its end: the exit code, or the signal's number and 128; and all that it said on stderr.
    pub fn end(mut self) -> (i32, Vec<String>) {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("ours") {
                self.said.extend(self.errors.iter());
                return (code(status), std::mem::take(&mut self.said));
            }
            thread::park_timeout(Duration::from_millis(5));
        }
        panic!("it does not end");
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn lines_of(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            sender.send(line).ok();
        }
    });
    lines
}

/// What kit makes of a promise that another library's documentation gives.
#[derive(Clone, Copy, Debug)]
pub enum Kit {
    Keeps,
    /// It does otherwise, for this reason.
    Differs(&'static str),
}

/// A promise, and a script whose output shows what is true of it. In the script `$S` is the subject's command.
#[derive(Debug)]
pub struct Row {
    pub of: &'static str,
    pub promise: &'static str,
    pub kit: Kit,
    pub script: &'static str,
    pub seen: &'static str,
}

/// Words for scripts: `await COMMAND` waits until it succeeds.
const WORDS: &str = r#"
await() { i=0; until eval "$*" 2>/dev/null; do i=$((i + 1)); test $i -lt 2000 || { echo "never: $*"; return; }; read -t 0.01 _ <>never || :; done; }
mkfifo never
"#;

/// What scripts need beyond a shell, and a command that shows whether it is there.
const NEEDS: [(&str, &[&str]); 3] = [
    ("python3", &["python3", "-c", ""]),
    ("unshare", &["unshare", "--user", "--map-root-user", "--mount", "true"]),
    ("-signal=", &["env", "--block-signal=USR1", "--ignore-signal=USR1", "true"]),
];

/// What is missing here for a script.
fn missing(script: &str) -> Option<&'static str> {
    let works = |command: &[&str]| {
        let ran = Command::new(command[0]).args(&command[1..]).stderr(Stdio::null()).status();
        ran.is_ok_and(|status| status.success())
    };
    let needed = NEEDS.iter().filter(|(word, _)| script.contains(word));
    needed.map(|(_, command)| *command).find(|command| !works(command)).map(|command| command[0])
}

/// Runs each row's script in a directory of its own; says which rows are not as they say.
pub fn judge(rows: &[Row]) {
    let program = std::env::current_exe().expect("this program");
    let mut wrong = Vec::new();
    for row in rows {
        if let Some(program) = missing(row.script) {
            println!("SKIPPED: {}: {}: no {program} that does what it needs", row.of, row.promise);
            continue;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let subject = format!("S='{} {SUBJECT}'\n", program.display());
        let script = format!("{subject}{WORDS}{}", row.script);
        let ran = Command::new("timeout")
            .args(["--kill-after=1", "30", "bash", "-c", &script])
            .current_dir(directory.path())
            .output()
            .expect("bash");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        if said.trim_end() != row.seen {
            wrong.push(format!(
                "{}: {} ({:?})\n  seen {:?}\n  not  {:?}",
                row.of,
                row.promise,
                row.kit,
                said.trim_end(),
                row.seen
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let differs = rows.iter().filter(|row| matches!(row.kit, Kit::Differs(_))).count();
    println!("{} promises: {} kept, {differs} otherwise", rows.len(), rows.len() - differs);
}
