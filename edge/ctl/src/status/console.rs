//! The last lines of a unit where no journal is kept: in the log of a manager that was started in the background.

use crate::bus::runtime_directory;
use crate::limits;
use crate::line::Scope;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Headed by the file's name, so that the rest is found too; empty where there is nothing.
pub fn tail(unit: &str, scope: Scope, lines: usize) -> String {
    let Some(path) = path(scope) else { return String::new() };
    let text = end_of(&path).unwrap_or_default();
    let about: Vec<String> = text.lines().filter(|line| is_about(line, unit)).map(harmless).collect();
    if about.is_empty() || lines == 0 {
        return String::new();
    }
    let last = &about[about.len().saturating_sub(lines)..];
    format!("Last lines in {}:\n{}\n", path.display(), last.join("\n"))
}

fn path(scope: Scope) -> Option<PathBuf> {
    let runtime = match scope {
        Scope::System => PathBuf::from("/run"),
        Scope::User => runtime_directory()?,
    };
    Some(runtime.join("eudaemon/console.log"))
}

fn end_of(path: &PathBuf) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(limits::CONSOLE_TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(limits::CONSOLE_TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // Where the beginning is left out, the first line may be half of one.
    Ok(match text.split_once('\n') {
        Some((_, whole)) if start > 0 => whole.to_owned(),
        Some(_) | None => text,
    })
}

/// What a service wrote is not to move the cursor of whoever looks at it.
fn harmless(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// A line of the service (`NAME | TEXT`, `.service` left out), or one of the manager's that names the unit.
fn is_about(line: &str, unit: &str) -> bool {
    let stem = unit.strip_suffix(".service").unwrap_or(unit);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "@:_.\\-".contains(c);
    if let Some(said) = line.strip_prefix("eudaemon: ") {
        return said.split(|c| !is_name(c)).any(|word| word.trim_end_matches([':', '.']) == unit);
    }
    line.split_once(" | ").is_some_and(|(name, _)| name.trim_end() == stem || name.trim_end() == unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_service_and_about_it() {
        assert!(is_about("web   | hello", "web.service"));
        assert!(!is_about("web2  | web.service", "web.service"));
        assert!(is_about("eudaemon: Started web.service.", "web.service"));
        assert!(is_about("eudaemon: web.service: failed with result 'exit-code'", "web.service"));
        assert!(!is_about("eudaemon: my-web.service: failed", "web.service"));
        assert!(is_about("eudaemon: web.service: a | b failed", "web.service"));
    }

    #[test]
    fn a_line_does_nothing_to_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\tc\r"), "a\u{fffd}[2Jb\tc\u{fffd}");
    }
}
