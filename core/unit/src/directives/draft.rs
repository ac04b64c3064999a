//! A unit while its files are read: every section there may be, and what was said about things whose default
//! depends on the rest.

use crate::config::exec::Stdio;
use crate::config::service::{NotifyAccess, OomPolicy, ServiceType};
use crate::config::{Exec, Install, Kept, Kill, Mount, Service, Socket, UnitSection};
use crate::limits::LIST_MAX;
use crate::manager::Defaults;
use crate::name::UnitKind;
use crate::span::Span;
use crate::values::mount_table::{MOUNT_TABLE, Mounted};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Draft {
    pub unit: UnitSection,
    pub install: Install,
    pub service: Service,
    pub socket: Socket,
    pub mount: Mount,
    pub exec: Exec,
    pub kill: Kill,
    pub source: Option<String>,
    pub kept: KeptLines,
    pub said: Said,
}

impl Draft {
    /// A unit of which nothing was read yet: what the manager has units be that say nothing, systemd-system.conf(5).
    pub fn new(kind: UnitKind, defaults: &Defaults) -> Draft {
        let mut draft = Draft::default();
        draft.unit.start_limit_interval = defaults.start_limit_interval;
        draft.unit.start_limit_burst = defaults.start_limit_burst;
        if kind == UnitKind::Device {
            draft.unit.job_running_timeout = defaults.device_timeout;
        }
        draft.service.timeout_start = defaults.timeout_start;
        draft.service.timeout_stop = defaults.timeout_stop;
        draft.service.timeout_abort = defaults.timeout_abort;
        draft.service.restart_sec = defaults.restart;
        draft.socket.timeout = defaults.timeout_start;
        draft.mount.timeout = defaults.timeout_start;
        draft.exec.oom_score_adjust = defaults.oom_score_adjust;
        draft
    }

    /// What the kernel says of a mount goes before all that is written.
    pub fn found_mounted(&mut self, mounted: &Mounted) {
        let Mounted { what, place, kind, options } = mounted.clone();
        self.mount = Mount { what, place, kind, options, ..std::mem::take(&mut self.mount) };
        // The root is there whatever the kernel says.
        self.source = (self.mount.place != "/").then(|| MOUNT_TABLE.to_owned());
    }
}

/// What the files said; `None` where they said nothing.
#[derive(Default)]
pub(crate) struct Said {
    pub service_type: Option<ServiceType>,
    pub timeout_start: Option<Span>,
    pub notify_access: Option<NotifyAccess>,
    pub oom_policy: Option<OomPolicy>,
    pub standard_input: Option<Stdio>,
    pub standard_output: Option<Stdio>,
    pub standard_error: Option<Stdio>,
    pub job_running_timeout: Option<Span>,
    pub trigger_limit_interval: Option<Span>,
    pub trigger_limit_burst: Option<u32>,
}

/// Values kept as text, by section and key; the number is the order in which they were written.
#[derive(Default)]
pub(crate) struct KeptLines {
    lines: BTreeMap<(&'static str, &'static str), Vec<(u64, String)>>,
    written: u64,
}

impl KeptLines {
    pub fn reset(&mut self, section: &'static str, key: &'static str) {
        self.lines.remove(&(section, key));
    }

    pub fn set(&mut self, section: &'static str, key: &'static str, value: String) {
        self.reset(section, key);
        self.add(section, key, vec![value]);
    }

    /// Adds to the list of a key, up to a limit.
    pub fn add(&mut self, section: &'static str, key: &'static str, values: Vec<String>) {
        let list = self.lines.entry((section, key)).or_default();
        for value in values.into_iter().take(LIST_MAX - list.len()) {
            self.written += 1;
            list.push((self.written, value));
        }
    }

    /// What is kept of a key, in whatever section.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().find(|((_, known), _)| *known == key);
        lines.into_iter().flat_map(|(_, values)| values).map(|(_, value)| value.as_str())
    }

    /// Takes back what is kept of a key, if it is but this.
    pub fn reset_if(&mut self, key: &str, value: &str) {
        self.lines.retain(|(_, known), values| *known != key || values.iter().any(|(_, kept)| kept != value));
    }

    pub fn has(&self, key: &str) -> bool {
        self.values(key).next().is_some()
    }

    /// Of lines that begin with a word each, the one with this word: in place of the one before, or gone.
    pub fn set_for(&mut self, section: &'static str, key: &'static str, word: &str, rest: Option<String>) {
        let list = self.lines.entry((section, key)).or_default();
        let at = list.iter().position(|(_, line)| line.split(' ').next() == Some(word));
        let line = rest.map(|rest| format!("{word} {rest}"));
        match (at, line) {
            (Some(at), Some(line)) => list[at].1 = line,
            (Some(at), None) => drop(list.remove(at)),
            (None, Some(line)) => self.add(section, key, vec![line]),
            (None, None) => {}
        }
    }

    /// In the order written.
    pub fn into_kept(self) -> Vec<Kept> {
        let line = |section: &str, key: &str, value| Kept { section: section.into(), key: key.into(), value };
        let of_key = |((section, key), values): ((&'static str, &'static str), Vec<(u64, String)>)| {
            values.into_iter().map(move |(at, value)| (at, line(section, key, value)))
        };
        let mut all: Vec<(u64, Kept)> = self.lines.into_iter().flat_map(of_key).collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, kept)| kept).collect()
    }
}
