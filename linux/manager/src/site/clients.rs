//! What clients and people are told, and what clients ask.

use super::{OWN_REQUESTS, Site};
use crate::model::Outlook;
use crate::{clock, lines};
use eudaemon_bus::{Incoming, Reloading, Server};
use eudaemon_engine::Engine;
use eudaemon_engine::api::{ActiveState, Announcement, Answer, Finale, JobResult, Refusal, Request};
use eudaemon_host::place::Scope;
use eudaemon_kit::notify::State;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeSet;

/// What to do where there is no default target to start.
const CHOOSE_DEFAULT: &str = "Choose what to start with 'eudaemon set-default TARGET', such as multi-user.target, and start it with \
     'eudaemon isolate default.target'.";

impl Site {
    /// One announcement: to the clients, and to people.
    pub(super) fn tell(&mut self, engine: &Engine, announcement: Announcement) {
        match &announcement {
            Announcement::Said { unit, level, text } => {
                let invocation =
                    unit.as_ref().and_then(|unit| engine.unit_view(unit)).and_then(|view| view.invocation);
                let level = self.level_of(engine, unit.as_ref(), *level);
                if level >= lines::INFO && self.is_aside(engine, unit.as_ref()) {
                    self.lines.say_aside(unit.as_ref(), invocation, level, text);
                } else {
                    self.lines.say(unit.as_ref(), invocation, level, text);
                }
            }
            Announcement::Answered { request, outcome } => {
                // The client's error points to the log.
                if let Err(refusal @ Refusal::Cyclic(units)) = outcome
                    && request.0 < OWN_REQUESTS
                {
                    // Once, under the first name of the ring: status looks for any of them in the text.
                    let text = format!("{}: the request is refused", refusal.reason());
                    self.lines.say(units.first(), None, lines::WARNING, &text);
                }
                // What comes too late, since everything ends, is nobody's trouble.
                if request.0 >= OWN_REQUESTS
                    && let Err(refusal) = outcome
                    && *refusal != Refusal::ShuttingDown
                {
                    let text = match self.folder.refused(*request) {
                        Some(unit) => format!("{unit} cannot be started: {}", refusal.reason()),
                        None => eudaemon_bus::Fault::from(refusal).text.to_string(),
                    };
                    let text = match self.boot == Some(*request) {
                        true => format!("nothing is started at boot: {text} {CHOOSE_DEFAULT}"),
                        false => text,
                    };
                    self.note_folder();
                    self.lines.say(None, None, lines::ERROR, &text);
                    if self.farewell == Some(*request) {
                        // An end that cannot be had in order is had all the same.
                        self.ask(engine, Request::FinishNow(Finale::Exit(1)));
                    }
                }
            }
            Announcement::StartupFinished => {
                self.milestones.finished = clock::now();
                self.has_room = true;
                self.note_milestones();
                self.say_ready();
            }
            Announcement::UnitChanged(unit) if unit.as_str() == "dbus.service" => self.look_for_bus(engine),
            Announcement::UnitAdded(_)
            | Announcement::UnitRemoved(_)
            | Announcement::UnitChanged(_)
            | Announcement::JobAdded { .. } => {}
            Announcement::JobRemoved { unit, kind, result, .. } => {
                let is_up = engine.unit_view(unit).is_some_and(|view| view.active == ActiveState::Active);
                if *result == JobResult::Unsupported && unit.kind().is_unserved() && !is_up {
                    self.passed_over.insert(unit.clone());
                }
                // What is given up on the way down is nobody's fault.
                let counts = kind.brings_up() && self.ending.is_none();
                if self.is_folder() && counts && self.folder.hear(unit, *result) {
                    self.note_folder();
                }
            }
        }
        if let Some(server) = &mut self.server {
            server.hear(&announcement);
        }
    }

    /// What this version cannot start, in one line when all jobs are done: a boot has many.
    pub(super) fn say_passed_over(&mut self) {
        let units = std::mem::take(&mut self.passed_over);
        if units.is_empty() {
            return;
        }
        let kinds: BTreeSet<&str> = units.iter().map(|unit| unit.kind().suffix()).collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let names: Vec<&str> = units.iter().map(UnitName::as_str).collect();
        let line = format!(
            "this version starts no {} units yet; not started: {}",
            kinds.join(", "),
            names.join(", ")
        );
        self.lines.say(None, None, lines::NOTICE, &line);
    }

