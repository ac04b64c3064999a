//! Whether a start of the unit makes a transaction: everything it requires is there, nothing of it is to be stopped,
//! and the order of its jobs leads round in no circle. The manager's own planner says so.

use super::Looking;
use super::name::meant;
use crate::finding::{Finding, Spot, Suggestion};
use eudaemon_engine::api::{Event, Input, JobKind, Moment, Refusal};
use eudaemon_engine::transaction::account::Entry;
use eudaemon_engine::{Engine, Settings};
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::merge::{Merged, bad_setting};
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What the planner says of the start of one unit.
pub(super) struct Plan {
    refusal: Option<Refusal>,
    /// The jobs that lead to the refusal.
    trail: Vec<Entry>,
    cycles: Vec<(Vec<UnitName>, UnitName)>,
}

/// The plans of units' starts, each by itself.
pub(super) fn plans<'a>(
    closure: &[Merged],
    names: impl IntoIterator<Item = &'a UnitName>,
) -> BTreeMap<&'a UnitName, Plan> {
    let configs = closure.iter().map(|merged| Arc::new(merged.config.clone())).collect();
    let mut engine = Engine::new(0, Settings::default());
    engine.step(Moment::default(), Input::Fact(Event::Loaded(configs)));
    let mut plans = BTreeMap::new();
    engine.foresee_starts(names, |name, account| {
        let trail = if account.refusal.is_some() { account.jobs } else { Vec::new() };
        plans.insert(name, Plan { refusal: account.refusal, trail, cycles: account.cycles });
    });
    plans
}

/// Cycles that were said already: a cycle is told once, by the unit that is hit hardest.
#[derive(Default)]
pub(super) struct Known(BTreeMap<BTreeSet<UnitName>, (usize, Severity)>);

/// Words for what a unit does not start without.
const REQUIREMENTS: [Dependency; 3] = [Dependency::Requires, Dependency::BindsTo, Dependency::Requisite];

/// Words by which the job of one unit stops another.
const STOPS: [Dependency; 5] = [
    Dependency::Conflicts,
    Dependency::PropagatesStopTo,
    Dependency::StopPropagatedFrom,
    Dependency::BindsTo,
    Dependency::PartOf,
];

pub(super) fn add(
    looking: &Looking<'_>,
    plan: &Plan,
    config: &Config,
    known: &mut Known,
    findings: &mut Vec<Finding>,
) {
    let missing = missing(looking, config);
    if !missing.is_empty() {
        return findings.extend(missing);
    }
    for (ring, dropped) in &plan.cycles {
        known.tell(ring, cycle(looking, config, ring, Some(dropped)), findings);
    }
    match &plan.refusal {
        None => {}
        Some(Refusal::Cyclic(ring)) => known.tell(ring, cycle(looking, config, ring, None), findings),
        Some(Refusal::Conflicting { unit, kinds: (one, other) }) => {
            findings.push(contradiction(looking, config, plan, unit, (*one, *other)));
        }
        Some(
            other @ (Refusal::NoSuchUnit(_)
            | Refusal::NotLoaded(_)
            | Refusal::Masked(_)
            | Refusal::BadSetting(_)
            | Refusal::Inconsistent { .. }
            | Refusal::LoadFailed { .. }
            | Refusal::OnlyByDependency { .. }
            | Refusal::NoIsolation(_)
            | Refusal::Destructive { .. }
            | Refusal::NotApplicable { .. }
            | Refusal::NoSuchJob(_)
            | Refusal::NoProcess { .. }
            | Refusal::NotSupported { .. }
            | Refusal::NotFrozen { .. }
            | Refusal::WrongMode { .. }
            | Refusal::NotCleaned { .. }
            | Refusal::ShuttingDown
            | Refusal::Overloaded(_)),
        ) => {
            let text = failed(&config.name, &format!("{}.", other.reason()));
            let finding = Finding::of_file(looking.file(config), Severity::Error, "no-start", text);
            findings.push(finding.at(looking.sources.header(config)));
        }
    }
}

fn failed(name: &UnitName, why: &str) -> String {
    format!("{name}: Failed to create {name}/start: {why}")
}

