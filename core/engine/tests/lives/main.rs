//! Lives of single services, as real systemd 252 lived them: the engine plays each judged case in a pretend
//! machine whose processes behave as the case's scripts do, and has to come to the same states, results,
//! events and order.
//!
//! `measured.json` is this project's own; a larger set is not part of it: `EUDAEMON_SHARED`, or `../shared` beside
//! the repository.

#![allow(clippy::unwrap_used)]

mod case;
mod process;
mod world;

use case::Case;
use std::collections::BTreeMap;
use std::path::PathBuf;
use world::Machine;

/// Families of cases this engine has the kinds of unit for.
const FAMILIES: [&str; 5] = ["svc", "restart", "timeout", "notify", "socket"];

/// Cases that want what does not exist yet, each with its reason.
const NOT_YET: [(&str, &str); 3] =
    [("s0065", "Type=idle waits until no job is left"), ("s0277", "Accept=yes"), ("s0295", "Accept=yes")];

/// Cases of this project's own, measured on systemd 252.39 (Debian 12) in a container.
#[test]
fn measured_lives_agree_with_real_systemd() {
    judge(&case::all(include_str!("measured.json")), &["measured"]);
}

#[test]
fn lives_agree_with_real_systemd() {
    let shared = std::env::var_os("EUDAEMON_SHARED").map(PathBuf::from);
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let file = shared.unwrap_or_else(default).join("transactions/cases-services.json");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("SKIPPED lives_agree_with_real_systemd: no judged cases here (set EUDAEMON_SHARED)");
        return;
    };
    judge(&case::all(&text), &FAMILIES);
    for (id, reason) in NOT_YET {
        println!("not played: {id}, {reason}");
    }
}

/// Plays the cases of some families and prints how many agree; all have to.
fn judge(cases: &[Case], families: &[&str]) {
    let mut score: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let played = cases.iter().filter(|case| {
        families.contains(&case.family.as_str()) && NOT_YET.iter().all(|(id, _)| *id != case.id)
    });
    for case in played {
        let (agree, all) = score.entry(&case.family).or_default();
        *all += 1;
        match play(case) {
            Ok(()) => *agree += 1,
            Err(why) => wrong.push(format!("{} {} ({}): {why}", case.id, case.family, case.note)),
        }
    }
    for (family, (agree, all)) in &score {
        println!("{family}: {agree} of {all} lives agree with real systemd");
    }
    assert!(wrong.is_empty(), "{} lives differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn play(case: &Case) -> Result<(), String> {
    let mut machine = Machine::new(&case.units);
    for (step, expected) in case.steps.iter().zip(&case.expected) {
        let failed = machine.play(step);
        let said = |what: &str| format!("{}: {what}", step.join(" "));
        if let Some(failed) = failed
            && failed != expected.fails
        {
            return Err(said(&format!("exit status: want failure {}, got {failed}", expected.fails)));
        }
        for (unit, want) in &expected.states {
            let got = machine.state(unit);
            if got != *want {
                return Err(said(&format!("{unit}: want {want}, got {got}")));
            }
        }
        let events = machine.take_events();
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for event in &events {
            *counted.entry(event.clone()).or_default() += 1;
        }
        if counted != expected.events {
            return Err(said(&format!("events: want {:?}, got {counted:?}", expected.events)));
        }
        let first = |event: &String| events.iter().position(|other| other == event);
        for (before, after) in &expected.order {
            if first(before) >= first(after) {
                return Err(said(&format!("want {before} before {after}")));
            }
        }
        for (unit, properties) in &expected.properties {
            for (property, want) in properties {
                if let Some(got) = machine.property(unit, property)
                    && got != *want
                {
                    return Err(said(&format!("{unit}: {property}: want {want}, got {got}")));
                }
            }
        }
    }
    Ok(())
}
