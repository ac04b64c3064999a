//! The loaded units and how they depend on each other. Each unit has a number, those that came later a higher one; each
//! name leads to one number; each dependency stands at both its ends, so that nobody searches. Names that are only
//! mentioned are there too, as units of which nothing was found. Units that are forgotten leave gaps, which are closed now
//! and then.
//!
//! Knows no state and no job.

mod edges;
pub mod facets;

use crate::limits;
use edges::{Edge, Edges, Told};
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::name::UnitName;
pub use facets::{Facets, Word, Writer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A unit's place in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitId(pub u32);

impl UnitId {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How much is known of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Knowledge {
    /// Only mentioned by others: nobody looked for it yet.
    Mentioned,
    Loaded,
    /// The place of a unit that was forgotten: nothing leads here.
    Vacant,
}

/// What `Graph::load` did with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    Changed,
    Same,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Node {
    config: Arc<Config>,
    knowledge: Knowledge,
    edges: Edges,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Graph {
    nodes: Vec<Node>,
    names: BTreeMap<UnitName, UnitId>,
    edges: usize,
    /// How many of the nodes are no unit's any more.
    vacant: usize,
    /// Units that came, or that somebody ceased to name, since the engine looked: perhaps nobody needs them.
    #[serde(skip)]
    loose: Vec<UnitId>,
}

/// So many gaps are always left.
const GAPS: usize = 64;

/// How many dependencies on one unit are looked for one by one; more are found by going through all it has.
const SEARCHED: usize = 8;

/// The graph is as large as it may become; the unit was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Graph {
    pub fn len(&self) -> usize {
        self.nodes.len() - self.vacant
    }

    /// How many numbers are given out, or were since the gaps were closed.
    pub(crate) fn places(&self) -> usize {
        self.nodes.len()
    }

    /// Whether every number in it leads to a unit: one that was read may have been made up.
    pub fn is_sound(&self) -> bool {
        let leads = |unit: &UnitId| {
            self.nodes.get(unit.index()).is_some_and(|node| node.knowledge != Knowledge::Vacant)
        };
        self.names.values().all(leads)
            && self.nodes.iter().filter(|node| node.knowledge == Knowledge::Vacant).count() == self.vacant
            && self.len() <= limits::UNITS
            && self.nodes.iter().flat_map(|node| node.edges.all()).all(|edge| leads(&edge.to))
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn ids(&self) -> impl Iterator<Item = UnitId> + '_ {
        let there = self.nodes.iter().enumerate().filter(|(_, node)| node.knowledge != Knowledge::Vacant);
        there.map(|(place, _)| UnitId(place as u32))
    }

    /// By any of its names.
    pub fn id(&self, name: &UnitName) -> Option<UnitId> {
        self.names.get(name).copied()
    }

    pub fn name(&self, id: UnitId) -> &UnitName {
        &self.nodes[id.index()].config.name
    }

    pub fn config(&self, id: UnitId) -> &Arc<Config> {
        &self.nodes[id.index()].config
    }

    pub fn knowledge(&self, id: UnitId) -> Knowledge {
        self.nodes[id.index()].knowledge
    }

    /// The units this one stands to in any of the `wanted` ways. A unit may come twice, by two words.
    pub fn neighbours(&self, id: UnitId, wanted: Facets) -> impl Iterator<Item = UnitId> + '_ {
        self.nodes[id.index()].edges.with(wanted).map(|edge| edge.to)
    }

    /// As `neighbours`, with the words.
    pub fn ties(&self, id: UnitId, wanted: Facets) -> impl Iterator<Item = (Word, UnitId)> + '_ {
        self.nodes[id.index()].edges.with(wanted).map(|edge| (edge.word, edge.to))
    }

    /// The units that this one has this word for.
    pub fn others(&self, id: UnitId, word: Word) -> impl Iterator<Item = UnitId> + '_ {
        self.nodes[id.index()].edges.of(word).map(|edge| edge.to)
    }

    /// All words at once, in the order they were learnt.
    pub fn dependencies(&self, id: UnitId) -> impl Iterator<Item = (Word, UnitId)> + '_ {
        self.nodes[id.index()].edges.all().iter().map(|edge| (edge.word, edge.to))
    }

    /// As `neighbours`, beginning at a place in the list and going round, each with its place.
    pub fn neighbours_from(
        &self,
        id: UnitId,
        wanted: Facets,
        place: u32,
    ) -> impl Iterator<Item = (u32, UnitId)> + '_ {
        let edges = self.nodes[id.index()].edges.all();
        let begin = (place as usize).min(edges.len());
        let round = (begin..edges.len()).chain(0..begin);
        round.filter(move |at| edges[*at].word.facets().any(wanted)).map(|at| (at as u32, edges[at].to))
    }

    /// The units whose configuration names this one.
    pub fn named_by(&self, id: UnitId) -> impl Iterator<Item = UnitId> + '_ {
        let edges = self.nodes[id.index()].edges.all().iter();
        edges.filter(|edge| matches!(edge.told, Told::There | Told::Both)).map(|edge| edge.to)
    }

    /// The units that this one's configuration names.
    pub fn names_of(&self, id: UnitId) -> impl Iterator<Item = UnitId> + '_ {
        let edges = self.nodes[id.index()].edges.all().iter();
        edges.filter(|edge| matches!(edge.told, Told::Here | Told::Both)).map(|edge| edge.to)
    }

    /// Units that came, or that somebody ceased to name, since this was asked last.
    pub(crate) fn take_loose(&mut self) -> Vec<UnitId> {
        std::mem::take(&mut self.loose)
    }

    /// Whether `id` stands to `other` in one of the `wanted` ways; looks at the shorter of both lists.
    pub fn related(&self, id: UnitId, wanted: Facets, other: UnitId) -> bool {
        let (here, there) = (self.nodes[id.index()].edges.all(), self.nodes[other.index()].edges.all());
        if here.len() <= there.len() {
            here.iter().any(|edge| edge.to == other && edge.word.facets().any(wanted))
        } else {
            there.iter().any(|edge| edge.to == id && edge.word.inverse().facets().any(wanted))
        }
    }

    /// Takes a configuration in, in place of what was known of the unit.
    pub fn load(&mut self, config: Arc<Config>) -> Result<(UnitId, Change), Full> {
        if let Some(owner) = self.id(&config.name)
            && self.nodes[owner.index()].config.name != config.name
        {
            self.drop_alias(owner, &config.name)?;
        }
        let id = self.mention(&config.name)?;
        let node = &self.nodes[id.index()];
        let change = match node.knowledge {
            Knowledge::Mentioned | Knowledge::Vacant => Change::New,
            Knowledge::Loaded if *node.config == *config => return Ok((id, Change::Same)),
            Knowledge::Loaded => Change::Changed,
        };
        let own = |edge: &&Edge| edge.told != Told::There;
        let old = std::mem::replace(&mut self.nodes[id.index()].config, Arc::clone(&config));
        self.nodes[id.index()].knowledge = Knowledge::Loaded;
        for alias in old.aliases.iter().filter(|alias| !config.aliases.contains(alias)) {
            if self.names.get(alias) == Some(&id) {
                self.drop_alias(id, alias)?;
            }
        }
        let said: BTreeSet<(Word, UnitId)> =
            self.nodes[id.index()].edges.all().iter().filter(own).map(|edge| (edge.word, edge.to)).collect();
        for alias in &config.aliases {
            self.alias(id, alias);
        }
        let mut says = Vec::new();
        let mut named = Ok(());
        for (word, name) in told_by(&config) {
            match self.mention(name) {
                Ok(other) => says.push((word, other)),
                Err(full) => {
                    named = Err(full);
                    break;
                }
            }
        }
        // What is said as before stays where it stands: some units are named by all others.
        let still: BTreeSet<(Word, UnitId)> = says.iter().copied().collect();
        for (word, other) in said.difference(&still) {
            self.take_back(id, *word, *other);
            self.loose.push(*other);
        }
        for (word, other) in says.into_iter().filter(|one| !said.contains(one)) {
            self.tell(id, word, other)?;
        }
        named.map(|()| (id, change))
    }

    /// The name is the unit's no longer: what others said of it is said of whoever has it from now on.
    fn drop_alias(&mut self, owner: UnitId, alias: &UnitName) -> Result<(), Full> {
        self.names.remove(alias);
        let of_alias: Vec<(UnitId, Word)> = self.nodes[owner.index()]
            .edges
            .all()
            .iter()
            .filter(|edge| edge.told != Told::Here)
            .map(|edge| (edge.to, edge.word.inverse()))
            .filter(|(other, word)| self.says(*other, *word, alias))
            .collect();
        for (other, word) in of_alias {
            let config = Arc::clone(&self.nodes[other.index()].config);
            if !told_by(&config).any(|(said, name)| said == word && self.id(name) == Some(owner)) {
                self.take_back(other, word, owner);
                self.loose.push(owner);
            }
            let heir = self.mention(alias)?;
            self.tell(other, word, heir)?;
        }
        Ok(())
    }

    fn says(&self, unit: UnitId, word: Word, of: &UnitName) -> bool {
        told_by(&self.nodes[unit.index()].config).any(|(said, name)| said == word && name == of)
    }

    /// The number of a name; a name nobody knows yet gets one.
    pub fn mention(&mut self, name: &UnitName) -> Result<UnitId, Full> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        if self.len() >= limits::UNITS {
            return Err(Full);
        }
        let id = UnitId(self.nodes.len() as u32);
        let config = Arc::new(Config::bare(name.clone(), LoadState::NotFound));
        self.nodes.push(Node { config, knowledge: Knowledge::Mentioned, edges: Edges::default() });
        self.names.insert(name.clone(), id);
        self.loose.push(id);
        Ok(id)
    }

    /// Forgets units that no other is left to name, with all that they say of others.
    pub fn forget(&mut self, units: &BTreeSet<UnitId>) {
        let mut named: BTreeMap<UnitId, Vec<(UnitId, Word)>> = BTreeMap::new();
        for unit in units {
            let bare = Arc::new(Config::bare(self.name(*unit).clone(), LoadState::NotFound));
            let node = Node { config: bare, knowledge: Knowledge::Vacant, edges: Edges::default() };
            let node = std::mem::replace(&mut self.nodes[unit.index()], node);
            for name in node.config.aliases.iter().chain([&node.config.name]) {
                // A name may have become another's since.
                if self.names.get(name) == Some(unit) {
                    self.names.remove(name);
                }
            }
            self.edges -= node.edges.len();
            for edge in node.edges.all().iter().filter(|edge| !units.contains(&edge.to)) {
                named.entry(edge.to).or_default().push((*unit, edge.word.inverse()));
            }
            self.vacant += 1;
        }
        for (other, gone) in named {
            self.edges -= gone.len();
            let edges = &mut self.nodes[other.index()].edges;
            if gone.len() > SEARCHED {
                edges.retain(|edge| !units.contains(&edge.to));
            } else {
                // What came last goes first, mostly: it stands at the end of a list that may be long.
                for (unit, word) in gone {
                    if let Some(at) = edges.all().iter().rposition(|edge| edge.is(word, unit)) {
                        edges.remove(at);
                    }
                }
            }
            self.loose.push(other);
        }
    }

    /// Closes the gaps that forgotten units left, where there are more of them than units: gives the new number of each
    /// old one. The order stays.
    pub(crate) fn close_gaps(&mut self) -> Option<Vec<UnitId>> {
        if self.vacant <= self.len().max(GAPS) {
            return None;
        }
        let mut next = 0;
        let moved: Vec<UnitId> = self
            .nodes
            .iter()
            .map(|node| {
                let number = UnitId(next);
                next += u32::from(node.knowledge != Knowledge::Vacant);
                number
            })
            .collect();
        self.nodes.retain(|node| node.knowledge != Knowledge::Vacant);
        self.nodes.iter_mut().for_each(|node| node.edges.renumber(&moved));
        for unit in self.names.values_mut().chain(&mut self.loose) {
            *unit = moved[unit.index()];
        }
        self.vacant = 0;
        Some(moved)
    }

    /// `name` becomes a further name of `id`. If it was a unit of its own, what others said of it is now said of `id`.
    fn alias(&mut self, id: UnitId, name: &UnitName) {
        let Some(before) = self.names.insert(name.clone(), id) else { return };
        if before == id {
            return;
        }
        self.loose.push(before);
        let inherited = std::mem::take(&mut self.nodes[before.index()].edges);
        for edge in inherited.all() {
            let from = edge.to;
            let at_other = &mut self.nodes[from.index()].edges;
            at_other.retain(|back| !back.is(edge.word.inverse(), before));
            self.edges -= 2;
            self.loose.push(from);
            let told_there = matches!(edge.told, Told::There | Told::Both);
            // What the former unit said itself is void; what others said of it stays said.
            if told_there && from != id {
                self.link(from, edge.word.inverse(), id);
            }
        }
    }

    fn tell(&mut self, id: UnitId, word: Word, other: UnitId) -> Result<(), Full> {
        if id == other {
            return Ok(());
        }
        if self.edges + 2 > limits::EDGES {
            return Err(Full);
        }
        self.link(id, word, other);
        Ok(())
    }

    fn link(&mut self, id: UnitId, word: Word, other: UnitId) {
        let shorter_here = self.nodes[id.index()].edges.len() <= self.nodes[other.index()].edges.len();
        let known = if shorter_here {
            self.find(id, word, other).is_some()
        } else {
            self.find(other, word.inverse(), id).is_some()
        };
        if !known {
            self.nodes[id.index()].edges.push(Edge { to: other, word, told: Told::Here });
            self.nodes[other.index()].edges.push(Edge { to: id, word: word.inverse(), told: Told::There });
            self.edges += 2;
            return;
        }
        self.amend(id, word, other, |told| match told {
            Told::Here => Told::Here,
            Told::There | Told::Both => Told::Both,
        });
        self.amend(other, word.inverse(), id, |told| match told {
            Told::There => Told::There,
            Told::Here | Told::Both => Told::Both,
        });
    }

    fn find(&self, id: UnitId, word: Word, other: UnitId) -> Option<usize> {
        self.nodes[id.index()].edges.place_of(word, other)
    }

    fn amend(&mut self, id: UnitId, word: Word, other: UnitId, change: impl Fn(Told) -> Told) {
        if let Some(place) = self.find(id, word, other) {
            let edges = &mut self.nodes[id.index()].edges;
            edges.set_told(place, change(edges.get(place).told));
        }
    }

    /// Takes back what `id` told of `other`.
    fn take_back(&mut self, id: UnitId, word: Word, other: UnitId) {
        let Some(here) = self.find(id, word, other) else { return };
        let Some(there) = self.find(other, word.inverse(), id) else { return };
        match self.nodes[id.index()].edges.get(here).told {
            Told::Here => {
                self.nodes[id.index()].edges.remove(here);
                self.nodes[other.index()].edges.remove(there);
                self.edges -= 2;
            }
            Told::Both => {
                self.nodes[id.index()].edges.set_told(here, Told::There);
                self.nodes[other.index()].edges.set_told(there, Told::Here);
            }
            Told::There => {}
        }
    }
}

fn told_by(config: &Config) -> impl Iterator<Item = (Word, &UnitName)> {
    config.unit.dependencies.iter().map(|(dependency, name)| (Word::from(*dependency), name))
}

#[cfg(test)]
mod tests;
