//! `[Unit]`: systemd.unit(5).

use super::names::{ACTIONS, JOB_MODES};
use super::{Directive, Draft, Kind, Line, Support};
use crate::config::unit::{CollectMode, Condition, Dependency, EmergencyAction};
use crate::name::UnitName;
use crate::specifier::Allowed;
use crate::values::exit_status::parse_exit_status;
use crate::values::{Bad, number};

const fn row(
    key: &'static str,
    kind: Kind,
    support: Support,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support, set, help }
}

const fn dependency(key: &'static str, set: fn(&mut Draft, &mut Line<'_>), help: &'static str) -> Directive {
    row(key, Kind::Units, Support::Full, set, help)
}

const fn condition(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    row(key, kind, Support::Full, set_condition, help)
}

const TEXT: Kind = Kind::Condition;
const PATH: Kind = Kind::Path;
const SEC: Kind = Kind::Span("sec value");

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    dependency("After", |d, l| depend(d, l, Dependency::After), "units that start before this one and stop after it"),
    row("AllowIsolate", Kind::Boolean, Support::Full, |d, l| flag(&mut d.unit.allow_isolate, l), "may be the goal of isolate"),
    condition("AssertACPower", TEXT, "fails without: whether the machine is on mains power"),
    condition("AssertArchitecture", TEXT, "fails without: the machine's architecture"),
    condition("AssertCPUFeature", TEXT, "fails without: a feature of the processor"),
    condition("AssertCPUPressure", TEXT, "fails without: CPU pressure below a limit"),
    condition("AssertCPUs", TEXT, "fails without: how many CPUs there are"),
    condition("AssertCapability", TEXT, "fails without: a capability in the bounding set"),
    condition("AssertControlGroupController", TEXT, "fails without: a control group controller that is there"),
    condition("AssertCredential", TEXT, "fails without: a credential handed to the manager"),
    condition("AssertDirectoryNotEmpty", PATH, "fails without: a directory with something in it"),
    condition("AssertEnvironment", TEXT, "fails without: a variable of the manager's environment"),
    condition("AssertFileIsExecutable", PATH, "fails without: a file that may be run"),
    condition("AssertFileNotEmpty", PATH, "fails without: a file with something in it"),
    condition("AssertFirmware", TEXT, "fails without: the kind of firmware"),
    condition("AssertFirstBoot", TEXT, "fails without: whether the system starts for the first time"),
    condition("AssertGroup", TEXT, "fails without: the manager's group"),
    condition("AssertHost", TEXT, "fails without: the host name or machine id"),
    condition("AssertIOPressure", TEXT, "fails without: I/O pressure below a limit"),
    condition("AssertKernelCommandLine", TEXT, "fails without: a word of the kernel's command line"),
    condition("AssertKernelVersion", TEXT, "fails without: the kernel's version"),
    condition("AssertMemory", TEXT, "fails without: how much memory there is"),
    condition("AssertMemoryPressure", TEXT, "fails without: memory pressure below a limit"),
    condition("AssertNeedsUpdate", PATH, "fails without: whether /etc or /var is older than /usr"),
    condition("AssertOSRelease", TEXT, "fails without: a field of os-release"),
    condition("AssertPathExists", PATH, "fails without: a path that exists"),
    condition("AssertPathExistsGlob", PATH, "fails without: a pattern that matches some path"),
    condition("AssertPathIsDirectory", PATH, "fails without: a path that is a directory"),
    condition("AssertPathIsEncrypted", PATH, "fails without: a path on an encrypted disk"),
    condition("AssertPathIsMountPoint", PATH, "fails without: a path that is a mount point"),
    condition("AssertPathIsReadWrite", PATH, "fails without: a path on a writable file system"),
    condition("AssertPathIsSocket", PATH, "fails without: a path that is a socket"),
    condition("AssertPathIsSymbolicLink", PATH, "fails without: a path that is a symbolic link"),
    condition("AssertSecurity", TEXT, "fails without: a security technology that is on"),
    condition("AssertUser", TEXT, "fails without: the manager's user"),
    condition("AssertVirtualization", TEXT, "fails without: the kind of virtual machine or container"),
    dependency("Before", |d, l| depend(d, l, Dependency::Before), "units that start after this one and stop before it"),
    dependency("BindTo", |d, l| depend(d, l, Dependency::BindsTo), "old name of BindsTo="),
    dependency("BindsTo", |d, l| depend(d, l, Dependency::BindsTo), "needs these units, and stops when one of them does"),
    row("CollectMode", Kind::Word("garbage collection mode"), Support::Full, collect_mode, "when an unused unit is forgotten"),
    condition("ConditionACPower", TEXT, "is skipped without: whether the machine is on mains power"),
    condition("ConditionArchitecture", TEXT, "is skipped without: the machine's architecture"),
    condition("ConditionCPUFeature", TEXT, "is skipped without: a feature of the processor"),
    condition("ConditionCPUPressure", TEXT, "is skipped without: CPU pressure below a limit"),
    condition("ConditionCPUs", TEXT, "is skipped without: how many CPUs there are"),
    condition("ConditionCapability", TEXT, "is skipped without: a capability in the bounding set"),
    condition("ConditionControlGroupController", TEXT, "is skipped without: a control group controller that is there"),
    condition("ConditionCredential", TEXT, "is skipped without: a credential handed to the manager"),
    condition("ConditionDirectoryNotEmpty", PATH, "is skipped without: a directory with something in it"),
    condition("ConditionEnvironment", TEXT, "is skipped without: a variable of the manager's environment"),
    condition("ConditionFileIsExecutable", PATH, "is skipped without: a file that may be run"),
    condition("ConditionFileNotEmpty", PATH, "is skipped without: a file with something in it"),
    condition("ConditionFirmware", TEXT, "is skipped without: the kind of firmware"),
    condition("ConditionFirstBoot", TEXT, "is skipped without: whether the system starts for the first time"),
    condition("ConditionGroup", TEXT, "is skipped without: the manager's group"),
    condition("ConditionHost", TEXT, "is skipped without: the host name or machine id"),
    condition("ConditionIOPressure", TEXT, "is skipped without: I/O pressure below a limit"),
    condition("ConditionKernelCommandLine", TEXT, "is skipped without: a word of the kernel's command line"),
    condition("ConditionKernelVersion", TEXT, "is skipped without: the kernel's version"),
    condition("ConditionMemory", TEXT, "is skipped without: how much memory there is"),
    condition("ConditionMemoryPressure", TEXT, "is skipped without: memory pressure below a limit"),
    condition("ConditionNeedsUpdate", PATH, "is skipped without: whether /etc or /var is older than /usr"),
    condition("ConditionOSRelease", TEXT, "is skipped without: a field of os-release"),
    condition("ConditionPathExists", PATH, "is skipped without: a path that exists"),
    condition("ConditionPathExistsGlob", PATH, "is skipped without: a pattern that matches some path"),
    condition("ConditionPathIsDirectory", PATH, "is skipped without: a path that is a directory"),
    condition("ConditionPathIsEncrypted", PATH, "is skipped without: a path on an encrypted disk"),
    condition("ConditionPathIsMountPoint", PATH, "is skipped without: a path that is a mount point"),
    condition("ConditionPathIsReadWrite", PATH, "is skipped without: a path on a writable file system"),
    condition("ConditionPathIsSocket", PATH, "is skipped without: a path that is a socket"),
    condition("ConditionPathIsSymbolicLink", PATH, "is skipped without: a path that is a symbolic link"),
    condition("ConditionSecurity", TEXT, "is skipped without: a security technology that is on"),
    condition("ConditionUser", TEXT, "is skipped without: the manager's user"),
    condition("ConditionVirtualization", TEXT, "is skipped without: the kind of virtual machine or container"),
    dependency("Conflicts", |d, l| depend(d, l, Dependency::Conflicts), "units that stop when this one starts, and the other way round"),
    row("DefaultDependencies", Kind::BooleanYes, Support::Full, |d, l| flag(&mut d.unit.default_dependencies, l), "whether the usual dependencies of its kind are added"),
    row("Description", Kind::Text, Support::Full, description, "the unit's name for people"),
    row("Documentation", Kind::Words, Support::Full, documentation, "where to read about it"),
    row("FailureAction", Kind::Action, Support::Full, |d, l| action(&mut d.unit.failure_action, l), "what happens to the machine when the unit fails"),
    row("FailureActionExitStatus", Kind::Unsigned, Support::Full, |d, l| exit_status(&mut d.unit.failure_action_exit_status, l), "the exit status that goes with FailureAction=exit"),
    row("IgnoreOnIsolate", Kind::Boolean, Support::Full, |d, l| flag(&mut d.unit.ignore_on_isolate, l), "is left alone when another unit is isolated"),
    row("JobRunningTimeoutSec", SEC, Support::Full, job_running_timeout, "how long a job of it may run"),
    row("JobTimeoutAction", Kind::Action, Support::Full, |d, l| action(&mut d.unit.job_timeout_action, l), "what happens to the machine when a job of it takes too long"),
    row("JobTimeoutRebootArgument", Kind::Text, Support::NotYet, reboot_argument, "the argument of the reboot that JobTimeoutAction= asks for"),
    row("JobTimeoutSec", SEC, Support::Full, job_timeout, "how long a job of it may wait and run"),
    dependency("JoinsNamespaceOf", |d, l| depend(d, l, Dependency::JoinsNamespaceOf), "units whose private /tmp or network it shares"),
    dependency("OnFailure", |d, l| depend(d, l, Dependency::OnFailure), "units started when this one fails"),
    row("OnFailureIsolate", Kind::Boolean, Support::Full, on_failure_isolate, "old way to say OnFailureJobMode=isolate"),
    row("OnFailureJobMode", Kind::Word("job mode"), Support::Full, |d, l| if let Some(mode) = l.word(JOB_MODES) { d.unit.on_failure_job_mode = mode }, "how the jobs of OnFailure= are queued"),
    dependency("OnSuccess", |d, l| depend(d, l, Dependency::OnSuccess), "units started when this one ends well"),
    row("OnSuccessJobMode", Kind::Word("job mode"), Support::Full, |d, l| if let Some(mode) = l.word(JOB_MODES) { d.unit.on_success_job_mode = mode }, "how the jobs of OnSuccess= are queued"),
    dependency("PartOf", |d, l| depend(d, l, Dependency::PartOf), "stops and restarts with these units"),
    dependency("PropagateReloadFrom", |d, l| depend(d, l, Dependency::ReloadPropagatedFrom), "old name of ReloadPropagatedFrom="),
    dependency("PropagateReloadTo", |d, l| depend(d, l, Dependency::PropagatesReloadTo), "old name of PropagatesReloadTo="),
    dependency("PropagatesReloadTo", |d, l| depend(d, l, Dependency::PropagatesReloadTo), "units that reload when this one does"),
    dependency("PropagatesStopTo", |d, l| depend(d, l, Dependency::PropagatesStopTo), "units that stop when this one does"),
    row("RebootArgument", Kind::Text, Support::NotYet, reboot_argument, "the argument of a reboot that an action asks for"),
    row("RefuseManualStart", Kind::Boolean, Support::Full, |d, l| flag(&mut d.unit.refuse_manual_start, l), "may only be started by other units"),
    row("RefuseManualStop", Kind::Boolean, Support::Full, |d, l| flag(&mut d.unit.refuse_manual_stop, l), "may only be stopped by other units"),
    dependency("ReloadPropagatedFrom", |d, l| depend(d, l, Dependency::ReloadPropagatedFrom), "reloads when these units do"),
    dependency("Requires", |d, l| depend(d, l, Dependency::Requires), "units that must start too, or this one does not"),
    row("RequiresMountsFor", Kind::Paths, Support::Full, |d, l| mounts(&mut d.unit.requires_mounts_for, l), "paths whose mount units it needs"),
    dependency("RequiresOverridable", obsolete_requires, "old name of Requires="),
    dependency("Requisite", |d, l| depend(d, l, Dependency::Requisite), "units that must run already, or this one fails"),
    dependency("RequisiteOverridable", obsolete_requisite, "old name of Requisite="),
    row("SourcePath", Kind::Path, Support::Full, |d, l| if let Some(path) = l.path() { d.source = path }, "the file a generator made the unit from"),
    row("StartLimitAction", Kind::Action, Support::Full, |d, l| action(&mut d.unit.start_limit_action, l), "what happens to the machine when it starts too often"),
    row("StartLimitBurst", Kind::Unsigned, Support::Full, start_limit_burst, "how many starts StartLimitIntervalSec= allows"),
    row("StartLimitInterval", SEC, Support::Full, start_limit_interval, "old name of StartLimitIntervalSec="),
    row("StartLimitIntervalSec", SEC, Support::Full, start_limit_interval, "the time in which starts are counted"),
    dependency("StopPropagatedFrom", |d, l| depend(d, l, Dependency::StopPropagatedFrom), "stops when these units do"),
    row("StopWhenUnneeded", Kind::Boolean, Support::Full, |d, l| flag(&mut d.unit.stop_when_unneeded, l), "stops when no unit needs it any more"),
    row("SuccessAction", Kind::Action, Support::Full, |d, l| action(&mut d.unit.success_action, l), "what happens to the machine when the unit ends well"),
    row("SuccessActionExitStatus", Kind::Unsigned, Support::Full, |d, l| exit_status(&mut d.unit.success_action_exit_status, l), "the exit status that goes with SuccessAction=exit"),
    row("SurviveFinalKillSignal", Kind::Boolean, Support::NotYet, super::keep, "its processes outlive the last kill of a soft reboot"),
    dependency("Upholds", |d, l| depend(d, l, Dependency::Upholds), "units that are started again as long as this one runs"),
    dependency("Wants", |d, l| depend(d, l, Dependency::Wants), "units that are started with it, if they can be"),
    row("WantsMountsFor", Kind::Paths, Support::Full, |d, l| mounts(&mut d.unit.wants_mounts_for, l), "paths whose mount units it would like"),
];

