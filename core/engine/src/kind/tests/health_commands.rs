//! `[X-Health]` with `Exec=`: the processes that ask, and how they end.

use super::check;
use expect_test::expect;

const WEB: &str = "[Service]\nExecStart=/bin/web\n[X-Health]\nTcp=80\nIntervalSec=10s\nRetries=2\n";
const ASK: &str =
    "[Service]\nExecStart=/bin/web\n[X-Health]\nExec=/bin/ask\nIntervalSec=10s\nTimeoutSec=2s\n";

#[test]
fn a_command_that_cannot_be_ended_counts_as_a_probe_that_failed_does() {
    check(
        &format!("{ASK}Gate=start\n"),
        "start\n+2s\n+10s\nhealth",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = activating/start-post until 0s
        +2s
            spawn p2 Health /bin/ask MAINPID=p1
            of its health alone
            of its health alone
            signal p2 KILL
            of its health alone, and it is another
        +10s
            of its health alone, and it is another
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
        health
            starting for 12s, 0 failed, 13 in vain, /bin/ask was killed and has not ended
    "#]],
    );
    check(
        &format!("{ASK}StartPeriodSec=20s\n"),
        "start\n+2s\n+3s\nhealth\n+17s\nhealth",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running until 0s
        +2s
            spawn p2 Health /bin/ask MAINPID=p1
            of its health alone
            of its health alone
            signal p2 KILL
            of its health alone, and it is another
        +3s
            of its health alone, and it is another
            of its health alone
            of its health alone
            of its health alone
            of its health alone
        health
            starting for 5s, 0 failed, 6 in vain, /bin/ask was killed and has not ended
        +17s
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
            of its health alone
        health
            starting for 22s, 1 failed, 21 in vain, /bin/ask was killed and has not ended
    "#]],
    );
    check(
        ASK,
        "start\n+10s\nexit p2 0\n+10s\n+2s\n+10s\nhealth",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running until 10s
        +10s
            spawn p2 Health /bin/ask MAINPID=p1
            of its health alone
            of its health alone
        exit p2 0
            say web.service: healthy
            of its health alone, and it is another
        +10s
            spawn p3 Health /bin/ask MAINPID=p1
            of its health alone
            of its health alone
        +2s
            signal p3 KILL
            of its health alone, and it is another
        +10s
            of its health alone, and it is another
        health
            healthy for 22s, 2 failed, 0 in vain, /bin/ask was killed and has not ended
    "#]],
    );
}

#[test]
fn a_command_that_is_there_is_not_ordered_again() {
    check(
        ASK,
        "hold\nstart\nspawned p1\n+10s\nthaw\nspawned p2\nthaw\nrecovered",
        expect![[r#"
        hold
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        spawned p1
          = active/running until 10s
        +10s
            spawn p2 Health /bin/ask MAINPID=p1
            of its health alone
        thaw
            again: spawn p2 Health /bin/ask MAINPID=p1
        spawned p2
            of its health alone
        thaw
        recovered
            of its health alone
    "#]],
    );
    check(
        WEB,
        "start\n+10s\nthaw",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running until 10s
        +10s
            probe p2
            of its health alone
        thaw
            again: probe p2
    "#]],
    );
}

#[test]
fn a_command_that_never_was_is_not_waited_for_by_a_new_manager() {
    check(
        ASK,
        "hold\nstart\nspawned p1\n+10s\n+2s\nrecovered\n+10s",
        expect![[r#"
        hold
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        spawned p1
          = active/running until 10s
        +10s
            spawn p2 Health /bin/ask MAINPID=p1
            of its health alone
        +2s
            signal p2 KILL
            of its health alone, and it is another
        recovered
            signal p2 KILL
            of its health alone
        +10s
            spawn p3 Health /bin/ask MAINPID=p1
            of its health alone
    "#]],
    );
    check(
        ASK,
        "hold\nstart\nspawned p1\n+10s\nspawned p2\n+2s\nrecovered\n+10s",
        expect![[r#"
        hold
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        spawned p1
          = active/running until 10s
        +10s
            spawn p2 Health /bin/ask MAINPID=p1
            of its health alone
        spawned p2
            of its health alone
        +2s
            signal p2 KILL
            of its health alone, and it is another
        recovered
            of its health alone
        +10s
            of its health alone, and it is another
    "#]],
    );
}
