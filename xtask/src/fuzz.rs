//! The fuzz targets, one after the other, each for so long; an input that a panic or a hang was found with stays
//! in `fuzz/artifacts`.

use anyhow::{Context, Result, bail};
use eudaemon_unit::directives;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

const TARGETS: [&str; 5] = ["unit_text", "exec_line", "specifiers", "environment_file", "names"];
const DICTIONARY: &str = "fuzz/target/directives.dict";

/// `SECONDS` for each, or for the targets named after it.
pub fn fuzz(words: &[&str]) -> Result<bool> {
    let (seconds, wanted) = match words {
        [] => (60, &TARGETS[..]),
        [seconds, wanted @ ..] => {
            let seconds: u32 = seconds.parse().context("a number of seconds")?;
            (seconds, if wanted.is_empty() { &TARGETS[..] } else { wanted })
        }
    };
    if let Some(unknown) = wanted.iter().find(|target| !TARGETS.contains(target)) {
        bail!("no fuzz target {unknown}: one of {}", TARGETS.join(", "));
    }
    install()?;
    fs::create_dir_all("fuzz/target")?;
    fs::write(DICTIONARY, dictionary())?;
    let mut sound = true;
    for target in wanted {
        let status = Command::new("cargo")
            .args(["+nightly", "fuzz", "run", "-O", target, "--"])
            .args([&format!("-max_total_time={seconds}"), "-timeout=5", "-max_len=65536"])
            .arg(format!("-dict={DICTIONARY}"))
            .status()
            .context("cannot run cargo")?;
        println!("{target}: {}", if status.success() { "nothing found" } else { "see fuzz/artifacts" });
        sound &= status.success();
    }
    Ok(sound)
}

fn install() -> Result<()> {
    let there = Command::new("cargo").args(["+nightly", "fuzz", "--version"]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    for words in [
        &["toolchain", "install", "nightly", "--profile", "minimal"][..],
        &["run", "nightly", "cargo", "install", "cargo-fuzz"],
    ] {
        let status = Command::new("rustup").args(words).status().context("cannot run rustup")?;
        if !status.success() {
            bail!("rustup {}: {status}", words.join(" "));
        }
    }
    Ok(())
}

/// Sections and keys, as libFuzzer reads them.
fn dictionary() -> String {
    let mut words = BTreeSet::new();
    for (section, row) in directives::all() {
        words.insert(format!("[{section}]\\x0a"));
        words.insert(format!("{}=", row.key));
    }
    words.iter().map(|word| format!("\"{word}\"\n")).collect()
}
