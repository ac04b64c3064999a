//! From a unit's last change back to what is at its root.

use super::words;
use super::{Errand, Heading, Root, Turn, Turns, What, heading};
use crate::api::Moment;
use crate::engine::Engine;
use crate::limits;
use eudaemon_unit::name::UnitName;
use std::collections::BTreeSet;

/// One link of a chain: a sentence without its subject, which is the unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub unit: UnitName,
    pub at: Moment,
    pub text: String,
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
            links.push(Link { unit: name.clone(), at: turn.ended, text: words::of_turn(turn) });
            let direction = heading(turn.to);
            seen.insert((name.clone(), direction == Heading::Up));
            let next = behind(&name, turn).and_then(|(other, wanted)| self.turn(&other, wanted));
            at = next.filter(|(other, next)| {
                !seen.contains(&(other.clone(), heading(next.to) == Heading::Up))
                    && next.began.monotonic <= turn.ended.monotonic
                    && links.len() < limits::CHAIN
            });
            if at.is_none()
                && let Some(text) = turn.errand.as_deref().and_then(words::of_root)
            {
                links.push(Link { unit: name, at: turn.began, text });
            }
        }
        links
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

pub fn started_in_vain(turn: &Turn) -> bool {
    matches!(
        turn.what,
        What::Unmet(_) | What::Dependency(..) | What::JobEnded(_) | What::InCycle(_) | What::Impossible(_)
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
    let Errand { root, through } = turn.errand.as_deref()?;
    if let Some((unit, _)) = through {
        return Some((unit.clone(), heading(turn.to)));
    }
    match root {
        Root::Asked(_) | Root::Unneeded | Root::Emergency(None) => None,
        Root::Restart => Some((own.clone(), Heading::Down)),
        Root::Ended(ended) => Some((ended.unit.clone(), Heading::Down)),
        Root::Triggered(unit) => Some((unit.clone(), Heading::Up)),
        Root::Followed { unit, .. } => Some((unit.clone(), heading(turn.to))),
        Root::Emergency(Some(unit)) | Root::ExitCode(unit) => Some((unit.clone(), Heading::Down)),
    }
}
