//! From a message to the row of a table that serves it: object, interface, member, arguments, right.
//! The texts of errors are sd-bus's, since clients print and compare them.

use crate::call::{Call, Outcome};
use crate::clients::Clients;
use crate::fault::Fault;
use crate::methods::{Right, Served, Target, signature};
use crate::model::{Job, Model, Setting, Unit};
use crate::objects::{Interface, OURS, OURS_OF_MANAGER, Object, Table};
use crate::path::{self, Place};
use crate::properties::{Access, JobCx, ManagerCx, Parts, Source, UnitCx, Values};
use crate::{introspect, limits};
use eudaemon_engine::api::InvocationId;
use eudaemon_unit::name::{UnitKind, UnitName};
use zbus::{OwnedVariant, Variant};

const PEER: &str = "org.freedesktop.DBus.Peer";
const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// An object that exists, with what its properties are read from.
enum Found {
    Manager,
    LogControl,
    Unit(UnitName, Box<Unit>),
    Job(Job),
    Directory,
}

impl Found {
    fn object(&self) -> Object {
        match self {
            Found::Manager => Object::Manager,
            Found::LogControl => Object::LogControl,
            Found::Unit(name, _) => Object::Unit(name.kind()),
            Found::Job(_) => Object::Job,
            Found::Directory => Object::Directory,
        }
    }

    fn target(&self) -> Target {
        match self {
            Found::Manager | Found::LogControl | Found::Directory => Target::Manager,
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
            let found = find(model, call, &place).map_err(|fault| unless_known(call, fault))?;
            return property(model, call, &found, member, may_change);
        }
        Some(_) | None => {}
    }
    let found = find(model, call, &place).map_err(|fault| unless_known(call, fault))?;
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
        _ => Err(Fault::unknown_method(format!("Unknown method '{member}' on interface '{PEER}'."))),
    }
}

fn introspection(model: &mut dyn Model, call: &Call, place: &Place, member: &str) -> Result<Outcome, Fault> {
    if member != "Introspect" {
        find(model, call, place).map_err(|fault| unless_known(call, fault))?;
        return Err(unknown_method(call));
    }
    let last = |path: zbus::ObjectPath<'_>| path.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let (object, children): (_, Vec<String>) = match place {
        Place::Above(children) => (None, children.iter().map(|child| (*child).to_owned()).collect()),
        Place::Units => {
            (Some(Object::Directory), model.units().iter().map(|unit| last(path::unit(unit))).collect())
        }
        Place::Jobs => {
            (Some(Object::Directory), model.jobs().iter().map(|job| job.id.0.to_string()).collect())
        }
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
        Place::Units | Place::Jobs => Ok(Found::Directory),
        Place::Above(_) | Place::Unknown => Err(unknown_object(call)),
    }
}

/// A unit path says a name, an invocation id in 32 hex digits, or `self`.
fn unit_at(model: &mut dyn Model, call: &Call, text: &str) -> Result<UnitName, Fault> {
    if text == "self" {
        let own = model.unit_of_pid(call.credentials.pid);
        return own.ok_or_else(|| unknown_object(call));
    }
    if let Some(id) = invocation(text) {
        let unit = model.unit_of_invocation(id);
        return unit.ok_or_else(|| {
            Fault::no_unit_for_invocation(format!("No unit with the specified invocation ID {text} known."))
        });
    }
    match loadable(text) {
        Ok(name) => Ok(model.load(&name)),
        Err(_) if UnitName::parse(text).is_ok_and(|name| !name.is_template()) => Err(unknown_object(call)),
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
    if !name.suits_its_kind() {
        return Err(Fault::invalid_args("Invalid argument"));
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
            let stands = read(model, found, &interface, &name).is_some_and(|now| *now == *value);
            if !stands {
                model.set(setting(&name, &value)?)?;
            }
            call.reply(&()).map(Outcome::Reply)
        }
        _ => Err(unknown_method(call)),
    }
}

/// The interfaces of that name; an empty one means all that systemd has.
fn named<'a>(found: &Found, interface: &'a str) -> impl Iterator<Item = &'static Interface> + use<'a> {
    let is_meant = move |table: &&Interface| match interface.is_empty() {
        true => ![OURS, OURS_OF_MANAGER].contains(&table.name),
        false => table.name == interface,
    };
    found.object().interfaces().iter().filter(is_meant)
}

