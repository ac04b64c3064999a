//! `[Service]`: systemd.service(5).

use super::unit::{action, flag, start_limit_burst, start_limit_interval};
use super::{Directive, Draft, Kind, Line, Outcome, Support};
use crate::config::service::{
    ExitStatuses, ExitType, NotifyAccess, OomPolicy, Restart, ServiceType, TimeoutMode,
};
use crate::name::{UnitKind, UnitName};
use crate::specifier::Allowed;
use crate::values::exit_status::parse_exit_status;
use crate::values::path::out_of_var;
use crate::values::signal::parse_signal;

const fn row(
    key: &'static str,
    kind: Kind,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Full, set, help }
}

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: super::keep, help }
}

const SEC: Kind = Kind::Span("sec value");

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    row("BusName", Kind::Text, bus_name, "the D-Bus name that says it has started"),
    row("ExecCondition", Kind::Commands, |d, l| l.commands(&mut d.service.commands.condition), "commands that decide whether it starts"),
    row("ExecReload", Kind::Commands, |d, l| l.commands(&mut d.service.commands.reload), "commands that make it read its configuration again"),
    row("ExecStart", Kind::Commands, |d, l| l.commands(&mut d.service.commands.start), "the command that is the service"),
    row("ExecStartPost", Kind::Commands, |d, l| l.commands(&mut d.service.commands.start_post), "commands run once it has started"),
    row("ExecStartPre", Kind::Commands, |d, l| l.commands(&mut d.service.commands.start_pre), "commands run before it starts"),
    row("ExecStop", Kind::Commands, |d, l| l.commands(&mut d.service.commands.stop), "commands that stop it"),
    row("ExecStopPost", Kind::Commands, |d, l| l.commands(&mut d.service.commands.stop_post), "commands run once it has stopped"),
    row("ExitType", Kind::Word("service exit type"), exit_type, "whether the main process or the last one ends it"),
    row("FailureAction", Kind::Action, |d, l| action(&mut d.unit.failure_action, l), "old place of FailureAction= in [Unit]"),
    row("FileDescriptorStoreMax", Kind::Unsigned, |d, l| if let Some(max) = l.unsigned() { d.service.fd_store_max = max }, "how many descriptors are kept for it"),
    kept("FileDescriptorStorePreserve", Kind::OneOf("file descriptor store preserve mode", &["no", "yes", "restart"]), "how long descriptors are kept for it"),
    row("GuessMainPID", Kind::Boolean, |d, l| flag(&mut d.service.guess_main_pid, l), "whether the main process of a forking service is guessed"),
    row("NonBlocking", Kind::Boolean, |d, l| flag(&mut d.service.non_blocking, l), "descriptors are handed over with O_NONBLOCK"),
    row("NotifyAccess", Kind::Word("notify access specifier"), notify_access, "whose notifications count"),
    row("OOMPolicy", Kind::Word("OOM policy"), oom_policy, "what follows when the kernel kills one of its processes for memory"),
    kept("OpenFile", Kind::Words, "files opened for it"),
    row("PIDFile", Kind::Path, pid_file, "the file in which a forking service writes its main process"),
    row("PermissionsStartOnly", Kind::Boolean, |d, l| flag(&mut d.service.permissions_start_only, l), "old: only ExecStart= runs as User="),
    kept("RebootArgument", Kind::Text, "old place of RebootArgument= in [Unit]"),
    row("ReloadSignal", Kind::Signal, |d, l| if let Some(signal) = l.signal() { d.service.reload_signal = signal }, "the signal by which a notify-reload service is reloaded"),
    row("RemainAfterExit", Kind::Boolean, |d, l| flag(&mut d.service.remain_after_exit, l), "counts as running when its processes have ended"),
    row("Restart", Kind::Word("service restart specifier"), restart, "after which ends it is started again"),
    row("RestartForceExitStatus", Kind::Words, |d, l| statuses(&mut d.service.restart_force_exit_status, l), "ends after which it is always started again"),
    row("RestartMaxDelaySec", SEC, |d, l| if let Some(span) = l.span("sec value") { d.service.restart_max_delay = span }, "the longest wait RestartSteps= grows to"),
    kept("RestartMode", Kind::OneOf("restart mode", &["normal", "direct", "debug"]), "whether a restart passes through failed"),
    row("RestartPreventExitStatus", Kind::Words, |d, l| statuses(&mut d.service.restart_prevent_exit_status, l), "ends after which it is never started again"),
    row("RestartSec", SEC, |d, l| if let Some(span) = l.span("sec value") { d.service.restart_sec = span }, "the wait before it is started again"),
    row("RestartSteps", Kind::Unsigned, |d, l| if let Some(steps) = l.unsigned() { d.service.restart_steps = steps }, "in how many steps the wait grows"),
    row("RootDirectoryStartOnly", Kind::Boolean, |d, l| flag(&mut d.service.root_directory_start_only, l), "only ExecStart= runs in RootDirectory="),
    row("RuntimeMaxSec", SEC, |d, l| if let Some(span) = l.span("sec value") { d.service.runtime_max = span }, "how long it may run"),
    kept("RuntimeRandomizedExtraSec", SEC, "random time added to RuntimeMaxSec="),
    row("Sockets", Kind::Units, sockets, "socket units whose sockets it gets"),
    row("StartLimitAction", Kind::Action, |d, l| action(&mut d.unit.start_limit_action, l), "old place of StartLimitAction= in [Unit]"),
    row("StartLimitBurst", Kind::Unsigned, start_limit_burst, "old place of StartLimitBurst= in [Unit]"),
    row("StartLimitInterval", SEC, start_limit_interval, "old place of StartLimitIntervalSec= in [Unit]"),
    row("SuccessExitStatus", Kind::Words, |d, l| statuses(&mut d.service.success_exit_status, l), "further ends that count as success"),
    row("TimeoutAbortSec", Kind::Span("time value"), timeout_abort, "how long ending by the watchdog may take"),
    row("TimeoutSec", Kind::Span("time value"), timeout, "how long starting and stopping may take"),
    row("TimeoutStartFailureMode", Kind::Word("timeout failure mode"), |d, l| timeout_mode(&mut d.service.timeout_start_failure_mode, l), "how a start that takes too long is ended"),
    row("TimeoutStartSec", Kind::Span("time value"), timeout_start, "how long starting may take"),
    row("TimeoutStopFailureMode", Kind::Word("timeout failure mode"), |d, l| timeout_mode(&mut d.service.timeout_stop_failure_mode, l), "how a stop that takes too long is ended"),
    row("TimeoutStopSec", Kind::Span("time value"), |d, l| if let Some(span) = l.timeout("time value") { d.service.timeout_stop = span }, "how long stopping may take"),
    row("Type", Kind::Word("service type"), service_type, "how it says that it has started"),
    kept("USBFunctionDescriptors", Kind::Path, "descriptors of a USB gadget"),
    kept("USBFunctionStrings", Kind::Path, "strings of a USB gadget"),
    row("WatchdogSec", SEC, |d, l| if let Some(span) = l.span("sec value") { d.service.watchdog = span }, "the longest silence before it counts as hung"),
];

