//! What must hold whatever happens. Each law is one function; a broken one is written down with the instant.

use crate::machine::{Backlog, Pid, Process};
use eudaemon_engine::api::{
    ActiveState, Announcement, InvocationId, JobId, JobKind, Phase, ProcId, RequestId,
};
use eudaemon_engine::graph::Word;
use eudaemon_engine::job::{JobView, Phase as JobPhase};
use eudaemon_engine::{Engine, UnitView};
use eudaemon_unit::config::unit::CollectMode;
use eudaemon_unit::config::{Body, Config, Dependency, Kill, KillMode};
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};

mod health;

#[derive(Debug, Default)]
pub struct Laws {
    /// What was broken; empty is right.
    pub broken: Vec<String>,
    /// Some job was told to ignore order, or some process cannot be killed: those laws rest.
    pub lenient: Lenient,
    open: BTreeSet<RequestId>,
    /// Heard, and answered only when the kernel has done it: their clients are told by the end of the connection.
    patient: BTreeSet<RequestId>,
    spawned: BTreeSet<ProcId>,
    states: BTreeMap<UnitName, ActiveState>,
    runs: BTreeMap<UnitName, Vec<(InvocationId, u64)>>,
    jobs: BTreeSet<JobId>,
    health: health::Watched,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Lenient {
    pub order: bool,
    pub kills: bool,
}

impl Laws {
    pub fn asked(&mut self, request: RequestId) {
        self.open.insert(request);
    }

    /// It is a request to freeze or thaw, and the engine has heard it.
    pub fn waits_for_the_kernel(&mut self, request: RequestId) {
        self.patient.insert(request);
    }

    /// Every request is answered exactly once.
    pub fn answered(&mut self, request: RequestId) {
        if !self.open.remove(&request) {
            self.broken.push(format!("{request:?} was answered though nobody asked, or twice"));
        }
    }

    /// Nothing is spawned twice.
    pub fn spawned(&mut self, process: ProcId) {
        if !self.spawned.insert(process) {
            self.broken.push(format!("{process:?} was spawned a second time"));
        }
    }

    /// What happened to the units while nobody looked is taken as it is.
    pub fn look_again(&mut self, engine: &Engine) {
        for request in std::mem::take(&mut self.patient) {
            self.open.remove(&request);
        }
        self.states = engine.unit_views().map(|view| (view.config.name.clone(), view.active)).collect();
        self.jobs = engine.job_views().map(|job| job.id).collect();
        self.health.forget();
    }

    /// Where nothing more can happen no job waits, and no request.
    pub fn quiet(&mut self, engine: &Engine, backlogs: &BTreeMap<UnitName, Backlog>) {
        self.nobody_knocks_in_vain(engine, backlogs);
        for job in engine.job_views() {
            let waits: Vec<String> =
                engine.job_waits_for(job.id).iter().map(|id| format!("{id:?}")).collect();
            self.broken.push(format!("{job:?} waits for ever, for [{}]", waits.join(" ")));
        }
        for request in &self.open {
            self.broken.push(format!("{request:?} was never answered"));
        }
    }

    pub fn check(
        &mut self,
        engine: &Engine,
        processes: &BTreeMap<Pid, Process>,
        announcements: &[Announcement],
        clock: u64,
    ) {
        let jobs: Vec<JobView> = engine.job_views().collect();
        self.one_job_per_unit(&jobs);
        for announcement in announcements {
            let Announcement::UnitChanged(name) = announcement else { continue };
            let Some(view) = engine.unit_view(name) else { continue };
            let before = self.states.insert(name.clone(), view.active).unwrap_or(ActiveState::Inactive);
            if !is_down(before) && is_down(view.active) {
                self.stopped_means_no_process(&view, processes, clock);
            }
            // Cleaning is no start, and a start may follow it.
            let rested = is_down(before) || before == ActiveState::Maintenance;
            let stirs = !is_down(view.active) && view.active != ActiveState::Maintenance;
            // What others mount is up at once, and asks nobody.
            let by_others = view.active == ActiveState::Active && matches!(view.config.body, Body::Mount(_));
            if rested && stirs && view.active != ActiveState::Deactivating && !by_others {
                self.starts_in_order(engine, name, &jobs, clock);
            }
            if before == ActiveState::Active && view.active == ActiveState::Deactivating {
                self.stops_in_order(engine, name, &jobs, clock);
            }
            self.starts_within_the_limit(&view, clock);
            self.one_main_process(&view, processes, clock);
        }
        self.jobs = jobs.iter().map(|job| job.id).collect();
    }

