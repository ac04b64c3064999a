//! The execution environment, shared by all units that run processes: systemd.exec(5). What is not acted on
//! yet is shown as it was written where that is a plain word or list, else as unset.

use super::limits;
use super::{Emits::*, UnitCx, UnitRow, list, none, num, row, text, words};
use eudaemon_unit::config::exec::{Directories, Exec, Failure, Place, Preserve, Resource, Stdio};
use eudaemon_unit::manager::Defaults;
use eudaemon_unit::name::UnitKind;
use zbus::Variant;

pub const EXEC: &[UnitRow] = &[
    row("Environment", "as", Const, |cx| words(&cx.exec().environment)),
    row("EnvironmentFiles", "a(sb)", Const, |cx| {
        list(&cx.exec().environment_files, |file| (file.path.clone(), file.missing == Failure::Ignored))
    }),
    row("PassEnvironment", "as", Const, |cx| words(&cx.exec().pass_environment)),
    row("UnsetEnvironment", "as", Const, |cx| words(&cx.exec().unset_environment)),
    row("UMask", "u", Const, |cx| num(cx.exec().umask)),
    row("LimitCPU", "t", Const, |cx| num(cx.limit(Resource::Cpu).hard)),
    row("LimitCPUSoft", "t", Const, |cx| num(cx.limit(Resource::Cpu).soft)),
    row("LimitFSIZE", "t", Const, |cx| num(cx.limit(Resource::Fsize).hard)),
    row("LimitFSIZESoft", "t", Const, |cx| num(cx.limit(Resource::Fsize).soft)),
    row("LimitDATA", "t", Const, |cx| num(cx.limit(Resource::Data).hard)),
    row("LimitDATASoft", "t", Const, |cx| num(cx.limit(Resource::Data).soft)),
    row("LimitSTACK", "t", Const, |cx| num(cx.limit(Resource::Stack).hard)),
    row("LimitSTACKSoft", "t", Const, |cx| num(cx.limit(Resource::Stack).soft)),
    row("LimitCORE", "t", Const, |cx| num(cx.limit(Resource::Core).hard)),
    row("LimitCORESoft", "t", Const, |cx| num(cx.limit(Resource::Core).soft)),
    row("LimitRSS", "t", Const, |cx| num(cx.limit(Resource::Rss).hard)),
    row("LimitRSSSoft", "t", Const, |cx| num(cx.limit(Resource::Rss).soft)),
    row("LimitNOFILE", "t", Const, |cx| num(cx.limit(Resource::Nofile).hard)),
    row("LimitNOFILESoft", "t", Const, |cx| num(cx.limit(Resource::Nofile).soft)),
    row("LimitAS", "t", Const, |cx| num(cx.limit(Resource::As).hard)),
    row("LimitASSoft", "t", Const, |cx| num(cx.limit(Resource::As).soft)),
    row("LimitNPROC", "t", Const, |cx| num(cx.limit(Resource::Nproc).hard)),
    row("LimitNPROCSoft", "t", Const, |cx| num(cx.limit(Resource::Nproc).soft)),
    row("LimitMEMLOCK", "t", Const, |cx| num(cx.limit(Resource::Memlock).hard)),
    row("LimitMEMLOCKSoft", "t", Const, |cx| num(cx.limit(Resource::Memlock).soft)),
    row("LimitLOCKS", "t", Const, |cx| num(cx.limit(Resource::Locks).hard)),
    row("LimitLOCKSSoft", "t", Const, |cx| num(cx.limit(Resource::Locks).soft)),
    row("LimitSIGPENDING", "t", Const, |cx| num(cx.limit(Resource::Sigpending).hard)),
    row("LimitSIGPENDINGSoft", "t", Const, |cx| num(cx.limit(Resource::Sigpending).soft)),
    row("LimitMSGQUEUE", "t", Const, |cx| num(cx.limit(Resource::Msgqueue).hard)),
    row("LimitMSGQUEUESoft", "t", Const, |cx| num(cx.limit(Resource::Msgqueue).soft)),
    row("LimitNICE", "t", Const, |cx| num(cx.limit(Resource::Nice).hard)),
    row("LimitNICESoft", "t", Const, |cx| num(cx.limit(Resource::Nice).soft)),
    row("LimitRTPRIO", "t", Const, |cx| num(cx.limit(Resource::Rtprio).hard)),
    row("LimitRTPRIOSoft", "t", Const, |cx| num(cx.limit(Resource::Rtprio).soft)),
    row("LimitRTTIME", "t", Const, |cx| num(cx.limit(Resource::Rttime).hard)),
    row("LimitRTTIMESoft", "t", Const, |cx| num(cx.limit(Resource::Rttime).soft)),
    row("WorkingDirectory", "s", Const, working_directory),
    row("RootDirectory", "s", Const, |cx| text(cx.exec().root_directory.as_deref().unwrap_or_default())),
    row("RootImage", "s", Const, |cx| cx.free("RootImage")),
    row("RootImageOptions", "a(ss)", Const, |cx| cx.pairs("RootImageOptions", ':')),
    row("RootHash", "ay", Const, |cx| cx.bytes("RootHash")),
    row("RootHashPath", "s", Const, |cx| cx.path("RootHash")),
    row("RootHashSignature", "ay", Const, |cx| cx.bytes("RootHashSignature")),
    row("RootHashSignaturePath", "s", Const, |cx| cx.path("RootHashSignature")),
    row("RootVerity", "s", Const, |cx| cx.free("RootVerity")),
    row("ExtensionDirectories", "as", Const, |cx| cx.strings("ExtensionDirectories")),
    row("ExtensionImages", "a(sba(ss))", Const, |cx| cx.extension_images()),
    row("MountImages", "a(ssba(ss))", Const, |cx| cx.mount_images()),
    row("OOMScoreAdjust", "i", Const, |cx| num(oom_score_adjust(cx))),
    row("CoredumpFilter", "t", Const, |cx| cx.hexadecimal("CoredumpFilter", 0x33)),
    row("Nice", "i", Const, |cx| num(i32::from(cx.exec().nice.unwrap_or(0)))),
    row("IOSchedulingClass", "i", Const, |cx| cx.number("IOSchedulingClass", 2_i32)),
    row("IOSchedulingPriority", "i", Const, |cx| cx.number("IOSchedulingPriority", 4_i32)),
    row("CPUSchedulingPolicy", "i", Const, |cx| cx.number("CPUSchedulingPolicy", 0_i32)),
    row("CPUSchedulingPriority", "i", Const, |cx| cx.number("CPUSchedulingPriority", 0_i32)),
    row("CPUAffinity", "ay", Const, |cx| cx.bits("CPUAffinity")),
    row("CPUAffinityFromNUMA", "b", Const, |cx| num(cx.kept("CPUAffinity") == Some("numa"))),
    row("NUMAPolicy", "i", Const, |cx| num(numa_policy(cx))),
    row("NUMAMask", "ay", Const, |cx| cx.bits("NUMAMask")),
    row("TimerSlackNSec", "t", Const, |cx| cx.number("TimerSlackNSec", cx.model.settings().timer_slack_nsec)),
    row("CPUSchedulingResetOnFork", "b", Const, |cx| cx.flag("CPUSchedulingResetOnFork")),
    row("NonBlocking", "b", Const, |cx| num(cx.service().non_blocking)),
    row("StandardInput", "s", Const, |cx| text(stdio_word(&cx.exec().standard_input))),
    row("StandardInputFileDescriptorName", "s", Const, |cx| text(descriptor_name(&cx.exec().standard_input))),
    row("StandardInputData", "ay", Const, |cx| Variant::from(cx.exec().standard_input_text.clone())),
    row("StandardOutput", "s", Const, |cx| {
        text(stdio_word(output(cx, |exec| &exec.standard_output, |defaults| &defaults.standard_output)))
    }),
    row("StandardOutputFileDescriptorName", "s", Const, |cx| {
        text(descriptor_name(&cx.exec().standard_output))
    }),
    row("StandardError", "s", Const, |cx| {
        text(stdio_word(output(cx, |exec| &exec.standard_error, |defaults| &defaults.standard_error)))
    }),
    row("StandardErrorFileDescriptorName", "s", Const, |cx| text(descriptor_name(&cx.exec().standard_error))),
    row("TTYPath", "s", Const, |cx| text(cx.exec().tty_path.as_deref().unwrap_or_default())),
    row("TTYReset", "b", Const, |cx| cx.flag("TTYReset")),
    row("TTYVHangup", "b", Const, |cx| cx.flag("TTYVHangup")),
    row("TTYVTDisallocate", "b", Const, |cx| cx.flag("TTYVTDisallocate")),
    row("TTYRows", "q", Const, |cx| cx.number("TTYRows", u16::MAX)),
    row("TTYColumns", "q", Const, |cx| cx.number("TTYColumns", u16::MAX)),
    row("SyslogPriority", "i", Const, |cx| {
        num(i32::from(cx.exec().syslog_facility) << 3 | i32::from(cx.exec().syslog_level))
    }),
    row("SyslogIdentifier", "s", Const, |cx| {
        text(cx.exec().syslog_identifier.as_deref().unwrap_or_default())
    }),
    row("SyslogLevelPrefix", "b", Const, |cx| num(cx.exec().syslog_level_prefix)),
    row("SyslogLevel", "i", Const, |cx| num(i32::from(cx.exec().syslog_level))),
    row("SyslogFacility", "i", Const, |cx| num(i32::from(cx.exec().syslog_facility))),
    row("LogLevelMax", "i", Const, |cx| cx.number("LogLevelMax", -1_i32)),
    row("LogRateLimitIntervalUSec", "t", Const, |cx| cx.span("LogRateLimitIntervalSec", 0)),
    row("LogRateLimitBurst", "u", Const, |cx| cx.number("LogRateLimitBurst", 0_u32)),
    row("LogExtraFields", "aay", Const, |cx| {
        Variant::from(cx.every("LogExtraFields").map(|field| field.as_bytes().to_vec()).collect::<Vec<_>>())
    }),
    row("LogNamespace", "s", Const, |cx| cx.free("LogNamespace")),
    row("SecureBits", "i", Const, |cx| cx.number("SecureBits", 0_i32)),
    row("CapabilityBoundingSet", "t", Const, |cx| num(cx.exec().capability_bounding_set.0)),
    row("AmbientCapabilities", "t", Const, |cx| num(cx.exec().ambient_capabilities.0)),
    row("User", "s", Const, |cx| text(owner(cx, &cx.exec().user))),
    row("Group", "s", Const, |cx| text(owner(cx, &cx.exec().group))),
    row("DynamicUser", "b", Const, |cx| num(cx.exec().dynamic_user)),
    row("RemoveIPC", "b", Const, |cx| cx.switch("RemoveIPC", cx.exec().dynamic_user)),
    row("SetCredential", "a(say)", Const, |_| none::<(String, Vec<u8>)>()),
    row("SetCredentialEncrypted", "a(say)", Const, |_| none::<(String, Vec<u8>)>()),
    row("LoadCredential", "a(ss)", Const, |_| none::<(String, String)>()),
    row("LoadCredentialEncrypted", "a(ss)", Const, |_| none::<(String, String)>()),
    row("SupplementaryGroups", "as", Const, |cx| words(&cx.exec().supplementary_groups)),
    row("PAMName", "s", Const, |cx| text(cx.exec().pam_name.as_deref().unwrap_or_default())),
    row("ReadWritePaths", "as", Const, |cx| cx.strings_of("ReadWritePaths", "ReadWriteDirectories")),
    row("ReadOnlyPaths", "as", Const, |cx| cx.strings_of("ReadOnlyPaths", "ReadOnlyDirectories")),
    row("InaccessiblePaths", "as", Const, |cx| cx.strings_of("InaccessiblePaths", "InaccessibleDirectories")),
    row("ExecPaths", "as", Const, |cx| cx.strings("ExecPaths")),
    row("NoExecPaths", "as", Const, |cx| cx.strings("NoExecPaths")),
    row("ExecSearchPath", "as", Const, |cx| words(&cx.exec().search_path)),
    row("MountFlags", "t", Const, |cx| {
        cx.place("MountFlags", &[("shared", 1 << 20), ("slave", 1 << 19), ("private", 1 << 18)], 0)
    }),
    row("PrivateTmp", "b", Const, |cx| cx.switch("PrivateTmp", cx.exec().dynamic_user)),
    row("PrivateDevices", "b", Const, |cx| cx.flag("PrivateDevices")),
    row("ProtectClock", "b", Const, |cx| cx.flag("ProtectClock")),
    row("ProtectKernelTunables", "b", Const, |cx| cx.flag("ProtectKernelTunables")),
    row("ProtectKernelModules", "b", Const, |cx| cx.flag("ProtectKernelModules")),
    row("ProtectKernelLogs", "b", Const, |cx| cx.flag("ProtectKernelLogs")),
    row("ProtectControlGroups", "b", Const, |cx| cx.flag("ProtectControlGroups")),
    row("PrivateNetwork", "b", Const, |cx| cx.flag("PrivateNetwork")),
    row("PrivateUsers", "b", Const, |cx| cx.flag("PrivateUsers")),
    row("PrivateMounts", "b", Const, |cx| cx.flag("PrivateMounts")),
    row("PrivateIPC", "b", Const, |cx| cx.flag("PrivateIPC")),
    row("ProtectHome", "s", Const, |cx| {
        cx.word("ProtectHome", if cx.exec().dynamic_user { "read-only" } else { "no" })
    }),
    row("ProtectSystem", "s", Const, |cx| {
        cx.word("ProtectSystem", if cx.exec().dynamic_user { "strict" } else { "no" })
    }),
    row("SameProcessGroup", "b", Const, |cx| num(cx.unit.config.name.kind() == UnitKind::Mount)),
    row("UtmpIdentifier", "s", Const, |cx| cx.free("UtmpIdentifier")),
    row("UtmpMode", "s", Const, |cx| cx.word("UtmpMode", "init")),
    row("SELinuxContext", "(bs)", Const, |cx| cx.lenient("SELinuxContext")),
    row("AppArmorProfile", "(bs)", Const, |cx| cx.lenient("AppArmorProfile")),
    row("SmackProcessLabel", "(bs)", Const, |cx| cx.lenient("SmackProcessLabel")),
    row("IgnoreSIGPIPE", "b", Const, |cx| num(cx.exec().ignore_sigpipe)),
    row("NoNewPrivileges", "b", Const, |cx| num(cx.exec().no_new_privileges)),
    row("SystemCallFilter", "(bas)", Const, |cx| cx.system_calls("SystemCallFilter", "@default")),
    row("SystemCallArchitectures", "as", Const, |cx| cx.strings("SystemCallArchitectures")),
    row("SystemCallErrorNumber", "i", Const, |cx| cx.number("SystemCallErrorNumber", 2_147_483_646_i32)),
    row("SystemCallLog", "(bas)", Const, |cx| cx.system_calls("SystemCallLog", "")),
    row("Personality", "s", Const, |cx| cx.free("Personality")),
    row("LockPersonality", "b", Const, |cx| cx.flag("LockPersonality")),
    row("RestrictAddressFamilies", "(bas)", Const, |cx| cx.allowed("RestrictAddressFamilies")),
    row("RuntimeDirectorySymlink", "a(sst)", Const, |cx| symlinks(&cx.exec().runtime_directory)),
    row("RuntimeDirectoryPreserve", "s", Const, |cx| {
        text(preserve_word(cx.exec().runtime_directory_preserve))
    }),
    row("RuntimeDirectoryMode", "u", Const, |cx| num(cx.exec().runtime_directory.mode)),
    row("RuntimeDirectory", "as", Const, |cx| {
        list(&cx.exec().runtime_directory.names, |(name, _)| name.clone())
    }),
    row("StateDirectorySymlink", "a(sst)", Const, |cx| symlinks(&cx.exec().state_directory)),
    row("StateDirectoryMode", "u", Const, |cx| num(cx.exec().state_directory.mode)),
    row("StateDirectory", "as", Const, |cx| list(&cx.exec().state_directory.names, |(name, _)| name.clone())),
    row("CacheDirectorySymlink", "a(sst)", Const, |cx| symlinks(&cx.exec().cache_directory)),
    row("CacheDirectoryMode", "u", Const, |cx| num(cx.exec().cache_directory.mode)),
    row("CacheDirectory", "as", Const, |cx| list(&cx.exec().cache_directory.names, |(name, _)| name.clone())),
    row("LogsDirectorySymlink", "a(sst)", Const, |cx| symlinks(&cx.exec().logs_directory)),
    row("LogsDirectoryMode", "u", Const, |cx| num(cx.exec().logs_directory.mode)),
    row("LogsDirectory", "as", Const, |cx| list(&cx.exec().logs_directory.names, |(name, _)| name.clone())),
    row("ConfigurationDirectoryMode", "u", Const, |cx| num(cx.exec().configuration_directory.mode)),
    row("ConfigurationDirectory", "as", Const, |cx| {
        list(&cx.exec().configuration_directory.names, |(name, _)| name.clone())
    }),
    row("TimeoutCleanUSec", "t", Const, |cx| num(cx.exec().timeout_clean.0)),
    row("MemoryDenyWriteExecute", "b", Const, |cx| cx.flag("MemoryDenyWriteExecute")),
    row("RestrictRealtime", "b", Const, |cx| cx.flag("RestrictRealtime")),
    row("RestrictSUIDSGID", "b", Const, |cx| cx.switch("RestrictSUIDSGID", cx.exec().dynamic_user)),
    row("RestrictNamespaces", "t", Const, |cx| num(namespaces(cx.kept("RestrictNamespaces")))),
    row("RestrictFileSystems", "(bas)", Const, file_systems),
    row("BindPaths", "a(ssbt)", Const, |cx| cx.bind_paths("BindPaths")),
    row("BindReadOnlyPaths", "a(ssbt)", Const, |cx| cx.bind_paths("BindReadOnlyPaths")),
    row("TemporaryFileSystem", "a(ss)", Const, |cx| cx.pairs("TemporaryFileSystem", ':')),
    row("MountAPIVFS", "b", Const, |cx| {
        cx.switch("MountAPIVFS", cx.exec().root_directory.is_some() || cx.kept("RootImage").is_some())
    }),
    row("KeyringMode", "s", Const, |cx| {
        let default = match (cx.model.home(), cx.unit.config.name.kind()) {
            (Some(_), _) => "inherit",
            (None, UnitKind::Service) => "private",
            (None, _) => "shared",
        };
        cx.word("KeyringMode", default)
    }),
    row("ProtectProc", "s", Const, |cx| cx.word("ProtectProc", "default")),
    row("ProcSubset", "s", Const, |cx| cx.word("ProcSubset", "all")),
    row("ProtectHostname", "b", Const, |cx| cx.flag("ProtectHostname")),
    row("NetworkNamespacePath", "s", Const, |cx| cx.free("NetworkNamespacePath")),
    row("IPCNamespacePath", "s", Const, |cx| cx.free("IPCNamespacePath")),
];

