//! What a unit asks for and does not get: from eudaemon at all, or in the surroundings it is meant for.

use super::Looking;
use crate::finding::Finding;
use crate::surroundings::Meant;
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::directives::{Support, rights, verdicts};
use eudaemon_unit::vendor::container_conditions;

pub(super) fn add(looking: &Looking<'_>, config: &Config, meant: Meant, findings: &mut Vec<Finding>) {
    let severity = meant.severity();
    let mut say = |key: &str, text: String| {
        let spot = looking.sources.assignment(config, &[key], None);
        findings.push(Finding::of_file(looking.file(config), severity, "not-honoured", text).at(spot));
    };
    if config.name.kind().is_unserved() {
        let kind = config.name.kind().suffix();
        let text = format!("{}: {kind} units are read and shown, and not started yet", config.name);
        let spot = looking.sources.header(config);
        findings.push(Finding::of_file(looking.file(config), severity, "not-honoured", text).at(spot));
        return;
    }
    for (key, support) in verdicts(config) {
        match support {
            Support::Full => {}
            Support::Partial(missing) => say(key, format!("{key}= is acted on in part: {missing}")),
            Support::NotYet => say(key, format!("{key}= is not acted on yet")),
            Support::Ignored(why) => say(key, format!("{key}= is never acted on: {why}")),
        }
    }
    if config.unit.exit_code_from.is_some() && !meant.kind.has_exit_code() {
        let key = "ExitCodeFrom";
        say(key, format!("{key}= is not honoured {}: there is nobody to exit to", meant.kind.words()));
    }
    for (key, why) in rights::lacking(config, meant.kind.capabilities()) {
        say(key, format!("{key}= is not honoured {}: {why}", meant.kind.words()));
    }
    if meant.kind.is_container() && container_conditions(&config.name).is_some() {
        let text = format!("{}: is skipped in a container: it belongs to the host", config.name);
        let spot = looking.sources.header(config);
        findings.push(Finding::of_file(looking.file(config), severity, "skipped", text).at(spot));
    }
    for condition in config.unit.conditions.iter().chain(&config.unit.asserts) {
        let said = meant.kind.is_virtual(&condition.value);
        if condition.test == "Virtualization" && said == Some(condition.negated) && !condition.triggering {
            let not = if condition.negated { "!" } else { "" };
            let text = format!(
                "{}: is skipped {} by ConditionVirtualization={not}{}",
                config.name,
                meant.kind.words(),
                condition.value
            );
            let keys = ["ConditionVirtualization", "AssertVirtualization"];
            let spot = looking.sources.assignment(config, &keys, None);
            findings.push(Finding::of_file(looking.file(config), Severity::Note, "skipped", text).at(spot));
        }
    }
}
