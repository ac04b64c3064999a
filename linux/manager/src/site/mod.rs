//! The site: everything around the engine in this process. It is the engine's [`World`]: it writes down what a
//! step changed, has the orders done, tells clients, and waits for what happens next.

mod clients;
mod folder;
mod leaving;
mod loading;
mod memory;

pub use memory::PIDS;

use crate::clock;
use crate::environment::Environment;
use crate::lines::{self, Lines};
use crate::machine::Machine;
use crate::options::Mission;
use crate::signals::{self, Meaning, Standing};
use crate::state_log::StateLog;
use crate::sys::readiness::watch;
use crate::units::Units;
use crate::visitors::Visitors;
use eudaemon_bus::{Incoming, Server};
use eudaemon_engine::Engine;
use eudaemon_engine::api::{
    Action, ActiveState, Event, Finale, Input, Moment, Order, Output, Phase, ProcId, Request, RequestId,
};
use eudaemon_engine::flight::Recorder;
use eudaemon_engine::world::{Waited, World};
use eudaemon_host::host::{self, Birth, Host, News};
use eudaemon_host::place::Role;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::manager::{Asked, Settings};
use eudaemon_unit::name::UnitName;
use folder::{Ending, Folder, Waiting};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;

/// Requests of the manager itself are numbered from here down; those of clients from 1 up.
const OWN_REQUESTS: u64 = u64::MAX / 2;

/// Instants of the manager's own life, for `systemd-analyze` and `show`.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Milestones {
    pub started: Moment,
    pub generators_begun: Moment,
    pub generators_done: Moment,
    pub load_begun: Moment,
    pub load_done: Moment,
    /// When a daemon-reload last read units again.
    pub reloaded: Moment,
    pub finished: Moment,
}

impl Milestones {
    /// The last time that all units were read.
    pub fn read(&self) -> Moment {
        if self.reloaded == Moment::default() { self.load_done } else { self.reloaded }
    }
}

pub struct Site {
    pub host: Host,
    pub units: Units,
    pub machine: Machine,
    pub mission: Mission,
    pub lines: Lines,
    pub milestones: Milestones,
    /// What services are given.
    pub environment: Environment,
    pub settings: Settings,
    /// What is asked for beside settings, by whoever started PID 1.
    pub asked: Asked,
    pub visitors: Visitors,
    /// Pids of ended processes that `show` still names, newest last.
    pub past: BTreeMap<UnitName, Vec<(ProcId, u32)>>,
    pub inbox: VecDeque<Input>,
    /// What the engine was last told is mounted.
    pub mount_table: crate::mounts::Table,
    pub mount_watch: crate::mounts::Watch,
    pub next_request: u64,
    /// Reloads asked for, and those done and not answered yet.
    pub reloads: Vec<RequestId>,
    reloaded: Vec<RequestId>,
    pub reexecute: bool,
    /// When units were loaded that neither the start nor a reload brought.
    pub loaded_late: BTreeMap<UnitName, Moment>,
    /// What a client said in place of the settings.
    pub log_level: Option<String>,
    pub log_target: Option<String>,
    /// What the engine heard last.
    pub recorder: Recorder,
    log: StateLog,
    notes: Vec<(String, Option<Vec<u8>>)>,
    /// Much was held for a moment, by a reload or by what rewrote the log.
    has_room: bool,
    server: Option<Server>,
    runtime: Runtime,
    readiness: AsyncFd<OwnedFd>,
    /// Not by the host's readiness: an epoll within an epoll loses what the kernel tells but once.
    mount_changes: Option<AsyncFd<OwnedFd>>,
    /// Units of kinds that are not started yet, and were to be.
    passed_over: BTreeSet<UnitName>,
    folder: Folder,
    waiting: Waiting,
    standing: Standing,
    /// We have everything stop.
    ending: Option<Ending>,
    /// The request that is to end everything.
    farewell: Option<RequestId>,
    /// The request for the default target.
    pub boot: Option<RequestId>,
    ready_said: bool,
    /// The order that ends everything was given.
    finished: bool,
}

