//! The service control manager of Windows: commands for `sc.exe`, as text. Nothing of this crate runs there.

use super::description::{Boot, Foreground, Restart, Service, Start};
use super::loss::{Severity, loss, unsaid};
use super::target::{Refusal, Written, refused};
use crate::limits::FAILURES_FORGOTTEN_AFTER;

pub(super) fn write(service: &Service) -> Result<Written, Refusal> {
    let Start::Foreground(Foreground { command, .. }) = &service.start else {
        let why = "the service control manager starts one program that stays".to_owned();
        return Err(refused("Type=", why));
    };
    let Some(words) = command.known() else {
        let why = "a command line of Windows has no variables of the service's".to_owned();
        return Err(refused("ExecStart=", why));
    };
    let name = service.name.clone();
    let line = words.iter().map(|word| argument(word)).collect::<Vec<_>>().join(" ");
    let start = match service.boot {
        Boot::Starts => "auto",
        Boot::Waits => "demand",
    };
    let sc = |words: &[&str]| -> Vec<String> {
        std::iter::once("sc.exe").chain(words.iter().copied()).map(str::to_owned).collect()
    };
    let mut commands = vec![
        sc(&["create", &name, "type=", "own", "start=", start, "binPath=", &line, "DisplayName=", &name]),
        sc(&["description", &name, &service.title()]),
    ];
    match service.restart {
        Restart::Never => {}
        Restart::OnFailure | Restart::OnSuccess | Restart::Always => {
            let actions = format!("restart/{}", service.restart_delay.as_millis().max(1000));
            let reset = FAILURES_FORGOTTEN_AFTER.to_string();
            commands.push(sc(&["failure", &name, "reset=", &reset, "actions=", &actions]));
        }
    }
    let mut losses = unsaid(service);
    losses.push(loss(
        Severity::Behaviour,
        "Type=",
        "the program has to speak the control manager's protocol (StartServiceCtrlDispatcher), or be run by one that does",
    ));
    if service.rights.are_less() {
        let why = "it runs as LocalSystem: users of Unix are not known there";
        losses.push(loss(Severity::Protection, "User= and capabilities", why));
    }
    if !service.environs.variables.is_empty() || !service.environs.files.is_empty() {
        losses.push(loss(Severity::Behaviour, "Environment=", "sc.exe sets no variables"));
    }
    if service.environs.directory.is_some() {
        losses.push(loss(Severity::Behaviour, "WorkingDirectory=", "it is system32"));
    }
    Ok(Written { files: Vec::new(), commands, losses })
}

/// A word as `CommandLineToArgvW` reads it: backslashes before a quote are doubled.
fn argument(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t', '\n', '\u{b}', '"']) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for c in word.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                text += &"\\".repeat(2 * backslashes + 1);
                text.push('"');
                backslashes = 0;
            }
            c => {
                text += &"\\".repeat(backslashes);
                text.push(c);
                backslashes = 0;
            }
        }
    }
    text += &"\\".repeat(2 * backslashes);
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes() {
        let cases = [
            ("plain", "plain"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a\\b", "a\\b"),
            ("a \\", "\"a \\\\\""),
            ("say \"x\\\"", "\"say \\\"x\\\\\\\"\""),
        ];
        for (word, wanted) in cases {
            assert_eq!(argument(word), wanted, "{word}");
        }
    }
}
