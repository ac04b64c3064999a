//! Units come in: what requests need, what reloads find, what generators wrote.

use super::memory::{LATE, PIDS};
use super::{OWN_REQUESTS, Site, again};
use crate::options::Mission;
use crate::settings::{self, Heard};
use crate::units::Loaded;
use crate::{clock, generators, lines};
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Announcement, Asker, Event, Input, Moment, Output, Request, RequestId};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::directives;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Site {
    /// Puts a request to the engine, its units loaded first.
    pub fn submit(&mut self, engine: &Engine, by: Asker, wish: Request) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.put(engine, request, by, wish);
        request
    }

    /// A request of the manager's own.
    pub fn ask(&mut self, engine: &Engine, wish: Request) -> RequestId {
        let request = RequestId(OWN_REQUESTS + self.next_request);
        self.next_request += 1;
        self.put(engine, request, Asker::Manager, wish);
        request
    }

    pub(super) fn put(&mut self, engine: &Engine, request: RequestId, by: Asker, wish: Request) {
        if let Some(unit) = wish.loads()
            && !self.is_queued(unit)
            && needs_loading(engine, unit)
        {
            self.load(engine, std::slice::from_ref(unit));
        }
        self.inbox.push_back(Input::Wish { request, by, wish });
    }

    /// What the engine does not know yet of the named units and all they lead to.
    fn fresh(&mut self, engine: &Engine, names: &[UnitName]) -> Vec<Loaded> {
        self.units.refresh_if_stale();
        let is_there = |config: &&Arc<Config>| config.load != LoadState::NotFound;
        let known = |name: &UnitName| engine.unit_view(name).map(|view| view.config).filter(is_there);
        let mut fresh = self.units.closure_beside(names, &known);
        fresh.retain(|Loaded { config, .. }| {
            let is_known = engine.canonical(&config.name).is_some() && !again(engine, config);
            !is_known && !self.is_queued(&config.name)
        });
        fresh
    }

    /// Units that requests would have loaded first.
    pub fn would_load<'a>(
        &mut self,
        engine: &Engine,
        units: impl Iterator<Item = &'a UnitName>,
    ) -> Vec<Arc<Config>> {
        let needed = |unit: &&UnitName| needs_loading(engine, unit);
        let names: Vec<UnitName> = units.filter(needed).cloned().collect();
        match names.is_empty() {
            true => Vec::new(),
            false => self.fresh(engine, &names).into_iter().map(|loaded| loaded.config).collect(),
        }
    }

    /// Loads what the engine does not know yet of the named units and all they lead to.
    pub fn load(&mut self, engine: &Engine, names: &[UnitName]) {
        let fresh = self.fresh(engine, names);
        self.say_diagnostics(&fresh);
        if self.is_folder() {
            self.say_verdicts(&fresh);
        }
        let late = clock::now();
        for Loaded { config, .. } in fresh.iter().filter(|_| self.milestones.load_done != Moment::default()) {
            self.loaded_late.insert(config.name.clone(), late);
            self.notes.push((format!("{LATE}{}", config.name), postcard::to_allocvec(&late).ok()));
        }
        self.bring(fresh);
    }

    /// Loads those of the units that are not there yet; who says that it needs them came by itself.
    pub fn load_missing(&mut self, engine: &Engine, names: BTreeSet<UnitName>) {
        let missing =
            names.into_iter().filter(|name| engine.canonical(name).is_none() && !self.is_queued(name));
        let missing: Vec<UnitName> = missing.collect();
        if !missing.is_empty() {
            self.load(engine, &missing);
        }
    }

    /// Will the engine hear of the unit, and so of all it leads to, before anything else that is put to it now?
    fn is_queued(&self, unit: &UnitName) -> bool {
        self.queued().any(|config| config.name == *unit || config.aliases.contains(unit))
    }

    pub(super) fn say_diagnostics(&self, loaded: &[Loaded]) {
        for Loaded { config, diagnostics, .. } in loaded {
            for diagnostic in diagnostics {
                self.lines.say(Some(&config.name), None, lines::WARNING, &diagnostic.to_string());
            }
        }
    }

    /// What a folder's units ask for and do not get: nobody may ever ask for their status.
    fn say_verdicts(&self, loaded: &[Loaded]) {
        let is_ours =
            |config: &Config| config.fragment.as_ref().is_some_and(|file| self.units.is_in_directory(file));
        for config in loaded.iter().map(|one| &one.config).filter(|config| is_ours(config)) {
            let keys: Vec<&str> = directives::verdicts(config).into_iter().map(|(key, _)| key).collect();
            if !keys.is_empty() {
                let text = format!("{}: not acted on in full here: {}", config.name, keys.join(", "));
                self.lines.say(Some(&config.name), None, lines::WARNING, &text);
            }
        }
    }

    /// Hands units to the engine, and to the log for the next manager.
    pub fn bring(&mut self, units: Vec<Loaded>) {
        if !units.is_empty() {
            self.bring_all(units);
        }
    }

    fn bring_all(&mut self, units: Vec<Loaded>) {
        for Loaded { config, print, .. } in &units {
            self.units.remember(config, *print);
            self.visitors.forget(&config.name);
            let name = format!("config/{}", config.name);
            self.notes.push((name, postcard::to_allocvec(&**config).ok()));
        }
        let configs = units.into_iter().map(|loaded| loaded.config).collect();
        self.inbox.push_back(Input::Fact(Event::Loaded(configs)));
    }

    /// What was written down of units that the engine forgot goes with them.
    pub(super) fn forget_units(&mut self, engine: &Engine, output: &Output) {
        for announcement in &output.announcements {
            let Announcement::UnitRemoved(unit) = announcement else { continue };
            // It may have come back in the same step.
            if engine.canonical(unit).is_some() {
                continue;
            }
            self.units.forget(unit);
            self.loaded_late.remove(unit);
            self.past.remove(unit);
            self.passed_over.remove(unit);
            self.notes.extend(["config/", PIDS, LATE].map(|prefix| (format!("{prefix}{unit}"), None)));
        }
    }

    /// daemon-reload: generators, then every known unit's files again. The engine hears of those that are different now.
    pub fn reload(&mut self, engine: &Engine) {
        self.read_settings();
        self.generate();
        self.units.refresh();
        self.visitors.clear();
        // What is on its way to the engine is not what it has.
        let queued: BTreeSet<UnitName> = self.queued().map(|config| config.name.clone()).collect();
        let known = |name: &UnitName| engine.config(name).filter(|config| !queued.contains(&config.name));
        let names: Vec<UnitName> = engine.configs().map(|config| config.name.clone()).collect();
        let mut loaded = self.units.closure_again(&names, &known);
        self.say_diagnostics(&loaded);
        self.keep_mounted(&mut loaded);
        loaded.retain(|Loaded { config, print, .. }| {
            match known(&config.name).filter(|had| *had == config) {
                Some(had) => {
                    self.units.remember(had, *print);
                    false
                }
                None => true,
            }
        });
        self.milestones.reloaded = clock::now();
        self.note_milestones();
        for name in std::mem::take(&mut self.loaded_late).into_keys() {
            self.notes.push((format!("{LATE}{name}"), None));
        }
        self.has_room = true;
        // Also if there are none: when the engine has stepped, the reload is over.
        self.bring_all(loaded);
    }

    /// Units that the engine will hear of before anything that is put to it now.
    fn queued(&self) -> impl Iterator<Item = &Arc<Config>> {
        self.inbox.iter().flat_map(|input| match input {
            Input::Fact(Event::Loaded(units)) => units.as_slice(),
            Input::Fact(_) | Input::Wish { .. } | Input::Tick => &[],
        })
    }

    /// daemon-reexec: a reload, and another process for this one.
    pub fn reexecute(&mut self, engine: &Engine) {
        self.reload(engine);
        self.reexecute = true;
    }

    /// The manager's own files, and what else is said of it. Units read after this have what they say.
    pub fn read_settings(&mut self) {
        let Heard { mut settings, asked, odd } = settings::hear(&self.machine, &self.mission);
        for odd in odd {
            self.lines.say(None, None, lines::WARNING, &odd.to_string());
        }
        // As systemd has it: until another is named.
        settings.log_level = settings.log_level.or(self.settings.log_level);
        settings.log_target = settings.log_target.or(self.settings.log_target);
        let own = settings::own_environment(&self.machine, &settings, &asked);
        self.environment.set_own(&own, &settings.environment);
        self.units.set_defaults(settings.defaults.clone());
        (self.settings, self.asked) = (settings, asked);
        self.obey_log_level();
    }

    /// What is shown of our lines.
    pub(super) fn obey_log_level(&mut self) {
        let said = self.log_level.as_deref().and_then(lines::level);
        self.lines.shown = said.or(self.settings.log_level).unwrap_or(lines::INFO);
    }

    pub fn generate(&mut self) {
        if !matches!(self.mission, Mission::Directory(_)) {
            for line in generators::run(&self.machine, &self.environment.all()) {
                self.lines.say(None, None, lines::WARNING, &line);
            }
        }
    }
}

fn needs_loading(engine: &Engine, unit: &UnitName) -> bool {
    engine.canonical(unit).is_none() || !engine.unknown_dependencies(unit).is_empty()
}
