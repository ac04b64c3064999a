//! Rivals for one pid file, each a process of its own; `races.rs` has threads for rivals.

mod lives;

use eudaemon_kit::{Error, PidFile};
use lives::{SUBJECT, Subject};
use std::fs::{self, File};
use std::io::BufRead;
use std::path::Path;
use std::process::{self, ExitCode};

/// How many try at once.
const RIVALS: usize = 6;
/// How often all try.
const ROUNDS: usize = 10_000;
/// After so many rounds the winner is killed instead of letting go.
const KILLED_EVERY: usize = 100;
/// How often each tries when nobody waits for anybody.
const TRIES: usize = 2_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [SUBJECT, "rounds", path] => rounds(Path::new(path)),
        [SUBJECT, "free", path] => free(Path::new(path)),
        _ => lives::run(&[
            ("one_of_many_processes_wins_each_of_ten_thousand_rounds", one_wins),
            ("whoever_holds_it_is_the_only_process_that_does", alone),
        ]),
    }
}

/// Tries at each line it reads, and says what came of it; lets go at the next.
fn rounds(path: &Path) -> ExitCode {
    let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
    while lines.next().is_some() {
        match PidFile::lock(path) {
            Ok(mut file) => {
                file.write().expect("space");
                println!("won");
                lines.next();
                drop(file);
                println!("free");
            }
            Err(Error::Running { pid, .. }) => println!("{}", pid.unwrap_or_default()),
            Err(error) => println!("{error}"),
        }
    }
    ExitCode::SUCCESS
}

fn one_wins() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("race.pid");
    let start = || Subject::start::<&str>(&["rounds", path.to_str().expect("text")], &[]);
    let mut rivals: Vec<Subject> = (0..RIVALS).map(|_| start()).collect();
    let mut wins = [0; RIVALS];
    for round in 1..=ROUNDS {
        rivals.iter_mut().for_each(|rival| rival.tell("try"));
        let said: Vec<String> = rivals.iter_mut().map(Subject::next_line).collect();
        let won: Vec<usize> = (0..RIVALS).filter(|at| said[*at] == "won").collect();
        let &[winner] = &won[..] else { panic!("round {round}: {said:?}") };
        let number = rivals[winner].pid().to_string();
        // It may not have written its number yet.
        let fits = |line: &String| line == "won" || line == "0" || *line == number;
        assert!(said.iter().all(fits), "round {round}, won by {number}: {said:?}");
        assert_eq!(fs::read_to_string(&path).expect("written"), format!("{number}\n"), "round {round}");
        wins[winner] += 1;
        if round % KILLED_EVERY == 0 {
            rivals[winner].signal("KILL");
            assert_eq!(std::mem::replace(&mut rivals[winner], start()).end().0, 137);
        } else {
            rivals[winner].tell("let go");
            rivals[winner].hear("free");
        }
    }
    assert!(wins.iter().all(|count| *count > 0), "each can win: {wins:?}");
}

/// Tries again and again; whoever has the file is the only one to make another.
fn free(path: &Path) -> ExitCode {
    let inside = path.with_extension("inside");
    let mut held = 0;
    for _ in 0..TRIES {
        match PidFile::lock(path) {
            Ok(mut file) => {
                let made = File::create_new(&inside);
                file.write().expect("space");
                let mine = fs::read_to_string(path).is_ok_and(|text| text == format!("{}\n", process::id()));
                if made.is_err() || !mine || fs::remove_file(&inside).is_err() {
                    println!("two hold it: {made:?} {mine}");
                    return ExitCode::FAILURE;
                }
                held += 1;
            }
            Err(Error::Running { .. }) => {}
            Err(error) => {
                println!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{held}");
    ExitCode::SUCCESS
}

fn alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("race.pid");
    let start = |_| Subject::start::<&str>(&["free", path.to_str().expect("text")], &[]);
    let mut rivals: Vec<Subject> = (0..RIVALS).map(start).collect();
    let said: Vec<String> = rivals.iter_mut().map(Subject::next_line).collect();
    let held: Option<usize> = said.iter().map(|line| line.parse::<usize>().ok()).sum();
    assert!(held.is_some_and(|held| held > 0), "{said:?}");
    assert!(rivals.into_iter().all(|rival| rival.end().0 == 0) && !path.exists());
}
