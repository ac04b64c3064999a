//! What kit costs at a start: this very program, run again and again, with a bare `main` and with a daemon that is ready
//! and returns. Rounds alternate, so that a noisy machine is noisy to both.

use eudaemon_kit::{Daemon, Ground, Result};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 1000;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("bare") => {
            print_memory();
            ExitCode::SUCCESS
        }
        Some("kit") => Daemon::new("start").ground(Ground::Foreground).run(|life| -> Result<()> {
            life.ready()?;
            print_memory();
            Ok(())
        }),
        _ => compare(),
    }
}

fn compare() -> ExitCode {
    let (mut bare, mut kit) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(run("bare"));
        kit.push(run("kit"));
    }
    let ((bare_time, bare_memory), (kit_time, kit_memory)) = (medians(bare), medians(kit));
    println!("bare main: {bare_time:?}, {bare_memory} KB private");
    println!("with kit:  {kit_time:?}, {kit_memory} KB private");
    println!(
        "kit costs {:?} and {} KB",
        kit_time.saturating_sub(bare_time),
        kit_memory.saturating_sub(bare_memory)
    );
    ExitCode::SUCCESS
}

fn medians(runs: Vec<(Duration, u64)>) -> (Duration, u64) {
    let (mut times, mut memory): (Vec<Duration>, Vec<u64>) = runs.into_iter().unzip();
    times.sort_unstable();
    memory.sort_unstable();
    (times[times.len() / 2], memory[memory.len() / 2])
}

/// From fork to the end, and what the child said of its memory.
fn run(which: &str) -> (Duration, u64) {
    let program = std::env::current_exe().expect("this program");
    let start = Instant::now();
    let output = Command::new(program).arg(which).stderr(Stdio::inherit()).output().expect("runs");
    let time = start.elapsed();
    assert!(output.status.success(), "{which}: {}", output.status);
    (time, String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number"))
}

/// Memory that is this process's alone, in KB: proc_pid_smaps(5).
fn print_memory() {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.strip_prefix("Private_Dirty:"));
    let kb: u64 = lines.filter_map(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).sum();
    println!("{kb}");
}
