//! A pretend machine for one case: its clock is virtual, its processes do what `process` says.

use crate::process::{Act, Manners, What, acts, broken_at, notification};
use eudaemon_engine::api::{
    Action, Announcement, Answer, Candidate, Event, ExitStatus, FindHow, Input, JobId, JobKind, JobResult,
    KillWhom, Moment, NotifySender, Occupancy, Output, Phase, ProcId, Request, RequestId, Resource,
    ServiceResult, Spawn, WatchExec,
};
use eudaemon_engine::kind::service::result_word;
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::Config;
use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::values::signal::parse_signal;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub struct Machine {
    engine: Engine,
    texts: BTreeMap<String, String>,
    configs: Vec<Arc<Config>>,
    now: u64,
    processes: BTreeMap<u64, Process>,
    next_pid: u64,
    /// What happens when, in order; the second number keeps the order of the ordered.
    agenda: BTreeMap<(u64, u64), Happening>,
    happenings: u64,
    pid_files: BTreeMap<String, u64>,
    /// Units that wait for a pid file.
    seekers: BTreeMap<String, (String, ProcId)>,
    /// Sockets on which somebody waits, and those that are watched.
    knocks: BTreeMap<String, u32>,
    watched: BTreeSet<String>,
    log: Vec<String>,
    last_event: u64,
    requests: u64,
    answers: BTreeMap<u64, Option<JobId>>,
    ended: BTreeMap<JobId, JobResult>,
}

struct Process {
    unit: String,
    /// As the engine knows it; children are unknown until they are found.
    id: Option<ProcId>,
    role: Role,
    manners: Manners,
    acts: VecDeque<Act>,
}

/// How long nothing may happen before a step counts as over, microseconds.
const STILL: u64 = 400_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Start,
    Control,
    Child,
}

enum Happening {
    Fact(Event),
    /// The process goes on with its acts.
    Turn(u64),
}

