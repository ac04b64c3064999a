//! All processes of a unit: where they count together (`ExitType=cgroup`), and what it means that none is left.

use super::check;
use expect_test::expect;

#[test]
fn the_main_process_may_go_first() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStartPost=/bin/post\nExitType=cgroup\n",
        "start\nexit p1 0\nexit p2 0\noccupied\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
                spawn p2 StartPost /bin/post MAINPID=p1
              = activating/start-post until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                survey
            exit p2 0
                survey
              = active/running
            occupied
            empty
                signal-set TERM
              = deactivating/stop-sigterm until 90s
        "#]],
    );
}

#[test]
fn a_stop_waits_for_all() {
    check(
        "[Service]\nExecStart=/bin/web\nExitType=cgroup\nExecStopPost=/bin/sp\n",
        "start\nstop\nkill p1 TERM\noccupied\nempty",
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
                survey
            occupied
                signal-set CONT
            empty
                spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
              = deactivating/stop-post until 90s
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nExitType=cgroup\nExecStopPost=/bin/sp\nKillMode=process\n",
        "start\nstop\nthaw\nkill p1 TERM\noccupied\nthaw\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p1 TERM
                signal p1 CONT
              = deactivating/stop-sigterm until 90s
            thaw
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                survey
            occupied
            thaw
                again: survey
            empty
                spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
              = deactivating/stop-post until 90s
        "#]],
    );
}

#[test]
fn a_command_that_ends_is_no_main_process() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nExitType=cgroup\nExecStopPost=/bin/sp\n",
        "start\nstop\noccupied\nkill p1 TERM\nexit p2 0\nempty",
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
            occupied
                signal-set CONT but p1
            kill p1 TERM
                spawn p2 StopPost /bin/sp SERVICE_RESULT=signal
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
fn none_is_left_while_the_start_goes_on() {
    // Nothing while the main process is there: its end is heard by itself.
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\n",
        "start\nempty\nmain READY=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        empty
        main READY=1
          = active/running
    "#]],
    );
    check(
        "[Service]\nType=exec\nExecStart=/bin/web\nExitType=cgroup\n",
        "start\nexit p1 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web, its exec watched
              = activating/start until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                survey
            empty
                survey
              = active/running
        "#]],
    );
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nExitType=cgroup\n",
        "start\nexit p1 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                survey
            empty
                signal-set TERM
              = deactivating/stop-sigterm (protocol) until 90s
        "#]],
    );
}

#[test]
fn none_is_left_while_the_last_command_of_a_start_runs() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStartPost=/bin/post\n",
        "start\nempty\nexit p2 0\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
                spawn p2 StartPost /bin/post MAINPID=p1
              = activating/start-post until 90s
            empty
            exit p2 0
              = active/running
            show
                main p1 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
    check(
        "[Service]\nType=forking\nGuessMainPID=no\nExecStart=/bin/web\nExecStartPost=/bin/post\n",
        "start\nexit p1 0\noccupied\nempty\nexit p2 0",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                survey
            occupied
                spawn p2 StartPost /bin/post
              = activating/start-post until 90s
            empty
            exit p2 0
                signal-set TERM
              = deactivating/stop-sigterm until 90s
        "#]],
    );
    check(
        "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\nExecStartPost=/bin/post\n",
        "start\nexit p1 0\nmissing p2 absent\nempty\nexit p3 0\nfound p4",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 pid-file-now /run/web.pid
            missing p2 absent
                say web.service: main process not told: absent
                spawn p3 StartPost /bin/post
              = activating/start-post until 90s
            empty
            exit p3 0
                find-main p4 pid-file /run/web.pid
                survey
            found p4
              = active/running
        "#]],
    );
}

#[test]
fn none_is_left_before_it_was_healthy() {
    let unit =
        "[Service]\nType=forking\nGuessMainPID=no\nExecStart=/bin/web\n[X-Health]\nTcp=80\nGate=start\n";
    check(
        unit,
        "start\nexit p1 0\noccupied\noccupied\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            survey
        occupied
            survey
          = activating/start-post until 0s
        occupied
        empty
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
    "#]],
    );
    let remains = unit.replace("[X-Health]", "RemainAfterExit=yes\n[X-Health]");
    check(
        &remains,
        "start\nexit p1 0\noccupied\noccupied\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            survey
        occupied
            survey
          = activating/start-post until 0s
        occupied
        empty
          = active/exited
    "#]],
    );
}
