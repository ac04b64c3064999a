//! Random worlds under the laws. `EUDAEMON_SEED=N cargo test -p eudaemon-sim --test world -- --nocapture one`
//! shows one seed's trace; `EUDAEMON_SEEDS=N` changes how many are tried.

#![allow(clippy::unwrap_used)]

use eudaemon_sim::scenario::{
    Drive, Tracing, WITH_CLEANING, WITH_FREEZING, WITH_HEALTH, WITH_HOLDS, WITH_MOUNTS, WITH_SOCKETS, drive,
    run,
};

/// Seeds that once broke a law, each with what it showed.
const KEPT: [(u64, &str); 9] = [
    (154, "a restart that became a start waited in a ring no plan had looked for"),
    (1832, "jobs left of a contradiction waited in a ring"),
    (3287, "a shutdown waited for jobs that waited for each other"),
    (1135, "two units started each other without end within one step"),
    (6260, "the requested job itself was dropped to break a ring"),
    (10335, "a service waited for its automatic restart after that had been cancelled"),
    (
        91088,
        "a start that took the place of a stop waited for a restart that had been left out for that stop",
    ),
    (488 | WITH_SOCKETS, "a knock heard of after the sockets were closed had them watched again"),
    (
        20423 | WITH_SOCKETS,
        "a start whose conditions were looked at overtook a job queued before it meanwhile",
    ),
];

#[test]
fn kept_seeds() {
    for (seed, showed) in KEPT {
        let report = run(seed, Tracing::Off);
        assert!(report.broken.is_empty(), "seed {seed} ({showed}): {}", report.broken.join("\n"));
    }
}

fn with_all(seed: u64) -> [u64; 7] {
    let asked = seed | WITH_HEALTH;
    let mounted = seed | WITH_MOUNTS;
    [
        seed,
        seed | WITH_SOCKETS,
        seed | WITH_FREEZING,
        seed | WITH_CLEANING,
        mounted,
        asked,
        asked | WITH_FREEZING,
    ]
}

/// What is wrong with those of so many seeds that fall to one of so many threads.
fn share(count: u64, threads: u64, thread: u64) -> Vec<String> {
    let mut failing = Vec::new();
    for seed in (thread..count).step_by(threads as usize).flat_map(with_all) {
        if std::env::var_os("EUDAEMON_VERBOSE").is_some() {
            eprintln!("seed {seed}");
        }
        let outcome = std::panic::catch_unwind(|| run(seed, Tracing::Off));
        let broken = match outcome {
            Ok(report) => report.broken,
            Err(_) => vec!["it panicked".to_owned()],
        };
        let command =
            format!("EUDAEMON_SEED={seed} cargo test -p eudaemon-sim --test world -- --nocapture one");
        failing.extend(broken.first().map(|first| format!("{first}\n  {command}")));
    }
    failing
}

#[test]
fn many_seeds() {
    let count = std::env::var("EUDAEMON_SEEDS").map_or(17_000, |text| text.parse().unwrap());
    let threads = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    let shares: Vec<_> =
        (0..threads).map(|thread| std::thread::spawn(move || share(count, threads, thread))).collect();
    let failing: Vec<String> = shares.into_iter().flat_map(|share| share.join().unwrap()).collect();
    for one in failing.iter().take(10) {
        println!("{one}");
    }
    assert_eq!(
        failing.len(),
        0,
        "seeds that break a law, of {count} plain ones, as many with sockets, as many with freezing, as many with cleaning, as many with mounts, twice as many with health"
    );
}

#[test]
fn with_holds() {
    for seed in (0..2_000).map(|seed| seed | WITH_HOLDS).flat_map(|seed| [seed, seed | WITH_SOCKETS]) {
        let report = run(seed, Tracing::Off);
        assert!(report.broken.is_empty(), "seed {seed}: {}", report.broken.join("\n"));
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in (0..50).flat_map(with_all) {
        assert_eq!(run(seed, Tracing::Off).digest, run(seed, Tracing::Off).digest, "seed {seed}");
    }
}

/// Writing down and reading changes nothing that follows.
#[test]
fn thawed_after_each_step() {
    let variants =
        |seed| [seed, seed | WITH_SOCKETS, seed | WITH_CLEANING, seed | WITH_HEALTH, seed | WITH_MOUNTS];
    for seed in (0..1000).flat_map(variants) {
        let plain = drive(seed, Tracing::Off, Drive::Unbroken);
        let thawed = drive(seed, Tracing::Off, Drive::Thawed);
        if plain.digest != thawed.digest {
            panic!("seed {seed}: {}", first_difference(seed));
        }
    }
}

/// What was recorded of a run, played once more, comes to the same.
#[test]
fn flights_replay() {
    for seed in (0..1000).flat_map(with_all) {
        let report = drive(seed, Tracing::Off, Drive::Recorded);
        assert!(report.broken.is_empty(), "seed {seed}: {}", report.broken.join("\n"));
    }
}

/// Does nothing unless `EUDAEMON_SEED` names a seed: then it shows that run.
#[test]
fn one() {
    let Ok(seed) = std::env::var("EUDAEMON_SEED") else { return };
    let report = run(seed.parse().unwrap(), Tracing::On);
    for line in &report.trace {
        println!("{line}");
    }
    assert!(report.broken.is_empty(), "{}", report.broken.join("\n"));
}

/// Where a thawed run leaves the plain one, with what went before.
fn first_difference(seed: u64) -> String {
    let told = |drive_as| -> Vec<String> {
        let trace = drive(seed, Tracing::On, drive_as).trace;
        trace.into_iter().filter(|line| !line.contains("UnitChanged")).collect()
    };
    let (plain, thawed) = (told(Drive::Unbroken), told(Drive::Thawed));
    let place = plain
        .iter()
        .zip(&thawed)
        .position(|(one, other)| one != other)
        .unwrap_or(plain.len().min(thawed.len()));
    let before = plain[place.saturating_sub(10)..place].join("\n");
    format!("{before}\n  plain:  {:?}\n  thawed: {:?}", plain.get(place), thawed.get(place))
}
