//! `systemctl clean`: units' directories are removed beside the loop, which a large tree or a slow disk would hold up.
//!
//! By a thread, and not by a child: this process does not fork (init does, and what init runs is a program that the machine
//! must have), and a thread ends with its manager. So nobody is at work when a new manager is given the order again, and
//! what is gone already is no trouble to it.

use super::{Host, News};
use crate::{limits, remove};
use eudaemon_engine::api::{Event, Resource, Trouble};
use eudaemon_engine::kind::cleaning::directories;
use eudaemon_unit::config::Config;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Directories as Bases;
use rustix::event::{EventfdFlags, eventfd};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// What a thread tells when it is through.
type Told = (UnitName, Result<(), Trouble>);

/// Who is at work, and how they are heard.
#[derive(Debug)]
pub(super) struct Cleaners {
    /// Set where no more is to be removed.
    stops: BTreeMap<UnitName, Arc<AtomicBool>>,
    /// Who waits for one of those at work to be through.
    waiting: VecDeque<Work>,
    /// Readable when somebody told something.
    pub bell: Arc<OwnedFd>,
    mouth: Sender<Told>,
    ear: Receiver<Told>,
}

impl Cleaners {
    pub fn new() -> io::Result<Cleaners> {
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (mouth, ear) = channel();
        Ok(Cleaners { stops: BTreeMap::new(), waiting: VecDeque::new(), bell, mouth, ear })
    }

    fn at_work(&self) -> usize {
        self.stops.len().saturating_sub(self.waiting.len())
    }
}

/// One unit's directories, each below its base.
#[derive(Debug)]
struct Work {
    unit: UnitName,
    places: Vec<(PathBuf, String)>,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn run(self, mouth: &Sender<Told>, bell: &OwnedFd) {
        // Each is tried, whatever becomes of those before it; the first trouble is told.
        let mut outcome = Ok(());
        for (base, name) in &self.places {
            outcome = outcome.and(remove::below(base, name, &self.stop));
        }
        if mouth.send((self.unit, outcome)).is_ok() {
            // It can only be full of rings nobody has heard yet.
            rustix::io::write(bell, &1u64.to_ne_bytes()).ok();
        }
    }
}

impl Host {
    pub(super) fn clean(&mut self, unit: UnitName, config: Option<&Config>, what: &BTreeSet<Resource>) {
        // The last orders of a predecessor are given twice.
        if self.cleaners.stops.contains_key(&unit) {
            return;
        }
        let places = config.map_or(Vec::new(), |config| places(config, what, &self.place.bases));
        let stop = Arc::new(AtomicBool::new(false));
        let work = Work { unit: unit.clone(), places, stop: Arc::clone(&stop) };
        let is_free = self.cleaners.at_work() < limits::CLEANERS;
        self.cleaners.stops.insert(unit, stop);
        match is_free {
            true => self.set_to_work(work),
            false => self.cleaners.waiting.push_back(work),
        }
    }

    fn set_to_work(&mut self, work: Work) {
        let unit = work.unit.clone();
        let (mouth, bell) = (self.cleaners.mouth.clone(), Arc::clone(&self.cleaners.bell));
        let thread = std::thread::Builder::new().name("clean".to_owned());
        if let Err(error) = thread.spawn(move || work.run(&mouth, &bell)) {
            self.cleaners.stops.remove(&unit);
            let errno = error.raw_os_error().unwrap_or(libc::EAGAIN);
            let trouble = Trouble { errno, step: "cannot start a thread".to_owned() };
            self.fact(Event::Cleaned { unit, outcome: Err(trouble) });
        }
    }

    /// Answered by the thread; by us where a predecessor's is gone.
    pub(super) fn stop_cleaning(&mut self, unit: UnitName) {
        if let Some(at) = self.cleaners.waiting.iter().position(|work| work.unit == unit) {
            self.cleaners.waiting.remove(at);
            self.cleaners.stops.remove(&unit);
        }
        match self.cleaners.stops.get(&unit) {
            Some(stop) => stop.store(true, Ordering::Relaxed),
            None => {
                let trouble = Trouble { errno: libc::ECANCELED, step: "stopped".to_owned() };
                self.fact(Event::Cleaned { unit, outcome: Err(trouble) });
            }
        }
    }

    pub(super) fn hear_cleaners(&mut self) {
        let mut rings = [0; 8];
        // What counts is what was told.
        rustix::io::read(&self.cleaners.bell, &mut rings).ok();
        while let Ok((unit, outcome)) = self.cleaners.ear.try_recv() {
            self.cleaners.stops.remove(&unit);
            self.news.push_back(News::Fact(Event::Cleaned { unit, outcome }));
        }
        while self.cleaners.at_work() < limits::CLEANERS
            && let Some(work) = self.cleaners.waiting.pop_front()
        {
            self.set_to_work(work);
        }
    }
}

/// All that the unit has of these kinds, each below its base: also where dynamic users' directories are, whether or not the
/// unit has such a user now, and the links to them.
fn places(config: &Config, what: &BTreeSet<Resource>, bases: &Bases) -> Vec<(PathBuf, String)> {
    let mut places = Vec::new();
    for resource in what {
        let (base, private) = match resource {
            Resource::Runtime => (&bases.runtime, true),
            Resource::State => (&bases.state, true),
            Resource::Cache => (&bases.cache, true),
            Resource::Logs => (&bases.logs, true),
            Resource::Configuration => (&bases.configuration, false),
            Resource::FdStore => continue,
        };
        let Some(wanted) = config.exec().and_then(|exec| directories(exec, *resource)) else { continue };
        for (name, links) in &wanted.names {
            let mut add = |name: String| places.push((PathBuf::from(base), name));
            add(name.clone());
            if private {
                add(format!("private/{name}"));
            }
            links.iter().cloned().for_each(add);
        }
    }
    places
}
