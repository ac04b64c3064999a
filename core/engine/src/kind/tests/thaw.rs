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

#[test]
fn in_the_phases_around_the_start() {
    check(
        "[Service]\nExecCondition=/bin/if\nExecStart=/bin/web\nExecStartPost=/bin/post\nExecReload=/bin/reload\nExecStopPost=/bin/sp\n",
        "hold\nstart\nthaw\nspawned p1\nthaw\nexit p1 0\nspawned p2\nthaw\nspawned p3\nthaw\nexit p3 0\nreload\nthaw\n\
         spawned p4\nthaw\nexit p4 0\nkill p2 TERM\nempty\nthaw\nspawned p5\nthaw",
        expect![[r#"
            hold
            start
                begin
                spawn p1 Condition /bin/if
              = activating/condition until 90s
            thaw
                again: spawn p1 Condition /bin/if
            spawned p1
            thaw
            exit p1 0
                spawn p2 Start /bin/web
              = activating/start
            spawned p2
                spawn p3 StartPost /bin/post MAINPID=p2
              = activating/start-post until 90s
            thaw
                again: spawn p3 StartPost /bin/post MAINPID=p2
            spawned p3
            thaw
            exit p3 0
              = active/running
            reload
                spawn p4 Reload /bin/reload MAINPID=p2
              = reloading/reload until 90s
            thaw
                again: spawn p4 Reload /bin/reload MAINPID=p2
            spawned p4
            thaw
            exit p4 0
                reload Done
              = active/running
            kill p2 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                spawn p5 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
              = deactivating/stop-post until 90s
            thaw
                again: spawn p5 StopPost /bin/sp SERVICE_RESULT=success EXIT=TERM
            spawned p5
            thaw
        "#]],
    );
}

#[test]
fn where_all_processes_count_together() {
    check(
        "[Service]\nType=exec\nExecStart=/bin/web\nExitType=cgroup\n",
        "start\nthaw\nexit p1 0\nthaw",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web, its exec watched
              = activating/start until 90s
            thaw
                again: spawn p1 Start /bin/web, its exec watched
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                survey
            thaw
                again: survey
        "#]],
    );
}
