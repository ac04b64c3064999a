//! Time that has run out: of starts, commands and whole runs.

use super::{check, web};
use expect_test::expect;

#[test]
fn a_stop_command_that_hangs() {
    check(
        &web("ExecStop=/bin/stop\n"),
        "start\nstop\n+5s\nkill p1 TERM\nkill p2 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=success
          = deactivating/stop until 5s
        +5s
            say web.service: stopping took too long
            signal p1 TERM
            signal p1 CONT
            signal p2 TERM
            signal p2 CONT
            signal-set TERM but p1 but p2
          = deactivating/stop-sigterm (timeout) until 5s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
        kill p2 TERM
            signal-set TERM
          = deactivating/final-sigterm (timeout) until 5s
        empty
            say web.service: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
    "#]],
    );
}

#[test]
fn a_stop_post_command_that_hangs() {
    check(
        &web("ExecStopPost=/bin/sp\n"),
        "start\nstop\nkill p1 TERM\n+5s\nkill p2 TERM\noccupied\nempty",
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
              = deactivating/stop-sigterm until 5s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
              = deactivating/stop-post until 5s
            +5s
                say web.service: stopping took too long
                signal p2 TERM
                signal p2 CONT
                signal-set TERM but p2
              = deactivating/final-sigterm (timeout) until 5s
            kill p2 TERM
                survey
            occupied
                signal-set CONT
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn start_timeout_of_start_pre() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nTimeoutStartSec=5s\nExecStopPost=/bin/sp\n",
        "start\n+5s\nkill p1 TERM\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 5s
            +5s
                say web.service: starting took too long: a command of ExecStartPre= does not end
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
            kill p1 TERM
                spawn p2 StopPost /bin/sp SERVICE_RESULT=timeout
              = deactivating/stop-post (timeout) until 90s
            exit p2 0
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn start_timeout_of_oneshot() {
    check(
        "[Service]\nType=oneshot\nExecStart=/bin/web\nTimeoutStartSec=5s\n",
        "start\n+5s\nkill p1 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            +5s
                say web.service: starting took too long: a command of ExecStart= does not end
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn start_failure_mode_abort_and_kill() {
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nTimeoutStartSec=5s\nTimeoutStartFailureMode=abort\n",
        "start\n+5s\ndump p1 ABRT\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            +5s
                say web.service: starting took too long: no READY=1 came
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (timeout) until 90s
            dump p1 ABRT
                say web.service: main process was killed by SIGABRT and dumped core
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nTimeoutStartSec=5s\nTimeoutStartFailureMode=kill\n",
        "start\n+5s\nkill p1 KILL\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            +5s
                say web.service: starting took too long: no READY=1 came
                signal p1 KILL
                signal-set KILL but p1
              = deactivating/stop-sigkill (timeout) until 90s
            kill p1 KILL
                say web.service: main process was killed by SIGKILL
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn each_command_has_the_whole_timeout() {
    check(
        "[Service]\nExecStartPre=/bin/p1\nExecStartPre=/bin/p2\nExecStart=/bin/web\nTimeoutStartSec=5s\n",
        "start\n+4s\nexit p1 0\n+4s\nexit p2 0\n+100s",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/p1
              = activating/start-pre until 5s
            +4s
            exit p1 0
                spawn p2 StartPre[1] /bin/p2
            +4s
            exit p2 0
                spawn p3 Start /bin/web
              = activating/start
              = active/running
            +100s
        "#]],
    );
}

#[test]
fn runtime_max() {
    check(
        "[Service]\nExecStart=/bin/web\nRuntimeMaxSec=10s\n",
        "start\n+10s\nkill p1 TERM\nempty",
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
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}
