//! org.freedesktop.systemd1.Unit: what all kinds have. systemd.unit(5), org.freedesktop.systemd1(5).

use super::words::{active_word, collect_word, freezer_word, load_word, mode_word};
use super::{Emits::*, UnitCx, UnitRow, is_filled, none, num, row, text, words};
use crate::model::{Checked, Relation, Unit};
use eudaemon_unit::config::unit::Condition;
use eudaemon_unit::config::{Body, Config, LoadState};
use eudaemon_unit::implicit::swapped;
use eudaemon_unit::merge::bad_setting;
use eudaemon_unit::name::UnitKind;
use eudaemon_unit::specifier::path_of;
use std::borrow::Cow;
use zbus::Variant;

pub const UNIT: &[UnitRow] = &[
    row("Id", "s", Const, |cx| text(cx.unit.config.name.as_str())),
    row("Names", "as", Const, unit_names),
    row("Following", "s", No, |_| text("")),
    row("Requires", "as", Const, |cx| cx.related(Relation::Requires)),
    row("Requisite", "as", Const, |cx| cx.related(Relation::Requisite)),
    row("Wants", "as", Const, |cx| cx.related(Relation::Wants)),
    row("BindsTo", "as", Const, |cx| cx.related(Relation::BindsTo)),
    row("PartOf", "as", Const, |cx| cx.related(Relation::PartOf)),
    row("Upholds", "as", Const, |cx| cx.related(Relation::Upholds)),
    row("RequiredBy", "as", Const, |cx| cx.related(Relation::RequiredBy)),
    row("RequisiteOf", "as", Const, |cx| cx.related(Relation::RequisiteOf)),
    row("WantedBy", "as", Const, |cx| cx.related(Relation::WantedBy)),
    row("BoundBy", "as", Const, |cx| cx.related(Relation::BoundBy)),
    row("UpheldBy", "as", Const, |cx| cx.related(Relation::UpheldBy)),
    row("ConsistsOf", "as", Const, |cx| cx.related(Relation::ConsistsOf)),
    row("Conflicts", "as", Const, |cx| cx.related(Relation::Conflicts)),
    row("ConflictedBy", "as", Const, |cx| cx.related(Relation::ConflictedBy)),
    row("Before", "as", Const, |cx| cx.related(Relation::Before)),
    row("After", "as", Const, |cx| cx.related(Relation::After)),
    row("OnSuccess", "as", Const, |cx| cx.related(Relation::OnSuccess)),
    row("OnSuccessOf", "as", Const, |cx| cx.related(Relation::OnSuccessOf)),
    row("OnFailure", "as", Const, |cx| cx.related(Relation::OnFailure)),
    row("OnFailureOf", "as", Const, |cx| cx.related(Relation::OnFailureOf)),
    row("Triggers", "as", Const, |cx| cx.related(Relation::Triggers)),
    row("TriggeredBy", "as", Const, triggered_by),
    row("PropagatesReloadTo", "as", Const, |cx| cx.related(Relation::PropagatesReloadTo)),
    row("ReloadPropagatedFrom", "as", Const, |cx| cx.related(Relation::ReloadPropagatedFrom)),
    row("PropagatesStopTo", "as", Const, |cx| cx.related(Relation::PropagatesStopTo)),
    row("StopPropagatedFrom", "as", Const, |cx| cx.related(Relation::StopPropagatedFrom)),
    row("JoinsNamespaceOf", "as", Const, |cx| cx.related(Relation::JoinsNamespaceOf)),
    row("SliceOf", "as", Const, |cx| cx.related(Relation::SliceOf)),
    row("RequiresMountsFor", "as", Const, |cx| words(&cx.unit.config.unit.requires_mounts_for)),
    row("Documentation", "as", Const, |cx| words(&cx.unit.config.unit.documentation)),
    row("Description", "s", Const, |cx| Variant::from(description(&cx.unit.config).into_owned())),
    row("AccessSELinuxContext", "s", Const, |_| text("")),
    row("LoadState", "s", Const, |cx| text(load_word(&cx.unit.config.load))),
    row("ActiveState", "s", Value, |cx| text(active_word(cx.unit.active))),
    row("FreezerState", "s", Value, |cx| text(freezer_word(cx.unit.freezer))),
    row("SubState", "s", Value, |cx| text(cx.unit.sub)),
    row("FragmentPath", "s", Const, |cx| text(cx.unit.config.fragment.as_deref().unwrap_or_default())),
    row("SourcePath", "s", Const, |cx| text(cx.unit.config.source.as_deref().unwrap_or_default())),
    row("DropInPaths", "as", Const, |cx| words(&cx.unit.config.dropins)),
    row("UnitFileState", "s", No, |cx| text(cx.unit_file_state())),
    row("UnitFilePreset", "s", No, |cx| text(cx.unit_file_preset())),
    row("StateChangeTimestamp", "t", Value, |cx| num(cx.unit.state_changed.realtime)),
    row("StateChangeTimestampMonotonic", "t", Value, |cx| num(cx.unit.state_changed.monotonic)),
    row("InactiveExitTimestamp", "t", Value, |cx| num(cx.unit.inactive_exit.realtime)),
    row("InactiveExitTimestampMonotonic", "t", Value, |cx| num(cx.unit.inactive_exit.monotonic)),
    row("ActiveEnterTimestamp", "t", Value, |cx| num(cx.unit.active_enter.realtime)),
    row("ActiveEnterTimestampMonotonic", "t", Value, |cx| num(cx.unit.active_enter.monotonic)),
    row("ActiveExitTimestamp", "t", Value, |cx| num(cx.unit.active_exit.realtime)),
    row("ActiveExitTimestampMonotonic", "t", Value, |cx| num(cx.unit.active_exit.monotonic)),
    row("InactiveEnterTimestamp", "t", Value, |cx| num(cx.unit.inactive_enter.realtime)),
    row("InactiveEnterTimestampMonotonic", "t", Value, |cx| num(cx.unit.inactive_enter.monotonic)),
    row("CanStart", "b", Const, |cx| num(can_start(cx.unit))),
    row("CanStop", "b", Const, |cx| num(can_stop(cx.unit))),
    row("CanReload", "b", Const, |cx| num(can_reload(cx))),
    row("CanIsolate", "b", Const, |cx| num(can_isolate(cx.unit))),
    row("CanClean", "as", Const, |cx| words(&cleanable(cx))),
    row("CanFreeze", "b", Const, |cx| num(cx.model.can_freeze(&cx.unit.config.name))),
    row("Job", "(uo)", Value, |cx| cx.job()),
    row("StopWhenUnneeded", "b", Const, |cx| num(cx.unit.config.unit.stop_when_unneeded)),
    row("RefuseManualStart", "b", Const, |cx| num(cx.unit.config.unit.refuse_manual_start)),
    row("RefuseManualStop", "b", Const, |cx| num(cx.unit.config.unit.refuse_manual_stop)),
    row("AllowIsolate", "b", Const, |cx| num(cx.unit.config.unit.allow_isolate)),
    row("DefaultDependencies", "b", Const, |cx| num(cx.unit.config.unit.default_dependencies)),
    row("OnSuccessJobMode", "s", Const, |cx| text(mode_word(cx.unit.config.unit.on_success_job_mode))),
    row("OnFailureJobMode", "s", Const, |cx| text(mode_word(cx.unit.config.unit.on_failure_job_mode))),
    row("IgnoreOnIsolate", "b", Const, |cx| num(cx.unit.config.unit.ignore_on_isolate)),
    row("NeedDaemonReload", "b", No, |cx| num(cx.model.needs_reload(&cx.unit.config.name))),
    row("Markers", "as", No, |_| none::<String>()),
    row("JobTimeoutUSec", "t", Const, |cx| num(cx.unit.config.unit.job_timeout.0)),
    row("JobRunningTimeoutUSec", "t", Const, |cx| num(cx.unit.config.unit.job_running_timeout.0)),
    row("JobTimeoutAction", "s", Const, |cx| text(cx.unit.config.unit.job_timeout_action.word())),
    row("JobTimeoutRebootArgument", "s", Const, |cx| cx.free("JobTimeoutRebootArgument")),
    row("ConditionResult", "b", Value, |cx| num(cx.unit.condition.holds)),
    row("AssertResult", "b", Value, |cx| num(cx.unit.assertion.holds)),
    row("ConditionTimestamp", "t", Value, |cx| num(cx.unit.condition.at.realtime)),
    row("ConditionTimestampMonotonic", "t", Value, |cx| num(cx.unit.condition.at.monotonic)),
    row("AssertTimestamp", "t", Value, |cx| num(cx.unit.assertion.at.realtime)),
    row("AssertTimestampMonotonic", "t", Value, |cx| num(cx.unit.assertion.at.monotonic)),
    row("Conditions", "a(sbbsi)", Invalidates, |cx| {
        conditions("Condition", &cx.unit.config.unit.conditions, cx.unit.condition)
    }),
    row("Asserts", "a(sbbsi)", Invalidates, |cx| {
        conditions("Assert", &cx.unit.config.unit.asserts, cx.unit.assertion)
    }),
    row("LoadError", "(ss)", Const, |cx| load_error(&cx.unit.config)),
    row("Transient", "b", Const, |cx| num(cx.unit.transient)),
    row("Perpetual", "b", Const, |cx| num(cx.unit.perpetual)),
    row("StartLimitIntervalUSec", "t", Const, |cx| num(cx.unit.config.unit.start_limit_interval.0)),
    row("StartLimitBurst", "u", Const, |cx| num(cx.unit.config.unit.start_limit_burst)),
    row("StartLimitAction", "s", Const, |cx| text(cx.unit.config.unit.start_limit_action.word())),
    row("FailureAction", "s", Const, |cx| text(cx.unit.config.unit.failure_action.word())),
    row("FailureActionExitStatus", "i", Const, |cx| {
        num(cx.unit.config.unit.failure_action_exit_status.map_or(-1, i32::from))
    }),
    row("SuccessAction", "s", Const, |cx| text(cx.unit.config.unit.success_action.word())),
    row("SuccessActionExitStatus", "i", Const, |cx| {
        num(cx.unit.config.unit.success_action_exit_status.map_or(-1, i32::from))
    }),
    row("RebootArgument", "s", Const, |cx| cx.free("RebootArgument")),
    row("InvocationID", "ay", Value, |cx| invocation(cx.unit)),
    row("CollectMode", "s", Const, |cx| text(collect_word(cx.unit.config.unit.collect_mode))),
    row("Refs", "as", No, |_| none::<String>()),
    row("ActivationDetails", "a(ss)", Value, |_| none::<(String, String)>()),
];

