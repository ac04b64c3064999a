//! Services with dependencies drawn at random: which cannot be started, and which stand in an ordering cycle, is what
//! `systemd-analyze verify` says of them here and now. Where the tool is missing this is skipped.

#![allow(clippy::unwrap_used)]

use eudaemon_verify::{Notes, Request, verify};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Groups of services that name each other; each service is asked about by itself.
const GROUPS: usize = 120;

/// Of two jobs that contradict each other systemd drops now one, now the other, by the order of a hash table: it is asked
/// so often whether it ever says what is said here.
const ASKED_AGAIN: usize = 60;

const WORDS: [&str; 14] = [
    "Requires",
    "Wants",
    "Wants",
    "After",
    "After",
    "After",
    "Before",
    "Before",
    "BindsTo",
    "Requisite",
    "Upholds",
    "PartOf",
    "Conflicts",
    "Requires",
];

struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn group(draw: &mut Draw, number: usize, folder: &Path) -> Vec<String> {
    let count = 2 + draw.below(5);
    let mut named: Vec<String> = (0..count).map(|one| format!("g{number}u{one}.service")).collect();
    let names = named.clone();
    if draw.below(5) < 2 {
        named.push(format!("g{number}gone.service"));
    }
    let mut paths = Vec::new();
    for name in names {
        let mut text = "[Unit]\nDefaultDependencies=no\n".to_owned();
        for _ in 0..draw.below(6) {
            let (word, other) = (WORDS[draw.below(WORDS.len())], &named[draw.below(named.len())]);
            text += &format!("{word}={other}\n");
        }
        text += "[Service]\nStandardOutput=null\n";
        if draw.below(20) > 0 {
            text += "ExecStart=/bin/true\n";
        }
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        paths.push(path.to_string_lossy().into_owned());
    }
    paths
}

/// Whether a start fails, and whether a cycle is found.
type Said = (bool, bool);

fn systemd(path: &str) -> Option<Said> {
    let output = Command::new("systemd-analyze").args(["verify", "--man=no", path]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((text.contains("Failed to create "), text.contains("Found ordering cycle")))
}

fn ours(path: &str) -> Said {
    let request = Request { arguments: vec![path.to_owned()], notes: Notes::Dropped, ..Request::default() };
    let findings = verify(&request).findings;
    let fails = findings.iter().any(|finding| finding.message.contains("Failed to create "));
    (fails, findings.iter().any(|finding| finding.code == "ordering-cycle"))
}

#[test]
fn starts_and_cycles() {
    let folder = Folder(std::env::temp_dir().join(format!("eudaemon-verify-starts-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let mut draw = Draw(1);
    let paths: Vec<String> = (0..GROUPS).flat_map(|number| group(&mut draw, number, &folder.0)).collect();
    let (mut fails, mut cycles, mut varying, mut different) = (0, 0, 0, Vec::new());
    for path in &paths {
        let Some(theirs) = systemd(path) else {
            println!("SKIPPED: no systemd-analyze here (apt-get install systemd)");
            return;
        };
        fails += usize::from(theirs.0);
        cycles += usize::from(theirs.1);
        let ours = ours(path);
        if ours == theirs {
            continue;
        }
        if (0..ASKED_AGAIN).any(|_| systemd(path) == Some(ours)) {
            varying += 1;
        } else {
            different.push(format!("{path}: systemd (fails, cycle) {theirs:?}, here {ours:?}"));
        }
    }
    println!("{} services, of which {fails} cannot be started and {cycles} are in a cycle", paths.len());
    println!("of {varying} systemd says now this, now what is said here");
    assert!(fails > 0 && cycles > 0, "some cannot be started, and some stand in a cycle");
    assert!(different.is_empty(), "{}", different.join("\n"));
}
