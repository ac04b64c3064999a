//! A pretend manager: units from a table of texts, whose jobs are done the moment they are asked for.
#![allow(dead_code, clippy::wildcard_enum_match_arm)]

use eudaemon_bus::{
    Capacity, Checked, CommandRun, Credentials, Fault, FileChange, FileChanges, FileStep, Job, JobState,
    Manager, Model, Place, Process, Relation, Reloading, Resources, Run, Server, ServiceRun, Setting,
    SocketRun, Unit, UnitFile,
};
use eudaemon_engine::api::{
    ActiveState, Announcement, Answer, ExitStatus, InvocationId, JobId, JobKind, JobResult, Moment,
    NotCleaned, NotFrozen, Ownership, Phase, Refusal, Request, RequestId, ServiceResult,
};
use eudaemon_engine::transaction::account::Account;
use eudaemon_engine::why::{Link, Tells};
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Body, Config, Dependency, LoadState};
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::specifier::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub const UNITS: &[(&str, &str)] = &[
    (
        "/etc/systemd/system/t-simple.service",
        "[Unit]\nDescription=Test simple\nDocumentation=man:foo(8) https://example.org/\n[Service]\n\
         ExecStart=/bin/sleep 100000\nExecReload=-/bin/true\nEnvironment=A=1 \"B=two words\"\nRestart=on-failure\n\
         EnvironmentFile=-/etc/default/t\nSuccessExitStatus=3 SIGUSR1\nRuntimeDirectory=t:u\n\
         ProtectSystem=strict\nPrivateTmp=yes\nMemoryMax=100M\n[Install]\nWantedBy=multi-user.target\n",
    ),
    ("/etc/systemd/system/t-also.service", "[Service]\nExecStart=/bin/sleep 100000\n"),
    (
        "/etc/systemd/system/t-fail.service",
        "[Unit]\nDescription=Test fail\n[Service]\nType=oneshot\nExecStart=/bin/false\n",
    ),
    ("/etc/systemd/system/t-slow.service", "[Service]\nType=notify\nExecStart=/bin/sleep 1000\n"),
    ("/etc/systemd/system/t-nf.service", "[Unit]\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/true\n"),
    ("/etc/systemd/system/t-bad.service", "[Service]\nType=simple\n"),
    (
        "/etc/systemd/system/t-cond.service",
        "[Unit]\nConditionPathExists=/nonexistent\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
    ),
    (
        "/etc/systemd/system/t-sock.socket",
        "[Socket]\nListenStream=/run/t.sock\nListenStream=127.0.0.1:9\nListenDatagram=@t\nExecStartPre=/bin/true\n",
    ),
    ("/etc/systemd/system/t-sock.service", "[Service]\nExecStart=/bin/cat\n"),
    ("/etc/systemd/system/t-tim.timer", "[Timer]\nOnActiveSec=1h\n"),
    ("/etc/systemd/system/t-path.path", "[Path]\nPathExists=/nonexistent\n"),
    ("/etc/systemd/system/mnt-tm.mount", "[Mount]\nWhat=tmpfs\nWhere=/mnt/tm\nType=tmpfs\n"),
    ("/etc/systemd/system/t-iso.target", "[Unit]\nAllowIsolate=yes\n"),
    ("/etc/systemd/system/t-inst@.service", "[Service]\nExecStart=/bin/sleep %i\n"),
    ("/etc/systemd/system/multi-user.target", "[Unit]\nDescription=Multi-User System\nAllowIsolate=yes\n"),
    ("/etc/systemd/system/t-sl.slice", "[Slice]\n"),
    ("/etc/systemd/system/dev-x.swap", "[Swap]\nWhat=/dev/x\n"),
    ("/etc/systemd/system/proc-x.automount", "[Automount]\nWhere=/proc/x\n"),
];

pub const MASKED: &str = "t-masked.service";

/// What systemctl is told of the units above before anything happens.
const RUNNING: &[&str] =
    &["t-simple.service", "t-sock.socket", "t-tim.timer", "multi-user.target", "t-path.path"];