fn get(model: &dyn Model, call: &Call, found: &Found, interface: &str, name: &str) -> Result<Outcome, Fault> {
    match read(model, found, interface, name) {
        Some(value) => call.reply(&value).map(Outcome::Reply),
        None => Err(unknown_property(interface, name)),
    }
}

/// One property of exactly this interface.
fn read(model: &dyn Model, found: &Found, interface: &str, name: &str) -> Option<OwnedVariant> {
    fn value<C: Source>(cx: &C, parts: Parts<C::Read>, name: &str) -> Option<OwnedVariant> {
        let row = parts.iter().flat_map(|rows| rows.iter()).find(|row| row.name == name)?;
        OwnedVariant::try_from(cx.read(row)).ok()
    }
    let mut tables = found.object().interfaces().iter().filter(|table| table.name == interface);
    tables.find_map(|table| match (table.table, found) {
        (Table::Manager(parts), Found::Manager | Found::LogControl) => {
            value(&ManagerCx { model, facts: model.manager() }, parts, name)
        }
        (Table::Unit(parts), Found::Unit(_, unit)) => value(&UnitCx::new(model, unit), parts, name),
        (Table::Job(parts), Found::Job(job)) => value(&JobCx { job }, parts, name),
        (Table::Manager(_) | Table::Unit(_) | Table::Job(_), _) => None,
    })
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
        Found::Directory => {
            call.reply(&Values::all(&ManagerCx { model, facts: model.manager() }, Vec::new()))
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
    for table in found.object().interfaces().iter().filter(|table| table.name == interface) {
        table.each_property(&mut |row, _, _, allowed| {
            if row == name {
                access = Some(allowed);
            }
        });
    }
    access.ok_or_else(|| unknown_property(interface, name))
}

const LOG_TARGETS: [&str; 9] = [
    "console",
    "console-prefixed",
    "kmsg",
    "journal",
    "journal-or-kmsg",
    "syslog",
    "syslog-or-kmsg",
    "auto",
    "null",
];

fn setting(name: &str, value: &Variant<'_>) -> Result<Setting, Fault> {
    let wrong = |expected: &str| {
        let given = value.value_signature();
        Fault::invalid_args(format!(
            "Incorrect parameters for property '{name}', expected '{expected}', got '{given}'."
        ))
    };
    match (name, value) {
        ("LogLevel", Variant::Str(level)) => Ok(Setting::LogLevel(level.as_str().to_owned())),
        ("LogTarget", Variant::Str(target)) if !LOG_TARGETS.contains(&target.as_str()) => {
            Err(Fault::invalid_args(format!("Invalid log target '{}'", target.as_str())))
        }
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

/// sd-bus tells what is wrong with a unit's name only to who asks for something that some unit has.
fn unless_known(call: &Call, fault: Fault) -> Fault {
    if fault.name != Fault::invalid_args("").name {
        return fault;
    }
    let header = call.message.header();
    let interface = header.interface().map(|name| name.as_str()).unwrap_or_default();
    let member = header.member().map(|name| name.as_str()).unwrap_or_default();
    let all = || UnitKind::ALL.into_iter().flat_map(|kind| Object::Unit(kind).interfaces());
    let known = match (interface, member) {
        (PROPERTIES, "GetAll") => true,
        (PROPERTIES, "Get" | "Set") => {
            let asked = property_asked(call, member);
            let mut known = false;
            for table in all().filter(|table| asked.as_ref().is_some_and(|(of, _)| of == table.name)) {
                table.each_property(&mut |name, _, _, _| {
                    known |= asked.as_ref().is_some_and(|(_, ask)| ask == name)
                });
            }
            known
        }
        _ => all().filter(|table| table.name == interface).any(|table| {
            table.methods.iter().flat_map(|methods| methods.iter()).any(|method| method.name == member)
        }),
    };
    if known { fault } else { Fault::invalid_args("Invalid argument") }
}

fn property_asked(call: &Call, member: &str) -> Option<(String, String)> {
    match member {
        "Get" => call.arguments().ok(),
        _ => call
            .arguments::<(String, String, OwnedVariant)>()
            .ok()
            .map(|(interface, name, _)| (interface, name)),
    }
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
