//! Jobs that wait for each other. Plans have no rings, but a restart becomes a start, jobs are merged, and configurations
//! change under queued jobs. As soon as a ring has closed the newest of its jobs is given up.
//!
//! A job waits for all that go before it, whichever of them it is looked at for: a ring through any of them is one. It can
//! only close by a job that came or changed, so that from those alone it is looked for.

use super::finish::Spread;
use crate::api::{JobId, JobResult};
use crate::engine::Engine;
use crate::graph::{Facets, UnitId};
use crate::job::Phase;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For whom each job waits.
type Waits = BTreeMap<JobId, BTreeSet<JobId>>;

impl Engine {
    /// The unit's dependencies are others now: so may be what its job waits for, and who waits for that.
    pub(super) fn suspect_job_of(&mut self, unit: UnitId) {
        self.queues.suspects.extend(self.unit(unit).job);
    }

    /// Gives up the newest job that stands in a ring; if there was one there may be more.
    pub(super) fn break_ring(&mut self) {
        let suspects = std::mem::take(&mut self.queues.suspects);
        let waits = in_rings(self.waits(&suspects));
        let Some(ring) = waits.keys().rev().find_map(|job| way_round(&waits, *job)) else { return };
        self.queues.suspects = suspects;
        let names: Vec<&str> = ring
            .iter()
            .filter_map(|job| self.jobs.get(job))
            .map(|job| self.graph.name(job.unit).as_str())
            .collect();
        let text = format!("jobs wait for each other: {}, one is given up", names.join(" -> "));
        self.say(None, 3, text);
        if let Some(newest) = ring.first() {
            self.finish(*newest, JobResult::Canceled, Spread::ToDependants);
        }
    }

    /// For whom these wait, and for whom those do, and so on.
    fn waits(&self, from: &BTreeSet<JobId>) -> Waits {
        let mut waits = Waits::new();
        let mut ahead: Vec<JobId> = from.iter().copied().collect();
        while let Some(id) = ahead.pop() {
            if waits.contains_key(&id) {
                continue;
            }
            let waiting = self.jobs.get(&id).filter(|job| job.facts.phase == Phase::Waiting);
            let ordered = Facets::AFTER.and(Facets::BEFORE);
            let first = waiting.into_iter().flat_map(|job| {
                let others = self.graph.neighbours(job.unit, ordered);
                others.filter(|other| self.goes_before(job, *other))
            });
            let first: BTreeSet<JobId> = first.filter_map(|other| self.unit(other).job).collect();
            ahead.extend(&first);
            waits.insert(id, first);
        }
        waits
    }
}

/// Without those whose waiting has an end, and without those for whom nobody waits: what is left are rings, and ways between them.
fn in_rings(waits: Waits) -> Waits {
    turned(endless(turned(endless(waits))))
}

/// Without those that wait for nobody, or for such alone.
fn endless(mut waits: Waits) -> Waits {
    let mut waited_for = turned(waits.clone());
    let mut ends: Vec<JobId> =
        waits.iter().filter(|(_, first)| first.is_empty()).map(|(job, _)| *job).collect();
    while let Some(job) = ends.pop() {
        waits.remove(&job);
        for behind in waited_for.remove(&job).unwrap_or_default() {
            let Some(first) = waits.get_mut(&behind) else { continue };
            first.remove(&job);
            if first.is_empty() {
                ends.push(behind);
            }
        }
    }
    waits
}

/// Who waits for each.
fn turned(waits: Waits) -> Waits {
    let mut turned: Waits = waits.keys().map(|job| (*job, BTreeSet::new())).collect();
    for (job, first) in waits {
        for other in first {
            turned.entry(other).or_default().insert(job);
        }
    }
    turned
}

/// The shortest way from a job to itself; of several equally long ones that of older jobs.
fn way_round(waits: &Waits, job: JobId) -> Option<Vec<JobId>> {
    let mut from: BTreeMap<JobId, JobId> = BTreeMap::new();
    let mut ahead = VecDeque::from([job]);
    while let Some(at) = ahead.pop_front() {
        for next in waits.get(&at)? {
            if from.contains_key(next) {
                continue;
            }
            from.insert(*next, at);
            if *next == job {
                let mut ring = vec![at];
                while let Some(before) =
                    ring.last().filter(|last| **last != job).and_then(|last| from.get(last))
                {
                    ring.push(*before);
                }
                ring.reverse();
                return Some(ring);
            }
            ahead.push_back(*next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(waits: &[(u32, &[u32])], expected: Option<&[u32]>) {
        let all: BTreeSet<u32> =
            waits.iter().flat_map(|(job, first)| first.iter().chain([job])).copied().collect();
        let first = |job: u32| waits.iter().filter(move |(one, _)| *one == job).flat_map(|(_, first)| *first);
        let waits =
            all.iter().map(|job| (JobId(*job), first(*job).map(|job| JobId(*job)).collect())).collect();
        let waits = in_rings(waits);
        let ring = waits.keys().rev().find_map(|job| way_round(&waits, *job));
        assert_eq!(ring.map(|ring| ring.iter().map(|job| job.0).collect::<Vec<_>>()).as_deref(), expected);
    }

    #[test]
    fn the_newest_of_a_ring_comes_first() {
        check(&[(1, &[2]), (2, &[3])], None);
        check(&[(1, &[2]), (2, &[1])], Some(&[2, 1]));
        check(&[(1, &[1])], Some(&[1]));
        // Whoever waits for a ring stands in none.
        check(&[(9, &[1]), (1, &[2, 4]), (2, &[3]), (3, &[1]), (4, &[])], Some(&[3, 1, 2]));
        // Of two rings that of the newest job, and the short way.
        check(&[(1, &[2]), (2, &[1, 3]), (3, &[4, 2]), (4, &[2])], Some(&[4, 2, 3]));
    }
}
