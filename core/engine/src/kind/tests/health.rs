//! `[X-Health]`: what a probe comes to and when the next is due. docs/reference/extensions.md.

use super::check;
use expect_test::expect;

const WEB: &str = "[Service]\nExecStart=/bin/web\n[X-Health]\nTcp=80\nIntervalSec=10s\nRetries=2\n";
const GATE: &str = "[Service]\nExecStart=/bin/web\n[X-Health]\nTcp=80\nIntervalSec=10s\nGate=start\n";
const ASK: &str =
    "[Service]\nExecStart=/bin/web\n[X-Health]\nExec=/bin/ask\nIntervalSec=10s\nTimeoutSec=2s\n";

#[test]
fn it_is_known_since_when_it_is_well() {
    check(
        WEB,
        "start\n+10s\n+1s\nwell p2\nhealth\n+10s\nwell p3\nhealth\n+10s\nunwell p4 refused\nhealth\n+10s\nunwell p5 refused\n\
         health\n+10s\nunwell p6 closed\nhealth\n+10s\nwell p7\nhealth",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running until 10s
            +10s
                probe p2
                of its health alone
            +1s
            well p2
                say web.service: healthy
                of its health alone, and it is another
            health
                healthy for 0s, 0 failed, 0 in vain, no trouble
            +10s
                probe p3
                of its health alone
            well p3
                of its health alone
            health
                healthy for 10s, 0 failed, 0 in vain, no trouble
            +10s
                probe p4
                of its health alone
            unwell p4 refused
                of its health alone, and it is another
            health
                healthy for 20s, 1 failed, 0 in vain, refused
            +10s
                probe p5
                of its health alone
            unwell p5 refused
                say web.service: unhealthy, 2 probes in a row failed: refused
                of its health alone, and it is another
            health
                unhealthy for 0s, 2 failed, 0 in vain, refused
            +10s
                probe p6
                of its health alone
            unwell p6 closed
                of its health alone, and it is another
            health
                unhealthy for 10s, 3 failed, 0 in vain, closed
            +10s
                probe p7
                of its health alone
            well p7
                say web.service: healthy again
                of its health alone, and it is another
            health
                healthy for 0s, 0 failed, 0 in vain, no trouble
        "#]],
    );
}

#[test]
fn what_does_not_count_is_asked_again_soon_and_ever_later() {
    check(
        GATE,
        "start\n+0s\nunwell p2 refused\n+99ms\n+1ms\nunwell p3 refused\n+199ms\n+1ms\nunwell p4 refused\n+399ms\n+1ms\n\
         unwell p5 refused\n+800ms\nunwell p6 refused\n+999ms\n+1ms\nunwell p7 refused\n+1s\nhealth\nwell p8\nhealth",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = activating/start-post until 0s
            +0s
                probe p2
                of its health alone
            unwell p2 refused
                of its health alone, and it is another
            +99ms
            +1ms
                probe p3
                of its health alone
            unwell p3 refused
                of its health alone
            +199ms
            +1ms
                probe p4
                of its health alone
            unwell p4 refused
                of its health alone
            +399ms
            +1ms
                probe p5
                of its health alone
            unwell p5 refused
                of its health alone
            +800ms
                probe p6
                of its health alone
            unwell p6 refused
                of its health alone
            +999ms
            +1ms
                probe p7
                of its health alone
            unwell p7 refused
                of its health alone
            +1s
                probe p8
                of its health alone
            health
                starting for 3.5s, 0 failed, 6 in vain, refused
            well p8
                say web.service: healthy
                of its health alone, and it is another
              = active/running until 10s
            health
                healthy for 0s, 0 failed, 0 in vain, no trouble
        "#]],
    );
    // Nor later than what counts.
    check(
        &GATE.replace("10s", "150ms"),
        "start\n+0s\nunwell p2 refused\n+100ms\nunwell p3 refused\n+149ms\n+1ms",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = activating/start-post until 0s
            +0s
                probe p2
                of its health alone
            unwell p2 refused
                of its health alone, and it is another
            +100ms
                probe p3
                of its health alone
            unwell p3 refused
                of its health alone
            +149ms
            +1ms
                probe p4
                of its health alone
        "#]],
    );
}