#[derive(Debug)]
pub struct Table {
    tree: MemoryTree,
    index: Index,
    units: BTreeMap<UnitName, Entry>,
    /// Read for an answer, not loaded.
    visitors: BTreeMap<UnitName, Arc<Config>>,
    environment: Vec<String>,
    log_level: String,
    requests: u64,
    jobs: u32,
    /// Jobs that never end, so that somebody waits.
    queued: Vec<Job>,
    clock: u64,
    pub said: Vec<Announcement>,
    pub phases: Vec<Reloading>,
    pub reexecuted: bool,
    pub owners: Vec<(String, Ownership)>,
}

#[derive(Clone, Debug)]
struct Entry {
    config: Arc<Config>,
    active: ActiveState,
    sub: &'static str,
    since: Moment,
    result: ServiceResult,
    pid: u32,
    job: Option<JobId>,
}

/// An instant of 2026, so that transcripts do not depend on when they are made.
const EPOCH: u64 = 1_795_327_222_000_000;

impl Table {
    pub fn new() -> Table {
        let mut tree = MemoryTree::new();
        for (path, text) in UNITS {
            tree.file(path, *text);
        }
        tree.link(&format!("/etc/systemd/system/{MASKED}"), "/dev/null");
        tree.link("/etc/systemd/system/t-alias.service", "/etc/systemd/system/t-simple.service");
        tree.link("/etc/systemd/system/default.target", "/etc/systemd/system/multi-user.target");
        tree.special("/dev/null");
        Table::over(tree)
    }

    /// `count` services that run.
    pub fn many(count: usize) -> Table {
        let mut tree = MemoryTree::new();
        for number in 0..count {
            let text =
                format!("[Unit]\nDescription=Service {number}\n[Service]\nExecStart=/bin/sleep {number}\n");
            tree.file(&format!("/etc/systemd/system/s{number}.service"), text);
        }
        let mut table = Table::over(tree);
        for number in 0..count {
            let name = name(&format!("s{number}.service"));
            table.bring_in(&name);
            table.start(&name);
        }
        table.said.clear();
        table
    }

    fn over(tree: MemoryTree) -> Table {
        let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
        let mut table = Table {
            tree,
            index,
            units: BTreeMap::new(),
            visitors: BTreeMap::new(),
            environment: vec!["LANG=C.UTF-8".to_owned()],
            log_level: "info".to_owned(),
            requests: 0,
            jobs: 0,
            queued: Vec::new(),
            clock: EPOCH,
            said: Vec::new(),
            phases: Vec::new(),
            reexecuted: false,
            owners: Vec::new(),
        };
        for unit in RUNNING {
            let name = name(unit);
            table.bring_in(&name);
            if table.units[&name].config.load == LoadState::Loaded {
                table.start(&name);
            } else {
                table.units.remove(&name);
            }
        }
        table.said.clear();
        table
    }

    fn read(&self, name: &UnitName) -> Arc<Config> {
        let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
        let loader = Loader { tree: &self.tree, index: &self.index, cx: &cx, scope, surroundings };
        Arc::new(loader.load(name).config)
    }

    fn bring_in(&mut self, name: &UnitName) -> UnitName {
        if let Some(id) = self.loaded(name) {
            return id;
        }
        let config = self.read(name);
        let id = config.name.clone();
        self.visitors.remove(&id);
        self.said.push(Announcement::UnitAdded(id.clone()));
        let entry = Entry {
            config,
            active: ActiveState::Inactive,
            sub: "dead",
            since: Moment::default(),
            result: ServiceResult::Success,
            pid: 0,
            job: None,
        };
        self.units.insert(id.clone(), entry);
        id
    }

    fn tick(&mut self) -> Moment {
        self.clock += 1_000;
        Moment { monotonic: self.clock - EPOCH + 1_000_000, realtime: self.clock }
    }

