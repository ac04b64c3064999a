//! From exec to the first wait: a first manager makes the machine ready and starts what is to be started, a
//! later one goes on where its predecessor stopped.

use crate::choice;
use crate::legacy::{self, Legacy, Predecessor};
use crate::lines::{self, Lines};
use crate::machine::Machine;
use crate::options::{Mission, Options};
use crate::site::Site;
use crate::state_log::Entry;
use crate::units::Units;
use eudaemon_bus::Server;
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Action, Fate, JobKind, Order, ProcId, Request};
use eudaemon_engine::world::{self, World};
use eudaemon_host::group::Ladder;
use eudaemon_host::host::{Host, Snapshot};
use eudaemon_host::place::{Role, Scope};
use eudaemon_host::{boot, inherited};
use eudaemon_unit::config::LoadState;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

/// The vault entry of the private socket.
const PRIVATE: &str = "private";

/// Runs the manager until it is to be restarted or everything ends.
pub fn run(options: Options) -> io::Result<()> {
    let machine = Machine::look(&options.mission)?;
    let mut lines = Lines::new(&machine.place);
    if let Mission::Directory(directory) = &options.mission {
        lines.column = Some(choice::column(directory));
    }
    let socket = inherited(eudaemon_init::wire::MANAGER_FD).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotConnected,
            "descriptor 3 is not open: the manager is started by init",
        )
    })?;
    // One copy is closed by the end of this process alone, so that init hears of that by its exit code.
    std::mem::forget(socket.try_clone()?);
    let mut snapshot = Snapshot::ask(socket)?;
    let Legacy { predecessor, mut log, mut engine, estate, orders } =
        legacy::take(&mut snapshot, &machine, &options.mission, &lines)?;
    if predecessor != Predecessor::Manager {
        for line in boot::prepare(&machine.place, machine.container.as_deref()) {
            lines.say(None, None, lines::NOTICE, &line);
        }
    }
    let private = snapshot.take(PRIVATE);
    let circumstances = machine.circumstances();
    let (mut host, found) = Host::connect(machine.place.clone(), circumstances, snapshot, &estate)?;
    if let Ladder::Sweep { reason } = host.ladder()
        && predecessor != Predecessor::Manager
    {
        let text = format!(
            "no cgroups: {reason}; a unit's processes are told by a mark that their children inherit"
        );
        // In the foreground it is the common case, and `status` says it.
        let level = if let Mission::Directory(_) = options.mission { lines::DEBUG } else { lines::NOTICE };
        lines.say(None, None, level, &text);
    }
    if predecessor == Predecessor::Init {
        // Whose the orphans are has to be known to a next manager before this one does anything.
        let entry = Entry { records: Vec::new(), notes: host.take_notes(), orders: orders.clone() };
        log.append(&entry)?;
    }
    if predecessor != Predecessor::Manager {
        host.keep_state(log.file().as_fd())?;
    }
    let listener = listen(&machine, &mut host, private)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let server = {
        let _inside = runtime.enter();
        let mut server = Server::new(rustix::process::getuid().as_raw());
        server.listen(listener)?;
        server
    };
    let units = Units::new(&machine, &options.mission);
    let mut site = Site::new(host, units, machine, options.mission, lines, log, server, runtime)?;
    site.remember(&estate.notes);
    site.read_settings();
    match predecessor {
        Predecessor::None => begin(&engine, &mut site),
        Predecessor::Manager | Predecessor::Init => {
            if predecessor == Predecessor::Init {
                site.lines.say(None, None, lines::WARNING, &what_goes_on(&engine, &estate.orphans));
            }
            let output = engine.recover(site.now(), &found.fates);
            site.obey(&engine, undone(orders, &found.fates));
            site.look_for_bus(&engine);
            site.perform(&engine, output);
            site.hold_folder(&engine);
            if !site.is_folder() {
                // Nobody watched in between.
                site.observe_mounts(&engine);
            }
        }
    }
    site.host.ready()?;
    world::run(&mut engine, &mut site);
    Ok(())
}

/// What an operator is told when init was killed.
fn what_goes_on(engine: &Engine, orphans: &[(ProcId, u32)]) -> String {
    let units: BTreeSet<&str> =
        orphans.iter().filter_map(|(id, _)| Some(engine.unit_of_process(*id)?.as_str())).collect();
    let units = units.into_iter().collect::<Vec<_>>().join(", ");
    match units.as_str() {
        "" => "an earlier init was killed; what is left of its services goes on under this one".to_owned(),
        units => format!("an earlier init was killed; its services go on under this one: {units}"),
    }
}

/// What of the last batch may not have been done; all of it bears repeating. Orders are done one after the other, so
/// those before a process that init knows were: to release a unit again would take the new run's directories away.
fn undone(mut orders: Vec<Order>, fates: &BTreeMap<ProcId, Fate>) -> Vec<Order> {
    let is_known =
        |order: &Order| matches!(&order.action, Action::Spawn(spawn) if fates.contains_key(&spawn.process));
    let done = orders.iter().rposition(is_known).map_or(0, |last| last + 1);
    orders.split_off(done)
}

