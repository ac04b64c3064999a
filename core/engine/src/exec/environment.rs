//! The environment of one command, in the order systemd builds it: the manager's, what the phase is told, what
//! the child alone knows, PassEnvironment=, Environment=, EnvironmentFile=; UnsetEnvironment= last.

use super::Draft;
use crate::api::Phase;
use eudaemon_plan::step::{DirectoryKind, Known, Missing, Step};
use eudaemon_unit::config::exec::{Failure, Place, Stdio};

impl Draft<'_> {
    pub(super) fn environment(&mut self) {
        let exec = self.exec;
        let first = self.announced();
        self.add(Step::Environment(first));
        if !self.facts.listen.is_empty() && exec.standard_input != Stdio::Socket {
            self.add(Step::SetKnown(Known::Listen(self.facts.listen.clone())));
        }
        if self.spawn.watchdog_usec > 0 && self.spawn.phase == Phase::Start {
            self.add(Step::SetKnown(Known::Watchdog { usec: self.spawn.watchdog_usec }));
        }
        if self.steps.iter().any(|step| matches!(step, Step::FindUser(user) if user.user.is_some())) {
            self.add(Step::SetKnown(Known::User));
        } else if exec.working_directory.place == Place::Home {
            self.add(Step::SetKnown(Known::Home));
        }
        let id: String = self.spawn.invocation.0.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(Step::Environment(vec![format!("INVOCATION_ID={id}")]));
        if self.knows_terminal() {
            self.add(Step::SetKnown(Known::Term(self.tty())));
        }
        self.add(Step::SetKnown(Known::JournalStream));
        let directories = self.directory_variables();
        if !directories.is_empty() {
            self.add(Step::Environment(directories));
        }
        self.add(Step::SetKnown(Known::ExecPid));
        if !exec.search_path.is_empty() {
            self.add(Step::Environment(vec![format!("PATH={}", exec.search_path.join(":"))]));
        }
        if !exec.pass_environment.is_empty() {
            self.add(Step::PassEnvironment(exec.pass_environment.clone()));
        }
        if !exec.environment.is_empty() {
            self.add(Step::Environment(exec.environment.clone()));
        }
        for file in &exec.environment_files {
            let missing = if file.missing == Failure::Ignored { Missing::Ignored } else { Missing::Fails };
            self.add(Step::EnvironmentFile { path: file.path.clone(), missing });
        }
        if exec.pam_name.is_some() && exec.user.is_some() && self.changes_user() {
            self.add(Step::SetKnown(Known::RuntimeDirectory));
        }
        if !exec.unset_environment.is_empty() {
            self.add(Step::UnsetEnvironment(exec.unset_environment.clone()));
        }
    }

    /// The manager's environment, and what the unit and phase are told: the notify socket, who the main process
    /// is, the pid file, then the rest.
    fn announced(&self) -> Vec<String> {
        let mut all = self.facts.environment.to_vec();
        if self.may_notify() {
            all.push(format!("NOTIFY_SOCKET={}", self.facts.notify_socket));
        }
        let who = |entry: &&String| entry.starts_with("MAINPID=") || entry.starts_with("MANAGERPID=");
        let (who, rest): (Vec<&String>, Vec<&String>) = self.facts.told.iter().partition(who);
        all.extend(who.into_iter().cloned());
        if let Some(file) = self.service().and_then(|service| service.pid_file.as_ref()) {
            all.push(format!("PIDFILE={file}"));
        }
        all.extend(rest.into_iter().cloned());
        all
    }

    /// `RUNTIME_DIRECTORY=/run/a:/run/b` and its four sisters.
    fn directory_variables(&self) -> Vec<String> {
        let mut variables = Vec::new();
        for step in &self.steps {
            if let Step::Directories(directories) = step {
                let paths: Vec<&str> = directories.entries.iter().map(|entry| entry.path.as_str()).collect();
                let name = match directories.kind {
                    DirectoryKind::Runtime => "RUNTIME_DIRECTORY",
                    DirectoryKind::State => "STATE_DIRECTORY",
                    DirectoryKind::Cache => "CACHE_DIRECTORY",
                    DirectoryKind::Logs => "LOGS_DIRECTORY",
                    DirectoryKind::Configuration => "CONFIGURATION_DIRECTORY",
                };
                variables.push(format!("{name}={}", paths.join(":")));
            }
        }
        variables
    }
}
