//! `eudaemon help DIRECTIVE`: what the table of directives knows of one key.

use eudaemon_unit::directives::{Directive, Kind, SECTIONS, all, manual};
use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::specifier::Context;
use eudaemon_unit::spelling::nearest;
use std::fmt::Write;
use std::process::ExitCode;

/// Prints what is known of a directive, or which was meant; `None` where the word is neither.
pub fn help(word: &str) -> Option<ExitCode> {
    match describe(word)? {
        Help::Known(text) => Some(crate::write(std::io::stdout(), &text, ExitCode::SUCCESS)),
        Help::Meant(text) => Some(crate::write(std::io::stderr(), &text, ExitCode::FAILURE)),
    }
}

/// What `help WORD` says of a directive, or of the word that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Help {
    Known(String),
    /// No directive, but near one.
    Meant(String),
}

/// `None` where the word is no directive and near none: it may be something else.
fn describe(word: &str) -> Option<Help> {
    let word = word.strip_suffix('=').unwrap_or(word);
    let (section, key) = match word.split_once('.') {
        Some((section, key)) => {
            (Some(SECTIONS.iter().find(|known| known.name == section.trim_matches(['[', ']']))?.name), key)
        }
        None => (None, word),
    };
    let rows = || all().filter(|(known, _)| section.is_none_or(|section| section == *known));
    let found: Vec<(&str, &Directive)> = rows().filter(|(_, row)| row.key == key).collect();
    if !found.is_empty() {
        return Some(Help::Known(page(&found)));
    }
    let unknown = match section {
        Some(section) => format!("Unknown directive {key} in section [{section}]."),
        None => format!("Unknown directive {key}."),
    };
    let meant = |near: &str| Some(Help::Meant(format!("{unknown} Did you mean '{near}'?\n")));
    if let Some(near) = nearest(key, rows().map(|(_, row)| row.key)) {
        return meant(&section.map_or(near.to_owned(), |section| format!("{section}.{near}")));
    }
    let elsewhere = all().find(|(_, row)| row.key == key);
    match (section, elsewhere) {
        (Some(_), Some((other, row))) => meant(&format!("{other}.{}", row.key)),
        (Some(_), None) => Some(Help::Meant(format!("{unknown}\n"))),
        (None, _) => None,
    }
}

/// Rows that say the same of several sections are one entry.
fn page(found: &[(&str, &Directive)]) -> String {
    let mut text = String::new();
    let mut entries: Vec<(&Directive, Vec<&str>)> = Vec::new();
    for (section, row) in found {
        match entries.iter_mut().find(|(known, _)| known.help == row.help && known.kind == row.kind) {
            Some((_, sections)) => sections.push(section),
            None => entries.push((row, vec![section])),
        }
    }
    for (row, sections) in entries {
        if !text.is_empty() {
            text.push('\n');
        }
        let shown: Vec<String> = sections.iter().map(|section| format!("[{section}]")).collect();
        let manual = sections.first().map_or("", |section| manual(section, row.key));
        let mut line = |name: &str, value: &str| writeln!(text, "  {name:<10} {value}").ok();
        line("Section", &shown.join(" "));
        line("Says", row.help);
        line("Value", &value(sections.first().copied().unwrap_or(""), row));
        if let Some(default) = default(row) {
            line("Default", default);
        }
        line("Acted on", &row.support.words());
        line("Man page", manual);
    }
    let key = found.first().map_or("", |(_, row)| row.key);
    format!("{key}=\n{text}")
}

fn value(section: &str, row: &Directive) -> String {
    let kind = row.kind;
    match kind {
        Kind::Word(_) => words(section, row.key).unwrap_or_else(|| kind.expected().to_owned()),
        Kind::OneOf(_, words) => format!("one of {}", words.join(", ")),
        Kind::Boolean
        | Kind::BooleanYes
        | Kind::Span(_)
        | Kind::Timeout(_)
        | Kind::Unsigned
        | Kind::Integer(_)
        | Kind::Mode
        | Kind::Size
        | Kind::Path
        | Kind::Text
        | Kind::Signal
        | Kind::Limit
        | Kind::Action
        | Kind::Condition => kind.expected().to_owned(),
        Kind::Paths | Kind::Words | Kind::Lines | Kind::Units | Kind::Commands => {
            format!("{}; each line adds to the list, an empty one empties it", kind.expected())
        }
    }
}

/// The words a directive takes, as it names them when it is given another.
fn words(section: &str, key: &str) -> Option<String> {
    let kind = UnitKind::from_suffix(&section.to_lowercase()).unwrap_or(UnitKind::Service);
    let name = UnitName::parse(&format!("a.{}", kind.suffix())).ok()?;
    let (path, text) = ("/a", format!("[{section}]\n{key}=?\n"));
    let fragment = Fragment::File(path.to_owned());
    let found =
        Found { name: name.clone(), aliases: vec![], fragment, dropins: vec![], dependencies: vec![] };
    let source = Source { path, text: text.as_bytes() };
    let merged = merge(&name, &[source], &found, &Context::default());
    merged.diagnostics.into_iter().find(|said| said.line == 2).map(|said| said.expected.into_owned())
}

