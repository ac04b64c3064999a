//! What services say of what they do by themselves, of who is main, and what they have kept.

use super::{NOTIFY, check, notify};
use expect_test::expect;

#[test]
fn reloading_by_its_own_doing() {
    check(
        NOTIFY,
        "start\nmain READY=1\nmain RELOADING=1\nmain READY=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main READY=1
          = active/running
        main RELOADING=1
            reloads itself
          = reloading/reload until 90s
        main READY=1
          = active/running
    "#]],
    );
    check(
        &notify("TimeoutStartSec=3s\n"),
        "start\nmain READY=1\nmain RELOADING=1\n+3s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 3s
            main READY=1
              = active/running
            main RELOADING=1
                reloads itself
              = reloading/reload until 3s
            +3s
                say web.service: reloading took too long
                reloads itself
        "#]],
    );
}

#[test]
fn an_end_while_reloading_by_its_own_doing_runs_the_stop_commands() {
    check(
        &notify("ExecStop=/bin/stop\n"),
        "start\nmain READY=1\nmain RELOADING=1\nexit p1 1\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main READY=1
              = active/running
            main RELOADING=1
                reloads itself
              = reloading/reload until 90s
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                spawn p2 Stop /bin/stop SERVICE_RESULT=exit-code EXIT=1
              = deactivating/stop (exit-code) until 90s
            exit p2 0
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
fn reloading_before_ready_is_remembered() {
    check(
        NOTIFY,
        "start\nmain RELOADING=1 READY=1\nmain RELOADING=1\nmain STOPPING=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main RELOADING=1 READY=1
          = active/running
        main RELOADING=1
            reloads itself
          = reloading/reload until 90s
        main STOPPING=1
    "#]],
    );
}

#[test]
fn stopping_by_its_own_doing() {
    check(
        &notify("TimeoutStopSec=5s\nExecStop=/bin/stop\n"),
        "start\nmain READY=1\nmain STOPPING=1\nexit p1 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main READY=1
              = active/running
            main STOPPING=1
              = deactivating/stop-sigterm until 5s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/final-sigterm until 5s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
    check(
        &notify("TimeoutStopSec=5s\n"),
        "start\nmain READY=1\nmain STOPPING=1\n+5s\nkill p1 KILL\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main READY=1
              = active/running
            main STOPPING=1
              = deactivating/stop-sigterm until 5s
            +5s
                say web.service: stopping took too long, sending a stronger signal
                signal p1 KILL
                signal-set KILL but p1
              = deactivating/stop-sigkill (timeout) until 5s
            kill p1 KILL
                say web.service: main process was killed by SIGKILL
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 5s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn main_pid() {
    check(
        NOTIFY,
        "start\nmain MAINPID=4 READY=1\nfound p2\nexit p1 0\nshow\nkill p2 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main MAINPID=4 READY=1
                find-main p2 candidate 4
              = active/running
            found p2
            exit p1 0
            show
                main p2 ended -, result success, reload success, restarts 0, status "" 0
            kill p2 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn main_pid_whose_predecessor_ends_first() {
    check(
        NOTIFY,
        "start\nmain MAINPID=4 READY=1\nexit p1 0\nfound p2\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main MAINPID=4 READY=1
            find-main p2 candidate 4
          = active/running
        exit p1 0
        found p2
        show
            main p2 ended -, result success, reload success, restarts 0, status "" 0
    "#]],
    );
    check(
        NOTIFY,
        "start\nmain MAINPID=4 READY=1\nexit p1 1\nmissing p2 a stranger\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main MAINPID=4 READY=1
                find-main p2 candidate 4
              = active/running
            exit p1 1
            missing p2 a stranger
                say web.service: main process not told: a stranger
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
fn main_pid_refused_keeps_the_old() {
    check(
        NOTIFY,
        "start\nmain READY=1\nmain MAINPID=4\nmissing p2 a stranger\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main READY=1
          = active/running
        main MAINPID=4
            find-main p2 candidate 4
        missing p2 a stranger
            say web.service: main process not told: a stranger
        show
            main p1 ended -, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn fd_store() {
    check(
        &notify("FileDescriptorStoreMax=2\nRestart=always\n"),
        "start\nmain FDSTORE=1 FDNAME=a\nmain FDSTORE=2\nmain FDSTOREREMOVE=1 FDNAME=a\nmain READY=1\nkill p1 SEGV\nempty\n+100ms\nrestart\nstart\nmain READY=1\nstop\nkill p2 TERM\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main FDSTORE=1 FDNAME=a
                store-fds 1 as a, 2 at most
            main FDSTORE=2
                store-fds 2 as stored, 2 at most
            main FDSTOREREMOVE=1 FDNAME=a
                remove-stored-fds a
            main READY=1
              = active/running
            kill p1 SEGV
                say web.service: main process was killed by SIGSEGV
                signal-set TERM
              = deactivating/stop-sigterm (signal) until 90s
            empty
                say web.service: failed with result 'signal'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (signal) until 0.1s
            +100ms
                restart due
            restart
              = inactive/dead (signal)
            start
                begin
                spawn p2 Start /bin/web
              = activating/start until 90s
            main READY=1
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
                close-stored-fds
                release, directories Remove
              = inactive/dead
        "#]],
    );
    check(
        NOTIFY,
        "start\nmain FDSTORE=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main FDSTORE=1
    "#]],
    );
}
