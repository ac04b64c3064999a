//! A command line that authors may give their programs: `PROGRAM service install` and its kin.

use super::carry_out::Outcome;
use super::loss::Loss;
use super::plan::Act;
use super::target::{Level, Target};
use super::{Refusal, Service};
use crate::daemon::Daemon;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// What is said of it to who asks.
const USAGE: &str = "service install|uninstall|start|stop|status [--user] [--to MANAGER] [--print]";

/// What of a plan is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// All of it.
    CarryOut,
    /// It is printed.
    Print,
}

/// What stands behind the word `service`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What is to be done.
    pub act: Act,
    /// Whose service it is.
    pub level: Level,
    /// For which manager; `None`: the one at hand.
    pub target: Option<Target>,
    /// Whether it is done or printed.
    pub doing: Doing,
}

impl Invocation {
    /// Reads a program's arguments, its name first. `None`: the word behind it is not `service`, so the program is meant
    /// itself.
    ///
    /// # Errors
    ///
    /// A sentence: which word is not understood, and what was expected.
    pub fn of_arguments(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Option<std::result::Result<Invocation, String>> {
        let mut words = arguments.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        (words.next()? == "service").then(|| read(words))
    }
}

fn read(mut words: impl Iterator<Item = String>) -> std::result::Result<Invocation, String> {
    let act = words.next().unwrap_or_default();
    let found = Act::ALL.iter().find(|(word, _)| *word == act).map(|(_, act)| *act);
    let act = found.ok_or_else(|| format!("expected {USAGE}"))?;
    let mut read = Invocation { act, level: Level::System, target: None, doing: Doing::CarryOut };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--user" => read.level = Level::User,
            "--print" => read.doing = Doing::Print,
            "--to" => read.target = Some(manager(&words.next().unwrap_or_default())?),
            other => match other.strip_prefix("--to=") {
                Some(word) => read.target = Some(manager(word)?),
                None => return Err(format!("{other}: expected {USAGE}")),
            },
        }
    }
    Ok(read)
}

fn manager(word: &str) -> std::result::Result<Target, String> {
    let words = Target::ALL.map(|(word, _)| word).join(", ");
    Target::of_word(word).ok_or_else(|| format!("--to {word}: expected one of {words}"))
}

impl Daemon {
    /// Answers `PROGRAM service install|uninstall|start|stop|status [--user] [--to MANAGER] [--print]`, where the program was
    /// called so; `None` where it was not, and goes on. The service is this program, as it is called now, with these
    /// arguments.
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
        let invocation = match Invocation::of_arguments(std::env::args_os())? {
            Ok(invocation) => invocation,
            Err(text) => return Some(complain(self.name(), &text)),
        };
        let service = std::env::current_exe().map_err(|error| error.to_string()).and_then(|program| {
            Service::of(self, description, &program, arguments).map_err(|refusal| refusal.to_string())
        });
        Some(service.map_or_else(|text| complain(self.name(), &text), |service| answer(&service, invocation)))
    }
}

fn answer(service: &Service, invocation: Invocation) -> ExitCode {
    let Invocation { act, level, target, doing } = invocation;
    let asks = act == Act::Status;
    let failed = |text: &str| match (asks, complain(&service.name, text)) {
        (true, _) => ExitCode::from(NOT_KNOWN),
        (false, code) => code,
    };
    let Some(target) = target.or_else(|| Target::at_hand(level)) else {
        return failed("no service manager is found here: name one by --to");
    };
    let plan = match act.plan(service, target, level) {
        Ok(plan) => plan,
        Err(refusal) => return failed(&Refusal::to_string(&refusal)),
    };
    if doing == Doing::Print {
        say(&mut std::io::stdout(), &plan.to_string());
        return ExitCode::SUCCESS;
    }
    for loss in Loss::folded(&plan.losses) {
        say(&mut std::io::stderr(), &format!("{loss}\n"));
    }
    match plan.carry_out(|step| {
        if !asks {
            say(&mut std::io::stdout(), &format!("{step}\n"));
        }
    }) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Said(code)) => ExitCode::from(code),
        Err(error) => failed(&error.to_string()),
    }
}

/// The exit code of a status that nobody knows.
const NOT_KNOWN: u8 = 4;

fn complain(name: &str, text: &str) -> ExitCode {
    say(&mut std::io::stderr(), &format!("{name}: {text}\n"));
    ExitCode::FAILURE
}

/// A reader that went away changes nothing of what is done.
fn say(out: &mut dyn Write, text: &str) {
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Command;

    #[test]
    fn the_status_of_what_was_never_installed_is_4() {
        let service = Service::new("never-installed", Command::of(["/bin/true"]));
        let invocation =
            Invocation { act: Act::Status, level: Level::System, target: None, doing: Doing::CarryOut };
        let code = |act, target| {
            format!("{:?}", answer(&service, Invocation { act, target: Some(target), ..invocation }))
        };
        assert_eq!(code(Act::Status, Target::Sysv), format!("{:?}", ExitCode::from(4)));
        assert_eq!(code(Act::Status, Target::Openrc), format!("{:?}", ExitCode::from(4)));
        assert_eq!(code(Act::Stop, Target::Sysv), format!("{:?}", ExitCode::from(1)));
    }
}