#[test]
fn a_grace_is_over_at_its_instant() {
    check(
        &format!("{ASK}StartPeriodSec=2100ms\nRetries=1\n"),
        "start\n+2s\nhealth\n+99ms\nhealth\n+1ms\nhealth",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running until 0s
            +2s
                spawn p2 Health /bin/ask MAINPID=p1
                of its health alone
                of its health alone
                signal p2 KILL
                of its health alone, and it is another
            health
                starting for 2s, 0 failed, 1 in vain, /bin/ask did not end within 2s
            +99ms
            health
                starting for 2.099s, 0 failed, 1 in vain, /bin/ask did not end within 2s
            +1ms
                say web.service: unhealthy: /bin/ask was killed and has not ended
                of its health alone, and it is another
            health
                unhealthy for 0s, 1 failed, 1 in vain, /bin/ask was killed and has not ended
        "#]],
    );
}

#[test]
fn a_deadline_of_the_service_is_none_of_its_health() {
    check(
        "[Service]\nExecStart=/bin/web\nRuntimeMaxSec=10s\n[X-Health]\nTcp=80\nIntervalSec=10s\n",
        "start\n+10s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running until 10s
            +10s
                say web.service: has run as long as it may, stopping
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nRuntimeMaxSec=15s\n[X-Health]\nTcp=80\nIntervalSec=10s\n",
        "start\n+10s\n+5s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running until 10s
            +10s
                probe p2
                of its health alone
            +5s
                say web.service: has run as long as it may, stopping
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
                stop-probe p2
              = deactivating/stop-sigterm (timeout) until 90s
        "#]],
    );
}

#[test]
fn it_is_asked_from_the_reload_on_in_which_its_file_came_to_say_so() {
    let unit = "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\n";
    let with = "unit [Service] | ExecStart=/bin/web | ExecReload=/bin/reload | [X-Health] | Tcp=80 | IntervalSec=10s";
    let without = "unit [Service] | ExecStart=/bin/web | ExecReload=/bin/reload";
    check(
        unit,
        &format!("start\nhealth\nreload\n{with}\nhealth\nexit p2 0\n+10s\n{without}\nhealth"),
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            health
                not asked
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            unit [Service] | ExecStart=/bin/web | ExecReload=/bin/reload | [X-Health] | Tcp=80 | IntervalSec=10s
                of its health alone
            health
                starting for 0s, 0 failed, 0 in vain, no trouble
            exit p2 0
                reload Done
              = active/running until 0s
            +10s
                probe p3
                of its health alone
                stop-probe p3
                of its health alone, and it is another
            unit [Service] | ExecStart=/bin/web | ExecReload=/bin/reload
                of its health alone
            health
                not asked
        "#]],
    );
}

#[test]
fn one_that_reloads_may_be_ended_too() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\n[X-Health]\nTcp=80\nIntervalSec=10s\nRetries=1\nOnUnhealthy=restart\n",
        "start\n+9s\nreload\n+1s\nunwell p3 refused\nkill p1 TERM\nkill p2 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running until 10s
            +9s
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 1s
            +1s
                probe p3
                of its health alone
            unwell p3 refused
                say web.service: unhealthy: refused
                signal p1 TERM
                signal p1 CONT
                signal p2 TERM
                signal p2 CONT
                signal-set TERM but p1 but p2
                of its health alone, and it is another
                ends unhealthy: refused
              = deactivating/stop-sigterm (watchdog) until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
            kill p2 TERM
                signal-set TERM
              = deactivating/final-sigterm (watchdog) until 90s
            empty
                say web.service: failed with result 'watchdog'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (watchdog) until 0.1s
        "#]],
    );
}
