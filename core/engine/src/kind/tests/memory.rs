//! Memory runs out: `OOMPolicy=` in each state.

use super::check;
use expect_test::expect;

const STOP: &str = "OOMPolicy=stop\nTimeoutStopSec=5s\nTimeoutAbortSec=3s\n";
const KILL: &str = "OOMPolicy=kill\nTimeoutStopSec=5s\nTimeoutAbortSec=3s\n";

#[test]
fn while_it_starts() {
    let unit = "[Service]\nType=notify\nExecStart=/bin/web\nRestart=on-failure\n";
    check(
        &format!("{unit}{STOP}"),
        "start\noom\nkill p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        oom
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm (oom-kill) until 5s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/final-sigterm (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
            went down: Failed
          = activating/auto-restart (oom-kill) until 0.1s
    "#]],
    );
    check(
        &format!("{unit}{KILL}"),
        "start\noom\nkill p1 KILL\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        oom
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/final-sigkill (oom-kill) until 5s
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            survey
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
            went down: Failed
          = activating/auto-restart (oom-kill) until 0.1s
    "#]],
    );
    check(
        &format!("{unit}OOMPolicy=continue\n"),
        "start\noom\nmain READY=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        oom
        main READY=1
          = active/running
    "#]],
    );
}

#[test]
fn while_it_runs() {
    let unit = "[Service]\nExecStart=/bin/web\nExecStop=/bin/stop\nRestart=on-failure\n";
    check(
        &format!("{unit}{STOP}"),
        "start\noom\nexit p2 0\nkill p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        oom
            spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=oom-kill
          = deactivating/stop (oom-kill) until 5s
        exit p2 0
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm (oom-kill) until 5s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/final-sigterm (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
            went down: Failed
          = activating/auto-restart (oom-kill) until 0.1s
    "#]],
    );
    check(
        &format!("{unit}{KILL}"),
        "start\noom\nkill p1 KILL\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        oom
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/final-sigkill (oom-kill) until 5s
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            survey
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
            went down: Failed
          = activating/auto-restart (oom-kill) until 0.1s
    "#]],
    );
}

#[test]
fn when_nothing_but_the_rest_is_left() {
    let unit = "[Service]\nType=oneshot\nExecStart=/bin/web\nRemainAfterExit=yes\nExecStop=/bin/stop\nRestart=on-failure\n";
    check(
        &format!("{unit}{STOP}"),
        "start\nexit p1 0\noom\nexit p2 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
          = active/exited
        oom
            spawn p2 Stop /bin/stop SERVICE_RESULT=oom-kill EXIT=0
          = deactivating/stop (oom-kill) until 5s
        exit p2 0
            signal-set TERM
          = deactivating/stop-sigterm (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
            went down: Failed
          = activating/auto-restart (oom-kill) until 0.1s
    "#]],
    );
    check(
        &format!("{unit}{KILL}"),
        "start\nexit p1 0\noom\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
          = active/exited
        oom
            signal-set KILL
          = deactivating/final-sigkill (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
            went down: Failed
          = activating/auto-restart (oom-kill) until 0.1s
    "#]],
    );
}

#[test]
fn while_it_stops() {
    let unit = format!("[Service]\nExecStart=/bin/web\nExecStop=/bin/stop\nExecStopPost=/bin/sp\n{STOP}");
    check(
        &unit,
        "start\nstop\noom\nkill p1 TERM\nkill p2 TERM\noom\nkill p3 KILL\noom\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=success
              = deactivating/stop until 5s
            oom
                signal p1 TERM
                signal p1 CONT
                signal p2 TERM
                signal p2 CONT
                signal-set TERM but p1 but p2
              = deactivating/stop-sigterm (oom-kill) until 5s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
            kill p2 TERM
                spawn p3 StopPost /bin/sp SERVICE_RESULT=oom-kill EXIT=TERM
              = deactivating/stop-post (oom-kill) until 5s
            oom
                signal p3 KILL
                signal-set KILL but p3
              = deactivating/final-sigkill (oom-kill) until 5s
            kill p3 KILL
                survey
            oom
            empty
                say web.service: failed with result 'oom-kill'
                release, directories Remove
              = failed/failed (oom-kill)
        "#]],
    );
    check(
        &unit,
        "start\nexit p1 0\nempty\nexit p2 0\nempty\nexit p3 0\noom\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            spawn p2 Stop /bin/stop SERVICE_RESULT=success EXIT=0
          = deactivating/stop until 5s
        empty
        exit p2 0
            signal-set TERM
          = deactivating/stop-sigterm until 5s
        empty
            spawn p3 StopPost /bin/sp SERVICE_RESULT=success EXIT=0
          = deactivating/stop-post until 5s
        exit p3 0
            signal-set TERM
          = deactivating/final-sigterm until 5s
        oom
            signal-set KILL
          = deactivating/final-sigkill (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
          = failed/failed (oom-kill)
    "#]],
    );
    check(
        &unit,
        "start\nkill p1 TERM\nexit p2 0\nempty\noom\nkill p3 KILL\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            spawn p2 Stop /bin/stop SERVICE_RESULT=success EXIT=TERM
          = deactivating/stop until 5s
        exit p2 0
            signal-set TERM
          = deactivating/stop-sigterm until 5s
        empty
            spawn p3 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
          = deactivating/stop-post until 5s
        oom
            signal p3 KILL
            signal-set KILL but p3
          = deactivating/final-sigkill (oom-kill) until 5s
        kill p3 KILL
            survey
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
          = failed/failed (oom-kill)
    "#]],
    );
    let aborts = format!("{unit}TimeoutStopFailureMode=abort\n");
    check(
        &aborts,
        "start\nstop\n+5s\noom\nkill p1 KILL\nkill p2 KILL\n+5s\noom\nkill p3 KILL\nempty",
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
                signal p1 ABRT
                signal p1 CONT
                signal p2 ABRT
                signal p2 CONT
                signal-set ABRT but p1 but p2
              = deactivating/stop-watchdog (timeout) until 3s
            oom
                signal p1 KILL
                signal p2 KILL
                signal-set KILL but p1 but p2
              = deactivating/stop-sigkill (timeout) until 5s
            kill p1 KILL
                say web.service: main process was killed by SIGKILL
            kill p2 KILL
                spawn p3 StopPost /bin/sp SERVICE_RESULT=timeout EXIT=KILL
              = deactivating/stop-post (timeout) until 5s
            +5s
                say web.service: stopping took too long
                signal p3 ABRT
                signal p3 CONT
                signal-set ABRT but p3
              = deactivating/final-watchdog (timeout) until 3s
            oom
                signal p3 KILL
                signal-set KILL but p3
              = deactivating/final-sigkill (timeout) until 5s
            kill p3 KILL
                survey
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn while_it_reloads_nothing_is_done() {
    check(
        &format!("[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\n{KILL}"),
        "start\nreload\noom\nexit p2 0",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            oom
            exit p2 0
                reload Done
              = active/running
        "#]],
    );
}

#[test]
fn a_stop_that_was_asked_for_stays_one() {
    let unit = format!("[Service]\nExecStart=/bin/web\nExecStop=/bin/stop\nRestart=always\n{STOP}");
    check(
        &unit,
        "start\nrestart\noom\nkill p1 TERM\nkill p2 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        restart
            spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=success
          = deactivating/stop until 5s
        oom
            signal p1 TERM
            signal p1 CONT
            signal p2 TERM
            signal p2 CONT
            signal-set TERM but p1 but p2
          = deactivating/stop-sigterm (oom-kill) until 5s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
        kill p2 TERM
            signal-set TERM
          = deactivating/final-sigterm (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
          = failed/failed (oom-kill)
    "#]],
    );
}
