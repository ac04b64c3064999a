//! The environment block as it grows, in the order and presence systemd.exec(5) gives it: a name that comes
//! again keeps its place and gets the new value.

use super::stdio::term;
use super::{Failure, Process, glob, read_text_file};
use eudaemon_plan::env_file;
use eudaemon_plan::step::{Known, Missing};
use rustix::io::Errno;

#[derive(Debug, Default)]
pub struct Environment {
    /// `NAME=VALUE`, each name once.
    entries: Vec<String>,
}

impl Environment {
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    pub fn merge(&mut self, assignment: &str) {
        let Some((name, _)) = assignment.split_once('=').filter(|(name, _)| !name.is_empty()) else { return };
        match self.entries.iter_mut().find(|entry| has_name(entry, name)) {
            Some(entry) => assignment.clone_into(entry),
            None => self.entries.push(assignment.to_owned()),
        }
    }

    pub fn pass(&mut self, names: &[String]) {
        for name in names {
            if let Ok(value) = std::env::var(name) {
                self.merge(&format!("{name}={value}"));
            }
        }
    }

    pub fn unset(&mut self, entry: &str) {
        match entry.contains('=') {
            true => self.entries.retain(|other| other != entry),
            false => self.entries.retain(|other| !has_name(other, entry)),
        }
    }

    /// All files a pattern matches, in order; at least one, unless told that none is fine.
    pub fn read_file(&mut self, path: &str, missing: &Missing) -> Result<(), Failure> {
        match (self.read_all(path), missing) {
            (Ok(()), _) | (Err(_), Missing::Ignored) => Ok(()),
            (Err(failure), Missing::Fails) => Err(failure),
        }
    }

    fn read_all(&mut self, path: &str) -> Result<(), Failure> {
        let found = glob::matches(path);
        if found.is_empty() {
            return Err(Errno::NOENT.into());
        }
        for path in found {
            let file = env_file::parse(&read_text_file(&path)?).map_err(|_| Errno::INVAL)?;
            file.assignments.iter().for_each(|assignment| self.merge(assignment));
        }
        Ok(())
    }
}

fn has_name(entry: &str, name: &str) -> bool {
    entry.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

impl Process<'_> {
    pub fn set_known(&mut self, known: &Known) {
        let pid = rustix::process::getpid().as_raw_nonzero();
        let entries = match known {
            Known::Listen(names) => vec![
                format!("LISTEN_PID={pid}"),
                format!("LISTEN_FDS={}", names.len()),
                format!("LISTEN_FDNAMES={}", names.join(":")),
            ],
            Known::Watchdog { usec } => vec![format!("WATCHDOG_PID={pid}"), format!("WATCHDOG_USEC={usec}")],
            Known::User => self.user.variables(),
            Known::Term(path) => vec![format!("TERM={}", term(path))],
            Known::JournalStream => self.streams.journal_stream().into_iter().collect(),
            Known::Home => self.user.home().map(|home| format!("HOME={home}")).into_iter().collect(),
            Known::RuntimeDirectory => self
                .user
                .runtime_directory()
                .map(|path| format!("XDG_RUNTIME_DIR={path}"))
                .into_iter()
                .collect(),
            Known::ExecPid => vec![format!("SYSTEMD_EXEC_PID={pid}")],
        };
        entries.iter().for_each(|entry| self.environment.merge(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_value_takes_the_first_ones_place() {
        let mut environment = Environment::default();
        for entry in ["LANG=C", "PATH=/bin", "LANG=de", "LANGUAGE=de", "=x", "novalue", "EMPTY="] {
            environment.merge(entry);
        }
        assert_eq!(environment.entries(), ["LANG=de", "PATH=/bin", "LANGUAGE=de", "EMPTY="]);
        environment.unset("LANG");
        environment.unset("PATH=/other");
        environment.unset("EMPTY=");
        assert_eq!(environment.entries(), ["PATH=/bin", "LANGUAGE=de"]);
    }

    #[test]
    fn a_missing_file_fails_unless_told_otherwise() {
        let mut environment = Environment::default();
        assert!(environment.read_file("/nonexistent/a", &Missing::Fails).is_err());
        assert!(environment.read_file("/nonexistent/*", &Missing::Fails).is_err());
        assert!(environment.read_file("/nonexistent/a", &Missing::Ignored).is_ok());
    }
}