impl Machine {
    pub fn new(units: &BTreeMap<String, String>) -> Machine {
        Machine {
            engine: Engine::new(1, Settings::default()),
            texts: units.clone(),
            configs: units.iter().map(|(name, text)| Arc::new(config(name, text))).collect(),
            now: 1_000_000_000,
            processes: BTreeMap::new(),
            next_pid: 100,
            agenda: BTreeMap::new(),
            happenings: 0,
            pid_files: BTreeMap::new(),
            seekers: BTreeMap::new(),
            knocks: BTreeMap::new(),
            watched: BTreeSet::new(),
            log: Vec::new(),
            last_event: 0,
            requests: 0,
            answers: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Plays one step until everything is still; whether its command failed, where that can be told.
    pub fn play(&mut self, step: &[String]) -> Option<bool> {
        let words: Vec<&str> = step.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["nowait", rest @ ..] => {
                let failed = self.ask(rest).map_or(true, |jobs| self.wait_for(&jobs));
                self.pass(300_000);
                Some(failed)
            }
            ["sh", script] => {
                self.shell(script);
                self.rest();
                None
            }
            _ => {
                let failed = match self.ask(&words) {
                    Ok(jobs) => self.wait_for(&jobs),
                    Err(()) => true,
                };
                self.rest();
                Some(failed)
            }
        }
    }

    fn ask(&mut self, words: &[&str]) -> Result<Vec<JobId>, ()> {
        let kind = match words[0] {
            "start" => JobKind::Start,
            "stop" => JobKind::Stop,
            "restart" => JobKind::Restart,
            "try-restart" => JobKind::TryRestart,
            "reload" => JobKind::Reload,
            "reload-or-restart" => JobKind::ReloadOrStart,
            "reset-failed" => {
                return self.wish(Request::ResetFailed(Some(name(words[1])))).map(|_| Vec::new());
            }
            "kill" => return self.kill(&words[1..]).map(|_| Vec::new()),
            "clean" => return self.clean(&words[1..]).map(|_| Vec::new()),
            other => panic!("no such step: {other}"),
        };
        let mut jobs = Vec::new();
        for unit in &words[1..] {
            let mode = eudaemon_unit::config::unit::JobMode::Replace;
            jobs.extend(self.wish(Request::Job { unit: name(unit), kind, mode })?);
        }
        Ok(jobs)
    }

    fn clean(&mut self, words: &[&str]) -> Result<Option<JobId>, ()> {
        let (mut what, mut unit) = (BTreeSet::from([Resource::Cache, Resource::Runtime]), "");
        for word in words {
            match word.strip_prefix("--what=") {
                Some("all") => what = Resource::ALL.into(),
                Some(listed) => {
                    let resource = |word: &str| Resource::ALL.into_iter().find(|one| one.word() == word);
                    what = listed.split(',').map(|word| resource(word).unwrap()).collect();
                }
                None => unit = word,
            }
        }
        self.wish(Request::Clean { unit: name(unit), what })
    }

    fn kill(&mut self, words: &[&str]) -> Result<Option<JobId>, ()> {
        let (mut whom, mut signal, mut unit) = (KillWhom::All, 15, "");
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "-s" => signal = parse_signal(words.next().unwrap()).unwrap(),
                "--kill-whom=main" => whom = KillWhom::Main,
                "--kill-whom=control" => whom = KillWhom::Control,
                "--kill-whom=all" => whom = KillWhom::All,
                word if word.starts_with("--signal=") => signal = parse_signal(&word[9..]).unwrap(),
                word => unit = word,
            }
        }
        self.wish(Request::Kill { unit: name(unit), whom, signal })
    }

    fn wish(&mut self, wish: Request) -> Result<Option<JobId>, ()> {
        self.requests += 1;
        let request = self.requests;
        let fresh = self.configs.iter().filter(|config| self.engine.canonical(&config.name).is_none());
        let fresh: Vec<Arc<Config>> = fresh.cloned().collect();
        if !fresh.is_empty() && wish.loads().is_some() {
            self.hear(Input::Fact(Event::Loaded(fresh)));
        }
        self.hear(Input::Wish { request: RequestId(request), by: Default::default(), wish });
        self.answers.remove(&request).ok_or(())
    }

    /// What the cases' shell lines do that matters: they wait, and knock at sockets.
    fn shell(&mut self, script: &str) {
        for part in script.split([';', '&']).map(str::trim) {
            let words: Vec<&str> = part.split_whitespace().collect();
            match words.as_slice() {
                ["sleep", seconds] => self.pass((seconds.parse::<f64>().unwrap() * 1e6) as u64),
                ["for", "i", "in", "1", "2", "3"] => {
                    for _ in 0..3 {
                        self.knock("a.sock");
                        self.pass(300_000);
                    }
                    return;
                }
                ["python3", _client, "unix", path, ..] => {
                    self.knock(path.rsplit('-').next().unwrap_or(path));
                    self.pass(100_000);
                }
                _other => {}
            }
        }
    }

    /// Somebody connects to the socket unit named as its path is.
    fn knock(&mut self, path: &str) {
        let listens = |text: &String| text.contains(path) && text.contains("[Socket]");
        let Some(unit) = self.texts.iter().find(|(_, text)| listens(text)).map(|(unit, _)| unit.clone())
        else {
            return;
        };
        // A service that runs has the sockets and answers by itself.
        let open = self.state(&unit).starts_with("active/");
        if open && self.state(&unit) != "active/running" {
            *self.knocks.entry(unit.clone()).or_default() += 1;
            self.look(&unit);
        }
    }

    fn look(&mut self, unit: &str) {
        if self.knocks.get(unit).is_some_and(|waiting| *waiting > 0) && self.watched.remove(unit) {
            self.later(0, Event::SocketReady { unit: name(unit) });
        }
    }

    fn wait_for(&mut self, jobs: &[JobId]) -> bool {
        let end = self.now + 25_000_000;
        while jobs.iter().any(|job| !self.ended.contains_key(job)) && self.now < end && self.next(end) {}
        jobs.iter().any(|job| match self.ended.get(job) {
            Some(JobResult::Done | JobResult::Skipped) => false,
            Some(
                JobResult::Canceled
                | JobResult::Timeout
                | JobResult::Failed
                | JobResult::Dependency
                | JobResult::Invalid
                | JobResult::Assert
                | JobResult::Unsupported
                | JobResult::Collected
                | JobResult::Once,
            )
            | None => true,
        })
    }

    /// Until no job is left, no unit is on its way, and nothing was logged for a while.
    fn rest(&mut self) {
        let end = self.now + 8_400_000;
        while self.now < end {
            let before = self.last_event;
            let was_still = self.is_still();
            self.pass(STILL);
            if was_still && self.is_still() && self.last_event == before {
                return;
            }
        }
    }

    fn is_still(&self) -> bool {
        let moves = |unit: &String| {
            let state = self.state(unit);
            ["activating", "deactivating", "reloading"].iter().any(|word| state.starts_with(word))
        };
        !self.texts.keys().any(moves) && self.engine.census().jobs == 0
    }

    fn pass(&mut self, span: u64) {
        let end = self.now + span;
        while self.next(end) && self.now < end {}
        self.now = end;
    }

    /// The next thing that happens until `end`; false: nothing does.
    fn next(&mut self, end: u64) -> bool {
        let deadline = self.engine.next_deadline();
        let event = self.agenda.first_key_value().map(|(key, _)| key.0);
        match (event, deadline) {
            (Some(at), deadline) if at <= end && deadline.is_none_or(|deadline| at <= deadline) => {
                self.now = self.now.max(at);
                if let Some((_, happening)) = self.agenda.pop_first() {
                    match happening {
                        Happening::Fact(event) => self.hear(Input::Fact(event)),
                        Happening::Turn(pid) => self.turn(pid),
                    }
                }
                true
            }
            (_, Some(deadline)) if deadline <= end => {
                self.now = self.now.max(deadline);
                self.hear(Input::Tick);
                true
            }
            (Some(_) | None, Some(_) | None) => {
                self.now = end;
                false
            }
        }
    }

    fn hear(&mut self, input: Input) {
        let now = Moment { monotonic: self.now, realtime: self.now };
        let output = self.engine.step(now, input);
        self.perform(output);
    }

    fn later(&mut self, after: u64, event: Event) {
        self.happenings += 1;
        self.agenda.insert((self.now + after, self.happenings), Happening::Fact(event));
    }

    fn turn_later(&mut self, after: u64, pid: u64) {
        self.happenings += 1;
        self.agenda.insert((self.now + after, self.happenings), Happening::Turn(pid));
    }

    fn perform(&mut self, output: Output) {
        for order in output.orders {
            self.obey(order.action);
        }
        for announcement in output.announcements {
            match announcement {
                Announcement::Answered { request, outcome: Ok(answer) } => {
                    let job = if let Answer::Job(job) = answer { Some(job) } else { None };
                    self.answers.insert(request.0, job);
                }
                Announcement::JobRemoved { job, result, .. } => {
                    self.ended.insert(job, result);
                }
                Announcement::Answered { outcome: Err(_), .. }
                | Announcement::UnitAdded(_)
                | Announcement::UnitRemoved(_)
                | Announcement::UnitChanged(_)
                | Announcement::JobAdded { .. }
                | Announcement::Said { .. }
                | Announcement::StartupFinished => {}
            }
        }
    }

    fn obey(&mut self, action: Action) {
        match action {
            Action::Spawn(spawn) => self.spawn(*spawn),
            Action::Signal { process, signal } => {
                if let Some(pid) = self.pid_of(process) {
                    self.signal(pid, signal);
                }
            }
            Action::SignalSet { unit, signal, but } => {
                for pid in self.members(unit.as_str()) {
                    if !self.processes[&pid].id.is_some_and(|id| but.contains(&id)) {
                        self.signal(pid, signal);
                    }
                }
                self.count(&unit, &but);
            }
            Action::Survey { unit } => self.count(&unit, &[]),
            Action::SetFreezer { unit, freezer } => {
                self.later(0, Event::Freezer { unit, outcome: Ok(freezer) });
            }
            Action::Clean { unit, what: _ } | Action::StopCleaning { unit } => {
                self.later(0, Event::Cleaned { unit, outcome: Ok(()) });
            }
            Action::FindMain { unit, process, how } => self.find(unit, process, how),
            Action::StopFinding { unit } => {
                self.seekers.remove(unit.as_str());
            }
            Action::CheckConditions { unit, conditions, asserts } => {
                let (conditions, asserts) = (vec![true; conditions.len()], vec![true; asserts.len()]);
                self.later(0, Event::ConditionsChecked { unit, conditions, asserts });
            }
            Action::OpenSockets { unit } => self.later(0, Event::SocketsOpened { unit, outcome: Ok(()) }),
            Action::WatchSockets { unit } => {
                self.watched.insert(unit.as_str().to_owned());
                self.look(unit.as_str());
            }
            Action::UnwatchSockets { unit } => {
                self.watched.remove(unit.as_str());
            }
            Action::CloseSockets { unit } | Action::FlushSockets { unit } => {
                self.knocks.remove(unit.as_str());
            }
            Action::RemovePidFile { path } => {
                self.pid_files.remove(base(&path));
            }
            // No case is asked for its health: real systemd knows nothing of it.
            Action::Probe { .. }
            | Action::StopProbe { .. }
            | Action::Forget { .. }
            | Action::StoreFds { .. }
            | Action::RemoveStoredFds { .. }
            | Action::CloseStoredFds { .. }
            | Action::Release { .. }
            | Action::Begin { .. }
            | Action::Load { .. }
            | Action::LookAtMounts
            | Action::WatchBusName { .. }
            | Action::Finish(_) => {}
        }
    }
}

