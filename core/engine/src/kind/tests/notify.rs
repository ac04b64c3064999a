//! What services say of themselves: ready, extend, watchdog.

use super::{NOTIFY, check, notify};
use expect_test::expect;

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