pub(super) fn flag(field: &mut bool, l: &mut Line<'_>) {
    if let Some(value) = l.boolean() {
        *field = value;
    }
}

pub(super) fn action(field: &mut EmergencyAction, l: &mut Line<'_>) {
    match ACTIONS.iter().find(|(word, _)| *word == l.value) {
        Some((_, value)) => *field = *value,
        None => l.unparsed(&format!("{}=", l.key)),
    }
}

pub(super) fn start_limit_interval(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(span) = l.span("sec value") {
        d.unit.start_limit_interval = span;
    }
}

pub(super) fn start_limit_burst(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(burst) = l.unsigned() {
        d.unit.start_limit_burst = burst;
    }
}

/// Names add up over all lines; an empty line changes nothing.
pub(super) fn depend(d: &mut Draft, l: &mut Line<'_>, word: Dependency) {
    for written in l.plain_words() {
        let Some(name) = l.expanded(&written, Allowed::InNames) else { continue };
        let Some(name) = dependency_name(&name, l) else { continue };
        l.push(&mut d.unit.dependencies, (word, name));
    }
}

/// A template named here means its instance for ours.
pub(super) fn dependency_name(text: &str, l: &mut Line<'_>) -> Option<UnitName> {
    let name = instance_for(l.scope.name, text);
    if name.is_none() {
        l.warn(format!("Failed to add dependency on {text}, ignoring: {}", Bad::Syntax));
    }
    name
}

