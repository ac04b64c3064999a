//! Methods that are not acted on yet. What real systemd refuses they refuse in its words and order, so a client's
//! mistake is still called by its name; what it would do is answered with `NotSupported`.

use super::{Served, Target};
use crate::call::Outcome;
use crate::fault::Fault;
use crate::properties::mode_of;
use eudaemon_unit::name::{UnitKind, UnitName};
use zbus::OwnedVariant;

/// Known, and not done here.
pub fn unsupported(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let header = served.call.message.header();
    let member = header.member().map(|member| member.as_str()).unwrap_or_default();
    Err(Fault::not_supported(format!("{member} is not supported by this service manager.")))
}

pub fn abandon(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let unit = only_named(served)?;
    if unit.kind() == UnitKind::Scope {
        return unsupported(served);
    }
    Err(Fault::invalid_args(format!("Unit '{unit}' is not a scope unit, refusing.")))
}

/// No service runs in a mount namespace of its own yet, so there is none to mount into.
pub fn bind_mount(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    type Named = (String, String, String, bool, bool);
    type Own = (String, String, bool, bool);
    let (unit, source, place) = match &served.target {
        Target::Unit(unit) => {
            let (source, place, _, _) = served.call.arguments::<Own>()?;
            (unit.clone(), source, place)
        }
        Target::Manager | Target::Job(_) => {
            let (name, source, place, _, _) = served.call.arguments::<Named>()?;
            (served.loaded(&name)?, source, place)
        }
    };
    mount_into(&unit, &source, &place)
}

pub fn mount_image(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    type Named = (String, String, String, bool, bool, Vec<(String, String)>);
    type Own = (String, String, bool, bool, Vec<(String, String)>);
    let (unit, source, place) = match &served.target {
        Target::Unit(unit) => {
            let (source, place, _, _, _) = served.call.arguments::<Own>()?;
            (unit.clone(), source, place)
        }
        Target::Manager | Target::Job(_) => {
            let (name, source, place, _, _, _) = served.call.arguments::<Named>()?;
            (served.loaded(&name)?, source, place)
        }
    };
    mount_into(&unit, &source, &place)
}

fn mount_into(unit: &UnitName, source: &str, place: &str) -> Result<Outcome, Fault> {
    let clear = |path: &str| path.starts_with('/') && !path.split('/').any(|part| part == "..");
    Err(Fault::invalid_args(if unit.kind() != UnitKind::Service {
        "Unit is not of type .service"
    } else if !clear(source) {
        "Source path must be absolute and normalized."
    } else if !clear(place) {
        "Destination path must be absolute and normalized."
    } else {
        "Unit not running in private mount namespace, cannot activate bind mount"
    }))
}

pub fn attach(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let unit = match &served.target {
        Target::Unit(unit) => unit.clone(),
        Target::Manager | Target::Job(_) => {
            let (name, _, _): (String, String, Vec<u32>) = served.call.arguments()?;
            served.loaded(&name)?
        }
    };
    let delegated = |unit: crate::Unit| unit.config.exec().is_some_and(|exec| exec.delegate);
    if served.model.unit(&unit).is_some_and(delegated) {
        return unsupported(served);
    }
    Err(Fault::invalid_args("Process migration not available on non-delegated units."))
}

pub fn start_transient(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    type Properties = Vec<(String, OwnedVariant)>;
    type Arguments = (String, String, Properties, Vec<(String, Properties)>);
    let (name, mode, _, _): Arguments = served.call.arguments()?;
    let name = UnitName::parse(&name).map_err(|_| Fault::invalid_args("Invalid unit name or type."))?;
    match name.kind() {
        UnitKind::Service | UnitKind::Scope | UnitKind::Slice | UnitKind::Socket => {}
        UnitKind::Timer | UnitKind::Path | UnitKind::Mount | UnitKind::Automount => {}
        UnitKind::Target | UnitKind::Device | UnitKind::Swap => {
            let word = name.kind().suffix();
            return Err(Fault::invalid_args(format!("Unit type {word} does not support transient units.")));
        }
    }
    mode_of(&mode).ok_or_else(|| Fault::invalid_args(format!("Job mode {mode} is invalid.")))?;
    let name = crate::dispatch::loadable(name.as_str())?;
    let id = served.model.load(&name);
    if served.model.unit(&id).is_some_and(|unit| unit.config.fragment.is_some()) {
        return Err(Fault::unit_exists(format!("Unit {name} was already loaded or has a fragment file.")));
    }
    unsupported(served)
}

/// `GetJobAfter`, `GetJobBefore`.
pub fn job_order(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    if let Target::Manager = served.target {
        let id: u32 = served.call.arguments()?;
        if !served.model.jobs().iter().any(|job| job.id.0 == id) {
            return Err(Fault::no_such_job(format!("Job {id} does not exist.")));
        }
    }
    unsupported(served)
}

pub fn start_instead(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (old, _, _): (String, String, String) = served.call.arguments()?;
    let unit = served.loaded(&old)?;
    if served.model.unit(&unit).is_none_or(|unit| unit.job.is_none()) {
        return Err(Fault::no_such_job(format!("No job queued for unit {unit}")));
    }
    unsupported(served)
}

pub fn dynamic_user_by_name(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let name: String = served.call.arguments()?;
    Err(Fault::no_such_dynamic_user(format!("Dynamic user {name} does not exist.")))
}

pub fn dynamic_user_by_uid(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let uid: u32 = served.call.arguments()?;
    Err(Fault::no_such_dynamic_user(format!("Dynamic user ID {uid} does not exist.")))
}

fn only_named(served: &mut Served<'_>) -> Result<UnitName, Fault> {
    match &served.target {
        Target::Unit(unit) => Ok(unit.clone()),
        Target::Manager | Target::Job(_) => served.loaded(&served.call.arguments::<String>()?),
    }
}
