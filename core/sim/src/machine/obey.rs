//! What the pretend machine does when it is ordered to.

use super::*;
use eudaemon_unit::config::LoadState;

/// A removal takes less than this.
const CLEANING: u64 = 20_000_000;

impl Machine {
    pub(super) fn obey(&mut self, action: Action) {
        match action {
            Action::Spawn(spawn) => self.spawn(&spawn),
            Action::Signal { process, signal } => {
                self.laws.signalled(process, signal);
                if let Some(pid) = self.pids.get(&process).copied() {
                    self.signal(pid, signal);
                }
            }
            Action::SignalSet { unit, signal, but } => {
                let others = self.members(&unit, &but);
                for pid in &others {
                    self.signal(*pid, signal);
                }
                self.count_later(unit, but);
            }
            Action::Survey { unit } => {
                self.count_later(unit, Vec::new());
            }
            Action::SetFreezer { unit, freezer } => {
                self.freeze(&unit, freezer);
            }
            Action::Probe { unit, process, .. } => self.probe(unit, process),
            Action::StopProbe { process } => self.laws.probe_over(process),
            Action::Release { unit, .. } => self.let_go(&unit),
            Action::Clean { unit, .. } => {
                self.cleaning.insert(unit.clone());
                let delay = self.random.below(CLEANING);
                self.at(delay, Happening::Cleaned(unit));
            }
            // What was on its way comes to nothing; a new manager's order finds nobody at work.
            Action::StopCleaning { unit } => {
                self.cleaning.remove(&unit);
                let outcome = Err(Trouble { errno: 125, step: "stopped".into() });
                self.hear(Event::Cleaned { unit, outcome });
            }
            Action::FindMain { unit, process, how } => {
                self.finding.insert(unit.clone(), (process, how.clone()));
                self.find(unit, process, how);
            }
            Action::StopFinding { unit } => {
                self.finding.remove(&unit);
            }
            Action::Forget { process } => {
                self.exits.remove(&process);
            }
            Action::CheckConditions { unit, conditions, asserts } => {
                let mut judge = |tests: &[eudaemon_unit::config::unit::Condition]| -> Vec<bool> {
                    tests.iter().map(|test| self.programs.holds(&unit, test, &mut self.random)).collect()
                };
                let (conditions, asserts) = (judge(&conditions), judge(&asserts));
                self.hear(Event::ConditionsChecked { unit, conditions, asserts });
            }
            Action::OpenSockets { unit } => self.open(unit),
            Action::WatchSockets { unit } => self.watch(unit),
            Action::UnwatchSockets { unit } => self.unwatch(&unit),
            Action::FlushSockets { unit } => self.flush(&unit),
            Action::CloseSockets { unit } => drop(self.backlogs.remove(&unit)),
            Action::Load { unit } => {
                let mut configs = self.configs.clone();
                if !configs.iter().any(|config| config.name == unit) {
                    configs.push(Arc::new(Config::bare(unit, LoadState::NotFound)));
                }
                self.at(0, Happening::Hear(Event::Loaded(configs)));
            }
            Action::LookAtMounts => self.tell_mounts(),
            Action::Finish(finale) => {
                self.finale = Some(finale);
            }
            Action::StoreFds { .. }
            | Action::RemoveStoredFds { .. }
            | Action::CloseStoredFds { .. }
            | Action::RemovePidFile { .. }
            | Action::Begin { .. }
            | Action::WatchBusName { .. } => {}
        }
    }

    /// An answer comes whether or not anybody waits for it still.
    fn probe(&mut self, unit: UnitName, process: ProcId) {
        self.laws.probe_begun(process, unit.clone());
        match self.programs.probed(&unit, &mut self.random) {
            Probed::Answered(after, outcome) => {
                self.at(after, Happening::Hear(Event::Probed { process, outcome }));
            }
            Probed::Never => {}
        }
    }

