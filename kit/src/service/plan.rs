//! Acts on a service as steps that can be printed, looked at and done.

use super::description::{Account, Boot, Service};
use super::loss::Loss;
use super::steps::{self, asking, starting, stopping};
use super::target::{Level, Refusal, Target, written};
use super::{File, word::quoted};
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// What can be done about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is made known to the manager, and started with the machine from now on.
    Install,
    /// It is stopped, and all that an install made goes.
    Uninstall,
    /// It is brought up.
    Start,
    /// It is brought down.
    Stop,
    /// It is asked whether it is up: the manager's own words and exit code.
    Status,
}

/// One step of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nobody else's files are at these places; nothing is changed.
    Look(Vec<File>),
    /// At the place of our link there is nothing else; nothing is changed.
    LookLink(Links),
    /// No file but ours has a section of the service's name; nothing is changed.
    LookSections {
        /// The service.
        name: String,
        /// Where there may be one; the last part of a path may hold a `*`.
        patterns: Vec<String>,
        /// Ours.
        kept: Vec<String>,
    },
    /// Where ours is not there, nobody else's is that would be taken for it; nothing is changed.
    LookElsewhere {
        /// Ours.
        path: String,
        /// Others of that name.
        others: Vec<String>,
    },
    /// One of these programs is there: what is done without them could not be finished.
    LookTools(Vec<String>),
    /// The manager takes ours for the unit of this name, or knows none; nothing is changed.
    LookUnit {
        /// Ours.
        path: String,
        /// Asks it for the path of the unit's file.
        command: Vec<String>,
    },
    /// Something of ours is there; else all is done.
    Seek {
        /// The service.
        name: String,
        /// Files that are ours if they are there.
        files: Vec<String>,
        /// Where an older version may have written others; the last part of a path may hold a `*`.
        older: Vec<String>,
        /// Links that are ours if they lead there.
        links: Vec<Links>,
        /// A folder that was ours.
        folders: Vec<String>,
    },
    /// A file is there.
    Write(File),
    /// A file of ours is not there.
    Remove(File),
    /// What an older version of the program wrote for the service, and this one does not, is not there.
    Clear {
        /// The service.
        name: String,
        /// Where it may be; the last part of a path may hold a `*`.
        patterns: Vec<String>,
        /// What is of this version, and stays.
        kept: Vec<String>,
        /// Run before, each with the file's name as its last word; they may fail.
        before: Vec<Vec<String>>,
    },
    /// A directory is not there, if nothing is in it.
    RemoveEmpty(String),
    /// A directory is not there, if nothing else is in it but these: what a manager made beside our files.
    RemoveMade {
        /// The directory.
        path: String,
        /// Names in it.
        names: Vec<String>,
    },
    /// A link to a path is there.
    Link {
        /// The link.
        path: String,
        /// Where it leads.
        to: String,
    },
    /// Links to a path are not there; others are left as they are.
    Unlink(Links),
    /// A command succeeds soon: the manager has seen what was done.
    Await {
        /// The command; what it prints is not read.
        command: Vec<String>,
        /// How soon.
        within: Duration,
    },
    /// The first of these commands is run whose program is there.
    Run {
        /// Each with its arguments.
        choice: Vec<Vec<String>>,
        /// What its failure means.
        failure: super::Failure,
    },
    /// A command is run if another succeeds.
    RunIf {
        /// This one.
        test: Vec<String>,
        /// Then this, which must succeed.
        command: Vec<String>,
    },
    /// A command is run unless another succeeds.
    RunUnless {
        /// This one.
        test: Vec<String>,
        /// Else this.
        command: Vec<String>,
    },
}

/// Links to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Where they may be; the last part of each may hold a `*`.
    pub paths: Vec<String>,
    /// Where they lead.
    pub to: String,
}

/// The steps of an act, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What they come to.
    pub act: Act,
    /// To be done one after the other.
    pub steps: Vec<Step>,
    /// What the manager cannot be told, the worst first; of an install alone.
    pub losses: Vec<Loss>,
}

