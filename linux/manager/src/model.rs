//! What clients see and ask: the bus server's [`Model`] over the engine, the host and the unit files.

use crate::clock;
use crate::files;
use crate::lines;
use crate::machine::Machine;
use crate::options::Mission;
use crate::settings;
use crate::site::Site;
use crate::visitors::{at_rest, is_transient};
use eudaemon_bus::{
    Capacity, CommandRun, Credentials, Fault, FileChange, FileChanges, Job, JobState, Manager, Model,
    MountRun, Place, Process, Relation, Resources, Run, ServiceRun, Setting, SocketRun, Unit, UnitFile,
};
use eudaemon_engine::Engine;
use eudaemon_engine::UnitView;
use eudaemon_engine::api::{
    ActiveState, Asker, Event, ExitStatus, Input, InvocationId, JobKind, Moment, Ownership, ProcId, Request,
    RequestId,
};
use eudaemon_engine::graph::Word;
use eudaemon_engine::job::Phase;
use eudaemon_engine::kind::CommandRecord;
use eudaemon_engine::transaction::account::Account;
use eudaemon_engine::why::Link;
use eudaemon_host::group::Ladder;
use eudaemon_host::place::{Role, Scope};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::manager::{Settings, ShowStatus};
use eudaemon_unit::name::UnitName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The engine and the site, as one model for the time of one call.
pub struct Outlook<'a> {
    pub engine: &'a Engine,
    pub site: &'a mut Site,
}

impl Outlook<'_> {
    /// A service that is up without a process has no cgroup, but for what it left behind.
    fn has_nobody(&self, view: &UnitView<'_>) -> bool {
        view.sub == "exited" && self.site.host.members(&view.config.name, Some(view.config)).is_empty()
    }

    /// When the kernel began, by its own clock. A container's kernel began before it, and others have a manager that knows.
    fn kernel(&self) -> Moment {
        let Machine { place, container, .. } = &self.site.machine;
        let is_the_machines =
            (place.scope, place.role) == (Scope::System, Role::First) && container.is_none();
        let Moment { realtime, monotonic } = self.site.milestones.started;
        Moment { realtime: u64::from(is_the_machines) * realtime.saturating_sub(monotonic), monotonic: 0 }
    }

    fn config(&self, id: &UnitName) -> Option<Arc<Config>> {
        let loaded = self.engine.unit_view(id).map(|view| Arc::clone(view.config));
        loaded.or_else(|| self.site.visitors.units.get(id).cloned())
    }

    fn run(&self, view: &UnitView<'_>) -> Run {
        let name = &view.config.name;
        let pid = |process: Option<ProcId>| process.map_or(0, |process| self.site.pid(name, process));
        let command =
            |process: Option<ProcId>, started: Moment, exited: Moment, status: Option<ExitStatus>| {
                CommandRun { pid: pid(process), started, exited, status }
            };
        let history = view.history;
        let commands = || {
            let runs = history.commands.iter();
            let run = |run: &CommandRecord| command(Some(run.process), run.started, run.ended, run.status);
            runs.map(|one| (one.phase, one.index, run(one))).collect()
        };
        match &view.config.body {
            Body::Service(service) => Run::Service(Box::new(ServiceRun {
                main_pid: pid(view.main),
                control_pid: pid(view.control),
                status_text: history.status_text.clone(),
                status_errno: history.status_errno,
                result: view.result,
                reload_result: history.reload_result,
                clean_result: history.clean_result,
                restarts: history.restarts,
                uid: None,
                gid: None,
                main: command(
                    history.main.process,
                    history.main.started,
                    history.main.ended,
                    history.main.status,
                ),
                commands: commands(),
                watchdog_ping: history.watchdog_ping,
                watchdog_usec: history.watchdog_override.unwrap_or(service.watchdog.0),
                stored_fds: self.site.host.stored_count(name) as u32,
                health: view.health.cloned(),
            })),
            Body::Socket(_) => Run::Socket(SocketRun {
                control_pid: pid(view.control),
                result: view.result,
                commands: commands(),
                connections: 0,
                accepted: 0,
                refused: 0,
            }),
            Body::Mount(_) => Run::Mount(MountRun {
                control_pid: pid(view.control),
                result: view.result,
                commands: commands(),
                mounted: self.site.mount_table.get(name).cloned(),
            }),
            Body::Target
            | Body::Slice
            | Body::Scope
            | Body::Device
            | Body::Automount
            | Body::Swap(_)
            | Body::Timer
            | Body::Path => Run::Plain,
        }
    }
}

