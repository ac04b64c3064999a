//! From a message to the row of a table that serves it: object, interface, member, arguments, right.
//! The texts of errors are sd-bus's, since clients print and compare them.

use crate::call::{Call, Outcome};
use crate::clients::Clients;
use crate::fault::Fault;
use crate::methods::{self, Method, Right, Served, Signal, Target, signature};
use crate::model::{Job, Model, Setting, Unit};
use crate::path::{self, Place};
use crate::properties::{
    self, Access, Emits, JobCx, ManagerCx, Parts, Source, UnitCx, Values, interface_of_kind, of_kind,
};
use crate::{introspect, limits};
use eudaemon_engine::api::InvocationId;
use eudaemon_unit::name::{UnitKind, UnitName};
use zbus::{OwnedVariant, Variant};

const PEER: &str = "org.freedesktop.DBus.Peer";
const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const LOG_CONTROL: &str = "org.freedesktop.LogControl1";

/// The objects we have, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Manager,
    LogControl,
    Unit(UnitKind),
    Job,
}

/// One interface of an object.
pub struct Interface {
    pub name: &'static str,
    pub table: Table,
    /// In parts, as property tables are.
    pub methods: &'static [&'static [Method]],
    pub signals: &'static [Signal],
}

/// The property table of an interface.
#[derive(Clone, Copy)]
pub enum Table {
    Manager(Parts<<ManagerCx<'static> as Source>::Read>),
    Unit(Parts<<UnitCx<'static> as Source>::Read>),
    Job(Parts<<JobCx<'static> as Source>::Read>),
}

impl Object {
    pub const fn interfaces(self) -> &'static [Interface] {
        match self {
            Object::Manager => &[Interface {
                name: "org.freedesktop.systemd1.Manager",
                table: Table::Manager(properties::MANAGER),
                methods: &[methods::MANAGER],
                signals: methods::MANAGER_SIGNALS,
            }],
            Object::LogControl => &[Interface {
                name: LOG_CONTROL,
                table: Table::Manager(properties::LOG_CONTROL),
                methods: &[],
                signals: &[],
            }],
            Object::Job => &[Interface {
                name: "org.freedesktop.systemd1.Job",
                table: Table::Job(properties::JOB),
                methods: &[methods::JOB],
                signals: &[],
            }],
            Object::Unit(kind) => kind_interfaces(kind),
        }
    }
}

/// The kind's own interface, then the one all units have.
const fn kind_interfaces(kind: UnitKind) -> &'static [Interface] {
    macro_rules! with_unit {
        ($kind:ident, $methods:expr, $signals:expr) => {
            const {
                &[
                    Interface {
                        name: interface_of_kind(UnitKind::$kind),
                        table: Table::Unit(of_kind(UnitKind::$kind)),
                        methods: &[$methods],
                        signals: $signals,
                    },
                    Interface {
                        name: "org.freedesktop.systemd1.Unit",
                        table: Table::Unit(properties::UNIT),
                        methods: &[methods::UNIT],
                        signals: &[],
                    },
                ]
            }
        };
    }
    match kind {
        UnitKind::Service => with_unit!(Service, methods::SERVICE, &[]),
        UnitKind::Socket => with_unit!(Socket, methods::WITH_CGROUP, &[]),
        UnitKind::Mount => with_unit!(Mount, methods::WITH_CGROUP, &[]),
        UnitKind::Swap => with_unit!(Swap, methods::WITH_CGROUP, &[]),
        UnitKind::Slice => with_unit!(Slice, methods::WITH_CGROUP, &[]),
        UnitKind::Scope => with_unit!(Scope, methods::SCOPE, methods::SCOPE_SIGNALS),
        UnitKind::Target => with_unit!(Target, &[], &[]),
        UnitKind::Device => with_unit!(Device, &[], &[]),
        UnitKind::Automount => with_unit!(Automount, &[], &[]),
        UnitKind::Timer => with_unit!(Timer, &[], &[]),
        UnitKind::Path => with_unit!(Path, &[], &[]),
    }
}

impl Interface {
    pub fn each_property(&self, visit: &mut dyn FnMut(&'static str, &'static str, Emits, Access)) {
        fn each<F>(parts: Parts<F>, visit: &mut dyn FnMut(&'static str, &'static str, Emits, Access)) {
            for row in parts.iter().flat_map(|rows| rows.iter()) {
                visit(row.name, row.signature, row.emits, row.access);
            }
        }
        match self.table {
            Table::Manager(parts) => each(parts, visit),
            Table::Unit(parts) => each(parts, visit),
            Table::Job(parts) => each(parts, visit),
        }
    }
}

/// An object that exists, with what its properties are read from.
enum Found {
    Manager,
    LogControl,
    Unit(UnitName, Box<Unit>),
    Job(Job),
}

impl Found {
    fn object(&self) -> Object {
        match self {
            Found::Manager => Object::Manager,
            Found::LogControl => Object::LogControl,
            Found::Unit(name, _) => Object::Unit(name.kind()),
            Found::Job(_) => Object::Job,
        }
    }