/// `[Scope]` beside what it shares: systemd.scope(5).
#[rustfmt::skip]
pub(super) static SCOPE: &[Directive] = &[
    kept("OOMPolicy", Kind::OneOf("OOM policy", &["continue", "stop", "kill"]), "what follows when the kernel kills one of its processes for memory"),
    kept("RuntimeMaxSec", SEC, "how long it may run"),
    kept("RuntimeRandomizedExtraSec", SEC, "random time added to RuntimeMaxSec="),
    kept("TimeoutStopSec", SEC, "how long stopping may take"),
];

const TYPES: [(&str, ServiceType); 8] = [
    ("simple", ServiceType::Simple),
    ("exec", ServiceType::Exec),
    ("forking", ServiceType::Forking),
    ("oneshot", ServiceType::Oneshot),
    ("dbus", ServiceType::Dbus),
    ("notify", ServiceType::Notify),
    ("notify-reload", ServiceType::NotifyReload),
    ("idle", ServiceType::Idle),
];

const OOM_POLICIES: [(&str, OomPolicy); 3] =
    [("continue", OomPolicy::Continue), ("stop", OomPolicy::Stop), ("kill", OomPolicy::Kill)];

/// Of a service that was not read to its end, the words of what has no value before that: what of it was written.
pub(crate) fn keep_written(d: &mut Draft) {
    let word = |(key, word): (&'static str, Option<&str>)| Some((key, word?.to_owned()));
    let kind = TYPES.iter().find(|(_, kind)| Some(*kind) == d.said.service_type).map(|(word, _)| *word);
    let policy = OOM_POLICIES.iter().find(|(_, policy)| Some(*policy) == d.said.oom_policy);
    for (key, word) in
        [("Type", kind), ("OOMPolicy", policy.map(|(word, _)| *word))].into_iter().filter_map(word)
    {
        d.kept.set("Service", key, word);
    }
}

fn service_type(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(kind) = l.word(&TYPES) {
        d.said.service_type = Some(kind);
    }
}

fn exit_type(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(kind) = l.word(&[("main", ExitType::Main), ("cgroup", ExitType::Cgroup)]) {
        d.service.exit_type = kind;
    }
}

fn restart(d: &mut Draft, l: &mut Line<'_>) {
    let words = [
        ("no", Restart::No),
        ("on-success", Restart::OnSuccess),
        ("on-failure", Restart::OnFailure),
        ("on-abnormal", Restart::OnAbnormal),
        ("on-watchdog", Restart::OnWatchdog),
        ("on-abort", Restart::OnAbort),
        ("always", Restart::Always),
    ];
    if let Some(restart) = l.word(&words) {
        d.service.restart = restart;
    }
}

fn notify_access(d: &mut Draft, l: &mut Line<'_>) {
    let words = [
        ("none", NotifyAccess::None),
        ("main", NotifyAccess::Main),
        ("exec", NotifyAccess::Exec),
        ("all", NotifyAccess::All),
    ];
    if let Some(access) = l.word(&words) {
        d.said.notify_access = Some(access);
    }
}

fn oom_policy(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(policy) = l.word(&OOM_POLICIES) {
        d.said.oom_policy = Some(policy);
    }
}

fn timeout_mode(field: &mut TimeoutMode, l: &mut Line<'_>) {
    let words =
        [("terminate", TimeoutMode::Terminate), ("abort", TimeoutMode::Abort), ("kill", TimeoutMode::Kill)];
    if let Some(mode) = l.word(&words) {
        *field = mode;
    }
}

fn timeout_start(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(span) = l.timeout("TimeoutStartSec= parameter") {
        d.said.timeout_start = Some(span);
    }
}

fn timeout(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(span) = l.timeout("TimeoutSec= parameter") {
        d.said.timeout_start = Some(span);
        d.service.timeout_stop = span;
    }
}

fn timeout_abort(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.service.timeout_abort = None;
    } else if let Some(span) = l.span("TimeoutAbortSec= setting") {
        d.service.timeout_abort = Some(span);
    }
}

