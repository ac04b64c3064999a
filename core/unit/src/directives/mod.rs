//! The table of directives: a row for each key of each section, with how far we act on it, what its value
//! looks like, what it does to a unit, and one line of help. Parser, `verify`, `status`, docs/reference and docs/compat.md
//! all read these rows.
//!
//! Keys that several sections share (systemd.exec(5), systemd.kill(5), systemd.resource-control(5)) stand once,
//! in a table of their own that those sections look into.

mod confine;
mod draft;
mod exec;
mod extension;
mod install;
mod keep;
mod kill;
mod line;
mod mount;
mod names;
mod network;
mod path;
mod paths;
mod reference;
mod resource;
pub mod rights;
mod sandbox;
mod service;
mod socket;
mod streams;
mod timer;
mod unit;

use crate::config::socket::{Accept, Listen};
use crate::config::{Body, Config};
use crate::name::UnitKind;
pub(crate) use draft::Draft;
pub use exec::LEVELS;
pub(crate) use exec::{assignments, numbered, one_limit, score};
pub use extension::{MANUAL as EXTENSIONS, about};
use keep::keep;
pub(crate) use line::{Line, Outcome};
pub(crate) use names::ACTIONS;
pub(crate) use path::PATHS;
pub use reference::{Entry, Lines, Page, entries, gather, list, pages, property};
pub(crate) use reference::{capital, escaped};
pub(crate) use service::keep_written;
use std::collections::BTreeSet;
pub(crate) use timer::TIMES;

