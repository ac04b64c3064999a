//! Help without dead ends: what is asked for is told, or what was meant.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn eudaemon(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eudaemon")).args(arguments).output().unwrap()
}

/// What is printed, and whether it is a success.
fn told(arguments: &[&str]) -> (String, String, bool) {
    let output = eudaemon(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

#[test]
fn several_words() {
    let (out, err, good) = told(&["help", "enable", "verify", "ExecStart"]);
    assert!(good, "{err}");
    for line in ["eudaemon enable UNIT…\n", "eudaemon verify [OPTIONS…]", "\nExecStart=\n"] {
        assert!(out.contains(line), "{line} in {out}");
    }
    let (out, err, good) = told(&["help", "ExecStrat", "start"]);
    assert!(!good);
    assert!(err.contains("Did you mean 'ExecStart'?"), "{err}");
    assert!(out.contains("eudaemon start UNIT…"), "{out}");
}

#[test]
fn a_section_lists_its_keys() {
    let (out, err, good) = told(&["help", "X-Health"]);
    assert!(good && out.contains("\n  IntervalSec=  "), "{out}{err}");
}

#[test]
fn what_a_verb_takes_is_said() {
    let (_, err, good) = told(&["start"]);
    assert!(!good && err.contains("'start' takes UNIT…, as in 'eudaemon start web.service'"), "{err}");
    for word in ["verify", "simulate", "export"] {
        let (_, err, good) = told(&[word]);
        assert!(!good && err.contains(&format!("as in 'eudaemon {word} ")), "{err}");
    }
}

#[test]
fn a_verb_lists_its_own_options() {
    for line in [["enable", "--help"], ["help", "enable"], ["-h", "enable"]] {
        let (out, _, good) = told(&line);
        assert!(good && out.starts_with("eudaemon enable UNIT…\n"), "{out}");
        assert!(out.contains("--runtime") && !out.contains("--job-mode"), "{out}");
    }
}

#[test]
fn every_program_has_help_and_is_found_when_misspelt() {
    for word in [
        "init", "up", "logd", "tmpfiles", "sysusers", "generate", "analyze", "escape", "simulate", "replay",
        "verify", "export",
    ] {
        let (out, err, good) = told(&[word, "--help"]);
        assert!(good && !out.is_empty(), "{word}: {err}");
    }
    for (word, meant) in
        [("verfy", "verify"), ("exprot", "export"), ("simluate", "simulate"), ("strat", "start")]
    {
        let (_, err, good) = told(&[word]);
        assert!(!good && err.contains(&format!("Did you mean '{meant}'?")), "{err}");
    }
}

#[test]
fn options_before_a_program() {
    let image = tempfile::tempdir().unwrap();
    let units = image.path().join("etc/systemd/system");
    std::fs::create_dir_all(&units).unwrap();
    std::fs::write(units.join("a.service"), "[Service]\nExecStart=/bin/gone\nRestrat=no\n").unwrap();
    let root = image.path().to_str().unwrap();
    for line in
        [vec!["--root", root, "verify", "a.service"], vec!["-q", "verify", "--root", root, "a.service"]]
    {
        let (out, err, good) = told(&line);
        assert!(!good && err.contains("did you mean `Restart`?"), "{out}{err}");
    }
}
