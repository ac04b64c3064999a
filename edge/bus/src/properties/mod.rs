//! Every property we serve, one table row each: name, D-Bus signature, whether its change is announced, and
//! how it is read. Order and signatures are real systemd's; a wrong signature crashes systemctl, so a test
//! holds every row against what it reads.

mod cgroup;
mod exec;
mod exec_command;
mod job;
mod kept;
mod kill;
mod kinds;
mod limits;
mod manager;
mod mount;
mod ours;
mod service;
mod socket;
mod unit;
mod values;
mod words;

pub use job::{JOB, JobCx};
pub use ours::OURS;
pub use unit::{can_reload, description};
pub use values::{Source, Values, announced};
pub use words::{active_word, load_word, mode_of, mode_word};

use crate::model::{
    CommandRun, Manager, Model, MountRun, Relation, Resources, Run, ServiceRun, SocketRun, Unit,
};
use eudaemon_engine::api::Phase;
use eudaemon_unit::config::exec::{Limit, Resource};
use eudaemon_unit::config::{Bad, Exec, Kill, LoadState, Mount, Service, Socket};
use eudaemon_unit::manager::{Defaults, Settings};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::span::Span;
use std::cell::OnceCell;
use std::sync::LazyLock;
use zbus::{Str, Type, Variant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emits {
    /// Never changes while the unit is loaded.
    Const,
    /// `PropertiesChanged` carries the value.
    Value,
    /// `PropertiesChanged` names it only.
    Invalidates,
    /// Changes are not announced.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
}

/// One property; `F` reads it from what its object is.
#[derive(Clone, Copy, Debug)]
pub struct Property<F> {
    pub name: &'static str,
    pub signature: &'static str,
    pub emits: Emits,
    pub access: Access,
    pub read: F,
}

pub type UnitRow = Property<for<'a> fn(&'a UnitCx<'_>) -> Variant<'a>>;
pub type ManagerRow = Property<for<'a> fn(&'a ManagerCx<'_>) -> Variant<'a>>;
pub type JobRow = Property<for<'a> fn(&'a JobCx<'_>) -> Variant<'a>>;

const fn row(
    name: &'static str,
    signature: &'static str,
    emits: Emits,
    read: for<'a> fn(&'a UnitCx<'_>) -> Variant<'a>,
) -> UnitRow {
    Property { name, signature, emits, access: Access::Read, read }
}

const fn manager_row(
    name: &'static str,
    signature: &'static str,
    emits: Emits,
    read: for<'a> fn(&'a ManagerCx<'_>) -> Variant<'a>,
) -> ManagerRow {
    Property { name, signature, emits, access: Access::Read, read }
}

const fn writable(
    name: &'static str,
    signature: &'static str,
    emits: Emits,
    read: for<'a> fn(&'a ManagerCx<'_>) -> Variant<'a>,
) -> ManagerRow {
    Property { name, signature, emits, access: Access::ReadWrite, read }
}

/// A table's parts, in the order in which real systemd lists them.
pub type Parts<F> = &'static [&'static [Property<F>]];
pub type UnitParts = Parts<for<'a> fn(&'a UnitCx<'_>) -> Variant<'a>>;

pub const UNIT: UnitParts = &[unit::UNIT];
pub const MANAGER: Parts<for<'a> fn(&'a ManagerCx<'_>) -> Variant<'a>> = &[manager::MANAGER];
pub const LOG_CONTROL: Parts<for<'a> fn(&'a ManagerCx<'_>) -> Variant<'a>> = &[manager::LOG_CONTROL];

/// The lists of other units that a unit has.
pub fn relations() -> impl Iterator<Item = &'static UnitRow> {
    let from = unit::UNIT.iter().skip_while(|row| row.name != "Requires");
    from.take_while(|row| row.name != "RequiresMountsFor")
}

/// The interface a kind of unit has beside org.freedesktop.systemd1.Unit.
pub const fn of_kind(kind: UnitKind) -> UnitParts {
    use {cgroup::CGROUP, exec::EXEC, kill::KILL};
    match kind {
        UnitKind::Service => &[service::SERVICE, CGROUP, EXEC, KILL],
        UnitKind::Socket => &[socket::SOCKET, CGROUP, EXEC, KILL],
        UnitKind::Mount => &[mount::MOUNT, CGROUP, EXEC, KILL],
        UnitKind::Swap => &[kinds::SWAP, CGROUP, EXEC, KILL],
        UnitKind::Scope => &[kinds::SCOPE, CGROUP, KILL],
        UnitKind::Slice => &[CGROUP],
        UnitKind::Timer => &[kinds::TIMER],
        UnitKind::Path => &[kinds::PATH],
        UnitKind::Automount => &[kinds::AUTOMOUNT],
        UnitKind::Device => &[kinds::DEVICE],
        UnitKind::Target => &[],
    }
}

