//! The judge itself, where it is installed: every directive with values right and wrong, given to
//! `systemd-analyze verify` and to us. Complaints must be the same, word for word, but for a recorded rest.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::directives;
use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const VALUES: &[&str] = &[
    "",
    "yes",
    "x",
    "5",
    "-1",
    "/a/b",
    "a b",
    "%z",
    "infinity",
    "a:b",
    "1M",
    "10%",
    "foo.service",
    "0755",
    "none",
];

/// Complaints that are about the whole machine, or that `verify` makes of its own.
const NOT_ABOUT_TEXT: &[&str] = &[
    "has a bad unit file",
    "failed to load properly",
    "is not executable",
    "Command ",
    "Failed to create",
    "not loaded",
    "Failed to put bus name",
    "Two services",
];

type Said = BTreeMap<String, Vec<String>>;

fn note(said: &mut Said, unit: &str, text: &str) {
    if !NOT_ABOUT_TEXT.iter().any(|other| text.contains(other)) {
        said.entry(unit.to_owned()).or_default().push(text.replace(unit, "<unit>"));
    }
}

/// A unit that is whole, with one more line.
fn text(section: &str, name: &str, line: &str) -> (&'static str, String) {
    let of = |kind, own: String| (kind, format!("[{section}]\n{own}{line}\n"));
    match section {
        "Socket" => of("socket", "ListenFIFO=/run/f\n".into()),
        "Timer" => of("timer", "OnBootSec=1h\n".into()),
        "Path" => of("path", "PathExists=/q\n".into()),
        "Mount" => of("mount", format!("What=tmpfs\nWhere=/{name}\n")),
        "Automount" => of("automount", format!("Where=/{name}\n")),
        "Swap" => of("swap", format!("What=/{name}\n")),
        "Slice" => of("slice", String::new()),
        "Service" => of("service", "ExecStart=/bin/true\n".into()),
        _ => ("service", format!("[{section}]\n{line}\n[Service]\nExecStart=/bin/true\n")),
    }
}

fn judged(folder: &Path, files: &[PathBuf]) -> Said {
    let mut said = Said::new();
    for files in files.chunks(1000) {
        let mut verify = Command::new("systemd-analyze");
        verify
            .args(["verify", "--man=no"])
            .args(files)
            .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()));
        let output = verify.output().unwrap();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            let line = line.strip_prefix(&format!("{}/", folder.display())).unwrap_or(line);
            let Some((place, text)) = line.split_once(": ") else { continue };
            let unit = place.split(':').next().unwrap_or("");
            if unit.starts_with('g') {
                note(&mut said, unit, text);
            }
        }
    }
    said
}

fn ours(path: &Path, said: &mut Said) {
    let unit = path.file_name().unwrap().to_string_lossy().into_owned();
    let name = UnitName::parse(&unit).unwrap();
    let shown = path.to_string_lossy();
    let fragment = Fragment::File(shown.to_string());
    let found =
        Found { name: name.clone(), aliases: vec![], fragment, dropins: vec![], dependencies: vec![] };
    let text = std::fs::read(path).unwrap();
    let merged = merge(&name, &[Source { path: &shown, text: &text }], &found, &Context::default());
    merged.diagnostics.iter().for_each(|diagnostic| note(said, &unit, &diagnostic.text));
}

#[test]
fn complaints_are_systemds() {
    let version = Command::new("systemd-analyze").arg("--version").output();
    let version =
        version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if !version.starts_with("systemd 252") {
        println!("SKIPPED complaints: systemd-analyze 252 is not installed");
        return;
    }
    let folder = std::env::temp_dir().join(format!("eudaemon-judged-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (mut files, mut lines) = (Vec::new(), BTreeMap::new());
    let mut seen = BTreeSet::new();
    // Rows that sections share are judged in the first of them.
    for (section, row) in directives::all().filter(|(_, row)| seen.insert(std::ptr::from_ref(*row))) {
        if section == "Scope" {
            continue;
        }
        for value in VALUES {
            let name = format!("g{:05}", files.len());
            let line = format!("{}={value}", row.key);
            let (kind, text) = text(section, &name, &line);
            let unit = format!("{name}.{kind}");
            std::fs::write(folder.join(&unit), text).unwrap();
            if ["socket", "timer", "path"].contains(&kind) {
                std::fs::write(folder.join(format!("{name}.service")), "[Service]\nExecStart=/bin/true\n")
                    .unwrap();
            }
            files.push(folder.join(&unit));
            lines.insert(unit, format!("[{section}] {line}"));
        }
    }
    let theirs = judged(&folder, &files);
    let mut said = Said::new();
    files.iter().for_each(|file| ours(file, &mut said));
    std::fs::remove_dir_all(&folder).unwrap();
    let (mut agreed, mut total) = (0, 0);
    for (unit, line) in &lines {
        let expected = theirs.get(unit).cloned().unwrap_or_default();
        // Later than 252.
        if expected.iter().any(|text| text.starts_with("Unknown key")) {
            continue;
        }
        let found = said.get(unit).cloned().unwrap_or_default();
        total += 1;
        match expected == found {
            true => agreed += 1,
            false => println!("{line}\n  systemd {expected:?}\n  here    {found:?}"),
        }
    }
    println!("{agreed} of {total} lines are judged alike");
    assert!(agreed * 1000 >= total * 985, "{agreed} of {total}");
}
