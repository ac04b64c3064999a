//! Debian's own, unmodified systemctl against the server, in a mount namespace of its own: texts, exit codes and
//! what was asked. `UPDATE=1` rewrites the transcripts.

mod table;

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use table::{Background, Table};

const INNER: &str = "EUDAEMON_BUS_TEST_SCRIPT";

fn main() -> ExitCode {
    match std::env::var_os(INNER) {
        Some(script) => inside(Path::new(&script)),
        None => outside(),
    }
}

/// Each script runs in a namespace with its own /run/systemd, in a second life of this program.
fn outside() -> ExitCode {
    let possible =
        Command::new("unshare").args(["-m", "systemctl", "--version"]).stdout(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        println!("SKIPPED: systemctl against the bus server (needs root, unshare and systemctl)");
        return ExitCode::SUCCESS;
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut scripts: Vec<PathBuf> =
        fs::read_dir(directory).expect("transcripts").map(|entry| entry.expect("an entry").path()).collect();
    scripts.sort();
    let mut failed = false;
    for script in scripts {
        let own = std::env::current_exe().expect("our own path");
        let output = Command::new("unshare")
            .args(["-m", "--propagation", "private"])
            .arg(own)
            .env(INNER, &script)
            .output();
        let output = output.expect("unshare runs");
        let got = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = fs::read_to_string(&script).expect("a transcript");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&script, &got).expect("the transcript can be written");
        } else if got != expected || !output.status.success() {
            failed = true;
            println!("{}: differs", script.display());
            show_difference(&expected, &got);
            println!("{}", String::from_utf8_lossy(&output.stderr));
        } else {
            println!("{}: ok", script.display());
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn show_difference(expected: &str, got: &str) {
    let (mut left, mut right) = (expected.lines(), got.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return,
            (expected, got) if expected == got => {}
            (expected, got) => println!("- {}\n+ {}", expected.unwrap_or_default(), got.unwrap_or_default()),
        }
    }
}

/// Prints the script again, each `$ command` with what it says and its exit code.
fn inside(script: &Path) -> ExitCode {
    let mount = Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run/systemd"]).status();
    assert!(mount.is_ok_and(|status| status.success()), "tmpfs on /run/systemd");
    fs::create_dir("/run/systemd/system").expect("sd_booted");
    let server = Background::start(Path::new("/run/systemd/private"), 0, Table::new);
    let text = fs::read_to_string(script).expect("the script");
    let mut out = std::io::stdout();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => {
                let said = run(command);
                write!(out, "{line}\n{said}").expect("stdout");
            }
            None if line.starts_with('#') => writeln!(out, "{line}\n").expect("stdout"),
            // What a command said last time.
            None => {}
        }
    }
    drop(server);
    ExitCode::SUCCESS
}

/// stdout and stderr together, indented, and the exit code where it is not 0.
fn run(command: &str) -> String {
    let mut shell = Command::new("timeout");
    shell.args(["10", "sh", "-c", &format!("exec 2>&1; {command}")]).stdin(Stdio::null());
    shell.env_clear().envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC")]);
    shell.envs([
        ("SYSTEMD_PAGER", "cat"),
        ("SYSTEMD_COLORS", "0"),
        ("COLUMNS", "110"),
        ("SYSTEMD_IGNORE_CHROOT", "1"),
    ]);
    let output = shell.process_group(0).output().expect("a shell");
    let mut said = String::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        said.push_str(&format!("  {}\n", without_age(line)).replace("  \n", "\n"));
    }
    match output.status.code() {
        Some(0) => said,
        Some(code) => format!("{said}  [exit {code}]\n"),
        None => format!("{said}  [killed]\n"),
    }
}

/// `…; 3min ago` depends on when the test runs.
fn without_age(line: &str) -> &str {
    line.split_once(" UTC; ").map_or(line, |(before, _)| before)
}