fn working_directory<'a>(cx: &'a UnitCx<'_>) -> Variant<'a> {
    let directory = &cx.exec().working_directory;
    let place = match &directory.place {
        // A user without a home still has services.
        Place::Unset => {
            return cx
                .model
                .home()
                .filter(|_| cx.is_filled())
                .map_or(text(""), |home| Variant::from(format!("!{home}")));
        }
        Place::Home => "~",
        Place::Path(path) => path,
    };
    match directory.missing {
        Failure::Counts => text(place),
        Failure::Ignored => Variant::from(format!("!{place}")),
    }
}

/// Where an output goes; of a unit nobody wrote, where the manager has it go, and services decide that once they are read.
fn output<'a>(cx: &'a UnitCx<'_>, own: fn(&Exec) -> &Stdio, default: fn(&Defaults) -> &Stdio) -> &'a Stdio {
    match cx.unit.config.exec() {
        Some(exec) if cx.is_known() => own(exec),
        Some(_) if cx.unit.config.name.kind() == UnitKind::Service => &Stdio::Inherit,
        Some(_) | None => default(cx.defaults()),
    }
}

fn oom_score_adjust(cx: &UnitCx<'_>) -> i32 {
    let own = cx.unit.config.exec().map(|exec| exec.oom_score_adjust);
    i32::from(own.unwrap_or(cx.defaults().oom_score_adjust).unwrap_or_else(limits::own_score))
}

