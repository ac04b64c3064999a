//! What came before this manager: nothing, a manager that died (its state log is in init's vault), or an init that was
//! killed with its manager (the log has a name, and the services live on as children of another).

use crate::lines::{self, Lines};
use crate::machine::Machine;
use crate::options::Mission;
use crate::site::PIDS;
use crate::state_log::{Contents, StateLog};
use eudaemon_engine::api::{InvocationId, Order, ProcId};
use eudaemon_engine::record::Record;
use eudaemon_engine::{Engine, ExitMeans, Settings};
use eudaemon_host::host::{self, Estate, Role as ProcessRole, Snapshot};
use eudaemon_host::orphan::Marks;
use eudaemon_host::place::{Place, Role};
use eudaemon_host::{abilities, limits};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Whose work this manager goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predecessor {
    None,
    Manager,
    Init,
}

/// What there is to go on from.
pub struct Legacy {
    pub predecessor: Predecessor,
    pub log: StateLog,
    pub engine: Engine,
    pub estate: Estate,
    /// Orders of the last batch: they may not have been done.
    pub orders: Vec<Order>,
}

/// Takes over the log of whoever came before, or begins one.
pub fn take(
    snapshot: &mut Snapshot,
    machine: &Machine,
    mission: &Mission,
    lines: &Lines,
) -> io::Result<Legacy> {
    let path = log_path(machine, mission);
    if let Some(path) = &path {
        make_directory(path)?;
        refuse_a_rival(path, &machine.place)?;
    }
    if let Some(file) = snapshot.take_state() {
        let (log, contents) = StateLog::open(file, path)?;
        return revive(Predecessor::Manager, log, contents, machine, lines);
    }
    if let Some(path) = &path
        && let Some(file) = StateLog::left_behind(path)?
    {
        let (log, contents) = StateLog::open(file, Some(path.clone()))?;
        let mut legacy = revive(Predecessor::Init, log, contents, machine, lines)?;
        if find_orphans(&mut legacy) {
            return Ok(legacy);
        }
    }
    revive(Predecessor::None, StateLog::create(path)?, Contents::default(), machine, lines)
}

/// Services outlive init only beside another PID 1. A directory's, in the foreground, are not to.
fn log_path(machine: &Machine, mission: &Mission) -> Option<PathBuf> {
    match (mission, machine.place.role) {
        (Mission::System | Mission::User, Role::Beside) => Some(machine.place.runtime.join("eudaemon/state")),
        (Mission::Directory(_), _) | (_, Role::First) => None,
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Two managers of the same units would start each twice. One whose init was killed a moment ago is about to end. The lock is
/// this process's for life, whoever's child it is.
fn refuse_a_rival(path: &Path, place: &Place) -> io::Result<()> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let lock = rustix::fs::open(path.with_extension("lock"), flags, Mode::RUSR | Mode::WUSR)?;
    let deadline = Instant::now() + limits::RIVAL_ENDS;
    while let Err(error) = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        if error != Errno::WOULDBLOCK {
            return Err(error.into());
        }
        if Instant::now() > deadline {
            let socket = place.private_socket();
            let text = format!("another manager answers on {}: there can be but one here", socket.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        std::thread::sleep(limits::RIVAL_LOOK);
    }
    std::mem::forget(lock);
    Ok(())
}

/// Whether anybody lives of whom the log tells. If not it is of another boot, or of another life of this container.
fn find_orphans(legacy: &mut Legacy) -> bool {
    let estate = &mut legacy.estate;
    let marks = Marks::noted(&estate.notes);
    let noted = noted_pids(&estate.notes);
    for (unit, process, pid) in &noted {
        let run = estate.runs.get(unit);
        if run.is_some_and(|InvocationId(id)| marks.are_on(*pid, unit.as_str(), &host::hex(id))) {
            estate.orphans.push((*process, *pid));
        }
    }
    // A process that was asked for, and whose pid nobody came to note.
    let unnoted = |process: &ProcId| noted.iter().all(|(_, known, _)| known != process);
    for (process, (unit, _)) in estate.owners.iter().filter(|(process, _)| unnoted(process)) {
        let Some(InvocationId(id)) = estate.runs.get(unit) else { continue };
        let is_known = |pid: u32| estate.orphans.iter().any(|(_, known)| *known == pid);
        if let Some(pid) = marks.oldest(unit.as_str(), &host::hex(id), is_known) {
            estate.orphans.push((*process, pid));
        }
    }
    // A process of a unit need be neither its main nor its control process.
    !estate.orphans.is_empty()
        || abilities::cgroup2_mount().is_some_and(|mount| marks.any_is_populated(&mount))
}

fn noted_pids(notes: &BTreeMap<String, Vec<u8>>) -> Vec<(UnitName, ProcId, u32)> {
    let of_unit = |(name, note): (&String, &Vec<u8>)| -> Option<(UnitName, Vec<(ProcId, u32)>)> {
        Some((UnitName::parse(name.strip_prefix(PIDS)?).ok()?, postcard::from_bytes(note).ok()?))
    };
    let units = notes.iter().filter_map(of_unit);
    units.flat_map(|(unit, pids)| pids.into_iter().map(move |(id, pid)| (unit.clone(), id, pid))).collect()
}

/// The engine as the log leaves it, and whose processes are whose.
fn revive(
    predecessor: Predecessor,
    log: StateLog,
    contents: Contents,
    machine: &Machine,
    lines: &Lines,
) -> io::Result<Legacy> {
    let Contents { records, notes, orders, torn } = contents;
    if torn > 0 {
        let text = format!("state log: {torn} bytes of an unfinished entry dropped, all before it was read");
        lines.say(None, None, lines::WARNING, &text);
    }
    let guest = machine.container.is_some() || machine.place.role == Role::Beside;
    let settings = Settings { exit: if guest { ExitMeans::Exit } else { ExitMeans::PowerOff } };
    let mut configs: Vec<Arc<Config>> = Vec::new();
    for (name, note) in &notes {
        if name.starts_with("config/") {
            match postcard::from_bytes(note) {
                Ok(config) => configs.push(Arc::new(config)),
                Err(error) => {
                    lines.say(None, None, lines::ERROR, &format!("state log: {name} cannot be read: {error}"))
                }
            }
        }
    }
    let records = records.into_iter().map(|(key, state)| Record { key, state: Some(state) }).collect();
    let (engine, bad) = Engine::restore(seed()?, settings, configs, records);
    for record in bad {
        let text = format!(
            "state log: the record of {:?} cannot be read ({}), the unit is taken for one that never ran",
            record.key, record.reason
        );
        lines.say(None, None, lines::ERROR, &text);
    }
    let mut owners = BTreeMap::new();
    for view in engine.unit_views() {
        for (process, role) in [(view.main, ProcessRole::Main), (view.control, ProcessRole::Control)] {
            if let Some(process) = process {
                owners.insert(process, (view.config.name.clone(), role));
            }
        }
    }
    let runs = runs_of(&engine);
    Ok(Legacy {
        predecessor,
        log,
        engine,
        estate: Estate { notes, owners, runs, orphans: Vec::new() },
        orders,
    })
}

/// The runs that units are in, or were in last.
fn runs_of(engine: &Engine) -> BTreeMap<UnitName, InvocationId> {
    engine.unit_views().filter_map(|view| Some((view.config.name.clone(), view.invocation?))).collect()
}

fn seed() -> io::Result<u64> {
    let mut bytes = [0u8; 8];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