/// `Names`: its own first, then its aliases.
fn unit_names(cx: &UnitCx<'_>) -> Variant<'static> {
    let config = &cx.unit.config;
    let names = std::iter::once(&config.name).chain(&config.aliases);
    Variant::from(names.map(|name| name.as_str().to_owned()).collect::<Vec<_>>())
}

pub fn description(config: &Config) -> Cow<'_, str> {
    if !config.unit.description.is_empty() {
        return Cow::Borrowed(&config.unit.description);
    }
    match &config.body {
        Body::Mount(mount) if !mount.place.is_empty() => Cow::Borrowed(&mount.place),
        Body::Swap(_) if is_filled(&config.load) => Cow::Owned(swapped(config)),
        Body::Device => Cow::Owned(path_of(&config.name)),
        Body::Service(_)
        | Body::Socket(_)
        | Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Mount(_)
        | Body::Swap(_)
        | Body::Automount
        | Body::Timer
        | Body::Path => Cow::Borrowed(config.name.as_str()),
    }
}

fn can_start(unit: &Unit) -> bool {
    let config = &unit.config;
    config.load == LoadState::Loaded && starts(config.name.kind()) && !config.unit.refuse_manual_start
}

fn can_stop(unit: &Unit) -> bool {
    let kind = unit.config.name.kind();
    let stoppable = (starts(kind) || kind == UnitKind::Scope) && !unit.perpetual;
    stoppable && !unit.config.unit.refuse_manual_stop
}