pub(super) fn stdio_word(stdio: &Stdio) -> &'static str {
    match stdio {
        Stdio::Inherit => "inherit",
        Stdio::Null => "null",
        Stdio::Tty => "tty",
        Stdio::TtyForce => "tty-force",
        Stdio::TtyFail => "tty-fail",
        Stdio::Journal => "journal",
        Stdio::JournalConsole => "journal+console",
        Stdio::Kmsg => "kmsg",
        Stdio::KmsgConsole => "kmsg+console",
        Stdio::Socket => "socket",
        Stdio::NamedFd(_) => "fd",
        Stdio::File(_) => "file",
        Stdio::Append(_) => "append",
        Stdio::Truncate(_) => "truncate",
        Stdio::Text => "data",
    }
}

fn descriptor_name(stdio: &Stdio) -> &str {
    if let Stdio::NamedFd(name) = stdio { name } else { "" }
}

fn preserve_word(preserve: Preserve) -> &'static str {
    match preserve {
        Preserve::No => "no",
        Preserve::Restart => "restart",
        Preserve::Yes => "yes",
    }
}

/// Source, link, flags (none are defined).
fn symlinks(directories: &Directories) -> Variant<'static> {
    let pairs = directories.names.iter().flat_map(|(name, links)| links.iter().map(move |link| (name, link)));
    Variant::from(pairs.map(|(name, link)| (name.clone(), link.clone(), 0_u64)).collect::<Vec<_>>())
}

