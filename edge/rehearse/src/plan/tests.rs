//! Units as files in, words out.

use super::*;
use crate::offline::foresee;
use eudaemon_engine::api::JobKind;
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use expect_test::{Expect, expect};
use std::sync::Arc;

fn plans(files: &[(&str, &str)], kind: JobKind, mode: JobMode, units: &str) -> Vec<Plan> {
    let mut tree = MemoryTree::new();
    for (name, text) in files {
        let text = format!("[Unit]\nDefaultDependencies=no\n{text}\n[Service]\nExecStart=/bin/true\n");
        tree.file(&format!("/etc/systemd/system/{name}"), text);
    }
    let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
    let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings };
    let names: Vec<UnitName> = units.split(' ').map(|name| UnitName::parse(name).unwrap()).collect();
    let configs = loader.closure(&names).into_iter().map(|merged| Arc::new(merged.config)).collect();
    let requests: Vec<_> = names.into_iter().map(|name| (name, kind, mode)).collect();
    foresee(configs, &requests)
}

fn check(files: &[(&str, &str)], kind: JobKind, units: &str, expected: Expect) {
    let telling = Telling { skipped: BTreeMap::new(), idle: Idle::Counted };
    expected.assert_eq(&text(&plans(files, kind, JobMode::Replace, units), &telling));
}

#[test]
fn each_job_has_its_wave_and_its_reason() {
    check(
        &[
            (
                "web.service",
                "Requires=db.service\nWants=log.service gone.service\nConflicts=old.service\nAfter=db.service",
            ),
            ("db.service", "Wants=log.service\nAfter=log.service"),
            ("log.service", ""),
            ("old.service", ""),
        ],
        JobKind::Start,
        "web.service",
        expect![[r#"
            start web.service: 3 jobs in 3 waves
              1. start log.service  Wants= of db.service, Wants= of web.service
              2. start db.service   Requires= of web.service
              3. start web.service  asked for
            Left out:
              start gone.service  unit gone.service not found; only wanted by web.service
            Nothing to do for 3 units up or down already (--all names them)
        "#]],
    );
}

#[test]
fn what_is_left_out_is_said_with_why() {
    check(
        &[
            ("a.service", "Wants=b.service masked.service\nAfter=c.service"),
            ("b.service", "Requires=c.service\nAfter=a.service"),
            ("c.service", "After=b.service"),
        ],
        JobKind::Start,
        "a.service",
        expect![[r#"
            start a.service: 1 job in 1 wave
              1. start a.service  asked for
            Ordering cycle: a.service -> c.service -> b.service -> a.service; broken by leaving out the job of c.service
            Left out:
              start b.service  fails without the job of c.service, which was dropped; asked for by Wants= of a.service
              start c.service  dropped to break an ordering cycle; asked for by Requires= of b.service
              start masked.service  unit masked.service not found; only wanted by a.service
            Nothing to do for 2 units up or down already (--all names them)
        "#]],
    );
}

#[test]
fn a_refusal_is_said_with_what_leads_to_it() {
    let files = [("a.service", "Requires=b.service"), ("b.service", "BindsTo=c.service")];
    check(
        &files,
        JobKind::Start,
        "a.service",
        expect![[r#"
        start a.service would be refused: unit c.service not found
           start c.service  BindsTo= of b.service
           start b.service  Requires= of a.service
           start a.service  asked for
    "#]],
    );
    let plans = plans(&files, JobKind::Start, JobMode::Replace, "a.service");
    assert!(is_refused(&plans));
}

#[test]
fn requests_follow_each_other() {
    check(
        &[("a.service", "Requires=b.service"), ("b.service", "")],
        JobKind::Start,
        "a.service b.service",
        expect![[r#"
            start a.service: 2 jobs in 1 wave
              1. start a.service  asked for
                 start b.service  Requires= of a.service
            Nothing to do for 2 units up or down already (--all names them)

            start b.service: 1 job in 1 wave
              1. start b.service  asked for; joins its queued start
            Nothing to do for 2 units up or down already (--all names them)
        "#]],
    );
}

#[test]
fn json_has_the_names_of_the_interface() {
    let plans = plans(&[("a.service", "")], JobKind::Start, JobMode::Isolate, "a.service");
    expect![[r#"
        [{"unit":"a.service","job":"start","mode":"isolate","refusal":"a.service may not be isolated","jobs":[],"left_out":[],"cycles":[],"cancelled":[],"behind":[]}]
    "#]].assert_eq(&json(&plans));
}

#[test]
fn conditions_and_idle_jobs_are_told_as_asked() {
    let files = [("a.service", "Requires=b.service\nAfter=b.service"), ("b.service", "")];
    let skipped = [("b.service", "would be skipped: ConditionHost=x does not hold")];
    let skipped = skipped.map(|(unit, clause)| (unit.to_owned(), clause.to_owned())).into();
    let telling = Telling { skipped, idle: Idle::Named };
    let told = |kind| text(&plans(&files, kind, JobMode::Replace, "a.service"), &telling);
    expect![[r#"
        start a.service: 2 jobs in 2 waves
          1. start b.service  Requires= of a.service; would be skipped: ConditionHost=x does not hold
          2. start a.service  asked for
        Nothing to do for: -.slice, system.slice
    "#]]
    .assert_eq(&told(JobKind::Start));
    expect![[r#"
        stop a.service: 1 job in 1 wave
          1. stop a.service  asked for
    "#]]
    .assert_eq(&told(JobKind::Stop));
}

#[test]
fn those_that_are_started() {
    let files =
        [("a.service", "Requires=b.service\nConflicts=c.service"), ("b.service", ""), ("c.service", "")];
    let told = |kind| started(&plans(&files, kind, JobMode::Replace, "a.service"));
    let names: Vec<String> = told(JobKind::Start).iter().map(UnitName::to_string).collect();
    assert_eq!(names, ["a.service", "b.service"]);
    assert_eq!(told(JobKind::Stop), []);
}
