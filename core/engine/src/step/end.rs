//! How everything ends: emergency actions (`FailureAction=` and its kin), the final targets, and the exit
//! code. Whatever happens to a final target's job, the end comes: nothing may be left waiting.

use crate::api::{Action, Announcement, ExitStatus, Finale, JobKind, JobResult};
use crate::engine::{BoundFor, Engine, ExitMeans, Startup};
use crate::graph::UnitId;
use crate::job::algebra::is_up;
use crate::transaction::{Ask, Origin};
use crate::unit::{Allowance, FINAL_TARGETS, StartLimit, limits_starts};
use crate::why::{Errand, Root};
use eudaemon_unit::config::unit::{EmergencyAction, JobMode};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::values::format_timespan;
use std::collections::BTreeSet;

/// What an emergency action follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    Success,
    Failure,
    JobTimeout,
    StartLimit,
}

impl Engine {
    pub(super) fn act_on_failure(&mut self, unit: UnitId) {
        let section = &self.graph.config(unit).unit;
        let (action, code) = (section.failure_action, section.failure_action_exit_status);
        self.act(Some(unit), action, code, Occasion::Failure);
    }

    pub(super) fn act_on_success(&mut self, unit: UnitId) {
        let section = &self.graph.config(unit).unit;
        let (action, code) = (section.success_action, section.success_action_exit_status);
        self.act(Some(unit), action, code, Occasion::Success);
    }

    /// Ends everything, in order or at once, because of a unit.
    pub(super) fn act(
        &mut self,
        unit: Option<UnitId>,
        action: EmergencyAction,
        code: Option<u8>,
        occasion: Occasion,
    ) {
        use EmergencyAction as E;
        if action == E::None {
            return;
        }
        let who = unit.map_or("the manager".to_owned(), |unit| self.graph.name(unit).to_string());
        let (level, key, reason) = match occasion {
            // How every shutdown ends.
            Occasion::Success => (6, "SuccessAction", "it ended"),
            Occasion::Failure => (4, "FailureAction", "it failed"),
            Occasion::JobTimeout => (4, "JobTimeoutAction", "its job timed out"),
            Occasion::StartLimit => (4, "StartLimitAction", "it was started too often"),
        };
        self.say(unit, level, format!("{who}: {reason}, so {key}={} is done", action.word()));
        if matches!(action, E::Exit | E::ExitForce)
            && let Some(code) = code.or_else(|| self.own_exit_code(unit?, occasion))
        {
            self.counters.exit_code = Some(code);
        }
        let root = Root::Emergency(unit.map(|unit| self.graph.name(unit).clone()));
        match action {
            E::None => {}
            E::Reboot | E::SoftReboot => self.go_to("reboot.target", root),
            E::PowerOff => self.go_to("poweroff.target", root),
            E::Exit => self.go_to("exit.target", root),
            E::Halt => self.go_to("halt.target", root),
            E::Kexec => self.go_to("kexec.target", root),
            E::RebootForce | E::RebootImmediate | E::SoftRebootForce => self.end(Finale::Reboot),
            E::PowerOffForce | E::PowerOffImmediate => self.end(Finale::PowerOff),
            E::ExitForce => {
                let finale = self.exit_finale();
                self.end(finale);
            }
            E::HaltForce | E::HaltImmediate => self.end(Finale::Halt),
            E::KexecForce => self.end(Finale::Kexec),
        }
    }

    /// Where no code was set: the main process's, if the unit ended. A limit or a timeout has none.
    fn own_exit_code(&self, unit: UnitId, occasion: Occasion) -> Option<u8> {
        /// What systemd.unit(5) lets a death by signal count as.
        const DIED: u8 = 255;
        match occasion {
            Occasion::Success | Occasion::Failure => match self.unit(unit).life.history.main.status? {
                ExitStatus::Code(code) => Some(code),
                ExitStatus::Signal(_) | ExitStatus::Dumped(_) | ExitStatus::Unknown => Some(DIED),
            },
            Occasion::JobTimeout | Occasion::StartLimit => None,
        }
    }

    /// Starts a final target so that nothing turns it round, once it is loaded.
    pub(super) fn go_to(&mut self, target: &str, root: Root) {
        let Ok(target) = UnitName::parse(target) else { return };
        if self.counters.bound_for.is_some() {
            return;
        }
        let bound = BoundFor { target, root };
        match self.graph.id(&bound.target) {
            Some(unit) => self.start_final(unit, bound),
            // Nobody needed it so far.
            None => {
                self.order(Action::Load { unit: bound.target.clone() });
                self.counters.bound_for = Some(bound);
            }
        }
    }

