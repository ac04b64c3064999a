//! Transcripts of requests, facts and printed orders: `tests/scripts/KIND/NNN-what-it-proves.txt`, each opening
//! with the sentence it proves. `UPDATE=1 cargo test -p eudaemon-engine --test scripts` rewrites what is printed.

#![allow(clippy::unwrap_used)]

mod transcript;

use std::path::{Path, PathBuf};

#[test]
fn scripts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let update = std::env::var_os("UPDATE").is_some();
    let mut differing = Vec::new();
    for path in texts(&root) {
        let written = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(written.starts_with(&format!("# {name}: ")), "{}: opens with its name", path.display());
        let played = transcript::play(&written);
        if played == written {
            continue;
        }
        if update {
            std::fs::write(&path, played).unwrap();
        } else {
            differing.push(format!("{}:\n{}", path.display(), first_difference(&written, &played)));
        }
    }
    assert!(differing.is_empty(), "{}\nUPDATE=1 rewrites them", differing.join("\n"));
}

fn texts(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for kind in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(kind.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

fn first_difference(written: &str, played: &str) -> String {
    let mut lines = written.lines().zip(played.lines()).enumerate();
    let differing = lines.find(|(_, (a, b))| a != b);
    match differing {
        Some((number, (a, b))) => format!("  line {}: written {a:?}, played {b:?}", number + 1),
        None => "  one is longer than the other".to_owned(),
    }
}
