//! `Type=forking`: whose pid is the daemon's?

use super::check;
use expect_test::expect;

const FILE: &str = "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\n";
const GUESS: &str = "[Service]\nType=forking\nExecStart=/bin/web\n";

#[test]
fn the_guess() {
    check(
        GUESS,
        "start\nexit p1 0\nfound p2\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 guess
            found p2
              = active/running
            exit p2 0
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
fn no_guess_can_be_made() {
    check(
        GUESS,
        "start\nexit p1 0\nmissing p2 two processes\noccupied\nshow\nstop\noccupied\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 guess
            missing p2 two processes
                say web.service: main process not told: two processes
                survey
            occupied
                survey
              = active/running
            show
                main - ended -, result success, reload success, restarts 0, status "" 0
            stop
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            occupied
                signal-set CONT
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn not_to_be_guessed_lives_while_it_has_processes() {
    check(
        &format!("{GUESS}GuessMainPID=no\nExecStop=/bin/stop\n"),
        "start\nexit p1 0\noccupied\nempty\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                survey
            occupied
                survey
              = active/running
            empty
                spawn p2 Stop /bin/stop SERVICE_RESULT=success
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
fn a_parent_that_leaves_nobody_behind() {
    check(
        &format!("{GUESS}ExecStartPost=/bin/post\nExecStop=/bin/stop\n"),
        "start\nexit p1 0\nmissing p2 nobody\nempty\nexit p3 0\nexit p4 0\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 guess
            missing p2 nobody
                say web.service: main process not told: nobody
                survey
            empty
                spawn p3 StartPost /bin/post
              = activating/start-post until 90s
            exit p3 0
                spawn p4 Stop /bin/stop SERVICE_RESULT=success
              = deactivating/stop until 90s
            exit p4 0
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
            show
                main - ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
    check(
        &format!("{GUESS}RemainAfterExit=yes\n"),
        "start\nkill p1 TERM\nmissing p2 nobody\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            kill p1 TERM
                find-main p2 guess
            missing p2 nobody
                say web.service: main process not told: nobody
                survey
            empty
              = active/exited
        "#]],
    );
}

#[test]
fn a_parent_that_fails() {
    check(
        GUESS,
        "start\nexit p1 3\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 3
                say web.service: control process exited with code 3 (NOTIMPLEMENTED)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            show
                main - ended -, result exit-code, reload success, restarts 0, status "" 0
        "#]],
    );
    check(
        &GUESS.replace("=/bin/web", "=-/bin/web"),
        "start\nexit p1 3\nfound p2\nexit p2 3\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 3
                find-main p2 guess
            found p2
              = active/running
            exit p2 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn a_parent_that_hangs() {
    check(
        &format!("{GUESS}TimeoutStartSec=5s\n"),
        "start\n+5s\nkill p1 TERM\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            +5s
                say web.service: starting took too long: its first process does not end (Type=forking)
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
            kill p1 TERM
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
            show
                main - ended -, result timeout, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn a_stop_while_the_parent_runs() {
    check(
        GUESS,
        "start\nstop\nkill p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm until 90s
        kill p1 TERM
            signal-set TERM
          = deactivating/final-sigterm until 90s
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn a_stop_while_the_daemon_is_looked_for() {
    check(
        FILE,
        "start\nexit p1 0\nstop\noccupied\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            find-main p2 pid-file /run/web.pid
            survey
        stop
            stop-finding
            signal-set TERM
          = deactivating/stop-sigterm until 90s
        occupied
            signal-set CONT
        empty
            remove-pid-file /run/web.pid
            release, directories Remove
          = inactive/dead
    "#]],
    );
}
