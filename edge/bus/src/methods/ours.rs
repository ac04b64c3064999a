//! org.eudaemon1.Manager: what systemd has no word for. It stands beside systemd's interface on the same object.

use super::jobs::mode_asked;
use super::{Method, Served, anyone, owner};
use crate::call::Outcome;
use crate::fault::Fault;
use crate::limits;
use crate::plan::{self, Plan};
use eudaemon_engine::api::JobKind;

pub const OURS: &[Method] = &[
    anyone(
        "Plan",
        &[("units", "as"), ("job_type", "s"), ("job_mode", "s")],
        &[("plans", plan::SIGNATURE)],
        plan,
    ),
    owner("Flight", &[], &[("flight", "ay")], flight),
    anyone("Why", &[("name", "s")], &[("causes", "a(sttss)")], why),
];

/// What the manager heard last, for `eudaemon replay`. Units' environments are in it: it is not for everyone.
fn flight(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.reply(&served.model.flight())
}

/// The unit's last change and what lies behind it, the root last: unit, when (realtime and monotonic), what the link tells of
/// the unit, and a sentence of which the unit is the subject. Empty: it has not changed since it was loaded. Of what cannot be
/// loaded it is known too who wanted it in vain.
fn why(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let name = served.call.arguments::<String>()?;
    let unit = served.load(&name)?;
    let causes: Vec<(String, u64, u64, &str, String)> = served
        .model
        .why(&unit)
        .into_iter()
        .map(|link| {
            (link.unit.to_string(), link.at.realtime, link.at.monotonic, link.tells.word(), link.text)
        })
        .collect();
    served.reply(&causes)
}

/// What jobs on these units, asked for one after the other, would come to. Nothing is changed.
fn plan(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, kind, mode): (Vec<String>, String, String) = served.call.arguments()?;
    if names.len() > limits::PLANNED_UNITS {
        return Err(Fault::limits_exceeded(format!("more than {} units", limits::PLANNED_UNITS)));
    }
    let kind = match kind.as_str() {
        "start" => JobKind::Start,
        "stop" => JobKind::Stop,
        "restart" => JobKind::Restart,
        "try-restart" => JobKind::TryRestart,
        "reload" => JobKind::Reload,
        _ => return Err(Fault::invalid_args(format!("Job type {kind} invalid"))),
    };
    let mode = mode_asked(&mode)?;
    let mut requests = Vec::new();
    for name in names {
        requests.push((crate::dispatch::loadable(&name)?, kind, mode));
    }
    let plans: Vec<Plan> = served.model.plan(&requests).iter().map(Plan::from).collect();
    served.reply(&plans)
}
