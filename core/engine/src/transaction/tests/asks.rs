//! Who may ask what of which unit, what a job mode adds, and what is left out of what was asked for.

use super::*;

#[test]
fn a_client_is_refused_the_stop_of_what_is_not_there() {
    let stop = |units, expected| check(units, JobKind::Stop, JobMode::Replace, "a", expected);
    stop("a: missing", expect!["refused: unit a.service not loaded"]);
    stop("a: missing up", expect!["a Stop"]);
    stop("a: masked", expect!["a Stop"]);
    stop("a: masked up", expect!["a Stop"]);
}

#[test]
fn the_engine_itself_may_stop_what_is_not_there() {
    check_by(Origin::Engine, "a: missing", JobKind::Stop, JobMode::Replace, "a", expect!["a Stop"]);
    check_by(Origin::Engine, "a: refuses-stop up", JobKind::Stop, JobMode::Replace, "a", expect!["a Stop"]);
}

#[test]
fn a_start_of_what_is_not_there_says_why_not() {
    check("a: missing", JobKind::Start, JobMode::Replace, "a", expect!["refused: unit a.service not found"]);
    check("a: masked", JobKind::Start, JobMode::Replace, "a", expect!["refused: unit a.service is masked"]);
}

#[test]
fn a_restart_binds_by_either_refusal() {
    let ask = |units, kind, expected| check(units, kind, JobMode::Replace, "a", expected);
    ask(
        "a: up refuses-start",
        JobKind::Restart,
        expect!["refused: a.service: restart only as a dependency of another unit"],
    );
    ask(
        "a: up refuses-stop",
        JobKind::Restart,
        expect!["refused: a.service: restart only as a dependency of another unit"],
    );
    ask(
        "a: refuses-start",
        JobKind::TryRestart,
        expect!["refused: a.service: try-restart only as a dependency of another unit"],
    );
    ask(
        "a: refuses-stop",
        JobKind::TryRestart,
        expect!["refused: a.service: try-restart only as a dependency of another unit"],
    );
    ask("a: refuses-start refuses-stop", JobKind::TryReload, expect!["a Nop"]);
    ask("a:", JobKind::TryRestart, expect!["a Nop"]);
}

#[test]
fn what_cannot_be_restarted_is_passed_over() {
    check("a: up\n x.device: up PartOf=a", JobKind::Restart, JobMode::Replace, "a", expect!["a Restart"]);
    check(
        "x.device: up",
        JobKind::Restart,
        JobMode::Replace,
        "x.device",
        expect!["refused: restart does not apply to x.device"],
    );
    check(
        "-.slice: up",
        JobKind::Restart,
        JobMode::Replace,
        "-.slice",
        expect!["refused: restart does not apply to -.slice"],
    );
    check("a: Conflicts=-.slice\n -.slice: up", JobKind::Start, JobMode::Replace, "a", expect!["a Start"]);
}

#[test]
fn a_start_may_restart_what_depends_on_the_unit() {
    let units =
        "a:\n b: up Requires=a\n c: Requires=a\n d: up PartOf=a\n e: up Wants=a\n f: up masked PartOf=a";
    check(
        units,
        JobKind::Start,
        JobMode::RestartDependencies,
        "a",
        expect![[r#"
            a Start
            b Restart
            d Restart
            # a.service wants f.service: unit f.service is masked"#]],
    );
    check(
        units,
        JobKind::Stop,
        JobMode::RestartDependencies,
        "a",
        expect!["refused: job mode RestartDependencies is for start alone"],
    );
}

#[test]
fn fail_leaves_in_what_disturbs_nothing() {
    check(
        "a: Wants=b\n b: Conflicts=c\n c:",
        JobKind::Start,
        JobMode::Fail,
        "a",
        expect![[r#"
        a Start
        b Start"#]],
    );
    check(
        "a: up PropagatesReloadTo=b\n b: up",
        JobKind::Reload,
        JobMode::Fail,
        "a",
        expect![[r#"
        a Reload
        b Reload"#]],
    );
    check("a: Wants=b\n b: queued-stop", JobKind::Start, JobMode::Fail, "a", expect!["a Start"]);
}

#[test]
fn of_two_wanted_units_the_one_that_says_the_conflict_stays() {
    let plan = |units, expected| check(units, JobKind::Start, JobMode::Replace, "a", expected);
    plan(
        "a: Wants=b Wants=c\n b:\n c: Conflicts=b",
        expect![[r#"
            a Start
            c Start
            # b Start: overruled by Stop of c
            # c Stop: overruled by Start of a"#]],
    );
    plan(
        "a: Wants=c Wants=b\n c: Conflicts=b\n b:",
        expect![[r#"
            a Start
            c Start
            # c Stop: overruled by Start of a
            # b Start: overruled by Stop of c"#]],
    );
}

#[test]
fn what_is_left_of_a_contradiction_may_be_needless() {
    check(
        "a: Requires=b Wants=c Wants=d
         b: up
         c: Requisite=b
         d: Conflicts=b",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            c Start
            # a Stop: overruled by Start of nobody
            # b Stop fell with a Stop
            # d Start fell with b Stop"#]],
    );
}

#[test]
fn what_a_trigger_that_stays_would_start_stays_at_an_isolation() {
    check(
        "a: isolable Wants=s
         s: up Triggers=w
         w: up
         t: up Triggers=v
         v: up",
        JobKind::Start,
        JobMode::Isolate,
        "a",
        expect![[r#"
            a Start
            t Stop
            v Stop
            cancel the others"#]],
    );
}

#[test]
fn an_isolation_comes_before_what_is_only_wanted() {
    check(
        "a: isolable Wants=b\n b: PartOf=c\n c: up",
        JobKind::Start,
        JobMode::Isolate,
        "a",
        expect![[r#"
            a Start
            c Stop
            cancel the others
            # b Start: overruled by Stop of c"#]],
    );
}

#[test]
fn what_is_only_wanted_gives_way_to_what_is_needed() {
    let plan = |units, kind, expected| check(units, kind, JobMode::Replace, "a", expected);
    plan(
        "a: Requisite=b Wants=x\n b: up\n x: Conflicts=b",
        JobKind::Start,
        expect![[r#"
            a Start
            # a Stop: overruled by Start of nobody
            # b Stop fell with a Stop
            # x Start fell with b Stop"#]],
    );
    plan(
        "a: up Wants=x\n b: up Requires=a\n x: Conflicts=b",
        JobKind::Restart,
        expect![[r#"
            a Restart
            b Restart
            # x Stop: overruled by Start of a
            # b Stop: overruled by Restart of a
            # x Start fell with b Stop"#]],
    );
    let reload = "a: up PropagatesReloadTo=b\n b: up queued-stop";
    check(reload, JobKind::Reload, JobMode::Fail, "a", expect!["a Reload"]);
}

#[test]
fn several_jobs_of_a_unit_become_the_one_that_serves_all() {
    check(
        "a: Requires=c Wants=d\n c: Requisite=b\n d: Requires=b\n b:",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            c Start
            d Start
            b Start"#]],
    );
}

#[test]
fn the_older_of_two_jobs_nobody_asks_for_goes_with_the_newer() {
    check(
        "a: Requires=p Wants=x
         p:
         x: Wants=z Requires=b Conflicts=p
         z: Requisite=b
         b:",
        JobKind::Start,
        JobMode::Replace,
        "a",
        expect![[r#"
            a Start
            p Start
            # a Stop: overruled by Start of nobody
            # p Stop fell with a Stop
            # x Start fell with p Stop"#]],
    );
}