/// The private socket: a predecessor's, with whoever waits in its backlog, or a new one.
fn listen(machine: &Machine, host: &mut Host, kept: Option<OwnedFd>) -> io::Result<UnixListener> {
    let listener = match kept {
        Some(socket) => {
            host.keep(PRIVATE, socket.as_fd())?;
            UnixListener::from(socket)
        }
        None => {
            let path = machine.place.private_socket();
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
            let at = |error: io::Error| {
                io::Error::new(error.kind(), format!("cannot listen on {}: {error}", path.display()))
            };
            let listener = UnixListener::bind(&path).map_err(at)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(at)?;
            host.keep(PRIVATE, listener.as_fd())?;
            crate::offer::offer(&machine.place);
            listener
        }
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// What a first manager starts.
fn begin(engine: &Engine, site: &mut Site) {
    site.milestones.generators_begun = site.now();
    site.generate();
    site.milestones.generators_done = site.now();
    site.milestones.load_begun = site.now();
    site.units.refresh();
    match &site.mission {
        Mission::System if site.machine.place.role == Role::First => site.boot(engine),
        // Beside another PID 1 nothing runs but what is asked for.
        Mission::System => site.observe(engine),
        Mission::User => site.boot(engine),
        Mission::Directory(directory) => match choice::choose(&site.units, directory) {
            Ok(choice) => site.start_folder(engine, choice),
            Err(line) => {
                site.lines.say(None, None, lines::ERROR, &line);
                site.ask(engine, Request::FinishNow(eudaemon_engine::api::Finale::Exit(1)));
                return;
            }
        },
    }
    site.milestones.load_done = site.now();
    site.note_milestones();
}

impl Site {
    /// Brings in what is there before any job, and asks for the default target.
    fn boot(&mut self, engine: &Engine) {
        self.observe(engine);
        if let Some(unit) = self.first_unit() {
            let wish = Request::Job { unit, kind: JobKind::Start, mode: JobMode::Replace };
            self.boot = Some(self.ask(engine, wish));
        }
    }

    /// What PID 1 was asked for or, where that cannot be, the target for repairs; default.target where nothing was asked.
    fn first_unit(&mut self) -> Option<UnitName> {
        let Some(asked) = self.asked.unit.clone() else { return UnitName::parse("default.target").ok() };
        match &self.units.one(&asked).load {
            LoadState::Loaded => Some(asked),
            LoadState::NotFound
            | LoadState::BadSetting(_)
            | LoadState::Inconsistent(_)
            | LoadState::Unreadable(_)
            | LoadState::Masked => {
                let text = format!("cannot start {asked}, which was asked for: rescue.target is started");
                self.lines.say(Some(&asked), None, lines::ERROR, &text);
                UnitName::parse("rescue.target").ok()
            }
        }
    }

    /// Units that exist without a job: the root slice, our own scope, what is mounted.
    fn observe(&mut self, engine: &Engine) {
        let mut names: Vec<UnitName> = ["-.slice", "system.slice", "init.scope", "-.mount"]
            .iter()
            .filter_map(|name| UnitName::parse(name).ok())
            .collect();
        if self.machine.place.scope == Scope::User {
            names.retain(|name| name.as_str() == "-.slice");
        }
        self.load(engine, &names);
        self.observe_mounts(engine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_engine::api::{Directories, InvocationId, Phase, Spawn, Told, WatchExec};
    use eudaemon_unit::config::exec::{ExecCommand, Expansion, Failure, Privileges};

    fn unit() -> UnitName {
        UnitName::parse("a.service").unwrap()
    }

    fn release() -> Action {
        Action::Release { unit: unit(), directories: Directories::Remove }
    }

    fn spawn(process: u64) -> Action {
        let command = ExecCommand {
            path: "/bin/true".into(),
            argv: Vec::new(),
            failure: Failure::Counts,
            expansion: Expansion::Variables,
            privileges: Privileges::AsConfigured,
        };
        Action::Spawn(Box::new(Spawn {
            process: ProcId(process),
            unit: unit(),
            phase: Phase::Start,
            index: 0,
            command,
            invocation: InvocationId([0; 16]),
            watch_exec: WatchExec::No,
            told: Told::default(),
            watchdog_usec: 0,
        }))
    }

    #[test]
    fn what_came_before_a_process_that_init_knows_is_not_done_again() {
        let orders = |actions: Vec<Action>| -> Vec<Order> {
            (1..).zip(actions).map(|(number, action)| Order { number, action }).collect()
        };
        let batch = || orders(vec![release(), spawn(1), Action::Survey { unit: unit() }]);
        let numbers = |orders: Vec<Order>| orders.iter().map(|order| order.number).collect::<Vec<_>>();
        let knows = |id: u64| BTreeMap::from([(ProcId(id), Fate::Alive)]);
        assert_eq!(numbers(undone(batch(), &knows(1))), [3]);
        assert_eq!(numbers(undone(batch(), &knows(2))), [1, 2, 3]);
    }
}
