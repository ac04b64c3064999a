//! `eudaemon --root DIR enable` and its kin do and say what systemctl of systemd 252 was recorded to, over drawn trees of unit files
//! and drawn sequences of verbs.
//!
//! Three things are not compared: what the reader of `[Install]` sections and presets says of a bad line (`eudaemon verify` says
//! that better), all but the first line of the advice about units without `[Install]`, and the order of lines on standard
//! error, which follows that of the directory.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/unit_files.txt");

/// What is not compared.
const ASIDE: &[&str] = &[
    "rejecting.",
    "units). This means",
    "Alias= settings in",
    "Possible reasons for",
    "a requirement dependency on it.",
    "instance name specified.",
    "D-Bus, udev, scripted",
    ".wants/ or .requires/ directory.",
    "• ",
];

#[test]
fn as_recorded() {
    let recorded = fs::read_to_string(RECORDED).unwrap();
    let asked = std::env::var_os("RECORD");
    let program = asked.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_eudaemon").into());
    let (head, cases) = recorded.split_once("\ncase ").unwrap();
    let mut found = head.to_owned();
    let mut count = 0;
    for case in cases.split("\ncase ") {
        write!(found, "\ncase {}", replay(case.trim_end(), Path::new(&program))).unwrap();
        count += 1;
    }
    if asked.is_some() {
        fs::write(RECORDED, found).unwrap();
        return;
    }
    assert_eq!(count, 160);
    for (recorded, found) in recorded.split("\ncase ").zip(found.split("\ncase ")) {
        assert_eq!(recorded.trim_end(), found.trim_end());
    }
}

/// The case again, with the answers that `program` gives.
fn replay(case: &str, program: &Path) -> String {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut said = String::new();
    for line in case.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "file" => {
                let (path, text) = rest.split_once(' ').unwrap();
                let text = text.replace("\\n", "\n").replace("\\\\", "\\");
                fs::write(above(root, path), text).unwrap();
            }
            "link" => {
                let (path, target) = rest.split_once(' ').unwrap();
                symlink(target, above(root, path)).unwrap();
            }
            "dir" => fs::create_dir_all(root.join(rest.trim_matches('/'))).unwrap(),
            "$" => {
                writeln!(said, "{line}").unwrap();
                step(root, program, rest, &mut said);
                continue;
            }
            "code" | "out" | "err" | "made" | "gone" => continue,
            _ => {}
        }
        writeln!(said, "{line}").unwrap();
    }
    said
}

/// A path below `root`, whose directory is made.
fn above(root: &Path, path: &str) -> std::path::PathBuf {
    let path = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

fn step(root: &Path, program: &Path, words: &str, said: &mut String) {
    let before = entries(root);
    let output = Command::new(program)
        .arg0("systemctl")
        .arg(format!("--root={}", root.display()))
        .args(quoted(words))
        .env_clear()
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    writeln!(said, "code {}", output.status.code().unwrap()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root.display().to_string(), "ROOT");
    for line in text(&output.stdout).lines() {
        writeln!(said, "out {line}").unwrap();
    }
    let errors = text(&output.stderr);
    let mut errors: Vec<&str> = errors.lines().filter(|line| is_compared(line)).collect();
    errors.sort_unstable();
    errors.iter().for_each(|line| writeln!(said, "err {line}").unwrap());
    let after = entries(root);
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        match (before.get(path), after.get(path)) {
            (_, None) => writeln!(said, "gone {path}").unwrap(),
            (old, Some(new)) if old != Some(new) => writeln!(said, "made {path} {new}").unwrap(),
            (_, Some(_)) => {}
        }
    }
}

fn is_compared(line: &str) -> bool {
    let place = line.split(": ").next().unwrap_or(line);
    let has_line = place.rsplit_once(':').is_some_and(|(_, line)| line.parse::<u32>().is_ok());
    !line.trim().is_empty() && !has_line && !ASIDE.iter().any(|aside| line.contains(aside))
}

/// Words, some in quotes.
fn quoted(words: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = words.trim();
    while !rest.is_empty() {
        let (word, then) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap(),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        found.push(word.to_owned());
        rest = then.trim_start();
    }
    found
}

/// Files and links with where they lead, and directories without either.
fn entries(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![root.to_owned()];
    while let Some(directory) = ahead.pop() {
        let shown = |path: &Path| format!("/{}", path.strip_prefix(root).unwrap().display());
        let mut is_empty = true;
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap();
            is_empty = false;
            if kind.is_symlink() {
                found.insert(shown(&path), fs::read_link(&path).unwrap().display().to_string());
            } else if kind.is_dir() {
                ahead.push(path);
            } else {
                found.insert(shown(&path), "f".to_owned());
            }
        }
        if is_empty {
            found.insert(format!("{}/", shown(&directory)), "d".to_owned());
        }
    }
    found
}
