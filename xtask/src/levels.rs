//! The levels of tests: cases, scripts, laws and worlds by `cargo test`, then the machine level on real root file systems.

use crate::{kit_c, outside, python};
use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::rootfs::{self, Layer};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// How many checks went which way.
#[derive(Default)]
struct Score {
    passed: u32,
    failed: u32,
    skipped: u32,
}

/// Everything: the pure levels, then the machine level. Ends with one line that counts both.
pub fn test(words: &[&str]) -> Result<bool> {
    let with_machine = !words.contains(&"--no-machine");
    let filter = words.iter().find(|word| !word.starts_with("--")).copied().unwrap_or_default();
    let mut score = Score::default();
    if with_machine {
        outside::install()?;
        // Some tests of the levels below compare with the distribution's programs, in these root file systems.
        prepare(&mut score)?;
    }
    let words = [
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--exclude",
        "eudaemon-machine-tests",
        "--",
        filter,
    ];
    let mut green = score.follow(Command::new("cargo").args(words))?;
    green &= filter.is_empty().then(|| score.python()).transpose()?.unwrap_or(true);
    if with_machine {
        green &= score.follow(&mut machine_level(filter))?;
    } else {
        println!("SKIPPED: machine tests: --no-machine");
        score.skipped += 1;
    }
    println!("{} passed, {} failed, {} skipped", score.passed, score.failed, score.skipped);
    Ok(green && score.failed == 0)
}

/// The Python package's tests alone.
pub fn python() -> Result<bool> {
    let mut score = Score::default();
    let green = score.python()?;
    println!("{} passed, {} failed, {} skipped", score.passed, score.failed, score.skipped);
    Ok(green && score.failed == 0)
}

/// The machine level alone; the case names that contain the filter.
pub fn machine(filter: &str) -> Result<bool> {
    outside::install()?;
    let mut score = Score::default();
    prepare(&mut score)?;
    let green = score.follow(&mut machine_level(filter))?;
    println!("{} passed, {} failed, {} skipped", score.passed, score.failed, score.skipped);
    Ok(green && score.failed == 0)
}

/// Makes the root file systems: all, or the one of this name.
pub fn rootfs(name: Option<&str>) -> Result<bool> {
    outside::install()?;
    let wanted: Vec<Layer> =
        Layer::ALL.into_iter().filter(|layer| name.is_none_or(|name| name == layer.name())).collect();
    if wanted.is_empty() {
        bail!("no such root file system; there are {}", Layer::ALL.map(Layer::name).join(", "));
    }
    for layer in wanted {
        rootfs::build(layer)?;
    }
    Ok(true)
}

/// The root file systems and the binary that machines are made of.
fn prepare(score: &mut Score) -> Result<()> {
    if outside::is_root() {
        // Without a mirror the tests still say what they skip, and why.
        for layer in Layer::ALL {
            if let Err(error) = rootfs::build(layer) {
                println!("SKIPPED: root file system `{}`: {error:#}", layer.name());
                score.skipped += 1;
            }
        }
    }
    let built = Command::new("cargo")
        .args(["build", "--package", "eudaemon"])
        .status()
        .context("cannot run cargo")?;
    if !built.success() {
        bail!("cargo build --package eudaemon: {built}");
    }
    kit_c::for_machines()
}

fn machine_level(filter: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--package", "eudaemon-machine-tests", "--", filter]);
    command
}

impl Score {
    /// The Python package's tests; without a package index they are skipped.
    fn python(&mut self) -> Result<bool> {
        match python::tests() {
            Ok(mut command) => self.follow(&mut command),
            Err(error) => {
                println!("SKIPPED: the Python package: {error:#}");
                self.skipped += 1;
                Ok(true)
            }
        }
    }

    /// Runs a command, shows what it says, and counts the results among it; answers whether it succeeded.
    fn follow(&mut self, command: &mut Command) -> Result<bool> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
        let output = child.stdout.take().context("the output is a pipe")?;
        for line in BufReader::new(output).lines() {
            let line = line?;
            // The machine level's own sum is part of ours, which is the last line.
            if !is_sum(&line) {
                println!("{line}");
            }
            self.count(&line);
        }
        Ok(child.wait()?.success())
    }

    /// One line of output: libtest's result line, or the machine level's.
    fn count(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ").or(is_sum(line).then_some(line)) else {
            return;
        };
        let words: Vec<&str> = counts.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u32>() else { continue };
            match pair[1].trim_end_matches([',', ';']) {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "skipped" | "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// Whether a line is the machine level's last one.
fn is_sum(line: &str) -> bool {
    line.contains(" passed, ") && line.ends_with(" skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_result_lines_count() {
        let mut score = Score::default();
        score.count(
            "test result: ok. 12 passed; 1 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.05s",
        );
        score.count("SKIPPED: machine tests: not root");
        score.count("5 passed, 0 failed, 2 skipped");
        assert_eq!((score.passed, score.failed, score.skipped), (17, 1, 5));
    }
}
