//! Plans as lines.

use super::print;
use eudaemon_engine::Engine;
use eudaemon_engine::api::JobKind;
use eudaemon_engine::transaction::account::{Account, Entry, Omission, Reason};
use eudaemon_unit::config::Config;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::UnitName;
use std::sync::Arc;

pub fn show(engine: &Engine, fresh: &[Arc<Config>], rest: &str) -> Vec<String> {
    let mut words = rest.split_whitespace();
    let (kind, mode) = match words.next().unwrap() {
        "start" => (JobKind::Start, JobMode::Replace),
        "stop" => (JobKind::Stop, JobMode::Replace),
        "restart" => (JobKind::Restart, JobMode::Replace),
        "isolate" => (JobKind::Start, JobMode::Isolate),
        "start-fail" => (JobKind::Start, JobMode::Fail),
        "start-flush" => (JobKind::Start, JobMode::Flush),
        "stop-triggering" => (JobKind::Stop, JobMode::Triggering),
        other => panic!("{other}: no verb of plans"),
    };
    let requests: Vec<_> = words.map(|word| (UnitName::parse(word).unwrap(), kind, mode)).collect();
    engine.foresee(fresh, &requests).iter().flat_map(account).collect()
}

fn account(account: &Account) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(refusal) = &account.refusal {
        lines.push(format!("refused: {}", refusal.reason()));
    }
    lines.extend(account.jobs.iter().map(entry));
    for left in &account.left_out {
        let why = match &left.why {
            Omission::Redundant(state) => format!("it is {}", print::active(*state)),
            Omission::Contradicts(kind) => format!("contradicts {}", kind.word()),
            Omission::Impact => "it would disturb what runs".to_owned(),
            Omission::Cycle => "ordering cycle".to_owned(),
            Omission::Falls(unit) => format!("nothing without {unit}"),
            Omission::Unwanted => "nobody asks any more".to_owned(),
            Omission::Refused(refusal) => refusal.reason(),
        };
        lines.push(format!("left out: {} {}: {why}{}", left.kind.word(), left.unit, reasons(&left.reasons)));
    }
    for (path, dropped) in &account.cycles {
        let ring: Vec<&str> = path.iter().map(UnitName::as_str).collect();
        lines.push(format!("cycle {}: without {dropped}", ring.join(" -> ")));
    }
    for (unit, kind) in &account.cancelled {
        lines.push(format!("cancels {} {unit}", kind.word()));
    }
    for (unit, kind) in &account.behind {
        lines.push(format!("behind {} {unit}", kind.word()));
    }
    lines
}

fn entry(entry: &Entry) -> String {
    let waves: Vec<String> = entry.waves.iter().map(u32::to_string).collect();
    let waves = if waves.is_empty() { "-".to_owned() } else { waves.join("+") };
    let meets = entry.meets.map_or(String::new(), |(kind, how)| format!(" {how:?} queued {}", kind.word()));
    let why = if entry.reasons.is_empty() { "; asked for".to_owned() } else { reasons(&entry.reasons) };
    format!("{waves} {} {}{}{why}", entry.kind.word(), entry.unit, meets.to_lowercase())
}

fn reasons(reasons: &[Reason]) -> String {
    let reason = |reason: &Reason| match &reason.word {
        Some((word, writer)) if *writer == reason.by => format!("; {} {}=", reason.by, word.property()),
        Some((word, writer)) => format!("; {writer} {}={}", word.property(), reason.by),
        None => format!("; {}", reason.by),
    };
    reasons.iter().map(reason).collect()
}