    fn target(&self) -> Target {
        match self {
            Found::Manager | Found::LogControl => Target::Manager,
            Found::Unit(name, _) => Target::Unit(name.clone()),
            Found::Job(job) => Target::Job(job.id),
        }
    }
}

/// Serves one call. `owner` is the manager's uid: it and root may change things.
pub fn dispatch(
    model: &mut dyn Model,
    clients: &mut Clients,
    owner: u32,
    call: &Call,
) -> Result<Outcome, Fault> {
    let header = call.message.header();
    let interface = header.interface().map(|name| name.as_str());
    let member = header.member().map(|name| name.as_str()).unwrap_or_default();
    let may_change = call.credentials.uid == 0 || call.credentials.uid == owner;
    let place = call.object();
    match interface {
        Some(PEER) => return peer(call, member),
        Some(INTROSPECTABLE) => return introspection(model, call, &place, member),
        Some(PROPERTIES) => {
            let found = find(model, call, &place)?;
            return property(model, call, &found, member, may_change);
        }
        Some(_) | None => {}
    }
    let found = find(model, call, &place)?;
    let tables = found.object().interfaces().iter();
    let mut tables = tables.filter(|table| interface.is_none_or(|name| name == table.name));
    let row = tables.find_map(|table| {
        let row =
            table.methods.iter().flat_map(|methods| methods.iter()).find(|method| method.name == member);
        row.map(|row| (table.name, row))
    });
    let Some((interface, method)) = row else { return Err(unknown_method(call)) };
    expect(call, interface, &signature(method.takes))?;
    match method.right {
        Right::Anyone => {}
        Right::Owner | Right::Privileged if may_change => {}
        Right::Owner => return Err(Fault::interactive("Interactive authentication required.")),
        Right::Privileged => {
            return Err(Fault::access_denied(format!("Access to {interface}.{member}() not permitted.")));
        }
    }
    let target = found.target();
    (method.run)(&mut Served { model, clients, call, target })
}

fn peer(call: &Call, member: &str) -> Result<Outcome, Fault> {
    match member {
        "Ping" => call.reply(&()).map(Outcome::Reply),
        "GetMachineId" => {
            let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
            let id = id.trim();
            if id.len() != 32 {
                return Err(Fault::file_not_found("No such file or directory"));
            }
            call.reply(&id).map(Outcome::Reply)
        }
        _ => Err(unknown_method(call)),
    }
}

fn introspection(model: &mut dyn Model, call: &Call, place: &Place, member: &str) -> Result<Outcome, Fault> {
    if member != "Introspect" {
        return Err(unknown_method(call));
    }
    let last = |path: zbus::ObjectPath<'_>| path.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let (object, children): (_, Vec<String>) = match place {
        Place::Above(children) => (None, children.iter().map(|child| (*child).to_owned()).collect()),
        Place::Units => (None, model.units().iter().map(|unit| last(path::unit(unit))).collect()),
        Place::Jobs => (None, model.jobs().iter().map(|job| job.id.0.to_string()).collect()),
        Place::Manager => (Some(Object::Manager), vec!["job".to_owned(), "unit".to_owned()]),
        Place::LogControl | Place::Unit(_) | Place::Job(_) | Place::Unknown => {
            (Some(find(model, call, place)?.object()), Vec::new())
        }
    };
    call.reply(&introspect::object(object, &children)).map(Outcome::Reply)
}

