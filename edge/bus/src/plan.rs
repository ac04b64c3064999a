//! What a request would come to, as `org.eudaemon1.Manager.Plan` says it: one [`Plan`] for each unit asked for.

use crate::properties::{active_word, mode_word};
use eudaemon_engine::api::JobKind;
use eudaemon_engine::transaction::account::{Account, Entry, Meeting, Omission, Omitted, Reason};
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};
use zbus::Type;

/// Words, on the wire and in JSON alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Plan {
    pub unit: String,
    pub job: String,
    /// `--job-mode=`.
    pub mode: String,
    /// Why it would be refused; empty: it would not. `jobs` then are those that lead to the refusal.
    pub refusal: String,
    pub jobs: Vec<PlannedJob>,
    pub left_out: Vec<LeftOut>,
    pub cycles: Vec<Cycle>,
    /// Queued jobs that it cancels though they are not in its way.
    pub cancelled: Vec<QueuedJob>,
    /// Jobs queued before that go first.
    pub behind: Vec<QueuedJob>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlannedJob {
    pub unit: String,
    pub job: String,
    /// `ActiveState` of the unit, now.
    pub state: String,
    /// From 1; a restart of what runs has two, its stop's and its start's.
    pub waves: Vec<u32>,
    /// How many ask for it, of whom `reasons` names the first.
    pub askers: u32,
    /// `joins` or `replaces` the unit's queued job, of type `queued`; both empty: it has none.
    pub meets: String,
    pub queued: String,
    /// Empty for the job that was asked for.
    pub reasons: Vec<PlanReason>,
}

/// A job that asks for another: `directive` stands in the file of the unit `written_in`. It is empty where the job mode asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanReason {
    pub unit: String,
    pub job: String,
    pub directive: String,
    pub written_in: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LeftOut {
    pub unit: String,
    pub job: String,
    /// `redundant`, `conflict`, `impact`, `cycle`, `falls`, `unwanted` or `refused`, …
    pub why: String,
    /// … and the state, the job, the unit or the refusal that it is left out for.
    pub cause: String,
    pub reasons: Vec<PlanReason>,
}

/// An ordering cycle: the way round, and the unit whose job is dropped to break it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Cycle {
    pub units: Vec<String>,
    pub dropped: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QueuedJob {
    pub unit: String,
    pub job: String,
}

/// The signature of [`Plan`], as introspection says it.
pub const SIGNATURE: &str = "a(ssssa(sssauussa(ssss))a(ssssa(ssss))a(ass)a(ss)a(ss))";

impl From<&Account> for Plan {
    fn from(account: &Account) -> Plan {
        let cycle = |(path, dropped): &(Vec<UnitName>, UnitName)| Cycle {
            units: path.iter().map(UnitName::to_string).collect(),
            dropped: dropped.to_string(),
        };
        Plan {
            unit: account.unit.to_string(),
            job: account.kind.word().to_owned(),
            mode: mode_word(account.mode).to_owned(),
            refusal: account.refusal.as_ref().map(|refusal| refusal.reason()).unwrap_or_default(),
            jobs: account.jobs.iter().map(planned).collect(),
            left_out: account.left_out.iter().map(left_out).collect(),
            cycles: account.cycles.iter().map(cycle).collect(),
            cancelled: account.cancelled.iter().map(queued).collect(),
            behind: account.behind.iter().map(queued).collect(),
        }
    }
}

fn planned(entry: &Entry) -> PlannedJob {
    let (meets, queued) = match entry.meets {
        None => ("", ""),
        Some((kind, Meeting::Joins)) => ("joins", kind.word()),
        Some((kind, Meeting::Replaces)) => ("replaces", kind.word()),
    };
    PlannedJob {
        unit: entry.unit.to_string(),
        job: entry.kind.word().to_owned(),
        state: active_word(entry.state).to_owned(),
        waves: entry.waves.clone(),
        askers: (entry.reasons.len() + entry.further_reasons) as u32,
        meets: meets.to_owned(),
        queued: queued.to_owned(),
        reasons: entry.reasons.iter().map(reason).collect(),
    }
}

fn reason(reason: &Reason) -> PlanReason {
    let (directive, written_in) = match &reason.word {
        Some((word, writer)) => (word.property(), writer.as_str()),
        None => ("", ""),
    };
    PlanReason {
        unit: reason.by.to_string(),
        job: reason.kind.word().to_owned(),
        directive: directive.to_owned(),
        written_in: written_in.to_owned(),
    }
}

fn left_out(omitted: &Omitted) -> LeftOut {
    let (why, cause) = match &omitted.why {
        Omission::Redundant(state) => ("redundant", active_word(*state).to_owned()),
        Omission::Contradicts(kind) => ("conflict", kind.word().to_owned()),
        Omission::Impact => ("impact", String::new()),
        Omission::Cycle => ("cycle", String::new()),
        Omission::Falls(unit) => ("falls", unit.to_string()),
        Omission::Unwanted => ("unwanted", String::new()),
        Omission::Refused(refusal) => ("refused", refusal.reason()),
    };
    LeftOut {
        unit: omitted.unit.to_string(),
        job: omitted.kind.word().to_owned(),
        why: why.to_owned(),
        cause,
        reasons: omitted.reasons.iter().map(reason).collect(),
    }
}

fn queued((unit, kind): &(UnitName, JobKind)) -> QueuedJob {
    QueuedJob { unit: unit.to_string(), job: kind.word().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn introspection_tells_the_signature() {
        assert_eq!(Vec::<Plan>::SIGNATURE.to_string(), SIGNATURE);
    }
}
