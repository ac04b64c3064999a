//! What the settings come to.

use crate::config::exec::{Limit, Resource, Stdio};
use crate::config::service::OomPolicy;
use crate::config::unit::EmergencyAction;
use crate::span::Span;

/// What a unit has that says nothing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    pub timer_accuracy: Span,
    pub standard_output: Stdio,
    pub standard_error: Stdio,
    pub timeout_start: Span,
    pub timeout_stop: Span,
    /// `None`: as `timeout_stop`.
    pub timeout_abort: Option<Span>,
    pub device_timeout: Span,
    pub restart: Span,
    pub start_limit_interval: Span,
    pub start_limit_burst: u32,
    pub cpu_accounting: bool,
    pub io_accounting: bool,
    pub block_io_accounting: bool,
    pub ip_accounting: bool,
    pub memory_accounting: bool,
    pub tasks_accounting: bool,
    pub tasks_max: Tasks,
    /// Sorted by resource, at most one each; what is not in it is the manager's own.
    pub limits: Vec<(Resource, Limit)>,
    pub oom_policy: OomPolicy,
    pub oom_score_adjust: Option<i16>,
}

/// How many tasks a unit may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tasks {
    /// `u64::MAX`: as many as there can be.
    Number(u64),
    /// Hundredths of a percent of what the machine can have.
    Share(u32),
}

impl Tasks {
    /// The number, on a machine that can have this many.
    pub fn of(self, most: u64) -> u64 {
        match self {
            Tasks::Number(number) => number,
            Tasks::Share(parts) => {
                u64::try_from(u128::from(most) * u128::from(parts) / 10_000).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            timer_accuracy: Span::seconds(60),
            standard_output: Stdio::Journal,
            standard_error: Stdio::Inherit,
            timeout_start: Span::seconds(90),
            timeout_stop: Span::seconds(90),
            timeout_abort: None,
            device_timeout: Span::seconds(90),
            restart: Span::milliseconds(100),
            start_limit_interval: Span::seconds(10),
            start_limit_burst: 5,
            cpu_accounting: true,
            io_accounting: false,
            block_io_accounting: false,
            ip_accounting: false,
            memory_accounting: true,
            tasks_accounting: true,
            tasks_max: Tasks::Share(1_500),
            limits: Vec::new(),
            oom_policy: OomPolicy::Stop,
            oom_score_adjust: None,
        }
    }
}

impl Defaults {
    /// The units' directives of accounting, and whether they hold where a unit says nothing.
    pub const fn accounting(&self) -> [(&'static str, bool); 6] {
        [
            ("CPUAccounting", self.cpu_accounting),
            ("IOAccounting", self.io_accounting),
            ("BlockIOAccounting", self.block_io_accounting),
            ("IPAccounting", self.ip_accounting),
            ("MemoryAccounting", self.memory_accounting),
            ("TasksAccounting", self.tasks_accounting),
        ]
    }

    /// Whether a directive of accounting holds where a unit says nothing.
    pub fn counts(&self, key: &str) -> bool {
        self.accounting().iter().any(|(known, counts)| *known == key && *counts)
    }
}

/// Where the manager's lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTarget {
    Console,
    ConsolePrefixed,
    Kmsg,
    Journal,
    JournalOrKmsg,
    Syslog,
    SyslogOrKmsg,
    Auto,
    Null,
}

/// Whether the console is told of what starts and stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowStatus {
    No,
    /// Once something failed.
    Error,
    /// Once something failed or takes long.
    Auto,
    Yes,
}

/// By what a unit is called on the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitFormat {
    Name,
    Description,
    Combined,
}

impl UnitFormat {
    pub const WORDS: [(&'static str, UnitFormat); 3] = [
        ("name", UnitFormat::Name),
        ("description", UnitFormat::Description),
        ("combined", UnitFormat::Combined),
    ];
}

impl LogTarget {
    pub const WORDS: [(&'static str, LogTarget); 9] = [
        ("console", LogTarget::Console),
        ("console-prefixed", LogTarget::ConsolePrefixed),
        ("kmsg", LogTarget::Kmsg),
        ("journal", LogTarget::Journal),
        ("journal-or-kmsg", LogTarget::JournalOrKmsg),
        ("syslog", LogTarget::Syslog),
        ("syslog-or-kmsg", LogTarget::SyslogOrKmsg),
        ("auto", LogTarget::Auto),
        ("null", LogTarget::Null),
    ];

    pub fn of(word: &str) -> Option<LogTarget> {
        LogTarget::WORDS.iter().find(|(known, _)| *known == word).map(|(_, target)| *target)
    }

    pub fn word(self) -> &'static str {
        LogTarget::WORDS.iter().find(|(_, target)| *target == self).map_or("", |(word, _)| word)
    }
}

impl ShowStatus {
    /// A boolean, or how much must have happened.
    pub fn of(text: &str) -> Option<ShowStatus> {
        match (text, crate::values::boolean(text)) {
            ("auto", _) => Some(ShowStatus::Auto),
            ("error", _) => Some(ShowStatus::Error),
            (_, Some(true)) => Some(ShowStatus::Yes),
            (_, Some(false)) => Some(ShowStatus::No),
            (_, None) => None,
        }
    }
}

/// Everything that `[Manager]` and the kernel's command line say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub defaults: Defaults,
    /// `DefaultEnvironment=`: what all services are given.
    pub environment: Vec<String>,
    /// `ManagerEnvironment=`: what the manager itself goes by.
    pub manager_environment: Vec<String>,
    /// syslog(3)'s number. What is not said stays as it is when the files are read anew.
    pub log_level: Option<u8>,
    pub log_target: Option<LogTarget>,
    /// `None`: nothing was said, which is yes.
    pub show_status: Option<ShowStatus>,
    pub status_unit_format: UnitFormat,
    /// Whether `WatchdogSec=` of services is held to.
    pub service_watchdogs: bool,
    pub confirm_spawn: bool,
    pub ctrl_alt_del_burst_action: EmergencyAction,
    /// `INFINITY` is the device's own: `default`.
    pub runtime_watchdog: Span,
    pub runtime_watchdog_pre: Span,
    pub runtime_watchdog_pre_governor: String,
    pub reboot_watchdog: Span,
    pub kexec_watchdog: Span,
    pub watchdog_device: String,
    pub timer_slack_nsec: u64,
    /// Whether a crash of the manager leaves a core dump.
    pub dump_core: bool,
    /// Settings nobody acts on: key and value as written, the last for each key.
    pub kept: Vec<(&'static str, String)>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            defaults: Defaults::default(),
            environment: Vec::new(),
            manager_environment: Vec::new(),
            log_level: None,
            log_target: None,
            show_status: None,
            status_unit_format: UnitFormat::Combined,
            service_watchdogs: true,
            confirm_spawn: false,
            ctrl_alt_del_burst_action: EmergencyAction::RebootForce,
            runtime_watchdog: Span::ZERO,
            runtime_watchdog_pre: Span::ZERO,
            runtime_watchdog_pre_governor: String::new(),
            reboot_watchdog: Span::seconds(600),
            kexec_watchdog: Span::ZERO,
            watchdog_device: String::new(),
            timer_slack_nsec: 50_000,
            dump_core: true,
            kept: Vec::new(),
        }
    }
}