impl Site {
    #[allow(clippy::too_many_arguments, reason = "put together once, by `start`")]
    pub fn new(
        host: Host,
        units: Units,
        machine: Machine,
        mission: Mission,
        lines: Lines,
        log: StateLog,
        server: Server,
        runtime: Runtime,
    ) -> io::Result<Site> {
        let (readiness, mount_changes) = {
            let _inside = runtime.enter();
            let changes = crate::mounts::changes(&lines);
            (watch(host.readiness().try_clone_to_owned()?, Interest::READABLE)?, changes)
        };
        let booted = machine.container.is_none() && machine.place.role == Role::First;
        Ok(Site {
            environment: Environment::new(&machine.environment),
            settings: Settings::default(),
            asked: Asked::default(),
            standing: if booted { Standing::Machine } else { Standing::Guest },
            host,
            units,
            machine,
            mission,
            lines,
            milestones: Milestones { started: clock::now(), ..Milestones::default() },
            visitors: Visitors::default(),
            past: BTreeMap::new(),
            inbox: VecDeque::new(),
            mount_table: BTreeMap::new(),
            mount_watch: crate::mounts::Watch::default(),
            next_request: 1,
            reloads: Vec::new(),
            reloaded: Vec::new(),
            reexecute: false,
            loaded_late: BTreeMap::new(),
            log_level: None,
            log_target: None,
            recorder: Recorder::new(eudaemon_engine::limits::FLIGHT),
            log,
            notes: Vec::new(),
            has_room: false,
            server: Some(server),
            runtime,
            readiness,
            mount_changes,
            passed_over: BTreeSet::new(),
            folder: Folder::default(),
            waiting: Waiting::default(),
            ending: None,
            farewell: None,
            boot: None,
            ready_said: false,
            finished: false,
        })
    }

    fn obey_signal(&mut self, engine: &Engine, signal: i32) {
        // A terminal that was closed: in the foreground that is the wish to end, but not under nohup(1).
        let hung_up = signal == libc::SIGHUP && self.is_folder() && self.lines.on_terminal;
        let signal = if hung_up { libc::SIGTERM } else { signal };
        match signals::meaning(signal, self.standing) {
            Meaning::Ask(request) => {
                let ends = matches!(&request, Request::Job { mode: JobMode::ReplaceIrreversibly, .. });
                // A second, impatient Ctrl-C ends it at once.
                if ends && self.ending.is_some() && signal == libc::SIGINT {
                    self.ending = Some(Ending::Impatience);
                    self.kill_folder(engine);
                    self.ask(engine, Request::FinishNow(Finale::Exit(130)));
                    return;
                }
                let asked = self.ask(engine, request);
                if ends {
                    self.ending = self.ending.or(Some(Ending::Signal));
                    self.farewell = Some(asked);
                    self.expect_end();
                }
            }
            Meaning::Reload => self.reload(engine),
            Meaning::Reexecute => self.reexecute(engine),
            Meaning::ReconnectBus => {
                if let Some(server) = &mut self.server {
                    server.bus_is_down();
                }
                self.look_for_bus(engine);
            }
            Meaning::Nothing => {}
        }
    }

    fn hear(&mut self, engine: &Engine, news: Vec<News>) {
        for one in news {
            match one {
                News::Fact(event) => {
                    if let Event::Spawned { process } = &event
                        && let Some(unit) = engine.unit_of_process(*process)
                    {
                        self.remember_pid(unit, *process);
                    }
                    if let Event::MainFound { process, unit } = &event {
                        self.remember_pid(unit, *process);
                    }
                    self.inbox.push_back(Input::Fact(event));
                }
                News::Signal(signal) => self.obey_signal(engine, signal),
                News::Said { unit, text } => self.lines.say(unit.as_ref(), None, lines::WARNING, &text),
            }
        }
    }

    fn birth(&self, engine: &Engine, unit: &UnitName) -> Birth {
        let sockets: Vec<UnitName> = engine
            .related(unit, eudaemon_engine::graph::Word::TriggeredBy)
            .into_iter()
            .filter(|name| name.kind() == eudaemon_unit::name::UnitKind::Socket)
            .collect();
        let socket_names = sockets.iter().map(|socket| self.socket_name(engine, socket)).collect();
        let directories = self.machine.specifiers.directories.clone();
        let mut environment = self.environment.all();
        let source = engine.unit_view(unit).and_then(|view| view.config.source.as_deref());
        // Debian's scripts hand themselves over to systemctl unless PID 1 is their parent, and would wait for themselves.
        if self.machine.place.role == Role::Beside
            && source.is_some_and(|source| source.starts_with("/etc/init.d/"))
        {
            environment.push("SYSTEMCTL_SKIP_REDIRECT=1".to_owned());
        }
        Birth { sockets, environment, directories, socket_names }
    }

