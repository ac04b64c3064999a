//! What a program answers who asks it about its service.

use super::called::called_program;
use super::carry_out::Outcome;
use super::invocation::{Asked, Doing, Invocation};
use super::loss::Loss;
use super::plan::{Act, Plan};
use super::target::Target;
use super::{Service, systemd};
use crate::daemon::Daemon;
use crate::error::Result;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit code of a status that nobody knows.
const NOT_KNOWN: u8 = 4;
/// Of what went wrong.
const FAILED: u8 = 1;

impl Daemon {
    /// Answers `PROGRAM service install|uninstall|start|stop|status [--user] [--to MANAGER] [--root DIRECTORY] [--print]` and
    /// `PROGRAM service --help`, where the program was called so; `None` where it was not, and goes on. The service is this
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
        self.answer_service_as(words, description, &[program], arguments).map(ExitCode::from)
    }

    /// [`Daemon::answer_service`] for programs in other languages: `words` is the command line, the program's name first;
    /// `program` is the program's absolute path, or an interpreter's and behind it that of what it reads. Gives what to
    /// exit with.
    #[must_use]
    pub fn answer_service_as<Text: Into<OsString>>(
        &self,
        words: impl IntoIterator<Item = OsString>,
        description: &str,
        program: &[PathBuf],
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
        let service =
            Service::of_words(self, description, program, arguments.into_iter().map(Into::into).collect());
        Some(match service {
            Ok(service) => answer(&service, program, &invocation),
            Err(refusal) => complain(self.name(), &refusal.to_string()),
        })
    }
}

fn answer(service: &Service, program: &[PathBuf], invocation: &Invocation) -> u8 {
    let asks = invocation.act == Act::Status;
    let failed = |text: &str| match (asks, complain(&service.name, text)) {
        (true, _) => NOT_KNOWN,
        (false, code) => code,
    };
    let level = invocation.level;
    let Some(target) = invocation.target.or_else(|| Target::at_hand(level)) else {
        return failed("no service manager is found here: name one by --to");
    };
    // A link is where it may be, and leads where it may not.
    let ends = program.iter().filter_map(|path| fs::canonicalize(path).ok());
    let hidden = ends.filter_map(|path| systemd::hidden(&path.to_string_lossy(), target, level)).next();
    let hidden = hidden.filter(|_| invocation.act == Act::Install);
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
    match carry_out(&plan, &invocation.doing) {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Nothing) => {
            let text =
                format!("nothing of {} is installed for {}: nothing to do\n", service.name, target.word());
            say(&mut std::io::stdout(), &text);
            0
        }
        Ok(Outcome::Said(code)) => code,
        Err(error) => failed(&error.to_string()),
    }
}

fn carry_out(plan: &Plan, doing: &Doing) -> Result<Outcome> {
    let tell = |step: &super::Step| {
        if plan.act != Act::Status && step.changes() {
            say(&mut std::io::stdout(), &format!("{step}\n"));
        }
    };
    match doing {
        Doing::CarryOut | Doing::Print => plan.carry_out(tell),
        Doing::Below(root) => {
            let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
            let (outcome, left) = plan.carry_out_below(&root, tell)?;
            for step in left.into_iter().filter(|_| outcome == Outcome::Done) {
                say(&mut std::io::stdout(), &format!("left to be done there: {step}\n"));
            }
            Ok(outcome)
        }
    }
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
mod tests {
    use super::*;
    use crate::service::{Command, Level};
    use std::path::Path;

    #[test]
    fn the_status_of_what_was_never_installed_is_4() {
        let service = Service::new("never-installed", Command::of(["/bin/true"]));
        let code = |act, target| {
            let (level, doing) = (Level::System, Doing::CarryOut);
            answer(&service, &[], &Invocation { act, level, target: Some(target), doing })
        };
        assert_eq!(code(Act::Status, Target::Sysv), 4);
        assert_eq!(code(Act::Status, Target::Openrc), 4);
        assert_eq!(code(Act::Stop, Target::Sysv), 1);
        assert_eq!(code(Act::Uninstall, Target::Sysv), 0);
    }

    /// For every manager that has files: below a directory, where nothing is run.
    #[test]
    fn files_are_put_below_a_directory_and_taken_away_again() {
        let daemon = Daemon::new("greeter").pid_file("/run/greeter.pid");
        for (word, target) in Target::ALL.into_iter().filter(|(_, target)| *target != Target::Windows) {
            let root = tempfile::tempdir().expect("a directory");
            let run = |act: &str| {
                let words = ["greeter", "service", act, "--to", word, "--root"].map(OsString::from);
                let words = words.into_iter().chain([root.path().as_os_str().to_owned()]);
                daemon.answer_service_as(
                    words,
                    "Says hello",
                    &[PathBuf::from("/usr/bin/greeter")],
                    ["--polite"],
                )
            };
            let files = Service::of(&daemon, "Says hello", Path::new("/usr/bin/greeter"), ["--polite"]);
            let files =
                super::super::written(&files.expect("text"), target, Level::System).expect("said").files;
            assert_eq!(run("install"), Some(0), "{word}");
            for file in &files {
                let text = fs::read_to_string(file.place(root.path()).expect("below"));
                assert_eq!(text.expect("it is there"), file.text, "{word}");
            }
            assert_eq!(run("uninstall"), Some(0), "{word}");
            assert!(files.iter().all(|file| !file.place(root.path()).expect("below").exists()), "{word}");
            assert_eq!(run("uninstall"), Some(0), "{word}");
        }
    }

    /// What keeps a service down is whose it is: runsv(8), "down".
    #[test]
    fn what_somebody_put_there_to_keep_it_down_stays() {
        let root = tempfile::tempdir().expect("a directory");
        let daemon = Daemon::new("greeter");
        let run = |act: &str| {
            let words = ["greeter", "service", act, "--to", "runit", "--root"].map(OsString::from);
            let words = words.into_iter().chain([root.path().as_os_str().to_owned()]);
            daemon.answer_service_as(words, "Says hello", &[PathBuf::from("/usr/bin/greeter")], [""; 0])
        };
        let at = |name: &str| root.path().join("etc/sv/greeter").join(name);
        assert_eq!(run("install"), Some(0));
        fs::write(at("down"), "").expect("somebody's");
        // What runsv makes, and what it does not.
        for name in ["supervise/lock", "supervise/status", "log/supervise/lock", "log/supervise/mine"] {
            fs::create_dir_all(at(name).parent().expect("a folder")).expect("made");
            fs::write(at(name), "").expect("written");
        }
        assert_eq!(run("uninstall"), Some(0));
        let left = |name: &str| at(name).exists();
        assert_eq!(["run", "supervise", "down", "log/supervise/lock"].map(left), [false, false, true, true]);
        // One of an older version goes.
        fs::write(at("down"), "# Written by eudaemon-kit for greeter: Says hello\n").expect("ours");
        assert_eq!(run("install"), Some(0));
        assert!(!left("down"));
    }
}
