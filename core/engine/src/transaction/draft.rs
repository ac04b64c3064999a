//! The first half of a plan: the requested job and all jobs it pulls in, with links that say which job asked
//! for which. Several jobs of one unit stand side by side until they are merged. A walk with its own stack, in
//! the order systemd's recursion has: which of two contradicting jobs goes depends on it.

use super::account::{DeadEnd, Why};
use super::{Ask, Order, Reload, Remark, Situation, Strength};
use crate::api::{JobKind, Refusal};
use crate::graph::{Facets, Graph, UnitId, Word};
use crate::job::algebra::{collapse, is_down};
use crate::limits;
use eudaemon_unit::config::LoadState;
use eudaemon_unit::config::unit::JobMode;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DraftId(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Kept,
    Dropped,
}

#[derive(Debug)]
pub(super) struct Draft {
    pub unit: UnitId,
    pub kind: JobKind,
    pub order: Order,
    pub presence: Presence,
    /// Why it was dropped, if it was.
    pub why: Option<Why>,
    /// The requested job fails without it. Known after `settle` has looked.
    pub matters: bool,
    /// Links of which this is the asking end.
    asks: Vec<u32>,
    /// Links of which this is the asked end.
    pub(super) asked_by: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub asker: Option<DraftId>,
    pub asked: DraftId,
    bond: Bond,
    /// The asking unit's word for the asked one; `None`: the job mode asks.
    pub word: Option<Word>,
    pub presence: Presence,
}

/// How much the asking job minds the asked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bond {
    Matters,
    /// It matters, and it is a stop wanted by `Conflicts=`.
    Conflicts,
    Ignored,
}

/// One job to pull in, and what a refusal of it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pull {
    pub unit: UnitId,
    kind: JobKind,
    bond: Bond,
    pub word: Option<Word>,
    refusal: OnRefusal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnRefusal {
    /// The asking job is refused too, unless the kind of job merely does not apply.
    Passed,
    Remarked,
}

/// A job whose pulls are being gone through.
struct Visit {
    draft: DraftId,
    pulls: Vec<Pull>,
    next: usize,
}

pub(super) struct Drafts<'a, S: Situation> {
    pub graph: &'a Graph,
    pub situation: &'a S,
    pub ask: Ask,
    pub remarks: Vec<Remark>,
    /// Where the last refusal of a job came from.
    pub dead_end: Option<DeadEnd>,
    pub(super) drafts: Vec<Draft>,
    pub(super) links: Vec<Link>,
    /// The kept drafts of each unit, oldest first.
    by_unit: BTreeMap<UnitId, Vec<DraftId>>,
    anchor: DraftId,
}

