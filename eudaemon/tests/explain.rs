//! Plans, simulated boots and replays as the command line gives them, without a manager.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn eudaemon(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eudaemon")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(folder: &Path, units: &[(&str, &str)]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, body) in units {
        std::fs::write(folder.join(name), format!("[Unit]\nDefaultDependencies=no\n{body}")).unwrap();
    }
}

const UNITS: [(&str, &str); 2] = [
    ("web.service", "Requires=db.service\nAfter=db.service\n[Service]\nExecStart=/bin/web\n"),
    ("db.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/db\n"),
];

#[test]
fn an_image_is_planned_from_its_files() {
    let image = tempfile::tempdir().unwrap();
    write(&image.path().join("etc/systemd/system"), &UNITS);
    let root = format!("--root={}", image.path().display());
    let planned = eudaemon(&[&root, "--system", "plan", "start", "web"]);
    let told = text(&planned.stdout);
    assert!(planned.status.success(), "{told}{}", text(&planned.stderr));
    assert!(told.contains("1. start db.service   Requires= of web.service"), "{told}");
    assert!(told.contains("2. start web.service  asked for"), "{told}");
    let refused = eudaemon(&[&root, "--system", "--json", "plan", "start", "gone"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stdout).contains(r#""refusal":"unit gone.service not found""#));
    let slip = eudaemon(&[&root, "--system", "plan", "start", "wbe"]);
    assert!(text(&slip.stderr).contains("Did you mean 'web.service'?"), "{}", text(&slip.stderr));
    let all = eudaemon(&[&root, "--system", "plan", "start", "web", "--all"]);
    assert!(told.contains("(--all names them)"), "{told}");
    assert!(text(&all.stdout).contains("Nothing to do for: -.slice"), "{}", text(&all.stdout));
    let odd = eudaemon(&[&root, "--system", "plan", "frobnicate", "web"]);
    assert!(text(&odd.stderr).contains("Cannot plan 'frobnicate'"), "{}", text(&odd.stderr));
}

#[test]
fn a_folder_is_booted_on_paper() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &UNITS);
    let path = folder.path().to_str().unwrap();
    let well = eudaemon(&["simulate", path]);
    assert!(well.status.success(), "{}", text(&well.stdout));
    let badly = eudaemon(&["simulate", path, "--fail", "db"]);
    assert_eq!(badly.status.code(), Some(1));
    let told = text(&badly.stdout);
    assert!(told.contains("Failed: db.service"), "{told}");
    assert!(told.contains("because db.service failed: its main process ended with status 1."), "{told}");
    let once = eudaemon(&["simulate", path, "--seed", "3", "--json"]);
    let again = eudaemon(&["simulate", path, "--seed", "3", "--json"]);
    assert_eq!(text(&once.stdout), text(&again.stdout));
    let nothing = eudaemon(&["simulate", "/nowhere"]);
    assert_eq!(nothing.status.code(), Some(1));
    let told = text(&nothing.stderr);
    assert!(told.starts_with("simulate: /nowhere: no such file or directory: expected a folder"), "{told}");
}

#[test]
fn a_start_limit_is_told_in_the_words_that_status_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ("web.service", "[Service]\nExecStart=/bin/web\nRestart=always\nRestartSec=10ms\n");
    write(folder.path(), &[unit]);
    let told = text(&eudaemon(&["simulate", folder.path().to_str().unwrap(), "--fail", "web"]).stdout);
    assert!(told.contains("web.service failed: it was started too often"), "{told}");
}

#[test]
fn what_is_no_flight_is_not_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    std::fs::write(&file, "eudaemon flight 9\n").unwrap();
    let replayed = eudaemon(&["replay", file.to_str().unwrap()]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(text(&replayed.stderr).contains("is a flight of format 9"), "{}", text(&replayed.stderr));
}
