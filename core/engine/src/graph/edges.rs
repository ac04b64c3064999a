//! The dependencies of one unit, in the order they were learnt. Some units are named by all others (the root slice,
//! `shutdown.target`): theirs are kept by word too, so that what a unit's words lead to is found without a look at the others.

use super::{Facets, UnitId, Word};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Edge {
    pub to: UnitId,
    pub word: Word,
    pub told: Told,
}

/// Whose configuration says so. Both may: `Before=` here and `After=` there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    Here,
    There,
    Both,
}

impl Edge {
    pub fn is(&self, word: Word, to: UnitId) -> bool {
        self.word == word && self.to == to
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Edge>", into = "Vec<Edge>")]
pub(super) struct Edges {
    all: Vec<Edge>,
    /// For each word the places of its edges, rising. Only for long lists.
    places: Option<BTreeMap<Word, Vec<u32>>>,
}

/// A list as long as this is kept by word too.
const LONG: usize = 64;

impl Edges {
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn all(&self) -> &[Edge] {
        &self.all
    }

    pub fn get(&self, at: usize) -> &Edge {
        &self.all[at]
    }

    /// Those by a word with any of these facets, in order.
    pub fn with(&self, wanted: Facets) -> impl Iterator<Item = &Edge> + '_ {
        self.by(move |word| word.facets().any(wanted))
    }

    /// Those by this word, in order.
    pub fn of(&self, wanted: Word) -> impl Iterator<Item = &Edge> + '_ {
        self.by(move |word| word == wanted)
    }

    fn by(&self, wanted: impl Fn(Word) -> bool + 'static) -> impl Iterator<Item = &Edge> + '_ {
        let (scanned, lists) = match &self.places {
            None => (&self.all[..], Vec::new()),
            Some(places) => {
                let lists = places.iter().filter(|(word, _)| wanted(**word));
                (&[][..], lists.map(|(_, places)| places.as_slice()).collect())
            }
        };
        let found = Merged(lists).map(|at| &self.all[at as usize]);
        scanned.iter().filter(move |edge| wanted(edge.word)).chain(found)
    }

    pub fn place_of(&self, word: Word, to: UnitId) -> Option<usize> {
        self.all.iter().position(|edge| edge.is(word, to))
    }

    pub fn push(&mut self, edge: Edge) {
        let at = self.all.len() as u32;
        self.all.push(edge);
        match &mut self.places {
            Some(places) => places.entry(edge.word).or_default().push(at),
            None => self.sort_by_word(),
        }
    }

    pub fn remove(&mut self, at: usize) {
        let edge = self.all.remove(at);
        let Some(places) = &mut self.places else { return };
        let at = at as u32;
        for (word, places) in places.iter_mut() {
            let behind = places.partition_point(|place| *place < at);
            if *word == edge.word {
                places.remove(behind);
            }
            places[behind..].iter_mut().for_each(|place| *place -= 1);
        }
    }

    pub fn retain(&mut self, kept: impl FnMut(&Edge) -> bool) {
        self.all.retain(kept);
        self.sort_by_word();
    }

    pub fn set_told(&mut self, at: usize, told: Told) {
        self.all[at].told = told;
    }

    /// Units have new numbers.
    pub fn renumber(&mut self, moved: &[UnitId]) {
        self.all.iter_mut().for_each(|edge| edge.to = moved[edge.to.index()]);
    }

    fn sort_by_word(&mut self) {
        self.places = None;
        if self.all.len() < LONG {
            return;
        }
        let mut places: BTreeMap<Word, Vec<u32>> = BTreeMap::new();
        for (at, edge) in self.all.iter().enumerate() {
            places.entry(edge.word).or_default().push(at as u32);
        }
        self.places = Some(places);
    }
}

impl From<Vec<Edge>> for Edges {
    fn from(all: Vec<Edge>) -> Edges {
        let mut edges = Edges { all, places: None };
        edges.sort_by_word();
        edges
    }
}

impl From<Edges> for Vec<Edge> {
    fn from(edges: Edges) -> Vec<Edge> {
        edges.all
    }
}

/// The numbers of several rising lists, rising.
struct Merged<'a>(Vec<&'a [u32]>);

impl Iterator for Merged<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let next = self.0.iter_mut().filter(|list| !list.is_empty()).min_by_key(|list| list[0])?;
        let (first, rest) = next.split_first()?;
        *next = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Whatever was pushed and removed, each word's edges are those that a look at all of them finds.
    #[test]
    fn long_lists_answer_as_short_ones_do() {
        let mut edges = Edges::default();
        let mut state: u32 = 7;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for turn in 0..4_000_u32 {
            let shrinks = turn / 500 % 2 == 1;
            if edges.len() > 0 && (draw(3) == 0) != shrinks {
                edges.remove(draw(edges.len() as u32) as usize);
            } else if draw(200) == 0 {
                let gone = Word::ALL[draw(Word::ALL.len() as u32) as usize];
                edges.retain(|edge| edge.word != gone);
            } else {
                let word = Word::ALL[draw(Word::ALL.len() as u32) as usize];
                edges.push(Edge { to: UnitId(turn), word, told: Told::Here });
            }
            let facets = Facets::BEFORE.and(Facets::PULL_IN_START).and(Facets::CHECK_BOUND);
            let looked: Vec<&Edge> =
                edges.all().iter().filter(|edge| edge.word.facets().any(facets)).collect();
            assert_eq!(edges.with(facets).collect::<Vec<_>>(), looked, "after {turn}");
            let word = Word::ALL[draw(Word::ALL.len() as u32) as usize];
            let looked: Vec<&Edge> = edges.all().iter().filter(|edge| edge.word == word).collect();
            assert_eq!(edges.of(word).collect::<Vec<_>>(), looked, "after {turn}");
            assert!(edges.places.is_some() || edges.len() < LONG);
        }
    }
}
