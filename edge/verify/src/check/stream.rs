//! Whether the files that a unit's processes are to read from and write to can be opened: what is written to is made, the
//! directory it is in is not.

use super::Looking;
use super::file::{Promised, kind, severity};
use crate::finding::Finding;
use crate::surroundings::Meant;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::exec::Stdio;
use eudaemon_unit::files::{Kind, parent};

pub(super) fn add(
    looking: &Looking<'_>,
    promised: &Promised,
    config: &Config,
    meant: Meant,
    findings: &mut Vec<Finding>,
) {
    // They are opened before RootDirectory= counts, and before directories such as LogsDirectory= are made.
    let Some(exec) = config.exec() else { return };
    let severity = severity(looking, config, meant);
    let mut say = |key: &str, code, text: String, expected: &str| {
        let spot = looking.sources.assignment(config, &[key], None);
        let text = format!("{}: {key}=: {text}: the unit does not start without it", config.name);
        let finding = Finding::of_file(looking.file(config), severity, code, text);
        findings.push(finding.expecting(expected).at(spot));
    };
    for (key, stream) in [("StandardOutput", &exec.standard_output), ("StandardError", &exec.standard_error)]
    {
        let Some(path) = file(stream) else { continue };
        let directory = parent(path);
        if promised.has(path) || promised.has(directory) {
            continue;
        }
        if kind(looking, directory) != Some(Kind::Directory) {
            say(
                key,
                "missing-directory",
                format!("the directory {directory} is not there"),
                "a file in a directory that is there",
            );
        }
    }
    if let Some(path) = file(&exec.standard_input)
        && !promised.has(path)
        && kind(looking, path).is_none()
    {
        say("StandardInput", "missing-file", format!("{path} is not there"), "a file that is there");
    }
}

/// The file that a stream is.
fn file(stream: &Stdio) -> Option<&str> {
    match stream {
        Stdio::File(path) | Stdio::Append(path) | Stdio::Truncate(path) => Some(path),
        Stdio::Inherit
        | Stdio::Null
        | Stdio::Tty
        | Stdio::TtyForce
        | Stdio::TtyFail
        | Stdio::Journal
        | Stdio::JournalConsole
        | Stdio::Kmsg
        | Stdio::KmsgConsole
        | Stdio::Socket
        | Stdio::NamedFd(_)
        | Stdio::Text => None,
    }
}