/// A unit that cannot be started and is required.
struct Lacking<'a> {
    unit: &'a Config,
    /// Who requires it.
    says: &'a Config,
    /// "required by …": the units from the one that was asked about to that one.
    chain: String,
}

/// Everything the unit requires, or what that requires, that cannot be started, each with how it comes to be required.
pub(super) fn lacking<'a>(looking: &Looking<'a>, config: &'a Config) -> Vec<(&'a UnitName, String)> {
    walk(looking, config).into_iter().map(|lacking| (&lacking.unit.name, lacking.chain)).collect()
}

/// The nearest first.
fn walk<'a>(looking: &Looking<'a>, config: &'a Config) -> Vec<Lacking<'a>> {
    let mut from: BTreeMap<&UnitName, &Config> = BTreeMap::from([(&config.name, config)]);
    let mut ahead = VecDeque::from([config]);
    let mut lacking = Vec::new();
    while let Some(says) = ahead.pop_front() {
        for (dependency, other) in &says.unit.dependencies {
            let Some(other) = looking.config(other).filter(|_| REQUIREMENTS.contains(dependency)) else {
                continue;
            };
            if other.load == LoadState::Loaded {
                // What must be up already is not started.
                if *dependency != Dependency::Requisite && !from.contains_key(&other.name) {
                    from.insert(&other.name, says);
                    ahead.push_back(other);
                }
                continue;
            }
            lacking.push(Lacking { unit: other, says, chain: chain(&from, says) });
        }
    }
    lacking
}

fn missing(looking: &Looking<'_>, config: &Config) -> Vec<Finding> {
    let finding = |Lacking { unit: other, says, chain }: Lacking<'_>| {
        let place = looking.named(says, &REQUIREMENTS, &other.name);
        let text = failed(&config.name, &why(other));
        let finding = Finding::of_file(looking.file(says), Severity::Error, "missing-requirement", text)
            .expecting("a unit that is there");
        let replaces = place.is_some() && other.load == LoadState::NotFound;
        let near = replaces.then(|| meant(looking, &other.name)).flatten();
        let suggestion = near.map(|near| Suggestion::word(&near));
        let finding = Finding { suggestion, ..finding.at(place) };
        if says.name == config.name { finding } else { finding.noting(chain) }
    };
    walk(looking, config).into_iter().map(finding).collect()
}

/// systemd's words for a unit that cannot be started.
fn why(config: &Config) -> String {
    let name = &config.name;
    match &config.load {
        LoadState::NotFound | LoadState::Loaded => format!("Unit {name} not found."),
        LoadState::BadSetting(_) => bad_setting(name),
        LoadState::Inconsistent(text) => text.clone(),
        LoadState::Unreadable(text) => format!("Unit {name} failed to load: {text}"),
        LoadState::Masked => format!("Unit {name} is masked."),
    }
}

fn chain(from: &BTreeMap<&UnitName, &Config>, last: &Config) -> String {
    let mut names = vec![last.name.as_str()];
    let mut at = &last.name;
    while let Some(before) = from.get(at).filter(|before| before.name != *at) {
        names.push(before.name.as_str());
        at = &before.name;
    }
    names.reverse();
    format!("required by {}", names.join(" → "))
}

fn contradiction(
    looking: &Looking<'_>,
    config: &Config,
    plan: &Plan,
    unit: &UnitName,
    (one, other): (JobKind, JobKind),
) -> Finding {
    let (one, other) = (one.word(), other.word());
    let stops = plan.trail.iter().filter(|entry| entry.unit == *unit && entry.kind == JobKind::Stop);
    let found = stops.flat_map(|entry| &entry.reasons).find_map(|reason| {
        let (_, writer) = reason.word.as_ref()?;
        let named = if *writer == reason.by { unit } else { &reason.by };
        let writer = looking.config(writer)?;
        let spot = STOPS.iter().find_map(|word| Some((word, looking.named(writer, &[*word], named)?)));
        spot.map(|(word, spot)| (word, &reason.by, spot))
    });
    // Of two that exclude each other the one that was not asked for is at fault.
    let unit = match &found {
        Some((Dependency::Conflicts, by, _)) if *unit == config.name => by,
        Some(_) | None => unit,
    };
    let why = format!(
        "Transaction contains conflicting jobs '{one}' and '{other}' for {unit}. Probably contradicting \
         requirement dependencies configured."
    );
    let text = failed(&config.name, &why);
    let place = found.map(|(_, _, spot)| spot);
    let finding = Finding::of_file(looking.file(config), Severity::Error, "contradiction", text)
        .expecting("no unit that is required")
        .at(place);
    plan.trail.iter().filter_map(reasons).fold(finding, Finding::noting)
}

