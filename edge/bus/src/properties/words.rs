//! Our enums in the words of org.freedesktop.systemd1(5).

use eudaemon_engine::FreezerState;
use eudaemon_engine::api::{ActiveState, ServiceResult};
use eudaemon_unit::config::LoadState;
use eudaemon_unit::config::service::{
    ExitType, NotifyAccess, OomPolicy, Restart, Service, ServiceType, TimeoutMode,
};
use eudaemon_unit::config::unit::{CollectMode, JobMode};

pub fn active_word(state: ActiveState) -> &'static str {
    match state {
        ActiveState::Active => "active",
        ActiveState::Reloading => "reloading",
        ActiveState::Inactive => "inactive",
        ActiveState::Failed => "failed",
        ActiveState::Activating => "activating",
        ActiveState::Deactivating => "deactivating",
        ActiveState::Maintenance => "maintenance",
    }
}

pub fn freezer_word(state: FreezerState) -> &'static str {
    match state {
        FreezerState::Running => "running",
        FreezerState::Freezing => "freezing",
        FreezerState::Frozen => "frozen",
        FreezerState::Thawing => "thawing",
    }
}

pub fn load_word(load: &LoadState) -> &'static str {
    match load {
        LoadState::Loaded => "loaded",
        LoadState::NotFound => "not-found",
        LoadState::BadSetting(_) => "bad-setting",
        LoadState::Inconsistent(_) | LoadState::Unreadable(_) => "error",
        LoadState::Masked => "masked",
    }
}

pub fn result_word(result: ServiceResult) -> &'static str {
    match result {
        ServiceResult::Success => "success",
        ServiceResult::Resources => "resources",
        ServiceResult::Protocol => "protocol",
        ServiceResult::Timeout => "timeout",
        ServiceResult::ExitCode => "exit-code",
        ServiceResult::Signal => "signal",
        ServiceResult::CoreDump => "core-dump",
        ServiceResult::Watchdog => "watchdog",
        ServiceResult::StartLimitHit => "start-limit-hit",
        ServiceResult::OomKill => "oom-kill",
        ServiceResult::ExecCondition => "exec-condition",
        ServiceResult::TriggerLimitHit => "trigger-limit-hit",
        ServiceResult::ServiceStartLimitHit => "service-start-limit-hit",
    }
}

pub fn type_word(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::Simple => "simple",
        ServiceType::Exec => "exec",
        ServiceType::Forking => "forking",
        ServiceType::Oneshot => "oneshot",
        ServiceType::Dbus => "dbus",
        ServiceType::Notify => "notify",
        ServiceType::NotifyReload => "notify-reload",
        ServiceType::Idle => "idle",
    }
}

pub fn exit_type_word(kind: ExitType) -> &'static str {
    match kind {
        ExitType::Main => "main",
        ExitType::Cgroup => "cgroup",
    }
}

pub fn restart_word(restart: Restart) -> &'static str {
    match restart {
        Restart::No => "no",
        Restart::OnSuccess => "on-success",
        Restart::OnFailure => "on-failure",
        Restart::OnAbnormal => "on-abnormal",
        Restart::OnWatchdog => "on-watchdog",
        Restart::OnAbort => "on-abort",
        Restart::Always => "always",
    }
}

/// Types that notify listen to the main process even where `NotifyAccess=` is not set.
pub fn notify_access_word(service: &Service) -> &'static str {
    match (service.notify_access, service.kind) {
        (NotifyAccess::None, ServiceType::Notify | ServiceType::NotifyReload) => "main",
        (NotifyAccess::None, _) => "none",
        (NotifyAccess::Main, _) => "main",
        (NotifyAccess::Exec, _) => "exec",
        (NotifyAccess::All, _) => "all",
    }
}

pub fn oom_word(policy: OomPolicy) -> &'static str {
    match policy {
        OomPolicy::Continue => "continue",
        OomPolicy::Stop => "stop",
        OomPolicy::Kill => "kill",
    }
}

pub fn timeout_word(mode: TimeoutMode) -> &'static str {
    match mode {
        TimeoutMode::Terminate => "terminate",
        TimeoutMode::Abort => "abort",
        TimeoutMode::Kill => "kill",
    }
}

pub fn collect_word(mode: CollectMode) -> &'static str {
    match mode {
        CollectMode::Inactive => "inactive",
        CollectMode::InactiveOrFailed => "inactive-or-failed",
    }
}

pub fn mode_word(mode: JobMode) -> &'static str {
    match mode {
        JobMode::Fail => "fail",
        JobMode::Replace => "replace",
        JobMode::ReplaceIrreversibly => "replace-irreversibly",
        JobMode::Isolate => "isolate",
        JobMode::Flush => "flush",
        JobMode::IgnoreDependencies => "ignore-dependencies",
        JobMode::IgnoreRequirements => "ignore-requirements",
        JobMode::Triggering => "triggering",
        JobMode::RestartDependencies => "restart-dependencies",
    }
}

/// The mode of that word.
pub fn mode_of(word: &str) -> Option<JobMode> {
    const ALL: [JobMode; 9] = [
        JobMode::Fail,
        JobMode::Replace,
        JobMode::ReplaceIrreversibly,
        JobMode::Isolate,
        JobMode::Flush,
        JobMode::IgnoreDependencies,
        JobMode::IgnoreRequirements,
        JobMode::Triggering,
        JobMode::RestartDependencies,
    ];
    ALL.into_iter().find(|mode| mode_word(*mode) == word)
}
