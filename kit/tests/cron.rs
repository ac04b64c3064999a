//! The example `cron`, as a process: its table, what it does at each time, and how it ends.

#[path = "../examples/cron.rs"]
mod cron;
mod lives;

use lives::{SOON, SUBJECT, Subject};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == SUBJECT) {
        return cron::main();
    }
    lives::run(&[
        ("jobs_run_at_their_times_and_their_ends_are_told", times),
        ("a_job_does_not_overlap_itself", overlap),
        ("a_reload_reads_the_table_and_a_broken_one_changes_nothing", reload),
        ("a_stop_waits_for_what_runs", stop),
        ("who_still_runs_at_the_deadline_is_asked_to_end", deadline),
        ("missed_runs_are_told_and_made_up_for_once", missed),
        ("others_children_are_left_to_others", others),
        ("a_table_that_is_none", wrong),
    ])
}

/// A table, and the folder that jobs write to.
struct Place {
    folder: TempDir,
}

impl Place {
    fn with(lines: &str) -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a directory") };
        place.write(lines);
        place
    }

    /// `OUT` stands for the file that jobs write to.
    fn write(&self, lines: &str) {
        let out = self.path("out").display().to_string();
        fs::write(self.path("table"), lines.replace("OUT", &out)).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, more: &[&str]) -> Subject {
        let table = format!("--table={}", self.path("table").display());
        Subject::start::<&str>(&[&[&*table], more].concat(), &[])
    }

    fn lines(&self, word: &str) -> usize {
        let text = fs::read_to_string(self.path("out")).unwrap_or_default();
        text.lines().filter(|line| *line == word).count()
    }

    fn until(&self, word: &str, count: usize) {
        wait(&format!("{count} times {word}"), || self.lines(word) >= count);
    }
}

fn wait(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

fn times() {
    let place = Place::with(
        "# comment\n\n* * * * * *: echo ran >>OUT\n*/2 * * * * *: exit 3\n@yearly: echo never >>OUT\n",
    );
    let mut subject = place.start(&[]);
    place.until("ran", 3);
    let told = subject.hear_error("exit status: 3");
    assert_eq!(told, "cron: exit status: 3: */2 * * * * *: exit 3");
    subject.signal("TERM");
    assert_eq!((subject.end().0, place.lines("never")), (0, 0));
}

fn overlap() {
    let place = Place::with(
        "* * * * * *: echo begun >>OUT; while ! test -e OUT.go; do sleep 0.05; done; echo done >>OUT\n",
    );
    let mut subject = place.start(&[]);
    place.until("begun", 1);
    subject.hear_error("still runs, left out: * * * * * *: echo begun");
    assert_eq!((place.lines("begun"), place.lines("done")), (1, 0));
    fs::write(place.path("out.go"), "").expect("written");
    place.until("done", 2);
    subject.signal("TERM");
    assert_eq!(subject.end().0, 0);
    assert_eq!(place.lines("begun"), place.lines("done"));
}

fn reload() {
    let place = Place::with("* * * * * *: echo old >>OUT\n");
    let mut subject = place.start(&[]);
    place.until("old", 1);
    place.write("61 * * * *: echo broken >>OUT\n");
    subject.signal("HUP");
    subject.hear_error("the old table stays: ");
    place.until("old", place.lines("old") + 2);
    place.write("* * * * * *: echo new >>OUT\n");
    subject.signal("HUP");
    place.until("new", 1);
    let old = place.lines("old");
    place.until("new", 3);
    // One may have been going when the table changed.
    assert!(place.lines("old") <= old + 1, "the old table is gone");
    subject.signal("TERM");
    assert_eq!(subject.end().0, 0);
}

fn stop() {
    let place = Place::with(
        "* * * * * *: echo begun >>OUT; while ! test -e OUT.go; do sleep 0.05; done; echo done >>OUT\n",
    );
    let subject = place.start(&[]);
    place.until("begun", 1);
    subject.signal("TERM");
    fs::write(place.path("out.go"), "").expect("written");
    assert_eq!(subject.end().0, 0);
    assert_eq!((place.lines("begun"), place.lines("done")), (1, 1));
}

fn deadline() {
    let place = Place::with(
        "* * * * * *: trap 'echo asked >>OUT; exit' TERM; echo begun >>OUT; while :; do sleep 0.05; done\n",
    );
    let subject = place.start(&["--patience=1"]);
    place.until("begun", 1);
    let before = Instant::now();
    subject.signal("TERM");
    let (code, said) = subject.end();
    assert_eq!((code, place.lines("asked")), (0, 1));
    assert!(before.elapsed() >= Duration::from_secs(1), "not before its patience was over");
    assert!(said.iter().any(|line| line.starts_with("cron: asked to end: * * * * * *: trap")), "{said:?}");
}

fn missed() {
    let place = Place::with("* * * * * *: echo ran >>OUT\n");
    let mut subject = place.start(&[]);
    place.until("ran", 1);
    subject.signal("STOP");
    // What is stopped runs nothing while time goes by.
    let begin = Instant::now();
    wait("four seconds go by", || begin.elapsed() > Duration::from_secs(4));
    let before = place.lines("ran");
    subject.signal("CONT");
    let told = subject.hear_error("missed ");
    // At least four seconds went by; on a busy machine more.
    let count = told.split("missed ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count >= 3), "{told}");
    place.until("ran", before + 2);
    subject.signal("TERM");
    assert_eq!(subject.end().0, 0);
}

fn others() {
    let place = Place::with("* * * * * *: echo ran >>OUT\n");
    // A child that the daemon's process had before it became the daemon.
    let script = format!("sh -c 'exit 7' & echo $! >{}; exec \"$@\"", place.path("child").display());
    let program = std::env::current_exe().expect("this program");
    let table = format!("--table={}", place.path("table").display());
    let mut shell = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(program)
        .args([SUBJECT, &table])
        .spawn()
        .expect("sh");
    place.until("ran", 2);
    let child = fs::read_to_string(place.path("child")).expect("written");
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim())).expect("not reaped");
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", shell.id())).expect("it lives");
    Command::new("kill").arg(shell.id().to_string()).status().expect("kill");
    assert!(shell.wait().expect("ours").success());
    assert!(stat.contains(") Z "), "{stat}");
    assert!(children.split_ascii_whitespace().count() <= 2, "its own are reaped: {children}");
}

fn wrong() {
    let place = Place::with("* * * * *: true\nnonsense\n");
    let (code, said) = place.start(&[]).end();
    let shown = place.path("table").display().to_string();
    assert_eq!((code, said), (1, vec![format!("cron: {shown}:2: expected `TIMES: COMMAND`")]));
    let (code, said) = Subject::start::<&str>(&["--table=/nowhere/table"], &[]).end();
    let wanted = "cron: /nowhere/table: No such file or directory (os error 2)";
    assert_eq!((code, said, Path::new("/nowhere").exists()), (1, vec![wanted.to_owned()], false));
}
