//! Whether the programs of a unit's commands are there and may be run, and those that scripts name in their first line: each
//! command where it stands.

use super::Looking;
use crate::finding::{Finding, Spot};
use crate::ground::find_program;
use crate::source::Value;
use eudaemon_unit::config::exec::{ExecCommand, Failure};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::diagnostic::Severity;

pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    let Some(exec) = config.exec() else { return };
    for (key, commands) in commands(config) {
        // With `-` the unit does without it.
        let may_miss = |command: &&ExecCommand| command.failure == Failure::Ignored;
        let fault = |command: &ExecCommand| fault(looking, command, &exec.search_path);
        let faults: Vec<Option<Fault>> = commands.iter().map(fault).collect();
        let counts =
            |(command, fault): (&ExecCommand, &Option<Fault>)| fault.is_some() && !may_miss(&command);
        if !commands.iter().zip(&faults).any(counts) {
            continue;
        }
        let values = looking.sources.values(config, key);
        let mut next = Next { value: 0, start: 0 };
        for (command, fault) in commands.iter().zip(faults) {
            let spot = next.find(&values, &command.path);
            let Some(Fault { code, why, expected }) = fault.filter(|_| !may_miss(&command)) else { continue };
            let text = format!("{}: Command {} is not executable: {why}", config.name, command.path);
            let spot = spot.or_else(|| looking.sources.assignment(config, &[key], None));
            let finding = Finding::of_file(looking.file(config), Severity::Error, code, text);
            findings.push(finding.expecting(expected).at(spot));
        }
    }
}

/// What keeps the kernel from running a program.
struct Fault {
    code: &'static str,
    why: String,
    expected: &'static str,
}

fn fault(looking: &Looking<'_>, command: &ExecCommand, folders: &[String]) -> Option<Fault> {
    let programs = looking.ground.programs;
    let path = match find_program(programs, &command.path, folders) {
        Ok(path) => path,
        Err(why) => {
            let expected = "a program that is there and may be run";
            return Some(Fault { code: "missing-program", why: why.to_owned(), expected });
        }
    };
    let (why, expected) = super::script::fault(programs, &path)?;
    Some(Fault { code: "bad-script", why, expected })
}

/// Whether all programs of a unit's commands are there: it is meant for this system.
pub(super) fn are_there(looking: &Looking<'_>, config: &Config) -> bool {
    let Some(exec) = config.exec() else { return false };
    let mut all = commands(config).into_iter().flat_map(|(_, commands)| commands);
    all.all(|command| find_program(looking.ground.programs, &command.path, &exec.search_path).is_ok())
}

/// Where the next command of a list is looked for.
struct Next {
    value: usize,
    start: usize,
}

impl Next {
    /// The program of the next command, if it stands there as it is run: specifiers may have changed it.
    fn find(&mut self, values: &[Value], program: &str) -> Option<Spot> {
        let (mut number, mut start) = (self.value, self.start);
        while let Some(value) = values.get(number) {
            match value.find(program, start) {
                Some(range) if begins_command(&value.text()[..range.start]) => {
                    *self = Next { value: number, start: range.end };
                    return Some(value.spot(range));
                }
                // An argument of the same name.
                Some(range) => start = range.end,
                None => (number, start) = (number + 1, 0),
            }
        }
        None
    }
}

/// Whether what stands before a word leaves it to be a program: nothing, or the `;` after another command.
fn begins_command(before: &str) -> bool {
    let before = before.trim_end_matches(|c| "-@:+!\"'".contains(c));
    let before = before.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == '\\');
    before.is_empty() || before.ends_with(" ;") || before.ends_with("\t;")
}

fn commands(config: &Config) -> Vec<(&'static str, &Vec<ExecCommand>)> {
    match &config.body {
        Body::Service(service) => {
            let all = &service.commands;
            let mut commands = vec![
                ("ExecCondition", &all.condition),
                ("ExecStartPre", &all.start_pre),
                ("ExecStart", &all.start),
                ("ExecStartPost", &all.start_post),
                ("ExecReload", &all.reload),
                ("ExecStop", &all.stop),
                ("ExecStopPost", &all.stop_post),
            ];
            commands.extend(service.health.as_ref().map(|health| ("Exec", &health.exec)));
            commands
        }
        Body::Socket(socket) => vec![
            ("ExecStartPre", &socket.start_pre),
            ("ExecStartPost", &socket.start_post),
            ("ExecStopPre", &socket.stop_pre),
            ("ExecStopPost", &socket.stop_post),
        ],
        Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Mount(_)
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => Vec::new(),
    }
}
