//! All that a kind can see and do: the instant, fresh ids, orders, and a few words to the engine.

use super::History;
use crate::api::{Action, InvocationId, Moment, Monitored, ProcId};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::Span;
use serde::{Deserialize, Serialize};

/// Where fresh process ids come from; numbers only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIds {
    pub next: u64,
}

impl ProcessIds {
    pub fn fresh(&mut self) -> ProcId {
        let id = ProcId(self.next);
        self.next += 1;
        id
    }
}

/// What the engine knows of the unit's run and its processes are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// `None`: never run.
    pub invocation: Option<InvocationId>,
    /// Whose end started this run by `OnFailure=`/`OnSuccess=`.
    pub monitored: Option<Box<Monitored>>,
    /// The socket, timer or path that started it.
    pub trigger: Option<UnitName>,
}

/// Whether an automatic restart may follow: not while a stop job waits for the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    Allowed,
    Barred,
}

/// What one step may see and say.
#[derive(Debug)]
pub struct Cx<'a> {
    pub now: Moment,
    pub unit: &'a UnitName,
    /// The run in progress; [`Cx::begin`] replaces its invocation.
    pub run: &'a mut Run,
    /// The id of the next run, if one begins in this step.
    pub next_invocation: InvocationId,
    pub restarts: Restarts,
    /// How long the unit was up in the run at hand, until it went down or now.
    pub was_up: Span,
    pub history: &'a mut History,
    pub process_ids: &'a mut ProcessIds,
    pub effects: Effects,
}

/// What a step wants of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// In the order in which they are to be done.
    pub orders: Vec<Action>,
    /// To a wish only.
    pub reply: Reply,
    /// A reload that was asked for has ended.
    pub reload: Option<ReloadOutcome>,
    /// The service reloads by its own doing: what `PropagatesReloadTo=` names is to reload too.
    pub reloads_itself: bool,
    /// The unit was down for an instant on its way to an automatic restart.
    pub went_down: Option<WentDown>,
    /// Queue a restart job for the unit itself (mode `replace`).
    pub restart_due: bool,
    /// Queue a start job for the unit this one triggers, unless it is up or coming up.
    pub trigger: bool,
    pub said: Vec<(Level, String)>,
    /// The unit is unhealthy and has to end for it: what the last probe came to.
    pub unhealthy: Option<String>,
    pub health: HealthNews,
}

/// Whether a step was about health, which others take no part in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealthNews {
    /// It was not.
    #[default]
    None,
    /// It was, and clients see no difference.
    Same,
    Changed,
}

/// What becomes of the job whose wish this was. Afterwards the unit's state tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    #[default]
    Taken,
    /// The unit cannot do it now, but its state will change by itself: the job waits and asks again.
    Later,
    /// It makes no sense in this state: the job ends as `invalid`.
    Invalid,
    /// Not for this unit on this machine: the job ends as `unsupported`; the text says why.
    Unsupported(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    Done,
    Failed,
}

/// A state passed through on the way to an automatic restart: its dependents hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WentDown {
    Inactive,
    Failed,
}

/// How bad, in syslog's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

impl Cx<'_> {
    pub fn order(&mut self, action: Action) {
        self.effects.orders.push(action);
    }

    pub fn say(&mut self, level: Level, text: impl Into<String>) {
        self.effects.said.push((level, text.into()));
    }

    pub fn reply(&mut self, reply: Reply) {
        self.effects.reply = reply;
    }

    /// A whole kind of unit may be missing: whoever reads the log is told of all of them at once, so each is said at
    /// the lowest level. What is one unit's own is a notice.
    pub fn unsupported(&mut self, level: Level, why: &str) {
        self.say(level, format!("{}: {why}", self.unit));
        self.reply(Reply::Unsupported(why.to_owned()));
    }

    /// A new run begins now.
    pub fn begin(&mut self) {
        self.run.invocation = Some(self.next_invocation);
        self.order(Action::Begin { unit: self.unit.clone(), invocation: self.next_invocation });
    }

    pub fn restart_due(&mut self) {
        self.effects.restart_due = true;
    }

    pub fn trigger(&mut self) {
        self.effects.trigger = true;
    }

    pub fn fresh(&mut self) -> ProcId {
        self.process_ids.fresh()
    }
}
