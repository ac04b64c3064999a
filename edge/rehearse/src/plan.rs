//! Plans in words.

use eudaemon_bus::{Cycle, LeftOut, Plan, PlanReason, PlannedJob, QueuedJob};
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};

/// Reasons named for one job; the rest are counted.
const NAMED: usize = 3;

/// All plans as one JSON array, on one line.
pub fn json(plans: &[Plan]) -> String {
    let text = serde_json::to_string(plans).unwrap_or_else(|_| "[]".to_owned());
    format!("{text}\n")
}

/// What of a plan is told beside its jobs.
#[derive(Clone, Debug)]
pub struct Telling {
    /// Of units, what their start would come to for a condition that does not hold.
    pub skipped: BTreeMap<String, String>,
    pub idle: Idle,
}

/// Jobs that were thought of and are none, because nothing is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    Counted,
    Named,
}

/// All plans as text for people, an empty line between two.
pub fn text(plans: &[Plan], telling: &Telling) -> String {
    let texts: Vec<String> = plans.iter().map(|plan| one(plan, telling)).collect();
    texts.join("\n")
}

/// The units that plans would start.
pub fn started(plans: &[Plan]) -> Vec<UnitName> {
    let starts = plans.iter().flat_map(|plan| &plan.jobs).filter(|job| is_start(job));
    let names: BTreeSet<UnitName> = starts.filter_map(|job| UnitName::parse(&job.unit).ok()).collect();
    names.into_iter().collect()
}

fn is_start(job: &PlannedJob) -> bool {
    matches!(job.job.as_str(), "start" | "restart" | "try-restart")
}

/// Whether any of the requests would be refused.
pub fn is_refused(plans: &[Plan]) -> bool {
    plans.iter().any(|plan| !plan.refusal.is_empty())
}

fn one(plan: &Plan, telling: &Telling) -> String {
    let asked = match plan.mode.as_str() {
        "isolate" => format!("isolate {}", plan.unit),
        "replace" => format!("{} {}", plan.job, plan.unit),
        mode => format!("{} {} (job mode {mode})", plan.job, plan.unit),
    };
    if !plan.refusal.is_empty() {
        let rows = plan.jobs.iter().map(|job| (String::new(), job.job.as_str(), job));
        let trail = table(plan, rows.collect(), &BTreeMap::new());
        return format!("{asked} would be refused: {}\n{trail}", plan.refusal);
    }
    let rows = in_waves(plan);
    let waves = plan.jobs.iter().flat_map(|job| &job.waves).max().copied().unwrap_or(0);
    let (jobs, waves) = (counted(plan.jobs.len(), "job"), counted(waves as usize, "wave"));
    let mut text = format!("{asked}: {jobs} in {waves}\n{}", table(plan, rows, &telling.skipped));
    text += &listed("Waits for jobs queued before", &plan.behind);
    text += &listed("Cancels queued jobs", &plan.cancelled);
    text += &plan.cycles.iter().map(cycle).collect::<String>();
    text += &left_out(plan, telling.idle);
    text
}

fn counted(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        many => format!("{many} {word}s"),
    }
}

type Row<'a> = (String, &'a str, &'a PlannedJob);