    fn start(&mut self, name: &UnitName) {
        let now = self.tick();
        let Some(entry) = self.units.get_mut(name) else { return };
        entry.active = ActiveState::Active;
        entry.since = now;
        entry.result = ServiceResult::Success;
        entry.sub = match name.kind() {
            UnitKind::Service => "running",
            UnitKind::Socket => "listening",
            UnitKind::Timer | UnitKind::Path => "waiting",
            UnitKind::Mount => "mounted",
            UnitKind::Target
            | UnitKind::Device
            | UnitKind::Automount
            | UnitKind::Swap
            | UnitKind::Slice
            | UnitKind::Scope => "active",
        };
        entry.pid = if name.kind() == UnitKind::Service { 4711 } else { 0 };
        if name.as_str() == "t-fail.service" {
            entry.active = ActiveState::Failed;
            entry.sub = "failed";
            entry.result = ServiceResult::ExitCode;
        }
        if name.as_str() == "t-cond.service" {
            entry.active = ActiveState::Inactive;
            entry.sub = "dead";
        }
    }

    fn stop(&mut self, name: &UnitName) {
        let now = self.tick();
        let Some(entry) = self.units.get_mut(name) else { return };
        entry.active = ActiveState::Inactive;
        entry.sub = "dead";
        entry.since = now;
    }

    fn request(&mut self, request: Request) -> Result<Answer, Refusal> {
        match request {
            Request::Job { unit, kind, mode } => {
                self.job(&unit, kind, mode == eudaemon_unit::config::unit::JobMode::Isolate)
            }
            Request::CancelJob(job) => {
                let at =
                    self.queued.iter().position(|queued| queued.id == job).ok_or(Refusal::NoSuchJob(job))?;
                let unit = self.queued.remove(at).unit;
                self.finish(job, &unit, JobResult::Canceled);
                Ok(Answer::Done)
            }
            Request::ClearJobs => {
                for job in std::mem::take(&mut self.queued) {
                    self.finish(job.id, &job.unit, JobResult::Canceled);
                }
                Ok(Answer::Done)
            }
            Request::Kill { unit, whom, .. } => match self.units.get(&unit) {
                Some(entry) if entry.active == ActiveState::Active => Ok(Answer::Done),
                Some(entry) if entry.config.load != LoadState::NotFound => {
                    Err(Refusal::NoProcess { unit, whom })
                }
                Some(_) | None => Err(Refusal::NotLoaded(unit)),
            },
            Request::SetFreezer { unit, .. } => match self.units.get(&unit) {
                Some(entry) if entry.active == ActiveState::Active => Ok(Answer::Done),
                Some(_) | None => Err(Refusal::NotFrozen { unit, why: NotFrozen::Inactive }),
            },
            Request::Clean { unit, .. } => match self.units.get(&unit) {
                Some(entry) if entry.active == ActiveState::Inactive => {
                    Err(Refusal::NotCleaned { unit, why: NotCleaned::Nothing })
                }
                Some(_) | None => Err(Refusal::NotCleaned { unit, why: NotCleaned::Busy }),
            },
            Request::ResetFailed(which) => {
                for (name, entry) in &mut self.units {
                    if which.as_ref().is_none_or(|wanted| wanted == name)
                        && entry.active == ActiveState::Failed
                    {
                        entry.active = ActiveState::Inactive;
                        entry.sub = "dead";
                        entry.result = ServiceResult::Success;
                        self.said.push(Announcement::UnitChanged(name.clone()));
                    }
                }
                Ok(Answer::Done)
            }
            Request::Hold(_) | Request::LetGo(_) | Request::SetExitCode(_) | Request::FinishNow(_) => {
                Ok(Answer::Done)
            }
        }
    }

