//! What is wished or happens while something else is still going on.

use super::{WEB, check};
use expect_test::expect;

#[test]
fn a_stop_while_spawning_is_not_lost() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\n",
        "hold\nstart\nstop\nspawned p1\nkill p1 TERM\nempty",
        expect![[r#"
            hold
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            spawned p1
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\n",
        "hold\nstart\nstop\nfork-failed p1\nempty",
        expect![[r#"
            hold
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            fork-failed p1
                say web.service: cannot start /bin/web: resource temporarily unavailable
                signal-set TERM
              = deactivating/final-sigterm (resources) until 90s
            empty
                say web.service: failed with result 'resources'
                release, directories Remove
              = failed/failed (resources)
        "#]],
    );
}

#[test]
fn a_stop_while_start_pre_runs() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "start\nstop\nkill p1 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            kill p1 TERM
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
fn a_stop_while_reload_runs() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\nExecStop=/bin/stop\n",
        "start\nreload\nstop\nkill p2 TERM\nkill p1 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            stop
                signal p1 TERM
                signal p1 CONT
                signal p2 TERM
                signal p2 CONT
                signal-set TERM but p1 but p2
              = deactivating/stop-sigterm until 90s
            kill p2 TERM
              = deactivating/stop-sigterm (signal) until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
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
fn a_stop_while_stopping_bars_the_restart() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\n",
        "start\nexit p1 0\nstop\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            stop
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn a_start_while_stopping_waits() {
    check(
        WEB,
        "start\nstop\nstart\nkill p1 TERM\nempty\nstart",
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
        start
            reply Later
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/final-sigterm until 5s
        empty
            release, directories Remove
          = inactive/dead
        start
            begin
            spawn p2 Start /bin/web
          = activating/start
          = active/running
    "#]],
    );
}

#[test]
fn empty_before_the_exit_is_heard_is_only_a_hint() {
    check(
        WEB,
        "start\nstop\nempty\nkill p1 TERM\nempty",
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
        empty
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/final-sigterm until 5s
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn out_of_memory_while_stopping_hastens_it() {
    check(
        WEB,
        "start\nstop\noom\nkill p1 KILL\nempty",
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
        oom
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/stop-sigkill (oom-kill) until 5s
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            signal-set TERM
          = deactivating/final-sigterm (oom-kill) until 5s
        empty
            say web.service: failed with result 'oom-kill'
            release, directories Remove
          = failed/failed (oom-kill)
    "#]],
    );
}
