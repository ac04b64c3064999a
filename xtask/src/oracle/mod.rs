//! `cargo xtask oracle`: random units and requests, once under real systemd and once under us, in machines of the same kind,
//! compared after each step: states, results, jobs, their order, processes, and what a request was refused with.
//!
//! - `draw`: a case out of a seed (`random`); `wide`: the same with more in it. `case`: what a case is.
//! - `judge`: a manager in a machine, with the driver beside it. `inside`: the driver.
//! - `verdict`: what differs between two transcripts. `shrink`: the least that still differs.

mod case;
mod draw;
mod inside;
mod judge;
mod random;
mod shrink;
mod verdict;
mod wide;

use crate::outside;
use anyhow::{Context, Result, bail};
use case::Case;
use eudaemon_machine_tests::candidate::{Candidate, found, obstacle};
use eudaemon_machine_tests::rootfs::{self, Layer};
use judge::Judge;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use verdict::{Difference, Step};

pub use inside::drive;

const REAL: &str = "/lib/systemd/systemd";
const COUNT: u64 = 1000;
/// How often a case that differs is played again: systemd may have decided by a throw, or somebody was late.
const AGAIN: usize = 3;

/// What is asked for.
#[derive(Debug)]
struct Order {
    seed: u64,
    count: u64,
    shrinks: Shrinks,
    /// Makes a case of a seed.
    draw: fn(u64) -> Case,
    file: Option<PathBuf>,
}

/// Whether a case that differs is made smaller.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Shrinks {
    Yes,
    No,
}

/// Both managers.
pub struct Pair {
    systemd: Judge,
    ours: Judge,
}

/// What a case came to.
pub enum Verdict {
    Same,
    /// systemd itself does not do the same each time, and ours does what it did once.
    Open,
    Differs(Difference),
}

/// Plays the cases; answers whether none differs.
pub fn oracle(words: &[&str]) -> Result<bool> {
    let order = parse(words)?;
    outside::install()?;
    rootfs::build(Layer::Nine).context("making the root file system")?;
    if let Some(why) =
        obstacle().or_else(|| (!found("systemd-nspawn")).then(|| "no systemd-nspawn".to_owned()))
    {
        bail!("no machine can be booted here: {why}");
    }
    let systemd = Judge::new(Candidate::Theirs(REAL.to_owned()));
    let mut pair = Pair { systemd, ours: Judge::new(Candidate::Ours(binary()?)) };
    match &order.file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            one(&mut pair, &Case::parse(&text)?)
        }
        None => many(&mut pair, &order),
    }
}

fn parse(words: &[&str]) -> Result<Order> {
    let mut order = Order { seed: 1, count: COUNT, shrinks: Shrinks::Yes, draw: draw::case, file: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let word = words.next().with_context(|| format!("{word} wants a number"))?;
            word.parse().with_context(|| format!("a number, not {word:?}"))
        };
        match *word {
            "--seed" => order.seed = number()?,
            "--count" => order.count = number()?,
            "--wide" => order.draw = wide::case,
            "--no-shrink" => order.shrinks = Shrinks::No,
            path => order.file = Some(PathBuf::from(path)),
        }
    }
    Ok(order)
}

/// One case, with all that both say of it.
fn one(pair: &mut Pair, case: &Case) -> Result<bool> {
    let (theirs, ours) = pair.play(case)?;
    for (who, steps) in [("systemd", &theirs), ("ours", &ours)] {
        println!("{who}:");
        for step in steps {
            println!("> {}\n{}", step.what, step.lines.join("\n"));
        }
    }
    let difference = verdict::difference(&theirs, &ours);
    if let Some(difference) = &difference {
        tell(difference);
    }
    Ok(difference.is_none())
}

fn many(pair: &mut Pair, order: &Order) -> Result<bool> {
    let start = Instant::now();
    let (mut same, mut open, mut decided, mut steps, mut differing) = (0, 0, 0, 0, Vec::new());
    for seed in order.seed..order.seed + order.count {
        let case = (order.draw)(seed);
        steps += case.steps.len();
        match pair.judge(&case, AGAIN)? {
            Verdict::Same => same += 1,
            Verdict::Open => open += 1,
            Verdict::Differs(first) if first.is_decided() => decided += 1,
            Verdict::Differs(first) => {
                differing.push(seed);
                println!("\nDIFFERS: seed {seed}");
                let (case, difference) = match order.shrinks {
                    Shrinks::Yes => shrink::shrink(pair, case, first)?,
                    Shrinks::No => (case, first),
                };
                println!("{case}");
                tell(&difference);
            }
        }
        if (seed + 1 - order.seed).is_multiple_of(100) {
            let played = seed + 1 - order.seed;
            eprintln!("{played} cases, {} differ, {:.0} s", differing.len(), start.elapsed().as_secs_f32());
        }
    }
    let seeds: Vec<String> = differing.iter().map(u64::to_string).collect();
    println!(
        "{} cases with {steps} steps: {same} agree, {open} in which systemd varies, {decided} differ by decision, {} differ{}{}",
        order.count,
        differing.len(),
        if seeds.is_empty() { "" } else { ": seeds " },
        seeds.join(" ")
    );
    Ok(differing.is_empty())
}

fn tell(difference: &Difference) {
    println!("step {}, {}:", difference.place + 1, difference.step);
    for line in &difference.theirs {
        println!("    systemd: {line}");
    }
    for line in &difference.ours {
        println!("    ours:    {line}");
    }
}

impl Pair {
    /// Both play at the same time.
    fn play(&mut self, case: &Case) -> Result<(Vec<Step>, Vec<Step>)> {
        let Pair { systemd, ours } = self;
        let (theirs, ours) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| systemd.play(case));
            let ours = ours.play(case);
            (theirs.join(), ours)
        });
        let theirs = theirs.map_err(|_| anyhow::anyhow!("a judge panicked"))??;
        Ok((verdict::steps(case, &theirs), verdict::steps(case, &ours?)))
    }

    /// Plays a case, and again if it differs: only what ours never does as systemd did once is a difference.
    pub fn judge(&mut self, case: &Case, again: usize) -> Result<Verdict> {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..=again {
            let (one, other) = self.play(case)?;
            theirs.push(one);
            ours.push(other);
            if theirs.iter().any(|one| ours.contains(one)) {
                return Ok(if theirs.len() == 1 { Verdict::Same } else { Verdict::Open });
            }
        }
        // The run of systemd that ours went along with the longest is the one to look at.
        let differences = theirs.iter().filter_map(|one| verdict::difference(one, &ours[0]));
        let difference = differences.max_by_key(|difference| difference.place).context("a difference")?;
        Ok(Verdict::Differs(difference))
    }
}

/// `$EUDAEMON_BIN`, else a build of this very source.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("EUDAEMON_BIN") {
        return Ok(PathBuf::from(path));
    }
    let built = Command::new("cargo").args(["build", "--package", "eudaemon"]).status();
    if !built.context("cannot run cargo")?.success() {
        bail!("cargo build --package eudaemon failed");
    }
    Ok(rootfs::target().join("debug/eudaemon"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_has_defaults() {
        let order = parse(&["--seed", "7", "--no-shrink"]).unwrap();
        assert_eq!((order.seed, order.count, order.shrinks, order.file), (7, COUNT, Shrinks::No, None));
        assert_eq!((order.draw)(7), draw::case(7));
        let order = parse(&["--wide"]).unwrap();
        assert_eq!((order.draw)(0), wide::case(0));
        assert!(parse(&["--count"]).is_err());
        assert!(parse(&["--count", "many"]).is_err());
    }
}
