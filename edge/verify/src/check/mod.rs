//! What is looked at in each unit, once all are loaded. Each check adds its findings and knows no other.

mod account;
mod alias;
mod bus;
mod dropin;
mod dropped;
mod extension;
mod file;
mod folder;
mod health;
mod honoured;
mod manual;
mod name;
mod program;
mod reader;
mod script;
mod settings;
mod socket;
mod start;
mod stream;

use crate::asked::{Asked, Round};
use crate::finding::{Finding, Spot};
use crate::ground::Ground;
use crate::source::Sources;
use crate::{Manuals, Recursion, Report, Request};
#[cfg(test)]
pub(crate) use dropped::of_files;
pub use dropped::{Dropped, dropped};
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::merge::Merged;
use eudaemon_unit::name::UnitName;
pub use name::nearest_unit;
pub use settings::{findings as settings, is_one as is_settings};
use std::collections::{BTreeMap, BTreeSet};

/// What checks share.
struct Looking<'a> {
    ground: &'a Ground<'a>,
    sources: &'a Sources<'a, dyn eudaemon_unit::files::Tree + 'a>,
    loaded: &'a BTreeMap<&'a UnitName, &'a Merged>,
}

/// Whether a start job could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Startable {
    Yes,
    No,
}

/// All findings of one round.
pub fn round(ground: &Ground<'_>, round: &Round, request: &Request) -> Report {
    let loader = loader(ground);
    let closure = loader.closure(&round.names);
    let mut loaded: BTreeMap<&UnitName, &Merged> = BTreeMap::new();
    for merged in &closure {
        loaded.extend(merged.config.aliases.iter().map(|alias| (alias, merged)));
    }
    loaded.extend(closure.iter().map(|merged| (&merged.config.name, merged)));
    let sources = Sources::new(ground.tree);
    let looking = Looking { ground, sources: &sources, loaded: &loaded };
    let mut round_of = Checks {
        looking: &looking,
        loader: &loader,
        request,
        folders: folder::Folders::read(ground),
        accounts: account::Accounts::read(ground),
        promised: file::Promised::read(ground),
        plans: start::plans(&closure, &round.names),
        cycles: start::Known::default(),
        bus_names: bus::Names::default(),
    };
    let mut findings = Vec::new();
    let mut seen: BTreeSet<&UnitName> = BTreeSet::new();
    for name in &round.names {
        if let Some(merged) = loaded.get(name).filter(|merged| seen.insert(&merged.config.name)) {
            round_of.unit(name, merged, &mut findings);
        }
    }
    let mut report = Report { findings, ..Report::default() };
    others(&looking, &loader, &closure, &seen, request.recursion, &mut report);
    report
}

/// What is wrong with the files of units that were not asked about: told, or no more than counted.
fn others(
    looking: &Looking<'_>,
    loader: &Loader<'_, dyn eudaemon_unit::files::Tree + '_>,
    closure: &[Merged],
    seen: &BTreeSet<&UnitName>,
    recursion: Recursion,
    report: &mut Report,
) {
    let told = match recursion {
        Recursion::Named => BTreeSet::new(),
        Recursion::Direct => named_by(looking, seen),
        Recursion::All => closure.iter().map(|merged| &merged.config.name).collect(),
    };
    let asked = seen.iter().filter_map(|name| looking.config(name));
    let needed: BTreeMap<&UnitName, String> =
        asked.flat_map(|config| start::lacking(looking, config)).collect();
    for merged in closure.iter().filter(|merged| !seen.contains(&merged.config.name)) {
        let name = &merged.config.name;
        let mut of_unit = Vec::new();
        match is_broken(&merged.config) {
            true => reader::add(looking, &loader.load_whole(name), &mut of_unit),
            false => reader::add(looking, merged, &mut of_unit),
        }
        for finding in of_unit {
            match needed.get(name).filter(|_| finding.severity == Severity::Error) {
                Some(chain) => report.findings.push(finding.noting(format!("{name} is {chain}"))),
                None if told.contains(name) => report.findings.push(finding),
                None => report.elsewhere.push(finding),
            }
        }
    }
}

/// A line of its file, or what its lines come to, makes the unit useless: what else is wrong is worth knowing.
fn is_broken(config: &Config) -> bool {
    match config.load {
        LoadState::BadSetting(_) | LoadState::Inconsistent(_) => true,
        LoadState::Loaded | LoadState::NotFound | LoadState::Unreadable(_) | LoadState::Masked => false,
    }
}

/// What the checks of one round remember.
struct Checks<'a> {
    looking: &'a Looking<'a>,
    loader: &'a Loader<'a, dyn eudaemon_unit::files::Tree + 'a>,
    request: &'a Request,
    folders: folder::Folders,
    accounts: account::Accounts,
    promised: file::Promised,
    plans: BTreeMap<&'a UnitName, start::Plan>,
    cycles: start::Known,
    bus_names: bus::Names<'a>,
}

