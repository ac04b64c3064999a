//! Units come in: what requests need, what reloads find, what generators wrote.

use super::{OWN_REQUESTS, Site, again};
use crate::options::Mission;
use crate::{clock, generators, lines};
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Event, Input, Request, RequestId};
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use std::sync::Arc;

impl Site {
    /// Puts a request to the engine, its units loaded first.
    pub fn submit(&mut self, engine: &Engine, wish: Request) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.put(engine, request, wish);
        request
    }

    /// A request of the manager's own.
    pub fn ask(&mut self, engine: &Engine, wish: Request) -> RequestId {
        let request = RequestId(OWN_REQUESTS + self.next_request);
        self.next_request += 1;
        self.put(engine, request, wish);
        request
    }

    pub(super) fn put(&mut self, engine: &Engine, request: RequestId, wish: Request) {
        if let Request::Job { unit, .. } = &wish {
            let queued = self.inbox.iter().any(|input| matches!(input, Input::Fact(Event::Loaded(_))));
            // What a queued load brings is not in the engine yet: the closure may overlap it, which does no harm.
            if queued || engine.canonical(unit).is_none() || !engine.unknown_dependencies(unit).is_empty() {
                self.load(engine, std::slice::from_ref(unit));
            }
        }
        self.inbox.push_back(Input::Wish { request, wish });
    }

    /// Loads what the engine does not know yet of the named units and all they lead to.
    pub fn load(&mut self, engine: &Engine, names: &[UnitName]) {
        self.units.refresh_if_stale();
        let loaded = self.units.closure(names);
        for diagnostic in &loaded.diagnostics {
            self.lines.say(None, None, lines::WARNING, &diagnostic.to_string());
        }
        let fresh: Vec<Arc<Config>> = loaded
            .units
            .into_iter()
            .filter(|config| engine.canonical(&config.name).is_none_or(|_| again(engine, config)))
            .collect();
        self.bring(fresh);
    }

    /// Hands units to the engine, and to the log for the next manager.
    pub fn bring(&mut self, units: Vec<Arc<Config>>) {
        if units.is_empty() {
            return;
        }
        for config in &units {
            self.visitors.forget(&config.name);
            let name = format!("config/{}", config.name);
            self.notes.push((name, postcard::to_allocvec(&**config).ok()));
        }
        self.inbox.push_back(Input::Fact(Event::Loaded(units)));
    }

    /// daemon-reload: generators, then every known unit's files again. The engine compares by content.
    pub fn reload(&mut self, engine: &Engine) {
        self.generate();
        self.milestones.load_begun = clock::now();
        self.units.refresh();
        self.visitors.clear();
        let names: Vec<UnitName> = engine.unit_views().map(|view| view.config.name.clone()).collect();
        let mut loaded = self.units.closure(&names);
        for diagnostic in &loaded.diagnostics {
            self.lines.say(None, None, lines::WARNING, &diagnostic.to_string());
        }
        crate::mounts::keep_mounted(&mut loaded.units);
        self.milestones.load_done = clock::now();
        self.note_milestones();
        self.bring(loaded.units);
    }

    pub fn generate(&mut self) {
        self.milestones.generators_begun = clock::now();
        if !matches!(self.mission, Mission::Directory(_)) {
            for line in
                generators::run(&self.machine.place, &self.environment, self.machine.container.as_deref())
            {
                self.lines.say(None, None, lines::WARNING, &line);
            }
        }
        self.milestones.generators_done = clock::now();
    }
}
