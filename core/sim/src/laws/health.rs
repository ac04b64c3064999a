//! Who is asked whether it is well, when, and for how long an unhealthy unit may stay up.

use super::Laws;
use crate::machine::{Pid, Process};
use eudaemon_engine::api::{ActiveState, InvocationId, Phase, ProcId};
use eudaemon_engine::kind::service::Verdict;
use eudaemon_engine::{Engine, FreezerState, UnitView};
use eudaemon_unit::config::Config;
use eudaemon_unit::config::health::{Health, OnUnhealthy};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::{SECOND, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Beyond what the settings say: answers take a while to be heard.
const SLACK: u64 = 2 * SECOND;

#[derive(Debug, Default)]
pub struct Watched {
    /// Probes over the network that nobody has answered or given up.
    open: BTreeMap<ProcId, UnitName>,
    /// Who got SIGKILL by name.
    killed: BTreeSet<ProcId>,
    /// Since when a unit has been up and not been well.
    unwell: BTreeMap<UnitName, (Option<InvocationId>, u64)>,
}

impl Watched {
    /// A new manager asks anew, and counts no time that nobody looked.
    pub fn forget(&mut self) {
        self.open.clear();
        self.unwell.clear();
    }
}

impl Laws {
    pub fn probe_begun(&mut self, process: ProcId, unit: UnitName) {
        self.health.open.insert(process, unit);
    }

    pub fn probe_over(&mut self, process: ProcId) {
        self.health.open.remove(&process);
    }

    pub fn signalled(&mut self, process: ProcId, signal: i32) {
        const KILL: i32 = 9;
        if signal == KILL {
            self.health.killed.insert(process);
        }
    }

    pub fn check_health(&mut self, engine: &Engine, processes: &BTreeMap<Pid, Process>, clock: u64) {
        self.who_asks_is_waited_for(engine, processes, clock);
        for view in engine.unit_views() {
            let Some(settings) = settings(view.config) else { continue };
            if view.freezer != FreezerState::Running && view.freezer != FreezerState::Thawing {
                self.frozen_is_not_asked(&view, clock);
            }
            self.ends_in_time(&view, settings, clock);
        }
    }

    /// A unit that is up is asked by one at a time, one that is not by nobody.
    fn who_asks_is_waited_for(&mut self, engine: &Engine, processes: &BTreeMap<Pid, Process>, clock: u64) {
        let awaited = |unit: &UnitName| engine.unit_view(unit).and_then(|view| view.health?.pending());
        let commands = processes.values().filter(|process| process.phase == Phase::Health);
        let commands = commands.filter_map(|process| Some((process.id?, process.unit.clone())));
        let commands = commands.filter(|(id, _)| !self.health.killed.contains(id));
        let open = self.health.open.iter().map(|(id, unit)| (*id, unit.clone()));
        let nobodys: Vec<String> = open
            .chain(commands)
            .filter(|(id, unit)| awaited(unit) != Some(*id))
            .map(|(id, unit)| format!("{clock}: {unit} is asked by {id:?}, for whom it does not wait"))
            .collect();
        self.broken.extend(nobodys);
    }

    fn frozen_is_not_asked(&mut self, view: &UnitView<'_>, clock: u64) {
        if view.health.is_some_and(|health| health.pending().is_some()) {
            self.broken.push(format!("{clock}: {} is {:?} and asked", view.config.name, view.freezer));
        }
    }

    /// One that is to be stopped when it is unhealthy is not up for longer than that takes to tell.
    fn ends_in_time(&mut self, view: &UnitView<'_>, settings: &Health, clock: u64) {
        let name = view.config.name.clone();
        let is_up = matches!(view.active, ActiveState::Active | ActiveState::Reloading);
        let health = view.health.filter(|_| is_up && view.freezer == FreezerState::Running);
        let Some(health) = health else {
            self.health.unwell.remove(&name);
            return;
        };
        let well = health.verdict == Verdict::Healthy && health.failures == 0;
        let since = self.health.unwell.entry(name).or_insert((view.invocation, clock));
        if well || since.0 != view.invocation {
            *since = (view.invocation, clock);
        }
        let probe = settings.interval.0.saturating_add(settings.timeout.0);
        // Within a start period a probe may begin that does not count, and ends after it.
        let in_vain = if settings.start_period == Span::ZERO { 0 } else { probe };
        let counting = u64::from(settings.retries).saturating_mul(probe);
        let most = [in_vain, counting, SLACK].into_iter().fold(settings.start_period.0, u64::saturating_add);
        if clock - since.1 > most && settings.on_unhealthy != OnUnhealthy::Nothing {
            let text = format!("{clock}: {} is up and was last well at {}", view.config.name, since.1);
            self.broken.push(text);
        }
    }
}

fn settings(config: &Config) -> Option<&Health> {
    config.service()?.health.as_deref()
}
