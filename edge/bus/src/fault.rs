//! An error as a client sees it: a D-Bus name, from which systemctl tells its exit code, and a text it prints.

use eudaemon_engine::api::{KillWhom, NotCleaned, NotFrozen, Refusal};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::merge::bad_setting;
use eudaemon_unit::name::UnitName;
use std::borrow::Cow;

/// A D-Bus error. The text is for people; it starts with a capital and ends with a full stop because that
/// is what clients print, and compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub name: &'static str,
    pub text: Cow<'static, str>,
}

macro_rules! faults {
    ($($word:ident $name:literal)*) => {
        impl Fault {
            $(pub fn $word(text: impl Into<Cow<'static, str>>) -> Fault {
                Fault { name: $name, text: text.into() }
            })*
        }
    };
}

/// The name of an error that a unit failed to load with, by the system's word at the end of its text.
pub fn name_of(text: &str) -> &'static str {
    const NAMES: [(&str, &str); 4] = [
        ("Invalid argument", "org.freedesktop.DBus.Error.InvalidArgs"),
        ("Is a directory", "System.Error.EISDIR"),
        ("No buffer space available", "org.freedesktop.DBus.Error.LimitsExceeded"),
        ("Permission denied", "org.freedesktop.DBus.Error.AccessDenied"),
    ];
    let known = NAMES.iter().find(|(word, _)| text.ends_with(word)).map(|(_, name)| *name);
    known.unwrap_or("org.freedesktop.DBus.Error.InconsistentMessage")
}

faults! {
    no_such_unit "org.freedesktop.systemd1.NoSuchUnit"
    no_such_job "org.freedesktop.systemd1.NoSuchJob"
    no_unit_for_pid "org.freedesktop.systemd1.NoUnitForPID"
    no_unit_for_invocation "org.freedesktop.systemd1.NoUnitForInvocationID"
    unit_masked "org.freedesktop.systemd1.UnitMasked"
    unit_exists "org.freedesktop.systemd1.UnitExists"
    unit_inactive "org.freedesktop.systemd1.UnitInactive"
    unit_busy "org.freedesktop.systemd1.UnitBusy"
    freeze_cancelled "org.freedesktop.systemd1.FreezeCancelled"
    nothing_to_clean "org.freedesktop.systemd1.NothingToClean"
    bad_unit_setting "org.freedesktop.systemd1.BadUnitSetting"
    load_failed "org.freedesktop.systemd1.LoadFailed"
    only_by_dependency "org.freedesktop.systemd1.OnlyByDependency"
    no_isolation "org.freedesktop.systemd1.NoIsolation"
    destructive "org.freedesktop.systemd1.TransactionIsDestructive"
    conflicting "org.freedesktop.systemd1.TransactionJobsConflicting"
    cyclic "org.freedesktop.systemd1.TransactionOrderIsCyclic"
    not_applicable "org.freedesktop.systemd1.JobTypeNotApplicable"
    no_such_process "org.freedesktop.systemd1.NoSuchProcess"
    shutting_down "org.freedesktop.systemd1.ShuttingDown"
    already_subscribed "org.freedesktop.systemd1.AlreadySubscribed"
    no_such_dynamic_user "org.freedesktop.systemd1.NoSuchDynamicUser"
    not_subscribed "org.freedesktop.systemd1.NotSubscribed"
    not_referenced "org.freedesktop.systemd1.NotReferenced"
    scope_not_running "org.freedesktop.systemd1.ScopeNotRunning"
    failed "org.freedesktop.DBus.Error.Failed"
    access_denied "org.freedesktop.DBus.Error.AccessDenied"
    interactive "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
    file_not_found "org.freedesktop.DBus.Error.FileNotFound"
    invalid_args "org.freedesktop.DBus.Error.InvalidArgs"
    not_supported "org.freedesktop.DBus.Error.NotSupported"
    limits_exceeded "org.freedesktop.DBus.Error.LimitsExceeded"
    unknown_method "org.freedesktop.DBus.Error.UnknownMethod"
    unknown_object "org.freedesktop.DBus.Error.UnknownObject"
    unknown_property "org.freedesktop.DBus.Error.UnknownProperty"
    unknown_interface "org.freedesktop.DBus.Error.UnknownInterface"
    bad_request "System.Error.EBADR"
    property_read_only "org.freedesktop.DBus.Error.PropertyReadOnly"
}