    /// Who runs a folder of units wants to hear of those alone, and of what went wrong.
    fn is_aside(&self, engine: &Engine, unit: Option<&UnitName>) -> bool {
        self.is_folder() && !unit.is_some_and(|unit| self.is_of_folder(engine, unit))
    }

    /// Who runs a folder looks at its output and may never ask for a status: that one of its units was just skipped is news.
    fn level_of(&self, engine: &Engine, unit: Option<&UnitName>, level: u8) -> u8 {
        let just_skipped = |unit: &UnitName| {
            let checked = engine.unit_view(unit).map(|view| view.condition);
            checked.is_some_and(|checked| !checked.holds && checked.at == engine.now())
        };
        let is_news = self.is_folder()
            && unit.is_some_and(|unit| self.is_of_folder(engine, unit) && just_skipped(unit));
        if is_news { level.min(lines::INFO) } else { level }
    }

    /// The bus daemon is one of our units: when it runs we are on the bus, and when not we are not.
    pub fn look_for_bus(&mut self, engine: &Engine) {
        let handle = self.runtime.handle().clone();
        let _inside = handle.enter();
        let Some(server) = &mut self.server else { return };
        let runs = UnitName::parse("dbus.service")
            .ok()
            .and_then(|name| engine.unit_view(&name))
            .is_some_and(|view| matches!(view.active, ActiveState::Active | ActiveState::Reloading));
        if runs {
            server.bus_is_up(match self.machine.place.scope {
                Scope::System => "/run/dbus/system_bus_socket".into(),
                Scope::User => self.machine.place.runtime.join("bus"),
            });
        } else {
            server.bus_is_down();
        }
    }

    /// A container manager that asked for it by `NOTIFY_SOCKET` hears that we are up.
    pub(super) fn say_ready(&mut self) {
        if !std::mem::replace(&mut self.ready_said, true)
            && let Err(error) =
                eudaemon_host::notify::tell_above(&[State::Ready, State::Status("Ready.".to_owned())])
        {
            self.lines.say(
                None,
                None,
                lines::WARNING,
                &format!("cannot tell the container manager: {error}"),
            );
        }
    }

    pub(super) fn serve(&mut self, engine: &Engine, incoming: Incoming) {
        let handle = self.runtime.handle().clone();
        let _inside = handle.enter();
        let Some(mut server) = self.server.take() else { return };
        server.serve(&mut Outlook { engine, site: self }, incoming);
        self.server = Some(server);
        // What no job brought in is read anew when it is asked for again.
        self.visitors.clear();
        self.answer_reloads(engine);
    }

    /// Clients that held units do not any more, or are gone.
    pub(super) fn let_go_of_units(&mut self, engine: &Engine) {
        let units = self.server.as_mut().map(Server::let_go).unwrap_or_default();
        for unit in units {
            self.ask(engine, Request::LetGo(unit));
        }
    }

    pub(super) fn flush(&mut self, engine: &Engine) {
        let Some(mut server) = self.server.take() else { return };
        server.flush(&Outlook { engine, site: self });
        self.server = Some(server);
    }

    pub(super) fn answer_reloads(&mut self, engine: &Engine) {
        let reloads = std::mem::take(&mut self.reloads);
        if reloads.is_empty() {
            return;
        }
        if let Some(server) = &mut self.server {
            server.reloading(Reloading::Begins);
        }
        self.reload(engine);
        // Answered when the engine has stepped through what was loaded.
        self.reloaded = reloads;
    }

    pub(super) fn close_reloads(&mut self, engine: &Engine) {
        let reloaded = std::mem::take(&mut self.reloaded);
        if reloaded.is_empty() {
            return;
        }
        for request in reloaded {
            self.tell(engine, Announcement::Answered { request, outcome: Ok(Answer::Done) });
        }
        if let Some(server) = &mut self.server {
            server.reloading(Reloading::Ends);
        }
    }
}
