//! From a name to a unit: found along the search path, read, merged, and completed with the dependencies nobody wrote.

mod perpetual;
mod print;
#[cfg(test)]
mod tests;
mod unusable;

use crate::config::{Config, Dependency, LoadState};
use crate::diagnostic::Severity;
use crate::files::{Found, Fragment, Index, Scope, Sight, Tree, TreeError};
use crate::implicit::{self, Said};
use crate::limits;
use crate::merge::{Merged, Origin, Reading, Source, merge_reading};
use crate::name::{UnitKind, UnitName};
use crate::specifier::Context;
use crate::values::mount_table::Mounted;
use crate::vendor::container_conditions;
pub use print::Print;
use print::{Written, sum_of_looks};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use unusable::{complaint, missing, unreadable};

/// Whether the host is ours, or shows through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    Machine,
    Container,
}

/// Everything loading needs to know.
#[derive(Clone, Copy)]
pub struct Loader<'a, T: ?Sized> {
    pub tree: &'a T,
    pub index: &'a Index,
    pub cx: &'a Context,
    pub scope: Scope,
    pub surroundings: Surroundings,
}

/// A unit that was read, and what it is to be known again by.
#[derive(Clone, Debug)]
pub struct Fresh {
    pub merged: Merged,
    pub print: Print,
}

/// What became of a unit whose files were looked at again.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "made for one loop, and as often the one as the other")]
pub enum Again {
    /// It was not known, or another text speaks for it now.
    Fresh(Fresh),
    /// In itself it is as it was; the dependencies after its own are these now.
    Kept { name: UnitName, own: usize, between: Vec<(Dependency, UnitName)>, print: Print },
}

