//! `Type=notify-reload`.

use super::check;
use expect_test::expect;

const RELOAD: &str = "[Service]\nType=notify-reload\nExecStart=/bin/web\nTimeoutStartSec=3s\n";

#[test]
fn notify_reload() {
    check(
        RELOAD,
        "start\nmain READY=1\nreload\nmain RELOADING=1 MONOTONIC_USEC=1\nmain RELOADING=1 MONOTONIC_USEC=100000001\nmain READY=1\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 3s
            main READY=1
              = active/running
            reload
                signal p1 HUP
              = reloading/reload-signal until 3s
            main RELOADING=1 MONOTONIC_USEC=1
            main RELOADING=1 MONOTONIC_USEC=100000001
              = reloading/reload-notify until 3s
            main READY=1
                reload Done
              = active/running
            show
                main p1 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn notify_reload_that_is_not_heeded() {
    check(
        RELOAD,
        "start\nmain READY=1\nreload\n+3s\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 3s
        main READY=1
          = active/running
        reload
            signal p1 HUP
          = reloading/reload-signal until 3s
        +3s
            say web.service: reloading took too long
            reload Failed
          = active/running
        show
            main p1 ended -, result success, reload timeout, restarts 0, status "" 0
    "#]],
    );
    check(
        RELOAD,
        "start\nmain READY=1\nreload\nexit p1 1\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 3s
            main READY=1
              = active/running
            reload
                signal p1 HUP
              = reloading/reload-signal until 3s
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
                reload Failed
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
fn notify_reload_with_a_command() {
    check(
        &format!("{RELOAD}ExecReload=/bin/reload\n"),
        "start\nmain READY=1\nreload\nexit p2 0\nmain RELOADING=1 MONOTONIC_USEC=100000001\nmain READY=1",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 3s
            main READY=1
              = active/running
            reload
                signal p1 HUP
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 3s
            exit p2 0
              = reloading/reload-signal until 3s
            main RELOADING=1 MONOTONIC_USEC=100000001
              = reloading/reload-notify until 3s
            main READY=1
                reload Done
              = active/running
        "#]],
    );
}
