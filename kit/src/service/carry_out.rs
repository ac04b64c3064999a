//! Plans done, step by step. What was done before a step that fails stays done, and the error says so.

use super::place::{place, written_for};
use super::plan::{Act, Plan, Step};
use super::word::Failure;
use crate::error::{Error, Result};
use crate::limits::LOOK;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a plan came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps went well.
    Done,
    /// The manager was asked, and said this by its client's exit code.
    Said(u8),
}

impl Plan {
    /// Does the steps; `tell` hears of each before it is done.
    ///
    /// # Errors
    ///
    /// [`Error::Step`]: which step failed and why, and how many were done before. They are not undone: an uninstall does
    /// that.
    pub fn carry_out(&self, mut tell: impl FnMut(&Step)) -> Result<Outcome> {
        let asks = self.act == Act::Status;
        for (done, step) in self.steps.iter().enumerate() {
            tell(step);
            let failed = |source| Error::Step { step: step.to_string(), done, source };
            let status = do_step(step).map_err(failed)?;
            match status {
                None => {}
                Some(status) if status.success() => {}
                Some(status) => match status.code().and_then(|code| u8::try_from(code).ok()) {
                    Some(code) if asks => return Ok(Outcome::Said(code)),
                    Some(_) | None => return Err(failed(io::Error::other(status.to_string()))),
                },
            }
        }
        Ok(Outcome::Done)
    }
}

/// How a command that must not fail ended, if the step is one.
fn do_step(step: &Step) -> io::Result<Option<ExitStatus>> {
    let root = Path::new("/");
    match step {
        Step::Look(files) => {
            files.iter().try_for_each(|file| file.look(root)).map(|()| None).map_err(io::Error::other)
        }
        Step::Clear { name, patterns, kept, before } => {
            clear(name, patterns, kept, before, root).map(|()| None)
        }
        Step::Write(file) => file.put(root).map(|_| None).map_err(io::Error::other),
        Step::Remove(file) => file.remove(root).map(|()| None).map_err(io::Error::other),
        Step::RemoveEmpty(path) => match fs::remove_dir(path) {
            Err(error) if !is_harmless(error.kind()) => Err(error),
            Ok(()) | Err(_) => Ok(None),
        },
        Step::Link { path, to } => match fs::read_link(path) {
            Ok(there) if there == Path::new(to) => Ok(None),
            Ok(_) | Err(_) => std::os::unix::fs::symlink(to, path).map(|()| None),
        },
        Step::Unlink { path, to } => match fs::read_link(path) {
            Ok(there) if there == Path::new(to) => fs::remove_file(path).map(|()| None),
            Ok(_) | Err(_) => Ok(None),
        },
        Step::Await { command, within } => wait_for(command, *within).map(|()| None),
        Step::Run { choice, failure } => {
            let ran = run_first(choice);
            match failure {
                Failure::Counts => ran.map(Some),
                Failure::Ignored => Ok(None),
            }
        }
        Step::RunIf { test, command } => match quiet(test) {
            Ok(status) if status.success() => run(command).map(Some),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(None),
        },
        Step::RunUnless { test, command } => match run(test) {
            Ok(status) if status.success() => Ok(None),
            Ok(_) => run(command).map(Some),
            Err(error) => Err(error),
        },
    }
}

/// Removes what an older version left; the commands may fail, for a manager that does not run knows nothing of it.
fn clear(
    name: &str,
    patterns: &[String],
    kept: &[String],
    before: &[Vec<String>],
    root: &Path,
) -> io::Result<()> {
    let kept = kept.iter().map(|path| place(path, root));
    let kept: Vec<PathBuf> = kept.collect::<Result<_>>().map_err(io::Error::other)?;
    let found = patterns.iter().flat_map(|pattern| written_for(name, pattern, root));
    for path in found.filter(|path| !kept.contains(path)) {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for command in before {
            let words: Vec<String> = command.iter().cloned().chain([file.clone()]).collect();
            quiet(&words).ok();
        }
        fs::remove_file(&path)?;
    }
    Ok(())
}

fn is_harmless(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory)
}

fn wait_for(words: &[String], within: Duration) -> io::Result<()> {
    let begin = Instant::now();
    loop {
        let ended = quiet(words)?;
        if ended.success() {
            return Ok(());
        }
        if begin.elapsed() >= within {
            return Err(io::Error::new(ErrorKind::TimedOut, "it does not in time"));
        }
        std::thread::sleep(LOOK);
    }
}

/// Runs the first command whose program is there.
fn run_first(choice: &[Vec<String>]) -> io::Result<ExitStatus> {
    let mut missing = io::Error::from(ErrorKind::NotFound);
    for command in choice {
        match run(command) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing = error,
            ended => return ended,
        }
    }
    Err(missing)
}

/// A test: what it prints is nobody's business.
fn quiet(words: &[String]) -> io::Result<ExitStatus> {
    command(words)?.stdout(Stdio::null()).stderr(Stdio::null()).status()
}

fn run(words: &[String]) -> io::Result<ExitStatus> {
    command(words)?.status()
}

fn command(words: &[String]) -> io::Result<Command> {
    let Some((program, arguments)) = words.split_first() else { return Err(ErrorKind::InvalidInput.into()) };
    let arguments = arguments.iter().map(|word| match word.strip_prefix("~/") {
        Some(rest) => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(rest),
        None => PathBuf::from(word),
    });
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}