fn word(relation: Relation) -> Word {
    match relation {
        Relation::Requires => Word::Requires,
        Relation::Requisite => Word::Requisite,
        Relation::Wants => Word::Wants,
        Relation::BindsTo => Word::BindsTo,
        Relation::PartOf => Word::PartOf,
        Relation::Upholds => Word::Upholds,
        Relation::RequiredBy => Word::RequiredBy,
        Relation::RequisiteOf => Word::RequisiteOf,
        Relation::WantedBy => Word::WantedBy,
        Relation::BoundBy => Word::BoundBy,
        Relation::UpheldBy => Word::UpheldBy,
        Relation::ConsistsOf => Word::ConsistsOf,
        Relation::Conflicts => Word::Conflicts,
        Relation::ConflictedBy => Word::ConflictedBy,
        Relation::Before => Word::Before,
        Relation::After => Word::After,
        Relation::OnSuccess => Word::OnSuccess,
        Relation::OnSuccessOf => Word::OnSuccessOf,
        Relation::OnFailure => Word::OnFailure,
        Relation::OnFailureOf => Word::OnFailureOf,
        Relation::Triggers => Word::Triggers,
        Relation::TriggeredBy => Word::TriggeredBy,
        Relation::PropagatesReloadTo => Word::PropagatesReloadTo,
        Relation::ReloadPropagatedFrom => Word::ReloadPropagatedFrom,
        Relation::PropagatesStopTo => Word::PropagatesStopTo,
        Relation::StopPropagatedFrom => Word::StopPropagatedFrom,
        Relation::JoinsNamespaceOf => Word::JoinsNamespaceOf,
        Relation::SliceOf => Word::SliceOf,
    }
}

