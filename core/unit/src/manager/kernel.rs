//! What the kernel's command line says to the machine's manager: systemd(1), "Kernel command line". It counts more than files.

use super::settings::{Settings, ShowStatus};
use super::table::find;
use crate::config::exec::Stdio;
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::directives::{Line, Outcome};
use crate::name::UnitName;
use crate::specifier::{Allowed, Context, Scope};
use crate::syntax::At;
use crate::values::boolean;
use std::sync::Arc;

/// What is asked for beside settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// What is started in place of default.target.
    pub unit: Option<UnitName>,
    /// `locale.LANG=` and its kin, as `NAME=VALUE`: they stand for all of locale.conf(5).
    pub locale: Vec<String>,
}

/// Words that are settings of files under another name, with what they are where no value is given.
const SETTINGS: &[(&str, &str, Option<&str>)] = &[
    ("systemd.cpu_affinity", "CPUAffinity", None),
    ("systemd.crash_chvt", "CrashChangeVT", Some("yes")),
    ("systemd.crash_reboot", "CrashReboot", Some("yes")),
    ("systemd.crash_shell", "CrashShell", Some("yes")),
    ("systemd.default_timeout_start_sec", "DefaultTimeoutStartSec", None),
    ("systemd.dump_core", "DumpCore", Some("yes")),
    ("systemd.log_color", "LogColor", Some("yes")),
    ("systemd.log_level", "LogLevel", None),
    ("systemd.log_location", "LogLocation", Some("yes")),
    ("systemd.log_target", "LogTarget", None),
    ("systemd.log_time", "LogTime", Some("yes")),
    ("systemd.show_status", "ShowStatus", Some("yes")),
    ("systemd.status_unit_format", "StatusUnitFormat", None),
    ("systemd.watchdog_device", "WatchdogDevice", None),
    ("systemd.watchdog_pre_sec", "RuntimeWatchdogPreSec", None),
    ("systemd.watchdog_pretimeout_governor", "RuntimeWatchdogPreGovernor", None),
];

/// Obeys the words in their order. They are those of /proc/cmdline or, in a container, PID 1's own arguments; `place` says
/// which, and is named where a word is wrong.
pub fn from_command_line(
    settings: &mut Settings,
    words: &[String],
    place: &str,
    cx: &Context,
) -> (Asked, Vec<Diagnostic>) {
    let mut reader = Reader { settings, asked: Asked::default(), report: Report::default(), place, cx };
    for word in words {
        reader.word(word);
    }
    (reader.asked, reader.report.finish(place))
}

/// `systemd.log-level` and `systemd.log_level` are one.
fn is(key: &str, known: &str) -> bool {
    let same = |(a, b): (u8, u8)| a == b || (matches!(a, b'-' | b'_') && matches!(b, b'-' | b'_'));
    key.len() == known.len() && key.bytes().zip(known.bytes()).all(same)
}

struct Reader<'a> {
    settings: &'a mut Settings,
    asked: Asked,
    report: Report,
    place: &'a str,
    cx: &'a Context,
}

impl Reader<'_> {
    fn word(&mut self, word: &str) {
        let (key, value) = word.split_once('=').map_or((word, None), |(key, value)| (key, Some(value)));
        // What is there for the initial RAM disk alone is not there for us.
        if key.starts_with("rd.") {
            return;
        }
        match value {
            Some(value) if is(key, "systemd.unit") => self.unit(key, value),
            Some(value) if is(key, "systemd.setenv") => self.variable(value),
            Some(value) if is(key, "systemd.service_watchdogs") => match boolean(value) {
                Some(yes) => self.settings.service_watchdogs = yes,
                None => self.refuse(format!("Failed to parse service watchdog switch {value}, ignoring")),
            },
            Some(value) if is(key, "systemd.watchdog_sec") => {
                self.setting("RuntimeWatchdogSec", value);
                self.setting("KExecWatchdogSec", value);
            }
            value if is(key, "systemd.confirm_spawn") => {
                self.settings.confirm_spawn = value.is_none_or(|value| boolean(value).unwrap_or(true));
            }
            value if is(key, "systemd.default_standard_output") => match value {
                Some(value) => self.setting("DefaultStandardOutput", value),
                None => self.settings.defaults.standard_output = Stdio::Journal,
            },
            value if is(key, "systemd.default_standard_error") => match value {
                Some(value) => self.setting("DefaultStandardError", value),
                None => self.settings.defaults.standard_error = Stdio::Inherit,
            },
            Some(value) if key.starts_with("locale.") => self.locale(&key["locale.".len()..], value),
            value => match (SETTINGS.iter().find(|(known, ..)| is(key, known)), value) {
                (Some((_, key, _)), Some(value)) => self.setting(key, value),
                (Some((_, key, Some(bare))), None) => self.setting(key, bare),
                (Some((_, _, None)), None) => {}
                (None, None) => self.bare(key),
                (None, Some(_)) => {}
            },
        }
    }

    fn refuse(&mut self, text: String) {
        self.report.push(Diagnostic::of_unit(self.place, Severity::Warning, text).coded(Code::BadValue));
    }

    fn unit(&mut self, key: &str, value: &str) {
        match UnitName::parse(value) {
            Ok(name) if !name.is_template() => self.asked.unit = Some(name),
            Ok(_) | Err(_) => {
                self.refuse(format!("Unit name specified on {key}= is not valid, ignoring: {value}"));
            }
        }
    }

    fn variable(&mut self, value: &str) {
        let is_name = |name: &str| {
            let mut bytes = name.bytes();
            bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let Some((name, _)) = value.split_once('=').filter(|(name, _)| is_name(name)) else {
            return self.refuse(format!("Environment variable assignment '{value}' is not valid. Ignoring."));
        };
        self.settings.environment.retain(|known| known.split('=').next() != Some(name));
        self.settings.environment.push(value.to_owned());
    }

    fn locale(&mut self, name: &str, value: &str) {
        if name == "LANG" || name == "LANGUAGE" || name.starts_with("LC_") {
            self.asked.locale.retain(|known| known.split('=').next() != Some(name));
            self.asked.locale.push(format!("{name}={value}"));
        }
    }

    /// Words that came before systemd's own.
    fn bare(&mut self, word: &str) {
        let target = match word {
            "quiet" => {
                self.settings.show_status = self.settings.show_status.or(Some(ShowStatus::Error));
                return;
            }
            "debug" => {
                self.settings.log_level = Some(7);
                return;
            }
            "emergency" | "-b" => "emergency.target",
            "rescue" | "single" | "-s" | "s" | "S" | "1" => "rescue.target",
            "2" | "3" | "4" => "multi-user.target",
            "5" => "graphical.target",
            _ => return,
        };
        self.asked.unit = UnitName::parse(target).ok().or(self.asked.unit.take());
    }

    /// As a line of a file.
    fn setting(&mut self, key: &str, value: &str) {
        let (Some(row), Ok(own)) = (find(key), UnitName::parse("init.scope")) else { return };
        let at = At { path: Arc::from(self.place), line: 0, column: 0, span: 0..0 };
        let mut line = Line {
            kind: row.kind,
            specifiers: Allowed::OfManager,
            section: "Manager",
            key: row.key,
            value,
            at: &at,
            scope: Scope { name: &own, fragment: "", cx: self.cx },
            diagnostics: &mut self.report,
            outcome: Outcome::Fine,
        };
        (row.set)(self.settings, &mut line);
    }
}
