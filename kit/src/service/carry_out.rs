//! Plans done, step by step. What was done before a step that fails stays done, and the error says so.

use super::place::{Gone, Put, leads, place, written_for};
use super::plan::{Act, Links, Plan, Step};
use super::steps::wanted;
use super::word::Failure;
use super::{File, look};
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
    /// There was nothing to do: nothing is installed.
    Nothing,
    /// The manager was asked, and said this by its client's exit code.
    Said(u8),
}

/// Whose files a plan is done to.
#[derive(Clone, Copy)]
enum On<'a> {
    /// This machine's, whose manager is told.
    ThisMachine,
    /// Those below a root directory: nothing is run.
    Below(&'a Path),
}

impl On<'_> {
    fn root(&self) -> &Path {
        match self {
            On::ThisMachine => Path::new("/"),
            On::Below(root) => root,
        }
    }

    /// A step as people are told of it.
    fn told(&self, step: &Step) -> String {
        match self {
            On::ThisMachine => step.to_string(),
            On::Below(root) => step.below(root).to_string(),
        }
    }
}

/// What came of a step.
enum Came {
    /// Nothing was changed.
    Looked,
    Changed,
    /// A command that must not fail.
    Ended(ExitStatus),
    /// There is nothing to do.
    Over,
}

impl Plan {
    /// Does the steps; `tell` hears of each before it is done.
    ///
    /// # Errors
    ///
    /// [`Error::Step`]: which step failed and why, and which were done before. They are not undone: an uninstall does
    /// that.
    pub fn carry_out(&self, mut tell: impl FnMut(&Step)) -> Result<Outcome> {
        self.each(self.steps.iter().inspect(|step| tell(step)), On::ThisMachine)
    }

    /// Does what concerns files below a root directory, where somebody puts a system together; `tell` hears of each step with
    /// the paths that it has here. Returns what is left to be done there: commands.
    ///
    /// # Errors
    ///
    /// As [`Plan::carry_out`].
    pub fn carry_out_below(&self, root: &Path, mut tell: impl FnMut(&Step)) -> Result<(Outcome, Vec<&Step>)> {
        let (files, mut left): (Vec<&Step>, Vec<&Step>) =
            self.steps.iter().partition(|step| is_of_files(step));
        let outcome =
            self.each(files.into_iter().inspect(|step| tell(&step.below(root))), On::Below(root))?;
        left.retain(|step| step.is_told());
        Ok((outcome, left))
    }

    fn each<'a>(&self, steps: impl Iterator<Item = &'a Step>, on: On) -> Result<Outcome> {
        let asks = self.act == Act::Status;
        let mut done = Vec::new();
        for step in steps {
            let failed = |source, done: &Vec<String>| match step.is_told() || !done.is_empty() {
                true => Error::Step { step: on.told(step), done: done.clone(), source },
                false => Error::Refused { source },
            };
            match do_step(step, on).map_err(|error| failed(error, &done))? {
                Came::Looked => {}
                Came::Over => return Ok(Outcome::Nothing),
                Came::Changed => done.push(on.told(step)),
                Came::Ended(status) if status.success() => done.push(on.told(step)),
                Came::Ended(status) => match status.code().and_then(|code| u8::try_from(code).ok()) {
                    Some(code) if asks => return Ok(Outcome::Said(code)),
                    Some(_) | None => return Err(failed(io::Error::other(status.to_string()), &done)),
                },
            }
        }
        Ok(Outcome::Done)
    }
}

/// Whether a step is of files alone.
fn is_of_files(step: &Step) -> bool {
    match step {
        Step::Look(_)
        | Step::LookLink(_)
        | Step::LookSections { .. }
        | Step::LookElsewhere { .. }
        | Step::Seek { .. }
        | Step::Clear { .. }
        | Step::Write(_)
        | Step::Remove(_)
        | Step::RemoveEmpty(_)
        | Step::RemoveMade { .. }
        | Step::Link { .. }
        | Step::Unlink(_) => true,
        Step::LookUnit { .. }
        | Step::LookTools(_)
        | Step::Await { .. }
        | Step::Run { .. }
        | Step::RunIf { .. }
        | Step::RunUnless { .. } => false,
    }
}

