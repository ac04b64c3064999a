//! Plans as text: units with dependencies in, jobs and remarks out.

use super::*;
use crate::graph::Graph;
use eudaemon_unit::config::{Config, Dependency};
use expect_test::{Expect, expect};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod asks;
mod limits;
mod rings;

/// What a test's world looks like: lines of `unit: Word=other …  flag …`, with `up`, `queued-start` and the like.
#[derive(Default)]
struct Present {
    standing: BTreeMap<UnitId, Standing>,
    no_reload: BTreeSet<UnitId>,
}

impl Situation for Present {
    fn standing(&self, unit: UnitId) -> Standing {
        let idle = Standing { state: ActiveState::Inactive, queued: None };
        self.standing.get(&unit).copied().unwrap_or(idle)
    }

    fn reload(&self, unit: UnitId) -> Reload {
        match self.no_reload.contains(&unit) {
            true => Reload::Impossible,
            false => Reload::Possible,
        }
    }
}

fn word(text: &str) -> Dependency {
    match text {
        "Requires" => Dependency::Requires,
        "Requisite" => Dependency::Requisite,
        "Wants" => Dependency::Wants,
        "BindsTo" => Dependency::BindsTo,
        "PartOf" => Dependency::PartOf,
        "Upholds" => Dependency::Upholds,
        "Conflicts" => Dependency::Conflicts,
        "Before" => Dependency::Before,
        "After" => Dependency::After,
        "PropagatesStopTo" => Dependency::PropagatesStopTo,
        "PropagatesReloadTo" => Dependency::PropagatesReloadTo,
        "Triggers" => Dependency::Triggers,
        other => panic!("no such word in these tests: {other}"),
    }
}

/// A service, unless another kind is said.
fn name(text: &str) -> UnitName {
    match text.contains('.') {
        true => UnitName::parse(text).unwrap(),
        false => UnitName::parse(&format!("{text}.service")).unwrap(),
    }
}

fn world(units: &str) -> (Graph, Present) {
    let mut graph = Graph::default();
    let mut present = Present::default();
    for line in units.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (unit, rest) = line.split_once(':').unwrap();
        let mut config = Config::bare(name(unit), LoadState::Loaded);
        let id = graph.mention(&config.name).unwrap();
        let mut standing = present.standing(id);
        let queued = |kind, strength| Some(Queued { kind, strength, order: Order::Kept });
        for item in rest.split_whitespace() {
            match item {
                "up" => standing.state = ActiveState::Active,
                "starting" => standing.state = ActiveState::Activating,
                "masked" => config.load = LoadState::Masked,
                "missing" => config.load = LoadState::NotFound,
                "isolable" => config.unit.allow_isolate = true,
                "stays" => config.unit.ignore_on_isolate = true,
                "refuses-start" => config.unit.refuse_manual_start = true,
                "refuses-stop" => config.unit.refuse_manual_stop = true,
                "no-reload" => drop(present.no_reload.insert(id)),
                "queued-start" => standing.queued = queued(JobKind::Start, Strength::Replaceable),
                "queued-reload" => standing.queued = queued(JobKind::Reload, Strength::Replaceable),
                "queued-stop" => standing.queued = queued(JobKind::Stop, Strength::Replaceable),
                "queued-stop!" => standing.queued = queued(JobKind::Stop, Strength::Irreversible),
                dependency => {
                    let (key, other) = dependency.split_once('=').unwrap();
                    config.unit.dependencies.push((word(key), name(other)));
                }
            }
        }
        graph.load(Arc::new(config)).unwrap();
        present.standing.insert(id, standing);
    }
    (graph, present)
}

fn check(units: &str, kind: JobKind, mode: JobMode, unit: &str, expected: Expect) {
    check_by(Origin::Client, units, kind, mode, unit, expected);
}

fn check_by(origin: Origin, units: &str, kind: JobKind, mode: JobMode, unit: &str, expected: Expect) {
    let (graph, present) = world(units);
    let unit = graph.id(&name(unit)).unwrap();
    let told = match plan(&graph, &present, Ask { unit, kind, mode, origin }) {
        Ok(transaction) => show(&graph, &transaction),
        Err(refusal) => format!("refused: {}", refusal.reason()),
    };
    expected.assert_eq(&told);
}

