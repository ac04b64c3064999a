//! Defaults that depend on other settings, and on the manager's.

use crate::config::exec::Stdio;
use crate::config::service::{NotifyAccess, OomPolicy, ServiceType};
use crate::config::socket::Accept;
use crate::directives::{Draft, keep_written};
use crate::manager::Defaults;
use crate::name::{UnitKind, UnitName};
use crate::span::Span;
use crate::specifier::path_of;
use crate::values::capability::capability;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub(super) fn fill(draft: &mut Draft, name: &UnitName, defaults: &Defaults) {
    streams(draft, name.kind(), defaults);
    limits(draft, defaults);
    for (key, counts) in defaults.accounting() {
        draft.kept.reset_if(key, if counts { "yes" } else { "no" });
    }
    once_each(draft);
    restrict(draft);
    draft.exec.no_new_privileges |= draft.exec.dynamic_user;
    match name.kind() {
        UnitKind::Service => service(draft, defaults),
        UnitKind::Mount if draft.mount.place.is_empty() => draft.mount.place = path_of(name),
        UnitKind::Socket => {
            // One start for each connection leaves room for more.
            let unsaid =
                if draft.socket.accept == Accept::Yes { 200 } else { draft.socket.trigger_limit_burst };
            draft.socket.trigger_limit_burst = draft.said.trigger_limit_burst.unwrap_or(unsaid);
            let unsaid = draft.socket.trigger_limit_interval;
            draft.socket.trigger_limit_interval = draft.said.trigger_limit_interval.unwrap_or(unsaid);
        }
        UnitKind::Target
        | UnitKind::Device
        | UnitKind::Mount
        | UnitKind::Automount
        | UnitKind::Swap
        | UnitKind::Timer
        | UnitKind::Path
        | UnitKind::Slice
        | UnitKind::Scope => {}
    }
}

/// A unit that was not read to its end has what it said so far, and no more.
pub(super) fn leave_out(draft: &mut Draft, name: &UnitName, defaults: &Defaults) {
    let unsaid = |default: &Stdio| match name.kind() == UnitKind::Service {
        true => Stdio::Inherit,
        false => default.clone(),
    };
    let (exec, said) = (&mut draft.exec, &mut draft.said);
    exec.standard_input = said.standard_input.take().unwrap_or(Stdio::Null);
    exec.standard_output = said.standard_output.take().unwrap_or_else(|| unsaid(&defaults.standard_output));
    exec.standard_error = said.standard_error.take().unwrap_or_else(|| unsaid(&defaults.standard_error));
    draft.service.kind = said.service_type.unwrap_or(draft.service.kind);
    let socket = &mut draft.socket;
    socket.trigger_limit_burst = said.trigger_limit_burst.unwrap_or(u32::MAX);
    socket.trigger_limit_interval = said.trigger_limit_interval.unwrap_or(Span::INFINITY);
    keep_written(draft);
}

/// What protects the machine takes capabilities too: systemd.exec(5), under each of the directives.
fn restrict(draft: &mut Draft) {
    const TAKEN: [(&str, &[&str]); 4] = [
        ("PrivateDevices", &["cap_mknod", "cap_sys_rawio"]),
        ("ProtectClock", &["cap_sys_time", "cap_wake_alarm"]),
        ("ProtectKernelLogs", &["cap_syslog"]),
        ("ProtectKernelModules", &["cap_sys_module"]),
    ];
    for (_, capabilities) in TAKEN.iter().filter(|(key, _)| draft.kept.values(key).next() == Some("yes")) {
        for number in capabilities.iter().filter_map(|name| capability(name)) {
            draft.exec.capability_bounding_set.0 &= !(1 << number);
        }
    }
}

/// Lists that name each thing once: the first place counts, and of variables the last value.
fn once_each(draft: &mut Draft) {
    let exec = &mut draft.exec;
    let paths =
        [&mut draft.unit.requires_mounts_for, &mut draft.unit.wants_mounts_for, &mut exec.search_path];
    let names = [&mut exec.pass_environment, &mut exec.unset_environment, &mut draft.socket.symlinks];
    for list in paths.into_iter().chain(names) {
        unique(list);
    }
    unique(&mut draft.service.sockets);
    let name = |assignment: &String| assignment.split('=').next().unwrap_or("").to_owned();
    combine(&mut exec.environment, name, |known, again| *known = again);
    let directories = [
        &mut exec.runtime_directory,
        &mut exec.state_directory,
        &mut exec.cache_directory,
        &mut exec.logs_directory,
        &mut exec.configuration_directory,
    ];
    for list in directories {
        combine(&mut list.names, |(name, _)| name.clone(), |known, again| known.1.extend(again.1));
    }
}

