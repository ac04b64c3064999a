//! The header says what the sources say. `UPDATE=1` writes it anew.

use std::path::Path;

#[test]
fn the_header_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("settings");
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_config(settings)
        .with_src(folder.join("src/lib.rs"))
        .generate()
        .expect("a header")
        .write(&mut made);
    let path = folder.join("eudaemon-kit.h");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    let there = std::fs::read_to_string(&path).expect("the header");
    assert!(
        there.as_bytes() == made,
        "eudaemon-kit.h is stale: UPDATE=1 cargo test -p eudaemon-kit-c --test header"
    );
}
