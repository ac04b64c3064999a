//! What a program answers who asks it about its service.

use super::called::{Program, called_program};
use super::carry_out::Outcome;
use super::invocation::{Asked, Doing, Invocation};
use super::loss::Loss;
use super::place::{Last, inside};
use super::plan::{Act, Plan};
use super::target::{Level, Refusal, Target};
use super::{Service, look, steps, systemd};
use crate::daemon::Daemon;
use crate::error::{Error, Result};
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

/// The exit code of a status that nobody knows.
const NOT_KNOWN: u8 = 4;
/// Of what went wrong.
const FAILED: u8 = 1;

impl Daemon {
    /// Answers `PROGRAM service install|uninstall|start|stop|status [--user] [--to MANAGER] [--root DIRECTORY] [--program PATH]
    /// [--print]` and `PROGRAM service --help`, where the program was called so; `None` where it was not, and goes on. The service is this
    /// program, by the path it is called by now, with these arguments: a link to the program, such as a package manager
    /// changes with each version, stays a link.
    ///
    /// What is done is told on stdout, and what the manager cannot be told on stderr, the worst first. The exit code is 0,
    /// or 1 with a sentence on stderr; of `status` it is the manager's own, and 4 where nobody can be asked, as the Linux
    /// Standard Base has it.
    ///
    /// ```no_run
    /// use eudaemon_kit::Daemon;
    ///
    /// fn main() -> std::process::ExitCode {
    ///     let daemon = Daemon::new("greeter").pid_file("/run/greeter.pid");
    ///     if let Some(code) = daemon.answer_service("Says hello", ["--polite"]) {
    ///         return code;
    ///     }
    ///     daemon.run(|life| {
    ///         life.ready()?;
    ///         life.wait().map(drop)
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn answer_service<Text: Into<OsString>>(
        &self,
        description: &str,
        arguments: impl IntoIterator<Item = Text>,
    ) -> Option<ExitCode> {
        let words: Vec<OsString> = std::env::args_os().collect();
        let program = called_program(words.first());
        self.answer_service_as(words, description, &program, arguments).map(ExitCode::from)
    }

    /// [`Daemon::answer_service`] for programs in other languages: `words` is the command line, the program's name first.
    /// Gives what to exit with.
    #[must_use]
    pub fn answer_service_as<Text: Into<OsString>>(
        &self,
        words: impl IntoIterator<Item = OsString>,
        description: &str,
        program: &Program,
        arguments: impl IntoIterator<Item = Text>,
    ) -> Option<u8> {
        let asked = match Asked::of_arguments(words)? {
            Ok(asked) => asked,
            Err(text) => return Some(complain(self.name(), &text)),
        };
        let Asked::Act(invocation) = asked else {
            say(&mut std::io::stdout(), &Asked::help(self.name()));
            return Some(0);
        };
        let failed = |text: &str| not_done(invocation.act, complain(self.name(), text));
        if let Err(error) = self.check_description() {
            return Some(failed(&error.to_string()));
        }
        let service = chosen(program, &invocation).and_then(|program| {
            let arguments = arguments.into_iter().map(Into::into).collect();
            Ok((Service::of_program(self, description, &program, arguments)?, program))
        });
        Some(match service {
            Ok((service, program)) => {
                for doubt in self.doubts(&program, &invocation) {
                    complain(self.name(), &doubt);
                }
                answer(&service, &program, &invocation)
            }
            Err(refusal) => failed(&refusal.to_string()),
        })
    }
}

impl Daemon {
    /// What would keep an installed service from starting, as this machine is now: that may change before the start.
    fn doubts(&self, program: &Program, invocation: &Invocation) -> Vec<String> {
        if invocation.act != Act::Install || invocation.root.is_some() || invocation.level == Level::User {
            return Vec::new();
        }
        let rights = self.rights();
        let mut doubts = Vec::new();
        if let Err(error) = rights.are_known() {
            doubts.push(format!("{error}: the service cannot start before there is one"));
        }
        let own = rights.user_name().is_none() && !rights.changes_root();
        for path in program.paths().into_iter().filter(|_| own) {
            if let Some(closed) = closed(path) {
                let closed = closed.display();
                doubts.push(format!("{closed} is closed to the service's own user: chmod o+rx {closed}"));
            }
        }
        doubts
    }
}

/// The first part of a path that not everybody may go through, or the file that not everybody may run.
fn closed(path: &Path) -> Option<std::path::PathBuf> {
    let real = fs::canonicalize(path).ok()?;
    let parts: Vec<&Path> = real.ancestors().collect();
    let closed = |part: &&&Path| fs::metadata(part).is_ok_and(|found| found.mode() & 0o001 == 0);
    parts.iter().rev().find(closed).map(|part| part.to_path_buf())
}

