//! A command line that authors may give their programs, read: `PROGRAM service install` and its kin.

use super::plan::Act;
use super::target::{Level, Target};
use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;

/// What is said of it to who asks.
const USAGE: &str = "service install|uninstall|start|stop|status [--user] [--to MANAGER] [--root DIRECTORY] [--program PATH] [--print]";

/// The options, and what each says.
const OPTIONS: [(&str, &str); 6] = [
    ("--user", "the caller's own service, not the machine's"),
    ("--to MANAGER", "for this manager, instead of the one that runs here"),
    (
        "--root DIRECTORY",
        "install and uninstall: files below this directory, for the manager of --to; nothing is run",
    ),
    ("--program PATH", "the program's absolute path, instead of the one it is called by"),
    ("--print", "each step and each file is shown, and nothing is done"),
    ("--help", "this text"),
];

/// What of a plan is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// All of it; below a root directory what concerns files.
    CarryOut,
    /// It is printed.
    Print,
}

/// An act that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What is to be done.
    pub act: Act,
    /// Whose service it is.
    pub level: Level,
    /// For which manager; `None`: the one at hand.
    pub target: Option<Target>,
    /// Whether it is done or printed.
    pub doing: Doing,
    /// The directory below which files are put, and nothing is run.
    pub root: Option<PathBuf>,
    /// What the service runs, instead of the program as it is called.
    pub program: Option<PathBuf>,
}

/// What stands behind the word `service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What there is to ask for.
    Help,
    /// An act.
    Act(Invocation),
}

impl Asked {
    /// Reads a program's arguments, its name first. `None`: the word behind it is not `service`, so the program is meant
    /// itself.
    ///
    /// # Errors
    ///
    /// A sentence: which word is not understood, and what was expected. One is `--daemon` before `service`: a daemon would
    /// be started where somebody meant its service.
    pub fn of_arguments(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Option<std::result::Result<Asked, String>> {
        let words = arguments.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        let words: Vec<String> = words.collect();
        let daemons = words.iter().take_while(|word| *word == "--daemon").count();
        if words.get(daemons)? != "service" {
            return None;
        }
        Some(match daemons {
            0 => read(words.into_iter().skip(1)),
            _ => Err(format!("--daemon before the word service: its acts start no daemon; expected {USAGE}")),
        })
    }

    /// What there is to ask for, for a program of this name.
    #[must_use]
    pub fn help(program: &str) -> String {
        let mut text = format!("usage: {program} {USAGE}\n\nThe service of {program}:\n");
        let mut row = |word: &str, meaning: &str| {
            writeln!(text, "  {word:<17} {meaning}").ok();
        };
        Act::ALL.iter().for_each(|(word, act)| row(word, act.meaning()));
        row("\n  options", "");
        OPTIONS.iter().for_each(|(option, meaning)| row(option, meaning));
        row("\n  managers", "");
        Target::ALL.iter().for_each(|(word, target)| row(word, target.meaning()));
        text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

fn read(words: impl Iterator<Item = String>) -> std::result::Result<Asked, String> {
    let words: Vec<String> = words.collect();
    if words.iter().any(|word| ["--help", "-h"].contains(&word.as_str()))
        || words.first().is_some_and(|word| word == "help")
    {
        return Ok(Asked::Help);
    }
    let mut words = words.into_iter();
    let act = words.next().unwrap_or_default();
    let found = Act::ALL.iter().find(|(word, _)| *word == act).map(|(_, act)| *act);
    let act = found.ok_or_else(|| format!("expected {USAGE}"))?;
    let (doing, level) = (Doing::CarryOut, Level::System);
    let mut read = Invocation { act, level, target: None, doing, root: None, program: None };
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            Some(_) | None => (word.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| words.next()).unwrap_or_default();
        match option {
            "--user" if word == option => read.level = Level::User,
            "--print" if word == option => read.doing = Doing::Print,
            "--to" => read.target = Some(manager(&value())?),
            "--root" => read.root = Some(below(act, value())?),
            "--program" => read.program = Some(program(value())?),
            _ => return Err(format!("{word}: expected {USAGE}")),
        }
    }
    if read.root.is_some() && read.target.is_none() {
        return Err("--root: the manager that runs here says nothing of that one: name it by --to".to_owned());
    }
    Ok(Asked::Act(read))
}

fn below(act: Act, directory: String) -> std::result::Result<PathBuf, String> {
    match act {
        Act::Install | Act::Uninstall => {}
        Act::Start | Act::Stop | Act::Status => {
            return Err("--root: only files are put there: expected install or uninstall".to_owned());
        }
    }
    if directory.is_empty() {
        return Err("--root: expected a directory".to_owned());
    }
    if !std::path::Path::new(&directory).is_dir() {
        return Err(format!("--root {directory}: is no directory"));
    }
    std::path::absolute(&directory).map_err(|error| format!("--root {directory}: {error}"))
}

fn program(path: String) -> std::result::Result<PathBuf, String> {
    match path.starts_with('/') {
        true => Ok(PathBuf::from(path)),
        false => Err(format!("--program {path}: expected an absolute path")),
    }
}

fn manager(word: &str) -> std::result::Result<Target, String> {
    let words = Target::ALL.map(|(word, _)| word).join(", ");
    Target::of_word(word).ok_or_else(|| format!("--to {word}: expected one of {words}"))
}