/// The unit that a name, or that of a template, means in a file of `own`; none if there can be no such unit.
pub(super) fn instance_for(own: &UnitName, text: &str) -> Option<UnitName> {
    let name = UnitName::parse(text).ok().filter(UnitName::suits_its_kind)?;
    if !name.is_template() {
        return Some(name);
    }
    let instance = own.instance().filter(|instance| !instance.is_empty()).unwrap_or(own.prefix());
    name.with_instance(instance).ok()
}

fn obsolete_requires(d: &mut Draft, l: &mut Line<'_>) {
    obsolete(l, "Requires");
    depend(d, l, Dependency::Requires);
}

fn obsolete_requisite(d: &mut Draft, l: &mut Line<'_>) {
    obsolete(l, "Requisite");
    depend(d, l, Dependency::Requisite);
}

fn obsolete(l: &mut Line<'_>, new: &str) {
    let text = "is obsolete, replacing by";
    l.note(format!("Unit dependency type {}= {text} {new}=, please update your unit file", l.key));
}

fn collect_mode(d: &mut Draft, l: &mut Line<'_>) {
    let words = [("inactive", CollectMode::Inactive), ("inactive-or-failed", CollectMode::InactiveOrFailed)];
    if let Some(mode) = l.word(&words) {
        d.unit.collect_mode = mode;
    }
}