    fn job(&mut self, unit: &UnitName, kind: JobKind, isolate: bool) -> Result<Answer, Refusal> {
        let unit = self.bring_in(unit);
        let config = Arc::clone(&self.units[&unit].config);
        let starts = matches!(
            kind,
            JobKind::Start | JobKind::Restart | JobKind::ReloadOrStart | JobKind::VerifyActive
        );
        match &config.load {
            LoadState::Loaded => {}
            LoadState::NotFound if starts => return Err(Refusal::NoSuchUnit(unit)),
            LoadState::Masked if starts => return Err(Refusal::Masked(unit)),
            LoadState::BadSetting(_) if starts => return Err(Refusal::BadSetting(unit)),
            LoadState::Inconsistent(reason) if starts => {
                return Err(Refusal::Inconsistent { unit, reason: reason.clone() });
            }
            LoadState::Unreadable(reason) if starts => {
                return Err(Refusal::LoadFailed { unit, reason: reason.clone() });
            }
            LoadState::NotFound
            | LoadState::Masked
            | LoadState::BadSetting(_)
            | LoadState::Inconsistent(_)
            | LoadState::Unreadable(_) => {
                return Err(Refusal::NotLoaded(unit));
            }
        }
        let reloads = matches!(&config.body, Body::Service(service) if !service.commands.reload.is_empty());
        if kind == JobKind::Reload && !reloads {
            return Err(Refusal::NotApplicable { unit, kind });
        }
        if starts && config.unit.refuse_manual_start {
            return Err(Refusal::OnlyByDependency { unit, what: kind });
        }
        if isolate && !config.unit.allow_isolate {
            return Err(Refusal::NoIsolation(unit));
        }
        self.jobs += 1;
        let id = JobId(self.jobs);
        self.said.push(Announcement::JobAdded { job: id, unit: unit.clone() });
        if unit.as_str() == "t-slow.service" && starts {
            if let Some(entry) = self.units.get_mut(&unit) {
                (entry.active, entry.sub, entry.job) = (ActiveState::Activating, "start", Some(id));
            }
            self.said.push(Announcement::UnitChanged(unit.clone()));
            self.queued.push(Job { id, unit, kind, running: JobState::Running });
            return Ok(Answer::Job(id));
        }
        match kind {
            JobKind::Stop => self.stop(&unit),
            JobKind::Start | JobKind::Restart | JobKind::ReloadOrStart => self.start(&unit),
            JobKind::TryRestart
            | JobKind::TryReload
            | JobKind::Reload
            | JobKind::VerifyActive
            | JobKind::Nop => {}
        }
        let failed = self.units[&unit].active == ActiveState::Failed;
        self.said.push(Announcement::UnitChanged(unit.clone()));
        self.finish(id, &unit, if failed { JobResult::Failed } else { JobResult::Done });
        Ok(Answer::Job(id))
    }

    fn finish(&mut self, job: JobId, unit: &UnitName, result: JobResult) {
        if let Some(entry) = self.units.get_mut(unit) {
            entry.job = None;
            if result == JobResult::Canceled {
                (entry.active, entry.sub) = (ActiveState::Inactive, "dead");
            }
        }
        self.said.push(Announcement::JobRemoved { job, unit: unit.clone(), kind: JobKind::Start, result });
        self.said.push(Announcement::UnitChanged(unit.clone()));
    }

    pub fn units_hold(&self, name: &UnitName) -> bool {
        self.units.get(name).is_some_and(|entry| entry.active == ActiveState::Active)
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }
}

pub fn name(text: &str) -> UnitName {
    UnitName::parse(text).expect("a unit name")
}

fn at_rest(config: Arc<Config>) -> Entry {
    Entry {
        config,
        active: ActiveState::Inactive,
        sub: "dead",
        since: Moment::default(),
        result: ServiceResult::Success,
        pid: 0,
        job: None,
    }
}

impl Model for Table {
    fn loaded(&self, name: &UnitName) -> Option<UnitName> {
        let known = |entry: &&Entry| entry.config.name == *name || entry.config.aliases.contains(name);
        self.units.values().find(known).map(|entry| entry.config.name.clone())
    }

