//! Facts about processes for which a state does not wait change nothing.

use super::check;
use expect_test::expect;

#[test]
fn another_process_that_is_there() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "hold\nstart\nspawned p9\nthaw\nspawned p1",
        expect![[r#"
        hold
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        spawned p9
        thaw
            again: spawn p1 Start /bin/web
        spawned p1
          = active/running
    "#]],
    );
    check(
        "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\n",
        "hold\nstart\nspawned p9\nthaw\nspawned p1\nthaw\nexit p1 0\nspawned p1\nthaw\nspawned p2\nthaw\nexit p2 0",
        expect![[r#"
            hold
            start
                begin
                spawn p1 Start /bin/a
              = activating/start
            spawned p9
            thaw
                again: spawn p1 Start /bin/a
            spawned p1
            thaw
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                spawn p2 Start[1] /bin/b
            spawned p1
            thaw
                again: spawn p2 Start[1] /bin/b
            spawned p2
            thaw
            exit p2 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
        "#]],
    );
}

#[test]
fn a_main_process_nobody_looks_for() {
    check(
        "[Service]\nType=forking\nExecStart=/bin/web\n",
        "start\nexit p1 0\nfound p9\nmissing p9 because\nfound p2\nfound p9\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                find-main p2 guess
            found p9
            missing p9 because
            found p2
              = active/running
            found p9
            show
                main p2 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn an_exit_of_nobody() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p9 1\nfork-failed p9\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        exit p9 1
        fork-failed p9
        show
            main p1 ended -, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}
