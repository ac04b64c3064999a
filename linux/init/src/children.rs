//! Who was born of an order, how far each is, and what the manager has not been told of it; and the last exits
//! of processes nobody asked for.

use crate::limits;
use crate::wire::{Ended, Report};
use rustix::process::Pid;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// One process the manager gave an id.
#[derive(Debug)]
pub struct Child {
    pub id: u64,
    pub pid: Pid,
    pub life: Life,
    pub program: Program,
    /// Facts about it the present manager has not been told.
    pub untold: Untold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Not reaped: its pid is its own.
    Lives,
    /// Reaped, kept until acknowledged.
    Ended(Ended),
}

/// How far from fork to exec, where somebody wants to know.
#[derive(Debug)]
pub enum Program {
    Unwatched,
    /// The pipe closes at exec. `Announced`: the child said that exec is its next act.
    Awaited(OwnedFd, Announced),
    Runs,
    /// It ended, or failed, before exec.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    No,
    Yes,
}

/// A set of facts. Told in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold(u8);

impl Untold {
    pub const ALIVE: Untold = Untold(1);
    pub const SPAWNED: Untold = Untold(2);
    pub const TRACKED: Untold = Untold(4);
    pub const EXECUTED: Untold = Untold(8);
    pub const EXITED: Untold = Untold(16);

    pub fn add(&mut self, other: Untold) {
        self.0 |= other.0;
    }

    fn remove(&mut self, other: Untold) {
        self.0 &= !other.0;
    }

    fn has(self, other: Untold) -> bool {
        self.0 & other.0 != 0
    }
}

impl Child {
    /// What to tell next, with the fact it settles.
    pub fn next_report(&self) -> Option<(Report<'static>, Untold)> {
        let Child { id, pid, untold, .. } = *self;
        let number = pid.as_raw_nonzero().get().unsigned_abs();
        let ended = match self.life {
            Life::Lives => None,
            Life::Ended(ended) => Some(Report::Exited { id, pid: number, ended }),
        };
        [
            (Some(Report::Alive { id, pid: number }), Untold::ALIVE),
            (Some(Report::Spawned { id, pid: number }), Untold::SPAWNED),
            (Some(Report::Tracked { id, pid: number }), Untold::TRACKED),
            (Some(Report::Executed { id }), Untold::EXECUTED),
            (ended, Untold::EXITED),
        ]
        .into_iter()
        .find_map(|(report, fact)| untold.has(fact).then_some((report?, fact)))
    }

    pub fn told(&mut self, fact: Untold) {
        self.untold.remove(fact);
    }

    /// What a snapshot says of it; answers still due stay due.
    pub fn retell(&mut self) {
        self.untold.add(match self.life {
            Life::Lives => Untold::ALIVE,
            Life::Ended(_) => Untold::EXITED,
        });
        match self.program {
            Program::Runs => self.untold.add(Untold::EXECUTED),
            Program::Unwatched | Program::Awaited(..) | Program::Never => {}
        }
    }
}

/// All of them, in the order they came. The highest id ever seen tells a repeated order from a new one.
#[derive(Debug)]
pub struct Children {
    list: Vec<Child>,
    highest: u64,
}

impl Children {
    pub fn new() -> Children {
        Children { list: Vec::with_capacity(limits::CHILDREN), highest: 0 }
    }

    pub fn highest(&self) -> u64 {
        self.highest
    }

    pub fn saw(&mut self, id: u64) {
        self.highest = self.highest.max(id);
    }

    pub fn is_full(&self) -> bool {
        self.list.len() >= limits::CHILDREN
    }

    pub fn add(&mut self, child: Child) {
        assert!(!self.is_full(), "the table was asked for room before the fork");
        self.list.push(child);
    }

    pub fn by_id(&mut self, id: u64) -> Option<&mut Child> {
        // The newest is asked for most.
        self.list.iter_mut().rfind(|child| child.id == id)
    }

