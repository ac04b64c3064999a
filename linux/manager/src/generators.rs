//! Generators: programs that write units before units are loaded. systemd.generator(7).
//!
//! Two of systemd's are in our binary too, `eudaemon generate`. They run under systemd's names: where the machine
//! has a program of that name, or masks it, that counts.
//!
//! Each is run with three directories (normal, early, late) as arguments, all at once, and all together must
//! end within a limit. What one says goes to our standard error; one that fails is named and done without.

use crate::machine::Machine;
use eudaemon_host::place::Scope;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long all generators together may take: systemd's own limit.
const LIMIT: Duration = Duration::from_secs(90);

/// Where generators are looked for, the most important directory first.
fn directories(scope: Scope) -> Vec<PathBuf> {
    let word = match scope {
        Scope::System => "system-generators",
        Scope::User => "user-generators",
    };
    if let Some(list) = std::env::var_os(match scope {
        Scope::System => "SYSTEMD_GENERATOR_PATH",
        Scope::User => "SYSTEMD_USER_GENERATOR_PATH",
    }) {
        return std::env::split_paths(&list).collect();
    }
    ["/run/systemd", "/etc/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"]
        .iter()
        .map(|base| Path::new(base).join(word))
        .collect()
}

/// Our own, by the names systemd's have.
const CARRIED: &[(&str, &str)] = &[("systemd-fstab-generator", "fstab"), ("systemd-sysv-generator", "sysv")];

/// What is run: a program of the machine, or ours with a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Generator {
    Program(PathBuf),
    Carried { program: PathBuf, word: &'static str },
}

impl Generator {
    fn command(&self) -> Command {
        match self {
            Generator::Program(path) => Command::new(path),
            Generator::Carried { program, word } => {
                let mut command = Command::new(program);
                command.args(["generate", word]);
                command
            }
        }
    }
}

impl std::fmt::Display for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Generator::Program(path) => path.display().fmt(f),
            Generator::Carried { word, .. } => write!(f, "'eudaemon generate {word}'"),
        }
    }
}

/// The machine's programs, and what is carried where the machine has none of that name: of equal names the first
/// directory's, masked ones left out.
fn programs(directories: &[PathBuf], carried: &[(&'static str, Generator)]) -> Vec<Generator> {
    let mut found: BTreeMap<std::ffi::OsString, Option<Generator>> = BTreeMap::new();
    for directory in directories {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let runnable = fs::metadata(&path)
                .is_ok_and(|file| file.is_file() && file.len() > 0 && file.permissions().mode() & 0o111 != 0);
            let masked =
                fs::metadata(&path).is_ok_and(|file| file.file_type().is_char_device() || file.len() == 0);
            if runnable || masked {
                found.entry(entry.file_name()).or_insert(runnable.then_some(Generator::Program(path)));
            }
        }
    }
    for (name, generator) in carried {
        found.entry((*name).into()).or_insert(Some(generator.clone()));
    }
    found.into_values().flatten().collect()
}

/// A user has neither /etc/fstab nor init scripts.
fn carried(scope: Scope, program: &str) -> Vec<(&'static str, Generator)> {
    match scope {
        Scope::System => CARRIED
            .iter()
            .map(|(name, word)| (*name, Generator::Carried { program: program.into(), word }))
            .collect(),
        Scope::User => Vec::new(),
    }
}

/// Empties the generator directories and fills them anew; returns a line for each thing that went wrong.
pub fn run(machine: &Machine, environment: &[String]) -> Vec<String> {
    let (place, container) = (&machine.place, machine.container.as_deref());
    let mut said = Vec::new();
    let outputs: Vec<PathBuf> = ["generator", "generator.early", "generator.late"]
        .iter()
        .map(|name| place.published.join(name))
        .collect();
    for output in &outputs {
        drop(fs::remove_dir_all(output));
        if let Err(error) = fs::create_dir_all(output) {
            said.push(format!("cannot make {}: {error}", output.display()));
            return said;
        }
    }
    let mut running = Vec::new();
    for generator in programs(&directories(place.scope), &carried(place.scope, &machine.program)) {
        match start(&generator, &outputs, place.scope, environment, container) {
            Ok(child) => running.push((generator, child)),
            Err(error) => said.push(format!("cannot run generator {generator}: {error}")),
        }
    }
    let deadline = Instant::now() + LIMIT;
    for (generator, child) in running {
        said.extend(finish(&generator, child, deadline));
    }
    said
}

fn start(
    generator: &Generator,
    outputs: &[PathBuf],
    scope: Scope,
    environment: &[String],
    container: Option<&str>,
) -> std::io::Result<Child> {
    let mut command = generator.command();
    command.args(outputs).env_clear().stdin(Stdio::null()).current_dir("/");
    command.envs(environment.iter().filter_map(|entry| entry.split_once('=')));
    command.env(
        "SYSTEMD_SCOPE",
        match scope {
            Scope::System => "system",
            Scope::User => "user",
        },
    );
    match scope {
        Scope::System => {
            let first = Path::new("/run/systemd/first-boot").exists();
            command.env("SYSTEMD_IN_INITRD", "0").env("SYSTEMD_FIRST_BOOT", if first { "1" } else { "0" });
        }
        // They are told of no boot.
        Scope::User => {}
    }
    command.env("SYSTEMD_ARCHITECTURE", eudaemon_host::condition::native_architecture());
    if let Some(word) = container {
        command.env("SYSTEMD_VIRTUALIZATION", format!("container:{word}"));
    }
    command.spawn()
}

fn finish(generator: &Generator, mut child: Child, deadline: Instant) -> Option<String> {
    if !wait_until(&child, deadline) {
        drop(child.kill());
        drop(child.wait());
        return Some(format!("generator {generator} killed after {} seconds", LIMIT.as_secs()));
    }
    match child.wait() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("generator {generator} failed: {status}")),
        Err(error) => Some(format!("generator {generator} was lost: {error}")),
    }
}

