//! Which D-Bus property shows a directive.

use super::super::extension::is_one;

/// Keys whose property has a name of its own, or several.
const OTHERWISE: &[(&str, &str)] = &[
    ("BindTo", "BindsTo"),
    ("CPUQuota", "CPUQuotaPerSecUSec"),
    ("DirectoryNotEmpty", "Paths"),
    ("EnvironmentFile", "EnvironmentFiles"),
    ("InaccessibleDirectories", "InaccessiblePaths"),
    ("OnActiveSec", "TimersMonotonic"),
    ("OnBootSec", "TimersMonotonic"),
    ("OnCalendar", "TimersCalendar"),
    ("OnFailureIsolate", "OnFailureJobMode"),
    ("OnStartupSec", "TimersMonotonic"),
    ("OnUnitActiveSec", "TimersMonotonic"),
    ("OnUnitInactiveSec", "TimersMonotonic"),
    ("PathChanged", "Paths"),
    ("PathExists", "Paths"),
    ("PathExistsGlob", "Paths"),
    ("PathModified", "Paths"),
    ("PropagateReloadFrom", "ReloadPropagatedFrom"),
    ("PropagateReloadTo", "PropagatesReloadTo"),
    ("ReadOnlyDirectories", "ReadOnlyPaths"),
    ("ReadWriteDirectories", "ReadWritePaths"),
    ("RequiresOverridable", "Requires"),
    ("RequisiteOverridable", "Requisite"),
    ("Service", "Triggers"),
    ("Sockets", "TriggeredBy"),
    ("StandardInputText", "StandardInputData"),
    ("StartLimitInterval", "StartLimitIntervalUSec"),
    ("TimerSlackNSec", "TimerSlackNSec"),
];

/// Keys that show in no property of systemd 252: those of later versions, and those whose effect shows elsewhere.
const NONE: &[&str] = &[
    "AcceptFileDescriptors",
    "BindLogSockets",
    "CoredumpReceive",
    "DefaultStartupMemoryLow",
    "DeferReactivation",
    "DeferTrigger",
    "DeferTriggerMaxSec",
    "DelegateSubgroup",
    "ExtensionImagePolicy",
    "FileDescriptorStorePreserve",
    "ImportCredential",
    "LogFilterPatterns",
    "ManagedOOMMemoryPressureDurationSec",
    "MemoryKSM",
    "MemoryPressureThresholdSec",
    "MemoryPressureWatch",
    "MemoryZSwapMax",
    "MemoryZSwapWriteback",
    "MountImagePolicy",
    "NFTSet",
    "OpenFile",
    "PassFileDescriptorsToExec",
    "PassPIDFD",
    "PermissionsStartOnly",
    "PollLimitBurst",
    "PollLimitIntervalSec",
    "PrivateBPF",
    "PrivatePIDs",
    "RandomizedOffsetSec",
    "ReloadSignal",
    "RestartMaxDelaySec",
    "RestartMode",
    "RestartSteps",
    "RootEphemeral",
    "RootImagePolicy",
    "RootMStack",
    "SELinuxContextFromNet",
    "SetLoginEnvironment",
    "StartupMemoryHigh",
    "StartupMemoryLow",
    "StartupMemoryMax",
    "StartupMemorySwapMax",
    "StartupMemoryZSwapMax",
    "StateDirectoryAccounting",
    "SurviveFinalKillSignal",
    "WantsMountsFor",
];

/// The name of the property, or names with commas between them.
pub fn property(section: &str, key: &str) -> Option<String> {
    let is_none = NONE.binary_search(&key).is_ok() || section == "Install" || is_one(section, key);
    let otherwise = OTHERWISE.binary_search_by(|(known, _)| (*known).cmp(key)).ok();
    let name = match (otherwise.and_then(|at| OTHERWISE.get(at)), key.strip_suffix("Sec")) {
        _ if is_none => return None,
        _ if key.starts_with("Condition") => "Conditions",
        _ if key.starts_with("Assert") => "Asserts",
        _ if section == "Socket" && key.starts_with("Listen") => "Listen",
        _ if section == "Service" && key == "TimeoutSec" => "TimeoutStartUSec, TimeoutStopUSec",
        (Some((_, name)), _) => name,
        (None, Some(span)) => return Some(format!("{span}USec")),
        (None, None) => key,
    };
    Some(name.to_owned())
}