    pub(super) fn spawn(&mut self, spawn: &Spawn) {
        let process = spawn.process;
        if self.pids.contains_key(&process) {
            return self.tell_spawned(spawn);
        }
        if let Some(status) = self.exits.get(&process).copied() {
            self.tell_spawned(spawn);
            return self.hear(Event::Exited { process, status });
        }
        if self.random.chance(self.faults.fork_fails) {
            return self.hear(Event::SpawnFailed { process, trouble: Trouble::errno(11) });
        }
        self.laws.spawned(process);
        let program = self.programs.program(spawn, &mut self.random);
        let setup = program.setup;
        let pid = self.add(spawn.unit.clone(), Some(process), spawn.phase, program);
        self.at(5, Happening::Hear(Event::Spawned { process }));
        match setup {
            Setup::Fine => {
                self.at(6, Happening::Exec(pid));
                self.at(7, Happening::Hear(Event::Executed { process }));
            }
            Setup::Fails(code) => {
                self.at(6, Happening::Hear(Event::SetupFailed { process, code, errno: 2 }));
                self.at(8, Happening::Ends(pid, ExitStatus::Code(code)));
            }
        }
    }

    /// A repeated order is answered, not done twice.
    pub(super) fn tell_spawned(&mut self, spawn: &Spawn) {
        let process = spawn.process;
        self.at(5, Happening::Hear(Event::Spawned { process }));
        let executed =
            self.pids.get(&process).and_then(|pid| self.processes.get(pid)).is_some_and(|p| p.executed);
        if executed {
            self.at(6, Happening::Hear(Event::Executed { process }));
        }
    }

    pub(super) fn signal(&mut self, pid: Pid, signal: i32) {
        const KILL: i32 = 9;
        const TERM: i32 = 15;
        const CONT: i32 = 18;
        const HUP: i32 = 1;
        let Some(process) = self.processes.get(&pid) else { return };
        let dies = |after| (after, ExitStatus::Signal(signal));
        let (after, status) = match (signal, process.program.on_term) {
            (CONT | HUP, _) => return,
            (KILL, _) if self.random.chance(self.faults.unkillable) => dies(200_000_000),
            (KILL, _) => dies(20),
            (TERM, OnTerm::Dies { after }) => dies(after),
            (TERM, OnTerm::ExitsCleanly { after }) => (after, ExitStatus::Code(0)),
            (_, OnTerm::Ignores) => return,
            (_, OnTerm::Dies { .. } | OnTerm::ExitsCleanly { .. }) => dies(30),
        };
        self.at(after, Happening::Ends(pid, status));
    }

    pub(super) fn members(&self, unit: &UnitName, but: &[ProcId]) -> Vec<Pid> {
        let counts =
            |process: &Process| process.unit == *unit && !process.id.is_some_and(|id| but.contains(&id));
        self.processes.iter().filter(|(_, process)| counts(process)).map(|(pid, _)| *pid).collect()
    }

    pub(super) fn count_later(&mut self, unit: UnitName, but: Vec<ProcId>) {
        let after = self.delay();
        self.at(after, Happening::Count(unit, but));
    }

    pub(super) fn find(&mut self, unit: UnitName, id: ProcId, how: FindHow) {
        if let Some(pid) = self.pids.get(&id)
            && self.processes.contains_key(pid)
        {
            return self.hear(Event::MainFound { unit, process: id });
        }
        let members = self.members(&unit, &[]);
        let anonymous = |pid: &&Pid| self.processes[pid].id.is_none();
        let wrote = |pid: &&Pid| self.processes[pid].wrote_pid_file;
        let found = match &how {
            FindHow::PidFile(_) | FindHow::PidFileNow(_) => members.iter().find(wrote).copied(),
            FindHow::Guess => {
                let left: Vec<&Pid> = members.iter().filter(anonymous).collect();
                if left.len() == 1 { left.first().map(|pid| **pid) } else { None }
            }
            FindHow::Candidate(_) => members.iter().find(anonymous).copied(),
        };
        match (found, how) {
            (Some(pid), _) => {
                self.finding.remove(&unit);
                if let Some(process) = self.processes.get_mut(&pid)
                    && process.id.is_none()
                {
                    process.id = Some(id);
                    self.pids.insert(id, pid);
                    return self.hear(Event::MainFound { unit, process: id });
                }
                self.hear(Event::MainMissing { unit, process: id, reason: "known already".into() });
            }
            (None, FindHow::PidFile(_)) => {}
            (None, FindHow::PidFileNow(_) | FindHow::Guess | FindHow::Candidate(_)) => {
                self.finding.remove(&unit);
                self.hear(Event::MainMissing { unit, process: id, reason: "no such process".into() });
            }
        }
    }
}
