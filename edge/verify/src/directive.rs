//! `eudaemon help DIRECTIVE`: what the table of directives knows of one key, and of `help SECTION` which keys it has.

use eudaemon_unit::directives::{EXTENSIONS, Entry, SECTIONS, about, all, gather};
use eudaemon_unit::manager;
use eudaemon_unit::spelling::nearest;
use std::fmt::Write;
use std::process::ExitCode;

/// The section of the manager's own settings.
const MANAGER: &str = "Manager";

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
    let section = section_page(word.trim_matches(['[', ']']));
    match section {
        Some(text) if word.starts_with('[') => return Some(Help::Known(text)),
        Some(text) => {
            // Some words are both, such as Slice.
            let key = match describe(&format!("{word}=")) {
                Some(Help::Known(key)) => format!("{key}\n"),
                Some(Help::Meant(_)) | None => String::new(),
            };
            return Some(Help::Known(key + &text));
        }
        None => {}
    }
    let word = word.strip_suffix('=').unwrap_or(word);
    let (section, key) = match word.split_once('.') {
        Some((section, key)) => {
            let mut known = SECTIONS.iter().map(|known| known.name).chain([MANAGER]);
            (Some(known.find(|known| *known == section.trim_matches(['[', ']']))?), key)
        }
        None => (None, word),
    };
    let rows = || all().filter(|(known, _)| section.is_none_or(|section| section == *known));
    let mut found = gather(rows().filter(|(_, row)| row.key == key));
    // The manager's own settings have names of their own.
    let settings =
        || manager::entries().into_iter().filter(|_| section.is_none_or(|section| section == MANAGER));
    found.extend(settings().filter(|entry| entry.key == key));
    if !found.is_empty() {
        return Some(Help::Known(page(&found)));
    }
    let unknown = match section {
        Some(section) => format!("Unknown directive {key} in section [{section}]."),
        None => format!("Unknown directive {key}."),
    };
    let meant = |near: &str| Some(Help::Meant(format!("{unknown} Did you mean '{near}'?\n")));
    let names = || SECTIONS.iter().map(|known| known.name).filter(|_| section.is_none());
    let keys = rows().map(|(_, row)| row.key).chain(settings().map(|entry| entry.key));
    if let Some(near) = nearest(key, keys.chain(names())) {
        return meant(&section.map_or(near.to_owned(), |section| format!("{section}.{near}")));
    }
    let elsewhere = all().find(|(_, row)| row.key == key);
    match (section, elsewhere) {
        (Some(_), Some((other, row))) => meant(&format!("{other}.{}", row.key)),
        (Some(_), None) => Some(Help::Meant(format!("{unknown}\n"))),
        (None, _) => None,
    }
}

/// The keys of a section, a line each; `None` where it is none.
fn section_page(section: &str) -> Option<String> {
    let of_units = all().filter(|(known, _)| *known == section).map(|(_, row)| (row.key, row.help));
    let mut keys: Vec<(&str, &str)> = of_units.collect();
    if section == MANAGER {
        keys.extend(manager::entries().into_iter().map(|entry| (entry.key, entry.says)));
    }
    keys.sort_unstable();
    keys.dedup_by_key(|(key, _)| *key);
    let wide = keys.iter().map(|(key, _)| key.len() + 1).max()?;
    let mut text = format!("[{section}]\n");
    for (key, says) in &keys {
        // Writing to a string cannot fail.
        writeln!(text, "  {:<wide$}  {says}", format!("{key}=")).ok();
    }
    text.push_str(&format!("\n'eudaemon help {section}.{}' tells more of a key.\n", keys.first()?.0));
    Some(text)
}

