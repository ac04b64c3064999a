//! `[Unit]` and `[Install]`: systemd.unit(5).

use crate::name::UnitName;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// The words by which one unit names another. Inverses are derived in the engine's graph, not written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dependency {
    Requires,
    Requisite,
    Wants,
    BindsTo,
    PartOf,
    Upholds,
    Conflicts,
    Before,
    After,
    OnFailure,
    OnSuccess,
    PropagatesReloadTo,
    ReloadPropagatedFrom,
    PropagatesStopTo,
    StopPropagatedFrom,
    JoinsNamespaceOf,
    /// Socket, timer, path → the unit it activates.
    Triggers,
    /// The slice a unit lives in (`Slice=`): orders after and requires it.
    InSlice,
}

/// How a job is put beside those already queued: systemctl(1), `--job-mode=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobMode {
    Fail,
    #[default]
    Replace,
    ReplaceIrreversibly,
    Isolate,
    Flush,
    IgnoreDependencies,
    IgnoreRequirements,
    Triggering,
    RestartDependencies,
}

/// What happens to the machine when a unit ends or hits its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmergencyAction {
    #[default]
    None,
    Reboot,
    RebootForce,
    RebootImmediate,
    PowerOff,
    PowerOffForce,
    PowerOffImmediate,
    Exit,
    ExitForce,
    Halt,
    HaltForce,
    HaltImmediate,
    Kexec,
    KexecForce,
    SoftReboot,
    SoftRebootForce,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CollectMode {
    #[default]
    Inactive,
    InactiveOrFailed,
}

/// One `Condition…=` or `Assert…=` line. `host` judges it; the engine combines the verdicts:
/// all plain ones must hold, and at least one of the triggering ones if there is any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The key without its `Condition`/`Assert` prefix: `PathExists`, `Virtualization`, …
    pub test: String,
    /// The value without `|` and `!`, specifiers expanded.
    pub value: String,
    pub negated: bool,
    pub triggering: bool,
}

impl Condition {
    /// As the unit file says it; `family` is `Condition` or `Assert`.
    pub fn line(&self, family: &str) -> String {
        let (trigger, not) = (if self.triggering { "|" } else { "" }, if self.negated { "!" } else { "" });
        format!("{family}{}={trigger}{not}{}", self.test, self.value)
    }
}

/// What keeps a list of tests from holding, as lines of a unit file: the first plain test that does not hold, else the
/// triggering ones, where there are some and none of them does. `None`: the list holds.
pub fn unmet(family: &str, tests: &[Condition], holds: impl Fn(usize, &Condition) -> bool) -> Option<String> {
    let ask = |(place, test)| (test, holds(place, test));
    let verdicts: Vec<(&Condition, bool)> = tests.iter().enumerate().map(ask).collect();
    if let Some((plain, _)) = verdicts.iter().find(|(test, holds)| !test.triggering && !holds) {
        return Some(plain.line(family));
    }
    let triggering = || verdicts.iter().filter(|(test, _)| test.triggering);
    let lines: Vec<String> = triggering().map(|(test, _)| test.line(family)).collect();
    let triggered = lines.is_empty() || triggering().any(|(_, holds)| *holds);
    (!triggered).then(|| lines.join(" or "))
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitSection {
    /// Empty: the unit's name stands in.
    pub description: String,
    pub documentation: Vec<String>,
    /// Written dependencies plus those of `.wants/`, `.requires/`, `.upholds/` folders, in order, deduplicated.
    /// Implicit and default ones are added by `crate::implicit` when `default_dependencies` says so.
    pub dependencies: Vec<(Dependency, UnitName)>,
    pub requires_mounts_for: Vec<String>,
    pub wants_mounts_for: Vec<String>,
    pub on_failure_job_mode: JobMode,
    pub on_success_job_mode: JobMode,
    pub ignore_on_isolate: bool,
    pub stop_when_unneeded: bool,
    pub refuse_manual_start: bool,
    pub refuse_manual_stop: bool,
    pub allow_isolate: bool,
    pub default_dependencies: bool,
    pub collect_mode: CollectMode,
    pub job_timeout: Span,
    pub job_running_timeout: Span,
    pub job_timeout_action: EmergencyAction,
    pub failure_action: EmergencyAction,
    pub success_action: EmergencyAction,
    /// Exit status handed to the container by `exit` actions; `None`: the main process's own.
    pub failure_action_exit_status: Option<u8>,
    pub success_action_exit_status: Option<u8>,
    pub start_limit_interval: Span,
    pub start_limit_burst: u32,
    pub start_limit_action: EmergencyAction,
    /// `[X-Container]`: the unit whose end is the container's.
    pub exit_code_from: Option<UnitName>,
    pub conditions: Vec<Condition>,
    pub asserts: Vec<Condition>,
}

impl Default for UnitSection {
    fn default() -> UnitSection {
        UnitSection {
            description: String::new(),
            documentation: Vec::new(),
            dependencies: Vec::new(),
            requires_mounts_for: Vec::new(),
            wants_mounts_for: Vec::new(),
            on_failure_job_mode: JobMode::Replace,
            on_success_job_mode: JobMode::Fail,
            ignore_on_isolate: false,
            stop_when_unneeded: false,
            refuse_manual_start: false,
            refuse_manual_stop: false,
            allow_isolate: false,
            default_dependencies: true,
            collect_mode: CollectMode::Inactive,
            job_timeout: Span::INFINITY,
            job_running_timeout: Span::INFINITY,
            job_timeout_action: EmergencyAction::None,
            failure_action: EmergencyAction::None,
            success_action: EmergencyAction::None,
            failure_action_exit_status: None,
            success_action_exit_status: None,
            start_limit_interval: Span::seconds(10),
            start_limit_burst: 5,
            start_limit_action: EmergencyAction::None,
            exit_code_from: None,
            conditions: Vec::new(),
            asserts: Vec::new(),
        }
    }
}

/// `[Install]`: read by enable and disable, never by the engine. Names as written (they may hold specifiers).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    pub wanted_by: Vec<String>,
    pub required_by: Vec<String>,
    pub upheld_by: Vec<String>,
    pub alias: Vec<String>,
    pub also: Vec<String>,
    pub default_instance: Option<String>,
}
