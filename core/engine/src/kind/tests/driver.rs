//! The one place of these tests that knows the API: a unit, its surroundings, and the notation.

use crate::api::{
    Action, Candidate, ExitStatus, FindHow, Freezer, InvocationId, Moment, Notification, NotifySender,
    Occupancy, Ownership, Parcel, ProcId, ServiceResult, Spawn, Trouble, WatchExec, Watchdog,
};
use crate::kind::service::result_word;
use crate::kind::{
    Cx, Effects, HealthInput, HealthNews, History, Input, Level, Presence, ProcessIds, Reply, Restarts, Run,
    State, StopFor, Triggered, step,
};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::Span;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::values::signal::{parse_signal, signal_name};
use expect_test::Expect;
use std::fmt::Write;

/// Plays a script with a unit and compares the whole transcript.
pub fn check(unit: &str, script: &str, expect: Expect) {
    let mut stage = Stage::new("web.service", unit);
    stage.play(script);
    expect.assert_eq(&stage.transcript);
}

/// The same for a unit of another name, and so of another kind.
pub fn check_named(name: &str, unit: &str, script: &str, expect: Expect) {
    let mut stage = Stage::new(name, unit);
    stage.play(script);
    expect.assert_eq(&stage.transcript);
}

/// A unit's configuration from its text, which has to be a good one.
pub fn config(name: &UnitName, text: &str) -> Config {
    let path = format!("/etc/systemd/system/{name}");
    let found = Found {
        name: name.clone(),
        aliases: Vec::new(),
        fragment: Fragment::File(path.clone()),
        dropins: Vec::new(),
        dependencies: Vec::new(),
    };
    let merged = merge(name, &[Source { path: &path, text: text.as_bytes() }], &found, &Context::default());
    assert_eq!(merged.config.load, LoadState::Loaded, "{:?}", merged.diagnostics);
    merged.config
}

#[derive(Clone, Copy, PartialEq)]
enum Spawning {
    Answered,
    Held,
}

/// One unit on an empty stage.
pub struct Stage {
    name: UnitName,
    config: Config,
    pub state: State,
    pub history: History,
    run: Run,
    process_ids: ProcessIds,
    restarts: Restarts,
    now: u64,
    spawning: Spawning,
    pub transcript: String,
    /// What was said, and how loud.
    pub said: Vec<(Level, String)>,
}

impl Stage {
    pub fn new(name: &str, unit: &str) -> Stage {
        let name = UnitName::parse(name).unwrap();
        let config = config(&name, unit);
        Stage {
            state: State::initial(&config),
            name,
            config,
            history: History::default(),
            run: Run::default(),
            process_ids: ProcessIds { next: 1 },
            restarts: Restarts::Allowed,
            now: 100_000_000,
            spawning: Spawning::Answered,
            transcript: String::new(),
            said: Vec::new(),
        }
    }

    /// Seconds until the deadline.
    pub fn delay(&self) -> Option<f64> {
        self.state.deadline().map(|deadline| (deadline - self.now) as f64 / 1e6)
    }