    /// Init is gone, and nobody comes after this manager.
    fn lose_init(&mut self, engine: &Engine, error: &io::Error) {
        let text = match (&self.mission, self.machine.place.role) {
            _ if self.finished => return,
            (Mission::Directory(_), _) => {
                self.let_go(engine);
                format!("{error}: what it ran is told to end by SIGTERM")
            }
            (Mission::System | Mission::User, Role::Beside) => {
                format!("{error}: its services run on, and the next 'eudaemon start' takes them over")
            }
            (Mission::System | Mission::User, Role::First) => error.to_string(),
        };
        self.lines.say(None, None, lines::ERROR, &text);
    }

    /// Has orders done.
    pub fn obey(&mut self, engine: &Engine, orders: Vec<Order>) {
        for order in orders {
            if self.finished {
                // init has everything end; no order is worth anything any more.
                return;
            }
            if let (Action::WatchBusName { name }, Some(server)) = (&order.action, &mut self.server) {
                server.watch_name(name);
            }
            if let Action::Load { unit } = &order.action {
                self.load(engine, std::slice::from_ref(unit));
                continue;
            }
            if order.action == Action::LookAtMounts {
                self.observe_mounts(engine);
                continue;
            }
            let action = self.localised(engine, order.action);
            if let Action::Finish(_) = &action {
                self.finished = true;
                if self.machine.place.role == Role::Beside {
                    // init ends what it is the parent of. What an earlier one left is ended by us.
                    self.let_go(engine);
                }
                self.see_off(engine);
                if self.is_folder() {
                    crate::offer::withdraw(&self.machine.place);
                }
            }
            let subject = crate::orders::subject(engine, &action);
            let config = subject.and_then(|name| engine.unit_view(&name).map(|view| Arc::clone(view.config)));
            // The birth is looked up before the host is borrowed.
            let birth = crate::orders::newborn(&action).map(|unit| self.birth(engine, unit));
            // Other commands are handed none: to open them again would take them from a service that still listens.
            let is_start = matches!(&action, Action::Spawn(spawn) if spawn.phase == Phase::Start);
            for socket in birth.iter().filter(|_| is_start).flat_map(|birth| &birth.sockets) {
                if let Some(view) = engine.unit_view(socket).filter(|view| view.active == ActiveState::Active)
                {
                    self.host.reopen_sockets(socket, view.config);
                }
            }
            self.host.perform(action, config.as_deref(), birth);
        }
    }

    /// A guest has no machine to switch off: for whoever runs the container, the exit code is the end. That of a
    /// folder says how its units did, unless somebody gave one.
    fn localised(&self, engine: &Engine, action: Action) -> Action {
        let action = match (action, self.standing) {
            (Action::Finish(Finale::PowerOff | Finale::Halt | Finale::Kexec), Standing::Guest) => {
                Action::Finish(Finale::Exit(engine.exit_code()))
            }
            (action, Standing::Guest | Standing::Machine) => action,
        };
        let nobody_said = engine.given_exit_code().is_none();
        match self.is_folder() && nobody_said && action == Action::Finish(Finale::Exit(0)) {
            true => Action::Finish(Finale::Exit(self.folder_exit_code(engine))),
            false => action,
        }
    }

    fn socket_name(&self, engine: &Engine, socket: &UnitName) -> String {
        engine.unit_view(socket).map_or_else(|| socket.to_string(), |view| host::descriptor_name(view.config))
    }

