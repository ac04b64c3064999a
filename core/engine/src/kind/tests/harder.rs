//! How an end is hastened: what has a mode for it, who is left alone, and what is skipped where SIGKILL may not be sent.

use super::check;
use expect_test::expect;

#[test]
fn mixed_spares_the_rest_only_until_sigkill() {
    check(
        "[Service]\nExecStart=/bin/web\nKillMode=mixed\n",
        "start\nexit p1 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set KILL
              = deactivating/stop-sigkill until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nKillMode=mixed\nSendSIGKILL=no\n",
        "start\nexit p1 0",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                release, directories Remove
              = inactive/dead
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nKillMode=mixed\nSendSIGKILL=no\nExecStopPost=/bin/sp\n",
        "start\nstop\nexit p1 0\nexit p2 0",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p1 TERM
                signal p1 CONT
              = deactivating/stop-sigterm until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=0
              = deactivating/stop-post until 90s
            exit p2 0
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn sighup_goes_along_with_the_first_signal_alone() {
    check(
        "[Service]\nExecStart=/bin/web\nSendSIGHUP=yes\nTimeoutStopSec=5s\n",
        "start\nstop\n+5s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p1 TERM
                signal p1 HUP
                signal p1 CONT
                signal-set HUP but p1
                signal-set TERM but p1
              = deactivating/stop-sigterm until 5s
            +5s
                say web.service: stopping took too long, sending a stronger signal
                signal p1 KILL
                signal-set KILL but p1
              = deactivating/stop-sigkill (timeout) until 5s
        "#]],
    );
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nSendSIGHUP=yes\nWatchdogSec=2s\n",
        "start\nmain READY=1\n+2s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=2000000
              = activating/start until 90s
            main READY=1
              = active/running until 2s
            +2s
                say web.service: no sign of life in time
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (watchdog) until 90s
        "#]],
    );
}

#[test]
fn a_stop_command_that_hangs_where_sigkill_may_not_be_sent() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStop=/bin/stop\nExecStopPost=/bin/sp\nTimeoutStopSec=5s\n\
         TimeoutStopFailureMode=kill\nSendSIGKILL=no\n",
        "start\nstop\n+5s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=success
              = deactivating/stop until 5s
            +5s
                say web.service: stopping took too long
                spawn p3 StopPost /bin/sp MAINPID=p1 SERVICE_RESULT=timeout
              = deactivating/stop-post (timeout) until 5s
        "#]],
    );
}

#[test]
fn a_stop_post_command_that_hangs_with_each_failure_mode() {
    let hangs = |mode: &str, expect| {
        let unit = "[Service]\nExecStart=/bin/web\nExecStopPost=/bin/sp\nTimeoutStopSec=5s\nRestart=always\n";
        let unit = format!("{unit}TimeoutStopFailureMode={mode}");
        check(&unit, "start\nkill p1 KILL\nempty\n+5s", expect);
    };
    hangs(
        "terminate\n",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            signal-set TERM
          = deactivating/stop-sigterm (signal) until 5s
        empty
            spawn p2 StopPost /bin/sp SERVICE_RESULT=signal EXIT=KILL
          = deactivating/stop-post (signal) until 5s
        +5s
            say web.service: stopping took too long
            signal p2 TERM
            signal p2 CONT
            signal-set TERM but p2
          = deactivating/final-sigterm (signal) until 5s
    "#]],
    );
    hangs(
        "abort\n",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            signal-set TERM
          = deactivating/stop-sigterm (signal) until 5s
        empty
            spawn p2 StopPost /bin/sp SERVICE_RESULT=signal EXIT=KILL
          = deactivating/stop-post (signal) until 5s
        +5s
            say web.service: stopping took too long
            signal p2 ABRT
            signal p2 CONT
            signal-set ABRT but p2
          = deactivating/final-watchdog (signal) until 5s
    "#]],
    );
    hangs(
        "kill\n",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            signal-set TERM
          = deactivating/stop-sigterm (signal) until 5s
        empty
            spawn p2 StopPost /bin/sp SERVICE_RESULT=signal EXIT=KILL
          = deactivating/stop-post (signal) until 5s
        +5s
            say web.service: stopping took too long
            signal p2 KILL
            signal-set KILL but p2
          = deactivating/final-sigkill (signal) until 5s
    "#]],
    );
    hangs(
        "kill\nSendSIGKILL=no\n",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            signal-set TERM
          = deactivating/stop-sigterm (signal) until 5s
        empty
            spawn p2 StopPost /bin/sp SERVICE_RESULT=signal EXIT=KILL
          = deactivating/stop-post (signal) until 5s
        +5s
            say web.service: stopping took too long
            say web.service: failed with result 'signal'
            release, directories Remove
          = failed/failed (signal)
    "#]],
    );
}

