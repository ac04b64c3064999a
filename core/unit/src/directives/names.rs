//! Words that stand for values in more than one table.

use crate::config::unit::{EmergencyAction, JobMode};

pub(crate) const ACTIONS: &[(&str, EmergencyAction)] = &[
    ("none", EmergencyAction::None),
    ("reboot", EmergencyAction::Reboot),
    ("reboot-force", EmergencyAction::RebootForce),
    ("reboot-immediate", EmergencyAction::RebootImmediate),
    ("poweroff", EmergencyAction::PowerOff),
    ("poweroff-force", EmergencyAction::PowerOffForce),
    ("poweroff-immediate", EmergencyAction::PowerOffImmediate),
    ("exit", EmergencyAction::Exit),
    ("exit-force", EmergencyAction::ExitForce),
    ("halt", EmergencyAction::Halt),
    ("halt-force", EmergencyAction::HaltForce),
    ("halt-immediate", EmergencyAction::HaltImmediate),
    ("kexec", EmergencyAction::Kexec),
    ("kexec-force", EmergencyAction::KexecForce),
    ("soft-reboot", EmergencyAction::SoftReboot),
    ("soft-reboot-force", EmergencyAction::SoftRebootForce),
];

pub(super) const JOB_MODES: &[(&str, JobMode)] = &[
    ("fail", JobMode::Fail),
    ("replace", JobMode::Replace),
    ("replace-irreversibly", JobMode::ReplaceIrreversibly),
    ("isolate", JobMode::Isolate),
    ("flush", JobMode::Flush),
    ("ignore-dependencies", JobMode::IgnoreDependencies),
    ("ignore-requirements", JobMode::IgnoreRequirements),
    ("triggering", JobMode::Triggering),
    ("restart-dependencies", JobMode::RestartDependencies),
];

impl EmergencyAction {
    /// As a unit file says it.
    pub fn word(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("none", |(word, _)| word)
    }
}