    fn wait_for_something(&mut self, deadline: Option<u64>) -> io::Result<Woken> {
        let Site { server, runtime, readiness, mount_changes, .. } = self;
        let pause = deadline.map(|at| Duration::from_micros(at.saturating_sub(clock::now().monotonic)));
        runtime.block_on(async {
            let timer = async {
                // However short it is: who is written to, and who writes, has a turn.
                tokio::task::yield_now().await;
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            let incoming = async {
                match server {
                    Some(server) => server.next().await,
                    None => std::future::pending().await,
                }
            };
            let mounts = async {
                match mount_changes {
                    Some(changes) => {
                        changes.ready(Interest::PRIORITY).await.map(|mut guard| guard.clear_ready())
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                guard = readiness.readable() => {
                    guard?.clear_ready();
                    Ok(Woken::Host)
                }
                changed = mounts => changed.map(|()| Woken::Mounts),
                incoming = incoming => Ok(Woken::Client(incoming)),
                () = timer => Ok(Woken::Deadline),
            }
        })
    }
}

/// Ended processes whose pids `show` may still be asked for, per unit: more than any unit has commands.
const PAST_PIDS: usize = 32;

enum Woken {
    Host,
    Mounts,
    Client(Incoming),
    Deadline,
}

/// A unit the engine knows only as missing is brought again when there is a file now.
fn again(engine: &Engine, config: &Config) -> bool {
    use eudaemon_unit::config::LoadState;
    let known = engine.unit_view(&config.name).map(|view| view.config.load.clone());
    known == Some(LoadState::NotFound) && config.load != LoadState::NotFound
}

impl World for Site {
    fn now(&self) -> Moment {
        clock::now()
    }

    fn witness(&mut self, engine: &Engine, now: Moment, input: &Input) {
        self.recorder.hear(engine, now, input);
    }

    fn perform(&mut self, engine: &Engine, mut output: Output) {
        self.forget_units(engine, &output);
        self.write(&output);
        // init kills us when it reads the last order: all else is said before.
        let is_last = |order: &Order| matches!(order.action, Action::Finish(_));
        let last = output.orders.iter().position(is_last).unwrap_or(output.orders.len());
        let last = output.orders.split_off(last);
        self.obey(engine, output.orders);
        for announcement in output.announcements {
            self.tell(engine, announcement);
        }
        if !last.is_empty() && self.is_folder() && !self.folder.is_empty() {
            self.say_farewell(engine);
        }
        self.obey(engine, last);
    }

    fn wait(&mut self, engine: &Engine, deadline: Option<u64>) -> Waited {
        // All that was heard is written down and done: what it came from may go.
        self.host.settle();
        if engine.job_views().next().is_none() {
            self.host.idles();
            self.say_passed_over();
        }
        self.close_reloads(engine);
        self.forget_mounts(engine);
        self.flush(engine);
        self.let_go_of_units(engine);
        loop {
            // What a reload before it brought is written down first.
            if self.reexecute && self.inbox.is_empty() {
                self.host.settle();
                return Waited::Over;
            }
            let gathered = self.host.flush().and_then(|()| self.host.gather());
            let more = match gathered {
                Ok(news) => {
                    let more = !news.is_empty();
                    self.hear(engine, news);
                    more
                }
                Err(error) => {
                    self.lose_init(engine, &error);
                    return Waited::Over;
                }
            };
            if !self.inbox.is_empty() {
                return Waited::Heard(self.inbox.drain(..).collect());
            }
            // What the engine forgets meanwhile no client sees.
            if deadline.is_some_and(|at| at <= clock::now().monotonic) {
                return Waited::Heard(Vec::new());
            }
            // Readiness is told once: whatever lies behind what was said is asked for now.
            if more {
                continue;
            }
            if self.is_through(engine) {
                self.ending = Some(Ending::Through);
                self.obey_signal(engine, libc::SIGTERM);
                continue;
            }
            let behind = self.host.is_behind().then(|| clock::now().monotonic + 1_000);
            self.say_what_stops(engine);
            let is_untold = self.server.as_ref().is_some_and(Server::is_behind);
            let at_once = (is_untold || self.has_room).then(|| clock::now().monotonic);
            let until = [deadline, behind, self.word_due(), at_once].into_iter().flatten().min();
            match self.wait_for_something(until) {
                Ok(Woken::Host) => {}
                Ok(Woken::Mounts) => self.observe_mounts(engine),
                Ok(Woken::Client(incoming)) => {
                    self.serve(engine, incoming);
                    self.flush(engine);
                    self.let_go_of_units(engine);
                }
                Ok(Woken::Deadline) if deadline.is_some_and(|at| at <= clock::now().monotonic) => {
                    return Waited::Heard(Vec::new());
                }
                Ok(Woken::Deadline) if is_untold => self.flush(engine),
                Ok(Woken::Deadline) if std::mem::take(&mut self.has_room) => crate::sys::memory::give_back(),
                Ok(Woken::Deadline) => {}
                Err(error) => {
                    self.lines.say(None, None, lines::ERROR, &format!("cannot wait: {error}"));
                    return Waited::Over;
                }
            }
        }
    }
}
