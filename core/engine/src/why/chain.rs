//! From a unit's last change back to what is at its root.

use super::words;
use super::{Errand, Heading, Lack, Root, Turn, Turns, What, heading};
use crate::api::{ActiveState, Moment};
use crate::engine::Engine;
use crate::graph::{Facets, Word};
use crate::limits;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeSet;

/// One link of a chain: a sentence without its subject, which is the unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub unit: UnitName,
    pub at: Moment,
    pub tells: Tells,
    pub text: String,
}

/// What a link tells of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    Up,
    Down,
    Failed,
    NotStarted,
    /// A condition or assertion does not hold.
    Unmet,
    /// It is up, but for something that it requires. It stands beside the link before it, and is no cause of that.
    Lacking,
    /// Who wanted all of it: the last link.
    Asked,
}

impl Tells {
    pub const ALL: [Tells; 7] = [
        Tells::Up,
        Tells::Down,
        Tells::Failed,
        Tells::NotStarted,
        Tells::Unmet,
        Tells::Lacking,
        Tells::Asked,
    ];

    /// For clients.
    pub const fn word(self) -> &'static str {
        match self {
            Tells::Up => "up",
            Tells::Down => "down",
            Tells::Failed => "failed",
            Tells::NotStarted => "not-started",
            Tells::Unmet => "unmet",
            Tells::Lacking => "lacking",
            Tells::Asked => "asked",
        }
    }

    fn of(turn: &Turn) -> Tells {
        match (&turn.what, turn.to) {
            (What::Unmet(_), _) => Tells::Unmet,
            _ if started_in_vain(turn) => Tells::NotStarted,
            (_, ActiveState::Active | ActiveState::Reloading | ActiveState::Activating) => Tells::Up,
            (_, ActiveState::Failed) => Tells::Failed,
            (_, ActiveState::Inactive | ActiveState::Deactivating | ActiveState::Maintenance) => Tells::Down,
        }
    }
}

impl Engine {
    /// Why a unit is what it is: its last change first, each link the cause of the one before. Empty: it has not changed
    /// since it was loaded. Of one that was forgotten it is told what is still known.
    pub fn why(&self, name: &UnitName) -> Vec<Link> {
        let name = self.graph.id(name).map_or(name, |unit| self.graph.name(unit));
        let Some(last) = self.turns(name).and_then(Turns::last) else { return Vec::new() };
        let mut links = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = Some((name.clone(), last));
        while let Some((name, turn)) = at {
            let (at_end, text) = (turn.ended, words::of_turn(turn));
            links.push(Link { unit: name.clone(), at: at_end, tells: Tells::of(turn), text });
            if let Some(lack) = self.lack_in(&name, turn) {
                let (tells, text) = (Tells::Lacking, format!("was started {}", words::of_lack(lack)));
                links.push(Link { unit: name.clone(), at: turn.began, tells, text });
            }
            let direction = heading(turn.to);
            seen.insert((name.clone(), direction == Heading::Up));
            let next = behind(&name, turn).and_then(|(other, wanted)| self.turn(&other, wanted));
            at = next.filter(|(other, next)| {
                !seen.contains(&(other.clone(), heading(next.to) == Heading::Up))
                    && next.began.monotonic <= turn.ended.monotonic
                    && next.ended.monotonic >= earliest(turn)
                    && links.len() < limits::CHAIN
            });
            if at.is_none()
                && let Some(text) = turn.errand.as_deref().and_then(words::of_root)
            {
                links.push(Link { unit: name, at: turn.began, tells: Tells::Asked, text });
            }
        }
        links
    }

    /// What the unit was started without, in the run that a turn began or ended.
    fn lack_in<'a>(&'a self, name: &UnitName, turn: &'a Turn) -> Option<&'a Lack> {
        let of_start = match heading(turn.to) {
            Heading::Up => turn,
            Heading::Down if started_in_vain(turn) => return None,
            Heading::Down => self.turns(name)?.up.as_deref()?,
        };
        of_start.errand.as_deref()?.without.as_deref()
    }

    fn turn(&self, name: &UnitName, wanted: Heading) -> Option<(UnitName, &Turn)> {
        let name = self.graph.id(name).map_or(name, |unit| self.graph.name(unit));
        let turns = self.turns(name)?;
        let turn = match wanted {
            Heading::Up => turns.up.as_deref().filter(|up| {
                // The start that came to nothing is the later one.
                !turns
                    .down
                    .as_deref()
                    .is_some_and(|d| started_in_vain(d) && d.began.monotonic > up.began.monotonic)
            }),
            Heading::Down => turns.down.as_deref(),
        };
        let turn = turn.or_else(|| turns.down.as_deref().filter(|down| started_in_vain(down)));
        Some((name.clone(), turn?))
    }
}

/// Who wants a unit moves by the same request, or is no cause: it was where it is before.
fn earliest(turn: &Turn) -> u64 {
    let errand = turn.errand.as_deref().filter(|errand| errand.through.is_some());
    errand.map_or(0, |errand| errand.at)
}

pub fn started_in_vain(turn: &Turn) -> bool {
    matches!(
        turn.what,
        What::Unmet(_)
            | What::Dependency(..)
            | What::JobEnded(_)
            | What::Overtaken(_)
            | What::Cancelled
            | What::InCycle(_)
            | What::Impossible(_)
            | What::Refused(_)
    )
}

/// The unit that a turn comes from, and which way that went.
fn behind(own: &UnitName, turn: &Turn) -> Option<(UnitName, Heading)> {
    if turn.what == What::Restart {
        return Some((own.clone(), Heading::Down));
    }
    if let What::Dependency(unit, _) = &turn.what {
        return Some((unit.clone(), Heading::Down));
    }
    let Errand { root, through, at: _, without: _ } = turn.errand.as_deref()?;
    if let Some((unit, word)) = through {
        // What wants a unit goes its way without it.
        let is_refused = matches!(turn.what, What::Refused(_));
        return Some((unit.clone(), if is_refused { Heading::Up } else { way_of(*word, turn) }));
    }
    match root {
        Root::Asked(_) | Root::Unneeded | Root::Emergency(None) => None,
        Root::Restart => Some((own.clone(), Heading::Down)),
        Root::Ended(ended) => Some((ended.unit.clone(), Heading::Down)),
        Root::Triggered(unit) => Some((unit.clone(), Heading::Up)),
        Root::Followed { unit, word } => Some((unit.clone(), way_of(*word, turn))),
        Root::Emergency(Some(unit)) | Root::ExitCode(unit) => Some((unit.clone(), Heading::Down)),
    }
}

/// Which way the unit went that has this word for the one of the turn.
fn way_of(word: Word, turn: &Turn) -> Heading {
    let conflicts = word.facets().any(Facets::RETROACTIVE_STOP_ON_START);
    if conflicts { Heading::Up } else { heading(turn.to) }
}
