//! The commands of each phase: one after the other, what an end of each is worth, and what a stop in the middle leaves.

use super::check;
use super::driver::Stage;
use expect_test::expect;

#[test]
fn each_phase_may_have_several() {
    check(
        "[Service]\nExecCondition=/bin/c1\nExecCondition=/bin/c2\nExecStart=/bin/web\nExecStartPost=/bin/p1\n\
         ExecStartPost=/bin/p2\n",
        "start\nexit p1 0\nexit p2 0\nexit p4 0\nexit p5 0",
        expect![[r#"
            start
                begin
                spawn p1 Condition /bin/c1
              = activating/condition until 90s
            exit p1 0
                spawn p2 Condition[1] /bin/c2
            exit p2 0
                spawn p3 Start /bin/web
              = activating/start
                spawn p4 StartPost /bin/p1 MAINPID=p3
              = activating/start-post until 90s
            exit p4 0
                spawn p5 StartPost[1] /bin/p2 MAINPID=p3
            exit p5 0
              = active/running
        "#]],
    );
}

#[test]
fn a_condition_of_several_skips_by_any() {
    check(
        "[Service]\nExecCondition=/bin/c1\nExecCondition=/bin/c2\nExecStart=/bin/web\n",
        "start\nexit p1 0\nexit p2 7\nempty\nstart-limit",
        expect![[r#"
            start
                begin
                spawn p1 Condition /bin/c1
              = activating/condition until 90s
            exit p1 0
                spawn p2 Condition[1] /bin/c2
            exit p2 7
                signal-set TERM
              = deactivating/stop-sigterm (exec-condition) until 90s
            empty
                release, directories Remove
              = inactive/dead (exec-condition)
            start-limit
        "#]],
    );
}

/// A `-` before a command counts for it also when it is ended by a stop.
#[test]
fn a_command_whose_failure_does_not_count_may_be_stopped() {
    let result = |line: &str, script: &str| {
        let unit = format!("[Service]\nType=notify\nExecStart=/bin/web\nTimeoutStopSec=5s\n{line}\n");
        let mut stage = Stage::new("web.service", &unit);
        stage.play(script);
        crate::kind::service::result_word(stage.history.result)
    };
    for dash in ["-", ""] {
        let expected = if dash == "-" { "success" } else { "signal" };
        let condition = format!("ExecCondition={dash}/bin/if");
        assert_eq!(result(&condition, "start\nstop\nkill p1 TERM"), expected, "{condition}");
        let pre = format!("ExecStartPre={dash}/bin/pre");
        assert_eq!(result(&pre, "start\nstop\nkill p1 TERM"), expected, "{pre}");
        let post = format!("ExecStartPost={dash}/bin/post");
        assert_eq!(result(&post, "start\nmain READY=1\nstop\nkill p2 TERM"), expected, "{post}");
        let reload = format!("ExecReload={dash}/bin/reload");
        assert_eq!(result(&reload, "start\nmain READY=1\nreload\nstop\nkill p2 TERM"), expected, "{reload}");
    }
}

#[test]
fn a_last_command_of_a_start_whose_failure_does_not_count() {
    check(
        "[Service]\nExecStart=/bin/web\nExecStartPost=-/bin/post\n",
        "start\nexit p2 1",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
            spawn p2 StartPost /bin/post MAINPID=p1
          = activating/start-post until 90s
        exit p2 1
          = active/running
    "#]],
    );
}

#[test]
fn a_program_that_need_not_be_there_ran_well() {
    check(
        "[Service]\nType=oneshot\nExecStart=-/bin/a\nExecStopPost=/bin/sp\n",
        "start\nsetup p1 203\nexit p1 203\nempty\nshow",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/a
              = activating/start
            setup p1 203
                say web.service: cannot start /bin/a: step EXEC: no such file or directory
            exit p1 203
                say web.service: main process exited with code 0 (SUCCESS)
                signal-set TERM
              = deactivating/stop-sigterm until 90s
            empty
                spawn p2 StopPost /bin/sp SERVICE_RESULT=success EXIT=0
              = deactivating/stop-post until 90s
            show
                main - ended 0, result success, reload success, restarts 0, status "" 0
        "#]],
    );
}

#[test]
fn an_end_before_it_is_told_that_it_was_there() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "hold\nstart\nexit p1 0\nempty\nshow",
        expect![[r#"
        hold
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            signal-set TERM
          = deactivating/stop-sigterm until 90s
        empty
            release, directories Remove
          = inactive/dead
        show
            main - ended 0, result success, reload success, restarts 0, status "" 0
    "#]],
    );
}

#[test]
fn directories_go_as_it_is_said() {
    let preserve = |how: &str, script: &str, expected| {
        let unit = "[Service]\nExecStart=/bin/web\nRuntimeDirectory=web\nRestart=on-failure\nFileDescriptorStoreMax=1\n";
        check(&format!("{unit}RuntimeDirectoryPreserve={how}\n"), script, expected);
    };
    preserve(
        "yes",
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
            close-stored-fds
            release, directories Keep
          = inactive/dead
    "#]],
    );
    preserve(
        "no",
        "start\nkill p1 SEGV\nempty\nstop",
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
          = activating/auto-restart (signal) until 0.1s
        stop
            close-stored-fds
            release, directories Remove
          = inactive/dead (signal)
    "#]],
    );
    preserve(
        "restart",
        "start\nkill p1 SEGV\nempty\nrestart",
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
            release, directories Keep
            went down: Failed
          = activating/auto-restart (signal) until 0.1s
        restart
          = inactive/dead (signal)
    "#]],
    );
    preserve(
        "restart",
        "start\nkill p1 SEGV\nempty\nstop",
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
            release, directories Keep
            went down: Failed
          = activating/auto-restart (signal) until 0.1s
        stop
            close-stored-fds
            release, directories Remove
          = inactive/dead (signal)
    "#]],
    );
}

#[test]
fn a_start_limit_is_for_what_is_down() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nstart-limit",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web
          = activating/start
          = active/running
        start-limit
            reply Later
    "#]],
    );
}

#[test]
fn a_program_that_ends_before_its_exec_is_heard_of_has_ended() {
    check(
        "[Service]\nType=exec\nExecStart=/bin/web\n",
        "start\nexit p1 0\nempty",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/web, its exec watched
          = activating/start until 90s
        exit p1 0
            say web.service: main process exited with code 0 (SUCCESS)
            signal-set TERM
          = deactivating/stop-sigterm until 90s
        empty
            release, directories Remove
          = inactive/dead
    "#]],
    );
}