#[test]
fn what_stop_post_leaves_is_aborted_where_that_is_the_mode() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStopPost=/bin/sp\nTimeoutStopSec=5s\nTimeoutAbortSec=3s\n\
         TimeoutStopFailureMode=abort\n",
        "start\nkill p1 KILL\nempty\nexit p2 0\n+5s\n+3s\n+5s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            kill p1 KILL
                say web.service: main process was killed by SIGKILL
                signal-set TERM
              = deactivating/stop-sigterm (signal) until 5s
            empty
                spawn p2 StopPost /bin/sp SERVICE_RESULT=signal EXIT=KILL
              = deactivating/stop-post (signal) until 5s
            exit p2 0
                signal-set TERM
              = deactivating/final-sigterm (signal) until 5s
            +5s
                say web.service: stopping took too long, sending a stronger signal
                signal-set ABRT
              = deactivating/final-watchdog (signal) until 3s
            +3s
                say web.service: stopping took too long, sending a stronger signal
                signal-set KILL
              = deactivating/final-sigkill (signal) until 5s
            +5s
                say web.service: processes are left that could not be ended
                say web.service: failed with result 'signal'
                release, directories Remove
              = failed/failed (signal)
        "#]],
    );
}

#[test]
fn a_start_that_hangs_where_sigkill_may_not_be_sent() {
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nExecStopPost=/bin/sp\nTimeoutStartSec=5s\n\
         TimeoutStartFailureMode=kill\nSendSIGKILL=no\n",
        "start\n+5s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 5s
            +5s
                say web.service: starting took too long: no READY=1 came
                spawn p2 StopPost /bin/sp MAINPID=p1 SERVICE_RESULT=timeout
              = deactivating/stop-post (timeout) until 90s
        "#]],
    );
}

#[test]
fn a_watchdog_strikes_while_the_last_command_of_a_start_runs() {
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nExecStartPost=/bin/post\nWatchdogSec=2s\n",
        "start\nmain READY=1\n+2s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=2000000
              = activating/start until 90s
            main READY=1
                spawn p2 StartPost /bin/post MAINPID=p1
              = activating/start-post until 2s
            +2s
                say web.service: no sign of life in time
                signal p1 ABRT
                signal p1 CONT
                signal p2 ABRT
                signal p2 CONT
                signal-set ABRT but p1 but p2
              = deactivating/stop-watchdog (watchdog) until 90s
        "#]],
    );
}

#[test]
fn a_start_limit_gives_the_stored_fds_back() {
    check(
        "[Service]\nExecStart=/bin/web\nFileDescriptorStoreMax=1\n",
        "start-limit",
        expect![[r#"
        start-limit
            close-stored-fds
          = failed/failed (start-limit-hit)
    "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start-limit",
        expect![[r#"
        start-limit
          = failed/failed (start-limit-hit)
    "#]],
    );
}

#[test]
fn a_main_process_gone_during_its_reload_is_not_waited_for() {
    check(
        "[Service]\nType=notify-reload\nExecStart=/bin/web\nExecReload=/bin/reload\n",
        "start\nmain READY=1\nreload\nexit p1 0\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main READY=1
              = active/running
            reload
                signal p1 HUP
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
            exit p2 0
                signal-set TERM
                reload Done
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}