/// The object at a path. Any valid unit name has one: the unit is loaded if it must be.
fn find(model: &mut dyn Model, call: &Call, place: &Place) -> Result<Found, Fault> {
    match place {
        Place::Manager => Ok(Found::Manager),
        Place::LogControl => Ok(Found::LogControl),
        Place::Job(id) => {
            let job = model.jobs().into_iter().find(|job| job.id == *id);
            job.map(Found::Job).ok_or_else(|| unknown_object(call))
        }
        Place::Unit(text) => {
            let name = unit_at(model, call, text)?;
            let unit = model.unit(&name).ok_or_else(|| unknown_object(call))?;
            Ok(Found::Unit(name, Box::new(unit)))
        }
        Place::Above(_) | Place::Units | Place::Jobs | Place::Unknown => Err(unknown_object(call)),
    }
}

/// A unit path says a name, an invocation id in 32 hex digits, or `self` (an empty one means the same).
fn unit_at(model: &mut dyn Model, call: &Call, text: &str) -> Result<UnitName, Fault> {
    if text.is_empty() || text == "self" {
        let own = model.unit_of_pid(call.credentials.pid);
        return own.ok_or_else(|| Fault::no_such_unit("Client not member of any unit."));
    }
    if let Some(id) = invocation(text) {
        let unit = model.unit_of_invocation(id);
        return unit.ok_or_else(|| {
            Fault::no_unit_for_invocation(format!("No unit with the specified invocation ID {text} known."))
        });
    }
    match UnitName::parse(text) {
        Ok(_) => loadable(text).map(|name| model.load(&name)),
        Err(_) => Err(Fault::invalid_args(format!(
            "Unit name {text} is neither a valid invocation ID nor unit name."
        ))),
    }
}

fn invocation(text: &str) -> Option<InvocationId> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).ok()?;
    }
    Some(InvocationId(id))
}

/// A name a unit can be loaded under: a template has none of its own.
pub fn loadable(text: &str) -> Result<UnitName, Fault> {
    let name =
        UnitName::parse(text).map_err(|_| Fault::invalid_args(format!("Unit name {text} is not valid.")))?;
    if name.is_template() {
        return Err(Fault::invalid_args(format!("Unit name {text} is missing the instance name.")));
    }
    Ok(name)
}

fn property(
    model: &mut dyn Model,
    call: &Call,
    found: &Found,
    member: &str,
    may_change: bool,
) -> Result<Outcome, Fault> {
    match member {
        "Get" => {
            expect(call, PROPERTIES, "ss")?;
            let (interface, name): (String, String) = call.arguments()?;
            get(model, call, found, &interface, &name)
        }
        "GetAll" => {
            expect(call, PROPERTIES, "s")?;
            get_all(model, call, found, &call.arguments::<String>()?)
        }
        "Set" => {
            expect(call, PROPERTIES, "ssv")?;
            let (interface, name, value): (String, String, OwnedVariant) = call.arguments()?;
            let access = access(found, &interface, &name)?;
            if access == Access::Read {
                return Err(Fault::property_read_only(format!("Property '{name}' is not writable.")));
            }
            if !may_change {
                return Err(Fault::access_denied(format!("Access to {interface}.{name} not permitted.")));
            }
            model.set(setting(&name, &value)?)?;
            call.reply(&()).map(Outcome::Reply)
        }
        _ => Err(unknown_method(call)),
    }
}

/// The interfaces of that name; an empty one means all.
fn named<'a>(found: &Found, interface: &'a str) -> impl Iterator<Item = &'static Interface> + use<'a> {
    found.object().interfaces().iter().filter(move |table| interface.is_empty() || table.name == interface)
}

fn get(model: &dyn Model, call: &Call, found: &Found, interface: &str, name: &str) -> Result<Outcome, Fault> {
    fn read<C: Source>(
        cx: &C,
        parts: Parts<C::Read>,
        name: &str,
        call: &Call,
    ) -> Option<Result<Outcome, Fault>> {
        let row = parts.iter().flat_map(|rows| rows.iter()).find(|row| row.name == name)?;
        Some(call.reply(&cx.read(row)).map(Outcome::Reply))
    }
    let reply = named(found, interface).find_map(|table| match (table.table, found) {
        (Table::Manager(parts), Found::Manager | Found::LogControl) => {
            read(&ManagerCx { model, facts: model.manager() }, parts, name, call)
        }
        (Table::Unit(parts), Found::Unit(_, unit)) => read(&UnitCx::new(model, unit), parts, name, call),
        (Table::Job(parts), Found::Job(job)) => read(&JobCx { job }, parts, name, call),
        (Table::Manager(_) | Table::Unit(_) | Table::Job(_), _) => None,
    });
    reply.unwrap_or_else(|| Err(unknown_property(interface, name)))
}

