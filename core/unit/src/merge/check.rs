//! What systemd checks once a unit is whole: settings that are missing, or that exclude each other.

use crate::config::service::{ExitType, Restart, ServiceType};
use crate::config::unit::EmergencyAction;
use crate::diagnostic::{Diagnostic, Severity};
use crate::directives::Draft;
use crate::name::{UnitKind, UnitName};

/// An error is the reason why the unit has a bad setting.
pub(super) fn verify(
    draft: &mut Draft,
    name: &UnitName,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), String> {
    match name.kind() {
        UnitKind::Service => service(draft, name, diagnostics),
        UnitKind::Socket
        | UnitKind::Target
        | UnitKind::Device
        | UnitKind::Mount
        | UnitKind::Automount
        | UnitKind::Swap
        | UnitKind::Timer
        | UnitKind::Path
        | UnitKind::Slice
        | UnitKind::Scope => Ok(()),
    }
}

fn service(draft: &mut Draft, name: &UnitName, diagnostics: &mut Vec<Diagnostic>) -> Result<(), String> {
    let service = &mut draft.service;
    let commands = &service.commands;
    let oneshot = service.kind == ServiceType::Oneshot;
    if commands.start.is_empty()
        && commands.stop.is_empty()
        && draft.unit.success_action == EmergencyAction::None
    {
        return Err("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.".into());
    }
    if !oneshot && commands.start.is_empty() {
        return Err(
            "Service has no ExecStart= setting, which is only allowed for Type=oneshot services. Refusing."
                .into(),
        );
    }
    if !service.remain_after_exit
        && commands.start.is_empty()
        && draft.unit.success_action == EmergencyAction::None
    {
        return Err("Service has no ExecStart= and no SuccessAction= settings and does not have RemainAfterExit=yes set. Refusing.".into());
    }
    if !oneshot && commands.start.len() > 1 {
        return Err("Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.".into());
    }
    if oneshot && (service.restart == Restart::Always || service.restart == Restart::OnSuccess) {
        return Err("Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.".into());
    }
    if oneshot
        && (!service.restart_force_exit_status.codes.is_empty()
            || !service.restart_force_exit_status.signals.is_empty())
    {
        return Err("Service has RestartForceExitStatus= set, which isn't allowed for Type=oneshot services. Refusing.".into());
    }
    if oneshot && service.exit_type == ExitType::Cgroup {
        return Err(
            "Service has ExitType=cgroup set, which isn't allowed for Type=oneshot services. Refusing."
                .into(),
        );
    }
    if service.kind == ServiceType::Dbus && service.bus_name.is_none() {
        return Err("Service is of type D-Bus but no D-Bus service name has been specified. Refusing.".into());
    }
    if draft.exec.pam_name.is_some()
        && draft.kill.mode != crate::config::KillMode::ControlGroup
        && draft.kill.mode != crate::config::KillMode::Mixed
    {
        return Err(
            "Service has PAM enabled. Kill mode must be set to 'control-group' or 'mixed'. Refusing.".into(),
        );
    }
    let mut note = |text: &str| diagnostics.push(Diagnostic::of_unit(name.as_str(), Severity::Note, text));
    if oneshot && !service.runtime_max.is_infinite() {
        note("RuntimeMaxSec= has no effect in combination with Type=oneshot. Ignoring.");
    }
    Ok(())
}
