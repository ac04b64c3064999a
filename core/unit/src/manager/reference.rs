//! The settings for people: their page of docs/reference, and what `eudaemon help` says of one.

use super::table::{Row, Whose, rows};
use crate::directives::{Entry, Kind, Lines};
use std::fmt::Write;

const SYSTEM: &str = "systemd-system.conf(5)";
const HTML: &str = "https://www.freedesktop.org/software/systemd/man/latest/systemd-system.conf.html";

/// Every setting, by name.
pub fn entries() -> Vec<Entry> {
    rows().iter().map(entry).collect()
}

fn entry(row: &'static Row) -> Entry {
    let (takes, example) = match (row.key, row.kind) {
        ("DefaultEnvironment" | "ManagerEnvironment", _) => {
            ("NAME=value, each in quotes where it has spaces".to_owned(), Some("\"A=b c\""))
        }
        ("CPUAffinity", _) => ("numbers and ranges such as 0-3 7".to_owned(), None),
        ("CapabilityBoundingSet", _) => {
            ("names of capabilities, all but those after ~".to_owned(), Some("~CAP_SYS_ADMIN"))
        }
        ("CrashChVT" | "CrashChangeVT", _) => ("yes, no, or a number from 1 to 63".to_owned(), None),
        ("DefaultSmackProcessLabel", _) => ("a label".to_owned(), None),
        ("DefaultTasksMax", _) => {
            ("a number, a percentage of what the machine can have, or infinity".to_owned(), Some("15%"))
        }
        ("LogTarget", _) => {
            ("one of console, console-prefixed, kmsg, journal, journal-or-kmsg, syslog, syslog-or-kmsg, auto, null".to_owned(), None)
        }
        ("LogLevel", _) => {
            ("one of emerg, alert, crit, err, warning, notice, info, debug, or its number".to_owned(), None)
        }
        ("NUMAMask", _) => ("numbers and ranges, or all".to_owned(), None),
        ("RuntimeWatchdogPreGovernor", _) => ("a name the device knows, such as panic".to_owned(), None),
        ("ShowStatus", _) => ("yes, no, auto or error".to_owned(), None),
        ("SystemCallArchitectures", _) => ("names of architectures".to_owned(), Some("native")),
        ("TimerSlackNSec", _) => ("a length of time, a bare number being nanoseconds".to_owned(), Some("50us")),
        (key, Kind::Span(_)) if key.contains("Watchdog") => ("a length of time, off or default".to_owned(), Some("30s")),
        (_, Kind::Word("output type")) => {
            ("one of inherit, null, tty, journal, journal+console, kmsg, kmsg+console".to_owned(), None)
        }
        (_, Kind::OneOf(_, words)) => (format!("one of {}", words.join(", ")), None),
        (_, kind) => (kind.expected().to_owned(), None),
    };
    let lines = match row.key {
        "DefaultEnvironment" | "ManagerEnvironment" => Lines::Add,
        _ => Lines::Replace,
    };
    Entry {
        key: row.key,
        sections: vec!["Manager"],
        says: row.help,
        takes,
        example,
        lines,
        default: Some(row.default),
        support: row.support,
        property: Some(row.property).filter(|property| !property.is_empty()).map(str::to_owned),
        manual: SYSTEM,
    }
}

/// docs/reference/manager.md, and how many settings are in it.
pub fn page() -> String {
    let mut text = format!(
        "# The manager's own settings\n\nThe section [Manager] of system.conf and user.conf: [{SYSTEM}]({HTML}). [All pages](README.md)\n\n\
         Read are `/etc/systemd/system.conf`, then `system.conf.d/*.conf` of `/etc/systemd`, `/run/systemd`, `/usr/local/lib/systemd`\n\
         and `/usr/lib/systemd`, sorted by name wherever they lie: of two of one name the one in the earlier directory counts, and a link\n\
         to `/dev/null` hides those after it. A user's manager reads `user.conf` of `~/.config/systemd`, or else of `/etc/systemd`, and the\n\
         drop-ins of both and of the other directories. A line that is wrong is said with its file and line, and changes nothing; so is\n\
         what is set and not acted on. `systemctl daemon-reload` reads all of it anew, and every unit with it.\n\n\
         The machine's manager then obeys the kernel's command line, in a container the arguments of PID 1: `systemd.unit=`,\n\
         `systemd.setenv=`, `systemd.default_standard_output=`, `systemd.default_standard_error=`, `systemd.default_timeout_start_sec=`,\n\
         `systemd.log_level=`, `systemd.log_target=`, `systemd.show_status=`, `systemd.status_unit_format=`, `systemd.watchdog_sec=`,\n\
         `locale.LANG=` and its kin, `quiet`, `debug`, `rescue`, `emergency` and runlevels; `$SYSTEMD_LOG_LEVEL` and `$SYSTEMD_LOG_TARGET`\n\
         come last. `$SYSTEMD_PROC_CMDLINE` stands in for that line.\n"
    );
    for entry in entries() {
        // Writing to a string cannot fail.
        write!(
            text,
            "\n## {}=\n\n{}.\n\n",
            entry.key,
            crate::directives::capital(&crate::directives::escaped(entry.says))
        )
        .ok();
        let mut line = |name: &str, value: &str| writeln!(text, "- {name}: {value}").ok();
        let files = match super::table::find(entry.key).map(|row| row.whose) {
            Some(Whose::System) => "system.conf",
            Some(Whose::Both) | None => "system.conf, user.conf",
        };
        line("in", files);
        let takes = crate::directives::escaped(&entry.takes);
        match entry.example {
            Some(example) if !entry.takes.contains(example) => {
                line("takes", &format!("{takes}, such as `{example}`"))
            }
            Some(_) | None => line("takes", &takes),
        };
        line("a further line", entry.lines.words());
        line("without it", &crate::directives::escaped(entry.default.unwrap_or("nothing")));
        match &entry.property {
            Some(property) => line("property", &format!("`{}`", property.replace(", ", "`, `"))),
            None => line("property", "none"),
        };
        line("acted on", &crate::directives::escaped(&entry.support.words()));
        line("man page", &format!("[{SYSTEM}]({HTML}#{}=)", entry.key));
    }
    text
}
