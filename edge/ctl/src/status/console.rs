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
    let about: Vec<&str> = text.lines().filter(|line| is_about(line, unit)).collect();
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
    file.seek(SeekFrom::Start(length.saturating_sub(limits::CONSOLE_TAIL)))?;
    let mut bytes = Vec::new();
    file.take(limits::CONSOLE_TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A line of the service (`NAME | TEXT`, `.service` left out), or one of the manager's that names the unit.
fn is_about(line: &str, unit: &str) -> bool {
    let stem = unit.strip_suffix(".service").unwrap_or(unit);
    if let Some((name, _)) = line.split_once(" | ") {
        return name.trim_end() == stem || name == unit;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "@:_.\\-".contains(c);
    line.strip_prefix("eudaemon: ")
        .is_some_and(|said| said.split(|c| !is_name(c)).any(|word| word.trim_end_matches([':', '.']) == unit))
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
    }
}
