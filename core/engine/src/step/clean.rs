//! Cleaning: what a unit keeps on disk, and descriptors kept for it, are removed. systemctl(1), "clean".

use crate::api::{ActiveState, Answer, NotCleaned, Refusal, Resource};
use crate::engine::Engine;
use crate::kind::{self, cleaning};
use eudaemon_unit::config::LoadState;
use eudaemon_unit::name::{UnitKind, UnitName};
use std::collections::BTreeSet;

impl Engine {
    pub(super) fn clean(&mut self, name: &UnitName, what: BTreeSet<Resource>) -> Result<Answer, Refusal> {
        let unit = self.graph.id(name).ok_or_else(|| Refusal::NotLoaded(name.clone()))?;
        let of = self.unit(unit);
        let refused = |why| Err(Refusal::NotCleaned { unit: name.clone(), why });
        match name.kind() {
            UnitKind::Service | UnitKind::Socket | UnitKind::Mount => {}
            UnitKind::Swap | UnitKind::Timer => {
                let reason = "only services, sockets and mounts can be cleaned here".to_owned();
                return Err(Refusal::NotSupported { unit: name.clone(), reason });
            }
            UnitKind::Target
            | UnitKind::Slice
            | UnitKind::Scope
            | UnitKind::Device
            | UnitKind::Automount
            | UnitKind::Path => return refused(NotCleaned::Kind),
        }
        let config = std::sync::Arc::clone(self.graph.config(unit));
        if what.is_empty() {
            return refused(NotCleaned::Nothing);
        } else if config.load != LoadState::Loaded || of.job.is_some() || of.active() != ActiveState::Inactive
        {
            return refused(NotCleaned::Busy);
        }
        let closes = what.contains(&Resource::FdStore) && cleaning::stores_fds(&config);
        if !closes && cleaning::on_disk(&config, &what).is_empty() {
            return refused(NotCleaned::Nothing);
        }
        self.step_unit(unit, kind::Input::Clean(what));
        Ok(Answer::Done)
    }
}
