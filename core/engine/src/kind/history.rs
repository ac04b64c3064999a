//! What outlives a unit's states: how the last run went. Read by clients, and by a few decisions (whether to
//! restart); cleared when a new run begins.

use crate::api::{ExitStatus, Moment, Ownership, Phase, ProcId, ServiceResult};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When the last run began.
    pub begun: Moment,
    /// `Result`: the first thing that went wrong in this run.
    pub result: ServiceResult,
    /// `ReloadResult`.
    pub reload_result: ServiceResult,
    /// `CleanResult`.
    pub clean_result: ServiceResult,
    /// `ExecMain…`: the last main process.
    pub main: MainRecord,
    /// How each command of this run went (the last run of it, if it ran twice), sorted by phase and index.
    pub commands: Vec<CommandRecord>,
    /// `NRestarts`.
    pub restarts: u32,
    /// Those of them that make the next wait longer: all, or those since the last run of `X-RestartResetSec=`.
    pub restarts_in_a_row: u32,
    /// The counter is set to nought when the next run begins: it stays readable until then.
    pub restarts_over: bool,
    pub status_text: String,
    pub status_errno: i32,
    /// `StatusBusError`.
    pub bus_error: String,
    pub notify: NotifyState,
    /// The last life sign (`WatchdogTimestamp`).
    pub watchdog_ping: Moment,
    /// `WATCHDOG_USEC=` sent by the service overrides `WatchdogSec=`.
    pub watchdog_override: Option<u64>,
    /// Whether `BusName=` has an owner.
    pub bus_name: Option<Ownership>,
    /// Sockets: the window in which `TriggerLimitBurst=` counts.
    pub triggers: Triggers,
}

/// How often a socket was triggered since an instant (monotonic, microseconds).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggers {
    pub since: u64,
    pub count: u32,
}

/// What the service last said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotifyState {
    #[default]
    Unknown,
    Ready,
    Reloading,
    Stopping,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MainRecord {
    pub process: Option<ProcId>,
    pub started: Moment,
    pub ended: Moment,
    pub status: Option<ExitStatus>,
}

/// One `Exec…=` line in `systemctl show`: when it ran and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    pub phase: Phase,
    pub index: u32,
    pub process: ProcId,
    pub started: Moment,
    pub ended: Moment,
    pub status: Option<ExitStatus>,
}

impl History {
    /// A command starts: what was written of an earlier run of it is gone.
    pub fn command_started(&mut self, phase: Phase, index: u32, process: ProcId, now: Moment) {
        let record =
            CommandRecord { phase, index, process, started: now, ended: Moment::default(), status: None };
        match self.commands.binary_search_by_key(&(phase, index), |record| (record.phase, record.index)) {
            Ok(place) => self.commands[place] = record,
            Err(place) => self.commands.insert(place, record),
        }
    }

    pub fn command_ended(&mut self, process: ProcId, status: ExitStatus, now: Moment) {
        if let Some(record) = self.commands.iter_mut().find(|record| record.process == process) {
            record.ended = now;
            record.status = Some(status);
        }
    }

    /// How a command of this run ended, once that is told.
    pub fn known_end(&self, process: ProcId) -> Option<ExitStatus> {
        self.commands.iter().find(|record| record.process == process).and_then(|record| record.status)
    }

    pub fn main_started(&mut self, process: ProcId, now: Moment) {
        self.main =
            MainRecord { process: Some(process), started: now, ended: Moment::default(), status: None };
    }

    pub fn main_ended(&mut self, process: ProcId, status: ExitStatus, now: Moment) {
        if self.main.process == Some(process) {
            self.main.ended = now;
            self.main.status = Some(status);
        }
    }

    pub fn forget_restarts(&mut self) {
        self.restarts = 0;
        self.restarts_in_a_row = 0;
    }

    /// The first failure of a run is its result; later ones follow from it.
    pub fn fail(&mut self, result: ServiceResult) {
        if self.result == ServiceResult::Success {
            self.result = result;
        }
    }
}