/// Where the kind of value does not say it: the man pages' own words.
const DEFAULTS: &[(&str, &str)] = &[
    ("CacheDirectoryMode", "0755"),
    ("CollectMode", "inactive"),
    ("ConfigurationDirectoryMode", "0755"),
    ("DirectoryMode", "0755"),
    ("FailureAction", "none"),
    ("FileDescriptorStoreMax", "0"),
    ("JobRunningTimeoutSec", "infinity"),
    ("JobTimeoutAction", "none"),
    ("JobTimeoutSec", "infinity"),
    ("KillMode", "control-group"),
    ("KillSignal", "SIGTERM"),
    ("LogsDirectoryMode", "0755"),
    ("NotifyAccess", "none; main with Type=notify, WatchdogSec= or FileDescriptorStoreMax="),
    ("OOMPolicy", "stop; continue with Delegate=yes"),
    ("OnFailureJobMode", "replace"),
    ("OnSuccessJobMode", "fail"),
    ("Restart", "no"),
    ("RestartKillSignal", "that of KillSignal="),
    ("RestartSec", "100ms"),
    ("RuntimeDirectoryMode", "0755"),
    ("RuntimeDirectoryPreserve", "no"),
    ("RuntimeMaxSec", "infinity"),
    ("SocketMode", "0666"),
    ("StandardError", "inherit"),
    ("StandardInput", "null"),
    ("StandardOutput", "journal; inherit with input from a terminal, socket or descriptor"),
    ("StartLimitAction", "none"),
    ("StartLimitBurst", "5"),
    ("StartLimitIntervalSec", "10s"),
    ("StateDirectoryMode", "0755"),
    ("SuccessAction", "none"),
    ("TimeoutAbortSec", "that of TimeoutStopSec="),
    ("TimeoutStartSec", "1min 30s; infinity with Type=oneshot"),
    ("TimeoutStopSec", "1min 30s"),
    ("Type", "simple; dbus with BusName=, oneshot without ExecStart="),
    ("UMask", "0022"),
    ("WatchdogSec", "0, which is off"),
    ("WatchdogSignal", "SIGABRT"),
    ("WorkingDirectory", "/"),
];

fn default(row: &Directive) -> Option<&'static str> {
    let said = DEFAULTS.iter().find(|(key, _)| *key == row.key).map(|(_, default)| *default);
    match (said, row.kind) {
        (Some(said), _) => Some(said),
        (None, Kind::Boolean) => Some("no"),
        (None, Kind::BooleanYes) => Some("yes"),
        (None, Kind::OneOf(_, words)) => words.first().copied(),
        (
            None,
            Kind::Span(_)
            | Kind::Timeout(_)
            | Kind::Unsigned
            | Kind::Integer(_)
            | Kind::Mode
            | Kind::Size
            | Kind::Path
            | Kind::Paths
            | Kind::Word(_)
            | Kind::Text
            | Kind::Words
            | Kind::Lines
            | Kind::Units
            | Kind::Commands
            | Kind::Signal
            | Kind::Limit
            | Kind::Action
            | Kind::Condition,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(word: &str, expected: Expect) {
        expected.assert_eq(&match describe(word) {
            Some(Help::Known(text) | Help::Meant(text)) => text,
            None => "-".to_owned(),
        });
    }

    #[test]
    fn known_directives() {
        check(
            "Restart",
            expect![[r#"
            Restart=
              Section    [Service]
              Says       after which ends it is started again
              Value      one of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always
              Default    no
              Acted on   yes
              Man page   systemd.service(5)
        "#]],
        );
        check(
            "Service.User=",
            expect![[r#"
            User=
              Section    [Service]
              Says       the user it runs as
              Value      text
              Acted on   yes
              Man page   systemd.exec(5)
        "#]],
        );
        check(
            "KeyringMode",
            expect![[r#"
                KeyringMode=
                  Section    [Service] [Socket] [Mount] [Swap]
                  Says       which kernel keyring it has
                  Value      one of private, inherit, shared
                  Default    private
                  Acted on   not yet
                  Man page   systemd.exec(5)
            "#]],
        );
        check(
            "TimeoutSec",
            expect![[r#"
            TimeoutSec=
              Section    [Service]
              Says       how long starting and stopping may take
              Value      a length of time such as 5s, 1min 30s or infinity
              Acted on   yes
              Man page   systemd.service(5)

              Section    [Socket]
              Says       how long its commands may take
              Value      a length of time such as 5s, 1min 30s or infinity
              Acted on   yes
              Man page   systemd.socket(5)

              Section    [Mount]
              Says       how long mounting and unmounting may take
              Value      a length of time such as 5s, 1min 30s or infinity
              Acted on   not yet
              Man page   systemd.mount(5)

              Section    [Swap]
              Says       how long swapon may take
              Value      a length of time such as 5s, 1min 30s or infinity
              Acted on   not yet
              Man page   systemd.swap(5)
        "#]],
        );
    }

    #[test]
    fn words_that_are_none() {
        check(
            "execstart",
            expect![[r#"
            Unknown directive execstart. Did you mean 'ExecStart'?
        "#]],
        );
        check(
            "Unit.ExecStart",
            expect![[r#"
            Unknown directive ExecStart in section [Unit]. Did you mean 'Service.ExecStart'?
        "#]],
        );
        check(
            "Unit.Frobnicate",
            expect![[r#"
            Unknown directive Frobnicate in section [Unit].
        "#]],
        );
        check("NetworkManager", expect!["-"]);
        check("nginx.service", expect!["-"]);
    }

    #[test]
    fn every_default_is_of_a_directive() {
        for (key, _) in DEFAULTS {
            assert!(all().any(|(_, row)| row.key == *key), "{key}");
        }
    }
}