/// `org.freedesktop.systemd1.Service` and so on.
pub const fn interface_of_kind(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Service => "org.freedesktop.systemd1.Service",
        UnitKind::Socket => "org.freedesktop.systemd1.Socket",
        UnitKind::Mount => "org.freedesktop.systemd1.Mount",
        UnitKind::Swap => "org.freedesktop.systemd1.Swap",
        UnitKind::Scope => "org.freedesktop.systemd1.Scope",
        UnitKind::Slice => "org.freedesktop.systemd1.Slice",
        UnitKind::Timer => "org.freedesktop.systemd1.Timer",
        UnitKind::Path => "org.freedesktop.systemd1.Path",
        UnitKind::Automount => "org.freedesktop.systemd1.Automount",
        UnitKind::Device => "org.freedesktop.systemd1.Device",
        UnitKind::Target => "org.freedesktop.systemd1.Target",
    }
}

/// Whether systemd lets a client change it while the unit runs.
pub fn is_resource_control(name: &str) -> bool {
    const READ_ONLY: usize = 14;
    cgroup::CGROUP.iter().skip(READ_ONLY).any(|row| row.name == name)
}

/// What the manager's properties are read from.
pub struct ManagerCx<'m> {
    pub model: &'m dyn Model,
    pub facts: Manager,
}

impl ManagerCx<'_> {
    fn settings(&self) -> &Settings {
        self.model.settings()
    }

    fn defaults(&self) -> &Defaults {
        &self.settings().defaults
    }

    fn limit(&self, resource: Resource) -> Limit {
        limits::limit(self.defaults(), resource)
    }

    /// A user's manager has nothing to do with the machine's watchdog.
    fn watchdog(&self, span: Span) -> Variant<'static> {
        num(if self.facts.has_machine { span.0 } else { u64::MAX })
    }

    fn jobs(&self) -> u32 {
        u32::try_from(self.model.jobs().len()).unwrap_or(u32::MAX)
    }
}

/// Whether a unit was read to its end; else it has no defaults.
fn is_filled(load: &LoadState) -> bool {
    match load {
        LoadState::Loaded | LoadState::BadSetting(Bad::Whole) => true,
        LoadState::NotFound
        | LoadState::Masked
        | LoadState::BadSetting(Bad::Line)
        | LoadState::Inconsistent(_)
        | LoadState::Unreadable(_) => false,
    }
}

/// What a unit's properties are read from.
pub struct UnitCx<'m> {
    pub model: &'m dyn Model,
    pub unit: &'m Unit,
    resources: OnceCell<Resources>,
}

static NO_SERVICE: LazyLock<Service> = LazyLock::new(Service::default);
static NO_SOCKET: LazyLock<Socket> = LazyLock::new(Socket::default);
static NO_MOUNT: LazyLock<Mount> = LazyLock::new(Mount::default);
static NO_RUN: LazyLock<ServiceRun> = LazyLock::new(ServiceRun::default);
static NO_SOCKET_RUN: LazyLock<SocketRun> = LazyLock::new(SocketRun::default);
static NO_MOUNT_RUN: LazyLock<MountRun> = LazyLock::new(MountRun::default);

