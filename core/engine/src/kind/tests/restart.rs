//! `Restart=` and what bars or forces it.

use super::check;
use super::driver::Stage;
use expect_test::expect;

const ENDS: [(&str, &str); 6] = [
    ("clean exit", "exit p1 0"),
    ("clean signal", "kill p1 TERM"),
    ("exit code", "exit p1 1"),
    ("signal", "kill p1 SEGV"),
    ("timeout", "+10s\nkill p1 KILL"),
    ("watchdog", "main WATCHDOG=trigger\ndump p1 ABRT"),
];

/// The table of systemd.service(5): which ends are followed by which restarts.
#[test]
fn the_table() {
    let mut table = String::new();
    for restart in ["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"] {
        let mut ends = Vec::new();
        for (end, script) in ENDS {
            let unit = format!(
                "[Service]\nExecStart=/bin/web\nWatchdogSec=1h\nRuntimeMaxSec=10s\nRestart={restart}\n"
            );
            let mut stage = Stage::new("web.service", &unit);
            stage.play("start");
            stage.play(script);
            stage.play("empty");
            if stage.state.sub_state() == "auto-restart" {
                ends.push(end);
            }
        }
        table.push_str(&format!("{restart}: {}\n", ends.join(", ")));
    }
    expect![[r#"
        no: 
        always: clean exit, clean signal, exit code, signal, timeout, watchdog
        on-success: clean exit, clean signal
        on-failure: exit code, signal, timeout, watchdog
        on-abnormal: signal, timeout, watchdog
        on-abort: signal
        on-watchdog: watchdog
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_restart_is_a_job_of_its_own() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\nRestartSec=2s\n",
        "start\nexit p1 1\nempty\nstart\n+2s\nrestart\nstart\nshow\nexit p2 1\nempty\n+2s\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code) until 2s
            start
                reply Later
            +2s
                restart due
            restart
              = inactive/dead (exit-code)
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            show
                main p2 ended -, result success, reload success, restarts 1, status "" 0
            exit p2 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code) until 2s
            +2s
                restart due
            show
                main - ended 1, result exit-code, reload success, restarts 2, status "" 0
        "#]],
    );
}

#[test]
fn a_stop_ends_the_wait_for_a_restart() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\nRestartSec=30s\n",
        "start\nexit p1 1\nempty\nstop\nshow\n+60s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code) until 30s
            stop
                release, directories Remove
              = inactive/dead (exit-code)
            show
                main - ended 1, result exit-code, reload success, restarts 0, status "" 0
            +60s
        "#]],
    );
}

#[test]
fn a_waiting_stop_job_bars_the_restart() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\n",
        "start\nbarred\nexit p1 1\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            barred
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
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
fn a_stop_that_was_asked_for_is_not_followed_by_a_restart() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\n",
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
                signal-set TERM but p1
              = deactivating/stop-sigterm until 90s
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn the_lists() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\nRestartPreventExitStatus=3 SIGKILL\n",
        "start\nexit p1 3\nempty\nstart\nkill p2 KILL\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            kill p2 KILL
                say web.service: main process was killed by SIGKILL
                signal-set TERM
              = deactivating/stop-sigterm (signal) until 90s
            empty
                say web.service: failed with result 'signal'
                release, directories Remove
              = failed/failed (signal)
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\nRestart=no\nRestartForceExitStatus=3\n",
        "start\nexit p1 3\nempty",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 3
                say web.service: main process exited with code 3 (NOTIMPLEMENTED)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code) until 0.1s
        "#]],
    );
}

#[test]
fn the_start_limit_keeps_the_result_that_came_before() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=on-failure\nRestartSec=0\n",
        "start\nkill p1 SEGV\nempty\n+0s\nrestart\nstart-limit\nshow",
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
              = activating/auto-restart (signal) until 0s
            +0s
                restart due
            restart
              = inactive/dead (signal)
            start-limit
              = failed/failed (signal)
            show
                main - ended SEGV, result signal, reload success, restarts 1, status "" 0
        "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p1 0\nempty\nstart-limit\nshow\nreset-failed",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
            start-limit
              = failed/failed (start-limit-hit)
            show
                main - ended 0, result start-limit-hit, reload success, restarts 0, status "" 0
            reset-failed
              = inactive/dead
        "#]],
    );
}

#[test]
fn a_restart_that_cannot_be_queued_fails_the_unit() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=on-success\nRestartSec=1s\n",
        "start\nexit p1 0\nempty\n+1s\nrestart-refused",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
                went down: Inactive
              = activating/auto-restart until 1s
            +1s
                restart due
            restart-refused
              = failed/failed (resources)
        "#]],
    );
}

#[test]
fn a_failed_start_is_restarted_too() {
    check(
        "[Service]\nExecStartPre=/bin/pre\nExecStart=/bin/web\nRestart=on-failure\nRestartSec=1s\n",
        "start\nexit p1 1\nempty\n+1s",
        expect![[r#"
            start
                begin
                spawn p1 StartPre /bin/pre
              = activating/start-pre until 90s
            exit p1 1
                say web.service: control process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code) until 1s
            +1s
                restart due
        "#]],
    );
}

#[test]
fn the_counter_stays_until_the_next_start() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=on-failure\nRestartSec=1s\n",
        "start\nexit p1 1\nempty\n+1s\nrestart\nstart\nexit p2 0\nempty\nshow\nstart\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code) until 1s
            +1s
                restart due
            restart
              = inactive/dead (exit-code)
            start
                begin
                spawn p2 Start /bin/web
              = activating/start
              = active/running
            exit p2 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                release, directories Remove
              = inactive/dead
            show
                main - ended 0, result success, reload success, restarts 1, status "" 0
            start
                begin
                spawn p3 Start /bin/web
              = activating/start
              = active/running
            show
                main p3 ended -, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn the_delay_grows_in_steps() {
    let unit = "[Service]\nExecStart=/bin/web\nRestart=always\nRestartSec=1s\nRestartSteps=3\nRestartMaxDelaySec=8s\n";
    let mut stage = Stage::new("web.service", unit);
    let mut delays = Vec::new();
    stage.play("start");
    for process in 1..=5 {
        stage.play(&format!("exit p{process} 1\nempty"));
        delays.push(stage.delay());
        stage.play("+1h\nrestart\nstart");
    }
    expect!["[Some(1.0), Some(2.0), Some(4.0), Some(8.0), Some(8.0)]"].assert_eq(&format!("{delays:?}"));
}

#[test]
fn endless_restart_delay_waits_for_a_start_by_hand() {
    check(
        "[Service]\nExecStart=/bin/web\nRestart=always\nRestartSec=infinity\n",
        "start\nexit p1 1\nempty\n+1h",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start
              = active/running
            exit p1 1
                say web.service: main process exited with code 1 (FAILURE)
                signal-set TERM
              = deactivating/stop-sigterm (exit-code) until 90s
            empty
                say web.service: failed with result 'exit-code'
                release, directories Remove
                went down: Failed
              = activating/auto-restart (exit-code)
            +1h
        "#]],
    );
}