fn unique<T: Clone + Ord>(list: &mut Vec<T>) {
    combine(list, T::clone, |_, _| {});
}

/// What has a key that was there before is joined to it.
fn combine<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K, join: impl Fn(&mut T, T)) {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut out: Vec<T> = Vec::with_capacity(list.len());
    for item in std::mem::take(list) {
        match places.entry(key(&item)) {
            Entry::Occupied(at) => join(&mut out[*at.get()], item),
            Entry::Vacant(place) => {
                place.insert(out.len());
                out.push(item);
            }
        }
    }
    *list = out;
}

/// Input from a terminal, socket or descriptor is answered there, unless an output says otherwise. Of a service, an output
/// that inherits from what takes none is as one of which nothing is said.
fn streams(draft: &mut Draft, kind: UnitKind, defaults: &Defaults) {
    let exec = &mut draft.exec;
    let has_text = !exec.standard_input_text.is_empty() && kind == UnitKind::Service;
    let text = if has_text { Stdio::Text } else { Stdio::Null };
    exec.standard_input = draft.said.standard_input.take().unwrap_or(text);
    let (output, error) = (draft.said.standard_output.take(), draft.said.standard_error.take());
    if kind != UnitKind::Service {
        exec.standard_output = output.unwrap_or_else(|| defaults.standard_output.clone());
        exec.standard_error = error.unwrap_or_else(|| defaults.standard_error.clone());
        return;
    }
    exec.standard_output = output.unwrap_or(Stdio::Inherit);
    exec.standard_error = error.unwrap_or(Stdio::Inherit);
    let answers = match exec.standard_input {
        Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail | Stdio::Socket | Stdio::NamedFd(_) => true,
        Stdio::Inherit
        | Stdio::Null
        | Stdio::Journal
        | Stdio::JournalConsole
        | Stdio::Kmsg
        | Stdio::KmsgConsole
        | Stdio::File(_)
        | Stdio::Append(_)
        | Stdio::Truncate(_)
        | Stdio::Text => false,
    };
    if !answers && exec.standard_output == Stdio::Inherit {
        if exec.standard_error == Stdio::Inherit {
            exec.standard_error = defaults.standard_error.clone();
        }
        exec.standard_output = defaults.standard_output.clone();
    }
}

/// The manager's limits, where the unit sets none of its own.
fn limits(draft: &mut Draft, defaults: &Defaults) {
    let limits = &mut draft.exec.limits;
    for (resource, limit) in &defaults.limits {
        if let Err(at) = limits.binary_search_by_key(resource, |(known, _)| *known) {
            limits.insert(at, (*resource, *limit));
        }
    }
}

fn service(draft: &mut Draft, defaults: &Defaults) {
    let service = &mut draft.service;
    let unsaid = match (service.commands.start.is_empty(), &service.bus_name) {
        (true, _) => ServiceType::Oneshot,
        (false, Some(_)) => ServiceType::Dbus,
        (false, None) => ServiceType::Simple,
    };
    service.kind = draft.said.service_type.unwrap_or(unsaid);
    let start = if service.kind == ServiceType::Oneshot { Span::INFINITY } else { defaults.timeout_start };
    service.timeout_start = draft.said.timeout_start.unwrap_or(start);
    let notifies = match service.kind {
        ServiceType::Notify | ServiceType::NotifyReload => true,
        ServiceType::Simple
        | ServiceType::Exec
        | ServiceType::Forking
        | ServiceType::Oneshot
        | ServiceType::Dbus
        | ServiceType::Idle => false,
    };
    let watched = service.watchdog != Span::ZERO;
    let said = draft.said.notify_access.unwrap_or(NotifyAccess::None);
    let needed = notifies || watched || service.fd_store_max > 0;
    service.notify_access = if needed && said == NotifyAccess::None { NotifyAccess::Main } else { said };
    let policy = if draft.exec.delegate { OomPolicy::Continue } else { defaults.oom_policy };
    service.oom_policy = draft.said.oom_policy.unwrap_or(policy);
}
