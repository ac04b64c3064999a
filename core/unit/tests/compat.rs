//! docs/compat.md lists the directives as the table has them. `UPDATE=1` rewrites the list.

#![allow(clippy::unwrap_used)]

const BEGIN: &str =
    "<!-- directives: begin (generated, UPDATE=1 cargo test -p eudaemon-unit --test compat) -->\n";
const END: &str = "<!-- directives: end -->";

#[test]
fn the_list_of_directives_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compat.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("docs/compat.md has a begin mark");
    let (listed, after) = rest.split_once(END).expect("docs/compat.md has an end mark");
    let current = eudaemon_unit::directives::reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{current}{END}{after}")).unwrap();
        return;
    }
    assert!(listed == current, "docs/compat.md is stale: UPDATE=1 cargo test -p eudaemon-unit --test compat");
}
