//! What has to be there before the machine tests can run: programs of this machine, installed by apt where that is possible.

use anyhow::Result;
use eudaemon_machine_tests::candidate::found;
use std::process::{Command, Stdio};

/// A program that a test calls, and the Debian package that ships it.
const NEEDED: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("systemctl", "systemd"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("setpriv", "util-linux"),
    ("ip", "iproute2"),
    ("curl", "curl"),
];

/// Installs what is missing. What stays missing is said, and is no failure: the tests skip by themselves.
pub fn install() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() || !found("apt-get") {
        println!(
            "SKIPPED: installing {}: {}",
            missing.join(" "),
            if is_root() { "no apt-get here" } else { "not root" }
        );
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], &missing[..]].concat())?;
    for package in self::missing() {
        println!("SKIPPED: installing {package}: apt-get does not give it");
    }
    Ok(())
}

/// Installs Python and what makes environments of its packages.
pub fn install_python() -> Result<()> {
    let works = |words: &[&str]| {
        let tried = Command::new("python3").args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    if works(&["-c", "import ensurepip, venv"]) || !is_root() || !found("apt-get") {
        return Ok(());
    }
    println!("installing python3-venv");
    apt(&["update"])?;
    apt(&["install", "-y", "--no-install-recommends", "python3-venv"])
}

pub fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

fn missing() -> Vec<&'static str> {
    let mut packages: Vec<&str> =
        NEEDED.iter().filter(|(program, _)| !found(program)).map(|(_, package)| *package).collect();
    packages.dedup();
    // A static program needs the C library's archive beside its headers.
    if !std::path::Path::new("/usr/include/stdio.h").exists() {
        packages.push("libc6-dev");
    }
    packages
}

fn apt(words: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.arg("-qq").args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    let status = command.status()?;
    if !status.success() {
        println!("apt-get {}: {status}", words.join(" "));
    }
    Ok(())
}
