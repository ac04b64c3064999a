//! What is known of a run, and forgotten when the next begins.

use super::check;
use super::driver::Stage;
use crate::api::{ExitStatus, Moment};
use crate::kind::{History, MainRecord};
use expect_test::expect;

const BUS: &str = "[Service]\nType=dbus\nBusName=org.web\nNotifyAccess=all\nExecStart=/bin/web\nExecReload=/bin/reload\n\
                   ExecStopPost=/bin/sp\nWatchdogSec=10s\nRestart=on-failure\nRestartSec=1s\n";

#[test]
fn a_run_begins_with_nothing_of_the_last() {
    let mut stage = Stage::new("web.service", BUS);
    stage.play("start\nowned\nkill p1 SEGV\nempty\nexit p2 0\nempty\n+1s\nrestart\nstart\nowned");
    stage
        .play("main STATUS=hi ERRNO=7 BUSERROR=org.web.Bad WATCHDOG_USEC=3000000 READY=1\nreload\nexit p4 1");
    let told = &stage.history;
    assert_eq!((told.status_errno, told.bus_error.as_str(), told.restarts), (7, "org.web.Bad", 1));
    assert_eq!(told.watchdog_override, Some(3_000_000));
    assert!(told.watchdog_ping.monotonic > told.begun.monotonic || told.watchdog_ping == told.begun);
    stage.play("stop\nkill p3 TERM\nempty\nexit p5 0\nempty\n+5s\nhold\nstart");
    let History { begun, commands, main, .. } = stage.history.clone();
    assert_eq!(begun.monotonic, 106_000_000, "the instant it began");
    assert_eq!(commands.len(), 1, "the one that was ordered: {commands:?}");
    let rest = History {
        begun: Moment::default(),
        commands: Vec::new(),
        main: MainRecord::default(),
        ..stage.history.clone()
    };
    assert_eq!(main.started, begun);
    assert_eq!(rest, History::default());
}

#[test]
fn a_life_sign_is_kept_with_its_instant() {
    let mut stage = Stage::new("web.service", "[Service]\nExecStart=/bin/web\nWatchdogSec=10s\n");
    stage.play("start\n+3s\nmain WATCHDOG=1\n+2s");
    assert_eq!(stage.history.watchdog_ping.monotonic, 103_000_000);
}

#[test]
fn a_main_process_that_never_was_is_not_told() {
    let mut stage = Stage::new("web.service", "[Service]\nExecStart=/bin/web\n");
    stage.play("hold\nstart\nfork-failed p1");
    assert_eq!(stage.history.main, MainRecord::default());
}

#[test]
fn a_reset_forgets_the_last_reload_and_the_restarts() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\nRestart=on-failure\nRestartSec=1s\n",
        "start\nkill p1 SEGV\nempty\n+1s\nrestart\nstart\nreload\nexit p3 1\nshow\nreset-failed\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            kill p1 SEGV
                say web.service: main process was killed by SIGSEGV
                signal-set TERM
              = deactivating/stop-sigterm (signal) until 90s
            empty
                say web.service: failed with result 'signal'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (signal) until 1s
            +1s
                restart due
            restart
              = inactive/dead (signal)
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p3 Reload /bin/reload MAINPID=p2
              = reloading/reload until 90s
            exit p3 1
                reload Failed
              = active/running
            show
                main p2 ended -, result success, reload exit-code, restarts 1, status "" 0
            reset-failed
            show
                main p2 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn the_last_reload_is_the_one_that_counts() {
    check(
        "[Service]\nExecStart=/bin/web\nExecReload=/bin/reload\n",
        "start\nreload\nexit p2 1\nshow\nreload\nshow\nexit p3 0\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            exit p2 1
                reload Failed
              = active/running
            show
                main p1 ended -, result success, reload exit-code, restarts 0, status "" 0
            reload
                spawn p3 Reload /bin/reload MAINPID=p1
              = reloading/reload until 90s
            show
                main p1 ended -, result success, reload success, restarts 0, status "" 0
            exit p3 0
                reload Done
              = active/running
            show
                main p1 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

/// Restarts are counted until a run begins that is none: whatever ended the row.
#[test]
fn what_ends_a_row_of_restarts() {
    let after = |end: &str| {
        let unit = "[Service]\nExecStart=/bin/web\nRestart=on-failure\nRestartSec=1s\n";
        let mut stage = Stage::new("web.service", unit);
        stage.play(&format!("start\nkill p1 SEGV\nempty\n{end}"));
        let counted = stage.history.restarts;
        stage.play("start");
        (counted, stage.history.restarts)
    };
    assert_eq!(after("+1s\nrestart"), (1, 1), "the restart itself");
    assert_eq!(after("+1s\nstop"), (1, 0), "a stop");
    assert_eq!(after("+1s\nrestart-refused"), (1, 0), "a restart that could not be queued");
    assert_eq!(after("+1s\nrestart\nstart-limit"), (1, 0), "the start limit");
}

#[test]
fn each_command_is_known_with_its_end() {
    let mut stage = Stage::new("web.service", "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\n");
    stage.play("start\n+1s\nexit p1 0\n+1s\nkill p2 TERM");
    let ends: Vec<_> = stage.history.commands.iter().map(|one| (one.ended.monotonic, one.status)).collect();
    let code = Some(ExitStatus::Code(0));
    assert_eq!(ends, [(101_000_000, code), (102_000_000, Some(ExitStatus::Signal(15)))]);
}