/// A relative path lies in the runtime directory.
fn pid_file(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.service.pid_file = None;
        return;
    }
    let Some(text) = l.text() else { return };
    let absolute = match text.starts_with('/') {
        true => text,
        false => format!("{}/{text}", l.scope.cx.directories.runtime),
    };
    match l.judge_path(&absolute, super::line::Want::Absolute) {
        Ok(path) => {
            d.service.pid_file = Some(out_of_var(path));
        }
        Err(complaint) => {
            l.warn(complaint.replacen('@', ", ignoring", 1));
            l.outcome = Outcome::Broken("Invalid argument");
        }
    }
}

fn bus_name(d: &mut Draft, l: &mut Line<'_>) {
    let Some(name) = l.expanded_in(super::line::Style::Bare, l.value) else { return };
    let part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_' || first == b'-')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let is_unique = name.starts_with(':') && name.len() > 2;
    match is_unique || name.len() <= 255 && name.contains('.') && name.split('.').all(part) {
        true => d.service.bus_name = Some(name),
        false => l.warn(format!("Invalid bus name, ignoring: {name}")),
    }
}

fn sockets(d: &mut Draft, l: &mut Line<'_>) {
    for written in l.plain_words() {
        let Some(name) = l.expanded(&written, Allowed::InNames) else { continue };
        match UnitName::parse(&name) {
            Ok(name) if name.kind() == UnitKind::Socket => {
                l.push(&mut d.service.sockets, name);
            }
            Ok(_) | Err(_) => l.warn(format!("Unit must be of type socket, ignoring: {name}")),
        }
    }
}

fn statuses(list: &mut ExitStatuses, l: &mut Line<'_>) {
    if l.is_empty() {
        *list = ExitStatuses::default();
        return;
    }
    for word in l.plain_words() {
        if let Some(code) = parse_exit_status(&word) {
            insert(&mut list.codes, code);
        } else if let Some(signal) = parse_signal(&word) {
            insert(&mut list.signals, signal);
        } else {
            l.warn(format!("Failed to parse value, ignoring: {word}"));
        }
    }
}

fn insert<T: Ord>(list: &mut Vec<T>, item: T) {
    if let Err(at) = list.binary_search(&item) {
        list.insert(at, item);
    }
}