/// What the kernel is handed is plain text.
fn reboot_argument(d: &mut Draft, l: &mut Line<'_>) {
    match l.text() {
        Some(text) if text.is_empty() => l.reset(d),
        Some(text) if !text.is_ascii() => l.warn(format!("Invalid reboot parameter '{text}', ignoring.")),
        Some(text) => l.keep_one(d, text),
        None => {}
    }
}

fn description(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(text) = l.text() {
        d.unit.description = text;
    }
}

fn documentation(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.unit.documentation.clear();
    }
    for written in l.names() {
        let Some(url) = l.expanded(&written, Allowed::All) else { continue };
        let known = ["http://", "https://", "file:/", "info:", "man:"];
        let valid = known.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
        match valid && url.is_ascii() {
            true => l.push(&mut d.unit.documentation, url),
            false => l.warn(format!("Invalid URL, ignoring: {url}")),
        }
    }
}

fn exit_status(field: &mut Option<u8>, l: &mut Line<'_>) {
    if l.is_empty() {
        *field = None;
        return;
    }
    match parse_exit_status(l.value) {
        Some(status) => *field = Some(status),
        None => {
            let bad = number::unsigned(l.value).err().unwrap_or(Bad::Range);
            l.warn(format!("Failed to parse exit status '{}', ignoring: {bad}", l.value));
        }
    }
}

