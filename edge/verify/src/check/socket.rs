//! Whether what a unit triggers is there.

use super::Looking;
use crate::finding::Finding;
use eudaemon_unit::config::socket::Accept;
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::Tree;
use eudaemon_unit::load::Loader;
use eudaemon_unit::name::UnitName;

pub(super) fn add(
    looking: &Looking<'_>,
    loader: &Loader<'_, dyn Tree + '_>,
    config: &Config,
    findings: &mut Vec<Finding>,
) {
    if let Some(socket) = config.socket() {
        let service = match socket.accept {
            Accept::Yes => UnitName::parse(&format!("{}@internal.service", config.name.prefix())).ok(),
            Accept::No => triggered(config),
        };
        let Some(service) = service.filter(|service| !is_loaded(looking, loader, service)) else { return };
        let text = format!("{}: service {service} not loaded, socket cannot be started.", config.name);
        let place = looking.named(config, &[Dependency::Triggers], &service);
        let place = place.or_else(|| looking.sources.header(config));
        let finding = Finding::of_file(looking.file(config), Severity::Error, "missing-service", text);
        return findings.push(finding.expecting(format!("a unit {service}")).at(place));
    }
    let Some(unit) = triggered(config).filter(|unit| !is_loaded(looking, loader, unit)) else { return };
    // systemd says so only when the unit is started.
    let text = format!("{}: Refusing to start, unit {unit} to trigger not loaded.", config.name);
    let place = looking.named(config, &[Dependency::Triggers], &unit);
    let place = place.or_else(|| looking.sources.header(config));
    let finding = Finding::of_file(looking.file(config), Severity::Warning, "missing-trigger", text);
    findings.push(finding.expecting(format!("a unit {unit}")).at(place));
}

fn triggered(config: &Config) -> Option<UnitName> {
    let mut dependencies = config.unit.dependencies.iter();
    dependencies.find(|(word, _)| *word == Dependency::Triggers).map(|(_, other)| other.clone())
}

fn is_loaded(looking: &Looking<'_>, loader: &Loader<'_, dyn Tree + '_>, name: &UnitName) -> bool {
    match looking.config(name) {
        Some(config) => config.load == LoadState::Loaded,
        None => loader.load(name).config.load == LoadState::Loaded,
    }
}