/// What the service runs: below a root directory by the path that it has there.
fn chosen(program: &Program, invocation: &Invocation) -> std::result::Result<Program, Refusal> {
    match (&invocation.program, &invocation.root) {
        (Some(path), _) => Ok(Program::Itself(path.clone())),
        (None, Some(root)) if invocation.act == Act::Install => program.below(root),
        (None, Some(_) | None) => Ok(program.clone()),
    }
}

fn answer(service: &Service, program: &Program, invocation: &Invocation) -> u8 {
    let failed = |text: &str| not_done(invocation.act, complain(&service.name, text));
    let level = invocation.level;
    let Some(target) = invocation.target.or_else(|| Target::at_hand(level)) else {
        return failed("no service manager is found here: name one by --to");
    };
    let root = invocation.root.as_deref().unwrap_or(Path::new("/"));
    // What is installed goes wherever the program is now.
    let hidden = hidden(program, root, target, level).filter(|_| invocation.act == Act::Install);
    let plan = match hidden.map_or_else(|| invocation.act.plan(service, target, level), Err) {
        Ok(plan) => plan,
        Err(refusal) => return failed(&refusal.to_string()),
    };
    if invocation.doing == Doing::Print {
        say(&mut std::io::stdout(), &plan.to_string());
        return 0;
    }
    for loss in Loss::folded(&plan.losses) {
        say(&mut std::io::stderr(), &format!("{loss}\n"));
    }
    match carry_out(&plan, invocation.root.as_deref()) {
        Ok(Outcome::Done) => {
            let tools = steps::tools(target);
            if invocation.act == Act::Uninstall && invocation.root.is_none() && !look::has_one(&tools) {
                let text = format!(
                    "{} is not here: files were removed, and no manager was told",
                    tools.join(" or ")
                );
                complain(&service.name, &text);
            }
            0
        }
        Ok(Outcome::Nothing) => {
            let text = format!("nothing of {} is installed for {}", service.name, target.word());
            match invocation.act {
                Act::Install | Act::Uninstall => {
                    say(&mut std::io::stdout(), &format!("{text}: nothing to do\n"));
                    0
                }
                Act::Start | Act::Stop | Act::Status => failed(&format!("{text}: service install does that")),
            }
        }
        Ok(Outcome::Said(code)) => code,
        Err(error) => failed(&format!("{error}{}", hint(&error, level))),
    }
}

/// What helps who may not.
fn hint(error: &Error, level: Level) -> &'static str {
    let mut denied = false;
    if let Error::Step { source, .. } | Error::Refused { source } = error {
        denied = source.kind() == ErrorKind::PermissionDenied;
    }
    match (denied, level) {
        (true, Level::System) => "; root may, and with --user it is a service of your own",
        (true, Level::User) | (false, _) => "",
    }
}

/// The exit code of an act that came to nothing.
fn not_done(act: Act, failed: u8) -> u8 {
    match act {
        Act::Status => NOT_KNOWN,
        Act::Install | Act::Uninstall | Act::Start | Act::Stop => failed,
    }
}

/// Why the service would not see its program. A link is where it may be, and leads where it may not.
fn hidden(program: &Program, root: &Path, target: Target, level: Level) -> Option<Refusal> {
    let ends = program.paths().into_iter().flat_map(|path| {
        let end = inside(path, root, Last::IsFollowed).ok();
        let end = end.and_then(|end| Some(Path::new("/").join(end.strip_prefix(root).ok()?)));
        [Some(path.to_owned()), end].into_iter().flatten()
    });
    ends.filter_map(|path| systemd::hidden(&path.to_string_lossy(), target, level)).next()
}

fn carry_out(plan: &Plan, root: Option<&Path>) -> Result<Outcome> {
    let tell = |step: &super::Step| {
        if plan.act != Act::Status && step.is_told() {
            say(&mut std::io::stdout(), &format!("{step}\n"));
        }
    };
    let Some(root) = root else { return plan.carry_out(tell) };
    let (outcome, left) = plan.carry_out_below(root, tell)?;
    for step in left.into_iter().filter(|_| outcome == Outcome::Done) {
        say(&mut std::io::stdout(), &format!("left to be done there: {step}\n"));
    }
    Ok(outcome)
}

fn complain(name: &str, text: &str) -> u8 {
    say(&mut std::io::stderr(), &format!("{name}: {text}\n"));
    FAILED
}

/// A reader that went away changes nothing of what is done.
fn say(out: &mut dyn Write, text: &str) {
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
