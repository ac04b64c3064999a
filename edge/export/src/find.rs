//! The unit that is meant, loaded as a manager loads it, and the sockets that start it.

use crate::options::Request;
use eudaemon_kit::Mode;
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Tree, base_name, join, parent, resolve};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_verify::{Disk, Ground, clean, environment, specifiers};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// A unit that can be used.
#[derive(Debug)]
pub struct Found {
    pub name: String,
    pub config: Config,
    /// The socket units that start it.
    pub sockets: Vec<Config>,
    /// What is said of its files.
    pub remarks: Vec<String>,
    pub readers: Readers,
}

/// Who may read all files of a unit, as permission bits: a script of it holds its `Environment=`, which may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readers(u32);

impl Readers {
    const ALL: Readers = Readers(0o444);

    /// Of a file's permissions those that nobody else has a use for: who may not read a script runs none.
    pub fn narrow(self, mode: Mode) -> Mode {
        mode & Mode::from_raw_mode(self.0 | self.0 >> 1 | self.0 >> 2 | 0o700)
    }

    /// What is built in is no secret.
    fn of(config: &Config, disk: &Disk, root: &str) -> Readers {
        let mode = |path: &String| {
            let end = resolve(&disk.tree, path).ok()?;
            fs::metadata(format!("{root}{}", end.path)).ok().map(|found| found.mode())
        };
        let all = config.fragment.iter().chain(&config.dropins).filter_map(mode);
        Readers(all.fold(Readers::ALL.0, |readers, mode| readers & mode))
    }
}

/// Loads the unit that is asked for.
pub fn unit(request: &Request) -> Result<Found, String> {
    let here = std::env::current_dir().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let root = match request.root.as_str() {
        "" | "/" => String::new(),
        root => clean(&join(&here, root)),
    };
    let disk = Disk::of(&root);
    let (name, folders) = match request.unit.contains('/') {
        true => {
            let path = clean(&join(&here, &request.unit));
            let path = path.strip_prefix(&root).unwrap_or(&path).to_owned();
            if disk.tree.look_at(&path).is_err() {
                return Err(format!("{}: no such file", request.unit));
            }
            (base_name(&path).to_owned(), vec![parent(&path).to_owned()])
        }
        false => (request.unit.clone(), Vec::new()),
    };
    let name = named(&name)?;
    let environment = environment(&root);
    let cx = specifiers(request.scope, &environment);
    let ground = Ground::new(&disk.tree, &disk, &folders, &environment, request.scope, cx);
    let mut found = load(&name, &ground)?;
    found.readers = Readers::of(&found.config, &disk, &root);
    Ok(found)
}

/// A name without a suffix is a service's.
fn named(text: &str) -> Result<UnitName, String> {
    let has_suffix = text.rsplit_once('.').is_some_and(|(_, suffix)| UnitKind::from_suffix(suffix).is_some());
    let text = if has_suffix { text.to_owned() } else { format!("{text}.service") };
    let name = UnitName::parse(&text).map_err(|error| format!("{text}: {error}"))?;
    if name.is_template() {
        let example = text.replace("@.", "@NAME.");
        return Err(format!("{text} is a template: say for which instance, as in '{example}'"));
    }
    match name.kind() == UnitKind::Service {
        true => Ok(name),
        false => {
            let kind = name.kind();
            Err(format!("{text}: a {} unit is no service: name the service it belongs to", kind.suffix()))
        }
    }
}

pub(crate) fn load(name: &UnitName, ground: &Ground<'_>) -> Result<Found, String> {
    let loader = Loader {
        tree: ground.tree,
        index: &ground.index,
        cx: &ground.cx,
        scope: ground.scope,
        surroundings: Surroundings::Machine,
    };
    let merged = loader.one(name);
    let remarks: Vec<String> = merged
        .diagnostics
        .iter()
        .filter(|said| said.severity != Severity::Note)
        .map(ToString::to_string)
        .collect();
    let mut config = merged.config;
    // What systemd adds by itself other managers see to in their own ways: it is nothing that could be lost.
    config.unit.dependencies = loader.written_dependencies(name);
    let why = match &config.load {
        LoadState::Loaded => None,
        LoadState::NotFound => Some("there is no such unit".to_owned()),
        LoadState::Masked => Some("it is masked".to_owned()),
        LoadState::Unreadable(text) | LoadState::Inconsistent(text) => Some(text.clone()),
        LoadState::BadSetting(_) => Some(remarks.join("\n")),
    };
    if let Some(why) = why {
        return Err(format!("{name} cannot be exported: {why}"));
    }
    let sockets = sockets(&config, &loader);
    Ok(Found { name: name.to_string(), config, sockets, remarks, readers: Readers::ALL })
}

/// Those that are named after it or by it, and are for it.
fn sockets<T: Tree + ?Sized>(config: &Config, loader: &Loader<'_, T>) -> Vec<Config> {
    let Some(service) = config.service() else { return Vec::new() };
    let instance = config.name.template().map(|template| template.as_str().replace("@.service", ".socket"));
    let own = format!("{}.socket", config.name.stem());
    let named = [Some(own), instance].into_iter().flatten().filter_map(|name| UnitName::parse(&name).ok());
    let all = named.filter(|name| loader.index.has(name)).chain(service.sockets.iter().cloned());
    let loaded = all.map(|name| loader.load(&name).config);
    let mut found: Vec<Config> = Vec::new();
    for socket in loaded.filter(|socket| socket.load == LoadState::Loaded) {
        let Some(body) = socket.socket() else { continue };
        let is_for = body.service.as_ref().is_none_or(|other| *other == config.name);
        if is_for && !found.iter().any(|known| known.name == socket.name) {
            found.push(socket);
        }
    }
    found
}
