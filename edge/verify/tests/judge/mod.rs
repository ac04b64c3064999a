//! What `systemd-analyze verify` says of files here and now, made comparable with what is said by us.

#![allow(clippy::unwrap_used)]

use eudaemon_verify::Finding;
use std::collections::BTreeSet;
use std::process::Command;

/// Lines of systemd's that are said in other words, or not as a line of their own, and why.
const OTHER_WORDS: &[&str] = &[
    "Unit configuration has fatal error, unit will not be started.",
    // What follows from an error is a note of that error.
    "has a bad unit file setting.",
    "failed to load properly, please adjust/correct and reload service manager",
    // Of the code `not-a-link`: our manager takes what systemd ignores.
    "is not a symlink, ignoring.",
    // A remark in our reader's words.
    "Unit uses KillMode=none.",
    // The error that the bus name is taken, once more.
    "Failed to put bus name to hashmap",
];

/// The lines of real `systemd-analyze verify`, paths cut to names and without line numbers.
pub fn systemd(scope: &str, files: &[String]) -> Option<BTreeSet<String>> {
    let run = std::env::temp_dir().join(format!("eudaemon-verify{scope}-{}", std::process::id()));
    std::fs::create_dir_all(run.join("systemd")).unwrap();
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", scope])
        .args(files)
        .env("XDG_RUNTIME_DIR", &run)
        .output();
    std::fs::remove_dir_all(&run).unwrap();
    let text = String::from_utf8_lossy(&output.ok()?.stderr).into_owned();
    Some(text.lines().map(|line| comparable(&without_place(line))).collect())
}

fn without_place(line: &str) -> String {
    let Some((path, rest)) = line.split_once(": ").filter(|_| line.starts_with('/')) else {
        return line.to_owned();
    };
    let (path, _) = path.rsplit_once(':').unwrap_or((path, ""));
    format!("{}: {rest}", path.rsplit('/').next().unwrap())
}

/// systemd tells the first missing unit only; that there is one is what both say.
fn comparable(line: &str) -> String {
    match line.split_once("/start: ") {
        Some((start, _)) if start.contains("Failed to create ") => start.to_owned(),
        Some(_) | None => line.to_owned(),
    }
}

pub fn ours(finding: &Finding) -> [String; 2] {
    let name = finding.file.rsplit('/').next().unwrap();
    let said = comparable(&finding.message);
    [format!("{name}: {said}"), said]
}

/// Of systemd's lines those that we do not say.
pub fn unsaid(theirs: &BTreeSet<String>, findings: &[Finding]) -> Vec<String> {
    let said: BTreeSet<String> = findings.iter().flat_map(ours).collect();
    let is_said = |line: &&String| said.contains(*line) || OTHER_WORDS.iter().any(|word| line.contains(word));
    theirs.iter().filter(|line| !is_said(line)).cloned().collect()
}
