//! Whether the programs of a unit's commands are there and may be run.

use super::Looking;
use crate::finding::Finding;
use crate::ground::find_program;
use eudaemon_unit::config::exec::{ExecCommand, Failure};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::diagnostic::Severity;

const KEYS: &[&str] = &[
    "ExecStart",
    "ExecStartPre",
    "ExecStartPost",
    "ExecCondition",
    "ExecReload",
    "ExecStop",
    "ExecStopPre",
    "ExecStopPost",
];

pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    let Some(exec) = config.exec() else { return };
    let mut said: Vec<&str> = Vec::new();
    for command in commands(config) {
        // With `-` the unit does without it.
        if command.failure == Failure::Ignored || said.contains(&command.path.as_str()) {
            continue;
        }
        let Err(why) = find_program(looking.ground.programs, &command.path, &exec.search_path) else {
            continue;
        };
        said.push(&command.path);
        let text = format!("{}: Command {} is not executable: {why}", config.name, command.path);
        let place = looking.sources.assignment(config, KEYS, Some(&command.path));
        let finding = Finding::of_file(looking.file(config), Severity::Error, "missing-program", text);
        findings.push(finding.expecting("a program that is there and may be run").at(place));
    }
}

fn commands(config: &Config) -> Vec<&ExecCommand> {
    let lists: Vec<&Vec<ExecCommand>> = match &config.body {
        Body::Service(service) => {
            let all = &service.commands;
            vec![
                &all.condition,
                &all.start_pre,
                &all.start,
                &all.start_post,
                &all.reload,
                &all.stop,
                &all.stop_post,
            ]
        }
        Body::Socket(socket) => {
            vec![&socket.start_pre, &socket.start_post, &socket.stop_pre, &socket.stop_post]
        }
        Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Mount(_)
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => Vec::new(),
    };
    lists.into_iter().flatten().collect()
}
