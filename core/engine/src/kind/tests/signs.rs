//! Signs of life, and more time, in each state that has a deadline.

use super::check;
use super::driver::Stage;
use expect_test::expect;

/// Seconds until the deadline before and after five seconds more were asked for.
fn more_time(unit: &str, script: &str) -> String {
    let mut stage =
        Stage::new("web.service", &format!("[Service]\nNotifyAccess=all\nExecStart=/bin/web\n{unit}"));
    stage.play(script);
    let before = stage.delay();
    stage.play("member EXTEND_TIMEOUT_USEC=5000000");
    let word = |delay: Option<f64>| delay.map_or("-".to_owned(), |delay| delay.to_string());
    format!("{}: {} -> {}\n", stage.state.sub_state(), word(before), word(stage.delay()))
}

#[test]
fn it_may_ask_for_more_time_wherever_it_is() {
    let short = "TimeoutStartSec=2s\nTimeoutStopSec=3s\n";
    let with = |line: &str| format!("{line}{short}");
    let told = [
        more_time(&with("ExecCondition=/bin/if\n"), "start"),
        more_time(&with("ExecStartPre=/bin/pre\n"), "start"),
        more_time(short, "hold\nstart"),
        more_time(&with("Type=notify\n"), "start"),
        more_time(&with("Type=oneshot\n"), "start"),
        more_time(&with("Type=forking\n"), "start"),
        more_time(&with("Type=forking\n"), "start\nexit p1 0"),
        more_time(&with("Type=forking\nGuessMainPID=no\n"), "start\nexit p1 0"),
        more_time(&with("ExecStartPost=/bin/post\n"), "start"),
        more_time(&with("ExecStartPost=/bin/post\nWatchdogSec=1s\n"), "start"),
        more_time(&with("PIDFile=/run/web.pid\nExecStartPost=/bin/post\n"), "start\nexit p2 0"),
        more_time(&with("[X-Health]\nTcp=80\nGate=start\nTimeoutSec=1h\n[Service]\n"), "start\n+0s"),
        more_time(&with("WatchdogSec=1s\n"), "start"),
        more_time(&with("RuntimeMaxSec=1s\n"), "start"),
        more_time(short, "start"),
        more_time(&with("ExecReload=/bin/reload\n"), "start\nreload"),
        more_time(&with("ExecReload=/bin/reload\nWatchdogSec=1s\n"), "start\nreload"),
        more_time(&with("Type=notify-reload\n"), "start\nmain READY=1\nreload"),
        more_time(&with("ExecStop=/bin/stop\n"), "start\nstop"),
        more_time(short, "start\nstop"),
        more_time(&with("ExecStopPost=/bin/sp\n"), "start\nkill p1 KILL\nempty"),
        more_time(&with("Restart=always\nRestartSec=1s\n"), "start\nkill p1 KILL\nempty"),
    ];
    expect![[r#"
        condition: 2 -> 5
        start-pre: 2 -> 5
        start: - -> -
        start: 2 -> 5
        start: 2 -> 5
        start: 2 -> 5
        start: 2 -> 5
        start: 2 -> 5
        start-post: 2 -> 5
        start-post: 1 -> 5
        start-post: 2 -> 5
        start-post: 2 -> 5
        running: 1 -> 5
        running: 1 -> 5
        running: - -> -
        reload: 2 -> 5
        reload: 1 -> 5
        reload-signal: 2 -> 5
        stop: 3 -> 5
        stop-sigterm: 3 -> 5
        stop-post: 3 -> 5
        auto-restart: 1 -> 1
    "#]]
    .assert_eq(&told.concat());
}

#[test]
fn a_sign_of_life_counts_wherever_a_watchdog_watches() {
    let notify = "[Service]\nType=notify\nExecStart=/bin/web\nWatchdogSec=2s\n";
    check(
        &format!("{notify}ExecStartPost=/bin/post\n"),
        "start\nmain READY=1\n+1s\nmain WATCHDOG=1\n+1s\nexit p2 0\n+1s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=2000000
              = activating/start until 90s
            main READY=1
                spawn p2 StartPost /bin/post MAINPID=p1
              = activating/start-post until 2s
            +1s
            main WATCHDOG=1
            +1s
            exit p2 0
              = active/running until 1s
            +1s
                say web.service: no sign of life in time
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (watchdog) until 90s
        "#]],
    );
    check(
        &format!("{notify}ExecReload=/bin/reload\n"),
        "start\nmain READY=1\nreload\n+1s\nmain WATCHDOG=1\n+1s\nexit p2 0\n+1s",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web WATCHDOG_USEC=2000000
              = activating/start until 90s
            main READY=1
              = active/running until 2s
            reload
                spawn p2 Reload /bin/reload MAINPID=p1
              = reloading/reload until 2s
            +1s
            main WATCHDOG=1
            +1s
            exit p2 0
                reload Done
              = active/running until 1s
            +1s
                say web.service: no sign of life in time
                signal p1 ABRT
                signal p1 CONT
                signal-set ABRT but p1
              = deactivating/stop-watchdog (watchdog) until 90s
        "#]],
    );
}

#[test]
fn stopping_is_remembered_until_the_start_is_done() {
    check(
        "[Service]\nType=notify\nExecStart=/bin/web\nExecStartPost=/bin/post\n",
        "start\nmain READY=1\nmain STOPPING=1\nexit p2 0\noccupied\nthaw\nexit p1 0",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/web
              = activating/start until 90s
            main READY=1
                spawn p2 StartPost /bin/post MAINPID=p1
              = activating/start-post until 90s
            main STOPPING=1
            exit p2 0
              = deactivating/stop-sigterm until 90s
            occupied
            thaw
                again: survey
            exit p1 0
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/final-sigterm until 90s
        "#]],
    );
    let stopping = |mode: &str, expected| {
        let unit =
            format!("[Service]\nType=notify\nExecStart=/bin/web\nKillMode={mode}\nExecStopPost=/bin/sp\n");
        check(&unit, "start\nmain READY=1\nmain STOPPING=1\nthaw\noccupied\nexit p1 0", expected);
    };
    stopping(
        "mixed",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main READY=1
          = active/running
        main STOPPING=1
          = deactivating/stop-sigterm until 90s
        thaw
            again: survey
        occupied
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=0
          = deactivating/stop-post until 90s
    "#]],
    );
    stopping(
        "process",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start until 90s
        main READY=1
          = active/running
        main STOPPING=1
          = deactivating/stop-sigterm until 90s
        thaw
        occupied
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=0
          = deactivating/stop-post until 90s
    "#]],
    );
}

#[test]
fn those_who_are_left_are_woken_once() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nstop\noccupied\noccupied\nkill p1 TERM\noccupied\nempty",
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
            occupied
                signal-set CONT but p1
            occupied
            kill p1 TERM
                say web.service: main process was killed by SIGTERM
                signal-set TERM
              = deactivating/final-sigterm until 90s
            occupied
                signal-set CONT
            empty
                release, directories Remove
              = inactive/dead
        "#]],
    );
}
