//! What of a unit only managers of systemd's kind know, and how much is lost without it.

use eudaemon_kit::service::{Severity, Unsaid};
use eudaemon_unit::config::service::{ExitType, Service};
use eudaemon_unit::config::socket::Listen;
use eudaemon_unit::config::{Body, Config, KillMode};
use eudaemon_unit::span::Span;
use eudaemon_unit::values::address::format_address;
use eudaemon_unit::values::timespan::format_timespan;

/// Without these the service may do what it may not do otherwise: beginnings of their keys.
const PROTECTIONS: &[&str] = &[
    "AppArmor",
    "BindReadOnlyPaths",
    "Device",
    "ExecPaths",
    "IPAddress",
    "IPIngress",
    "IPEgress",
    "Inaccessible",
    "Keyring",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoExecPaths",
    "PrivateTmp",
    "Private",
    "ProcSubset",
    "Protect",
    "ReadOnly",
    "RemoveIPC",
    "Restrict",
    "RootImage",
    "SELinux",
    "SecureBits",
    "Smack",
    "SocketBind",
    "SystemCall",
    "TemporaryFileSystem",
];

/// Without these it hardly differs: beginnings of their keys.
const REMARKS: &[&str] =
    &["Documentation", "Log", "Syslog", "TTY", "UtmpMode", "SourcePath", "ReadWrite", "Coredump"];

pub fn protection(directive: impl Into<String>, why: impl Into<String>) -> Unsaid {
    Unsaid { directive: directive.into(), severity: Severity::Protection, why: why.into() }
}

pub fn behaviour(directive: impl Into<String>, why: impl Into<String>) -> Unsaid {
    Unsaid { directive: directive.into(), severity: Severity::Behaviour, why: why.into() }
}

pub fn note(directive: impl Into<String>, why: impl Into<String>) -> Unsaid {
    Unsaid { directive: directive.into(), severity: Severity::Note, why: why.into() }
}

/// All of it.
pub fn rest(config: &Config, service: &Service, sockets: &[Config], unsaid: &mut Vec<Unsaid>) {
    kept(config, unsaid);
    section(config, unsaid);
    life(service, unsaid);
    for socket in sockets {
        let Body::Socket(body) = &socket.body else { continue };
        let listens: Vec<String> = body.listen.iter().map(listen).collect();
        let why = "nobody listens for it: the program has to open this itself, and runs from the start";
        unsaid.push(behaviour(format!("{}: {}", socket.name, listens.join(" ")), why));
    }
}

/// Directives that are text to us too.
fn kept(config: &Config, unsaid: &mut Vec<Unsaid>) {
    for kept in &config.kept {
        let (key, value) = (kept.key.as_str(), kept.value.as_str());
        let is_off = ["no", "false", "off", "0", ""].contains(&value);
        let begins = |words: &[&str]| words.iter().any(|word| key.starts_with(word));
        if kept.section == "Install" || (is_off && key != "ProtectProc") {
            continue;
        }
        let directive = format!("{key}={value}");
        unsaid.push(match (begins(PROTECTIONS), begins(REMARKS)) {
            (true, _) => protection(directive, "no other manager has it"),
            (false, true) => note(directive, "no other manager has it"),
            (false, false) => behaviour(directive, "no other manager has it"),
        });
    }
}

/// `[Unit]`, but for what is needed and the order.
fn section(config: &Config, unsaid: &mut Vec<Unsaid>) {
    let unit = &config.unit;
    for (family, tests) in [("Condition", &unit.conditions), ("Assert", &unit.asserts)] {
        for test in tests {
            unsaid.push(behaviour(test.line(family), "it is not looked at: the service is started anyway"));
        }
    }
    if unit.stop_when_unneeded {
        unsaid.push(behaviour("StopWhenUnneeded=yes", "it stays up when nobody needs it any more"));
    }
}

/// How it lives, beyond what every manager knows.
fn life(service: &Service, unsaid: &mut Vec<Unsaid>) {
    if service.watchdog != Span::ZERO && !service.watchdog.is_infinite() {
        let directive = format!("WatchdogSec={}", format_timespan(service.watchdog));
        unsaid.push(behaviour(directive, "nobody ends it when it hangs"));
    }
    if !service.runtime_max.is_infinite() {
        let directive = format!("RuntimeMaxSec={}", format_timespan(service.runtime_max));
        unsaid.push(behaviour(directive, "nobody ends it after that time"));
    }
    let statuses = [
        ("SuccessExitStatus=", &service.success_exit_status),
        ("RestartPreventExitStatus=", &service.restart_prevent_exit_status),
        ("RestartForceExitStatus=", &service.restart_force_exit_status),
    ];
    for (directive, statuses) in statuses {
        if !statuses.codes.is_empty() || !statuses.signals.is_empty() {
            unsaid.push(behaviour(directive, "only 0 is a good end, and restarts do not ask for the code"));
        }
    }
    if service.fd_store_max > 0 {
        unsaid.push(behaviour("FileDescriptorStoreMax=", "nobody keeps its descriptors over a restart"));
    }
    if service.exit_type == ExitType::Cgroup {
        unsaid.push(behaviour("ExitType=cgroup", "it has ended when its main process has"));
    }
    if service.health.is_some() {
        unsaid.push(behaviour("[X-Health]", "nobody asks it whether it is well"));
    }
    if service.exec.delegate
        || service.exec.slice.as_deref().is_some_and(|slice| !slice.starts_with("system"))
    {
        unsaid.push(behaviour("Slice=, Delegate=", "there are no cgroups: it shares all resources"));
    }
    if service.exec.pam_name.is_some() {
        unsaid.push(behaviour("PAMName=", "there is no session for it"));
    }
    if service.exec.syslog_identifier.is_some() {
        unsaid.push(note("SyslogIdentifier=", "its lines have the service's name"));
    }
    if !service.exec.ignore_sigpipe {
        unsaid.push(note("IgnoreSIGPIPE=no", "it has SIGPIPE as its starter has it"));
    }
    match service.kill.mode {
        KillMode::None => {
            unsaid.push(behaviour("KillMode=none", "its main process gets a signal all the same"));
        }
        KillMode::ControlGroup | KillMode::Mixed | KillMode::Process => {}
    }
}

fn listen(listen: &Listen) -> String {
    match listen {
        Listen::Stream(address) => format!("ListenStream={}", format_address(address)),
        Listen::Datagram(address) => format!("ListenDatagram={}", format_address(address)),
        Listen::SequentialPacket(address) => format!("ListenSequentialPacket={}", format_address(address)),
        Listen::Fifo(path) => format!("ListenFIFO={path}"),
        Listen::Netlink { .. } => "ListenNetlink=".to_owned(),
        Listen::Other { key, value } => format!("{key}={value}"),
    }
}