/// Waiting and running are limited together, unless the running is limited by itself.
fn job_timeout(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(span) = l.timeout("JobTimeoutSec= parameter") {
        d.unit.job_timeout = span;
        d.unit.job_running_timeout = d.said.job_running_timeout.unwrap_or(span);
    }
}

fn job_running_timeout(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(span) = l.timeout("JobRunningTimeoutSec= parameter") {
        d.said.job_running_timeout = Some(span);
        d.unit.job_running_timeout = span;
    }
}

fn on_failure_isolate(d: &mut Draft, l: &mut Line<'_>) {
    use crate::config::unit::JobMode;
    let isolate = crate::values::boolean(l.value);
    if isolate.is_none() {
        l.unparsed("boolean");
    }
    if let Some(isolate) = isolate {
        l.note("OnFailureIsolate is deprecated. Please use OnFailureJobMode= instead".to_owned());
        d.unit.on_failure_job_mode = if isolate { JobMode::Isolate } else { JobMode::Replace };
    }
}

fn mounts(list: &mut Vec<String>, l: &mut Line<'_>) {
    for written in l.names() {
        let Some(text) = l.expanded(&written, Allowed::All) else { continue };
        let Some(path) = l.checked_path(text, super::line::Want::Absolute) else { continue };
        l.push(list, path);
    }
}

/// `Condition…=` and `Assert…=`; an empty line empties all of its kind.
fn set_condition(d: &mut Draft, l: &mut Line<'_>) {
    let (list, test) = match l.key.strip_prefix("Condition") {
        Some(test) => (&mut d.unit.conditions, test),
        None => (&mut d.unit.asserts, l.key.strip_prefix("Assert").unwrap_or(l.key)),
    };
    if l.is_empty() {
        list.clear();
        return;
    }
    // Of a path the blanks are part.
    let blanks: &[char] = if l.kind == Kind::Path { &[] } else { &[' ', '\t'] };
    let (value, triggering) = strip(l.value, '|', blanks);
    let (value, negated) = strip(value, '!', blanks);
    let value = match l.kind == Kind::Path {
        true => l.expanded_in(super::line::Style::Bare, value),
        false => l.expanded(value, Allowed::All),
    };
    let Some(value) = value else { return };
    let value = match l.kind == Kind::Path {
        true => l.checked_path(value, super::line::Want::Absolute),
        false => Some(value),
    };
    let Some(value) = value else { return };
    l.push(list, Condition { test: test.to_owned(), value, negated, triggering });
}

fn strip<'v>(value: &'v str, mark: char, blanks: &[char]) -> (&'v str, bool) {
    match value.strip_prefix(mark) {
        Some(rest) => (rest.trim_start_matches(blanks), true),
        None => (value, false),
    }
}
