//! Makes a case smaller as long as it still differs: fewer steps, fewer units, fewer lines.

use super::case::Case;
use super::verdict::Difference;
use super::{Pair, Verdict};
use anyhow::Result;

/// How many smaller cases are tried.
const TRIES: usize = 150;
/// How often one is played again before it counts.
const AGAIN: usize = 1;

pub fn shrink(pair: &mut Pair, case: Case, difference: Difference) -> Result<(Case, Difference)> {
    let (mut least, mut seen) = (case, difference);
    // Nothing after the first difference matters.
    least.steps.truncate(seen.place + 1);
    let (mut tries, mut place) = (0, 0);
    while tries < TRIES {
        let Some(smaller) = smaller(&least, place) else { break };
        tries += 1;
        match pair.judge(&smaller, AGAIN)? {
            Verdict::Differs(difference) => {
                least = smaller;
                least.steps.truncate(difference.place + 1);
                seen = difference;
            }
            Verdict::Same | Verdict::Open => place += 1,
        }
    }
    Ok((least, seen))
}

/// The case without one of its parts, counted: first steps, then units, then lines.
fn smaller(case: &Case, place: usize) -> Option<Case> {
    let mut smaller = case.clone();
    if place < case.steps.len() {
        smaller.steps.remove(case.steps.len() - 1 - place);
        return Some(smaller);
    }
    let mut place = place - case.steps.len();
    if place < case.units.len() {
        let gone = smaller.units.remove(place).name;
        let names = |word: &str| word.split(['=', ' ']).any(|word| word == gone);
        smaller.steps.retain(|step| !step.contains(&gone));
        smaller.units.iter_mut().for_each(|unit| unit.lines.retain(|line| !names(line)));
        return (!smaller.units.is_empty()).then_some(smaller);
    }
    place -= case.units.len();
    for unit in &mut smaller.units {
        if let Some(removed) = (place < unit.lines.len()).then(|| unit.lines.remove(place)) {
            // A case without these is another one: a command that is missing, default dependencies, streams.
            let kept = ["[", "Default", "Standard", "ExecStart=", "Type="];
            let keeps = kept.iter().any(|start| removed.starts_with(start));
            return if keeps { self::smaller(case, next(case, place, &unit.name)) } else { Some(smaller) };
        }
        place -= unit.lines.len();
    }
    None
}

/// The place after a line that stays.
fn next(case: &Case, line: usize, unit: &str) -> usize {
    let before: usize =
        case.units.iter().take_while(|other| other.name != unit).map(|other| other.lines.len()).sum();
    case.steps.len() + case.units.len() + before + line + 1
}