    fn load(&mut self, name: &UnitName) -> UnitName {
        if let Some(id) = self.loaded(name) {
            return id;
        }
        let config = self.read(name);
        let id = config.name.clone();
        self.visitors.insert(id.clone(), config);
        id
    }

    fn unit(&self, id: &UnitName) -> Option<Unit> {
        let entry = match self.units.get(id) {
            Some(entry) => entry.clone(),
            None => at_rest(Arc::clone(self.visitors.get(id)?)),
        };
        let up = entry.active == ActiveState::Active;
        let at = |is: bool| if is { entry.since } else { Moment::default() };
        let main = CommandRun {
            pid: if id.as_str() == "t-cond.service" { 0 } else { entry.pid },
            started: entry.since,
            exited: at(entry.active == ActiveState::Failed),
            status: (entry.active == ActiveState::Failed).then_some(ExitStatus::Code(1)),
        };
        let run = match id.kind() {
            UnitKind::Service => Run::Service(Box::new(ServiceRun {
                main_pid: if up { entry.pid } else { 0 },
                result: entry.result,
                main,
                commands: vec![(Phase::Start, 0, main)],
                ..ServiceRun::default()
            })),
            UnitKind::Socket => Run::Socket(SocketRun { accepted: 2, ..SocketRun::default() }),
            UnitKind::Target
            | UnitKind::Device
            | UnitKind::Mount
            | UnitKind::Automount
            | UnitKind::Swap
            | UnitKind::Timer
            | UnitKind::Path
            | UnitKind::Slice
            | UnitKind::Scope => Run::Plain,
        };
        Some(Unit {
            active: entry.active,
            sub: entry.sub,
            state_changed: entry.since,
            inactive_exit: at(up),
            active_enter: at(up),
            active_exit: Moment::default(),
            inactive_enter: at(!up),
            condition: Checked {
                holds: entry.since.realtime > 0 && id.as_str() != "t-cond.service",
                at: entry.since,
                each: eudaemon_engine::Each::Unmet(u64::from(id.as_str() == "t-cond.service")),
            },
            assertion: Checked {
                holds: entry.since.realtime > 0,
                at: entry.since,
                each: eudaemon_engine::Each::Unmet(0),
            },
            job: entry.job,
            invocation: up.then_some(InvocationId([7; 16])),
            cgroup: if up && id.kind() == UnitKind::Service {
                format!("/system.slice/{id}")
            } else {
                String::new()
            },
            perpetual: false,
            freezer: eudaemon_engine::FreezerState::Running,
            transient: false,
            config: entry.config,
            run,
        })
    }

    fn units(&self) -> Vec<UnitName> {
        self.units.keys().cloned().collect()
    }

    fn related(&self, id: &UnitName, relation: Relation) -> Vec<UnitName> {
        let word = match relation {
            Relation::Requires => Dependency::Requires,
            Relation::Wants => Dependency::Wants,
            Relation::After => Dependency::After,
            Relation::Before => Dependency::Before,
            Relation::Conflicts => Dependency::Conflicts,
            Relation::Triggers => Dependency::Triggers,
            Relation::TriggeredBy if id.as_str() == "t-sock.service" => return vec![name("t-sock.socket")],
            _ => return Vec::new(),
        };
        let Some(unit) = self.unit(id) else { return Vec::new() };
        let dependencies = unit.config.unit.dependencies.iter();
        dependencies.filter(|(of, _)| *of == word).map(|(_, other)| other.clone()).collect()
    }

    fn jobs(&self) -> Vec<Job> {
        self.queued.clone()
    }

    fn capacity(&self) -> Capacity {
        Capacity { memory_bytes: 1 << 30, tasks: 1000 }
    }

    fn resources(&self, id: &UnitName) -> Resources {
        if self.processes(id).is_empty() {
            return Resources::default();
        }
        Resources { cgroup_id: Some(77), cpu_nsec: Some(3_000_000), tasks: Some(1), ..Resources::default() }
    }

