//! A folder of units that is run by itself: which of them are meant to be started.

use crate::config::{Config, LoadState};
use crate::name::{UnitKind, UnitName};
use std::collections::BTreeSet;

/// Whether the unit is one of the folder's `own`, by any of its names.
pub fn is_in(own: &BTreeSet<UnitName>, config: &Config) -> bool {
    own.contains(&config.name) || config.aliases.iter().any(|alias| own.contains(alias))
}

/// The folder's default.target, else all its units with an `[Install]` section, else all its services; and what cannot be
/// loaded, for it may be meant to start and is not passed over in silence. Where there is a default.target, that knows.
pub fn to_start(units: &[&Config]) -> Vec<UnitName> {
    let is_default = |config: &Config| {
        config.aliases.iter().chain([&config.name]).any(|name| name.as_str() == "default.target")
    };
    let mut start = first_that_has_any(
        [
            &is_default,
            &|config| !config.install.wanted_by.is_empty() || !config.install.required_by.is_empty(),
            &|config| config.name.kind() == UnitKind::Service,
        ],
        units,
    );
    if units.iter().any(|config| is_default(config)) {
        return start;
    }
    let is_broken = |config: &&&Config| {
        matches!(
            config.load,
            LoadState::BadSetting(_) | LoadState::Inconsistent(_) | LoadState::Unreadable(_)
        )
    };
    let broken = units.iter().filter(is_broken).map(|config| config.name.clone());
    let broken: Vec<UnitName> = broken.filter(|name| !start.contains(name)).collect();
    start.extend(broken);
    start
}

type Rule<'a> = &'a dyn Fn(&Config) -> bool;

fn first_that_has_any(rules: [Rule<'_>; 3], units: &[&Config]) -> Vec<UnitName> {
    let chosen = rules.into_iter().map(|rule| {
        let fitting = units.iter().filter(|config| rule(config));
        fitting.map(|config| config.name.clone()).collect::<Vec<UnitName>>()
    });
    chosen.into_iter().find(|names| !names.is_empty()).unwrap_or_default()
}