impl Model for Outlook<'_> {
    fn loaded(&self, name: &UnitName) -> Option<UnitName> {
        self.engine.canonical(name).cloned()
    }

    fn load(&mut self, name: &UnitName) -> UnitName {
        if let Some(id) = self.engine.canonical(name) {
            return id.clone();
        }
        if let Some(known) = self.site.visitors.units.get(name) {
            return known.name.clone();
        }
        self.site.units.refresh_if_stale();
        let config = self.site.units.one(name);
        // An alias of a unit that the engine runs is that unit.
        let id = self.engine.canonical(&config.name).cloned().unwrap_or_else(|| config.name.clone());
        self.site.visitors.keep(config);
        id
    }

    fn unit(&self, id: &UnitName) -> Option<Unit> {
        let Some(view) = self.engine.unit_view(id) else {
            return self.site.visitors.units.get(id).cloned().map(at_rest);
        };
        let down = matches!(view.active, ActiveState::Inactive | ActiveState::Failed);
        Some(Unit {
            config: Arc::clone(view.config),
            active: view.active,
            sub: view.sub,
            state_changed: view.times.state_change,
            inactive_exit: view.times.inactive_exit,
            active_enter: view.times.active_enter,
            active_exit: view.times.active_exit,
            inactive_enter: view.times.inactive_enter,
            condition: view.condition,
            assertion: view.assertion,
            job: view.job,
            invocation: view.invocation,
            cgroup: if down || !has_cgroup(&view) || self.has_nobody(&view) {
                String::new()
            } else {
                self.site.host.cgroup_path(id, Some(view.config))
            },
            freezer: view.freezer,
            perpetual: view.perpetual,
            transient: is_transient(view.config),
            run: self.run(&view),
        })
    }

    fn units(&self) -> Vec<UnitName> {
        let mut names: Vec<UnitName> =
            self.engine.unit_views().map(|view| view.config.name.clone()).collect();
        names.sort();
        names
    }

    fn related(&self, id: &UnitName, relation: Relation) -> Vec<UnitName> {
        let word = word(relation);
        if self.engine.canonical(id).is_some() {
            return self.engine.related(id, word);
        }
        // A visitor's inverses are nobody's business yet; what it says itself is known.
        let Some(config) = self.site.visitors.units.get(id) else { return Vec::new() };
        let own = config.unit.dependencies.iter().filter(|(said, _)| Word::from(*said) == word);
        let own = own.map(|(_, name)| self.engine.canonical(name).unwrap_or(name).clone());
        let names: BTreeSet<UnitName> = own.collect();
        names.into_iter().collect()
    }

    fn jobs(&self) -> Vec<Job> {
        self.engine
            .job_views()
            .map(|job| Job {
                id: job.id,
                unit: job.unit,
                kind: job.kind,
                running: match job.phase {
                    Phase::Waiting => JobState::Waiting,
                    Phase::Checking | Phase::Running => JobState::Running,
                },
            })
            .collect()
    }

    fn capacity(&self) -> Capacity {
        crate::resources::capacity()
    }

    fn resources(&self, id: &UnitName) -> Resources {
        crate::resources::read(&self.site.host, id, self.config(id).as_deref())
    }

    fn processes(&self, id: &UnitName) -> Vec<Process> {
        let config = self.config(id);
        crate::resources::processes(&self.site.host, id, config.as_deref())
    }

    fn unit_of_pid(&self, pid: u32) -> Option<UnitName> {
        self.site.host.unit_of(pid).filter(|unit| self.engine.canonical(unit).is_some())
    }

    fn unit_of_invocation(&self, invocation: InvocationId) -> Option<UnitName> {
        self.engine.unit_of_invocation(invocation).cloned()
    }

    fn unit_of_cgroup(&self, path: &str) -> Option<UnitName> {
        let names = path.rsplit('/').filter_map(|part| UnitName::parse(part).ok());
        names.into_iter().find_map(|name| self.engine.canonical(&name).cloned())
    }

    fn can_freeze(&self, id: &UnitName) -> bool {
        match self.site.host.ladder() {
            Ladder::Cgroup { .. } => self.engine.can_freeze(id),
            Ladder::Sweep { .. } => false,
        }
    }

    fn needs_reload(&self, id: &UnitName) -> bool {
        let site = &self.site;
        let loaded = site.loaded_late.get(id).copied().unwrap_or(site.milestones.read());
        match self.engine.unit_view(id) {
            Some(view) => site.units.has_changed(view.config, loaded),
            // A visitor was read a moment ago; it may name a file that is not there.
            None => self.config(id).is_some_and(|config| site.units.has_changed(&config, clock::now())),
        }
    }

    fn manager(&self) -> Manager {
        let census = self.engine.census();
        let site = &self.site;
        let milestones = &site.milestones;
        let virtualization = site.machine.container.clone().or_else(|| site.machine.virtual_machine.clone());
        Manager {
            version: format!("252 (eudaemon {})", env!("CARGO_PKG_VERSION")),
            features: String::new(),
            virtualization: virtualization.unwrap_or_default(),
            architecture: site.machine.specifiers.architecture.clone(),
            tainted: String::new(),
            kernel: self.kernel(),
            userspace: milestones.started,
            finish: milestones.finished,
            generators_start: milestones.generators_begun,
            generators_finish: milestones.generators_done,
            units_load_start: milestones.load_begun,
            units_load_finish: milestones.load_done,
            units_load: milestones.reloaded,
            log_level: site.log_level.clone().unwrap_or_else(|| {
                lines::level_word(site.settings.log_level.unwrap_or(lines::INFO)).to_owned()
            }),
            log_target: site.log_target.clone().unwrap_or_else(|| {
                let said = site.settings.log_target;
                said.unwrap_or_else(|| settings::log_target(&site.machine)).word().to_owned()
            }),
            names: census.names as u32,
            failed_units: census.failed as u32,
            installed_jobs: census.installed_jobs,
            failed_jobs: census.failed_jobs,
            progress: if self.engine.startup_is_over() { 1.0 } else { 0.0 },
            has_machine: site.machine.place.scope == Scope::System,
            // Only the machine's has a console to tell.
            show_status: site.machine.place.scope == Scope::System
                && site.settings.show_status.unwrap_or(ShowStatus::Yes) == ShowStatus::Yes,
            service_watchdogs: site.settings.service_watchdogs,
            unit_path: site.units.search().directories.clone(),
            control_group: site.host.root_cgroup(),
            system_state: self.system_state(census.failed, census.jobs),
            exit_code: self.engine.exit_code(),
        }
    }

    fn settings(&self) -> &Settings {
        &self.site.settings
    }

    fn home(&self) -> Option<&str> {
        let machine = &self.site.machine;
        (machine.place.scope == Scope::User).then_some(&machine.specifiers.home)
    }

    fn plan(&mut self, requests: &[(UnitName, JobKind, JobMode)]) -> Vec<Account> {
        let fresh = self.site.would_load(self.engine, requests.iter().map(|(unit, ..)| unit));
        self.engine.foresee(&fresh, requests)
    }

    fn flight(&self) -> Vec<u8> {
        self.site.recorder.flight(self.engine).to_bytes()
    }

    fn why(&self, id: &UnitName) -> Vec<Link> {
        self.engine.why(id)
    }

    fn environment(&self) -> Vec<String> {
        self.site.environment.all()
    }

    fn unit_files(&self) -> Vec<UnitFile> {
        files::list(&self.site.units)
    }

    fn unit_file_state(&self, name: &str) -> Result<&'static str, Fault> {
        files::state(&self.site.units, name)
    }

    fn unit_file_preset(&self, name: &UnitName) -> &'static str {
        files::preset(&self.site.units, name)
    }

    fn unit_file_links(&self, name: &str, place: Place) -> Result<Vec<String>, Fault> {
        files::links(&self.site.units, name, place)
    }

    fn default_target(&self) -> Result<String, Fault> {
        files::default_target(&self.site.units)
    }

    fn change_files(&mut self, change: FileChange) -> Result<FileChanges, Fault> {
        let changes = files::change(&self.site.units, change)?;
        self.site.units.refresh();
        self.site.visitors.clear();
        Ok(changes)
    }

    fn submit(&mut self, by: Option<Credentials>, request: Request) -> RequestId {
        let by = by.map_or(Asker::Bus, |Credentials { uid, pid }| {
            let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            Asker::Client { uid, pid, command: command.trim_end().to_owned() }
        });
        self.site.submit(self.engine, by, request)
    }

    fn reload(&mut self) -> RequestId {
        let request = RequestId(self.site.next_request);
        self.site.next_request += 1;
        self.site.reloads.push(request);
        request
    }

    fn reexecute(&mut self) {
        self.site.reexecute(self.engine);
    }

    fn set_environment(&mut self, unset: &[String], set: &[String]) {
        self.site.change_environment(unset, set);
    }

    fn set(&mut self, setting: Setting) -> Result<(), Fault> {
        match setting {
            Setting::LogLevel(level) => {
                let number = lines::level(&level)
                    .ok_or_else(|| Fault::invalid_args(format!("Invalid log level '{level}'")))?;
                self.site.set_log_level(lines::level_word(number).to_owned());
            }
            Setting::LogTarget(target) => self.site.set_log_target(target),
            Setting::ShowStatus(_) => {}
            Setting::ServiceWatchdogs(_) => {
                return Err(Fault::not_supported("Service watchdogs cannot be switched off."));
            }
        }
        Ok(())
    }

    fn bus_name(&mut self, name: &str, owner: Ownership) {
        self.site.inbox.push_back(Input::Fact(Event::BusName { name: name.to_owned(), owner }));
    }
}