impl From<&Refusal> for Fault {
    fn from(refusal: &Refusal) -> Fault {
        match refusal {
            Refusal::NoSuchUnit(unit) => Fault::no_such_unit(format!("Unit {unit} not found.")),
            Refusal::NotLoaded(unit) => Fault::no_such_unit(format!("Unit {unit} not loaded.")),
            Refusal::Masked(unit) => Fault::unit_masked(format!("Unit {unit} is masked.")),
            Refusal::BadSetting(unit) => Fault::bad_unit_setting(bad_setting(unit)),
            Refusal::Inconsistent { unit: _, reason } => {
                Fault { name: name_of(reason), text: reason.clone().into() }
            }
            Refusal::LoadFailed { unit, reason } => {
                Fault::load_failed(format!("Unit {unit} failed to load properly: {reason}."))
            }
            Refusal::OnlyByDependency { unit, what: _ } => Fault::only_by_dependency(format!(
                "Operation refused, unit {unit} may be requested by dependency only (it is configured to refuse manual start/stop)."
            )),
            Refusal::NoIsolation(_) => Fault::no_isolation("Operation refused, unit may not be isolated."),
            Refusal::Destructive { asked: (anchor, kind), unit, wanted, queued } => {
                Fault::destructive(format!(
                    "Transaction for {anchor}/{} is destructive ({unit} has '{}' job queued, but '{}' is included in transaction).",
                    kind.word(),
                    queued.word(),
                    wanted.word(),
                ))
            }
            Refusal::NotApplicable { unit, kind } => {
                Fault::not_applicable(format!("Job type {} is not applicable for unit {unit}.", kind.word()))
            }
            Refusal::WrongMode { mode: JobMode::Triggering, only: _ } => {
                Fault::invalid_args("--job-mode=triggering is only valid for stop.")
            }
            Refusal::WrongMode { mode: JobMode::Isolate, only: _ } => {
                Fault::invalid_args("Isolate is only valid for start.")
            }
            Refusal::WrongMode {
                mode:
                    JobMode::Fail
                    | JobMode::Replace
                    | JobMode::ReplaceIrreversibly
                    | JobMode::Flush
                    | JobMode::IgnoreDependencies
                    | JobMode::IgnoreRequirements
                    | JobMode::RestartDependencies,
                only,
            } => Fault::invalid_args(format!("The job mode is only valid for {}.", only.word())),
            Refusal::Cyclic(_) => Fault::cyclic("Transaction order is cyclic. See system logs for details."),
            Refusal::Conflicting { unit, kinds: (one, other) } => Fault::conflicting(format!(
                "Transaction contains conflicting jobs '{}' and '{}' for {unit}. Probably contradicting requirement dependencies configured.",
                one.word(),
                other.word(),
            )),
            Refusal::NoSuchJob(job) => Fault::no_such_job(format!("Job {} does not exist.", job.0)),
            Refusal::NoProcess { unit: _, whom } => Fault::no_such_process(match whom {
                KillWhom::All => "No matching processes to kill",
                KillWhom::Main | KillWhom::MainOrFail => "No main process to kill",
                KillWhom::Control | KillWhom::ControlOrFail => "No control process to kill",
            }),
            Refusal::NotSupported { unit, reason } => {
                Fault::not_supported(format!("Operation not supported for unit {unit}: {reason}."))
            }
            Refusal::NotFrozen { unit, why } => not_frozen(unit, *why),
            Refusal::NotCleaned { unit, why } => not_cleaned(unit, *why),
            Refusal::ShuttingDown => Fault::shutting_down("Refusing, the machine is going down."),
            Refusal::Overloaded(what) => Fault::limits_exceeded(format!("Limit reached: {what}.")),
        }
    }
}

fn not_cleaned(unit: &UnitName, why: NotCleaned) -> Fault {
    match why {
        NotCleaned::Kind => Fault::not_supported(format!("Unit '{unit}' does not support cleaning.")),
        NotCleaned::Busy => Fault::unit_busy("Unit is not inactive or has pending job."),
        NotCleaned::Nothing => Fault::nothing_to_clean("No matching resources found."),
    }
}

fn not_frozen(unit: &UnitName, why: NotFrozen) -> Fault {
    match why {
        NotFrozen::Kind => Fault::not_supported(format!("Unit '{unit}' does not support freezing.")),
        NotFrozen::Underway => Fault::invalid_args(format!(
            "Previously requested freezer operation for unit '{unit}' is still in progress."
        )),
        NotFrozen::Cancelled => Fault::freeze_cancelled(format!("Freezing of unit '{unit}' was cancelled.")),
        NotFrozen::Busy => Fault::unit_busy("Unit has a pending job."),
        NotFrozen::Inactive => Fault::unit_inactive("Unit is inactive."),
    }
}