    pub fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(self.transcript, "{line}").unwrap();
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "hold" => self.spawning = Spawning::Held,
            "barred" => self.restarts = Restarts::Barred,
            "thaw" => self.thaw(),
            "show" => self.show(),
            "health" => self.show_health(),
            "unit" => self.reconfigure(line),
            word if word.starts_with('+') => self.pass(span(&word[1..])),
            _ => {
                let input = input(&words);
                self.hear(input);
            }
        }
    }

    /// Time passes, stopping at each deadline on the way.
    fn pass(&mut self, span: u64) {
        let end = self.now + span;
        for _ in 0..100 {
            match self.state.deadline() {
                Some(deadline) if deadline <= end => {
                    self.now = self.now.max(deadline);
                    self.hear(Input::Deadline);
                }
                Some(_) | None => break,
            }
        }
        self.now = end;
    }

    /// The state is written down and read again, as a new engine would: the transcript shows what it orders again.
    fn thaw(&mut self) {
        let frozen = postcard::to_allocvec(&(&self.state, &self.history)).unwrap();
        (self.state, self.history) = postcard::from_bytes(&frozen).unwrap();
        let (config, state) = (self.config.clone(), self.state.clone());
        let orders = self.with_cx(|cx| state.waiting_for(&config, cx)).0;
        for order in orders {
            writeln!(self.transcript, "    again: {}", print(&order)).unwrap();
        }
    }

    /// What is written down is small, and nothing is lost by it: in every test, before every step.
    fn survive(&mut self) {
        let frozen = postcard::to_allocvec(&self.state).unwrap();
        assert!(frozen.len() <= 96, "a state of {} bytes: {:?}", frozen.len(), self.state);
        let thawed: State = postcard::from_bytes(&frozen).unwrap();
        assert_eq!(thawed, self.state, "freezing and thawing changes nothing");
    }

    fn show(&mut self) {
        let History { result, reload_result, main, restarts, status_text, status_errno, .. } = &self.history;
        let status = main.status.map_or("-".to_owned(), status_word);
        let (result, reload) = (result_word(*result), result_word(*reload_result));
        let main_pid = self.state.main().map_or("-".to_owned(), |main| format!("p{}", main.id.0));
        writeln!(
            self.transcript,
            "    main {main_pid} ended {status}, result {result}, reload {reload}, restarts {restarts}, \
             status {status_text:?} {status_errno}"
        )
        .unwrap();
    }

    fn show_health(&mut self) {
        let Some(health) = self.state.health() else {
            return writeln!(self.transcript, "    not asked").unwrap();
        };
        let (verdict, failures, in_vain) = (health.verdict.word(), health.failures, health.in_vain);
        let since = (self.now - health.since.monotonic) as f64 / 1e6;
        let trouble = health.trouble.as_deref().unwrap_or("no trouble");
        writeln!(
            self.transcript,
            "    {verdict} for {since}s, {failures} failed, {in_vain} in vain, {trouble}"
        )
        .unwrap();
    }

    /// The unit file says something else: `unit`, then its lines, parted by ` | `.
    fn reconfigure(&mut self, line: &str) {
        let text = line.trim_start_matches("unit ").replace(" | ", "\n");
        self.config = config(&self.name, &text);
        self.hear(Input::Health(HealthInput::Reconfigured));
    }

    pub fn hear(&mut self, input: Input) {
        self.survive();
        let before = (self.state.active_state(), self.state.sub_state(), self.history.result);
        let (config, state) = (self.config.clone(), self.state.clone());
        let (state, effects) = self.with_cx(|cx| step(state, input, &config, cx));
        self.state = state;
        let spawned: Vec<ProcId> = effects.orders.iter().filter_map(spawned).collect();
        self.print_effects(&effects);
        self.print_state(before);
        if self.spawning == Spawning::Answered {
            for process in spawned {
                self.hear(Input::Spawned { process });
            }
        }
    }

    fn with_cx<T>(&mut self, act: impl FnOnce(&mut Cx) -> T) -> (T, Effects) {
        let mut cx = Cx {
            now: Moment { monotonic: self.now, realtime: self.now },
            unit: &self.name,
            run: &mut self.run,
            next_invocation: InvocationId([7; 16]),
            restarts: self.restarts,
            was_up: Span::ZERO,
            history: &mut self.history,
            process_ids: &mut self.process_ids,
            effects: Effects::default(),
        };
        let value = act(&mut cx);
        let effects = cx.effects;
        (value, effects)
    }

    fn print_effects(&mut self, effects: &Effects) {
        let Effects { orders, reply, reload, reloads_itself, went_down, restart_due, trigger, .. } = effects;
        let Effects { said, health, unhealthy, .. } = effects;
        self.said.extend_from_slice(said);
        let out = &mut self.transcript;
        for (_, text) in said {
            writeln!(out, "    say {text}").unwrap();
        }
        for order in orders {
            writeln!(out, "    {}", print(order)).unwrap();
        }
        if *reply != Reply::Taken {
            writeln!(out, "    reply {reply:?}").unwrap();
        }
        if let Some(outcome) = reload {
            writeln!(out, "    reload {outcome:?}").unwrap();
        }
        if *reloads_itself {
            writeln!(out, "    reloads itself").unwrap();
        }
        if let Some(down) = went_down {
            writeln!(out, "    went down: {down:?}").unwrap();
        }
        if *restart_due {
            writeln!(out, "    restart due").unwrap();
        }
        if *trigger {
            writeln!(out, "    trigger").unwrap();
        }
        match health {
            HealthNews::None => {}
            HealthNews::Same => writeln!(out, "    of its health alone").unwrap(),
            HealthNews::Changed => writeln!(out, "    of its health alone, and it is another").unwrap(),
        }
        if let Some(trouble) = unhealthy {
            writeln!(out, "    ends unhealthy: {trouble}").unwrap();
        }
    }

    fn print_state(&mut self, before: (crate::api::ActiveState, &'static str, ServiceResult)) {
        let after = (self.state.active_state(), self.state.sub_state(), self.history.result);
        if before == after {
            return;
        }
        let active = format!("{:?}", after.0).to_lowercase();
        write!(self.transcript, "  = {active}/{}", after.1).unwrap();
        if after.2 != ServiceResult::Success {
            write!(self.transcript, " ({})", result_word(after.2)).unwrap();
        }
        if let Some(deadline) = self.state.deadline() {
            write!(self.transcript, " until {}s", (deadline - self.now) as f64 / 1e6).unwrap();
        }
        self.transcript.push('\n');
    }
}