    fn processes(&self, id: &UnitName) -> Vec<Process> {
        let unit = self.unit(id);
        let cgroup = unit.map(|unit| unit.cgroup).filter(|cgroup| !cgroup.is_empty());
        let process = |cgroup| Process { cgroup, pid: 4711, command_line: "/bin/sleep 100000".to_owned() };
        cgroup.map(process).into_iter().collect()
    }

    fn unit_of_pid(&self, pid: u32) -> Option<UnitName> {
        (pid == 4711).then(|| name("t-simple.service"))
    }

    fn unit_of_invocation(&self, invocation: InvocationId) -> Option<UnitName> {
        (invocation.0 == [7; 16]).then(|| name("t-simple.service"))
    }

    fn unit_of_cgroup(&self, path: &str) -> Option<UnitName> {
        (path == "/system.slice/t-simple.service").then(|| name("t-simple.service"))
    }

    fn can_freeze(&self, id: &UnitName) -> bool {
        matches!(id.kind(), UnitKind::Service | UnitKind::Scope | UnitKind::Slice)
    }

    fn needs_reload(&self, id: &UnitName) -> bool {
        id.as_str() == "t-also.service"
    }

    fn manager(&self) -> Manager {
        let start = Moment { monotonic: 1_000_000, realtime: EPOCH };
        Manager {
            version: "252 (eudaemon)".to_owned(),
            features: "+PAM".to_owned(),
            virtualization: "container-other".to_owned(),
            architecture: "x86-64".to_owned(),
            userspace: start,
            finish: Moment { monotonic: 1_500_000, realtime: EPOCH + 500_000 },
            log_level: self.log_level.clone(),
            log_target: "console".to_owned(),
            names: self.units.len() as u32,
            failed_units: self.units.values().filter(|entry| entry.active == ActiveState::Failed).count()
                as u32,
            progress: 1.0,
            has_machine: true,
            show_status: true,
            service_watchdogs: true,
            unit_path: vec!["/etc/systemd/system".to_owned()],
            system_state: "running",
            ..Manager::default()
        }
    }

    fn home(&self) -> Option<&str> {
        None
    }

    fn settings(&self) -> &eudaemon_unit::manager::Settings {
        static PLAIN: std::sync::LazyLock<eudaemon_unit::manager::Settings> =
            std::sync::LazyLock::new(Default::default);
        &PLAIN
    }

    fn plan(&mut self, requests: &[(UnitName, JobKind, JobMode)]) -> Vec<Account> {
        let configs: Vec<Arc<Config>> = self.units.values().map(|entry| entry.config.clone()).collect();
        Engine::new(1, Settings::default()).foresee(&configs, requests)
    }

    fn flight(&self) -> Vec<u8> {
        b"eudaemon flight".to_vec()
    }

    fn why(&self, id: &UnitName) -> Vec<Link> {
        let at = self.units.get(id).map_or_else(Moment::default, |entry| entry.since);
        vec![Link { unit: id.clone(), at, tells: Tells::Up, text: "came up: of its own".to_owned() }]
    }

    fn environment(&self) -> Vec<String> {
        self.environment.clone()
    }

    fn unit_files(&self) -> Vec<UnitFile> {
        UNITS.iter().map(|(path, _)| UnitFile { path: (*path).to_owned(), state: "static" }).collect()
    }

