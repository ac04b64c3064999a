//! Ends: what counts as success, what is remembered, what memory that runs out does.

use super::check;
use expect_test::expect;

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