/// Kinds that are started: not those that come by themselves, nor those that nobody can start in a container.
fn starts(kind: UnitKind) -> bool {
    match kind {
        UnitKind::Device | UnitKind::Scope | UnitKind::Automount | UnitKind::Swap => false,
        UnitKind::Service
        | UnitKind::Socket
        | UnitKind::Target
        | UnitKind::Mount
        | UnitKind::Timer
        | UnitKind::Path
        | UnitKind::Slice => true,
    }
}

/// A unit of a kind that never reloads itself may still pass a reload on; of a service its own ability decides.
pub fn can_reload(cx: &UnitCx<'_>) -> bool {
    match &cx.unit.config.body {
        Body::Service(service) => {
            !service.commands.reload.is_empty()
                || service.kind == eudaemon_unit::config::service::ServiceType::NotifyReload
        }
        Body::Mount(_) => true,
        Body::Socket(_)
        | Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => !cx.model.related(&cx.unit.config.name, Relation::PropagatesReloadTo).is_empty(),
    }
}

fn can_isolate(unit: &Unit) -> bool {
    can_start(unit) && unit.config.unit.allow_isolate
}

/// `a(sbbsi)`: test, triggering, negated, value, and the verdict: 1 held, -1 did not, 0 not known. The last line of the
/// files comes first, as systemd has it.
fn conditions(prefix: &str, conditions: &[Condition], checked: Checked) -> Variant<'static> {
    let told = conditions.iter().enumerate().rev().map(|(place, condition)| {
        let verdict = match checked.verdict(place) {
            None => 0,
            Some(true) => 1,
            Some(false) => -1,
        };
        (
            format!("{prefix}{}", condition.test),
            condition.triggering,
            condition.negated,
            condition.value.clone(),
            verdict,
        )
    });
    Variant::from(told.collect::<Vec<_>>())
}