fn show(graph: &Graph, transaction: &Transaction) -> String {
    let mut lines: Vec<String> = Vec::new();
    for job in &transaction.jobs {
        let order = if job.order == Order::Ignored { " unordered" } else { "" };
        let strength = if job.strength == Strength::Irreversible { " irreversible" } else { "" };
        lines.push(format!("{} {:?}{order}{strength}", graph.name(job.unit).prefix(), job.kind));
    }
    if transaction.others == Others::Cancelled {
        lines.push("cancel the others".into());
    }
    for remark in &transaction.remarks {
        lines.push(match remark {
            Remark::NotPulledIn { unit, wanted_by, why, .. } => {
                format!("# {wanted_by} wants {unit}: {}", why.reason())
            }
            Remark::Lacking { unit, needed_by, why, .. } => {
                format!("# {needed_by} lacks {unit}: {}", why.reason())
            }
            Remark::CycleBroken { path, dropped } => {
                let path: Vec<&str> = path.iter().map(|unit| unit.prefix()).collect();
                format!("# ring {}: dropped {}", path.join(" "), dropped.prefix())
            }
            Remark::Overruled { unit, kind, asker: _, by, whose } => {
                let whose = whose.as_ref().map_or("nobody", |(whose, _)| whose.prefix());
                format!("# {} {kind:?}: overruled by {by:?} of {whose}", unit.prefix())
            }
            Remark::Fell { unit, kind, asker: _, with, job } => {
                format!("# {} {kind:?} fell with {} {job:?}", unit.prefix(), with.prefix())
            }
        });
    }
    lines.join("\n")
}

#[test]
fn requires_and_wants_pull_in() {
    check(
        "a: Requires=b Wants=c
         b:
         c: Requires=d
         d:",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            b Start
            c Start
            d Start"#]],
    );
}

#[test]
fn what_is_up_already_gets_no_job() {
    check("a: Requires=b\n b: up", JobKind::Start, JobMode::Replace, "a", expect!["a Start"]);
}

#[test]
fn a_missing_required_unit_refuses_the_request() {
    check(
        "a: Requires=b\n b: Requires=c\n c: missing",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect!["refused: unit c.service not found"],
    );
}

#[test]
fn a_masked_wanted_unit_is_a_remark() {
    check(
        "a: Wants=b\n b: masked",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            # a.service wants b.service: unit b.service is masked"#]],
    );
}

#[test]
fn a_wanted_unit_goes_without_what_it_requires() {
    check(
        "a: Wants=b
         b: Requires=c
         c: Requires=d Requires=e
         d: missing
         e:",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            b Start
            c Start
            # c.service lacks d.service: unit d.service not found"#]],
    );
}

#[test]
fn a_start_stops_what_it_conflicts_with() {
    check(
        "a: Conflicts=b\n b: up",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            b Stop"#]],
    );
}

#[test]
fn a_start_is_refused_if_it_needs_what_it_conflicts_with() {
    check(
        "a: Requires=b Conflicts=b\n b:",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect!["refused: a.service: stop and start contradict each other"],
    );
}

#[test]
fn a_wanted_unit_in_conflict_is_left_out() {
    check(
        "a: Wants=b Wants=c
         b:
         c: Conflicts=b",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            c Start
            # b Start: overruled by Stop of c
            # c Stop: overruled by Start of a"#]],
    );
}

#[test]
fn a_stop_takes_dependants_along() {
    check(
        "a: up
         b: up Requires=a
         c: up Wants=a
         d: up PartOf=a
         e: up BindsTo=b
         f: Requires=a",
        JobKind::Stop,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Stop
            b Stop
            d Stop
            e Stop"#]],
    );
}

#[test]
fn a_restart_restarts_running_dependants_alone() {
    check(
        "a: up\n b: up Requires=a\n c: Requires=a",
        JobKind::Restart,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Restart
            b Restart"#]],
    );
}

#[test]
fn reloads_propagate_to_what_runs() {
    check(
        "a: up PropagatesReloadTo=b PropagatesReloadTo=c PropagatesReloadTo=d\n b: up\n c:\n d: up no-reload",
        JobKind::Reload,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Reload
            b Reload"#]],
    );
}

#[test]
fn a_reload_of_what_cannot_reload_is_refused() {
    check(
        "a: up no-reload",
        JobKind::Reload,
        JobMode::Replace,
        "a",
        expect!["refused: reload does not apply to a.service"],
    );
}

#[test]
fn a_ring_loses_a_job_that_does_not_matter() {
    check(
        "a: Requires=b Wants=c After=b
         b: After=c
         c: After=a",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            b Start
            # ring a b c: dropped c"#]],
    );
}