fn do_step(step: &Step, on: On) -> io::Result<Came> {
    let root = on.root();
    let at = |path: &str| place(path, root).map_err(of_step);
    match step {
        Step::Look(files) => files.iter().try_for_each(|file| file.look(root)).map(looked).map_err(whole),
        Step::LookLink(links) => links.look(root).map(looked),
        Step::LookSections { name, patterns, kept } => look::sections(name, patterns, kept, root).map(looked),
        Step::LookElsewhere { path, others } => look::elsewhere(path, others, root).map(looked),
        Step::LookTools(tools) => look::tools(tools).map(looked),
        Step::LookUnit { path, command: words } => look::unit(path, command(words)).map(looked),
        Step::Seek { name, files, older, links, folders } => {
            let any = look::any(name, (files, older), links, folders, root);
            Ok(if any { Came::Looked } else { Came::Over })
        }
        Step::Clear { name, patterns, kept, before } => clear(name, patterns, kept, before, on),
        Step::Write(file) => match file.put(root).map_err(of_step)? {
            Put::Unchanged => Ok(Came::Looked),
            Put::Made | Put::Replaced => Ok(Came::Changed),
        },
        Step::Remove(file) => remove(file, root),
        Step::RemoveEmpty(path) => match fs::remove_dir(at(path)?) {
            Ok(()) => Ok(Came::Changed),
            Err(error) if is_harmless(error.kind()) => Ok(Came::Looked),
            Err(error) => Err(error),
        },
        Step::RemoveMade { path, names } => remove_made(&at(path)?, names),
        Step::Link { path, to } => link(&at(path)?, to, root),
        Step::Unlink(links) => unlink(links, root),
        Step::Await { command, within } => wait_for(command, *within).map(looked),
        Step::Run { choice, failure } => run_choice(choice, *failure),
        Step::RunIf { test, command } => run_if(test, command),
        Step::RunUnless { test, command } => run_unless(test, command),
    }
}

/// What the system answered; what was done is said by the step.
fn of_step(error: Error) -> io::Error {
    if let Error::Io { doing: _, source } = error { source } else { io::Error::other(error) }
}

/// With what was looked at, which no step says.
fn whole(error: Error) -> io::Error {
    let mut kind = ErrorKind::Other;
    if let Error::Io { doing: _, source } = &error {
        kind = source.kind();
    }
    io::Error::new(kind, error)
}

fn looked((): ()) -> Came {
    Came::Looked
}

fn run_choice(choice: &[Vec<String>], failure: Failure) -> io::Result<Came> {
    match (run_first(choice), failure) {
        (ran, Failure::Counts) => ran.map(Came::Ended),
        (Ok(status), Failure::Ignored) if status.success() => Ok(Came::Changed),
        (Ok(_) | Err(_), Failure::Ignored) => Ok(Came::Looked),
    }
}

fn run_if(test: &[String], command: &[String]) -> io::Result<Came> {
    match quiet(test) {
        Ok(status) if status.success() => run(command).map(Came::Ended),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(Came::Looked),
    }
}

fn run_unless(test: &[String], command: &[String]) -> io::Result<Came> {
    match quiet(test)? {
        status if status.success() => Ok(Came::Looked),
        _ => run(command).map(Came::Ended),
    }
}

fn remove(file: &File, root: &Path) -> io::Result<Came> {
    match file.remove(root).map_err(of_step)? {
        Gone::Before => Ok(Came::Looked),
        Gone::Now => Ok(Came::Changed),
    }
}

fn link(path: &Path, to: &str, root: &Path) -> io::Result<Came> {
    if leads(path, to, root) {
        return Ok(Came::Looked);
    }
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    std::os::unix::fs::symlink(to, path).map(|()| Came::Changed)
}

fn unlink(links: &Links, root: &Path) -> io::Result<Came> {
    let found = links.found(root);
    found.iter().try_for_each(fs::remove_file)?;
    Ok(if found.is_empty() { Came::Looked } else { Came::Changed })
}

/// Removes a directory in which there is nothing but what its manager made.
fn remove_made(path: &Path, names: &[String]) -> io::Result<Came> {
    // A link leads to what is somebody else's.
    let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    if !is_folder {
        return Ok(Came::Looked);
    }
    let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    if entries.iter().any(|entry| !names.iter().any(|name| entry.file_name() == name.as_str())) {
        return Ok(Came::Looked);
    }
    for entry in entries {
        fs::remove_file(entry.path())?;
    }
    fs::remove_dir(path).map(|()| Came::Changed)
}

/// Removes what an older version left; the commands may fail, for a manager that does not run knows nothing of it.
fn clear(
    name: &str,
    patterns: &[String],
    kept: &[String],
    before: &[Vec<String>],
    on: On,
) -> io::Result<Came> {
    let root = on.root();
    let kept = kept.iter().map(|path| place(path, root));
    let kept: Vec<PathBuf> = kept.collect::<Result<_>>().map_err(of_step)?;
    let found = patterns.iter().flat_map(|pattern| written_for(name, pattern, root));
    let found: Vec<PathBuf> = found.filter(|path| !kept.contains(path)).collect();
    let came = if found.is_empty() { Came::Looked } else { Came::Changed };
    // The manager of this machine knows nothing of another root.
    let before = match on {
        On::ThisMachine => before,
        On::Below(_) => &[],
    };
    for path in found {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for command in before {
            let words: Vec<String> = command.iter().cloned().chain([file.clone()]).collect();
            quiet(&words).ok();
        }
        // Where no manager disables it, its links would lead nowhere.
        if let Some(links) = enabled_by(&path, root) {
            unlink(&links, root)?;
        }
        fs::remove_file(&path)?;
    }
    Ok(came)
}

fn enabled_by(path: &Path, root: &Path) -> Option<Links> {
    let inner = path.strip_prefix(root).ok()?.to_string_lossy().into_owned();
    wanted(&File::text(format!("/{inner}"), fs::read_to_string(path).ok()?))
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