/// All properties of an interface, or of all of them one behind the other: what systemctl asks for.
fn get_all(model: &dyn Model, call: &Call, found: &Found, interface: &str) -> Result<Outcome, Fault> {
    let tables: Vec<Table> = named(found, interface).map(|table| table.table).collect();
    let standard = [PEER, INTROSPECTABLE, PROPERTIES].contains(&interface);
    if tables.is_empty() && !standard {
        return Err(Fault::unknown_interface(format!("Unknown interface '{interface}'.")));
    }
    let reply = match found {
        Found::Manager | Found::LogControl => {
            let parts = tables
                .iter()
                .filter_map(|table| if let Table::Manager(rows) = table { Some(*rows) } else { None });
            call.reply(&Values::all(&ManagerCx { model, facts: model.manager() }, parts.collect()))
        }
        Found::Unit(_, unit) => {
            let parts = tables
                .iter()
                .filter_map(|table| if let Table::Unit(rows) = table { Some(*rows) } else { None });
            call.reply(&Values::all(&UnitCx::new(model, unit), parts.collect()))
        }
        Found::Job(job) => {
            let parts = tables
                .iter()
                .filter_map(|table| if let Table::Job(rows) = table { Some(*rows) } else { None });
            call.reply(&Values::all(&JobCx { job }, parts.collect()))
        }
    };
    reply.map(Outcome::Reply)
}

fn access(found: &Found, interface: &str, name: &str) -> Result<Access, Fault> {
    let mut access = None;
    for table in named(found, interface) {
        table.each_property(&mut |row, _, _, allowed| {
            if row == name {
                access = Some(allowed);
            }
        });
    }
    access.ok_or_else(|| unknown_property(interface, name))
}

fn setting(name: &str, value: &Variant<'_>) -> Result<Setting, Fault> {
    let wrong = |expected: &str| {
        let given = value.value_signature();
        Fault::invalid_args(format!(
            "Incorrect parameters for property '{name}', expected '{expected}', got '{given}'."
        ))
    };
    match (name, value) {
        ("LogLevel", Variant::Str(level)) => Ok(Setting::LogLevel(level.as_str().to_owned())),
        ("LogTarget", Variant::Str(target)) => Ok(Setting::LogTarget(target.as_str().to_owned())),
        ("ServiceWatchdogs", Variant::Bool(on)) => Ok(Setting::ServiceWatchdogs(*on)),
        ("LogLevel" | "LogTarget", _) => Err(wrong("s")),
        ("ServiceWatchdogs", _) => Err(wrong("b")),
        _ => Err(Fault::not_supported(format!("Setting {name} is not supported by this service manager."))),
    }
}

fn expect(call: &Call, interface: &str, expected: &str) -> Result<(), Fault> {
    let body = call.message.body();
    let given = body.signature().to_string_no_parens();
    if given == expected && body.len() <= limits::MESSAGE_BYTES {
        return Ok(());
    }
    let header = call.message.header();
    let member = header.member().map(|name| name.as_str()).unwrap_or_default();
    Err(Fault::invalid_args(format!(
        "Invalid arguments '{given}' to call {interface}.{member}(), expecting '{expected}'."
    )))
}

fn unknown_method(call: &Call) -> Fault {
    let header = call.message.header();
    let member = header.member().map(|name| name.as_str()).unwrap_or_default();
    let interface = header.interface().map(|name| name.as_str()).unwrap_or_default();
    Fault::unknown_method(format!("Unknown method {member} or interface {interface}."))
}

fn unknown_object(call: &Call) -> Fault {
    let header = call.message.header();
    let path = header.path().map(|path| path.as_str()).unwrap_or_default();
    Fault::unknown_object(format!("Unknown object '{path}'."))
}

fn unknown_property(interface: &str, name: &str) -> Fault {
    Fault::unknown_property(format!("Unknown interface {interface} or property {name}."))
}