    /// The final target that was waited for is loaded, or it is known that there is none.
    pub(super) fn go_on_to(&mut self, loaded: &BTreeSet<UnitName>) {
        let wanted =
            |bound: &mut BoundFor| loaded.contains(&bound.target) || self.graph.id(&bound.target).is_some();
        let Some(bound) = self.counters.bound_for.take_if(wanted) else { return };
        match self.graph.id(&bound.target) {
            Some(unit) => self.start_final(unit, bound),
            None => self.end_instead_of(&bound.target),
        }
    }

    fn start_final(&mut self, unit: UnitId, BoundFor { target, root }: BoundFor) {
        let mode = JobMode::ReplaceIrreversibly;
        let ask = Ask { unit, kind: JobKind::Start, mode, origin: Origin::Engine };
        if let Err(why) = self.enqueue(ask, Errand::of(root, self.now)) {
            let text = format!("{target} cannot be started, ending all the same: {}", why.reason());
            self.say(Some(unit), 3, text);
            self.end_instead_of(&target);
        }
    }

    fn end_instead_of(&mut self, target: &UnitName) {
        if let Some(finale) = self.finale_of(target.as_str()) {
            self.end(finale);
        }
    }

    fn exit_finale(&self) -> Finale {
        match self.settings.exit {
            ExitMeans::Exit => Finale::Exit(self.counters.exit_code.unwrap_or(0)),
            ExitMeans::PowerOff => Finale::PowerOff,
        }
    }

    /// What reaching the unit means for the machine.
    fn finale_of(&self, unit: &str) -> Option<Finale> {
        match unit {
            "exit.target" => Some(self.exit_finale()),
            "poweroff.target" => Some(Finale::PowerOff),
            "reboot.target" | "soft-reboot.target" => Some(Finale::Reboot),
            "halt.target" => Some(Finale::Halt),
            "kexec.target" => Some(Finale::Kexec),
            _other => None,
        }
    }

    /// A start of a final target ended: with everything stopped, or as far as it went.
    pub(super) fn end_of_final_job(&mut self, unit: UnitId, kind: JobKind, result: JobResult) {
        if kind != JobKind::Start || matches!(result, JobResult::Canceled) {
            return;
        }
        let Some(finale) = self.finale_of(self.graph.name(unit).as_str()) else { return };
        if result != JobResult::Done || !is_up(self.unit(unit).active()) {
            let name = self.graph.name(unit);
            self.say(Some(unit), 3, format!("{name} was not reached ({result:?}), ending all the same"));
        }
        self.end(finale);
    }

    /// Whether a final target is on its way.
    pub(super) fn is_ending(&self) -> bool {
        let is_started = |target: &str| {
            let unit = UnitName::parse(target).ok().and_then(|name| self.graph.id(&name));
            let job = unit.and_then(|unit| self.unit(unit).job).and_then(|job| self.jobs.get(&job));
            job.is_some_and(|job| job.facts.kind == JobKind::Start)
        };
        self.counters.finale.is_some()
            || self.counters.bound_for.is_some()
            || FINAL_TARGETS.into_iter().any(is_started)
    }

    /// Gives the last order, once.
    pub(crate) fn end(&mut self, finale: Finale) {
        if self.counters.finale.is_none() {
            self.counters.finale = Some(finale);
            self.order(Action::Finish(finale));
        }
    }

    /// Counts a start against `StartLimitBurst=`.
    pub(super) fn start_limit_is_hit(&mut self, unit: UnitId) -> bool {
        let config = self.graph.config(unit);
        if !limits_starts(config) {
            return false;
        }
        let (interval, burst) = (config.unit.start_limit_interval, config.unit.start_limit_burst);
        let now = self.now.monotonic;
        let life = &mut self.unit_mut(unit).life;
        let hit = life.starts.take(now, interval, burst) == Allowance::Exhausted;
        life.start_limit = if hit { StartLimit::Hit } else { StartLimit::Within };
        if hit {
            let (name, within) = (self.graph.name(unit), format_timespan(interval));
            let text = format!(
                "{name}: not started again: StartLimitBurst={burst} is the most within \
                 StartLimitIntervalSec={within}, unless reset-failed forgets those that were"
            );
            self.say(Some(unit), 4, text);
        }
        hit
    }

    /// Start-up is over when for the first time no job is left.
    pub(super) fn finish_startup(&mut self) {
        if self.counters.startup == Startup::Underway && self.jobs.is_empty() {
            self.counters.startup = Startup::Over;
            self.announce(Announcement::StartupFinished);
        }
    }
}
