//! What an order is about.

use eudaemon_engine::Engine;
use eudaemon_engine::api::Action;
use eudaemon_unit::name::UnitName;

/// The unit whose configuration the host needs to do it.
pub fn subject(engine: &Engine, action: &Action) -> Option<UnitName> {
    match action {
        Action::Spawn(spawn) => Some(spawn.unit.clone()),
        Action::Signal { process, .. } | Action::Forget { process } => {
            engine.unit_of_process(*process).cloned()
        }
        Action::SignalSet { unit, .. }
        | Action::Survey { unit }
        | Action::SetFreezer { unit, .. }
        | Action::Probe { unit, .. }
        | Action::Clean { unit, .. }
        | Action::StopCleaning { unit }
        | Action::FindMain { unit, .. }
        | Action::StopFinding { unit }
        | Action::CheckConditions { unit, .. }
        | Action::OpenSockets { unit }
        | Action::WatchSockets { unit }
        | Action::UnwatchSockets { unit }
        | Action::CloseSockets { unit }
        | Action::FlushSockets { unit }
        | Action::StoreFds { unit, .. }
        | Action::RemoveStoredFds { unit, .. }
        | Action::CloseStoredFds { unit }
        | Action::Release { unit, .. }
        | Action::Begin { unit, .. } => Some(unit.clone()),
        Action::Load { .. }
        | Action::LookAtMounts
        | Action::StopProbe { .. }
        | Action::RemovePidFile { .. }
        | Action::WatchBusName { .. }
        | Action::Finish(_) => None,
    }
}

/// The unit a process is started for.
pub fn newborn(action: &Action) -> Option<&UnitName> {
    match action {
        Action::Spawn(spawn) => Some(&spawn.unit),
        Action::Signal { .. }
        | Action::Forget { .. }
        | Action::SignalSet { .. }
        | Action::Survey { .. }
        | Action::SetFreezer { .. }
        | Action::Probe { .. }
        | Action::StopProbe { .. }
        | Action::Clean { .. }
        | Action::StopCleaning { .. }
        | Action::FindMain { .. }
        | Action::StopFinding { .. }
        | Action::CheckConditions { .. }
        | Action::OpenSockets { .. }
        | Action::WatchSockets { .. }
        | Action::UnwatchSockets { .. }
        | Action::CloseSockets { .. }
        | Action::FlushSockets { .. }
        | Action::StoreFds { .. }
        | Action::RemoveStoredFds { .. }
        | Action::CloseStoredFds { .. }
        | Action::Release { .. }
        | Action::Begin { .. }
        | Action::RemovePidFile { .. }
        | Action::Load { .. }
        | Action::LookAtMounts
        | Action::WatchBusName { .. }
        | Action::Finish(_) => None,
    }
}
