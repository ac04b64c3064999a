//! Rivals for one pid file.

use eudaemon_kit::{Error, PidFile};
use std::fs;
use std::process;
use std::sync::Barrier;
use std::thread;

/// Each round, all start at once; one holds the file, the others are told so, and whoever takes it away lets the next
/// in. Locks belong to open files, so rivals of one process are as strange to each other as those of many.
#[test]
fn ten_thousand_starts_race_and_one_wins_each_round() {
    const ROUNDS: usize = 1000;
    const RIVALS: usize = 10;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("race.pid");
    let (begin, locked) = (Barrier::new(RIVALS), Barrier::new(RIVALS));
    let won: Vec<usize> = thread::scope(|scope| {
        let rival = || {
            let mut won = 0;
            for round in 0..ROUNDS {
                begin.wait();
                let outcome = PidFile::lock(&path);
                let mut held = match outcome {
                    Ok(file) => Some(file),
                    Err(Error::Running { pid, .. }) => {
                        assert!(pid.is_none() || pid == Some(process::id()), "round {round}: names {pid:?}");
                        None
                    }
                    Err(error) => panic!("round {round}: {error}"),
                };
                if let Some(file) = &mut held {
                    file.write().expect("space");
                    won += 1;
                }
                // Nobody lets go before everybody has tried.
                locked.wait();
                if held.is_some() {
                    let text = fs::read_to_string(&path).expect("written");
                    assert_eq!(text, format!("{}\n", process::id()), "round {round}");
                }
            }
            won
        };
        let rivals: Vec<_> = (0..RIVALS).map(|_| scope.spawn(rival)).collect();
        rivals.into_iter().map(|rival| rival.join().expect("no rival fails")).collect()
    });
    assert_eq!(won.iter().sum::<usize>(), ROUNDS, "one each round: {won:?}");
    assert!(!path.exists(), "the last one took it away");
}

/// Without a barrier: some let go while others try, so files vanish between opening and locking.
#[test]
fn whoever_holds_it_is_alone_while_files_come_and_go() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    const STARTS: usize = 10_000;
    const RIVALS: usize = 8;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("race.pid");
    let (inside, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..RIVALS {
            scope.spawn(|| {
                for _ in 0..STARTS / RIVALS {
                    match PidFile::lock(&path) {
                        Ok(mut file) => {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                            file.write().expect("space");
                            assert_eq!(
                                fs::read_to_string(&path).expect("ours"),
                                format!("{}\n", process::id())
                            );
                            held.fetch_add(1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                        }
                        Err(Error::Running { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert!(held.load(Ordering::SeqCst) > 0);
    assert!(!path.exists());
}
