//! Two services for one name on the bus: the one loaded second is refused.

use super::{Looking, Startable};
use crate::finding::Finding;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::diagnostic::Severity;
use std::collections::BTreeMap;

/// Names on the bus with the unit that has each.
#[derive(Default)]
pub(super) struct Names<'a>(BTreeMap<&'a str, &'a Config>);

/// Whether the unit may have its name, and a finding where not.
pub(super) fn add<'a>(
    looking: &Looking<'_>,
    config: &'a Config,
    names: &mut Names<'a>,
    findings: &mut Vec<Finding>,
) -> Startable {
    let Some(service) = config.service() else { return Startable::Yes };
    let Some(bus_name) = service.bus_name.as_deref().filter(|_| service.kind == ServiceType::Dbus) else {
        return Startable::Yes;
    };
    let first = *names.0.entry(bus_name).or_insert(config);
    if first.name == config.name {
        return Startable::Yes;
    }
    let name = &config.name;
    let text =
        format!("{name}: Two services allocated for the same bus name {bus_name}, refusing operation.");
    let place = looking.sources.assignment(config, &["BusName"], None);
    let finding = Finding::of_file(looking.file(config), Severity::Error, "bus-name-taken", text).at(place);
    findings.push(finding.noting(format!("{} has it", first.name)));
    Startable::No
}