/// Processes.
impl Machine {
    fn spawn(&mut self, spawn: Spawn) {
        let text = self.texts.get(spawn.unit.as_str()).cloned().unwrap_or_default();
        let process = spawn.process;
        if text.contains("EnvironmentFile=/nonexist") {
            self.later(500, Event::Spawned { process });
            self.later(1_000, Event::SetupFailed { process, code: 1, errno: 2 });
            return self.later(1_000, Event::Exited { process, status: ExitStatus::Code(1) });
        }
        self.later(500, Event::Spawned { process });
        if let Some(code) = broken_at(&spawn, &text) {
            self.later(2_000, Event::SetupFailed { process, code, errno: 2 });
            return self.later(2_000, Event::Exited { process, status: ExitStatus::Code(code) });
        }
        if spawn.watch_exec == WatchExec::Yes {
            self.later(1_000, Event::Executed { process });
        }
        let sockets = self.sockets_of(spawn.unit.as_str());
        let (acts, manners) = acts(&spawn, &sockets);
        let role = if spawn.phase == Phase::Start { Role::Start } else { Role::Control };
        if text.contains("Accept=no") || spawn.command.path.ends_with("python3") {
            self.knocks.clear();
        }
        self.add(spawn.unit.as_str(), Some(process), role, manners, acts);
    }

