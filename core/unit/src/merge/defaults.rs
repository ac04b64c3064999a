//! Defaults that depend on other settings.

use crate::config::exec::Stdio;
use crate::config::service::{NotifyAccess, OomPolicy, ServiceType};
use crate::directives::Draft;
use crate::name::{UnitKind, UnitName};
use crate::span::Span;

pub(super) fn fill(draft: &mut Draft, name: &UnitName) {
    streams(draft);
    match name.kind() {
        UnitKind::Service => service(draft),
        UnitKind::Socket
        | UnitKind::Target
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

/// Input from a terminal, socket or descriptor is answered there, unless an output says otherwise.
fn streams(draft: &mut Draft) {
    let exec = &mut draft.exec;
    let text = if exec.standard_input_text.is_empty() { Stdio::Null } else { Stdio::Text };
    exec.standard_input = draft.said.standard_input.take().unwrap_or(text);
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
    let output = if answers { Stdio::Inherit } else { Stdio::Journal };
    exec.standard_output = match draft.said.standard_output.take() {
        // Nothing to inherit from: as if nothing were said.
        Some(Stdio::Inherit) if matches!(exec.standard_input, Stdio::Null | Stdio::Text) => output,
        said => said.unwrap_or(output),
    };
    exec.standard_error = draft.said.standard_error.take().unwrap_or(Stdio::Inherit);
}

fn service(draft: &mut Draft) {
    let service = &mut draft.service;
    let unsaid = match (service.commands.start.is_empty(), &service.bus_name) {
        (true, _) => ServiceType::Oneshot,
        (false, Some(_)) => ServiceType::Dbus,
        (false, None) => ServiceType::Simple,
    };
    service.kind = draft.said.service_type.unwrap_or(unsaid);
    let start = if service.kind == ServiceType::Oneshot { Span::INFINITY } else { Span::seconds(90) };
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
    let watched = service.watchdog != Span::ZERO && !service.watchdog.is_infinite();
    let said = draft.said.notify_access.unwrap_or(NotifyAccess::None);
    let needed = notifies || watched || service.fd_store_max > 0;
    service.notify_access = if needed && said == NotifyAccess::None { NotifyAccess::Main } else { said };
    let policy = if draft.exec.delegate { OomPolicy::Continue } else { OomPolicy::Stop };
    service.oom_policy = draft.said.oom_policy.unwrap_or(policy);
}
