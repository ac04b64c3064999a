//! The release binaries: static, against musl. Where a target cannot be had it is said loudly, and the plain one is built instead.

use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::found;
use std::process::Command;

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Builds every target that this machine can; answers whether one of them is static.
pub fn dist() -> Result<bool> {
    let mut made = 0;
    for target in TARGETS {
        match build(target)? {
            None => {
                made += 1;
                println!("target/{target}/release/eudaemon");
            }
            Some(why) => println!("SKIPPED: {target}: {why}"),
        }
    }
    if made == 0 {
        println!("no static binary: cargo build --release makes one for this machine's own C library");
    }
    Ok(made > 0)
}

/// Builds one target, or says why it cannot.
pub fn build(target: &str) -> Result<Option<String>> {
    if !found("rustup") {
        let library = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
        let folder = String::from_utf8(library.context("cannot run rustc")?.stdout)?;
        if !std::path::Path::new(folder.trim()).exists() {
            return Ok(Some("no rustup here, and the toolchain does not have the target".to_owned()));
        }
    } else {
        let added =
            Command::new("rustup").args(["target", "add", target]).output().context("cannot run rustup")?;
        if !added.status.success() {
            let said = String::from_utf8_lossy(&added.stderr).trim().replace('\n', "; ");
            return Ok(Some(format!("rustup target add: {said}")));
        }
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "eudaemon", "--target", target]);
    if target.starts_with("aarch64") {
        // The toolchain's own linker knows every target; this machine's cc does not.
        cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
    }
    let status = cargo.status().context("cannot run cargo")?;
    Ok((!status.success()).then(|| format!("cargo build: {status}")))
}
