//! Assessments that follow a rule of their own.

use super::look::Answer;
use super::unit::Unit;
use eudaemon_unit::config::exec::Capabilities;
use eudaemon_unit::config::service::NotifyAccess;

fn said(badness: u64, text: &str) -> Answer {
    Answer::Said(badness, text.to_owned())
}

pub fn user(unit: &Unit<'_>) -> Answer {
    match unit.exec.user.as_deref() {
        Some("nobody") => {
            said(9, "Service runs under as 'nobody' user, which should not be used for services")
        }
        _ if unit.is_root() => Answer::Badness(10),
        _ if unit.is_dynamic() => said(0, "Service runs under a transient non-root user identity"),
        _ => said(0, "Service runs under a static non-root user identity"),
    }
}

pub fn groups(unit: &Unit<'_>) -> Answer {
    match unit.is_root() {
        true => Answer::Moot,
        false => Answer::good_if(unit.exec.supplementary_groups.is_empty()),
    }
}

pub fn remove_ipc(unit: &Unit<'_>) -> Answer {
    match unit.is_root() {
        true => Answer::Moot,
        false => Answer::good_if(unit.is_yes("RemoveIPC") || unit.is_dynamic()),
    }
}

pub fn tmp(unit: &Unit<'_>) -> Answer {
    Answer::good_if(unit.kept("PrivateTmp").is_some() || unit.is_dynamic())
}

pub fn suid_sgid(unit: &Unit<'_>) -> Answer {
    Answer::good_if(unit.is_yes("RestrictSUIDSGID") || unit.is_dynamic())
}

pub fn privileges(unit: &Unit<'_>) -> Answer {
    Answer::good_if(unit.exec.no_new_privileges)
}

pub fn ambient(unit: &Unit<'_>) -> Answer {
    Answer::good_if(unit.exec.ambient_capabilities == Capabilities::NONE)
}

pub fn delegate(unit: &Unit<'_>) -> Answer {
    Answer::good_if(!unit.exec.delegate)
}

pub fn keyring(unit: &Unit<'_>) -> Answer {
    let private = if unit.is_service() { "private" } else { "shared" };
    Answer::good_if(unit.kept("KeyringMode").unwrap_or(private) == "private")
}

pub fn notify(unit: &Unit<'_>) -> Answer {
    let Some(service) = unit.config.service() else { return Answer::Badness(0) };
    Answer::good_if(service.notify_access != NotifyAccess::All)
}

pub fn subset(unit: &Unit<'_>) -> Answer {
    Answer::good_if(unit.kept("ProcSubset") == Some("pid"))
}

pub fn proc(unit: &Unit<'_>) -> Answer {
    match unit.kept("ProtectProc") {
        Some("noaccess") => Answer::Unsaid(1),
        Some("invisible" | "ptraceable") => Answer::Badness(0),
        _ => Answer::Badness(3),
    }
}

/// What of the system can be written to: at least as little as a user made for the service may.
pub fn system(unit: &Unit<'_>) -> Answer {
    let kept = if unit.is_dynamic() { Some("strict") } else { unit.kept("ProtectSystem") };
    match kept {
        Some("strict") => said(0, "Service has strict read-only access to the OS file hierarchy"),
        Some("full") => said(3, "Service has very limited write access to the OS file hierarchy"),
        Some("yes") => said(5, "Service has limited write access to the OS file hierarchy"),
        _ => said(10, "Service has full access to the OS file hierarchy"),
    }
}

pub fn home(unit: &Unit<'_>) -> Answer {
    let kept = unit.kept("ProtectHome").or(unit.is_dynamic().then_some("read-only"));
    match kept {
        Some("yes") => said(0, "Service has no access to home directories"),
        Some("read-only") => said(5, "Service has read-only access to home directories"),
        Some("tmpfs") => said(1, "Service has access to fake empty home directories"),
        _ => said(10, "Service has full access to home directories"),
    }
}

pub fn root(unit: &Unit<'_>) -> Answer {
    let directory = unit.exec.root_directory.as_deref().is_some_and(|path| path != "/");
    Answer::good_if(directory || unit.kept("RootImage").is_some())
}

pub fn architectures(unit: &Unit<'_>) -> Answer {
    let listed: Vec<&str> = unit.every("SystemCallArchitectures").collect();
    match listed[..] {
        [] => said(10, "Service may execute system calls with all ABIs"),
        ["native"] => said(0, "Service may execute system calls only with native ABI"),
        _ => said(8, "Service may execute system calls with multiple ABIs"),
    }
}

/// The first of these bits that the mask lets through says how bad it is.
pub fn umask(unit: &Unit<'_>) -> Answer {
    const BITS: [(u32, u64, &str); 4] = [
        (0o002, 10, "Files created by service are world-writable by default"),
        (0o004, 5, "Files created by service are world-readable by default"),
        (0o020, 2, "Files created by service are group-writable by default"),
        (0o040, 1, "Files created by service are group-readable by default"),
    ];
    match BITS.iter().find(|(bit, _, _)| unit.exec.umask & bit == 0) {
        Some((_, badness, text)) => said(*badness, text),
        None => said(0, "Files created by service are accessible only by service's own user by default"),
    }
}

pub fn addresses(unit: &Unit<'_>) -> Answer {
    let has_filter = |key| unit.every(key).next().is_some();
    if has_filter("IPIngressFilterPath") || has_filter("IPEgressFilterPath") {
        return said(0, "Service defines custom ingress/egress IP filters with BPF programs");
    }
    let denies = |all: &str| unit.every("IPAddressDeny").any(|prefix| prefix == all);
    if !denies("0.0.0.0/0") || !denies("::/0") {
        return said(10, "Service does not define an IP address allow list");
    }
    let is_local = |prefix: &str| prefix == "::1/128" || is_loopback(prefix);
    let allowed: Vec<&str> = unit.every("IPAddressAllow").collect();
    match allowed.iter().all(|prefix| is_local(prefix)) {
        _ if allowed.is_empty() => said(0, "Service blocks all IP address ranges"),
        true => said(2, "Service defines IP address allow list with only localhost entries"),
        false => said(5, "Service defines IP address allow list with non-localhost entries"),
    }
}

/// 127.0.0.0/8 or a part of it.
fn is_loopback(prefix: &str) -> bool {
    const ALL: u8 = 8;
    let Some((address, bits)) = prefix.split_once('/') else { return false };
    address.starts_with("127.") && bits.parse::<u8>().is_ok_and(|bits| bits >= ALL)
}

pub fn devices(unit: &Unit<'_>) -> Answer {
    let private = unit.is_yes("PrivateDevices");
    let policy = unit.kept("DevicePolicy");
    if policy.is_none() && !private {
        return said(10, "Service has no device ACL");
    }
    let listed: Vec<String> =
        unit.config.devices().iter().map(|(node, access)| format!("{node}:{access}")).collect();
    match listed.is_empty() {
        true => said(0, "Service has a minimal device ACL"),
        false => {
            said(5, &format!("Service has a device ACL with some special devices: {}", listed.join(" ")))
        }
    }
}
