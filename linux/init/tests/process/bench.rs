//! What a spawn costs: from the order to init's answer, and to the exit's report, beside a bare fork and exec of
//! the same program by this process. Printed, not judged.

use crate::driver::{Init, exec};
use eudaemon_init::wire::Order;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 2000;

pub fn run() -> ExitCode {
    let init = Init::start();
    let mut manager = init.greeted();
    let (mut answered, mut exited) = (Vec::new(), Vec::new());
    for id in 1..=ROUNDS {
        let start = Instant::now();
        manager.spawn(id, exec(&["/bin/true"]));
        manager.hear_until("spawned");
        answered.push(start.elapsed());
        manager.hear_until("exited");
        exited.push(start.elapsed());
        manager.order(Order::Ack { id });
    }
    print("spawn through init, until answered", &mut answered);
    print("spawn through init, until the exit is told", &mut exited);
    let mut bare = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut child = std::process::Command::new("/bin/true").spawn().expect("spawn");
        child.wait().expect("wait");
        bare.push(start.elapsed());
    }
    print("std's posix_spawn and wait, here", &mut bare);
    let mut forked = Vec::new();
    for _ in 0..ROUNDS {
        forked.push(eudaemon_init::bare_fork_and_exec(c"/bin/true"));
    }
    print("bare fork, execve and wait, here", &mut forked);
    println!("init's memory: {}", memory(init.process.id()));
    ExitCode::SUCCESS
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |part: usize| times[times.len() * part / 100].as_micros();
    println!("{what:45} p50 {:5} us  p90 {:5} us", at(50), at(90));
}

fn memory(pid: u32) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let wanted = ["Rss:", "Pss:", "Private_Clean:", "Private_Dirty:"];
    let lines = text.lines().filter(|line| wanted.iter().any(|word| line.starts_with(word)));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
