//! Services in random worlds that keep state on disk, which is cleaned.

use super::{BUSY, name};
use crate::machine::Machine;
use crate::random::Random;
use eudaemon_engine::api::{Request, Resource};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::{SECOND, Span};
use std::collections::BTreeSet;

/// Half of them may take less time for it than it takes.
pub fn keep_state(configs: &mut [Config], random: &mut Random) {
    for config in configs {
        if let Body::Service(service) = &mut config.body {
            service.exec.state_directory.names = vec![("state".to_owned(), Vec::new())];
            if random.chance(500) {
                service.exec.timeout_clean = Span(5 * SECOND);
            }
        }
    }
}

pub fn clean(names: &[UnitName], random: &mut Random, machine: &mut Machine) {
    for _ in 0..random.between(4, 40) {
        let unit = random.pick(names).cloned().unwrap_or_else(|| name("u0.service"));
        let what = BTreeSet::from([Resource::State, Resource::Cache]);
        machine.wish(random.below(BUSY), Request::Clean { unit, what });
    }
}