fn spawned(action: &Action) -> Option<ProcId> {
    if let Action::Spawn(spawn) = action { Some(spawn.process) } else { None }
}

fn print(action: &Action) -> String {
    let but = |but: &[ProcId]| but.iter().map(|process| format!(" but p{}", process.0)).collect::<String>();
    match action {
        Action::Spawn(spawn) => print_spawn(spawn),
        Action::Signal { process, signal } => format!("signal p{} {}", process.0, signal_name(*signal)),
        Action::SignalSet { unit: _, signal, but: spared } => {
            format!("signal-set {}{}", signal_name(*signal), but(spared))
        }
        Action::Survey { .. } => "survey".into(),
        Action::Probe { process, .. } => format!("probe p{}", process.0),
        Action::StopProbe { process } => format!("stop-probe p{}", process.0),
        Action::FindMain { unit: _, process, how } => {
            let how = match how {
                FindHow::PidFile(path) => format!("pid-file {path}"),
                FindHow::PidFileNow(path) => format!("pid-file-now {path}"),
                FindHow::Guess => "guess".into(),
                FindHow::Candidate(candidate) => format!("candidate {}", candidate.0),
            };
            format!("find-main p{} {how}", process.0)
        }
        Action::StopFinding { .. } => "stop-finding".into(),
        Action::OpenSockets { .. } => "open-sockets".into(),
        Action::WatchSockets { .. } => "watch-sockets".into(),
        Action::UnwatchSockets { .. } => "unwatch-sockets".into(),
        Action::CloseSockets { .. } => "close-sockets".into(),
        Action::FlushSockets { .. } => "flush-sockets".into(),
        Action::StoreFds { unit: _, parcel, name, most } => {
            format!("store-fds {} as {name}, {most} at most", parcel.0)
        }
        Action::RemoveStoredFds { unit: _, name } => format!("remove-stored-fds {name}"),
        Action::CloseStoredFds { .. } => "close-stored-fds".into(),
        Action::RemovePidFile { path } => format!("remove-pid-file {path}"),
        Action::Release { unit: _, directories } => format!("release, directories {directories:?}"),
        Action::Begin { .. } => "begin".into(),
        Action::LookAtMounts => "look at mounts".into(),
        Action::WatchBusName { name } => format!("watch-bus-name {name}"),
        Action::Forget { .. }
        | Action::CheckConditions { .. }
        | Action::SetFreezer { .. }
        | Action::Clean { .. }
        | Action::StopCleaning { .. }
        | Action::Load { .. }
        | Action::Finish(_) => {
            panic!("not a kind's order: {action:?}")
        }
    }
}

fn print_spawn(spawn: &Spawn) -> String {
    let mut line = format!("spawn p{} {:?}", spawn.process.0, spawn.phase);
    if spawn.index > 0 {
        write!(line, "[{}]", spawn.index).unwrap();
    }
    write!(line, " {}", spawn.command.argv.join(" ")).unwrap();
    if let Some(main) = spawn.told.main {
        write!(line, " MAINPID=p{}", main.0).unwrap();
    }
    if let Some(result) = spawn.told.result {
        write!(line, " SERVICE_RESULT={}", result_word(result)).unwrap();
    }
    if let Some(status) = spawn.told.exit {
        write!(line, " EXIT={}", status_word(status)).unwrap();
    }
    if spawn.watch_exec == WatchExec::Yes {
        line += ", its exec watched";
    }
    if spawn.watchdog_usec > 0 {
        write!(line, " WATCHDOG_USEC={}", spawn.watchdog_usec).unwrap();
    }
    line
}

fn status_word(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => code.to_string(),
        ExitStatus::Signal(signal) => signal_name(signal),
        ExitStatus::Dumped(signal) => format!("{}+core", signal_name(signal)),
        ExitStatus::Unknown => "unknown".into(),
    }
}