impl<'a, S: Situation> Drafts<'a, S> {
    pub fn new(graph: &'a Graph, situation: &'a S, ask: Ask) -> Drafts<'a, S> {
        Drafts {
            graph,
            situation,
            ask,
            remarks: Vec::new(),
            dead_end: None,
            drafts: Vec::new(),
            links: Vec::new(),
            by_unit: BTreeMap::new(),
            anchor: DraftId(0),
        }
    }

    /// The requested job with everything it pulls in.
    pub fn request(&mut self, kind: JobKind) -> Result<(), Refusal> {
        let (unit, bond) = (self.ask.unit, Bond::Matters);
        self.pull_in(None, Pull { unit, kind, bond, word: None, refusal: OnRefusal::Passed })
    }

    /// Stops every unit that runs and that the transaction says nothing of, nor of what triggers it: before the first of
    /// these stops, for a trigger that is stopped by them keeps nobody.
    pub fn isolate(&mut self) -> Result<(), Refusal> {
        let asked: BTreeSet<UnitId> = self.by_unit.keys().copied().collect();
        for unit in self.graph.ids() {
            let standing = self.situation.standing(unit);
            let config = self.graph.config(unit);
            let idle = is_down(standing.state) && standing.queued.is_none();
            let stays = config.unit.ignore_on_isolate
                || idle
                || self.by_unit.contains_key(&unit)
                || self.graph.neighbours(unit, Facets::TRIGGERED_BY).any(|trigger| asked.contains(&trigger));
            if !stays {
                self.pull_beside(unit, JobKind::Stop);
            }
        }
        Ok(())
    }

    /// Stops the units that could start the stopped one again.
    pub fn stop_triggers(&mut self) -> Result<(), Refusal> {
        let triggers: Vec<UnitId> = self.graph.neighbours(self.ask.unit, Facets::TRIGGERED_BY).collect();
        for unit in triggers {
            let standing = self.situation.standing(unit);
            let idle = is_down(standing.state) && standing.queued.is_none();
            if !idle && !self.by_unit.contains_key(&unit) {
                self.pull_beside(unit, JobKind::Stop);
            }
        }
        Ok(())
    }

    /// Restarts the running units that a restart of the started one would restart.
    pub fn restart_dependents(&mut self) -> Result<(), Refusal> {
        let dependents: Vec<UnitId> =
            self.graph.neighbours(self.ask.unit, Facets::PROPAGATE_RESTART).collect();
        for unit in dependents {
            let kind = collapse(JobKind::TryRestart, self.situation.standing(unit).state);
            if kind != JobKind::Nop {
                self.pull_beside(unit, kind);
            }
        }
        Ok(())
    }

    /// A job asked for by the anchor over and above its dependencies; a refusal of it is a remark.
    fn pull_beside(&mut self, unit: UnitId, kind: JobKind) {
        let pull = Pull { unit, kind, bond: Bond::Matters, word: None, refusal: OnRefusal::Remarked };
        if let Err(why) = self.pull_in(Some(self.anchor), pull) {
            self.remark(pull, self.anchor, why);
        }
    }

    fn pull_in(&mut self, asker: Option<DraftId>, first: Pull) -> Result<(), Refusal> {
        let mut path: Vec<Visit> = Vec::new();
        let mut asked = (asker, first);
        loop {
            let mut outcome = match self.enter(asked.0, asked.1) {
                Ok(Some(visit)) => {
                    path.push(visit);
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(refusal) => Err(refusal),
            };
            asked = loop {
                let Some(visit) = path.last_mut() else { return outcome };
                if let Err(refusal) = outcome {
                    let pull = visit.pulls[visit.next - 1];
                    let draft = visit.draft;
                    let inapplicable = matches!(refusal, Refusal::NotApplicable { .. });
                    outcome = match pull.refusal {
                        OnRefusal::Passed if inapplicable => Ok(()),
                        OnRefusal::Passed => {
                            path.pop();
                            Err(refusal)
                        }
                        OnRefusal::Remarked => {
                            self.remark(pull, draft, refusal);
                            Ok(())
                        }
                    };
                    continue;
                }
                match visit.pulls.get(visit.next) {
                    Some(pull) => {
                        visit.next += 1;
                        break (Some(visit.draft), *pull);
                    }
                    None => {
                        path.pop();
                    }
                }
            };
        }
    }

    /// Adds one job; gives back its own pulls if it is new.
    fn enter(&mut self, asker: Option<DraftId>, pull: Pull) -> Result<Option<Visit>, Refusal> {
        if let Err(refusal) = self.check(pull.unit, pull.kind) {
            let Pull { unit, kind, word, .. } = pull;
            self.dead_end = Some(DeadEnd { asker, word, unit, kind });
            return Err(refusal);
        }
        let known = self.by_unit.get(&pull.unit).into_iter().flatten();
        let same = known.copied().find(|draft| self.drafts[draft.0 as usize].kind == pull.kind);
        let draft = match same {
            Some(draft) => draft,
            None => self.add(pull.unit, pull.kind)?,
        };
        match asker {
            None => self.anchor = draft,
            Some(_) => self.link(asker, draft, pull),
        }
        let ignores = matches!(self.ask.mode, JobMode::IgnoreDependencies | JobMode::IgnoreRequirements);
        if same.is_some() || (asker.is_none() && ignores) {
            return Ok(None);
        }
        Ok(Some(Visit { draft, pulls: self.pulls(pull.unit, pull.kind), next: 0 }))
    }

    fn add(&mut self, unit: UnitId, kind: JobKind) -> Result<DraftId, Refusal> {
        if self.drafts.len() >= limits::DRAFTS {
            self.dead_end = None;
            return Err(Refusal::Overloaded(format!("a transaction of more than {} jobs", limits::DRAFTS)));
        }
        let order = match self.ask.mode {
            JobMode::IgnoreDependencies => Order::Ignored,
            JobMode::Fail
            | JobMode::Replace
            | JobMode::ReplaceIrreversibly
            | JobMode::Isolate
            | JobMode::Flush
            | JobMode::IgnoreRequirements
            | JobMode::Triggering
            | JobMode::RestartDependencies => Order::Kept,
        };
        let draft = DraftId(self.drafts.len() as u32);
        self.drafts.push(Draft {
            unit,
            kind,
            order,
            presence: Presence::Kept,
            why: None,
            matters: false,
            asks: Vec::new(),
            asked_by: Vec::new(),
        });
        self.by_unit.entry(unit).or_default().push(draft);
        Ok(draft)
    }

    fn check(&self, unit: UnitId, kind: JobKind) -> Result<(), Refusal> {
        let config = self.graph.config(unit);
        let name = || config.name.clone();
        if kind != JobKind::Stop {
            match &config.load {
                LoadState::Loaded => {}
                LoadState::NotFound => return Err(Refusal::NoSuchUnit(name())),
                LoadState::Masked => return Err(Refusal::Masked(name())),
                LoadState::BadSetting(_) => return Err(Refusal::BadSetting(name())),
                LoadState::Inconsistent(reason) => {
                    return Err(Refusal::Inconsistent { unit: name(), reason: reason.clone() });
                }
                LoadState::Unreadable(reason) => {
                    return Err(Refusal::LoadFailed { unit: name(), reason: reason.clone() });
                }
            }
        }
        let applies = match kind {
            JobKind::Start | JobKind::VerifyActive | JobKind::Nop => true,
            JobKind::Stop => !crate::unit::is_perpetual(config),
            JobKind::Restart | JobKind::TryRestart => {
                crate::unit::can_start(config) && !crate::unit::is_perpetual(config)
            }
            JobKind::Reload | JobKind::TryReload | JobKind::ReloadOrStart => {
                self.situation.reload(unit) == Reload::Possible
            }
        };
        if applies { Ok(()) } else { Err(Refusal::NotApplicable { unit: name(), kind }) }
    }

    /// What a new job of this kind pulls in, in order.
    fn pulls(&self, unit: UnitId, kind: JobKind) -> Vec<Pull> {
        use OnRefusal::{Passed, Remarked};
        let mut pulls = Vec::new();
        let mut each = |facet: Facets, kind: JobKind, bond: Bond, refusal: OnRefusal| {
            for (word, other) in self.graph.ties(unit, facet) {
                let kind = collapse(kind, self.situation.standing(other).state);
                if kind != JobKind::Nop {
                    pulls.push(Pull { unit: other, kind, bond, word: Some(word), refusal });
                }
            }
        };
        if matches!(kind, JobKind::Start | JobKind::Restart) {
            each(Facets::PULL_IN_START, JobKind::Start, Bond::Matters, Passed);
            each(Facets::PULL_IN_START_IGNORED, JobKind::Start, Bond::Ignored, Remarked);
            each(Facets::PULL_IN_VERIFY, JobKind::VerifyActive, Bond::Matters, Passed);
            each(Facets::PULL_IN_STOP, JobKind::Stop, Bond::Conflicts, Passed);
            each(Facets::PULL_IN_STOP_IGNORED, JobKind::Stop, Bond::Ignored, Remarked);
        }
        if kind == JobKind::Stop {
            each(Facets::PROPAGATE_STOP, JobKind::Stop, Bond::Matters, Passed);
        }
        if kind == JobKind::Restart {
            each(Facets::PROPAGATE_RESTART, JobKind::TryRestart, Bond::Matters, Passed);
        }
        if kind == JobKind::Reload {
            each(Facets::PROPAGATE_RELOAD, JobKind::TryReload, Bond::Ignored, Remarked);
        }
        pulls
    }

    fn link(&mut self, asker: Option<DraftId>, asked: DraftId, pull: Pull) {
        let link = self.links.len() as u32;
        let Pull { bond, word, .. } = pull;
        self.links.push(Link { asker, asked, bond, word, presence: Presence::Kept });
        self.drafts[asked.0 as usize].asked_by.push(link);
        if let Some(asker) = asker {
            self.drafts[asker.0 as usize].asks.push(link);
        }
    }

    /// A unit that asks for the job, and its word.
    pub fn asker_of(&self, draft: DraftId) -> Option<(UnitId, Word)> {
        self.get(draft).asked_by.iter().map(|link| &self.links[*link as usize]).find_map(|link| {
            let asker = link.asker.filter(|_| link.presence == Presence::Kept)?;
            Some((self.get(asker).unit, link.word?))
        })
    }

    pub fn strength(&self) -> Strength {
        match self.ask.mode {
            JobMode::ReplaceIrreversibly => Strength::Irreversible,
            JobMode::Fail
            | JobMode::Replace
            | JobMode::Isolate
            | JobMode::Flush
            | JobMode::IgnoreDependencies
            | JobMode::IgnoreRequirements
            | JobMode::Triggering
            | JobMode::RestartDependencies => Strength::Replaceable,
        }
    }

    pub fn anchor(&self) -> DraftId {
        self.anchor
    }

    pub fn get(&self, draft: DraftId) -> &Draft {
        &self.drafts[draft.0 as usize]
    }

    /// Units with kept drafts, by number.
    pub fn units(&self) -> impl Iterator<Item = UnitId> + '_ {
        self.by_unit.keys().copied()
    }

    /// The kept drafts of a unit, oldest first.
    pub fn of(&self, unit: UnitId) -> &[DraftId] {
        self.by_unit.get(&unit).map_or(&[], Vec::as_slice)
    }

    /// Whether some kept job stops this one's unit for a conflict.
    pub fn is_conflicted(&self, draft: DraftId) -> bool {
        let links = self.get(draft).asked_by.iter().map(|link| &self.links[*link as usize]);
        links.into_iter().any(|link| link.presence == Presence::Kept && link.bond == Bond::Conflicts)
    }

    /// Marks all that the anchor fails without.
    pub fn find_what_matters(&mut self) {
        let mut open = vec![self.anchor];
        self.drafts[self.anchor.0 as usize].matters = true;
        while let Some(draft) = open.pop() {
            for place in 0..self.drafts[draft.0 as usize].asks.len() {
                let link = self.links[self.drafts[draft.0 as usize].asks[place] as usize];
                let counts = link.presence == Presence::Kept && link.bond != Bond::Ignored;
                if counts && !self.drafts[link.asked.0 as usize].matters {
                    self.drafts[link.asked.0 as usize].matters = true;
                    open.push(link.asked);
                }
            }
        }
    }

    /// Drops a job. `Askers::Fall` drops those that fail without it as well; gives back those, each with the one that
    /// it fails without.
    pub fn drop_draft(&mut self, draft: DraftId, askers: Askers, why: Why) -> Vec<Fallen> {
        let mut fallen = Vec::new();
        let mut open = vec![(draft, why, None)];
        while let Some((draft, why, with)) = open.pop() {
            if self.get(draft).presence == Presence::Dropped {
                continue;
            }
            let unit = self.get(draft).unit;
            fallen.extend(with.map(|with| Fallen { draft, asker: self.asker_of(draft), with }));
            self.drafts[draft.0 as usize].presence = Presence::Dropped;
            self.drafts[draft.0 as usize].why = Some(why);
            if let Some(siblings) = self.by_unit.get_mut(&unit) {
                siblings.retain(|sibling| *sibling != draft);
                if siblings.is_empty() {
                    self.by_unit.remove(&unit);
                }
            }
            for link in std::mem::take(&mut self.drafts[draft.0 as usize].asks) {
                self.links[link as usize].presence = Presence::Dropped;
            }
            for link in std::mem::take(&mut self.drafts[draft.0 as usize].asked_by) {
                let link = &mut self.links[link as usize];
                let was = std::mem::replace(&mut link.presence, Presence::Dropped);
                if let (Presence::Kept, Askers::Fall, Some(asker)) = (was, askers, link.asker)
                    && link.bond != Bond::Ignored
                {
                    open.push((asker, Why::Falls(unit), Some(draft)));
                }
            }
        }
        fallen
    }

    /// The unit's jobs mind no order any more.
    pub fn disorder(&mut self, unit: UnitId) {
        self.of(unit).to_vec().iter().for_each(|draft| self.drafts[draft.0 as usize].order = Order::Ignored);
    }

    /// Drops every job nobody asks for any more, as long as it is the newest of its unit: systemd looks no deeper.
    pub fn collect_garbage(&mut self) {
        let mut open: Vec<DraftId> = self.by_unit.values().flatten().copied().collect();
        while let Some(draft) = open.pop() {
            let (job, kept) =
                (self.get(draft), |link: &u32| self.links[*link as usize].presence == Presence::Kept);
            let unit = job.unit;
            if draft == self.anchor || self.of(unit).last() != Some(&draft) || job.asked_by.iter().any(kept) {
                continue;
            }
            let asked: Vec<DraftId> = job.asks.iter().map(|link| self.links[*link as usize].asked).collect();
            self.drop_draft(draft, Askers::Stay, Why::Unwanted);
            open.extend(asked);
            open.extend(self.of(unit).last());
        }
    }

    /// Makes one job of all of a unit's: the first of them, of this kind. Links need not follow: nothing is
    /// dropped after merging but jobs whose absence nobody minds. They mind order all alike: see [`Drafts::disorder`].
    pub fn unite(&mut self, unit: UnitId, kind: JobKind) {
        let Some(drafts) = self.by_unit.get(&unit).cloned() else { return };
        let Some((first, rest)) = drafts.split_first() else { return };
        let keep = if drafts.contains(&self.anchor) { self.anchor } else { *first };
        for draft in rest.iter().chain([first]).filter(|draft| **draft != keep) {
            self.drafts[draft.0 as usize].presence = Presence::Dropped;
            self.drafts[draft.0 as usize].why = Some(Why::United);
        }
        self.drafts[keep.0 as usize].kind = kind;
        self.by_unit.insert(unit, vec![keep]);
    }
}

/// A job that was dropped since it fails without another.
pub(super) struct Fallen {
    pub draft: DraftId,
    pub asker: Option<(UnitId, Word)>,
    pub with: DraftId,
}

/// What becomes of the jobs that asked for a dropped one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Askers {
    Stay,
    Fall,
}
