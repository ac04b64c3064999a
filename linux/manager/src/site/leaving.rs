//! When everything ends beside another PID 1: what an earlier init left is not this one's to end, so it is done here.

use super::Site;
use crate::lines;
use eudaemon_engine::Engine;
use eudaemon_engine::api::Action;
use eudaemon_host::limits;
use eudaemon_unit::name::{UnitKind, UnitName};
use std::time::{Duration, Instant};

impl Site {
    /// Waits for those that an earlier init left, who were told to end, and kills them in the end. Only then does the state
    /// log lose its name: if this manager is killed meanwhile, or somebody does not even die, a next one knows of them.
    pub(super) fn see_off(&mut self, engine: &Engine) {
        let mut left = self.wait_for_orphans(engine, limits::ORPHANS_TERM);
        if !left.is_empty() {
            for unit in &left {
                let order = Action::SignalSet { unit: unit.clone(), signal: libc::SIGKILL, but: Vec::new() };
                let config = engine.unit_view(unit).map(|view| view.config.clone());
                self.host.perform(order, config.as_deref(), None);
            }
            left = self.wait_for_orphans(engine, limits::ORPHANS_KILL);
        }
        if !left.is_empty() {
            let names: Vec<&str> = left.iter().map(UnitName::as_str).collect();
            let text = format!(
                "processes of an earlier init do not even die of SIGKILL, the next 'eudaemon start' takes them over: {}",
                names.join(", ")
            );
            self.lines.say(None, None, lines::ERROR, &text);
        } else if let Err(error) = self.log.end() {
            self.lines.say(None, None, lines::ERROR, &format!("state log: {error}"));
        }
    }

    /// The units that still have such processes after so long.
    fn wait_for_orphans(&self, engine: &Engine, patience: Duration) -> Vec<UnitName> {
        let deadline = Instant::now() + patience;
        loop {
            let left = self.orphaned_units(engine);
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            std::thread::sleep(limits::ORPHANS_LOOK);
        }
    }

    fn orphaned_units(&self, engine: &Engine) -> Vec<UnitName> {
        if !self.log.has_name() {
            return Vec::new();
        }
        // Slices and init.scope hold us too.
        let runs = |kind| matches!(kind, UnitKind::Service | UnitKind::Socket);
        let views = engine.unit_views().filter(|view| runs(view.config.name.kind()));
        let orphaned = views
            .filter(|view| !self.host.members_beyond_init(&view.config.name, Some(view.config)).is_empty());
        orphaned.map(|view| view.config.name.clone()).collect()
    }
}
