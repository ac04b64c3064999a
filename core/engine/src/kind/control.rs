//! Control processes, and the signals that end processes: what kinds with commands have in common. systemd.kill(5).

use super::{Cx, Process, Stage};
use crate::api::{Action, Directories, ExitStatus, ProcId, ServiceResult};
use eudaemon_unit::config::Kill;
use eudaemon_unit::config::exec::{Exec, KillMode, Preserve};
use eudaemon_unit::span::Span;
use serde::{Deserialize, Serialize};

/// A command in progress, which one of its phase, and until when it may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub process: Process,
    pub index: u32,
    pub deadline: Option<u64>,
}

impl Control {
    /// `process` is there.
    pub(super) fn seen(self, process: ProcId) -> Control {
        if self.process.id == process {
            Control { process: Process { id: process, stage: Stage::Spawned }, ..self }
        } else {
            self
        }
    }
}

/// The processes of a unit besides those a signal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rest {
    /// `KillMode=` leaves them alone.
    Spared,
    /// They got the signal; whether there are any is not known yet.
    Asked,
    Left,
}

/// What a signal is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    Term,
    /// For a watchdog that was missed.
    Abort,
    Kill,
}

pub(super) const HUP: i32 = 1;
pub(super) const CONT: i32 = 18;
pub(super) const KILL: i32 = 9;

/// Whether the signal goes to all processes of the unit.
pub(super) fn strikes_all(kill: &Kill, blow: Blow) -> bool {
    match kill.mode {
        KillMode::ControlGroup => true,
        KillMode::Mixed => blow == Blow::Kill,
        KillMode::Process | KillMode::None => false,
    }
}

/// Sends a signal to those that `KillMode=` says. Told are those of the named that got it, and how it is with the rest.
pub(super) fn strike(
    kill: &Kill,
    blow: Blow,
    signal: i32,
    named: impl IntoIterator<Item = Process>,
    cx: &mut Cx,
) -> (Vec<Process>, Rest) {
    let named: Vec<Process> = match kill.mode {
        KillMode::ControlGroup | KillMode::Mixed | KillMode::Process => named.into_iter().collect(),
        KillMode::None => Vec::new(),
    };
    let hangup = kill.send_sighup && blow == Blow::Term && signal != HUP;
    for process in &named {
        cx.order(Action::Signal { process: process.id, signal });
        if hangup {
            cx.order(Action::Signal { process: process.id, signal: HUP });
        }
        if signal != KILL && signal != CONT {
            // A stopped process could not obey.
            cx.order(Action::Signal { process: process.id, signal: CONT });
        }
    }
    if !strikes_all(kill, blow) {
        return (named, Rest::Spared);
    }
    let but: Vec<ProcId> = named.iter().map(|process| process.id).collect();
    if hangup {
        cx.order(Action::SignalSet { unit: cx.unit.clone(), signal: HUP, but: but.clone() });
    }
    cx.order(Action::SignalSet { unit: cx.unit.clone(), signal, but });
    (named, Rest::Asked)
}

/// How a command went, where nothing but its exit status counts.
pub(super) fn verdict(status: ExitStatus) -> ServiceResult {
    match status {
        ExitStatus::Code(0) => ServiceResult::Success,
        ExitStatus::Code(_) | ExitStatus::Unknown => ServiceResult::ExitCode,
        ExitStatus::Signal(_) => ServiceResult::Signal,
        ExitStatus::Dumped(_) => ServiceResult::CoreDump,
    }
}

/// What becomes of the unit's runtime directories when it is down and is not to come up again by itself.
pub(super) fn left_behind(exec: &Exec) -> Directories {
    match exec.runtime_directory_preserve {
        Preserve::Yes => Directories::Keep,
        Preserve::Restart | Preserve::No => Directories::Remove,
    }
}

pub(super) fn after(cx: &Cx, span: Span) -> Option<u64> {
    if span.is_infinite() { None } else { Some(cx.now.monotonic.saturating_add(span.0)) }
}
