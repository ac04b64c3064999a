//! docs/reference and docs/compat.md's list say what the table of directives says. `UPDATE=1` rewrites them.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::directives::{list, pages};
use std::path::{Path, PathBuf};

const BEGIN: &str =
    "<!-- directives: begin (generated, UPDATE=1 cargo test -p eudaemon-unit --test reference) -->\n";
const END: &str = "<!-- directives: end -->";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Writes the file, or says that it is stale.
fn check(path: &Path, current: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, current).unwrap();
        return;
    }
    let is_current = std::fs::read_to_string(path).is_ok_and(|found| found == current);
    assert!(is_current, "{} is stale: UPDATE=1 cargo test -p eudaemon-unit --test reference", path.display());
}

#[test]
fn the_list_of_directives_is_current() {
    let path = docs().join("compat.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("docs/compat.md has a begin mark");
    let (_, after) = rest.split_once(END).expect("docs/compat.md has an end mark");
    check(&path, &format!("{before}{BEGIN}{}{END}{after}", list()));
}

#[test]
fn the_reference_is_current() {
    let folder = docs().join("reference");
    let pages = pages();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
    }
    for page in &pages {
        check(&folder.join(&page.name), &page.text);
    }
    for found in std::fs::read_dir(&folder).unwrap() {
        let name = found.unwrap().file_name();
        assert!(pages.iter().any(|page| *page.name == name), "docs/reference/{} is no page", name.display());
    }
}