impl Act {
    /// All of them, with the words they are asked for by.
    pub const ALL: [(&'static str, Act); 5] = [
        ("install", Act::Install),
        ("uninstall", Act::Uninstall),
        ("start", Act::Start),
        ("stop", Act::Stop),
        ("status", Act::Status),
    ];

    /// What it does, for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Act::Install => "make it known to the manager, and start it with the machine from now on",
            Act::Uninstall => "stop it, and take away all that an install made",
            Act::Start => "bring it up",
            Act::Stop => "bring it down",
            Act::Status => {
                "ask whether it is up: exit code 0 if it is, 3 if it is down, 4 if nobody knows it, else the manager's own"
            }
        }
    }

    /// The steps it takes.
    ///
    /// # Errors
    ///
    /// [`Refusal`] as [`written`] has it.
    pub fn plan(self, service: &Service, target: Target, level: Level) -> Result<Plan, Refusal> {
        let written = written(service, target, level)?;
        let steps = match self {
            Act::Install => {
                let mut steps = look(&written.files);
                steps.extend(steps::looking(service, target, &written.files));
                steps.extend(steps::elsewhere(service, target, level));
                steps.push(Step::LookTools(steps::tools(target)));
                steps.extend(steps::asking_whose(service, target, level));
                steps.extend(user(service, target));
                steps.extend(written.files.iter().cloned().map(Step::Write));
                steps.extend(steps::clearing(service, target, level, &written.files));
                steps.extend(written.commands.iter().cloned().map(run));
                steps.extend(steps::enabling(service, target, level));
                steps
            }
            Act::Uninstall => {
                // Somebody else's are neither stopped nor run.
                let mut all = look(&written.files);
                all.extend(seek(service, target, level, &written.files));
                all.extend(steps::looking(service, target, &written.files));
                all.extend(steps::disabling(service, target, level));
                // The last that was written goes first.
                all.extend(written.files.iter().rev().cloned().map(Step::Remove));
                all.extend(steps::clearing(service, target, level, &written.files));
                all.extend(steps::forgetting(service, target, level, &written.files));
                all
            }
            // A name may be somebody else's, whose service is not ours to start or stop, and whose script not ours to run.
            Act::Start | Act::Stop | Act::Status => {
                let mut all = look(&written.files);
                all.extend(steps::looking(service, target, &written.files));
                all.extend(steps::elsewhere(service, target, level));
                all.extend(installed(service, target, &written.files));
                all.extend(steps::asking_whose(service, target, level));
                all.extend(match self {
                    Act::Start => starting(service, target, level),
                    Act::Stop => stopping(service, target, level),
                    Act::Install | Act::Uninstall | Act::Status => asking(service, target, level),
                });
                all
            }
        };
        let losses = if self == Act::Install { written.losses } else { Vec::new() };
        Ok(Plan { act: self, steps, losses })
    }
}

fn look(files: &[File]) -> Vec<Step> {
    if files.is_empty() { Vec::new() } else { vec![Step::Look(files.to_vec())] }
}

/// What makes it known to its manager is there.
fn installed(service: &Service, target: Target, files: &[File]) -> Option<Step> {
    let main = match target {
        // A script may stand beside it.
        Target::Supervisord => files.last(),
        Target::Systemd
        | Target::Eudaemon
        | Target::Openrc
        | Target::Sysv
        | Target::Runit
        | Target::Launchd
        | Target::Windows => files.first(),
    }?;
    let (older, links, folders) = (Vec::new(), Vec::new(), Vec::new());
    Some(Step::Seek { name: service.name.clone(), files: vec![main.path.clone()], older, links, folders })
}

/// Whatever an uninstall that failed may have left.
fn seek(service: &Service, target: Target, level: Level, files: &[File]) -> Option<Step> {
    let older = match steps::clearing(service, target, level, files) {
        Some(Step::Clear { patterns, .. }) => patterns,
        Some(_) | None => Vec::new(),
    };
    let (links, folders) = (steps::links(service, target, files), steps::folders(service, target));
    let files: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    // A manager without files is asked itself.
    (!files.is_empty()).then(|| Step::Seek { name: service.name.clone(), files, older, links, folders })
}

/// Where the manager makes no user for the service somebody has to.
fn user(service: &Service, target: Target) -> Option<Step> {
    let name = match service.account {
        Account::IsThere => return None,
        Account::IsMade => service.rights.user.clone()?,
    };
    match target {
        Target::Openrc | Target::Sysv | Target::Runit | Target::Supervisord => {}
        Target::Systemd | Target::Eudaemon | Target::Launchd | Target::Windows => return None,
    }
    let words = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", &name];
    Some(Step::RunUnless {
        test: ["getent", "passwd", &name].map(str::to_owned).to_vec(),
        command: words.map(str::to_owned).to_vec(),
    })
}

impl Step {
    /// The same with the paths that it has below a root directory, as people are told of it.
    pub(super) fn below(&self, root: &Path) -> Step {
        let at = |path: &String| {
            root.join(path.trim_start_matches("~/").trim_start_matches('/')).display().to_string()
        };
        let all = |paths: &Vec<String>| paths.iter().map(at).collect();
        let file = |file: &File| File { path: at(&file.path), ..file.clone() };
        let mut step = self.clone();
        match &mut step {
            Step::Look(files) => *files = files.iter().map(file).collect(),
            Step::Write(one) | Step::Remove(one) => *one = file(one),
            Step::LookLink(Links { paths, .. }) | Step::Unlink(Links { paths, .. }) => *paths = all(paths),
            Step::LookSections { patterns, .. } | Step::Clear { patterns, .. } => *patterns = all(patterns),
            Step::LookElsewhere { path, others } => (*path, *others) = (at(path), all(others)),
            Step::RemoveEmpty(path) | Step::RemoveMade { path, .. } | Step::Link { path, .. } => {
                *path = at(path)
            }
            // A search names nothing, and commands are run nowhere but here.
            Step::Seek { .. }
            | Step::LookUnit { .. }
            | Step::LookTools(_)
            | Step::Await { .. }
            | Step::Run { .. }
            | Step::RunIf { .. }
            | Step::RunUnless { .. } => {}
        }
        step
    }