impl<T: Tree + ?Sized> Loader<'_, T> {
    /// One unit. Its dependencies on targets and mounts that take two to decide are not in it: see [`Loader::closure`].
    pub fn load(&self, asked: &UnitName) -> Merged {
        self.read(asked, Reading::UpToTheFault)
    }

    /// One unit with all that is wrong in its files, also after a line for which it cannot be used.
    pub fn load_whole(&self, asked: &UnitName) -> Merged {
        self.read(asked, Reading::Whole)
    }

    fn read(&self, asked: &UnitName, reading: Reading) -> Merged {
        match self.written(asked, self.index.find_to_read(self.tree, asked), Origin::Files) {
            Ok(written) => self.put_together(asked, written, reading, Origin::Files),
            Err(unusable) => *unusable,
        }
    }

    /// The texts about a unit, or what it is where they cannot be read.
    fn written(
        &self,
        asked: &UnitName,
        mut found: Found,
        origin: Origin<'_>,
    ) -> Result<Written, Box<Merged>> {
        // Scopes are made at run time, by whoever has the processes.
        if asked.kind() == UnitKind::Scope && !crate::files::needs_no_file(asked) {
            return Err(Box::new(missing(found, self)));
        }
        let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
        let mut sights = Some(Vec::new());
        let mut note = |sight: Option<Sight>| match (&mut sights, sight) {
            (Some(sights), Some(sight)) => sights.push(sight),
            (_, None) | (None, _) => sights = None,
        };
        let mut odd = Vec::new();
        let text = match &found.fragment {
            Fragment::File(path) => Some(self.tree.read_seen(path, limits::UNIT_FILE_MAX)),
            Fragment::Missing | Fragment::Masked(_) | Fragment::Cycle => None,
        };
        let is_empty = |(text, _): &(Vec<u8>, _)| text.is_empty();
        if text.as_ref().is_some_and(|text| text.as_ref().map_or(true, is_empty)) {
            found = self.index.find(self.tree, asked);
            note(None);
        }
        if let (Fragment::File(path), Some(text)) = (&found.fragment, text) {
            match text {
                Ok((text, sight)) => {
                    note(sight);
                    texts.push((path.clone(), text));
                }
                // A link that leads nowhere: as if there were no file.
                Err(TreeError::NotFound) => return Err(Box::new(missing(found, self))),
                Err(error) => return Err(Box::new(unreadable(&found, path, &error))),
            }
            for path in &found.dropins {
                match self.tree.read_seen(path, limits::UNIT_FILE_MAX) {
                    Ok((text, sight)) => {
                        note(sight);
                        texts.push((path.clone(), text));
                    }
                    Err(error) => {
                        note(None);
                        odd.push(complaint(path, Severity::Warning, &error));
                    }
                }
            }
        } else if found.fragment == Fragment::Missing
            && (crate::files::needs_no_file(asked) || matches!(origin, Origin::Kernel(_)))
        {
            for path in &found.dropins {
                let read = self.tree.read_seen(path, limits::UNIT_FILE_MAX).ok();
                note(read.as_ref().and_then(|(_, sight)| *sight));
                texts.extend(read.map(|(text, _)| (path.clone(), text)));
            }
        }
        Ok(Written { found, texts, sights, odd })
    }

    fn put_together(
        &self,
        asked: &UnitName,
        written: Written,
        reading: Reading,
        origin: Origin<'_>,
    ) -> Merged {
        let (mut merged, found) = self.merged(asked, written, reading, origin);
        self.finish(&mut merged.config, &found);
        merged
    }

    fn merged(
        &self,
        asked: &UnitName,
        written: Written,
        reading: Reading,
        origin: Origin<'_>,
    ) -> (Merged, Found) {
        let Written { found, texts, sights: _, odd } = written;
        let sources: Vec<Source<'_>> = texts.iter().map(|(path, text)| Source { path, text }).collect();
        // Specifiers mean the name that was asked for; only then the unit takes its main name.
        let mut merged = merge_reading(asked, &sources, &found, self.cx, reading, origin);
        merged.diagnostics.splice(0..0, odd);
        (merged, found)
    }

    /// The dependencies that a unit's own files and folders say, without those that nobody wrote.
    pub fn written_dependencies(&self, asked: &UnitName) -> Vec<(Dependency, UnitName)> {
        match self.written(asked, self.index.find_to_read(self.tree, asked), Origin::Files) {
            Ok(written) => {
                let (merged, _) = self.merged(asked, written, Reading::UpToTheFault, Origin::Files);
                merged.config.unit.dependencies
            }
            Err(_) => Vec::new(),
        }
    }

    /// The units named and all they lead to, each once, with what holds between them.
    pub fn closure(&self, names: &[UnitName]) -> Vec<Merged> {
        self.closure_beside(names, &|_| None).into_iter().map(|fresh| fresh.merged).collect()
    }

    /// As `closure`, beside units that are known by their own names or others: those are not read, and not in it.
    pub fn closure_beside<'k>(
        &self,
        names: &[UnitName],
        known: &impl Fn(&UnitName) -> Option<&'k Config>,
    ) -> Vec<Fresh> {
        let known = |name: &UnitName| known(name).map(|config| (config, Knowledge::There));
        let fresh = self.walk(names, &known).into_iter().filter_map(|again| match again {
            Again::Fresh(fresh) => Some(fresh),
            Again::Kept { .. } => None,
        });
        fresh.collect()
    }

    /// As `closure`, of units that were read before: of those that are written as their print says only what holds between
    /// them and others is told anew.
    pub fn closure_again<'k>(
        &self,
        names: &[UnitName],
        known: &impl Fn(&UnitName) -> Option<(&'k Config, Print)>,
    ) -> Vec<Again> {
        self.walk(names, &|name| known(name).map(|(config, print)| (config, Knowledge::Read(print))))
    }

    fn walk<'k>(
        &self,
        names: &[UnitName],
        known: &impl Fn(&UnitName) -> Option<(&'k Config, Knowledge)>,
    ) -> Vec<Again> {
        let mut met: BTreeMap<UnitName, Met<'k>> = BTreeMap::new();
        let mut seen: BTreeSet<UnitName> = names.iter().cloned().collect();
        let mut ahead: VecDeque<UnitName> = names.iter().cloned().collect();
        while let Some(name) = ahead.pop_front() {
            let one = self.meet(&name, known(&name));
            let said = one.said();
            ahead.extend(self.leads_to(said).filter(|name| seen.insert(name.clone())));
            match one {
                Met::There(_) => {}
                Met::Kept(..) | Met::Fresh(..) => seen.extend(said.config.aliases.iter().cloned()),
            }
            met.entry(said.config.name.clone()).or_insert(one);
        }
        let mut between = relate(&met);
        let again = met.into_iter().filter_map(|(name, one)| {
            let between = between.remove(&name).unwrap_or_default();
            match one {
                Met::There(_) => None,
                Met::Kept(_, print) => Some(Again::Kept { name, own: print.own as usize, between, print }),
                Met::Fresh(mut merged, print) => {
                    let print = Print { own: merged.config.unit.dependencies.len() as u32, ..print };
                    merged.config.unit.dependencies.extend(between);
                    Some(Again::Fresh(Fresh { merged: *merged, print }))
                }
            }
        });
        again.collect()
    }

    fn meet<'k>(&self, name: &UnitName, known: Option<(&'k Config, Knowledge)>) -> Met<'k> {
        if let Some((config, Knowledge::There)) = known {
            return Met::There(config);
        }
        let found = self.index.find_to_read(self.tree, name);
        if let Some((config, Knowledge::Read(print))) = known
            && print.look.is_some_and(|look| self.look(name, &found) == Some(look))
        {
            return Met::Kept(config, print);
        }
        let written = match self.written(name, found, Origin::Files) {
            Ok(written) => written,
            Err(unusable) => return Met::Fresh(unusable, Print::NONE),
        };
        let print = written.print(name);
        match known {
            Some((config, Knowledge::Read(known))) if known.text == print.text => {
                Met::Kept(config, Print { own: known.own, ..print })
            }
            Some((_, Knowledge::There | Knowledge::Read(_))) | None => {
                let merged = self.put_together(name, written, Reading::UpToTheFault, Origin::Files);
                Met::Fresh(Box::new(merged), print)
            }
        }
    }

    /// The sum of how everything looks that is written about a unit.
    fn look(&self, asked: &UnitName, found: &Found) -> Option<u64> {
        let fragment = match &found.fragment {
            Fragment::File(path) => Some(path),
            Fragment::Missing => None,
            Fragment::Masked(_) | Fragment::Cycle => return None,
        };
        let sights: Option<Vec<Sight>> =
            fragment.into_iter().chain(&found.dropins).map(|path| self.tree.sight(path)).collect();
        Some(sum_of_looks(asked, found, &sights?))
    }

    /// One unit, with what holds between it and those it names.
    pub fn one(&self, name: &UnitName) -> Merged {
        self.related(self.load(name))
    }

    /// As `one`, of what the kernel says is mounted: where a file says so too, it is the file's unit. Drop-ins count.
    pub fn mounted(&self, name: &UnitName, mounted: &Mounted) -> Merged {
        let found = self.index.find_to_read(self.tree, name);
        match found.fragment {
            Fragment::Missing => {}
            Fragment::File(_) | Fragment::Masked(_) | Fragment::Cycle => return self.one(name),
        }
        let origin = Origin::Kernel(mounted);
        match self.written(name, found, origin) {
            Ok(written) => self.related(self.put_together(name, written, Reading::UpToTheFault, origin)),
            Err(unusable) => *unusable,
        }
    }

    fn related(&self, mut merged: Merged) -> Merged {
        let own = merged.config.name.clone();
        let near: BTreeSet<UnitName> = self.leads_to(Said::all_of(&merged.config)).collect();
        let mut met: BTreeMap<UnitName, Met<'_>> = BTreeMap::new();
        for near in near.iter().map(|name| self.load(name)) {
            met.insert(near.config.name.clone(), Met::Fresh(Box::new(near), Print::NONE));
        }
        met.insert(own.clone(), Met::There(&merged.config));
        let between = relate(&met).remove(&own);
        drop(met);
        merged.config.unit.dependencies.extend(between.unwrap_or_default());
        merged
    }

    fn leads_to(&self, said: Said<'_>) -> impl Iterator<Item = UnitName> {
        let Said { config, own } = said;
        let mounts = config.unit.requires_mounts_for.iter().chain(&config.unit.wants_mounts_for);
        let mounts = mounts.flat_map(|path| implicit::mounts_above(path)).filter(|name| self.index.has(name));
        own.iter().map(|(_, other)| other.clone()).chain(mounts)
    }

    fn finish(&self, config: &mut Config, found: &Found) {
        config.name = found.name.clone();
        perpetual::complete(config);
        implicit::complete(config, self.scope, self.surroundings, self.cx);
        if self.surroundings == Surroundings::Container && config.load == LoadState::Loaded {
            config.unit.conditions.extend(container_conditions(&config.name));
        }
    }
}

