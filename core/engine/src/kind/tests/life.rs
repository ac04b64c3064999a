//! Types and phases: from start to dead when all goes well, or one thing does not.

use super::check;
use expect_test::expect;

const ALL: &str = "[Service]\nExecCondition=/bin/if\nExecStartPre=/bin/pre\nExecStart=/bin/web\n\
    ExecStartPost=/bin/post\nExecReload=/bin/reload\nExecStop=/bin/stop\nExecStopPost=/bin/stoppost\n";

fn all(more: &str) -> String {
    format!("{ALL}{more}")
}

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

#[test]
fn oneshot_runs_its_commands_one_after_the_other() {
    check(
        "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=-/bin/b\nExecStart=/bin/c\n",
        "start\nexit p1 0\nexit p2 1\nexit p3 0\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/a
              = activating/start
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                spawn p2 Start[1] /bin/b
            exit p2 1
                say web.service: main process exited with code 1 (FAILURE)
                spawn p3 Start[2] /bin/c
            exit p3 0
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
fn oneshot_stops_at_the_first_failure() {
    check(
        "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\nExecStop=/bin/stop\n",
        "start\nexit p1 1\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/a
              = activating/start
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            show
                main - ended 1, result exit-code, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn oneshot_takes_no_signal_for_success() {
    check(
        "[Service]\nType=oneshot\nExecStart=/bin/a\n",
        "start\nkill p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/a
          = activating/start
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/stop-sigterm (signal) until 90s
        empty
            say web.service: failed with result 'signal'
            release, directories Remove
          = failed/failed (signal)
    "#]],
    );
}

#[test]
fn oneshot_remains() {
    check(
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/a\nExecReload=/bin/reload\nExecStop=/bin/stop\n",
        "start\nexit p1 0\nstart\nreload\nexit p2 1\nstop\nexit p3 0\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/a
              = activating/start
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
              = active/exited
            start
            reload
                spawn p2 Reload /bin/reload
              = reloading/reload
            exit p2 1
                reload Failed
              = active/exited
            stop
                spawn p3 Stop /bin/stop SERVICE_RESULT=success EXIT=0
              = deactivating/stop until 90s
            exit p3 0
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
            show
                main - ended 0, result success, reload exit-code, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn oneshot_without_start_command() {
    check(
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/stop\n",
        "start\nstop\nexit p1 0\nempty",
        expect![[r#"
            start
                begin
              = active/exited
            stop
                spawn p1 Stop /bin/stop SERVICE_RESULT=success
              = deactivating/stop until 90s
            exit p1 0
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn dbus_is_up_when_its_name_is_owned_and_ends_when_it_is_lost() {
    check(
        "[Service]\nType=dbus\nBusName=org.web\nExecStart=/bin/web\n",
        "start\nowned\nfree\nkill p1 TERM\nempty",
        expect![[r#"
            start
                begin
                watch-bus-name org.web
                spawn p1 Start /bin/web
              = activating/start until 90s
            owned
              = active/running
            free
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
fn dbus_main_ends_without_the_name() {
    check(
        "[Service]\nType=dbus\nBusName=org.web\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "start\nfree\nexit p1 0\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                watch-bus-name org.web
                spawn p1 Start /bin/web
              = activating/start until 90s
            free
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                spawn p2 Stop /bin/stop SERVICE_RESULT=success EXIT=0
              = deactivating/stop until 90s
            exit p2 0
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
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

#[test]
fn success_exit_status_counts_for_every_command() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nSuccessExitStatus=3 SIGUSR1\n",
        "start\nexit p1 3\nkill p2 USR1\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            exit p1 3
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            kill p2 USR1
                say web.service: main process was killed by SIGUSR1
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
            show
                main - ended USR1, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn a_core_dump_is_no_clean_signal() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\ndump p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        dump p1 TERM
            say web.service: main process was killed by SIGTERM and dumped core
            signal-set TERM
          = deactivating/stop-sigterm (core-dump) until 90s
        empty
            say web.service: failed with result 'core-dump'
            release, directories Remove
          = failed/failed (core-dump)
    "#]],
    );
}

#[test]
fn an_end_nobody_saw_is_no_success() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\ngone p1\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        gone p1
            say web.service: main process is gone, nobody knows how
            signal-set TERM
          = deactivating/stop-sigterm (exit-code) until 90s
        empty
            say web.service: failed with result 'exit-code'
            release, directories Remove
          = failed/failed (exit-code)
    "#]],
    );
}

#[test]
fn exit_type_cgroup_lives_as_long_as_anything() {
    check(
        "[Service]\nExitType=cgroup\nExecStart=/bin/web\n",
        "start\nexit p1 0\noccupied\nempty\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                survey
            occupied
            empty
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn exit_type_cgroup_remembers_how_main_failed() {
    check(
        "[Service]\nExitType=cgroup\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "start\nexit p1 3\noccupied\nstop\nexit p2 0\noccupied\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
                survey
              = active/running (exit-code)
            occupied
            stop
                spawn p2 Stop /bin/stop SERVICE_RESULT=exit-code EXIT=3
              = deactivating/stop (exit-code) until 90s
            exit p2 0
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            occupied
                signal-set CONT
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
    check(
        "[Service]\nExitType=cgroup\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "start\nexit p1 3\nempty\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
                survey
              = active/running (exit-code)
            empty
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
}

#[test]
fn a_fresh_start_forgets_the_last_result() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p1 1\nempty\nstart\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            show
                main p2 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn reset_failed() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p1 1\nempty\nreset-failed\nshow\nstart\nreset-failed",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            reset-failed
              = inactive/dead
            show
                main - ended 1, result success, reload success, restarts 0, status "" 0
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            reset-failed
        "#]],
    );
}

#[test]
fn stop_of_what_is_down_changes_nothing() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "stop\nstart\nexit p1 1\nempty\nstop",
        expect![[r#"
            stop
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            stop
        "#]],
    );
}

#[test]
fn runtime_directories_stay_over_a_restart_if_so_said() {
    check(
        "[Service]\nExecStart=/bin/web\nRuntimeDirectory=web\nRuntimeDirectoryPreserve=restart\n",
        "start\nrestart\nkill p1 TERM\nempty\nstart\nstop\nkill p2 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            restart
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Keep
              = inactive/dead
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p2 TERM
                signal p2 CONT
                signal-set TERM but p2
              = deactivating/stop-sigterm until 90s
            kill p2 TERM
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
fn out_of_memory_stops() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "start\noom\nexit p2 0\nkill p1 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            oom
                spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=oom-kill
              = deactivating/stop (oom-kill) until 90s
            exit p2 0
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (oom-kill) until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm (oom-kill) until 90s
            empty
                say web.service: failed with result 'oom-kill'
                release, directories Remove
              = failed/failed (oom-kill)
        "#]],
    );
}

#[test]
fn out_of_memory_kills_or_does_nothing_if_so_said() {
    check(
        "[Service]\nExecStart=/bin/web\nOOMPolicy=kill\n",
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
              = deactivating/final-sigkill (oom-kill) until 90s
            kill p1 KILL
                say web.service: main process was killed by SIGKILL
                survey
            empty
                say web.service: failed with result 'oom-kill'
                release, directories Remove
              = failed/failed (oom-kill)
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nOOMPolicy=continue\n",
        "start\noom",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        oom
    "#]],
    );
}
