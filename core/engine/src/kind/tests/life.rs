//! From start to dead, when all goes well or the start command does not.

use super::{ALL, check};
use expect_test::expect;

#[test]
fn simple_runs_through_every_phase() {
    check(
        ALL,
        "start\nexit p1 0\nexit p2 0\nexit p4 0\nreload\nexit p5 0\nshow\nstop\nexit p6 0\nkill p3 TERM\nexit p7 0\nempty\nshow",
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
            exit p5 0
                reload Done
              = active/running
            show
                main p3 ended -, result success, reload success, restarts 0, status "" 0
            stop
                spawn p6 Stop /bin/stop MAINPID=p3 SERVICE_RESULT=success
              = deactivating/stop until 90s
            exit p6 0
                signal p3 TERM
                signal p3 CONT
                signal-set TERM but p3
              = deactivating/stop-sigterm until 90s
            kill p3 TERM
                say web.service: main process was killed by SIGTERM
                spawn p7 StopPost /bin/stoppost SERVICE_RESULT=success EXIT=TERM
              = deactivating/stop-post until 90s
            exit p7 0
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
            show
                main - ended TERM, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn simple_main_ends_while_start_post_runs() {
    check(
        ALL,
        "start\nexit p1 0\nexit p2 0\nexit p3 0\nexit p4 0\nexit p5 0\nempty\nexit p6 0\nempty",
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
            exit p3 0
                say web.service: main process exited with code 0 (SUCCESS)
            exit p4 0
                spawn p5 Stop /bin/stop SERVICE_RESULT=success EXIT=0
              = deactivating/stop until 90s
            exit p5 0
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                spawn p6 StopPost /bin/stoppost SERVICE_RESULT=success EXIT=0
              = deactivating/stop-post until 90s
            exit p6 0
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn simple_main_fails_while_start_post_runs_and_stop_is_not_run() {
    check(
        ALL,
        "start\nexit p1 0\nexit p2 0\nexit p3 3\nexit p4 0\nempty\nexit p5 0\nempty\nshow",
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
            exit p3 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
              = activating/start-post (exit-code) until 90s
            exit p4 0
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                spawn p5 StopPost /bin/stoppost SERVICE_RESULT=exit-code EXIT=3
              = deactivating/stop-post (exit-code) until 90s
            exit p5 0
                signal-set TERM
              = deactivating/final-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            show
                main - ended 3, result exit-code, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn simple_without_more_is_short() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p1 0\nempty",
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
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn simple_is_up_once_the_process_is_there() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "hold\nstart\nspawned p1\nstop\noccupied\nexit p1 0\nempty",
        expect![[r#"
            hold
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
            spawned p1
              = active/running
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            occupied
                signal-set CONT but p1
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn fork_that_fails_is_resources() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStopPost=/bin/stoppost\n",
        "hold\nstart\nfork-failed p1\nempty\nspawned p2\nexit p2 0\nempty\nshow",
        expect![[r#"
            hold
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
            fork-failed p1
                say web.service: cannot start /bin/web: resource temporarily unavailable
                signal-set TERM
              = deactivating/stop-sigterm (resources) until 90s
            empty
                spawn p2 StopPost /bin/stoppost SERVICE_RESULT=resources
              = deactivating/stop-post (resources) until 90s
            spawned p2
            exit p2 0
                signal-set TERM
              = deactivating/final-sigterm (resources) until 90s
            empty
                say web.service: failed with result 'resources'
                release, directories Remove
              = failed/failed (resources)
            show
                main - ended -, result resources, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn fork_that_fails_before_anything_ran_leaves_nothing_to_clean() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nExecStopPost=/bin/stoppost\n",
        "hold\nstart\nfork-failed p1",
        expect![[r#"
            hold
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            fork-failed p1
                say web.service: cannot start /bin/pre: resource temporarily unavailable
                say web.service: failed with result 'resources'
                release, directories Remove
              = failed/failed (resources)
        "#]],
    );
}

#[test]
fn a_missing_account_is_named() {
    check(
        "[Service]\nExecStart=/bin/web\nUser=bob\n",
        "start\nsetup p1 217 3",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            setup p1 217 3
                say web.service: cannot start /bin/web: step USER: no user named bob
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nGroup=staff\n",
        "start\nsetup p1 216 3",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            setup p1 216 3
                say web.service: cannot start /bin/web: step GROUP: no group named staff
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nGroup=staff\nSupplementaryGroups=a b\n",
        "start\nsetup p1 216 3",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            setup p1 216 3
                say web.service: cannot start /bin/web: step GROUP: one of these groups is missing: staff, a, b
        "#]],
    );
}

#[test]
fn setup_failure_is_an_exit_with_its_code() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nsetup p1 203\nexit p1 203\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            setup p1 203
                say web.service: cannot start /bin/web: step EXEC: no such file or directory
            exit p1 203
                say web.service: main process exited with code 203 (EXEC)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            show
                main - ended 203, result exit-code, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn a_program_that_need_not_be_there_ran_well() {
    check(
        "[Service]\nExecStart=-/bin/web\n",
        "start\nsetup p1 203\nexit p1 203\nempty\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        setup p1 203
            say web.service: cannot start /bin/web: step EXEC: no such file or directory
        exit p1 203
            say web.service: main process exited with code 0 (SUCCESS)
            signal-set TERM
          = deactivating/stop-sigterm until 90s
        empty
            release, directories Remove
          = inactive/dead
        show
            main - ended 0, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn what_would_have_been_found_out_before_the_fork_is_resources() {
    check(
        "[Service]\nType=oneshot\nExecStart=/bin/web\n",
        "start\nsetup p1 1\nexit p1 1\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
            setup p1 1
                say web.service: cannot start /bin/web: no such file or directory
                signal-set TERM
              = deactivating/stop-sigterm (resources) until 90s
            exit p1 1
            empty
                say web.service: failed with result 'resources'
                release, directories Remove
              = failed/failed (resources)
            show
                main - ended -, result resources, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn exec_waits_for_exec() {
    check(
        "[Service]\nType=exec\nExecStart=/bin/web\n",
        "start\nexec p1\nstop\nkill p1 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web, its exec watched
              = activating/start until 90s
            exec p1
              = active/running
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn exec_fails_where_exec_fails() {
    check(
        "[Service]\nType=exec\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "start\nsetup p1 203\nexit p1 203\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web, its exec watched
              = activating/start until 90s
            setup p1 203
                say web.service: cannot start /bin/web: step EXEC: no such file or directory
            exit p1 203
                say web.service: main process exited with code 203 (EXEC)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
}
