//! The read side: what clients may see of units and jobs.

use crate::api::{ActiveState, InvocationId, JobId, ProcId, ServiceResult};
use crate::engine::Engine;
use crate::graph::{Facets, Knowledge, UnitId, Word};
use crate::job::{Job, JobView};
use crate::kind::{self, History};
use crate::step::FreezerState;
use crate::transaction::Reload;
use crate::unit::{Checked, Times};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One unit at one instant.
#[derive(Clone, Debug)]
pub struct UnitView<'a> {
    pub config: &'a Arc<Config>,
    pub active: ActiveState,
    /// `SubState`, systemd's word.
    pub sub: &'static str,
    pub result: ServiceResult,
    pub times: Times,
    pub condition: Checked,
    pub assertion: Checked,
    pub invocation: Option<InvocationId>,
    pub job: Option<JobId>,
    /// When, on the monotonic clock, the unit gives up waiting for what it waits for.
    pub deadline: Option<u64>,
    pub main: Option<ProcId>,
    pub control: Option<ProcId>,
    /// While it is up and asked (`[X-Health]`).
    pub health: Option<&'a kind::service::Health>,
    /// Each command's last run, restarts, status text and the like.
    pub history: &'a History,
    pub can_start: bool,
    pub can_stop: bool,
    pub can_reload: bool,
    pub freezer: FreezerState,
    /// There from the beginning and never stopped.
    pub perpetual: bool,
    /// Somebody holds it, so that it is not forgotten.
    pub held: bool,
}

/// How many units are in each state, and how many jobs there are and were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub units: usize,
    /// Those of all loaded units, aliases too.
    pub names: usize,
    pub failed: usize,
    pub jobs: usize,
    /// Since the first manager of this machine: jobs there have been, and those that failed or could not be.
    pub installed_jobs: u32,
    pub failed_jobs: u32,
}

