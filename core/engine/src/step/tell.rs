//! What an operator reads of jobs as they begin and end.

use super::finish::Telling;
use crate::api::{JobId, JobKind, JobResult};
use crate::engine::Engine;
use crate::graph::UnitId;
use crate::job::Phase;
use crate::job::algebra::is_up;
use crate::why::Root;
use eudaemon_unit::config::health::Gate;
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitKind;

impl Engine {
    /// The job was carried out as far as it could be at once: if it is not over by now, that it began is worth a line.
    pub(super) fn tell_begin(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id).filter(|job| job.facts.phase == Phase::Running) else { return };
        let unit = job.unit;
        let verb = match (job.facts.kind, self.graph.name(unit).kind()) {
            (JobKind::Start, UnitKind::Service) if self.is_as_good_as_up(unit) => return,
            (JobKind::Start, UnitKind::Service) => "Starting",
            (JobKind::Start, UnitKind::Mount) => "Mounting",
            (JobKind::Start, UnitKind::Swap) => "Activating swap",
            (JobKind::Stop | JobKind::Restart, UnitKind::Service) => "Stopping",
            (JobKind::Stop | JobKind::Restart, UnitKind::Mount) => "Unmounting",
            (JobKind::Stop | JobKind::Restart, UnitKind::Swap) => "Deactivating swap",
            (JobKind::Reload, _) => "Reloading",
            (
                JobKind::Start
                | JobKind::VerifyActive
                | JobKind::Stop
                | JobKind::ReloadOrStart
                | JobKind::Restart
                | JobKind::TryRestart
                | JobKind::TryReload
                | JobKind::Nop,
                _,
            ) => return,
        };
        let text = format!("{verb} {}...", self.title(unit));
        self.say(Some(unit), 6, text);
    }

    /// It is up as soon as its process is there: it will be said in a moment.
    fn is_as_good_as_up(&self, unit: UnitId) -> bool {
        let Body::Service(service) = &self.graph.config(unit).body else { return false };
        let waits_for_nothing = service.commands.condition.is_empty()
            && service.commands.start_pre.is_empty()
            && service.commands.start_post.is_empty()
            && service.health.as_ref().is_none_or(|health| health.gate == Gate::Nothing);
        waits_for_nothing && matches!(service.kind, ServiceType::Simple | ServiceType::Idle)
    }

    pub(super) fn tell_end(&mut self, id: JobId, result: JobResult, telling: Telling) {
        let Some(job) = self.jobs.get(&id) else { return };
        let (unit, kind) = (job.unit, job.facts.kind);
        // That it is down between two runs is no news: that it comes up again was said.
        let between = matches!(&job.facts.errand.root, Root::Restart) && job.facts.errand.through.is_none();
        if telling == Telling::Quiet || (kind == JobKind::Restart && result == JobResult::Done && between) {
            return;
        }
        let up = is_up(self.unit(unit).active());
        let ran = is_oneshot(self.graph.config(unit)) && self.unit(unit).life.condition.holds;
        let is_mount = self.graph.name(unit).kind() == UnitKind::Mount;
        let (level, verb) = match (kind, result) {
            (JobKind::Start, JobResult::Done) if ran => (6, "Finished"),
            (JobKind::Start, JobResult::Done) if up => (6, started(self.graph.name(unit).kind())),
            (JobKind::Start, JobResult::Done) => return,
            (JobKind::Start, JobResult::Timeout) if is_mount => (3, "Timed out mounting"),
            (JobKind::Start, JobResult::Timeout) => (3, "Timed out starting"),
            (JobKind::Start | JobKind::VerifyActive, JobResult::Dependency) => (4, "Dependency failed for"),
            (JobKind::Start, JobResult::Assert) => (4, "Assertion failed for"),
            (JobKind::Start, JobResult::Failed | JobResult::Invalid) if is_mount => (3, "Failed to mount"),
            (JobKind::Start, JobResult::Failed | JobResult::Invalid) => (3, "Failed to start"),
            // Why, was said.
            (JobKind::Start, JobResult::Unsupported) => return,
            (JobKind::Stop | JobKind::Restart, JobResult::Done) => (6, stopped(self.graph.name(unit).kind())),
            (JobKind::Stop | JobKind::Restart, JobResult::Failed) if is_mount => (3, "Failed unmounting"),
            (JobKind::Stop | JobKind::Restart, JobResult::Timeout) if is_mount => (3, "Timed out unmounting"),
            (JobKind::Stop | JobKind::Restart, JobResult::Failed) => (3, "Failed while stopping"),
            (JobKind::Stop | JobKind::Restart, JobResult::Timeout) => (3, "Timed out stopping"),
            (JobKind::Reload, JobResult::Done) => (6, "Reloaded"),
            (JobKind::Reload, JobResult::Failed) => (3, "Reload failed for"),
            (JobKind::Reload, JobResult::Timeout) => (3, "Timed out reloading"),
            (
                JobKind::Start
                | JobKind::VerifyActive
                | JobKind::Stop
                | JobKind::Reload
                | JobKind::ReloadOrStart
                | JobKind::Restart
                | JobKind::TryRestart
                | JobKind::TryReload
                | JobKind::Nop,
                _,
            ) => return,
        };
        let text = format!("{verb} {}.", self.title(unit));
        self.say(Some(unit), level, text);
    }

    /// `ssh.service - OpenBSD Secure Shell server`, or just the name.
    pub(crate) fn title(&self, unit: UnitId) -> String {
        let config = self.graph.config(unit);
        match config.unit.description.as_str() {
            "" => config.name.to_string(),
            description if description == config.name.as_str() => description.to_owned(),
            description => format!("{} - {description}", config.name),
        }
    }
}

/// What people read under systemd, for each kind.
fn started(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Service | UnitKind::Scope | UnitKind::Timer | UnitKind::Path | UnitKind::Device => {
            "Started"
        }
        UnitKind::Target => "Reached target",
        UnitKind::Slice => "Created slice",
        UnitKind::Socket => "Listening on",
        UnitKind::Mount => "Mounted",
        UnitKind::Automount => "Set up automount",
        UnitKind::Swap => "Activated swap",
    }
}

fn stopped(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Service | UnitKind::Scope | UnitKind::Timer | UnitKind::Path | UnitKind::Device => {
            "Stopped"
        }
        UnitKind::Target => "Stopped target",
        UnitKind::Slice => "Removed slice",
        UnitKind::Socket => "Closed",
        UnitKind::Mount => "Unmounted",
        UnitKind::Automount => "Unset automount",
        UnitKind::Swap => "Deactivated swap",
    }
}

/// Whose start is over when its commands have run.
fn is_oneshot(config: &Config) -> bool {
    matches!(&config.body, Body::Service(service) if service.kind == ServiceType::Oneshot)
}
