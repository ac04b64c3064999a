//! Methods of units and jobs, in real systemd's order.

use super::{Method, Served, Signal, Target, anyone, jobs, listing, owner, unserved};
use crate::call::{Outcome, Peer};
use crate::clients::Holding;
use crate::fault::Fault;
use eudaemon_engine::api::Request;
use zbus::OwnedVariant;

pub const UNIT: &[Method] = &[
    owner("Start", &[("mode", "s")], &[("job", "o")], jobs::start),
    owner("Stop", &[("mode", "s")], &[("job", "o")], jobs::stop),
    owner("Reload", &[("mode", "s")], &[("job", "o")], jobs::reload),
    owner("Restart", &[("mode", "s")], &[("job", "o")], jobs::restart),
    owner("TryRestart", &[("mode", "s")], &[("job", "o")], jobs::try_restart),
    owner("ReloadOrRestart", &[("mode", "s")], &[("job", "o")], jobs::reload_or_restart),
    owner("ReloadOrTryRestart", &[("mode", "s")], &[("job", "o")], jobs::reload_or_try_restart),
    owner(
        "EnqueueJob",
        &[("job_type", "s"), ("job_mode", "s")],
        &[
            ("job_id", "u"),
            ("job_path", "o"),
            ("unit_id", "s"),
            ("unit_path", "o"),
            ("job_type", "s"),
            ("affected_jobs", "a(uosos)"),
        ],
        jobs::enqueue,
    ),
    owner("Kill", &[("whom", "s"), ("signal", "i")], &[], jobs::kill),
    owner("ResetFailed", &[], &[], jobs::reset_failed_unit),
    owner("SetProperties", &[("runtime", "b"), ("properties", "a(sv)")], &[], set_properties),
    anyone("Ref", &[], &[], hold),
    anyone("Unref", &[], &[], release),
    owner("Clean", &[("mask", "as")], &[], jobs::clean),
    owner("Freeze", &[], &[], jobs::freeze),
    owner("Thaw", &[], &[], jobs::thaw),
];

pub const SERVICE: &[Method] = &[
    owner(
        "BindMount",
        &[("source", "s"), ("destination", "s"), ("read_only", "b"), ("mkdir", "b")],
        &[],
        unserved::bind_mount,
    ),
    owner(
        "MountImage",
        &[("source", "s"), ("destination", "s"), ("read_only", "b"), ("mkdir", "b"), ("options", "a(ss)")],
        &[],
        unserved::mount_image,
    ),
    anyone("GetProcesses", &[], &[("processes", "a(sus)")], listing::processes),
    owner("AttachProcesses", &[("subcgroup", "s"), ("pids", "au")], &[], unserved::attach),
];

/// Socket, mount, swap and slice.
pub const WITH_CGROUP: &[Method] = &[
    anyone("GetProcesses", &[], &[("processes", "a(sus)")], listing::processes),
    owner("AttachProcesses", &[("subcgroup", "s"), ("pids", "au")], &[], unserved::attach),
];

pub const SCOPE: &[Method] = &[
    owner("Abandon", &[], &[], unserved::abandon),
    anyone("GetProcesses", &[], &[("processes", "a(sus)")], listing::processes),
    owner("AttachProcesses", &[("subcgroup", "s"), ("pids", "au")], &[], unserved::attach),
];

pub const SCOPE_SIGNALS: &[Signal] = &[Signal { name: "RequestStop", gives: &[] }];

pub const JOB: &[Method] = &[
    owner("Cancel", &[], &[], jobs::cancel_job),
    anyone("GetAfter", &[], &[("jobs", "a(usssoo)")], unserved::job_order),
    anyone("GetBefore", &[], &[("jobs", "a(usssoo)")], unserved::job_order),
];

/// Nothing can be set at run time yet; what never can says so.
pub fn set_properties(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    type Properties = Vec<(String, OwnedVariant)>;
    let properties = match &served.target {
        Target::Unit(_) => served.call.arguments::<(bool, Properties)>()?.1,
        Target::Manager | Target::Job(_) => {
            let (name, _, properties) = served.call.arguments::<(String, bool, Properties)>()?;
            served.valid(&name)?;
            properties
        }
    };
    match properties.first() {
        None => served.done(),
        Some((name, _)) if crate::properties::is_resource_control(name) => Err(Fault::not_supported(
            format!("Setting {name} at run time is not supported by this service manager."),
        )),
        Some((name, _)) => {
            Err(Fault::property_read_only(format!("Cannot set property {name}, or unknown property.")))
        }
    }
}

/// `Ref`: the caller wants to see what becomes of the unit. It stays loaded, and on the bus the caller is told of its jobs.
/// The hold ends with the client's name, so one that has no name has none.
pub fn hold(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let unit = match &served.target {
        Target::Unit(unit) => unit.clone(),
        Target::Manager | Target::Job(_) => {
            let name: String = served.call.arguments()?;
            served.valid(&name)?
        }
    };
    match &served.call.peer {
        Peer::Private(_) => return Err(Fault::bad_request("Invalid request descriptor")),
        Peer::Bus(name) => {
            if served.clients.hold(name, unit.clone())? == Holding::Begun {
                served.model.submit(Some(served.call.credentials), Request::Hold(unit));
            }
        }
    }
    served.done()
}

pub fn release(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let unit = match &served.target {
        Target::Unit(unit) => unit.clone(),
        Target::Manager | Target::Job(_) => served.loaded(&served.call.arguments::<String>()?)?,
    };
    match &served.call.peer {
        Peer::Private(_) => return Err(Fault::bad_request("Invalid request descriptor")),
        Peer::Bus(name) => served.clients.release(name, &unit)?,
    }
    served.done()
}