    /// The names of the descriptors a service is handed, as the cases write them.
    fn sockets_of(&self, service: &str) -> Vec<String> {
        let mut names = Vec::new();
        for (unit, text) in self.texts.iter().filter(|(_, text)| text.contains("[Socket]")) {
            let own = unit.replace(".socket", ".service");
            let serves = if text.contains("Service=") { text.contains(service) } else { own == service };
            if serves && self.state(unit).starts_with("active/") {
                let named = text.lines().find_map(|line| line.strip_prefix("FileDescriptorName="));
                let name = named.unwrap_or(unit);
                let count = text.lines().filter(|line| line.starts_with("Listen")).count();
                names.extend(std::iter::repeat_n(name.to_owned(), count));
            }
        }
        names.sort();
        let short = |name: String| name.split_once('-').map_or(name.clone(), |(_, short)| short.to_owned());
        names.into_iter().map(short).collect()
    }

    fn add(&mut self, unit: &str, id: Option<ProcId>, role: Role, manners: Manners, acts: Vec<Act>) -> u64 {
        let pid = self.next_pid;
        self.next_pid += 1;
        let first = acts.first().map(|act| act.after);
        self.processes.insert(pid, Process { unit: unit.to_owned(), id, role, manners, acts: acts.into() });
        if let Some(after) = first {
            self.turn_later(after, pid);
        }
        pid
    }

