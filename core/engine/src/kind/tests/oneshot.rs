//! Types that are up by something else than a process: `oneshot` and `dbus`.

use super::check;
use expect_test::expect;

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
