//! Ordering cycles: what goes with the job that is dropped, what is looked at again, and the end, which lets none stand
//! in its way.

use super::*;

fn start(units: &str, unit: &str, expected: Expect) {
    check(units, JobKind::Start, JobMode::Replace, unit, expected);
}

#[test]
fn what_the_dropped_job_alone_asked_for_goes_too() {
    let units = "a: isolable Requires=b Wants=c After=b
                 b: After=c
                 c: After=a Requires=d
                 d:";
    start(
        units,
        "a",
        expect![[r#"
            a Start
            b Start
            # ring a b c: dropped c"#]],
    );
    check(
        units,
        JobKind::Start,
        JobMode::Isolate,
        "a",
        expect![[r#"
            a Start
            b Start
            d Start
            cancel the others
            # ring a b c: dropped c"#]],
    );
}

#[test]
fn a_way_that_led_to_a_ring_is_no_ring() {
    start(
        "a: Wants=b Wants=c Wants=d
         c: After=a After=b Before=b
         b:
         d: Before=c",
        "a",
        expect![[r#"
            a Start
            c Start
            d Start
            # ring c b: dropped b"#]],
    );
}

/// c's start waits for v's stop; where that is dropped, v's queued start waits for c's as well.
#[test]
fn a_dropped_job_may_uncover_another_ring() {
    start(
        "a: Wants=c
         u: up Conflicts=a After=v Before=v
         v: starting queued-start Conflicts=a
         c: After=v Before=v",
        "a",
        expect![[r#"
            a Start
            u Stop
            # ring u v: dropped v
            # ring c v: dropped c"#]],
    );
}

const STOPS: &str = "Conflicts=a Conflicts=b Conflicts=c Conflicts=d
                     a: up After=b
                     b: up After=c
                     c: up After=a
                     d: up After=a";

#[test]
fn the_end_stops_what_waits_for_each_other_without_order() {
    start(
        &format!("poweroff.target: {STOPS}"),
        "poweroff.target",
        expect![[r#"
        poweroff Start
        a Stop
        b Stop
        c Stop unordered
        d Stop"#]],
    );
    start(
        &format!("rescue.target: {STOPS}"),
        "rescue.target",
        expect!["refused: ordering cycle a.service -> c.service -> b.service -> a.service"],
    );
}

#[test]
fn the_end_lets_a_ring_of_queued_jobs_be() {
    let ring = "Before=a Wants=q After=q
                a: queued-start After=b
                b: queued-start After=a
                q:";
    start(
        &format!("poweroff.target: {ring}"),
        "poweroff.target",
        expect![[r#"
        poweroff Start
        q Start"#]],
    );
    start(
        &format!("rescue.target: {ring}"),
        "rescue.target",
        expect!["refused: ordering cycle a.service -> b.service -> a.service"],
    );
}

#[test]
fn the_end_itself_can_be_refused_for_what_it_needs() {
    start(
        "poweroff.target: Requires=a\n a: After=b Requires=b\n b: After=a",
        "poweroff.target",
        expect!["refused: ordering cycle a.service -> b.service -> a.service"],
    );
}

#[test]
fn either_of_two_jobs_may_ignore_the_order() {
    let graph = world("a: After=b\n b:").0;
    let (a, b) = (graph.id(&name("a")).unwrap(), graph.id(&name("b")).unwrap());
    let waits = |first: Order, then: Order| {
        let job = |unit, order| waves::Ordered { unit, kind: JobKind::Start, order };
        waves::goes_before(&graph, job(b, first), job(a, then))
    };
    assert!(waits(Order::Kept, Order::Kept));
    assert!(!waits(Order::Ignored, Order::Kept));
    assert!(!waits(Order::Kept, Order::Ignored));
}
