//! A plan that explains itself: which jobs a request comes to, in which order, why each is among them, and what was left
//! out. Nothing is changed by asking.

mod books;

use super::draft::{DraftId, Drafts};
use super::{Ask, Others, Planned, Queued, Situation, Standing, Transaction, draw_up};
use crate::api::{ActiveState, JobKind, Refusal};
use crate::graph::{Graph, UnitId, Word};
use crate::job::algebra::{conflict, merge_and_collapse};
use books::Books;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};

/// Why a drafted job is not in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The unit is where the job leads.
    Redundant,
    /// It contradicts this job of the same unit, which matters more.
    Contradicts(JobKind),
    /// `--job-mode=fail`: it would stop what runs, or turn a queued job round.
    Impact,
    /// It stood in an ordering cycle, and mattered least.
    Cycle,
    /// It fails without the job of that unit, which was dropped.
    Falls(UnitId),
    /// Those that asked for it were dropped.
    Unwanted,
    /// It is one with the unit's job.
    United,
}

/// A requirement that could not be drafted: the request is refused for it, or the asking job is passed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeadEnd {
    pub asker: Option<DraftId>,
    pub word: Option<Word>,
    pub unit: UnitId,
    pub kind: JobKind,
}

/// What one request comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub unit: UnitName,
    pub kind: JobKind,
    pub mode: JobMode,
    /// It would be refused; `jobs` then are those that lead to the refusal.
    pub refusal: Option<Refusal>,
    /// By wave and name.
    pub jobs: Vec<Entry>,
    pub left_out: Vec<Omitted>,
    /// Ordering cycles that were broken: the way round, each waiting for the next, and the unit whose job was dropped for it.
    pub cycles: Vec<(Vec<UnitName>, UnitName)>,
    /// Queued jobs that the request cancels though they are not in its way.
    pub cancelled: Vec<(UnitName, JobKind)>,
    /// Jobs queued before that go first.
    pub behind: Vec<(UnitName, JobKind)>,
}

/// One job of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub unit: UnitName,
    pub kind: JobKind,
    /// Of the unit, now.
    pub state: ActiveState,
    /// From 1; a restart of what runs has two, its stop's and its start's.
    pub waves: Vec<u32>,
    /// Empty for the job that was asked for.
    pub reasons: Vec<Reason>,
    /// Reasons beyond the limit.
    pub further_reasons: usize,
    /// The unit's queued job, and what becomes of it.
    pub meets: Option<(JobKind, Meeting)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    Joins,
    Replaces,
}

/// A job that asks for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    pub by: UnitName,
    pub kind: JobKind,
    /// The word between the two as a unit file has it, and the unit whose file that is; `None`: the job mode asks.
    pub word: Option<(Word, UnitName)>,
}

/// A job that is not in the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    pub unit: UnitName,
    pub kind: JobKind,
    pub why: Omission,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omission {
    Redundant(ActiveState),
    Contradicts(JobKind),
    Impact,
    Cycle,
    Falls(UnitName),
    Unwanted,
    /// Only wanted, and it cannot be had.
    Refused(Refusal),
}

impl Account {
    pub(crate) fn refused(unit: UnitName, kind: JobKind, mode: JobMode, refusal: Refusal) -> Account {
        Account { refusal: Some(refusal), ..Account::empty(unit, kind, mode) }
    }

    fn empty(unit: UnitName, kind: JobKind, mode: JobMode) -> Account {
        Account {
            unit,
            kind,
            mode,
            refusal: None,
            jobs: Vec::new(),
            left_out: Vec::new(),
            cycles: Vec::new(),
            cancelled: Vec::new(),
            behind: Vec::new(),
        }
    }
}

/// Plans one request after the other, each as if those before it were queued.
pub(crate) struct Foresight<'a, S> {
    graph: &'a Graph,
    situation: &'a S,
    /// What the plans so far would change.
    queued: BTreeMap<UnitId, Option<Queued>>,
}

impl<S: Situation> Situation for Foresight<'_, S> {
    fn standing(&self, unit: UnitId) -> Standing {
        let standing = self.situation.standing(unit);
        let queued = self.queued.get(&unit).copied().unwrap_or(standing.queued);
        Standing { queued, ..standing }
    }

    fn reload(&self, unit: UnitId) -> super::Reload {
        self.situation.reload(unit)
    }
}

impl<'a, S: Situation> Foresight<'a, S> {
    pub fn new(graph: &'a Graph, situation: &'a S) -> Foresight<'a, S> {
        Foresight { graph, situation, queued: BTreeMap::new() }
    }

    pub fn ask(&mut self, ask: Ask) -> Account {
        let (account, transaction) = account(self.graph, self, ask);
        if let Some(transaction) = transaction {
            self.install(&transaction);
        }
        account
    }

    fn install(&mut self, transaction: &Transaction) {
        if transaction.others == Others::Cancelled {
            for unit in cancelled(self.graph, self, transaction) {
                self.queued.insert(unit, None);
            }
        }
        for Planned { unit, kind, strength, order, .. } in transaction.jobs.iter().copied() {
            let standing = self.standing(unit);
            let fresh = Queued { kind, strength, order };
            let job = match standing.queued.filter(|queued| !conflict(queued.kind, kind)) {
                Some(queued) => Queued {
                    kind: merge_and_collapse(queued.kind, kind, standing.state).unwrap_or(kind),
                    strength: queued.strength.max(strength),
                    order: queued.order.max(order),
                },
                None => fresh,
            };
            if kind != JobKind::Nop {
                self.queued.insert(unit, Some(job));
            }
        }
    }
}

/// The units whose queued jobs a transaction that cancels all others cancels.
fn cancelled(graph: &Graph, situation: &impl Situation, transaction: &Transaction) -> Vec<UnitId> {
    let planned: BTreeSet<UnitId> = transaction.jobs.iter().map(|job| job.unit).collect();
    let stale = |unit: &UnitId| {
        situation.standing(*unit).queued.is_some()
            && !planned.contains(unit)
            && !graph.config(*unit).unit.ignore_on_isolate
    };
    graph.ids().filter(stale).collect()
}

impl<S: Situation> Drafts<'_, S> {
    /// The first job that asks for the unit's and is there itself, with its unit's word for the unit.
    pub(super) fn first_asker(&self, unit: UnitId) -> Option<(UnitId, Word)> {
        if unit == self.ask.unit {
            return None;
        }
        let draft = self.get(*self.of(unit).last()?);
        let mut links = draft.asked_by.iter().map(|link| &self.links[*link as usize]);
        links.find_map(|link| Some((self.get(link.asker?).unit, link.word?)))
    }
}

/// What `ask` comes to, in full.
pub(crate) fn account<S: Situation>(
    graph: &Graph,
    situation: &S,
    ask: Ask,
) -> (Account, Option<Transaction>) {
    let mut drafts = Drafts::new(graph, situation, ask);
    let outcome = draw_up(&mut drafts);
    let books = Books::new(&drafts);
    let mut account = Account::empty(graph.name(ask.unit).clone(), ask.kind, ask.mode);
    match outcome {
        Ok(transaction) => {
            books.tell(&transaction, &mut account);
            (account, Some(transaction))
        }
        Err(refusal) => {
            account.jobs = books.lead_to(&refusal);
            account.refusal = Some(refusal);
            (account, None)
        }
    }
}