fn has_cgroup(view: &UnitView<'_>) -> bool {
    match &view.config.body {
        Body::Service(_) | Body::Socket(_) | Body::Slice | Body::Scope | Body::Swap(_) => true,
        // What others mounted never had a process.
        Body::Mount(_) => !view.history.commands.is_empty(),
        Body::Target | Body::Device | Body::Automount | Body::Timer | Body::Path => false,
    }
}

impl Outlook<'_> {
    /// systemctl(1), `is-system-running`.
    fn system_state(&self, failed: usize, jobs: usize) -> &'static str {
        let active = |name: &str| {
            UnitName::parse(name).ok().and_then(|name| self.engine.unit_view(&name)).map(|view| view.active)
        };
        if self.stopping() {
            return "stopping";
        }
        if !self.engine.startup_is_over() && (jobs > 0 || self.site.milestones.finished == Moment::default())
        {
            let basic = active("basic.target") == Some(ActiveState::Active);
            return match (self.site.machine.place.scope, &self.site.mission, basic) {
                (Scope::System, Mission::System, false) => "initializing",
                (Scope::System | Scope::User, _, _) => "starting",
            };
        }
        for target in ["rescue.target", "emergency.target"] {
            if active(target) == Some(ActiveState::Active) {
                return "maintenance";
            }
        }
        if failed > 0 { "degraded" } else { "running" }
    }

    fn stopping(&self) -> bool {
        let shutdown = |job: &eudaemon_engine::job::JobView| job.unit.as_str() == "shutdown.target";
        self.engine.job_views().any(|job| shutdown(&job))
            || UnitName::parse("shutdown.target")
                .ok()
                .and_then(|name| self.engine.unit_view(&name))
                .is_some_and(|view| view.active == ActiveState::Active)
    }
}
