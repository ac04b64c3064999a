//! What services say of themselves: sd_notify(3), watchdog, fd store.

use super::check;
use expect_test::expect;

const NOTIFY: &str = "[Service]\nType=notify\nExecStart=/bin/web\n";

fn notify(more: &str) -> String {
    format!("{NOTIFY}{more}")
}

#[test]
fn ready() {
    check(
        NOTIFY,
        "start\nmain READY=1 STATUS=hi ERRNO=7\nmain READY=1\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main READY=1 STATUS=hi ERRNO=7
          = active/running
        main READY=1
        show
            main p1 ended -, result success, reload success, restarts 0, status "hi" 7
    "#]],
    );
}

#[test]
fn never_ready() {
    check(
        &notify("TimeoutStartSec=2s\nExecStop=/bin/stop\nExecStopPost=/bin/sp\n"),
        "start\nmain STATUS=hi READY=0\n+2s\nkill p1 TERM\nexit p2 0\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 2s
            main STATUS=hi READY=0
            +2s
                say web.service: starting took too long: no READY=1 came
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                spawn p2 StopPost /bin/sp SERVICE_RESULT=timeout EXIT=TERM
              = deactivating/stop-post (timeout) until 90s
            exit p2 0
                signal-set TERM
              = deactivating/final-sigterm (timeout) until 90s
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
            show
                main - ended TERM, result timeout, reload success, restarts 0, status "hi" 0
        "#]],
    );
}

#[test]
fn an_end_before_ready_is_a_protocol_error() {
    check(
        NOTIFY,
        "start\nexit p1 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm (protocol) until 90s
            empty
                say web.service: failed with result 'protocol'
                release, directories Remove
              = failed/failed (protocol)
        "#]],
    );
    check(
        NOTIFY,
        "start\nkill p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
        empty
            say web.service: failed with result 'protocol'
            release, directories Remove
          = failed/failed (protocol)
    "#]],
    );
    check(
        NOTIFY,
        "start\nexit p1 3\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
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
fn nobody_may_still_say_ready_where_nobody_may_or_nothing_would_remain() {
    check(
        &notify("NotifyAccess=all\n"),
        "start\nexit p1 0",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
    "#]],
    );
    check(
        &notify("RemainAfterExit=yes\nNotifyAccess=main\n"),
        "start\nexit p1 0",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            signal-set TERM
          = deactivating/stop-sigterm (protocol) until 90s
    "#]],
    );
}

#[test]
fn another_process_may_still_say_ready_where_it_may() {
    check(
        &notify("RemainAfterExit=yes\nNotifyAccess=all\n"),
        "start\nexit p1 0\nempty\nempty",
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
            empty
                say web.service: failed with result 'protocol'
                release, directories Remove
              = failed/failed (protocol)
        "#]],
    );
    check(
        &notify("RemainAfterExit=yes\nNotifyAccess=all\n"),
        "start\nexit p1 0\noccupied\nmember READY=1",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                survey
            occupied
            member READY=1
              = active/exited
        "#]],
    );
}

#[test]
fn notify_access() {
    check(
        NOTIFY,
        "start\nmember READY=1\ncontrol READY=1\nmain READY=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        member READY=1
            say web.service: notify message not heard, NotifyAccess= bars its sender
        control READY=1
            say web.service: notify message not heard, NotifyAccess= bars its sender
        main READY=1
          = active/running
    "#]],
    );
    check(
        &notify("NotifyAccess=exec\nExecStartPost=/bin/post\n"),
        "start\nmember READY=1\nmain READY=1\ncontrol STATUS=post\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            member READY=1
                say web.service: notify message not heard, NotifyAccess= bars its sender
            main READY=1
                spawn p2 StartPost /bin/post MAINPID=p1
              = activating/start-post until 90s
            control STATUS=post
            show
                main p1 ended -, result success, reload success, restarts 0, status "post" 0
        "#]],
    );
    check(
        &notify("NotifyAccess=all\n"),
        "start\nmember READY=1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        member READY=1
          = active/running
    "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nmain STATUS=x\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        main STATUS=x
            say web.service: notify message not heard, NotifyAccess= bars its sender
        show
            main p1 ended -, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn extend_timeout() {
    check(
        &notify("TimeoutStartSec=2s\n"),
        "start\nmain EXTEND_TIMEOUT_USEC=5000000\n+4s\nmain READY=1",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 2s
            main EXTEND_TIMEOUT_USEC=5000000
            +4s
            main READY=1
              = active/running
        "#]],
    );
    check(
        &notify("TimeoutStartSec=2s\n"),
        "start\nmain EXTEND_TIMEOUT_USEC=1000000\n+2s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 2s
            main EXTEND_TIMEOUT_USEC=1000000
            +2s
                say web.service: starting took too long: no READY=1 came
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
        "#]],
    );
    check(
        &notify("RuntimeMaxSec=10s\n"),
        "start\nmain READY=1\n+9s\nmain EXTEND_TIMEOUT_USEC=5000000\n+5s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main READY=1
              = active/running until 10s
            +9s
            main EXTEND_TIMEOUT_USEC=5000000
            +5s
                say web.service: has run as long as it may, stopping
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm (timeout) until 90s
        "#]],
    );
}

#[test]
fn watchdog_pings() {
    check(
        &notify("WatchdogSec=10s\n"),
        "start\nmain READY=1\n+9s\nmain WATCHDOG=1\n+9s\n+1s\ndump p1 ABRT\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=10000000
              = activating/start until 90s
            main READY=1
              = active/running until 10s
            +9s
            main WATCHDOG=1
            +9s
            +1s
                say web.service: no sign of life in time
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (watchdog) until 90s
            dump p1 ABRT
                say web.service: main process was killed by SIGABRT and dumped core
                signal-set TERM
              = deactivating/final-sigterm (watchdog) until 90s
            empty
                say web.service: failed with result 'watchdog'
                release, directories Remove
              = failed/failed (watchdog)
            show
                main - ended ABRT+core, result watchdog, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn watchdog_trigger() {
    check(
        &notify("WatchdogSec=60s\nTimeoutAbortSec=3s\nTimeoutStopSec=5s\n"),
        "start\nmain READY=1\nmain WATCHDOG=trigger\n+3s\nkill p1 KILL\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=60000000
              = activating/start until 90s
            main READY=1
              = active/running until 60s
            main WATCHDOG=trigger
                say web.service: no sign of life in time
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (watchdog) until 3s
            +3s
                say web.service: stopping took too long, sending a stronger signal
                signal p1 KILL
                signal-set KILL but p1
              = deactivating/stop-sigkill (watchdog) until 5s
            kill p1 KILL
                say web.service: main process was killed by SIGKILL
                signal-set TERM
              = deactivating/final-sigterm (watchdog) until 5s
            empty
                say web.service: failed with result 'watchdog'
                release, directories Remove
              = failed/failed (watchdog)
        "#]],
    );
}

#[test]
fn watchdog_usec_changes_the_pace() {
    check(
        &notify("WatchdogSec=10s\n"),
        "start\nmain READY=1 WATCHDOG_USEC=30000000\nmain WATCHDOG=1\n+29s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=10000000
              = activating/start until 90s
            main READY=1 WATCHDOG_USEC=30000000
              = active/running until 30s
            main WATCHDOG=1
            +29s
        "#]],
    );
}

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