    /// The child that has this pid now: an ended one had it.
    pub fn living(&mut self, pid: Pid) -> Option<&mut Child> {
        self.list.iter_mut().rfind(|child| child.pid == pid && child.life == Life::Lives)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Child> {
        self.list.iter_mut()
    }

    pub fn any_lives(&self) -> bool {
        self.list.iter().any(|child| child.life == Life::Lives)
    }

    /// Forget a child whose exit is written down; one that lives stays.
    pub fn forget(&mut self, id: u64) {
        if let Some(at) = self.list.iter().position(|child| child.id == id && child.life != Life::Lives) {
            self.list.remove(at);
        }
    }
}

/// Exits of children nobody asked for: told once, and kept a while for a `Track` that comes late.
#[derive(Debug)]
pub struct Orphans {
    ring: VecDeque<(Pid, Ended)>,
    /// How many at the end of the ring were not told.
    untold: usize,
}

impl Orphans {
    pub fn new() -> Orphans {
        Orphans { ring: VecDeque::with_capacity(limits::ORPHANS), untold: 0 }
    }

    pub fn add(&mut self, pid: Pid, ended: Ended) {
        if self.ring.len() == limits::ORPHANS {
            self.ring.pop_front();
        }
        self.ring.push_back((pid, ended));
        self.untold = (self.untold + 1).min(limits::ORPHANS);
    }

    pub fn next_report(&self) -> Option<Report<'static>> {
        let (pid, ended) = *self.ring.get(self.ring.len() - self.untold)?;
        Some(Report::Orphan { pid: pid.as_raw_nonzero().get().unsigned_abs(), ended })
    }

    pub fn told(&mut self) {
        self.untold = self.untold.saturating_sub(1);
    }

    /// The exit of this pid, if it was kept; it is a child's from now on.
    pub fn claim(&mut self, pid: Pid) -> Option<Ended> {
        let at = self.ring.iter().rposition(|(other, _)| *other == pid)?;
        if at >= self.ring.len() - self.untold {
            self.untold -= 1;
        }
        self.ring.remove(at).map(|(_, ended)| ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    fn child(id: u64, number: i32, life: Life) -> Child {
        let untold = Untold::SPAWNED;
        Child { id, pid: pid(number), life, program: Program::Unwatched, untold }
    }

    #[test]
    fn facts_are_told_in_order_and_once() {
        let mut one = child(5, 50, Life::Ended(Ended::Code(3)));
        one.program = Program::Runs;
        one.untold.add(Untold::EXITED);
        one.untold.add(Untold::EXECUTED);
        let mut said = Vec::new();
        while let Some((report, fact)) = one.next_report() {
            said.push(report);
            one.told(fact);
        }
        let exited = Report::Exited { id: 5, pid: 50, ended: Ended::Code(3) };
        assert_eq!(said, [Report::Spawned { id: 5, pid: 50 }, Report::Executed { id: 5 }, exited]);
        one.retell();
        assert_eq!(one.next_report(), Some((Report::Executed { id: 5 }, Untold::EXECUTED)));
    }

    #[test]
    fn a_living_child_is_not_forgotten_and_a_reused_pid_is_the_living_ones() {
        let mut children = Children::new();
        children.add(child(1, 50, Life::Ended(Ended::Signal(9))));
        children.add(child(2, 50, Life::Lives));
        children.forget(2);
        assert_eq!(children.living(pid(50)).map(|child| child.id), Some(2));
        children.forget(1);
        assert!(children.by_id(1).is_none());
    }

    #[test]
    fn the_ring_of_orphans_forgets_the_oldest() {
        let mut orphans = Orphans::new();
        for number in 1..=limits::ORPHANS as i32 + 2 {
            orphans.add(pid(number), Ended::Code(0));
        }
        assert_eq!(orphans.claim(pid(2)), None);
        assert_eq!(orphans.claim(pid(3)), Some(Ended::Code(0)));
        assert_eq!(orphans.next_report(), Some(Report::Orphan { pid: 4, ended: Ended::Code(0) }));
        orphans.told();
        assert_eq!(orphans.claim(pid(4)), Some(Ended::Code(0)), "told ones are kept as well");
        assert_eq!(orphans.next_report(), Some(Report::Orphan { pid: 5, ended: Ended::Code(0) }));
    }
}
