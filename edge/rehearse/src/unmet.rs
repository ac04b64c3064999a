//! Conditions and assertions as they are here and now, for who wants to know before a start.

use crate::offline::{Offline, with_loader};
use eudaemon_host::abilities;
use eudaemon_host::condition::{Circumstances, judge};
use eudaemon_host::place;
use eudaemon_unit::config::unit::{Condition, unmet};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::files::Scope;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;

/// What would become of starts of these units for a condition or an assertion that does not hold now, a clause each. Of an
/// image, and of the machine's units where the caller may not look at all that is there, nothing is told.
pub fn skipped(place: &Offline, units: &[UnitName]) -> BTreeMap<String, String> {
    let is_root = rustix::process::geteuid().is_root();
    if !place.root.is_empty() || place.scope == Scope::System && !is_root {
        return BTreeMap::new();
    }
    let circumstances = circumstances(place.scope);
    let holds = |condition: &Condition| judge(condition, &circumstances);
    let configs = with_loader(place, |loader| {
        units.iter().map(|name| loader.load(name).config).collect::<Vec<Config>>()
    });
    let loaded = configs.into_iter().filter(|config| config.load == LoadState::Loaded);
    let told = loaded.filter_map(|config| Some((config.name.to_string(), clause(&config, &holds)?)));
    told.collect()
}

/// Conditions are looked at first: what is skipped is no failure.
fn clause(config: &Config, holds: &dyn Fn(&Condition) -> bool) -> Option<String> {
    let skipped = unmet("Condition", &config.unit.conditions, |_, test| holds(test));
    let skipped = skipped.map(|line| format!("would be skipped: {line} does not hold"));
    let failed = || {
        let line = unmet("Assert", &config.unit.asserts, |_, test| holds(test))?;
        Some(format!("would fail: {line} does not hold"))
    };
    skipped.or_else(failed)
}

fn circumstances(scope: Scope) -> Circumstances {
    Circumstances {
        scope: match scope {
            Scope::System => place::Scope::System,
            Scope::User => place::Scope::User,
        },
        container: abilities::container(),
        virtual_machine: abilities::virtual_machine(),
        environment: std::env::vars_os()
            .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
            .collect(),
        capabilities: abilities::bounding_set(),
        controllers: abilities::controllers(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_unit::files::{Environment, Index, MemoryTree, SearchPath};
    use eudaemon_unit::load::{Loader, Surroundings};
    use eudaemon_unit::specifier::Context;
    use expect_test::{Expect, expect};

    /// Tests whose value is `yes` hold.
    fn check(lines: &str, expected: Expect) {
        let mut tree = MemoryTree::new();
        let text = format!("[Unit]\n{lines}[Service]\nExecStart=/bin/true\n");
        tree.file("/etc/systemd/system/a.service", text);
        let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
        let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
        let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings };
        let config = loader.load(&UnitName::parse("a.service").unwrap()).config;
        let told = clause(&config, &|test| (test.value == "yes") != test.negated);
        expected.assert_eq(&told.unwrap_or_default());
    }

    #[test]
    fn what_does_not_hold() {
        check("", expect![""]);
        check("ConditionHost=yes\nConditionHost=!no\nAssertHost=yes\n", expect![""]);
        check(
            "ConditionHost=yes\nConditionHost=!yes\nAssertHost=no\n",
            expect!["would be skipped: ConditionHost=!yes does not hold"],
        );
        check("ConditionHost=yes\nAssertHost=no\n", expect!["would fail: AssertHost=no does not hold"]);
        check(
            "ConditionHost=|no\nConditionHost=|!yes\n",
            expect!["would be skipped: ConditionHost=|no or ConditionHost=|!yes does not hold"],
        );
        check("ConditionHost=|no\nConditionHost=|yes\n", expect![""]);
    }
}
