//! Stopping: whom the signals go to, what follows when nobody obeys.

use super::{WEB, check, web};
use expect_test::expect;

#[test]
fn control_group_all_get_it_and_all_are_waited_for() {
    check(
        WEB,
        "start\nstop\noccupied\nkill p1 TERM\noccupied\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm until 5s
        occupied
            signal-set CONT but p1
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set TERM
          = deactivating/final-sigterm until 5s
        occupied
            signal-set CONT
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn nobody_obeys() {
    check(
        &web("ExecStopPost=/bin/sp\n"),
        "start\nstop\n+5s\n+5s\n+5s\n+5s\n+5s\nshow",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm until 5s
        +5s
            say web.service: stopping took too long, sending a stronger signal
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/stop-sigkill (timeout) until 5s
        +5s
            say web.service: processes are left that could not be ended
            spawn p2 StopPost /bin/sp MAINPID=p1 SERVICE_RESULT=timeout
          = deactivating/stop-post (timeout) until 5s
        +5s
            say web.service: stopping took too long
            signal p1 TERM
            signal p1 CONT
            signal p2 TERM
            signal p2 CONT
            signal-set TERM but p1 but p2
          = deactivating/final-sigterm (timeout) until 5s
        +5s
            say web.service: stopping took too long, sending a stronger signal
            signal p1 KILL
            signal p2 KILL
            signal-set KILL but p1 but p2
          = deactivating/final-sigkill (timeout) until 5s
        +5s
            say web.service: processes are left that could not be ended
            say web.service: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
        show
            main - ended -, result timeout, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn processes_are_left_after_main() {
    check(
        WEB,
        "start\nexit p1 0\noccupied\n+5s\noccupied\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 5s
            occupied
                signal-set CONT
            +5s
                say web.service: stopping took too long, sending a stronger signal
                signal-set KILL
              = deactivating/stop-sigkill (timeout) until 5s
            occupied
            empty
                say web.service: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
        "#]],
    );
}

#[test]
fn mixed() {
    check(
        &web("KillMode=mixed\n"),
        "start\nstop\nkill p1 TERM\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 TERM
            signal p1 CONT
          = deactivating/stop-sigterm until 5s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            signal-set KILL
          = deactivating/final-sigkill until 5s
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn process() {
    check(
        &web("KillMode=process\n"),
        "start\nstop\nkill p1 TERM",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 TERM
            signal p1 CONT
          = deactivating/stop-sigterm until 5s
        kill p1 TERM
            say web.service: main process was killed by SIGTERM
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn none() {
    check(
        &web("KillMode=none\nExecStop=/bin/stop\n"),
        "start\nstop\nexit p2 0\nexit p1 0\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                spawn p2 Stop /bin/stop MAINPID=p1 SERVICE_RESULT=success
              = deactivating/stop until 5s
            exit p2 0
                release, directories Remove
              = inactive/dead
            exit p1 0
            show
                main - ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn kill_signal_and_restart_kill_signal() {
    check(
        &web("KillSignal=SIGINT\nRestartKillSignal=SIGUSR2\n"),
        "start\nstop\nkill p1 INT\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p1 INT
                signal p1 CONT
                signal-set INT but p1
              = deactivating/stop-sigterm until 5s
            kill p1 INT
                say web.service: main process was killed by SIGINT
                signal-set INT
              = deactivating/final-sigterm until 5s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
    check(
        &web("KillSignal=SIGINT\nRestartKillSignal=SIGUSR2\n"),
        "start\nrestart\nkill p1 USR2\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            restart
                signal p1 USR2
                signal p1 CONT
                signal-set USR2 but p1
              = deactivating/stop-sigterm until 5s
            kill p1 USR2
                say web.service: main process was killed by SIGUSR2
                signal-set INT
              = deactivating/final-sigterm (signal) until 5s
            empty
                say web.service: failed with result 'signal'
                release, directories Remove
              = failed/failed (signal)
        "#]],
    );
}

#[test]
fn an_unclean_kill_signal_fails_the_service() {
    check(
        &web("KillSignal=SIGKILL\n"),
        "start\nstop\nkill p1 KILL\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/stop-sigterm until 5s
        kill p1 KILL
            say web.service: main process was killed by SIGKILL
            signal-set KILL
          = deactivating/final-sigterm (signal) until 5s
        empty
            say web.service: failed with result 'signal'
            release, directories Remove
          = failed/failed (signal)
    "#]],
    );
}

#[test]
fn sighup_goes_along() {
    check(
        &web("SendSIGHUP=yes\n"),
        "start\nstop\nkill p1 HUP\nempty",
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
        kill p1 HUP
            say web.service: main process was killed by SIGHUP
            signal-set HUP
            signal-set TERM
          = deactivating/final-sigterm until 5s
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn no_sigkill_leaves_them() {
    check(
        &web("SendSIGKILL=no\n"),
        "start\nstop\n+5s\n+5s",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm until 5s
        +5s
            say web.service: processes are left that could not be ended
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/final-sigterm (timeout) until 5s
        +5s
            say web.service: processes are left that could not be ended
            say web.service: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
    "#]],
    );
}

#[test]
fn final_kill_signal() {
    check(
        &web("FinalKillSignal=SIGQUIT\n"),
        "start\nstop\n+5s\ndump p1 QUIT\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/stop-sigterm until 5s
        +5s
            say web.service: stopping took too long, sending a stronger signal
            signal p1 QUIT
            signal p1 CONT
            signal-set QUIT but p1
          = deactivating/stop-sigkill (timeout) until 5s
        dump p1 QUIT
            say web.service: main process was killed by SIGQUIT and dumped core
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
fn stop_failure_mode_abort() {
    check(
        &web("TimeoutStopFailureMode=abort\nTimeoutAbortSec=2s\n"),
        "start\nstop\n+5s\n+2s\nkill p1 KILL\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-sigterm until 5s
            +5s
                say web.service: stopping took too long, sending a stronger signal
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (timeout) until 2s
            +2s
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
fn stop_failure_mode_kill() {
    check(
        &web("TimeoutStopFailureMode=kill\nExecStop=/bin/stop\n"),
        "start\nstop\n+5s\nkill p2 KILL\nkill p1 KILL\nempty",
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
                signal p1 KILL
                signal p2 KILL
                signal-set KILL but p1 but p2
              = deactivating/stop-sigkill (timeout) until 5s
            kill p2 KILL
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
