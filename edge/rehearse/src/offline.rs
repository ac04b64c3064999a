//! Units read from files, and an engine that has seen nothing but them.

use eudaemon_bus::Plan;
use eudaemon_engine::api::{Event, Input, JobKind, Moment};
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::files::{Scope, Tree};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_verify::{Disk, Ground, environment, specifiers};
use std::sync::Arc;

/// Whose unit files are read.
#[derive(Clone, Debug)]
pub struct Offline {
    pub scope: Scope,
    /// Empty for the machine itself.
    pub root: String,
    pub surroundings: Surroundings,
}

/// What these requests would come to on a manager that has just started: nothing is up.
pub fn plan(place: &Offline, requests: &[(UnitName, JobKind, JobMode)]) -> Vec<Plan> {
    let names: Vec<UnitName> = requests.iter().map(|(unit, ..)| unit.clone()).collect();
    let closure = with_loader(place, |loader| loader.closure(&names));
    foresee(closure.into_iter().map(|merged| Arc::new(merged.config)).collect(), requests)
}

pub(crate) fn with_loader<R>(place: &Offline, read: impl FnOnce(&Loader<'_, dyn Tree + '_>) -> R) -> R {
    let disk = Disk::of(&place.root);
    let environment = environment(&place.root);
    let cx = specifiers(place.scope, &environment);
    let ground = Ground::new(&disk.tree, &disk, &[], &environment, place.scope, cx);
    read(&Loader {
        tree: ground.tree,
        index: &ground.index,
        cx: &ground.cx,
        scope: ground.scope,
        surroundings: place.surroundings,
    })
}

pub(crate) fn foresee(configs: Vec<Arc<Config>>, requests: &[(UnitName, JobKind, JobMode)]) -> Vec<Plan> {
    let mut engine = Engine::new(0, Settings::default());
    engine.step(Moment::default(), Input::Fact(Event::Loaded(configs)));
    engine.foresee(&[], requests).iter().map(Plan::from).collect()
}