    /// Whether people hear of it before it is done: a look only matters if something is wrong.
    #[must_use]
    pub fn is_told(&self) -> bool {
        match self {
            Step::Look(_)
            | Step::LookLink(_)
            | Step::LookSections { .. }
            | Step::LookElsewhere { .. }
            | Step::LookTools(_)
            | Step::LookUnit { .. }
            | Step::Seek { .. } => false,
            Step::Write(_)
            | Step::Remove(_)
            | Step::Clear { .. }
            | Step::RemoveEmpty(_)
            | Step::RemoveMade { .. }
            | Step::Link { .. }
            | Step::Unlink(_)
            | Step::Await { .. }
            | Step::Run { .. }
            | Step::RunIf { .. }
            | Step::RunUnless { .. } => true,
        }
    }
}

/// One command that must not fail.
pub(super) fn run(command: Vec<String>) -> Step {
    Step::Run { choice: vec![command], failure: super::Failure::Counts }
}

/// Whether it is started with the machine.
pub(super) fn boots(service: &Service) -> bool {
    service.boot == Boot::Starts
}

/// A command as a shell would have it; of one in a shell's words its name stands for them.
fn line(command: &[String]) -> String {
    let command = match command {
        [shell, option, _, named @ ..] if shell == "sh" && option == "-c" && !named.is_empty() => named,
        command => command,
    };
    command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Step::Look(files) => {
                let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
                write!(f, "look that nobody else's files are at {}", paths.join(", "))
            }
            Step::LookLink(Links { paths, to }) => {
                write!(f, "look that nothing is at {} but our link to {to}", paths.join(", "))
            }
            Step::LookSections { name, patterns, .. } => {
                write!(f, "look that no other section is called {name} in {}", patterns.join(", "))
            }
            Step::LookElsewhere { path, .. } => {
                write!(f, "look that nobody else has {}", path.rsplit('/').next().unwrap_or(path))
            }
            Step::LookTools(tools) => write!(f, "look that {} is there", tools.join(" or ")),
            Step::LookUnit { path, command } => {
                write!(f, "look that {} tells {path}, or nothing", line(command))
            }
            Step::Seek { name, .. } => write!(f, "go on if anything of {name} is there"),
            Step::RemoveMade { path, names } => {
                write!(f, "remove {path} if nothing is in it but {}", names.join(", "))
            }
            Step::Clear { name, patterns, .. } => {
                write!(f, "remove what an older {name} wrote as {}", patterns.join(", "))
            }
            Step::Write(file) => write!(f, "write {} ({:04o})", file.path, file.mode.as_raw_mode()),
            Step::Remove(file) => write!(f, "remove {}", file.path),
            Step::RemoveEmpty(path) => write!(f, "remove {path} if it is empty"),
            Step::Link { path, to } => write!(f, "link {path} to {to}"),
            Step::Unlink(Links { paths, to }) => match &paths[..] {
                [path] => write!(f, "remove the link {path} to {to}"),
                paths => write!(f, "remove the links {} to {to}", paths.join(", ")),
            },
            Step::Await { command, within } => {
                write!(f, "wait until {} succeeds, {} s at most", line(command), within.as_secs())
            }
            Step::Run { choice, failure } => {
                let lines: Vec<String> = choice.iter().map(|command| line(command)).collect();
                write!(f, "run {}", lines.join(" (or ") + &")".repeat(lines.len() - 1))?;
                match failure {
                    super::Failure::Counts => Ok(()),
                    super::Failure::Ignored => f.write_str(", which may fail"),
                }
            }
            Step::RunIf { test, command } => write!(f, "run {} if {} succeeds", line(command), line(test)),
            Step::RunUnless { test, command } => {
                write!(f, "run {} unless {} succeeds", line(command), line(test))
            }
        }
    }
}

impl fmt::Display for Plan {
    /// A line for each step, the text of a file behind it, and a line for each loss.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
            if let Step::Write(file) = step {
                for line in file.text.lines() {
                    writeln!(f, "    {line}")?;
                }
            }
        }
        Loss::folded(&self.losses).iter().try_for_each(|loss| writeln!(f, "{loss}"))
    }
}
