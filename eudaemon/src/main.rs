#![forbid(unsafe_code)]
//! The one binary: the name it was called by, then the first word, choose the program.
//!
//! A program's word is taken before anything else is read, so no unit or verb can be mistaken for one. All that
//! is no program is a command line for the manager.

use eudaemon_ctl::CalledAs;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// A program beside the command line. It gets its arguments with its own word first.
type Program = fn(Vec<OsString>) -> ExitCode;

const PROGRAMS: &[(&str, Program)] = &[
    ("init", eudaemon_init::main),
    ("up", eudaemon_init::main),
    // Started by init alone.
    ("manager", eudaemon_manager::main),
    // The console relay: an ordinary service.
    ("logd", eudaemon_logd::main),
    // What packages rely on at boot: ordinary services too.
    ("tmpfiles", eudaemon_provision::tmpfiles),
    ("sysusers", eudaemon_provision::sysusers),
    // Units of what is no unit file: the manager runs it, as it runs generators.
    ("generate", eudaemon_generate::main),
    // What texts mean, without a manager.
    ("analyze", eudaemon_analyze::main),
    ("escape", eudaemon_analyze::escape),
    // What units would do, without doing it.
    ("simulate", eudaemon_rehearse::simulate),
    // What a manager did.
    ("replay", eudaemon_rehearse::replay),
    // Unit files read without a manager.
    ("verify", eudaemon_verify::main),
    // Services for other managers.
    ("export", eudaemon_export::main),
];

/// Names of links to this binary that stand for a first word: the kernel starts `/sbin/init`, people type
/// `poweroff`.
const LINKS: &[(&str, &str)] = &[
    ("init", "init"),
    ("systemd", "init"),
    ("poweroff", "poweroff"),
    ("reboot", "reboot"),
    ("halt", "halt"),
    ("systemd-analyze", "analyze"),
    ("systemd-escape", "escape"),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default();
    let link = LINKS.iter().find(|(link, _)| name == *link).map(|(_, word)| OsString::from(word));
    let arguments: Vec<OsString> = link.into_iter().chain(arguments).collect();
    if name == "systemctl" {
        return eudaemon_ctl::main(arguments, CalledAs::Systemctl);
    }
    let arguments = word_first(arguments);
    if let Some((word, rest)) = arguments.split_first()
        && word == "help"
        && !rest.is_empty()
        && !rest.iter().any(|word| word.as_encoded_bytes().starts_with(b"-"))
    {
        return help(rest);
    }
    match arguments.first().and_then(|word| program(word)) {
        Some(program) => program(arguments),
        None => eudaemon_ctl::main(arguments, CalledAs::Eudaemon),
    }
}

/// A program's word may stand behind options: they are its own then.
fn word_first(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let at = eudaemon_ctl::first_word(&arguments);
    if let Some(at) = at.filter(|at| program(&arguments[*at]).is_some()) {
        arguments[..=at].rotate_right(1);
    }
    arguments
}

/// One text for each word; the exit code tells of the first that has none.
fn help(words: &[OsString]) -> ExitCode {
    let mut worst = ExitCode::SUCCESS;
    for (number, word) in words.iter().enumerate() {
        if number > 0 {
            println!();
        }
        let code = help_of(word)
            .unwrap_or_else(|| eudaemon_ctl::main(vec!["help".into(), word.clone()], CalledAs::Eudaemon));
        if worst == ExitCode::SUCCESS {
            worst = code;
        }
    }
    worst
}

/// Help for what is no verb of the command line: a program, or a directive of unit files.
fn help_of(word: &OsStr) -> Option<ExitCode> {
    // Started by init alone, it has nothing to say to people.
    if let Some(program) = program(word).filter(|_| word != "manager") {
        return Some(program(vec![word.to_owned(), "--help".into()]));
    }
    match word.to_str()? {
        word if eudaemon_ctl::is_verb(word) => None,
        word => eudaemon_verify::help(word),
    }
}

fn program(word: &OsStr) -> Option<Program> {
    PROGRAMS.iter().find(|(name, _)| word == *name).map(|(_, program)| *program)
}