    /// The process does its next act.
    fn turn(&mut self, pid: u64) {
        let Some(process) = self.processes.get_mut(&pid) else { return };
        let Some(act) = process.acts.pop_front() else { return };
        let next = process.acts.front().map(|act| act.after);
        let (unit, role) = (process.unit.clone(), process.role);
        match act.what {
            What::Log(line) => {
                self.last_event = self.now;
                self.log.push(line);
            }
            What::Notify(assignments) => {
                let sender = if role == Role::Control { NotifySender::Control } else { NotifySender::Main };
                self.notify(&unit, sender, &assignments);
            }
            What::NotifyByChild(assignments) => self.notify(&unit, NotifySender::Member, &assignments),
            What::Child => {
                self.add(&unit, None, Role::Child, Manners::Dies, Vec::new());
            }
            What::ChildAsMain => {
                let child = self.add(&unit, None, Role::Child, Manners::Dies, Vec::new());
                let mut message = notification(&[]);
                message.main = Some(Candidate(child as u32));
                self.later(0, Event::Notified { unit: name(&unit), sender: NotifySender::Main, message });
            }
            What::PidFile(path) => {
                let child = self.next_pid - 1;
                self.pid_files.insert(path, child);
                self.look_for_pid_files();
            }
            What::Kill(signal) => return self.end(pid, ExitStatus::Signal(signal)),
            What::Exit(code) => return self.end(pid, ExitStatus::Code(code)),
        }
        if let Some(after) = next {
            self.turn_later(after, pid);
        }
    }

    fn notify(&mut self, unit: &str, sender: NotifySender, assignments: &[String]) {
        let message = notification(assignments);
        self.later(0, Event::Notified { unit: name(unit), sender, message });
    }

    fn signal(&mut self, pid: u64, signal: i32) {
        const HARMLESS: [i32; 3] = [17, 18, 28];
        let Some(process) = self.processes.get(&pid) else { return };
        match (process.manners, signal) {
            (_, signal) if HARMLESS.contains(&signal) || signal == 0 => {}
            (Manners::IgnoresTerm, 15) => {}
            (Manners::Traps, 15 | 12 | 1) => {
                let word = eudaemon_unit::values::signal::signal_name(signal);
                self.log.push(format!("{} got{word} B", process.unit));
                self.last_event = self.now;
                if signal != 1 {
                    self.end(pid, ExitStatus::Code(0));
                }
            }
            (Manners::Dies | Manners::IgnoresTerm | Manners::Traps, signal) => {
                self.end(pid, ExitStatus::Signal(signal));
            }
        }
    }

    fn end(&mut self, pid: u64, status: ExitStatus) {
        let Some(process) = self.processes.remove(&pid) else { return };
        if let Some(process) = process.id {
            self.later(100, Event::Exited { process, status });
        }
        if self.members(&process.unit).is_empty() {
            let unit = name(&process.unit);
            self.later(200, Event::Occupancy { unit, occupancy: Occupancy::Empty });
        }
    }

    fn members(&self, unit: &str) -> Vec<u64> {
        self.processes.iter().filter(|(_, process)| process.unit == unit).map(|(pid, _)| *pid).collect()
    }

    fn pid_of(&self, id: ProcId) -> Option<u64> {
        self.processes.iter().find(|(_, process)| process.id == Some(id)).map(|(pid, _)| *pid)
    }