#[test]
fn a_ring_of_what_matters_is_refused() {
    check(
        "a: Requires=b After=b\n b: After=a",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect!["refused: ordering cycle a.service -> b.service -> a.service"],
    );
}

#[test]
fn no_ring_without_order() {
    check(
        "a: Requires=b After=b\n b: After=a",
        JobKind::Start,
        JobMode::IgnoreDependencies,
        "a",
        expect!["a Start unordered"],
    );
}

#[test]
fn isolate_stops_the_rest() {
    check(
        "a: isolable Requires=b
         b: up
         c: up
         d: up stays
         e:
         f: queued-start",
        JobKind::Start,
        JobMode::Isolate,
        "a",
        expect![[r#"
            a Start
            c Stop
            f Stop
            cancel the others"#]],
    );
}

#[test]
fn isolate_needs_leave() {
    check("a:", JobKind::Start, JobMode::Isolate, "a", expect!["refused: a.service may not be isolated"]);
}

#[test]
fn flush_cancels_what_is_queued() {
    check(
        "a:\n b: queued-start",
        JobKind::Start,
        JobMode::Flush,
        "a",
        expect![[r#"
            a Start
            cancel the others"#]],
    );
}

#[test]
fn fail_does_not_turn_a_queued_job_round() {
    check(
        "a: queued-stop",
        JobKind::Start,
        JobMode::Fail,
        "a",
        expect!["refused: a.service: start contradicts the queued stop"],
    );
}

#[test]
fn fail_leaves_out_what_would_stop_something_and_does_not_matter() {
    check("a: Wants=b\n b: Conflicts=c\n c: up", JobKind::Start, JobMode::Fail, "a", expect!["a Start"]);
}

#[test]
fn an_irreversible_job_stays() {
    check(
        "a: queued-stop!",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect!["refused: a.service: start contradicts the queued stop"],
    );
    check("a:", JobKind::Start, JobMode::ReplaceIrreversibly, "a", expect!["a Start irreversible"]);
}

#[test]
fn triggering_stops_the_triggers_too() {
    check(
        "a: up\n b: up Triggers=a\n c: Triggers=a",
        JobKind::Stop,
        JobMode::Triggering,
        "a",
        expect![[r#"
            a Stop
            b Stop"#]],
    );
}

#[test]
fn refuse_manual_start_binds_clients() {
    check(
        "a: refuses-start",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect!["refused: a.service: start only as a dependency of another unit"],
    );
    check(
        "a: Requires=b\n b: refuses-start",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
        a Start
        b Start"#]],
    );
}

#[test]
fn conditional_kinds_come_to_nothing_for_what_is_down() {
    check("a:", JobKind::TryRestart, JobMode::Replace, "a", expect!["a Nop"]);
    check("a:", JobKind::ReloadOrStart, JobMode::Replace, "a", expect!["a Start"]);
    check("a: up", JobKind::ReloadOrStart, JobMode::Replace, "a", expect!["a Reload"]);
}

#[test]
fn requisite_verifies() {
    check(
        "a: Requisite=b\n b:",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
        a Start
        b VerifyActive"#]],
    );
}

/// 10,000 units with 50,000 dependencies: how long a plan takes. Printed; the bound is for release builds.
#[test]
fn a_large_graph_is_planned_at_once() {
    let mut graph = Graph::default();
    let unit = |n: u32| name(&format!("u{n}"));
    for n in 0..10_000_u32 {
        let mut config = Config::bare(unit(n), LoadState::Loaded);
        for step in [1, 7, 61] {
            if n + step < 10_000 {
                config.unit.dependencies.push((Dependency::Wants, unit(n + step)));
            }
        }
        for step in [1, 13] {
            if n + step < 10_000 {
                config.unit.dependencies.push((Dependency::After, unit(n + step)));
            }
        }
        graph.load(Arc::new(config)).unwrap();
    }
    let ask = Ask { unit: UnitId(0), kind: JobKind::Start, mode: JobMode::Replace, origin: Origin::Client };
    let begun = std::time::Instant::now();
    let transaction = plan(&graph, &Present::default(), ask).unwrap();
    let took = begun.elapsed();
    println!("planned {} jobs in {took:?}", transaction.jobs.len());
    assert_eq!(transaction.jobs.len(), 10_000);
    assert!(cfg!(debug_assertions) || took.as_millis() < 50, "planning took {took:?}");
}