    pub fn check_sockets(
        &mut self,
        engine: &Engine,
        backlogs: &BTreeMap<UnitName, Backlog>,
        announcements: &[Announcement],
        clock: u64,
    ) {
        for announcement in announcements {
            let Announcement::UnitChanged(name) = announcement else { continue };
            let state = engine.unit_view(name).map(|view| view.active);
            if state.is_some_and(is_down) && backlogs.contains_key(name) {
                self.broken.push(format!("{clock}: {name} is {state:?} and still listens"));
            }
        }
    }

    /// A unit is loaded because it is up, has failed or has a job, because somebody holds it, or because such a one names it.
    pub fn only_what_is_needed(&mut self, engine: &Engine, clock: u64) {
        let views: BTreeMap<UnitName, UnitView<'_>> =
            engine.unit_views().map(|view| (view.config.name.clone(), view)).collect();
        // Who is started for its end asks how it ended.
        let heir_has_job = |view: &UnitView<'_>| {
            view.config.unit.dependencies.iter().any(|(word, other)| {
                let is_heir = matches!(word, Dependency::OnSuccess | Dependency::OnFailure);
                is_heir && views.get(other).is_some_and(|heir| heir.job.is_some())
            })
        };
        let stays = |view: &UnitView<'_>| {
            let forgets_failures = view.config.unit.collect_mode == CollectMode::InactiveOrFailed;
            let over = match view.active {
                ActiveState::Inactive => true,
                ActiveState::Failed => forgets_failures,
                ActiveState::Active
                | ActiveState::Reloading
                | ActiveState::Activating
                | ActiveState::Deactivating
                | ActiveState::Maintenance => false,
            };
            let works = view.job.is_some() || view.main.is_some() || view.control.is_some();
            !over || view.held || works || heir_has_job(view)
        };
        let mut needed = BTreeSet::new();
        let mut ahead: Vec<UnitName> =
            views.values().filter(|view| stays(view)).map(|view| view.config.name.clone()).collect();
        while let Some(name) = ahead.pop() {
            let Some(view) = views.get(&name).filter(|_| needed.insert(name.clone())) else { continue };
            ahead.extend(view.config.unit.dependencies.iter().map(|(_, other)| other.clone()));
        }
        for name in views.keys().filter(|name| !needed.contains(*name)) {
            self.broken.push(format!("{clock}: {name} is loaded and nobody needs it"));
        }
        for name in needed.iter().filter(|name| !views.contains_key(*name)) {
            self.broken.push(format!("{clock}: {name} is needed and not loaded"));
        }
    }

    /// Whoever waits in a backlog is somebody's to take in: the service's, where it was told of him.
    fn nobody_knocks_in_vain(&mut self, engine: &Engine, backlogs: &BTreeMap<UnitName, Backlog>) {
        for (name, backlog) in backlogs.iter().filter(|(_, backlog)| backlog.waiting > 0) {
            let Some(view) = engine.unit_view(name) else { continue };
            let service = engine.unit_view(&backlog.service).map(|view| view.active);
            if view.sub == "listening" || service.is_none_or(is_down) {
                self.broken.push(format!("{name} is {} and {} wait in it", view.sub, backlog.waiting));
            }
        }
    }

    /// Where nothing more can happen a unit is up if its place is mounted, and only then.
    pub fn mounts_are_followed(&mut self, engine: &Engine, mounted: &BTreeMap<UnitName, u32>) {
        let views = engine.unit_views().filter(|view| matches!(view.config.body, Body::Mount(_)));
        for view in views.filter(|view| is_down(view.active) == mounted.contains_key(&view.config.name)) {
            let there = mounted.get(&view.config.name).copied().unwrap_or(0);
            self.broken.push(format!("{} is {:?} and mounted {there} times", view.config.name, view.active));
        }
        for name in mounted.keys().filter(|name| engine.canonical(name).is_none()) {
            self.broken.push(format!("{name} is mounted and not loaded"));
        }
    }

    fn one_job_per_unit(&mut self, jobs: &[JobView]) {
        let mut seen = BTreeSet::new();
        for job in jobs.iter().filter(|job| job.kind != JobKind::Nop) {
            if !seen.insert(&job.unit) {
                self.broken.push(format!("{} has two jobs", job.unit));
            }
        }
    }

    fn stopped_means_no_process(
        &mut self,
        view: &UnitView<'_>,
        processes: &BTreeMap<Pid, Process>,
        clock: u64,
    ) {
        let name = &view.config.name;
        let left = processes.values().filter(|process| process.unit == *name).count();
        if left > 0 && kills_all(view.config) && !self.lenient.kills {
            self.broken.push(format!("{clock}: {name} is {:?} and has {left} processes", view.active));
        }
    }

    /// A unit starts only when the jobs of those it comes after are done.
    fn starts_in_order(&mut self, engine: &Engine, name: &UnitName, jobs: &[JobView], clock: u64) {
        let before: BTreeSet<UnitName> = engine.related(name, Word::After).into_iter().collect();
        let first = |job: &&JobView| {
            before.contains(&job.unit) && self.jobs.contains(&job.id) && job.kind != JobKind::Nop
        };
        if let Some(job) = jobs.iter().find(first)
            && !self.lenient.order
        {
            self.broken.push(format!("{clock}: {name} started before {job:?} was done"));
        }
    }

    /// A unit stops only when the stops of those that come after it are done.
    fn stops_in_order(&mut self, engine: &Engine, name: &UnitName, jobs: &[JobView], clock: u64) {
        let by_job = jobs
            .iter()
            .any(|job| job.unit == *name && job.kind == JobKind::Stop && job.phase == JobPhase::Running);
        let later: BTreeSet<UnitName> = engine.related(name, Word::Before).into_iter().collect();
        let first = |job: &&JobView| {
            later.contains(&job.unit) && self.jobs.contains(&job.id) && job.kind == JobKind::Stop
        };
        if let Some(job) = jobs.iter().find(first)
            && by_job
            && !self.lenient.order
        {
            self.broken.push(format!("{clock}: {name} stopped before {job:?} was done"));
        }
    }

    /// A window of the engine's opens with its first start, so any window holds at most two of them.
    fn starts_within_the_limit(&mut self, view: &UnitView<'_>, clock: u64) {
        let Some(invocation) = view.invocation else { return };
        let section = &view.config.unit;
        let runs = self.runs.entry(view.config.name.clone()).or_default();
        if runs.last().is_some_and(|(last, _)| *last == invocation) {
            return;
        }
        runs.push((invocation, clock));
        let (interval, burst) = (section.start_limit_interval.0, section.start_limit_burst as usize);
        let within = runs.iter().filter(|(_, at)| clock - at <= interval).count();
        let limited = matches!(view.config.body, Body::Service(_) | Body::Socket(_));
        if limited && interval > 0 && burst > 0 && within > 2 * burst {
            self.broken.push(format!("{clock}: {} started {within} times", view.config.name));
        }
    }

    fn one_main_process(&mut self, view: &UnitView<'_>, processes: &BTreeMap<Pid, Process>, clock: u64) {
        let name = &view.config.name;
        let main = |process: &&Process| {
            process.unit == *name && process.id.is_some() && process.phase == Phase::Start
        };
        let mains = processes.values().filter(main).count();
        if mains > 1 && kills_all(view.config) && !self.lenient.kills {
            self.broken.push(format!("{clock}: {name} runs {mains} times"));
        }
    }
}

fn kills_all(config: &Config) -> bool {
    match &config.body {
        Body::Service(service) => leaves_nobody(&service.kill),
        Body::Mount(mount) => leaves_nobody(&mount.processes.kill),
        Body::Socket(_)
        | Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => true,
    }
}

fn leaves_nobody(kill: &Kill) -> bool {
    match kill.mode {
        KillMode::ControlGroup | KillMode::Mixed => kill.send_sigkill,
        KillMode::Process | KillMode::None => false,
    }
}

fn is_down(state: ActiveState) -> bool {
    match state {
        ActiveState::Inactive | ActiveState::Failed => true,
        ActiveState::Active
        | ActiveState::Reloading
        | ActiveState::Activating
        | ActiveState::Deactivating
        | ActiveState::Maintenance => false,
    }
}
