//! From one request to a set of jobs that make sense together: a value that can be printed and tested before
//! anything happens. Pure; systemd.unit(5) and systemctl(1) `--job-mode=` say what must come out.
//!
//! ```text
//!   request ─► draft (the job and all it pulls in) ─► drop what is needless ─► break ordering cycles
//!           ─► merge jobs of one unit ─► refuse what would destroy queued jobs ─► Transaction
//! ```
//!
//! A draft job "matters" if the requested job fails without it. Only what does not matter is ever dropped.

pub mod account;
mod cycle;
mod draft;
mod remarks;
mod settle;
pub(crate) mod waves;

use crate::api::{ActiveState, JobKind, Refusal};
use crate::graph::{Facets, Graph, Knowledge, UnitId, Word};
use crate::job::algebra::collapse;
use draft::Drafts;
use eudaemon_unit::config::LoadState;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::{UnitKind, UnitName};

/// What a plan must know of a unit's present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub state: ActiveState,
    pub queued: Option<Queued>,
}

/// A job that is queued or runs already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    pub kind: JobKind,
    pub strength: Strength,
    pub order: Order,
}

/// Whether a later transaction may put a job aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Strength {
    Replaceable,
    Irreversible,
}

/// Whether a job minds the order of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Order {
    Kept,
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    Possible,
    Impossible,
}

impl Reload {
    /// A unit of a kind that never reloads itself may still pass a reload on; of a service its own ability decides.
    pub fn of(graph: &Graph, unit: UnitId) -> Reload {
        let config = graph.config(unit);
        let passes_on = || graph.neighbours(unit, Facets::PROPAGATE_RELOAD).next().is_some();
        let service = config.name.kind() == UnitKind::Service;
        match crate::kind::can_reload(config) || (!service && passes_on()) {
            true => Reload::Possible,
            false => Reload::Impossible,
        }
    }
}

/// The present of all units, as the plan asks for it.
pub trait Situation {
    fn standing(&self, unit: UnitId) -> Standing;
    /// Asked apart from the rest: it may take a look at all that the unit names.
    fn reload(&self, unit: UnitId) -> Reload;
}

/// Who asks: `RefuseManualStart=` binds clients alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Client,
    Engine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub unit: UnitId,
    pub kind: JobKind,
    pub mode: JobMode,
    pub origin: Origin,
}

/// A job as planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub unit: UnitId,
    pub kind: JobKind,
    pub strength: Strength,
    pub order: Order,
    /// A unit whose job asks for this one, and its word for it; `None` also where the job mode asks.
    pub through: Option<(UnitId, Word)>,
}

/// What becomes of queued jobs the transaction says nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    Stay,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The requested unit: its job is the answer to the request.
    pub anchor: UnitId,
    /// At most one per unit, sorted by unit.
    pub jobs: Vec<Planned>,
    pub others: Others,
    /// What was left out, and why: for the log.
    pub remarks: Vec<Remark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A wanted unit that cannot be started, and the word it is wanted by; `None`: the job mode wants it.
    NotPulledIn { unit: UnitName, wanted_by: UnitName, word: Option<Word>, why: Refusal },
    /// A unit that is itself only wanted requires one that cannot be had. Its job stays, as under systemd, but pulls in
    /// nothing further.
    Lacking { unit: UnitName, needed_by: UnitName, word: Option<Word>, kind: JobKind, why: Refusal },
    /// The way round the cycle, where each waits for the next, and the unit whose job was dropped.
    CycleBroken { path: Vec<UnitName>, dropped: UnitName },
    /// A job that contradicts another of its unit, which matters more; of each a unit that asks for it, with its word.
    Overruled { unit: UnitName, kind: JobKind, asker: Asker, by: JobKind, whose: Asker },
    /// A job that fails without another that was dropped in such a way, or without such a job again.
    Fell { unit: UnitName, kind: JobKind, asker: Asker, with: UnitName, job: JobKind },
}

/// A unit that asks for a job, and its word for the job's unit; `None`: the request itself does.
pub type Asker = Option<(UnitName, Word)>;

/// Plans what `ask` comes to.
pub fn plan(graph: &Graph, situation: &impl Situation, ask: Ask) -> Result<Transaction, Refusal> {
    draw_up(&mut Drafts::new(graph, situation, ask))
}

fn draw_up<S: Situation>(drafts: &mut Drafts<'_, S>) -> Result<Transaction, Refusal> {
    let ask = drafts.ask;
    check_request(drafts.graph, drafts.situation, ask)?;
    drafts.request(collapse(ask.kind, drafts.situation.standing(ask.unit).state))?;
    match ask.mode {
        JobMode::Isolate => drafts.isolate()?,
        JobMode::Triggering => drafts.stop_triggers()?,
        JobMode::RestartDependencies => drafts.restart_dependents()?,
        JobMode::Fail
        | JobMode::Replace
        | JobMode::ReplaceIrreversibly
        | JobMode::Flush
        | JobMode::IgnoreDependencies
        | JobMode::IgnoreRequirements => {}
    }
    settle::settle(drafts)
}

fn check_request(graph: &Graph, situation: &impl Situation, ask: Ask) -> Result<(), Refusal> {
    let config = graph.config(ask.unit);
    let standing = situation.standing(ask.unit);
    let unit = || config.name.clone();
    if ask.kind == JobKind::Stop && ask.origin == Origin::Client {
        let absent = match &config.load {
            LoadState::NotFound
            | LoadState::BadSetting(_)
            | LoadState::Inconsistent(_)
            | LoadState::Unreadable(_) => true,
            LoadState::Loaded | LoadState::Masked => graph.knowledge(ask.unit) == Knowledge::Mentioned,
        };
        if absent && standing.state == ActiveState::Inactive {
            return Err(Refusal::NotLoaded(unit()));
        }
    }
    if ask.origin == Origin::Client {
        let (start, stop) = (config.unit.refuse_manual_start, config.unit.refuse_manual_stop);
        let refused = match collapse(ask.kind, standing.state) {
            JobKind::Start => start,
            JobKind::Stop => stop,
            JobKind::Restart => start || stop,
            JobKind::Nop => ask.kind == JobKind::TryRestart && (start || stop),
            JobKind::VerifyActive
            | JobKind::Reload
            | JobKind::ReloadOrStart
            | JobKind::TryRestart
            | JobKind::TryReload => false,
        };
        if refused {
            return Err(Refusal::OnlyByDependency { unit: unit(), what: ask.kind });
        }
    }
    // Whether a unit may be asked at all comes before how it is asked.
    check_mode(&config.name, ask.kind, ask.mode, config.unit.allow_isolate)
}

/// Whether the mode goes with what is asked, and with the unit: that comes before whether there is such a unit.
pub(crate) fn check_mode(
    unit: &UnitName,
    kind: JobKind,
    mode: JobMode,
    allow_isolate: bool,
) -> Result<(), Refusal> {
    let only = match mode {
        JobMode::Isolate | JobMode::RestartDependencies => JobKind::Start,
        JobMode::Triggering => JobKind::Stop,
        JobMode::Fail
        | JobMode::Replace
        | JobMode::ReplaceIrreversibly
        | JobMode::Flush
        | JobMode::IgnoreDependencies
        | JobMode::IgnoreRequirements => kind,
    };
    if only != kind {
        return Err(Refusal::WrongMode { mode, only });
    }
    if mode == JobMode::Isolate && !allow_isolate {
        return Err(Refusal::NoIsolation(unit.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
