//! A daemon's description.

use crate::life::Life;
use crate::raised;
use crate::sys::over_forks;
use eudaemon_kit::service::Program;
use eudaemon_kit::{
    Announcement, CapabilitySet, Daemon, FdNumber, Ground, Health, Mode, Privileges, Registry, Socket,
    resource_of_number,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A daemon's description, until it is started.
#[pyclass(frozen, module = "eudaemon_kit._kit")]
pub(crate) struct Description {
    name: String,
    daemon: Mutex<Option<Daemon>>,
}

/// One of the keywords, if it is there and not None.
fn given<'a, T: FromPyObjectOwned<'a>>(options: &Bound<'a, PyDict>, name: &str) -> PyResult<Option<T>> {
    let Some(value) = options.get_item(name)?.filter(|value| !value.is_none()) else { return Ok(None) };
    let value: Result<T, T::Error> = value.extract();
    value.map(Some).map_err(|error| {
        let error: PyErr = error.into();
        PyValueError::new_err(format!("{name}: {error}"))
    })
}

fn seconds(options: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<Duration>> {
    let Some(time) = given::<f64>(options, name)? else { return Ok(None) };
    let time = Duration::try_from_secs_f64(time);
    time.map(Some).map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
}

fn privileges(options: &Bound<'_, PyDict>) -> PyResult<Privileges> {
    let mut rights = Privileges::keep();
    if let Some(user) = given::<String>(options, "user")? {
        rights = rights.user(user);
    }
    if let Some(group) = given::<String>(options, "group")? {
        rights = rights.group(group);
    }
    if let Some(groups) = given::<Vec<String>>(options, "groups")? {
        rights = rights.groups(groups);
    }
    if let Some(path) = given::<PathBuf>(options, "root_directory")? {
        rights = rights.root_directory(path);
    }
    let mut kept = CapabilitySet::empty();
    for name in given::<Vec<String>>(options, "capabilities")?.unwrap_or_default() {
        let known = CapabilitySet::from_name(name.strip_prefix("CAP_").unwrap_or(&name));
        kept |=
            known.ok_or_else(|| PyValueError::new_err(format!("capabilities: no capability {name:?}")))?;
    }
    rights = rights.keep_capabilities(kept);
    if given::<bool>(options, "no_new_privileges")? == Some(true) {
        rights = rights.no_new_privileges();
    }
    Ok(rights)
}

/// A socket by its kind, a word of Python's side.
pub(crate) fn socket(kind: &str, name: &str, address: &str) -> PyResult<Socket> {
    match kind {
        "tcp" => Ok(Socket::tcp(name, address)),
        "udp" => Ok(Socket::udp(name, address)),
        "unix" => Ok(Socket::unix(name, address)),
        "unix_datagram" => Ok(Socket::unix_datagram(name, address)),
        _ => Err(PyValueError::new_err(format!(
            "socket {name}: {kind:?} is none of tcp, udp, unix, unix_datagram"
        ))),
    }
}

/// What the package's `Announcement` holds.
#[derive(FromPyObject)]
struct Announced {
    registry: String,
    name: String,
    port: Option<u16>,
    socket: Option<String>,
    address: Option<String>,
    tags: Vec<String>,
    ttl: Option<f64>,
    http: Option<(String, f64)>,
    tcp: Option<f64>,
    service_type: Option<String>,
}

fn announced(daemon: Daemon, one: Announced) -> PyResult<Daemon> {
    let wrong = |reason: String| PyValueError::new_err(format!("announcement {}: {reason}", one.name));
    let time = |seconds: f64| Duration::try_from_secs_f64(seconds).map_err(|error| wrong(error.to_string()));
    let registry = match one.registry.as_str() {
        "consul" => Registry::Consul,
        "avahi" => Registry::Avahi,
        other => return Err(wrong(format!("{other:?} is none of consul, avahi"))),
    };
    let mut announcement = Announcement::new(one.name.as_str());
    if let Some(port) = one.port {
        announcement = announcement.port(port);
    }
    if let Some(socket) = &one.socket {
        announcement = announcement.socket(socket.as_str());
    }
    if let Some(address) = &one.address {
        let number = address.parse().map_err(|_| wrong(format!("{address:?} is no IP address")))?;
        announcement = announcement.address(number);
    }
    announcement = match (one.ttl, &one.http, one.tcp) {
        (None, None, None) => announcement,
        (Some(within), None, None) => announcement.health(Health::Ttl(time(within)?)),
        (None, Some((path, every)), None) => announcement.health(Health::Http(path.clone(), time(*every)?)),
        (None, None, Some(every)) => announcement.health(Health::Tcp(time(every)?)),
        _ => return Err(wrong("expected one of ttl, http, tcp".to_owned())),
    };
    if let Some(service_type) = &one.service_type {
        announcement = announcement.service_type(service_type.as_str());
    }
    let announcement = one.tags.iter().fold(announcement, |announcement, tag| announcement.tag(tag.as_str()));
    Ok(daemon.announce(registry, announcement))
}

fn described(name: &str, options: &Bound<'_, PyDict>) -> PyResult<Daemon> {
    let mut daemon = Daemon::new(name).privileges(privileges(options)?);
    if let Some(background) = given::<bool>(options, "background")? {
        daemon = daemon.ground(if background { Ground::Background } else { Ground::Foreground });
    }
    if let Some(path) = given::<PathBuf>(options, "pid_file")? {
        daemon = daemon.pid_file(path);
    }
    let sockets = given::<Vec<(String, String, String, Option<u32>)>>(options, "sockets")?;
    for (kind, name, address, mode) in sockets.unwrap_or_default() {
        let socket = socket(&kind, &name, &address)?;
        daemon = daemon.socket(match mode {
            Some(mode) => socket.mode(Mode::from_raw_mode(mode)),
            None => socket,
        });
    }
    for one in given::<Vec<Announced>>(options, "announcements")?.unwrap_or_default() {
        daemon = announced(daemon, one)?;
    }
    if let Some(path) = given::<PathBuf>(options, "directory")? {
        daemon = daemon.directory(path);
    }
    if let Some(umask) = given::<u32>(options, "umask")? {
        daemon = daemon.umask(Mode::from_raw_mode(umask));
    }
    if let Some(path) = given::<PathBuf>(options, "stdout")? {
        daemon = daemon.stdout(path);
    }
    if let Some(path) = given::<PathBuf>(options, "stderr")? {
        daemon = daemon.stderr(path);
    }
    if let Some(names) = given::<Vec<OsString>>(options, "only_variables")? {
        daemon = daemon.only_variables(names);
    }
    for (resource, to) in given::<Vec<(u32, u64)>>(options, "limits")?.unwrap_or_default() {
        let known = resource_of_number(resource);
        let known = known.ok_or_else(|| PyValueError::new_err(format!("limits: no resource {resource}")))?;
        daemon = daemon.limit(known, to);
    }
    for fd in given::<Vec<i32>>(options, "keep")?.unwrap_or_default() {
        daemon = daemon.keep(&fd);
    }
    if let Some(fd) = given::<i32>(options, "notification_fd")? {
        daemon = daemon.notification_fd(FdNumber(fd));
    }
    if let Some(time) = seconds(options, "stop_within")? {
        daemon = daemon.stop_within(time);
    }
    if let Some(time) = seconds(options, "ready_within")? {
        daemon = daemon.ready_within(time);
    }
    Ok(daemon)
}

/// What the package's `_program` tells: a word, the interpreter, and what it reads or why nobody could.
fn program_of((kind, interpreter, what): (String, PathBuf, OsString)) -> PyResult<Program> {
    let text = || what.to_string_lossy().into_owned();
    match kind.as_str() {
        "script" => Ok(Program::Script { interpreter, path: PathBuf::from(what) }),
        "module" => Ok(Program::Module { interpreter, name: text() }),
        "unknown" => Ok(Program::Unknown { why: text() }),
        _ => Err(PyValueError::new_err(format!("program: {kind:?} is none of script, module, unknown"))),
    }
}

#[pymethods]
impl Description {
    /// Keywords as the class `Daemon` of the package has them; the others are refused there.
    #[new]
    fn new(name: String, options: &Bound<'_, PyDict>) -> PyResult<Description> {
        let daemon = Mutex::new(Some(described(&name, options)?));
        Ok(Description { name, daemon })
    }

    /// Sets everything up. In the background only the daemon comes back from it. An error is raised untold; in the
    /// background it was told in front, and the process ends.
    fn start(&self, py: Python<'_>) -> PyResult<Life> {
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner).take();
        let daemon =
            daemon.ok_or_else(|| PyRuntimeError::new_err(format!("{} was started already", self.name)))?;
        let started = over_forks(py, || daemon.start());
        started.map(Life::new).map_err(|error| raised(&error))
    }

    /// Answers who asks the program about its service: what to exit with, or nothing where the program is meant itself.
    fn answer_service(
        &self,
        py: Python<'_>,
        words: Vec<OsString>,
        description: &str,
        program: (String, PathBuf, OsString),
        arguments: Vec<OsString>,
    ) -> PyResult<Option<u8>> {
        let program = program_of(program)?;
        // Managers are waited for; nobody else who wants the description has to wait for the interpreter too.
        let answered = py.detach(|| {
            let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
            let daemon = daemon.as_ref()?;
            Some(daemon.answer_service_as(words, description, &program, arguments))
        });
        answered.ok_or_else(|| PyRuntimeError::new_err(format!("{} was started already", self.name)))
    }

    /// Unit files for the daemon: pairs of a name and a text.
    fn unit_files(
        &self,
        description: &str,
        program: PathBuf,
        arguments: Vec<OsString>,
    ) -> PyResult<Vec<(String, String)>> {
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        let daemon = daemon.as_ref();
        let daemon =
            daemon.ok_or_else(|| PyRuntimeError::new_err(format!("{} was started already", self.name)))?;
        let files = daemon.unit_files(description, &program, arguments).map_err(|error| raised(&error))?;
        Ok(files.into_iter().map(|file| (file.name, file.text)).collect())
    }
}