fn page(entries: &[Entry]) -> String {
    let mut text = entries.first().map(|entry| format!("{}=\n", entry.key)).unwrap_or_default();
    for (number, entry) in entries.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let shown: Vec<String> = entry.sections.iter().map(|section| format!("[{section}]")).collect();
        // Writing to a string cannot fail.
        let mut line = |name: &str, value: &str| writeln!(text, "  {name:<10} {value}").ok();
        line("Section", &shown.join(" "));
        line("Says", entry.says);
        line("Value", &entry.takes);
        if let Some(example) = entry.example.filter(|example| !entry.takes.contains(example)) {
            line("Such as", example);
        }
        line("Next line", entry.lines.words());
        if let Some(default) = entry.default {
            line("Default", default);
        }
        if let Some(property) = &entry.property {
            line("Property", property);
        }
        line("Acted on", &entry.support.words());
        line("Man page", entry.manual);
    }
    // Of what has no man page, what there is to know.
    let extension = entries.iter().find(|entry| entry.manual == EXTENSIONS);
    if let Some(about) = extension.and_then(|entry| about(entry.key)) {
        text.push_str(&format!("\n{about}\n"));
    }
    text
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
                  Next line  takes the place of the one before
                  Default    no
                  Property   Restart
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
                  Value      a user's name or number
                  Such as    daemon
                  Next line  takes the place of the one before
                  Property   User
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
                  Next line  takes the place of the one before
                  Default    private
                  Property   KeyringMode
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
                  Next line  takes the place of the one before
                  Property   TimeoutStartUSec, TimeoutStopUSec
                  Acted on   yes
                  Man page   systemd.service(5)

                  Section    [Socket]
                  Says       how long its commands may take
                  Value      a length of time such as 5s, 1min 30s or infinity
                  Next line  takes the place of the one before
                  Property   TimeoutUSec
                  Acted on   yes
                  Man page   systemd.socket(5)

                  Section    [Mount]
                  Says       how long mounting and unmounting may take
                  Value      a length of time such as 5s, 1min 30s or infinity
                  Next line  takes the place of the one before
                  Property   TimeoutUSec
                  Acted on   yes
                  Man page   systemd.mount(5)

                  Section    [Swap]
                  Says       how long swapon may take
                  Value      a length of time such as 5s, 1min 30s or infinity
                  Next line  takes the place of the one before
                  Property   TimeoutUSec
                  Acted on   not yet
                  Man page   systemd.swap(5)

                  Section    [X-Health]
                  Says       how long a probe may take
                  Value      a length of time such as 5s or 1min 30s, at least 10ms
                  Next line  takes the place of the one before
                  Acted on   yes
                  Man page   docs/reference/extensions.md

                5 seconds without it, which has to be enough for all that is asked in one probe. A connection that is not answered in
                that time is closed, a command that has not ended gets SIGKILL; the probe has failed.
            "#]],
        );
    }

    #[test]
    fn sections() {
        check(
            "X-Health",
            expect![[r#"
            [X-Health]
              Exec=            a command that ends with exit code 0 while the service is healthy
              Gate=            what waits until the service is healthy for the first time
              Http=            a URL that answers a healthy service's GET with 200 to 399
              IntervalSec=     the wait from one probe to the next
              OnUnhealthy=     what follows when the service is unhealthy
              Retries=         after how many failed probes in a row the service is unhealthy
              StartPeriodSec=  how long after the start failed probes do not count
              Tcp=             a port, or address and port, that takes connections while the service is healthy
              TimeoutSec=      how long a probe may take

            'eudaemon help X-Health.Exec' tells more of a key.
        "#]],
        );
        for section in &SECTIONS {
            let Some(Help::Known(text)) = describe(&format!("[{}]", section.name)) else {
                panic!("nothing is told of [{}]", section.name);
            };
            for row in section.tables.iter().flat_map(|table| table.iter()) {
                assert!(text.contains(&format!("\n  {}= ", row.key)), "{} of {}", row.key, section.name);
            }
        }
        assert!(matches!(describe("Manager"), Some(Help::Known(text)) if text.contains("\n  LogLevel= ")));
        check(
            "x-health",
            expect![[r#"
            Unknown directive x-health. Did you mean 'X-Health'?
        "#]],
        );
    }

    #[test]
    fn settings_of_the_manager() {
        check(
            "DefaultTimeoutStartSec=",
            expect![[r#"
            DefaultTimeoutStartSec=
              Section    [Manager]
              Says       TimeoutStartSec= of services and TimeoutSec= of other units that say nothing
              Value      a length of time such as 5s, 1min 30s or infinity
              Next line  takes the place of the one before
              Default    1min 30s
              Property   DefaultTimeoutStartUSec
              Acted on   yes
              Man page   systemd-system.conf(5)
        "#]],
        );
        check(
            "Manager.LogLevl",
            expect![[r#"
            Unknown directive LogLevl in section [Manager]. Did you mean 'Manager.LogLevel'?
        "#]],
        );
    }

    #[test]
    fn what_has_no_man_page_is_told() {
        check(
            "X-RestartResetSec",
            expect![[r#"
            X-RestartResetSec=
              Section    [Service]
              Says       after how long without an end the waits between restarts begin anew
              Value      a length of time such as 5s, 1min 30s or infinity
              Next line  takes the place of the one before
              Default    infinity: never
              Acted on   yes
              Man page   docs/reference/extensions.md

            With `RestartSteps=` and `RestartMaxDelaySec=` each restart is waited for longer than the one before, and under systemd
            the wait stays as long for good: a service that fell over ten times in its first minute and then ran for a year is not up
            again for as long as the longest wait when it falls once more. With this line a run that lasted so long from having
            started (active) to its end takes the wait back to `RestartSec=`, and the steps begin anew. What runs shorter, or never comes
            up, changes nothing.

            `NRestarts` counts on as under systemd: it says how often the service was started again, not how long the next wait is.
            A start by hand and `reset-failed` begin both anew.
        "#]],
        );
    }

    #[test]
    fn every_directive_is_known() {
        for (section, row) in all() {
            for word in
                [row.key.to_owned(), format!("{section}.{}", row.key), format!("[{section}].{}=", row.key)]
            {
                assert!(matches!(describe(&word), Some(Help::Known(_))), "{word}");
            }
        }
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
}
