//! Commands around the start command: what each one's failure leads to.

use super::{ALL, check};
use expect_test::expect;

fn all(more: &str) -> String {
    format!("{ALL}{more}")
}

#[test]
fn condition_skips() {
    check(
        ALL,
        "start\nexit p1 1\nempty\nexit p2 0\nempty\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        exit p1 1
            signal-set TERM
          = deactivating/stop-sigterm (exec-condition) until 90s
        empty
            spawn p2 StopPost /bin/stoppost SERVICE_RESULT=exec-condition
          = deactivating/stop-post (exec-condition) until 90s
        exit p2 0
            signal-set TERM
          = deactivating/final-sigterm (exec-condition) until 90s
        empty
            release, directories Remove
          = inactive/dead (exec-condition)
        show
            main - ended -, result exec-condition, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn condition_of_255_fails() {
    check(
        ALL,
        "start\nexit p1 255\nempty\nexit p2 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        exit p1 255
            signal-set TERM
          = deactivating/stop-sigterm (exit-code) until 90s
        empty
            spawn p2 StopPost /bin/stoppost SERVICE_RESULT=exit-code
          = deactivating/stop-post (exit-code) until 90s
        exit p2 0
            signal-set TERM
          = deactivating/final-sigterm (exit-code) until 90s
        empty
            say web.service: failed with result 'exit-code'
            release, directories Remove
          = failed/failed (exit-code)
    "#]],
    );
}

#[test]
fn condition_killed_fails() {
    check(
        ALL,
        "start\nkill p1 SEGV\nempty\nexit p2 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        kill p1 SEGV
            signal-set TERM
          = deactivating/stop-sigterm (signal) until 90s
        empty
            spawn p2 StopPost /bin/stoppost SERVICE_RESULT=signal
          = deactivating/stop-post (signal) until 90s
        exit p2 0
            signal-set TERM
          = deactivating/final-sigterm (signal) until 90s
        empty
            say web.service: failed with result 'signal'
            release, directories Remove
          = failed/failed (signal)
    "#]],
    );
}

#[test]
fn condition_with_a_dash_never_skips() {
    check(
        "[Service]\nExecCondition=-/bin/if\nExecStart=/bin/web\n",
        "start\nexit p1 1",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        exit p1 1
            spawn p2 Start /bin/web
          = activating/start
          = active/running
    "#]],
    );
}

#[test]
fn skipped_is_not_restarted() {
    check(
        &all("Restart=always\n"),
        "start\nexit p1 1\nempty\nexit p2 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        exit p1 1
            signal-set TERM
          = deactivating/stop-sigterm (exec-condition) until 90s
        empty
            spawn p2 StopPost /bin/stoppost SERVICE_RESULT=exec-condition
          = deactivating/stop-post (exec-condition) until 90s
        exit p2 0
            signal-set TERM
          = deactivating/final-sigterm (exec-condition) until 90s
        empty
            release, directories Remove
          = inactive/dead (exec-condition)
    "#]],
    );
}

#[test]
fn second_start_pre_fails() {
    check(
        "[Service]\nExecStartPre=/bin/p1\nExecStartPre=/bin/p2\nExecStartPre=/bin/p3\nExecStart=/bin/web\nExecStopPost=/bin/s1\nExecStopPost=/bin/s2\nExecStopPost=/bin/s3\n",
        "start\nexit p1 0\nexit p2 2\nempty\nexit p3 0\nexit p4 1\nempty",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/p1
              = activating/start-pre until 90s
            exit p1 0
                spawn p2 StartPre[1] /bin/p2
            exit p2 2
                say web.service: control process exited with code 2 (INVALIDARGUMENT)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                spawn p3 StopPost /bin/s1 SERVICE_RESULT=exit-code
              = deactivating/stop-post (exit-code) until 90s
            exit p3 0
                spawn p4 StopPost[1] /bin/s2 SERVICE_RESULT=exit-code
            exit p4 1
                say web.service: control process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/final-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
}

#[test]
fn start_pre_with_a_dash_may_fail() {
    check(
        "[Service]\nExecStartPre=-/bin/pre\nExecStart=/bin/web\n",
        "start\nexit p1 7",
        expect![[r#"
        start
            begin
            spawn p1 StartPre /bin/pre
          = activating/start-pre until 90s
        exit p1 7
            spawn p2 Start /bin/web
          = activating/start
          = active/running
    "#]],
    );
}

#[test]
fn start_post_that_fails_ends_the_service() {
    check(
        ALL,
        "start\nexit p1 0\nexit p2 0\nexit p4 1\nkill p3 TERM\nexit p5 0\nempty\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        exit p1 0
            spawn p2 StartPre /bin/pre
          = activating/start-pre until 90s
        exit p2 0
            spawn p3 Start /bin/web
          = activating/start
            spawn p4 StartPost /bin/post MAINPID=p3
          = activating/start-post until 90s
        exit p4 1
            signal p3 TERM
            signal p3 CONT
            signal-set TERM but p3
          = deactivating/stop-sigterm (exit-code) until 90s
        kill p3 TERM
            say web.service: main process was killed by SIGTERM
            spawn p5 StopPost /bin/stoppost SERVICE_RESULT=exit-code EXIT=TERM
          = deactivating/stop-post (exit-code) until 90s
        exit p5 0
            signal-set TERM
          = deactivating/final-sigterm (exit-code) until 90s
        empty
            say web.service: failed with result 'exit-code'
            release, directories Remove
          = failed/failed (exit-code)
        show
            main - ended TERM, result exit-code, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn second_stop_fails_and_the_rest_is_not_run() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStop=/bin/s1\nExecStop=/bin/s2\nExecStop=/bin/s3\nExecStopPost=/bin/sp\n",
        "start\nstop\nexit p2 0\nexit p3 1\nkill p1 TERM\nexit p4 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                spawn p2 Stop /bin/s1 MAINPID=p1 SERVICE_RESULT=success
              = deactivating/stop until 90s
            exit p2 0
                spawn p3 Stop[1] /bin/s2 MAINPID=p1 SERVICE_RESULT=success
            exit p3 1
                say web.service: control process exited with code 1 (FAILURE)
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (exit-code) until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                spawn p4 StopPost /bin/sp SERVICE_RESULT=exit-code EXIT=TERM
              = deactivating/stop-post (exit-code) until 90s
            exit p4 0
                signal-set TERM
              = deactivating/final-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
}

#[test]
fn stop_post_with_a_dash_may_fail() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStopPost=-/bin/sp\n",
        "start\nstop\nkill p1 TERM\nexit p2 1\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
              = deactivating/stop-post until 90s
            exit p2 1
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn reload_that_fails_keeps_the_service() {
    check(
        ALL,
        "start\nexit p1 0\nexit p2 0\nexit p4 0\nreload\nexit p5 1\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Condition /bin/if
          = activating/condition until 90s
        exit p1 0
            spawn p2 StartPre /bin/pre
          = activating/start-pre until 90s
        exit p2 0
            spawn p3 Start /bin/web
          = activating/start
            spawn p4 StartPost /bin/post MAINPID=p3
          = activating/start-post until 90s
        exit p4 0
          = active/running
        reload
            spawn p5 Reload /bin/reload MAINPID=p3
          = reloading/reload until 90s
        exit p5 1
            reload Failed
          = active/running
        show
            main p3 ended -, result success, reload exit-code, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn reload_that_hangs_is_killed_and_keeps_the_service() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\nTimeoutStartSec=5s\n",
        "start\nreload\n+5s\nkill p2 KILL\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 5s
            +5s
                say web.service: reloading took too long
                signal p2 KILL
                reload Failed
              = active/running
            kill p2 KILL
            show
                main p1 ended -, result success, reload timeout, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn main_ends_while_reload_runs() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\n",
        "start\nreload\nexit p1 1\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
              = reloading/reload (exit-code) until 90s
            exit p2 0
                signal-set TERM
                reload Done
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
}

#[test]
fn reload_of_what_is_not_up_is_invalid_and_of_what_reloads_waits() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\n",
        "reload\nstart\nreload\nreload",
        expect![[r#"
            reload
                reply Invalid
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            reload
                reply Later
        "#]],
    );
}
