//! What set units going that were forgotten since: people ask why when all is over. It is bounded, and written down.

use super::Turns;
use crate::engine::Engine;
use crate::limits;
use crate::record::Key;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;

/// The last turns of the units that were forgotten last.
#[derive(Debug, Default)]
pub(crate) struct Past {
    turns: BTreeMap<UnitName, (u64, Turns)>,
    /// By when they were forgotten.
    order: BTreeMap<u64, UnitName>,
}

impl Past {
    pub fn of(&self, name: &UnitName) -> Option<&Turns> {
        self.turns.get(name).map(|(_, turns)| turns)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&UnitName, &(u64, Turns))> {
        self.turns.iter()
    }

    /// Takes in what was written down.
    pub fn put(&mut self, name: UnitName, number: u64, turns: Turns) {
        if let Some((old, _)) = self.turns.insert(name.clone(), (number, turns)) {
            self.order.remove(&old);
        }
        self.order.insert(number, name);
    }

    fn next_number(&self) -> u64 {
        self.order.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// The one that is too many, and was forgotten first.
    fn drop_one(&mut self) -> Option<UnitName> {
        if self.order.len() <= limits::PAST {
            return None;
        }
        let (_, name) = self.order.pop_first()?;
        self.turns.remove(&name);
        Some(name)
    }
}

impl Engine {
    /// Keeps the turns of a unit that is forgotten. One that has none says no more than was known.
    pub(crate) fn remember(&mut self, name: UnitName, turns: Turns) {
        if turns.last().is_none() {
            return;
        }
        let kept = (self.past.next_number(), turns);
        self.write(Key::Past(name.clone()), postcard::to_allocvec(&kept).ok());
        self.past.put(name, kept.0, kept.1);
        if let Some(over) = self.past.drop_one() {
            self.write(Key::Past(over), None);
        }
    }

    /// The turns of a unit, loaded or forgotten.
    pub(super) fn turns(&self, name: &UnitName) -> Option<&Turns> {
        let loaded = self.graph.id(name).map(|unit| &self.unit(unit).life.turns);
        loaded.filter(|turns| turns.last().is_some()).or_else(|| self.past.of(name))
    }
}
