//! Jobs, and how they ended: the `JobRemoved` signal.

use super::client::{CallError, Client};
use super::wire::Incoming;
use std::collections::BTreeSet;

/// What `JobRemoved` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobResult {
    pub path: String,
    pub unit: String,
    /// `done`, `failed`, `timeout` …
    pub result: String,
}

impl JobResult {
    pub fn from_signal(message: &Incoming) -> Option<JobResult> {
        let (_, path, unit, result): (u32, zbus::OwnedObjectPath, String, String) = message.body().ok()?;
        Some(JobResult { path: path.to_string(), unit, result })
    }
}

/// The jobs a command line waits for.
#[derive(Debug, Default)]
pub struct Jobs {
    waiting: BTreeSet<String>,
}

impl Jobs {
    pub fn add(&mut self, path: String) {
        self.waiting.insert(path);
    }

    /// Waits for all of them; the ends come in the order they happened.
    pub fn wait(mut self, client: &mut Client) -> Result<Vec<JobResult>, CallError> {
        let mut ends = Vec::new();
        while !self.waiting.is_empty() {
            let end = client.next_job_end()?;
            if self.waiting.remove(&end.path) {
                ends.push(end);
            }
        }
        Ok(ends)
    }
}
