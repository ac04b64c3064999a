//! A state written down and read again orders again what it waits for, under the same ids, and goes on.

use super::check;
use super::driver::check_named;
use expect_test::expect;

#[test]
fn at_every_step() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nExecStop=/bin/stop\n",
        "hold\nstart\nthaw\nspawned p1\nthaw\nexit p1 0\nthaw\nspawned p2\nthaw\nstop\nthaw\nspawned p3\nexit p3 0\nthaw\nkill p2 TERM\nthaw\nempty\nthaw",
        expect![[r#"
            hold
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            thaw
                again: spawn p1 StartPre /bin/pre
            spawned p1
            thaw
            exit p1 0
                spawn p2 Start /bin/web
              = activating/start
            thaw
                again: spawn p2 Start /bin/web
            spawned p2
              = active/running
            thaw
            stop
                spawn p3 Stop /bin/stop MAINPID=p2 SERVICE_RESULT=success
              = deactivating/stop until 90s
            thaw
                again: spawn p3 Stop /bin/stop MAINPID=p2 SERVICE_RESULT=success
            spawned p3
            exit p3 0
                signal p2 TERM
                signal p2 CONT
                signal-set TERM but p2
              = deactivating/stop-sigterm until 90s
            thaw
                again: survey
            kill p2 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm until 90s
            thaw
                again: survey
            empty
                release, directories Remove
              = inactive/dead
            thaw
        "#]],
    );
}

#[test]
fn while_the_daemon_is_looked_for() {
    check(
        "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\n",
        "start\nexit p1 0\nthaw\nfound p2\nthaw",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 pid-file /run/web.pid
                survey
            thaw
                again: survey
                again: find-main p2 pid-file /run/web.pid
            found p2
              = active/running
            thaw
        "#]],
    );
    check(
        "[Service]\nType=forking\nExecStart=/bin/web\n",
        "start\nexit p1 0\nthaw\nmissing p2 two\nthaw\noccupied",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 guess
            thaw
                again: survey
                again: find-main p2 guess
            missing p2 two
                say web.service: main process not told: two
                survey
            thaw
                again: survey
            occupied
                survey
              = active/running
        "#]],
    );
}

#[test]
fn exec_is_asked_for_until_it_is_heard() {
    check(
        "[Service]\nType=exec\nExecStart=/bin/web\n",
        "start\nthaw\nexec p1\nthaw",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web, its exec watched
              = activating/start until 90s
            thaw
                again: spawn p1 Start /bin/web, its exec watched
            exec p1
              = active/running
            thaw
        "#]],
    );
}

#[test]
fn sockets() {
    check_named(
        "web.socket",
        "[Socket]\nListenStream=/run/web.sock\n",
        "start\nthaw\nopened\nthaw\nknock\nthaw",
        expect![[r#"
            start
                begin
                open-sockets
              = activating/start-chown until 90s
            thaw
                again: open-sockets
            opened
                watch-sockets
              = active/listening
            thaw
                again: watch-sockets
            knock
                trigger
              = active/running
            thaw
        "#]],
    );
}