impl<'m> UnitCx<'m> {
    pub fn new(model: &'m dyn Model, unit: &'m Unit) -> UnitCx<'m> {
        UnitCx { model, unit, resources: OnceCell::new() }
    }

    fn service(&self) -> &Service {
        if let Some(service) = self.unit.config.service() { service } else { &NO_SERVICE }
    }

    /// Something was read of it; else its own settings are not even defaults.
    fn is_known(&self) -> bool {
        !matches!(self.unit.config.load, LoadState::NotFound | LoadState::Masked)
    }

    fn is_filled(&self) -> bool {
        is_filled(&self.unit.config.load)
    }

    /// A word that has a default; of a unit that was not read to its end only what was written.
    fn filled(&self, key: &str, word: &'static str) -> Variant<'_> {
        if self.is_filled() { text(word) } else { self.free(key) }
    }

    fn run(&self) -> &ServiceRun {
        if let Run::Service(run) = &self.unit.run { run } else { &NO_RUN }
    }

    fn socket(&self) -> &Socket {
        if let Some(socket) = self.unit.config.socket() { socket } else { &NO_SOCKET }
    }

    fn socket_run(&self) -> &SocketRun {
        if let Run::Socket(run) = &self.unit.run { run } else { &NO_SOCKET_RUN }
    }

    fn mount_run(&self) -> &MountRun {
        if let Run::Mount(run) = &self.unit.run { run } else { &NO_MOUNT_RUN }
    }

    fn command_runs(&self) -> &[(Phase, u32, CommandRun)] {
        match &self.unit.run {
            Run::Service(run) => &run.commands,
            Run::Mount(run) => &run.commands,
            Run::Socket(run) => &run.commands,
            Run::Plain => &[],
        }
    }

    fn mount(&self) -> &Mount {
        if let Some(mount) = self.unit.config.mount() { mount } else { &NO_MOUNT }
    }

    fn exec(&self) -> &Exec {
        self.unit.config.exec().unwrap_or(&NO_SERVICE.exec)
    }

    fn kill(&self) -> &Kill {
        self.unit.config.kill().unwrap_or(&NO_SERVICE.kill)
    }

    fn defaults(&self) -> &Defaults {
        &self.model.settings().defaults
    }

    fn resources(&self) -> &Resources {
        self.resources.get_or_init(|| self.model.resources(&self.unit.config.name))
    }

    fn limit(&self, resource: Resource) -> Limit {
        let set = self.exec().limits.iter().find(|(limited, _)| *limited == resource);
        match set {
            Some((_, limit)) => *limit,
            None if self.is_filled() => limits::limit(self.defaults(), resource),
            None => limits::raised(resource),
        }
    }

    fn related(&self, relation: Relation) -> Variant<'static> {
        unit_names(&self.model.related(&self.unit.config.name, relation))
    }

    /// The slice it is in; none for the root slice, and for a unit that was not found.
    fn slice(&self) -> Variant<'_> {
        let slices = self.unit.config.unit.dependencies.iter();
        let mut slices = slices.filter(|(word, _)| *word == eudaemon_unit::config::Dependency::InSlice);
        slices.next().map_or(text(""), |(_, slice)| text(slice.as_str()))
    }

    fn job(&self) -> Variant<'static> {
        let id = self.unit.job.map_or(0, |job| job.0);
        Variant::from((id, crate::path::job_or_root(self.unit.job)))
    }

    fn unit_file_state(&self) -> &'static str {
        match self.unit.config.fragment {
            Some(_) => self.model.unit_file_state(self.unit.config.name.as_str()).unwrap_or("bad"),
            None => "",
        }
    }

    fn unit_file_preset(&self) -> &'static str {
        match self.unit.config.fragment {
            Some(_) => self.model.unit_file_preset(&self.unit.config.name),
            None => "",
        }
    }

    /// The unit a timer or path activates.
    fn triggered(&self) -> Variant<'static> {
        let units = self.model.related(&self.unit.config.name, Relation::Triggers);
        Variant::from(units.first().map(|unit| unit.as_str().to_owned()).unwrap_or_default())
    }

    fn descriptor_name(&self) -> Variant<'_> {
        text(self.socket().file_descriptor_name.as_deref().unwrap_or(self.unit.config.name.as_str()))
    }
}

fn text(text: &str) -> Variant<'_> {
    Variant::Str(Str::from(text))
}

fn num<T: Into<Variant<'static>>>(number: T) -> Variant<'static> {
    number.into()
}

fn measured(amount: Option<u64>) -> Variant<'static> {
    num(amount.unwrap_or(u64::MAX))
}

fn words(words: &[String]) -> Variant<'static> {
    Variant::from(words.to_vec())
}

fn unit_names(names: &[UnitName]) -> Variant<'static> {
    Variant::from(names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>())
}

/// An empty array whose items would be of type `T`.
fn none<T: Type + Into<Variant<'static>>>() -> Variant<'static> {
    Variant::from(Vec::<T>::new())
}

fn list<S, T: Type + Into<Variant<'static>>>(items: &[S], show: impl Fn(&S) -> T) -> Variant<'static> {
    Variant::from(items.iter().map(show).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_unit::directives::{all, property};

    /// What `eudaemon help` and the reference name is there, and where they name nothing there is nothing of the key's name.
    #[test]
    fn directives_name_their_property() {
        let has = |parts: UnitParts, name: &str| {
            parts.iter().flat_map(|part| part.iter()).any(|row| row.name == name)
        };
        let mut wrong = Vec::new();
        for (section, row) in all() {
            let kind = UnitKind::from_suffix(&section.to_lowercase());
            let is_there = |name: &str| has(UNIT, name) || kind.is_some_and(|kind| has(of_kind(kind), name));
            match property(section, row.key) {
                Some(names) if names.split(", ").all(is_there) => {}
                None if section == "Install" || !is_there(row.key) => {}
                named => wrong.push(format!("[{section}] {}= {named:?}", row.key)),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
