//! Units that are only looked at: nobody needs them loaded, and their files say it all.

use eudaemon_bus::{Checked, MountRun, Run, ServiceRun, SocketRun, Unit};
use eudaemon_engine::FreezerState;
use eudaemon_engine::api::{ActiveState, Moment};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Units a client asks about that are not loaded. They are read from disk for the answer, and forgotten with it.
#[derive(Debug, Default)]
pub struct Visitors {
    pub units: BTreeMap<UnitName, Arc<Config>>,
}

/// Units kept for one answer; asking for more forgets all of them, and they are read anew.
const VISITORS: usize = 4096;

impl Visitors {
    pub fn forget(&mut self, name: &UnitName) {
        self.units.remove(name);
    }

    pub fn clear(&mut self) {
        self.units.clear();
    }

    pub fn keep(&mut self, config: Arc<Config>) {
        if self.units.len() >= VISITORS {
            self.units.clear();
        }
        self.units.insert(config.name.clone(), config);
    }
}

/// A unit nobody has started: what its file says, and nothing has happened.
pub fn at_rest(config: Arc<Config>) -> Unit {
    let run = match &config.body {
        Body::Service(service) => {
            Run::Service(Box::new(ServiceRun { watchdog_usec: service.watchdog.0, ..ServiceRun::default() }))
        }
        Body::Socket(_) => Run::Socket(SocketRun::default()),
        Body::Mount(_) => Run::Mount(MountRun::default()),
        Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Swap(_)
        | Body::Timer
        | Body::Path => Run::Plain,
    };
    let transient = is_transient(&config);
    Unit {
        config,
        active: ActiveState::Inactive,
        sub: "dead",
        state_changed: Moment::default(),
        inactive_exit: Moment::default(),
        active_enter: Moment::default(),
        active_exit: Moment::default(),
        inactive_enter: Moment::default(),
        condition: Checked::default(),
        assertion: Checked::default(),
        job: None,
        invocation: None,
        cgroup: String::new(),
        freezer: FreezerState::Running,
        perpetual: false,
        transient,
        run,
    }
}

/// Made by the manager or a client, not by somebody's file.
pub fn is_transient(config: &Config) -> bool {
    config.name.as_str() == "init.scope"
        || config.fragment.as_deref().is_some_and(|path| path.contains("/systemd/transient/"))
}