impl Engine {
    /// By any of its names. A unit that is only mentioned by others is nobody's yet.
    pub fn unit_view(&self, name: &UnitName) -> Option<UnitView<'_>> {
        let unit = self.graph.id(name)?;
        match self.graph.knowledge(unit) {
            Knowledge::Loaded => self.view(unit),
            Knowledge::Mentioned | Knowledge::Vacant => None,
        }
    }

    /// A loaded unit's configuration, by any of its names.
    pub fn config(&self, name: &UnitName) -> Option<&Arc<Config>> {
        let unit = self.graph.id(name).filter(|unit| self.graph.knowledge(*unit) == Knowledge::Loaded)?;
        Some(self.graph.config(unit))
    }

    /// Those of all loaded units, in the order in which they came.
    pub fn configs(&self) -> impl Iterator<Item = &Arc<Config>> {
        let loaded = self.graph.ids().filter(|unit| self.graph.knowledge(*unit) == Knowledge::Loaded);
        loaded.map(|unit| self.graph.config(unit))
    }

    /// All loaded units, each under its own name, in the order in which they came.
    pub fn unit_views(&self) -> impl Iterator<Item = UnitView<'_>> {
        let loaded = self.graph.ids().filter(|unit| self.graph.knowledge(*unit) == Knowledge::Loaded);
        loaded.filter_map(|unit| self.view(unit))
    }

    fn view(&self, unit: UnitId) -> Option<UnitView<'_>> {
        let of = &self.units[unit.index()];
        let state: &kind::State = of.state.as_ref()?;
        let config = self.graph.config(unit);
        let perpetual = crate::unit::is_perpetual(config);
        Some(UnitView {
            config,
            active: state.active_state(),
            sub: state.sub_state(),
            result: of.life.history.result,
            times: of.life.times,
            condition: of.life.condition,
            assertion: of.life.assertion,
            invocation: of.life.run.invocation,
            job: of.job,
            deadline: state.deadline(),
            main: state.main().map(|process| process.id),
            control: state.control().map(|process| process.id),
            health: state.health(),
            history: &of.life.history,
            can_start: crate::unit::can_start(config) && !config.unit.refuse_manual_start,
            can_stop: !perpetual && !config.unit.refuse_manual_stop,
            can_reload: Reload::of(&self.graph, unit) == Reload::Possible,
            freezer: of.life.freezer,
            perpetual,
            held: of.holds > 0,
        })
    }

    /// The unit's own name, by any of its names, once it is loaded.
    pub fn canonical(&self, name: &UnitName) -> Option<&UnitName> {
        let unit = self.graph.id(name)?;
        (self.graph.knowledge(unit) == Knowledge::Loaded).then(|| self.graph.name(unit))
    }

    /// What stands in this relation to the unit, sorted.
    pub fn related(&self, name: &UnitName, word: Word) -> Vec<UnitName> {
        let Some(unit) = self.graph.id(name) else { return Vec::new() };
        let others = self.graph.others(unit, word);
        let mut names: Vec<UnitName> = others.map(|other| self.graph.name(other).clone()).collect();
        names.sort();
        names
    }

    /// All dependencies by D-Bus property, sorted; properties without any are left out.
    pub fn dependencies(&self, name: &UnitName) -> BTreeMap<&'static str, Vec<UnitName>> {
        let mut properties: BTreeMap<&'static str, Vec<UnitName>> = BTreeMap::new();
        let edges = self.graph.id(name).into_iter().flat_map(|unit| self.graph.dependencies(unit));
        for (word, other) in edges {
            properties.entry(word.property()).or_default().push(self.graph.name(other).clone());
        }
        for names in properties.values_mut() {
            names.sort();
        }
        properties
    }

    /// What a start of the unit would have to know: the names its configuration refers to and nobody loaded yet.
    pub fn unknown_dependencies(&self, name: &UnitName) -> Vec<UnitName> {
        let Some(unit) = self.graph.id(name) else { return vec![name.clone()] };
        let edges = self.graph.dependencies(unit);
        let unknown = edges.filter(|(_, other)| self.graph.knowledge(*other) == Knowledge::Mentioned);
        let mut names: Vec<UnitName> = unknown.map(|(_, other)| self.graph.name(other).clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    pub fn job_view(&self, id: JobId) -> Option<JobView> {
        self.jobs.get(&id).map(|job| self.see_job(id, job))
    }

    /// All queued jobs, by number.
    pub fn job_views(&self) -> impl Iterator<Item = JobView> + '_ {
        self.jobs.iter().map(|(id, job)| self.see_job(*id, job))
    }

    fn see_job(&self, id: JobId, job: &Job) -> JobView {
        JobView { id, unit: self.graph.name(job.unit).clone(), kind: job.facts.kind, phase: job.facts.phase }
    }

    /// The jobs that go before this one: why it waits.
    pub fn job_waits_for(&self, id: JobId) -> Vec<JobId> {
        let Some(job) = self.jobs.get(&id) else { return Vec::new() };
        let neighbours = self.graph.neighbours(job.unit, Facets::AFTER.and(Facets::BEFORE));
        let mut before: Vec<JobId> = neighbours
            .filter(|other| self.goes_before(job, *other))
            .filter_map(|other| self.unit(other).job)
            .collect();
        before.sort();
        before.dedup();
        before
    }

    pub fn unit_of_process(&self, process: ProcId) -> Option<&UnitName> {
        self.owners.get(&process).map(|unit| self.graph.name(*unit))
    }

    pub fn unit_of_invocation(&self, invocation: InvocationId) -> Option<&UnitName> {
        let ran = |unit: &UnitId| self.unit(*unit).life.run.invocation == Some(invocation);
        self.graph.ids().find(ran).map(|unit| self.graph.name(unit))
    }

    pub fn census(&self) -> Census {
        let mut census = Census {
            jobs: self.jobs.len(),
            installed_jobs: self.counters.installed_jobs,
            failed_jobs: self.counters.failed_jobs,
            ..Census::default()
        };
        for view in self.unit_views() {
            census.units += 1;
            census.names += 1 + view.config.aliases.len();
            census.failed += usize::from(view.active == ActiveState::Failed);
        }
        census
    }

    /// The exit code that somebody gave: a client, or a unit by its end.
    pub fn given_exit_code(&self) -> Option<u8> {
        self.counters.exit_code
    }

    pub fn exit_code(&self) -> u8 {
        self.counters.exit_code.unwrap_or(0)
    }

    /// The first jobs are all done.
    pub fn startup_is_over(&self) -> bool {
        self.counters.startup == crate::engine::Startup::Over
    }
}