/// Each job in its wave. A restart of what runs stops in one and starts in another.
fn in_waves(plan: &Plan) -> Vec<Row<'_>> {
    let mut rows: Vec<(u32, Row<'_>)> = Vec::new();
    for job in &plan.jobs {
        for (place, wave) in job.waves.iter().enumerate() {
            let word = match (place, job.waves.len()) {
                (0, 2) => "stop",
                (1, _) => "start",
                _ => job.job.as_str(),
            };
            rows.push((*wave, (String::new(), word, job)));
        }
    }
    rows.sort_by(|(a, (_, _, one)), (b, (_, _, other))| (a, &one.unit).cmp(&(b, &other.unit)));
    let mut last = 0;
    for (wave, row) in &mut rows {
        if std::mem::replace(&mut last, *wave) != *wave {
            row.0 = format!("{wave}.");
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Rows with their columns below each other.
fn table(plan: &Plan, rows: Vec<Row<'_>>, skipped: &BTreeMap<String, String>) -> String {
    let wide = |cell: fn(&Row<'_>) -> usize| rows.iter().map(cell).max().unwrap_or(0);
    let number = wide(|(number, ..)| number.len());
    let word = wide(|(_, word, _)| word.len());
    let unit = wide(|(_, _, job)| job.unit.len());
    let rows = rows.iter().map(|(wave, job, planned)| {
        // The stop of a restart asks for no conditions.
        let skipped = skipped.get(&planned.unit).filter(|_| is_start(planned) && *job != "stop");
        let skipped = skipped.map_or(String::new(), |clause| format!("; {clause}"));
        let why = why(plan, planned) + &skipped;
        format!("  {wave:>number$} {job:<word$} {:<unit$}  {why}\n", planned.unit)
    });
    rows.collect()
}

fn why(plan: &Plan, job: &PlannedJob) -> String {
    let mut why = match job.reasons.is_empty() {
        true => "asked for".to_owned(),
        false => reasons(plan, &job.reasons, job.askers as usize),
    };
    if job.waves.len() == 2 {
        why = format!("restarts: {why}");
    }
    match job.meets.as_str() {
        "" => {}
        "joins" => why += &format!("; joins its queued {}", job.queued),
        how => why += &format!("; {how} its queued {}", job.queued),
    }
    why
}

fn reasons(plan: &Plan, reasons: &[PlanReason], all: usize) -> String {
    let named: Vec<String> = reasons.iter().take(NAMED).map(|reason| self::reason(plan, reason)).collect();
    let named = named.join(", ");
    match all.saturating_sub(NAMED.min(reasons.len())) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn reason(plan: &Plan, reason: &PlanReason) -> String {
    let PlanReason { unit: asker, directive, written_in, .. } = reason;
    match (directive.as_str(), plan.mode.as_str()) {
        ("", "isolate") => format!("{asker} is to be alone"),
        ("", "triggering") => format!("it could start {asker} again"),
        ("", mode) => format!("{asker} has it done (job mode {mode})"),
        (directive, _) if written_in == asker => format!("{directive}= of {asker}"),
        (directive, _) => format!("its own {directive}={asker}"),
    }
}

fn listed(title: &str, jobs: &[QueuedJob]) -> String {
    if jobs.is_empty() {
        return String::new();
    }
    let jobs: Vec<String> = jobs.iter().map(|job| format!("{} {}", job.job, job.unit)).collect();
    format!("{title}: {}\n", jobs.join(", "))
}

fn cycle(cycle: &Cycle) -> String {
    let way = cycle.units.join(" -> ");
    let first = cycle.units.first().map_or("", String::as_str);
    format!("Ordering cycle: {way} -> {first}; broken by leaving out the job of {}\n", cycle.dropped)
}

fn left_out(plan: &Plan, idle: Idle) -> String {
    let mut text = String::new();
    let (redundant, others): (Vec<&LeftOut>, Vec<&LeftOut>) =
        plan.left_out.iter().partition(|left| left.why == "redundant");
    // What a unit that is up would have wanted is no news of it.
    let (unwanted, others): (Vec<&LeftOut>, Vec<&LeftOut>) =
        others.into_iter().partition(|left| left.why == "unwanted" && idle == Idle::Counted);
    // What others only want and packages do not bring is no news of the unit that was asked for.
    let (distant, others): (Vec<&LeftOut>, Vec<&LeftOut>) =
        others.into_iter().partition(|left| is_distant(plan, left));
    if !others.is_empty() {
        text += "Left out:\n";
    }
    for left in others {
        text += &format!("  {} {}  {}", left.job, left.unit, omission(left));
        if left.why == "refused" {
            let askers: Vec<&str> = left.reasons.iter().map(|reason| reason.unit.as_str()).collect();
            let askers = askers.join(", ");
            text += &match left.reasons.iter().all(is_wish) {
                true => format!("; only wanted by {askers}\n"),
                false => format!("; required by {askers}, which starts without it\n"),
            };
        } else if left.reasons.is_empty() {
            text.push('\n');
        } else {
            let why = reasons(plan, &left.reasons, left.reasons.len());
            text += &format!("; asked for by {why}\n");
        }
    }
    text += &names("Cannot be had, and are only wanted by others", &distant);
    match idle {
        Idle::Named => text += &names("Nothing to do for", &redundant),
        Idle::Counted => text += &counts(&redundant, &unwanted),
    }
    text
}

fn names(title: &str, left_out: &[&LeftOut]) -> String {
    let mut units: Vec<&str> = left_out.iter().map(|left| left.unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    if units.is_empty() { String::new() } else { format!("{title}: {}\n", units.join(", ")) }
}

/// One line for what needs nothing.
fn counts(redundant: &[&LeftOut], unwanted: &[&LeftOut]) -> String {
    let units = |left_out: &[&LeftOut]| {
        let units: BTreeSet<&str> = left_out.iter().map(|left| left.unit.as_str()).collect();
        counted(units.len(), "unit")
    };
    let parts = [(redundant, "up or down already"), (unwanted, "asked for by those alone")];
    let parts = parts.into_iter().filter(|(left_out, _)| !left_out.is_empty());
    let parts: Vec<String> = parts.map(|(left_out, what)| format!("{} {what}", units(left_out))).collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("Nothing to do for {} (--all names them)\n", parts.join(", ")),
    }
}

fn is_wish(reason: &PlanReason) -> bool {
    matches!(reason.directive.as_str(), "" | "Wants" | "WantedBy" | "Upholds" | "UpheldBy")
}

/// Other units than the one asked for want it, and none requires it.
fn is_distant(plan: &Plan, left: &LeftOut) -> bool {
    let of_other = |reason: &PlanReason| reason.unit != plan.unit && is_wish(reason);
    left.why == "refused" && left.reasons.iter().all(of_other)
}

fn omission(left: &LeftOut) -> String {
    match left.why.as_str() {
        "conflict" => format!("contradicts its {}, which matters more", left.cause),
        "impact" => "would stop what runs, or turn a queued job round".to_owned(),
        "cycle" => "dropped to break an ordering cycle".to_owned(),
        "falls" => format!("fails without the job of {}, which was dropped", left.cause),
        "unwanted" => "nobody asks for it any more".to_owned(),
        _ => left.cause.clone(),
    }
}

#[cfg(test)]
mod tests;
