//! What `[X-Health]` comes to with the rest of the unit.

use super::Looking;
use crate::finding::Finding;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::health::Gate;
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::diagnostic::Severity;

/// A gate that never opens, and a start that may take for ever.
pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    let Some(service) = config.service() else { return };
    let Some(health) = service.health.as_ref().filter(|health| health.check(0).is_some()) else { return };
    let gated = health.gate == Gate::Start && service.kind != ServiceType::Oneshot;
    if !gated || !service.timeout_start.is_infinite() {
        return;
    }
    let text = format!(
        "{}: Gate=start with TimeoutStartSec=infinity: if it never gets healthy, it and what waits for it stay activating \
         for ever",
        config.name
    );
    let line = |keys: &[&str]| looking.sources.assignment(config, keys, None);
    let spot = line(&["TimeoutStartSec", "TimeoutSec"]).or_else(|| line(&["Gate"]));
    let finding = Finding::of_file(looking.file(config), Severity::Note, "endless-gate", text);
    findings.push(finding.expecting("a TimeoutStartSec= that ends").at(spot));
}
