//! The rung without cgroups: units' processes found by what a process cannot easily shed.
//!
//! Three things tell, strongest first. A mark that every child inherits and anybody may read: the soft limit of
//! RLIMIT_RTTIME, set to a number made of the unit's invocation id, centuries beyond what any process reaches. It
//! outlives double forks, new sessions and changes of user, where /proc/PID/environ is closed to us. Then the invocation id in the
//! environment, where the unit sets `LimitRTTIME=` itself. Then a parent that belongs. Whom a sweep has found is
//! remembered, with the start time, so a pid that was given to another tells nothing.

use crate::{limits, proc};
use std::collections::BTreeMap;

/// All units' marks, and whom they were found on.
#[derive(Debug)]
pub struct Sweep {
    /// Whose children orphans become: init's, and PID 1's where an earlier init died.
    reapers: Vec<u32>,
    runs: BTreeMap<String, Run>,
    found: BTreeMap<u32, Member>,
}

/// What a unit's present run is told by.
#[derive(Debug)]
struct Run {
    mark: u64,
    /// `INVOCATION_ID=…`.
    assignment: String,
}

#[derive(Debug)]
struct Member {
    unit: String,
    start_ticks: u64,
}

/// The mark of an invocation: bit 62 and 62 bits of the id, so never `RLIM_INFINITY` and never a time anybody would set.
fn mark(invocation: &str) -> u64 {
    let id = invocation.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
    1 << 62 | id >> 2
}

/// Was the process born in this run of some unit, as far as its marks tell?
pub fn bears_mark(pid: u32, invocation: &str) -> bool {
    proc::soft_realtime_limit(pid) == Some(mark(invocation))
        || proc::environment_entry(pid, "INVOCATION_ID=").is_some_and(|entry| entry == assignment(invocation))
}

fn assignment(invocation: &str) -> String {
    format!("INVOCATION_ID={invocation}")
}

impl Sweep {
    pub fn new(reapers: Vec<u32>) -> Sweep {
        Sweep { reapers, runs: BTreeMap::new(), found: BTreeMap::new() }
    }

    /// A run of the unit began, or a predecessor's goes on.
    pub fn begin(&mut self, unit: &str, invocation: &str) {
        let run = Run { mark: mark(invocation), assignment: assignment(invocation) };
        self.runs.insert(unit.to_owned(), run);
    }

    /// The mark that processes of the unit are to be born with.
    pub fn mark(&self, unit: &str) -> Option<u64> {
        self.runs.get(unit).map(|run| run.mark)
    }

    /// A process of the unit was started or adopted.
    pub fn add(&mut self, unit: &str, pid: u32) {
        if let Some(stat) = proc::stat(pid) {
            self.found.insert(pid, Member { unit: unit.to_owned(), start_ticks: stat.start_ticks });
        }
    }

    /// init reaped it: the pid may be another's from now on.
    pub fn forget(&mut self, pid: u32) {
        self.found.remove(&pid);
    }

    /// The unit's run is over: nothing is remembered.
    pub fn release(&mut self, unit: &str) {
        self.runs.remove(unit);
        self.found.retain(|_, member| member.unit != unit);
    }

    /// Living members of the unit, zombies left out.
    pub fn members(&mut self, unit: &str) -> Vec<u32> {
        self.look(unit);
        self.found.iter().filter(|(_, member)| member.unit == unit).map(|(pid, _)| *pid).collect()
    }

    /// The unit a process belongs to: its own marks tell, or those of the nearest ancestor that has some.
    pub fn unit_of(&self, pid: u32) -> Option<String> {
        let mut ancestor = pid;
        for _ in 0..limits::ANCESTORS {
            let stat = proc::stat(ancestor).filter(|_| ancestor > 1 && !self.reapers.contains(&ancestor))?;
            let known = self.found.get(&ancestor).filter(|member| member.start_ticks == stat.start_ticks);
            let unit = known.map(|member| member.unit.clone()).or_else(|| self.told_by_marks(ancestor));
            if unit.is_some() {
                return unit;
            }
            ancestor = stat.parent;
        }
        None
    }

    /// Is the pid still the process that was found to be the unit's?
    pub fn is_still(&self, unit: &str, pid: u32) -> bool {
        self.found.get(&pid).is_some_and(|member| member.unit == unit && is_alive(pid, member.start_ticks))
    }

    /// Does the process bear the unit's mark?
    pub fn is_marked(&self, unit: &str, pid: u32) -> bool {
        self.told_by_marks(pid).is_some_and(|found| found == unit)
    }

    /// One look at the unit: those of it that were known, their descendants, and those of the reapers' children that
    /// bear its marks. A process whose parent died is such a child, so nobody else need be looked at.
    fn look(&mut self, unit: &str) {
        self.found.retain(|pid, member| member.unit != unit || is_alive(*pid, member.start_ticks));
        let mut waiting: Vec<u32> =
            self.found.iter().filter(|(_, member)| member.unit == unit).map(|(pid, _)| *pid).collect();
        let orphans: Vec<u32> = self.reapers.iter().flat_map(|reaper| proc::children(*reaper)).collect();
        for orphan in orphans {
            let known = self.found.contains_key(&orphan);
            if !known && self.told_by_marks(orphan).as_deref() == Some(unit) && self.take_in(unit, orphan) {
                waiting.push(orphan);
            }
        }
        // Whoever is taken in was not found before, so it ends.
        while let Some(parent) = waiting.pop() {
            for child in proc::children(parent) {
                if !self.found.contains_key(&child) && self.take_in(unit, child) {
                    waiting.push(child);
                }
            }
        }
    }

    /// Remembers a living process as the unit's; tells whether it is one.
    fn take_in(&mut self, unit: &str, pid: u32) -> bool {
        let Some(stat) = proc::stat(pid).filter(|stat| !stat.is_zombie()) else { return false };
        self.found.insert(pid, Member { unit: unit.to_owned(), start_ticks: stat.start_ticks });
        true
    }

    fn told_by_marks(&self, pid: u32) -> Option<String> {
        let limit = proc::soft_realtime_limit(pid);
        let unit = |(unit, _): (&String, &Run)| unit.clone();
        let marked = self.runs.iter().find(|(_, run)| limit == Some(run.mark));
        if let Some(found) = marked {
            return Some(unit(found));
        }
        let assignment = proc::environment_entry(pid, "INVOCATION_ID=")?;
        self.runs.iter().find(|(_, run)| run.assignment == assignment).map(unit)
    }
}

fn is_alive(pid: u32, start_ticks: u64) -> bool {
    proc::stat(pid).is_some_and(|stat| stat.start_ticks == start_ticks && !stat.is_zombie())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_differ_by_invocation_and_are_no_limit_anybody_sets() {
        let one = mark("0123456789abcdef0123456789abcdef");
        assert_eq!(one, 1 << 62 | 0x0123_4567_89ab_cdef >> 2);
        assert_ne!(one, mark("fedcba9876543210fedcba9876543210"));
        assert!(mark("ffffffffffffffffffffffffffffffff") < 1 << 63);
    }
}
