//! The table: a row for each key of `[Manager]`, with whose manager reads it, how far it is acted on, what its value looks like, what
//! it does to the settings, the property that shows it, and one line of help. Reader, `verify`, `eudaemon help` and docs/reference
//! all read these rows.

use super::settings::{LogTarget, Settings, ShowStatus, Tasks, UnitFormat};
use crate::config::exec::{Resource, Stdio};
use crate::config::service::OomPolicy;
use crate::config::unit::EmergencyAction;
use crate::directives::{ACTIONS, Kind, LEVELS, Line, Support, assignments, numbered, one_limit, score};
use crate::span::Span;
use crate::values::number::{permyriad, unsigned};
use crate::values::timespan::parse_nanoseconds;
use crate::values::{Bad, parse_timespan};

/// Whose manager acts on a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Both,
    /// The machine's alone: a user's manager reads it, and nothing comes of it.
    System,
}

pub struct Row {
    pub key: &'static str,
    pub kind: Kind,
    pub whose: Whose,
    pub support: Support,
    pub(super) set: fn(&mut Settings, &mut Line<'_>),
    /// What holds where nothing is said.
    pub default: &'static str,
    /// The properties of org.freedesktop.systemd1.Manager that show it; empty where none does.
    pub property: &'static str,
    pub help: &'static str,
}

type Set = fn(&mut Settings, &mut Line<'_>);

const fn row(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    property: &'static str,
    set: Set,
    help: &'static str,
) -> Row {
    Row { key, kind, whose: Whose::Both, support: Support::Full, set, default, property, help }
}

impl Row {
    const fn but(self, support: Support) -> Row {
        Row { support, ..self }
    }

    const fn of_system(self) -> Row {
        Row { whose: Whose::System, ..self }
    }
}

const fn kept(key: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Row {
    row(key, kind, default, "", keep, help).but(Support::NotYet)
}

const fn limit(
    key: &'static str,
    default: &'static str,
    property: &'static str,
    set: Set,
    help: &'static str,
) -> Row {
    row(key, Kind::Limit, default, property, set, help)
}

const SEC: Kind = Kind::Span("sec value");
const OWN: &str = "the manager's own";
const SHOWN: Support = Support::Partial("shown as the default of units; control groups are not limited yet");
const COUNTED: Support =
    Support::Partial("shown as the default of units; what the kernel counts anyway is shown");
const NO_DEVICE: Support = Support::Partial("read and shown; no watchdog device is opened");
const NO_DUMP: Support = Support::Ignored("a manager that dies is started again, PID 1 lives on");

/// Every setting, by name.
pub fn rows() -> &'static [Row] {
    TABLE
}

/// The row of a key, if there is one.
pub fn find(key: &str) -> Option<&'static Row> {
    let at = TABLE.binary_search_by(|row| row.key.cmp(key)).ok()?;
    TABLE.get(at)
}

#[rustfmt::skip]
static TABLE: &[Row] = &[
    kept("CPUAffinity", Kind::Words, "all", "the CPUs the manager and its services run on"),
    kept("CapabilityBoundingSet", Kind::Words, "all", "capabilities neither the manager nor its services can ever have").of_system(),
    kept("CrashChVT", Kind::Text, "no", "old name of CrashChangeVT=").but(NO_DUMP).of_system(),
    kept("CrashChangeVT", Kind::Text, "no", "the terminal that is switched to when the manager crashes").but(NO_DUMP).of_system(),
    kept("CrashReboot", Kind::Boolean, "no", "the machine is started anew when the manager crashes").but(NO_DUMP).of_system(),
    kept("CrashShell", Kind::Boolean, "no", "a shell is started when the manager crashes").but(NO_DUMP).of_system(),
    row("CtrlAltDelBurstAction", Kind::Action, "reboot-force", "CtrlAltDelBurstAction", burst_action, "what is done when Ctrl-Alt-Delete is pressed seven times in two seconds").but(Support::Partial("read and shown; the keys are not counted")).of_system(),
    row("DefaultBlockIOAccounting", Kind::Boolean, "no", "DefaultBlockIOAccounting", |s, l| flag(&mut s.defaults.block_io_accounting, l), "old name of DefaultIOAccounting=").but(Support::Ignored("control groups of version 1 are not set up")),
    row("DefaultCPUAccounting", Kind::BooleanYes, "yes", "DefaultCPUAccounting", |s, l| flag(&mut s.defaults.cpu_accounting, l), "CPUAccounting= of units that say nothing").but(COUNTED),
    row("DefaultDeviceTimeoutSec", SEC, "1min 30s", "DefaultDeviceTimeoutUSec", |s, l| span(&mut s.defaults.device_timeout, l), "how long a device is waited for").but(Support::Partial("shown as what devices have; a wish for one is refused at once")),
    row("DefaultEnvironment", Kind::Words, "nothing", "Environment", |s, l| assignments(&mut s.environment, l), "variables that all services are given"),
    row("DefaultIOAccounting", Kind::Boolean, "no", "", |s, l| flag(&mut s.defaults.io_accounting, l), "IOAccounting= of units that say nothing").but(COUNTED),
    row("DefaultIPAccounting", Kind::Boolean, "no", "", |s, l| flag(&mut s.defaults.ip_accounting, l), "IPAccounting= of units that say nothing").but(COUNTED),
    limit("DefaultLimitAS", OWN, "DefaultLimitAS, DefaultLimitASSoft", |s, l| resource(s, l, Resource::As), "LimitAS= of units that say nothing"),
    limit("DefaultLimitCORE", OWN, "DefaultLimitCORE, DefaultLimitCORESoft", |s, l| resource(s, l, Resource::Core), "LimitCORE= of units that say nothing"),
    limit("DefaultLimitCPU", OWN, "DefaultLimitCPU, DefaultLimitCPUSoft", |s, l| resource(s, l, Resource::Cpu), "LimitCPU= of units that say nothing"),
    limit("DefaultLimitDATA", OWN, "DefaultLimitDATA, DefaultLimitDATASoft", |s, l| resource(s, l, Resource::Data), "LimitDATA= of units that say nothing"),
    limit("DefaultLimitFSIZE", OWN, "DefaultLimitFSIZE, DefaultLimitFSIZESoft", |s, l| resource(s, l, Resource::Fsize), "LimitFSIZE= of units that say nothing"),
    limit("DefaultLimitLOCKS", OWN, "DefaultLimitLOCKS, DefaultLimitLOCKSSoft", |s, l| resource(s, l, Resource::Locks), "LimitLOCKS= of units that say nothing"),
    limit("DefaultLimitMEMLOCK", OWN, "DefaultLimitMEMLOCK, DefaultLimitMEMLOCKSoft", |s, l| resource(s, l, Resource::Memlock), "LimitMEMLOCK= of units that say nothing"),
    limit("DefaultLimitMSGQUEUE", OWN, "DefaultLimitMSGQUEUE, DefaultLimitMSGQUEUESoft", |s, l| resource(s, l, Resource::Msgqueue), "LimitMSGQUEUE= of units that say nothing"),
    limit("DefaultLimitNICE", OWN, "DefaultLimitNICE, DefaultLimitNICESoft", |s, l| resource(s, l, Resource::Nice), "LimitNICE= of units that say nothing"),
    limit("DefaultLimitNOFILE", "1024:524288, or less where the manager has less", "DefaultLimitNOFILE, DefaultLimitNOFILESoft", |s, l| resource(s, l, Resource::Nofile), "LimitNOFILE= of units that say nothing"),
    limit("DefaultLimitNPROC", OWN, "DefaultLimitNPROC, DefaultLimitNPROCSoft", |s, l| resource(s, l, Resource::Nproc), "LimitNPROC= of units that say nothing"),
    limit("DefaultLimitRSS", OWN, "DefaultLimitRSS, DefaultLimitRSSSoft", |s, l| resource(s, l, Resource::Rss), "LimitRSS= of units that say nothing"),
    limit("DefaultLimitRTPRIO", OWN, "DefaultLimitRTPRIO, DefaultLimitRTPRIOSoft", |s, l| resource(s, l, Resource::Rtprio), "LimitRTPRIO= of units that say nothing"),
    limit("DefaultLimitRTTIME", OWN, "DefaultLimitRTTIME, DefaultLimitRTTIMESoft", |s, l| resource(s, l, Resource::Rttime), "LimitRTTIME= of units that say nothing"),
    limit("DefaultLimitSIGPENDING", OWN, "DefaultLimitSIGPENDING, DefaultLimitSIGPENDINGSoft", |s, l| resource(s, l, Resource::Sigpending), "LimitSIGPENDING= of units that say nothing"),
    limit("DefaultLimitSTACK", OWN, "DefaultLimitSTACK, DefaultLimitSTACKSoft", |s, l| resource(s, l, Resource::Stack), "LimitSTACK= of units that say nothing"),
    row("DefaultMemoryAccounting", Kind::BooleanYes, "yes", "DefaultMemoryAccounting", |s, l| flag(&mut s.defaults.memory_accounting, l), "MemoryAccounting= of units that say nothing").but(COUNTED),
    row("DefaultOOMPolicy", Kind::OneOf("OOM policy", &["stop", "continue", "kill"]), "stop", "DefaultOOMPolicy", oom_policy, "OOMPolicy= of services that say nothing and delegate nothing"),
    row("DefaultOOMScoreAdjust", Kind::Integer("value"), "the manager's own, of an unprivileged user 100 more", "DefaultOOMScoreAdjust", |s, l| score(&mut s.defaults.oom_score_adjust, l), "OOMScoreAdjust= of units that say nothing"),
    row("DefaultRestartSec", SEC, "100ms", "DefaultRestartUSec", |s, l| span(&mut s.defaults.restart, l), "RestartSec= of services that say nothing"),
    kept("DefaultSmackProcessLabel", Kind::Text, "none", "SmackProcessLabel= of units that say nothing").of_system(),
    row("DefaultStandardError", Kind::Word("output type"), "inherit", "DefaultStandardError", |s, l| output(&mut s.defaults.standard_error, l), "StandardError= of units that say nothing"),
    row("DefaultStandardOutput", Kind::Word("output type"), "journal", "DefaultStandardOutput", |s, l| output(&mut s.defaults.standard_output, l), "StandardOutput= of units that say nothing"),
    row("DefaultStartLimitBurst", Kind::Unsigned, "5", "DefaultStartLimitBurst", |s, l| if let Some(burst) = l.unsigned() { s.defaults.start_limit_burst = burst }, "StartLimitBurst= of units that say nothing"),
    row("DefaultStartLimitInterval", SEC, "10s", "DefaultStartLimitIntervalUSec", |s, l| span(&mut s.defaults.start_limit_interval, l), "old name of DefaultStartLimitIntervalSec="),
    row("DefaultStartLimitIntervalSec", SEC, "10s", "DefaultStartLimitIntervalUSec", |s, l| span(&mut s.defaults.start_limit_interval, l), "StartLimitIntervalSec= of units that say nothing"),
    row("DefaultTasksAccounting", Kind::BooleanYes, "yes", "DefaultTasksAccounting", |s, l| flag(&mut s.defaults.tasks_accounting, l), "TasksAccounting= of units that say nothing").but(COUNTED),
    row("DefaultTasksMax", Kind::Text, "15%", "DefaultTasksMax", tasks, "TasksMax= of units that say nothing, slices excepted").but(SHOWN),
    row("DefaultTimeoutAbortSec", Kind::Span("DefaultTimeoutAbortSec= setting"), "as DefaultTimeoutStopSec=", "DefaultTimeoutAbortUSec", abort, "TimeoutAbortSec= of services that say nothing"),
    row("DefaultTimeoutStartSec", SEC, "1min 30s", "DefaultTimeoutStartUSec", |s, l| timeout(&mut s.defaults.timeout_start, l), "TimeoutStartSec= of services and TimeoutSec= of other units that say nothing"),
    row("DefaultTimeoutStopSec", SEC, "1min 30s", "DefaultTimeoutStopUSec", |s, l| timeout(&mut s.defaults.timeout_stop, l), "TimeoutStopSec= of services and scopes that say nothing"),
    row("DefaultTimerAccuracySec", SEC, "1min", "DefaultTimerAccuracyUSec", |s, l| span(&mut s.defaults.timer_accuracy, l), "AccuracySec= of timers that say nothing").but(Support::Partial("shown as the default of timers; timers are not served yet")),
    row("DumpCore", Kind::BooleanYes, "yes", "", |s, l| flag(&mut s.dump_core, l), "a manager that crashes leaves a core dump").but(NO_DUMP).of_system(),
    row("KExecWatchdogSec", SEC, "off", "KExecWatchdogUSec", |s, l| watchdog(&mut s.kexec_watchdog, l), "the hardware watchdog's timeout while another kernel is started").but(NO_DEVICE).of_system(),
    kept("LogColor", Kind::BooleanYes, "yes", "the manager's lines are in colour").but(Support::Partial("read; colour is for terminals, unless NO_COLOR is set")),
    row("LogLevel", Kind::Word("log level"), "info", "LogLevel", log_level, "the least important lines of the manager's that are shown on the console"),
    kept("LogLocation", Kind::Boolean, "no", "the manager's lines name the place in its source").but(Support::Ignored("lines name units and files, not source")),
    row("LogTarget", Kind::Word("log target"), "journal-or-kmsg", "LogTarget", log_target, "where the manager's lines go").but(Support::Partial("read and shown; lines go to the console and to the journal")),
    kept("LogTime", Kind::Boolean, "no", "the manager's lines on the console have the time").but(Support::NotYet),
    row("ManagerEnvironment", Kind::Words, "nothing", "Environment", |s, l| assignments(&mut s.manager_environment, l), "variables the manager itself goes by, and a user's manager hands on"),
    kept("NUMAMask", Kind::Text, "none", "the memory nodes of NUMAPolicy="),
    kept("NUMAPolicy", Kind::OneOf("NUMA policy", &["default", "preferred", "bind", "interleave", "local"]), "default", "how memory nodes are chosen for the manager and its services"),
    kept("NoNewPrivileges", Kind::Boolean, "no", "neither the manager nor its services gain privileges").of_system(),
    row("RebootWatchdogSec", SEC, "10min", "RebootWatchdogUSec", |s, l| watchdog(&mut s.reboot_watchdog, l), "the hardware watchdog's timeout while the machine is started anew").but(NO_DEVICE).of_system(),
    row("RuntimeWatchdogPreGovernor", Kind::Text, "the kernel's", "RuntimeWatchdogPreGovernor", |s, l| l.value.clone_into(&mut s.runtime_watchdog_pre_governor), "what the hardware watchdog does before it acts").but(NO_DEVICE).of_system(),
    row("RuntimeWatchdogPreSec", SEC, "off", "RuntimeWatchdogPreUSec", |s, l| watchdog(&mut s.runtime_watchdog_pre, l), "how long before it acts the hardware watchdog warns").but(NO_DEVICE).of_system(),
    row("RuntimeWatchdogSec", SEC, "off", "RuntimeWatchdogUSec", |s, l| watchdog(&mut s.runtime_watchdog, l), "the hardware watchdog's timeout while the machine runs").but(NO_DEVICE).of_system(),
    row("ShowStatus", Kind::Word("show status setting"), "yes", "ShowStatus", show_status, "the console is told of what starts and stops").but(Support::Partial("read and shown; LogLevel= decides what the console is told")),
    row("ShutdownWatchdogSec", SEC, "10min", "RebootWatchdogUSec", |s, l| watchdog(&mut s.reboot_watchdog, l), "old name of RebootWatchdogSec=").but(NO_DEVICE).of_system(),
    row("StatusUnitFormat", Kind::OneOf("status unit format", &["combined", "name", "description"]), "combined", "", |s, l| if let Some(format) = l.word(&UnitFormat::WORDS) { s.status_unit_format = format }, "what the console calls a unit").but(Support::NotYet),
    kept("SystemCallArchitectures", Kind::Words, "all", "architectures whose system calls may be made").of_system(),
    row("TimerSlackNSec", Kind::Text, "50us", "TimerSlackNSec", timer_slack, "how late the manager's and its services' timers may be").but(Support::Partial("read and shown; services have the kernel's")),
    row("WatchdogDevice", Kind::Path, "/dev/watchdog0", "WatchdogDevice", device, "the hardware watchdog").but(NO_DEVICE).of_system(),
];

/// What is not acted on is kept, if it can be right.
fn keep(s: &mut Settings, l: &mut Line<'_>) {
    let key = l.key;
    let is_right = match l.kind {
        Kind::Boolean | Kind::BooleanYes => l.boolean().is_some(),
        Kind::OneOf(_, words) => l.one_of(words).is_some(),
        Kind::Span(_)
        | Kind::Timeout(_)
        | Kind::Wait
        | Kind::Unsigned
        | Kind::Count
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
        | Kind::Condition => true,
    };
    if !is_right {
        return;
    }
    s.kept.retain(|(known, _)| *known != key);
    if !l.is_empty() {
        s.kept.push((key, l.value.to_owned()));
    }
}

fn flag(field: &mut bool, l: &mut Line<'_>) {
    if let Some(value) = l.boolean() {
        *field = value;
    }
}

fn span(field: &mut Span, l: &mut Line<'_>) {
    if let Some(span) = l.span("sec value") {
        *field = span;
    }
}

/// 0 has always meant that there is no end.
fn timeout(field: &mut Span, l: &mut Line<'_>) {
    if let Some(span) = l.timeout("sec value") {
        *field = span;
    }
}

fn abort(s: &mut Settings, l: &mut Line<'_>) {
    if l.is_empty() {
        s.defaults.timeout_abort = None;
    } else if let Some(span) = l.span("DefaultTimeoutAbortSec= setting") {
        s.defaults.timeout_abort = Some(span);
    }
}

fn watchdog(field: &mut Span, l: &mut Line<'_>) {
    match l.value {
        "default" => *field = Span::INFINITY,
        "off" => *field = Span::ZERO,
        value => match parse_timespan(value) {
            Ok(span) => *field = span,
            Err(_) => l.unparsed("sec value"),
        },
    }
}

fn resource(s: &mut Settings, l: &mut Line<'_>, resource: Resource) {
    one_limit(&mut s.defaults.limits, l, resource);
}

fn oom_policy(s: &mut Settings, l: &mut Line<'_>) {
    let words = [("stop", OomPolicy::Stop), ("continue", OomPolicy::Continue), ("kill", OomPolicy::Kill)];
    if let Some(policy) = l.word(&words) {
        s.defaults.oom_policy = policy;
    }
}

/// Those that need nothing of the unit.
fn output(field: &mut Stdio, l: &mut Line<'_>) {
    *field = match l.value {
        "inherit" => Stdio::Inherit,
        "null" => Stdio::Null,
        "tty" => Stdio::Tty,
        "journal" | "syslog" => Stdio::Journal,
        "journal+console" | "syslog+console" => Stdio::JournalConsole,
        "kmsg" => Stdio::Kmsg,
        "kmsg+console" => Stdio::KmsgConsole,
        _ => return l.unparsed("output type"),
    };
}

fn tasks(s: &mut Settings, l: &mut Line<'_>) {
    let value = l.value;
    match (value, permyriad(value).filter(|parts| *parts <= 10_000), unsigned(value)) {
        ("", _, _) => s.defaults.tasks_max = Tasks::Number(u64::MAX),
        ("infinity", _, _) => s.defaults.tasks_max = Tasks::Number(u64::MAX),
        (_, Some(parts), _) => s.defaults.tasks_max = Tasks::Share(parts),
        (_, None, Ok(0 | u64::MAX)) => {
            l.warn(format!("Maximum tasks value '{value}' out of range, ignoring."))
        }
        (_, None, Ok(number)) => s.defaults.tasks_max = Tasks::Number(number),
        (_, None, Err(bad)) => l.warn(format!("Invalid maximum tasks value '{value}', ignoring: {bad}")),
    }
}

fn burst_action(s: &mut Settings, l: &mut Line<'_>) {
    let found: Option<EmergencyAction> =
        ACTIONS.iter().find(|(word, _)| *word == l.value).map(|(_, action)| *action);
    match found {
        Some(action) => s.ctrl_alt_del_burst_action = action,
        None => l.unparsed(&format!("{}=", l.key)),
    }
}

fn log_level(s: &mut Settings, l: &mut Line<'_>) {
    match numbered(&LEVELS, l.value) {
        Some(level) => s.log_level = Some(level),
        None => l.warn(format!("Failed to parse log level '{}': {}", l.value, Bad::Syntax)),
    }
}

fn log_target(s: &mut Settings, l: &mut Line<'_>) {
    match LogTarget::of(l.value) {
        Some(target) => s.log_target = Some(target),
        None => l.warn(format!("Failed to parse log target '{}': {}", l.value, Bad::Syntax)),
    }
}

fn show_status(s: &mut Settings, l: &mut Line<'_>) {
    match ShowStatus::of(l.value) {
        Some(value) => s.show_status = Some(value),
        None => l.unparsed("show status setting"),
    }
}

fn timer_slack(s: &mut Settings, l: &mut Line<'_>) {
    match parse_nanoseconds(l.value) {
        Ok(nanoseconds) => s.timer_slack_nsec = nanoseconds,
        Err(_) => l.unparsed("nsec value"),
    }
}

fn device(s: &mut Settings, l: &mut Line<'_>) {
    if let Some(path) = l.path() {
        s.watchdog_device = path.unwrap_or_default();
    }
}