/// How far a directive is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Full,
    /// What is missing.
    Partial(&'static str),
    /// Read, checked and shown, with no effect yet.
    NotYet,
    /// Never acted on, and why.
    Ignored(&'static str),
}

impl Support {
    /// For people: `yes`, `not yet`, and so on.
    pub fn words(&self) -> String {
        match self {
            Support::Full => "yes".into(),
            Support::Partial(missing) => format!("in part: {missing}"),
            Support::NotYet => "not yet".into(),
            Support::Ignored(why) => format!("no: {why}"),
        }
    }
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Off unless said otherwise.
    Boolean,
    /// On unless said otherwise.
    BooleanYes,
    /// A length of time; the word in systemd's complaint about a wrong one.
    Span(&'static str),
    /// As [`Kind::Span`], and 0 means without end.
    Timeout(&'static str),
    /// A length of time that has an end, and is one.
    Wait,
    Unsigned,
    /// At least one.
    Count,
    /// A whole number; the word in systemd's complaint about a wrong one.
    Integer(&'static str),
    Mode,
    Size,
    /// An absolute path.
    Path,
    /// Absolute paths, each line adding to the list.
    Paths,
    /// One of some words: systemd's name for them, and the words, the default first.
    OneOf(&'static str, &'static [&'static str]),
    /// One of some words that stand for values of ours.
    Word(&'static str),
    /// Text with specifiers.
    Text,
    /// Words, each line adding to the list.
    Words,
    /// Text with specifiers, each line adding to the list.
    Lines,
    /// Unit names.
    Units,
    /// Command lines.
    Commands,
    Signal,
    Limit,
    Action,
    Condition,
}

pub struct Directive {
    pub key: &'static str,
    pub kind: Kind,
    pub support: Support,
    pub(crate) set: fn(&mut Draft, &mut Line<'_>),
    pub help: &'static str,
}

impl Kind {
    /// What would have been taken instead of a wrong value.
    pub const fn expected(self) -> &'static str {
        match self {
            Kind::Boolean | Kind::BooleanYes => "yes or no",
            Kind::Span(_) | Kind::Timeout(_) => "a length of time such as 5s, 1min 30s or infinity",
            Kind::Wait => "a length of time such as 5s or 1min 30s, at least 10ms",
            Kind::Unsigned => "a number from 0 to 4294967295",
            Kind::Count => "a number from 1 to 4294967295",
            Kind::Integer(_) => "a whole number",
            Kind::Mode => "octal permissions such as 0755",
            Kind::Size => "a size such as 512K or 1.5G",
            Kind::Path => "an absolute path",
            Kind::Paths => "absolute paths",
            Kind::OneOf(_, _) | Kind::Word(_) => "one of the words of its man page",
            Kind::Text | Kind::Lines => "text",
            Kind::Words => "words",
            Kind::Units => "unit names",
            Kind::Commands => "an absolute path or a bare program name, and its arguments",
            Kind::Signal => "a signal such as SIGTERM or 15",
            Kind::Limit => "a limit such as 1024, 1024:4096 or infinity",
            Kind::Action => "none, reboot, poweroff, exit, … (systemd.unit(5), FailureAction=)",
            Kind::Condition => "a value, after | and ! if wanted",
        }
    }
}

/// A section and the tables its keys are looked up in.
pub struct Section {
    pub name: &'static str,
    pub tables: &'static [&'static [Directive]],
}

type Tables = &'static [&'static [Directive]];
const PROCESSES: [&[Directive]; 4] = [exec::TABLE, sandbox::TABLE, kill::TABLE, resource::TABLE];
const SERVICE: Tables =
    &[service::TABLE, PROCESSES[0], PROCESSES[1], PROCESSES[2], PROCESSES[3], extension::SERVICE];
const SOCKET: Tables = &[socket::TABLE, PROCESSES[0], PROCESSES[1], PROCESSES[2], PROCESSES[3]];
const MOUNT: Tables = &[mount::MOUNT, PROCESSES[0], PROCESSES[1], PROCESSES[2], PROCESSES[3]];
const SWAP: Tables = &[mount::SWAP, PROCESSES[0], PROCESSES[1], PROCESSES[2], PROCESSES[3]];

pub static SECTIONS: [Section; 13] = [
    Section { name: "Unit", tables: &[unit::TABLE] },
    Section { name: "Install", tables: &[install::TABLE] },
    Section { name: "Service", tables: SERVICE },
    Section { name: "Socket", tables: SOCKET },
    Section { name: "Mount", tables: MOUNT },
    Section { name: "Automount", tables: &[mount::AUTOMOUNT] },
    Section { name: "Swap", tables: SWAP },
    Section { name: "Timer", tables: &[timer::TABLE] },
    Section { name: "Path", tables: &[path::TABLE] },
    Section { name: "Slice", tables: &[resource::TABLE] },
    Section { name: "Scope", tables: &[service::SCOPE, kill::TABLE, resource::TABLE] },
    Section { name: "X-Container", tables: &[extension::CONTAINER] },
    Section { name: "X-Health", tables: &[extension::HEALTH] },
];

/// The sections that mean something in a unit of this kind.
pub const fn sections(kind: UnitKind) -> &'static [&'static str] {
    match kind {
        UnitKind::Service => &["Unit", "Install", "Service", "X-Container", "X-Health"],
        UnitKind::Socket => &["Unit", "Install", "Socket", "X-Container"],
        UnitKind::Mount => &["Unit", "Install", "Mount", "X-Container"],
        UnitKind::Automount => &["Unit", "Install", "Automount", "X-Container"],
        UnitKind::Swap => &["Unit", "Install", "Swap", "X-Container"],
        UnitKind::Timer => &["Unit", "Install", "Timer", "X-Container"],
        UnitKind::Path => &["Unit", "Install", "Path", "X-Container"],
        UnitKind::Slice => &["Unit", "Install", "Slice", "X-Container"],
        UnitKind::Scope => &["Unit", "Install", "Scope", "X-Container"],
        UnitKind::Target | UnitKind::Device => &["Unit", "Install", "X-Container"],
    }
}

/// The row of a key, if there is one.
pub fn find(section: &str, key: &str) -> Option<&'static Directive> {
    locate(section, key).map(|(_, row)| row)
}

/// As [`find`], with the section's name for good.
pub(crate) fn locate(section: &str, key: &str) -> Option<(&'static str, &'static Directive)> {
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    let row = section.tables.iter().find_map(|table| {
        let at = table.binary_search_by(|row| row.key.cmp(key)).ok()?;
        table.get(at)
    })?;
    Some((section.name, row))
}

/// The man page that has a key of a section; of an extension, the page that stands for one.
pub fn manual(section: &str, key: &str) -> &'static str {
    const SHARED: [(&[Directive], &str); 4] = [
        (exec::TABLE, "systemd.exec(5)"),
        (sandbox::TABLE, "systemd.exec(5)"),
        (kill::TABLE, "systemd.kill(5)"),
        (resource::TABLE, "systemd.resource-control(5)"),
    ];
    if extension::is_one(section, key) {
        return extension::MANUAL;
    }
    let has = |table: &[Directive]| table.iter().any(|row| row.key == key);
    if let Some((_, page)) = SHARED.iter().find(|(table, _)| has(table)) {
        return page;
    }
    match section {
        "Service" => "systemd.service(5)",
        "Socket" => "systemd.socket(5)",
        "Mount" => "systemd.mount(5)",
        "Automount" => "systemd.automount(5)",
        "Swap" => "systemd.swap(5)",
        "Timer" => "systemd.timer(5)",
        "Path" => "systemd.path(5)",
        "Slice" => "systemd.slice(5)",
        "Scope" => "systemd.scope(5)",
        _ => "systemd.unit(5)",
    }
}

/// Every row with the section it is looked up in; shared rows come once for each section.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Directive)> {
    SECTIONS.iter().flat_map(|section| {
        section.tables.iter().flat_map(|table| table.iter()).map(|row| (section.name, row))
    })
}

/// What a unit asks for that is not acted on in full: key and how far, each key once.
pub fn verdicts(config: &Config) -> Vec<(&str, Support)> {
    let mut asked: Vec<(&str, &str)> = Vec::new();
    for kept in config.kept.iter().filter(|kept| kept.key != "Delegate") {
        if asked.last().is_none_or(|(_, key)| *key != kept.key) {
            asked.push((&kept.section, &kept.key));
        }
    }
    if let Some(exec) = config.exec() {
        let delegates = exec.delegate && exec.user.is_some();
        let said = [
            ("PAMName", exec.pam_name.is_some()),
            ("DynamicUser", exec.dynamic_user),
            ("Delegate", delegates),
        ];
        asked.extend(said.into_iter().filter(|(_, is_asked)| *is_asked).map(|(key, _)| ("Service", key)));
    }
    if let Some(socket) = config.socket() {
        let others = socket.listen.iter().filter_map(|listen| match listen {
            Listen::Other { key, value: _ } => Some(("Socket", key.as_str())),
            Listen::Stream(_)
            | Listen::Datagram(_)
            | Listen::SequentialPacket(_)
            | Listen::Fifo(_)
            | Listen::Netlink { .. } => None,
        });
        asked.extend(others);
        asked.extend((socket.accept == Accept::Yes).then_some(("Socket", "Accept")));
    }
    if matches!(config.body, Body::Mount(_)) {
        asked.push(("Mount", "What"));
    }
    let mut seen = BTreeSet::new();
    asked
        .into_iter()
        .filter(|(_, key)| seen.insert(*key))
        .filter_map(|(section, key)| Some((key, find(section, key)?.support)))
        .filter(|(_, support)| *support != Support::Full)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_say_each_key_once() {
        for section in &SECTIONS {
            for table in section.tables {
                for pair in table.windows(2) {
                    assert!(pair[0].key < pair[1].key, "{} before {}", pair[0].key, pair[1].key);
                }
            }
        }
    }
}
