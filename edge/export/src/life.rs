//! `[Service]` and what its processes share with those of other units: what no other manager knows of it.
//!
//! Every field is named here, so one that is new does not compile until somebody has said what becomes of it. Commands and
//! restarts are `service.rs`'s too, the user and the surroundings `rights.rs`'s.

use crate::rest::{after, behaviour, changed, note};
use eudaemon_kit::service::Loss;
use eudaemon_unit::config::exec::{Exec, Preserve, Stdio};
use eudaemon_unit::config::service::{
    ExitStatuses, ExitType, NotifyAccess, OomPolicy, Service, ServiceType, TimeoutMode,
};
use eudaemon_unit::config::{Kill, KillMode};
use eudaemon_unit::span::Span;
use eudaemon_unit::values::signal::signal_name;

/// `[Service]`: how it lives.
pub fn life(service: &Service, unsaid: &mut Vec<Loss>) {
    let Service {
        kind: _,
        exit_type: _,
        commands: _,
        restart: _,
        restart_sec: _,
        restart_steps: _,
        restart_max_delay: _,
        restart_reset: _,
        success_exit_status: _,
        restart_prevent_exit_status: _,
        restart_force_exit_status: _,
        timeout_start: _,
        timeout_stop: _,
        timeout_abort: _,
        timeout_start_failure_mode: _,
        timeout_stop_failure_mode: _,
        runtime_max: _,
        watchdog: _,
        remain_after_exit: _,
        guess_main_pid: _,
        pid_file: _,
        bus_name: _,
        notify_access: _,
        sockets: _,
        non_blocking: _,
        fd_store_max: _,
        oom_policy: _,
        permissions_start_only: _,
        root_directory_start_only: _,
        reload_signal: _,
        health: _,
        exec: _,
        kill: _,
    } = service;
    restarts(service, unsaid);
    ends(service, unsaid);
    let is = |kind: ServiceType| service.kind == kind;
    let lost = [
        (!service.guess_main_pid).then(|| note("GuessMainPID=no", "no other manager guesses it")),
        service
            .pid_file
            .as_ref()
            .filter(|_| !is(ServiceType::Forking))
            .map(|path| note(format!("PIDFile={path}"), "nobody reads it or takes it away")),
        service
            .bus_name
            .as_ref()
            .filter(|_| !is(ServiceType::Dbus))
            .map(|name| note(format!("BusName={name}"), "nobody waits for it")),
        notify_access(service),
        service.non_blocking.then(|| note("NonBlocking=yes", "it is given no sockets")),
        (service.fd_store_max > 0)
            .then(|| behaviour("FileDescriptorStoreMax=", "nobody keeps its descriptors over a restart")),
        oom_policy(service.oom_policy),
        service
            .root_directory_start_only
            .then(|| behaviour("RootDirectoryStartOnly=yes", "all its commands run in RootDirectory=")),
        changed(service.reload_signal, Service::default().reload_signal, |signal| {
            note(format!("ReloadSignal={}", signal_name(signal)), "it counts where there is no ExecReload=")
        }),
        service.health.as_ref().map(|_| behaviour("[X-Health]", "nobody asks it whether it is well")),
    ];
    unsaid.extend(lost.into_iter().flatten());
}

fn restarts(service: &Service, unsaid: &mut Vec<Loss>) {
    let wait = "the wait between restarts stays the same";
    let statuses = [
        ("SuccessExitStatus=", &service.success_exit_status),
        ("RestartPreventExitStatus=", &service.restart_prevent_exit_status),
        ("RestartForceExitStatus=", &service.restart_force_exit_status),
    ];
    for (directive, statuses) in statuses {
        let why = "only 0 is a good end, and restarts do not ask for the code";
        unsaid.extend(changed(statuses, &ExitStatuses::default(), |_| behaviour(directive, why)));
    }
    let lost = [
        changed(service.restart_steps, 0, |steps| behaviour(format!("RestartSteps={steps}"), wait)),
        changed(service.restart_max_delay, Span::INFINITY, |span| after("RestartMaxDelaySec", span, wait)),
        changed(service.restart_reset, Span::INFINITY, |span| after("X-RestartResetSec", span, wait)),
    ];
    unsaid.extend(lost.into_iter().flatten());
}

/// Deadlines.
fn ends(service: &Service, unsaid: &mut Vec<Loss>) {
    let ended = "it is ended as by any stop";
    let lost = [
        changed(service.exit_type, ExitType::Main, |_| {
            behaviour("ExitType=cgroup", "it has ended when its main process has")
        }),
        timeout_start(service),
        service
            .timeout_abort
            .filter(|span| *span != service.timeout_stop)
            .map(|span| after("TimeoutAbortSec", span, "it is as TimeoutStopSec=")),
        changed(service.timeout_start_failure_mode, TimeoutMode::Terminate, |_| {
            behaviour("TimeoutStartFailureMode=", ended)
        }),
        changed(service.timeout_stop_failure_mode, TimeoutMode::Terminate, |_| {
            behaviour("TimeoutStopFailureMode=", ended)
        }),
        changed(service.runtime_max, Span::INFINITY, |span| {
            after("RuntimeMaxSec", span, "nobody ends it after that time")
        }),
        Some(service.watchdog)
            .filter(|span| *span != Span::ZERO && !span.is_infinite())
            .map(|span| after("WatchdogSec", span, "nobody ends it when it hangs")),
    ];
    unsaid.extend(lost.into_iter().flatten());
}

