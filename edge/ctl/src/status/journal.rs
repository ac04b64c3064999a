//! The last log lines of a unit, as `journalctl` shows them.
//!
//! The journal's files have a reader of their own in every distribution; where it is not installed, or no journal is
//! kept, our own log has to do.

use super::console;
use crate::limits;
use crate::line::{Options, Scope};
use std::path::Path;
use std::process::{Command, Stdio};

/// The lines since the unit was last started, at most as many as asked for.
pub fn tail(unit: &str, since: u64, options: &Options) -> String {
    let lines = options.lines.unwrap_or(limits::JOURNAL_LINES);
    if lines == 0 {
        return String::new();
    }
    let found = if is_kept() { from_journal(unit, since, lines, options) } else { String::new() };
    if found.is_empty() { console::tail(unit, options.scope, lines) } else { found }
}

fn from_journal(unit: &str, since: u64, lines: usize, options: &Options) -> String {
    let mut command = Command::new("journalctl");
    command
        // Newest first: with --since, --lines would count from the oldest.
        .args(["--quiet", "--no-pager", "--boot", "--reverse"])
        .arg(format!("--lines={lines}"))
        .arg(match options.scope {
            Scope::System => format!("--unit={unit}"),
            Scope::User => format!("--user-unit={unit}"),
        });
    // A unit that never started has something said of it all the same.
    if since > 0 {
        // journalctl counts in whole seconds from the point given; the fraction keeps earlier runs out.
        command.arg(format!("--since=@{}.{:06}", since / 1_000_000, since % 1_000_000));
    }
    if let Some(format) = &options.journal_format {
        command.arg(format!("--output={}", format.0));
    }
    if options.full {
        command.arg("--full");
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| oldest_first(&String::from_utf8_lossy(&output.stdout))).unwrap_or_default()
}

/// Turns the entries round. Lines that open with a space go on with the entry above them.
fn oldest_first(text: &str) -> String {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        match entries.last_mut() {
            Some(entry) if line.starts_with(' ') => entry.push_str(&format!("\n{line}")),
            Some(_) | None => entries.push(line.to_owned()),
        }
    }
    entries.iter().rev().map(|entry| format!("{entry}\n")).collect()
}

fn is_kept() -> bool {
    ["/run/log/journal", "/var/log/journal"].iter().any(|path| Path::new(path).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_several_lines_stay_whole() {
        assert_eq!(oldest_first("3 c\n2 b\n    more\n1 a\n"), "1 a\n2 b\n    more\n3 c\n");
    }
}