    fn unit_file_state(&self, name: &str) -> Result<&'static str, Fault> {
        match name {
            MASKED => Ok("masked"),
            "t-simple.service" => Ok("enabled"),
            "t-alias.service" => Ok("alias"),
            _ if UNITS.iter().any(|(path, _)| path.ends_with(&format!("/{name}"))) => Ok("static"),
            _ => Err(Fault::file_not_found("No such file or directory")),
        }
    }

    fn unit_file_preset(&self, _: &UnitName) -> &'static str {
        "enabled"
    }

    fn unit_file_links(&self, _: &str, _: Place) -> Result<Vec<String>, Fault> {
        Ok(vec!["/etc/systemd/system/multi-user.target.wants/t-simple.service".to_owned()])
    }

    fn default_target(&self) -> Result<String, Fault> {
        Ok("multi-user.target".to_owned())
    }

    fn change_files(&mut self, change: FileChange) -> Result<FileChanges, Fault> {
        let (kind, carries_install) = match &change {
            FileChange::Enable { names, .. } if names.iter().any(|name| name == MASKED) => {
                return Err(Fault::unit_masked(format!("Unit file /etc/systemd/system/{MASKED} is masked.")));
            }
            FileChange::Enable { names, .. } | FileChange::Disable { names, .. }
                if names.iter().any(|name| name.starts_with("nosuch")) =>
            {
                return Err(Fault::no_such_unit("Unit file nosuch.service does not exist."));
            }
            FileChange::Disable { .. } | FileChange::Unmask { .. } | FileChange::Revert { .. } => {
                ("unlink", false)
            }
            FileChange::Enable { names, .. } if names.iter().any(|name| name.contains("t-also")) => {
                return Ok(FileChanges::default());
            }
            _ => ("symlink", true),
        };
        let source = if kind == "unlink" { String::new() } else { "/etc/systemd/system/x".to_owned() };
        let step = FileStep { kind, path: "/etc/systemd/system/y.wants/x".to_owned(), source };
        Ok(FileChanges { carries_install, changes: vec![step] })
    }

    fn submit(&mut self, _by: Option<Credentials>, request: Request) -> RequestId {
        let id = self.next_request();
        let outcome = self.request(request);
        // The answer comes after the job is announced and before it is over.
        let at = self
            .said
            .iter()
            .position(|said| matches!(said, Announcement::JobAdded { .. }))
            .map_or(0, |at| at + 1);
        let at = at.min(self.said.len());
        self.said.insert(at, Announcement::Answered { request: id, outcome });
        id
    }

    fn reload(&mut self) -> RequestId {
        let request = self.next_request();
        self.phases = vec![Reloading::Begins, Reloading::Ends];
        self.said.push(Announcement::Answered { request, outcome: Ok(Answer::Done) });
        request
    }

    fn reexecute(&mut self) {
        self.reexecuted = true;
    }

    fn set_environment(&mut self, unset: &[String], set: &[String]) {
        let of = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
        let gone: BTreeSet<String> = unset.iter().chain(set).map(|line| of(line)).collect();
        self.environment.retain(|line| !gone.contains(&of(line)));
        self.environment.extend(set.iter().cloned());
    }

    fn set(&mut self, setting: Setting) -> Result<(), Fault> {
        if let Setting::LogLevel(level) = setting {
            self.log_level = level;
        }
        Ok(())
    }

    fn bus_name(&mut self, name: &str, owner: Ownership) {
        self.owners.push((name.to_owned(), owner));
    }
}

/// Serves until told to stop: what the manager's loop does.
pub async fn serve(server: &mut Server, table: &mut Table, stop: tokio::sync::oneshot::Receiver<()>) {
    tokio::pin!(stop);
    loop {
        tokio::select! {
            incoming = server.next() => {
                server.serve(table, incoming);
                turn(server, table);
                if table.reexecuted {
                    return;
                }
            }
            _ = &mut stop => return,
        }
    }
}

pub fn turn(server: &mut Server, table: &mut Table) {
    for phase in std::mem::take(&mut table.phases) {
        server.reloading(phase);
    }
    for announcement in std::mem::take(&mut table.said) {
        server.hear(&announcement);
    }
    server.flush(table);
}

/// A server in a thread of its own, listening at `path`; it ends when the returned value is dropped.
pub struct Background {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Background {
    pub fn start(path: &std::path::Path, owner: u32, table: fn() -> Table) -> Background {
        let listener = std::os::unix::net::UnixListener::bind(path).expect("the socket can be bound");
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let mut server = Server::new(owner);
                server.listen(listener).expect("it listens");
                serve(&mut server, &mut table(), stopped).await;
            });
        });
        Background { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server did not panic");
        }
    }
}
