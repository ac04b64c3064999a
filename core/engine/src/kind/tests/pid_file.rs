//! `PIDFile=`: the process it names is the main one.

use super::check;
use expect_test::expect;

const FILE: &str = "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\n";

#[test]
fn the_pid_file_tells() {
    check(
        FILE,
        "start\nexit p1 0\nfound p2\nshow\nstop\nkill p2 TERM\nempty\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        found p2
          = active/running
        show
            main p2 ended -, result success, reload success, restarts 0, status "" 0
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
            remove-pid-file /run/web.pid
            release, directories Remove
          = inactive/dead
        show
            main - ended TERM, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn a_pid_file_nobody_writes_is_a_timeout() {
    check(
        &format!("{FILE}TimeoutStartSec=5s\n"),
        "start\nexit p1 0\noccupied\n+5s\noccupied\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            exit p1 0
                find-main p2 pid-file /run/web.pid
                survey
            occupied
            +5s
                say web.service: starting took too long: PIDFile=/run/web.pid names no process of it
                stop-finding
                signal-set TERM
              = deactivating/stop-sigterm (timeout) until 90s
            occupied
                signal-set CONT
            empty
                say web.service: failed with result 'timeout'
                remove-pid-file /run/web.pid
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn a_daemon_that_ends_without_a_pid_file_is_a_protocol_error() {
    check(
        FILE,
        "start\nexit p1 0\nempty\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        empty
            say web.service: the daemon ended without writing its pid file
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
        empty
            say web.service: failed with result 'protocol'
            remove-pid-file /run/web.pid
            release, directories Remove
          = failed/failed (protocol)
    "#]],
    );
}

#[test]
fn a_pid_file_that_names_a_stranger_is_said_and_waited_on() {
    check(
        &format!("{FILE}TimeoutStartSec=5s\n"),
        "start\nexit p1 0\nmissing p2 /run/web.pid names a stranger\n+5s\noccupied\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            exit p1 0
                find-main p2 pid-file /run/web.pid
                survey
            missing p2 /run/web.pid names a stranger
                say web.service: main process not told: /run/web.pid names a stranger
            +5s
                say web.service: starting took too long: PIDFile=/run/web.pid names no process of it
                stop-finding
                signal-set TERM
              = deactivating/stop-sigterm (timeout) until 90s
            occupied
                signal-set CONT
            empty
                say web.service: failed with result 'timeout'
                remove-pid-file /run/web.pid
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn a_pid_file_counts_for_other_types_once_commands_follow_the_start() {
    let unit = "[Service]\nExecStart=/bin/web\nExecStartPost=/bin/post\nPIDFile=/run/web.pid\n";
    check(
        unit,
        "start\nspawned p1\nexit p2 0\nfound p3",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
            spawn p2 StartPost /bin/post MAINPID=p1
          = activating/start-post until 90s
        spawned p1
        exit p2 0
            find-main p3 pid-file /run/web.pid
            survey
        found p3
          = active/running
    "#]],
    );
    check(
        unit,
        "start\nspawned p1\nexit p1 0\nexit p2 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
            spawn p2 StartPost /bin/post MAINPID=p1
          = activating/start-post until 90s
        spawned p1
        exit p1 0
            find-main p3 pid-file-now /run/web.pid
        exit p2 0
            find-main p4 pid-file /run/web.pid
            survey
        empty
            say web.service: the daemon ended without writing its pid file
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
    "#]],
    );
}

#[test]
fn the_pid_file_may_come_from_start_post() {
    let unit = format!("{FILE}ExecStartPost=/bin/post\n");
    check(
        &unit,
        "start\nexit p1 0\nmissing p2 none yet\nexit p3 0\nfound p4",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file-now /run/web.pid
        missing p2 none yet
            say web.service: main process not told: none yet
            spawn p3 StartPost /bin/post
          = activating/start-post until 90s
        exit p3 0
            find-main p4 pid-file /run/web.pid
            survey
        found p4
          = active/running
    "#]],
    );
    check(
        &unit,
        "start\nexit p1 0\nfound p2\nexit p3 0",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file-now /run/web.pid
        found p2
            spawn p3 StartPost /bin/post MAINPID=p2
          = activating/start-post until 90s
        exit p3 0
          = active/running
    "#]],
    );
    check(
        &unit,
        "start\nexit p1 0\nmissing p2 none yet\nexit p3 0\nempty\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file-now /run/web.pid
        missing p2 none yet
            say web.service: main process not told: none yet
            spawn p3 StartPost /bin/post
          = activating/start-post until 90s
        exit p3 0
            find-main p4 pid-file /run/web.pid
            survey
        empty
            say web.service: the daemon ended without writing its pid file
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
        empty
            say web.service: failed with result 'protocol'
            remove-pid-file /run/web.pid
            release, directories Remove
          = failed/failed (protocol)
    "#]],
    );
}

#[test]
fn a_daemon_may_leave_a_successor_in_the_pid_file() {
    check(
        FILE,
        "start\nexit p1 0\nfound p2\nexit p2 0\nfound p3\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        found p2
          = active/running
        exit p2 0
            find-main p3 pid-file-now /run/web.pid
        found p3
        show
            main p3 ended -, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn without_a_successor_the_end_counts() {
    check(
        FILE,
        "start\nexit p1 0\nfound p2\nexit p2 1\nmissing p3 nobody\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 pid-file /run/web.pid
                survey
            found p2
              = active/running
            exit p2 1
                find-main p3 pid-file-now /run/web.pid
            missing p3 nobody
                say web.service: main process not told: nobody
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                remove-pid-file /run/web.pid
                release, directories Remove
              = failed/failed (exit-code)
            show
                main - ended 1, result exit-code, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn a_stop_while_a_successor_is_looked_for_is_not_lost() {
    check(
        FILE,
        "start\nexit p1 0\nfound p2\nexit p2 0\nstop\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        found p2
          = active/running
        exit p2 0
            find-main p3 pid-file-now /run/web.pid
        stop
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm until 90s
        empty
            remove-pid-file /run/web.pid
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn an_end_counts_where_the_search_for_a_successor_is_given_up() {
    let unit = "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\n";
    check(
        unit,
        "start\nexit p1 0\nfound p2\nexit p2 3\nstop\nempty\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        found p2
          = active/running
        exit p2 3
            find-main p3 pid-file-now /run/web.pid
        stop
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm (exit-code) until 90s
        empty
            say web.service: failed with result 'exit-code'
            remove-pid-file /run/web.pid
            release, directories Remove
          = failed/failed (exit-code)
        show
            main - ended 3, result exit-code, reload success, restarts 0, status "" 0
    "#]],
    );
    check(
        unit,
        "start\nexit p1 0\nfound p2\nkill p2 TERM\nstop\nempty\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        found p2
          = active/running
        kill p2 TERM
            find-main p3 pid-file-now /run/web.pid
        stop
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm until 90s
        empty
            remove-pid-file /run/web.pid
            release, directories Remove
          = inactive/dead
        show
            main - ended TERM, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}