impl<'a> Checks<'a> {
    fn unit(&mut self, name: &UnitName, merged: &'a Merged, findings: &mut Vec<Finding>) {
        let (looking, config) = (self.looking, &merged.config);
        if is_broken(config) {
            let whole = self.loader.load_whole(name);
            reader::add(looking, &whole, findings);
            return self.lines(&whole.config, findings);
        }
        reader::add(looking, merged, findings);
        match config.load {
            LoadState::Loaded => {}
            LoadState::NotFound | LoadState::Masked => return alias::add(looking, name, findings),
            // What is wrong was said when it was read.
            LoadState::BadSetting(_) | LoadState::Inconsistent(_) | LoadState::Unreadable(_) => return,
        }
        if bus::add(looking, config, &mut self.bus_names, findings) == Startable::No {
            return;
        }
        folder::add(looking, &self.folders, config, findings);
        if let Some(plan) = self.plans.get(name) {
            start::add(looking, plan, config, &mut self.cycles, findings);
        }
        socket::add(looking, self.loader, config, findings);
        self.lines(config, findings);
    }

    /// What single lines say, whatever the unit comes to.
    fn lines(&self, config: &Config, findings: &mut Vec<Finding>) {
        let (looking, meant) = (self.looking, self.request.meant);
        extension::add(looking, config, findings);
        name::add(looking, config, findings);
        name::exit_code(looking, self.loader, config, findings);
        program::add(looking, config, findings);
        account::add(looking, &self.accounts, config, meant, findings);
        file::add(looking, &self.promised, config, meant, findings);
        stream::add(looking, &self.promised, config, meant, findings);
        health::add(looking, config, findings);
        if self.request.manuals == Manuals::Checked {
            manual::add(looking, config, findings);
        }
        honoured::add(looking, config, meant, findings);
    }
}

/// Drop-ins in folders that were named whole, of units that are not there.
pub fn folders(ground: &Ground<'_>, asked: &Asked, findings: &mut Vec<Finding>) {
    for folder in &asked.whole {
        dropin::add(ground, folder, findings);
    }
}

fn loader<'a>(ground: &'a Ground<'_>) -> Loader<'a, dyn eudaemon_unit::files::Tree + 'a> {
    Loader {
        tree: ground.tree,
        index: &ground.index,
        cx: &ground.cx,
        scope: ground.scope,
        // Whether a container skips a unit is a check of its own.
        surroundings: Surroundings::Machine,
    }
}

fn named_by<'a>(looking: &Looking<'a>, names: &BTreeSet<&UnitName>) -> BTreeSet<&'a UnitName> {
    let configs = names.iter().filter_map(|name| looking.config(name));
    let others = configs.flat_map(|config| config.unit.dependencies.iter().map(|(_, other)| other));
    others.filter_map(|other| Some(&looking.config(other)?.name)).collect()
}

impl<'a> Looking<'a> {
    fn config(&self, name: &UnitName) -> Option<&'a Config> {
        self.loaded.get(name).map(|merged| &merged.config)
    }

    /// Whether two names are of one unit.
    fn is(&self, one: &UnitName, other: &UnitName) -> bool {
        one == other
            || self.config(one).is_some_and(|config| config.aliases.contains(other) || config.name == *other)
    }

    /// The file a unit is told by, else its name.
    fn file<'b>(&self, config: &'b Config) -> &'b str {
        config.fragment.as_deref().unwrap_or(config.name.as_str())
    }

    /// Where a unit names another, if a line of its files does.
    fn named(&self, config: &Config, dependencies: &[Dependency], other: &UnitName) -> Option<Spot> {
        let keys: Vec<&str> = dependencies.iter().flat_map(|dependency| keys(*dependency)).copied().collect();
        self.sources.assignment(config, &keys, Some(other.as_str()))
    }
}

/// The keys that say a dependency.
const fn keys(dependency: Dependency) -> &'static [&'static str] {
    match dependency {
        Dependency::Requires => &["Requires"],
        Dependency::Requisite => &["Requisite"],
        Dependency::Wants => &["Wants", "Sockets"],
        Dependency::BindsTo => &["BindsTo", "BindTo"],
        Dependency::PartOf => &["PartOf"],
        Dependency::Upholds => &["Upholds"],
        Dependency::Conflicts => &["Conflicts"],
        Dependency::Before => &["Before"],
        Dependency::After => &["After"],
        Dependency::OnFailure => &["OnFailure"],
        Dependency::OnSuccess => &["OnSuccess"],
        Dependency::PropagatesReloadTo => &["PropagatesReloadTo", "PropagateReloadTo"],
        Dependency::ReloadPropagatedFrom => &["ReloadPropagatedFrom", "PropagateReloadFrom"],
        Dependency::PropagatesStopTo => &["PropagatesStopTo"],
        Dependency::StopPropagatedFrom => &["StopPropagatedFrom"],
        Dependency::JoinsNamespaceOf => &["JoinsNamespaceOf"],
        Dependency::Triggers => &["Unit", "Service"],
        Dependency::InSlice => &["Slice"],
    }
}