/// Two empty words if there is none: any other name is printed, and Ansible gives up on it.
fn load_error(config: &Config) -> Variant<'static> {
    let (name, text) = match &config.load {
        LoadState::Loaded => ("", String::new()),
        LoadState::NotFound => {
            ("org.freedesktop.systemd1.NoSuchUnit", format!("Unit {} not found.", config.name))
        }
        LoadState::BadSetting(_) => ("org.freedesktop.systemd1.BadUnitSetting", bad_setting(&config.name)),
        LoadState::Inconsistent(text) => (crate::fault::name_of(text), text.clone()),
        LoadState::Unreadable(reason) => (
            "org.freedesktop.systemd1.LoadFailed",
            format!("Unit {} failed to load properly: {reason}.", config.name),
        ),
        LoadState::Masked => {
            ("org.freedesktop.systemd1.UnitMasked", format!("Unit {} is masked.", config.name))
        }
    };
    Variant::from((name.to_owned(), text))
}

fn invocation(unit: &Unit) -> Variant<'static> {
    Variant::from(unit.invocation.map(|id| id.0.to_vec()).unwrap_or_default())
}

/// Also the sockets a service names itself, be they there or not.
fn triggered_by<'a>(cx: &'a UnitCx<'_>) -> Variant<'a> {
    let mut names = cx.model.related(&cx.unit.config.name, Relation::TriggeredBy);
    if let Some(service) = cx.unit.config.service() {
        let more: Vec<_> = service.sockets.iter().filter(|socket| !names.contains(socket)).cloned().collect();
        names.extend(more);
    }
    Variant::from(names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>())
}

/// Kinds of directories that `systemctl clean` would empty: systemd.exec(5), systemd.timer(5).
fn cleanable(cx: &UnitCx<'_>) -> Vec<String> {
    if cx.unit.config.load != LoadState::Loaded {
        return Vec::new();
    }
    let mut kinds = Vec::new();
    if let Some(exec) = cx.unit.config.exec() {
        let directories = [
            ("runtime", &exec.runtime_directory),
            ("state", &exec.state_directory),
            ("cache", &exec.cache_directory),
            ("logs", &exec.logs_directory),
            ("configuration", &exec.configuration_directory),
        ];
        kinds.extend(directories.iter().filter(|(_, one)| !one.names.is_empty()).map(|(kind, _)| *kind));
    }
    if cx.kept("Persistent") == Some("yes") && cx.unit.config.name.kind() == UnitKind::Timer {
        kinds.push("state");
    }
    kinds.into_iter().map(str::to_owned).collect()
}
