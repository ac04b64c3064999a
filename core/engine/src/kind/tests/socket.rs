//! Sockets.

use super::driver::check_named;
use expect_test::{Expect, expect};

const SOCKET: &str = "[Socket]\nListenStream=/run/web.sock\n";

fn check(unit: &str, script: &str, expect: Expect) {
    check_named("web.socket", unit, script, expect);
}

#[test]
fn a_knock_triggers_the_service() {
    check(
        SOCKET,
        "start\nopened\nknock\nservice-down\nknock\nstop",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        opened
            watch-sockets
          = active/listening
        knock
            trigger
          = active/running
        service-down
            watch-sockets
          = active/listening
        knock
            trigger
          = active/running
        stop
            unwatch-sockets
            close-sockets
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn every_phase() {
    let unit = format!(
        "{SOCKET}ExecStartPre=/bin/pre\nExecStartPost=/bin/post\nExecStopPre=/bin/spre\nExecStopPost=/bin/spost\n"
    );
    check(
        &unit,
        "start\nexit p1 0\nopened\nexit p2 0\nstop\nexit p3 0\nexit p4 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 StartPre /bin/pre
          = activating/start-pre until 90s
        exit p1 0
            open-sockets
          = activating/start-chown until 90s
        opened
            spawn p2 StartPost /bin/post
          = activating/start-post until 90s
        exit p2 0
            watch-sockets
          = active/listening
        stop
            unwatch-sockets
            spawn p3 StopPre /bin/spre
          = deactivating/stop-pre until 90s
        exit p3 0
            close-sockets
            spawn p4 StopPost /bin/spost
          = deactivating/stop-post until 90s
        exit p4 0
            signal-set TERM
          = deactivating/final-sigterm until 90s
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
    check(
        &unit,
        "start\nexit p1 1\nempty\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            exit p1 1
                signal-set TERM
              = deactivating/final-sigterm (exit-code) until 90s
            empty
                say web.socket: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            exit p2 0
            empty
        "#]],
    );
    check(
        &unit,
        "start\nstop\nkill p1 TERM\nexit p2 0\nempty",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            stop
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/stop-pre-sigterm until 90s
            kill p1 TERM
                close-sockets
                spawn p2 StopPost /bin/spost
              = deactivating/stop-post (signal) until 90s
            exit p2 0
                signal-set TERM
              = deactivating/final-sigterm (signal) until 90s
            empty
                say web.socket: failed with result 'signal'
                release, directories Remove
              = failed/failed (signal)
        "#]],
    );
}

#[test]
fn cannot_be_opened() {
    check(
        SOCKET,
        "start\nnot-opened\nreset-failed\nstart",
        expect![[r#"
            start
                begin
                open-sockets
              = activating/start-chown until 90s
            not-opened
                say web.socket: cannot bind /run/web.sock: address already in use
                say web.socket: failed with result 'resources'
                unwatch-sockets
                close-sockets
                release, directories Remove
              = failed/failed (resources)
            reset-failed
              = inactive/dead
            start
                begin
                open-sockets
              = activating/start-chown until 90s
        "#]],
    );
}

#[test]
fn stop_while_opening() {
    check(
        SOCKET,
        "start\nstop\nopened",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        stop
            close-sockets
            release, directories Remove
          = inactive/dead
        opened
    "#]],
    );
}

#[test]
fn the_service_comes_up_by_itself() {
    check(
        SOCKET,
        "start\nopened\nservice-up\nknock\nservice-down",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        opened
            watch-sockets
          = active/listening
        service-up
            unwatch-sockets
          = active/running
        knock
        service-down
            watch-sockets
          = active/listening
    "#]],
    );
}

#[test]
fn the_services_start_limit_fails_the_socket() {
    check(
        SOCKET,
        "start\nopened\nknock\nservice-limit\nservice-down",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        opened
            watch-sockets
          = active/listening
        knock
            trigger
          = active/running
        service-limit
            say web.socket: failed with result 'service-start-limit-hit'
            unwatch-sockets
            close-sockets
            release, directories Remove
          = failed/failed (service-start-limit-hit)
        service-down
    "#]],
    );
}

#[test]
fn trigger_limit() {
    let unit = format!("{SOCKET}TriggerLimitIntervalSec=5s\nTriggerLimitBurst=2\n");
    check(
        &unit,
        "start\nopened\nknock\nservice-down\n+5s\nknock\nservice-down\nknock\nservice-down\nknock",
        expect![[r#"
            start
                begin
                open-sockets
              = activating/start-chown until 90s
            opened
                watch-sockets
              = active/listening
            knock
                trigger
              = active/running
            service-down
                watch-sockets
              = active/listening
            +5s
            knock
                trigger
              = active/running
            service-down
                watch-sockets
              = active/listening
            knock
                say web.socket: triggered too often, no further activation
                say web.socket: failed with result 'trigger-limit-hit'
                unwatch-sockets
                close-sockets
                release, directories Remove
              = failed/failed (trigger-limit-hit)
            service-down
            knock
        "#]],
    );
}

#[test]
fn the_service_cannot_be_queued() {
    check(
        SOCKET,
        "start\nopened\nknock\ntrigger-refused",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        opened
            watch-sockets
          = active/listening
        knock
            trigger
          = active/running
        trigger-refused
            say web.socket: the service could not be started
            say web.socket: failed with result 'resources'
            unwatch-sockets
            close-sockets
            release, directories Remove
          = failed/failed (resources)
    "#]],
    );
}

#[test]
fn flush_pending() {
    check(
        &format!("{SOCKET}FlushPending=yes\n"),
        "start\nopened\nknock\nservice-down",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        opened
            flush-sockets
            watch-sockets
          = active/listening
        knock
            trigger
          = active/running
        service-down
            flush-sockets
            watch-sockets
          = active/listening
    "#]],
    );
}

#[test]
fn a_command_that_hangs() {
    let unit = format!("{SOCKET}ExecStartPre=/bin/pre\nTimeoutSec=5s\n");
    check(
        &unit,
        "start\n+5s\n+5s\n+5s\nempty",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 5s
            +5s
                signal p1 TERM
                signal p1 CONT
                signal-set TERM but p1
              = deactivating/final-sigterm (timeout) until 5s
            +5s
                signal p1 KILL
                signal-set KILL but p1
              = deactivating/final-sigkill (timeout) until 5s
            +5s
                say web.socket: failed with result 'timeout'
                release, directories Remove
              = failed/failed (timeout)
            empty
        "#]],
    );
}

#[test]
fn accept_is_refused_clearly() {
    check(
        &format!("{SOCKET}Accept=yes\n"),
        "start",
        expect![[r#"
        start
            say web.socket: Accept=yes is not supported yet
            reply Unsupported("Accept=yes is not supported yet")
    "#]],
    );
}

#[test]
fn a_start_while_stopping_waits() {
    check(
        &format!("{SOCKET}ExecStopPre=/bin/spre\n"),
        "start\nopened\nstop\nstart",
        expect![[r#"
        start
            begin
            open-sockets
          = activating/start-chown until 90s
        opened
            watch-sockets
          = active/listening
        stop
            unwatch-sockets
            spawn p1 StopPre /bin/spre
          = deactivating/stop-pre until 90s
        start
            reply Later
    "#]],
    );
}