/// A user made for the service has the name that is written, or the unit's.
fn owner<'a>(cx: &'a UnitCx<'_>, written: &'a Option<String>) -> &'a str {
    match written {
        Some(name) => name,
        None if cx.exec().dynamic_user => cx.exec().user.as_deref().unwrap_or(cx.unit.config.name.prefix()),
        None => "",
    }
}

/// A list of allowed kinds without its members: systemd shows those that its BPF program was told, and Debian's has none.
fn file_systems(cx: &UnitCx<'_>) -> Variant<'static> {
    let allows = cx.every("RestrictFileSystems").next().is_some_and(|first| !first.starts_with('~'));
    Variant::from((allows, Vec::<String>::new()))
}

/// set_mempolicy(2)'s number; a mask without a policy prefers its node, and -1 is none at all.
fn numa_policy(cx: &UnitCx<'_>) -> i32 {
    const POLICIES: [&str; 5] = ["default", "preferred", "bind", "interleave", "local"];
    let named = cx.kept("NUMAPolicy").and_then(|word| POLICIES.iter().position(|policy| *policy == word));
    match named {
        Some(number) => number as i32,
        None if cx.kept("NUMAMask").is_some() => 1,
        None => -1,
    }
}

/// The kinds of namespaces that may be made, as clone(2)'s flags.
fn namespaces(kept: Option<&str>) -> u64 {
    const FLAGS: [(&str, u64); 7] = [
        ("cgroup", 0x0200_0000),
        ("ipc", 0x0800_0000),
        ("net", 0x4000_0000),
        ("mnt", 0x0002_0000),
        ("pid", 0x2000_0000),
        ("user", 0x1000_0000),
        ("uts", 0x0400_0000),
    ];
    let Some(kinds) = kept else { return u64::MAX };
    let flag = |kind: &str| FLAGS.iter().find(|(name, _)| *name == kind).map_or(0, |(_, flag)| *flag);
    kinds.split_ascii_whitespace().map(flag).sum()
}