/// How a unit is known already.
#[derive(Clone, Copy)]
enum Knowledge {
    /// Whatever its files say now.
    There,
    /// As long as its files say the same.
    Read(Print),
}

/// A unit that was come upon.
enum Met<'k> {
    There(&'k Config),
    /// With what it is to be known again by from now on.
    Kept(&'k Config, Print),
    /// With that but for its dependencies.
    Fresh(Box<Merged>, Print),
}

impl Met<'_> {
    /// What the unit says that other units have no part in. A unit that is there may say more: nothing is added to it.
    fn said(&self) -> Said<'_> {
        match self {
            Met::There(config) => Said::all_of(config),
            Met::Kept(config, print) => {
                let all = &config.unit.dependencies;
                Said { config, own: &all[..all.len().min(print.own as usize)] }
            }
            Met::Fresh(merged, _) => Said::all_of(&merged.config),
        }
    }
}

/// What holds between units, by who has it.
fn relate(met: &BTreeMap<UnitName, Met<'_>>) -> BTreeMap<UnitName, Vec<(Dependency, UnitName)>> {
    let mut by_name: BTreeMap<UnitName, Said<'_>> = BTreeMap::new();
    for one in met.values() {
        let said = one.said();
        by_name.extend(said.config.aliases.iter().map(|alias| (alias.clone(), said)));
    }
    by_name.extend(met.iter().map(|(name, one)| (name.clone(), one.said())));
    let mut related: BTreeMap<UnitName, Vec<(Dependency, UnitName)>> = BTreeMap::new();
    for edge in implicit::between(&by_name) {
        related.entry(edge.from).or_default().push((edge.dependency, edge.to));
    }
    related
}