fn input(words: &[&str]) -> Input {
    let word = |index: usize| *words.get(index).unwrap_or_else(|| panic!("more words wanted: {words:?}"));
    let process = || ProcId(word(1).trim_start_matches('p').parse().unwrap());
    let signal = || parse_signal(word(2)).unwrap();
    // Left out, there is no such file.
    let errno = || words.get(3).map_or(2, |number| number.parse().unwrap());
    let exited = |status| Input::Exited { process: process(), status };
    match word(0) {
        "start" => Input::Start,
        "start-limit" => Input::StartLimitHit,
        "stop" => Input::Stop(StopFor::Stop),
        "restart" => Input::Stop(StopFor::Restart),
        "reload" => Input::Reload,
        "reset-failed" => Input::ResetFailed,
        "spawned" => Input::Spawned { process: process() },
        "fork-failed" => Input::SpawnFailed { process: process(), trouble: Trouble::errno(11) },
        "exec" => Input::Executed { process: process() },
        "setup" => Input::SetupFailed { process: process(), code: word(2).parse().unwrap(), errno: errno() },
        "exit" => exited(ExitStatus::Code(word(2).parse().unwrap())),
        "kill" => exited(ExitStatus::Signal(signal())),
        "dump" => exited(ExitStatus::Dumped(signal())),
        "gone" => exited(ExitStatus::Unknown),
        "found" => Input::MainFound { process: process() },
        "missing" => Input::MainMissing { process: process(), reason: words[2..].join(" ") },
        "empty" => Input::Occupancy(Occupancy::Empty),
        "occupied" => Input::Occupancy(Occupancy::Occupied),
        "owned" => Input::BusName(Ownership::Owned),
        "free" => Input::BusName(Ownership::Free),
        "oom" => Input::OutOfMemory,
        "opened" => Input::SocketsOpened(Ok(())),
        "not-opened" => {
            Input::SocketsOpened(Err(Trouble { errno: 98, step: "cannot bind /run/web.sock".into() }))
        }
        "knock" => Input::SocketReady,
        "service-down" => Input::Triggered(Triggered::Inactive),
        "service-up" => Input::Triggered(Triggered::Active),
        "service-limit" => Input::Triggered(Triggered::StartLimitHit),
        "trigger-refused" => Input::TriggerRefused,
        "restart-refused" => Input::RestartRefused,
        "mounted" => Input::Mount(Presence::Present),
        "unmounted" => Input::Mount(Presence::Absent),
        "well" => probed(process(), Ok(())),
        "unwell" => probed(process(), Err(words[2..].join(" "))),
        "frozen" => Input::Health(HealthInput::Freezer(Freezer::Frozen)),
        "thawed" => Input::Health(HealthInput::Freezer(Freezer::Running)),
        "recovered" => Input::Health(HealthInput::Recovered),
        "main" => notified(NotifySender::Main, &words[1..]),
        "control" => notified(NotifySender::Control, &words[1..]),
        "member" => notified(NotifySender::Member, &words[1..]),
        _ => panic!("no such line: {words:?}"),
    }
}

fn probed(process: ProcId, outcome: Result<(), String>) -> Input {
    Input::Health(HealthInput::Probed { process, outcome })
}

fn notified(sender: NotifySender, fields: &[&str]) -> Input {
    let mut message = Notification::default();
    for field in fields {
        let (key, value) = field.split_once('=').unwrap();
        let number = || value.parse::<u64>().unwrap();
        match key {
            "READY" => message.ready = value == "1",
            "RELOADING" => message.reloading = true,
            "STOPPING" => message.stopping = true,
            "MONOTONIC_USEC" => message.monotonic_usec = Some(number()),
            "STATUS" => message.status = Some(value.into()),
            "ERRNO" => message.errno = Some(value.parse().unwrap()),
            "BUSERROR" => message.bus_error = Some(value.into()),
            "MAINPID" => message.main = Some(Candidate(value.parse().unwrap())),
            "WATCHDOG" if value == "trigger" => message.watchdog = Some(Watchdog::Trigger),
            "WATCHDOG" => message.watchdog = Some(Watchdog::Ping),
            "WATCHDOG_USEC" => message.watchdog_usec = Some(number()),
            "EXTEND_TIMEOUT_USEC" => message.extend_timeout_usec = Some(number()),
            "FDSTORE" => message.fd_store = Some(Parcel(number())),
            "FDSTOREREMOVE" => message.fd_store_remove = true,
            "FDNAME" => message.fd_name = Some(value.into()),
            _ => panic!("no such field: {field}"),
        }
    }
    Input::Notified { sender, message: Box::new(message) }
}

fn span(text: &str) -> u64 {
    eudaemon_unit::values::timespan::parse_timespan(text).map(|span| span.0).unwrap()
}