/// A pid file's is waited for: all that another manager knows of a start that takes its time.
fn timeout_start(service: &Service) -> Option<Loss> {
    let is_known = service.kind == ServiceType::Forking && service.pid_file.is_some();
    let default = match service.kind {
        ServiceType::Oneshot => Span::INFINITY,
        ServiceType::Simple
        | ServiceType::Exec
        | ServiceType::Forking
        | ServiceType::Dbus
        | ServiceType::Notify
        | ServiceType::NotifyReload
        | ServiceType::Idle => Service::default().timeout_start,
    };
    let why = "nobody ends a start that takes longer";
    changed(service.timeout_start, default, |span| after("TimeoutStartSec", span, why)).filter(|_| !is_known)
}

/// That its main process is listened to is lost with what it would say.
fn notify_access(service: &Service) -> Option<Loss> {
    let line = |word: &str| Some(note(format!("NotifyAccess={word}"), "nobody hears what it notifies of"));
    match service.notify_access {
        NotifyAccess::None => None,
        NotifyAccess::Main => match service.kind {
            ServiceType::Notify | ServiceType::NotifyReload => None,
            ServiceType::Simple
            | ServiceType::Exec
            | ServiceType::Forking
            | ServiceType::Oneshot
            | ServiceType::Dbus
            | ServiceType::Idle => line("main"),
        },
        NotifyAccess::Exec => line("exec"),
        NotifyAccess::All => line("all"),
    }
}

fn oom_policy(policy: OomPolicy) -> Option<Loss> {
    match policy {
        OomPolicy::Stop => None,
        OomPolicy::Continue => Some(note("OOMPolicy=continue", "that is how it is without cgroups")),
        OomPolicy::Kill => {
            Some(behaviour("OOMPolicy=kill", "the kernel kills one of its processes, and the others stay"))
        }
    }
}

/// Signals.
pub fn kill(kill: &Kill, unsaid: &mut Vec<Loss>) {
    let Kill { mode, signal, restart_signal, final_signal, watchdog_signal, send_sighup, send_sigkill: _ } =
        kill;
    let default = Kill::default();
    let line =
        |key: &str, signal: i32, why: &str| behaviour(format!("{key}=SIG{}", signal_name(signal)), why);
    let lost = [
        (*mode == KillMode::None)
            .then(|| behaviour("KillMode=none", "its main process gets a signal all the same")),
        restart_signal
            .filter(|restart| restart != signal)
            .map(|signal| line("RestartKillSignal", signal, "a restart is a stop and a start")),
        changed(*final_signal, default.final_signal, |signal| {
            line("FinalKillSignal", signal, "what does not stop in time gets SIGKILL")
        }),
        changed(*watchdog_signal, default.watchdog_signal, |signal| {
            line("WatchdogSignal", signal, "nobody ends it when it hangs")
        }),
        send_sighup.then(|| behaviour("SendSIGHUP=yes", "it gets no SIGHUP beside the signal")),
    ];
    unsaid.extend(lost.into_iter().flatten());
}

/// What its processes find, beyond what every manager can give them.
pub fn exec(exec: &Exec, unsaid: &mut Vec<Loss>) {
    let Exec {
        user: _,
        group: _,
        supplementary_groups: _,
        environment: _,
        environment_files: _,
        pass_environment: _,
        unset_environment: _,
        working_directory: _,
        root_directory: _,
        umask: _,
        limits: _,
        nice: _,
        oom_score_adjust: _,
        standard_input,
        standard_output: _,
        standard_error: _,
        standard_input_text,
        tty_path,
        syslog_identifier,
        syslog_facility,
        syslog_level,
        syslog_level_prefix,
        runtime_directory,
        runtime_directory_preserve,
        state_directory: _,
        cache_directory: _,
        logs_directory: _,
        configuration_directory: _,
        timeout_clean,
        capability_bounding_set: _,
        ambient_capabilities: _,
        no_new_privileges: _,
        ignore_sigpipe,
        search_path,
        dynamic_user: _,
        pam_name,
        slice,
        delegate,
    } = exec;
    let default = Exec::default();
    let is_apart = slice.as_deref().is_some_and(|slice| !slice.starts_with("system"));
    let log = "its lines come as the manager logs them";
    let text = "it reads /dev/null instead";
    let lost = [
        (!standard_input_text.is_empty() && *standard_input != Stdio::Text)
            .then(|| note("StandardInputText=", text)),
        tty_path.as_ref().map(|path| note(format!("TTYPath={path}"), "it has no terminal")),
        syslog_identifier.as_ref().map(|_| note("SyslogIdentifier=", "its lines have the service's name")),
        changed(syslog_facility, &default.syslog_facility, |_| note("SyslogFacility=", log)),
        changed(syslog_level, &default.syslog_level, |_| note("SyslogLevel=", log)),
        changed(syslog_level_prefix, &default.syslog_level_prefix, |_| note("SyslogLevelPrefix=no", log)),
        (!runtime_directory.names.is_empty() && *runtime_directory_preserve != Preserve::Yes)
            .then(|| note("RuntimeDirectory=", "it stays when the service is down")),
        changed(timeout_clean, &default.timeout_clean, |_| note("TimeoutCleanSec=", "nobody cleans up")),
        (!ignore_sigpipe).then(|| note("IgnoreSIGPIPE=no", "it has SIGPIPE as its starter has it")),
        changed(search_path, &default.search_path, |paths| {
            let why = "programs are looked up along the PATH of who starts it";
            behaviour(format!("ExecSearchPath={}", paths.join(":")), why)
        }),
        pam_name.as_ref().map(|_| behaviour("PAMName=", "there is no session for it")),
        (*delegate || is_apart)
            .then(|| behaviour("Slice=, Delegate=", "there are no cgroups: it shares all resources")),
    ];
    unsaid.extend(lost.into_iter().flatten());
}
