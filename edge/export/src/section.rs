//! `[Unit]` and `[Install]`: what no other manager knows of them.
//!
//! Every field is named here, so one that is new does not compile until somebody has said what becomes of it: description,
//! dependencies and by whom it is wanted are `service.rs`'s.

use crate::rest::{after, behaviour, changed, note};
use eudaemon_kit::service::Loss;
use eudaemon_unit::config::exec::{Exec, Place};
use eudaemon_unit::config::unit::{CollectMode, EmergencyAction, Install, UnitSection};
use eudaemon_unit::span::Span;

/// `[Unit]`.
pub fn section(unit: &UnitSection, exec: &Exec, unsaid: &mut Vec<Loss>) {
    let UnitSection {
        description: _,
        documentation,
        dependencies: _,
        requires_mounts_for,
        wants_mounts_for,
        on_failure_job_mode,
        on_success_job_mode,
        ignore_on_isolate,
        stop_when_unneeded,
        refuse_manual_start,
        refuse_manual_stop,
        allow_isolate,
        default_dependencies,
        collect_mode,
        job_timeout: _,
        job_running_timeout: _,
        job_timeout_action: _,
        failure_action: _,
        success_action: _,
        failure_action_exit_status: _,
        success_action_exit_status: _,
        start_limit_interval: _,
        start_limit_burst: _,
        start_limit_action: _,
        exit_code_from: _,
        conditions,
        asserts,
    } = unit;
    let default = UnitSection::default();
    for (family, tests) in [("Condition", conditions), ("Assert", asserts)] {
        let why = "it is not looked at: the service is started anyway";
        unsaid.extend(tests.iter().map(|test| behaviour(test.line(family), why)));
    }
    let own = own_mounts(exec);
    for (key, paths) in [("RequiresMountsFor", requires_mounts_for), ("WantsMountsFor", wants_mounts_for)] {
        let paths = paths.iter().filter(|path| !own.contains(path));
        unsaid.extend(
            paths.map(|path| behaviour(format!("{key}={path}"), "it does not wait until that is mounted")),
        );
    }
    let lost = [
        changed(documentation, &default.documentation, |_| note("Documentation=", "is for people alone")),
        changed(on_failure_job_mode, &default.on_failure_job_mode, |_| note("OnFailureJobMode=", NO_JOBS)),
        changed(on_success_job_mode, &default.on_success_job_mode, |_| note("OnSuccessJobMode=", NO_JOBS)),
        ignore_on_isolate.then(|| note("IgnoreOnIsolate=yes", NO_JOBS)),
        allow_isolate.then(|| note("AllowIsolate=yes", NO_JOBS)),
        stop_when_unneeded
            .then(|| behaviour("StopWhenUnneeded=yes", "it stays up when nobody needs it any more")),
        refuse_manual_start.then(|| behaviour("RefuseManualStart=yes", "it can be started by hand")),
        refuse_manual_stop.then(|| behaviour("RefuseManualStop=yes", "it can be stopped by hand")),
        (!default_dependencies)
            .then(|| behaviour("DefaultDependencies=no", "it is started with all others, not before them")),
        changed(collect_mode, &CollectMode::Inactive, |_| note("CollectMode=", "no manager forgets it")),
    ];
    unsaid.extend(lost.into_iter().flatten());
    limits(unit, unsaid);
}

/// What happens when a limit is hit, or to the machine when the unit ends.
fn limits(unit: &UnitSection, unsaid: &mut Vec<Loss>) {
    let default = UnitSection::default();
    let uncounted = "starts are not counted";
    let lost = [
        changed(unit.job_timeout, Span::INFINITY, |span| after("JobTimeoutSec", span, NO_DEADLINE)),
        changed(unit.job_running_timeout, Span::INFINITY, |span| {
            after("JobRunningTimeoutSec", span, NO_DEADLINE)
        }),
        action("JobTimeoutAction", unit.job_timeout_action),
        action("FailureAction", unit.failure_action),
        action("SuccessAction", unit.success_action),
        action("StartLimitAction", unit.start_limit_action),
        unit.failure_action_exit_status.map(|_| behaviour("FailureActionExitStatus=", NO_STATUS)),
        unit.success_action_exit_status.map(|_| behaviour("SuccessActionExitStatus=", NO_STATUS)),
        changed(unit.start_limit_interval, default.start_limit_interval, |span| {
            after("StartLimitIntervalSec", span, uncounted)
        }),
        changed(unit.start_limit_burst, default.start_limit_burst, |burst| {
            behaviour(format!("StartLimitBurst={burst}"), uncounted)
        }),
        unit.exit_code_from.as_ref().map(|from| behaviour(format!("ExitCodeFrom={from}"), NO_STATUS)),
    ];
    unsaid.extend(lost.into_iter().flatten());
}

const NO_JOBS: &str = "no other manager queues jobs";
const NO_DEADLINE: &str = "a start or stop may wait for ever";
const NO_STATUS: &str = "nobody hears the exit status";

/// Paths that other directives need to be mounted.
fn own_mounts(exec: &Exec) -> Vec<String> {
    let made = crate::rights::directory_kinds(exec).flat_map(|(kind, directories)| {
        directories.names.iter().map(move |(name, _)| format!("{}/{name}", kind.below))
    });
    let place = match &exec.working_directory.place {
        Place::Path(path) => Some(path.clone()),
        Place::Unset | Place::Home => None,
    };
    // PrivateTmp= needs both.
    let temporary = ["/tmp", "/var/tmp"].map(str::to_owned);
    made.chain(place).chain(exec.root_directory.clone()).chain(temporary).collect()
}

/// `[Install]`.
pub fn install(install: &Install, unsaid: &mut Vec<Loss>) {
    let Install { wanted_by: _, required_by: _, upheld_by, alias, also, default_instance } = install;
    let names = |names: &Vec<String>| names.join(" ");
    let lost = [
        changed(upheld_by, &Vec::new(), |by| {
            behaviour(format!("UpheldBy={}", names(by)), "it is not kept up")
        }),
        changed(alias, &Vec::new(), |by| note(format!("Alias={}", names(by)), "it has one name")),
        changed(also, &Vec::new(), |by| {
            behaviour(format!("Also={}", names(by)), "those are left as they are")
        }),
        default_instance.is_some().then(|| note("DefaultInstance=", "this is one instance")),
    ];
    unsaid.extend(lost.into_iter().flatten());
}

fn action(key: &str, action: EmergencyAction) -> Option<Loss> {
    changed(action, EmergencyAction::None, |action| {
        behaviour(format!("{key}={}", action.word()), "nothing happens to the machine then")
    })
}