    fn count(&mut self, unit: &UnitName, but: &[ProcId]) {
        let members = self.members(unit.as_str());
        let left = members.iter().any(|pid| !self.processes[pid].id.is_some_and(|id| but.contains(&id)));
        let occupancy = if left { Occupancy::Occupied } else { Occupancy::Empty };
        self.later(0, Event::Occupancy { unit: unit.clone(), occupancy });
    }

    fn find(&mut self, unit: UnitName, process: ProcId, how: FindHow) {
        let pid = match how {
            FindHow::PidFile(path) => {
                self.seekers.insert(unit.as_str().to_owned(), (path, process));
                return self.look_for_pid_files();
            }
            FindHow::PidFileNow(path) => self.pid_files.get(base(&path)).copied(),
            FindHow::Guess => match self.members(unit.as_str()).as_slice() {
                [only] => Some(*only),
                _none_or_many => None,
            },
            FindHow::Candidate(candidate) => Some(u64::from(candidate.0)),
        };
        self.found(unit, process, pid);
    }

    fn look_for_pid_files(&mut self) {
        for (unit, (path, process)) in self.seekers.clone() {
            if let Some(pid) = self.pid_files.get(base(&path)).copied() {
                self.seekers.remove(&unit);
                self.found(name(&unit), process, Some(pid));
            }
        }
    }

    fn found(&mut self, unit: UnitName, process: ProcId, pid: Option<u64>) {
        match pid.and_then(|pid| self.processes.get_mut(&pid)) {
            Some(known) => {
                known.id = Some(process);
                self.later(0, Event::MainFound { unit, process });
            }
            None => self.later(0, Event::MainMissing { unit, process, reason: "nobody".into() }),
        }
    }
}

/// What is seen from outside.
impl Machine {
    pub fn state(&self, unit: &str) -> String {
        match self.engine.unit_view(&name(unit)) {
            Some(view) => format!("{:?}/{}", view.active, view.sub).to_lowercase(),
            None => "inactive/dead".into(),
        }
    }

    pub fn take_events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// A property as `systemctl show` prints it; `None`: not known here.
    pub fn property(&self, unit: &str, property: &str) -> Option<String> {
        let view = self.engine.unit_view(&name(unit))?;
        let history = view.history;
        let result = |result: ServiceResult| Some(result_word(result).to_owned());
        let (code, status) = match history.main.status {
            None | Some(ExitStatus::Unknown) => (0, 0),
            Some(ExitStatus::Code(code)) => (1, i32::from(code)),
            Some(ExitStatus::Signal(signal)) => (2, signal),
            Some(ExitStatus::Dumped(signal)) => (3, signal),
        };
        match property {
            "Result" => result(history.result),
            "ReloadResult" => result(history.reload_result),
            "CleanResult" => result(history.clean_result),
            "ExecMainCode" => Some(code.to_string()),
            "ExecMainStatus" => Some(status.to_string()),
            "NRestarts" => Some(history.restarts.to_string()),
            "StatusText" => Some(history.status_text.clone()),
            "StatusErrno" => Some(history.status_errno.to_string()),
            _other => None,
        }
    }
}

/// Pid files go by their last name here.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

fn config(unit: &str, text: &str) -> Config {
    let path = format!("/run/systemd/system/{unit}");
    let unit = name(unit);
    let found = Found {
        name: unit.clone(),
        aliases: Vec::new(),
        fragment: Fragment::File(path.clone()),
        dropins: Vec::new(),
        dependencies: Vec::new(),
    };
    let source = Source { path: &path, text: text.as_bytes() };
    let mut config = merge(&unit, &[source], &found, &Context::default()).config;
    triggers(&mut config);
    config
}

/// A socket triggers the service it names, or that of its own name.
fn triggers(config: &mut Config) {
    use eudaemon_unit::config::unit::Dependency;
    if let Some(socket) = config.socket() {
        let own = format!("{}.service", config.name.stem());
        let service = socket.service.clone().unwrap_or_else(|| name(&own));
        config.unit.dependencies.push((Dependency::Triggers, service));
    }
}