/// Why there is a job.
fn reasons(entry: &Entry) -> Option<String> {
    let said = entry.reasons.iter().filter_map(|reason| {
        let (word, writer) = reason.word.as_ref()?;
        let named = if *writer == reason.by { &entry.unit } else { &reason.by };
        Some(format!("{}={named} of {writer}", word.property()))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| format!("{} of {}: {}", entry.kind.word(), entry.unit, said.join(", ")))
}

impl Known {
    fn tell(&mut self, ring: &[UnitName], finding: Finding, findings: &mut Vec<Finding>) {
        let severity = finding.severity;
        let members: BTreeSet<UnitName> = ring.iter().cloned().collect();
        match self.0.get(&members).copied() {
            Some((at, said)) if said < severity => {
                findings[at] = finding;
                self.0.insert(members, (at, severity));
            }
            Some(_) => {}
            None => {
                self.0.insert(members, (findings.len(), severity));
                findings.push(finding);
            }
        }
    }
}

/// `ring`: each unit's job runs before the next one's, and the last one's before the first one's.
fn cycle(looking: &Looking<'_>, config: &Config, ring: &[UnitName], dropped: Option<&UnitName>) -> Finding {
    // Told from the unit asked for, if it is among them: what each waits for.
    let mut way: Vec<&UnitName> = ring.iter().collect();
    let first = way.iter().position(|name| **name == config.name).unwrap_or(0);
    way.rotate_left(first);
    let names: Vec<&str> = way.iter().chain(way.first()).map(|name| name.as_str()).collect();
    let path = names.join(" → ");
    let (severity, text) = match dropped {
        Some(_) => (Severity::Warning, format!("{}: Found ordering cycle: {path}", config.name)),
        None => (Severity::Error, failed(&config.name, &format!("Transaction order is cyclic: {path}"))),
    };
    let edges = way.iter().zip(way.iter().cycle().skip(1));
    let said: Vec<(String, Option<Spot>)> = edges.map(|(one, next)| edge(looking, one, next)).collect();
    let place = said.iter().find_map(|(_, place)| place.clone());
    let mut finding = Finding::of_file(looking.file(config), severity, "ordering-cycle", text)
        .expecting("an order without a circle")
        .at(place);
    for (words, place) in said {
        let why = match place {
            Some((file, place)) => format!("{file}:{}", place.line()),
            None => "by default, or for what it is".to_owned(),
        };
        finding.notes.push(format!("{words}: {why}"));
    }
    if let Some(dropped) = dropped {
        finding.notes.push(format!("the job of {dropped} is dropped to break it"));
    }
    finding
}

/// Why the job of `one` waits for that of `next`, and where it is written. A unit that is stopped waits for none, but
/// what is ordered with it waits for its stop, whichever way round.
fn edge(looking: &Looking<'_>, one: &UnitName, next: &UnitName) -> (String, Option<Spot>) {
    let written = |unit: &UnitName, word, other: &UnitName| {
        looking.config(unit).and_then(|config| looking.named(config, &[word], other))
    };
    let says = |unit: &UnitName, word: Dependency, other: &UnitName| {
        let config = looking.config(unit);
        let mut words = config.into_iter().flat_map(|config| &config.unit.dependencies);
        words.any(|(said, name)| *said == word && looking.is(name, other))
    };
    let after = says(one, Dependency::After, next) || says(next, Dependency::Before, one);
    if after {
        let place = written(one, Dependency::After, next);
        let place = place.or_else(|| written(next, Dependency::Before, one));
        return (format!("{one} starts after {next}"), place);
    }
    let place = written(next, Dependency::After, one).or_else(|| written(one, Dependency::Before, next));
    (format!("{next} is stopped before {one} starts"), place)
}
