//! What requests would come to: plans against the real state that leave it as it is.

use crate::api::{JobKind, Refusal};
use crate::engine::Engine;
use crate::graph::{Graph, UnitId};
use crate::kind;
use crate::transaction::account::{Account, Foresight};
use crate::transaction::{Ask, Origin, Reload, Situation, Standing};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::name::UnitName;
use std::sync::Arc;

impl Engine {
    /// What these requests would come to if clients made them now, one after the other. `fresh` are units that would be
    /// loaded first; nothing is changed, and nothing of them is kept.
    pub fn foresee(&self, fresh: &[Arc<Config>], requests: &[(UnitName, JobKind, JobMode)]) -> Vec<Account> {
        let mut graph = self.graph.clone();
        let (absent, here): (Vec<_>, Vec<_>) =
            fresh.iter().partition(|config| config.load == LoadState::NotFound);
        let known: Vec<_> = absent.into_iter().filter(|config| graph.id(&config.name).is_some()).collect();
        for config in here.into_iter().chain(known) {
            // Beyond the limit it is not there, as it would not be.
            graph.load(Arc::clone(config)).ok();
        }
        let present = Present { engine: self, graph: &graph };
        let mut foresight = Foresight::new(&graph, &present);
        let foreseen = requests.iter().map(|(name, kind, mode)| {
            let (kind, mode) = (*kind, *mode);
            let refused = |refusal| Account::refused(name.clone(), kind, mode, refusal);
            match graph.id(name) {
                _ if self.counters.finale.is_some() => refused(Refusal::ShuttingDown),
                Some(unit) => foresight.ask(Ask { unit, kind, mode, origin: Origin::Client }),
                None => refused(Refusal::unknown(name, kind, mode)),
            }
        });
        foreseen.collect()
    }
}

impl Engine {
    /// What each start comes to by itself, as if nobody had asked for another; for who looks at unit files, not at what
    /// may be asked of them: `RefuseManualStart=` refuses nothing. One after the other, for there may be many.
    pub fn foresee_starts<'a>(
        &self,
        units: impl IntoIterator<Item = &'a UnitName>,
        mut each: impl FnMut(&'a UnitName, Account),
    ) {
        let (kind, mode) = (JobKind::Start, JobMode::Replace);
        let present = Present { engine: self, graph: &self.graph };
        for name in units {
            let account = match self.graph.id(name) {
                Some(unit) => {
                    let mut foresight = Foresight::new(&self.graph, &present);
                    foresight.ask(Ask { unit, kind, mode, origin: Origin::Engine })
                }
                None => Account::refused(name.clone(), kind, mode, Refusal::unknown(name, kind, mode)),
            };
            each(name, account);
        }
    }
}

/// The engine's state under a graph that has more units.
struct Present<'a> {
    engine: &'a Engine,
    graph: &'a Graph,
}

impl Situation for Present<'_> {
    fn standing(&self, unit: UnitId) -> Standing {
        let config = self.graph.config(unit);
        match unit.index() < self.engine.units.len() {
            true => self.engine.standing(unit),
            false => Standing { state: kind::State::initial(config).active_state(), queued: None },
        }
    }

    fn reload(&self, unit: UnitId) -> Reload {
        Reload::of(self.graph, unit)
    }
}