/// Waits for the child's end without taking its status.
fn wait_until(child: &Child, deadline: Instant) -> bool {
    let Some(pid) = Pid::from_raw(child.id() as i32) else { return true };
    let Ok(pidfd): Result<OwnedFd, _> = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let mut waiting = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        match poll(&mut waiting, Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_wins_and_masks_count() {
        let base = std::env::temp_dir().join(format!("eudaemon-generators-{}", std::process::id()));
        let (high, low) = (base.join("high"), base.join("low"));
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        write(high.join("a"), "#!/bin/sh\n");
        write(low.join("a"), "#!/bin/sh\nfalse\n");
        write(low.join("b"), "#!/bin/sh\n");
        write(low.join("c"), "#!/bin/sh\n");
        std::os::unix::fs::symlink("/dev/null", high.join("b")).unwrap();
        let ours = |word| Generator::Carried { program: "/x".into(), word };
        let carried = [("b", ours("b")), ("c", ours("c")), ("d", ours("d"))];
        let found = programs(&[high.clone(), low.clone(), base.join("missing")], &carried);
        let theirs = [high.join("a"), low.join("c")].map(Generator::Program);
        assert_eq!(found, [theirs[0].clone(), theirs[1].clone(), ours("d")]);
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn output_failure_and_environment() {
        let base = std::env::temp_dir().join(format!("eudaemon-generate-{}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let program = base.join("g");
        fs::write(&program, "#!/bin/sh\necho \"$SYSTEMD_SCOPE $A $SYSTEMD_IN_INITRD\" > \"$1/x\"; exit 3\n")
            .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let program = Generator::Program(program);
        let child =
            start(&program, std::slice::from_ref(&base), Scope::System, &["A=b".into()], None).unwrap();
        let said = finish(&program, child, Instant::now() + LIMIT).unwrap();
        assert!(said.contains("failed: exit status: 3"), "{said}");
        assert_eq!(fs::read_to_string(base.join("x")).unwrap(), "system b 0\n");
        let child = start(&program, std::slice::from_ref(&base), Scope::User, &["A=b".into()], None).unwrap();
        assert!(finish(&program, child, Instant::now() + LIMIT).is_some());
        assert_eq!(fs::read_to_string(base.join("x")).unwrap(), "user b \n");
        fs::remove_dir_all(base).unwrap();
    }
}
